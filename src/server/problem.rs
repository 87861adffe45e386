//! Errors as RFC 9457 problem documents: a stable `type`, a sentence, never a stack or SQL.

use axum::Json;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;

use crate::knowledge::KnowledgeError;
use crate::sync::SyncError;

/// A problem document.
#[derive(Debug, Clone, Serialize)]
pub struct Problem {
    #[serde(rename = "type")]
    kind: &'static str,
    title: &'static str,
    status: u16,
    detail: String,
}

impl Problem {
    /// A problem; `kind` is stable and machine-readable.
    pub fn new(
        status: StatusCode,
        kind: &'static str,
        title: &'static str,
        detail: impl Into<String>,
    ) -> Self {
        Self { kind, title, status: status.as_u16(), detail: detail.into() }
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
            KnowledgeError::IndexNotReady(_) => Self::new(
                StatusCode::SERVICE_UNAVAILABLE,
                "urn:hublore:index-not-ready",
                "The index is not ready",
                error.to_string(),
            ),
            KnowledgeError::NoRoom { .. } => Self::new(
                StatusCode::INSUFFICIENT_STORAGE,
                "urn:hublore:no-room",
                "Not enough room on the disk",
                error.to_string(),
            ),
            KnowledgeError::Busy => Self::conflict(error.to_string()),
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
