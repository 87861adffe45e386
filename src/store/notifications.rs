//! The outbox: engagements that are to be posted, and the messages they went into.
//!
//! An engagement is queued once, in the transaction that stores it first. A message is noted before it is sent and
//! again when its outcome is known, so that a process that dies in between leaves what it did not know.

use std::collections::BTreeMap;

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use crate::domain::clock::Millis;
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::domain::notification::NotificationType;
use crate::params;

/// What became of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum State {
    /// It is being sent; of a process that died: it may have arrived.
    Sending,
    /// It did not arrive and is sent again.
    Retry,
    /// It may have arrived: asked for, where that is possible, else sent again.
    Unknown,
    /// It arrived.
    Sent,
    /// It was given up.
    Failed,
}

impl State {
    /// Every state.
    const ALL: [Self; 5] = [Self::Sending, Self::Retry, Self::Unknown, Self::Sent, Self::Failed];

    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Sending => "sending",
            Self::Retry => "retry",
            Self::Unknown => "unknown",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }

    fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// The type under which test messages stand in the log.
pub const TEST: &str = "test";

/// One message.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize)]
pub struct Delivery {
    /// Number.
    pub id: i64,
    /// A type of notification, or `test`.
    #[serde(rename = "type")]
    pub notification: String,
    /// Channel; null: the webhook's own.
    pub channel: Option<String>,
    /// Engagements in it.
    pub notifications: u64,
    /// What became of it.
    pub state: State,
    /// How often it was sent.
    pub attempts: u32,
    /// When it is sent next.
    pub next_at: Option<Millis>,
    /// What went wrong last.
    pub cause: Option<String>,
    /// When it was made.
    pub created_at: Millis,
    /// When its outcome was known; null also where it was called off.
    pub ended_at: Option<Millis>,
}

macro_rules! delivery_columns {
    () => {
        "id, type, channel, notifications, state, attempts, next_at, cause, created_at, ended_at"
    };
}

fn delivery(row: &dyn Row) -> Result<Delivery, StoreError> {
    Ok(Delivery {
        id: row.int(0)?,
        notification: row.string(1)?,
        channel: row.opt_string(2)?,
        notifications: whole(row.int(3)?),
        state: State::parse(row.text(4)?).ok_or(StoreError::Shape { column: 4 })?,
        attempts: u32::try_from(row.int(5)?).unwrap_or(u32::MAX),
        next_at: row.opt_int(6)?.map(Millis),
        cause: row.opt_string(7)?,
        created_at: Millis(row.int(8)?),
        ended_at: row.opt_int(9)?.map(Millis),
    })
}

fn whole(count: i64) -> u64 {
    u64::try_from(count).unwrap_or(0)
}

/// Queues an engagement; one that was queued before stays as it is.
pub fn add(
    conn: &mut dyn Conn,
    org: &OrgId,
    notification: NotificationType,
    document: &DocumentId,
    now: Millis,
) -> Result<(), StoreError> {
    let sql = "insert into notifications (org, type, portal, kind, id, queued_at) values ($1, $2, $3, $4, $5, $6) \
               on conflict do nothing";
    let (kind, id) = (document.kind.as_str(), &document.id);
    conn.execute(sql, params![org, notification.as_str(), document.portal, kind, id, now]).map(drop)
}

/// An engagement is gone, or its words are: nobody is told of it any more.
pub fn forget(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<(), StoreError> {
    let sql =
        "delete from notifications where org = $1 and type = $2 and portal = $3 and kind = $4 and id = $5";
    for one in NotificationType::ALL {
        let (kind, id) = (document.kind.as_str(), &document.id);
        conn.execute(sql, params![org, one.as_str(), document.portal, kind, id])?;
    }
    Ok(())
}

/// Lets everything go that waits or is still being sent; of one type, or of all.
pub fn cancel(
    conn: &mut dyn Conn,
    org: &OrgId,
    notification: Option<NotificationType>,
    why: &str,
) -> Result<(), StoreError> {
    let name = notification.map(NotificationType::as_str);
    conn.execute(
        "update notifications set dropped = $3 where org = $1 and type = coalesce($2, type) and delivery is null \
         and dropped is null",
        params![org, name, why],
    )?;
    conn.execute(
        "update deliveries set state = 'failed', cause = $3, next_at = null where org = $1 \
         and type = coalesce($2, type) and state in ('sending', 'retry', 'unknown')",
        params![org, name, why],
    )
    .map(drop)
}

/// What waits and may be told: how many, and since when.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Waiting {
    /// Engagements.
    pub count: u64,
    /// When the oldest of them was queued.
    pub oldest: Option<Millis>,
}

