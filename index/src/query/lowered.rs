//! A query as the terms an index is asked for, given the languages its texts
//! are written in.
//!
//! Still free of any engine: the embedded one, the highlighter and a future
//! remote one all start from here.

use super::{Part, Query};
use crate::analysis::{Forms, Kind, Piece, Scanner, fold, is_stop_word, phone};
use crate::document::Language;

/// Most words that are looked up; the rest of a longer text is ignored.
pub(crate) const MAX_WORDS: usize = 48;

/// Weight of the words inside an exact thing, beside the thing itself.
const PART_WEIGHT: f32 = 0.3;

/// What a word may go on with after a typed beginning, enough to meet its stem.
const ENDINGS: &str =
    "s es l ls al d ed n en on ion ions tion g ng ing e er ers r rs t nt ent ment y ly ty ity ble able";

/// With more words than this around it, a phrase is a quotation: see [`is_prose`].
const PROSE_WORDS: usize = 8;

/// The terms of a query.
#[derive(Debug, Clone, Default)]
pub(crate) struct Lowered {
    pub(crate) words: Vec<Word>,
    pub(crate) phrases: Vec<Phrase>,
    pub(crate) not_words: Vec<Word>,
    pub(crate) not_phrases: Vec<Phrase>,
}

/// One word and everything it may look like in the index.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Word {
    /// Lower case, folded.
    pub(crate) typed: String,
    /// Terms in titles and bodies: the stem of each language.
    pub(crate) forms: Vec<String>,
    /// Terms in names.
    pub(crate) name_forms: Vec<String>,
    /// Matches every term that begins with `typed`.
    pub(crate) prefix: bool,
    /// Share in the score.
    pub(crate) weight: f32,
    /// Whether it counts when all words are asked for.
    pub(crate) counts: bool,
    /// A word such as "the", which ranks and does not find.
    pub(crate) stop: bool,
    /// The exact thing this word is a part of, by its `typed`.
    pub(crate) part_of: Option<String>,
    /// A plain word, which may hold a typing error.
    pub(crate) plain: bool,
    /// Those of its terms that it was taken for a mistyped form of.
    pub(crate) corrections: Vec<String>,
}

/// A phrase in the stems of each language.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Phrase {
    pub(crate) typed: String,
    /// Terms with their relative positions; never empty.
    pub(crate) variants: Vec<Vec<(usize, String)>>,
    /// Made of words such as "the" only, which are in nearly every passage.
    pub(crate) common: bool,
}

impl Word {
    /// Its terms in the names field, which is not stemmed, or in the text fields.
    pub(crate) fn forms_in(&self, names: bool) -> &[String] {
        if names { &self.name_forms } else { &self.forms }
    }
}

impl Lowered {
    /// Looks a query up in the stems of the given languages.
    pub(crate) fn new(query: &Query, languages: &[Language]) -> Lowered {
        let mut lowering = Lowering {
            forms: languages.iter().map(|l| Forms::direct(*l)).collect(),
            names: Forms::unstemmed(),
            stops: stop_language(query, languages),
        };
        let mut out = Lowered::default();
        let prose = is_prose(query);
        for part in &query.parts {
            match part {
                Part::Phrase(text) if prose => lowering.words(text, &mut out.words),
                Part::Not(part) => {
                    lowering.part(part, &mut out.not_words, &mut out.not_phrases);
                }
                part => lowering.part(part, &mut out.words, &mut out.phrases),
            }
        }
        lowering.mark_stop_words(&mut out);
        for word in &mut out.not_words {
            word.counts = false;
        }
        // An exclusion means the thing as typed, not each of its words.
        out.not_words.retain(|word| word.part_of.is_none());
        out
    }

    /// Whether there is nothing to look up but exclusions.
    pub(crate) fn is_empty(&self) -> bool {
        self.words.is_empty() && self.phrases.is_empty()
    }
}

/// Whether quotes are part of a longer text rather than an order: a question that quotes
/// something should not fail because nobody wrote exactly that.
fn is_prose(query: &Query) -> bool {
    let words = query.parts.iter().map(|part| match part {
        Part::Words(text) => text.split_whitespace().count(),
        _ => 0,
    });
    words.sum::<usize>() > PROSE_WORDS
}

struct Lowering {
    forms: Vec<Forms>,
    names: Forms,
    stops: Option<Language>,
}

