//! Looking at records that were announced: they are read by id, as they are now, and go down the same street as pages of
//! a run. What a record is tied to and is not here yet is read with it, so that an engagement finds its customer.
//!
//! One record that HubSpot cannot answer must not keep the others waiting: what it refuses together is read in halves.
//! No checkpoint moves: what runs have read stays their business. When to look is decided by `webhooks`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::SyncError;
use super::deletions::Deletions;
use super::errors::ends_everything;
use super::reading::contacts_of_erased;
use super::run::Syncer;
use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;
use crate::domain::event::{Announced, Reason};
use crate::domain::ids::OrgId;
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::hubspot::objects::{self, Which};
use crate::pipeline::Street;
use crate::pipeline::fetch::{self, FetchError, Fetched, Records, Source};
use crate::pipeline::listing::Places;
use crate::pipeline::publish::{Origin, Owner};
use crate::store::associations::{RecordKey, engagements_of};
use crate::store::connections::{self, Connection};
use crate::store::times::{self, Of};
use crate::store::{StoreError, properties, removal};

/// Records read in one call at most.
const AT_ONCE: usize = 100;
/// Calls in a row that HubSpot could not answer, after which it is not one record's fault: halving a hundred down to one
/// takes eight.
const IN_VAIN: u32 = 12;

/// Names a record.
type Key = (RecordType, String);

/// What came of a look, for each record that was asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seen {
    /// It is there, and stored as it is.
    There,
    /// The same, and it is an engagement that is tied to nobody: HubSpot may not have tied it yet.
    TiedToNobody,
    /// HubSpot does not have it, and now it is not here either.
    Gone,
    /// HubSpot does not have it, or does not show it yet; it was never here.
    NeverThere,
    /// It could not be read.
    Failed(String),
}

/// What came of looking.
#[derive(Debug, Default)]
pub struct Looked {
    /// By record.
    pub seen: BTreeMap<Key, Seen>,
    /// Records to look at besides: what HubSpot keeps of a person who was forgotten.
    pub besides: Vec<Announced>,
}

impl Looked {
    /// Nothing could be looked at.
    #[must_use]
    pub fn nothing(announced: &[Announced], why: &HubspotError) -> Self {
        let mut looked = Self::default();
        for one in announced {
            looked.failed(one.record_type, [one.id.clone()], &why.to_string());
        }
        looked
    }

    fn failed(&mut self, record_type: RecordType, ids: impl IntoIterator<Item = String>, why: &str) {
        self.seen.extend(ids.into_iter().map(|id| ((record_type, id), Seen::Failed(why.to_owned()))));
    }
}

/// Where the records come from, in the order they are fetched: engagements tell which customers have to be here first.
const FETCHED: [RecordType; 7] = [
    RecordType::Engagement(Kind::Email),
    RecordType::Engagement(Kind::Note),
    RecordType::Engagement(Kind::Call),
    RecordType::Engagement(Kind::Meeting),
    RecordType::Deals,
    RecordType::Contacts,
    RecordType::Companies,
];

impl Syncer {
    /// Looks at records of an organisation's portal.
    ///
    /// # Errors
    /// Nothing may be read now, or the database failed. What HubSpot did is told record by record.
    pub async fn look(&self, org: &OrgId, announced: &[Announced]) -> Result<Looked, SyncError> {
        let connection = self.admit(org)?;
        let client = self.connector.client(&connection)?.for_looks();
        let owner = Owner { org: org.clone(), portal: connection.portal };
        let look = Look { syncer: self, client, owner, connection };
        let mut looked = Looked::default();
        let (crm, engagements) = look.fetch(announced, &mut looked).await?;
        look.publish(crm, &mut looked).await?;
        look.publish(engagements, &mut looked).await?;
        look.settle(announced, &mut looked).await?;
        Ok(looked)
    }
}

struct Look<'a> {
    syncer: &'a Syncer,
    client: Client,
    owner: Owner,
    connection: Connection,
}

type Pages = Vec<(RecordType, Fetched)>;

/// Reading records of one type.
struct Reading<'a> {
    look: &'a Look<'a>,
    record_type: RecordType,
    /// Calls in a row that were not answered.
    in_vain: &'a mut u32,
    /// Why HubSpot need not be asked for anything else in this look.
    ended: &'a mut Option<String>,
}

impl Reading<'_> {
    /// Reads records; what HubSpot cannot answer together is read in halves, down to the one it cannot answer.
    async fn apart(&mut self, ids: &[String], looked: &mut Looked) -> Result<Vec<Fetched>, SyncError> {
        let (mut pages, mut left) = (Vec::new(), vec![ids]);
        while let Some(ids) = left.pop() {
            if let Some(why) = self.ended.as_deref() {
                looked.failed(self.record_type, ids.to_vec(), why);
                continue;
            }
            let (page, why) = match self.look.read(self.record_type, ids).await {
                Ok(page) => (Some(page), None),
                Err(FetchError::Store(error)) => return Err(error.into()),
                Err(FetchError::Hubspot(error)) => (None, Some(error)),
            };
            let answered = page.as_ref().is_some_and(|page| page.malformed.len() < ids.len());
            *self.in_vain = if answered { 0 } else { *self.in_vain + 1 };
            if !answered
                && why.as_ref().is_none_or(is_of_a_record)
                && ids.len() > 1
                && *self.in_vain < IN_VAIN
            {
                let (first, second) = ids.split_at(ids.len() / 2);
                left.extend([second, first]);
                continue;
            }
            if let Some(error) = why {
                self.look.note(&error)?;
                looked.failed(self.record_type, ids.to_vec(), &error.to_string());
                *self.ended = self.ended.take().or(ends_a_look(&error).then(|| error.to_string()));
            }
            pages.extend(page);
        }
        Ok(pages)
    }
}