/// Since when the oldest of all that waits does, whether it may be told or not.
pub fn oldest(
    conn: &mut dyn Conn,
    org: &OrgId,
    notification: NotificationType,
) -> Result<Option<Millis>, StoreError> {
    let sql = "select min(queued_at) from notifications where org = $1 and type = $2 and delivery is null \
               and dropped is null";
    let found = first(conn, sql, params![org, notification.as_str()], |row| row.opt_int(0))?;
    Ok(found.flatten().map(Millis))
}

/// What waits ($1, $2) and may be told: no rule holds it that nobody could judge yet, and somebody it is about is known,
/// or was not within the time ($3) that HubSpot may take to say.
macro_rules! may_be_told {
    () => {
        " from notifications n left join hubspot_engagements e on e.org = n.org and e.portal = n.portal \
          and e.kind = n.kind and e.id = n.id where n.org = $1 and n.type = $2 and n.delivery is null \
          and n.dropped is null and e.decision is not 'held' and (n.queued_at <= $3 or exists (select 1 \
          from associations a join end_users u on u.org = a.org and u.portal = a.portal and u.id = a.to_id \
          where a.org = n.org and a.portal = n.portal and a.from_type = n.kind and a.from_id = n.id \
          and a.to_type = 'contacts'))"
    };
}

/// How long a message that nobody waits for any more may be on its way.
const UNDER_WAY_MS: i64 = 2_000;
/// HubSpot ties an engagement to its customer some seconds after it was made.
const TIES_MS: i64 = 5_000;

/// What waits and may be told.
pub fn waiting(
    conn: &mut dyn Conn,
    org: &OrgId,
    notification: NotificationType,
    now: Millis,
) -> Result<Waiting, StoreError> {
    let sql = concat!("select count(*), min(n.queued_at)", may_be_told!());
    let found = first(conn, sql, params![org, notification.as_str(), now.plus(-TIES_MS)], |row| {
        Ok(Waiting { count: whole(row.int(0)?), oldest: row.opt_int(1)?.map(Millis) })
    })?;
    Ok(found.unwrap_or_default())
}

/// The oldest of what waits and may be told, at most `limit`, queued before a time.
pub fn next(
    conn: &mut dyn Conn,
    org: &OrgId,
    notification: NotificationType,
    (queued_before, now): (Millis, Millis),
    limit: i64,
) -> Result<Vec<DocumentId>, StoreError> {
    let sql = concat!(
        "select n.portal, n.kind, n.id",
        may_be_told!(),
        " and n.queued_at < $4 order by n.queued_at, e.occurred_at, n.kind, n.id limit $5"
    );
    let known = now.plus(-TIES_MS);
    all(conn, sql, params![org, notification.as_str(), known, queued_before, limit], document)
}

fn document(row: &dyn Row) -> Result<DocumentId, StoreError> {
    let kind = Kind::parse(row.text(1)?).ok_or(StoreError::Shape { column: 1 })?;
    Ok(DocumentId { portal: PortalId::from_i64(row.int(0)?), kind, id: row.string(2)? })
}

/// Drops what was queued before a time and is still waiting, for a reason.
pub fn drop_older(
    conn: &mut dyn Conn,
    org: &OrgId,
    notification: NotificationType,
    queued_before: Millis,
    why: &str,
) -> Result<(), StoreError> {
    let sql = "update notifications set dropped = $4 where org = $1 and type = $2 and queued_at < $3 \
               and delivery is null and dropped is null";
    conn.execute(sql, params![org, notification.as_str(), queued_before, why]).map(drop)
}

/// Drops one.
pub fn drop_one(
    conn: &mut dyn Conn,
    org: &OrgId,
    notification: NotificationType,
    document: &DocumentId,
    why: &str,
) -> Result<(), StoreError> {
    let sql = "update notifications set dropped = $6, delivery = null where org = $1 and type = $2 and portal = $3 \
               and kind = $4 and id = $5";
    let (kind, id) = (document.kind.as_str(), &document.id);
    conn.execute(sql, params![org, notification.as_str(), document.portal, kind, id, why]).map(drop)
}

/// Notes a message as being sent for the first time; answers its number.
pub fn begin(
    conn: &mut dyn Conn,
    org: &OrgId,
    notification: &str,
    channel: Option<&str>,
    documents: &[DocumentId],
    now: Millis,
) -> Result<i64, StoreError> {
    let sql = "insert into deliveries (org, type, channel, notifications, state, attempts, created_at) \
               values ($1, $2, $3, $4, 'sending', 1, $5) returning id";
    let count = i64::try_from(documents.len()).unwrap_or(i64::MAX);
    let made = first(conn, sql, params![org, notification, channel, count, now], |row| row.int(0))?;
    let id = made.ok_or(StoreError::Shape { column: 0 })?;
    let sql = "update notifications set delivery = $6 where org = $1 and type = $2 and portal = $3 and kind = $4 \
               and id = $5";
    for one in documents {
        conn.execute(sql, params![org, notification, one.portal, one.kind.as_str(), &one.id, id])?;
    }
    Ok(id)
}

