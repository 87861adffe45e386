//! Insights as rows and their places in chains: what the index and the answers read of them.
//!
//! What changes them is in `replacing`.

mod replacing;

pub use replacing::{
    Chains, Retired, erase_engagement, erase_subject, is_same, replace, replace_of_changed, touch_engagement,
    touch_subject,
};

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use super::in_step::InStep;
use crate::domain::clock::Millis;
use crate::domain::engagement;
use crate::domain::ids::{DocumentId, InsightId, OrgId, PortalId};
use crate::domain::insight::dates::Day;
use crate::domain::insight::kinds::Kind;
use crate::domain::insight::supersede;
use crate::domain::insight::{Asserted, Evidence, Insight, Subject};
use crate::params;

/// An insight with its place among the others.
#[derive(Debug, Clone, PartialEq)]
pub struct StoredInsight {
    /// Organisation.
    pub org: OrgId,
    /// The fact.
    pub insight: Insight,
    /// First day it no longer holds.
    pub valid_to: Option<Day>,
    /// When it was stored first.
    pub recorded_at: Millis,
    /// When it became known that another one took its place.
    pub superseded_at: Option<Millis>,
    /// Hash part of the id, engagement and all, of the one that took its place.
    pub superseded_by: Option<String>,
    /// The earlier insight it says the same as.
    pub supports: Option<String>,
    /// Other insights that say the same.
    pub support: u32,
    content: i64,
}

impl StoredInsight {
    /// It holds and says something of its own: a document of the index.
    #[must_use]
    pub fn is_current(&self) -> bool {
        self.superseded_by.is_none() && self.supports.is_none()
    }

    /// Version of its document.
    #[must_use]
    pub fn version(&self) -> u64 {
        self.content.cast_unsigned().wrapping_add(u64::from(self.support))
    }

    /// As far as its place depends on it.
    #[must_use]
    pub fn for_chain(&self) -> supersede::Stored {
        let one = &self.insight;
        supersede::Stored {
            id: one.id.to_string(),
            subject: format!("{}:{}", one.subject.record_type(), one.subject.id()),
            slot: one.slot.clone(),
            value: one.value.clone(),
            valid_from: one.valid_from,
            said_at_ms: one.said_at.0,
            position: one.position,
            recorded_at_ms: self.recorded_at.0,
            claim: one.claim,
            said_by: format!("{} {}", one.asserted_by.as_str(), one.said_by.as_deref().unwrap_or_default()),
        }
    }
}

/// Columns in the order [`stored`] reads them.
macro_rules! columns {
    () => {
        "i.org, i.portal, i.engagement_kind, i.engagement, i.hash, i.subject_type, i.subject, i.kind, i.slot, i.statement, i.language, i.value, \
         i.passage, i.evidence_start, i.evidence_end, i.quote_hash, i.asserted_by, i.said_by, i.claim, i.said_at, i.position, i.valid_from, \
         i.valid_to, i.recorded_at, i.superseded_at, i.superseded_by, i.supports, i.support, i.confidence, i.distiller, i.rules, i.content"
    };
}

/// The rows of a chain or subject: keys from the index of chains first, then their rows. Left to itself, SQLite takes the
/// primary key for it and walks every insight of the portal.
macro_rules! by_chain {
    ($condition:literal) => {
        concat!(
            "select ",
            columns!(),
            " from insights k cross join insights i where k.org = $1 and k.portal = $2 and k.subject_type = $3 \
             and k.subject = $4",
            $condition,
            " and i.org = k.org and i.portal = k.portal and i.engagement_kind = k.engagement_kind \
             and i.engagement = k.engagement and i.hash = k.hash"
        )
    };
}

fn stored(row: &dyn Row) -> Result<StoredInsight, StoreError> {
    let shape = |column| StoreError::Shape { column };
    let document = DocumentId {
        portal: PortalId::from_i64(row.int(1)?),
        kind: engagement::Kind::parse(row.text(2)?).ok_or(shape(2))?,
        id: row.string(3)?,
    };
    let number = |column| row.int(column).and_then(|n| usize::try_from(n).map_err(|_| shape(column)));
    let day = |column| row.opt_int(column).map(|n| n.and_then(|n| i32::try_from(n).ok()).map(Day));
    #[expect(clippy::cast_possible_truncation, reason = "stored from an f32")]
    let confidence = row.real(28)? as f32;
    Ok(StoredInsight {
        org: OrgId::new(row.text(0)?),
        insight: Insight {
            id: InsightId { engagement: document.clone(), hash: row.string(4)? },
            subject: Subject::of(row.text(5)?, row.string(6)?).ok_or(shape(5))?,
            kind: Kind::parse(row.text(7)?).ok_or(shape(7))?,
            slot: row.string(8)?,
            statement: row.string(9)?,
            language: row.opt_string(10)?,
            value: row.opt_string(11)?,
            evidence: Evidence {
                document,
                passage: number(12)?,
                start: number(13)?,
                end: number(14)?,
                quote_hash: row.blob(15)?.try_into().map_err(|_| shape(15))?,
            },
            asserted_by: Asserted::parse(row.text(16)?).ok_or(shape(16))?,
            said_by: row.opt_string(17)?,
            claim: row.int(18)? != 0,
            said_at: Millis(row.int(19)?),
            position: u64::try_from(row.int(20)?).unwrap_or(0),
            valid_from: day(21)?.ok_or(shape(21))?,
            confidence,
            distiller: row.string(29)?,
            rules: row.string(30)?,
        },
        valid_to: day(22)?,
        recorded_at: Millis(row.int(23)?),
        superseded_at: row.opt_int(24)?.map(Millis),
        superseded_by: row.opt_string(25)?,
        supports: row.opt_string(26)?,
        support: u32::try_from(row.int(27)?).unwrap_or(0),
        content: row.int(31)?,
    })
}

