//! The ledger of knowledge changes that the index follows.
//!
//! A change is appended in the transaction that makes it; numbers only grow and are never reused. The newest
//! row is never trimmed, so the highest number is always there to compare an index position with.

use super::StoreError;
use super::conn::{Conn, all, first};
use crate::domain::ids::OrgId;
use crate::params;

/// What happened to a document.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// It is new or changed: read it from the store.
    Put,
    /// It is gone from the store.
    Remove,
}

impl Operation {
    fn as_str(self) -> &'static str {
        match self {
            Self::Put => "put",
            Self::Remove => "remove",
        }
    }
}

/// One row of the ledger.
#[derive(Debug, Clone)]
pub struct Change {
    /// Position.
    pub seq: u64,
    /// Organisation.
    pub org: OrgId,
    /// Document id.
    pub document: String,
    /// What happened.
    pub operation: Operation,
}

/// Appends a change; answers its number.
pub fn append(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &str,
    operation: Operation,
) -> Result<i64, StoreError> {
    let sql = "insert into knowledge_changes (org, document, operation) values ($1, $2, $3) returning seq";
    first(conn, sql, params![org, document, operation.as_str()], |row| row.int(0))?
        .ok_or(StoreError::Shape { column: 0 })
}

/// Up to `limit` changes after `seq`, in order.
pub fn after(conn: &mut dyn Conn, seq: u64, limit: i64) -> Result<Vec<Change>, StoreError> {
    let sql =
        "select seq, org, document, operation from knowledge_changes where seq > $1 order by seq limit $2";
    all(conn, sql, params![signed(seq), limit], |row| {
        Ok(Change {
            seq: unsigned(row.int(0)?),
            org: OrgId::new(row.text(1)?),
            document: row.string(2)?,
            operation: if row.text(3)? == "remove" { Operation::Remove } else { Operation::Put },
        })
    })
}

/// The highest number given out and still known; 0 for an empty ledger.
pub fn highest(conn: &mut dyn Conn) -> Result<u64, StoreError> {
    let highest = first(conn, "select max(seq) from knowledge_changes", &[], |row| row.opt_int(0))?;
    Ok(unsigned(highest.flatten().unwrap_or(0)))
}

/// The lowest number still there; 0 for an empty ledger.
pub fn lowest(conn: &mut dyn Conn) -> Result<u64, StoreError> {
    let lowest = first(conn, "select min(seq) from knowledge_changes", &[], |row| row.opt_int(0))?;
    Ok(unsigned(lowest.flatten().unwrap_or(0)))
}

/// Removes rows below `seq`; the row at `seq` stays.
pub fn trim_below(conn: &mut dyn Conn, seq: u64) -> Result<u64, StoreError> {
    conn.execute("delete from knowledge_changes where seq < $1", params![signed(seq)])
}

fn signed(seq: u64) -> i64 {
    i64::try_from(seq).unwrap_or(i64::MAX)
}

fn unsigned(seq: i64) -> u64 {
    u64::try_from(seq).unwrap_or(0)
}
