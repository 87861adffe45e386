//! When the daily tasks of a sync were last done, and what the last comparison with HubSpot found.

use super::StoreError;
use super::conn::{Conn, first};
use crate::domain::clock::Millis;
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// A task that is due once a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// Reading the associations of recent records again.
    Associations,
    /// Comparing counts and ids with HubSpot.
    Reconciliation,
}

impl Task {
    fn as_str(self) -> &'static str {
        match self {
            Self::Associations => "associations",
            Self::Reconciliation => "reconciliation",
        }
    }
}

/// When a task was last done.
pub fn done_at(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    task: Task,
) -> Result<Option<Millis>, StoreError> {
    let sql = "select done_at from upkeep where org = $1 and portal = $2 and task = $3";
    Ok(first(conn, sql, params![org, portal, task.as_str()], |row| row.int(0))?.map(Millis))
}

/// A task was done by a run that began at `at`.
pub fn set_done(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    task: Task,
    at: Millis,
) -> Result<(), StoreError> {
    let sql = "insert into upkeep (org, portal, task, done_at) values ($1, $2, $3, $4) \
               on conflict (org, portal, task) do update set done_at = excluded.done_at";
    conn.execute(sql, params![org, portal, task.as_str(), at]).map(drop)
}

/// Keeps the outcome of a comparison (JSON) in place of the one before.
pub fn keep_reconciliation(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    at: Millis,
    report: &str,
) -> Result<(), StoreError> {
    let sql = "insert into reconciliations (org, portal, at, report) values ($1, $2, $3, $4) \
               on conflict (org, portal) do update set at = excluded.at, report = excluded.report";
    conn.execute(sql, params![org, portal, at, report]).map(drop)
}

/// The outcome of the last comparison, as JSON.
pub fn reconciliation(conn: &mut dyn Conn, org: &OrgId) -> Result<Option<String>, StoreError> {
    let sql = "select report from reconciliations where org = $1 order by at desc limit 1";
    first(conn, sql, params![org], |row| row.string(0))
}
