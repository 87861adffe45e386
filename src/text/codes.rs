//! One-time codes, and numbers that are codes by what the sentence says: "Use code 482913 to sign in".
//!
//! A number alone is never a code: a label, or the word for a code or for typing it in together with signing in, must
//! stand in the same sentence. Dates, amounts, phone numbers, postcodes and numbers of orders are none.

use std::cell::OnceCell;
use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

use super::code_words::{
    BEHIND_CODE, DISCOUNTS, LINKS, MONTHS, NUMBERED, OTHER, OTHER_WIDE, SIGNED_IN, SIGNING_IN, UNITS, VERBS,
};
use super::finder::Finder;
use super::secrets::within;

/// Digits a code has.
const DIGITS: RangeInclusive<usize> = 4..=8;
/// Bytes between a word and its code at most.
const NEAR: usize = 60;
/// The same behind a verb.
const ENTERED_NEAR: usize = 20;
/// Bytes above and below a code alone on its line that are looked at.
const AROUND: usize = 160;

/// The code a label gives: digits in groups right behind it, the first word with so many letters and digits close behind
/// it, else a number close before.
pub(super) fn labelled(text: &str, label: &Range<usize>) -> Option<Range<usize>> {
    word_after(text, label.end, &(4..=10)).or_else(|| number_before(text, label.start))
}

/// The code behind "my code": right behind it, or before it with "is" between.
pub(super) fn owned(text: &str, label: &Range<usize>) -> Option<Range<usize>> {
    let after = number_after(text, label.end, NEAR);
    let after = after.filter(|code| is_link(&text[label.end..code.start]));
    let before = || number_before(text, label.start).filter(|code| is_link(&text[code.end..label.start]));
    after.or_else(before)
}

/// The code beside a bare "code" in a sentence about signing in.
pub(super) fn bare(text: &str, word: &Range<usize>, topics: &Topics) -> Option<Range<usize>> {
    let sentence = sentence(text, word);
    if topics.speak(text, &sentence, DISCOUNT) || is_other_code(text, word) {
        return None;
    }
    if let Some(code) = alone(text, word, topics) {
        return Some(code);
    }
    let beside = number_after(text, word.end, NEAR).filter(|code| is_near(text, word.end..code.start));
    let code =
        beside.or_else(|| number_before(text, word.start).filter(|n| is_near(text, n.end..word.start)))?;
    let dated =
        is_date(&text[code.clone()]) && (code.start < word.end || !is_link(&text[word.end..code.start]));
    (!dated && topics.speak(text, &sentence, SIGN_IN)).then_some(code)
}

/// The number right behind "enter" and its like in a sentence about signing in.
pub(super) fn entered(text: &str, verb: &Range<usize>, topics: &Topics) -> Option<Range<usize>> {
    let code = number_after(text, verb.end, ENTERED_NEAR)?;
    let between = text[verb.end..code.start].trim_matches([' ', ':', '"', '„', '“', '«', '*']);
    let close = between.is_empty() || ["the", "sie", "den", "o", "a", "el", "le"].contains(&between);
    (close && topics.speak(text, &sentence(text, verb), SIGN_IN)).then_some(code)
}

/// The number behind "log in with", where nothing follows that it could count.
pub(super) fn signed_in_with(text: &str, with: &Range<usize>) -> Option<Range<usize>> {
    let from = text.ceil_char_boundary(with.start.saturating_sub(24));
    let before = text[from..with.start].trim_end().to_lowercase();
    if !VERBS.iter().any(|verb| before.ends_with(verb)) {
        return None;
    }
    let code = number_after(text, with.end, ENTERED_NEAR)?;
    let behind = within(text, code.end, 24).trim_start_matches(' ');
    let next = behind.split(|c: char| !c.is_alphanumeric()).next().unwrap_or_default().to_lowercase();
    let ends = next.is_empty() || BEHIND_CODE.contains(next.as_str());
    let close = text[with.end..code.start].trim_matches([' ', ':', '"', '„', '“', '«', '*']).is_empty();
    (ends && close).then_some(code)
}

