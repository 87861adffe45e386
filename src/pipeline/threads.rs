//! What is known around mails before they are read: what was said before in their thread, so that quotes are told with
//! certainty; their senders; boilerplate.
//!
//! HubSpot does not say which mail another one answers (its headers name people, not references), and threads branch:
//! so the newest few mails of the thread that happened earlier count together. They are looked for among the mails read
//! a moment ago, which may not be stored yet, and in the store. A parent that HubSpot hands out after its answer is
//! found when the answer is read the next time; until then the answer's quotes are told by their marks alone.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;

use super::normalize::Around;
use super::publish::Owner;
use crate::domain::engagement::{Body, Kind, RawEngagement};
use crate::store::senders::{self, Sender};
use crate::store::threads::{self, PARENTS, Place};
use crate::store::{Store, StoreError, boilerplate};
use crate::text::visible_text;

/// Bytes of earlier text that are compared with a mail.
const MOST_PARENT_BYTES: usize = 256 << 10;
/// Mails kept until they are surely stored: more than the street holds.
const MOST_MAILS: usize = 5_000;
/// Bytes of bodies kept.
const MOST_BYTES: usize = 16 << 20;

/// A mail read a moment ago.
#[derive(Debug)]
struct Earlier {
    place: Place,
    body: Arc<Body>,
}

/// Finds parents; keeps the mails that are on their way into the store.
#[derive(Debug)]
pub struct Threads {
    store: Store,
    owner: Owner,
    recent: HashMap<String, Vec<Earlier>>,
    order: VecDeque<(String, Place, usize)>,
    bytes: usize,
    learned: Option<Arc<Learned>>,
}

/// Boilerplate by domain.
type Learned = HashMap<String, Arc<HashSet<u64>>>;

/// The domain of the address a mail came from, lower case.
#[must_use]
pub fn domain_of(raw: &RawEngagement) -> Option<String> {
    address_of(raw)?.rsplit_once('@').map(|(_, domain)| domain.trim().to_lowercase())
}

/// The address a mail came from.
fn address_of(raw: &RawEngagement) -> Option<&str> {
    raw.from_address.as_deref().filter(|_| raw.kind == Kind::Email)
}

impl Threads {
    /// Threads of one portal.
    #[must_use]
    pub fn new(store: Store, owner: Owner) -> Self {
        Self { store, owner, recent: HashMap::new(), order: VecDeque::new(), bytes: 0, learned: None }
    }

    /// What is known around each record of a page: what was said before, as one plain body, the sender as the CRM knows it
    /// now, and the boilerplate of its domain as it was when the street was opened. A page without mails reads nothing.
    pub fn around(&mut self, page: &[RawEngagement]) -> Result<Vec<Around>, StoreError> {
        let parents = self.parents(page)?;
        let learned = self.boilerplate()?;
        let senders = self.senders(page)?;
        let around = |(raw, parent): (&RawEngagement, Option<Arc<Body>>)| Around {
            parent,
            boilerplate: domain_of(raw).and_then(|domain| learned.get(&domain).cloned()),
            sender: address_of(raw).and_then(|address| senders.get(address).cloned()),
        };
        Ok(page.iter().zip(parents).map(around).collect())
    }

