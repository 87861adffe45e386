//! Attempts of agents to do something in HubSpot: one row each, also of what was refused.
//!
//! A row is written before anything is sent and again with every step, so that a process that dies leaves word of what
//! it was about. What is derived from others (undone, confirmed) is asked for, not stored.

use std::collections::BTreeMap;

use serde_json::Value;

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use crate::domain::action::{Action, Outcome, Reason, Step};
use crate::domain::clock::Millis;
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::params;

/// An attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Execution {
    /// Id.
    pub id: String,
    /// Organisation.
    pub org: OrgId,
    /// Portal, once the gates are passed.
    pub portal: Option<PortalId>,
    /// Agent; `None` for an operator.
    pub agent: Option<String>,
    /// Action.
    pub action: Action,
    /// Which part of it.
    pub step: Step,
    /// The execution that is confirmed or undone.
    pub target: Option<String>,
    /// JSON, secrets masked.
    pub arguments: String,
    /// Address of the customer it is about.
    pub customer: Option<String>,
    /// The caller's key for this attempt.
    pub key: Option<String>,
    /// Hash of what was asked.
    pub asked: Vec<u8>,
    /// How it stands.
    pub outcome: Outcome,
    /// Why it did not do what it was asked for.
    pub reason: Option<Reason>,
    /// The same for people.
    pub detail: Option<String>,
    /// The contact in HubSpot.
    pub contact: Option<String>,
    /// The company that a new deal is tied to.
    pub company: Option<String>,
    /// Type of the record written.
    pub record_type: Option<String>,
    /// Its id.
    pub record: Option<String>,
    /// The property changed.
    pub property: Option<String>,
    /// Its value before.
    pub old_value: Option<String>,
    /// Its value after.
    pub new_value: Option<String>,
    /// JSON: hashes of the values as HubSpot keeps them.
    pub written: Option<String>,
    /// Time of the note.
    pub stamp: Option<Millis>,
    /// What a proposed change is confirmed by.
    pub confirmation: Option<String>,
    /// Until when.
    pub expires_at: Option<Millis>,
    /// JSON, as the caller got it.
    pub answer: Option<String>,
    /// Start.
    pub started_at: Millis,
    /// When it was sent to HubSpot.
    pub sent_at: Option<Millis>,
    /// End.
    pub finished_at: Option<Millis>,
}

/// Columns in the order of [`Execution`].
macro_rules! columns {
    () => {
        "id, org, portal, agent, action, step, target, arguments, customer, idempotency_key, asked, outcome, reason, \
         detail, contact, company, record_type, record, property, old_value, new_value, written, stamp, confirmation, \
         expires_at, answer, started_at, sent_at, finished_at"
    };
}

/// Stores an attempt as it stands. One that has ended stays as it ended: then this is `false`.
pub fn put(conn: &mut dyn Conn, one: &Execution) -> Result<bool, StoreError> {
    let sql = concat!(
        "insert into action_executions (",
        columns!(),
        ") values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, \
         $22, $23, $24, $25, $26, $27, $28, $29) on conflict (id) do update set portal = excluded.portal, \
         customer = excluded.customer, idempotency_key = excluded.idempotency_key, outcome = excluded.outcome, \
         reason = excluded.reason, detail = excluded.detail, contact = excluded.contact, \
         company = excluded.company, record_type = excluded.record_type, record = excluded.record, property = excluded.property, \
         old_value = excluded.old_value, new_value = excluded.new_value, written = excluded.written, \
         stamp = excluded.stamp, confirmation = excluded.confirmation, expires_at = excluded.expires_at, \
         answer = excluded.answer, sent_at = excluded.sent_at, finished_at = excluded.finished_at \
         where action_executions.outcome in ('started', 'sending', 'unknown')"
    );
    let portal = one.portal.map(PortalId::as_i64);
    conn.execute(
        sql,
        params![
            &one.id,
            &one.org,
            portal,
            &one.agent,
            one.action.as_str(),
            one.step.as_str(),
            &one.target,
            &one.arguments,
            &one.customer,
            &one.key,
            &one.asked,
            one.outcome.as_str(),
            one.reason.map(Reason::as_str),
            &one.detail,
            &one.contact,
            &one.company,
            &one.record_type,
            &one.record,
            &one.property,
            &one.old_value,
            &one.new_value,
            &one.written,
            one.stamp,
            &one.confirmation,
            one.expires_at,
            &one.answer,
            one.started_at,
            one.sent_at,
            one.finished_at,
        ],
    )
    .map(|changed| changed > 0)
}

