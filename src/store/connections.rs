//! The connection of an organisation to its portal, and the pending consents that may become one.
//!
//! Tokens arrive here encrypted; this file never sees them in clear.

use super::StoreError;
use super::announced;
use super::conn::{Conn, first};
use crate::domain::clock::Millis;
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// How the connection is authorised.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// OAuth with a refresh token.
    Oauth,
    /// A static token.
    ServiceKey,
}

impl Method {
    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Oauth => "oauth",
            Self::ServiceKey => "service_key",
        }
    }
}

/// Encrypted tokens and their expiry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SealedTokens {
    /// Encrypted access token.
    pub access: Vec<u8>,
    /// Encrypted refresh token.
    pub refresh: Option<Vec<u8>>,
    /// When the access token ends.
    pub expires_at: Option<Millis>,
}

/// A connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Connection {
    /// Organisation.
    pub org: OrgId,
    /// Portal.
    pub portal: PortalId,
    /// How it is authorised.
    pub method: Method,
    /// Tokens.
    pub tokens: SealedTokens,
    /// Granted scopes, separated by spaces.
    pub scopes: String,
    /// The customer's web domain as HubSpot names the portal.
    pub hub_domain: Option<String>,
    /// Who consented.
    pub user: Option<String>,
    /// Host of HubSpot's app for links.
    pub ui_domain: Option<String>,
    /// The portal's time zone.
    pub time_zone: Option<String>,
    /// How far its clock is ahead of UTC, milliseconds.
    pub utc_offset_ms: Option<i64>,
    /// Address of the API for this account's region, where it is not the usual one.
    pub api_base: Option<String>,
    /// When consent was given.
    pub connected_at: Millis,
    /// End of the last complete run.
    pub last_synced: Option<Millis>,
    /// Why HubSpot refuses us, if it does.
    pub auth_error: Option<String>,
    /// When the facts of the account were last asked for.
    pub facts_at: Option<Millis>,
    /// HubSpot asked to be left alone until then.
    pub paused_until: Option<Millis>,
    /// Why.
    pub pause_reason: Option<String>,
}

impl Connection {
    /// A connection of which nothing is known yet but how it is authorised.
    #[must_use]
    pub fn fresh(org: &OrgId, method: Method, tokens: SealedTokens, now: Millis) -> Self {
        Self {
            org: org.clone(),
            portal: PortalId(0),
            method,
            tokens,
            scopes: String::new(),
            hub_domain: None,
            user: None,
            ui_domain: None,
            time_zone: None,
            utc_offset_ms: None,
            api_base: None,
            connected_at: now,
            last_synced: None,
            auth_error: None,
            facts_at: None,
            paused_until: None,
            pause_reason: None,
        }
    }

    /// The pause that is not over yet, and its reason.
    #[must_use]
    pub fn pause(&self, now: Millis) -> Option<(Millis, &str)> {
        let until = self.paused_until.filter(|until| *until > now)?;
        Some((until, self.pause_reason.as_deref().unwrap_or("HubSpot asked to wait")))
    }
}

/// The connection of an organisation, if it has one.
pub fn get(conn: &mut dyn Conn, org: &OrgId) -> Result<Option<Connection>, StoreError> {
    let sql = "select org, portal, method, access_token, refresh_token, expires_at, scopes, hub_domain, user, \
               ui_domain, time_zone, connected_at, last_synced, auth_error, utc_offset_ms, api_base, facts_at, \
               paused_until, pause_reason from connections where org = $1";
    first(conn, sql, params![org], |row| {
        Ok(Connection {
            org: OrgId::new(row.text(0)?),
            portal: PortalId::from_i64(row.int(1)?),
            method: if row.text(2)? == "oauth" { Method::Oauth } else { Method::ServiceKey },
            tokens: SealedTokens {
                access: row.blob(3)?.to_vec(),
                refresh: row.opt_blob(4)?.map(<[u8]>::to_vec),
                expires_at: row.opt_int(5)?.map(Millis),
            },
            scopes: row.string(6)?,
            hub_domain: row.opt_string(7)?,
            user: row.opt_string(8)?,
            ui_domain: row.opt_string(9)?,
            time_zone: row.opt_string(10)?,
            connected_at: Millis(row.int(11)?),
            last_synced: row.opt_int(12)?.map(Millis),
            auth_error: row.opt_string(13)?,
            utc_offset_ms: row.opt_int(14)?,
            api_base: row.opt_string(15)?,
            facts_at: row.opt_int(16)?.map(Millis),
            paused_until: row.opt_int(17)?.map(Millis),
            pause_reason: row.opt_string(18)?,
        })
    })
}