impl Lowering {
    fn part(&mut self, part: &Part, words: &mut Vec<Word>, phrases: &mut Vec<Phrase>) {
        match part {
            Part::Words(text) => self.words(text, words),
            Part::Phrase(text) => self.phrase(text, words, phrases),
            Part::Prefix(text) => self.prefix(text, words),
            Part::Not(_) => {}
        }
    }

    fn words(&mut self, text: &str, out: &mut Vec<Word>) {
        let pieces = pieces(text);
        for (i, piece) in pieces.iter().enumerate() {
            if out.len() >= MAX_WORDS {
                return;
            }
            let less = matches!(piece.kind, Kind::Tail(_));
            if less || (piece.kind == Kind::Single && in_pair(&pieces, i)) {
                continue;
            }
            let whole = pieces[..i].iter().find(|whole| holds(whole, piece));
            let inside = whole.is_some();
            let (forms, name_forms) = self.forms_of(text, *piece);
            let typed = fold(&text[piece.from..piece.to]);
            if forms.is_empty() {
                continue;
            }
            if let Some(same) = out.iter_mut().find(|word| word.forms == forms && !word.prefix) {
                // Said twice, meant more; bounded so that repetition cannot drown the rest.
                same.weight = (same.weight + 0.5).min(2.0);
                same.counts |= !inside;
                same.part_of = same.part_of.take().filter(|_| inside);
                continue;
            }
            out.push(Word {
                typed,
                forms,
                name_forms,
                prefix: false,
                weight: if inside { PART_WEIGHT } else { 1.0 },
                counts: !inside,
                stop: false,
                part_of: whole.map(|whole| fold(&text[whole.from..whole.to])),
                plain: piece.kind == Kind::Word,
                corrections: Vec::new(),
            });
        }
    }

    /// The forms of a piece in text and in names.
    fn forms_of(&mut self, text: &str, piece: Piece) -> (Vec<String>, Vec<String>) {
        let raw = &text[piece.from..piece.to];
        if piece.kind == Kind::Phone {
            let forms = phone::looked_up_as(raw);
            return (forms.clone(), forms);
        }
        let mut out: Vec<String> = Vec::with_capacity(2);
        let (mut first, mut second) = (String::new(), String::new());
        for forms in &mut self.forms {
            forms.of(text, piece, &mut first, &mut second);
            for form in [&first, &second] {
                if !form.is_empty() && !out.contains(form) {
                    out.push(form.clone());
                }
            }
        }
        self.names.of(text, piece, &mut first, &mut second);
        let mut names = vec![first];
        if raw.bytes().all(|byte| byte.is_ascii_digit()) && (7..=8).contains(&raw.len()) {
            // It may be the end of a phone number as well.
            out.push(format!("#{raw}"));
            names.push(format!("#{raw}"));
        }
        (out, names)
    }

    fn prefix(&mut self, text: &str, out: &mut Vec<Word>) {
        let pieces = pieces(text);
        let Some(last) = pieces.iter().rfind(|piece| piece.to == text.len()) else {
            self.words(text, out);
            return;
        };
        let whole = pieces.iter().find(|piece| piece.to == text.len()).unwrap_or(last);
        let typed = fold(&text[whole.from..whole.to]);
        let (mut forms, name_forms) = self.forms_of(text, *whole);
        if whole.kind == Kind::Word {
            self.short_stems(&typed, &mut forms);
        }
        out.push(Word {
            typed,
            forms,
            name_forms,
            prefix: true,
            weight: 1.0,
            counts: true,
            stop: false,
            part_of: None,
            plain: false,
            corrections: Vec::new(),
        });
    }

    /// Stems shorter than a prefix that words beginning with it may have: `renewa*` must find
    /// "renewal", which is in the index as "renew".
    fn short_stems(&mut self, typed: &str, forms: &mut Vec<String>) {
        let (mut first, mut second) = (String::new(), String::new());
        for ending in ENDINGS.split(' ') {
            let word = format!("{typed}{ending}");
            let piece = Piece { from: 0, to: word.len(), kind: Kind::Word, position: 0 };
            for language in &mut self.forms {
                language.of(&word, piece, &mut first, &mut second);
                if !first.starts_with(typed) && !forms.contains(&first) {
                    forms.push(first.clone());
                }
            }
        }
    }

