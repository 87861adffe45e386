//! What agents call: search and customer context, with a key of their own.

use std::time::Duration;

use axum::body::Bytes;
use axum::extract::{Path, Query, State};
use axum::{Extension, Json};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::Served;
use super::door::Known;
use super::problem::Problem;
use crate::domain::clock::Millis;
use crate::domain::ids::{InsightId, NotAnInsightId};
use crate::knowledge::KnowledgeError;
use crate::knowledge::context::{self, Context, ContextRequest};
use crate::knowledge::engagement::{self, Ask, Engagement};
use crate::knowledge::explain::{self, Finding};
use crate::knowledge::insight::{self, Check, Read};
use crate::knowledge::scope::Caller;
use crate::knowledge::search::{SearchAnswer, SearchRequest};
use crate::vault::Vault;

/// What limits what a caller may see.
impl From<Known> for Caller {
    fn from(Known { agent, narrowed_to, .. }: Known) -> Self {
        Self { org: agent.org, bound_to: agent.customer, narrowed_to }
    }
}

/// Runs blocking work without holding up the other requests.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Problem::internal(&error)))
}

/// The longest an answer waits for what was stored before it was asked for.
const LONGEST_WAIT: Duration = Duration::from_secs(10);

/// What an answer waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Wait {
    /// Everything stored before the request is searchable.
    Committed,
}

/// Query string of a search.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchQuery {
    wait: Option<Wait>,
}

/// Waits, if asked to, until everything stored before is searchable; 503 where that takes too long.
fn ready(served: &Served, wait: Option<Wait>) -> Result<(), Problem> {
    match wait {
        Some(Wait::Committed) => {
            let caught_up = served.app.follower.catch_up(LONGEST_WAIT);
            caught_up.map_err(|error| not_ready(served, error))
        }
        None => Ok(()),
    }
}

/// A problem that says how far the index is, where it is being built.
fn not_ready(served: &Served, error: KnowledgeError) -> Problem {
    match error {
        KnowledgeError::IndexNotReady(_) => {
            Problem::index_not_ready(&error.to_string(), served.app.follower.rebuilding())
        }
        other => other.into(),
    }
}

/// `POST /api/v1/search`; `?wait=committed` to find what was acknowledged before.
pub async fn search(
    State(served): State<Served>,
    Extension(known): Extension<Known>,
    query: Result<Query<SearchQuery>, axum::extract::rejection::QueryRejection>,
    body: Bytes,
) -> Result<Json<SearchAnswer>, Problem> {
    let answer = blocking(move || {
        let caller = Caller::from(known);
        let Query(asked) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
        let mut request: SearchRequest =
            serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?;
        let sealed = SealedCursor { vault: &served.app.vault, caller: &caller };
        request.cursor = request.cursor.map(|cursor| sealed.open(&cursor)).transpose()?;
        ready(&served, asked.wait)?;
        let found = served.app.reading.search().run(&caller, &request);
        let mut answer = found.map_err(|error| not_ready(&served, error))?;
        answer.next_cursor = answer.next_cursor.map(|cursor| sealed.close(cursor)).transpose()?;
        served.metrics.searched(answer.took_ms);
        Ok(answer)
    });
    Ok(Json(answer.await?))
}

/// Cursors as they leave the house: what they hold counts words of everybody's text, and is nobody's to change.
struct SealedCursor<'a> {
    vault: &'a Vault,
    caller: &'a Caller,
}

impl SealedCursor<'_> {
    fn purpose(&self) -> String {
        format!("cursor\0{}\0{}", self.caller.org, self.caller.bound_to.as_deref().unwrap_or_default())
    }

    fn close(&self, cursor: String) -> Result<String, Problem> {
        let sealed = self.vault.seal(&self.purpose(), &SecretString::from(cursor));
        sealed.map(|bytes| URL_SAFE_NO_PAD.encode(bytes)).map_err(|error| Problem::internal(&error))
    }

    fn open(&self, cursor: &str) -> Result<String, Problem> {
        let bytes = URL_SAFE_NO_PAD.decode(cursor).ok();
        let clear = bytes.and_then(|bytes| self.vault.open_sealed(&self.purpose(), &bytes).ok());
        let clear = clear.ok_or_else(|| {
            Problem::bad_request("this cursor belongs to another search; start without one")
        })?;
        Ok(clear.expose_secret().to_owned())
    }
}

