//! Slack over HTTP, for admins. What it does is `notify`'s; no secret is ever answered.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Served;
use super::admin::blocking;
use super::problem::Problem;
use crate::domain::notification::NotificationType;
use crate::notify::NotifyError;
use crate::notify::failure::Failure;
use crate::notify::settings::{NewConnection, TypeChange};
use crate::notify::state::SlackState;
use crate::store::notifications::Delivery;

/// Deliveries of a page where nothing is said.
const PAGE: usize = 50;

/// How many deliveries.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Newest {
    #[serde(default)]
    limit: Option<usize>,
}

/// Reads a body that may hold a secret: an error never repeats what was sent.
fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| {
        let at = format!("line {}, column {}", error.line(), error.column());
        Problem::bad_request(format!("the body is not the JSON object that is expected here ({at})"))
    })
}

fn named(name: &str) -> Result<NotificationType, Problem> {
    NotificationType::parse(name).ok_or_else(|| {
        let names = NotificationType::ALL.map(NotificationType::as_str).join(", ");
        Problem::not_found(format!("the types of notification are {names}"))
    })
}

/// `GET /api/v1/admin/slack`
pub async fn state(State(served): State<Served>) -> Result<Json<SlackState>, Problem> {
    Ok(Json(blocking(move || Ok(served.app.notifications.state()?)).await?))
}

/// `POST /api/v1/admin/slack`: connects, in place of any earlier connection.
pub async fn connect(State(served): State<Served>, body: Bytes) -> Result<Json<SlackState>, Problem> {
    let asked: NewConnection = read(&body)?;
    Ok(Json(served.app.notifications.connect(asked).await?))
}

/// `DELETE /api/v1/admin/slack`
pub async fn disconnect(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    blocking(move || Ok(served.app.notifications.disconnect()?)).await?;
    Ok(Json(json!({ "disconnected": true })))
}

/// `PATCH /api/v1/admin/slack/types/{type}`: what is not said stays.
pub async fn set_type(
    State(served): State<Served>,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<SlackState>, Problem> {
    let (notification, change): (_, TypeChange) = (named(&name)?, read(&body)?);
    Ok(Json(served.app.notifications.set_type(notification, change).await?))
}

/// `POST /api/v1/admin/slack/types/{type}/test`: sends a test message where the type goes.
pub async fn test(State(served): State<Served>, Path(name): Path<String>) -> Result<Json<Delivery>, Problem> {
    Ok(Json(served.app.notifications.test(named(&name)?).await?))
}

/// `GET /api/v1/admin/slack/channels`: what the bot can see.
pub async fn channels(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    Ok(Json(json!({ "channels": served.app.notifications.channels().await? })))
}

/// `GET /api/v1/admin/slack/deliveries?limit=`: newest first.
pub async fn deliveries(
    State(served): State<Served>,
    Query(newest): Query<Newest>,
) -> Result<Json<Value>, Problem> {
    let limit = newest.limit.unwrap_or(PAGE);
    let found = blocking(move || Ok(served.app.notifications.deliveries(limit)?)).await?;
    Ok(Json(json!({ "deliveries": found })))
}

impl From<NotifyError> for Problem {
    fn from(error: NotifyError) -> Self {
        match error {
            NotifyError::Invalid(detail) => Self::bad_request(detail),
            NotifyError::NotConnected | NotifyError::Slack(Failure::Refused(_)) => {
                Self::conflict(error.to_string())
            }
            NotifyError::Slack(failure) => Self::new(
                StatusCode::BAD_GATEWAY,
                "urn:hublore:slack-unavailable",
                "Slack did not do it",
                failure.to_string(),
            ),
            NotifyError::Vault(_) | NotifyError::Store(_) | NotifyError::Http(_) => Self::internal(&error),
        }
    }
}
