//! Brings notifications to people beside serving, for as long as the server lives.
//!
//! What is sent and what becomes of it is `notify`'s; a message on its way when the server stops is finished first.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::Instant;

use crate::app::App;
use crate::notify::outbox::Round;

/// Pause between two looks at the outbox.
const LOOK: Duration = Duration::from_millis(500);

/// How often what was told long ago is forgotten.
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Sends what waits until `stop` turns true.
pub async fn run(app: Arc<App>, mut stop: watch::Receiver<bool>) {
    // Whatever was on its way when a process died, or when the database failed, is looked at again.
    let mut is_sure = false;
    let mut pruned: Option<Instant> = None;
    while !*stop.borrow() {
        if pruned.is_none_or(|at| at.elapsed() > DAY) {
            pruned = Some(Instant::now());
            if let Err(error) = app.notifications.prune().await {
                tracing::warn!(%error, "what was told long ago could not be forgotten");
            }
        }
        let round = match is_sure {
            true => app.notifications.round().await,
            false => app.notifications.recover().await.map(|()| Round::Idle),
        };
        is_sure = round.is_ok();
        match round {
            Ok(Round::Sent) => continue,
            Ok(Round::Idle | Round::Failed) => {}
            Err(error) => tracing::warn!(%error, "the outbox could not be worked on"),
        }
        tokio::select! {
            () = tokio::time::sleep(LOOK) => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}
