//! What the conditions of a segment can name: the stages, owners, properties and values that are stored.

use super::StoreError;
use super::conn::{Conn, all, first};
use crate::domain::ids::OrgId;
use crate::domain::property::Choice;
use crate::domain::segment::Members;
use crate::params;

/// A stage of a deal with its pipeline.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stage {
    /// Id of the pipeline.
    pub pipeline: String,
    /// What people call the pipeline.
    pub pipeline_label: String,
    /// Id of the stage.
    pub id: String,
    /// What people call it.
    pub label: String,
}

/// Every stage, in the order of its pipeline.
pub fn stages(conn: &mut dyn Conn, org: &OrgId) -> Result<Vec<Stage>, StoreError> {
    let sql = "select pipeline, pipeline_label, id, label from pipeline_stages where org = $1 \
               order by portal, pipeline, position";
    all(conn, sql, params![org], |row| {
        Ok(Stage {
            pipeline: row.string(0)?,
            pipeline_label: row.string(1)?,
            id: row.string(2)?,
            label: row.string(3)?,
        })
    })
}

/// Whether that is the id, address or name of an owner.
pub fn is_owner(conn: &mut dyn Conn, org: &OrgId, named: &str) -> Result<bool, StoreError> {
    let sql = "select 1 from owners where org = $1 and (id = $2 or lower(email) = lower($2) or lower(name) = lower($2)) \
               limit 1";
    Ok(first(conn, sql, params![org, named], |_| Ok(()))?.is_some())
}

/// Addresses, or else names, of owners.
pub fn owners(conn: &mut dyn Conn, org: &OrgId, most: i64) -> Result<Vec<String>, StoreError> {
    let sql = "select distinct coalesce(email, name, id) from owners where org = $1 order by 1 limit $2";
    all(conn, sql, params![org, most], |row| row.string(0))
}

/// Lifecycle stages that records have.
pub fn lifecycle_stages(
    conn: &mut dyn Conn,
    org: &OrgId,
    members: Members,
    most: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = match members {
        Members::Contacts => {
            "select distinct lifecycle_stage from end_users where org = $1 and lifecycle_stage is not null limit $2"
        }
        Members::Companies => {
            "select distinct lifecycle_stage from companies where org = $1 and lifecycle_stage is not null limit $2"
        }
    };
    all(conn, sql, params![org, most], |row| row.string(0))
}

/// Names of properties: those read on purpose, and what a thousand records have.
pub fn properties(conn: &mut dyn Conn, org: &OrgId, members: Members) -> Result<Vec<String>, StoreError> {
    let sql = match members {
        Members::Contacts => {
            "select name from properties where org = $1 and type = 'contacts' union select one.key from \
             (select properties from end_users where org = $1 limit 1000) some, json_each(some.properties) one order by 1"
        }
        Members::Companies => {
            "select name from properties where org = $1 and type = 'companies' union select one.key from \
             (select properties from companies where org = $1 limit 1000) some, json_each(some.properties) one order by 1"
        }
    };
    all(conn, sql, params![org], |row| row.string(0))
}

/// Options of a property that is a choice; none of any other.
pub fn options(
    conn: &mut dyn Conn,
    org: &OrgId,
    members: Members,
    property: &str,
) -> Result<Vec<Choice>, StoreError> {
    let of = match members {
        Members::Contacts => "contacts",
        Members::Companies => "companies",
    };
    let sql =
        "select options from properties where org = $1 and type = $2 and name = $3 order by portal limit 1";
    let found = first(conn, sql, params![org, of, property], |row| {
        Ok(serde_json::from_str(row.text(0)?).unwrap_or_default())
    })?;
    Ok(found.unwrap_or_default())
}

/// Whether a record has that value.
pub fn has_value(
    conn: &mut dyn Conn,
    org: &OrgId,
    members: Members,
    property: &str,
    value: &str,
) -> Result<bool, StoreError> {
    let sql = match members {
        Members::Contacts => {
            "select 1 from end_users u where u.org = $1 and lower(u.properties ->> $2) = lower($3) limit 1"
        }
        Members::Companies => {
            "select 1 from companies u where u.org = $1 and lower(u.properties ->> $2) = lower($3) limit 1"
        }
    };
    Ok(first(conn, sql, params![org, property, value], |_| Ok(()))?.is_some())
}

/// Values that records have.
pub fn values(
    conn: &mut dyn Conn,
    org: &OrgId,
    members: Members,
    property: &str,
    most: i64,
) -> Result<Vec<String>, StoreError> {
    let sql = match members {
        Members::Contacts => {
            "select distinct cast(u.properties ->> $2 as text) from end_users u where u.org = $1 \
             and u.properties ->> $2 <> '' limit $3"
        }
        Members::Companies => {
            "select distinct cast(u.properties ->> $2 as text) from companies u where u.org = $1 \
             and u.properties ->> $2 <> '' limit $3"
        }
    };
    all(conn, sql, params![org, property, most], |row| row.string(0))
}
