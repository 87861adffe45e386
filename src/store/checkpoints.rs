//! How far the reading of each record type has come.
//!
//! A checkpoint is written in the transaction of the page it describes, so a kill loses at most one page of
//! work and no record.

use std::collections::BTreeMap;

use super::StoreError;
use super::conn::{Conn, all};
use crate::domain::clock::Millis;
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// Progress of one record type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    /// Record type, as in `RecordType::as_str`.
    pub record_type: String,
    /// The run it belongs to.
    pub run: String,
    /// Mode of that run.
    pub mode: String,
    /// Cursor of the next page; `None` before the first page and when finished.
    pub after: Option<String>,
    /// The last page is stored.
    pub finished: bool,
    /// Changes up to here are stored once finished; the start of the run.
    pub high_water: Millis,
    /// Records read.
    pub fetched: u64,
    /// Records that were new or changed.
    pub stored: u64,
    /// Records that were as before.
    pub unchanged: u64,
    /// Records that could not be taken in.
    pub failed: u64,
}

/// Writes the checkpoint of one type.
pub fn put(conn: &mut dyn Conn, org: &OrgId, portal: PortalId, point: &Checkpoint) -> Result<(), StoreError> {
    let count = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
    conn.execute(
        "insert into checkpoints (org, portal, type, run, mode, after, finished, high_water, fetched, stored, \
         unchanged, failed) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) \
         on conflict (org, portal, type) do update set run = excluded.run, mode = excluded.mode, \
         after = excluded.after, finished = excluded.finished, high_water = excluded.high_water, \
         fetched = excluded.fetched, stored = excluded.stored, unchanged = excluded.unchanged, \
         failed = excluded.failed",
        params![
            org,
            portal,
            &point.record_type,
            &point.run,
            &point.mode,
            &point.after,
            point.finished,
            point.high_water,
            count(point.fetched),
            count(point.stored),
            count(point.unchanged),
            count(point.failed),
        ],
    )
    .map(drop)
}

/// Every checkpoint of a portal.
pub fn list(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<Vec<Checkpoint>, StoreError> {
    let sql = "select type, run, mode, after, finished, high_water, fetched, stored, unchanged, failed \
               from checkpoints where org = $1 and portal = $2 order by type";
    all(conn, sql, params![org, portal], |row| {
        let count = |column| row.int(column).map(|value| u64::try_from(value).unwrap_or(0));
        Ok(Checkpoint {
            record_type: row.string(0)?,
            run: row.string(1)?,
            mode: row.string(2)?,
            after: row.opt_string(3)?,
            finished: row.int(4)? != 0,
            high_water: Millis(row.int(5)?),
            fetched: count(6)?,
            stored: count(7)?,
            unchanged: count(8)?,
            failed: count(9)?,
        })
    })
}

/// Every change of a type up to `at` is stored.
pub fn set_watermark(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    record_type: &str,
    at: Millis,
) -> Result<(), StoreError> {
    conn.execute(
        "insert into watermarks (org, portal, type, at) values ($1, $2, $3, $4) \
         on conflict (org, portal, type) do update set at = excluded.at where excluded.at > watermarks.at",
        params![org, portal, record_type, at],
    )
    .map(drop)
}

/// Per record type: every change up to here is stored.
pub fn watermarks(conn: &mut dyn Conn, org: &OrgId) -> Result<BTreeMap<String, Millis>, StoreError> {
    let rows = all(conn, "select type, at from watermarks where org = $1", params![org], |row| {
        Ok((row.string(0)?, Millis(row.int(1)?)))
    })?;
    Ok(rows.into_iter().collect())
}
