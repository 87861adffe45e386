//! Deliveries of webhooks, the events in them, and how often what happened. Records they tell of are in `announced`.
//!
//! A delivery is stored with everything that follows from it in one transaction; what is answered to HubSpot rests on
//! that.

use std::collections::{BTreeMap, HashSet};

use serde::Serialize;

use super::StoreError;
use super::announced;
use super::conn::{Conn, Row, all, first};
use super::crm::Tenant;
use super::{connections, orgs};
use crate::domain::clock::Millis;
use crate::domain::event::Event;
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// How long events and deliveries are remembered at least: HubSpot redelivers for a day, and what is replayed by
/// somebody else comes later.
const REMEMBERED_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// Bytes of deliveries that are kept together, the newest of them.
const MOST_KEPT_BYTES: i64 = 256 << 20;

/// A delivery whose signature held.
#[derive(Debug)]
pub struct Arrival {
    /// Organisation it is addressed to.
    pub org: OrgId,
    /// When it came.
    pub at: Millis,
    /// Version of its signature.
    pub signature: &'static str,
    /// Hash of its bytes.
    pub digest: [u8; 32],
    /// Its events; `None` where the body cannot be read.
    pub events: Option<Vec<Event>>,
    /// Raw bytes; `None` where they are not to be kept.
    pub body: Option<Vec<u8>>,
}

/// What became of the events of a delivery.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// All of them.
    pub events: u64,
    /// New ones about records of this portal.
    pub taken: u64,
    /// Delivered before.
    pub repeated: u64,
    /// Of another portal.
    pub foreign_portal: u64,
    /// About nothing that is read here.
    pub unknown: u64,
}

/// What became of a delivery.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    Taken,
    Ignored(&'static str),
    Unreadable,
}

impl Verdict {
    fn columns(self) -> (&'static str, Option<&'static str>) {
        match self {
            Self::Taken => ("taken", None),
            Self::Ignored(reason) => ("ignored", Some(reason)),
            Self::Unreadable => ("unreadable", None),
        }
    }
}

/// Stores a delivery and what it announces. While reading is off or nothing is connected it is only counted.
pub fn take(conn: &mut dyn Conn, arrival: Arrival) -> Result<Tally, StoreError> {
    let Arrival { org, at, signature, events, digest, body } = arrival;
    let connected = connections::get(conn, &org)?.map(|connection| connection.portal);
    let off = orgs::modes(conn, &org)?.ingest == Some(false);
    let (verdict, events) = match (off, connected, events) {
        (true, _, events) => (Verdict::Ignored("ingest_off"), events),
        (_, None, events) => (Verdict::Ignored("not_connected"), events),
        (_, Some(_), None) => (Verdict::Unreadable, None),
        (_, Some(_), events) => (Verdict::Taken, events),
    };
    let events = events.unwrap_or_default();
    let mut tally = Tally { events: events.len() as u64, ..Tally::default() };
    if !is_first(conn, &org, (connected, at), &digest, verdict)? {
        // Who captured a delivery without a time in it may send it for ever: nothing may grow by that.
        tally.repeated = tally.events;
        count_all(conn, &org, at, verdict, tally)?;
        return Ok(tally);
    }
    let number = insert(conn, &org, (connected, at), signature, verdict)?;
    if let (Verdict::Taken, Some(portal)) = (verdict, connected) {
        let tenant = Tenant { org: &org, portal, now: at };
        for event in &events {
            sort(conn, tenant, number, event, &mut tally)?;
        }
    }
    let worth_keeping = verdict == Verdict::Unreadable || tally.taken + tally.unknown > 0;
    settle(conn, number, tally, body.filter(|_| worth_keeping))?;
    count_all(conn, &org, at, verdict, tally)?;
    Ok(tally)
}

/// These bytes have not come before with the same verdict; they are remembered as long as events are.
fn is_first(
    conn: &mut dyn Conn,
    org: &OrgId,
    (portal, at): (Option<PortalId>, Millis),
    digest: &[u8; 32],
    verdict: Verdict,
) -> Result<bool, StoreError> {
    let portal = portal.map_or(0, PortalId::as_i64);
    let (name, reason) = verdict.columns();
    let named = [name, reason.unwrap_or_default()].concat();
    // Longer than the fingerprint of an event, so that neither is taken for the other.
    let fingerprint = [&digest[..], &portal.to_be_bytes(), named.as_bytes()].concat();
    let sql = "insert into webhook_events (org, fingerprint, portal, received_at) values ($1, $2, $3, $4) \
               on conflict do nothing";
    Ok(conn.execute(sql, params![org, &fingerprint, portal, at])? > 0)
}

