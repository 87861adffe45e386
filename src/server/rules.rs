//! `/api/v1/admin/rules`: learning rules over HTTP. What they do is `learning`'s and `pipeline::apply`'s.

use axum::Json;
use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use super::Served;
use super::admin::blocking;
use super::problem::Problem;
use crate::learning::{self, Edit, NewRule, Proposal, RuleError, RuleView};
use crate::pipeline::apply::Review;

impl From<RuleError> for Problem {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Text(detail) => Self::bad_request(detail),
            RuleError::Unknown(_) => Self::not_found(error.to_string()),
            RuleError::Busy => Self::conflict(error.to_string()),
            RuleError::Random(_) | RuleError::Store(_) => Self::internal(&error),
        }
    }
}

fn read<T: DeserializeOwned>(body: &Bytes) -> Result<T, Problem> {
    serde_json::from_slice(body).map_err(|error| Problem::bad_request(error.to_string()))
}

/// `GET /api/v1/admin/rules`: in the order they are applied.
pub async fn list(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    let rules = blocking(move || Ok(learning::list(&served.app.reading.store, &served.app.reading.org)?));
    Ok(Json(json!({ "rules": rules.await? })))
}

/// `POST /api/v1/admin/rules`
pub async fn create(
    State(served): State<Served>,
    body: Bytes,
) -> Result<(StatusCode, Json<RuleView>), Problem> {
    let asked: NewRule = read(&body)?;
    let made =
        blocking(move || Ok(learning::create(&served.app.reading.store, &served.app.reading.org, &asked)?));
    Ok((StatusCode::CREATED, Json(made.await?)))
}

/// `PATCH /api/v1/admin/rules/{id}`: what is not said stays.
pub async fn edit(
    State(served): State<Served>,
    Path(id): Path<String>,
    body: Bytes,
) -> Result<Json<RuleView>, Problem> {
    let asked: Edit = read(&body)?;
    let edited = blocking(move || {
        Ok(learning::edit(&served.app.reading.store, &served.app.reading.org, &id, &asked)?)
    });
    Ok(Json(edited.await?))
}

/// `DELETE /api/v1/admin/rules/{id}`
pub async fn remove(State(served): State<Served>, Path(id): Path<String>) -> Result<Json<Value>, Problem> {
    let removed = blocking(move || {
        learning::remove(&served.app.reading.store, &served.app.reading.org, &id)?;
        Ok(json!({ "removed": id }))
    });
    Ok(Json(removed.await?))
}

/// `POST /api/v1/admin/rules/test`: what the stored rules with a proposal would do; nothing is written.
pub async fn test(State(served): State<Served>, body: Bytes) -> Result<Json<Review>, Problem> {
    let proposal: Proposal = if body.is_empty() { Proposal::default() } else { read(&body)? };
    let review = blocking(move || Ok(served.app.test_rules(&proposal)?));
    Ok(Json(review.await?))
}

/// `POST /api/v1/admin/rules/apply`: applies the stored rules to what is stored, without HubSpot.
pub async fn apply(State(served): State<Served>) -> Result<Json<Review>, Problem> {
    let review = blocking(move || {
        let review = served.app.apply_rules()?;
        served.app.follow()?;
        Ok(review)
    });
    Ok(Json(review.await?))
}
