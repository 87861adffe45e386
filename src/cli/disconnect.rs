//! `hublore disconnect`

use std::sync::Arc;

use serde_json::{Value, json};

use super::remote::here_or_there;
use super::{Failure, Global, output, runtime};
use crate::app::App;

/// Ends the connection, here or in the running server; what was read stays searchable.
pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let ended = here_or_there(global, here, async |remote| remote.post("disconnect", &json!({})).await)?;
    if global.json {
        return output::json(&ended);
    }
    output::line("disconnected; everything that was read stays")?;
    if ended["hubspot_told"] == true {
        return Ok(());
    }
    output::line(
        "HubSpot could not be told: remove the app there under Settings > Integrations > Connected Apps",
    )
}

fn here(app: &Arc<App>) -> Result<Value, Failure> {
    let told = runtime()?.block_on(app.connector.disconnect(&app.reading.org))?;
    Ok(json!({ "disconnected": true, "hubspot_told": told }))
}
