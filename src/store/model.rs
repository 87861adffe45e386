//! What waits for a model, what it said, and what that cost. The queue is filled by comparing it with the engagements,
//! so that storing an engagement knows nothing of it.

use std::collections::BTreeMap;

use super::StoreError;
use super::conn::{Conn, all, first};
use crate::domain::clock::Millis;
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::domain::insight::dates::Day;
use crate::params;

/// What a model is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Task {
    /// Facts in a learned engagement.
    Facts,
    /// Whether a held engagement is about the topics of the rules.
    Topics,
}

impl Task {
    /// The name used in rows and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Facts => "facts",
            Self::Topics => "topics",
        }
    }
}

/// One engagement whose turn it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The engagement.
    pub document: DocumentId,
    /// Version of its row.
    pub seq: i64,
    /// How often it failed.
    pub tries: i64,
}

/// Brings the queue up to date with the engagements of a portal: new and changed learned ones wait for facts, held ones
/// that no judge could be asked about wait for topics, and what is no longer either is skipped.
pub fn fill(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    (facts, topics): (bool, bool),
) -> Result<(), StoreError> {
    let skip = "update model_queue set state = 'skipped', reason = 'not learned', next_at = null, answer = null \
                where org = $1 and portal = $2 and task = 'facts' and state <> 'skipped' and not exists \
                (select 1 from hubspot_engagements e where e.org = model_queue.org and e.portal = model_queue.portal \
                and e.kind = model_queue.kind and e.id = model_queue.id and e.decision = 'learned')";
    conn.execute(skip, params![org, portal])?;
    if facts {
        let learned = "insert into model_queue (org, portal, task, kind, id, seq, state, tries) \
                       select e.org, e.portal, 'facts', e.kind, e.id, e.seq, 'pending', 0 from hubspot_engagements e \
                       left join model_queue q on q.org = e.org and q.portal = e.portal and q.task = 'facts' \
                       and q.kind = e.kind and q.id = e.id where e.org = $1 and e.portal = $2 \
                       and e.decision = 'learned' and (q.id is null or q.seq <> e.seq or q.state = 'skipped') \
                       on conflict (org, portal, task, kind, id) do update set seq = excluded.seq, \
                       state = 'pending', reason = null, tries = 0, next_at = null";
        conn.execute(learned, params![org, portal])?;
    }
    let settled = "update model_queue set state = 'skipped', reason = 'decided', next_at = null \
                   where org = $1 and portal = $2 and task = 'topics' and state in ('pending', 'failed') and not exists \
                   (select 1 from rule_decisions d where d.org = model_queue.org and d.portal = model_queue.portal \
                   and d.kind = model_queue.kind and d.id = model_queue.id and d.outcome = 'held' and d.judge = '')";
    conn.execute(settled, params![org, portal])?;
    if !topics {
        return Ok(());
    }
    let held = "insert into model_queue (org, portal, task, kind, id, seq, state, tries) \
                select e.org, e.portal, 'topics', e.kind, e.id, e.seq, 'pending', 0 from rule_decisions d \
                join hubspot_engagements e on e.org = d.org and e.portal = d.portal and e.kind = d.kind and e.id = d.id \
                left join model_queue q on q.org = e.org and q.portal = e.portal and q.task = 'topics' \
                and q.kind = e.kind and q.id = e.id where d.org = $1 and d.portal = $2 and d.outcome = 'held' \
                and d.judge = '' and (q.id is null or q.seq <> e.seq or q.state in ('done', 'skipped')) \
                on conflict (org, portal, task, kind, id) do update set seq = excluded.seq, state = 'pending', \
                reason = null, tries = 0, next_at = null";
    conn.execute(held, params![org, portal]).map(drop)
}

