//! Finds card numbers, account numbers, passwords, keys, tokens and one-time codes, and masks them.
//!
//! E-mail addresses and phone numbers stay: they are what the CRM is keyed by. The value found is never returned.

use std::ops::Range;

/// What kind of secret was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, serde::Serialize, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SecretKind {
    /// A payment card number that passes its check digit.
    Card,
    /// An international bank account number that passes its check.
    Iban,
    /// A password after its label.
    Password,
    /// An API key or access token.
    Token,
    /// A private key block.
    PrivateKey,
    /// A one-time code after its label.
    OneTimeCode,
}

impl SecretKind {
    /// The name used in masks and counters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Card => "card",
            Self::Iban => "iban",
            Self::Password => "password",
            Self::Token => "token",
            Self::PrivateKey => "private_key",
            Self::OneTimeCode => "one_time_code",
        }
    }
}

/// A secret's kind and place.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Secret {
    /// What it is.
    pub kind: SecretKind,
    /// Where it stands.
    pub range: Range<usize>,
}

/// The secrets of a text, sorted, without overlaps.
#[must_use]
pub fn find(text: &str) -> Vec<Secret> {
    let mut found = Vec::new();
    cards(text, &mut found);
    tokens(text, &mut found);
    found.sort_by_key(|s| (s.range.start, std::cmp::Reverse(s.range.end)));
    let mut end = 0;
    found.retain(|s| {
        let keep = s.range.start >= end;
        if keep {
            end = s.range.end;
        }
        keep
    });
    found
}

/// The text with every secret replaced by its kind in brackets.
#[must_use]
pub fn mask(text: &str) -> String {
    mask_found(text, 0, &find(text))
}

/// `text`, which starts at byte `offset` of the searched text, with the secrets found there masked.
pub(super) fn mask_found(text: &str, offset: usize, found: &[Secret]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    for secret in found {
        let start = secret.range.start.saturating_sub(offset).min(text.len());
        let end = secret.range.end.saturating_sub(offset).min(text.len());
        if end <= at || secret.range.end <= offset {
            continue;
        }
        out.push_str(&text[at..start.max(at)]);
        out.push('[');
        out.push_str(secret.kind.as_str());
        out.push(']');
        at = end;
    }
    out.push_str(&text[at..]);
    out
}

/// Runs of 13 to 19 digits, perhaps in groups, that pass the Luhn check.
fn cards(text: &str, found: &mut Vec<Secret>) {
    let bytes = text.as_bytes();
    let mut at = 0;
    while at < bytes.len() {
        if !bytes[at].is_ascii_digit() {
            at += 1;
            continue;
        }
        let start = at;
        let mut end = at;
        let mut digits = Vec::with_capacity(20);
        while at < bytes.len() && digits.len() < 24 {
            let b = bytes[at];
            if b.is_ascii_digit() {
                digits.push(b - b'0');
                end = at + 1;
            } else if !(matches!(b, b' ' | b'-')
                && bytes.get(at + 1).is_some_and(u8::is_ascii_digit))
            {
                break;
            }
            at += 1;
        }
        if (13..=19).contains(&digits.len()) && matches!(digits[0], 2..=6) && luhn(&digits) {
            found.push(Secret {
                kind: SecretKind::Card,
                range: start..end,
            });
        }
        at = at.max(end).max(start + 1);
    }
}

fn luhn(digits: &[u8]) -> bool {
    let sum: u32 = digits
        .iter()
        .rev()
        .enumerate()
        .map(|(n, d)| {
            let d = u32::from(*d) << (n & 1);
            if d > 9 { d - 9 } else { d }
        })
        .sum();
    sum % 10 == 0 && digits.iter().any(|d| *d != 0)
}

