//! Cuts new text into passages: whole up to 400 words, else by paragraph and sentence into 200 to 300 words.
//!
//! It adds no context of its own (kind, people, company): those are fields beside the passage.

use std::ops::Range;

use super::body::{Body, BodyKind, Passage, Span, SpanClass};
use super::language;
use super::secrets::{self, Secret};
use super::sentences::sentences;

/// New text up to this many words is one passage.
const WHOLE: usize = 400;
/// Words a passage of a longer text aims at.
const TARGET: usize = 250;
/// Words no passage of a longer text goes over, except a single unit without any bound inside.
const MOST: usize = 300;

/// Passages of the new text; of the forwarded content, then of the quote, where there is no new text.
pub(super) fn build(body: &Body, text: &str, spans: &[Span], secrets: &[Secret]) -> Vec<Passage> {
    let pick = |keep: fn(SpanClass) -> bool| -> Vec<Range<usize>> {
        spans
            .iter()
            .filter(|s| keep(s.class))
            .map(|s| trim(text, s.range.clone()))
            .filter(|r| !r.is_empty())
            .collect()
    };
    let mut ranges = pick(SpanClass::is_new);
    let instead: [fn(SpanClass) -> bool; 3] =
        [|c| c == SpanClass::Forward, |c| c == SpanClass::Quote, |_| true];
    for keep in instead {
        if ranges.is_empty() {
            ranges = pick(keep);
        }
    }
    let units = units(body.kind, text, &ranges);
    group(text, &units)
        .into_iter()
        .map(|ranges| {
            let masked = render(text, &ranges, if body.mask_secrets { secrets } else { &[] });
            Passage { language: language::detect_or(&masked, body.language_hint), text: masked, ranges }
        })
        .collect()
}

/// The smallest pieces that stay together: turns of a transcript, else paragraphs, cut at sentences where too long.
fn units(kind: BodyKind, text: &str, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let total: usize = ranges.iter().map(|r| count(&text[r.clone()])).sum();
    if total <= WHOLE && kind != BodyKind::Transcript {
        return ranges.to_vec();
    }
    let mut out = Vec::new();
    for range in ranges {
        for paragraph in paragraphs(text, range.clone()) {
            if count(&text[paragraph.clone()]) <= MOST {
                out.push(paragraph);
                continue;
            }
            for s in sentences(&text[paragraph.clone()]) {
                chop(text, paragraph.start + s.start..paragraph.start + s.end, &mut out);
            }
        }
    }
    out
}

/// A sentence of too many words is cut between words.
fn chop(text: &str, range: Range<usize>, out: &mut Vec<Range<usize>>) {
    let mut start = range.start;
    let mut seen = 0.0;
    let mut last_space = None;
    for (at, c) in text[range.clone()].char_indices() {
        seen += weight(c, at == 0 || text[..range.start + at].ends_with(char::is_whitespace));
        if c.is_whitespace() {
            last_space = Some(range.start + at);
        }
        let here = range.start + at;
        if seen > TARGET as f32 && here > start {
            let cut = last_space.filter(|s| *s > start).unwrap_or(here);
            out.push(trim(text, start..cut));
            start = cut;
            seen = 0.0;
            last_space = None;
        }
    }
    let rest = trim(text, start..range.end);
    if !rest.is_empty() {
        out.push(rest);
    }
}

/// Units in order, grouped into passages.
fn group(text: &str, units: &[Range<usize>]) -> Vec<Vec<Range<usize>>> {
    let sizes: Vec<usize> = units.iter().map(|r| count(&text[r.clone()])).collect();
    let total: usize = sizes.iter().sum();
    if total <= WHOLE {
        return if units.is_empty() { Vec::new() } else { vec![merge(text, units)] };
    }
    let mut out: Vec<Vec<Range<usize>>> = Vec::new();
    let mut from = 0;
    let mut words = 0;
    let mut left = total;
    for (n, size) in sizes.iter().enumerate() {
        let full = words + size > MOST || words >= 200 && words + size > TARGET;
        if n > from && full && left > 60 {
            out.push(merge(text, &units[from..n]));
            from = n;
            words = 0;
        }
        words += size;
        left -= size;
    }
    out.push(merge(text, &units[from..]));
    out
}

/// Neighbouring ranges with only white space between them become one.
fn merge(text: &str, units: &[Range<usize>]) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for unit in units {
        match out.last_mut() {
            Some(last) if text[last.end..unit.start].trim().is_empty() => last.end = unit.end,
            _ => out.push(unit.clone()),
        }
    }
    out
}

fn render(text: &str, ranges: &[Range<usize>], secrets: &[Secret]) -> String {
    let mut out = String::new();
    for range in ranges {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&secrets::mask_range(text, range, secrets));
    }
    out
}

/// Paragraphs of a range: parted by blank lines; a paragraph that is too long is parted by line ends.
fn paragraphs(text: &str, range: Range<usize>) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut start = range.start;
    let mut at = range.start;
    let mut words = 0;
    for line in text[range.clone()].split_inclusive('\n') {
        let blank = line.trim().is_empty();
        if blank || words > 150 {
            push_trimmed(text, start..at, &mut out);
            start = if blank { at + line.len() } else { at };
            words = 0;
        }
        words += count(line);
        at += line.len();
    }
    push_trimmed(text, start..range.end, &mut out);
    out
}

fn push_trimmed(text: &str, range: Range<usize>, out: &mut Vec<Range<usize>>) {
    let range = trim(text, range);
    if !range.is_empty() {
        out.push(range);
    }
}

fn trim(text: &str, range: Range<usize>) -> Range<usize> {
    let part = &text[range.clone()];
    let start = range.start + (part.len() - part.trim_start().len());
    let end = start + part.trim().len();
    start..end
}

/// Words of a text; two characters of a script without spaces count as one word.
pub(super) fn count(text: &str) -> usize {
    if text.is_ascii() {
        return text.split_ascii_whitespace().count();
    }
    let mut sum = 0.0;
    let mut fresh = true;
    for c in text.chars() {
        sum += weight(c, fresh);
        fresh = c.is_whitespace();
    }
    sum as usize
}

fn weight(c: char, fresh: bool) -> f32 {
    match c {
        '\u{e00}'..='\u{eff}' => 0.2,
        '\u{3040}'..='\u{30ff}' | '\u{3400}'..='\u{9fff}' => 0.5,
        c if fresh && !c.is_whitespace() => 1.0,
        _ => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use crate::text::{Body, BodyKind, normalize};

    #[test]
    fn a_long_note_is_fully_covered() {
        let note = "The customer asked for a new price. We agreed on nothing yet. ".repeat(1057);
        let got = normalize(&Body::new(BodyKind::Note).with_plain(&note));
        assert!(got.passages.len() > 30);
        let words: usize = got.passages.iter().map(|p| p.text.split_whitespace().count()).sum();
        assert_eq!(words, note.split_whitespace().count());
        assert!(got.passages.iter().all(|p| p.text.split_whitespace().count() <= 300));
    }
}
