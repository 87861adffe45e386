//! Segments over HTTP, for admins.

use axum::Json;
use axum::extract::{Path, Query, State};
use serde::Deserialize;
use serde_json::{Value, json};

use super::Served;
use super::admin::blocking;
use super::problem::Problem;
use crate::domain::segment::SegmentFilter;
use crate::segments::{self, SegmentError};
use crate::store::{StoreError, segments as rows};

/// Members of a page where nothing is said.
const PAGE: usize = 100;

/// A segment to save.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewSegment {
    name: String,
    filter: SegmentFilter,
}

/// Which page of members.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PageOf {
    #[serde(default)]
    cursor: Option<String>,
    #[serde(default)]
    limit: Option<usize>,
}

/// `GET /api/v1/admin/segments`
pub async fn list(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    let listed = blocking(move || {
        let reading = &served.app.reading;
        let all: Result<_, StoreError> = reading.store.read(|conn| rows::list(conn, &reading.org));
        Ok(json!({ "segments": all? }))
    });
    Ok(Json(listed.await?))
}

/// `POST /api/v1/admin/segments`: saves a filter under a name; the segment of that name is changed.
pub async fn save(State(served): State<Served>, body: axum::body::Bytes) -> Result<Json<Value>, Problem> {
    let asked: NewSegment =
        serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?;
    let saved = blocking(move || {
        let (app, reading) = (&served.app, &served.app.reading);
        let now = app.clock.now();
        Ok(json!(segments::save(&reading.store, &reading.org, &asked.name, asked.filter, now)?))
    });
    Ok(Json(saved.await?))
}

/// `GET /api/v1/admin/segments/{id or name}?cursor=&limit=`: count, sums and members as they are now.
pub async fn show(
    State(served): State<Served>,
    Path(name): Path<String>,
    Query(page): Query<PageOf>,
) -> Result<Json<Value>, Problem> {
    let seen = blocking(move || {
        let reading = &served.app.reading;
        let limit = page.limit.unwrap_or(PAGE);
        Ok(json!(segments::look(&reading.store, &reading.org, &name, page.cursor.as_deref(), limit)?))
    });
    Ok(Json(seen.await?))
}

/// `DELETE /api/v1/admin/segments/{id or name}`
pub async fn remove(State(served): State<Served>, Path(name): Path<String>) -> Result<Json<Value>, Problem> {
    let removed = blocking(move || {
        let reading = &served.app.reading;
        let gone = segments::remove(&reading.store, &reading.org, &name)?;
        Ok(json!({ "removed": gone.id }))
    });
    Ok(Json(removed.await?))
}

impl From<SegmentError> for Problem {
    fn from(error: SegmentError) -> Self {
        match error {
            SegmentError::Unknown(_) => Self::not_found(error.to_string()),
            SegmentError::Store(error) => error.into(),
            other => Self::bad_request(other.to_string()),
        }
    }
}
