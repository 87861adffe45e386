//! Reading the types of a run: in which order, from where, through which street.
//!
//! Contacts, companies and deals come one after the other, so that engagements find whom they belong to; the kinds of
//! engagement are read side by side. So that no request HubSpot permits stays unused where one type ends and the next
//! begins, the next one is asked for as soon as the last stretch of the list before it is under way, and engagements
//! as soon as the last deal is here; pages are stored in order all the same (`relay`).

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::SyncError;
use super::afterwards::is_counted;
use super::errors::{Ended, Errors};
use super::mode::Mode;
use super::properties::Gained;
use super::reconcile::SEARCH_LAG_MS;
use super::relay::{self, Giver, Leg};
use super::run::Running;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;
use crate::domain::mode::{IntegrationMode, StoredModes};
use crate::hubspot::changes::{self, Axis};
use crate::pipeline::fetch::{Besides, Fetched, Reader, Source, Span};
use crate::pipeline::listing::Places;
use crate::pipeline::publish::{Origin, Owner, RunStamp};
use crate::pipeline::{Entrance, Street};
use crate::store::associations::{RecordKey, targets};
use crate::store::checkpoints::Checkpoint;
use crate::store::times::{self, Of};
use crate::store::{Store, StoreError, engagements, orgs, runs, transcripts};

/// Changes this much before the last run are always asked for again: HubSpot's search lags behind its writes.
const OVERLAP_MS: i64 = 10 * 60 * 1000;
/// Up to so many records changed in the two hours before the last run, asking for all of them again costs no
/// request more than asking whether their number still fits.
const CHEAP: u64 = 100;
/// How far back `email_catch_up` looks: mails are logged late, with an older time of their own.
const EMAIL_WINDOW_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// How a type was read to its end.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// Names of the further properties it was read with.
    pub(super) properties: Vec<String>,
    /// Every record, from the first page on, in this process.
    pub(super) whole: bool,
    /// Records with a value of a property that was new were looked for.
    pub(super) looked: bool,
}

/// What the types of a run share.
struct Shared {
    places: Arc<Places>,
    errors: Mutex<Errors>,
}

impl Shared {
    fn errors(&self) -> MutexGuard<'_, Errors> {
        self.errors.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Running<'_> {
    /// Reads every type that the mode reads: contacts, companies and deals in turn, then the kinds of engagement side
    /// by side.
    pub(super) async fn read_types(&self, errors: &mut Errors) {
        let crm: Vec<RecordType> = RecordType::CRM.into_iter().filter(|one| self.mode.reads(*one)).collect();
        let kinds = Kind::ALL.into_iter().map(RecordType::Engagement);
        let kinds: Vec<RecordType> = kinds.filter(|one| self.mode.reads(*one)).collect();
        let shared = Shared { places: Places::new(), errors: Mutex::new(std::mem::take(errors)) };
        let (asked, may_ask) = relay::signal();
        let (stored, may_send) = relay::signal();
        let first = async {
            let legs = relay::in_turn(crm.len());
            self.read_through_one_street(&crm, legs, &shared, asked).await;
            drop(stored);
        };
        let then = async {
            let legs = relay::side_by_side(kinds.len(), &may_ask, &may_send);
            may_ask.clone().given().await;
            self.read_through_one_street(&kinds, legs, &shared, relay::signal().0).await;
        };
        futures_util::future::join(first, then).await;
        *errors = shared.errors.into_inner().unwrap_or_else(PoisonError::into_inner);
    }

    /// Reads types through one street and waits until their last page is stored; `asked` is given when it was sent.
    async fn read_through_one_street(
        &self,
        types: &[RecordType],
        legs: Vec<Leg>,
        shared: &Shared,
        asked: Giver,
    ) {
        if types.is_empty() || shared.errors().is_fatal() {
            return;
        }
        let street = self.street();
        let entrance = street.entrance();
        let reads = types.iter().zip(legs).map(|(record_type, leg)| async {
            let read = self.read_type(*record_type, shared, entrance.clone(), &leg).await;
            let (read, outcome) = read.map_or_else(|ended| (None, Err(ended)), |read| (Some(read), Ok(())));
            shared.errors().note(record_type.as_str(), outcome);
            // Only now may others begin, who have to know what went wrong.
            drop(leg);
            (*record_type, read)
        });
        let reads = futures_util::future::join_all(reads).await;
        drop((entrance, asked));
        let finished = match street.finish().await {
            Ok(()) => reads.into_iter().try_for_each(|(record_type, read)| match read {
                Some(read) => self.settle_read(record_type, read),
                None => Ok(()),
            }),
            Err(error) => Err(error),
        };
        if let Err(error) = finished {
            shared.errors().store = Some(error);
        }
    }