    /// Who wrote the mails of a page, by address.
    fn senders<'a>(&self, page: &'a [RawEngagement]) -> Result<HashMap<&'a str, Arc<Sender>>, StoreError> {
        let addresses: HashSet<&str> = page.iter().filter_map(address_of).collect();
        if addresses.is_empty() {
            return Ok(HashMap::new());
        }
        let (org, portal) = (&self.owner.org, self.owner.portal);
        self.store.read(|conn| {
            let read = |address: &'a str| {
                let sender = senders::with_address(conn, org, portal, address)?;
                Ok((address, Arc::new(sender)))
            };
            addresses.into_iter().map(read).collect()
        })
    }

    fn boilerplate(&mut self) -> Result<Arc<Learned>, StoreError> {
        if let Some(known) = &self.learned {
            return Ok(Arc::clone(known));
        }
        let lines = self.store.read(|conn| boilerplate::lines(conn, &self.owner.org, self.owner.portal))?;
        let lines = lines.into_iter().map(|(domain, lines)| (domain, Arc::new(lines))).collect();
        Ok(Arc::clone(self.learned.insert(Arc::new(lines))))
    }

    fn parents(&mut self, page: &[RawEngagement]) -> Result<Vec<Option<Arc<Body>>>, StoreError> {
        let in_thread = |raw: &RawEngagement| raw.kind == Kind::Email && raw.thread.is_some();
        if !page.iter().any(in_thread) {
            return Ok(vec![None; page.len()]);
        }
        page.iter().filter(|raw| in_thread(raw)).for_each(|raw| self.remember(raw));
        let recent = &self.recent;
        let (org, portal) = (&self.owner.org, self.owner.portal);
        self.store.read(|conn| {
            let parent = |raw: &RawEngagement| {
                let Some(thread) = raw.thread.as_ref().filter(|_| in_thread(raw)) else { return Ok(None) };
                let place = (raw.occurred_at, raw.id.clone());
                let stored = threads::mails_before(conn, org, portal, thread, &place)?;
                Ok(joined(&newest(recent.get(thread), &place, stored)))
            };
            page.iter().map(parent).collect()
        })
    }

    fn remember(&mut self, raw: &RawEngagement) {
        let Some(thread) = &raw.thread else { return };
        let place = (raw.occurred_at, raw.id.clone());
        let size = [&raw.body.html, &raw.body.plain].into_iter().flatten().map(String::len).sum();
        let mails = self.recent.entry(thread.clone()).or_default();
        mails.push(Earlier { place: place.clone(), body: Arc::new(raw.body.clone()) });
        self.order.push_back((thread.clone(), place, size));
        self.bytes += size;
        while self.order.len() > MOST_MAILS || self.bytes > MOST_BYTES {
            let Some((thread, place, size)) = self.order.pop_front() else { break };
            self.bytes -= size;
            self.forget(&thread, &place);
        }
    }

    fn forget(&mut self, thread: &str, place: &Place) {
        let Some(mails) = self.recent.get_mut(thread) else { return };
        if let Some(at) = mails.iter().position(|mail| mail.place == *place) {
            mails.remove(at);
        }
        if mails.is_empty() {
            self.recent.remove(thread);
        }
    }
}

/// The newest mails before `place`, of those read a moment ago and the stored ones, newest first.
fn newest(recent: Option<&Vec<Earlier>>, place: &Place, stored: Vec<(Place, Body)>) -> Vec<Arc<Body>> {
    // Of two readings of one mail the later one is believed; what was read a moment ago is later than what is stored.
    let read = recent.into_iter().flatten().rev().filter(|mail| mail.place < *place);
    let read = read.map(|mail| (mail.place.clone(), Arc::clone(&mail.body)));
    let stored = stored.into_iter().map(|(place, body)| (place, Arc::new(body)));
    let mut mails: Vec<(Place, Arc<Body>)> = Vec::new();
    for (place, body) in read.chain(stored) {
        if mails.iter().all(|(known, _)| known.1 != place.1) {
            mails.push((place, body));
        }
    }
    mails.sort_by(|a, b| b.0.cmp(&a.0));
    mails.into_iter().take(PARENTS).map(|(_, body)| body).collect()
}

/// The visible text of some mails as one body; `None` where there are no mails.
fn joined(mails: &[Arc<Body>]) -> Option<Arc<Body>> {
    let mut text = String::new();
    for mail in mails {
        let seen = visible_text(mail.html.as_deref(), mail.plain.as_deref());
        if !text.is_empty() && text.len() + seen.len() > MOST_PARENT_BYTES {
            break;
        }
        text.push_str(&seen);
        text.push_str("\n\n");
    }
    (!mails.is_empty()).then(|| Arc::new(Body { html: None, plain: Some(text) }))
}
