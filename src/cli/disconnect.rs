//! `hublore disconnect`

use std::sync::Arc;

use super::{Failure, Global, output, runtime};

/// Ends the connection; what was read stays searchable.
pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let config = global.config()?;
    runtime()?.block_on(async {
        let app = global.app(Arc::clone(&config))?;
        let told = app.connector.disconnect(&app.reading.org).await?;
        if global.json {
            return output::json(&serde_json::json!({ "disconnected": true, "hubspot_told": told }));
        }
        output::line("disconnected; everything that was read stays")?;
        if told {
            return Ok(());
        }
        output::line(
            "HubSpot could not be told: remove the app there under Settings > Integrations > Connected Apps",
        )
    })
}
