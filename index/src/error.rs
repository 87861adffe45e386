//! What can go wrong in the index, as types a caller can act on.
//!
//! A query that makes no sense is deliberately not among them: every text can
//! be searched for.

use std::path::PathBuf;

/// Why an operation on the index did not happen.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// Another process writes this index.
    #[error("another process holds the index for writing")]
    Locked,
    /// There is nothing to search or write until a new generation is built.
    #[error("the index must be rebuilt: {0}")]
    NeedsRebuild(Reason),
    /// The writer failed and was opened anew. Changes added since the last commit
    /// are gone; replay them from `position()`.
    #[error("changes since the last commit were lost and must be replayed: {0}")]
    Replay(#[source] Box<Error>),
    /// Opened without the right to write.
    #[error("the index was opened for reading only")]
    ReadOnly,
    /// The document is in the index more than once, which a repair must undo.
    #[error("document {id} is in the index {copies} times")]
    Doubled {
        /// The document.
        id: String,
        /// How often it was found.
        copies: usize,
    },
    /// A generation was handed to an index it does not belong to, or is no longer there.
    #[error("no such generation: {0}")]
    NoGeneration(String),
    /// A cursor that this index never gave out, or that belongs to another search.
    #[error("the cursor does not belong to this search")]
    Cursor,
    /// Files with removed text are still in use; purge again.
    #[error("removed text is still on disk because a merge or a search holds its files")]
    NotPurged,
    /// The file system refused.
    #[error("index file {path}: {source}")]
    Io {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// The engine refused.
    #[error("index engine: {0}")]
    Engine(#[from] tantivy::TantivyError),
}

/// Why an index cannot be used as it is. Each is cured by a rebuild from the source.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Reason {
    /// No index has been built here yet.
    #[error("there is none yet")]
    Missing,
    /// The file naming the live generation cannot be read.
    #[error("its pointer file is damaged")]
    Pointer,
    /// It was built with another schema, another way of cutting text into words or another table
    /// of meanings.
    #[error(
        "it was built by another version or with another table of meanings ({found}, this is {expected})"
    )]
    Schema {
        /// Fingerprint on disk, empty if none was recorded.
        found: String,
        /// Fingerprint of this program.
        expected: String,
    },
    /// A file is missing, cut short or altered.
    #[error("a file is damaged: {0}")]
    Damaged(String),
}

impl Error {
    pub(crate) fn io(path: impl Into<PathBuf>) -> impl FnOnce(std::io::Error) -> Error {
        let path = path.into();
        move |source| Error::Io { path, source }
    }
}
