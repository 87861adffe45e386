//! Insights as rows, their places in chains, and what the index and the answers read of them.
//!
//! Rows of an engagement are replaced as a whole; [`Chains`] collects which chains that touched and settles each once
//! per transaction with `domain::insight::supersede`, so that what is stored follows from the rows alone.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use super::crm::Tenant;
use super::ledger::{self, Operation};
use crate::domain::clock::Millis;
use crate::domain::engagement;
use crate::domain::ids::{DocumentId, InsightId, OrgId, PortalId};
use crate::domain::insight::dates::Day;
use crate::domain::insight::kinds::Kind;
use crate::domain::insight::supersede::{self, Place};
use crate::domain::insight::{Asserted, Evidence, Insight, Subject};
use crate::params;

/// Why insights no longer stand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retired {
    /// The words, or what they are read as, changed.
    Changed,
    /// The engagement is no longer learned from.
    Skipped,
    /// The engagement, its customer or the whole of it is gone: nothing may be left of it.
    Erased,
}

impl Retired {
    fn as_str(self) -> Option<&'static str> {
        match self {
            Self::Changed => Some("changed"),
            Self::Skipped => Some("skipped"),
            Self::Erased => None,
        }
    }
}

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

/// Hash of everything an insight says by itself.
fn content(insight: &Insight) -> i64 {
    let mut hasher = Sha256::new();
    let evidence = &insight.evidence;
    for field in [
        insight.kind.as_str(),
        &insight.slot,
        &insight.statement,
        insight.language.as_deref().unwrap_or_default(),
        insight.value.as_deref().unwrap_or_default(),
        insight.asserted_by.as_str(),
        insight.said_by.as_deref().unwrap_or_default(),
        &insight.distiller,
        &insight.rules,
    ] {
        hasher.update(field.as_bytes());
        hasher.update([0]);
    }
    hasher.update(evidence.quote_hash);
    hasher.update(insight.said_at.0.to_le_bytes());
    hasher.update(insight.position.to_le_bytes());
    hasher.update(insight.valid_from.0.to_le_bytes());
    hasher.update(insight.confidence.to_le_bytes());
    hasher.update([u8::from(insight.claim)]);
    let hash: [u8; 32] = hasher.finalize().into();
    i64::from_le_bytes([hash[0], hash[1], hash[2], hash[3], hash[4], hash[5], hash[6], hash[7]])
}

