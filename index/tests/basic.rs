//! The everyday behaviour of the embedded index: what is put in is found, in
//! the words people use.

use hublore_index::{
    Change, Document, Embedded, KnowledgeIndex, Language, Options, Passage, Position, Request,
    Scope,
};

fn document(id: &str, title: &str, body: &str) -> Document {
    Document {
        id: id.to_owned(),
        org: "o1".to_owned(),
        version: 1,
        kind: "email".to_owned(),
        title: title.to_owned(),
        passages: vec![Passage {
            text: body.to_owned(),
            language: Language::English,
        }],
        customers: vec!["c1".to_owned()],
        companies: vec![],
        owner: None,
        names: vec![
            "Harbor Pet".to_owned(),
            "nina@harborpet.example".to_owned(),
            "+49 30 1234567".to_owned(),
        ],
        occurred_at: 1_000,
        linked: true,
    }
}

fn index_of(documents: Vec<Document>) -> (tempfile::TempDir, Embedded) {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    let changes: Vec<Change> = documents.into_iter().map(Change::Put).collect();
    index
        .apply(
            &changes,
            &Position {
                epoch: "e".to_owned(),
                seq: 1,
            },
        )
        .unwrap();
    (dir, index)
}

fn ids(index: &Embedded, query: &str) -> Vec<String> {
    let answer = index
        .search(&Request::new(query), &Scope::org("o1"))
        .unwrap();
    assert_eq!(answer.total as usize, answer.hits.len());
    answer.hits.into_iter().map(|hit| hit.document).collect()
}

#[test]
fn a_document_is_found_by_its_words_names_and_numbers() {
    let (_dir, index) = index_of(vec![
        document(
            "doc:1",
            "Invoice question",
            "Please find invoice INV-429308 attached, call (415) 555-0123.",
        ),
        document("doc:2", "Lunch", "Shall we have lunch on Friday?"),
    ]);
    for query in [
        "invoices",
        "INV-429308",
        "inv-429308",
        "429308",
        "415-555-0123",
        "4155550123",
        "attached invoice",
    ] {
        assert_eq!(ids(&index, query), ["doc:1"], "{query}");
    }
    for query in [
        "harbor pet",
        "nina@harborpet.example",
        "harborpet.example",
        "nina",
        "030 1234567",
        "+49 30 1234567",
        "harb*",
    ] {
        assert_eq!(ids(&index, query).len(), 2, "{query}");
    }
    assert_eq!(ids(&index, "invoixe"), ["doc:1"]);
    assert_eq!(ids(&index, "\"find invoice\""), ["doc:1"]);
    assert!(ids(&index, "\"invoice find\"").is_empty());
    assert_eq!(ids(&index, "harbor -lunch"), ["doc:1"]);
    assert_eq!(ids(&index, "").len(), 2);
    assert_eq!(ids(&index, "zzzzqqq"), Vec::<String>::new());
}
