//! From rows to answers: documents for the index, the follower that keeps it current, search, context.
//!
//! The store is the truth and the index follows its ledger; nothing else writes the index. Whoever asks is a
//! [`Caller`], and only [`scope`] turns a caller into what may be seen.

pub mod context;
pub mod documents;
pub mod engagement;
pub mod explain;
pub mod follower;
pub mod insight;
pub mod insight_documents;
pub mod insights;
mod properties;
pub mod rebuild;
pub mod scope;
pub mod search;
pub mod verify;

use crate::store::StoreError;

/// Characters of a title that answers show; an engagement read by its id has it whole.
const LONGEST_TITLE: usize = 300;

/// A text in one line of at most so many characters, with a sign where some were left out.
fn shortened(text: &str, most: usize) -> String {
    let mut out = String::new();
    let mut left = most;
    for word in text.split_whitespace() {
        let gap = usize::from(!out.is_empty());
        if gap == 1 {
            out.push(' ');
        }
        let Some(after) = left.checked_sub(gap + word.chars().count()) else {
            out.extend(word.chars().take(left.saturating_sub(gap)));
            out.truncate(out.trim_end().len());
            out.push('…');
            return out;
        };
        out.push_str(word);
        left = after;
    }
    out
}

/// Why knowledge cannot be read or kept current.
#[derive(Debug, thiserror::Error)]
pub enum KnowledgeError {
    /// The request makes no sense; the text says what would.
    #[error("{0}")]
    BadRequest(String),
    /// Nobody of that address is known, or the caller may not know.
    #[error("no customer with the address {0} is known")]
    NoSuchCustomer(String),
    /// The index is not there yet.
    #[error("the index is being built ({0}); try again in a moment")]
    IndexNotReady(String),
    /// There is no room for a second generation.
    #[error("rebuilding needs about {needed_mb} MB free, only {free_mb} MB are; free some space first")]
    NoRoom {
        /// Estimated need.
        needed_mb: u64,
        /// What is free.
        free_mb: u64,
    },
    /// One rebuild at a time.
    #[error("the index is being rebuilt already; `hublore index progress` shows how far it is")]
    Busy,
    /// The process is to end; nothing is lost.
    #[error("this process is being stopped; the next one goes on")]
    Stopping,
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The index.
    #[error("index: {0}")]
    Index(hublore_index::Error),
}

impl From<hublore_index::Error> for KnowledgeError {
    fn from(error: hublore_index::Error) -> Self {
        match error {
            hublore_index::Error::NeedsRebuild(reason) => Self::IndexNotReady(reason.to_string()),
            hublore_index::Error::Cursor => {
                Self::BadRequest("this cursor belongs to another search; start without one".to_owned())
            }
            other => Self::Index(other),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::shortened;

    #[test]
    fn a_text_is_shortened_to_one_line_at_a_character() {
        assert_eq!(shortened(" a\n  b ", 3), "a b");
        assert_eq!(shortened("ab cd", 4), "ab c…");
        assert_eq!(shortened("ab cd", 3), "ab…");
        assert_eq!(shortened("ab cd", 2), "ab…");
        assert_eq!(shortened("größer", 3), "grö…");
        assert_eq!(shortened("", 3), "");
    }
}
