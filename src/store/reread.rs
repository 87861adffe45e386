//! Engagements read back as they were fetched, to go down the street again; and as distillers read them.

use std::collections::HashMap;

use super::StoreError;
use super::associations::{self, RecordKey};
use super::conn::{Conn, Row, all};
use super::in_step::InStep;
use super::passages;
use crate::domain::clock::Millis;
use crate::domain::engagement::{Body, Decision, Kind, Links, Passage, RawEngagement, SkipReason};
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::params;

/// A stored engagement as it was fetched, and what was decided about it. Links are not read yet.
#[derive(Debug, Clone)]
pub struct Fetched {
    /// As fetched, as far as rows keep it.
    pub raw: RawEngagement,
    /// Whether it is knowledge.
    pub decision: Decision,
}

fn decision(name: &str, reason: Option<&str>, rule: Option<String>) -> Decision {
    let reason = reason.and_then(SkipReason::parse);
    match (name, reason) {
        ("skipped", Some(reason)) => Decision::Skipped { reason, rule },
        ("held", Some(reason)) => Decision::Held { reason, rule },
        _ => Decision::Learned,
    }
}

/// Columns in the order [`fetched`] reads them.
macro_rules! columns {
    () => {
        "kind, id, title, body_html, body_plain, occurred_at, updated_at, owner, thread, from_address, url, properties, \
         seq, decision, reason, rule, created_at"
    };
}

fn fetched(row: &dyn Row) -> Result<Fetched, StoreError> {
    Ok(Fetched {
        raw: RawEngagement {
            kind: Kind::parse(row.text(0)?).ok_or(StoreError::Shape { column: 0 })?,
            id: row.string(1)?,
            title: row.opt_string(2)?,
            body: Body { html: row.opt_string(3)?, plain: row.opt_string(4)? },
            transcript: None,
            created_at: Millis(row.opt_int(16)?.unwrap_or(row.int(5)?)),
            occurred_at: Millis(row.int(5)?),
            updated_at: Millis(row.int(6)?),
            owner: row.opt_string(7)?,
            thread: row.opt_string(8)?,
            from_address: row.opt_string(9)?,
            from_name: None,
            outgoing: false,
            out_of_office: false,
            erased: false,
            url: row.opt_string(10)?,
            links: Links::default(),
            properties: row.string(11)?,
            reread: Some(u64::try_from(row.int(12)?).unwrap_or(0)),
        },
        decision: decision(row.text(13)?, row.opt_text(14)?, row.opt_string(15)?),
    })
}

/// Where a scan of the engagements of one portal stands.
#[derive(Debug, Clone, Default)]
pub struct Key {
    kind: String,
    id: String,
}

/// The next `limit` engagements of a portal in key order; an empty answer ends the scan.
pub fn page(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    after: &mut Key,
    limit: i64,
) -> Result<Vec<Fetched>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from hubspot_engagements where org = $1 and portal = $2 and (kind, id) > ($3, $4) order by kind, id limit $5"
    );
    let page = all(conn, sql, params![org, portal, &after.kind, &after.id, limit], fetched)?;
    if let Some(last) = page.last() {
        *after = Key { kind: last.raw.kind.as_str().to_owned(), id: last.raw.id.clone() };
    }
    Ok(page)
}

/// One engagement as it was fetched, links included.
pub fn one(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<Option<Fetched>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from hubspot_engagements where org = $1 and portal = $2 and kind = $3 and id = $4"
    );
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    let mut found = super::conn::first(conn, sql, key, fetched)?;
    if let Some(found) = &mut found {
        found.raw.links = links(conn, org, document)?;
    }
    Ok(found)
}

