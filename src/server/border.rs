//! What every answer has when it leaves: headers that keep it private, and a problem document where a layer below
//! refused without words. It decides nothing about a request.

use axum::extract::Request;
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::problem::Problem;

/// Lets a request through and finishes its answer.
pub(super) async fn finish(request: Request, next: Next) -> Response {
    let documented = request.uri().path().starts_with("/api/");
    let response = next.run(request).await;
    let mut response = if documented { explained(response) } else { response };
    let headers = response.headers_mut();
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    // What customers wrote is for whoever asked, not for a cache on the way or the browser's history.
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    response
}

/// A refusal of the router or a layer has an empty body or plain text: it becomes a problem document with the same
/// status and headers such as `Allow`.
fn explained(response: Response) -> Response {
    let status = response.status();
    if !(status.is_client_error() || status.is_server_error()) || has_words(&response) {
        return response;
    }
    let mut out = wordless(status).into_response();
    for name in [header::ALLOW, header::RETRY_AFTER] {
        if let Some(value) = response.headers().get(&name) {
            out.headers_mut().insert(name, value.clone());
        }
    }
    out
}

fn has_words(response: &Response) -> bool {
    let kind = response.headers().get(header::CONTENT_TYPE);
    kind.is_some_and(|kind| !kind.as_bytes().starts_with(b"text/plain"))
}

fn wordless(status: StatusCode) -> Problem {
    let (kind, title, detail) = match status {
        StatusCode::METHOD_NOT_ALLOWED => (
            "urn:hublore:method-not-allowed",
            "Wrong method",
            "this address answers other methods; `Allow` names them",
        ),
        StatusCode::PAYLOAD_TOO_LARGE => {
            ("urn:hublore:too-large", "Too large", "the body is larger than this address accepts; send less")
        }
        StatusCode::GATEWAY_TIMEOUT | StatusCode::REQUEST_TIMEOUT => {
            ("urn:hublore:timeout", "Took too long", "the request took too long and was ended; try again")
        }
        StatusCode::UNSUPPORTED_MEDIA_TYPE => {
            ("urn:hublore:media-type", "Wrong type of body", "send JSON as `application/json`")
        }
        _ if status.is_server_error() => {
            ("urn:hublore:internal", "Internal error", "the server could not answer; its log says why")
        }
        _ => ("urn:hublore:bad-request", "The request is not valid", "the request could not be understood"),
    };
    Problem::new(status, kind, title, detail)
}