/// Notes a message as being sent once more.
pub fn resume(conn: &mut dyn Conn, id: i64, channel: Option<&str>) -> Result<(), StoreError> {
    let sql = "update deliveries set state = 'sending', channel = $2, attempts = attempts + 1, next_at = null \
               where id = $1";
    conn.execute(sql, params![id, channel]).map(drop)
}

/// Notes what became of a message. One that was cancelled meanwhile stays so, unless it arrived.
pub fn settle(
    conn: &mut dyn Conn,
    id: i64,
    state: State,
    cause: Option<&str>,
    next_at: Option<Millis>,
    now: Millis,
) -> Result<(), StoreError> {
    let ended = matches!(state, State::Sent | State::Failed).then_some(now);
    conn.execute(
        "update deliveries set state = $2, cause = $3, next_at = $4, ended_at = $5 where id = $1 \
         and (state <> 'failed' or $2 = 'sent')",
        params![id, state.as_str(), cause, next_at, ended],
    )
    .map(drop)
}

/// What a process that died was sending may have arrived, or still be on its way.
pub fn recover(conn: &mut dyn Conn, org: &OrgId, now: Millis) -> Result<(), StoreError> {
    let sql = "update deliveries set state = 'unknown', next_at = $2 where org = $1 and state = 'sending'";
    conn.execute(sql, params![org, now.plus(UNDER_WAY_MS)]).map(drop)
}

/// The oldest message whose outcome is open.
pub fn open(
    conn: &mut dyn Conn,
    org: &OrgId,
    notification: NotificationType,
) -> Result<Option<Delivery>, StoreError> {
    let sql = concat!(
        "select ",
        delivery_columns!(),
        " from deliveries where org = $1 and type = $2 and state in ('sending', 'retry', 'unknown') order by id limit 1"
    );
    first(conn, sql, params![org, notification.as_str()], delivery)
}

/// Engagements of a message.
pub fn of_delivery(conn: &mut dyn Conn, id: i64) -> Result<Vec<DocumentId>, StoreError> {
    let sql = "select n.portal, n.kind, n.id from notifications n left join hubspot_engagements e \
               on e.org = n.org and e.portal = n.portal and e.kind = n.kind and e.id = n.id \
               where n.delivery = $1 order by n.queued_at, e.occurred_at, n.kind, n.id";
    all(conn, sql, params![id], document)
}

/// Messages sent after a time, and when the newest of all was.
pub fn recent(conn: &mut dyn Conn, org: &OrgId, after: Millis) -> Result<(u64, Option<Millis>), StoreError> {
    let sql = "select count(*) filter (where ended_at > $2), max(ended_at) from \
               (select ended_at from deliveries where org = $1 and state = 'sent' order by id desc limit 100)";
    let found =
        first(conn, sql, params![org, after], |row| Ok((whole(row.int(0)?), row.opt_int(1)?.map(Millis))))?;
    Ok(found.unwrap_or_default())
}

/// The newest messages, newest first.
pub fn deliveries(conn: &mut dyn Conn, org: &OrgId, limit: i64) -> Result<Vec<Delivery>, StoreError> {
    let sql =
        concat!("select ", delivery_columns!(), " from deliveries where org = $1 order by id desc limit $2");
    all(conn, sql, params![org, limit], delivery)
}

/// Engagements that were queued, by what became of them: `waiting`, `posted`, `sending`, or why they were dropped.
pub fn counts(conn: &mut dyn Conn, org: &OrgId) -> Result<BTreeMap<String, u64>, StoreError> {
    let sql = "select case when n.dropped is not null then n.dropped when n.delivery is null then 'waiting' \
               when d.state = 'sent' then 'posted' when d.state = 'failed' then 'failed' else 'sending' end as what, \
               count(*) from notifications n left join deliveries d on d.id = n.delivery \
               where n.org = $1 group by what";
    let counted = all(conn, sql, params![org], |row| Ok((row.string(0)?, whole(row.int(1)?))))?;
    Ok(counted.into_iter().collect())
}

/// Forgets what ended before a time.
pub fn prune(conn: &mut dyn Conn, org: &OrgId, before: Millis) -> Result<(), StoreError> {
    conn.execute(
        "delete from notifications where org = $1 and queued_at < $2 and (dropped is not null or delivery in \
         (select id from deliveries where org = $1 and state in ('sent', 'failed') and created_at < $2))",
        params![org, before],
    )?;
    let sql = "delete from deliveries where org = $1 and created_at < $2 and state in ('sent', 'failed')";
    conn.execute(sql, params![org, before]).map(drop)
}
