//! Finds card numbers, account numbers, passwords, keys, tokens and one-time codes, and masks them.
//!
//! E-mail addresses and phone numbers stay: they are what the CRM is keyed by. The value found is never returned.

use std::ops::Range;
use std::sync::LazyLock;

use super::account_numbers;
use super::codes::{self, Topics};
use super::finder::Finder;
use super::keys;
use super::passwords::{self, Given, looks_secret, value};
use super::secret_words::{
    BARE_CODES, CARD_CODE_LABELS, CODE_LABELS, CREDENTIAL_LABELS, ENTER_VERBS, ENTERED_VERBS, KEY_LABELS,
    LOGIN_LABELS, OWN_CODE_LABELS, PASSWORD_LABELS, PIN_LABELS, SHORT_PASSWORD_LABELS, TOKEN_PREFIXES, WITHS,
};

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
    /// A one-time code: after its label, or in a sentence about signing in.
    OneTimeCode,
    /// The check number of a payment card.
    CardCode,
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
            Self::CardCode => "card_code",
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
    account_numbers::find(text, &mut found);
    worded(text, &mut found);
    keys::long(text, &mut found);
    found.sort_by_key(|s| (s.range.start, std::cmp::Reverse(s.range.end)));
    let mut out: Vec<Secret> = Vec::with_capacity(found.len());
    for secret in found {
        match out.last_mut().filter(|last| secret.range.start < last.range.end) {
            // What is found twice is masked once, under the name its label gives it.
            Some(last) => {
                last.range.end = last.range.end.max(secret.range.end);
                last.kind = if is_named(last.kind, secret.kind) { secret.kind } else { last.kind };
            }
            None => out.push(secret),
        }
    }
    out
}

/// Whether the second kind says more than the first: a label says what a value is, its looks only that it is a secret.
fn is_named(first: SecretKind, second: SecretKind) -> bool {
    let label = |kind| matches!(kind, SecretKind::Password | SecretKind::OneTimeCode | SecretKind::CardCode);
    first == SecretKind::Token && label(second)
}

/// The text with every secret replaced by its kind in brackets.
#[must_use]
pub fn mask(text: &str) -> String {
    mask_found(text, 0, &find(text))
}

/// A range of the searched text, with the secrets that were found in it masked; one that reaches over its bounds too.
#[must_use]
pub fn mask_range(text: &str, range: &Range<usize>, found: &[Secret]) -> String {
    let from = found.partition_point(|s| s.range.end <= range.start);
    let to = found.partition_point(|s| s.range.start < range.end);
    mask_found(&text[range.clone()], range.start, &found[from..to.max(from)])
}