fn key_of<'a>(org: &'a OrgId, id: &'a InsightId) -> [super::conn::Param<'a>; 5] {
    let document = &id.engagement;
    [
        org.into(),
        document.portal.into(),
        document.kind.as_str().into(),
        (&document.id).into(),
        (&id.hash).into(),
    ]
}

/// Whether a portal has any insight.
pub fn any(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<bool, StoreError> {
    let sql = "select 1 from insights where org = $1 and portal = $2 limit 1";
    Ok(first(conn, sql, params![org, portal], |row| row.int(0))?.is_some())
}

/// The insights that an engagement proves.
pub fn of_engagement(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Vec<StoredInsight>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from insights i where org = $1 and portal = $2 and engagement_kind = $3 and engagement = $4"
    );
    all(conn, sql, params![org, document.portal, document.kind.as_str(), &document.id], stored)
}

/// The insights that a page of engagements proves; the page is in key order, and so is the answer, one list each.
pub fn of_page(
    conn: &mut dyn Conn,
    org: &OrgId,
    page: &[&DocumentId],
) -> Result<Vec<Vec<StoredInsight>>, StoreError> {
    let (Some(first), Some(last)) = (page.first(), page.last()) else { return Ok(Vec::new()) };
    let sql = concat!(
        "select ",
        columns!(),
        " from insights i where org = $1 and portal = $2 and (engagement_kind, engagement) >= ($3, $4) \
         and (engagement_kind, engagement) <= ($5, $6) order by engagement_kind, engagement, hash"
    );
    let range = params![org, first.portal, first.kind.as_str(), &first.id, last.kind.as_str(), &last.id];
    let mut found = vec![Vec::new(); page.len()];
    let mut step = InStep::default();
    conn.query(sql, range, &mut |row| {
        let insight = stored(row)?;
        if let Some(at) = step.find(page, |one| **one == insight.insight.id.engagement) {
            found[at].push(insight);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Every insight about a contact or company, superseded and supporting ones too.
pub fn of_subject(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    subject: &Subject,
) -> Result<Vec<StoredInsight>, StoreError> {
    let sql = by_chain!("");
    all(conn, sql, params![org, portal, subject.record_type(), subject.id()], stored)
}

/// One insight.
pub fn get(conn: &mut dyn Conn, org: &OrgId, id: &InsightId) -> Result<Option<StoredInsight>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from insights i where org = $1 and portal = $2 and engagement_kind = $3 and engagement = $4 and hash = $5"
    );
    first(conn, sql, key_of(org, id).as_slice(), stored)
}

/// The insights of one slot of a contact or company, superseded and supporting ones too.
fn of_chain(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    (record_type, subject, slot): (&str, &str, &str),
) -> Result<Vec<StoredInsight>, StoreError> {
    let sql = by_chain!(" and k.slot = $5");
    all(conn, sql, params![org, portal, record_type, subject, slot], stored)
}

/// Why an insight no longer stands, if it once did.
pub fn retired(conn: &mut dyn Conn, org: &OrgId, id: &InsightId) -> Result<Option<String>, StoreError> {
    let sql = "select reason from retired_insights where org = $1 and portal = $2 and engagement_kind = $3 \
               and engagement = $4 and hash = $5";
    first(conn, sql, key_of(org, id).as_slice(), |row| row.string(0))
}

/// Where a scan of all insights stands: the key of the last row handed out.
#[derive(Debug, Clone, Default)]
pub struct ScanKey {
    org: String,
    portal: i64,
    kind: String,
    id: String,
    hash: String,
}

impl ScanKey {
    /// Before the first row of an organisation.
    #[must_use]
    pub fn of_org(org: &OrgId) -> Self {
        Self { org: org.as_str().to_owned(), portal: i64::MIN, ..Self::default() }
    }
}

/// The next `limit` insights of every organisation in key order; an empty answer ends the scan.
pub fn scan(conn: &mut dyn Conn, after: &mut ScanKey, limit: i64) -> Result<Vec<StoredInsight>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from insights i where (org, portal, engagement_kind, engagement, hash) > ($1, $2, $3, $4, $5) \
         order by org, portal, engagement_kind, engagement, hash limit $6"
    );
    let key = params![&after.org, after.portal, &after.kind, &after.id, &after.hash, limit];
    let page = all(conn, sql, key, stored)?;
    if let Some(last) = page.last() {
        let document = &last.insight.id.engagement;
        *after = ScanKey {
            org: last.org.as_str().to_owned(),
            portal: document.portal.as_i64(),
            kind: document.kind.as_str().to_owned(),
            id: document.id.clone(),
            hash: last.insight.id.hash.clone(),
        };
    }
    Ok(page)
}

/// What became known from a moment on.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct News {
    /// Insights that say something of their own.
    pub added: u64,
    /// Insights whose place another one took.
    pub superseded: u64,
}

/// Counts what became known since.
pub fn news(conn: &mut dyn Conn, org: &OrgId, since: Millis) -> Result<News, StoreError> {
    let sql = "select count(*) filter (where supports is null and recorded_at >= $2), \
               count(*) filter (where superseded_at >= $2) from insights where org = $1";
    let found = first(conn, sql, params![org, since], |row| {
        let count = |column| row.int(column).map(|n| u64::try_from(n).unwrap_or(0));
        Ok(News { added: count(0)?, superseded: count(1)? })
    })?;
    Ok(found.unwrap_or_default())
}
