//! Marks in a text what a query matched.
//!
//! Works on any text the caller fetched, with the same analysis as the index;
//! it needs no index and keeps no text.

use crate::analysis::{Forms, Kind, Piece, Scanner, fold};
use crate::document::Language;
use crate::query::{Lowered, Phrase, Query};
use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ops::Range;
use std::sync::{Arc, Mutex, PoisonError};

/// Longest text that is looked at, in bytes.
const MAX_TEXT_BYTES: usize = 64 * 1024;

/// Languages whose stems a thread remembers.
const MAX_REMEMBERED: usize = 4;

thread_local! {
    /// Stems are remembered from one text to the next: a page of hits has most words in common.
    static FORMS: RefCell<HashMap<Language, Forms>> = RefCell::default();
}

/// Marks the words of one query, corrections of typing errors included.
#[derive(Debug, Clone, Default)]
pub struct Highlighter {
    query: Arc<Query>,
    /// Terms that stood in for words that matched nothing.
    corrections: Vec<String>,
    /// What is looked for in each language, worked out at its first text.
    wanted: Arc<Mutex<HashMap<Language, Arc<Wanted>>>>,
}

/// Byte ranges of `text` that match the query: sorted, not overlapping, on character bounds.
#[must_use]
pub fn highlight(query: &Query, text: &str, language: Language) -> Vec<(usize, usize)> {
    Highlighter::of(query).ranges(text, language)
}

/// The first word of a text that is looked up as one of `terms`, as it is written there; without a language as in names.
#[must_use]
pub fn written<'a>(text: &'a str, language: Option<Language>, terms: &[String]) -> Option<&'a str> {
    let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
    let mut forms = language.map_or_else(Forms::unstemmed, Forms::direct);
    let mut scanner = Scanner::new(text, 0);
    let mut pieces = Vec::new();
    while scanner.next_into(&mut pieces) {}
    let (mut first, mut second) = (String::new(), String::new());
    let found = pieces.into_iter().find(|piece| {
        forms.of(text, *piece, &mut first, &mut second);
        terms.iter().any(|term| *term == first || *term == second)
    });
    found.map(|piece| &text[piece.from..piece.to])
}

impl Highlighter {
    /// For the words of a query as typed.
    #[must_use]
    pub fn of(query: &Query) -> Highlighter {
        Highlighter::new(query, Vec::new())
    }

    pub(crate) fn new(query: &Query, corrections: Vec<String>) -> Highlighter {
        Highlighter { query: Arc::new(query.clone()), corrections, wanted: Arc::default() }
    }

    /// Words of the index used in place of mistyped ones; empty if there were none.
    #[must_use]
    pub fn corrections(&self) -> &[String] {
        &self.corrections
    }

    /// Byte ranges of `text` that match: sorted, not overlapping, on character bounds.
    #[must_use]
    pub fn ranges(&self, text: &str, language: Language) -> Vec<(usize, usize)> {
        let text = &text[..text.floor_char_boundary(MAX_TEXT_BYTES)];
        let wanted = self.wanted(language);
        FORMS.with_borrow_mut(|remembered| {
            if remembered.len() > MAX_REMEMBERED {
                remembered.clear();
            }
            let forms = remembered.entry(language).or_insert_with(|| Forms::new(language));
            merge(wanted.ranges(text, forms))
        })
    }

    fn wanted(&self, language: Language) -> Arc<Wanted> {
        let mut known = self.wanted.lock().unwrap_or_else(PoisonError::into_inner);
        let wanted = || Arc::new(Wanted::new(&self.query, &self.corrections, language));
        Arc::clone(known.entry(language).or_insert_with(wanted))
    }

    /// The part of a text of at most `bytes` bytes that holds the most different matches,
    /// cut at word bounds.
    #[must_use]
    pub fn window(&self, text: &str, language: Language, bytes: usize) -> Range<usize> {
        if text.len() <= bytes {
            return 0..text.len();
        }
        let ranges = self.ranges(text, language);
        let Some(first) = best_start(text, &ranges, bytes) else {
            return 0..word_end(text, bytes);
        };
        // Some words before the first match, so that it reads like a sentence.
        let lead = bytes / 6;
        let start = word_start(text, first.saturating_sub(lead));
        start..word_end(text, (start + bytes).min(text.len())).max(start)
    }
}

/// Start of the match from which a window holds the most different words.
fn best_start(text: &str, ranges: &[(usize, usize)], bytes: usize) -> Option<usize> {
    let reach = bytes - bytes / 6;
    let score = |i: usize| {
        let from = ranges[i].0;
        let inside = ranges[i..].iter().take_while(|r| r.1 <= from + reach);
        let mut seen = HashSet::new();
        let mut count = 0;
        for range in inside {
            count += 1;
            seen.insert(text[range.0..range.1].to_lowercase());
        }
        (seen.len(), count)
    };
    (0..ranges.len().min(512)).max_by_key(|i| (score(*i), std::cmp::Reverse(*i))).map(|i| ranges[i].0)
}