fn insert(
    conn: &mut dyn Conn,
    org: &OrgId,
    (portal, at): (Option<PortalId>, Millis),
    signature: &str,
    verdict: Verdict,
) -> Result<i64, StoreError> {
    let sql = "insert into webhook_deliveries (org, portal, received_at, signature, verdict, reason, events, taken, \
               repeated, foreign_portal, unknown) values ($1, $2, $3, $4, $5, $6, 0, 0, 0, 0, 0) returning id";
    let (name, reason) = verdict.columns();
    let portal = portal.map(PortalId::as_i64);
    let id = first(conn, sql, params![org, portal, at, signature, name, reason], |row| row.int(0))?;
    id.ok_or(StoreError::Shape { column: 0 })
}

/// One event: taken, or counted with the reason why not.
fn sort(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    number: i64,
    event: &Event,
    tally: &mut Tally,
) -> Result<(), StoreError> {
    match event.portal {
        Some(portal) if portal != tenant.portal => {
            tally.foreign_portal += 1;
            return Ok(());
        }
        Some(_) if !event.about.is_empty() => {}
        _ => {
            tally.unknown += 1;
            return Ok(());
        }
    }
    let sql = "insert into webhook_events (org, fingerprint, portal, received_at) values ($1, $2, $3, $4) \
               on conflict do nothing";
    if conn.execute(sql, params![tenant.org, &event.fingerprint, tenant.portal, tenant.now])? == 0 {
        tally.repeated += 1;
        return Ok(());
    }
    tally.taken += 1;
    announced::tell(conn, tenant, number, event)
}

fn settle(conn: &mut dyn Conn, number: i64, tally: Tally, body: Option<Vec<u8>>) -> Result<(), StoreError> {
    let sql = "update webhook_deliveries set events = $2, taken = $3, repeated = $4, foreign_portal = $5, \
               unknown = $6, body = $7 where id = $1";
    let of = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
    let counts = [tally.events, tally.taken, tally.repeated, tally.foreign_portal, tally.unknown].map(of);
    let [events, taken, repeated, foreign, unknown] = counts;
    conn.execute(sql, params![number, events, taken, repeated, foreign, unknown, &body]).map(drop)
}

fn count_all(
    conn: &mut dyn Conn,
    org: &OrgId,
    at: Millis,
    verdict: Verdict,
    tally: Tally,
) -> Result<(), StoreError> {
    let ignored = if matches!(verdict, Verdict::Ignored(_)) { tally.events } else { 0 };
    let counts = [
        ("deliveries", 1),
        ("unreadable", u64::from(verdict == Verdict::Unreadable)),
        ("events.taken", tally.taken),
        ("events.repeated", tally.repeated),
        ("events.foreign_portal", tally.foreign_portal),
        ("events.unknown", tally.unknown),
        ("events.ignored", ignored),
    ];
    counts.into_iter().filter(|(_, by)| *by > 0).try_for_each(|(what, by)| count(conn, org, what, by, at))
}

/// Counts something that happened.
pub fn count(conn: &mut dyn Conn, org: &OrgId, what: &str, by: u64, at: Millis) -> Result<(), StoreError> {
    let sql = "insert into webhook_counts (org, what, count, last_at) values ($1, $2, $3, $4) \
               on conflict (org, what) do update set count = count + excluded.count, last_at = excluded.last_at";
    conn.execute(sql, params![org, what, i64::try_from(by).unwrap_or(i64::MAX), at]).map(drop)
}

/// How often what happened, and when last.
pub fn counts(conn: &mut dyn Conn, org: &OrgId) -> Result<BTreeMap<String, (u64, Millis)>, StoreError> {
    let sql = "select what, count, last_at from webhook_counts where org = $1";
    let rows = all(conn, sql, params![org], |row| {
        Ok((row.string(0)?, (u64::try_from(row.int(1)?).unwrap_or(0), Millis(row.int(2)?))))
    })?;
    Ok(rows.into_iter().collect())
}

