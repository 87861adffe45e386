//! Mails of many clients and languages that no rule was written for, kept apart in `held_out.txt`.
//!
//! `docs/text.md` says how they scored when they were first seen. Since then they guard what they found; whoever
//! changes a rule to please one of them writes new ones. `HUBLORE_TEXT_FAILS=held_out` shows what is wrong.

use hublore::text::{Body, BodyKind, normalize};

use crate::text_measure::{report, shows_fails};

/// One mail with the lines a person would call its new text.
struct Mail<'a> {
    name: &'a str,
    html: bool,
    subject: &'a str,
    sender: Vec<&'a str>,
    body: &'a str,
    new: Vec<&'a str>,
}

fn mails() -> Vec<Mail<'static>> {
    let text = include_str!("held_out.txt");
    let parts = text.split("=== ").filter(|part| !part.trim().is_empty());
    parts
        .map(|part| {
            let (head, rest) = part.split_once('\n').expect("a head");
            let (body, new) = rest.split_once("--- new\n").expect("the new lines");
            let fields: Vec<&str> = head.split(" | ").collect();
            let &[name, kind, subject, sender] = fields.as_slice() else { panic!("four fields: {head}") };
            let (html, sender) = (kind == "html", sender.split(';').collect());
            Mail { name, html, subject, sender, body, new: lines(new) }
        })
        .collect()
}

fn lines(text: &str) -> Vec<&str> {
    text.lines().map(str::trim).filter(|line| !line.is_empty()).collect()
}

#[test]
fn held_out_mails() {
    let mails = mails();
    let (mut exact, mut hit, mut wrong, mut missed, mut lost) = (0, 0, 0, 0, 0);
    for mail in &mails {
        let mut body = Body::new(BodyKind::Email);
        if mail.html {
            body.html = Some(mail.body)
        } else {
            body.plain = Some(mail.body)
        }
        body.subject = Some(mail.subject);
        body.sender_names = &mail.sender;
        let got = normalize(&body);
        let kept = got.text_of(hublore::text::SpanClass::is_new);
        let kept = lines(&kept);
        let right = kept.iter().filter(|line| mail.new.contains(line)).count();
        hit += right;
        wrong += kept.len() - right;
        missed += mail.new.len().saturating_sub(right);
        lost += usize::from(right == 0);
        if kept == mail.new {
            exact += 1;
        } else if shows_fails("held_out") {
            println!("======== {}\nwant {:#?}", mail.name, mail.new);
            for span in &got.spans {
                println!("[{}] {}", span.class.as_str(), got.text[span.range.clone()].trim_end());
            }
        }
    }
    let f1 = 2.0 * hit as f64 / (2 * hit + wrong + missed) as f64;
    let told = format!("{wrong} wrong, {missed} missed, lost {lost}");
    report("held-out mails, keep F1", f1, 0.97, 0.97, &told);
    report(
        "held-out mails, exact",
        exact as f64 / mails.len() as f64,
        0.90,
        0.90,
        &format!("{exact} of {}", mails.len()),
    );
}
