//! Finds card numbers, account numbers, passwords, keys, tokens and one-time codes, and masks them.
//!
//! E-mail addresses and phone numbers stay: they are what the CRM is keyed by. The value found is never returned.

use std::ops::Range;
use std::sync::LazyLock;

use super::account_numbers;
use super::codes::{self, Topics};
use super::finder::Finder;

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
    long_tokens(text, &mut found);
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

const PASSWORD_LABELS: &str = "password|passwd|passwort|kennwort|pwd|pw|passcode|passphrase|pass phrase|kenncode|pin|mot de passe|mdp|contraseña|\
    clave|senha|palavra-passe|wachtwoord|lösenord|adgangskode|kodeord|passord|salasana|hasło|heslo|jelszó|parola|parolă|\
    lozinka|geslo|пароль|парола|κωδικός πρόσβασης|şifre|parola|كلمة المرور|كلمة السر|סיסמה|mật khẩu|パスワード|비밀번호|密码|密碼|kata sandi|slaptažodis";
const KEY_LABELS: &str = "api key|api-key|api_key|apikey|api token|access token|access_token|auth token|token|bearer|client secret|\
    client_secret|secret key|secret_key|secret|private key|access key|aws_secret_access_key|authorization|x-api-key|license key|zugangstoken|clé api|clave api";
const CODE_LABELS: &str = "verification code|one-time code|one time code|one-time password|one time password|one-time passcode|otp|security code|login code|\
    access code|authentication code|auth code|2fa code|confirmation code|sign-in code|bestätigungscode|sicherheitscode|einmalcode|\
    einmalpasswort|zugangscode|tan|code de vérification|code de sécurité|code de confirmation|code à usage unique|código de verificación|\
    código de seguridad|código de verificação|código de segurança|codice di verifica|codice di sicurezza|verificatiecode|beveiligingscode|\
    verifieringskod|engångskod|bekræftelseskode|engangskode|vahvistuskoodi|kod weryfikacyjny|ověřovací kód|overovací kód|\
    ellenőrző kód|cod de verificare|код подтверждения|код підтвердження|doğrulama kodu|رمز التحقق|mã xác minh|認証コード|確認コード|인증번호|인증 코드|\
    验证码|驗證碼|anmeldecode|logincode|login-code|log-in code|signin code|sign in code|einmal-code|sms-code|code de connexion|code d'accès|\
    code d’accès|code d'authentification|code d’authentification|código de acceso|código de acesso|código de inicio de sesión|código de login|\
    código de autenticación|código de autenticação|código de confirmación|código de confirmação|código de un solo uso|認証番号|確認番号|ログインコード|\
    セキュリティコード|ワンタイムパスワード|ワンタイムコード|il tuo codice";
const OWN_CODE_LABELS: &str = "your code|my code|the code|our code|ihr code|dein code|mein code|der code|unser code|votre code|ton code|mon code|le code|\
    tu código|su código|mi código|el código|seu código|teu código|meu código|o código|あなたのコード";
const BARE_CODES: &str = "code|codes|passcode|kode|código|codigo|codice|コード";
const PIN_LABELS: &str =
    "pin|pin code|pin-code|pincode|code pin|pin number|passcode|geheimzahl|código pin|暗証番号";
const ENTER_VERBS: &str = "enter|use|using|type|type in|input|key in|geben sie|gib|verwenden sie|verwende|nutzen sie|saisissez|entrez|tapez|utilisez|saisis|\
    introduce|introduzca|ingresa|ingrese|escribe|usa|digite|insira|utilize|introduza|mit|avec|con|com";
