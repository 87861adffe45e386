//! The hourly run: when it is due, and that nothing else starts it.
//!
//! It runs only where a first sync was complete and reading is switched on; an unfinished run is resumed.

use std::time::Duration;

use super::Jobs;
use crate::domain::mode::IntegrationMode;
use crate::store::connections::Connection;
use crate::store::runs::{self, Outcome, Run};
use crate::store::{StoreError, connections, orgs};
use crate::sync::mode::Mode;
use crate::sync::run::Wish;

/// How often it is looked at the clock.
const LOOK: Duration = Duration::from_secs(1);

/// Starts runs as they become due, for as long as the server lives.
pub async fn run(jobs: Jobs, every: Duration) {
    loop {
        tokio::time::sleep(LOOK.min(every)).await;
        let looked = {
            let jobs = jobs.clone();
            tokio::task::spawn_blocking(move || due(&jobs, every)).await
        };
        if let Ok(Ok(Some(mode))) = looked
            && let Err(error) = jobs.start(mode, Wish::default())
        {
            tracing::warn!(%error, "the scheduled sync did not start");
        }
    }
}

/// The mode of the run that is due, if one is.
fn due(jobs: &Jobs, every: Duration) -> Result<Option<Mode>, StoreError> {
    let reading = &jobs.app.reading;
    let (modes, connection, newest) = reading.store.read(|conn| {
        let org = &reading.org;
        Ok::<_, StoreError>((orgs::modes(conn, org)?, connections::get(conn, org)?, runs::newest(conn, org)?))
    })?;
    let Some(connection) = connection.filter(|_| modes.is_on(IntegrationMode::Ingest)) else {
        return Ok(None);
    };
    let next = next(newest.as_ref(), &connection);
    let unfinished = newest.as_ref().filter(|run| run.outcome != Outcome::Complete).and(next);
    let now = jobs.app.clock.now();
    if connection.pause(now).is_some() {
        return Ok(None);
    }
    // After a pause the run that met it goes on at once.
    if connection.paused_until.is_some() && unfinished.is_some() {
        return Ok(unfinished);
    }
    let waited = newest.map_or(i64::MAX, |run| now.0 - run.started_at.0.max(0));
    if waited < i64::try_from(every.as_millis()).unwrap_or(i64::MAX) {
        return Ok(None);
    }
    Ok(next)
}

/// What a run by itself reads: what was left unfinished, or what changed; nothing before a first sync was asked for.
pub(super) fn next(newest: Option<&Run>, connection: &Connection) -> Option<Mode> {
    let unfinished = newest.filter(|run| run.outcome != Outcome::Complete);
    let resumed = unfinished.and_then(|run| Mode::parse(&run.mode));
    resumed.or(connection.last_synced.map(|_| Mode::CatchUp))
}
