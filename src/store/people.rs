//! Who and what an engagement is about: customers, companies and deals as answers and the index name them.
//!
//! `cross join` fixes the order in which SQLite walks the tables: from the few rows asked for to the many.
//! Left to itself it once walked all contacts for every address.

use super::StoreError;
use super::conn::{Conn, Row, all, first};
use crate::domain::clock::Millis;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::params;

/// A contact as answers show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// Portal.
    pub portal: PortalId,
    /// HubSpot's id.
    pub id: String,
    /// Primary address.
    pub email: Option<String>,
    /// First and last name, where known.
    pub name: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Phone.
    pub phone: Option<String>,
    /// Lifecycle stage.
    pub lifecycle_stage: Option<String>,
    /// Owner id.
    pub owner: Option<String>,
    /// Primary company's id.
    pub company: Option<String>,
}

/// Columns in the order [`person`] reads them, of the table aliased `u`.
macro_rules! person_columns {
    () => {
        "u.portal, u.id, u.email, u.first_name, u.last_name, u.job_title, u.phone, u.lifecycle_stage, u.owner, u.company"
    };
}

fn person(row: &dyn Row) -> Result<Person, StoreError> {
    let names: Vec<&str> = [row.opt_text(3)?, row.opt_text(4)?].into_iter().flatten().collect();
    Ok(Person {
        portal: PortalId::from_i64(row.int(0)?),
        id: row.string(1)?,
        email: row.opt_string(2)?,
        name: (!names.is_empty()).then(|| names.join(" ")),
        job_title: row.opt_string(5)?,
        phone: row.opt_string(6)?,
        lifecycle_stage: row.opt_string(7)?,
        owner: row.opt_string(8)?,
        company: row.opt_string(9)?,
    })
}

/// One contact.
pub fn by_id(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    id: &str,
) -> Result<Option<Person>, StoreError> {
    let sql = concat!(
        "select ",
        person_columns!(),
        " from end_users u where u.org = $1 and u.portal = $2 and u.id = $3"
    );
    first(conn, sql, params![org, portal, id], person)
}

/// Contacts with that address, primary or additional; compared in lower case.
pub fn by_email(conn: &mut dyn Conn, org: &OrgId, email: &str) -> Result<Vec<Person>, StoreError> {
    let sql = concat!(
        "select ",
        person_columns!(),
        " from contact_emails m cross join end_users u where m.org = $1 and m.email = $2 \
         and u.org = m.org and u.portal = m.portal and u.id = m.contact order by m.portal, m.contact"
    );
    all(conn, sql, params![org, &email.trim().to_lowercase()], person)
}

