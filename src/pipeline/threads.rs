//! Parents of mails: the mail that came before another one in its thread, so that quotes are told with certainty.
//!
//! A parent is the newest mail of the thread that happened earlier; it is looked for among the mails read a moment
//! ago, which may not be stored yet, and in the store. A parent that HubSpot hands out after its answer is found
//! when the answer is read the next time; until then the answer's quotes are told by their marks alone.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use super::publish::Owner;
use crate::domain::engagement::{Body, Kind, RawEngagement};
use crate::store::threads::{self, Place};
use crate::store::{Store, StoreError};

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
}

impl Threads {
    /// Threads of one portal.
    #[must_use]
    pub fn new(store: Store, owner: Owner) -> Self {
        Self { store, owner, recent: HashMap::new(), order: VecDeque::new(), bytes: 0 }
    }

    /// The parent's body for each record of a page. One read of the store for the whole page, and none for a page
    /// without threads.
    pub fn parents(&mut self, page: &[RawEngagement]) -> Result<Vec<Option<Arc<Body>>>, StoreError> {
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
                let stored = threads::mail_before(conn, org, portal, thread, &place)?;
                Ok(newest(recent.get(thread), &place, stored))
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

/// The newest mail before `place`, of those read a moment ago and the stored one.
fn newest(recent: Option<&Vec<Earlier>>, place: &Place, stored: Option<(Place, Body)>) -> Option<Arc<Body>> {
    let before = recent.into_iter().flatten().filter(|mail| mail.place < *place);
    // Of two readings of one mail the later one is believed.
    let read = before.max_by(|a, b| a.place.cmp(&b.place));
    match (read, stored) {
        (Some(read), Some((stored, body))) if stored > read.place => Some(Arc::new(body)),
        (Some(read), _) => Some(Arc::clone(&read.body)),
        (None, stored) => stored.map(|(_, body)| Arc::new(body)),
    }
}
