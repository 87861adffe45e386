//! One sync run: reads every record type to its end, in order, and resumes where a killed run stopped.
//!
//! A type that fails does not stop the others. How types are read is in `reading`, how a run ends in `closing`.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use tokio::sync::watch;

use super::connection::Connector;
use super::errors::Errors;
use super::mode::Mode;
use super::progress::Progress;
use super::reconcile::Reconciliation;
use super::report::Report;
use super::{SyncError, late};
use crate::domain::clock::{Clock, Millis};
use crate::domain::crm::RecordType;
use crate::domain::ids::OrgId;
use crate::domain::mode::{IntegrationMode, StoredModes};
use crate::hubspot::account;
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::pipeline::Settings;
use crate::pipeline::apply::Stored;
use crate::pipeline::publish::{Owner, RunStamp};
use crate::store::checkpoints::{self, Checkpoint};
use crate::store::connections::Connection;
use crate::store::crm::{self, Tenant};
use crate::store::runs::{self, Outcome};
use crate::store::upkeep::{self, Task};
use crate::store::{Store, StoreError, connections, orgs};

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

/// A run in progress.
pub(super) struct Running<'a> {
    pub(super) syncer: &'a Syncer,
    pub(super) client: Client,
    pub(super) owner: Owner,
    pub(super) connection: Connection,
    pub(super) stamp: RunStamp,
    pub(super) mode: Mode,
    pub(super) wish: Wish,
    pub(super) points: BTreeMap<String, Checkpoint>,
    pub(super) watermarks: BTreeMap<String, Millis>,
    pub(super) progress: Arc<Progress>,
    pub(super) stop: watch::Receiver<bool>,
    /// Records to read because their associations changed.
    pub(super) retied: BTreeMap<RecordType, Vec<String>>,
    /// Rows removed while reading, by type.
    pub(super) removed: Mutex<BTreeMap<RecordType, u64>>,
    /// Daily tasks that this run did.
    pub(super) done: Vec<Task>,
    pub(super) reconciliation: Option<Reconciliation>,
}

impl Syncer {
    /// Why no run may start now, if none may.
    pub fn admit(&self, org: &OrgId) -> Result<Connection, SyncError> {
        let modes: StoredModes = self.store.read(|conn| orgs::modes(conn, org))?;
        if !modes.is_on(IntegrationMode::Ingest) {
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
        let client = self.connector.client(&connection)?.until_stopped(stop.clone());
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
        let stamp = RunStamp {
            id,
            mode: mode.as_str(),
            started_at,
            covers_changes: mode.follows_changes(),
            follows_news: false,
        };
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
        if !errors.is_fatal() {
            self.read_types(&mut errors).await;
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

    /// Facts of the account once a day; owners and deal stages: small, read whole. A missing scope only costs
    /// names.
    async fn reference_data(&self) -> Result<(), SyncError> {
        self.syncer.connector.refresh_facts(&self.connection, &self.client).await?;
        let tolerate = |error| match error {
            HubspotError::MissingScope { .. } => Ok(Vec::new()),
            other => Err(other),
        };
        let (owners, stages) =
            futures_util::future::join(account::owners(&self.client), account::deal_stages(&self.client))
                .await;
        let owners = owners.or_else(tolerate)?;
        let stages = match stages {
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
}
