//! One sync run: reads every record type to its end, in order, and resumes where a killed run stopped.
//!
//! Contacts, companies and deals come first, one after the other, so that engagements find whom they belong
//! to; the kinds of engagement are read side by side. A type that fails does not stop the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::SyncError;
use super::connection::Connector;
use super::deletions::Deletions;
use super::mode::Mode;
use super::progress::Progress;
use super::report::{InsightReport, Report, cpu_seconds, peak_memory_bytes};
use crate::domain::clock::{Clock, Millis};
use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;
use crate::domain::ids::OrgId;
use crate::hubspot::account;
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::pipeline::fetch::{Reader, Span};
use crate::pipeline::publish::{Owner, RunStamp};
use crate::pipeline::{Entrance, Settings, Street};
use crate::store::checkpoints::{self, Checkpoint};
use crate::store::crm::{self, Tenant};
use crate::store::runs::{self, Outcome};
use crate::store::{Store, StoreError, connections, engagements, insights, orgs, totals, transcripts};

/// Changes this much before the last run are asked for again: HubSpot's search lags behind its writes.
const OVERLAP_MS: i64 = 10 * 60 * 1000;
/// How far back `email_catch_up` looks: mails are logged late, with an older time of their own.
const EMAIL_WINDOW_MS: i64 = 30 * 24 * 60 * 60 * 1000;

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

/// Why reading a type ended before its end.
#[derive(Debug, Clone)]
enum Ended {
    /// HubSpot.
    Hubspot(HubspotError),
    /// Somebody asked the run to stop.
    Stopped,
    /// A later stage failed; the street knows why.
    Closed,
    /// The database.
    Store(StoreError),
}

impl From<HubspotError> for Ended {
    fn from(error: HubspotError) -> Self {
        Self::Hubspot(error)
    }
}

/// A run in progress.
struct Running<'a> {
    syncer: &'a Syncer,
    client: Client,
    owner: Owner,
    stamp: RunStamp,
    mode: Mode,
    points: BTreeMap<String, Checkpoint>,
    watermarks: BTreeMap<String, Millis>,
    progress: Arc<Progress>,
    stop: watch::Receiver<bool>,
}

impl Syncer {
    /// Runs `mode` for an organisation, or resumes an unfinished run of it, until its end or `stop`.
    pub async fn run(
        &self,
        org: &OrgId,
        mode: Mode,
        progress: Arc<Progress>,
        stop: watch::Receiver<bool>,
    ) -> Result<Report, SyncError> {
        let modes: orgs::StoredModes = self.store.read(|conn| orgs::modes(conn, org))?;
        if modes.ingest == Some(false) {
            return Err(SyncError::IngestOff);
        }
        let connection = self.connector.connection(org)?;
        let client = self.connector.client(&connection)?;
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
        let running =
            Running { syncer: self, client, owner, stamp, mode, points, watermarks, progress, stop };
        let mut errors = running.read_everything().await;
        let deleted = running.remove_deleted(&mut errors).await;
        running.finish(errors, deleted)
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
        self.store.write(move |conn| runs::start(conn, &org, &run.id, run.mode, run.started_at))?;
        Ok(stamp)
    }
}

/// What went wrong, by type.
#[derive(Debug, Default)]
struct Errors {
    by_type: BTreeMap<String, HubspotError>,
    stopped: bool,
    store: Option<StoreError>,
}

impl Errors {
    fn note(&mut self, record_type: RecordType, outcome: Result<(), Ended>) {
        match outcome {
            Ok(()) | Err(Ended::Closed) => {}
            Err(Ended::Stopped) => self.stopped = true,
            Err(Ended::Store(error)) => self.store = Some(error),
            Err(Ended::Hubspot(error)) => drop(self.by_type.insert(record_type.as_str().to_owned(), error)),
        }
    }

    /// The connection itself is dead: asking for more is pointless.
    fn is_fatal(&self) -> bool {
        let dead = |error: &HubspotError| {
            matches!(
                error,
                HubspotError::Revoked(_) | HubspotError::Misconfigured(_) | HubspotError::TokensNotStored(_)
            )
        };
        self.stopped || self.store.is_some() || self.by_type.values().any(dead)
    }
}