const ENTERED_VERBS: &str = "eingeben|ein,|ein und|ein um|を入力|と入力|を使";
const CARD_CODE_LABELS: &str = "cvv|cvc|cvv2|cvc2|prüfnummer|card verification|sicherheitsnummer";
const TOKEN_PREFIXES: &str = "sk_live_|sk_test_|rk_live_|rk_test_|pk_live_|whsec_|sk-|ghp_|gho_|ghs_|ghu_|ghr_|github_pat_|glpat-|xoxb-|xoxp-|xoxa-|\
    xoxs-|xapp-|akia|asia|aiza|ya29.|pat-na1-|pat-na2-|pat-na3-|pat-eu1-|pat-ap1-|eyj|sg.|npm_|pypi-|dop_v1_|shpat_|shpss_|key-|sq0atp-|sq0csp-|\
    hf_|lin_api_|ntn_|secret_|atatt|hvs.|dckr_pat_|1//0|nrak-|figd_|sntrys_|phc_|pnu_|rzp_live_";

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
            PREFIX if at >= done => done = token(text, at, found),
            PRIVATE if at >= done => {
                if let Some(range) = private_key(text, at) {
                    done = range.end;
                    found.push(Secret { kind: SecretKind::PrivateKey, range });
                }
            }
            ADDRESS => credentials(text, end, found),
            // The name of a mask is no label: masking twice is masking once.
            _ if !ends_word(text, end) || text[..at].ends_with('[') && is_mask(&text[at - 1..]) => {}
            PASSWORD => found.extend(
                value(text, end, |v, sure| sure && v.len() >= 3 || looks_secret(v, 6))
                    .map(|r| secret(SecretKind::Password, r)),
            ),
            KEY => found.extend(
                value(text, end, |v, sure| looks_secret(v, if sure { 8 } else { 12 }))
                    .map(|r| secret(SecretKind::Token, r)),
            ),
            VERIFICATION => {
                let range = codes::word_after(text, end, &(3..=4));
                found.extend(range.map(|r| secret(SecretKind::CardCode, r)));
            }
            PIN => found.extend(codes::pin(text, &(at..end)).map(|r| secret(SecretKind::Password, r))),
            code => {
                let range = match code {
                    OWN_CODE => codes::owned(text, &(at..end)),
                    BARE_CODE => codes::bare(text, &(at..end), &topics),
                    ENTER => codes::entered(text, &(at..end), &topics),
                    ENTERED => codes::entered_before(text, &(at..end), &topics),
                    _ => codes::labelled(text, &(at..end)),
                };
                found.extend(range.map(|r| secret(SecretKind::OneTimeCode, r)));
            }
        }
    });
}