    /// A phrase of one word is that word; longer ones leave out stop words, keeping the gap.
    fn phrase(&mut self, text: &str, words: &mut Vec<Word>, phrases: &mut Vec<Phrase>) {
        let pieces: Vec<Piece> = pieces(text);
        let chain: Vec<Piece> = chain(&pieces);
        let heavy: Vec<Piece> = chain.iter().copied().filter(|p| !self.is_stop(text, *p)).collect();
        let common = heavy.is_empty();
        let chain = if heavy.len() < 2 { chain } else { heavy };
        if chain.len() < 2 {
            let before = words.len();
            self.words(text, words);
            // In quotes it is meant as it is written: no typing error is forgiven.
            words[before..].iter_mut().for_each(|word| word.plain = false);
            return;
        }
        let (mut first, mut second) = (String::new(), String::new());
        let mut variants: Vec<Vec<(usize, String)>> = Vec::new();
        let start = chain[0].position;
        for forms in &mut self.forms {
            let mut terms = Vec::with_capacity(chain.len());
            for piece in chain.iter().take(MAX_WORDS) {
                forms.of(text, *piece, &mut first, &mut second);
                terms.push((piece.position - start, first.clone()));
            }
            if !variants.contains(&terms) {
                variants.push(terms);
            }
        }
        phrases.push(Phrase { typed: text.to_owned(), variants, common });
    }

    fn is_stop(&self, text: &str, piece: Piece) -> bool {
        let word = text[piece.from..piece.to].to_lowercase();
        piece.kind == Kind::Word && self.stops.is_some_and(|l| is_stop_word(l, &word))
    }

    /// Words without meaning only rank, unless there are no others.
    fn mark_stop_words(&self, out: &mut Lowered) {
        let Some(language) = self.stops else { return };
        let stop = |word: &Word| word.plain && is_stop_word(language, &word.typed);
        if out.phrases.is_empty() && out.words.iter().all(stop) {
            return;
        }
        for word in &mut out.words {
            word.stop = stop(word);
            word.counts &= !word.stop;
        }
    }
}

fn pieces(text: &str) -> Vec<Piece> {
    let mut scanner = Scanner::new(text, 0);
    let mut out = Vec::new();
    while out.len() < 8 * MAX_WORDS && scanner.next_into(&mut out) {}
    out
}

fn holds(whole: &Piece, piece: &Piece) -> bool {
    matches!(whole.kind, Kind::Exact | Kind::Phone) && whole.from <= piece.from && piece.to <= whole.to
}

fn in_pair(pieces: &[Piece], i: usize) -> bool {
    let single = pieces[i];
    pieces.iter().any(|p| p.kind == Kind::Pair && p.from <= single.from && single.to <= p.to)
}

/// The pieces that follow each other: words and pairs, without the exact things over them.
fn chain(pieces: &[Piece]) -> Vec<Piece> {
    (0..pieces.len())
        .filter(|i| match pieces[*i].kind {
            Kind::Word | Kind::Pair => true,
            Kind::Single => !in_pair(pieces, *i),
            Kind::Exact | Kind::Phone | Kind::Tail(_) => false,
        })
        .map(|i| pieces[i])
        .collect()
}

/// The language whose stop words occur most in the query, if any do.
fn stop_language(query: &Query, languages: &[Language]) -> Option<Language> {
    let words: Vec<String> = query
        .parts
        .iter()
        .filter_map(|part| match part {
            Part::Words(text) | Part::Phrase(text) => Some(text),
            _ => None,
        })
        .flat_map(|text| text.split(|c: char| !c.is_alphanumeric()))
        .filter(|word| !word.is_empty())
        .take(MAX_WORDS)
        .map(str::to_lowercase)
        .collect();
    let known = |language: &Language| match language {
        Language::Unknown => Language::English,
        other => *other,
    };
    languages
        .iter()
        .map(known)
        .map(|language| {
            let hits = words.iter().filter(|word| is_stop_word(language, word)).count();
            (hits, language)
        })
        .filter(|(hits, _)| *hits > 0)
        // Of equals, the one that comes first in `Language`: English.
        .max_by_key(|(hits, language)| (*hits, std::cmp::Reverse(*language)))
        .map(|(_, language)| language)
}