impl Running<'_> {
    async fn read_everything(&self) -> Errors {
        let mut errors = Errors::default();
        let first = match self.mode {
            Mode::BackfillTranscripts => self.transcripts().await,
            _ => self.reference_data().await,
        };
        if let Err(error) = first {
            match error {
                SyncError::Store(error) => errors.store = Some(error),
                SyncError::Hubspot(error) => {
                    drop(errors.by_type.insert(self.mode.first_step().to_owned(), error))
                }
                _ => {}
            }
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

    /// Removes what HubSpot no longer has, of the types that were read to their end.
    async fn remove_deleted(&self, errors: &mut Errors) -> BTreeMap<String, u64> {
        let mut deleted = BTreeMap::new();
        let deletions = Deletions { store: &self.syncer.store, client: &self.client, owner: &self.owner };
        let follows = self.mode.follows_changes();
        let read = RecordType::all().filter(|one| follows && self.mode.reads(*one));
        for record_type in read.filter(|one| !errors.by_type.contains_key(one.as_str())).collect::<Vec<_>>() {
            if errors.is_fatal() {
                break;
            }
            let now = self.syncer.clock.now();
            let removed = match self.mode.reads_everything() {
                true => deletions.sweep(record_type, self.stamp.started_at, now).await,
                false => deletions.follow_bin(record_type, now).await,
            };
            match removed {
                Ok(removed) => drop(deleted.insert(record_type.as_str().to_owned(), removed)),
                Err(SyncError::Store(error)) => errors.store = Some(error),
                Err(SyncError::Hubspot(error)) => errors.note(record_type, Err(Ended::Hubspot(error))),
                Err(_) => {}
            }
        }
        deleted
    }

    /// What to read of a type: everything, or what changed since it was last complete.
    fn span(&self, record_type: RecordType) -> Span {
        let since = match self.mode {
            Mode::BackfillTranscripts => return Span::Named,
            Mode::FullResync => None,
            Mode::CatchUp => self.watermarks.get(record_type.as_str()).map(|at| at.plus(-OVERLAP_MS)),
            Mode::EmailCatchUp => {
                self.watermarks.get(record_type.as_str()).map(|at| at.plus(-EMAIL_WINDOW_MS))
            }
        };
        // Nothing newer than the start of the run: what changes meanwhile belongs to the next one. HubSpot's
        // clock may be ahead of ours, so the end is taken a little later.
        let until = self.stamp.started_at.plus(OVERLAP_MS);
        since.map_or(Span::Everything, |since| Span::Changes { since, until })
    }

    /// Records to read again although nothing says that they changed: parked ones, and mails whose body was
    /// withheld when they were read.
    fn again(&self, record_type: RecordType) -> Result<Vec<String>, StoreError> {
        let (org, portal) = (&self.owner.org, self.owner.portal);
        self.syncer.store.read(|conn| {
            if self.mode == Mode::BackfillTranscripts {
                return transcripts::unpublished(conn, org, portal);
            }
            let mut ids = runs::parked(conn, org, portal, record_type.as_str())?;
            if self.mode == Mode::EmailCatchUp {
                ids.extend(engagements::emails_without_body(conn, org, portal, 10_000)?);
            }
            Ok(ids)
        })
    }

    async fn transcripts(&self) -> Result<(), SyncError> {
        let (store, clock) = (&self.syncer.store, self.syncer.clock.as_ref());
        super::transcripts::fetch(store, &self.client, &self.owner, clock).await
    }

    /// Owners and deal stages: small, read whole. A missing scope only costs names.
    async fn reference_data(&self) -> Result<(), SyncError> {
        let tolerate = |error| match error {
            HubspotError::MissingScope { .. } => Ok(Vec::new()),
            other => Err(other),
        };
        let owners = account::owners(&self.client).await.or_else(tolerate)?;
        let stages = account::deal_stages(&self.client).await?;
        let (owner, now) = (self.owner.clone(), self.syncer.clock.now());
        self.syncer.store.write(move |conn| {
            let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
            crm::put_owners(conn, tenant, &owners)?;
            crm::put_stages(conn, tenant, &stages)
        })?;
        Ok(())
    }

    /// Reads types concurrently through one street, and waits until their last page is stored.
    async fn read_side_by_side(&self, types: &[RecordType], errors: &mut Errors) {
        let watching = Arc::clone(&self.progress);
        let observer = Arc::new(move |point: &Checkpoint| watching.stored(point));
        let syncer = self.syncer;
        let street = Street::open(&syncer.store, &self.owner, &syncer.clock, &syncer.settings, observer);
        let entrance = street.entrance();
        let reads = types.iter().map(|record_type| self.read_type(*record_type, entrance.clone()));
        let outcomes = futures_util::future::join_all(reads).await;
        drop(entrance);
        for (record_type, outcome) in types.iter().zip(outcomes) {
            errors.note(*record_type, outcome);
        }
        if let Err(error) = street.finish().await {
            errors.store = Some(error);
        }
    }

    async fn read_type(&self, record_type: RecordType, street: Entrance) -> Result<(), Ended> {
        let point = self.points.get(record_type.as_str());
        if let Some(point) = point {
            self.progress.stored(point);
            if point.finished {
                return Ok(());
            }
        }
        let mut after = point.and_then(|point| point.after.clone());
        let again = self.again(record_type).map_err(Ended::Store)?;
        let span = self.span(record_type);
        let mut reader =
            Reader::open(self.client.clone(), record_type, span, after.as_deref(), again).await?;
        self.progress.start(record_type, reader.expected().await);
        loop {
            if *self.stop.borrow() || self.ingest_was_switched_off() {
                return Err(Ended::Stopped);
            }
            let page = reader.page(after.as_deref()).await?;
            after.clone_from(&page.next);
            street.send(record_type, page, self.stamp.clone()).await.map_err(|_| Ended::Closed)?;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    fn ingest_was_switched_off(&self) -> bool {
        let modes: Result<orgs::StoredModes, StoreError> =
            self.syncer.store.read(|conn| orgs::modes(conn, &self.owner.org));
        modes.is_ok_and(|modes| modes.ingest == Some(false))
    }

    fn finish(&self, errors: Errors, deleted: BTreeMap<String, u64>) -> Result<Report, SyncError> {
        if let Some(error) = errors.store {
            return Err(error.into());
        }
        let finished_at = self.syncer.clock.now();
        let outcome = self.outcome(&errors);
        let mut report = self.report(&errors, outcome, finished_at)?;
        report.count_deleted(&deleted);
        let json = serde_json::to_string(&report).unwrap_or_default();
        let first_error = errors.by_type.values().next().map(ToString::to_string);
        let auth_error = errors.by_type.values().find(|error| matches!(error, HubspotError::Revoked(_)));
        let auth_error = auth_error.map(ToString::to_string);
        let (org, stamp) = (self.owner.org.clone(), self.stamp.clone());
        let covers_all = self.mode.covers_all_types();
        self.syncer.store.write(move |conn| {
            runs::finish(conn, &stamp.id, outcome, first_error.as_deref(), &json, finished_at)?;
            if outcome == Outcome::Complete && covers_all {
                connections::set_last_synced(conn, &org, finished_at)?;
            }
            match auth_error {
                Some(error) => connections::set_auth_error(conn, &org, &error, finished_at),
                None => Ok(()),
            }
        })?;
        Ok(report)
    }

    /// A type we were never allowed to read does not make a run incomplete; the report names it.
    fn outcome(&self, errors: &Errors) -> Outcome {
        let real = errors
            .by_type
            .values()
            .filter(|error| !matches!(error, HubspotError::MissingScope { .. }))
            .count();
        match real {
            _ if errors.stopped => Outcome::Interrupted,
            0 => Outcome::Complete,
            failed if failed >= RecordType::all().count() || errors.is_fatal() => Outcome::Failed,
            _ => Outcome::Partial,
        }
    }

    /// A mode that only one permission makes possible is skipped without it, by name.
    fn said_of(&self, outcome: Outcome, errors: &Errors) -> String {
        let lacks = |error: &HubspotError| matches!(error, HubspotError::MissingScope { .. });
        match self.mode {
            Mode::BackfillTranscripts if errors.by_type.values().any(lacks) => {
                "skipped: missing_scope".to_owned()
            }
            _ => outcome.as_str().to_owned(),
        }
    }

    fn report(&self, errors: &Errors, outcome: Outcome, finished_at: Millis) -> Result<Report, SyncError> {
        let org = &self.owner.org;
        let (points, totals, news, in_force) = self.syncer.store.read(|conn| {
            let points = checkpoints::list(conn, org, self.owner.portal)?;
            let news = insights::news(conn, org, self.stamp.started_at)?;
            let in_force = self.syncer.settings.policy.read(conn, &self.owner)?;
            Ok::<_, StoreError>((points, totals::of(conn, org)?, news, in_force))
        })?;
        let mut report = Report {
            run: self.stamp.id.clone(),
            mode: self.stamp.mode.to_owned(),
            started_at: self.stamp.started_at,
            finished_at,
            outcome: self.said_of(outcome, errors),
            types: BTreeMap::new(),
            engagements: BTreeMap::new(),
            insights: InsightReport { added: news.added, superseded: news.superseded },
            documents: 0,
            requests: self.client.requests().into(),
            permitted_rate_used: self.client.permitted_rate_used(),
            peak_memory_bytes: peak_memory_bytes(),
            cpu_seconds: cpu_seconds(),
            learning_rules: in_force.rules.summary(),
            distillation: in_force.distillation.summary().to_owned(),
            errors: errors.by_type.iter().map(|(name, error)| (name.clone(), error.to_string())).collect(),
        };
        report.count(&points, &totals);
        Ok(report)
    }
}