/// The key of a chain: subject and slot.
type ChainKey = (&'static str, String, String);

/// Chains that a transaction touched; settled once at its end.
#[derive(Debug, Default)]
pub struct Chains {
    touched: BTreeSet<ChainKey>,
    /// Insights the index does not know, or knows otherwise.
    fresh: HashMap<InsightId, Fresh>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fresh {
    New,
    Rewritten,
}

impl Chains {
    fn touch(&mut self, subject: &Subject, slot: &str) {
        self.touched.insert((subject.record_type(), subject.id().to_owned(), slot.to_owned()));
    }

    /// Gives every insight of the touched chains its place, and tells the ledger what that changes in the index.
    pub fn settle(self, conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<(), StoreError> {
        let Self { touched, fresh } = self;
        for (record_type, subject, slot) in touched {
            let sql = by_chain!(" and k.slot = $5");
            let rows = all(conn, sql, params![org, portal, record_type, &subject, &slot], stored)?;
            let places = supersede::resolve(&rows.iter().map(StoredInsight::for_chain).collect::<Vec<_>>());
            for row in rows {
                let id = row.insight.id.to_string();
                let place = places.get(&id).cloned().unwrap_or_default();
                settle_one(conn, &row, &place, fresh.get(&row.insight.id).copied())?;
            }
        }
        Ok(())
    }
}

fn settle_one(
    conn: &mut dyn Conn,
    row: &StoredInsight,
    place: &Place,
    fresh: Option<Fresh>,
) -> Result<(), StoreError> {
    let before = Place {
        supports: row.supports.clone(),
        superseded_by: row.superseded_by.clone(),
        valid_to: row.valid_to,
        superseded_at_ms: row.superseded_at.map(|at| at.0),
        support: row.support,
    };
    let moved = before != *place;
    if moved {
        let (id, document) = (&row.insight.id, &row.insight.evidence.document);
        let sql = "update insights set supports = $6, superseded_by = $7, valid_to = $8, superseded_at = $9, \
                   support = $10 where org = $1 and portal = $2 and engagement_kind = $3 and engagement = $4 \
                   and hash = $5";
        conn.execute(
            sql,
            params![
                &row.org,
                document.portal,
                document.kind.as_str(),
                &document.id,
                &id.hash,
                &place.supports,
                &place.superseded_by,
                place.valid_to.map(|day| i64::from(day.0)),
                place.superseded_at_ms,
                i64::from(place.support),
            ],
        )?;
    }
    let was = row.is_current() && fresh != Some(Fresh::New);
    let is = place.superseded_by.is_none() && place.supports.is_none();
    let operation = match (was, is) {
        (true, false) => Operation::Remove,
        (_, true) if !was || moved || fresh.is_some() => Operation::Put,
        _ => return Ok(()),
    };
    ledger::append(conn, &row.org, &row.insight.id.to_string(), operation).map(drop)
}

/// Makes `insights` the insights of an engagement, in place of those it had.
pub fn replace(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    document: &DocumentId,
    insights: &[Insight],
    why: Retired,
    chains: &mut Chains,
) -> Result<(), StoreError> {
    let known = of_engagement(conn, tenant.org, document)?;
    replace_known(conn, tenant, &known, insights, why, chains)
}

/// The same for an engagement that changed: its insights are found by others now, those too that say the same as before.
pub fn replace_of_changed(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    document: &DocumentId,
    insights: &[Insight],
    why: Retired,
    chains: &mut Chains,
) -> Result<(), StoreError> {
    let known = of_engagement(conn, tenant.org, document)?;
    touch(conn, tenant.org, &known)?;
    replace_known(conn, tenant, &known, insights, why, chains)
}

fn replace_known(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    known: &[StoredInsight],
    insights: &[Insight],
    why: Retired,
    chains: &mut Chains,
) -> Result<(), StoreError> {
    let mut before: BTreeMap<&str, &StoredInsight> =
        known.iter().map(|row| (row.insight.id.hash.as_str(), row)).collect();
    for insight in insights {
        let content = content(insight);
        match before.remove(insight.id.hash.as_str()) {
            Some(row) if row.content == content => {}
            row => {
                let fresh = if row.is_some() { Fresh::Rewritten } else { Fresh::New };
                put(conn, tenant, insight, content)?;
                chains.touch(&insight.subject, &insight.slot);
                chains.fresh.insert(insight.id.clone(), fresh);
            }
        }
    }
    before.into_values().try_for_each(|row| remove(conn, tenant.now, row, why, chains))
}

fn put(conn: &mut dyn Conn, tenant: Tenant<'_>, insight: &Insight, content: i64) -> Result<(), StoreError> {
    let (evidence, document) = (&insight.evidence, &insight.evidence.document);
    let number = |n: usize| i64::try_from(n).unwrap_or(i64::MAX);
    let sql = "insert into insights (org, portal, engagement_kind, engagement, hash, subject_type, subject, kind, slot, \
               statement, language, value, passage, evidence_start, evidence_end, quote_hash, asserted_by, said_by, \
               claim, said_at, position, valid_from, recorded_at, support, confidence, distiller, rules, content) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
               $22, $23, 0, $24, $25, $26, $27) \
               on conflict (org, portal, engagement_kind, engagement, hash) do update set \
               statement = excluded.statement, language = excluded.language, quote_hash = excluded.quote_hash, \
               asserted_by = excluded.asserted_by, said_by = excluded.said_by, claim = excluded.claim, \
               said_at = excluded.said_at, position = excluded.position, valid_from = excluded.valid_from, \
               confidence = excluded.confidence, distiller = excluded.distiller, rules = excluded.rules, \
               content = excluded.content";
    conn.execute(
        sql,
        params![
            tenant.org,
            tenant.portal,
            document.kind.as_str(),
            &document.id,
            &insight.id.hash,
            insight.subject.record_type(),
            insight.subject.id(),
            insight.kind.as_str(),
            &insight.slot,
            &insight.statement,
            &insight.language,
            &insight.value,
            number(evidence.passage),
            number(evidence.start),
            number(evidence.end),
            &evidence.quote_hash,
            insight.asserted_by.as_str(),
            &insight.said_by,
            insight.claim,
            insight.said_at,
            i64::try_from(insight.position).unwrap_or(i64::MAX),
            i64::from(insight.valid_from.0),
            tenant.now,
            f64::from(insight.confidence),
            &insight.distiller,
            &insight.rules,
            content,
        ],
    )?;
    let sql = "delete from retired_insights where org = $1 and portal = $2 and engagement_kind = $3 \
               and engagement = $4 and hash = $5";
    conn.execute(sql, key_of(tenant.org, &insight.id).as_slice()).map(drop)
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

fn remove(
    conn: &mut dyn Conn,
    now: Millis,
    row: &StoredInsight,
    why: Retired,
    chains: &mut Chains,
) -> Result<(), StoreError> {
    let (org, id) = (&row.org, &row.insight.id);
    let sql = "delete from insights where org = $1 and portal = $2 and engagement_kind = $3 and engagement = $4 and hash = $5";
    conn.execute(sql, key_of(org, id).as_slice())?;
    if let Some(reason) = why.as_str() {
        let document = &id.engagement;
        conn.execute(
            "insert into retired_insights (org, portal, engagement_kind, engagement, hash, reason, retired_at) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict (org, portal, engagement_kind, engagement, hash) \
             do update set reason = excluded.reason, retired_at = excluded.retired_at",
            params![org, document.portal, document.kind.as_str(), &document.id, &id.hash, reason, now],
        )?;
    }
    chains.touch(&row.insight.subject, &row.insight.slot);
    if row.is_current() && chains.fresh.remove(id) != Some(Fresh::New) {
        ledger::append(conn, org, &id.to_string(), Operation::Remove)?;
    }
    Ok(())
}

/// Removes every insight of an engagement that is gone, and what was remembered of earlier ones.
pub fn erase_engagement(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<(), StoreError> {
    let mut chains = Chains::default();
    for row in of_engagement(conn, org, document)? {
        remove(conn, Millis(0), &row, Retired::Erased, &mut chains)?;
    }
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    let sql = "delete from retired_insights where org = $1 and portal = $2 and engagement_kind = $3 and engagement = $4";
    conn.execute(sql, key)?;
    let sql = "delete from rule_decisions where org = $1 and portal = $2 and kind = $3 and id = $4";
    conn.execute(sql, key)?;
    let sql = "delete from engagements_due where org = $1 and portal = $2 and kind = $3 and id = $4";
    conn.execute(sql, key)?;
    super::model::erase(conn, org, document)?;
    chains.settle(conn, org, document.portal)
}

/// Removes every insight about a contact or company that is gone.
pub fn erase_subject(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    subject: &Subject,
) -> Result<(), StoreError> {
    let mut chains = Chains::default();
    for row in of_subject(conn, org, portal, subject)? {
        remove(conn, Millis(0), &row, Retired::Erased, &mut chains)?;
    }
    chains.settle(conn, org, portal)
}

/// Names changed: the index takes the documents about a subject anew.
pub fn touch_subject(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    subject: &Subject,
) -> Result<(), StoreError> {
    for row in of_subject(conn, org, portal, subject)?.into_iter().filter(StoredInsight::is_current) {
        ledger::append(conn, org, &row.insight.id.to_string(), Operation::Put)?;
    }
    Ok(())
}

/// Marks the insights that an engagement proves as changed: whose it is decides who finds them.
pub fn touch_engagement(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<(), StoreError> {
    let known = of_engagement(conn, org, document)?;
    touch(conn, org, &known)
}

fn touch(conn: &mut dyn Conn, org: &OrgId, known: &[StoredInsight]) -> Result<(), StoreError> {
    for row in known.iter().filter(|row| row.is_current()) {
        ledger::append(conn, org, &row.insight.id.to_string(), Operation::Put)?;
    }
    Ok(())
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
