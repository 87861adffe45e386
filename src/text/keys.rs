//! Keys and tokens by their looks: known prefixes, private key blocks, passwords in addresses, words nobody writes by hand.
//!
//! What a label says is read elsewhere ([`super::secrets`]).

use std::ops::Range;

use super::secrets::{Secret, SecretKind, is_mask, secret, within};

/// A word with the prefix of a known kind of key.
///
/// Returns where the word ends, so that no part of it is looked at again.
pub(super) fn token(text: &str, at: usize, found: &mut Vec<Secret>) -> usize {
    let rest = within(text, at, 8192);
    let len = rest
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '+' | '/' | '=')))
        .unwrap_or(rest.len());
    let word = rest[..len].trim_end_matches('.');
    let capital = ["AKIA", "ASIA", "AIza", "SG.", "eyJ", "ATATT", "NRAK-"];
    let exact = capital.iter().find(|p| {
        word.len() > 4 && word.as_bytes()[..p.len().min(word.len())].eq_ignore_ascii_case(p.as_bytes())
    });
    let spelled = exact.is_none_or(|p| word.starts_with(p));
    if word.len() >= 16 && spelled && word.bytes().any(|b| b.is_ascii_digit()) {
        found.push(secret(SecretKind::Token, at..at + word.len()));
        if matches!(exact, Some(&("AKIA" | "ASIA"))) && word.len() == 20 {
            beside(text, &(at..at + word.len()), found);
        }
    }
    at + len
}

/// Bytes to each side of an access key's id in which its secret half is looked for.
const BESIDE: usize = 300;

/// The secret halves of an access key: forty letters, digits, slashes and pluses of their own, close to its id.
fn beside(text: &str, id: &Range<usize>, found: &mut Vec<Secret>) {
    let from = text.ceil_char_boundary(id.start.saturating_sub(BESIDE));
    let part = &text[from..text.floor_char_boundary((id.end + BESIDE).min(text.len()))];
    let inside = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '+');
    for word in part.split(|c: char| !inside(c)).filter(|word| word.len() == 40) {
        let at = from + (word.as_ptr() as usize - part.as_ptr() as usize);
        let count = |is: fn(&u8) -> bool| word.bytes().filter(is).count();
        let mixed = count(u8::is_ascii_uppercase) >= 3 && count(u8::is_ascii_lowercase) >= 3;
        let joined = |c: char| matches!(c, '-' | '_' | '.' | '@' | '%');
        let alone = !text[..at].ends_with(joined) && !text[at + 40..].starts_with(['-', '_', '@', '%']);
        if mixed && count(u8::is_ascii_digit) >= 1 && alone {
            found.push(secret(SecretKind::Token, at..at + 40));
        }
    }
}

/// A private key block, to its end or the end of the text.
pub(super) fn private_key(text: &str, at: usize) -> Option<Range<usize>> {
    let rest = &text[at..];
    let head = &rest[..rest.floor_char_boundary(60)];
    head.contains("PRIVATE KEY").then_some(())?;
    let body = rest.find("-----END").map_or(rest.len(), |end| {
        let close = &rest[end + 8..];
        close.find("-----").map_or(rest.len(), |n| end + 8 + n + 5)
    });
    Some(at..at + body)
}

/// The password in `scheme://user:password@host`.
pub(super) fn in_address(text: &str, at: usize, found: &mut Vec<Secret>) {
    let rest = within(text, at, 200);
    let address =
        rest.split(|c: char| c.is_whitespace() || matches!(c, '/' | '"')).next().unwrap_or_default();
    let Some((login, _)) = address.rsplit_once('@') else {
        return;
    };
    if let Some((user, password)) = login.split_once(':').filter(|(_, p)| !p.is_empty() && !is_mask(p)) {
        let start = at + user.len() + 1;
        found.push(secret(SecretKind::Password, start..start + password.len()));
    }
}

/// Words of 32 and more letters of both cases and digits: nobody writes those by hand.
pub(super) fn long(text: &str, found: &mut Vec<Secret>) {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')' | ',');
    // Runs without an ASCII space come first: nearly all are too short to be looked at.
    let mut next = 0;
    for run in text.as_bytes().split(u8::is_ascii_whitespace) {
        let from = next;
        next += run.len() + 1;
        if run.len() >= 32 {
            text[from..from + run.len()].split(ends).for_each(|word| long_word(text, word, found));
        }
    }
}

fn long_word(text: &str, word: &str, found: &mut Vec<Secret>) {
    if word.len() < 32 || word.contains("://") || word.contains('@') || word.contains("www.") {
        return;
    }
    let at = word.as_ptr() as usize - text.as_ptr() as usize;
    let bare = word.trim_end_matches(['.', ':', ';']);
    if bare.starts_with(['-', '_']) {
        return;
    }
    let plain =
        bare.bytes().all(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'-' | b'+' | b'=' | b'/'));
    let digits = bare.bytes().filter(u8::is_ascii_digit).count();
    let upper = bare.bytes().filter(u8::is_ascii_uppercase).count();
    let lower = bare.bytes().filter(u8::is_ascii_lowercase).count();
    if plain && digits >= 3 && upper >= 3 && lower >= 3 && bare.matches('/').count() <= 3 {
        found.push(secret(SecretKind::Token, at..at + bare.len()));
    }
}
