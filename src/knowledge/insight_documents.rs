//! Insights as documents of the index, and as answers show them.
//!
//! The quote is read from the engagement each time: what is not there any more is never shown.

use hublore_index::{Document, Passage};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::documents::language;
use crate::domain::clock::Millis;
use crate::domain::ids::{DocumentId, OrgId, colleagues_key, company_key, customer_key};
use crate::domain::insight::{Evidence, Subject};
use crate::store::conn::Conn;
use crate::store::insights::StoredInsight;
use crate::store::{StoreError, near_copies, passages, people};

/// How the index and the filters call insights.
pub const KIND: &str = "insight";
/// How far answers may trust them.
pub const TRUST: &str = "insight";

/// The proof of an insight, as answers show it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proof {
    /// Document id of the engagement.
    pub engagement_id: String,
    /// What stands there, verbatim.
    pub quote: String,
    /// Number of the passage it stands in.
    pub passage: usize,
    /// First byte in that passage.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// When it was said.
    pub said_at: Millis,
}

/// The words that prove an insight, if they are still there.
pub fn quote(conn: &mut dyn Conn, org: &OrgId, evidence: &Evidence) -> Result<Option<String>, StoreError> {
    let passages = passages::of(conn, org, &evidence.document)?;
    let text = passages.get(evidence.passage).and_then(|one| one.text.get(evidence.start..evidence.end));
    let same = |text: &&str| {
        let hash: [u8; 32] = Sha256::digest(text.as_bytes()).into();
        hash == evidence.quote_hash
    };
    Ok(text.filter(same).map(str::to_owned))
}

/// The proof of an insight, if it still holds.
pub fn proof(conn: &mut dyn Conn, row: &StoredInsight) -> Result<Option<Proof>, StoreError> {
    let evidence = &row.insight.evidence;
    let quote = quote(conn, &row.org, evidence)?;
    Ok(quote.map(|quote| Proof {
        engagement_id: evidence.document.to_string(),
        quote,
        passage: evidence.passage,
        start: evidence.start,
        end: evidence.end,
        said_at: row.insight.said_at,
    }))
}

/// The words of an insight: the statement, and the quote where it says it in other words.
#[must_use]
pub fn words(row: &StoredInsight, quote: &str) -> String {
    let insight = &row.insight;
    let lead = if insight.claim { "Claimed by the customer, not confirmed: " } else { "" };
    let statement = insight.statement.trim();
    if quote.contains(statement) || statement.contains(quote) {
        return format!("{lead}{statement}");
    }
    format!("{lead}{statement}\n\"{quote}\"")
}

/// Whom an insight is found by: the contact it is about; for a company those whose engagement proves it, and everybody
/// of the company for callers who may read what colleagues wrote.
pub(super) fn customers(conn: &mut dyn Conn, row: &StoredInsight) -> Result<Vec<String>, StoreError> {
    let document = &row.insight.evidence.document;
    let key = |contact: &String| customer_key(document.portal, contact);
    match &row.insight.subject {
        Subject::Contact(id) => Ok(vec![key(id)]),
        Subject::Company(id) => {
            let mut keys: Vec<String> = witnesses(conn, &row.org, document, id)?.iter().map(key).collect();
            keys.push(colleagues_key(document.portal, id));
            Ok(keys)
        }
    }
}

/// Contacts of a company whose engagement it is, those who got a copy of it included.
pub(super) fn witnesses(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
    company: &str,
) -> Result<Vec<String>, StoreError> {
    let people = people::of_engagement(conn, org, document)?.into_iter();
    let theirs = people.filter(|person| person.company.as_deref() == Some(company));
    let mut contacts: Vec<String> = theirs.map(|person| person.id).collect();
    for id in near_copies::recipients(conn, org, document)? {
        let named = people::named(conn, org, document.portal, &id)?;
        if !contacts.contains(&id) && named.is_some_and(|one| one.company.as_deref() == Some(company)) {
            contacts.push(id);
        }
    }
    Ok(contacts)
}

/// The document of an insight that holds, as the change with that number left it; none where its proof is gone.
pub fn document(
    conn: &mut dyn Conn,
    row: &StoredInsight,
    order: u64,
) -> Result<Option<Document>, StoreError> {
    let insight = &row.insight;
    let portal = insight.evidence.document.portal;
    let Some(quote) = quote(conn, &row.org, &insight.evidence)? else { return Ok(None) };
    let customers = customers(conn, row)?;
    let company = match &insight.subject {
        Subject::Company(id) => Some(id.clone()),
        Subject::Contact(id) => people::named(conn, &row.org, portal, id)?.and_then(|named| named.company),
    };
    let mut names = Vec::new();
    if let Subject::Contact(id) = &insight.subject
        && let Some(named) = people::named(conn, &row.org, portal, id)?
    {
        names.extend(named.email);
        names.extend(Some(named.name).filter(|name| !name.is_empty()));
    }
    if let Some(company) = &company
        && let Some(known) = people::company(conn, &row.org, portal, company)?
    {
        names.extend([known.name, known.domain].into_iter().flatten());
    }
    let language = language(insight.language.as_deref());
    Ok(Some(Document {
        id: insight.id.to_string(),
        org: row.org.as_str().to_owned(),
        version: row.version(),
        order,
        kind: KIND.to_owned(),
        customers,
        companies: company.iter().map(|id| company_key(portal, id)).collect(),
        linked: true,
        owner: None,
        names,
        occurred_at: insight.said_at.0,
        title: insight.kind.as_str().replace('_', " "),
        passages: vec![Passage { text: words(row, &quote), language }],
    }))
}
