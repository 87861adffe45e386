//! Why an engagement is, or is not, found: one reason code and one sentence.
//!
//! The code is for programs (`indexed`, `skipped`, `held`, `not_yet_indexed`, `near_copy`, `unknown`); what a
//! caller may not see is `unknown` to it.

use hublore_index::KnowledgeIndex;
use serde::Serialize;

use super::KnowledgeError;
use super::scope::{Caller, visible};
use super::search::{CustomerName, trust};
use crate::domain::clock::Millis;
use crate::domain::engagement::{Kind, Passage, SkipReason};
use crate::domain::ids::{DocumentId, customer_key};
use crate::store::Store;
use crate::store::conn::Conn;
use crate::store::engagements::{self, StoredEngagement};
use crate::store::people::{self, Person};

/// An engagement as an agent reads it.
#[derive(Debug, Clone, Serialize)]
pub struct Engagement {
    /// Document id.
    pub id: String,
    /// Kind.
    pub kind: Kind,
    /// Subject or title.
    pub title: Option<String>,
    /// New text, passage by passage, secrets masked.
    pub passages: Vec<Passage>,
    /// When it happened.
    pub occurred_at: Millis,
    /// Address in HubSpot's app.
    pub url: Option<String>,
    /// Customers it is tied to.
    pub customers: Vec<CustomerName>,
    /// How far the text may be trusted.
    pub trust: &'static str,
}

/// Why an engagement is, or is not, found.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Document id.
    pub id: String,
    /// The reason code.
    pub code: &'static str,
    /// Why it is not knowledge, where that is the cause.
    pub reason: Option<String>,
    /// The rule that decided, where one did.
    pub rule: Option<String>,
    /// It is tied to a known customer; if not, customer-scoped searches do not show it.
    pub linked: bool,
    /// The same as a sentence.
    pub text: String,
}

/// The engagement, if it exists and the caller may see it.
fn seen(
    conn: &mut dyn Conn,
    caller: &Caller,
    document: &DocumentId,
) -> Result<Option<(StoredEngagement, Vec<Person>)>, KnowledgeError> {
    let Some(row) = engagements::get(conn, &caller.org, document)? else {
        return Ok(None);
    };
    let people = people::of_engagement(conn, &caller.org, document)?;
    let customers = visible(conn, caller, None, false)?.customers;
    let allowed = customers.is_none_or(|keys| {
        people.iter().any(|person| keys.contains(&customer_key(person.portal, &person.id)))
    });
    Ok(allowed.then_some((row, people)))
}

/// Reads one engagement; `None` where there is none that the caller may see.
pub fn engagement(
    store: &Store,
    caller: &Caller,
    document: &DocumentId,
) -> Result<Option<Engagement>, KnowledgeError> {
    let found = store.read(|conn| seen(conn, caller, document))?;
    let learned = found.filter(|(row, _)| row.is_learned());
    Ok(learned.map(|(row, people)| Engagement {
        id: row.document.to_string(),
        kind: row.document.kind,
        title: row.title,
        passages: row.passages,
        occurred_at: row.occurred_at,
        url: row.url,
        customers: people.into_iter().map(|one| CustomerName { email: one.email, name: one.name }).collect(),
        trust: trust(row.document.kind),
    }))
}

/// Explains one engagement.
pub fn finding(
    store: &Store,
    index: &dyn KnowledgeIndex,
    caller: &Caller,
    document: &DocumentId,
) -> Result<Finding, KnowledgeError> {
    let found = store.read(|conn| seen(conn, caller, document))?;
    let id = document.to_string();
    let Some((row, people)) = found else {
        let text =
            "there is no such engagement here: it was never read, or HubSpot no longer has it".to_owned();
        return Ok(Finding { id, code: "unknown", reason: None, rule: None, linked: false, text });
    };
    let indexed = index.version_of(caller.org.as_str(), &id)?;
    let code = code(&row, indexed);
    let text = sentence(code, &row, people.is_empty());
    Ok(Finding { id, code, reason: row.reason, rule: row.rule, linked: !people.is_empty(), text })
}

fn code(row: &StoredEngagement, indexed: Option<u64>) -> &'static str {
    match row.decision.as_str() {
        _ if row.reason.as_deref() == Some(SkipReason::NearCopy.as_str()) => "near_copy",
        "learned" if indexed == Some(row.seq) => "indexed",
        "learned" => "not_yet_indexed",
        "held" => "held",
        _ => "skipped",
    }
}

fn sentence(code: &str, row: &StoredEngagement, unlinked: bool) -> String {
    let reason = row.reason.as_deref().unwrap_or("no reason");
    let rule = row.rule.as_ref().map(|rule| format!(" by rule {rule}")).unwrap_or_default();
    let cause = match reason {
        "redacted" => "HubSpot withheld the body because the scope sales-email-read is missing",
        "empty_body" => "it has neither a title nor text",
        "near_copy" => "it is one of many copies, which one document stands for",
        other => other,
    };
    match code {
        "indexed" if unlinked => {
            "it is indexed, but tied to no known customer: customer-scoped searches leave it out"
        }
        "indexed" => "it is indexed; searches find it by its new text, title and customers",
        "not_yet_indexed" => "it is stored and waits for the next commit of the index",
        "held" => return format!("it is held{rule}: the judge could not decide and is asked again"),
        _ => return format!("it is stored but not learned{rule}: {cause}"),
    }
    .to_owned()
}

/// The document id that was typed; an id as HubSpot writes it is looked for in every kind.
pub fn document(store: &Store, caller: &Caller, text: &str) -> Result<DocumentId, KnowledgeError> {
    if let Ok(document) = text.parse() {
        return Ok(document);
    }
    // Looking an id up in every kind would tell a limited caller what exists beyond its limits.
    let found: Vec<DocumentId> = match caller.is_limited() {
        true => Vec::new(),
        false => store.read(|conn| engagements::with_id(conn, &caller.org, text))?,
    };
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(KnowledgeError::BadRequest(format!(
            "no engagement has the id `{text}`; full ids look like hubspot:PORTAL:KIND:ID"
        ))),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(KnowledgeError::BadRequest(format!("`{text}` is several engagements: {}", names.join(", "))))
        }
    }
}
