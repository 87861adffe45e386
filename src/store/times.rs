//! Counting and naming stored records by their times in HubSpot, to compare them with what HubSpot counts.

use super::StoreError;
use super::conn::{Conn, all, first};
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// Whose records of which type.
#[derive(Debug, Clone, Copy)]
pub struct Of<'a> {
    /// Organisation.
    pub org: &'a OrgId,
    /// Portal.
    pub portal: PortalId,
    /// Type.
    pub record_type: RecordType,
}

impl Of<'_> {
    /// One statement per table; engagements share theirs and have the kind as their last parameter.
    fn pick(self, statements: &Statements) -> &'static str {
        match self.record_type {
            RecordType::Contacts => statements.contacts,
            RecordType::Companies => statements.companies,
            RecordType::Deals => statements.deals,
            RecordType::Engagement(_) => statements.engagements,
        }
    }
}

struct Statements {
    contacts: &'static str,
    companies: &'static str,
    deals: &'static str,
    engagements: &'static str,
}

/// The same statement over each table: `$1` org, `$2` portal, `$3` type, then its own parameters.
macro_rules! over_tables {
    ($before:literal, $after:literal) => {
        Statements {
            contacts: concat!(
                $before,
                " from end_users where org = $1 and portal = $2 and $3 <> '' ",
                $after
            ),
            companies: concat!(
                $before,
                " from companies where org = $1 and portal = $2 and $3 <> '' ",
                $after
            ),
            deals: concat!($before, " from deals where org = $1 and portal = $2 and $3 <> '' ", $after),
            engagements: concat!(
                $before,
                " from hubspot_engagements where org = $1 and portal = $2 and kind = $3 ",
                $after
            ),
        }
    };
}

/// How many records there are.
pub fn stored(conn: &mut dyn Conn, of: Of<'_>) -> Result<u64, StoreError> {
    const SQL: Statements = over_tables!("select count(*)", "");
    number(conn, of.pick(&SQL), params![of.org, of.portal, of.record_type.as_str()])
}

/// How many were last changed from `from` to `to`, both included.
pub fn changed(conn: &mut dyn Conn, of: Of<'_>, from: Millis, to: Millis) -> Result<u64, StoreError> {
    const SQL: Statements = over_tables!("select count(*)", "and updated_at between $4 and $5");
    number(conn, of.pick(&SQL), params![of.org, of.portal, of.record_type.as_str(), from, to])
}

/// How many were created from `from` to `to`, both included.
pub fn created(conn: &mut dyn Conn, of: Of<'_>, from: Millis, to: Millis) -> Result<u64, StoreError> {
    const SQL: Statements = over_tables!("select count(*)", "and created_at between $4 and $5");
    number(conn, of.pick(&SQL), params![of.org, of.portal, of.record_type.as_str(), from, to])
}

/// Ids of those created from `from` to `to`, both included, in order, after `past`.
pub fn ids_created(
    conn: &mut dyn Conn,
    of: Of<'_>,
    (from, to): (Millis, Millis),
    past: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    const SQL: Statements =
        over_tables!("select id", "and created_at between $4 and $5 and id > $6 order by id limit $7");
    let key = params![of.org, of.portal, of.record_type.as_str(), from, to, past, limit];
    all(conn, of.pick(&SQL), key, |row| row.string(0))
}

/// The oldest creation.
pub fn oldest(conn: &mut dyn Conn, of: Of<'_>) -> Result<Option<Millis>, StoreError> {
    const SQL: Statements = over_tables!("select min(created_at)", "");
    let found = first(conn, of.pick(&SQL), params![of.org, of.portal, of.record_type.as_str()], |row| {
        row.opt_int(0)
    })?;
    Ok(found.flatten().map(Millis))
}

/// Ids of those last changed since `since`, newest first, at most `limit`.
pub fn recent(conn: &mut dyn Conn, of: Of<'_>, since: Millis, limit: i64) -> Result<Vec<String>, StoreError> {
    const SQL: Statements =
        over_tables!("select id", "and updated_at >= $4 order by updated_at desc limit $5");
    let key = params![of.org, of.portal, of.record_type.as_str(), since, limit];
    all(conn, of.pick(&SQL), key, |row| row.string(0))
}

/// The last change of a stored record, as HubSpot told it when the record was last read.
pub fn last_change(conn: &mut dyn Conn, of: Of<'_>, id: &str) -> Result<Option<Millis>, StoreError> {
    const SQL: Statements = over_tables!("select updated_at", "and id = $4");
    let key = params![of.org, of.portal, of.record_type.as_str(), id];
    Ok(first(conn, of.pick(&SQL), key, |row| row.int(0))?.map(Millis))
}

/// A record is not stored, or only as it was before `changed_at`.
pub fn is_outdated(
    conn: &mut dyn Conn,
    of: Of<'_>,
    id: &str,
    changed_at: Millis,
) -> Result<bool, StoreError> {
    Ok(last_change(conn, of, id)?.is_none_or(|stored| stored < changed_at))
}

/// A record is stored and was read from HubSpot since `since`.
pub fn seen_since(conn: &mut dyn Conn, of: Of<'_>, id: &str, since: Millis) -> Result<bool, StoreError> {
    const SQL: Statements = over_tables!("select 1", "and id = $4 and last_seen >= $5");
    let key = params![of.org, of.portal, of.record_type.as_str(), id, since];
    Ok(first(conn, of.pick(&SQL), key, |row| row.int(0))?.is_some())
}

fn number(conn: &mut dyn Conn, sql: &'static str, key: &[super::conn::Param<'_>]) -> Result<u64, StoreError> {
    let count = first(conn, sql, key, |row| row.int(0))?;
    Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
}
