//! Work that goes on in the background of a server: the sync run, one at a time.
//!
//! A second request while a run goes on answers with the running one. What a run does is `sync`'s.

pub mod asking;
pub mod notifying;
pub mod schedule;
pub mod settling;
pub mod webhooks;

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use serde::Serialize;
use tokio::sync::watch;

use crate::app::App;
use crate::store::webhooks::Between;
use crate::store::{StoreError, connections, runs};
use crate::sync::SyncError;
use crate::sync::mode::Mode;
use crate::sync::progress::Progress;
use crate::sync::report::Report;
use crate::sync::run::Wish;
use crate::webhooks::replay::Replayed;

/// How long a run that was asked to stop is waited for.
const PATIENCE: Duration = Duration::from_secs(120);

/// How the last or current run stands.
#[derive(Debug, Clone, Default, Serialize)]
#[serde(rename_all = "snake_case", tag = "state")]
pub enum JobState {
    /// No run since the start of this process.
    #[default]
    Idle,
    /// A run goes on.
    Running {
        /// Its mode.
        mode: String,
    },
    /// The last run ended by itself.
    Done {
        /// Its report.
        report: Box<Report>,
    },
    /// The last run could not be made.
    Failed {
        /// Why.
        error: String,
    },
}

#[derive(Debug, Default)]
struct Current {
    state: JobState,
    progress: Arc<Progress>,
    stop: Option<watch::Sender<bool>>,
}

/// The runner of sync jobs.
#[derive(Debug, Clone)]
pub struct Jobs {
    app: Arc<App>,
    current: Arc<Mutex<Current>>,
}

/// What a request to start a run led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Requested {
    /// A run was started.
    Started,
    /// One was going on already.
    AlreadyRunning,
}

impl Jobs {
    /// A runner over the application.
    #[must_use]
    pub fn new(app: Arc<App>) -> Self {
        Self { app, current: Arc::default() }
    }

    fn with<T>(&self, work: impl FnOnce(&mut Current) -> T) -> T {
        work(&mut self.current.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// How the last or current run stands.
    #[must_use]
    pub fn state(&self) -> JobState {
        self.with(|current| current.state.clone())
    }

    /// Live progress of the current run.
    #[must_use]
    pub fn progress(&self) -> Arc<Progress> {
        self.with(|current| Arc::clone(&current.progress))
    }

    /// Starts a run, unless one goes on; refuses at once what cannot run.
    pub fn start(&self, mode: Mode, wish: Wish) -> Result<Requested, SyncError> {
        self.app.admit_sync()?;
        let (stop, stopped) = watch::channel(false);
        let progress = self.with(|current| {
            if matches!(current.state, JobState::Running { .. }) {
                return None;
            }
            let progress = Arc::<Progress>::default();
            let state = JobState::Running { mode: mode.to_string() };
            *current = Current { state, progress: Arc::clone(&progress), stop: Some(stop) };
            Some(progress)
        });
        let Some(progress) = progress else {
            return Ok(Requested::AlreadyRunning);
        };
        let this = self.clone();
        tokio::spawn(async move {
            let ended = match this.app.sync(mode, wish, progress, stopped).await {
                Ok(report) => JobState::Done { report: Box::new(report) },
                Err(error) => JobState::Failed { error: error.to_string() },
            };
            this.with(|current| current.state = ended);
        });
        Ok(Requested::Started)
    }

    /// Reading was switched on: what was missed meanwhile is read by a run. Answers what was started; nothing where no
    /// portal is connected, or was never read.
    pub fn read_on(&self) -> Result<Option<Requested>, SyncError> {
        let reading = &self.app.reading;
        let (connection, newest) = reading.store.read(|conn| {
            let org = &reading.org;
            Ok::<_, StoreError>((connections::get(conn, org)?, runs::newest(conn, org)?))
        })?;
        let next = connection.and_then(|connection| schedule::next(newest.as_ref(), &connection));
        next.map(|mode| self.start(mode, Wish::default())).transpose()
    }

    /// Replays webhooks; a run may go on meanwhile.
    pub async fn replay_webhooks(&self, between: Between) -> Result<Replayed, SyncError> {
        let running = || matches!(self.state(), JobState::Running { .. });
        self.app.replay_webhooks(between, &running).await
    }

    /// Asks the current run to stop and waits until it has.
    pub async fn halt(&self) -> Result<(), SyncError> {
        self.stop();
        let ended = async {
            while matches!(self.state(), JobState::Running { .. }) {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, ended).await.map_err(|_| SyncError::StillRunning)
    }

    /// Asks the current run to stop at its next page.
    pub fn stop(&self) {
        self.with(|current| {
            if let Some(stop) = &current.stop {
                // The run may have ended meanwhile.
                let _ = stop.send(true);
            }
        });
    }
}
