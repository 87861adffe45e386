//! Records that webhooks told of and that were not looked at since: a queue with one row per record, however often it was
//! told of, which survives a crash.

use std::collections::BTreeMap;

use serde::Serialize;

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use super::crm::Tenant;
use super::times::{self, Of};
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::event::{Announced, Event, Reason};
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// Records moved at once from "a run reads it" to where they belong.
const BATCH: i64 = 1_000;

/// A record that waits for a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// What was announced.
    pub announced: Announced,
    /// Grows with every announcement.
    pub told: i64,
    /// Looks that succeeded.
    pub looks: u32,
    /// Looks that failed in a row.
    pub attempts: u32,
}

/// Queues what an event is about; `number` grows with every delivery.
pub fn tell(conn: &mut dyn Conn, tenant: Tenant<'_>, number: i64, event: &Event) -> Result<(), StoreError> {
    event.about.iter().try_for_each(|one| add(conn, tenant, number, one, event.in_bulk))
}

/// Queues one record. Told of again it is due at once; that a person is to be forgotten stays said.
pub fn add(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    number: i64,
    one: &Announced,
    in_bulk: bool,
) -> Result<(), StoreError> {
    let sql = "insert into webhook_records (org, portal, type, id, told, since, told_at, deleted, forgotten, in_bulk, \
               after_run, looks, attempts, due_at) values ($1, $2, $3, $4, $5, $6, $6, $7, $8, $9, 0, 0, 0, $6) \
               on conflict (org, portal, type, id) do update set told = max(told + 1, excluded.told), told_at = excluded.told_at, \
               deleted = excluded.deleted, forgotten = max(forgotten, excluded.forgotten), \
               in_bulk = min(in_bulk, excluded.in_bulk), after_run = 0, looks = 0, due_at = excluded.due_at";
    let name = one.record_type.as_str();
    let (deleted, forgotten) = (one.reason == Reason::Deleted, one.reason == Reason::Forgotten);
    // Only what was changed is left to a run: it cannot be relied on for everything else.
    let in_bulk = in_bulk && one.reason == Reason::Changed;
    let key =
        params![tenant.org, tenant.portal, name, &one.id, number, tenant.now, deleted, forgotten, in_bulk];
    conn.execute(sql, key).map(drop)
}

fn waiting(row: &dyn Row) -> Result<Option<Waiting>, StoreError> {
    let reason = match (row.int(3)? != 0, row.int(4)? != 0) {
        (_, true) => Reason::Forgotten,
        (true, false) => Reason::Deleted,
        (false, false) => Reason::Changed,
    };
    let name = row.text(0)?;
    let record_type = RecordType::all().find(|one| one.as_str() == name);
    let small = |column| row.int(column).map(|value| u32::try_from(value).unwrap_or(u32::MAX));
    let (told, looks, attempts) = (row.int(2)?, small(5)?, small(6)?);
    let id = row.string(1)?;
    let with =
        |record_type| Waiting { announced: Announced { record_type, id, reason }, told, looks, attempts };
    Ok(record_type.map(with))
}

/// Types of which records are due at `now`; what a run reads is not due, nor what waits for the end of one.
pub fn types_due(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    now: Millis,
) -> Result<Vec<RecordType>, StoreError> {
    let sql = "select distinct type from webhook_records \
               where org = $1 and portal = $2 and in_bulk = 0 and due_at <= $3 and after_run = 0";
    let names = all(conn, sql, params![org, portal, now], |row| row.string(0))?;
    Ok(RecordType::all().filter(|one| names.iter().any(|name| name == one.as_str())).collect())
}

/// Records of a type that are due at `now`, those waiting longest first.
pub fn due(conn: &mut dyn Conn, of: Of<'_>, now: Millis, limit: i64) -> Result<Vec<Waiting>, StoreError> {
    let sql = "select type, id, told, deleted, forgotten, looks, attempts from webhook_records \
               where org = $1 and portal = $2 and type = $3 and in_bulk = 0 and due_at <= $4 and after_run = 0 \
               order by due_at limit $5";
    let rows = all(conn, sql, params![of.org, of.portal, of.record_type.as_str(), now, limit], waiting)?;
    Ok(rows.into_iter().flatten().collect())
}