/// The code of "Code: 482913" where the line says nothing else and no list of labels and values stands around it.
fn alone(text: &str, word: &Range<usize>, topics: &Topics) -> Option<Range<usize>> {
    let around = text.ceil_char_boundary(word.start.saturating_sub(AROUND));
    let from = text[around..word.start].rfind('\n').map_or(around, |at| around + at + 1);
    let begins = from == 0 || text[..from].ends_with('\n');
    if !begins || !text[from..word.start].trim_matches([' ', '\t', '>', '*', '•', '-', '"']).is_empty() {
        return None;
    }
    let code = number_after(text, word.end, NEAR)?;
    let between = &text[word.end..code.start];
    let tail = within(text, code.end, 80).split('\n').next().unwrap_or_default();
    let marked = between.trim_start_matches([' ', '*']).starts_with([':', '：', '=']);
    let rest = within(text, code.end, AROUND);
    let only = from <= AROUND
        && text[..from].trim().is_empty()
        && code.end + rest.len() == text.len()
        && rest.trim_matches(['.', '*', '\n', ' ']).is_empty();
    let linked = is_link(between) && !between.trim().is_empty();
    if !is_link(between)
        || !tail.trim_matches([' ', '.', '!', '*', '\r', '"']).is_empty()
        || !(marked || only || linked)
        || topics.speak(text, &(around..code.end + tail.len()), DISCOUNT)
    {
        return None;
    }
    let above = text[around..from].lines().rev().find(|line| !line.trim().is_empty());
    let below = within(text, code.end + tail.len(), AROUND).lines().find(|line| !line.trim().is_empty());
    (!above.is_some_and(is_entry) && !below.is_some_and(is_entry)).then_some(code)
}

/// Whether a line is a label with its value, as lists of products and orders have them. What says who signs in is none.
fn is_entry(line: &str) -> bool {
    let Some((label, value)) = line.split_once([':', '：']) else { return false };
    let words = label.split_whitespace().count();
    let lower = label.to_lowercase();
    let signs_in = SIGNED_IN.iter().any(|word| lower.contains(word));
    (1..=3).contains(&words)
        && !value.trim().is_empty()
        && !value.trim_start().starts_with("//")
        && !value.contains("://")
        && !signs_in
}

/// The number a verb stands right behind: "482913 eingeben", "482913を入力".
pub(super) fn entered_before(text: &str, verb: &Range<usize>, topics: &Topics) -> Option<Range<usize>> {
    let code = number_before(text, verb.start)?;
    let between = text[code.end..verb.start].trim_matches([' ', '"', '“', '”', '」', '』']);
    let close = between.is_empty() || between == "を" || between == "と" || between == "ein";
    (close && topics.speak(text, &sentence(text, verb), SIGN_IN)).then_some(code)
}

/// The number of a label such as "PIN", right behind it or with "is" between.
pub(super) fn pin(text: &str, label: &Range<usize>) -> Option<Range<usize>> {
    number_after(text, label.end, NEAR).filter(|code| is_link(&text[label.end..code.start]))
}

/// The first word with so many letters and digits, two digits at least, close behind a label.
pub(super) fn word_after(text: &str, end: usize, count: &RangeInclusive<usize>) -> Option<Range<usize>> {
    let near = within(text, end, 90);
    let mut at = 0;
    while let Some(first) = near[at..].find(|c: char| c.is_ascii_alphanumeric()) {
        let start = at + first;
        let len = near[start..]
            .find(|c: char| !(c.is_ascii_alphanumeric() || c == '-'))
            .unwrap_or(near.len() - start);
        let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
        let three = near[start..].bytes().take_while(u8::is_ascii_digit).count() == 3;
        let grouped = grouped(&near[start..], count).filter(|_| three || is_link(&near[..start]));
        let stop = start + grouped.unwrap_or(len);
        let word = &near[start..stop];
        let range = end + start..end + stop;
        let counts = count.contains(&word.chars().filter(|c| c.is_ascii_alphanumeric()).count());
        if digits(word) >= 2 && counts && (grouped.is_some() || !is_date(word)) && stands_alone(text, &range)
        {
            return Some(range);
        }
        at = stop;
    }
    None
}

/// The first number of a code's length close behind `from`.
fn number_after(text: &str, from: usize, most: usize) -> Option<Range<usize>> {
    let near = within(text, from, most);
    let mut at = 0;
    while let Some(first) = near[at..].find(|c: char| c.is_ascii_digit()) {
        let start = at + first;
        let number = number_at(near, start);
        at = number.end;
        let range = from + number.start..from + number.end;
        if is_code(&near[number]) && stands_alone(text, &range) {
            return Some(range);
        }
    }
    None
}

