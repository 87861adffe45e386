//! One sync run: reads every record type to its end, in order, and resumes where a killed run stopped.
//!
//! Contacts, companies and deals come first, one after the other, so that engagements find whom they belong
//! to; the kinds of engagement are read side by side. A type that fails does not stop the others. How a run
//! ends is in `closing`.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::afterwards::is_counted;
use super::connection::Connector;
use super::errors::{Ended, Errors};
use super::mode::Mode;
use super::progress::Progress;
use super::properties::Gained;
use super::reconcile::{Reconciliation, SEARCH_LAG_MS};
use super::report::Report;
use super::{SyncError, late};
use crate::domain::clock::{Clock, Millis};
use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;
use crate::domain::ids::OrgId;
use crate::hubspot::account;
use crate::hubspot::changes::{self, Axis};
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::pipeline::apply::Stored;
use crate::pipeline::fetch::{Besides, Fetched, Reader, Source, Span};
use crate::pipeline::listing::Places;
use crate::pipeline::publish::{Owner, RunStamp};
use crate::pipeline::{Entrance, Settings, Street};
use crate::store::associations::{RecordKey, targets};
use crate::store::checkpoints::{self, Checkpoint};
use crate::store::connections::Connection;
use crate::store::crm::{self, Tenant};
use crate::store::runs::{self, Outcome};
use crate::store::times::{self, Of};
use crate::store::upkeep::{self, Task};
use crate::store::{Store, StoreError, connections, engagements, orgs, transcripts};

/// Changes this much before the last run are always asked for again: HubSpot's search lags behind its writes.
const OVERLAP_MS: i64 = 10 * 60 * 1000;
/// Up to so many records changed in the two hours before the last run, asking for all of them again costs no
/// request more than asking whether their number still fits.
const CHEAP: u64 = 100;
/// How far back `email_catch_up` looks: mails are logged late, with an older time of their own.
const EMAIL_WINDOW_MS: i64 = 30 * 24 * 60 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// What a run needs.
#[derive(Debug, Clone)]
pub struct Syncer {
    /// Database.
    pub store: Store,
    /// Source of clients.
    pub connector: Connector,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What the stages need.
    pub settings: Settings,
}

/// What is asked of a run besides its mode.
#[derive(Debug, Clone, Copy, Default)]
pub struct Wish {
    /// Compare with HubSpot month by month even if that is not due.
    pub reconcile: bool,
}

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

/// A run in progress.
pub(super) struct Running<'a> {
    pub(super) syncer: &'a Syncer,
    pub(super) client: Client,
    pub(super) owner: Owner,
    pub(super) connection: Connection,
    pub(super) stamp: RunStamp,
    pub(super) mode: Mode,
    pub(super) wish: Wish,
    points: BTreeMap<String, Checkpoint>,
    watermarks: BTreeMap<String, Millis>,
    progress: Arc<Progress>,
    stop: watch::Receiver<bool>,
    /// Records to read because their associations changed.
    retied: BTreeMap<RecordType, Vec<String>>,
    /// Rows removed while reading, by type.
    pub(super) removed: Mutex<BTreeMap<RecordType, u64>>,
    /// Daily tasks that this run did.
    pub(super) done: Vec<Task>,
    pub(super) reconciliation: Option<Reconciliation>,
}

impl Syncer {
    /// Why no run may start now, if none may.
    pub fn admit(&self, org: &OrgId) -> Result<Connection, SyncError> {
        let modes: orgs::StoredModes = self.store.read(|conn| orgs::modes(conn, org))?;
        if modes.ingest == Some(false) {
            return Err(SyncError::IngestOff);
        }
        let connection = self.connector.connection(org)?;
        match connection.pause(self.clock.now()) {
            Some((until, reason)) => Err(SyncError::Paused { until, reason: reason.to_owned() }),
            None => Ok(connection),
        }
    }

