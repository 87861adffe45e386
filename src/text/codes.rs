//! One-time codes, and numbers that are codes by what the sentence says: "Use code 482913 to sign in".
//!
//! A number alone is never a code: a label, or the word for a code or for typing it in together with signing in, must
//! stand in the same sentence. Dates, amounts, phone numbers, postcodes and numbers of orders are none.

use std::cell::OnceCell;
use std::ops::{Range, RangeInclusive};
use std::sync::LazyLock;

use super::code_words::{DISCOUNTS, LINKS, MONTHS, NUMBERED, OTHER, OTHER_WIDE, SIGNING_IN, UNITS};
use super::finder::Finder;
use super::secrets::within;

/// Digits a code has.
const DIGITS: RangeInclusive<usize> = 4..=8;
/// Bytes between a word and its code at most.
const NEAR: usize = 60;
/// The same behind a verb.
const ENTERED_NEAR: usize = 20;

/// The code a label gives: the first word with so many letters and digits close behind it, else a number close before.
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
    let beside = number_after(text, word.end, NEAR).filter(|code| is_near(text, word.end..code.start));
    let code =
        beside.or_else(|| number_before(text, word.start).filter(|n| is_near(text, n.end..word.start)))?;
    topics.speak(text, &sentence, SIGN_IN).then_some(code)
}

/// The number right behind "enter" and its like in a sentence about signing in.
pub(super) fn entered(text: &str, verb: &Range<usize>, topics: &Topics) -> Option<Range<usize>> {
    let code = number_after(text, verb.end, ENTERED_NEAR)?;
    let between = text[verb.end..code.start].trim_matches([' ', ':', '"', '„', '“', '«', '*']);
    let close = between.is_empty() || ["the", "sie", "den", "o", "a", "el", "le"].contains(&between);
    (close && topics.speak(text, &sentence(text, verb), SIGN_IN)).then_some(code)
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
        let mut stop = start + len;
        let digits = |part: &str| part.bytes().filter(u8::is_ascii_digit).count();
        // Codes are often written in two groups.
        if digits(&near[start..stop]) == len && len == 3 && is_second_group(&near[stop..]) {
            stop += 4;
        }
        let word = &near[start..stop];
        let range = end + start..end + stop;
        let counts = count.contains(&word.chars().filter(|c| c.is_ascii_alphanumeric()).count());
        if digits(word) >= 2 && counts && !is_date(word) && stands_alone(text, &range) {
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
    let start = near[..end]
        .rfind(|c: char| !c.is_ascii_digit())
        .map_or(0, |at| at + near[at..].chars().next().map_or(1, char::len_utf8));
    let head = near[..start].trim_end_matches([' ', '-']);
    let group = head.len().saturating_sub(3);
    let grouped = end - start == 3
        && start - head.len() == 1
        && near.get(group..head.len()).is_some_and(|g| g.bytes().all(|b| b.is_ascii_digit()))
        && !near[..group].ends_with(|c: char| c.is_alphanumeric());
    let start = if grouped { group } else { start };
    let range = line + start..line + end;
    (is_code(&near[start..end]) && stands_alone(text, &range)).then_some(range)
}

/// The number that begins at `start`, with the second group of three where there is one.
fn number_at(text: &str, start: usize) -> Range<usize> {
    let rest = &text[start..];
    let len = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    start..start + if len == 3 && is_second_group(&rest[len..]) { len + 4 } else { len }
}

/// Whether three digits and no more follow behind a space or a dash.
fn is_second_group(rest: &str) -> bool {
    let bytes = rest.as_bytes();
    matches!(bytes.first(), Some(b' ' | b'-'))
        && bytes.len() >= 4
        && bytes[1..4].iter().all(u8::is_ascii_digit)
        && bytes.get(4).is_none_or(|b| !b.is_ascii_alphanumeric())
}

fn is_code(number: &str) -> bool {
    DIGITS.contains(&number.bytes().filter(u8::is_ascii_digit).count())
}

/// Whether a number is neither a part of a longer one, nor an amount, a date, a phone number or the number of something.
fn stands_alone(text: &str, number: &Range<usize>) -> bool {
    let line = text[..number.start].rfind('\n').map_or(0, |at| at + 1);
    let before = &text[text.ceil_char_boundary(number.start.saturating_sub(40)).max(line)..number.start];
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
    list(UNITS).any(|unit| word == unit || unit.len() >= 5 && word.starts_with(unit))
}

/// Whether a word is a date in figures.
fn is_date(word: &str) -> bool {
    let parts: Vec<usize> = word.split('-').map(str::len).collect();
    matches!(parts.as_slice(), [4, 1..=2, 1..=2] | [1..=2, 1..=2, 4])
}

/// Whether the words before a number say that it counts or numbers something else.
fn is_number_of(before: &str) -> bool {
    let lower = before.to_lowercase();
    let mut words = lower.split(|c: char| !c.is_alphanumeric()).rev().filter(|word| !word.is_empty());
    let last = words.next().unwrap_or_default();
    list(NUMBERED).any(|word| word == last)
        || list(MONTHS).any(|month| last.starts_with(month) && last.len() < 11)
}

/// Whether only a colon, "is" or nothing stands between a label and its code.
fn is_link(between: &str) -> bool {
    let lower = between.to_lowercase();
    let words = lower
        .split(|c: char| c.is_whitespace() || matches!(c, ':' | '=' | '：' | '"' | '„' | '“' | '*' | '-'));
    words.filter(|word| !word.is_empty()).all(|word| list(LINKS).any(|link| link == word))
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
    list(OTHER).any(|other| other == before)
        || next.next().is_some_and(|word| list(OTHER).any(|other| other == word))
        || list(OTHER_WIDE).any(|wide| lower.ends_with(wide))
}

/// Signing in, and discounts.
const SIGN_IN: usize = 0;
const DISCOUNT: usize = 1;

static TOPICS: LazyLock<Finder> = LazyLock::new(|| {
    let words = [(SIGNING_IN, SIGN_IN), (DISCOUNTS, DISCOUNT)];
    Finder::new(words.into_iter().flat_map(|(words, topic)| list(words).map(move |word| (word, topic))))
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

/// The words of a list.
fn list(words: &'static str) -> impl Iterator<Item = &'static str> {
    words.split('|')
}
