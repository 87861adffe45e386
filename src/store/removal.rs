//! Records that HubSpot no longer has: deleted, or merged into another one.
//!
//! What is removed here is gone from rows, links and, through the ledger, from the index. Which records are
//! to be removed is decided by `sync`, which asks HubSpot first.

use super::StoreError;
use super::associations::{self, RecordKey};
use super::conn::{Conn, all, first};
use super::crm::Tenant;
use super::engagements;
use super::insights;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::domain::insight::Subject;
use crate::params;

/// Ids of stored records of a type not seen since `before`, in order, after `past`; parked ones are left out.
pub fn unseen(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    record_type: RecordType,
    before: Millis,
    past: &str,
    limit: i64,
) -> Result<Vec<String>, StoreError> {
    let name = record_type.as_str();
    let engagements = "select id from hubspot_engagements e where org = $1 and portal = $2 and kind = $3 \
        and last_seen < $4 and id > $5 and not exists (select 1 from parked p where p.org = e.org \
        and p.portal = e.portal and p.type = e.kind and p.id = e.id) order by id limit $6";
    let contacts = "select id from end_users e where org = $1 and portal = $2 and last_seen < $4 and id > $5 \
        and not exists (select 1 from parked p where p.org = e.org and p.portal = e.portal and p.type = $3 \
        and p.id = e.id) order by id limit $6";
    let companies = "select id from companies e where org = $1 and portal = $2 and last_seen < $4 and id > $5 \
        and not exists (select 1 from parked p where p.org = e.org and p.portal = e.portal and p.type = $3 \
        and p.id = e.id) order by id limit $6";
    let deals = "select id from deals e where org = $1 and portal = $2 and last_seen < $4 and id > $5 \
        and not exists (select 1 from parked p where p.org = e.org and p.portal = e.portal and p.type = $3 \
        and p.id = e.id) order by id limit $6";
    let sql = match record_type {
        RecordType::Contacts => contacts,
        RecordType::Companies => companies,
        RecordType::Deals => deals,
        RecordType::Engagement(_) => engagements,
    };
    all(conn, sql, params![org, portal, name, before, past, limit], |row| row.string(0))
}

/// That a record is not there was settled here: it was merged into another one, or erased.
pub fn is_known_gone(conn: &mut dyn Conn, key: RecordKey<'_>) -> Result<bool, StoreError> {
    let sql = "select 1 from aliases where org = $1 and portal = $2 and type = $3 and old_id = $4 \
               union all select 1 from erased where org = $1 and portal = $2 and type = $3 and id = $4 limit 1";
    Ok(first(conn, sql, params![key.org, key.portal, key.kind, key.id], |row| row.int(0))?.is_some())
}

/// Removes one record with everything that hangs on it; says whether it was there.
pub fn remove(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record_type: RecordType,
    id: &str,
) -> Result<bool, StoreError> {
    let table = match record_type {
        RecordType::Engagement(kind) => {
            let document = DocumentId { portal: tenant.portal, kind, id: id.to_owned() };
            return engagements::remove(conn, tenant.org, &document);
        }
        RecordType::Contacts => "delete from end_users where org = $1 and portal = $2 and id = $3",
        RecordType::Companies => "delete from companies where org = $1 and portal = $2 and id = $3",
        RecordType::Deals => "delete from deals where org = $1 and portal = $2 and id = $3",
    };
    let removed = conn.execute(table, params![tenant.org, tenant.portal, id])? > 0;
    if removed {
        let key = tenant.key(record_type.as_str(), id);
        if record_type == RecordType::Contacts {
            let sql = "delete from contact_emails where org = $1 and portal = $2 and contact = $3";
            conn.execute(sql, params![tenant.org, tenant.portal, id])?;
        }
        associations::drop_from(conn, key)?;
        if let Some(subject) = Subject::of(record_type.as_str(), id.to_owned()) {
            insights::erase_subject(conn, tenant.org, tenant.portal, &subject)?;
        }
        // Their engagements stay, but no longer name this record.
        associations::touch_engagements_of(conn, key)?;
    }
    Ok(removed)
}

/// Moves everything tied to `merged` records over to the one they were merged into, and removes them.
pub fn absorb(conn: &mut dyn Conn, into: RecordKey<'_>, merged: &[String]) -> Result<(), StoreError> {
    for old in merged.iter().filter(|old| old.as_str() != into.id) {
        conn.execute(
            "insert into aliases (org, portal, type, old_id, new_id) values ($1, $2, $3, $4, $5) \
             on conflict (org, portal, type, old_id) do update set new_id = excluded.new_id",
            params![into.org, into.portal, into.kind, old, into.id],
        )?;
        conn.execute(
            "insert into associations (org, portal, from_type, from_id, to_type, to_id, position) \
             select org, portal, from_type, from_id, to_type, $5, position from associations \
             where org = $1 and portal = $2 and to_type = $3 and to_id = $4 on conflict do nothing",
            params![into.org, into.portal, into.kind, old, into.id],
        )?;
        conn.execute(
            "delete from associations where org = $1 and portal = $2 and to_type = $3 and to_id = $4",
            params![into.org, into.portal, into.kind, old],
        )?;
        associations::drop_from(conn, RecordKey { id: old, ..into })?;
        if let Some(subject) = Subject::of(into.kind, old.clone()) {
            insights::erase_subject(conn, into.org, into.portal, &subject)?;
        }
        remove_merged_row(conn, RecordKey { id: old, ..into })?;
    }
    Ok(())
}

fn remove_merged_row(conn: &mut dyn Conn, old: RecordKey<'_>) -> Result<(), StoreError> {
    let key = params![old.org, old.portal, old.id];
    if old.kind == "contacts" {
        conn.execute("delete from contact_emails where org = $1 and portal = $2 and contact = $3", key)?;
        return conn
            .execute("delete from end_users where org = $1 and portal = $2 and id = $3", key)
            .map(drop);
    }
    conn.execute("delete from companies where org = $1 and portal = $2 and id = $3", key).map(drop)
}