/// Fails where the organisation is connected to another portal than this.
pub fn refuse_other(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<(), StoreError> {
    let sql = "select portal from connections where org = $1";
    match first(conn, sql, params![org], |row| Ok(PortalId::from_i64(row.int(0)?)))? {
        Some(connected) if connected != portal => Err(StoreError::OtherPortal(portal.0)),
        _ => Ok(()),
    }
}

/// The organisation that holds records of a portal or is connected to it.
pub fn org_of_portal(conn: &mut dyn Conn, portal: PortalId) -> Result<Option<OrgId>, StoreError> {
    let sql = "select org from connections where portal = $1 union all \
               select org from checkpoints where portal = $1 limit 1";
    first(conn, sql, params![portal], |row| Ok(OrgId::new(row.text(0)?)))
}

/// The portal whose records an organisation holds, also when it is no longer connected.
pub fn portal_of_data(conn: &mut dyn Conn, org: &OrgId) -> Result<Option<PortalId>, StoreError> {
    let sql = "select portal from checkpoints where org = $1 limit 1";
    first(conn, sql, params![org], |row| Ok(PortalId::from_i64(row.int(0)?)))
}

/// Stores a connection in place of any earlier one.
pub fn put(conn: &mut dyn Conn, connection: &Connection) -> Result<(), StoreError> {
    let sql = "insert into connections (org, portal, method, access_token, refresh_token, expires_at, scopes, \
               hub_domain, user, ui_domain, time_zone, connected_at, last_synced, utc_offset_ms, api_base, facts_at) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) \
               on conflict (org) do update set portal = excluded.portal, method = excluded.method, \
               access_token = excluded.access_token, refresh_token = excluded.refresh_token, \
               expires_at = excluded.expires_at, scopes = excluded.scopes, hub_domain = excluded.hub_domain, \
               user = excluded.user, ui_domain = excluded.ui_domain, time_zone = excluded.time_zone, \
               connected_at = excluded.connected_at, last_synced = excluded.last_synced, \
               utc_offset_ms = excluded.utc_offset_ms, api_base = excluded.api_base, \
               facts_at = excluded.facts_at, auth_error = null, auth_error_at = null, paused_until = null, \
               pause_reason = null";
    let c = connection;
    conn.execute(
        sql,
        params![
            &c.org,
            c.portal,
            c.method.as_str(),
            &c.tokens.access,
            &c.tokens.refresh,
            c.tokens.expires_at,
            &c.scopes,
            &c.hub_domain,
            &c.user,
            &c.ui_domain,
            &c.time_zone,
            c.connected_at,
            c.last_synced,
            c.utc_offset_ms,
            &c.api_base,
            c.facts_at,
        ],
    )?;
    announced::try_again(conn, &c.org, c.connected_at)
}

/// Replaces the tokens after a refresh.
pub fn set_tokens(conn: &mut dyn Conn, org: &OrgId, tokens: &SealedTokens) -> Result<(), StoreError> {
    conn.execute(
        "update connections set access_token = $2, refresh_token = $3, expires_at = $4, auth_error = null, \
         auth_error_at = null where org = $1",
        params![org, &tokens.access, &tokens.refresh, tokens.expires_at],
    )
    .map(drop)
}

/// What the account says of itself today.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Facts {
    /// Granted scopes, separated by spaces; `None` where HubSpot does not tell.
    pub scopes: Option<String>,
    /// Host of HubSpot's app for links.
    pub ui_domain: Option<String>,
    /// The portal's time zone.
    pub time_zone: Option<String>,
    /// How far its clock is ahead of UTC, milliseconds.
    pub utc_offset_ms: Option<i64>,
}

