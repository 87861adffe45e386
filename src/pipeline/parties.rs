//! Who the customers of an engagement are: its contacts with their companies, as they are stored now.
//!
//! Whom a fact is about in the end is the distiller's to say, but only among these.

use std::collections::HashMap;

use crate::domain::clock::Millis;
use crate::domain::engagement::{Kind, Links};
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::insights::Party;
use crate::store::StoreError;
use crate::store::conn::Conn;
use crate::store::executions;
use crate::store::people::{self, Named};

/// Contacts and companies looked up for one page; a page reads each once.
#[derive(Debug)]
pub(super) struct Parties<'a> {
    org: &'a OrgId,
    portal: PortalId,
    contacts: HashMap<String, Option<Named>>,
    companies: HashMap<String, Option<String>>,
    agents_write: Option<bool>,
}

impl<'a> Parties<'a> {
    pub(super) fn new(org: &'a OrgId, portal: PortalId) -> Self {
        Self { org, portal, contacts: HashMap::new(), companies: HashMap::new(), agents_write: None }
    }

    /// The customers of an engagement with these links; records that are not known are nobody. What an agent of ours
    /// wrote is nobody's word: it proves nothing about anybody.
    pub(super) fn of(
        &mut self,
        conn: &mut dyn Conn,
        (kind, id, occurred_at): (Kind, &str, Millis),
        links: &Links,
    ) -> Result<Vec<Party>, StoreError> {
        if kind == Kind::Note && self.agents_write(conn)? {
            let document = DocumentId { portal: self.portal, kind, id: id.to_owned() };
            if executions::made_by_agent(conn, self.org, &document, occurred_at)? {
                return Ok(Vec::new());
            }
        }
        self.linked(conn, links)
    }

    /// Agents have written notes into this portal; most portals have none, and are asked once.
    fn agents_write(&mut self, conn: &mut dyn Conn) -> Result<bool, StoreError> {
        if let Some(known) = self.agents_write {
            return Ok(known);
        }
        let found = executions::any_note(conn, self.org, self.portal)?;
        self.agents_write = Some(found);
        Ok(found)
    }

    fn linked(&mut self, conn: &mut dyn Conn, links: &Links) -> Result<Vec<Party>, StoreError> {
        let mut companies = Vec::new();
        for id in &links.companies {
            companies.extend(self.company(conn, id)?.map(|name| (id.clone(), name)));
        }
        let mut parties = Vec::new();
        for id in &links.contacts {
            let Some(named) = self.contact(conn, id)? else { continue };
            parties.push(party(id, named, &companies));
        }
        if parties.is_empty() {
            let alone = |(id, name): (String, String)| Party {
                company: Some(id),
                company_name: name,
                ..Party::default()
            };
            parties = companies.into_iter().map(alone).collect();
        }
        Ok(parties)
    }

    fn contact(&mut self, conn: &mut dyn Conn, id: &str) -> Result<Option<Named>, StoreError> {
        if let Some(known) = self.contacts.get(id) {
            return Ok(known.clone());
        }
        let found = people::named(conn, self.org, self.portal, id)?;
        self.contacts.insert(id.to_owned(), found.clone());
        Ok(found)
    }

    fn company(&mut self, conn: &mut dyn Conn, id: &str) -> Result<Option<String>, StoreError> {
        if let Some(known) = self.companies.get(id) {
            return Ok(known.clone());
        }
        let found = people::company_name(conn, self.org, self.portal, id)?;
        self.companies.insert(id.to_owned(), found.clone());
        Ok(found)
    }
}

/// A contact with the company it stands for here: where HubSpot ties the engagement to one company only, that one,
/// since people change firms and mails do not.
fn party(id: &str, named: Named, companies: &[(String, String)]) -> Party {
    let (company, company_name) = match companies {
        [(only, name)] => (Some(only.clone()), name.clone()),
        _ => (named.company, named.company_name),
    };
    Party { contact: Some(id.to_owned()), name: named.name, email: named.email, company, company_name }
}
