//! What changes the insights of the store: replacing those of an engagement, erasing, and settling chains.
//!
//! Rows of an engagement are replaced as a whole; [`Chains`] collects which chains that touched and settles each once
//! per transaction with `domain::insight::supersede`, so that what is stored follows from the rows alone. A row whose
//! place cannot have moved touches no chain, and one that only carries another stamp of distiller and rules is not news
//! to the index.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use sha2::{Digest, Sha256};

use super::{StoredInsight, key_of, of_chain, of_engagement, of_subject};
use crate::domain::clock::Millis;
use crate::domain::ids::{DocumentId, InsightId, OrgId, PortalId};
use crate::domain::insight::supersede::{self, Place};
use crate::domain::insight::{Insight, Subject};
use crate::params;
use crate::store::conn::Conn;
use crate::store::crm::Tenant;
use crate::store::ledger::{self, Operation};
use crate::store::{StoreError, model};

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

/// Hash of everything an insight says by itself; who found it under which rules is not among that.
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
            let rows = of_chain(conn, org, portal, (record_type, &subject, &slot))?;
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
        match before.remove(insight.id.hash.as_str()) {
            None => add(conn, tenant, insight, chains)?,
            Some(row) => change(conn, tenant, row, insight, chains)?,
        }
    }
    before.into_values().try_for_each(|row| remove(conn, tenant.now, row, why, chains))
}

fn add(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    insight: &Insight,
    chains: &mut Chains,
) -> Result<(), StoreError> {
    put(conn, tenant, insight, content(insight))?;
    chains.touch(&insight.subject, &insight.slot);
    chains.fresh.insert(insight.id.clone(), Fresh::New);
    Ok(())
}

/// Writes as little as tells the difference: nothing, the stamps, or the row; a chain is settled anew only where the
/// place of the row can move.
fn change(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    row: &StoredInsight,
    insight: &Insight,
    chains: &mut Chains,
) -> Result<(), StoreError> {
    let content = content(insight);
    if row.content == content {
        return if same_stamps(row, insight) { Ok(()) } else { restamp(conn, tenant.org, insight) };
    }
    put(conn, tenant, insight, content)?;
    let after = StoredInsight { insight: insight.clone(), ..row.clone() };
    if after.for_chain() != row.for_chain() {
        chains.touch(&insight.subject, &insight.slot);
        chains.fresh.insert(insight.id.clone(), Fresh::Rewritten);
    } else if row.is_current() {
        ledger::append(conn, tenant.org, &insight.id.to_string(), Operation::Put)?;
    }
    Ok(())
}

/// Whether replacing `known` by `insights` would write nothing.
#[must_use]
pub fn is_same(known: &[StoredInsight], insights: &[Insight]) -> bool {
    known.len() == insights.len()
        && insights.iter().all(|insight| {
            let row = known.iter().find(|row| row.insight.id.hash == insight.id.hash);
            row.is_some_and(|row| row.content == content(insight) && same_stamps(row, insight))
        })
}

fn same_stamps(row: &StoredInsight, insight: &Insight) -> bool {
    row.insight.distiller == insight.distiller && row.insight.rules == insight.rules
}

/// Notes that the insight was found once more by another distiller or under other rules.
fn restamp(conn: &mut dyn Conn, org: &OrgId, insight: &Insight) -> Result<(), StoreError> {
    let sql = "update insights set distiller = $6, rules = $7 where org = $1 and portal = $2 \
               and engagement_kind = $3 and engagement = $4 and hash = $5";
    let document = &insight.id.engagement;
    conn.execute(
        sql,
        params![
            org,
            document.portal,
            document.kind.as_str(),
            &document.id,
            &insight.id.hash,
            &insight.distiller,
            &insight.rules,
        ],
    )
    .map(drop)
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
    model::erase(conn, org, document)?;
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
