//! Rows become documents: what the index is told about an engagement, names of its customers included.

use hublore_index::{Change, Document, Language, Passage};

use super::insight_documents;
use crate::domain::ids::{InsightId, OrgId, company_key, customer_key};
use crate::store::conn::Conn;
use crate::store::engagements::{self, StoredEngagement};
use crate::store::insights::{self, StoredInsight};
use crate::store::ledger::Operation;
use crate::store::{StoreError, ledger, near_copies, people};

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
    let mut names = people::deal_names_of_engagement(conn, org, document)?;
    for person in &people {
        names.extend([&person.email, &person.name, &person.phone].into_iter().flatten().cloned());
    }
    for company in &companies {
        names.extend([&company.name, &company.domain].into_iter().flatten().cloned());
    }
    let portal = document.portal;
    let mut customers: Vec<String> = people.iter().map(|person| customer_key(portal, &person.id)).collect();
    // Everybody who got a copy of this mail finds it.
    let recipients = near_copies::recipients(conn, org, document)?;
    customers.extend(recipients.iter().map(|id| customer_key(portal, id)));
    customers.sort();
    customers.dedup();
    let theirs = near_copies::recipient_companies(conn, org, document)?;
    let mut companies: Vec<String> =
        companies.iter().map(|company| company_key(portal, &company.id)).collect();
    companies.extend(theirs.iter().map(|id| company_key(portal, id)));
    companies.sort();
    companies.dedup();
    Ok(Document {
        id: document.to_string(),
        org: org.as_str().to_owned(),
        version: engagement.seq,
        kind: document.kind.as_str().to_owned(),
        customers,
        companies,
        linked: !people.is_empty(),
        owner: engagement.owner,
        names,
        occurred_at: engagement.occurred_at.0,
        title: engagement.title.unwrap_or_default(),
        passages: engagement.passages.into_iter().map(passage).collect(),
    })
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
        let document = row.map(|row| insight_documents::document(conn, &row)).transpose()?.flatten();
        return Ok(document.map_or_else(remove, Change::Put));
    }
    let Ok(document) = change.document.parse() else {
        return Ok(remove());
    };
    match engagements::get(conn, &change.org, &document)? {
        Some(engagement) if engagement.is_learned() => Ok(Change::Put(of(conn, engagement)?)),
        _ => Ok(remove()),
    }
}

/// Documents of a page of rows, those that are knowledge only.
pub fn of_page(conn: &mut dyn Conn, page: Vec<StoredEngagement>) -> Result<Vec<Change>, StoreError> {
    let learned = page.into_iter().filter(StoredEngagement::is_learned);
    learned.map(|engagement| of(conn, engagement).map(Change::Put)).collect()
}

/// Documents of a page of insights, those that hold only.
pub fn of_insights(conn: &mut dyn Conn, page: &[StoredInsight]) -> Result<Vec<Change>, StoreError> {
    let mut changes = Vec::with_capacity(page.len());
    for row in page.iter().filter(|row| row.is_current()) {
        changes.extend(insight_documents::document(conn, row)?.map(Change::Put));
    }
    Ok(changes)
}

/// The organisations documents may belong to.
pub fn organisations(conn: &mut dyn Conn) -> Result<Vec<OrgId>, StoreError> {
    crate::store::orgs::list(conn)
}
