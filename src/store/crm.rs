//! Contacts (`end_users`), companies, deals, owners and pipeline stages as rows.

use sha2::{Digest, Sha256};

use super::StoreError;
use super::associations::{self, RecordKey};
use super::conn::{Conn, Param, all, first};
use super::{removal, shown};
use crate::domain::clock::Millis;
use crate::domain::crm::{Company, Contact, Deal, Owner, Record, Stage};
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// Where every row of this product comes from.
pub const SOURCE: &str = "hubspot";

/// What an upsert did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// There was no row before.
    New,
    /// The row differs from before.
    Changed,
    /// Nothing to write.
    Unchanged,
}

impl Stored {
    /// The row was written.
    #[must_use]
    pub fn is_written(self) -> bool {
        self != Self::Unchanged
    }
}

/// Whose records are being stored, and when.
#[derive(Debug, Clone, Copy)]
pub struct Tenant<'a> {
    /// Organisation.
    pub org: &'a OrgId,
    /// Portal.
    pub portal: PortalId,
    /// The present.
    pub now: Millis,
}

impl<'a> Tenant<'a> {
    /// Names one record of this tenant.
    #[must_use]
    pub fn key(self, kind: &'static str, id: &'a str) -> RecordKey<'a> {
        RecordKey { org: self.org, portal: self.portal, kind, id }
    }
}

/// Statements that differ only in the table.
struct Table {
    name: &'static str,
    hash: &'static str,
    seen: &'static str,
    bumped: &'static str,
}

const CONTACTS: Table = Table {
    name: "contacts",
    hash: "select content_hash, updated_at from end_users where org = $1 and portal = $2 and id = $3",
    seen: "update end_users set last_seen = $4 where org = $1 and portal = $2 and id = $3",
    bumped: "update end_users set last_seen = $4, updated_at = $5 where org = $1 and portal = $2 and id = $3",
};
const COMPANIES: Table = Table {
    name: "companies",
    hash: "select content_hash, updated_at from companies where org = $1 and portal = $2 and id = $3",
    seen: "update companies set last_seen = $4 where org = $1 and portal = $2 and id = $3",
    bumped: "update companies set last_seen = $4, updated_at = $5 where org = $1 and portal = $2 and id = $3",
};
const DEALS: Table = Table {
    name: "deals",
    hash: "select content_hash, updated_at from deals where org = $1 and portal = $2 and id = $3",
    seen: "update deals set last_seen = $4 where org = $1 and portal = $2 and id = $3",
    bumped: "update deals set last_seen = $4, updated_at = $5 where org = $1 and portal = $2 and id = $3",
};

/// How a record compares with the stored row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Before {
    /// There is no row yet, hence nothing hangs on it that would have to be replaced.
    New,
    /// The row says something else.
    Other,
    /// The row says the same; it was only marked as seen.
    Same,
}

impl Before {
    /// What storing the record did, where it was not the same.
    fn stored(self) -> Stored {
        if self == Self::New { Stored::New } else { Stored::Changed }
    }
}

fn before<T>(
    conn: &mut dyn Conn,
    table: &Table,
    tenant: Tenant<'_>,
    record: &Record<T>,
    hash: &[u8; 32],
) -> Result<Before, StoreError> {
    let key = params![tenant.org, tenant.portal, &record.id];
    match first(conn, table.hash, key, |row| Ok((row.blob(0)? == hash, Millis(row.int(1)?))))? {
        None => Ok(Before::New),
        Some((false, _)) => Ok(Before::Other),
        Some((true, at)) if at == record.updated_at => {
            conn.execute(table.seen, params![tenant.org, tenant.portal, &record.id, tenant.now])?;
            Ok(Before::Same)
        }
        // HubSpot says that it changed, if only in ways that nobody sees: it need not be read again for that.
        Some((true, _)) => {
            let key = params![tenant.org, tenant.portal, &record.id, tenant.now, record.updated_at];
            conn.execute(table.bumped, key)?;
            Ok(Before::Same)
        }
    }
}

fn put_links(
    conn: &mut dyn Conn,
    before: Before,
    from: RecordKey<'_>,
    to: &'static str,
    ids: &[String],
) -> Result<(), StoreError> {
    if before == Before::New {
        return associations::add(conn, from, to, ids);
    }
    associations::replace(conn, from, to, ids)
}