fn word_start(text: &str, at: usize) -> usize {
    let at = text.floor_char_boundary(at);
    if at == 0 {
        return 0;
    }
    let after = text[at..].find(char::is_whitespace).map_or(at, |i| at + i);
    let gap = text[after..].find(|c: char| !c.is_whitespace()).unwrap_or(0);
    // A script without spaces has no such bound nearby.
    if after - at > 40 { at } else { after + gap }
}

fn word_end(text: &str, at: usize) -> usize {
    let at = text.floor_char_boundary(at);
    if at == text.len() {
        return at;
    }
    match text[..at].rfind(char::is_whitespace) {
        Some(space) if at - space <= 40 => space,
        _ => at,
    }
}

/// What to look for in a text of one language.
#[derive(Debug)]
struct Wanted {
    terms: HashSet<String>,
    prefixes: Vec<String>,
    phrases: Vec<Phrase>,
}

impl Wanted {
    fn new(query: &Query, corrections: &[String], language: Language) -> Wanted {
        let lowered = Lowered::new(query, &[language]);
        let mut terms: HashSet<String> = corrections.iter().cloned().collect();
        let mut prefixes = Vec::new();
        for word in lowered.words.into_iter().filter(|word| !word.stop) {
            if word.prefix {
                prefixes.push(word.typed);
            } else {
                terms.extend(word.forms);
            }
        }
        Wanted { terms, prefixes, phrases: lowered.phrases }
    }

    fn ranges(&self, text: &str, forms: &mut Forms) -> Vec<(usize, usize)> {
        let mut scanner = Scanner::new(text, 0);
        let mut pieces = Vec::new();
        while scanner.next_into(&mut pieces) {}
        let mut ranges = Vec::new();
        // Only a phrase needs to know its neighbours.
        let mut tokens = Vec::new();
        let (mut first, mut second) = (String::new(), String::new());
        for piece in pieces {
            forms.of(text, piece, &mut first, &mut second);
            if self.terms.contains(&first) || self.terms.contains(&second) || self.begins(piece, text) {
                ranges.push((piece.from, piece.to));
            }
            if !self.phrases.is_empty() {
                let terms = [&first, &second].into_iter().filter(|term| !term.is_empty());
                tokens.push(Token { piece, terms: terms.cloned().collect() });
            }
        }
        for phrase in &self.phrases {
            mark_phrase(phrase, &tokens, &mut ranges);
        }
        ranges
    }

    /// Whether a piece begins as a prefix of the query does.
    fn begins(&self, piece: Piece, text: &str) -> bool {
        if self.prefixes.is_empty() {
            return false;
        }
        let whole = fold(&text[piece.from..piece.to]);
        self.prefixes.iter().any(|prefix| whole.starts_with(prefix.as_str()))
    }
}

struct Token {
    piece: Piece,
    terms: Vec<String>,
}

fn mark_phrase(phrase: &Phrase, tokens: &[Token], ranges: &mut Vec<(usize, usize)>) {
    for variant in &phrase.variants {
        for (i, token) in tokens.iter().enumerate() {
            let found: Option<Vec<&Token>> = variant
                .iter()
                .map(|(offset, term)| at_position(&tokens[i..], token.piece.position + offset, term))
                .collect();
            if let Some((first, last)) = found.as_ref().and_then(|f| Some((f.first()?, f.last()?))) {
                ranges.push((first.piece.from, last.piece.to));
            }
        }
    }
}

fn at_position<'a>(tokens: &'a [Token], position: usize, term: &str) -> Option<&'a Token> {
    tokens
        .iter()
        .take_while(|token| token.piece.position <= position)
        .filter(|token| token.piece.position == position && is_word(&token.piece))
        .find(|token| token.terms.iter().any(|t| t == term))
}

/// Phone numbers lie over the words they are made of.
fn is_word(piece: &Piece) -> bool {
    !matches!(piece.kind, Kind::Phone | Kind::Tail(_))
}

fn merge(mut ranges: Vec<(usize, usize)>) -> Vec<(usize, usize)> {
    ranges.sort_unstable();
    let mut out: Vec<(usize, usize)> = Vec::with_capacity(ranges.len());
    for (from, to) in ranges {
        match out.last_mut() {
            Some(last) if from < last.1 || (from == last.1 && from != to) => last.1 = last.1.max(to),
            _ => out.push((from, to)),
        }
    }
    out
}