/// One record among those asked for may be the reason.
fn is_of_a_record(error: &HubspotError) -> bool {
    matches!(
        error,
        HubspotError::Refused { .. } | HubspotError::Unavailable { .. } | HubspotError::Unreadable(_)
    )
}

/// What else there is to look at would fail too, and take its time.
fn ends_a_look(error: &HubspotError) -> bool {
    ends_everything(error) || matches!(error, HubspotError::Unreachable { .. })
}

impl Look<'_> {
    /// Everything that was announced, and what it is tied to and is not here.
    async fn fetch(&self, announced: &[Announced], looked: &mut Looked) -> Result<(Pages, Pages), SyncError> {
        let mut wanted: BTreeMap<RecordType, BTreeSet<String>> = BTreeMap::new();
        for one in announced {
            wanted.entry(one.record_type).or_default().insert(one.id.clone());
        }
        let (mut pages, mut ended) = (Pages::new(), None);
        for record_type in FETCHED {
            let ids: Vec<String> = wanted.remove(&record_type).into_iter().flatten().collect();
            let mut in_vain = 0;
            for ids in ids.chunks(AT_ONCE) {
                let mut reading =
                    Reading { look: self, record_type, in_vain: &mut in_vain, ended: &mut ended };
                for page in reading.apart(ids, looked).await? {
                    self.want_what_is_tied(&page, &mut wanted)?;
                    sort(record_type, &page, looked);
                    pages.push((record_type, page));
                }
            }
        }
        // They are stored in the order of a run: whom an engagement is about first.
        pages.sort_by_key(|(record_type, _)| *record_type);
        Ok(pages.into_iter().partition(|(record_type, _)| RecordType::CRM.contains(record_type)))
    }

    async fn read(&self, record_type: RecordType, ids: &[String]) -> Result<Fetched, FetchError> {
        let (org, portal) = (&self.owner.org, self.owner.portal);
        let names: Vec<String> =
            self.syncer.store.read(|conn| properties::names(conn, org, portal, record_type))?;
        let source = Source {
            client: self.client.clone(),
            store: self.syncer.store.clone(),
            owner: self.owner.clone(),
            record_type,
            properties: names.into(),
            places: Places::new(),
        };
        Ok(fetch::read(&source, Which::Ids(ids)).await?)
    }

    /// A connection that is dead, or a pause, is everybody's business.
    fn note(&self, error: &HubspotError) -> Result<(), StoreError> {
        let (org, now) = (self.owner.org.clone(), self.syncer.clock.now());
        if let HubspotError::Revoked(_) = error {
            let why = error.to_string();
            return self.syncer.store.write(move |conn| connections::set_auth_error(conn, &org, &why, now));
        }
        let Some((until, why)) = super::closing::pause(&self.connection, error, now) else { return Ok(()) };
        self.syncer.store.write(move |conn| connections::set_pause(conn, &org, Some((until, &why))))
    }

    /// Records that are named and not stored are read too.
    fn want_what_is_tied(
        &self,
        page: &Fetched,
        wanted: &mut BTreeMap<RecordType, BTreeSet<String>>,
    ) -> Result<(), StoreError> {
        let named = match &page.records {
            Records::Engagements(records) => records
                .iter()
                .flat_map(|one| {
                    let links = &one.links;
                    [&links.contacts, &links.companies, &links.deals].into_iter().zip([
                        RecordType::Contacts,
                        RecordType::Companies,
                        RecordType::Deals,
                    ])
                })
                .collect(),
            Records::Deals(records) => records
                .iter()
                .flat_map(|one| {
                    [
                        (&one.fields.contacts, RecordType::Contacts),
                        (&one.fields.companies, RecordType::Companies),
                    ]
                })
                .collect(),
            Records::Contacts(records) => {
                records.iter().map(|one| (&one.fields.companies, RecordType::Companies)).collect::<Vec<_>>()
            }
            Records::Companies(_) => Vec::new(),
        };
        self.syncer.store.read(|conn| {
            for (ids, record_type) in named {
                let of = Of { org: &self.owner.org, portal: self.owner.portal, record_type };
                for id in ids {
                    if times::last_change(conn, of, id)?.is_none() {
                        wanted.entry(record_type).or_default().insert(id.clone());
                    }
                }
            }
            Ok(())
        })
    }

    async fn publish(&self, pages: Pages, looked: &mut Looked) -> Result<(), SyncError> {
        if pages.is_empty() {
            return Ok(());
        }
        let syncer = self.syncer;
        let street =
            Street::open(&syncer.store, &self.owner, &syncer.clock, &syncer.settings, Arc::new(|_| {}));
        let entrance = street.entrance();
        for (record_type, page) in pages {
            let contacts = contacts_of_erased(&syncer.store, &self.owner, &page)?;
            if !contacts.is_empty() {
                let gone = match objects::gone(&self.client, RecordType::Contacts, &contacts).await {
                    Ok(gone) => gone,
                    Err(error) => {
                        self.note(&error)?;
                        let ids = page.engagements().iter().map(|one| one.id.clone());
                        looked.failed(record_type, ids, &error.to_string());
                        continue;
                    }
                };
                gone.iter().try_for_each(|id| self.forget(id, looked))?;
            }
            if entrance.send(record_type, page, Origin::Webhook).await.is_err() {
                break;
            }
        }
        drop(entrance);
        Ok(street.finish().await?)
    }

    fn deletions(&self) -> Deletions<'_> {
        Deletions { store: &self.syncer.store, client: &self.client, owner: &self.owner }
    }

    /// What HubSpot did not have is asked for once more, twice, and goes if it is here.
    async fn settle(&self, announced: &[Announced], looked: &mut Looked) -> Result<(), SyncError> {
        let mut absent: BTreeMap<RecordType, Vec<&Announced>> = BTreeMap::new();
        for one in announced {
            if looked.seen.get(&(one.record_type, one.id.clone())) == Some(&Seen::NeverThere) {
                absent.entry(one.record_type).or_default().push(one);
            }
        }
        for (record_type, absent) in absent {
            let ids: Vec<String> = absent.iter().map(|one| one.id.clone()).collect();
            let gone: BTreeSet<String> = match objects::gone(&self.client, record_type, &ids).await {
                Ok(gone) => gone.into_iter().collect(),
                Err(error) => {
                    self.note(&error)?;
                    looked.failed(record_type, ids, &error.to_string());
                    continue;
                }
            };
            for one in absent {
                let seen = if gone.contains(&one.id) {
                    self.remove(one, looked)?
                } else {
                    Seen::Failed("HubSpot shows it at one moment and not at the next".to_owned())
                };
                looked.seen.insert((record_type, one.id.clone()), seen);
            }
        }
        Ok(())
    }

    /// A record that HubSpot does not have goes; a person who is to be forgotten, with every word.
    fn remove(&self, one: &Announced, looked: &mut Looked) -> Result<Seen, StoreError> {
        let now = self.syncer.clock.now();
        if one.reason == Reason::Forgotten {
            self.forget(&one.id, looked)?;
            return Ok(Seen::Gone);
        }
        let removed = self.deletions().remove(one.record_type, vec![one.id.clone()], now)?;
        let (org, portal) = (&self.owner.org, self.owner.portal);
        let key = RecordKey { org, portal, kind: one.record_type.as_str(), id: &one.id };
        let settled: bool = self.syncer.store.read(|conn| removal::is_known_gone(conn, key))?;
        let was_here = removed > 0 || settled || one.reason == Reason::Deleted;
        Ok(if was_here { Seen::Gone } else { Seen::NeverThere })
    }

    /// Erases a contact with every word from or to them. What HubSpot keeps of their engagements is read anew.
    fn forget(&self, contact: &str, looked: &mut Looked) -> Result<(), StoreError> {
        let (org, portal) = (&self.owner.org, self.owner.portal);
        let key = RecordKey { org, portal, kind: RecordType::Contacts.as_str(), id: contact };
        let tied: Vec<(Kind, String)> = self.syncer.store.read(|conn| engagements_of(conn, key))?;
        self.deletions().erase(vec![contact.to_owned()], self.syncer.clock.now())?;
        let readable = tied.into_iter().filter(|(kind, _)| *kind != Kind::FormSubmission);
        looked.besides.extend(readable.map(|(kind, id)| Announced {
            record_type: RecordType::Engagement(kind),
            id,
            reason: Reason::Changed,
        }));
        Ok(())
    }
}

/// Notes what a page says of the records that were asked for.
fn sort(record_type: RecordType, page: &Fetched, looked: &mut Looked) {
    let mut there = |id: &String, seen| drop(looked.seen.insert((record_type, id.clone()), seen));
    match &page.records {
        Records::Contacts(records) => records.iter().for_each(|one| there(&one.id, Seen::There)),
        Records::Companies(records) => records.iter().for_each(|one| there(&one.id, Seen::There)),
        Records::Deals(records) => records.iter().for_each(|one| there(&one.id, Seen::There)),
        Records::Engagements(records) => {
            for one in records {
                let links = &one.links;
                let tied =
                    [&links.contacts, &links.companies, &links.deals].iter().any(|ids| !ids.is_empty());
                there(&one.id, if tied || one.erased { Seen::There } else { Seen::TiedToNobody });
            }
        }
    }
    for bad in &page.malformed {
        let ids = bad.id.clone();
        looked.failed(record_type, ids, &bad.reason);
    }
    for id in &page.gone {
        looked.seen.insert((record_type, id.clone()), Seen::NeverThere);
    }
}