fn hash_of(properties: &str, links: &[&[String]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    hasher.update(properties.as_bytes());
    for list in links {
        hasher.update([0]);
        for id in *list {
            hasher.update(id.as_bytes());
            hasher.update([1]);
        }
    }
    hasher.finalize().into()
}

/// Its engagements follow, where what they show of the record is no longer what it was.
fn tell_engagements(
    conn: &mut dyn Conn,
    key: RecordKey<'_>,
    before: Option<String>,
) -> Result<(), StoreError> {
    if before.is_some() && before == shown::of(conn, key)? {
        return Ok(());
    }
    associations::touch_engagements_of(conn, key)
}

/// Stores a contact with its addresses and companies.
pub fn put_contact(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record: &Record<Contact>,
) -> Result<Stored, StoreError> {
    let contact = &record.fields;
    let hash = hash_of(&record.properties, &[&contact.companies]);
    let before = before(conn, &CONTACTS, tenant, record, &hash)?;
    if before == Before::Same {
        return Ok(Stored::Unchanged);
    }
    let key = tenant.key(CONTACTS.name, &record.id);
    let shown = shown::of(conn, key)?;
    let sql = "insert into end_users (org, portal, id, email, first_name, last_name, job_title, phone, \
               lifecycle_stage, owner, company, properties, content_hash, source, created_at, updated_at, \
               first_seen, last_seen) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17) \
               on conflict (org, portal, id) do update set email = excluded.email, \
               first_name = excluded.first_name, last_name = excluded.last_name, job_title = excluded.job_title, \
               phone = excluded.phone, lifecycle_stage = excluded.lifecycle_stage, owner = excluded.owner, \
               company = excluded.company, properties = excluded.properties, \
               content_hash = excluded.content_hash, updated_at = excluded.updated_at, \
               last_seen = excluded.last_seen";
    let company = contact.companies.first();
    let values: &[Param<'_>] = params![
        tenant.org,
        tenant.portal,
        &record.id,
        &contact.email,
        &contact.first_name,
        &contact.last_name,
        &contact.job_title,
        &contact.phone,
        &contact.lifecycle_stage,
        &contact.owner,
        company.map(String::as_str),
        &record.properties,
        &hash,
        SOURCE,
        record.created_at,
        record.updated_at,
        tenant.now,
    ];
    conn.execute(sql, values)?;
    if before == Before::Other {
        drop_addresses(conn, tenant, &record.id)?;
    }
    add_addresses(conn, tenant, record)?;
    put_links(conn, before, key, COMPANIES.name, &contact.companies)?;
    removal::absorb(conn, key, &contact.merged)?;
    tell_engagements(conn, key, shown)?;
    Ok(before.stored())
}

fn drop_addresses(conn: &mut dyn Conn, tenant: Tenant<'_>, contact: &str) -> Result<(), StoreError> {
    let sql = "delete from contact_emails where org = $1 and portal = $2 and contact = $3";
    conn.execute(sql, params![tenant.org, tenant.portal, contact]).map(drop)
}

fn add_addresses(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record: &Record<Contact>,
) -> Result<(), StoreError> {
    let contact = &record.fields;
    for email in contact.email.iter().chain(&contact.other_emails) {
        conn.execute(
            "insert into contact_emails (org, email, portal, contact) values ($1, $2, $3, $4) on conflict do nothing",
            params![tenant.org, email, tenant.portal, &record.id],
        )?;
    }
    Ok(())
}

/// Stores a company.
pub fn put_company(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record: &Record<Company>,
) -> Result<Stored, StoreError> {
    let company = &record.fields;
    let hash = hash_of(&record.properties, &[]);
    let before = before(conn, &COMPANIES, tenant, record, &hash)?;
    if before == Before::Same {
        return Ok(Stored::Unchanged);
    }
    let key = tenant.key(COMPANIES.name, &record.id);
    let shown = shown::of(conn, key)?;
    let sql = "insert into companies (org, portal, id, name, domain, industry, employees, lifecycle_stage, phone, \
               owner, properties, content_hash, source, created_at, updated_at, first_seen, last_seen) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $16) \
               on conflict (org, portal, id) do update set name = excluded.name, domain = excluded.domain, \
               industry = excluded.industry, employees = excluded.employees, \
               lifecycle_stage = excluded.lifecycle_stage, phone = excluded.phone, owner = excluded.owner, \
               properties = excluded.properties, content_hash = excluded.content_hash, \
               updated_at = excluded.updated_at, last_seen = excluded.last_seen";
    conn.execute(
        sql,
        params![
            tenant.org,
            tenant.portal,
            &record.id,
            &company.name,
            &company.domain,
            &company.industry,
            company.employees,
            &company.lifecycle_stage,
            &company.phone,
            &company.owner,
            &record.properties,
            &hash,
            SOURCE,
            record.created_at,
            record.updated_at,
            tenant.now,
        ],
    )?;
    removal::absorb(conn, key, &company.merged)?;
    tell_engagements(conn, key, shown)?;
    Ok(before.stored())
}

/// Stores a deal with its contacts and companies.
pub fn put_deal(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    record: &Record<Deal>,
) -> Result<Stored, StoreError> {
    let deal = &record.fields;
    let hash = hash_of(&record.properties, &[&deal.contacts, &deal.companies]);
    let before = before(conn, &DEALS, tenant, record, &hash)?;
    if before == Before::Same {
        return Ok(Stored::Unchanged);
    }
    let key = tenant.key(DEALS.name, &record.id);
    let shown = shown::of(conn, key)?;
    let sql = "insert into deals (org, portal, id, name, amount, currency, pipeline, stage, close_date, deal_type, \
               owner, properties, content_hash, source, created_at, updated_at, first_seen, last_seen) \
               values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $17) \
               on conflict (org, portal, id) do update set name = excluded.name, amount = excluded.amount, \
               currency = excluded.currency, pipeline = excluded.pipeline, stage = excluded.stage, \
               close_date = excluded.close_date, deal_type = excluded.deal_type, owner = excluded.owner, \
               properties = excluded.properties, content_hash = excluded.content_hash, \
               updated_at = excluded.updated_at, last_seen = excluded.last_seen";
    conn.execute(
        sql,
        params![
            tenant.org,
            tenant.portal,
            &record.id,
            &deal.name,
            &deal.amount,
            &deal.currency,
            &deal.pipeline,
            &deal.stage,
            deal.close_date,
            &deal.deal_type,
            &deal.owner,
            &record.properties,
            &hash,
            SOURCE,
            record.created_at,
            record.updated_at,
            tenant.now,
        ],
    )?;
    put_links(conn, before, key, CONTACTS.name, &deal.contacts)?;
    put_links(conn, before, key, COMPANIES.name, &deal.companies)?;
    tell_engagements(conn, key, shown)?;
    Ok(before.stored())
}

/// Replaces the owners of a portal.
pub fn put_owners(conn: &mut dyn Conn, tenant: Tenant<'_>, owners: &[Owner]) -> Result<(), StoreError> {
    for owner in owners {
        conn.execute(
            "insert into owners (org, portal, id, email, name, archived) values ($1, $2, $3, $4, $5, $6) \
             on conflict (org, portal, id) do update set email = excluded.email, name = excluded.name, \
             archived = excluded.archived",
            params![tenant.org, tenant.portal, &owner.id, &owner.email, &owner.name, owner.archived],
        )?;
    }
    Ok(())
}

/// Replaces the pipeline stages of a portal.
pub fn put_stages(conn: &mut dyn Conn, tenant: Tenant<'_>, stages: &[Stage]) -> Result<(), StoreError> {
    conn.execute(
        "delete from pipeline_stages where org = $1 and portal = $2",
        params![tenant.org, tenant.portal],
    )?;
    for stage in stages {
        conn.execute(
            "insert into pipeline_stages (org, portal, pipeline, id, pipeline_label, label, position, closed, \
             probability) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)",
            params![
                tenant.org,
                tenant.portal,
                &stage.pipeline,
                &stage.id,
                &stage.pipeline_label,
                &stage.label,
                stage.position,
                stage.closed,
                stage.probability,
            ],
        )?;
    }
    Ok(())
}

/// Owners of a portal who have not left.
pub fn owners(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<Vec<Owner>, StoreError> {
    let sql =
        "select id, email, name from owners where org = $1 and portal = $2 and archived = 0 order by id";
    all(conn, sql, params![org, portal], |row| {
        Ok(Owner { id: row.string(0)?, email: row.opt_string(1)?, name: row.opt_string(2)?, archived: false })
    })
}

/// Stages of every deal pipeline, in order.
pub fn stages(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<Vec<Stage>, StoreError> {
    let sql = "select pipeline, pipeline_label, id, label, position, closed, probability from pipeline_stages \
               where org = $1 and portal = $2 order by pipeline, position, id";
    all(conn, sql, params![org, portal], |row| {
        Ok(Stage {
            pipeline: row.string(0)?,
            pipeline_label: row.string(1)?,
            id: row.string(2)?,
            label: row.string(3)?,
            position: row.int(4)?,
            closed: row.int(5)? != 0,
            probability: row.real(6)?,
        })
    })
}