/// What an engagement is associated with, in HubSpot's order.
pub fn links(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<Links, StoreError> {
    let key = RecordKey { org, portal: document.portal, kind: document.kind.as_str(), id: &document.id };
    Ok(Links {
        contacts: associations::targets(conn, key, "contacts")?,
        companies: associations::targets(conn, key, "companies")?,
        deals: associations::targets(conn, key, "deals")?,
    })
}

/// A learned engagement, or a copy of one, as distillers read it.
#[derive(Debug, Clone)]
pub struct Readable {
    /// Its document id.
    pub document: DocumentId,
    /// Version of its row.
    pub seq: u64,
    /// Subject or title.
    pub title: Option<String>,
    /// All of its passages.
    pub passages: Vec<Passage>,
    passage_ids: Vec<String>,
    /// Language of the whole.
    pub language: Option<String>,
    /// A mail that staff sent.
    pub outgoing: bool,
    /// When it happened.
    pub occurred_at: Millis,
    /// Address it came from.
    pub from_address: Option<String>,
    /// Owner id.
    pub owner: Option<String>,
    /// What it is associated with; deals are not read.
    pub links: Links,
    /// It is knowledge: what is not has no insights.
    pub learned: bool,
}

impl Readable {
    /// Kind, id and time: what tells one engagement from another.
    #[must_use]
    pub fn identity(&self) -> (Kind, &str, Millis) {
        (self.document.kind, &self.document.id, self.occurred_at)
    }
}

/// Columns in the order [`readable`] reads them.
macro_rules! readable_columns {
    () => {
        "kind, id, seq, title, passage_ids, language, kind = 'email' and properties ->> 'hs_email_direction' = 'EMAIL', \
         occurred_at, from_address, owner, decision = 'learned' or reason = 'near_copy'"
    };
}

fn readable(portal: PortalId, row: &dyn Row) -> Result<Readable, StoreError> {
    let kind = Kind::parse(row.text(0)?).ok_or(StoreError::Shape { column: 0 })?;
    Ok(Readable {
        document: DocumentId { portal, kind, id: row.string(1)? },
        seq: u64::try_from(row.int(2)?).unwrap_or(0),
        title: row.opt_string(3)?,
        passages: Vec::new(),
        passage_ids: passages::list(row, 4)?,
        language: row.opt_string(5)?,
        outgoing: row.opt_int(6)?.unwrap_or(0) != 0,
        occurred_at: Millis(row.int(7)?),
        from_address: row.opt_string(8)?,
        owner: row.opt_string(9)?,
        links: Links::default(),
        learned: row.opt_int(10)?.unwrap_or(0) != 0,
    })
}

fn with_words(conn: &mut dyn Conn, org: &OrgId, found: &mut Readable) -> Result<(), StoreError> {
    let document = &found.document;
    found.passages = passages::in_order(conn, org, document, &found.passage_ids)?;
    let sql = "select to_type, to_id from associations where org = $1 and portal = $2 and from_type = $3 \
               and from_id = $4 and to_type in ('contacts', 'companies') order by position";
    let links = &mut found.links;
    conn.query(sql, params![org, document.portal, document.kind.as_str(), &document.id], &mut |row| {
        let list = if row.text(0)? == "contacts" { &mut links.contacts } else { &mut links.companies };
        list.push(row.string(1)?);
        Ok(())
    })
}

/// The next `limit` engagements of a portal for distilling; those that are not knowledge are among them, without text.
pub fn readable_page(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    after: &mut Key,
    limit: i64,
) -> Result<Vec<Readable>, StoreError> {
    let sql = concat!(
        "select ",
        readable_columns!(),
        " from hubspot_engagements where org = $1 and portal = $2 and (kind, id) > ($3, $4) order by kind, id limit $5"
    );
    let key = params![org, portal, &after.kind, &after.id, limit];
    let mut page = all(conn, sql, key, |row| readable(portal, row))?;
    if let Some(last) = page.last() {
        *after = Key { kind: last.document.kind.as_str().to_owned(), id: last.document.id.clone() };
    }
    page_words(conn, org, &mut page)?;
    page_links(conn, org, portal, &mut page)?;
    Ok(page)
}

/// Passages of a page that is in key order; none for what is not knowledge.
fn page_words(conn: &mut dyn Conn, org: &OrgId, page: &mut [Readable]) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
    let range = ((org, &first.document), (org, &last.document));
    let mut found: Vec<HashMap<String, Passage>> = vec![HashMap::new(); page.len()];
    let mut step = InStep::default();
    passages::between(conn, range, &mut |whose, id, passage| {
        if let Some(at) = step.find(page, |one| whose.is(org, &one.document)) {
            found[at].insert(id, passage);
        }
    })?;
    for (one, mut found) in page.iter_mut().zip(found).filter(|(one, _)| one.learned) {
        one.passages = one.passage_ids.iter().filter_map(|id| found.remove(id)).collect();
    }
    Ok(())
}

/// Contacts and companies of a page that is in key order, in HubSpot's order.
fn page_links(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    page: &mut [Readable],
) -> Result<(), StoreError> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(()) };
    let sql = "select to_type, to_id, position, from_type, from_id from associations where org = $1 and portal = $2 \
               and (from_type, from_id) >= ($3, $4) and (from_type, from_id) <= ($5, $6) \
               and to_type in ('contacts', 'companies') order by from_type, from_id";
    let (from, to) = (&first.document, &last.document);
    let range = params![org, portal, from.kind.as_str(), &from.id, to.kind.as_str(), &to.id];
    let mut found: Vec<Vec<(i64, bool, String)>> = vec![Vec::new(); page.len()];
    let mut step = InStep::default();
    conn.query(sql, range, &mut |row| {
        let (kind, id) = (row.text(3)?, row.text(4)?);
        if let Some(at) = step.find(page, |one| one.document.id == id && one.document.kind.as_str() == kind) {
            found[at].push((row.int(2)?, row.text(0)? == "contacts", row.string(1)?));
        }
        Ok(())
    })?;
    for (one, mut found) in page.iter_mut().zip(found).filter(|(one, _)| one.learned) {
        found.sort_by_key(|(position, ..)| *position);
        for (_, contact, id) in found {
            let list = if contact { &mut one.links.contacts } else { &mut one.links.companies };
            list.push(id);
        }
    }
    Ok(())
}

/// One engagement for distilling.
pub fn readable_one(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Option<Readable>, StoreError> {
    let sql = concat!(
        "select ",
        readable_columns!(),
        " from hubspot_engagements where org = $1 and portal = $2 and kind = $3 and id = $4"
    );
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    let mut found = super::conn::first(conn, sql, key, |row| readable(document.portal, row))?;
    if let Some(found) = &mut found {
        with_words(conn, org, found)?;
    }
    Ok(found)
}
