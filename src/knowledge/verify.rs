//! Comparing index and store, document by document, both ways. Memory does not grow with either.

use hublore_index::{Error, KnowledgeIndex};
use serde::Serialize;

use super::KnowledgeError;
use crate::domain::ids::{DocumentId, OrgId};
use crate::store::engagements::{self, ScanKey};
use crate::store::{Store, StoreError};

/// Differences named at most, per sort.
const NAMED: usize = 20;

/// The outcome of a comparison.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Verdict {
    /// Learned engagements in the store.
    pub stored: u64,
    /// Documents in the index.
    pub indexed: u64,
    /// Number of learned engagements the index does not have.
    pub missing: u64,
    /// Number of documents indexed more than once.
    pub doubled: u64,
    /// Number of documents whose version differs from the row's.
    pub outdated: u64,
    /// Number of documents the store does not have as learned.
    pub surplus: u64,
    /// Some of the documents concerned, each with what is wrong.
    pub examples: Vec<String>,
}

impl Verdict {
    /// Index and store say the same.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.missing + self.doubled + self.outdated + self.surplus == 0 && self.stored == self.indexed
    }

    fn name(&mut self, what: &str, document: &str) {
        if self.examples.len() < NAMED {
            self.examples.push(format!("{what}: {document}"));
        }
    }
}

/// Compares everything. Run it while nothing is being written; the caller waits for the follower first.
pub fn run(store: &Store, index: &dyn KnowledgeIndex) -> Result<Verdict, KnowledgeError> {
    let mut verdict = Verdict::default();
    rows_are_indexed(store, index, &mut verdict)?;
    let orgs = store.read(|conn| super::documents::organisations(conn))?;
    for org in orgs {
        verdict.indexed += index.count(org.as_str())?;
        documents_are_stored(store, index, &org, &mut verdict)?;
    }
    Ok(verdict)
}

fn rows_are_indexed(
    store: &Store,
    index: &dyn KnowledgeIndex,
    verdict: &mut Verdict,
) -> Result<(), KnowledgeError> {
    let mut key = ScanKey::default();
    loop {
        let page = store.read(|conn| engagements::scan(conn, &mut key, 1_000))?;
        if page.is_empty() {
            return Ok(());
        }
        for row in page.iter().filter(|row| row.is_learned()) {
            let id = row.document.to_string();
            verdict.stored += 1;
            match index.version_of(row.org.as_str(), &id) {
                Ok(Some(version)) if version == row.seq => {}
                Ok(Some(_)) => {
                    verdict.outdated += 1;
                    verdict.name("outdated", &id);
                }
                Ok(None) => {
                    verdict.missing += 1;
                    verdict.name("missing", &id);
                }
                Err(Error::Doubled { .. }) => {
                    verdict.doubled += 1;
                    verdict.name("doubled", &id);
                }
                Err(error) => return Err(error.into()),
            }
        }
    }
}

fn documents_are_stored(
    store: &Store,
    index: &dyn KnowledgeIndex,
    org: &OrgId,
    verdict: &mut Verdict,
) -> Result<(), KnowledgeError> {
    let mut failed = None;
    index.for_each(org.as_str(), &mut |id, _| {
        let known = id
            .parse::<DocumentId>()
            .ok()
            .map(|document| store.read(|conn| engagements::get(conn, org, &document)));
        match known {
            Some(Ok(Some(row))) if row.is_learned() => {}
            Some(Err(error)) => failed = Some(error),
            _ => {
                verdict.surplus += 1;
                verdict.name("surplus", id);
            }
        }
    })?;
    failed.map_or(Ok(()), |error: StoreError| Err(error.into()))
}