/// `text`, which starts at byte `offset` of the searched text, with the secrets found there masked.
fn mask_found(text: &str, offset: usize, found: &[Secret]) -> String {
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

const PASSWORD: usize = 0;
const KEY: usize = 1;
const CODE: usize = 2;
const VERIFICATION: usize = 3;
const PREFIX: usize = 4;
const PRIVATE: usize = 5;
const ADDRESS: usize = 6;
const OWN_CODE: usize = 7;
const BARE_CODE: usize = 8;
const ENTER: usize = 9;
const PIN: usize = 10;
const ENTERED: usize = 11;
const WITH: usize = 12;
const LOGIN: usize = 13;
const CREDENTIALS: usize = 14;
const SHORT_PASSWORD: usize = 15;

static WORDS: LazyLock<Finder> = LazyLock::new(|| {
    let lists = [
        (PASSWORD_LABELS, PASSWORD),
        (KEY_LABELS, KEY),
        (CODE_LABELS, CODE),
        (CARD_CODE_LABELS, VERIFICATION),
        (OWN_CODE_LABELS, OWN_CODE),
        (BARE_CODES, BARE_CODE),
        (PIN_LABELS, PIN),
        (ENTER_VERBS, ENTER),
        (ENTERED_VERBS, ENTERED),
        (WITHS, WITH),
        (LOGIN_LABELS, LOGIN),
        (CREDENTIAL_LABELS, CREDENTIALS),
        (SHORT_PASSWORD_LABELS, SHORT_PASSWORD),
        (TOKEN_PREFIXES, PREFIX),
        ("-----begin", PRIVATE),
        ("://", ADDRESS),
    ];
    Finder::new(lists.into_iter().flat_map(|(list, id)| list.split('|').map(move |w| (w, id))))
});

/// Secrets a wording points at.
fn worded(text: &str, found: &mut Vec<Secret>) {
    let mut done = 0;
    let topics = Topics::default();
    WORDS.each(text, |id, at, len| {
        let end = at + len;
        match id {
            PREFIX if at >= done => done = keys::token(text, at, found),
            PRIVATE if at >= done => {
                if let Some(range) = keys::private_key(text, at) {
                    done = range.end;
                    found.push(Secret { kind: SecretKind::PrivateKey, range });
                }
            }
            ADDRESS => keys::in_address(text, end, found),
            // The name of a mask is no label: masking twice is masking once.
            _ if !ends_word(text, end) || text[..at].ends_with('[') && is_mask(&text[at - 1..]) => {}
            _ => found.extend(labelled(text, id, &(at..end), &topics)),
        }
    });
}

/// The secret a label gives, or a word that goes with a code.
fn labelled(text: &str, id: usize, label: &Range<usize>, topics: &Topics) -> Option<Secret> {
    let (kind, range) = match id {
        PASSWORD => (SecretKind::Password, passwords::labelled(text, label)),
        SHORT_PASSWORD => (SecretKind::Password, passwords::marked(text, label)),
        LOGIN => (SecretKind::Password, passwords::pair(text, label.end, Given::Name)),
        CREDENTIALS => (SecretKind::Password, passwords::pair(text, label.end, Given::Credentials)),
        PIN => (SecretKind::Password, codes::pin(text, label)),
        KEY => {
            (SecretKind::Token, value(text, label.end, |v, sure| looks_secret(v, if sure { 8 } else { 12 })))
        }
        VERIFICATION => (SecretKind::CardCode, codes::word_after(text, label.end, &(3..=4))),
        OWN_CODE => (SecretKind::OneTimeCode, codes::owned(text, label)),
        BARE_CODE => (SecretKind::OneTimeCode, codes::bare(text, label, topics)),
        ENTER => (SecretKind::OneTimeCode, codes::entered(text, label, topics)),
        ENTERED => (SecretKind::OneTimeCode, codes::entered_before(text, label, topics)),
        WITH => (SecretKind::OneTimeCode, codes::signed_in_with(text, label)),
        _ => (SecretKind::OneTimeCode, codes::labelled(text, label)),
    };
    range.map(|range| secret(kind, range))
}

pub(super) fn secret(kind: SecretKind, range: Range<usize>) -> Secret {
    Secret { kind, range }
}

/// At most so many bytes of a text from `at` on: what bounds the work one label can cause.
pub(super) fn within(text: &str, at: usize, most: usize) -> &str {
    let at = text.ceil_char_boundary(at.min(text.len()));
    &text[at..text.floor_char_boundary((at + most).min(text.len())).max(at)]
}

/// Whether a label is a whole word, or stands in a script without spaces.
fn ends_word(text: &str, end: usize) -> bool {
    let wide = text[..end].chars().next_back().is_some_and(|c| c as u32 >= 0x0e00);
    wide || !text[end..].starts_with(|c: char| c.is_alphanumeric())
}

/// Whether a word is what [`mask`] writes: masking twice is masking once.
pub(super) fn is_mask(word: &str) -> bool {
    word.starts_with('[')
        && ["[card]", "[iban]", "[password]", "[token]", "[private_key]", "[one_time_code]", "[card_code]"]
            .iter()
            .any(|m| word.starts_with(m))
}

#[cfg(test)]
mod tests {
    use super::mask;

    #[test]
    fn secrets_go() {
        for (text, masked) in [
            ("card 4111 1111 1111 1111 ok", "card [card] ok"),
            ("IBAN DE89 3704 0044 0532 0130 00 bitte", "IBAN [iban] bitte"),
            ("Passwort: geheim12\nnext", "Passwort: [password]\nnext"),
            ("the password for the portal is Tr0ub4dor&3.", "the password for the portal is [password]."),
            ("Password:\nhunter2\nbye", "Password:\n[password]\nbye"),
            ("key sk_live_51H8abcdefghijk now", "key [token] now"),
            ("Your verification code is 482 913.", "Your verification code is [one_time_code]."),
            ("482913 is your verification code", "[one_time_code] is your verification code"),
            ("postgres://ann:s3cret@db.example.com/x", "postgres://ann:[password]@db.example.com/x"),
        ] {
            assert_eq!(mask(text), masked);
        }
        let key = "a\n-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY-----\nb";
        assert_eq!(mask(key), "a\n[private_key]\nb");
    }

    #[test]
    fn ordinary_numbers_and_talk_of_passwords_stay() {
        for text in [
            "order 4111 1111 1111 1112 ok",
            "call +49 30 1234567 or 0151-23456789",
            "The password is wrong and was reset yesterday.",
            "A token of our thanks: the secret is out",
            "Invoice 2024-000123 of 12.03.2024 about 1.250,00 EUR",
        ] {
            assert_eq!(mask(text), text);
        }
    }
}
