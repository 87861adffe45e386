//! The three modes over HTTP, for admins.

use axum::Json;
use axum::extract::{Path, State};
use serde::{Deserialize, Serialize};

use super::Served;
use super::admin::blocking;
use super::problem::Problem;
use crate::domain::mode::{IntegrationMode, Modes};
use crate::modes;

/// What a mode becomes.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Switch {
    /// On or off; null is the default again.
    on: Option<bool>,
}

/// `GET /api/v1/admin/modes`
pub async fn list(State(served): State<Served>) -> Result<Json<Modes>, Problem> {
    let listed = blocking(move || {
        let reading = &served.app.reading;
        Ok(modes::read(&reading.store, &reading.org)?)
    });
    Ok(Json(listed.await?))
}

/// The modes after a switch.
#[derive(Debug, Serialize)]
pub struct Switched {
    #[serde(flatten)]
    modes: Modes,
    /// A run reads what was missed while reading was off.
    catching_up: bool,
}

/// `POST /api/v1/admin/modes/{mode}`; a run in progress stops at its next page when ingest goes off, and one starts when
/// it goes on.
pub async fn switch(
    State(served): State<Served>,
    Path(mode): Path<String>,
    body: axum::body::Bytes,
) -> Result<Json<Switched>, Problem> {
    let mode = IntegrationMode::parse(&mode)
        .ok_or_else(|| Problem::not_found("the modes are ingest, actions and notifications"))?;
    let asked: Switch =
        serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?;
    let runtime = tokio::runtime::Handle::current();
    let switched = blocking(move || {
        let reading = &served.app.reading;
        let was_on = modes::read(&reading.store, &reading.org)?.of(mode).effective;
        let modes = modes::switch(&reading.store, &reading.org, mode, asked.on)?;
        let ingest_came_on = mode == IntegrationMode::Ingest && !was_on && modes.of(mode).effective;
        let _entered = runtime.enter();
        let catching_up = ingest_came_on && starts_a_run(&served);
        Ok(Switched { modes, catching_up })
    });
    Ok(Json(switched.await?))
}

fn starts_a_run(served: &Served) -> bool {
    match served.jobs.read_on() {
        Ok(requested) => requested.is_some(),
        Err(error) => {
            tracing::warn!(%error, "reading is on again, and the sync did not start");
            false
        }
    }
}
