//! Learning rules as rows, the number of their revision, and what they decided.

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use super::crm::Tenant;
use crate::domain::engagement::{Decision, Kind};
use crate::domain::ids::{DocumentId, OrgId};
use crate::domain::rule::{LearningRule, RuleType, Ruling};
use crate::params;

/// Columns in the order [`rule`] reads them.
macro_rules! columns {
    () => {
        "id, version, type, text, substring, kinds, position, enabled"
    };
}

fn rule(row: &dyn Row) -> Result<LearningRule, StoreError> {
    let kinds: Vec<Kind> = serde_json::from_str(row.text(5)?).map_err(|_| StoreError::Shape { column: 5 })?;
    Ok(LearningRule {
        id: row.string(0)?,
        version: row.int(1)?,
        rule_type: RuleType::parse(row.text(2)?).ok_or(StoreError::Shape { column: 2 })?,
        text: row.string(3)?,
        substring: row.int(4)? != 0,
        kinds,
        position: row.int(6)?,
        enabled: row.int(7)? != 0,
    })
}

/// The rules of an organisation in the order they are applied.
pub fn list(conn: &mut dyn Conn, org: &OrgId) -> Result<Vec<LearningRule>, StoreError> {
    let sql = concat!("select ", columns!(), " from learning_rules where org = $1");
    let mut rules = all(conn, sql, params![org], rule)?;
    rules.sort_by(|a, b| (a.rule_type, a.position, &a.id).cmp(&(b.rule_type, b.position, &b.id)));
    Ok(rules)
}

/// One rule.
pub fn get(conn: &mut dyn Conn, org: &OrgId, id: &str) -> Result<Option<LearningRule>, StoreError> {
    let sql = concat!("select ", columns!(), " from learning_rules where org = $1 and id = $2");
    first(conn, sql, params![org, id], rule)
}

/// Stores a rule, new or in place of its earlier version.
pub fn put(conn: &mut dyn Conn, org: &OrgId, rule: &LearningRule) -> Result<(), StoreError> {
    let kinds = serde_json::to_string(&rule.kinds).map_err(|error| StoreError::Engine(error.to_string()))?;
    conn.execute(
        "insert into learning_rules (org, id, version, type, text, substring, kinds, position, enabled) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (org, id) do update set \
         version = excluded.version, type = excluded.type, text = excluded.text, substring = excluded.substring, \
         kinds = excluded.kinds, position = excluded.position, enabled = excluded.enabled",
        params![
            org,
            &rule.id,
            rule.version,
            rule.rule_type.as_str(),
            &rule.text,
            rule.substring,
            &kinds,
            rule.position,
            rule.enabled,
        ],
    )?;
    grow_revision(conn, org)
}

/// Removes a rule; says whether it was there.
pub fn remove(conn: &mut dyn Conn, org: &OrgId, id: &str) -> Result<bool, StoreError> {
    let removed =
        conn.execute("delete from learning_rules where org = $1 and id = $2", params![org, id])? > 0;
    if removed {
        grow_revision(conn, org)?;
    }
    Ok(removed)
}

fn grow_revision(conn: &mut dyn Conn, org: &OrgId) -> Result<(), StoreError> {
    let sql = "update orgs set rules_revision = rules_revision + 1 where id = $1";
    conn.execute(sql, params![org]).map(drop)
}

/// The number of the rules in force: it grows with every change.
pub fn revision(conn: &mut dyn Conn, org: &OrgId) -> Result<i64, StoreError> {
    let found = first(conn, "select rules_revision from orgs where id = $1", params![org], |row| row.int(0))?;
    Ok(found.unwrap_or(0))
}

/// Keeps what a rule decided about an engagement, or that none did.
pub fn put_decision(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    document: &DocumentId,
    decision: &Decision,
    ruling: Option<&Ruling>,
) -> Result<(), StoreError> {
    let Some(ruling) = ruling else {
        let sql = "delete from rule_decisions where org = $1 and portal = $2 and kind = $3 and id = $4";
        let key = params![tenant.org, document.portal, document.kind.as_str(), &document.id];
        return conn.execute(sql, key).map(drop);
    };
    conn.execute(
        "insert into rule_decisions (org, portal, kind, id, rule, version, outcome, reason, judge) \
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict (org, portal, kind, id) do update set \
         rule = excluded.rule, version = excluded.version, outcome = excluded.outcome, reason = excluded.reason, \
         judge = excluded.judge",
        params![
            tenant.org,
            document.portal,
            document.kind.as_str(),
            &document.id,
            &ruling.rule,
            ruling.version,
            decision.as_str(),
            &ruling.reason,
            &ruling.judge,
        ],
    )
    .map(drop)
}

/// What a rule decided about an engagement, where one did.
pub fn decision(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Option<Ruling>, StoreError> {
    let sql = "select rule, version, reason, judge from rule_decisions \
               where org = $1 and portal = $2 and kind = $3 and id = $4";
    first(conn, sql, params![org, document.portal, document.kind.as_str(), &document.id], |row| {
        Ok(Ruling {
            rule: row.string(0)?,
            version: row.int(1)?,
            reason: row.string(2)?,
            judge: row.string(3)?,
        })
    })
}
