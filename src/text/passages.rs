//! Cuts new text into passages: whole up to 400 words, else by paragraph and sentence into 200 to 300 words.
//!
//! It adds no context of its own (kind, people, company): those are fields beside the passage. Where a long text is cut
//! depends on the words at the cut, so that a changed paragraph changes the passages around it and no others.

use std::ops::Range;

use super::body::{Body, BodyKind, Passage, Span, SpanClass, Spoken};
use super::language;
use super::secrets::{self, Secret};
use super::sentences::sentences;
use super::transcript::{self, Turn};

/// New text up to this many words is one passage.
const WHOLE: usize = 400;
/// Words a passage of a longer text aims at.
const TARGET: usize = 250;
/// Words a passage of a longer text has at least, but for the last one.
const LEAST: usize = 200;
/// Words no passage of a longer text goes over, except a single unit without any bound inside.
const MOST: usize = 300;
/// Words of one speaker's turn that stay together: ten minutes and more without a break.
const MOST_TURN: usize = 2_000;
/// Words that two last passages may differ by, so that there is a choice of bounds.
const SLACK: usize = 40;
/// Words above and below an anchor in which no other unit has a smaller key.
const AROUND: usize = 500;

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
    let turns = if body.kind == BodyKind::Transcript { transcript::turns(text) } else { Vec::new() };
    let units = units(&turns, text, &ranges);
    group(text, &units)
        .into_iter()
        .map(|ranges| {
            let masked = render(text, &ranges, if body.mask_secrets { secrets } else { &[] });
            let spoken = spoken(&turns, &ranges);
            let language = language::detect_or(&masked, body.language_hint);
            Passage { language, text: masked, ranges, spoken }
        })
        .collect()
}

/// Times and speakers of the turns in some ranges; `None` where nobody speaks in them.
fn spoken(turns: &[Turn], ranges: &[Range<usize>]) -> Option<Spoken> {
    let (start, end) = (ranges.first()?.start, ranges.last()?.end);
    let from = turns.partition_point(|turn| turn.range.end <= start);
    let to = turns.partition_point(|turn| turn.range.start < end);
    let inside = turns.get(from..to)?;
    let mut speakers: Vec<String> = Vec::new();
    for name in inside.iter().filter_map(|turn| turn.speaker.as_ref()) {
        if !speakers.contains(name) {
            speakers.push(name.clone());
        }
    }
    let start_s = inside.iter().find_map(|turn| turn.start_s);
    let told = inside.last().filter(|turn| turn.end_s.is_some());
    let told = told.and_then(|_| inside.iter().filter_map(|turn| turn.end_s).max());
    let behind = turns.get(to).and_then(|turn| turn.start_s);
    let end_s = told.or(behind).or_else(|| inside.iter().rev().find_map(|turn| turn.start_s));
    (!speakers.is_empty() || start_s.is_some()).then_some(Spoken { start_s, end_s, speakers })
}