    /// Runs `mode` for an organisation, or resumes an unfinished run of it, until its end or `stop`.
    pub async fn run(
        &self,
        org: &OrgId,
        mode: Mode,
        wish: Wish,
        progress: Arc<Progress>,
        stop: watch::Receiver<bool>,
    ) -> Result<Report, SyncError> {
        let connection = self.admit(org)?;
        let client = self.connector.client(&connection)?;
        client.budget().ask_anew_for_the_day();
        let owner = Owner { org: org.clone(), portal: connection.portal };
        let stamp = self.stamp(org, mode)?;
        let (points, watermarks) = self.store.read(|conn| {
            Ok::<_, StoreError>((
                checkpoints::list(conn, org, owner.portal)?,
                checkpoints::watermarks(conn, org)?,
            ))
        })?;
        let points = points.into_iter().filter(|point| point.run == stamp.id);
        let points = points.map(|point| (point.record_type.clone(), point)).collect();
        let mut running = Running {
            syncer: self,
            client,
            owner,
            connection,
            stamp,
            mode,
            wish,
            points,
            watermarks,
            progress,
            stop,
            retied: BTreeMap::new(),
            removed: Mutex::default(),
            done: Vec::new(),
            reconciliation: None,
        };
        let mut errors = running.read_everything().await;
        running.remove_deleted(&mut errors).await;
        running.catch_up(&mut errors).await;
        running.finish(errors)
    }

    /// What is stored of a portal, to be looked at again without HubSpot.
    #[must_use]
    pub fn stored(&self, owner: Owner) -> Stored {
        let Self { store, clock, settings, .. } = self.clone();
        Stored { store, owner, clock, settings }
    }

    /// The unfinished run of this mode, or a new one.
    fn stamp(&self, org: &OrgId, mode: Mode) -> Result<RunStamp, SyncError> {
        let newest: Option<runs::Run> = self.store.read(|conn| runs::newest(conn, org))?;
        let resumable = newest.filter(|run| run.outcome != Outcome::Complete && run.mode == mode.as_str());
        let (id, started_at) = match resumable {
            Some(run) => (run.id, run.started_at),
            None => (uuid::Uuid::now_v7().to_string(), self.clock.now()),
        };
        let covers_changes = mode.follows_changes();
        let stamp = RunStamp { id, mode: mode.as_str(), started_at, covers_changes };
        let (org, run) = (org.clone(), stamp.clone());
        self.store.write(move |conn| {
            connections::set_pause(conn, &org, None)?;
            runs::start(conn, &org, &run.id, run.mode, run.started_at)
        })?;
        Ok(stamp)
    }
}

