//! Errors as RFC 9457 problem documents: a stable `type`, a sentence, never a stack or SQL.

use std::borrow::Cow;

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::knowledge::KnowledgeError;
use crate::knowledge::rebuild::Progress;
use crate::sync::SyncError;

/// A problem document.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: Cow<'static, str>,
    title: &'static str,
    status: u16,
    detail: String,
    /// How far the index is that is being built, where that is what is waited for.
    #[serde(skip_serializing_if = "Option::is_none")]
    progress: Option<Box<Progress>>,
    /// The attempt of an action that it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    execution: Option<String>,
    /// When to ask again, in seconds.
    #[serde(skip)]
    retry_after: Option<u64>,
}

/// The longest a caller is told to wait before it asks again, in seconds.
const LONGEST_WAIT: f64 = 60.0;

impl Problem {
    /// A problem; `kind` is stable and machine-readable.
    pub fn new(
        status: StatusCode,
        kind: impl Into<Cow<'static, str>>,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        let (status, kind, detail) = (status.as_u16(), kind.into(), detail.into());
        Self { kind, title, status, detail, progress: None, execution: None, retry_after: None }
    }

    /// What came of an action: the attempt that says so, and when to come back.
    #[must_use]
    pub fn of_execution(self, execution: Option<String>, retry_after: Option<u64>) -> Self {
        Self { execution, retry_after, ..self }
    }

    /// The index cannot answer yet; `progress` says how far one is that is being built.
    #[must_use]
    pub fn index_not_ready(cause: &str, progress: Option<Progress>) -> Self {
        let mut detail = cause.to_owned();
        if let Some(Progress { done, total, per_second, seconds_left }) = progress {
            let left = format!("{per_second:.0} a second, about {seconds_left:.0} s left");
            detail = format!("{detail}: {done} of {total} documents, {left}");
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a minute")]
        let wait = progress.map_or(1, |one| one.seconds_left.ceil().clamp(1.0, LONGEST_WAIT) as u64);
        Self {
            progress: progress.map(Box::new),
            retry_after: Some(wait),
            ..Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "urn:hublore:index-not-ready",
                "The index is not ready",
                detail,
            )
        }
    }

    /// The request cannot be understood.
    pub fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "urn:hublore:bad-request", "The request is not valid", detail)
    }

    /// The key is missing, unknown or revoked.
    #[must_use]
    pub fn unauthorized() -> Self {
        let detail = "send a valid key as `Authorization: Bearer hl_...`";
        Self::new(StatusCode::UNAUTHORIZED, "urn:hublore:unauthorized", "Not authenticated", detail)
    }

    /// The key is an agent's, and this is not for agents.
    #[must_use]
    pub fn operators_only() -> Self {
        let detail = "this key is an agent's, and this address is the operator's; use the command line there";
        Self::new(StatusCode::FORBIDDEN, "urn:hublore:operators-only", "Not allowed", detail)
    }

    /// There is no such thing for this caller.
    pub fn not_found(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "urn:hublore:not-found", "Not found", detail)
    }

    /// The state of the installation does not allow it now.
    pub fn conflict(detail: impl Into<String>) -> Self {
        Self::new(StatusCode::CONFLICT, "urn:hublore:conflict", "Not possible now", detail)
    }

    /// Something of ours failed; the cause goes to the log, not to the caller.
    pub fn internal(cause: &dyn std::fmt::Display) -> Self {
        tracing::error!(%cause, "a request failed");
        let detail = "the server could not answer; its log says why";
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "urn:hublore:internal", "Internal error", detail)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut response = (status, Json(&self)).into_response();
        let kind = header::HeaderValue::from_static("application/problem+json");
        response.headers_mut().insert(header::CONTENT_TYPE, kind);
        if let Some(seconds) = self.retry_after {
            response.headers_mut().insert(header::RETRY_AFTER, header::HeaderValue::from(seconds));
        }
        if status == StatusCode::UNAUTHORIZED {
            response
                .headers_mut()
                .insert(header::WWW_AUTHENTICATE, header::HeaderValue::from_static("Bearer"));
        }
        response
    }
}

impl From<KnowledgeError> for Problem {
    fn from(error: KnowledgeError) -> Self {
        match error {
            KnowledgeError::BadRequest(detail) => Self::bad_request(detail),
            KnowledgeError::NoSuchCustomer(_) => Self::not_found(error.to_string()),
            KnowledgeError::IndexNotReady(_) => Self::index_not_ready(&error.to_string(), None),
            KnowledgeError::NoRoom { .. } => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "urn:hublore:no-room",
                "Not enough room on the disk",
                error.to_string(),
            ),
            KnowledgeError::Busy | KnowledgeError::Stopping => Self::conflict(error.to_string()),
            KnowledgeError::Store(_) | KnowledgeError::Index(_) => Self::internal(&error),
        }
    }
}

impl From<SyncError> for Problem {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::Store(_) | SyncError::Vault(_) => Self::internal(&error),
            SyncError::Hubspot(_) => Self::new(
                StatusCode::BAD_GATEWAY,
                "urn:hublore:hubspot",
                "HubSpot did not do its part",
                error.to_string(),
            ),
            other => Self::conflict(other.to_string()),
        }
    }
}

/// Answer to an address that does not exist.
pub async fn no_such_route() -> Problem {
    Problem::not_found("there is nothing at this address")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_is_being_built_says_how_far_it_is_and_when_to_come_back() {
        let of = |seconds_left| Progress { done: 1_200, total: 10_000, per_second: 300.4, seconds_left };
        for (progress, wait) in
            [(Some(of(29.3)), "30"), (Some(of(0.0)), "1"), (Some(of(4e9)), "60"), (None, "1")]
        {
            let response = Problem::index_not_ready("the index is being built", progress).into_response();
            assert_eq!(response.status(), StatusCode::SERVICE_UNAVAILABLE);
            assert_eq!(response.headers()[header::RETRY_AFTER], wait);
        }
        let problem = Problem::index_not_ready("the index is being built", Some(of(29.3)));
        assert!(problem.detail.ends_with("1200 of 10000 documents, 300 a second, about 29 s left"));
        let json = serde_json::to_value(&problem).unwrap_or_default();
        assert_eq!(json["progress"]["done"], 1_200);
    }
}
