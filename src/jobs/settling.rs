//! Looks up actions of which nobody knows how they ended, and forgets those that were kept long enough: at the start, then
//! every minute.

use std::sync::Arc;
use std::time::Duration;

use crate::app::App;

const EVERY: Duration = Duration::from_secs(60);

/// Looks for as long as the server lives.
pub async fn run(app: Arc<App>) {
    loop {
        if let Err(error) = app.actions.settle_open(&app.reading.org).await {
            tracing::warn!(%error, "open actions could not be looked up");
        }
        if let Err(error) = app.actions.forget_old(&app.reading.org).await {
            tracing::warn!(%error, "old actions could not be forgotten");
        }
        tokio::time::sleep(EVERY).await;
    }
}
