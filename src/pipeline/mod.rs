//! The one-way street: fetch → normalize → associate → filter → distill → publish, one file per stage.
//!
//! Stages are joined by bounded channels: a slow stage makes the ones before it wait, so memory does not grow
//! with the portal. Fetch is async; the middle stages run on threads that spread a page over all cores;
//! publish hands pages to the one writer. Every way of reading (first sync, later runs) goes through here.

pub mod announce;
pub mod answers;
pub mod apply;
pub mod ask;
pub mod associate;
pub mod copies;
pub mod distill;
pub mod fetch;
pub mod filter;
pub mod listing;
pub mod normalize;
mod parties;
pub mod policy;
pub mod publish;
mod spoken;
pub mod threads;

use std::collections::BTreeSet;
use std::sync::Arc;

use rayon::prelude::*;
use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::task::JoinHandle;

use self::associate::LinkedEngagement;
use self::fetch::{Fetched, Records};
use self::filter::Judged;
use self::normalize::{Around, NormalizedEngagement};
use self::policy::{Gate, InForce, Policy};
use self::publish::{Content, Origin, Owner, PageToStore};
use self::threads::Threads;
use crate::domain::clock::Clock;
use crate::domain::crm::RecordType;
use crate::domain::engagement::{RawEngagement, SkipReason};
use crate::hubspot::wire::Malformed;
use crate::store::checkpoints::Checkpoint;
use crate::store::{Store, StoreError};

/// Pages that may wait between two stages.
const WAITING_PAGES: usize = 4;
/// Pages that share a transaction at most.
const PAGES_PER_WRITE: usize = 16;

/// What the stages need to know.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Mask secrets before anything is stored as passages.
    pub mask_secrets: bool,
    /// Kinds of noise that are not learned.
    pub skip_noise: BTreeSet<SkipReason>,
    /// Learning rules and distillation.
    pub policy: Policy,
    /// How old, in milliseconds, an engagement may be that people are told of when it is first seen.
    pub news_age_ms: i64,
}

/// Is told after every durable page.
pub type Observer = Arc<dyn Fn(&Checkpoint) + Send + Sync>;

/// A page between two stages.
#[derive(Debug)]
struct Carried<T> {
    record_type: RecordType,
    records: Vec<T>,
    malformed: Vec<Malformed>,
    next: Option<String>,
    origin: Origin,
    /// The rules it is judged by, from the filter stage on.
    in_force: Option<InForce>,
}

impl<T> Carried<T> {
    fn with<U>(self, work: impl FnOnce(Vec<T>) -> Vec<U>) -> Carried<U> {
        let Self { record_type, records, malformed, next, origin, in_force } = self;
        Carried { record_type, records: work(records), malformed, next, origin, in_force }
    }
}

/// The running street: pages go in with [`Street::send`], [`Street::finish`] waits for the last one.
#[derive(Debug)]
pub struct Street {
    raw: Sender<Carried<RawEngagement>>,
    publish: Sender<PageToStore>,
    stages: Vec<JoinHandle<Result<(), StoreError>>>,
}

/// A clonable entrance to the street.
#[derive(Debug, Clone)]
pub struct Entrance {
    raw: Sender<Carried<RawEngagement>>,
    publish: Sender<PageToStore>,
}

/// The street is closed because a stage failed; the cause is in [`Street::finish`].
#[derive(Debug, Clone, Copy)]
pub struct Closed;

impl Street {
    /// Starts the stages.
    #[must_use]
    pub fn open(
        store: &Store,
        owner: &Owner,
        clock: &Arc<dyn Clock>,
        settings: &Settings,
        observer: Observer,
    ) -> Self {
        let (raw, normalize_in) = channel(WAITING_PAGES);
        let (normalized, associate_in) = channel(WAITING_PAGES);
        let (linked, filter_in) = channel(WAITING_PAGES);
        let (judged, distill_in) = channel(WAITING_PAGES);
        let (publish, publish_in) = channel(PAGES_PER_WRITE);
        let mask = settings.mask_secrets;
        let gate = Gate::new(store.clone(), owner.clone(), settings.policy.clone());
        let skip = settings.skip_noise.clone();
        let stages = vec![
            normalize_stage(store.clone(), owner.clone(), mask, normalize_in, normalized),
            associate_stage(store.clone(), owner.clone(), associate_in, linked),
            stage(filter_in, judged, move |page| {
                let in_force = gate.in_force()?;
                let judge = |linked: LinkedEngagement| filter::engagement(linked, &in_force.rules, &skip);
                let page = each(page, judge);
                Ok(Carried { in_force: Some(in_force), ..page })
            }),
            distill_stage(store.clone(), owner.clone(), distill_in, publish.clone()),
            publish_stage(
                publish_in,
                (store.clone(), owner.clone()),
                Arc::clone(clock),
                settings.news_age_ms,
                observer,
            ),
        ];
        Self { raw, publish, stages }
    }

