//! Requests and replies as the endpoints see them: already read, already split, no hyper types.

use serde::de::DeserializeOwned;
use serde_json::{Value, json};

/// One request, its body read.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) segments: Vec<String>,
    pub(crate) query: Vec<(String, String)>,
    pub(crate) bearer: Option<String>,
    pub(crate) body: Vec<u8>,
    pub(crate) content_type: String,
    pub(crate) uri_length: usize,
}

impl Request {
    pub(crate) fn parameter(&self, name: &str) -> Option<&str> {
        self.query.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// A list parameter, repeated or comma-joined; HubSpot takes both.
    pub(crate) fn list(&self, name: &str) -> Vec<&str> {
        let given = self.query.iter().filter(|(key, _)| key == name);
        given.flat_map(|(_, value)| value.split(',')).map(str::trim).filter(|v| !v.is_empty()).collect()
    }

    pub(crate) fn flag(&self, name: &str) -> bool {
        self.parameter(name).is_some_and(|value| value.eq_ignore_ascii_case("true"))
    }

    pub(crate) fn is_form(&self) -> bool {
        self.content_type.starts_with("application/x-www-form-urlencoded")
    }

    /// Whether a body is announced as something else than JSON.
    pub(crate) fn json_is_refused(&self) -> bool {
        let kind = self.content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
        !self.body.is_empty() && !kind.is_empty() && kind != "application/json" && !kind.ends_with("+json")
    }

    /// The fields of a form body.
    pub(crate) fn form(&self) -> Vec<(String, String)> {
        url::form_urlencoded::parse(&self.body).into_owned().collect()
    }

    /// The JSON body; an empty one is `{}`.
    pub(crate) fn json<T: DeserializeOwned>(&self) -> Result<T, Reply> {
        let body = if self.body.is_empty() { b"{}".as_slice() } else { &self.body };
        serde_json::from_slice(body).map_err(|e| Reply::bad_request(&format!("Invalid input JSON: {e}")))
    }
}

/// One reply, not yet sent.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content_type: &'static str,
    pub(crate) body: Vec<u8>,
    pub(crate) headers: Vec<(&'static str, String)>,
}

const JSON: &str = "application/json;charset=utf-8";

impl Reply {
    pub(crate) fn new(status: u16, content_type: &'static str, body: impl Into<Vec<u8>>) -> Self {
        Self { status, content_type, body: body.into(), headers: Vec::new() }
    }

    /// A body that is already JSON.
    pub(crate) fn text(body: String) -> Self {
        Self::new(200, JSON, body)
    }

    pub(crate) fn json(status: u16, value: &Value) -> Self {
        Self::new(status, JSON, value.to_string())
    }

    pub(crate) fn ok(value: &Value) -> Self {
        Self::json(200, value)
    }

    pub(crate) fn html(status: u16, page: String) -> Self {
        Self::new(status, "text/html; charset=utf-8", page)
    }

    pub(crate) fn empty(status: u16) -> Self {
        Self::new(status, JSON, Vec::new())
    }

    pub(crate) fn redirect(to: String) -> Self {
        Self::new(302, "text/html; charset=utf-8", Vec::new()).with("location", to)
    }

    pub(crate) fn with(mut self, name: &'static str, value: String) -> Self {
        self.headers.push((name, value));
        self
    }

    /// HubSpot's error body with a category.
    pub(crate) fn error(status: u16, category: &str, message: &str) -> Self {
        Self::error_with(status, category, message, json!({}))
    }

    /// The same with further fields.
    pub(crate) fn error_with(status: u16, category: &str, message: &str, extra: Value) -> Self {
        let mut body = json!({
            "status": "error", "message": message, "category": category,
            "correlationId": CORRELATION_ID,
        });
        if let (Some(body), Value::Object(extra)) = (body.as_object_mut(), extra) {
            body.extend(extra);
        }
        Self::json(status, &body)
    }

    pub(crate) fn bad_request(message: &str) -> Self {
        Self::error(400, "VALIDATION_ERROR", message)
    }

    pub(crate) fn not_found() -> Self {
        Self::error(404, "OBJECT_NOT_FOUND", "resource not found")
    }
}

/// Stands in bodies until the server writes the request's own one over it.
pub(crate) const CORRELATION_ID: &str = "00000000-0000-4000-8000-c0ffee000000";
