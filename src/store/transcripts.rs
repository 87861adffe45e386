//! Transcripts of calls: which are wanted, what is known, and which calls do not show theirs yet.

use std::collections::HashMap;

use super::StoreError;
use super::conn::{Conn, all, first};
use super::crm::Tenant;
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// A call whose transcript is not here yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// Id of the call.
    pub call: String,
    /// Id of its transcript.
    pub transcript: String,
}

/// Stored calls that name a transcript which is not here, in order of their ids, after `past`.
pub fn wanted(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    past: &str,
    limit: i64,
) -> Result<Vec<Wanted>, StoreError> {
    let sql = "select e.id, e.properties ->> 'hs_call_transcription_id' from hubspot_engagements e \
               where e.org = $1 and e.portal = $2 and e.kind = 'call' and e.id > $3 \
               and e.properties ->> 'hs_call_transcription_id' is not null \
               and not exists (select 1 from transcripts t where t.org = e.org and t.portal = e.portal \
               and t.call = e.id and t.words is not null) order by e.id limit $4";
    all(conn, sql, params![org, portal, past, limit], |row| {
        Ok(Wanted { call: row.string(0)?, transcript: row.string(1)? })
    })
}

/// Keeps what HubSpot answered for a call.
pub fn put(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    call: &str,
    words: Option<&str>,
) -> Result<(), StoreError> {
    conn.execute(
        "insert into transcripts (org, portal, call, words, fetched_at) values ($1, $2, $3, $4, $5) \
         on conflict (org, portal, call) do update set words = excluded.words, fetched_at = excluded.fetched_at",
        params![tenant.org, tenant.portal, call, words, tenant.now],
    )
    .map(drop)
}

/// Calls not read again since their transcript arrived.
pub fn unpublished(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<Vec<String>, StoreError> {
    let sql = "select t.call from transcripts t join hubspot_engagements e on e.org = t.org \
               and e.portal = t.portal and e.kind = 'call' and e.id = t.call \
               where t.org = $1 and t.portal = $2 and t.words is not null and e.last_seen <= t.fetched_at \
               order by t.call";
    all(conn, sql, params![org, portal], |row| row.string(0))
}

/// The stored words of these calls.
pub fn of_calls<'a>(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    calls: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, String>, StoreError> {
    let sql =
        "select words from transcripts where org = $1 and portal = $2 and call = $3 and words is not null";
    let mut found = HashMap::new();
    for call in calls {
        if let Some(words) = first(conn, sql, params![org, portal, call], |row| row.string(0))? {
            found.insert(call.to_owned(), words);
        }
    }
    Ok(found)
}

/// Forgets the transcript of a call that is gone.
pub fn remove(conn: &mut dyn Conn, org: &OrgId, portal: PortalId, call: &str) -> Result<(), StoreError> {
    let sql = "delete from transcripts where org = $1 and portal = $2 and call = $3";
    conn.execute(sql, params![org, portal, call]).map(drop)
}