/// Query string of a context request.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ContextQuery {
    query: Option<String>,
    as_of: Option<String>,
    wait: Option<Wait>,
}

/// `GET /api/v1/customers/{email}/context`
pub async fn context(
    State(served): State<Served>,
    Extension(known): Extension<Known>,
    Path(email): Path<String>,
    query: Result<Query<ContextQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Context>, Problem> {
    let found = blocking(move || {
        let caller = Caller::from(known);
        let Query(asked) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
        let as_of = asked.as_of.map(|text| Millis::of_date(&text).ok_or(text)).transpose();
        let as_of = as_of
            .map_err(|text| Problem::bad_request(format!("as_of: `{text}` is not a date like 2026-03-01")))?;
        ready(&served, asked.wait)?;
        let request = ContextRequest { query: asked.query, as_of };
        let reading = &served.app.reading;
        Ok(context::of(&reading.store, &*reading.index, &caller, &email, &request)?)
    });
    Ok(Json(found.await?))
}

/// Query string of an engagement.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EngagementQuery {
    /// The whole body too, laid out for people.
    body: bool,
    /// The parts of the body with their classes too.
    parts: bool,
}

/// `GET /api/v1/engagements/{id}`
pub async fn engagement(
    State(served): State<Served>,
    Extension(known): Extension<Known>,
    Path(id): Path<String>,
    query: Result<Query<EngagementQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Engagement>, Problem> {
    let found = blocking(move || {
        let caller = Caller::from(known);
        let Query(asked) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
        let reading = &served.app.reading;
        let document = explain::document(&reading.store, &caller, &id)?;
        let mask_secrets = reading.config.mask_secrets;
        let ask = Ask { body: asked.body, parts: asked.parts, mask_secrets, skipped: false };
        let found = engagement::read(&reading.store, &caller, &document, ask)?;
        found.ok_or_else(|| Problem::not_found(format!("there is no engagement `{id}` to read")))
    });
    Ok(Json(found.await?))
}

fn insight_id(text: &str) -> Result<InsightId, Problem> {
    text.parse().map_err(|error: NotAnInsightId| Problem::bad_request(error.to_string()))
}

/// `GET /api/v1/insights/{id}`
pub async fn insight(
    State(served): State<Served>,
    Extension(known): Extension<Known>,
    Path(id): Path<String>,
) -> Result<Json<Read>, Problem> {
    let found = blocking(move || {
        let caller = Caller::from(known);
        let id = insight_id(&id)?;
        let found = insight::read(&served.app.reading.store, &caller, &id)?;
        found.ok_or_else(|| Problem::not_found(format!("there is no insight `{id}` to read")))
    });
    Ok(Json(found.await?))
}

/// `GET /api/v1/insights/{id}/verify`
pub async fn verify_insight(
    State(served): State<Served>,
    Extension(known): Extension<Known>,
    Path(id): Path<String>,
) -> Result<Json<Check>, Problem> {
    let checked = blocking(move || {
        let caller = Caller::from(known);
        let id = insight_id(&id)?;
        let found = insight::check(&served.app.reading.store, &caller, &id)?;
        found.ok_or_else(|| Problem::not_found(format!("there is no insight `{id}` to check")))
    });
    Ok(Json(checked.await?))
}

/// Query string of an explanation.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ExplainQuery {
    customer: Option<String>,
}

/// `GET /api/v1/engagements/{id}/explain`
pub async fn explain(
    State(served): State<Served>,
    Extension(known): Extension<Known>,
    Path(id): Path<String>,
    query: Result<Query<ExplainQuery>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Finding>, Problem> {
    let finding = blocking(move || {
        let caller = Caller::from(known);
        let reading = &served.app.reading;
        let document = explain::document(&reading.store, &caller, &id)?;
        let Query(asked) = query.map_err(|error| Problem::bad_request(error.body_text()))?;
        let customer = asked.customer.as_deref();
        Ok(explain::finding(&reading.store, &*reading.index, &caller, &document, customer)?)
    });
    Ok(Json(finding.await?))
}