/// The last number of a code's length close before `to`, on the same line.
fn number_before(text: &str, to: usize) -> Option<Range<usize>> {
    let from = text.ceil_char_boundary(to.saturating_sub(NEAR));
    let line = text[from..to].rfind('\n').map_or(from, |at| from + at + 1);
    let near = &text[line..to];
    let end = near.rfind(|c: char| c.is_ascii_digit())? + 1;
    // Digits and the single spaces or dashes between them.
    let run = near.as_bytes()[..end].iter().rev().enumerate().take_while(|(n, b)| {
        b.is_ascii_digit() || matches!(b, b' ' | b'-') && near.as_bytes()[end - n].is_ascii_digit()
    });
    let run = end - run.count();
    let run = run + (near[run..].len() - near[run..].trim_start_matches([' ', '-']).len());
    let last = near[..end].rfind(|c: char| !c.is_ascii_digit());
    let last = last.map_or(0, |at| at + near[at..].chars().next().map_or(1, char::len_utf8));
    let start = if grouped(&near[run..end], &DIGITS) == Some(end - run) { run } else { last };
    let range = line + start..line + end;
    (is_code(&near[start..end]) && stands_alone(text, &range)).then_some(range)
}

/// The number that begins at `start`, with all its groups where it has several.
fn number_at(text: &str, start: usize) -> Range<usize> {
    let rest = &text[start..];
    let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    start..start + grouped(rest, &DIGITS).unwrap_or(len)
}

/// Bytes of a code in groups of one size, "482 913" or "4-8-2-9-1-3", if the text begins with one.
fn grouped(text: &str, digits: &RangeInclusive<usize>) -> Option<usize> {
    let bytes = text.as_bytes();
    let size = bytes.iter().take(5).take_while(|b| b.is_ascii_digit()).count();
    let mark = bytes.get(size).filter(|mark| (1..=4).contains(&size) && matches!(mark, b' ' | b'-'))?;
    let mut end = size;
    let mut groups = 1;
    while bytes.get(end) == Some(mark) {
        let next = bytes[end + 1..].iter().take(size + 1).take_while(|b| b.is_ascii_digit()).count();
        if next == 0 {
            break;
        }
        if next != size {
            return None;
        }
        end += 1 + size;
        groups += 1;
    }
    let ends = bytes.get(end).is_none_or(|b| !b.is_ascii_alphanumeric());
    (ends && groups >= 2 && digits.contains(&(groups * size))).then_some(end)
}

fn is_code(number: &str) -> bool {
    DIGITS.contains(&number.bytes().filter(u8::is_ascii_digit).count())
}

/// Whether a number is neither a part of a longer one, nor an amount, a date, a phone number or the number of something.
fn stands_alone(text: &str, number: &Range<usize>) -> bool {
    // The window first, then the line in it: a line may be as long as the text.
    let before = &text[text.ceil_char_boundary(number.start.saturating_sub(40))..number.start];
    let before = before.rsplit('\n').next().unwrap_or_default();
    let after = within(text, number.end, 24);
    let mut behind = after.chars();
    let (next, second) = (behind.next(), behind.next());
    let joined = matches!(next, Some('.' | ',' | '/' | '-' | ':' | '_' | '@'))
        && second.is_some_and(|c| c.is_ascii_alphanumeric())
        || next.is_some_and(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '%' | '€' | '$' | '£' | '円' | '年' | '月')
        });
    let mut ahead = before.chars().rev();
    let (last, third) = (ahead.next(), ahead.next());
    let tied = matches!(last, Some('.' | ',' | '/' | ':' | '_' | '-' | '+'))
        && third.is_some_and(|c| c.is_ascii_digit())
        || last.is_some_and(|c| {
            c.is_ascii_alphanumeric() || matches!(c, '+' | '#' | '€' | '$' | '£' | '¥' | '№' | '〒')
        });
    let phone = before.trim_end_matches([' ', '-', '(', ')', '/']).ends_with(|c: char| c.is_ascii_digit());
    let unit = after.trim_start().to_lowercase();
    let unit = unit.split(|c: char| !c.is_alphanumeric() && c != '%' && c != '€' && c != '$').next();
    !joined && !tied && !phone && !unit.is_some_and(is_unit) && !is_number_of(before)
}

