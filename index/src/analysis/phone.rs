//! Phone numbers: where one is written, and what it is looked up as.
//!
//! Country code, trunk zero and the marks between groups differ from writer to
//! writer; the last digits do not. A document keeps its numbers by their last
//! nine, eight and seven digits, and a query asks for as many as it knows for
//! certain to belong to the number itself.

use std::ops::RangeInclusive;

/// Digits a number has, country code included.
const DIGITS: RangeInclusive<usize> = 7..=15;

/// Digits from which a number that is followed by more digits is also taken to end there.
const WHOLE: usize = 10;

/// Bytes that are looked at, and groups of digits in them.
const MAX_BYTES: usize = 30;
const MAX_GROUPS: usize = 8;

/// Ends of numbers that begin at one place: each group of digits may be the last.
#[derive(Debug, Default, Clone, Copy)]
pub(crate) struct Ends {
    ends: [usize; MAX_GROUPS],
    count: usize,
}

impl Ends {
    fn push(&mut self, end: usize) {
        if let Some(slot) = self.ends.get_mut(self.count) {
            *slot = end;
            self.count += 1;
        }
    }

    /// In order; the last one is the longest number.
    pub(crate) fn all(&self) -> &[usize] {
        &self.ends[..self.count]
    }
}

/// The digits read so far, in groups.
#[derive(Debug, Default)]
struct Groups {
    lengths: [u8; MAX_GROUPS],
    count: usize,
    digits: usize,
}

impl Groups {
    /// Whether this is written like a number, given the byte it begins with.
    fn is_likely(&self, first: u8) -> bool {
        let lengths = &self.lengths[..self.count];
        DIGITS.contains(&self.digits)
            && match first {
                b'+' | b'(' => true,
                b'0' => self.digits >= 8,
                _ => {
                    (self.count == 1 && self.digits >= 9)
                        || matches!(lengths, [3, 3, 4] | [1, 3, 3, 4] | [3, 4] | [2, 2, 2, 2])
                }
            }
    }
}

/// The ends of the number starting here; none if it is not written like one.
pub(crate) fn ends(text: &str, start: usize) -> Ends {
    let bytes = text.as_bytes();
    let first = bytes[start];
    let mut groups = Groups::default();
    // A digit at the start opens the first group, as a mark before one does.
    let (mut ends, mut gap) = (Ends::default(), usize::from(first.is_ascii_digit()));
    for (at, &byte) in bytes.iter().enumerate().skip(start).take(MAX_BYTES) {
        if byte.is_ascii_digit() {
            if gap > 0 {
                // A number may end before every gap.
                if groups.digits >= WHOLE && groups.is_likely(first) {
                    ends.push(end_of_digits(bytes, start, groups.digits));
                }
                if groups.count == MAX_GROUPS {
                    break;
                }
                groups.count += 1;
                gap = 0;
            }
            groups.lengths[groups.count - 1] += 1;
            groups.digits += 1;
        } else if matches!(byte, b' ' | b'-' | b'.' | b'/' | b'(' | b')') || (byte == b'+' && at == start) {
            gap += 1;
            if gap > 2 {
                break;
            }
        } else {
            break;
        }
    }
    let end = end_of_digits(bytes, start, groups.digits);
    if groups.is_likely(first) && !is_followed(text, end) {
        ends.push(end);
    }
    ends
}

/// The end of so many digits.
fn end_of_digits(bytes: &[u8], start: usize, digits: usize) -> usize {
    let places = bytes.iter().enumerate().skip(start).filter(|(_, byte)| byte.is_ascii_digit());
    places.take(digits).last().map_or(start, |(at, _)| at + 1)
}

/// Whether letters or digits follow at once, an extension such as `x12` aside.
fn is_followed(text: &str, end: usize) -> bool {
    let mut rest = text[end..].chars();
    match rest.next() {
        Some('x' | 'X') => !rest.next().is_some_and(|c| c.is_ascii_digit()),
        Some(c) => c.is_alphanumeric(),
        None => false,
    }
}

/// The term of a number's last digits.
pub(crate) fn tail(raw: &str, last: usize, out: &mut String) {
    let digits = digits_of(raw).count();
    out.push('#');
    out.extend(digits_of(raw).skip(digits.saturating_sub(last)));
}

/// Digits in a number.
pub(crate) fn count(raw: &str) -> usize {
    digits_of(raw).count()
}

fn digits_of(raw: &str) -> impl Iterator<Item = char> {
    raw.bytes().filter(u8::is_ascii_digit).map(char::from)
}

/// The terms a number in a query is looked up as: its last digits, and the digits in one for
/// texts in which they do not look like a number.
pub(crate) fn looked_up_as(raw: &str) -> Vec<String> {
    let digits: String = digits_of(raw).collect();
    let abroad = raw.starts_with('+') || digits.starts_with("00");
    let number = digits.strip_prefix("00").unwrap_or(&digits);
    let mut out = Vec::new();
    let mut tail_of = |last: usize| {
        let mut term = String::new();
        tail(number, last, &mut term);
        out.push(term);
    };
    tail_of(9);
    // Denmark, Norway, Singapore and others have eight digits behind a code of two or three;
    // +1 and +7 have ten.
    let short = number.len() <= 10 || (number.len() == 11 && !number.starts_with(['1', '7']));
    if abroad && short {
        tail_of(8);
        out.extend(number.get(number.len().saturating_sub(8)..).map(str::to_owned));
    }
    out.push(digits);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn numbers(text: &str) -> Vec<&str> {
        ends(text, 0).all().iter().map(|end| &text[..*end]).collect()
    }

    #[test]
    fn a_number_ends_where_its_digits_do() {
        assert_eq!(numbers("(604) 555-0182 or"), ["(604) 555-0182"]);
        assert_eq!(numbers("604.555.0163x7"), ["604.555.0163"]);
        assert_eq!(numbers("+49 89 4111903 80331 M"), ["+49 89 4111903"]);
        assert_eq!(numbers("01 42 68 53 00 75001 P"), ["01 42 68 53 00", "01 42 68 53 00 75001"]);
        assert_eq!(numbers("2125550199 2026-03-04"), ["2125550199"]);
        assert_eq!(numbers("33 15 47 62"), ["33 15 47 62"]);
        for none in
            ["2026-11-24", "1.000.000", "12.50", "10:30", "0123", "+", "604.555.0163abc", "(", "20261124"]
        {
            assert!(numbers(none).is_empty(), "{none}");
        }
    }

    #[test]
    fn queries_ask_for_what_surely_belongs_to_the_number() {
        assert_eq!(looked_up_as("+1 (604) 555-0182"), ["#045550182", "16045550182"]);
        assert_eq!(looked_up_as("0047 22 85 51 10"), ["#722855110", "#22855110", "22855110", "004722855110"]);
        assert_eq!(looked_up_as("22 85 51 10"), ["#22855110", "22855110"]);
    }
}
