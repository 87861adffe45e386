//! Organisations and their stored mode toggles.

use super::StoreError;
use super::conn::{Conn, all, first};
use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::params;

/// Stored toggles; `None` is unset, which has a default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredModes {
    /// Reading from HubSpot.
    pub ingest: Option<bool>,
    /// Writing to HubSpot by agents.
    pub actions: Option<bool>,
    /// Posting to Slack.
    pub notifications: Option<bool>,
}

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

/// Stores all three toggles.
pub fn set_modes(conn: &mut dyn Conn, org: &OrgId, modes: StoredModes) -> Result<(), StoreError> {
    let flag = |value: Option<bool>| value.map(i64::from);
    conn.execute(
        "update orgs set ingest = $2, actions = $3, notifications = $4 where id = $1",
        params![org, flag(modes.ingest), flag(modes.actions), flag(modes.notifications)],
    )
    .map(drop)
}