/// One attempt.
pub fn get(conn: &mut dyn Conn, org: &OrgId, id: &str) -> Result<Option<Execution>, StoreError> {
    let sql = concat!("select ", columns!(), " from action_executions where org = $1 and id = $2");
    first(conn, sql, params![org, id], execution)
}

/// The attempt an agent made under a key.
pub fn by_key(
    conn: &mut dyn Conn,
    org: &OrgId,
    agent: &str,
    key: &str,
) -> Result<Option<Execution>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from action_executions where org = $1 and agent = $2 and idempotency_key = $3"
    );
    first(conn, sql, params![org, agent, key], execution)
}

/// The proposal that is confirmed by this.
pub fn by_confirmation(
    conn: &mut dyn Conn,
    org: &OrgId,
    confirmation: &str,
) -> Result<Option<Execution>, StoreError> {
    let sql = concat!("select ", columns!(), " from action_executions where org = $1 and confirmation = $2");
    first(conn, sql, params![org, confirmation], execution)
}

/// The newest attempt of that step on an execution that got through its gates. A failed undo does not count, it may be
/// tried again; a failed confirmation does: it works once.
pub fn on_target(
    conn: &mut dyn Conn,
    org: &OrgId,
    target: &str,
    step: Step,
) -> Result<Option<Execution>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from action_executions where org = $1 and target = $2 and step = $3 \
         and outcome <> 'refused' and (outcome <> 'failed' or step = 'confirm') order by started_at desc, id desc limit 1"
    );
    first(conn, sql, params![org, target, step.as_str()], execution)
}

/// How many attempts got through the gates since then.
pub fn count_since(conn: &mut dyn Conn, org: &OrgId, since: Millis) -> Result<u64, StoreError> {
    let sql =
        "select count(*) from action_executions where org = $1 and started_at > $2 and portal is not null";
    let count = first(conn, sql, params![org, since], |row| row.int(0))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// How many calls of an agent were refused since then.
pub fn refusals_since(
    conn: &mut dyn Conn,
    org: &OrgId,
    agent: &str,
    since: Millis,
) -> Result<u64, StoreError> {
    let sql = "select count(*) from action_executions where org = $1 and started_at > $2 and agent = $3 \
               and portal is null";
    let count = first(conn, sql, params![org, since, agent], |row| row.int(0))?;
    Ok(count.and_then(|count| u64::try_from(count).ok()).unwrap_or(0))
}

/// How many attempts ended how.
pub fn counts(conn: &mut dyn Conn, org: &OrgId) -> Result<BTreeMap<String, u64>, StoreError> {
    let sql = "select outcome, count(*) from action_executions where org = $1 group by outcome";
    let counts =
        all(conn, sql, params![org], |row| Ok((row.string(0)?, u64::try_from(row.int(1)?).unwrap_or(0))))?;
    Ok(counts.into_iter().collect())
}

/// Attempts whose end is not known and can be looked up in that portal, first those that were not looked up for the
/// longest time. What was never sent needs no portal.
pub fn open(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: Option<PortalId>,
) -> Result<Vec<Execution>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from action_executions where org = $1 and (outcome = 'started' \
         or outcome in ('sending', 'unknown') and portal = $2) \
         order by coalesce(finished_at, 0), started_at, id limit 100"
    );
    all(conn, sql, params![org, portal.map(PortalId::as_i64)], execution)
}

