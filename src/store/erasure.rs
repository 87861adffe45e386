//! Erasing a person: the row, everything written to or by them, and what the index knows of it.
//!
//! Nothing stays but the id, so that a page read before the erasure brings nobody back. The database overwrites
//! what it deletes (`secure_delete`). Which persons are to be erased is decided by `sync`.

use super::StoreError;
use super::associations;
use super::conn::{Conn, all, first};
use super::crm::Tenant;
use super::{executions, insights, near_copies, notifications, passages, transcripts, webhooks};
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::domain::insight::Subject;
use crate::params;

/// Why an emptied engagement is asked for again.
const ASK_AGAIN: &str = "a person it was tied to was erased in HubSpot";

/// What an erasure removed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Erased {
    /// The person was known here.
    pub known: bool,
    /// Engagements that lost their words.
    pub engagements: u64,
}

/// Erases a contact. Engagements keep their row without any words; HubSpot is asked for them again, since it
/// may keep some that others took part in.
pub fn contact(conn: &mut dyn Conn, tenant: Tenant<'_>, id: &str) -> Result<Erased, StoreError> {
    let key = tenant.key("contacts", id);
    let sql = "select from_type, from_id from associations where org = $1 and portal = $2 \
               and to_type = 'contacts' and to_id = $3";
    let tied =
        all(conn, sql, params![tenant.org, tenant.portal, id], |row| Ok((row.string(0)?, row.string(1)?)))?;
    let named = tied.iter().map(|(_, tied)| tied.clone()).chain([id.to_owned()]).collect();
    webhooks::forget(conn, tenant.org, &named)?;
    let mut erased = Erased::default();
    for (from_type, from_id) in tied {
        let Some(kind) = Kind::parse(&from_type) else { continue };
        empty(conn, tenant, &DocumentId { portal: tenant.portal, kind, id: from_id.clone() })?;
        match kind {
            // Cannot be asked for, and never changes: what is erased stays erased.
            Kind::FormSubmission => remember(conn, tenant, kind.as_str(), &from_id)?,
            _ => super::runs::park(conn, tenant, kind.as_str(), &from_id, ASK_AGAIN)?,
        }
        erased.engagements += 1;
    }
    if let Some(subject) = Subject::of("contacts", id.to_owned()) {
        insights::erase_subject(conn, tenant.org, tenant.portal, &subject)?;
    }
    executions::erase_contact(conn, tenant.org, tenant.portal, id)?;
    associations::drop_from(conn, key)?;
    for sql in [
        "delete from associations where org = $1 and portal = $2 and to_type = 'contacts' and to_id = $3",
        "delete from contact_emails where org = $1 and portal = $2 and contact = $3",
        "delete from parked where org = $1 and portal = $2 and type = 'contacts' and id = $3",
    ] {
        conn.execute(sql, params![tenant.org, tenant.portal, id])?;
    }
    let sql = "delete from end_users where org = $1 and portal = $2 and id = $3";
    erased.known = conn.execute(sql, params![tenant.org, tenant.portal, id])? > 0;
    remember(conn, tenant, "contacts", id)?;
    Ok(erased)
}

fn remember(conn: &mut dyn Conn, tenant: Tenant<'_>, record_type: &str, id: &str) -> Result<(), StoreError> {
    let sql = "insert into erased (org, portal, type, id, erased_at) values ($1, $2, $3, $4, $5) \
               on conflict do nothing";
    conn.execute(sql, params![tenant.org, tenant.portal, record_type, id, tenant.now]).map(drop)
}

/// This submission of an erased person is here as an empty row; if so, it was seen again just now.
pub fn keeps_empty(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    document: &DocumentId,
) -> Result<bool, StoreError> {
    let sql = "update hubspot_engagements set last_seen = $5 where org = $1 and portal = $2 and kind = $3 \
               and id = $4 and exists (select 1 from erased x where x.org = $1 and x.portal = $2 \
               and x.type = $3 and x.id = $4)";
    let key = params![tenant.org, document.portal, document.kind.as_str(), &document.id, tenant.now];
    Ok(conn.execute(sql, key)? > 0)
}

/// Takes every word out of an engagement; the index drops it.
fn empty(conn: &mut dyn Conn, tenant: Tenant<'_>, document: &DocumentId) -> Result<(), StoreError> {
    if let Some(template) = near_copies::of(conn, tenant.org, document)? {
        near_copies::leave(conn, tenant.org, document, &template)?;
    }
    if document.kind == Kind::Call {
        transcripts::remove(conn, tenant.org, document.portal, &document.id)?;
    }
    insights::erase_engagement(conn, tenant.org, document)?;
    notifications::forget(conn, tenant.org, document)?;
    passages::remove(conn, tenant.org, document)?;
    conn.execute(
        "update hubspot_engagements set title = null, body_html = null, body_plain = null, thread = null, \
         from_address = null, properties = '{}', passage_ids = '[]', link_hosts = null, text_status = null, own_passages = null, secrets = null, \
         language = null, decision = 'skipped', reason = 'empty_body', rule = null, content_hash = x'' \
         where org = $1 and portal = $2 and kind = $3 and id = $4",
        params![tenant.org, document.portal, document.kind.as_str(), &document.id],
    )?;
    associations::touch_engagement(conn, tenant.org, document)
}

/// Somebody was ever erased here.
pub fn any(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<bool, StoreError> {
    let sql = "select 1 from erased where org = $1 and portal = $2 limit 1";
    Ok(first(conn, sql, params![org, portal], |row| row.int(0))?.is_some())
}

/// This contact was erased.
pub fn is_erased(conn: &mut dyn Conn, org: &OrgId, portal: PortalId, id: &str) -> Result<bool, StoreError> {
    let sql = "select 1 from erased where org = $1 and portal = $2 and type = 'contacts' and id = $3";
    Ok(first(conn, sql, params![org, portal, id], |row| row.int(0))?.is_some())
}
