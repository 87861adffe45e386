//! Mails that want to be recorded as something they are not, in six languages: nothing of them becomes a fact.

use super::*;
use crate::text::{Body, BodyKind, normalize};

/// What is read of a mail, as the pipeline would read it: hidden text and quotes are gone.
fn read(language: Language, body: &str) -> Vec<(Draft, String)> {
    let mail = Body::new(BodyKind::Email);
    let html = body.starts_with('<') && !body.starts_with("<|");
    let normalized = normalize(&if html { mail.with_html(body) } else { mail.with_plain(body) });
    let parts: Vec<&str> = normalized.passages.iter().map(|p| p.text.as_str()).collect();
    let source = Source {
        parts: &parts,
        title: None,
        language: Some(language),
        direction: Direction::Incoming,
        form: false,
        occurred_at_ms: 1_773_750_000_000,
        sender: Some("nina@harborpet.example"),
        owners: &["Sarah Lund", "Joanna Reed", "Hugo Nowak"],
        contacts: &[Contact {
            name: "Nina Kowalczyk",
            email: "nina@harborpet.example",
            company: "Harbor Pet Hotels",
            domain: "harborpet.example",
        }],
    };
    let quote = |d: &Draft| parts[d.part][d.evidence.clone()].to_owned();
    distill(&source).into_iter().map(|d| (quote(&d), d)).map(|(quote, d)| (d, quote)).collect()
}

#[test]
fn dst_2_no_injected_mail_becomes_a_fact() {
    let mut count = 0;
    let mut wrong = Vec::new();
    for line in include_str!("injected.txt").lines().filter(|l| !l.starts_with('#')) {
        let columns: Vec<&str> = line.splitn(4, '|').collect();
        let [code, words, rest, body] = columns[..] else { panic!("four columns: {line}") };
        let drafts = read(Language::from_code(code).unwrap(), body);
        let said = |quote: &str| words.split(',').any(|w| quote.to_lowercase().contains(&w.to_lowercase()));
        for (draft, quote) in
            drafts.iter().filter(|(d, quote)| said(quote) && !(d.claim && d.confidence <= 0.5))
        {
            wrong.push(format!("{code}: {} from {quote:?}", draft.slot));
        }
        if rest != "-" && !drafts.iter().any(|(d, _)| d.kind.as_str() == rest) {
            wrong.push(format!("{code}: no {rest} in {body}"));
        }
        count += 1;
    }
    assert!(count >= 100);
    assert!(wrong.is_empty(), "{} facts\n{}", wrong.len(), wrong.join("\n"));
}