/// What is remembered of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum After {
    /// Nothing is left to do.
    Done,
    /// It is to be looked at once more, at that time.
    Again(Millis),
    /// It is to be looked at once more when the run that goes on has ended.
    AfterRun,
    /// It failed for that reason and is tried again at that time.
    Failed(Millis, String),
}

/// Remembers what came of a look, unless the record was told of again meanwhile.
pub fn settle(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    one: &Waiting,
    after: &After,
) -> Result<(), StoreError> {
    let (name, id) = (one.announced.record_type.as_str(), &one.announced.id);
    let key = params![org, portal, name, id, one.told];
    let done =
        "delete from webhook_records where org = $1 and portal = $2 and type = $3 and id = $4 and told = $5";
    let again = "update webhook_records set looks = looks + 1, attempts = 0, error = null, due_at = $6 \
                 where org = $1 and portal = $2 and type = $3 and id = $4 and told = $5";
    let after_run = "update webhook_records set looks = looks + 1, attempts = 0, error = null, after_run = 1 \
                     where org = $1 and portal = $2 and type = $3 and id = $4 and told = $5";
    let failed = "update webhook_records set attempts = attempts + 1, error = $7, due_at = $6 \
                  where org = $1 and portal = $2 and type = $3 and id = $4 and told = $5";
    match after {
        After::Done => conn.execute(done, key),
        After::Again(at) => conn.execute(again, params![org, portal, name, id, one.told, *at]),
        After::AfterRun => conn.execute(after_run, key),
        After::Failed(at, why) => conn.execute(failed, params![org, portal, name, id, one.told, *at, why]),
    }
    .map(drop)
}

/// Something waits for the end of a run.
pub fn waits_for_a_run(conn: &mut dyn Conn, org: &OrgId) -> Result<bool, StoreError> {
    let sql = "select 1 from webhook_records where org = $1 and after_run = 1 limit 1";
    Ok(first(conn, sql, params![org], |row| row.int(0))?.is_some())
}

/// No run goes on: what waited for its end is due.
pub fn run_ended(conn: &mut dyn Conn, org: &OrgId, now: Millis) -> Result<u64, StoreError> {
    let sql = "update webhook_records set after_run = 0, due_at = $2 where org = $1 and after_run = 1";
    conn.execute(sql, params![org, now])
}

/// A portal is connected: what could not be looked at before is tried at once, as if it had failed for the first time.
pub fn try_again(conn: &mut dyn Conn, org: &OrgId, now: Millis) -> Result<(), StoreError> {
    let sql =
        "update webhook_records set attempts = 1, due_at = min(due_at, $2) where org = $1 and attempts > 0";
    conn.execute(sql, params![org, now]).map(drop)
}

/// A run read everything, each type through the moment `read` tells: changes it met are done, whatever else could not be
/// looked at before is tried at once.
pub fn run_was_complete(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    read: &BTreeMap<String, Millis>,
) -> Result<(), StoreError> {
    let sql = "select type, id, told, deleted, forgotten, looks, attempts from webhook_records \
               where org = $1 and portal = $2 and attempts > 0 and told_at <= $3 and type = $4";
    let (org, portal) = (tenant.org, tenant.portal);
    for record_type in RecordType::all() {
        let Some(through) = read.get(record_type.as_str()).copied() else { continue };
        let failed = all(conn, sql, params![org, portal, through, record_type.as_str()], waiting)?;
        for one in failed.into_iter().flatten().filter(|one| one.announced.reason == Reason::Changed) {
            if times::seen_since(conn, Of { org, portal, record_type }, &one.announced.id, through)? {
                settle(conn, org, portal, &one, &After::Done)?;
            }
        }
    }
    let sql = "update webhook_records set due_at = min(due_at, $2) where org = $1 and attempts > 0";
    conn.execute(sql, params![org, tenant.now]).map(drop)
}

