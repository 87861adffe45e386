//! The seam between the product and a search engine.
//!
//! A second engine implements this trait and passes `tests/it/contract.rs`; no
//! caller needs to change. What an engine may not do: return a document of
//! another organisation, return one document twice in an answer, let an older
//! version of a document replace a newer one, or forget a commit it has
//! acknowledged.

use crate::document::{Change, Position};
use crate::error::Error;
use crate::request::{Answer, Request, Scope};

/// An index of documents that follows a ledger of changes.
pub trait KnowledgeIndex: Send + Sync {
    /// Up to where the ledger is durably in the index; `None` if nothing was ever committed.
    fn position(&self) -> Option<Position>;

    /// Takes changes in, in order, without making them visible or durable. Cheap; words
    /// are cut on other threads. A document that is there with a greater `order` is left as it is.
    ///
    /// # Errors
    /// [`Error::Replay`] if everything since the last commit is lost.
    fn add(&self, changes: &[Change]) -> Result<(), Error>;

    /// Makes all changes added so far durable and visible at once, together with the position.
    ///
    /// # Errors
    /// [`Error::Replay`] if everything since the last commit is lost.
    fn commit(&self, position: &Position) -> Result<(), Error>;

    /// [`add`](Self::add) and [`commit`](Self::commit) in one.
    ///
    /// # Errors
    /// As those two.
    fn apply(&self, changes: &[Change], position: &Position) -> Result<(), Error> {
        self.add(changes)?;
        self.commit(position)
    }

    /// Searches within a scope.
    ///
    /// # Errors
    /// [`Error::NeedsRebuild`] while there is no usable index; engine errors.
    fn search(&self, request: &Request, scope: &Scope) -> Result<Answer, Error>;

    /// The version of a document, `None` if it is not in the index.
    ///
    /// # Errors
    /// [`Error::Doubled`] if it is in the index more than once.
    fn version_of(&self, org: &str, id: &str) -> Result<Option<u64>, Error>;

    /// Calls `f` with id and version of every document of an organisation, once per copy,
    /// in no particular order.
    ///
    /// # Errors
    /// [`Error::NeedsRebuild`]; engine errors.
    fn for_each(&self, org: &str, f: &mut dyn FnMut(&str, u64)) -> Result<(), Error>;

    /// How many documents (not passages) an organisation has.
    ///
    /// # Errors
    /// [`Error::NeedsRebuild`]; engine errors.
    fn count(&self, org: &str) -> Result<u64, Error>;

    /// Sizes, for people who run it.
    ///
    /// # Errors
    /// [`Error::NeedsRebuild`]; engine errors.
    fn stats(&self) -> Result<Stats, Error>;
}

/// Sizes of an index.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Documents of all organisations.
    pub documents: u64,
    /// Passages of all organisations.
    pub passages: u64,
    /// Segments the engine keeps them in.
    pub segments: usize,
    /// Passages replaced or removed whose space is not reclaimed yet.
    pub deleted_passages: u64,
    /// Bytes on disk, all generations.
    pub size_bytes: u64,
    /// Name of the live generation.
    pub generation: String,
}