/// Known contacts an engagement is linked to.
pub fn of_engagement(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Vec<Person>, StoreError> {
    let sql = concat!(
        "select ",
        person_columns!(),
        " from associations a join end_users u on u.org = a.org and u.portal = a.portal and u.id = a.to_id \
         where a.org = $1 and a.portal = $2 and a.from_type = $3 and a.from_id = $4 and a.to_type = 'contacts' \
         order by a.position"
    );
    all(conn, sql, params![org, document.portal, document.kind.as_str(), &document.id], person)
}

/// Known contacts an engagement is linked to, each with the name of its company.
pub fn with_companies(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Vec<(Person, Option<String>)>, StoreError> {
    let sql = concat!(
        "select ",
        person_columns!(),
        ", c.name from associations a join end_users u on u.org = a.org and u.portal = a.portal and u.id = a.to_id \
         left join companies c on c.org = u.org and c.portal = u.portal and c.id = u.company \
         where a.org = $1 and a.portal = $2 and a.from_type = $3 and a.from_id = $4 and a.to_type = 'contacts' \
         order by a.position"
    );
    let key = params![org, document.portal, document.kind.as_str(), &document.id];
    all(conn, sql, key, |row| Ok((person(row)?, row.opt_string(10)?)))
}

/// A company as answers show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Organisation {
    /// HubSpot's id.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// Web domain.
    pub domain: Option<String>,
    /// Industry.
    pub industry: Option<String>,
    /// Number of employees.
    pub employees: Option<i64>,
    /// Lifecycle stage.
    pub lifecycle_stage: Option<String>,
}

fn organisation(row: &dyn Row) -> Result<Organisation, StoreError> {
    Ok(Organisation {
        id: row.string(0)?,
        name: row.opt_string(1)?,
        domain: row.opt_string(2)?,
        industry: row.opt_string(3)?,
        employees: row.opt_int(4)?,
        lifecycle_stage: row.opt_string(5)?,
    })
}

/// One company.
pub fn company(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    id: &str,
) -> Result<Option<Organisation>, StoreError> {
    let sql = "select id, name, domain, industry, employees, lifecycle_stage from companies \
               where org = $1 and portal = $2 and id = $3";
    first(conn, sql, params![org, portal, id], organisation)
}

/// Known companies an engagement is linked to directly.
pub fn companies_of_engagement(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Vec<Organisation>, StoreError> {
    let sql = "select c.id, c.name, c.domain, c.industry, c.employees, c.lifecycle_stage from associations a \
               join companies c on c.org = a.org and c.portal = a.portal and c.id = a.to_id \
               where a.org = $1 and a.portal = $2 and a.from_type = $3 and a.from_id = $4 \
               and a.to_type = 'companies' order by a.position";
    all(conn, sql, params![org, document.portal, document.kind.as_str(), &document.id], organisation)
}

/// Ids of the companies whose name or domain equals `name`, ignoring ASCII case.
pub fn companies_named(
    conn: &mut dyn Conn,
    org: &OrgId,
    name: &str,
) -> Result<Vec<(PortalId, String)>, StoreError> {
    let sql = "select portal, id from companies where org = $1 and (lower(name) = lower($2) or lower(domain) = lower($2))";
    all(conn, sql, params![org, name.trim()], |row| Ok((PortalId::from_i64(row.int(0)?), row.string(1)?)))
}

/// Ids of the owners whose id, address or name equals `name`, ignoring ASCII case.
pub fn owners_named(conn: &mut dyn Conn, org: &OrgId, name: &str) -> Result<Vec<String>, StoreError> {
    let sql = "select id from owners where org = $1 and (id = $2 or lower(email) = lower($2) or lower(name) = lower($2))";
    all(conn, sql, params![org, name.trim()], |row| row.string(0))
}

/// An owner's name or address.
pub fn owner_name(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    id: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "select coalesce(name, email) from owners where org = $1 and portal = $2 and id = $3";
    Ok(first(conn, sql, params![org, portal, id], |row| row.opt_string(0))?.flatten())
}

/// A deal as answers show it.
#[derive(Debug, Clone, PartialEq)]
pub struct Opportunity {
    /// HubSpot's id.
    pub id: String,
    /// Name.
    pub name: Option<String>,
    /// Amount as HubSpot wrote it.
    pub amount: Option<String>,
    /// Currency code.
    pub currency: Option<String>,
    /// Label of the stage, or its id where the pipeline is unknown.
    pub stage: Option<String>,
    /// Label of the pipeline, or its id.
    pub pipeline: Option<String>,
    /// Close date.
    pub close_date: Option<Millis>,
    /// The stage is a closed one.
    pub closed: Option<bool>,
}

fn opportunity(row: &dyn Row) -> Result<Opportunity, StoreError> {
    Ok(Opportunity {
        id: row.string(0)?,
        name: row.opt_string(1)?,
        amount: row.opt_string(2)?,
        currency: row.opt_string(3)?,
        stage: row.opt_string(4)?,
        pipeline: row.opt_string(5)?,
        close_date: row.opt_int(6)?.map(Millis),
        closed: row.opt_int(7)?.map(|closed| closed != 0),
    })
}

/// Deals a contact takes part in, newest close date first, at most 50.
pub fn deals_of_contact(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    contact: &str,
) -> Result<Vec<Opportunity>, StoreError> {
    let sql = "select d.id, d.name, d.amount, d.currency, coalesce(s.label, d.stage), \
               coalesce(s.pipeline_label, d.pipeline), d.close_date, s.closed from associations a \
               join deals d on d.org = a.org and d.portal = a.portal and d.id = a.from_id \
               left join pipeline_stages s on s.org = d.org and s.portal = d.portal and s.pipeline = d.pipeline \
               and s.id = d.stage \
               where a.org = $1 and a.portal = $2 and a.to_type = 'contacts' and a.to_id = $3 \
               and a.from_type = 'deals' order by d.close_date desc, d.id limit 50";
    all(conn, sql, params![org, portal, contact], opportunity)
}

/// Names of the deals an engagement is linked to.
pub fn deal_names_of_engagement(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
) -> Result<Vec<String>, StoreError> {
    let sql = "select d.name from associations a join deals d on d.org = a.org and d.portal = a.portal \
               and d.id = a.to_id where a.org = $1 and a.portal = $2 and a.from_type = $3 and a.from_id = $4 \
               and a.to_type = 'deals' and d.name is not null order by a.position";
    all(conn, sql, params![org, document.portal, document.kind.as_str(), &document.id], |row| row.string(0))
}

/// The name of one deal, where it is known and has one.
pub fn deal_name(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    id: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "select name from deals where org = $1 and portal = $2 and id = $3";
    Ok(first(conn, sql, params![org, portal, id], |row| row.opt_string(0))?.flatten())
}

/// A contact and its primary company, as far as a distiller needs them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Full name; empty where there is none.
    pub name: String,
    /// Primary address.
    pub email: Option<String>,
    /// Primary company's id, where that company is known.
    pub company: Option<String>,
    /// That company's name; empty where there is none.
    pub company_name: String,
}

/// Names of one contact and its company.
pub fn named(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    contact: &str,
) -> Result<Option<Named>, StoreError> {
    let sql = "select u.first_name, u.last_name, u.email, c.id, c.name from end_users u left join companies c \
               on c.org = u.org and c.portal = u.portal and c.id = u.company \
               where u.org = $1 and u.portal = $2 and u.id = $3";
    first(conn, sql, params![org, portal, contact], |row| {
        let names: Vec<&str> = [row.opt_text(0)?, row.opt_text(1)?].into_iter().flatten().collect();
        Ok(Named {
            name: names.join(" "),
            email: row.opt_string(2)?,
            company: row.opt_string(3)?,
            company_name: row.opt_string(4)?.unwrap_or_default(),
        })
    })
}

/// Name of one company, where it is known; empty where it has none.
pub fn company_name(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    company: &str,
) -> Result<Option<String>, StoreError> {
    let sql = "select name from companies where org = $1 and portal = $2 and id = $3";
    first(conn, sql, params![org, portal, company], |row| row.opt_string(0).map(Option::unwrap_or_default))
}

/// Names of everybody on our side, by id.
pub fn owner_names(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<Vec<String>, StoreError> {
    let sql = "select coalesce(name, email) from owners where org = $1 and portal = $2 \
               and coalesce(name, email) is not null order by id";
    all(conn, sql, params![org, portal], |row| row.string(0))
}
