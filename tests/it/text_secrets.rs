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

fn grouped(text: &str) -> String {
    text.as_bytes().chunks(4).map(|c| String::from_utf8_lossy(c).into_owned()).collect::<Vec<_>>().join(" ")
}

#[test]
fn seeded_secrets() {
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
    let (mut leaked, mut plain_kept) = (0, 0);
    for n in 0..1000 {
        let (value, line) = match n % 8 {
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
                (p.clone(), format!("{}: {p}", labels[n / 8 % labels.len()]))
            }
            5 => {
                let c = format!("{:06}", dice.roll(900_000) + 100_000);
                (c.clone(), format!("{} {c}.", codes[n / 8 % codes.len()]))
            }
            6 => {
                let t = format!("{}{}4", prefixes[n / 8 % prefixes.len()], dice.word(MIXED, 24));
                (t.clone(), format!("use {t} for the test"))
            }
            _ => {
                let t = dice.word(MIXED, 40);
                (t.clone(), format!("Authorization: Bearer {t}"))
            }
        };
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
