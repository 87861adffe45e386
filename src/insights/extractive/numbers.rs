//! Numbers of a folded text: digits with separators and a scale such as `k`, Japanese `万`, and number words.
//!
//! What a number counts (days, money, people) is decided by whoever reads its neighbours.

use super::lexicon::{Hit, known};

/// A number and its place.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Number {
    pub start: usize,
    pub end: usize,
    /// The value in hundredths, so that equality is exact.
    pub hundredths: i64,
    /// Written with `k`, `m` or `万`.
    pub scaled: bool,
    /// Written in digits, without separators.
    pub plain: bool,
}

impl Number {
    /// The value where it is a whole number.
    pub(crate) fn whole(&self) -> Option<i64> {
        (self.hundredths % 100 == 0).then_some(self.hundredths / 100)
    }
}

/// Numbers within `start..end`, in order: digits, and the number words among the hits.
pub(crate) fn find(text: &str, start: usize, end: usize, hits: &[Hit]) -> Vec<Number> {
    let mut out = Vec::new();
    let bytes = text.as_bytes();
    let mut at = start;
    while at < end {
        if bytes[at].is_ascii_digit() {
            let number = read(text, at, end);
            at = number.end;
            out.push(number);
        } else {
            at += 1;
        }
    }
    let words = const { known("n1") }..=const { known("n12") };
    for hit in hits.iter().filter(|h| words.contains(&h.class) && h.start >= start && h.end <= end) {
        let value = match hit.class - const { known("n1") } {
            n @ 0..=9 => i64::from(n) + 1,
            _ => 12,
        };
        out.push(Number {
            start: hit.start,
            end: hit.end,
            hundredths: value * 100,
            scaled: false,
            plain: false,
        });
    }
    out.sort_by_key(|n| n.start);
    out
}

/// The number that begins at `at`.
fn read(text: &str, at: usize, limit: usize) -> Number {
    let bytes = text.as_bytes();
    let digit = |n: usize| n < limit && bytes[n].is_ascii_digit();
    let run = |mut n: usize| {
        while digit(n) {
            n += 1;
        }
        n
    };
    let mut end = run(at);
    let mut whole = parse(&text[at..end]);
    let mut cents = 0;
    let mut plain = true;
    // Groups of three behind a separator belong to the number, one or two digits are decimals.
    while end < limit && matches!(bytes[end], b'.' | b',' | b' ' | b'\'') && digit(end + 1) {
        let next = run(end + 1);
        match next - end - 1 {
            3 if end - at <= 3 || !plain => {
                whole = whole.saturating_mul(1000).saturating_add(parse(&text[end + 1..next]));
                plain = false;
                end = next;
            }
            width @ 1..=2 if matches!(bytes[end], b'.' | b',') && !(next < limit && bytes[next] == b'.') => {
                cents = parse(&text[end + 1..next]) * if width == 1 { 10 } else { 1 };
                plain = false;
                end = next;
                break;
            }
            _ => break,
        }
    }
    let (factor, scale_end) = scale(text, end, limit);
    let hundredths = whole.saturating_mul(100).saturating_add(cents).saturating_mul(factor);
    Number { start: at, end: scale_end, hundredths, scaled: factor > 1, plain: plain && factor == 1 }
}

fn parse(digits: &str) -> i64 {
    digits.parse().unwrap_or(i64::MAX / 1_000_000)
}

/// The factor written behind a number and where it ends.
fn scale(text: &str, end: usize, limit: usize) -> (i64, usize) {
    let rest = &text[end..limit];
    for (word, factor) in [
        ("万", 10_000),
        ("千", 1_000),
        ("億", 100_000_000),
        (" million", 1_000_000),
        (" mio", 1_000_000),
        ("t€", 1_000),
        (" t€", 1_000),
        (" tsd", 1_000),
        (" tausend", 1_000),
        (" thousand", 1_000),
        (" mil", 1_000),
        ("k", 1_000),
        (" k", 1_000),
        ("m", 1_000_000),
    ] {
        if let Some(after) = rest.strip_prefix(word) {
            let edge = !after.chars().next().is_some_and(|c| c.is_ascii_alphanumeric());
            if edge || !word.is_ascii() {
                return (factor, end + word.len());
            }
        }
    }
    (1, end)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_separators_and_scales() {
        let values =
            |text: &str| find(text, 0, text.len(), &[]).iter().map(|n| n.hundredths).collect::<Vec<_>>();
        assert_eq!(values("14 000 or 14.000 or 14,000"), [1_400_000; 3]);
        assert_eq!(values("4.20 and 4,2 and 9k"), [420, 420, 900_000]);
        assert_eq!(values("3万円と15名"), [3_000_000, 1_500]);
        assert_eq!(values("31.12.2026"), [3_100, 1_200, 202_600]);
        assert_eq!(values("1.234.567,89"), [123_456_789]);
        assert_eq!(values("2026-03-01"), [202_600, 300, 100]);
    }
}
