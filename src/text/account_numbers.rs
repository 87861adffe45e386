//! Card and bank account numbers: runs of digits, perhaps in groups, that pass their check.
//!
//! One in ten random numbers of a card's length passes by chance and is masked too; order numbers of other lengths stay.

use std::collections::HashMap;
use std::sync::LazyLock;

use super::secrets::{Secret, SecretKind};

/// Card numbers and bank accounts: runs of digits, perhaps in groups, that pass their check.
pub(super) fn find(text: &str, found: &mut Vec<Secret>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    let mut before = b' ';
    while at < bytes.len() {
        let b = bytes[at];
        let start = at;
        if !before.is_ascii_alphanumeric() && b.is_ascii_digit() {
            let (digits, groups, end) = digit_run(bytes, at);
            let card = is_card(&digits, &groups);
            if card {
                found.push(Secret { kind: SecretKind::Card, range: start..end });
            }
            // A number before the card's own digits must not hide it: the next group is tried by itself.
            at = if card { end } else { at + groups[0] };
        } else if !before.is_ascii_alphanumeric()
            && b.is_ascii_uppercase()
            && let Some(end) = iban(bytes, at)
        {
            found.push(Secret { kind: SecretKind::Iban, range: start..end });
            at = end;
        }
        at = at.max(start + 1);
        before = bytes[at - 1];
    }
}

/// Digits from `at` on, the sizes of their groups, and where they end.
fn digit_run(bytes: &[u8], mut at: usize) -> (Vec<u8>, Vec<usize>, usize) {
    let mut digits = Vec::new();
    let mut groups = vec![0];
    let mut end = at;
    while let Some(b) = bytes.get(at) {
        if b.is_ascii_digit() {
            if digits.len() < 24 {
                digits.push(b - b'0');
            } else {
                digits.push(0);
            }
            if let Some(last) = groups.last_mut() {
                *last += 1;
            }
            end = at + 1;
        } else if matches!(b, b' ' | b'-' | b'.')
            && bytes.get(at + 1).is_some_and(u8::is_ascii_digit)
            && groups.len() < 6
            && groups[0] < 13
        {
            groups.push(0);
        } else {
            break;
        }
        at += 1;
    }
    (digits, groups, end)
}

fn is_card(digits: &[u8], groups: &[usize]) -> bool {
    let length = digits.len();
    let fits = match digits.first() {
        Some(2 | 5) => length == 16,
        Some(3) => (14..=16).contains(&length),
        Some(4) => matches!(length, 13 | 16 | 19),
        Some(6) => (16..=19).contains(&length),
        _ => false,
    };
    let grouped = groups.len() == 1 || groups[0] == 4 && groups[1..].iter().all(|g| (3..=6).contains(g));
    fits && grouped && luhn(digits)
}

fn luhn(digits: &[u8]) -> bool {
    let doubled = |n: usize, d: u8| {
        let d = u32::from(d) << (n & 1);
        if d > 9 { d - 9 } else { d }
    };
    let sum: u32 = digits.iter().rev().enumerate().map(|(n, d)| doubled(n, *d)).sum();
    sum.is_multiple_of(10)
}

/// Length of account numbers by country, as the registry of the standard gives them.
const IBAN_LENGTHS: &str = "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 FO18 FR27 \
    GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 LU20 LV21 LY25 MC27 MD24 \
    ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20";

static IBAN: LazyLock<HashMap<[u8; 2], usize>> = LazyLock::new(|| {
    IBAN_LENGTHS
        .split_whitespace()
        .filter_map(|entry| Some(([entry.as_bytes()[0], entry.as_bytes()[1]], entry[2..].parse().ok()?)))
        .collect()
});

/// Where the account number that begins at `at` ends, if it passes the check.
fn iban(bytes: &[u8], at: usize) -> Option<usize> {
    let head = bytes.get(at..at + 4)?;
    if !(head[2].is_ascii_digit() && head[3].is_ascii_digit()) {
        return None;
    }
    let length = *IBAN.get(&[head[0], head[1]])?;
    let mut value = [0_u8; 34];
    let mut filled = 0;
    let mut end = at;
    for (n, b) in bytes[at..].iter().enumerate().take(48) {
        match b {
            b'0'..=b'9' | b'A'..=b'Z' => {
                *value.get_mut(filled)? = *b;
                filled += 1;
                end = at + n + 1;
            }
            b' ' | b'-' | b'.' => {}
            _ => return None,
        }
        if filled == length {
            break;
        }
    }
    (filled == length && mod_97(&value[..filled])).then_some(end)
}

fn mod_97(value: &[u8]) -> bool {
    let step = |rest: u32, b: &u8| match b {
        b'0'..=b'9' => (rest * 10 + u32::from(b - b'0')) % 97,
        _ => (rest * 100 + u32::from(b - b'A') + 10) % 97,
    };
    value[4..].iter().chain(&value[..4]).fold(0, step) == 1
}

#[cfg(test)]
mod tests {
    use super::find;

    fn found(text: &str) -> Vec<String> {
        let mut out = Vec::new();
        find(text, &mut out);
        out.iter().map(|s| format!("{} {}", s.kind.as_str(), &text[s.range.clone()])).collect()
    }

    #[test]
    fn checks_decide() {
        assert_eq!(found("4111111111111111 4111-1111-1111-1111").len(), 2);
        assert_eq!(found("pay GB82 WEST 1234 5698 7654 32 NOW"), ["iban GB82 WEST 1234 5698 7654 32"]);
        assert!(found("GB83 WEST 1234 5698 7654 32, order 4111111111111112, AB12 CD34").is_empty());
    }
}
