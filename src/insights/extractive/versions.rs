//! Nobody changes what is found without raising `CODE_VERSION`: what was found by another version is found again.
//!
//! `versions.txt` keeps one line for each version: a digest of the lexicons, and one of everything found in the
//! sentences of the files that are closed. A lexicon counts by itself in the fingerprint, so its change only renews
//! the last line. `sentences.txt` is left out: sentences may be added there without a new version.

use super::*;

const KEPT: &str = include_str!("versions.txt");

/// Files nobody adds to.
const CLOSED: [(&str, bool); 4] = [
    (include_str!("heldout.txt"), false),
    (include_str!("heldout2.txt"), false),
    (include_str!("sealed.txt"), false),
    (include_str!("injected.txt"), true),
];

fn hex(hasher: Sha256) -> String {
    hasher.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
}

fn lexicons() -> String {
    let mut hasher = Sha256::new();
    lexicon::files().for_each(|file| hasher.update(file.as_bytes()));
    hex(hasher)
}

/// Everything that is found in one sentence, as text.
fn found(code: &str, source: &str, text: &str) -> String {
    let direction = match source {
        "our" => Direction::Outgoing,
        "note" | "call" => Direction::Internal,
        _ => Direction::Incoming,
    };
    let drafts = distill(&Source {
        parts: &[text],
        title: None,
        language: Language::from_code(code),
        direction,
        form: source == "form",
        occurred_at_ms: 1_773_750_000_000,
        sender: None,
        owners: &["Sarah Lund", "Joanna Reed", "Hugo Nowak"],
        contacts: &[Contact {
            name: "Nina Kowalczyk",
            email: "nina@harborpet.example",
            company: "Harbor Pet Hotels",
            domain: "harborpet.example",
        }],
    });
    let line = |d: &Draft| {
        format!(
            "{} {:?} {:?} {:?} {} {:?} {} {:?} {:.2} {:?}\n",
            d.slot,
            d.statement,
            d.value,
            d.date,
            d.subject,
            d.asserted_by,
            d.claim,
            d.valid_from,
            d.confidence,
            d.evidence
        )
    };
    drafts.iter().map(line).collect()
}

fn drafts() -> String {
    let mut hasher = Sha256::new();
    for (file, mails) in CLOSED {
        for line in file.lines().filter(|l| !l.starts_with('#')) {
            let columns: Vec<&str> = line.splitn(if mails { 4 } else { 5 }, '|').collect();
            let text = columns[columns.len() - 1].replace("[[", "").replace("]]", "");
            hasher.update(found(columns[0], if mails { "mail" } else { columns[1] }, &text));
        }
    }
    hex(hasher)
}

#[test]
fn what_is_found_does_not_change_without_a_new_version() {
    let lines: Vec<Vec<&str>> =
        KEPT.lines().filter(|l| !l.starts_with('#')).map(|l| l.split(' ').collect()).collect();
    let versions: Vec<u32> = lines.iter().map(|l| l[0].parse().unwrap()).collect();
    assert!(versions.is_sorted_by(|a, b| a < b), "versions grow: {versions:?}");
    let (lexicons, drafts) = (lexicons(), drafts());
    let now = format!("{CODE_VERSION} {lexicons} {drafts}");
    let last = lines.last().map(|l| l.join(" ")).unwrap_or_default();
    if last == now {
        return;
    }
    let same_version = versions.last() == Some(&CODE_VERSION);
    let same_lexicons = lines.last().is_some_and(|l| l[1] == lexicons);
    let what_to_do = match (same_version, same_lexicons) {
        (true, true) => {
            "what is found changed with the code: raise CODE_VERSION in extractive/mod.rs by one and append \
                         to versions.txt the line this test then asks for"
                .to_owned()
        }
        (true, false) => format!("the lexicons changed: make the last line of versions.txt\n{now}"),
        (false, _) => format!("CODE_VERSION was raised: append to versions.txt\n{now}"),
    };
    panic!("{what_to_do}");
}
