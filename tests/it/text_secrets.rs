//! Secrets by construction: 1,000 notes, each with one secret and numbers that are none.

use std::fmt::Write as _;

use hublore::text::{Body, BodyKind, normalize, secrets};

use crate::text_measure::{report, shows_fails};

/// A small generator of numbers, the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    fn word(&mut self, from: &str, len: u64) -> String {
        let from = from.as_bytes();
        (0..len).map(|_| char::from(from[self.roll(from.len() as u64) as usize])).collect()
    }

    fn card(&mut self) -> String {
        let mut digits: Vec<u32> = [4].into_iter().chain((0..14).map(|_| self.roll(10) as u32)).collect();
        let sum: u32 = digits
            .iter()
            .rev()
            .enumerate()
            .map(|(n, d)| if n % 2 == 0 { (d * 2) / 10 + (d * 2) % 10 } else { *d })
            .sum();
        digits.push((10 - sum % 10) % 10);
        digits.iter().map(|d| char::from_digit(*d, 10).expect("a digit")).collect()
    }

    fn iban(&mut self) -> String {
        let account = self.word("0123456789", 18);
        let rest = format!("{account}131400").bytes().fold(0_u32, |r, b| (r * 10 + u32::from(b - b'0')) % 97);
        format!("DE{:02}{account}", 98 - rest)
    }
}

/// Codes told by their sentence only; `@` is the code.
const CODES: [&str; 56] = [
    "Use code @ to sign in.",
    "@ is your verification code",
    "my pin is @",
    "Your PIN is @.",
    "The code is @, it signs you in for ten minutes",
    "Enter @ to verify your account",
    "Enter code @ on the login page.",
    "Please use @ to log in",
    "To sign in, enter the code @",
    "Your code: @",
    "@ is the code for your login",
    "G-@ is your Google verification code.",
    "Use the passcode @ to access your account",
    "Type @ to confirm your identity",
    "my code is @",
    "Two-factor code @",
    "Mit dem Code @ melden Sie sich an.",
    "Geben Sie @ ein, um sich anzumelden",
    "Bitte geben Sie den Code @ ein, um sich einzuloggen.",
    "@ ist Ihr Bestätigungscode",
    "Ihr Code lautet @",
    "Meine PIN ist @",
    "Die PIN lautet @.",
    "Ihr Anmeldecode: @",
    "Der Code @ bestätigt Ihre Anmeldung",
    "Verwenden Sie @, um Ihr Konto zu verifizieren",
    "Votre code est @",
    "Utilisez le code @ pour vous connecter",
    "Saisissez @ pour vous connecter.",
    "@ est votre code de vérification",
    "Mon code PIN est @",
    "Code de connexion : @",
    "Entrez @ pour vérifier votre identité",
    "Le code @ permet de vous authentifier",
    "Usa el código @ para iniciar sesión",
    "@ es tu código de verificación",
    "Tu código es @",
    "Mi pin es @",
    "Introduce @ para acceder",
    "Ingresa el código @ para verificar tu cuenta.",
    "Código de acceso: @",
    "Use o código @ para entrar",
    "@ é o seu código de verificação",
    "Seu código é @",
    "Meu PIN é @",
    "Digite @ para acessar sua conta",
    "Código de acesso: @",
    "コード@でログインしてください",
    "ログインコードは@です",
    "認証コード：@",
    "@があなたの認証コードです",
    "確認コードは@です。",
    "暗証番号は@です",
    "@を入力してログインしてください",
    "本人確認のためコード@を入力してください",
    "ワンタイムパスワードは@です",
];

