//! One sync run: reads every record type to its end, in order, and resumes where a killed run stopped.
//!
//! Contacts, companies and deals come first, one after the other, so that engagements find whom they belong
//! to; the kinds of engagement are read side by side. A type that fails does not stop the others.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::watch;

use super::SyncError;
use super::connection::Connector;
use super::mode::Mode;
use super::progress::Progress;
use super::report::{InsightReport, Report, cpu_seconds, peak_memory_bytes};
use crate::domain::clock::{Clock, Millis};
use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;
use crate::domain::ids::OrgId;
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::hubspot::{account, objects};
use crate::pipeline::fetch::Reader;
use crate::pipeline::publish::{Owner, RunStamp};
use crate::pipeline::{Entrance, Settings, Street};
use crate::store::checkpoints::{self, Checkpoint};
use crate::store::crm::{self, Tenant};
use crate::store::runs::{self, Outcome};
use crate::store::{Store, StoreError, connections, orgs, totals};

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
    points: BTreeMap<String, Checkpoint>,
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
        let points: Vec<Checkpoint> = self.store.read(|conn| checkpoints::list(conn, org, owner.portal))?;
        let points = points.into_iter().filter(|point| point.run == stamp.id);
        let points = points.map(|point| (point.record_type.clone(), point)).collect();
        let running = Running { syncer: self, client, owner, stamp, points, progress, stop };
        let errors = running.read_everything().await;
        running.finish(errors)
    }

    /// The unfinished run of this mode, or a new one.
    fn stamp(&self, org: &OrgId, mode: Mode) -> Result<RunStamp, SyncError> {
        let newest: Option<runs::Run> = self.store.read(|conn| runs::newest(conn, org))?;
        let resumable = newest.filter(|run| run.outcome != Outcome::Complete && run.mode == mode.as_str());
        let (id, started_at) = match resumable {
            Some(run) => (run.id, run.started_at),
            None => (uuid::Uuid::now_v7().to_string(), self.clock.now()),
        };
        let stamp = RunStamp { id, mode: mode.as_str(), started_at };
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
        if let Err(error) = self.reference_data().await {
            match error {
                SyncError::Store(error) => errors.store = Some(error),
                SyncError::Hubspot(error) => drop(errors.by_type.insert("reference_data".to_owned(), error)),
                _ => {}
            }
        }
        for record_type in RecordType::CRM {
            if !errors.is_fatal() {
                self.read_side_by_side(&[record_type], &mut errors).await;
            }
        }
        if !errors.is_fatal() {
            self.read_side_by_side(&Kind::ALL.map(RecordType::Engagement), &mut errors).await;
        }
        errors
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
        let reader = Reader::open(self.client.clone(), record_type).await?;
        self.progress.start(record_type, self.expected(record_type).await);
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

    /// For progress only, so a failure does not matter.
    async fn expected(&self, record_type: RecordType) -> Option<u64> {
        match record_type {
            RecordType::Engagement(Kind::FormSubmission) => None,
            other => objects::count(&self.client, other).await.ok(),
        }
    }

    fn ingest_was_switched_off(&self) -> bool {
        let modes: Result<orgs::StoredModes, StoreError> =
            self.syncer.store.read(|conn| orgs::modes(conn, &self.owner.org));
        modes.is_ok_and(|modes| modes.ingest == Some(false))
    }

    fn finish(&self, errors: Errors) -> Result<Report, SyncError> {
        if let Some(error) = errors.store {
            return Err(error.into());
        }
        let finished_at = self.syncer.clock.now();
        let outcome = self.outcome(&errors);
        let report = self.report(&errors, outcome, finished_at)?;
        let json = serde_json::to_string(&report).unwrap_or_default();
        let first_error = errors.by_type.values().next().map(ToString::to_string);
        let auth_error = errors.by_type.values().find(|error| matches!(error, HubspotError::Revoked(_)));
        let auth_error = auth_error.map(ToString::to_string);
        let (org, stamp) = (self.owner.org.clone(), self.stamp.clone());
        self.syncer.store.write(move |conn| {
            runs::finish(conn, &stamp.id, outcome, first_error.as_deref(), &json, finished_at)?;
            if outcome == Outcome::Complete {
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

    fn report(&self, errors: &Errors, outcome: Outcome, finished_at: Millis) -> Result<Report, SyncError> {
        let (points, totals) = self.syncer.store.read(|conn| {
            let points = checkpoints::list(conn, &self.owner.org, self.owner.portal)?;
            Ok::<_, StoreError>((points, totals::of(conn, &self.owner.org)?))
        })?;
        let mut report = Report {
            run: self.stamp.id.clone(),
            mode: self.stamp.mode.to_owned(),
            started_at: self.stamp.started_at,
            finished_at,
            outcome: outcome.as_str().to_owned(),
            types: BTreeMap::new(),
            engagements: BTreeMap::new(),
            insights: InsightReport::default(),
            documents: 0,
            requests: self.client.requests().into(),
            permitted_rate_used: self.client.permitted_rate_used(),
            peak_memory_bytes: peak_memory_bytes(),
            cpu_seconds: cpu_seconds(),
            learning_rules: self.syncer.settings.rules.summary().to_owned(),
            distillation: self.syncer.settings.distillation.summary().to_owned(),
            errors: errors.by_type.iter().map(|(name, error)| (name.clone(), error.to_string())).collect(),
        };
        report.count(&points, &totals);
        Ok(report)
    }
}
