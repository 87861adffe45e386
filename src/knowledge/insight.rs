//! One insight by its id: read, checked against what its engagement says today, and why it is, or is not, found.
//!
//! An insight that the caller may not see is one that does not exist.

use hublore_index::KnowledgeIndex;
use serde::Serialize;

use super::KnowledgeError;
use super::explain::Finding;
use super::insight_documents::{Proof, customers, proof};
use super::insights::{InsightView, may_see, place_among, view};
use super::scope::{Caller, visible};
use super::search::{CompanyName, CustomerName};
use crate::domain::ids::InsightId;
use crate::domain::insight::Subject;
use crate::domain::insight::supersede;
use crate::store::conn::Conn;
use crate::store::engagements::{self, StoredEngagement};
use crate::store::insights::{self, StoredInsight};
use crate::store::{Store, people};

/// An insight with whom it is about.
#[derive(Debug, Clone, Serialize)]
pub struct Read {
    /// The insight, whether it holds or another one took its place.
    #[serde(flatten)]
    pub insight: InsightView,
    /// The customer it is about, where it is about one.
    pub customer: Option<CustomerName>,
    /// The company it is about, or the customer's.
    pub company: Option<CompanyName>,
}

/// Reads an insight; `None` where there is none that the caller may see, or the words that prove it are gone.
pub fn read(store: &Store, caller: &Caller, id: &InsightId) -> Result<Option<Read>, KnowledgeError> {
    store.read(|conn| {
        let Some(row) = seen(conn, caller, id)? else { return Ok(None) };
        if !is_shown(conn, caller, id)? {
            return Ok(None);
        }
        let Some(insight) = view(conn, &row, row.is_current())? else { return Ok(None) };
        let portal = id.engagement.portal;
        let (person, company) = match &row.insight.subject {
            Subject::Contact(contact) => {
                let person = people::by_id(conn, &caller.org, portal, contact)?;
                let company = person.as_ref().and_then(|one| one.company.clone());
                (person, company)
            }
            Subject::Company(company) => (None, Some(company.clone())),
        };
        let company = match company {
            Some(company) => people::company(conn, &caller.org, portal, &company)?,
            None => None,
        };
        Ok(Some(Read {
            insight,
            customer: person.map(|one| CustomerName { email: one.email, name: one.name }),
            company: company.map(|one| CompanyName { name: one.name }),
        }))
    })
}

/// The insight in the place it has among those that the caller may see.
fn seen(
    conn: &mut dyn Conn,
    caller: &Caller,
    id: &InsightId,
) -> Result<Option<StoredInsight>, KnowledgeError> {
    let Some(mut row) = insights::get(conn, &caller.org, id)? else { return Ok(None) };
    if !may_see(conn, caller, &row)? {
        return Ok(None);
    }
    // What a bound caller may not read takes no place from what it may.
    if caller.bound_to.is_some() {
        let mut known = Vec::new();
        for one in insights::of_subject(conn, &caller.org, id.engagement.portal, &row.insight.subject)? {
            if may_see(conn, caller, &one)? {
                known.push(one.for_chain());
            }
        }
        place_among(&mut row, &supersede::resolve(&known));
    }
    Ok(Some(row))
}

/// Whether the engagement that proves it is knowledge.
fn is_shown(conn: &mut dyn Conn, caller: &Caller, id: &InsightId) -> Result<bool, KnowledgeError> {
    let engagement = engagements::get(conn, &caller.org, &id.engagement)?;
    Ok(engagement.as_ref().is_some_and(StoredEngagement::is_shown))
}

/// Explains one insight; with `customer`, why a search for that address does not show it.
pub fn finding(
    store: &Store,
    index: &dyn KnowledgeIndex,
    caller: &Caller,
    id: &InsightId,
    customer: Option<&str>,
) -> Result<Finding, KnowledgeError> {
    let document = id.to_string();
    let indexed = match index.version_of(caller.org.as_str(), &document) {
        // Nothing is, until it is built.
        Err(hublore_index::Error::NeedsRebuild(_)) => None,
        version => version?,
    };
    let (code, reason, text) = store.read(|conn| {
        let Some(row) = seen(conn, caller, id)? else { return absent(conn, caller, id) };
        standing(conn, caller, &row, indexed, customer)
    })?;
    let linked = code != "unknown" && code != "retired";
    Ok(Finding { id: document, code, reason, rule: None, ruling: None, linked, text })
}

