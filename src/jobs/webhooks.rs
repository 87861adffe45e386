//! Looks at what webhooks announced, beside serving and beside a sync; starts the one run that reads what came in bulk.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::task::{AbortHandle, JoinSet};

use super::{JobState, Jobs};
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::store::announced::Bulk;
use crate::store::runs::{self, Outcome};
use crate::store::{StoreError, connections};
use crate::sync::SyncError;
use crate::sync::mode::Mode;
use crate::sync::run::Wish;
use crate::webhooks::work::{Burst, Survey};

/// How long nothing may arrive before it is looked whether something became due.
const LOOK: Duration = Duration::from_secs(1);
/// Deliveries that come together are looked at together.
const GATHER: Duration = Duration::from_millis(100);
/// What comes in bulk is read once this much time went by without more of it, or the first has waited so long.
const QUIET_MS: i64 = 3_000;
const LONGEST_MS: i64 = 60_000;
/// After a run that did not read everything, the next one waits.
const AFTER_FAILURE_MS: i64 = 600_000;

/// Looks for as long as the server lives; a type that HubSpot does not answer holds up no other.
pub async fn run(jobs: Jobs) {
    let (mut looking, mut by_type) = (JoinSet::new(), BTreeMap::<RecordType, AbortHandle>::new());
    loop {
        jobs.app.webhooks.wait(LOOK).await;
        tokio::time::sleep(GATHER).await;
        while looking.try_join_next().is_some() {}
        let Some(survey) = survey(&jobs).await else { continue };
        start_run(&jobs, &survey.bulk);
        for record_type in survey.due {
            if by_type.get(&record_type).is_none_or(AbortHandle::is_finished) {
                by_type.insert(record_type, looking.spawn(look(jobs.clone(), record_type)));
            }
        }
    }
}

/// What there is to do; `None` where nothing may be read now, or the queue cannot be read.
async fn survey(jobs: &Jobs) -> Option<Survey> {
    let app = &jobs.app;
    let running = || matches!(jobs.state(), JobState::Running { .. });
    told(app.webhooks.survey(&app.reading.org, Burst::LeftToARun, &running).await)
}

/// Looks at one type until nothing of it is due.
async fn look(jobs: Jobs, record_type: RecordType) {
    let app = &jobs.app;
    let running = || matches!(jobs.state(), JobState::Running { .. });
    while let Some(round) = told(app.webhooks.round(&app.reading.org, record_type, &running).await) {
        if round.looked == 0 {
            break;
        }
    }
}

fn told<T>(outcome: Result<T, SyncError>) -> Option<T> {
    match outcome {
        Ok(done) => Some(done),
        Err(SyncError::NotConnected | SyncError::IngestOff | SyncError::Paused { .. }) => None,
        Err(error) => {
            tracing::warn!(%error, "what webhooks announced could not be looked at");
            None
        }
    }
}

fn start_run(jobs: &Jobs, bulk: &[Bulk]) {
    let started = match mode(jobs, bulk) {
        Ok(Some(mode)) => jobs.start(mode, Wish::default()).map(drop),
        Ok(None) => Ok(()),
        Err(error) => Err(error.into()),
    };
    if let Err(error) = started {
        tracing::warn!(%error, "the run that reads what came in bulk did not start");
    }
}

/// The mode of the run to start now, if one is due. What is in bulk before a first sync was complete waits for that.
fn mode(jobs: &Jobs, bulk: &[Bulk]) -> Result<Option<Mode>, StoreError> {
    let (reading, now) = (&jobs.app.reading, jobs.app.clock.now());
    let since = |at: Millis| now.0 - at.0;
    let quiet = bulk.iter().map(|bulk| since(bulk.told_at)).min().is_some_and(|ms| ms >= QUIET_MS);
    let long = bulk.iter().any(|bulk| since(bulk.since) >= LONGEST_MS);
    if !quiet && !long {
        return Ok(None);
    }
    let (connection, newest) = reading.store.read(|conn| {
        Ok::<_, StoreError>((connections::get(conn, &reading.org)?, runs::newest(conn, &reading.org)?))
    })?;
    if connection.is_none_or(|connection| connection.last_synced.is_none()) {
        return Ok(None);
    }
    match newest.filter(|run| run.outcome != Outcome::Complete) {
        Some(run) if since(run.started_at) < AFTER_FAILURE_MS => Ok(None),
        // A run that was broken off is resumed, whatever it reads.
        Some(run) => Ok(Mode::parse(&run.mode)),
        None => Ok(Some(Mode::CatchUp)),
    }
}