/// Stores the facts of the account as of `now`.
pub fn set_facts(conn: &mut dyn Conn, org: &OrgId, facts: &Facts, now: Millis) -> Result<(), StoreError> {
    let sql = "update connections set scopes = coalesce($2, scopes), ui_domain = coalesce($3, ui_domain), \
               time_zone = coalesce($4, time_zone), utc_offset_ms = coalesce($5, utc_offset_ms), facts_at = $6 \
               where org = $1";
    let f = facts;
    conn.execute(sql, params![org, &f.scopes, &f.ui_domain, &f.time_zone, f.utc_offset_ms, now]).map(drop)
}

/// Remembers the address of the account's region.
pub fn set_api_base(conn: &mut dyn Conn, org: &OrgId, base: &str) -> Result<(), StoreError> {
    conn.execute("update connections set api_base = $2 where org = $1", params![org, base]).map(drop)
}

/// HubSpot is left alone until `pause` is over, for the reason beside it; `None` ends a pause.
pub fn set_pause(conn: &mut dyn Conn, org: &OrgId, pause: Option<(Millis, &str)>) -> Result<(), StoreError> {
    let sql = "update connections set paused_until = $2, pause_reason = $3 where org = $1";
    conn.execute(sql, params![org, pause.map(|(at, _)| at), pause.map(|(_, why)| why)]).map(drop)
}

/// Remembers why HubSpot refuses us.
pub fn set_auth_error(conn: &mut dyn Conn, org: &OrgId, error: &str, now: Millis) -> Result<(), StoreError> {
    let sql = "update connections set auth_error = $2, auth_error_at = $3 where org = $1";
    conn.execute(sql, params![org, error, now]).map(drop)
}

/// Remembers the end of a complete run.
pub fn set_last_synced(conn: &mut dyn Conn, org: &OrgId, at: Millis) -> Result<(), StoreError> {
    conn.execute("update connections set last_synced = $2 where org = $1", params![org, at]).map(drop)
}

/// Removes the connection; what was ingested stays.
pub fn remove(conn: &mut dyn Conn, org: &OrgId) -> Result<bool, StoreError> {
    Ok(conn.execute("delete from connections where org = $1", params![org])? > 0)
}

/// A consent that was asked for and not yet answered. Only hashes are stored.
#[derive(Debug, Clone)]
pub struct PendingConsent {
    /// SHA-256 of the `state` parameter.
    pub state_hash: [u8; 32],
    /// Organisation that asked.
    pub org: OrgId,
    /// SHA-256 of the cookie of the browser that asked; `None` when asked from a terminal.
    pub browser_hash: Option<Vec<u8>>,
    /// End of its validity.
    pub expires_at: Millis,
    /// What was decided for the case that it is another portal than the one whose data is here.
    pub other_portal: Option<String>,
}

/// Remembers a pending consent and drops expired ones.
pub fn add_pending(conn: &mut dyn Conn, pending: &PendingConsent, now: Millis) -> Result<(), StoreError> {
    conn.execute("delete from oauth_states where expires_at < $1", params![now])?;
    conn.execute(
        "insert into oauth_states (state_hash, org, browser_hash, created_at, expires_at, other_portal) \
         values ($1, $2, $3, $4, $5, $6)",
        params![
            &pending.state_hash,
            &pending.org,
            &pending.browser_hash,
            now,
            pending.expires_at,
            &pending.other_portal,
        ],
    )
    .map(drop)
}

/// Takes a pending consent out: each works once, and only until it expires.
pub fn take_pending(
    conn: &mut dyn Conn,
    state_hash: &[u8; 32],
    now: Millis,
) -> Result<Option<PendingConsent>, StoreError> {
    let sql = "delete from oauth_states where state_hash = $1 returning org, browser_hash, expires_at, other_portal";
    let taken = first(conn, sql, params![state_hash], |row| {
        Ok(PendingConsent {
            state_hash: *state_hash,
            org: OrgId::new(row.text(0)?),
            browser_hash: row.opt_blob(1)?.map(<[u8]>::to_vec),
            expires_at: Millis(row.int(2)?),
            other_portal: row.opt_string(3)?,
        })
    })?;
    Ok(taken.filter(|pending| pending.expires_at >= now))
}