/// Whether a word names what is counted; longer ones also with an ending.
fn is_unit(word: &str) -> bool {
    UNITS.iter().any(|unit| word == *unit || unit.len() >= 5 && word.starts_with(unit))
}

/// Whether a word is a date in figures.
fn is_date(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    matches!(parts.as_slice(), [4, 1..=2, 1..=2] | [1..=2, 1..=2, 2 | 4])
}

/// Whether the words before a number say that it counts or numbers something else.
fn is_number_of(before: &str) -> bool {
    let lower = before.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).rev().filter(|word| !word.is_empty());
    let last = words.next().unwrap_or_default();
    NUMBERED.contains(last) || last.len() < 11 && MONTHS.iter().any(|month| last.starts_with(month))
}

/// Whether only a colon, "is" or nothing stands between a label and its code.
fn is_link(between: &str) -> bool {
    let lower = between.to_lowercase();
    let words = lower
        .split(|c: char| c.is_whitespace() || matches!(c, ':' | '=' | '：' | '"' | '„' | '“' | '*' | '-'));
    words.filter(|word| !word.is_empty()).all(|word| LINKS.contains(word))
}

/// Whether a code stands close enough to its word: in the same sentence, without another number between.
fn is_near(text: &str, between: Range<usize>) -> bool {
    let part = &text[between];
    !part.contains(['.', '!', '?', '\n', '。', ';']) && !part.contains(|c: char| c.is_ascii_digit())
}

/// Whether "code" belongs to another sort of code: postcodes, error codes, discounts.
fn is_other_code(text: &str, word: &Range<usize>) -> bool {
    let from = text.ceil_char_boundary(word.start.saturating_sub(24));
    let lower = text[from..word.start].to_lowercase();
    let before =
        lower.split(|c: char| !c.is_alphanumeric()).rfind(|word| !word.is_empty()).unwrap_or_default();
    let behind = within(text, word.end, 24).to_lowercase();
    let behind = behind.trim_start_matches([' ', '-']);
    let mut next =
        behind.split(|c: char| !c.is_alphanumeric()).filter(|word| !matches!(*word, "" | "de" | "d"));
    OTHER.contains(before)
        || next.next().is_some_and(|word| OTHER.contains(word))
        || OTHER_WIDE.iter().any(|wide| lower.ends_with(wide))
}

/// Signing in, and discounts.
const SIGN_IN: usize = 0;
const DISCOUNT: usize = 1;

static TOPICS: LazyLock<Finder> = LazyLock::new(|| {
    let words = [(SIGNING_IN, SIGN_IN), (DISCOUNTS, DISCOUNT)];
    Finder::new(words.into_iter().flat_map(|(words, topic)| words.split('|').map(move |word| (word, topic))))
});

/// Where a text speaks of signing in and of discounts; looked for once, and only where a number may be a code.
#[derive(Debug, Default)]
pub(super) struct Topics(OnceCell<Vec<(usize, usize)>>);

impl Topics {
    fn speak(&self, text: &str, part: &Range<usize>, topic: usize) -> bool {
        let all = self.0.get_or_init(|| {
            let mut found = Vec::new();
            TOPICS.each(text, |topic, at, _| found.push((at, topic)));
            found
        });
        let from = all.partition_point(|(at, _)| *at < part.start);
        all[from..].iter().take_while(|(at, _)| *at < part.end).any(|(_, one)| *one == topic)
    }
}

/// The sentence around a place, at most 120 bytes to each side.
fn sentence(text: &str, place: &Range<usize>) -> Range<usize> {
    let from = text.ceil_char_boundary(place.start.saturating_sub(120));
    let ends = |c: char| matches!(c, '.' | '!' | '?' | '\n' | '。');
    let start = text[from..place.start]
        .rfind(ends)
        .map_or(from, |at| from + at + text[from + at..].chars().next().map_or(1, char::len_utf8));
    let behind = within(text, place.end, 120);
    let end = behind.find(ends).map_or(place.end + behind.len(), |at| place.end + at);
    start..end
}