/// Lets everything wait again: another model, prompt or instruction may say something else.
pub fn start_over(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<(), StoreError> {
    let sql = "update model_queue set state = 'pending', reason = null, tries = 0, next_at = null \
               where org = $1 and portal = $2 and state in ('done', 'failed')";
    conn.execute(sql, params![org, portal]).map(drop)
}

/// Up to `limit` engagements whose turn it is: what our side wrote first, then what is newest.
pub fn next(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    task: Task,
    now: Millis,
    limit: i64,
) -> Result<Vec<Waiting>, StoreError> {
    let sql = "select q.kind, q.id, q.seq, q.tries from model_queue q join hubspot_engagements e \
               on e.org = q.org and e.portal = q.portal and e.kind = q.kind and e.id = q.id \
               where q.org = $1 and q.portal = $2 and q.task = $3 and (q.state = 'pending' or q.state = 'failed' \
               and q.next_at is not null) and (q.next_at is null or q.next_at <= $4) \
               order by q.kind in ('email', 'form_submission') and e.properties ->> 'hs_email_direction' is not 'EMAIL', \
               e.occurred_at desc, q.kind, q.id limit $5";
    all(conn, sql, params![org, portal, task.as_str(), now, limit], |row| {
        let kind = Kind::parse(row.text(0)?).ok_or(StoreError::Shape { column: 0 })?;
        let document = DocumentId { portal, kind, id: row.string(1)? };
        Ok(Waiting { document, seq: row.int(2)?, tries: row.int(3)? })
    })
}

/// How an attempt ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ended {
    /// It was answered; the answer is kept under this key, where there is one.
    Done(Option<[u8; 32]>),
    /// It failed for this reason; it is tried again at this time, or not by itself.
    Failed(&'static str, Option<Millis>),
    /// It has to wait for this reason, until this time.
    Waits(&'static str, Option<Millis>),
}

/// Notes how an attempt ended, unless the engagement changed meanwhile.
pub fn end(
    conn: &mut dyn Conn,
    org: &OrgId,
    task: Task,
    one: &Waiting,
    ended: &Ended,
) -> Result<(), StoreError> {
    let (state, reason, next_at, answer, tries) = match ended {
        Ended::Done(answer) => ("done", None, None, answer.as_ref(), 0),
        Ended::Failed(reason, next_at) => ("failed", Some(*reason), *next_at, None, one.tries + 1),
        Ended::Waits(reason, next_at) => ("pending", Some(*reason), *next_at, None, one.tries),
    };
    let answer = answer.map(|key| key.to_vec());
    conn.execute(
        "update model_queue set state = $6, reason = $7, next_at = $8, answer = $9, tries = $10 \
         where org = $1 and portal = $2 and task = $3 and kind = $4 and id = $5 and seq = $11",
        params![
            org,
            one.document.portal,
            task.as_str(),
            one.document.kind.as_str(),
            &one.document.id,
            state,
            reason,
            next_at,
            &answer,
            tries,
            one.seq
        ],
    )
    .map(drop)
}

/// What the model said about what has this key, as JSON.
pub fn answer(conn: &mut dyn Conn, org: &OrgId, key: &[u8; 32]) -> Result<Option<String>, StoreError> {
    let sql = "select items from model_answers where org = $1 and key = $2";
    first(conn, sql, params![org, key], |row| row.string(0))
}

/// Keeps what the model said.
pub fn keep_answer(
    conn: &mut dyn Conn,
    org: &OrgId,
    key: &[u8; 32],
    items: &str,
    now: Millis,
) -> Result<(), StoreError> {
    conn.execute(
        "insert into model_answers (org, key, items, answered_at) values ($1, $2, $3, $4) \
         on conflict (org, key) do update set items = excluded.items, answered_at = excluded.answered_at",
        params![org, key, items, now],
    )
    .map(drop)
}

/// What the model said about the topic and text with this key.
pub fn verdict(conn: &mut dyn Conn, org: &OrgId, key: &[u8; 32]) -> Result<Option<i64>, StoreError> {
    let sql = "select said from model_verdicts where org = $1 and key = $2";
    first(conn, sql, params![org, key], |row| row.int(0))
}

/// Keeps a verdict about an engagement.
pub fn keep_verdict(
    conn: &mut dyn Conn,
    org: &OrgId,
    key: &[u8; 32],
    said: i64,
    document: &DocumentId,
) -> Result<(), StoreError> {
    conn.execute(
        "insert into model_verdicts (org, key, said, portal, kind, id) values ($1, $2, $3, $4, $5, $6) \
         on conflict (org, key) do update set said = excluded.said",
        params![org, key, said, document.portal, document.kind.as_str(), &document.id],
    )
    .map(drop)
}

/// Forgets an engagement, and what was said about it unless it is said about another one too.
pub fn erase(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<(), StoreError> {
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    let sql = "select answer from model_queue where org = $1 and portal = $2 and kind = $3 and id = $4 \
               and answer is not null";
    let answers: Vec<Vec<u8>> = all(conn, sql, key, |row| Ok(row.blob(0)?.to_vec()))?;
    let sql = "delete from model_queue where org = $1 and portal = $2 and kind = $3 and id = $4";
    conn.execute(sql, key)?;
    let sql = "delete from model_verdicts where org = $1 and portal = $2 and kind = $3 and id = $4";
    conn.execute(sql, key)?;
    for answer in answers {
        let sql = "delete from model_answers where org = $1 and key = $2 and not exists \
                   (select 1 from model_queue q where q.org = $1 and q.answer = $2)";
        conn.execute(sql, params![org, &answer])?;
    }
    Ok(())
}

/// Tokens spent: on a day, on a day for one customer, since a run.
pub fn spent(
    conn: &mut dyn Conn,
    org: &OrgId,
    day: i64,
    customer: &str,
    run: &str,
) -> Result<(u64, u64, u64), StoreError> {
    let sql = "select coalesce(sum(tokens) filter (where day = $2), 0), \
               coalesce(sum(tokens) filter (where day = $2 and customer = $3), 0), \
               coalesce(sum(tokens) filter (where run = $4), 0) from model_spending where org = $1 \
               and (day = $2 or run = $4)";
    let whole = |n: i64| u64::try_from(n).unwrap_or(0);
    let found = first(conn, sql, params![org, day, customer, run], |row| {
        Ok((whole(row.int(0)?), whole(row.int(1)?), whole(row.int(2)?)))
    })?;
    Ok(found.unwrap_or_default())
}

/// Notes tokens as spent. Days long gone are forgotten.
pub fn spend(
    conn: &mut dyn Conn,
    org: &OrgId,
    day: i64,
    customer: &str,
    run: &str,
    tokens: u64,
) -> Result<(), StoreError> {
    conn.execute("delete from model_spending where org = $1 and day < $2", params![org, day - 31])?;
    conn.execute(
        "insert into model_spending (org, day, customer, run, tokens) values ($1, $2, $3, $4, $5) \
         on conflict (org, day, customer, run) do update set tokens = tokens + excluded.tokens",
        params![org, day, customer, run, i64::try_from(tokens).unwrap_or(i64::MAX / 2)],
    )
    .map(drop)
}

/// How many engagements are in which state, by task.
pub fn counts(
    conn: &mut dyn Conn,
    org: &OrgId,
) -> Result<BTreeMap<String, BTreeMap<String, u64>>, StoreError> {
    let sql = "select task, state, count(*) from model_queue where org = $1 group by task, state";
    let mut out: BTreeMap<String, BTreeMap<String, u64>> = BTreeMap::new();
    conn.query(sql, params![org], &mut |row| {
        let count = u64::try_from(row.int(2)?).unwrap_or(0);
        out.entry(row.string(0)?).or_default().insert(row.string(1)?, count);
        Ok(())
    })?;
    Ok(out)
}

/// Why engagements failed, with how many did.
pub fn failures(conn: &mut dyn Conn, org: &OrgId) -> Result<BTreeMap<String, u64>, StoreError> {
    let sql = "select reason, count(*) from model_queue where org = $1 and state = 'failed' and reason is not null \
               group by reason";
    let pairs =
        all(conn, sql, params![org], |row| Ok((row.string(0)?, u64::try_from(row.int(1)?).unwrap_or(0))))?;
    Ok(pairs.into_iter().collect())
}

/// Tokens spent by day, as far back as they are kept.
pub fn tokens(conn: &mut dyn Conn, org: &OrgId) -> Result<BTreeMap<String, u64>, StoreError> {
    let sql = "select day, sum(tokens) from model_spending where org = $1 group by day";
    let pairs = all(conn, sql, params![org], |row| {
        let day = Day(i32::try_from(row.int(0)?).unwrap_or_default());
        Ok((day.to_string(), u64::try_from(row.int(1)?).unwrap_or(0)))
    })?;
    Ok(pairs.into_iter().collect())
}
