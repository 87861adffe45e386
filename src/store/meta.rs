//! Single facts about this database: its epoch and how far the index has followed it.

use super::StoreError;
use super::conn::{Conn, first};
use crate::params;

const EPOCH: &str = "epoch";
const INDEXED_SEQ: &str = "indexed_seq";

/// Reads one fact.
pub fn get(conn: &mut dyn Conn, key: &str) -> Result<Option<String>, StoreError> {
    first(conn, "select value from meta where key = $1", params![key], |row| row.string(0))
}

/// Writes one fact.
pub fn set(conn: &mut dyn Conn, key: &str, value: &str) -> Result<(), StoreError> {
    conn.execute(
        "insert into meta (key, value) values ($1, $2) on conflict (key) do update set value = excluded.value",
        params![key, value],
    )
    .map(drop)
}

/// The identity of this database's history; `fresh` becomes it where there is none yet.
///
/// An index built against another epoch (a restored backup, a copied folder) must not be trusted.
pub fn epoch(conn: &mut dyn Conn, fresh: &str) -> Result<String, StoreError> {
    if let Some(epoch) = get(conn, EPOCH)? {
        return Ok(epoch);
    }
    set(conn, EPOCH, fresh)?;
    Ok(fresh.to_owned())
}

/// The epoch, where the database has one.
pub fn known_epoch(conn: &mut dyn Conn) -> Result<Option<String>, StoreError> {
    get(conn, EPOCH)
}

/// The ledger position the live index is known to have committed.
pub fn indexed_seq(conn: &mut dyn Conn) -> Result<u64, StoreError> {
    Ok(get(conn, INDEXED_SEQ)?.and_then(|text| text.parse().ok()).unwrap_or(0))
}

/// Records that position; called after the index commit is on disk, never before.
pub fn set_indexed_seq(conn: &mut dyn Conn, seq: u64) -> Result<(), StoreError> {
    set(conn, INDEXED_SEQ, &seq.to_string())
}
