//! Templates: which outgoing mails are copies of each other, and which of them stands for all in the index.
//!
//! It keeps fingerprints and memberships; whether two mails are alike is decided by `pipeline::copies`.

use std::collections::HashSet;

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use super::crm::Tenant;
use super::ledger::{self, Operation};
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::params;

/// A template as the pipeline compares it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    /// Its number.
    pub id: i64,
    /// Id of the engagement that stands for all.
    pub canonical: String,
    /// Min-hashes of that engagement.
    pub mins: Vec<u8>,
}

fn template(row: &dyn Row) -> Result<Template, StoreError> {
    Ok(Template { id: row.int(0)?, canonical: row.string(1)?, mins: row.blob(2)?.to_vec() })
}

/// The template a stored engagement belongs to.
pub fn of(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<Option<Template>, StoreError> {
    let sql = "select t.id, t.canonical, t.mins from hubspot_engagements e join templates t on t.id = e.template \
               where e.org = $1 and e.portal = $2 and e.kind = $3 and e.id = $4";
    first(conn, sql, params![org, document.portal, document.kind.as_str(), &document.id], template)
}

/// Templates of a portal that share a band, in the order they were made.
pub fn candidates(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    bands: &[i64],
) -> Result<Vec<Template>, StoreError> {
    let sql = "select t.id, t.canonical, t.mins from template_bands b join templates t on t.id = b.template \
               where b.band = $1 and t.org = $2 and t.portal = $3 order by t.id limit 20";
    let mut found: Vec<Template> = Vec::new();
    for band in bands {
        for one in all(conn, sql, params![*band, tenant.org, tenant.portal], template)? {
            if found.iter().all(|known| known.id != one.id) {
                found.push(one);
            }
        }
    }
    found.sort_by_key(|one| one.id);
    Ok(found)
}

/// A new template with one member, its canonical one; answers its number.
pub fn create(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    document: &DocumentId,
    mins: &[u8],
    bands: &[i64],
) -> Result<i64, StoreError> {
    let sql = "insert into templates (org, portal, kind, canonical, mins, copies) values ($1, $2, $3, $4, $5, 1) \
               returning id";
    let key = params![tenant.org, tenant.portal, document.kind.as_str(), &document.id, mins];
    let id = first(conn, sql, key, |row| row.int(0))?.ok_or(StoreError::Shape { column: 0 })?;
    for band in bands {
        let sql = "insert into template_bands (band, template) values ($1, $2) on conflict do nothing";
        conn.execute(sql, params![*band, id])?;
    }
    Ok(id)
}

/// One more copy belongs to the template.
pub fn join(conn: &mut dyn Conn, template: i64) -> Result<(), StoreError> {
    conn.execute("update templates set copies = copies + 1 where id = $1", params![template]).map(drop)
}

/// A member leaves: where it stood for all, the oldest copy that is left does so from now on.
///
/// Its row may still name the template; the caller writes it anew or removes it.
pub fn leave(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
    template: &Template,
) -> Result<(), StoreError> {
    conn.execute(
        "update hubspot_engagements set template = null where org = $1 and portal = $2 and kind = $3 and id = $4",
        params![org, document.portal, document.kind.as_str(), &document.id],
    )?;
    conn.execute("update templates set copies = copies - 1 where id = $1", params![template.id])?;
    if template.canonical != document.id {
        return touch_canonical(conn, org, document, template);
    }
    let sql = "select id from hubspot_engagements where template = $1 order by occurred_at, id limit 1";
    match first(conn, sql, params![template.id], |row| row.string(0))? {
        Some(heir) => promote(conn, org, document, template.id, &heir),
        None => {
            conn.execute("delete from template_bands where template = $1", params![template.id])?;
            conn.execute("delete from templates where id = $1", params![template.id]).map(drop)
        }
    }
}

/// The heir becomes the document of its template, with its whole text.
fn promote(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
    template: i64,
    heir: &str,
) -> Result<(), StoreError> {
    let heir = DocumentId { portal: document.portal, kind: document.kind, id: heir.to_owned() };
    conn.execute("update templates set canonical = $2 where id = $1", params![template, &heir.id])?;
    let seq = ledger::append(conn, org, &heir.to_string(), Operation::Put)?;
    let sql = "update hubspot_engagements set decision = 'learned', reason = null, own_passages = null, seq = $5 \
               where org = $1 and portal = $2 and kind = $3 and id = $4";
    conn.execute(sql, params![org, heir.portal, heir.kind.as_str(), &heir.id, seq]).map(drop)
}

fn touch_canonical(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
    template: &Template,
) -> Result<(), StoreError> {
    let id = template.canonical.clone();
    touch(conn, org, &DocumentId { portal: document.portal, kind: document.kind, id })
}

/// The document of a template has other recipients now: the index takes it anew.
pub fn touch(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<(), StoreError> {
    let seq = ledger::append(conn, org, &document.to_string(), Operation::Put)?;
    let sql =
        "update hubspot_engagements set seq = $5 where org = $1 and portal = $2 and kind = $3 and id = $4";
    conn.execute(sql, params![org, document.portal, document.kind.as_str(), &document.id, seq]).map(drop)
}

/// Mails of the template that `document` stands for; `None` where it is the only one.
pub fn copies(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId) -> Result<Option<u64>, StoreError> {
    let sql = "select copies from templates where org = $1 and portal = $2 and kind = $3 and canonical = $4 \
               and copies > 1";
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    Ok(first(conn, sql, key, |row| row.int(0))?.and_then(|copies| u64::try_from(copies).ok()))
}

/// Ids of engagements of a kind, between two ids, that stand for more than themselves.
pub fn sent_to_many(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    kind: Kind,
    (first, last): (&str, &str),
) -> Result<HashSet<String>, StoreError> {
    let sql = "select canonical from templates where org = $1 and portal = $2 and kind = $3 \
               and canonical between $4 and $5 and copies > 1";
    let found = all(conn, sql, params![org, portal, kind.as_str(), first, last], |row| row.string(0))?;
    Ok(found.into_iter().collect())
}

/// Contacts of all copies of the template that `document` stands for; none where it has no copies.
pub fn recipients(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Vec<String>, StoreError> {
    let sql = "select distinct a.to_id from templates t join hubspot_engagements e on e.template = t.id \
               join associations a on a.org = e.org and a.portal = e.portal and a.from_type = e.kind \
               and a.from_id = e.id and a.to_type = 'contacts' \
               where t.org = $1 and t.portal = $2 and t.kind = $3 and t.canonical = $4 and t.copies > 1";
    all(conn, sql, params![org, document.portal, document.kind.as_str(), &document.id], |row| row.string(0))
}

/// Companies of everybody who got a copy of the template that `document` stands for; none where it has no copies.
pub fn recipient_companies(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Vec<String>, StoreError> {
    let sql = "select distinct u.company from templates t join hubspot_engagements e on e.template = t.id \
               join associations a on a.org = e.org and a.portal = e.portal and a.from_type = e.kind \
               and a.from_id = e.id and a.to_type = 'contacts' \
               join end_users u on u.org = a.org and u.portal = a.portal and u.id = a.to_id \
               where t.org = $1 and t.portal = $2 and t.kind = $3 and t.canonical = $4 and t.copies > 1 \
               and u.company is not null order by u.company";
    all(conn, sql, params![org, document.portal, document.kind.as_str(), &document.id], |row| row.string(0))
}

/// The newest copy that a contact got of the template that `document` stands for.
pub fn copy_for(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
    contact: &str,
) -> Result<Option<DocumentId>, StoreError> {
    let sql = "select e.id from templates t join associations a on a.org = t.org and a.portal = t.portal \
               and a.to_type = 'contacts' and a.to_id = $5 and a.from_type = t.kind \
               join hubspot_engagements e on e.org = a.org and e.portal = a.portal and e.kind = a.from_type \
               and e.id = a.from_id and e.template = t.id \
               where t.org = $1 and t.portal = $2 and t.kind = $3 and t.canonical = $4 \
               order by e.occurred_at desc, e.id desc limit 1";
    let key = params![org, document.portal, document.kind.as_str(), &document.id, contact];
    let found = first(conn, sql, key, |row| row.string(0))?;
    Ok(found.map(|id| DocumentId { portal: document.portal, kind: document.kind, id }))
}

/// What a contact and its company are called: words that differ between copies of one template.
pub fn names_of_contact(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    contact: &str,
) -> Result<Vec<String>, StoreError> {
    let sql = "select u.first_name, u.last_name, c.name from end_users u left join companies c on c.org = u.org \
               and c.portal = u.portal and c.id = u.company where u.org = $1 and u.portal = $2 and u.id = $3";
    let mut names = Vec::new();
    conn.query(sql, params![org, portal, contact], &mut |row| {
        for column in 0..3 {
            names.extend(row.opt_string(column)?);
        }
        Ok(())
    })?;
    Ok(names)
}

/// Contacts a stored engagement is tied to.
pub fn contacts_of(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Vec<String>, StoreError> {
    let sql = "select to_id from associations where org = $1 and portal = $2 and from_type = $3 and from_id = $4 \
               and to_type = 'contacts' order by position";
    all(conn, sql, params![org, document.portal, document.kind.as_str(), &document.id], |row| row.string(0))
}