/// Sentences with numbers that are no secrets.
const HARMLESS: [&str; 72] = [
    "Order 482913 ships on Monday.",
    "Your order 482913 is on its way, sign in to follow it.",
    "Please verify invoice 482913 before you log in.",
    "Ticket 48291 was closed.",
    "We counted 4829 logins in May.",
    "The login page had 4829 visitors.",
    "The total is 4,829 EUR.",
    "The total is 4829 EUR with the code of last year.",
    "Use 4829 units for the test of the login.",
    "Call +49 30 5550100 to sign in.",
    "Call 030 5550100 if the code does not arrive.",
    "My number is 0151 23456789.",
    "We start on 12.03.2026.",
    "Your verification code expires on 12.03.2026.",
    "Your verification code was sent on 2026-11-20.",
    "We signed in 2024 and the code was written in 2025.",
    "The zip code is 94103.",
    "Zip code 94103, please verify it.",
    "The area code 4021 is wrong, says the login form.",
    "The postal code 10115 was not accepted when I tried to log in.",
    "I get error code 40310 when I sign in.",
    "Error 40310 at login.",
    "Status code 5003 at login",
    "Use the discount code 4829 when you log in.",
    "Product code 48291 does not show after login",
    "Our customer code 48213 is shown at login.",
    "The source code has 48290 lines and verifies itself.",
    "My code has 4000 lines.",
    "Pin 4 of the connector is bent.",
    "Pins 1200 and 1300 are free.",
    "Pin this message until 2027.",
    "Room 4821 on Friday.",
    "Meeting at 1030 in building 4021.",
    "Use port 8443 to log in.",
    "Use version 20240 of the app to log in.",
    "Enter the amount of 4829 EUR and verify it.",
    "We use 4500 licences to sign in our people.",
    "Connect 2400 users by May.",
    "Die Bestellung 482913 ist bestätigt.",
    "Bitte bestätigen Sie Auftrag 482913.",
    "Die Rechnung 482913 über 1.250,00 EUR ist bestätigt.",
    "Postleitzahl 10115 Berlin",
    "Der Fehlercode 40310 erscheint beim Anmelden.",
    "Mit 4829 Nutzern melden Sie sich bei uns.",
    "Seit 2019 melden Sie sich mit Passwort an.",
    "Im Jahr 2024 gab es 3000 Anmeldungen.",
    "Der Bestätigungscode wurde am 12.03.2026 verschickt.",
    "Der Gutschein-Code 4829 gilt nach der Anmeldung.",
    "Artikelnummer 482913 ist bestätigt.",
    "Unsere Nummer ist 030 5550100.",
    "Le code postal 75001 est vérifié.",
    "Code postal : 75001 Paris",
    "La commande 482913 est vérifiée.",
    "La facture 482913 de 4829 euros est à vérifier.",
    "Le code erreur 40310 apparaît à la connexion.",
    "Le code produit 48213 est visible après connexion.",
    "Depuis 2019 vous pouvez vous connecter.",
    "El pedido 482913 está verificado.",
    "El código postal 28013 no es válido para entrar.",
    "El código de producto 48213 aparece al iniciar sesión.",
    "Tenemos 4829 usuarios para verificar.",
    "La factura 482913 es de 4829 euros.",
    "O pedido 482913 foi verificado.",
    "O código postal 10500 está errado.",
    "O código de erro 40310 aparece ao entrar.",
    "Temos 4829 usuários para verificar.",
    "注文番号482913を確認しました。",
    "ご注文482913を発送しました。",
    "〒1000001 東京都",
    "エラーコード40310がログイン時に出ます。",
    "2026年11月20日にログインしました。",
    "合計は4829円です。",
];

#[test]
fn sentences_with_other_numbers_stay_as_they_are() {
    let masked: Vec<String> =
        HARMLESS.iter().map(|line| secrets::mask(line)).filter(|masked| masked.contains('[')).collect();
    assert!(masked.is_empty(), "{masked:#?}");
}

