//! The three modes over HTTP, for admins.

use axum::Json;
use axum::extract::{Path, State};
use serde::Deserialize;

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

/// `POST /api/v1/admin/modes/{mode}`; a run in progress stops at its next page when ingest goes off.
pub async fn switch(
    State(served): State<Served>,
    Path(mode): Path<String>,
    body: axum::body::Bytes,
) -> Result<Json<Modes>, Problem> {
    let mode = IntegrationMode::parse(&mode)
        .ok_or_else(|| Problem::not_found("the modes are ingest, actions and notifications"))?;
    let asked: Switch =
        serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?;
    let switched = blocking(move || {
        let reading = &served.app.reading;
        Ok(modes::switch(&reading.store, &reading.org, mode, asked.on)?)
    });
    Ok(Json(switched.await?))
}