/// Attempts, newest first: of one agent or all, older than `before`.
pub fn list(
    conn: &mut dyn Conn,
    org: &OrgId,
    agent: Option<&str>,
    before: Option<&str>,
    limit: i64,
) -> Result<Vec<Execution>, StoreError> {
    let sql = concat!(
        "select ",
        columns!(),
        " from action_executions where org = $1 and ($2 is null or agent = $2) and ($3 is null or (started_at, id) < \
         (select started_at, id from action_executions where org = $1 and id = $3)) \
         order by started_at desc, id desc limit $4"
    );
    all(conn, sql, params![org, agent, before, limit], execution)
}

/// The id of a record that we wrote, other than by this execution.
pub fn is_of_another(
    conn: &mut dyn Conn,
    one: &Execution,
    record_type: &str,
    record: &str,
) -> Result<bool, StoreError> {
    let sql = "select 1 from action_executions where org = $1 and portal = $2 and record_type = $3 and record = $4 \
               and id <> $5 limit 1";
    let portal = one.portal.map(PortalId::as_i64);
    let key = params![&one.org, portal, record_type, record, &one.id];
    Ok(first(conn, sql, key, |row| row.int(0))?.is_some())
}

/// This engagement was made by an agent of ours: it is stored, but it is nobody's news and proves nothing about a
/// customer. Known by its id, or, while the answer to its creation is still on its way, by its time.
pub fn made_by_agent(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
    occurred_at: Millis,
) -> Result<bool, StoreError> {
    if document.kind != Kind::Note {
        return Ok(false);
    }
    let sql = "select 1 from action_executions where org = $1 and portal = $2 and record_type = 'notes' \
               and record = $3 union all \
               select 1 from action_executions where org = $1 and portal = $2 and record is null \
               and action = 'create_note' and outcome in ('started', 'sending', 'unknown') and stamp = $4 limit 1";
    let key = params![org, document.portal, &document.id, occurred_at];
    Ok(first(conn, sql, key, |row| row.int(0))?.is_some())
}

/// An agent has written a note into this portal, or is about to.
pub fn any_note(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<bool, StoreError> {
    let sql =
        "select 1 from action_executions where org = $1 and portal = $2 and action = 'create_note' limit 1";
    Ok(first(conn, sql, params![org, portal], |row| row.int(0))?.is_some())
}

/// Takes out what attempts say about a person who is erased; that they were made stays.
pub fn erase_contact(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    contact: &str,
) -> Result<(), StoreError> {
    let sql = "select email from contact_emails where org = $1 and portal = $2 and contact = $3";
    let addresses: Vec<String> = all(conn, sql, params![org, portal, contact], |row| row.string(0))?;
    let sql = "update action_executions set arguments = '{}', asked = x'', customer = null, company = null, \
               detail = null, old_value = null, new_value = null, written = null, answer = null where org = $1 \
               and (portal = $2 and contact = $3 or exists (select 1 from contact_emails m where m.org = $1 \
               and m.portal = $2 and m.contact = $3 and m.email = customer))";
    conn.execute(sql, params![org, portal, contact])?;
    for address in addresses {
        erase_address(conn, org, &address)?;
    }
    Ok(())
}

/// The same for rows that only name an address: a refused call has no contact yet.
fn erase_address(conn: &mut dyn Conn, org: &OrgId, address: &str) -> Result<(), StoreError> {
    let sql =
        "select id, arguments from action_executions where org = $1 and instr(lower(arguments), $2) > 0";
    let naming = all(conn, sql, params![org, address], |row| Ok((row.string(0)?, row.string(1)?)))?;
    let sql = "update action_executions set arguments = '{}', asked = x'', customer = null, company = null, \
               detail = null, old_value = null, new_value = null, written = null, answer = null where org = $1 and id = $2";
    for (id, arguments) in naming {
        let arguments: Value = serde_json::from_str(&arguments).unwrap_or_default();
        if names(&arguments, address) {
            conn.execute(sql, params![org, &id])?;
        }
    }
    Ok(())
}

/// A text in there has this address, and not as the end of another one.
fn names(value: &Value, address: &str) -> bool {
    match value {
        Value::String(text) => has_address(&text.to_lowercase(), address),
        Value::Array(items) => items.iter().any(|item| names(item, address)),
        Value::Object(fields) => fields
            .iter()
            .any(|(name, value)| has_address(&name.to_lowercase(), address) || names(value, address)),
        _ => false,
    }
}

fn has_address(text: &str, address: &str) -> bool {
    let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
    text.match_indices(address).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let mut after = text[at + address.len()..].chars();
        let next = after.next();
        // A full stop ends a sentence, unless the name of the host goes on.
        let ends = match next {
            Some('.') => !after.next().is_some_and(goes_on),
            other => !other.is_some_and(goes_on),
        };
        ends && !before.is_some_and(|c| goes_on(c) || matches!(c, '.' | '+' | '%'))
    })
}

