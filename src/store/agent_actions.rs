//! Which actions are enabled on which agent, with their settings. What settings mean is decided by `actions`.

use super::StoreError;
use super::conn::{Conn, all, first};
use crate::domain::action::Action;
use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::params;

/// An action on one agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgentAction {
    /// Action.
    pub action: Action,
    /// The agent may call it.
    pub enabled: bool,
    /// JSON; what is not said has its default.
    pub settings: String,
}

/// Stores whether an action is enabled on an agent, and its settings.
pub fn put(
    conn: &mut dyn Conn,
    org: &OrgId,
    agent: &str,
    row: &AgentAction,
    now: Millis,
) -> Result<(), StoreError> {
    conn.execute(
        "insert into agent_actions (org, agent, action, enabled, settings, changed_at) \
         values ($1, $2, $3, $4, $5, $6) on conflict (org, agent, action) do update set \
         enabled = excluded.enabled, settings = excluded.settings, changed_at = excluded.changed_at",
        params![org, agent, row.action.as_str(), row.enabled, &row.settings, now],
    )
    .map(drop)
}

/// One action on one agent; `None` where nothing was ever said about it.
pub fn get(
    conn: &mut dyn Conn,
    org: &OrgId,
    agent: &str,
    action: Action,
) -> Result<Option<AgentAction>, StoreError> {
    let sql = "select enabled, settings from agent_actions where org = $1 and agent = $2 and action = $3";
    first(conn, sql, params![org, agent, action.as_str()], |row| {
        Ok(AgentAction { action, enabled: row.int(0)? != 0, settings: row.string(1)? })
    })
}

/// Names of the actions enabled on an agent.
pub fn enabled(conn: &mut dyn Conn, org: &OrgId, agent: &str) -> Result<Vec<Action>, StoreError> {
    let sql = "select action from agent_actions where org = $1 and agent = $2 and enabled = 1";
    let names = all(conn, sql, params![org, agent], |row| Ok(Action::parse(row.text(0)?)))?;
    Ok(Action::ALL.iter().copied().filter(|action| names.contains(&Some(*action))).collect())
}