    /// An entrance for a fetching task.
    #[must_use]
    pub fn entrance(&self) -> Entrance {
        Entrance { raw: self.raw.clone(), publish: self.publish.clone() }
    }

    /// Waits until everything sent is stored. Every [`Entrance`] must be dropped before.
    pub async fn finish(self) -> Result<(), StoreError> {
        drop((self.raw, self.publish));
        let mut outcome = Ok(());
        for stage in self.stages {
            let ended = stage
                .await
                .unwrap_or_else(|panic| Err(StoreError::Engine(format!("a stage ended: {panic}"))));
            outcome = outcome.and(ended);
        }
        outcome
    }
}

impl Entrance {
    /// Sends a page on its way; waits while the street is full.
    pub async fn send(&self, record_type: RecordType, page: Fetched, origin: Origin) -> Result<(), Closed> {
        let Fetched { records, malformed, next, gone: _ } = page;
        match records {
            Records::Engagements(records) => {
                let page = Carried { record_type, records, malformed, next, origin, in_force: None };
                self.raw.send(page).await.map_err(|_| Closed)
            }
            crm => {
                let content = Content::Crm(crm);
                let page = PageToStore { record_type, content, malformed, next, origin, revision: None };
                self.publish.send(page).await.map_err(|_| Closed)
            }
        }
    }
}

/// Applies `work` to every record of a page, on all cores, keeping their order.
fn each<I: Send, O: Send>(page: Carried<I>, work: impl Fn(I) -> O + Sync + Send) -> Carried<O> {
    page.with(|records| records.into_par_iter().map(work).collect())
}

fn stage<I, O>(
    mut input: Receiver<Carried<I>>,
    output: Sender<Carried<O>>,
    mut work: impl FnMut(Carried<I>) -> Result<Carried<O>, StoreError> + Send + 'static,
) -> JoinHandle<Result<(), StoreError>>
where
    I: Send + 'static,
    O: Send + 'static,
{
    tokio::task::spawn_blocking(move || {
        while let Some(page) = input.blocking_recv() {
            if output.blocking_send(work(page)?).is_err() {
                break;
            }
        }
        Ok(())
    })
}

fn normalize_stage(
    store: Store,
    owner: Owner,
    mask_secrets: bool,
    input: Receiver<Carried<RawEngagement>>,
    output: Sender<Carried<NormalizedEngagement>>,
) -> JoinHandle<Result<(), StoreError>> {
    let mut threads = Threads::new(store.clone(), owner.clone());
    stage(input, output, move |mut page| {
        spoken::attach(&store, &owner, &mut page.records)?;
        let around = threads.around(&page.records)?;
        let work = |(raw, around): (RawEngagement, Around)| normalize::engagement(raw, &around, mask_secrets);
        Ok(page.with(|records| records.into_par_iter().zip(around).map(work).collect()))
    })
}

fn associate_stage(
    store: Store,
    owner: Owner,
    input: Receiver<Carried<NormalizedEngagement>>,
    output: Sender<Carried<LinkedEngagement>>,
) -> JoinHandle<Result<(), StoreError>> {
    stage(input, output, move |page| {
        let Carried { record_type, records, malformed, next, origin, in_force } = page;
        let records = associate::page(&store, &owner.org, owner.portal, records)?;
        Ok(Carried { record_type, records, malformed, next, origin, in_force })
    })
}

fn distill_stage(
    store: Store,
    owner: Owner,
    mut input: Receiver<Carried<Judged>>,
    output: Sender<PageToStore>,
) -> JoinHandle<Result<(), StoreError>> {
    tokio::task::spawn_blocking(move || {
        while let Some(page) = input.blocking_recv() {
            let Carried { record_type, records, malformed, next, origin, in_force } = page;
            // Every page comes from the filter stage, which says by which rules it judged.
            let Some(in_force) = in_force else { continue };
            let records = distill::page(&store, &owner, records, &in_force.distillation)?;
            let (content, revision) = (Content::Engagements(records), Some(in_force.revision));
            let page = PageToStore { record_type, content, malformed, next, origin, revision };
            if output.blocking_send(page).is_err() {
                break;
            }
        }
        Ok(())
    })
}

fn publish_stage(
    mut input: Receiver<PageToStore>,
    (store, owner): (Store, Owner),
    clock: Arc<dyn Clock>,
    news_age_ms: i64,
    observer: Observer,
) -> JoinHandle<Result<(), StoreError>> {
    tokio::task::spawn_blocking(move || {
        while let Some(first) = input.blocking_recv() {
            let mut pages = vec![first];
            while pages.len() < PAGES_PER_WRITE {
                let Ok(page) = input.try_recv() else { break };
                pages.push(page);
            }
            let points = publish::pages(&store, &owner, clock.now(), news_age_ms, pages)?;
            points.iter().for_each(|point| observer(point));
        }
        Ok(())
    })
}
