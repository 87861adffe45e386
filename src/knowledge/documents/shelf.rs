//! Documents of many rows in key order, for a rebuild: ties are read a page at a time, and people, companies
//! and deals, which many engagements share, once.
//!
//! What changes while a rebuild runs is in the ledger, which is replayed behind it.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use hublore_index::Change;

use super::{Ties, document_of};
use crate::domain::engagement::Kind;
use crate::domain::ids::{OrgId, PortalId};
use crate::store::associations::{self, Tie};
use crate::store::conn::Conn;
use crate::store::engagements::StoredEngagement;
use crate::store::people::{self, Organisation, Person};
use crate::store::{StoreError, near_copies};

/// Most records of a type that are remembered; beyond, all are read anew.
const MOST_REMEMBERED: usize = 50_000;

/// What was read of one portal.
#[derive(Debug, Default)]
pub struct Shelf {
    portal: Option<(OrgId, PortalId)>,
    people: HashMap<String, Option<Rc<Person>>>,
    companies: HashMap<String, Option<Rc<Organisation>>>,
    deals: HashMap<String, Option<Rc<str>>>,
}

impl Shelf {
    /// Documents of a page of rows in key order, those that are knowledge only.
    pub fn documents(
        &mut self,
        conn: &mut dyn Conn,
        page: Vec<StoredEngagement>,
    ) -> Result<Vec<Change>, StoreError> {
        let mut out = Vec::with_capacity(page.len());
        let mut rows = page.into_iter().peekable();
        while let Some(first) = rows.next() {
            let kind = kind_of(&first);
            let mut run = vec![first];
            while let Some(next) = rows.next_if(|next| kind_of(next) == kind) {
                run.push(next);
            }
            self.run(conn, kind, run, &mut out)?;
        }
        Ok(out)
    }

    /// Rows of one kind of one portal.
    fn run(
        &mut self,
        conn: &mut dyn Conn,
        (org, portal, kind): (OrgId, PortalId, Kind),
        run: Vec<StoredEngagement>,
        out: &mut Vec<Change>,
    ) -> Result<(), StoreError> {
        let here = (org, portal);
        if self.portal.as_ref() != Some(&here) {
            *self = Self { portal: Some(here.clone()), ..Self::default() };
        }
        let org = &here.0;
        let (Some(first), Some(last)) = (run.first(), run.last()) else { return Ok(()) };
        let ids = (first.document.id.as_str(), last.document.id.as_str());
        let mut ties: HashMap<String, Vec<Tie>> = HashMap::new();
        for (from, tie) in associations::of_range(conn, org, portal, kind.as_str(), ids)? {
            ties.entry(from).or_default().push(tie);
        }
        let sent_to_many: HashSet<String> = near_copies::sent_to_many(conn, org, portal, kind, ids)?;
        for row in run.into_iter().filter(StoredEngagement::is_learned) {
            let tied = ties.remove(&row.document.id).unwrap_or_default();
            let mut ties = self.ties(conn, org, portal, &tied)?;
            if sent_to_many.contains(&row.document.id) {
                ties.recipients = near_copies::recipients(conn, org, &row.document)?;
                ties.their_companies = near_copies::recipient_companies(conn, org, &row.document)?;
            }
            out.push(Change::Put(document_of(row, ties)));
        }
        Ok(())
    }

    fn ties(
        &mut self,
        conn: &mut dyn Conn,
        org: &OrgId,
        portal: PortalId,
        tied: &[Tie],
    ) -> Result<Ties, StoreError> {
        let mut ties = Ties::default();
        let mut companies: Vec<Rc<Organisation>> = Vec::new();
        for tie in tied {
            match tie.to_type.as_str() {
                "contacts" => {
                    let person = remembered(&mut self.people, &tie.to, || {
                        Ok(people::by_id(conn, org, portal, &tie.to)?.map(Rc::new))
                    })?;
                    ties.people.extend(person.map(|person| (*person).clone()));
                }
                "companies" => companies.extend(self.company(conn, org, portal, &tie.to)?),
                "deals" => {
                    let name = remembered(&mut self.deals, &tie.to, || {
                        Ok(people::deal_name(conn, org, portal, &tie.to)?.map(Rc::from))
                    })?;
                    ties.deals.extend(name.map(|name| name.to_string()));
                }
                _ => {}
            }
        }
        for id in ties.people.iter().filter_map(|person| person.company.as_deref()) {
            if !companies.iter().any(|company| company.id == id) {
                companies.extend(self.company(conn, org, portal, id)?);
            }
        }
        ties.companies = companies.iter().map(|company| (**company).clone()).collect();
        Ok(ties)
    }

    fn company(
        &mut self,
        conn: &mut dyn Conn,
        org: &OrgId,
        portal: PortalId,
        id: &str,
    ) -> Result<Option<Rc<Organisation>>, StoreError> {
        remembered(&mut self.companies, id, || Ok(people::company(conn, org, portal, id)?.map(Rc::new)))
    }
}

fn kind_of(row: &StoredEngagement) -> (OrgId, PortalId, Kind) {
    (row.org.clone(), row.document.portal, row.document.kind)
}

fn remembered<T: Clone>(
    known: &mut HashMap<String, Option<T>>,
    id: &str,
    read: impl FnOnce() -> Result<Option<T>, StoreError>,
) -> Result<Option<T>, StoreError> {
    if let Some(found) = known.get(id) {
        return Ok(found.clone());
    }
    if known.len() >= MOST_REMEMBERED {
        known.clear();
    }
    let found = read()?;
    known.insert(id.to_owned(), found.clone());
    Ok(found)
}