/// Forgets some attempts begun before, and says nothing of what is not known yet. Of a note it stays known that an agent
/// wrote it.
pub fn forget(conn: &mut dyn Conn, org: &OrgId, before: Millis) -> Result<(), StoreError> {
    let sql = "delete from action_executions where id in (select id from action_executions where org = $1 \
               and started_at < $2 and outcome not in ('started', 'sending', 'unknown') \
               and not (action = 'create_note' and step = 'run' and record is not null) limit 1000)";
    conn.execute(sql, params![org, before])?;
    let sql = "update action_executions set arguments = '{}', asked = x'', customer = null, company = null, \
               detail = null, written = null, answer = null, idempotency_key = null where id in (select id from action_executions \
               where org = $1 and started_at < $2 and outcome not in ('started', 'sending', 'unknown') \
               and answer is not null limit 1000)";
    conn.execute(sql, params![org, before]).map(drop)
}

fn execution(row: &dyn Row) -> Result<Execution, StoreError> {
    let shape = |column| StoreError::Shape { column };
    Ok(Execution {
        id: row.string(0)?,
        org: OrgId::new(row.text(1)?),
        portal: row.opt_int(2)?.map(PortalId::from_i64),
        agent: row.opt_string(3)?,
        action: Action::parse(row.text(4)?).ok_or_else(|| shape(4))?,
        step: Step::parse(row.text(5)?).ok_or_else(|| shape(5))?,
        target: row.opt_string(6)?,
        arguments: row.string(7)?,
        customer: row.opt_string(8)?,
        key: row.opt_string(9)?,
        asked: row.blob(10)?.to_vec(),
        outcome: Outcome::parse(row.text(11)?).ok_or_else(|| shape(11))?,
        reason: row.opt_text(12)?.and_then(Reason::parse),
        detail: row.opt_string(13)?,
        contact: row.opt_string(14)?,
        company: row.opt_string(15)?,
        record_type: row.opt_string(16)?,
        record: row.opt_string(17)?,
        property: row.opt_string(18)?,
        old_value: row.opt_string(19)?,
        new_value: row.opt_string(20)?,
        written: row.opt_string(21)?,
        stamp: row.opt_int(22)?.map(Millis),
        confirmation: row.opt_string(23)?,
        expires_at: row.opt_int(24)?.map(Millis),
        answer: row.opt_string(25)?,
        started_at: Millis(row.int(26)?),
        sent_at: row.opt_int(27)?.map(Millis),
        finished_at: row.opt_int(28)?.map(Millis),
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn an_address_is_not_found_at_the_end_or_the_start_of_another_one() {
        for named in [
            json!({"contact": "Ann@x.example"}),
            json!({"text": ["Write to\nann@x.example."]}),
            json!({"mailto:ann@x.example": 1}),
            json!("joann@x.example, ann@x.example"),
        ] {
            assert!(names(&named, "ann@x.example"), "{named}");
        }
        for other in
            ["joann@x.example", "jo.ann@x.example", "ann@x.example.com", "ann@x.examples", "jo-ann@x.example"]
        {
            assert!(!names(&json!({"contact": other}), "ann@x.example"), "{other}");
        }
    }
}