    async fn read_type(
        &self,
        record_type: RecordType,
        shared: &Shared,
        street: Entrance,
        leg: &Leg,
    ) -> Result<Read, Ended> {
        leg.may_ask().await;
        if shared.errors().is_fatal() {
            return Err(Ended::Closed);
        }
        let source = self.source(record_type, &shared.places)?;
        let point = self.points.get(record_type.as_str());
        if let Some(point) = point {
            self.progress.stored(point);
            if point.finished {
                return Ok(Read::default());
            }
        }
        let after = point.and_then(|point| point.after.clone());
        let mut besides = self.besides(record_type)?;
        let mut span = self.span(record_type).await?;
        let looked = matches!(span, Span::Changes { .. });
        if looked {
            match self.gained(record_type).await? {
                Gained::Records(lacking) => besides.add(lacking),
                Gained::Everything => span = Span::Everything,
            }
        }
        let whole = span == Span::Everything && point.is_none();
        let properties = source.properties.to_vec();
        let reader = Reader::open(source, span, after.as_deref(), besides).await?;
        self.pages(record_type, reader, after, street, leg).await?;
        Ok(Read { properties, whole, looked })
    }

    pub(super) fn street(&self) -> Street {
        let watching = Arc::clone(&self.progress);
        let observer = Arc::new(move |point: &Checkpoint| watching.stored(point));
        let syncer = self.syncer;
        Street::open(&syncer.store, &self.owner, &syncer.clock, &syncer.settings, observer)
    }

    fn source(&self, record_type: RecordType, places: &Arc<Places>) -> Result<Source, StoreError> {
        Ok(Source {
            client: self.client.clone(),
            store: self.syncer.store.clone(),
            owner: self.owner.clone(),
            record_type,
            properties: self.properties_of(record_type)?.into(),
            places: Arc::clone(places),
        })
    }

    fn settle_read(&self, record_type: RecordType, read: Read) -> Result<(), StoreError> {
        if read.properties.is_empty() || self.mode == Mode::BackfillTranscripts {
            return Ok(());
        }
        self.settle_properties(record_type, read)
    }

    /// Reads records by id, through a street of their own.
    pub(super) async fn read_named(&self, record_type: RecordType, named: Vec<String>) -> Result<(), Ended> {
        let street = self.street();
        let source = self.source(record_type, &Places::new())?;
        let besides = Besides { named, ..Besides::default() };
        let reader = Reader::open(source, Span::Named, None, besides).await?;
        let read = self.pages(record_type, reader, None, street.entrance(), &Leg::alone()).await;
        street.finish().await?;
        read
    }

    /// What brings the pages of a type. A type that was never complete is read whole: nothing of it is news.
    pub(super) fn origin(&self, record_type: RecordType) -> Origin {
        let follows_news = self.mode == Mode::CatchUp && self.watermarks.contains_key(record_type.as_str());
        Origin::Run(RunStamp { follows_news, ..self.stamp.clone() })
    }

