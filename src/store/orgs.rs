//! Organisations and their stored mode toggles.

use super::StoreError;
use super::conn::{Conn, all, first};
use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::domain::mode::{IntegrationMode, StoredModes};
use crate::params;

/// Every organisation, oldest first.
pub fn list(conn: &mut dyn Conn) -> Result<Vec<OrgId>, StoreError> {
    all(conn, "select id from orgs order by created_at, id", &[], |row| Ok(OrgId::new(row.text(0)?)))
}

/// Adds an organisation.
pub fn add(conn: &mut dyn Conn, org: &OrgId, name: &str, now: Millis) -> Result<(), StoreError> {
    conn.execute("insert into orgs (id, name, created_at) values ($1, $2, $3)", params![org, name, now])
        .map(drop)
}

/// The stored toggles of an organisation.
pub fn modes(conn: &mut dyn Conn, org: &OrgId) -> Result<StoredModes, StoreError> {
    let sql = "select ingest, actions, notifications from orgs where id = $1";
    let stored = first(conn, sql, params![org], |row| {
        let flag = |column| row.opt_int(column).map(|value| value.map(|value| value != 0));
        Ok(StoredModes { ingest: flag(0)?, actions: flag(1)?, notifications: flag(2)? })
    })?;
    Ok(stored.unwrap_or_default())
}

/// Stores one toggle; `None` unsets it. Answers all three as they are then.
pub fn set_mode(
    conn: &mut dyn Conn,
    org: &OrgId,
    mode: IntegrationMode,
    on: Option<bool>,
) -> Result<StoredModes, StoreError> {
    let modes = modes(conn, org)?.with(mode, on);
    let flag = |mode| modes.stored(mode).map(i64::from);
    let sql = "update orgs set ingest = $2, actions = $3, notifications = $4 where id = $1";
    let [ingest, actions, notifications] = IntegrationMode::ALL.map(flag);
    conn.execute(sql, params![org, ingest, actions, notifications])?;
    Ok(modes)
}
