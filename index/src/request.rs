//! What a search asks and what it answers, in terms any backend can serve.
//!
//! No text of a document is here: hits name a document and a passage, and the
//! caller fetches the words from where they are kept.

use crate::highlight::Highlighter;
use crate::query::Query;

/// The most hits one page may hold.
pub const MAX_LIMIT: usize = 100;

/// A search. `Request::default()` lists the newest documents, ten a page.
#[derive(Debug, Clone)]
pub struct Request {
    /// What was typed, parsed.
    pub query: Query,
    /// Only these kinds; empty means all.
    pub kinds: Vec<String>,
    /// None of these kinds, where `kinds` asks for none.
    pub without_kinds: Vec<String>,
    /// Only documents tied to one of these customers; `Some` of nothing finds nothing.
    pub customers: Option<Vec<String>>,
    /// Only documents tied to one of these companies; `Some` of nothing finds nothing.
    pub companies: Option<Vec<String>>,
    /// Only documents of one of these owners; `Some` of nothing finds nothing.
    pub owners: Option<Vec<String>>,
    /// Not before this, in milliseconds since 1970, inclusive.
    pub since: Option<i64>,
    /// Before this, in milliseconds since 1970, exclusive.
    pub until: Option<i64>,
    /// Hits on this page, at most [`MAX_LIMIT`].
    pub limit: usize,
    /// Where the previous page ended.
    pub cursor: Option<Cursor>,
    /// Whether each hit should say why it was found.
    pub explain: bool,
    /// Leaves out documents of nearly the same words as a better hit; `total` counts them.
    pub distinct: bool,
    /// The moment from which age is counted, in milliseconds since 1970; `None` leaves age out.
    pub now: Option<i64>,
}

impl Default for Request {
    fn default() -> Self {
        Request {
            query: Query::default(),
            kinds: Vec::new(),
            without_kinds: Vec::new(),
            customers: None,
            companies: None,
            owners: None,
            since: None,
            until: None,
            limit: 10,
            cursor: None,
            explain: false,
            distinct: false,
            now: None,
        }
    }
}

impl Request {
    /// A search for what was typed, without filters.
    #[must_use]
    pub fn new(text: &str) -> Request {
        Request { query: Query::parse(text), ..Request::default() }
    }
}

/// Whose documents may be seen. It is never derived from what was typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Scope {
    /// The organisation of the caller.
    pub org: String,
    /// The customer the caller is bound to; narrows every filter of the request.
    pub customer: Option<String>,
    /// Whether a search bound to customers may also return documents tied to none.
    pub include_unlinked: bool,
}

impl Scope {
    /// Everything of one organisation.
    #[must_use]
    pub fn org(org: impl Into<String>) -> Scope {
        Scope { org: org.into(), customer: None, include_unlinked: false }
    }
}

/// The end of a page. Opaque; survives restarts and changes of the index.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cursor(pub String);

/// The answer to a search.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Best first; at most one per document.
    pub hits: Vec<Hit>,
    /// Documents (not passages) that match, exact unless `partial`.
    pub total: u64,
    /// The next page, if there is one.
    pub next_cursor: Option<Cursor>,
    /// Marks what matched in a text, corrections of typing errors included.
    pub highlighter: Highlighter,
    /// Words that were taken for typing errors.
    pub corrected: Vec<Corrected>,
    /// Whether the time budget ended the search before all matches were seen.
    pub partial: bool,
}

/// A word that was taken for a typing error.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Corrected {
    /// The word as typed.
    pub word: String,
    /// Terms of the whole organisation that it was looked up as too; a hit need not have any.
    pub terms: Vec<String>,
}

/// A document that matches, with its best passage.
#[derive(Debug, Clone)]
pub struct Hit {
    /// Id of the document.
    pub document: String,
    /// Number of the best passage, from 0.
    pub passage: u32,
    /// Comparable within one answer only.
    pub score: f32,
    /// When it happened, in milliseconds since 1970.
    pub occurred_at: i64,
    /// Why it was found, when asked for.
    pub explain: Option<Explain>,
}

/// Why a hit was found and what it scored.
#[derive(Debug, Clone, PartialEq)]
pub struct Explain {
    /// The words that matched, with the field, the term looked up and its share of the score.
    pub matches: Vec<Match>,
    /// Whether every word of the query is in this passage.
    pub all_words: bool,
    /// The filters the hit passed, in words.
    pub filters: Vec<String>,
    /// What the score of the words was multiplied by; only factors other than 1.
    pub factors: Vec<Factor>,
    /// How near in meaning it is, -1 to 1, where meaning counted.
    pub meaning: Option<f32>,
}

/// A factor of the score.
#[derive(Debug, Clone, PartialEq)]
pub struct Factor {
    /// `recency` or `kind`.
    pub name: &'static str,
    /// What the score was multiplied by.
    pub value: f32,
}

/// One word found in one field.
#[derive(Debug, Clone, PartialEq)]
pub struct Match {
    /// The word as typed.
    pub word: String,
    /// `title`, `text` (title and passage in one) or `names`.
    pub field: &'static str,
    /// The term of the index it matched.
    pub term: String,
    /// Its share of the score.
    pub score: f32,
    /// The word was taken for a typing error for this term.
    pub corrected: bool,
}
