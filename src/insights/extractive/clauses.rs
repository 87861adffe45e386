//! Sentences and their clauses, as ranges of the folded text: the units evidence is made of.
//!
//! Finer than `text::clauses`: it also cuts before a conjunction that opens a new statement, keeps numbers and dates
//! whole, and sets labels ("Next step:") and speakers ("[Ann]") apart.

use std::ops::Range;

use super::fold::{Folded, is_unspaced};
use super::lexicon::{Hit, known};

/// One sentence, cut.
#[derive(Debug, Default)]
pub(crate) struct Sentence {
    /// Bytes of the original.
    pub original: Range<usize>,
    /// Bytes of the folded text, behind label and speaker.
    pub body: Range<usize>,
    /// A short label before a colon, without the colon.
    pub label: Option<Range<usize>>,
    /// Who speaks, where the sentence says so.
    pub speaker: Option<Range<usize>>,
    /// The clauses of the body.
    pub clauses: Vec<Range<usize>>,
    /// It ends with a question mark.
    pub question: bool,
}

/// The sentences of a text.
pub(crate) fn read(original: &str, folded: &Folded, hits: &[Hit]) -> Vec<Sentence> {
    let mut out: Vec<Sentence> = Vec::new();
    for range in crate::text::sentences(original) {
        for line in lines(original, range) {
            let mut read = sentence(original, line, folded, hits);
            if read.speaker.is_none() {
                read.speaker = out.last().and_then(|before| same_turn(original, before, &read));
            }
            out.push(read);
        }
    }
    out
}

/// Who spoke the sentence before, where this one goes on in the same line: a turn is one line.
fn same_turn(original: &str, before: &Sentence, read: &Sentence) -> Option<Range<usize>> {
    let between = original.get(before.original.start..read.original.start)?;
    before.speaker.clone().filter(|_| !between.trim_end_matches(' ').contains('\n'))
}

/// A sentence, parted before lines that open with a label or a speaker: those are forms and minutes, not folded text.
fn lines(original: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = range.start;
    for (at, _) in original[range.clone()].match_indices('\n') {
        let next = range.start + at + 1;
        let line = original[next..range.end].lines().next().unwrap_or_default().trim_start();
        if line.starts_with('[') || label(line).is_some() {
            out.push(start..next - 1);
            start = next;
        }
    }
    out.push(start..range.end);
    out
}

fn sentence(original: &str, range: Range<usize>, folded: &Folded, hits: &[Hit]) -> Sentence {
    let place = folded.folded(range.clone());
    let mut out = Sentence {
        question: asks(&original[range.clone()]),
        original: range,
        body: place,
        ..Sentence::default()
    };
    let text = folded.text.as_str();
    out.body.start += indent(&text[out.body.clone()]);
    let mut timed = false;
    if let Some((name, used)) = bracketed(&text[out.body.clone()]) {
        let name = out.body.start + name.start..out.body.start + name.end;
        timed = is_time(&text[name.clone()]);
        out.speaker = Some(name).filter(|_| !timed);
        out.body.start += used;
    }
    if let Some((label, used)) = label(&text[out.body.clone()]) {
        let label = out.body.start..out.body.start + label;
        // Behind the time of a turn stands who speaks; a recorder that does not know writes so.
        let known = !text[label.clone()].starts_with("speaker");
        (out.speaker, out.label) =
            if timed { (Some(label).filter(|_| known), None) } else { (out.speaker, Some(label)) };
        out.body.start += used;
        out.body.start += indent(&text[out.body.clone()]);
    }
    out.clauses = cut(text, out.body.clone(), hits);
    out
}

/// White space and list marks at the start.
fn indent(text: &str) -> usize {
    text.len() - text.trim_start_matches([' ', '-', '*', '•', '⁃', '–', '>', '"', '・', '●', '■']).len()
}

fn asks(sentence: &str) -> bool {
    sentence.trim_end().trim_end_matches(['"', '»', '”', ')', ' ']).ends_with(['?', '？'])
        || sentence.trim_end().ends_with("か。")
}

/// `[Ann] ...`
fn bracketed(text: &str) -> Option<(Range<usize>, usize)> {
    let rest = text.strip_prefix('[')?;
    let close = rest.find(']').filter(|at| *at <= 40)?;
    let after = &rest[close + 1..];
    let used = 1 + close + 1 + (after.len() - after.trim_start_matches([' ', ':']).len());
    Some((1..1 + close, used))
}

/// `00:08`, `01:05-01:12`, `00:01:05.120 --> 00:01:12.900`
fn is_time(text: &str) -> bool {
    text.contains(':') && text.chars().all(|c| c.is_ascii_digit() || matches!(c, ':' | '.' | '-' | '>' | ' '))
}

/// A label of at most three words (or eight Japanese characters) before a colon: its length and what it takes up.
fn label(text: &str) -> Option<(usize, usize)> {
    let (at, mark) = text.char_indices().take(48).find(|(_, c)| matches!(c, ':' | '：' | '='))?;
    let head = text[..at].trim_end();
    let after = &text[at + mark.len_utf8()..];
    let spaced = mark == '：' || after.starts_with(' ') || after.is_empty() || head.chars().any(is_unspaced);
    let short = head.split(' ').count() <= 3 || head.ends_with('?') && head.split(' ').count() <= 6;
    let plain = !head.is_empty()
        && !head.contains([',', '"', '.', ';', '('])
        && !head.ends_with(|c: char| c.is_ascii_digit());
    (spaced && short && plain && !after.trim().is_empty()).then(|| (head.len(), at + mark.len_utf8()))
}