#[test]
fn a_code_is_told_by_its_sentence() {
    let mut wrong = Vec::new();
    for shape in CODES {
        for code in ["482913", "4821", "905 173"] {
            let line = shape.replace('@', code);
            let masked = secrets::mask(&line);
            if masked.contains(code) || !masked.contains('[') {
                wrong.push(line);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

#[test]
fn the_label_names_the_kind() {
    for (line, masked) in [
        ("Passwort: ghp_16C7e42F292c6912E7710c838347Ae178B4a", "Passwort: [password]"),
        ("Passwort: mF9B5f41JqMx8kT2wQ7zR3vY6nL0pH4sXy12", "Passwort: [password]"),
        ("API-Key Passwort: Zaunkoenig77!", "API-Key Passwort: [password]"),
        ("Token-Passwort: Zaunkoenig77!", "Token-Passwort: [password]"),
        ("Das Secret, Passwort: Zaunkoenig77!", "Das Secret, Passwort: [password]"),
        ("token ghp_16C7e42F292c6912E7710c838347Ae178B4a", "token [token]"),
        ("cvv 123", "cvv [card_code]"),
        ("CVC: 4821", "CVC: [card_code]"),
        ("Prüfnummer 123", "Prüfnummer [card_code]"),
        ("PIN: 4821", "PIN: [password]"),
        ("my pin is 4821", "my pin is [password]"),
        ("Use code 482913 to sign in", "Use code [one_time_code] to sign in"),
    ] {
        assert_eq!(secrets::mask(line), masked);
    }
}

fn grouped(text: &str) -> String {
    text.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>().join(" ")
}

/// A thousand secrets, each with the line it stands in; the same on every run.
pub(crate) fn seeded() -> Vec<(String, String)> {
    const MIXED: &str = "ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnpqrstuvwxyz23456789";
    let mut dice = Dice(7);
    let labels = [
        "Password",
        "Passwort",
        "Mot de passe",
        "Contraseña",
        "Senha",
        "Wachtwoord",
        "Hasło",
        "Пароль",
        "パスワード",
        "密码",
    ];
    let codes = [
        "Your verification code is",
        "Ihr Sicherheitscode lautet",
        "Votre code de vérification :",
        "Código de verificación:",
        "OTP:",
        "验证码：",
    ];
    let prefixes = ["sk_live_", "ghp_", "xoxb-", "AKIA", "pat-eu1-", "glpat-", "AIza", "npm_"];
    let line = |n: usize| match n % 9 {
        0 => {
            let c = dice.card();
            (c.clone(), format!("My card is {c}, thanks."))
        }
        1 => {
            let c = grouped(&dice.card());
            (c.clone(), format!("Karte: {c}"))
        }
        2 => {
            let i = dice.iban();
            (i.clone(), format!("Please pay to {i} until Friday"))
        }
        3 => {
            let i = grouped(&dice.iban());
            (i.clone(), format!("IBAN {i} bei der Bank"))
        }
        4 => {
            let p = format!("{}{}!", dice.word(MIXED, 7), dice.roll(90) + 10);
            (p.clone(), format!("{}: {p}", labels[n / 9 % labels.len()]))
        }
        5 => {
            let c = format!("{:06}", dice.roll(900_000) + 100_000);
            (c.clone(), format!("{} {c}.", codes[n / 9 % codes.len()]))
        }
        6 => {
            let c = format!("{:06}", dice.roll(900_000) + 100_000);
            (c.clone(), CODES[n / 9 % CODES.len()].replace('@', &c))
        }
        7 => {
            let t = format!("{}{}4", prefixes[n / 9 % prefixes.len()], dice.word(MIXED, 24));
            (t.clone(), format!("use {t} for the test"))
        }
        _ => {
            let t = dice.word(MIXED, 40);
            (t.clone(), format!("Authorization: Bearer {t}"))
        }
    };
    (0..1000).map(line).collect()
}

#[test]
fn seeded_secrets() {
    let (mut leaked, mut plain_kept) = (0, 0);
    for (n, (value, line)) in seeded().into_iter().enumerate() {
        let note =
            format!("Hello,\n{line}\nOrder 2026-{n:05} ships on 12.03.2026, call +49 30 5550{n:04}.\nAnn");
        let got = normalize(&Body::new(BodyKind::Note).with_plain(&note));
        let all: String = got.passages.iter().fold(String::new(), |mut s, p| {
            let _ = write!(s, "{}", p.text);
            s
        });
        if all.contains(&value) || secrets::mask(&note).contains(&value) {
            leaked += 1;
            if shows_fails("secrets") {
                println!("== {note}\n-> {all}");
            }
        }
        plain_kept +=
            usize::from(all.contains(&format!("2026-{n:05}")) && all.contains(&format!("+49 30 5550{n:04}")));
    }
    report("seeded secrets masked", f64::from(1000 - leaked) / 1000.0, 1.0, 1.0, &format!("{leaked} leaked"));
    report("numbers beside them untouched", plain_kept as f64 / 1000.0, 0.99, 0.99, "");
}
