//! Which records belong together. Types are named as in [`RecordType`]: `contacts`, `email`, ...

use super::StoreError;
use super::conn::{Conn, all};
use super::ledger::{self, Operation};
use super::{due, insights};
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::domain::insight::Subject;
use crate::params;

/// Names one record.
#[derive(Debug, Clone, Copy)]
pub struct RecordKey<'a> {
    /// Organisation.
    pub org: &'a OrgId,
    /// Portal.
    pub portal: PortalId,
    /// Type.
    pub kind: &'static str,
    /// HubSpot's id.
    pub id: &'a str,
}

/// Replaces the associations of `from` to every record of type `to`; the order is kept.
pub fn replace(
    conn: &mut dyn Conn,
    from: RecordKey<'_>,
    to: &'static str,
    ids: &[String],
) -> Result<(), StoreError> {
    conn.execute(
        "delete from associations where org = $1 and portal = $2 and from_type = $3 and from_id = $4 and to_type = $5",
        params![from.org, from.portal, from.kind, from.id, to],
    )?;
    add(conn, from, to, ids)
}

/// Adds associations of `from` to records of type `to`; the order is kept.
pub fn add(
    conn: &mut dyn Conn,
    from: RecordKey<'_>,
    to: &'static str,
    ids: &[String],
) -> Result<(), StoreError> {
    for (position, id) in (0_i64..).zip(ids) {
        conn.execute(
            "insert into associations (org, portal, from_type, from_id, to_type, to_id, position) \
             values ($1, $2, $3, $4, $5, $6, $7) on conflict do nothing",
            params![from.org, from.portal, from.kind, from.id, to, id, position],
        )?;
    }
    Ok(())
}

/// An association as seen from its first record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tie {
    /// Type of the other record.
    pub to_type: String,
    /// HubSpot's id of it.
    pub to: String,
}

/// Associations of all records of a type between two ids, each with the id it belongs to; those of a record in
/// their order.
pub fn of_range(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    from_type: &'static str,
    (first, last): (&str, &str),
) -> Result<Vec<(String, Tie)>, StoreError> {
    let sql = "select from_id, to_type, to_id from associations where org = $1 and portal = $2 and from_type = $3 \
               and from_id between $4 and $5 order by from_id, position, to_type, to_id";
    all(conn, sql, params![org, portal, from_type, first, last], |row| {
        Ok((row.string(0)?, Tie { to_type: row.string(1)?, to: row.string(2)? }))
    })
}

/// Removes every association of `from`.
pub fn drop_from(conn: &mut dyn Conn, from: RecordKey<'_>) -> Result<(), StoreError> {
    let sql = "delete from associations where org = $1 and portal = $2 and from_type = $3 and from_id = $4";
    conn.execute(sql, params![from.org, from.portal, from.kind, from.id]).map(drop)
}

/// Ids of type `to` that `from` is associated with, in HubSpot's order.
pub fn targets(
    conn: &mut dyn Conn,
    from: RecordKey<'_>,
    to: &'static str,
) -> Result<Vec<String>, StoreError> {
    let sql = "select to_id from associations where org = $1 and portal = $2 and from_type = $3 and from_id = $4 \
               and to_type = $5 order by position";
    all(conn, sql, params![from.org, from.portal, from.kind, from.id, to], |row| row.string(0))
}

/// Engagements that are associated with a record.
pub fn engagements_of(conn: &mut dyn Conn, record: RecordKey<'_>) -> Result<Vec<(Kind, String)>, StoreError> {
    let sql = "select from_type, from_id from associations where org = $1 and portal = $2 and to_type = $3 and to_id = $4";
    let tied = all(conn, sql, params![record.org, record.portal, record.kind, record.id], |row| {
        Ok((Kind::parse(row.text(0)?), row.string(1)?))
    })?;
    Ok(tied.into_iter().filter_map(|(kind, id)| Some((kind?, id))).collect())
}

/// Marks every engagement tied to `record` as changed, because what the index says about it (names,
/// addresses, whether it is linked) comes from that record. A company also reaches its contacts' engagements.
///
/// What was read from them may say something else now too, and what is known about the record is found by its name.
pub fn touch_engagements_of(conn: &mut dyn Conn, record: RecordKey<'_>) -> Result<(), StoreError> {
    let sql = "select from_type, from_id from associations where org = $1 and portal = $2 and to_type = $3 and to_id = $4";
    let tied = all(conn, sql, params![record.org, record.portal, record.kind, record.id], |row| {
        Ok((row.string(0)?, row.string(1)?))
    })?;
    // Nothing is known about a record that nothing is tied to; a first sync stores most of them like that.
    if let Some(subject) = Subject::of(record.kind, record.id.to_owned()).filter(|_| !tied.is_empty()) {
        due::add_engagements_of(conn, record)?;
        insights::touch_subject(conn, record.org, record.portal, &subject)?;
    }
    for (from_type, from_id) in tied {
        if let Some(kind) = Kind::parse(&from_type) {
            let document = DocumentId { portal: record.portal, kind, id: from_id };
            touch_engagement(conn, record.org, &document)?;
            insights::touch_engagement(conn, record.org, &document)?;
        } else if record.kind == "companies" && from_type == "contacts" {
            touch_engagements_of(conn, RecordKey { kind: "contacts", id: &from_id, ..record })?;
        }
    }
    Ok(())
}

/// Marks one stored engagement as changed.
pub fn touch_engagement(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<(), StoreError> {
    let seq = ledger::append(conn, org, &document.to_string(), Operation::Put)?;
    conn.execute(
        "update hubspot_engagements set seq = $5 where org = $1 and portal = $2 and kind = $3 and id = $4",
        params![org, document.portal, document.kind.as_str(), &document.id, seq],
    )
    .map(drop)
}