impl Running<'_> {
    async fn read_everything(&mut self) -> Errors {
        let mut errors = Errors::default();
        let first = match self.mode {
            Mode::BackfillTranscripts => self.transcripts().await,
            _ => self.reference_data().await,
        };
        errors.step(self.mode.first_step(), first);
        self.select_properties(&mut errors).await;
        if self.mode == Mode::CatchUp && !errors.is_fatal() {
            self.find_late_associations(&mut errors).await;
        }
        if let Err(error) = self.locally(Stored::begin).await {
            errors.store = Some(error);
        }
        for record_type in RecordType::CRM.into_iter().filter(|record_type| self.mode.reads(*record_type)) {
            if !errors.is_fatal() {
                self.read_side_by_side(&[record_type], &mut errors).await;
            }
        }
        let kinds = Kind::ALL.into_iter().map(RecordType::Engagement);
        let kinds: Vec<RecordType> = kinds.filter(|record_type| self.mode.reads(*record_type)).collect();
        if !errors.is_fatal() {
            self.read_side_by_side(&kinds, &mut errors).await;
        }
        errors
    }

    /// A daily task is due when the run that did it last began a day ago.
    pub(super) fn is_due(&self, task: Task) -> Result<bool, StoreError> {
        let (org, portal) = (&self.owner.org, self.owner.portal);
        let done = self.syncer.store.read(|conn| upkeep::done_at(conn, org, portal, task))?;
        Ok(done.is_none_or(|at| self.stamp.started_at.0 - at.0 >= DAY_MS))
    }

    async fn find_late_associations(&mut self, errors: &mut Errors) {
        let due = self.is_due(Task::Associations).map_err(SyncError::from);
        if errors.step("associations", due) != Some(true) {
            return;
        }
        let store = &self.syncer.store;
        let found = late::differing(store, &self.client, &self.owner, self.stamp.started_at).await;
        if let Some(found) = errors.step("associations", found) {
            self.retied = found;
            self.done.push(Task::Associations);
        }
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

    async fn transcripts(&self) -> Result<(), SyncError> {
        let (store, clock) = (&self.syncer.store, self.syncer.clock.as_ref());
        super::transcripts::fetch(store, &self.client, &self.owner, clock).await
    }

    /// Does what is due from what is stored: rules or names that changed while the run went on.
    async fn catch_up(&self, errors: &mut Errors) {
        // A complete reading is the moment to count: what is learned then depends on what is stored, not on its order.
        if self.mode.reads_everything()
            && !errors.is_fatal()
            && let Err(error) = self.locally(Stored::learn_boilerplate).await
        {
            errors.store = Some(error);
        }
        if !errors.is_fatal()
            && let Err(error) = self.locally(Stored::catch_up).await
        {
            errors.store = Some(error);
        }
    }

    /// Runs long work on the database off the runtime.
    async fn locally(&self, work: fn(&Stored) -> Result<(), StoreError>) -> Result<(), StoreError> {
        let stored = self.syncer.stored(self.owner.clone());
        let done = tokio::task::spawn_blocking(move || work(&stored)).await;
        done.unwrap_or_else(|panic| Err(StoreError::Engine(format!("work on what is stored ended: {panic}"))))
    }

    /// Facts of the account once a day; owners and deal stages: small, read whole. A missing scope only costs
    /// names.
    async fn reference_data(&self) -> Result<(), SyncError> {
        self.syncer.connector.refresh_facts(&self.connection, &self.client).await?;
        let tolerate = |error| match error {
            HubspotError::MissingScope { .. } => Ok(Vec::new()),
            other => Err(other),
        };
        let owners = account::owners(&self.client).await.or_else(tolerate)?;
        let stages = match account::deal_stages(&self.client).await {
            Ok(stages) => Some(stages),
            Err(HubspotError::MissingScope { .. }) => None,
            Err(error) => return Err(error.into()),
        };
        let (owner, now) = (self.owner.clone(), self.syncer.clock.now());
        self.syncer.store.write(move |conn| {
            let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
            crm::put_owners(conn, tenant, &owners)?;
            stages.map_or(Ok(()), |stages| crm::put_stages(conn, tenant, &stages))
        })?;
        Ok(())
    }

    fn street(&self) -> Street {
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

    /// Reads types concurrently through one street, and waits until their last page is stored.
    async fn read_side_by_side(&self, types: &[RecordType], errors: &mut Errors) {
        let (street, places) = (self.street(), Places::new());
        let entrance = street.entrance();
        let reads = types.iter().map(|record_type| self.read_type(*record_type, &places, entrance.clone()));
        let outcomes = futures_util::future::join_all(reads).await;
        drop(entrance);
        let finished = street.finish().await;
        for (record_type, outcome) in types.iter().zip(outcomes) {
            let outcome = outcome.and_then(|read| match &finished {
                Ok(()) => self.settle_read(*record_type, read).map_err(Ended::from),
                Err(_) => Ok(()),
            });
            errors.note(record_type.as_str(), outcome);
        }
        if let Err(error) = finished {
            errors.store = Some(error);
        }
    }

    async fn read_type(
        &self,
        record_type: RecordType,
        places: &Arc<Places>,
        street: Entrance,
    ) -> Result<Read, Ended> {
        let source = self.source(record_type, places)?;
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
        self.pages(record_type, reader, after, street).await?;
        Ok(Read { properties, whole, looked })
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
        let read = self.pages(record_type, reader, None, street.entrance()).await;
        street.finish().await?;
        read
    }

    async fn pages(
        &self,
        record_type: RecordType,
        mut reader: Reader,
        mut after: Option<String>,
        street: Entrance,
    ) -> Result<(), Ended> {
        self.progress.start(record_type, reader.expected().await);
        loop {
            if *self.stop.borrow() || self.ingest_was_switched_off() {
                return Err(Ended::Stopped);
            }
            let mut page = reader.page(after.as_deref()).await?;
            self.settle(record_type, &mut page).await?;
            after.clone_from(&page.next);
            street.send(record_type, page, self.stamp.clone()).await.map_err(|_| Ended::Closed)?;
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
        let contacts = self.contacts_of_erased(page)?;
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

    /// Known contacts of engagements that HubSpot emptied.
    fn contacts_of_erased(&self, page: &Fetched) -> Result<Vec<String>, StoreError> {
        let erased: Vec<_> = page.engagements().iter().filter(|one| one.erased).collect();
        if erased.is_empty() {
            return Ok(Vec::new());
        }
        self.syncer.store.read(|conn| {
            let mut contacts = BTreeSet::new();
            for one in erased {
                let (org, portal) = (&self.owner.org, self.owner.portal);
                let key = RecordKey { org, portal, kind: one.kind.as_str(), id: &one.id };
                contacts.extend(targets(conn, key, "contacts")?);
            }
            Ok(contacts.into_iter().collect())
        })
    }

    fn ingest_was_switched_off(&self) -> bool {
        let modes: Result<orgs::StoredModes, StoreError> =
            self.syncer.store.read(|conn| orgs::modes(conn, &self.owner.org));
        modes.is_ok_and(|modes| modes.ingest == Some(false))
    }
}
