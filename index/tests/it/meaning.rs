//! Optional meaning, with a small table made here: other words of the same
//! meaning are found, filters hold, and without the folder nothing changes.

use super::support::{ORG, at, document, ids, puts};
use hublore_index::{
    Answer, Document, Embedded, Encoder, Error, KnowledgeIndex, Options, Reason, Request, Scope, State,
};
use std::path::Path;
use std::sync::Arc;

/// Words by meaning: each line is a direction of its own.
const MEANINGS: [&str; 6] = [
    "invoice bill receipt faktura",
    "boat vessel ship dinghy",
    "broken damaged cracked faulty",
    "refund repayment reimbursement",
    "meeting appointment visit",
    "the a of is was and our we for",
];

/// A table in which the words of a line point the same way, a little apart.
fn write_table(folder: &Path, twist: f32) {
    let mut vocabulary = serde_json::Map::new();
    let mut numbers: Vec<f32> = Vec::new();
    for (line, words) in MEANINGS.iter().enumerate() {
        for (n, word) in words.split(' ').enumerate() {
            vocabulary.insert(word.to_owned(), vocabulary.len().into());
            let weight = if line == 5 { 0.05 } else { 1.0 };
            numbers.extend(
                (0..8).map(|i| if i == line { weight } else { 0.05 * twist * (n + i) as f32 / 8.0 * weight }),
            );
        }
    }
    let header = serde_json::json!({"embeddings": {"dtype": "F32", "shape": [vocabulary.len(), 8], "data_offsets": [0, numbers.len() * 4]}});
    let header = header.to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend(numbers.iter().flat_map(|number| number.to_le_bytes()));
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("model.safetensors"), bytes).unwrap();
    let tokenizer = serde_json::json!({"model": {"type": "WordPiece", "vocab": vocabulary}});
    std::fs::write(folder.join("tokenizer.json"), tokenizer.to_string()).unwrap();
}

fn with_table(folder: &Path) -> Options {
    Options { meaning: Some(Arc::new(Encoder::open(folder).unwrap())), ..Options::default() }
}

fn documents() -> Vec<Document> {
    let of = |id: &str, customer: &str, body: &str| Document {
        customers: vec![customer.to_owned()],
        ..document(id, "", body)
    };
    vec![
        of("bill", "mara", "the bill for our vessel was cracked"),
        of("boat", "mara", "the boat is damaged and we want a repayment"),
        of("visit", "ottokar", "an appointment was made for the dinghy"),
        of("other", "ottokar", "completely unrelated gardening advice about tulips"),
        of("words", "ottokar", "invoice"),
    ]
}

fn ask(index: &Embedded, request: &Request) -> Answer {
    index.search(request, &Scope::org(ORG)).unwrap()
}

#[test]
fn other_words_of_the_same_meaning_are_found_inside_the_filters() {
    let dir = tempfile::tempdir().unwrap();
    write_table(&dir.path().join("table"), 1.0);
    let index = Embedded::open(dir.path().join("index"), with_table(&dir.path().join("table"))).unwrap();
    index.apply(&puts(documents()), &at(1)).unwrap();

    let answer = ask(&index, &Request { explain: true, ..Request::new("faulty ship") });
    let found = ids(&answer);
    assert!(found[..2].contains(&"boat") && found[..2].contains(&"bill"), "{found:?}");
    assert!(!found.contains(&"other"), "what is unlike is not found: {found:?}");
    assert_eq!(answer.total as usize, found.len());
    let explain = answer.hits[0].explain.clone().unwrap();
    assert!(explain.meaning.unwrap() > 0.5 && explain.matches.is_empty(), "{explain:?}");

    let answer = ask(&index, &Request::new("invoice"));
    assert_eq!(ids(&answer)[..2], ["words", "bill"], "the word itself before its like");
    let mara = Request { customers: Some(vec!["ottokar".to_owned()]), ..Request::new("faulty ship") };
    assert_eq!(ids(&ask(&index, &mara)), ["visit"], "only inside the filters");
    let elsewhere = index.search(&Request::new("faulty ship"), &Scope::org("o2")).unwrap();
    assert!(elsewhere.hits.is_empty() && elsewhere.total == 0);

    for exact in ["\"faulty ship\"", "fault*", "INV-771", "mail@nowhere.example", "zzqqxx"] {
        assert!(
            ask(&index, &Request::new(exact)).hits.is_empty(),
            "{exact} asks for itself, not for its like"
        );
    }
    assert!(!ids(&ask(&index, &Request::new("faulty ship -vessel"))).contains(&"bill"), "exclusions hold");
    assert_eq!(
        ids(&ask(&index, &Request { since: Some(5_000), ..Request::new("faulty ship") })),
        Vec::<&str>::new()
    );
}