/// The smallest pieces that stay together: turns of a transcript, else paragraphs, cut at sentences where too long.
fn units(turns: &[Turn], text: &str, ranges: &[Range<usize>]) -> Vec<Range<usize>> {
    let total: usize = ranges.iter().map(|r| count(&text[r.clone()])).sum();
    if total <= WHOLE {
        return ranges.to_vec();
    }
    let mut out = Vec::new();
    for range in ranges {
        if is_turn(turns, text, range) {
            out.push(range.clone());
            continue;
        }
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

/// Whether a range is the turn of a speaker: it is not cut.
fn is_turn(turns: &[Turn], text: &str, range: &Range<usize>) -> bool {
    let at = turns.partition_point(|turn| turn.range.end <= range.start);
    let told = turns.get(at).is_some_and(|turn| turn.speaker.is_some() || turn.start_s.is_some());
    told && count(&text[range.clone()]) <= MOST_TURN
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
    let keys: Vec<u64> = units.iter().map(|unit| hash(&text[unit.clone()])).collect();
    let mut out: Vec<Vec<Range<usize>>> = Vec::new();
    let mut start = 0;
    for end in anchors(&sizes, &keys).into_iter().chain([units.len()]) {
        let mut left = sizes[start..end].iter().sum::<usize>();
        while left > MOST && start < end {
            let to = cut(&sizes[start..end], &keys[start..end], left) + start;
            left -= sizes[start..to].iter().sum::<usize>();
            out.push(merge(text, &units[start..to]));
            start = to;
        }
        if start < end {
            out.push(merge(text, &units[start..end]));
        }
        start = end;
    }
    out
}

/// Units a passage begins with whatever stands above: each has the smallest key of all around it. What changes between two
/// of them changes no passage beyond.
fn anchors(sizes: &[usize], keys: &[u64]) -> Vec<usize> {
    // How far above the next unit with a smaller key is, in words; the text's ends count as one.
    let reach = |order: &mut dyn Iterator<Item = usize>| {
        let (mut at, mut smaller) = (0, vec![(0, 0)]);
        let mut far = vec![0; sizes.len()];
        for n in order {
            while smaller.last().is_some_and(|(key, _)| *key > keys[n]) {
                smaller.pop();
            }
            far[n] = at - smaller.last().map_or(0, |(_, end)| *end);
            at += sizes[n];
            smaller.push((keys[n], at));
        }
        far
    };
    let above = reach(&mut (0..sizes.len()));
    let below = reach(&mut (0..sizes.len()).rev());
    let is_anchor = |n: &usize| above[*n] >= AROUND && below[*n] >= AROUND;
    (0..sizes.len()).filter(is_anchor).collect()
}

/// How many of the next units are the next passage: of the bounds that leave it and the rest long enough the one with the
/// smallest key, so that texts that differ above soon agree again.
fn cut(sizes: &[usize], keys: &[u64], left: usize) -> usize {
    let low = LEAST.min((left / 2).saturating_sub(SLACK));
    let high = if left <= MOST * 2 { MOST.min(left - low) } else { MOST };
    let (mut words, mut found, mut last) = (0, None, 1);
    for (n, size) in sizes.iter().enumerate() {
        if n > 0 && words > MOST {
            break;
        }
        last = n.max(1);
        let better = found.is_none_or(|(least, _)| keys[n] < least);
        if n > 0 && (low..=high).contains(&words) && better {
            found = Some((keys[n], n));
        }
        words += size;
    }
    found.map_or(last, |(_, n)| n)
}

/// FNV-1a.
fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
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

    fn paragraphs(from: usize, to: usize) -> Vec<String> {
        let words = |n: usize| format!("Paragraph {n} tells of the pump {}. ", n * 7919 % 104_729);
        (from..to).map(|n| words(n).repeat(5 + n % 4).trim().to_owned()).collect()
    }

    fn texts(paragraphs: &[String]) -> Vec<String> {
        let note = paragraphs.join("\n\n");
        let got = normalize(&Body::new(BodyKind::Note).with_plain(&note)).passages;
        got.into_iter().map(|passage| passage.text).collect()
    }

    #[test]
    fn a_changed_added_or_lost_paragraph_changes_the_passages_around_it() {
        let all = paragraphs(0, 120);
        let before = texts(&all);
        assert!(before.len() > 15, "{}", before.len());
        let (mut total, mut mails) = (0, 0);
        for at in (0..120).step_by(7) {
            let mut changed = all.clone();
            changed[at].push_str(" And one word more.");
            let mut added = all.clone();
            added.splice(at..at, paragraphs(900, 902));
            let mut lost = all.clone();
            lost.remove(at);
            for (what, mail) in [("changed", changed), ("added", added), ("lost", lost)] {
                let written = texts(&mail).into_iter().filter(|text| !before.contains(text)).count();
                assert!((1..=8).contains(&written), "{what} {at}: {written} of {}", before.len());
                total += written;
                mails += 1;
            }
        }
        assert!(total <= mails * 3, "{total} passages of {mails} mails");
    }

    #[test]
    fn no_turn_of_a_speaker_is_cut_and_passages_say_when_and_who() {
        let long = "we looked at the pump again and it still leaks ".repeat(70);
        let short = "that is what I heard too and we want it fixed soon ".repeat(12);
        let lines: Vec<String> = (0..12)
            .map(|n| {
                format!(
                    "[{:02}:00] {}: {}",
                    n,
                    ["Ann Lee", "Bob"][n % 2],
                    if n == 5 { &long } else { &short }
                )
            })
            .collect();
        let transcript = lines.join("\n");
        let got = normalize(&Body::new(BodyKind::Transcript).with_plain(&transcript)).passages;
        assert!(got.len() > 4, "{}", got.len());
        let mut at = 0;
        for passage in &got {
            let spoken = passage.spoken.as_ref().unwrap();
            assert!(
                passage.text.lines().all(|line| lines.iter().any(|turn| turn.trim() == line.trim())),
                "cut inside"
            );
            let turns = passage.text.lines().count();
            assert_eq!(spoken.start_s, Some(at as u32 * 60));
            at += turns;
            assert_eq!(spoken.end_s, Some(at.min(11) as u32 * 60));
            assert_eq!(spoken.speakers.len(), turns.min(2));
        }
        assert_eq!(at, 12);
    }
}
