//! Documents and indexes for tests, with as little ceremony as possible.

use hublore_index::{
    Answer, Change, Document, Embedded, KnowledgeIndex, Language, Options, Passage, Position, Request, Scope,
};
use tempfile::TempDir;

pub(crate) const ORG: &str = "o1";

/// A linked English document of [`ORG`] with one passage.
pub(crate) fn document(id: &str, title: &str, body: &str) -> Document {
    Document {
        id: id.to_owned(),
        org: ORG.to_owned(),
        version: 1,
        order: 0,
        kind: "email".to_owned(),
        title: title.to_owned(),
        passages: vec![passage(body)],
        customers: vec!["c1".to_owned()],
        companies: Vec::new(),
        owner: None,
        names: Vec::new(),
        occurred_at: 1_000,
        linked: true,
    }
}

pub(crate) fn passage(text: &str) -> Passage {
    Passage { text: text.to_owned(), language: Language::English }
}

pub(crate) fn at(seq: u64) -> Position {
    Position { epoch: "e1".to_owned(), seq }
}

pub(crate) fn puts(documents: Vec<Document>) -> Vec<Change> {
    documents.into_iter().map(Change::Put).collect()
}

/// A fresh index holding these documents; the directory goes with the handle.
pub(crate) fn index_of(documents: Vec<Document>) -> (TempDir, Embedded) {
    let dir = TempDir::new().unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    index.apply(&puts(documents), &at(1)).unwrap();
    (dir, index)
}

pub(crate) fn ask(index: &dyn KnowledgeIndex, query: &str) -> Answer {
    index.search(&Request::new(query), &Scope::org(ORG)).unwrap()
}

pub(crate) fn ids(answer: &Answer) -> Vec<&str> {
    answer.hits.iter().map(|hit| hit.document.as_str()).collect()
}

pub(crate) fn found(index: &dyn KnowledgeIndex, query: &str) -> Vec<String> {
    ask(index, query).hits.into_iter().map(|hit| hit.document).collect()
}

/// Id and version of everything in an organisation, sorted, once per copy.
pub(crate) fn contents(index: &dyn KnowledgeIndex, org: &str) -> Vec<(String, u64)> {
    let mut out = Vec::new();
    index.for_each(org, &mut |id, version| out.push((id.to_owned(), version))).unwrap();
    out.sort();
    out
}