/// One delivery, as people are shown it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Number.
    pub id: i64,
    /// When it came.
    pub received_at: Millis,
    /// Version of the signature that held.
    pub signature: String,
    /// `taken`, `ignored` or `unreadable`.
    pub verdict: String,
    /// Why it was ignored.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What became of its events.
    #[serde(flatten)]
    pub tally: Tally,
    /// Its bytes are kept and can be replayed.
    pub kept: bool,
}

fn delivery(row: &dyn Row) -> Result<Delivery, StoreError> {
    let count = |column| row.int(column).map(|value| u64::try_from(value).unwrap_or(0));
    Ok(Delivery {
        id: row.int(0)?,
        received_at: Millis(row.int(1)?),
        signature: row.string(2)?,
        verdict: row.string(3)?,
        reason: row.opt_string(4)?,
        tally: Tally {
            events: count(5)?,
            taken: count(6)?,
            repeated: count(7)?,
            foreign_portal: count(8)?,
            unknown: count(9)?,
        },
        kept: row.int(10)? != 0,
    })
}

/// The newest deliveries before number `before`.
pub fn newest(
    conn: &mut dyn Conn,
    org: &OrgId,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Delivery>, StoreError> {
    let sql = "select id, received_at, signature, verdict, reason, events, taken, repeated, foreign_portal, unknown, \
               body is not null from webhook_deliveries where org = $1 and id < $2 order by id desc limit $3";
    all(conn, sql, params![org, before.unwrap_or(i64::MAX), limit], delivery)
}

/// The number of a delivery, and its bytes where they are kept.
pub type Kept = (i64, Option<Vec<u8>>);

/// A stretch of deliveries: from when to when they came, both included.
#[derive(Debug, Clone, Copy)]
pub struct Between {
    /// Start.
    pub from: Millis,
    /// End.
    pub to: Millis,
}

/// The next deliveries of a stretch behind number `after`, oldest first. What was ignored is not among them.
pub fn stretch(
    conn: &mut dyn Conn,
    org: &OrgId,
    between: Between,
    after: i64,
    limit: i64,
) -> Result<Vec<Kept>, StoreError> {
    let sql = "select id, body from webhook_deliveries where org = $1 and received_at between $2 and $3 and id > $4 \
               and verdict <> 'ignored' order by id limit $5";
    all(conn, sql, params![org, between.from, between.to, after, limit], |row| {
        Ok((row.int(0)?, row.opt_blob(1)?.map(<[u8]>::to_vec)))
    })
}

/// Forgets what is older than it is kept: bytes after `keep_ms` or beyond what is kept of them together, the rest after a
/// month or with the bytes.
pub fn trim(conn: &mut dyn Conn, org: &OrgId, keep_ms: i64, now: Millis) -> Result<(), StoreError> {
    let bytes =
        "update webhook_deliveries set body = null where org = $1 and received_at < $2 and body is not null";
    conn.execute(bytes, params![org, now.plus(-keep_ms)])?;
    let too_many = "update webhook_deliveries set body = null where org = $1 and body is not null and id <= \
                    (select max(id) from (select id, sum(length(body)) over (order by id desc) as kept \
                    from webhook_deliveries where org = $1 and body is not null) where kept > $2)";
    conn.execute(too_many, params![org, MOST_KEPT_BYTES])?;
    let old = now.plus(-keep_ms.max(REMEMBERED_MS));
    for sql in [
        "delete from webhook_deliveries where org = $1 and received_at < $2",
        "delete from webhook_events where org = $1 and received_at < $2",
    ] {
        conn.execute(sql, params![org, old])?;
    }
    Ok(())
}

/// Forgets the bytes of every delivery that names one of these records: they may hold what a person wrote.
pub fn forget(conn: &mut dyn Conn, org: &OrgId, ids: &HashSet<String>) -> Result<(), StoreError> {
    let sql = "select id, body from webhook_deliveries where org = $1 and body is not null";
    let mut named = Vec::new();
    conn.query(sql, params![org], &mut |row| {
        let numbers = row.blob(1)?.split(|byte| !byte.is_ascii_digit());
        let texts = numbers.filter_map(|number| std::str::from_utf8(number).ok());
        if texts.into_iter().any(|number| ids.contains(number)) {
            named.push(row.int(0)?);
        }
        Ok(())
    })?;
    let sql = "update webhook_deliveries set body = null where id = $1";
    named.into_iter().try_for_each(|id| conn.execute(sql, params![id]).map(drop))
}
