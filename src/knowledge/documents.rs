//! Rows become documents: what the index is told about an engagement, names of its customers included.
//!
//! One at a time for the follower; for a rebuild, `shelf` reads what a whole page needs at once.

mod shelf;

pub use self::shelf::Shelf;

use hublore_index::{Change, Document, Language, Passage};

use super::insight_documents;
use crate::domain::ids::{InsightId, OrgId, company_key, customer_key};
use crate::store::conn::Conn;
use crate::store::engagements::{self, StoredEngagement};
use crate::store::insights::{self, StoredInsight};
use crate::store::ledger::Operation;
use crate::store::people::{self, Organisation, Person};
use crate::store::{StoreError, ledger, near_copies};

/// Hosts of links by which an engagement is found; a newsletter may have hundreds.
const MOST_HOSTS: usize = 20;

/// Everybody and everything an engagement is tied to.
#[derive(Debug, Default)]
struct Ties {
    people: Vec<Person>,
    /// Those of the engagement itself first, then those of its people.
    companies: Vec<Organisation>,
    deals: Vec<String>,
    /// Contacts who got a copy of this mail, and their companies.
    recipients: Vec<String>,
    their_companies: Vec<String>,
}

/// The document of a learned engagement.
pub fn of(conn: &mut dyn Conn, engagement: StoredEngagement) -> Result<Document, StoreError> {
    let (org, document) = (&engagement.org, &engagement.document);
    let people = people::of_engagement(conn, org, document)?;
    let mut companies = people::companies_of_engagement(conn, org, document)?;
    for id in people.iter().filter_map(|person| person.company.as_deref()) {
        if !companies.iter().any(|company| company.id == id) {
            companies.extend(people::company(conn, org, document.portal, id)?);
        }
    }
    let ties = Ties {
        people,
        companies,
        deals: people::deal_names_of_engagement(conn, org, document)?,
        recipients: near_copies::recipients(conn, org, document)?,
        their_companies: near_copies::recipient_companies(conn, org, document)?,
    };
    Ok(document_of(engagement, ties))
}

fn document_of(engagement: StoredEngagement, ties: Ties) -> Document {
    let document = &engagement.document;
    let portal = document.portal;
    let mut names = ties.deals;
    for person in &ties.people {
        names.extend([&person.email, &person.name, &person.phone].into_iter().flatten().cloned());
    }
    for company in &ties.companies {
        names.extend([&company.name, &company.domain].into_iter().flatten().cloned());
    }
    // What a text links to often stands behind other words.
    names.extend(engagement.link_hosts.iter().take(MOST_HOSTS).cloned());
    let people = ties.people.iter().map(|person| customer_key(portal, &person.id));
    // Everybody who got a copy of this mail finds it.
    let recipients = ties.recipients.iter().map(|id| customer_key(portal, id));
    let companies = ties.companies.iter().map(|company| company_key(portal, &company.id));
    let theirs = ties.their_companies.iter().map(|id| company_key(portal, id));
    Document {
        id: document.to_string(),
        org: engagement.org.as_str().to_owned(),
        version: engagement.seq,
        order: engagement.seq,
        kind: document.kind.as_str().to_owned(),
        customers: each_once(people.chain(recipients)),
        companies: each_once(companies.chain(theirs)),
        linked: !ties.people.is_empty(),
        owner: engagement.owner,
        names,
        occurred_at: engagement.occurred_at.0,
        title: engagement.title.unwrap_or_default(),
        passages: engagement.passages.into_iter().map(passage).collect(),
    }
}

fn each_once(keys: impl Iterator<Item = String>) -> Vec<String> {
    let mut keys: Vec<String> = keys.collect();
    keys.sort();
    keys.dedup();
    keys
}

fn passage(passage: crate::domain::engagement::Passage) -> Passage {
    Passage { language: language(passage.language.as_deref()), text: passage.text }
}

/// The index's name of a language.
#[must_use]
pub fn language(code: Option<&str>) -> Language {
    code.map_or(Language::Unknown, Language::from_code)
}

/// What the index must do about a change of the ledger, read from the store as it is now.
///
/// A row may have changed again since; its later change then does the same once more.
pub fn change(conn: &mut dyn Conn, change: &ledger::Change) -> Result<Change, StoreError> {
    let remove = || Change::Remove { org: change.org.as_str().to_owned(), id: change.document.clone() };
    if change.operation == Operation::Remove {
        return Ok(remove());
    }
    if let Ok(insight) = change.document.parse::<InsightId>() {
        let row = insights::get(conn, &change.org, &insight)?.filter(StoredInsight::is_current);
        let document =
            row.map(|row| insight_documents::document(conn, &row, change.seq)).transpose()?.flatten();
        return Ok(document.map_or_else(remove, Change::Put));
    }
    let Ok(document) = change.document.parse() else {
        return Ok(remove());
    };
    match engagements::get(conn, &change.org, &document)? {
        Some(engagement) if engagement.is_learned() => {
            let document = of(conn, engagement)?;
            // A repair changes no row: it is the change that is newer.
            let order = document.order.max(change.seq);
            Ok(Change::Put(Document { order, ..document }))
        }
        _ => Ok(remove()),
    }
}

/// Documents of a page of insights, those that hold only; every change of them up to `order` is in them.
pub fn of_insights(
    conn: &mut dyn Conn,
    page: &[StoredInsight],
    order: u64,
) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::with_capacity(page.len());
    for row in page.iter().filter(|row| row.is_current()) {
        changes.extend(insight_documents::document(conn, row, order)?.map(Change::Put));
    }
    Ok(changes)
}

/// The organisations documents may belong to.
pub fn organisations(conn: &mut dyn Conn) -> Result<Vec<OrgId>, StoreError> {
    crate::store::orgs::list(conn)
}