/// Every document once: the fused order first, then what only words find.
#[test]
fn pages_of_a_fused_answer_hold_every_document_once() {
    let dir = tempfile::tempdir().unwrap();
    write_table(&dir.path().join("table"), 1.0);
    let index = Embedded::open(dir.path().join("index"), with_table(&dir.path().join("table"))).unwrap();
    let body = |n: u64| match n % 3 {
        0 => format!("the invoice was paid {}", "and filed ".repeat(n as usize % 9)),
        1 => format!("the bill and receipt {}", "for our ship ".repeat(n as usize % 7)),
        _ => format!("invoice tulip {n}"),
    };
    let make = |n: u64| Document { occurred_at: n as i64, ..document(&format!("d:{n:03}"), "", &body(n)) };
    index.apply(&puts((0..420).map(make).collect()), &at(1)).unwrap();
    let mut request = Request { limit: 30, ..Request::new("invoice") };
    let mut seen = Vec::new();
    let first = ask(&index, &request).total;
    loop {
        let answer = ask(&index, &request);
        seen.extend(answer.hits.into_iter().map(|hit| hit.document));
        let Some(next) = answer.next_cursor else { break };
        request.cursor = Some(next);
        assert!(seen.len() <= 420, "{}", seen.len());
    }
    let distinct: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!(distinct.len(), seen.len(), "none twice");
    assert!((280..=420).contains(&seen.len()), "all 280 by words, some by meaning: {}", seen.len());
    assert!(first >= 280);
}

#[test]
fn another_table_asks_for_a_rebuild_and_none_is_as_before() {
    let dir = tempfile::tempdir().unwrap();
    let (one, two) = (dir.path().join("one"), dir.path().join("two"));
    write_table(&one, 1.0);
    write_table(&two, 2.0);
    let home = dir.path().join("index");
    let plain = Embedded::open(&home, Options::default()).unwrap();
    plain.apply(&puts(documents()), &at(1)).unwrap();
    let before = ids(&ask(&plain, &Request::new("invoice boat"))).join(" ");
    drop(plain);
    for options in [with_table(&one), with_table(&two), Options::default()] {
        let index = Embedded::open(&home, options).unwrap();
        assert!(matches!(index.state(), State::NeedsRebuild(Reason::Schema { .. })), "{:?}", index.state());
        let generation = index.begin_rebuild().unwrap();
        generation.add(&puts(documents())).unwrap();
        generation.commit(&at(1)).unwrap();
        index.swap(generation).unwrap();
        assert_eq!(index.state(), State::Ready);
    }
    let plain = Embedded::open(&home, Options::default()).unwrap();
    assert_eq!(plain.state(), State::Ready);
    assert_eq!(ids(&ask(&plain, &Request::new("invoice boat"))).join(" "), before);
    assert!(matches!(plain.rollback(), Err(Error::NeedsRebuild(_))), "the one before had another table");
}

#[test]
fn a_damaged_or_missing_table_says_what_to_do() {
    let dir = tempfile::tempdir().unwrap();
    let folder = dir.path().join("table");
    let error = |what: &str| {
        let text = Encoder::open(&folder).expect_err(what).to_string();
        assert!(text.contains("table") && text.contains("words alone"), "{what}: {text}");
        text
    };
    assert!(error("no folder").contains("model.safetensors"));
    write_table(&folder, 1.0);
    let (table, tokenizer) = (folder.join("model.safetensors"), folder.join("tokenizer.json"));
    let good = std::fs::read(&table).unwrap();
    for length in [0, 7, 8, 40, good.len() - 1] {
        std::fs::write(&table, &good[..length]).unwrap();
        error(&format!("cut to {length} bytes"));
    }
    for at in 0..good.len().min(120) {
        let mut bad = good.clone();
        bad[at] ^= 0xff;
        std::fs::write(&table, bad).unwrap();
        let _ = Encoder::open(&folder);
    }
    std::fs::write(&table, &good).unwrap();
    let words = std::fs::read(&tokenizer).unwrap();
    std::fs::write(&tokenizer, &words[..words.len() / 2]).unwrap();
    error("half a vocabulary");
    std::fs::write(&tokenizer, r#"{"model":{"vocab":{"bill":4000}}}"#).unwrap();
    assert!(error("another vocabulary").contains("different models"));
    std::fs::remove_file(&tokenizer).unwrap();
    assert!(error("no vocabulary").contains("tokenizer.json"));
}