type Standing = (&'static str, Option<String>, String);

fn absent(conn: &mut dyn Conn, caller: &Caller, id: &InsightId) -> Result<Standing, KnowledgeError> {
    // Whoever is limited to a customer may not learn that somebody else's was there.
    let retired = if caller.is_limited() { None } else { insights::retired(conn, &caller.org, id)? };
    Ok(match retired {
        Some(reason) => {
            let text = format!("it stood once and no longer does: what proves it is {reason}");
            ("retired", Some(reason), text)
        }
        None => ("unknown", None, "there is no such insight here".to_owned()),
    })
}

/// Where an insight stands. That it is not shown comes before where it would be.
fn standing(
    conn: &mut dyn Conn,
    caller: &Caller,
    row: &StoredInsight,
    indexed: Option<u64>,
    customer: Option<&str>,
) -> Result<Standing, KnowledgeError> {
    let told = |code, text: &str| Ok((code, None, text.to_owned()));
    if let Some(by) = &row.superseded_by {
        return told(
            "superseded",
            &format!("{by} took its place; contexts show it as superseded, searches do not"),
        );
    }
    if let Some(earlier) = &row.supports {
        return told("supports", &format!("it says the same as {earlier}, which stands for both"));
    }
    if !is_shown(conn, caller, &row.insight.id)? || proof(conn, row)?.is_none() {
        return told("stale", "the words that prove it are not there any more, so it is not shown");
    }
    if indexed != Some(row.version()) {
        return told("not_yet_indexed", "it is stored and waits for the next commit of the index");
    }
    if let Some(address) = customer {
        let wanted = visible(conn, caller, Some(address), false)?.customers.unwrap_or_default();
        if !customers(conn, row)?.iter().any(|key| wanted.contains(key)) {
            return told("no_link", &format!("it is indexed, but about nobody of the address {address}"));
        }
    }
    told("indexed", "it is indexed; contexts show it, and searches that ask for the kind insight find it")
}

/// Whether an insight still stands.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// `valid`, or `stale` where the words that prove it are not there any more.
    pub status: &'static str,
    /// Why it is stale: `changed`, `skipped`.
    pub reason: Option<String>,
    /// The words, where they are there.
    pub evidence: Option<Proof>,
    /// The insight that took its place, where one did: it was true, and proved, until then.
    pub superseded_by: Option<String>,
}

/// Checks an insight against what its engagement says today; `None` where there is none that the caller may see.
pub fn check(store: &Store, caller: &Caller, id: &InsightId) -> Result<Option<Check>, KnowledgeError> {
    store.read(|conn| {
        let stale = |reason: String| Check {
            id: id.to_string(),
            status: "stale",
            reason: Some(reason),
            evidence: None,
            superseded_by: None,
        };
        let Some(row) = insights::get(conn, &caller.org, id)? else {
            // What is gone has no customer any more by which a limited caller could be let in.
            if caller.is_limited() {
                return Ok(None);
            }
            return Ok(insights::retired(conn, &caller.org, id)?.map(stale));
        };
        if !may_see(conn, caller, &row)? {
            return Ok(None);
        }
        if !is_shown(conn, caller, id)? {
            return Ok(Some(stale("skipped".to_owned())));
        }
        Ok(Some(match proof(conn, &row)? {
            None => stale("changed".to_owned()),
            Some(evidence) => Check {
                id: id.to_string(),
                status: "valid",
                reason: None,
                evidence: Some(evidence),
                superseded_by: row.superseded_by.filter(|_| caller.bound_to.is_none()),
            },
        }))
    })
}