    async fn pages(
        &self,
        record_type: RecordType,
        mut reader: Reader,
        mut after: Option<String>,
        street: Entrance,
        leg: &Leg,
    ) -> Result<(), Ended> {
        self.progress.start(record_type, reader.expected().await);
        loop {
            if *self.stop.borrow() || self.ingest_was_switched_off() {
                return Err(Ended::Stopped);
            }
            let mut page = reader.page(after.as_deref()).await?;
            if reader.is_planned() {
                leg.planned();
            }
            leg.may_send().await;
            self.settle(record_type, &mut page).await?;
            after.clone_from(&page.next);
            street.send(record_type, page, self.origin(record_type)).await.map_err(|_| Ended::Closed)?;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// What a page tells about records that are not on it: some are gone, and persons are to be forgotten.
    async fn settle(&self, record_type: RecordType, page: &mut Fetched) -> Result<(), Ended> {
        let now = self.syncer.clock.now();
        let gone = std::mem::take(&mut page.gone);
        self.count_removed(record_type, self.deletions().remove(record_type, gone, now)?);
        let contacts = contacts_of_erased(&self.syncer.store, &self.owner, page)?;
        if contacts.is_empty() {
            return Ok(());
        }
        match self.deletions().erase_gone(&contacts, now).await {
            Ok(erased) => self.count_removed(RecordType::Contacts, erased),
            Err(SyncError::Hubspot(error)) => return Err(error.into()),
            Err(SyncError::Store(error)) => return Err(error.into()),
            Err(_) => {}
        }
        Ok(())
    }

    /// What to read of a type: everything, or what changed since it was last complete.
    async fn span(&self, record_type: RecordType) -> Result<Span, Ended> {
        let watermark = self.watermarks.get(record_type.as_str()).copied();
        let since = match self.mode {
            Mode::BackfillTranscripts => return Ok(Span::Named),
            Mode::FullResync => None,
            Mode::CatchUp => match watermark {
                Some(at) => Some(self.since(record_type, at).await?),
                None => None,
            },
            Mode::EmailCatchUp => watermark.map(|at| at.plus(-EMAIL_WINDOW_MS)),
        };
        // Nothing newer than the start of the run: what changes meanwhile belongs to the next one. HubSpot's
        // clock may be ahead of ours, so the end is taken a little later.
        let until = self.stamp.started_at.plus(OVERLAP_MS);
        Ok(since.map_or(Span::Everything, |since| Span::Changes { since, until }))
    }

    /// Where to begin asking for changes: two hours before what is known to be complete, because a search may
    /// show them that late. Where that is many records, their number is compared first.
    async fn since(&self, record_type: RecordType, watermark: Millis) -> Result<Millis, Ended> {
        let (early, late) = (watermark.plus(-SEARCH_LAG_MS), watermark.plus(-OVERLAP_MS));
        if !is_counted(record_type) {
            return Ok(early);
        }
        let of = Of { org: &self.owner.org, portal: self.owner.portal, record_type };
        let before = late.plus(-1);
        let ours: u64 = self.syncer.store.read(|conn| times::changed(conn, of, early, before))?;
        if ours <= CHEAP {
            return Ok(early);
        }
        let theirs = changes::count(&self.client, record_type, Axis::Changed, early, before).await?;
        Ok(if theirs == ours { late } else { early })
    }

    /// Records to read again although nothing says that they changed: parked ones, those tied to others since,
    /// and mails whose body was withheld when they were read.
    fn besides(&self, record_type: RecordType) -> Result<Besides, StoreError> {
        let (org, portal) = (&self.owner.org, self.owner.portal);
        self.syncer.store.read(|conn| {
            if self.mode == Mode::BackfillTranscripts {
                let named = transcripts::unpublished(conn, org, portal)?;
                return Ok(Besides { named, ..Besides::default() });
            }
            let repair = runs::parked(conn, org, portal, record_type.as_str())?;
            let mut named: BTreeSet<String> =
                self.retied.get(&record_type).into_iter().flatten().cloned().collect();
            if self.mode == Mode::EmailCatchUp {
                named.extend(engagements::emails_without_body(conn, org, portal, 10_000)?);
            }
            named.retain(|id| !repair.contains(id));
            Ok(Besides { repair, named: named.into_iter().collect() })
        })
    }

    fn ingest_was_switched_off(&self) -> bool {
        let modes: Result<StoredModes, StoreError> =
            self.syncer.store.read(|conn| orgs::modes(conn, &self.owner.org));
        modes.is_ok_and(|modes| !modes.is_on(IntegrationMode::Ingest))
    }
}

/// Known contacts of engagements that HubSpot emptied.
pub(super) fn contacts_of_erased(
    store: &Store,
    owner: &Owner,
    page: &Fetched,
) -> Result<Vec<String>, StoreError> {
    let erased: Vec<_> = page.engagements().iter().filter(|one| one.erased).collect();
    if erased.is_empty() {
        return Ok(Vec::new());
    }
    store.read(|conn| {
        let mut contacts = BTreeSet::new();
        for one in erased {
            let key =
                RecordKey { org: &owner.org, portal: owner.portal, kind: one.kind.as_str(), id: &one.id };
            contacts.extend(targets(conn, key, "contacts")?);
        }
        Ok(contacts.into_iter().collect())
    })
}
