//! Comparing index and store, document by document, both ways. Memory does not grow with either.

use hublore_index::{Error, KnowledgeIndex};
use serde::Serialize;

use super::KnowledgeError;
use crate::domain::ids::{DocumentId, InsightId, OrgId};
use crate::store::conn::Conn;
use crate::store::engagements::{self, ScanKey};
use crate::store::ledger::{self, Operation};
use crate::store::{Store, StoreError, insights};

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

/// What is wrong with a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// Learned, but not in the index.
    Missing,
    /// In the index more than once.
    Doubled,
    /// In the index with another version than the row's.
    Outdated,
    /// In the index, but not learned or not stored.
    Surplus,
}

/// A document about which index and store disagree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    org: OrgId,
    document: String,
    fault: Fault,
}

/// Compares everything. Run it while nothing is being written; the caller waits for the follower first.
pub fn run(store: &Store, index: &dyn KnowledgeIndex) -> Result<Verdict, KnowledgeError> {
    let mut verdict = Verdict::default();
    let stored = differences(store, index, &mut |difference| {
        let (count, what) = match difference.fault {
            Fault::Missing => (&mut verdict.missing, "missing"),
            Fault::Doubled => (&mut verdict.doubled, "doubled"),
            Fault::Outdated => (&mut verdict.outdated, "outdated"),
            Fault::Surplus => (&mut verdict.surplus, "surplus"),
        };
        *count += 1;
        verdict.name(what, &difference.document);
    })?;
    verdict.stored = stored;
    for org in store.read(|conn| super::documents::organisations(conn))? {
        verdict.indexed += index.count(org.as_str())?;
    }
    Ok(verdict)
}

/// Calls `tell` for every difference; answers the number of learned engagements and of insights that hold.
pub fn differences(
    store: &Store,
    index: &dyn KnowledgeIndex,
    tell: &mut dyn FnMut(Difference),
) -> Result<u64, KnowledgeError> {
    let stored = rows_are_indexed(store, index, tell)? + insights_are_indexed(store, index, tell)?;
    for org in store.read(|conn| super::documents::organisations(conn))? {
        documents_are_stored(store, index, &org, tell)?;
    }
    Ok(stored)
}

/// Puts the documents into the ledger, so that the follower writes them as the store has them now.
pub fn touch(conn: &mut dyn Conn, differing: &[Difference]) -> Result<(), StoreError> {
    differing.iter().try_for_each(|one| {
        let operation = if one.fault == Fault::Surplus { Operation::Remove } else { Operation::Put };
        ledger::append(conn, &one.org, &one.document, operation).map(drop)
    })
}

fn rows_are_indexed(
    store: &Store,
    index: &dyn KnowledgeIndex,
    tell: &mut dyn FnMut(Difference),
) -> Result<u64, KnowledgeError> {
    let (mut key, mut stored) = (ScanKey::default(), 0);
    loop {
        let page = store.read(|conn| engagements::scan(conn, &mut key, 1_000))?;
        if page.is_empty() {
            return Ok(stored);
        }
        for row in page.iter().filter(|row| row.is_learned()) {
            stored += 1;
            is_indexed(index, &row.org, row.document.to_string(), row.seq, tell)?;
        }
    }
}

fn insights_are_indexed(
    store: &Store,
    index: &dyn KnowledgeIndex,
    tell: &mut dyn FnMut(Difference),
) -> Result<u64, KnowledgeError> {
    let (mut key, mut stored) = (insights::ScanKey::default(), 0);
    loop {
        let page = store.read(|conn| insights::scan(conn, &mut key, 1_000))?;
        if page.is_empty() {
            return Ok(stored);
        }
        for row in page.iter().filter(|row| row.is_current()) {
            stored += 1;
            is_indexed(index, &row.org, row.insight.id.to_string(), row.version(), tell)?;
        }
    }
}

fn is_indexed(
    index: &dyn KnowledgeIndex,
    org: &OrgId,
    document: String,
    wanted: u64,
    tell: &mut dyn FnMut(Difference),
) -> Result<(), KnowledgeError> {
    let fault = match index.version_of(org.as_str(), &document) {
        Ok(Some(version)) if version == wanted => return Ok(()),
        Ok(Some(_)) => Fault::Outdated,
        Ok(None) => Fault::Missing,
        Err(Error::Doubled { .. }) => Fault::Doubled,
        Err(error) => return Err(error.into()),
    };
    tell(Difference { org: org.clone(), document, fault });
    Ok(())
}

fn documents_are_stored(
    store: &Store,
    index: &dyn KnowledgeIndex,
    org: &OrgId,
    tell: &mut dyn FnMut(Difference),
) -> Result<(), KnowledgeError> {
    let mut failed = None;
    index.for_each(org.as_str(), &mut |id, _| match store.read(|conn| is_stored(conn, org, id)) {
        Ok(true) => {}
        Ok(false) => tell(Difference { org: org.clone(), document: id.to_owned(), fault: Fault::Surplus }),
        Err(error) => failed = Some(error),
    })?;
    failed.map_or(Ok(()), |error: StoreError| Err(error.into()))
}

/// Whether the store has what belongs into the index under this id.
fn is_stored(conn: &mut dyn Conn, org: &OrgId, id: &str) -> Result<bool, StoreError> {
    if let Ok(insight) = id.parse::<InsightId>() {
        return Ok(insights::get(conn, org, &insight)?.is_some_and(|row| row.is_current()));
    }
    let Ok(document) = id.parse::<DocumentId>() else { return Ok(false) };
    Ok(engagements::get(conn, org, &document)?.is_some_and(|row| row.is_learned()))
}
