//! Which properties of contacts, companies and deals are read, and what records have of them.
//!
//! Values are kept in the rows of the records, as one JSON object; here are the definitions that name them.

use std::collections::BTreeMap;

use serde::Serialize;

use super::StoreError;
use super::conn::{Conn, all, first};
use super::crm::Tenant;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::ids::{OrgId, PortalId};
use crate::domain::property::{Property, ValueType};
use crate::params;

/// Stores what is read of a type from now on, in the place of what was read before.
pub fn put(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record_type: RecordType,
    properties: &[Property],
) -> Result<(), StoreError> {
    let (org, portal, name) = (tenant.org, tenant.portal, record_type.as_str());
    for gone in names(conn, org, portal, record_type)? {
        if !properties.iter().any(|one| one.name == gone) {
            let sql = "delete from properties where org = $1 and portal = $2 and type = $3 and name = $4";
            conn.execute(sql, params![org, portal, name, &gone])?;
        }
    }
    let sql = "insert into properties (org, portal, type, name, position, label, value_type, options, since, settled) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, 0) \
               on conflict (org, portal, type, name) do update set position = excluded.position, \
               label = excluded.label, value_type = excluded.value_type, options = excluded.options";
    for (position, one) in properties.iter().enumerate() {
        let options = serde_json::to_string(&one.options).unwrap_or_else(|_| "[]".to_owned());
        let position = i64::try_from(position).unwrap_or(i64::MAX);
        let (label, value_type) = (&one.label, one.value_type.as_str());
        conn.execute(
            sql,
            params![org, portal, name, &one.name, position, label, value_type, &options, tenant.now],
        )?;
    }
    Ok(())
}

/// Stores what is not read of a type.
pub fn put_left(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record_type: RecordType,
    left_out: u64,
    unknown: &[String],
) -> Result<(), StoreError> {
    let unknown = serde_json::to_string(unknown).unwrap_or_else(|_| "[]".to_owned());
    let left_out = i64::try_from(left_out).unwrap_or(i64::MAX);
    conn.execute(
        "insert into properties_left (org, portal, type, left_out, unknown) values ($1, $2, $3, $4, $5) \
         on conflict (org, portal, type) do update set left_out = excluded.left_out, unknown = excluded.unknown",
        params![tenant.org, tenant.portal, record_type.as_str(), left_out, &unknown],
    )
    .map(drop)
}

/// Names of the properties that are read of a type, in the order they are shown.
pub fn names(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    record_type: RecordType,
) -> Result<Vec<String>, StoreError> {
    let sql = "select name from properties where org = $1 and portal = $2 and type = $3 order by position";
    all(conn, sql, params![org, portal, record_type.as_str()], |row| row.string(0))
}

/// Names that not every stored record has been read with, each with the moment it was first asked for.
pub fn unsettled(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    record_type: RecordType,
) -> Result<Vec<(String, Millis)>, StoreError> {
    let sql = "select name, since from properties where org = $1 and portal = $2 and type = $3 and settled = 0 \
               order by position";
    all(conn, sql, params![org, portal, record_type.as_str()], |row| {
        Ok((row.string(0)?, Millis(row.int(1)?)))
    })
}

/// Every stored record has been read with these.
pub fn settle(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record_type: RecordType,
    names: &[String],
) -> Result<(), StoreError> {
    let sql = "update properties set settled = 1 where org = $1 and portal = $2 and type = $3 and name = $4";
    for name in names {
        conn.execute(sql, params![tenant.org, tenant.portal, record_type.as_str(), name])?;
    }
    Ok(())
}

/// The properties of one record as stored: a JSON object of texts. `None` where there is no such record.
pub fn stored(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    record_type: RecordType,
    id: &str,
) -> Result<Option<BTreeMap<String, String>>, StoreError> {
    let sql = match record_type {
        RecordType::Contacts => "select properties from end_users where org = $1 and portal = $2 and id = $3",
        RecordType::Companies => {
            "select properties from companies where org = $1 and portal = $2 and id = $3"
        }
        RecordType::Deals => "select properties from deals where org = $1 and portal = $2 and id = $3",
        RecordType::Engagement(_) => return Ok(None),
    };
    first(conn, sql, params![org, portal, id], |row| {
        Ok(serde_json::from_str(row.text(0)?).unwrap_or_default())
    })
}

/// What one record has of the properties that are read, in the order they are shown.
pub fn of_record(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    record_type: RecordType,
    id: &str,
) -> Result<Vec<(Property, String)>, StoreError> {
    let Some(mut values) = stored(conn, org, portal, record_type, id)? else {
        return Ok(Vec::new());
    };
    let sql = "select name, label, value_type, options from properties \
               where org = $1 and portal = $2 and type = $3 order by position";
    let defined = all(conn, sql, params![org, portal, record_type.as_str()], |row| {
        Ok(Property {
            name: row.string(0)?,
            label: row.string(1)?,
            value_type: ValueType::stored(row.text(2)?),
            options: serde_json::from_str(row.text(3)?).unwrap_or_default(),
        })
    })?;
    let set = |one: Property| {
        let value = values.remove(&one.name).filter(|value| !value.trim().is_empty())?;
        Some((one, value))
    };
    Ok(defined.into_iter().filter_map(set).collect())
}

/// What is read of a type, in numbers.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Reading {
    /// Properties that are read beside those with a place of their own.
    pub read: u64,
    /// Of those, how many are still being read for records that are here already.
    pub catching_up: u64,
    /// The account's own that the limit leaves out.
    pub left_out: u64,
    /// Names in the settings that the account does not have.
    pub unknown: Vec<String>,
}

/// What is read, by type.
pub fn readings(conn: &mut dyn Conn, org: &OrgId) -> Result<BTreeMap<String, Reading>, StoreError> {
    let count = |value: i64| u64::try_from(value).unwrap_or(0);
    let sql = "select type, left_out, unknown from properties_left where org = $1";
    let left = all(conn, sql, params![org], |row| {
        let unknown = serde_json::from_str(row.text(2)?).unwrap_or_default();
        let reading = Reading { left_out: count(row.int(1)?), unknown, ..Reading::default() };
        Ok((row.string(0)?, reading))
    })?;
    let mut readings: BTreeMap<String, Reading> = left.into_iter().collect();
    let sql = "select type, count(*), sum(1 - settled) from properties where org = $1 group by type";
    conn.query(sql, params![org], &mut |row| {
        let reading = readings.entry(row.string(0)?).or_default();
        (reading.read, reading.catching_up) = (count(row.int(1)?), count(row.int(2)?));
        Ok(())
    })?;
    Ok(readings)
}