fn secret(kind: SecretKind, range: Range<usize>) -> Secret {
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

/// The value a label gives: behind a colon or "is" on the line, else the only word of the next line.
fn value(text: &str, end: usize, fits: impl Fn(&str, bool) -> bool) -> Option<Range<usize>> {
    let rest = within(text, end, 300);
    let line = rest.split('\n').next().unwrap_or_default();
    let near = &line[..line.floor_char_boundary(60)];
    let (gap, sure) = match near.find([':', '=', '：', '|', '→', '\t']) {
        Some(at) if !near[..at].contains(['.', '?', '!']) => {
            let mark = near[at..].chars().next().map_or(1, char::len_utf8);
            (at + mark, near[at..].starts_with([':', '=', '：', '|']))
        }
        _ => (said(near).unwrap_or(0), false),
    };
    let tail = &line[gap..];
    let begin = end
        + gap
        + (tail.len()
            - tail
                .trim_start_matches(|c: char| {
                    c.is_whitespace()
                        || matches!(c, ':' | '=' | '>' | '|' | '"' | '\'' | '“' | '„' | '`' | '*' | '(')
                })
                .len());
    let word = word_at(text, begin);
    if is_mask(&text[word.clone()]) {
        return None;
    }
    if !word.is_empty() && begin < end + line.len() {
        return fits(&text[word.clone()], sure).then_some(word);
    }
    let next = end + line.len() + 1;
    let below = within(text, next.min(text.len()), 300).split('\n').find(|l| !l.trim().is_empty())?;
    let alone = below.trim();
    let start = below.as_ptr() as usize - text.as_ptr() as usize + (below.len() - below.trim_start().len());
    let single = !alone.contains(char::is_whitespace) && !is_mask(alone) && start < next + 200;
    (sure && single && fits(alone, true)).then(|| start..start + alone.len())
}

/// Whether a word is what [`mask`] writes: masking twice is masking once.
fn is_mask(word: &str) -> bool {
    word.starts_with('[')
        && ["[card]", "[iban]", "[password]", "[token]", "[private_key]", "[one_time_code]", "[card_code]"]
            .iter()
            .any(|m| word.starts_with(m))
}

/// End of "is" and its like, where it stands close behind a label.
fn said(near: &str) -> Option<usize> {
    let mut at = 0;
    while at <= 30 {
        let rest = &near[at..];
        let start = at + (rest.len() - rest.trim_start_matches(' ').len());
        let len = near[start..].find(' ')?;
        if ["is", "lautet", "ist", "est", "es", "è", "é", "är", "er", "on", "to"]
            .iter()
            .any(|w| near[start..start + len].eq_ignore_ascii_case(w))
        {
            return Some(start + len + 1);
        }
        if let Some(n) = near[start..start + len].find('は') {
            return Some(start + n + 'は'.len_utf8());
        }
        at = start + len;
    }
    None
}

/// The word at `begin`, without the marks that close a sentence or a quotation.
fn word_at(text: &str, begin: usize) -> Range<usize> {
    let rest = within(text, begin, 256);
    let len = rest
        .find(|c: char| c.is_whitespace() || matches!(c, '|' | '"' | '“' | '”' | '<' | '`'))
        .unwrap_or(rest.len());
    begin..begin + rest[..len].trim_end_matches(['.', ',', ';', ')', '\'']).len()
}

/// Whether a word is made like a secret: long enough and not a plain word or address.
fn looks_secret(word: &str, least: usize) -> bool {
    let digit = word.contains(|c: char| c.is_ascii_digit());
    let symbol =
        word.contains(|c: char| c.is_ascii_punctuation() && !matches!(c, '.' | ',' | '-' | '\'' | '/' | '@'));
    let mixed = word.chars().skip(1).any(char::is_uppercase) && word.contains(char::is_lowercase);
    word.len() >= least && !word.starts_with("//") && (digit || symbol || mixed) && !word.contains("://")
}

/// A word with the prefix of a known kind of key.
///
/// Returns where the word ends, so that no part of it is looked at again.
fn token(text: &str, at: usize, found: &mut Vec<Secret>) -> usize {
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
    }
    at + len
}

/// A private key block, to its end or the end of the text.
fn private_key(text: &str, at: usize) -> Option<Range<usize>> {
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
fn credentials(text: &str, at: usize, found: &mut Vec<Secret>) {
    let rest = within(text, at, 200);
    let address = rest.split(|c: char| c.is_whitespace() || c == '/').next().unwrap_or_default();
    let Some((login, _)) = address.rsplit_once('@') else {
        return;
    };
    if let Some((user, password)) = login.split_once(':').filter(|(_, p)| !p.is_empty() && !is_mask(p)) {
        let start = at + user.len() + 1;
        found.push(secret(SecretKind::Password, start..start + password.len()));
    }
}

/// Words of 32 and more letters of both cases and digits: nobody writes those by hand.
fn long_tokens(text: &str, found: &mut Vec<Secret>) {
    let ends = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '<' | '>' | '(' | ')' | ',');
    // Runs without an ASCII space come first: nearly all are too short to be looked at.
    let mut next = 0;
    for run in text.as_bytes().split(u8::is_ascii_whitespace) {
        let from = next;
        next += run.len() + 1;
        if run.len() >= 32 {
            text[from..from + run.len()].split(ends).for_each(|word| long_token(text, word, found));
        }
    }
}

fn long_token(text: &str, word: &str, found: &mut Vec<Secret>) {
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
