//! Counts for the status page and the reports.

use std::collections::BTreeMap;

use serde::Serialize;

use super::StoreError;
use super::conn::{Conn, first};
use crate::domain::ids::OrgId;
use crate::params;

/// What an organisation holds.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Totals {
    /// Rows of `end_users`.
    pub contacts: u64,
    /// Rows of `companies`.
    pub companies: u64,
    /// Rows of `deals`.
    pub deals: u64,
    /// Rows of `hubspot_engagements`.
    pub engagements: u64,
    /// Engagements tied to at least one known contact.
    pub linked_engagements: u64,
    /// Records that could not be taken in and wait for a retry.
    pub parked: u64,
    /// Per kind of engagement.
    pub by_kind: BTreeMap<String, KindTotals>,
}

/// What is known of one kind of engagement.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct KindTotals {
    /// Rows.
    pub stored: u64,
    /// Rows that are knowledge.
    pub learned: u64,
    /// Rows tied to a known contact.
    pub linked: u64,
    /// Rows that are not knowledge, by reason.
    pub skipped: BTreeMap<String, u64>,
    /// Rows whose decision is open.
    pub held: u64,
}

/// Counts everything an organisation holds.
pub fn of(conn: &mut dyn Conn, org: &OrgId) -> Result<Totals, StoreError> {
    let mut totals = Totals {
        contacts: count(conn, "select count(*) from end_users where org = $1", org)?,
        companies: count(conn, "select count(*) from companies where org = $1", org)?,
        deals: count(conn, "select count(*) from deals where org = $1", org)?,
        parked: count(conn, "select count(*) from parked where org = $1", org)?,
        ..Totals::default()
    };
    let sql = "select kind, decision, reason, count(*) from hubspot_engagements where org = $1 \
               group by kind, decision, reason";
    conn.query(sql, params![org], &mut |row| {
        let rows = u64::try_from(row.int(3)?).unwrap_or(0);
        let kind = totals.by_kind.entry(row.string(0)?).or_default();
        kind.stored += rows;
        totals.engagements += rows;
        match row.text(1)? {
            "learned" => kind.learned += rows,
            "held" => kind.held += rows,
            _ => *kind.skipped.entry(row.opt_text(2)?.unwrap_or("unknown").to_owned()).or_default() += rows,
        }
        Ok(())
    })?;
    let sql = "select e.kind, count(*) from hubspot_engagements e where e.org = $1 and exists (select 1 \
               from associations a join end_users u on u.org = a.org and u.portal = a.portal and u.id = a.to_id \
               where a.org = e.org and a.portal = e.portal and a.from_type = e.kind and a.from_id = e.id \
               and a.to_type = 'contacts') group by e.kind";
    conn.query(sql, params![org], &mut |row| {
        let linked = u64::try_from(row.int(1)?).unwrap_or(0);
        totals.by_kind.entry(row.string(0)?).or_default().linked = linked;
        totals.linked_engagements += linked;
        Ok(())
    })?;
    Ok(totals)
}

fn count(conn: &mut dyn Conn, sql: &'static str, org: &OrgId) -> Result<u64, StoreError> {
    let count = first(conn, sql, params![org], |row| row.int(0))?;
    Ok(u64::try_from(count.unwrap_or(0)).unwrap_or(0))
}