/// More than `most` changed records wait for a look of their own.
pub fn is_burst(conn: &mut dyn Conn, org: &OrgId, portal: PortalId, most: u64) -> Result<bool, StoreError> {
    let sql = "select count(*) from (select 1 from webhook_records where org = $1 and portal = $2 and in_bulk = 0 \
               and deleted = 0 and forgotten = 0 and looks = 0 and attempts = 0 limit $3)";
    let limit = i64::try_from(most).unwrap_or(i64::MAX).saturating_add(1);
    let count = first(conn, sql, params![org, portal, limit], |row| row.int(0))?;
    Ok(count.unwrap_or(0) >= limit)
}

/// So many changed at once that a run reads them.
pub fn leave_to_a_run(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<u64, StoreError> {
    let sql = "update webhook_records set in_bulk = 1 where org = $1 and portal = $2 and in_bulk = 0 and deleted = 0 \
               and forgotten = 0 and looks = 0 and attempts = 0";
    conn.execute(sql, params![org, portal])
}

/// What of one type is left to a run: when the first and the last of them were told of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bulk {
    /// Their type.
    pub record_type: RecordType,
    /// The first.
    pub since: Millis,
    /// The last.
    pub told_at: Millis,
    /// A run that began before this met none of them.
    pub met_from: Millis,
}

/// What is left to a run, by type.
pub fn bulk(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<Vec<Bulk>, StoreError> {
    let sql = "select type, min(since), max(told_at), min(told_at) from webhook_records \
               where org = $1 and portal = $2 and in_bulk = 1 group by type";
    let found = all(conn, sql, params![org, portal], |row| {
        let name = row.text(0)?;
        let record_type = RecordType::all().find(|one| one.as_str() == name);
        let time = |column| row.int(column).map(Millis);
        let (since, told_at, met_from) = (time(1)?, time(2)?, time(3)?);
        Ok(record_type.map(|record_type| Bulk { record_type, since, told_at, met_from }))
    })?;
    Ok(found.into_iter().flatten().collect())
}

/// Every change of a type up to `through` was read by a run: what was left to it is done where it was read since, and
/// due where it was not.
pub fn settle_bulk(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record_type: RecordType,
    through: Millis,
) -> Result<(), StoreError> {
    let sql = "select type, id, told, deleted, forgotten, looks, attempts from webhook_records \
               where org = $1 and portal = $2 and in_bulk = 1 and type = $3 and told_at <= $4 limit $5";
    let (org, portal, name) = (tenant.org, tenant.portal, record_type.as_str());
    let of = Of { org, portal, record_type };
    loop {
        let left = all(conn, sql, params![org, portal, name, through, BATCH], waiting)?;
        if left.is_empty() {
            return Ok(());
        }
        for one in left.into_iter().flatten() {
            if times::seen_since(conn, of, &one.announced.id, through)? {
                settle(conn, org, portal, &one, &After::Done)?;
            } else {
                let due = "update webhook_records set in_bulk = 0, due_at = $5, looks = 1 \
                           where org = $1 and portal = $2 and type = $3 and id = $4";
                conn.execute(due, params![org, portal, name, &one.announced.id, tenant.now])?;
            }
        }
    }
}

/// What waits, as people are shown it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Queue {
    /// Records.
    pub waiting: u64,
    /// Those of them that a run reads.
    pub left_to_a_run: u64,
    /// Since when the oldest waits.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Millis>,
    /// Those whose last look failed.
    pub failing: u64,
    /// Why one of them did.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What waits.
pub fn queue(conn: &mut dyn Conn, org: &OrgId) -> Result<Queue, StoreError> {
    let sql = "select count(*), coalesce(sum(in_bulk), 0), min(since), count(error), max(error) from webhook_records \
               where org = $1";
    let found = first(conn, sql, params![org], |row| {
        let count = |column| row.int(column).map(|value| u64::try_from(value).unwrap_or(0));
        Ok(Queue {
            waiting: count(0)?,
            left_to_a_run: count(1)?,
            since: row.opt_int(2)?.map(Millis),
            failing: count(3)?,
            error: row.opt_string(4)?,
        })
    })?;
    Ok(found.unwrap_or_default())
}