const TOKEN_PREFIXES: &[&str] = &[
    "sk_live_",
    "sk_test_",
    "rk_live_",
    "pk_live_",
    "sk-",
    "ghp_",
    "gho_",
    "ghs_",
    "ghu_",
    "github_pat_",
    "glpat-",
    "xoxb-",
    "xoxp-",
    "xoxa-",
    "xapp-",
    "AKIA",
    "ASIA",
    "AIza",
    "ya29.",
    "pat-na1-",
    "pat-eu1-",
    "eyJ",
    "SG.",
    "npm_",
];

const PASSWORD_LABELS: &[&str] = &[
    "password",
    "passwd",
    "passwort",
    "kennwort",
    "mot de passe",
    "contraseña",
    "senha",
    "palavra-passe",
    "wachtwoord",
    "lösenord",
    "hasło",
    "пароль",
    "şifre",
    "パスワード",
    "密码",
    "pwd",
    "passcode",
    "api key",
    "api-key",
    "apikey",
    "secret",
];

const CODE_LABELS: &[&str] = &[
    "verification code",
    "one-time code",
    "security code",
    "otp",
    "bestätigungscode",
    "login code",
];

/// Words with a known key prefix, and values after a label.
fn tokens(text: &str, found: &mut Vec<Secret>) {
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        for word in line.split(|c: char| {
            c.is_whitespace() || matches!(c, '"' | '\'' | ',' | '(' | ')' | '<' | '>' | '=')
        }) {
            if word.len() >= 16 && TOKEN_PREFIXES.iter().any(|p| word.starts_with(p)) {
                let at = start + (word.as_ptr() as usize - line.as_ptr() as usize);
                found.push(Secret {
                    kind: SecretKind::Token,
                    range: at..at + word.len(),
                });
            }
        }
        labelled(line, start, PASSWORD_LABELS, SecretKind::Password, found);
        labelled(line, start, CODE_LABELS, SecretKind::OneTimeCode, found);
        start += line.len();
    }
}

/// The value after `label:`, `label =` or `label is` on one line.
fn labelled(line: &str, offset: usize, labels: &[&str], kind: SecretKind, found: &mut Vec<Secret>) {
    if !line.contains([':', '=', '：']) && !line.contains(" is ") {
        return;
    }
    for label in labels {
        let Some(at) = find_ignore_case(line, label) else {
            continue;
        };
        let rest = &line[at + label.len()..];
        let value = rest.trim_start_matches([' ', '\t', ':', '=', '：']);
        let gap = &rest[..rest.len() - value.len()];
        let value = if gap.contains([':', '=', '：']) {
            value
        } else if let Some(v) = value.strip_prefix("is ") {
            v.trim_start_matches([':', ' '])
        } else {
            continue;
        };
        let len = value.find(char::is_whitespace).unwrap_or(value.len());
        let word = value[..len].trim_end_matches(['.', ',', ';']);
        let fits = match kind {
            SecretKind::OneTimeCode => {
                word.len() >= 4 && word.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
            }
            _ => word.chars().count() >= 4 && !word.contains("://"),
        };
        if fits {
            let begin = offset + line.len() - value.len();
            found.push(Secret {
                kind,
                range: begin..begin + word.len(),
            });
        }
    }
}

/// Where `needle` (lower case) stands in `line`, ASCII case ignored.
fn find_ignore_case(line: &str, needle: &str) -> Option<usize> {
    let n = needle.as_bytes();
    line.as_bytes()
        .windows(n.len())
        .position(|w| w.eq_ignore_ascii_case(n))
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn secrets_go_and_ordinary_numbers_stay() {
        assert_eq!(mask("card 4111 1111 1111 1111 ok"), "card [card] ok");
        assert_eq!(
            mask("order 4111 1111 1111 1112 ok"),
            "order 4111 1111 1111 1112 ok"
        );
        assert_eq!(
            mask("Passwort: geheim12\nnext"),
            "Passwort: [password]\nnext"
        );
        assert_eq!(mask("call +49 30 1234567"), "call +49 30 1234567");
    }
}
