//! Actions over HTTP: what an agent may call, calling, confirming, taking back; and for admins what is allowed to whom
//! and what was done.

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::{Extension, Json};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Served;
use super::admin::blocking;
use super::door::Known;
use super::problem::Problem;
use crate::actions::admin::{self, Setting};
use crate::actions::{ActionError, Caller, IdempotencyKey, Refusal};
use crate::domain::action::{Action, Reason};

/// Attempts of a page where nothing is said.
const PAGE: usize = 50;

/// What limits what a caller may do.
impl From<Known> for Caller {
    fn from(Known { agent, narrowed_to, since }: Known) -> Self {
        Self { org: agent.org.clone(), agent: Some(agent), narrowed_to, since }
    }
}

/// The operator at the command line or the pages.
fn operator(served: &Served) -> Caller {
    let since = tokio::time::Instant::now();
    Caller { org: served.app.reading.org.clone(), agent: None, narrowed_to: None, since }
}

fn named(name: &str) -> Result<Action, Problem> {
    let names = || Action::ALL.iter().map(|one| one.as_str()).collect::<Vec<_>>().join(", ");
    Action::parse(name).ok_or_else(|| Problem::not_found(format!("the actions are {}", names())))
}

fn key(headers: &HeaderMap) -> Result<Option<IdempotencyKey>, Problem> {
    let Some(value) = headers.get("idempotency-key") else { return Ok(None) };
    let text = value.to_str().unwrap_or_default();
    IdempotencyKey::parse(text).map(Some).map_err(Problem::from)
}

/// The arguments of a call; what is no JSON is handed on as null, and refused with a row like any other.
fn arguments(body: &Bytes) -> Value {
    serde_json::from_slice(body).unwrap_or_default()
}

/// `GET /api/v1/actions`: what this agent may call, with descriptions and schemas for a model.
pub async fn list(
    State(served): State<Served>,
    Extension(known): Extension<Known>,
) -> Result<Json<Value>, Problem> {
    let caller = Caller::from(known);
    let listed = blocking(move || Ok(json!({ "actions": served.app.actions.list(&caller)? })));
    Ok(Json(listed.await?))
}

/// `POST /api/v1/actions/{name}`
pub async fn call(
    State(served): State<Served>,
    Extension(known): Extension<Known>,
    headers: HeaderMap,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let caller = Caller::from(known);
    let (action, key) = (named(&name)?, key(&headers)?);
    Ok(Json(served.app.actions.run(caller, action, arguments(&body), key).await?))
}

/// `POST /api/v1/actions/{name}/confirm`
pub async fn confirm(
    State(served): State<Served>,
    Extension(known): Extension<Known>,
    headers: HeaderMap,
    Path(name): Path<String>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let caller = Caller::from(known);
    let (action, key) = (named(&name)?, key(&headers)?);
    if action != Action::UpdateContact {
        return Err(Problem::not_found(format!("{name} is carried out at once and needs no confirmation")));
    }
    Ok(Json(served.app.actions.confirm(caller, arguments(&body), key).await?))
}

/// `POST /api/v1/executions/{id}/undo`
pub async fn undo(
    State(served): State<Served>,
    Extension(known): Extension<Known>,
    Path(id): Path<String>,
) -> Result<Json<Value>, Problem> {
    let caller = Caller::from(known);
    Ok(Json(served.app.actions.undo(caller, id).await?))
}

/// `GET /api/v1/admin/agents/{id}/actions`
pub async fn of_agent(
    State(served): State<Served>,
    Path(agent): Path<String>,
) -> Result<Json<Value>, Problem> {
    let listed = blocking(move || {
        let reading = &served.app.reading;
        Ok(json!({ "actions": admin::of_agent(&reading.store, &reading.org, &agent)? }))
    });
    Ok(Json(listed.await?))
}

/// A change of an action on an agent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Change {
    enabled: bool,
    #[serde(default)]
    settings: Option<Value>,
}

