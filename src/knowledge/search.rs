//! A search: what an agent asks becomes hits with passages, highlights and provenance.
//!
//! The index finds; the words shown are read from the store, so an answer never shows what is gone. The stages, in
//! order: `asked` resolves filters, the index finds, `hits` reads what is shown; `answer` has the shapes.

mod answer;
mod asked;
mod hits;

pub use self::answer::{
    CompanyName, CustomerName, Explanation, Provenance, SearchAnswer, SearchHit, WordMatch,
};

use std::collections::{BTreeMap, BTreeSet};
use std::time::Instant;

use hublore_index::{KnowledgeIndex, Request};
use serde::{Deserialize, Deserializer};

use self::asked::Asked;
use super::KnowledgeError;
use super::scope::Caller;
use crate::domain::clock::Millis;
use crate::domain::engagement::Kind;
use crate::domain::ids::OrgId;
use crate::store::conn::Conn;
use crate::store::{Store, StoreError, checkpoints};

/// A search as asked over HTTP, MCP or the command line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchRequest {
    /// What is looked for, in the query language.
    pub query: String,
    /// Only this customer (address).
    pub customer: Option<String>,
    /// Only this company (name or domain).
    pub company: Option<String>,
    /// Only these kinds of engagement, or `insight`; engagements where nothing is said.
    #[serde(deserialize_with = "null_is_empty")]
    pub kinds: Vec<String>,
    /// Not before this moment or day.
    pub since: Option<Millis>,
    /// Before this moment or day.
    pub until: Option<Millis>,
    /// Hits on a page, 1 to 100; 10 where nothing is said.
    pub limit: Option<usize>,
    /// Where the previous page ended.
    pub cursor: Option<String>,
    /// Say of each hit why it was found.
    pub explain: bool,
    /// Also list documents of nearly the same words as a better hit, which are left out otherwise.
    pub copies: bool,
}

/// Many clients write `null` for what they do not say.
fn null_is_empty<'de, D: Deserializer<'de>>(value: D) -> Result<Vec<String>, D::Error> {
    Option::<Vec<String>>::deserialize(value).map(Option::unwrap_or_default)
}

/// Searches store and index together.
#[derive(Clone)]
pub struct Search<'a> {
    /// Where the words are.
    pub store: &'a Store,
    /// Where they are found.
    pub index: &'a dyn KnowledgeIndex,
    /// Customer-scoped searches also see unlinked engagements (an admin's choice).
    pub include_unlinked: bool,
}

impl std::fmt::Debug for Search<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").field("include_unlinked", &self.include_unlinked).finish_non_exhaustive()
    }
}

impl Search<'_> {
    /// Answers one search.
    pub fn run(&self, caller: &Caller, asked: &SearchRequest) -> Result<SearchAnswer, KnowledgeError> {
        let started = Instant::now();
        let mut answer = self.store.read(|conn| {
            let asked = asked::resolve(conn, caller, asked, self.include_unlinked)?;
            self.find(conn, caller, asked)
        })?;
        answer.took_ms = (started.elapsed().as_secs_f64() * 10_000.0).round() / 10.0;
        Ok(answer)
    }

    fn find(
        &self,
        conn: &mut dyn Conn,
        caller: &Caller,
        asked: Asked,
    ) -> Result<SearchAnswer, KnowledgeError> {
        let Asked { request, scope, impossible, warnings } = asked;
        let synced_through = synced_through(conn, &caller.org)?;
        let mut out = SearchAnswer {
            hits: Vec::new(),
            total: 0,
            took_ms: 0.0,
            next_cursor: None,
            warnings,
            synced_through,
        };
        if impossible {
            return Ok(out);
        }
        // Age is counted from the newest that is known, so the same store gives the same answer.
        let newest = out.synced_through.values().map(|at| at.0).max();
        let now = [newest, request.until].into_iter().flatten().min();
        let request = Request { now, ..request };
        let found = self.index.search(&request, &scope)?;
        let (hits, instead) = hits::of(conn, &caller.org, &found, request.customers.as_deref())?;
        out.hits = hits;
        // Only what stands in the hits is told: the words of others are nobody's to guess.
        out.warnings.extend(instead.iter().map(|(word, instead)| mistyped(word, instead)));
        out.total = found.total;
        out.next_cursor = found.next_cursor.map(|cursor| cursor.0);
        Ok(out)
    }
}

fn mistyped(word: &str, instead: &BTreeSet<String>) -> String {
    let instead: Vec<&str> = instead.iter().map(String::as_str).collect();
    format!("`{word}` was taken for a typing error; found instead: {}", instead.join(", "))
}

/// Notes are written by staff; everything else may carry words of strangers.
pub(super) fn trust(kind: Kind) -> &'static str {
    match kind {
        Kind::Note => "staff_note",
        Kind::Email | Kind::Call | Kind::Meeting | Kind::FormSubmission => "crm_untrusted",
    }
}

/// Up to when each record type is known.
pub(super) fn synced_through(
    conn: &mut dyn Conn,
    org: &OrgId,
) -> Result<BTreeMap<String, Millis>, StoreError> {
    checkpoints::watermarks(conn, org)
}
