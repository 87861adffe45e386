//! Agents and their keys. Only a hash of a key is ever stored.

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::params;

/// An agent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Agent {
    /// Id, also the public part of its key.
    pub id: String,
    /// Organisation it belongs to.
    pub org: OrgId,
    /// Name given by the operator.
    pub name: String,
    /// Address of the one customer it may read, if bound.
    pub customer: Option<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When its key stopped working.
    pub revoked_at: Option<Millis>,
}

/// Adds an agent with the SHA-256 of its key.
pub fn add(conn: &mut dyn Conn, agent: &Agent, key_hash: &[u8; 32]) -> Result<(), StoreError> {
    conn.execute(
        "insert into agents (id, org, name, key_hash, customer, created_at) values ($1, $2, $3, $4, $5, $6)",
        params![&agent.id, &agent.org, &agent.name, key_hash, &agent.customer, agent.created_at],
    )
    .map(drop)
}

/// The agent whose key has that hash and is not revoked.
pub fn by_key(conn: &mut dyn Conn, key_hash: &[u8; 32]) -> Result<Option<Agent>, StoreError> {
    let sql = "select id, org, name, customer, created_at, revoked_at from agents \
               where key_hash = $1 and revoked_at is null";
    first(conn, sql, params![key_hash], agent)
}

/// One agent, revoked ones too.
pub fn get(conn: &mut dyn Conn, org: &OrgId, id: &str) -> Result<Option<Agent>, StoreError> {
    let sql = "select id, org, name, customer, created_at, revoked_at from agents where org = $1 and id = $2";
    first(conn, sql, params![org, id], agent)
}

/// Every agent of an organisation.
pub fn list(conn: &mut dyn Conn, org: &OrgId) -> Result<Vec<Agent>, StoreError> {
    let sql = "select id, org, name, customer, created_at, revoked_at from agents where org = $1 order by created_at, id";
    all(conn, sql, params![org], agent)
}

/// Ends an agent's key; says whether there was such an agent.
pub fn revoke(conn: &mut dyn Conn, org: &OrgId, id: &str, now: Millis) -> Result<bool, StoreError> {
    let sql = "update agents set revoked_at = coalesce(revoked_at, $3) where org = $1 and id = $2";
    Ok(conn.execute(sql, params![org, id, now])? > 0)
}

fn agent(row: &dyn Row) -> Result<Agent, StoreError> {
    Ok(Agent {
        id: row.string(0)?,
        org: OrgId::new(row.text(1)?),
        name: row.string(2)?,
        customer: row.opt_string(3)?,
        created_at: Millis(row.int(4)?),
        revoked_at: row.opt_int(5)?.map(Millis),
    })
}
