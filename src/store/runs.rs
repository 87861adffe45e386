//! Sync runs and the records they could not take in.

use std::collections::BTreeMap;

use serde::Serialize;

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use super::crm::Tenant;
use crate::domain::clock::Millis;
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// How a run stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Outcome {
    /// Not ended (or the process died).
    Running,
    /// Everything was read.
    Complete,
    /// Some types could not be read to the end.
    Partial,
    /// Nothing useful happened.
    Failed,
    /// Stopped by a person or a shutdown; the next run resumes it.
    Interrupted,
}

impl Outcome {
    /// The name used in reports and rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Running => "running",
            Self::Complete => "complete",
            Self::Partial => "partial",
            Self::Failed => "failed",
            Self::Interrupted => "interrupted",
        }
    }

    fn parse(name: &str) -> Self {
        match name {
            "complete" => Self::Complete,
            "partial" => Self::Partial,
            "failed" => Self::Failed,
            "interrupted" => Self::Interrupted,
            _ => Self::Running,
        }
    }
}

/// One run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Run {
    /// Id.
    pub id: String,
    /// Mode.
    pub mode: String,
    /// Start.
    pub started_at: Millis,
    /// End, if it ended.
    pub finished_at: Option<Millis>,
    /// How it stands.
    pub outcome: Outcome,
    /// What went wrong.
    pub error: Option<String>,
}

fn run(row: &dyn Row) -> Result<Run, StoreError> {
    Ok(Run {
        id: row.string(0)?,
        mode: row.string(1)?,
        started_at: Millis(row.int(2)?),
        finished_at: row.opt_int(3)?.map(Millis),
        outcome: Outcome::parse(row.text(4)?),
        error: row.opt_string(5)?,
    })
}

/// The newest run of an organisation.
pub fn newest(conn: &mut dyn Conn, org: &OrgId) -> Result<Option<Run>, StoreError> {
    let sql = "select id, mode, started_at, finished_at, outcome, error from sync_runs where org = $1 \
               order by started_at desc, id desc limit 1";
    first(conn, sql, params![org], run)
}

/// Records the start of a run, or its resumption.
pub fn start(conn: &mut dyn Conn, org: &OrgId, id: &str, mode: &str, at: Millis) -> Result<(), StoreError> {
    conn.execute(
        "insert into sync_runs (id, org, mode, started_at, outcome) values ($1, $2, $3, $4, 'running') \
         on conflict (id) do update set outcome = 'running', finished_at = null, error = null",
        params![id, org, mode, at],
    )
    .map(drop)
}

/// Records the end of a run with its report (JSON).
pub fn finish(
    conn: &mut dyn Conn,
    id: &str,
    outcome: Outcome,
    error: Option<&str>,
    report: &str,
    at: Millis,
) -> Result<(), StoreError> {
    conn.execute(
        "update sync_runs set finished_at = $2, outcome = $3, error = $4, report = $5 where id = $1",
        params![id, at, outcome.as_str(), error, report],
    )
    .map(drop)
}

/// Keeps the name of a record that could not be taken in.
pub fn park(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record_type: &str,
    id: &str,
    reason: &str,
) -> Result<(), StoreError> {
    conn.execute(
        "insert into parked (org, portal, type, id, reason, parked_at, since) values ($1, $2, $3, $4, $5, $6, $6) \
         on conflict (org, portal, type, id) do update set reason = excluded.reason, \
         parked_at = excluded.parked_at, attempts = parked.attempts + 1",
        params![tenant.org, tenant.portal, record_type, id, reason, tenant.now],
    )
    .map(drop)
}

/// The parked records of one type, as people are shown them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Repairs {
    /// How many wait.
    pub waiting: u64,
    /// Since when the oldest does.
    pub since: Millis,
    /// How often the most stubborn one was tried.
    pub attempts: u64,
    /// Why the newest waits.
    pub reason: String,
}

/// Parked records by type.
pub fn repairs(conn: &mut dyn Conn, org: &OrgId) -> Result<BTreeMap<String, Repairs>, StoreError> {
    let sql = "select type, count(*), min(coalesce(since, parked_at)), max(attempts), reason, max(parked_at) \
               from parked where org = $1 group by type";
    let count = |value: i64| u64::try_from(value).unwrap_or(0);
    let rows = all(conn, sql, params![org], |row| {
        let repairs = Repairs {
            waiting: count(row.int(1)?),
            since: Millis(row.int(2)?),
            attempts: count(row.int(3)?),
            reason: row.string(4)?,
        };
        Ok((row.string(0)?, repairs))
    })?;
    Ok(rows.into_iter().collect())
}

/// Ids of the parked records of a type, at most 10,000.
pub fn parked(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    record_type: &str,
) -> Result<Vec<String>, StoreError> {
    let sql =
        "select id from parked where org = $1 and portal = $2 and type = $3 and id <> 'unknown' limit 10000";
    all(conn, sql, params![org, portal, record_type], |row| row.string(0))
}

/// A parked record was taken in after all.
pub fn unpark(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record_type: &str,
    id: &str,
) -> Result<(), StoreError> {
    conn.execute(
        "delete from parked where org = $1 and portal = $2 and type = $3 and id = $4",
        params![tenant.org, tenant.portal, record_type, id],
    )
    .map(drop)
}
