//! The route that HubSpot sends webhooks to, and what an admin asks about them.
//!
//! Whether a delivery is believed and what becomes of it is `webhooks`' business; here it only gets bytes and a status.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, Query, Request, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Served;
use super::admin::blocking;
use super::body::Received;
use super::problem::{self, Problem};
use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::store::StoreError;
use crate::store::webhooks::{self as rows, Between};
use crate::webhooks::inbox::{Incoming, Receipt};
use crate::webhooks::overview;

/// Deliveries listed where nothing is said, and at most.
const PAGE: i64 = 50;
const MOST: i64 = 1_000;

/// `POST /api/integrations/hubspot/webhook/{orgId}`: 200 once it is stored, 401 where the signature does not hold.
pub async fn receive(State(served): State<Served>, Path(org): Path<String>, request: Request) -> Response {
    let org = OrgId::new(org);
    let (asked, of) = (served.clone(), org.clone());
    match tokio::task::spawn_blocking(move || asked.app.webhooks.knows(&of)).await {
        Ok(Ok(true)) => {}
        Ok(Ok(false)) => return problem::no_such_route().await.into_response(),
        Ok(Err(error)) => return unavailable(&error),
        Err(panic) => return unavailable(&panic),
    }
    let (parts, body) = request.into_parts();
    let room = Arc::clone(&served.room);
    let Received { bytes, place: _place } = match room.receive(body).await {
        Ok(received) => received,
        Err(status) => return status.into_response(),
    };
    let counted = served.clone();
    let taken = tokio::task::spawn_blocking(move || {
        let path_and_query = parts.uri.path_and_query().map_or("", |path| path.as_str());
        served.app.webhooks.receive(Incoming {
            org: &org,
            path_and_query,
            headers: &parts.headers,
            body: &bytes,
        })
    });
    match taken.await {
        Ok(Ok(Receipt::Taken(_))) => {
            counted.metrics.delivered();
            StatusCode::OK.into_response()
        }
        Ok(Ok(Receipt::Refused(_))) => {
            counted.metrics.refused();
            Problem::new(
                StatusCode::UNAUTHORIZED,
                "urn:hublore:bad-signature",
                "Not signed by HubSpot",
                "the signature does not hold",
            )
            .into_response()
        }
        Ok(Err(error)) => unavailable(&error),
        Err(panic) => unavailable(&panic),
    }
}

/// Not stored, so not acknowledged: HubSpot sends it again.
fn unavailable(cause: &dyn std::fmt::Display) -> Response {
    tracing::error!(%cause, "a webhook could not be stored");
    StatusCode::SERVICE_UNAVAILABLE.into_response()
}

/// `GET /api/v1/admin/webhooks`: the address for HubSpot, what to tick there, and how it goes.
pub async fn show(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    let shown = blocking(move || {
        let reading = &served.app.reading;
        let setup: Result<_, StoreError> =
            reading.store.read(|conn| overview::setup(conn, &reading.org, &reading.config));
        Ok(json!(setup?))
    });
    Ok(Json(shown.await?))
}

/// Which deliveries to list.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct PageOf {
    /// Older ones than this number.
    before: Option<i64>,
    limit: Option<i64>,
}

/// `GET /api/v1/admin/webhooks/deliveries`: the newest first.
pub async fn deliveries(
    State(served): State<Served>,
    Query(page): Query<PageOf>,
) -> Result<Json<Value>, Problem> {
    let listed = blocking(move || {
        let reading = &served.app.reading;
        let limit = page.limit.unwrap_or(PAGE).clamp(1, MOST);
        let listed: Result<_, StoreError> =
            reading.store.read(|conn| rows::newest(conn, &reading.org, page.before, limit));
        Ok(json!({ "deliveries": listed? }))
    });
    Ok(Json(listed.await?))
}

/// What to replay.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Stretch {
    from: Millis,
    to: Millis,
}

/// `POST /api/v1/admin/webhooks/replay`: answers when everything was looked at.
pub async fn replay(State(served): State<Served>, body: axum::body::Bytes) -> Result<Json<Value>, Problem> {
    let asked: Stretch =
        serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?;
    let between = Between { from: asked.from, to: asked.to };
    Ok(Json(json!(served.jobs.replay_webhooks(between).await?)))
}