/// Cuts at commas, semicolons, dashes, and before conjunctions that open a new statement.
fn cut(text: &str, body: Range<usize>, hits: &[Hit]) -> Vec<Range<usize>> {
    let mut bounds: Vec<(usize, usize)> = Vec::new();
    let part = &text[body.clone()];
    for (at, c) in part.char_indices() {
        let next = at + c.len_utf8();
        let ends = match c {
            ',' | ';' => part[next..].starts_with(' ') && !in_date(part, at),
            ':' => part[next..].starts_with(' '),
            '、' | '，' | '；' | '：' | '。' => true,
            '-' | '–' | '—' => part[..at].ends_with(' ') && part[next..].starts_with(' '),
            '.' => {
                part[next..].starts_with(' ')
                    && part[..at].chars().rev().take_while(|c| c.is_alphabetic()).count() > 3
            }
            '!' => true,
            _ => false,
        };
        if ends {
            bounds.push((body.start + at, body.start + next));
        }
    }
    let from = hits.partition_point(|h| h.start < body.start);
    for hit in
        hits[from..].iter().take_while(|h| h.start < body.end).filter(|h| h.class == const { known("join") })
    {
        // The conjunction itself is left out of both clauses.
        let word = text[hit.start..hit.end].find(' ').map_or(hit.end, |n| hit.start + n + 1);
        let word = if text[hit.start..].chars().next().is_some_and(is_unspaced) { hit.end } else { word };
        bounds.push((hit.start, word));
    }
    bounds.sort_unstable();
    let mut out = Vec::new();
    let mut start = body.start;
    for (end, next) in bounds {
        if end >= start {
            push(text, start..end, &mut out);
            start = next;
        }
    }
    push(text, start.min(body.end)..body.end, &mut out);
    out
}

/// "March 3, 2026" and "1,5" stay whole.
fn in_date(part: &str, comma: usize) -> bool {
    let digit = |c: Option<char>| c.is_some_and(|c| c.is_ascii_digit());
    let after = part[comma + 1..].trim_start();
    digit(part[..comma].chars().next_back())
        && after.len() >= 4
        && after.as_bytes()[..4].iter().all(u8::is_ascii_digit)
}

fn push(text: &str, range: Range<usize>, out: &mut Vec<Range<usize>>) {
    const EDGE: [char; 14] = [' ', ',', ';', ':', '.', '!', '?', '"', '。', '、', '！', '？', '-', '–'];
    let part = &text[range.clone()];
    let head = part.len() - part.trim_start_matches(EDGE).len();
    let tail = part.trim_end_matches(EDGE).len();
    if head < tail {
        out.push(range.start + head..range.start + tail);
    }
}

/// Tokens of a range: words, and single characters of scripts without spaces.
pub(crate) fn tokens(text: &str) -> usize {
    let mut count = 0;
    let mut inside = false;
    for c in text.chars() {
        if is_unspaced(c) {
            count += usize::from(c.is_alphanumeric());
            inside = false;
        } else if c.is_alphanumeric() {
            count += usize::from(!inside);
            inside = true;
        } else {
            inside = false;
        }
    }
    count
}

#[cfg(test)]
mod tests {
    use super::super::lexicon::LEXICONS;
    use super::*;

    fn parts(text: &str) -> Vec<String> {
        let folded = Folded::new(text);
        let hits = LEXICONS.by_language[0].scan(&folded.text);
        let sentences = read(text, &folded, &hits);
        sentences.iter().flat_map(|s| s.clauses.iter().map(|c| folded.text[c.clone()].to_owned())).collect()
    }

    #[test]
    fn cuts_statements_and_keeps_values_whole() {
        assert_eq!(
            parts("We pay 14,000 on March 3, 2026, and the CFO signs."),
            ["we pay 14,000 on march 3, 2026", "the cfo signs"]
        );
        assert_eq!(parts("[Ann] Sure, I'll call."), ["sure", "i'll call"]);
        assert_eq!(parts("Next step: send it"), ["send it"]);
    }

    #[test]
    fn behind_the_time_of_a_turn_stands_who_speaks_until_its_line_ends() {
        let text = "[00:08] Ann Lee: We renew in March. My boss signs.\n[01:05-01:12] Speaker: Fine.\n\
                    [Bob] Sure. I'll call.\nNext step: send it";
        let folded = Folded::new(text);
        let hits = LEXICONS.by_language[0].scan(&folded.text);
        let speakers: Vec<Option<&str>> = read(text, &folded, &hits)
            .iter()
            .map(|s| s.speaker.clone().map(|name| &folded.text[name]))
            .collect();
        let (ann, bob) = (Some("ann lee"), Some("bob"));
        assert_eq!(speakers, [ann, ann, None, bob, bob, None]);
        assert_eq!(parts(text)[0], "we renew in march");
    }
}
