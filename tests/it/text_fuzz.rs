//! Every check of the fuzz targets, run over mails that were cut, doubled and spliced: bounded, and the same on every run.
//!
//! `HUBLORE_FUZZ` says how many inputs each check gets.

use std::panic::{AssertUnwindSafe, catch_unwind};

use crate::text_hostile::{Dice, seeds};

#[path = "../../fuzz/checks.rs"]
mod checks;

/// One check with input from the dice; answers what it was fed.
type Check = fn(&mut Dice, &[String]) -> (String, Box<dyn Fn()>);

fn run(name: &str, check: Check) {
    let count = std::env::var("HUBLORE_FUZZ").ok().and_then(|n| n.parse().ok()).unwrap_or(1_500);
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let seeds = seeds();
    for n in 0..count {
        let (input, work) = check(&mut dice, &seeds);
        assert!(catch_unwind(AssertUnwindSafe(work)).is_ok(), "{name} {n}: {input}");
    }
}

#[test]
fn body() {
    run("body", |dice, seeds| {
        let (kind, text, parent) = (dice.roll(256) as u8, dice.body(seeds), dice.body(seeds));
        (
            format!("{kind} {text:?} {parent:?}"),
            Box::new(move || checks::body(kind, kind % 2 == 0, &text, &parent)),
        )
    });
}

#[test]
fn html() {
    run("html", |dice, seeds| {
        let markup = dice.body(seeds);
        (format!("{markup:?}"), Box::new(move || checks::html(&markup)))
    });
}

#[test]
fn reply() {
    run("reply", |dice, seeds| {
        let (mail, parent) = (dice.body(seeds), dice.body(seeds));
        // A sender whose name is somewhere in the mail is the one that matters.
        let words: Vec<&str> = mail.split_whitespace().collect();
        let from = dice.roll(words.len() + 1);
        let sender = words[from..words.len().min(from + 2)].join(" ");
        (format!("{mail:?} {parent:?} {sender:?}"), Box::new(move || checks::reply(&mail, &parent, &sender)))
    });
}

#[test]
fn sentences() {
    run("sentences", |dice, seeds| {
        let text = dice.body(seeds);
        (format!("{text:?}"), Box::new(move || checks::sentence(&text)))
    });
}

#[test]
fn secrets() {
    const SHAPES: [&str; 6] = [
        "Password: ",
        "4111 1111 1111 1111",
        "code 482913 ",
        "log in",
        "[one_time_code]",
        "sk_live_51H8abcdefgh1jk",
    ];
    run("secrets", |dice, seeds| {
        let mut text = dice.body(seeds);
        for _ in 0..dice.roll(5) {
            let at = dice.place(&text);
            text.insert_str(at, SHAPES[dice.roll(SHAPES.len())]);
        }
        (format!("{text:?}"), Box::new(move || checks::secret(&text)))
    });
}

#[test]
fn query() {
    run("query", |dice, seeds| {
        let text = dice.body(seeds);
        let (from, to) = (dice.place(&text), dice.place(&text));
        let asked = text[from.min(to)..from.max(to)].chars().take(300).collect::<String>();
        let (language, bytes) = (dice.roll(256) as u8, dice.roll(600) as u16);
        (
            format!("{asked:?} {text:?} {language} {bytes}"),
            Box::new(move || checks::query(&asked, &text, language, bytes)),
        )
    });
}