/// `POST /api/v1/admin/agents/{id}/actions/{name}`: allows or denies it and changes its settings.
pub async fn set(
    State(served): State<Served>,
    Path((agent, name)): Path<(String, String)>,
    body: Bytes,
) -> Result<Json<Value>, Problem> {
    let action = named(&name)?;
    let Change { enabled, settings } =
        serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?;
    let changed = blocking(move || {
        let (app, reading) = (&served.app, &served.app.reading);
        let change = Setting { enabled, settings };
        let now = app.clock.now();
        Ok(json!(admin::set(&reading.store, &reading.org, &agent, action, change, now)?))
    });
    Ok(Json(changed.await?))
}

/// Which attempts.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Asked {
    agent: Option<String>,
    before: Option<String>,
    limit: Option<usize>,
}

/// `GET /api/v1/admin/executions?agent=&before=&limit=`: attempts, newest first.
pub async fn executions(
    State(served): State<Served>,
    which: Result<Query<Asked>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Value>, Problem> {
    let Query(which) = which.map_err(|error| Problem::bad_request(error.body_text()))?;
    let listed = blocking(move || {
        let Asked { agent, before, limit } = which;
        let which = admin::Which { agent, before, limit: limit.unwrap_or(PAGE) };
        let reading = &served.app.reading;
        let undo_ms = reading.config.actions.undo_ms;
        Ok(json!({ "executions": admin::attempts(&reading.store, &reading.org, &which, undo_ms)? }))
    });
    Ok(Json(listed.await?))
}

/// `POST /api/v1/admin/executions/{id}/undo`
pub async fn undo_any(State(served): State<Served>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    Ok(Json(served.app.actions.undo(operator(&served), id).await?))
}

fn status(reason: Reason) -> (StatusCode, &'static str) {
    match reason {
        Reason::BadRequest => (StatusCode::BAD_REQUEST, "The request is not valid"),
        Reason::MissingScope | Reason::NotAllowed | Reason::OtherCustomer | Reason::PropertyNotAllowed => {
            (StatusCode::FORBIDDEN, "Not allowed")
        }
        Reason::NoSuchContact | Reason::NoSuchConfirmation | Reason::NoSuchExecution => {
            (StatusCode::NOT_FOUND, "Not found")
        }
        Reason::IdempotencyKeyReused => (StatusCode::UNPROCESSABLE_ENTITY, "The key was used before"),
        Reason::TooManyActions => (StatusCode::TOO_MANY_REQUESTS, "Too many actions"),
        Reason::HubspotRefused => (StatusCode::BAD_GATEWAY, "HubSpot refused"),
        Reason::HubspotUnavailable => (StatusCode::BAD_GATEWAY, "HubSpot did not do its part"),
        Reason::OutcomeUnknown => (StatusCode::GATEWAY_TIMEOUT, "The outcome is not known"),
        Reason::NotWritten => (StatusCode::BAD_GATEWAY, "It was not done"),
        Reason::ActionsOff
        | Reason::NotConnected
        | Reason::UnderWay
        | Reason::ConfirmationExpired
        | Reason::ConfirmationUsed
        | Reason::ChangedSince
        | Reason::NothingToUndo
        | Reason::UndoWindowOver
        | Reason::AlreadyUndone => (StatusCode::CONFLICT, "Not possible now"),
    }
}

impl From<Refusal> for Problem {
    fn from(refusal: Refusal) -> Self {
        let (status, title) = status(refusal.reason);
        let kind = format!("urn:hublore:{}", refusal.reason.as_str());
        Self::new(status, kind, title, refusal.detail).of_execution(refusal.execution, refusal.wait_s)
    }
}

impl From<ActionError> for Problem {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Refused(refusal) => refusal.into(),
            ActionError::Store(error) => error.into(),
            broken @ ActionError::Broken(_) => Self::internal(&broken),
        }
    }
}
