//! Asks the model beside serving, whenever something waits for it and may be asked.
//!
//! What is asked and how it ends is `pipeline::ask`; a failure there is noted with the engagement it concerns.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

use crate::app::App;

/// Pause between two looks at the queue.
const LOOK: Duration = Duration::from_secs(1);

/// Asks for as long as the server lives; returns at once where no model is set.
pub async fn run(app: Arc<App>, stop: watch::Receiver<bool>) {
    if app.reading.config.model.is_none() {
        return;
    }
    loop {
        tokio::time::sleep(LOOK).await;
        match app.ask_model(&stop).await {
            Ok(round) if round.answered + round.failed > 0 => tracing::info!(?round, "asked the model"),
            Ok(_) => {}
            Err(error) => tracing::warn!(%error, "the model queue could not be worked on"),
        }
    }
}
