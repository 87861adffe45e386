//! One call to HubSpot as it is meant: method, path, query, body, and which limit it counts against.
//!
//! How it is made is `client`'s business.

use reqwest::Method;
use serde::Serialize;

use super::budget::Lane;

/// One call.
#[derive(Debug, Clone)]
pub struct Call {
    pub(super) method: Method,
    pub(super) lane: Lane,
    pub(super) path: String,
    pub(super) query: Vec<(&'static str, String)>,
    pub(super) body: Option<Vec<u8>>,
}

impl Call {
    fn new(method: Method, path: String, body: Option<Vec<u8>>) -> Self {
        Self { method, lane: Lane::General, path, query: Vec::new(), body }
    }

    /// Reads `path`.
    #[must_use]
    pub fn get(path: String) -> Self {
        Self::new(Method::GET, path, None)
    }

    /// Sends `body` to `path`: batch reads and searches, and objects to be created.
    #[must_use]
    pub fn post<B: Serialize>(path: String, body: &B) -> Self {
        Self::new(Method::POST, path, Some(serde_json::to_vec(body).unwrap_or_default()))
    }

    /// Removes what is at `path`; doing it twice does no harm.
    #[must_use]
    pub fn delete(path: String) -> Self {
        Self::new(Method::DELETE, path, None)
    }

    /// Changes what is at `path`.
    #[must_use]
    pub fn patch<B: Serialize>(path: String, body: &B) -> Self {
        Self::new(Method::PATCH, path, Some(serde_json::to_vec(body).unwrap_or_default()))
    }

    /// Counts against the search limit.
    #[must_use]
    pub fn in_search_lane(mut self) -> Self {
        self.lane = Lane::Search;
        self
    }

    /// Adds a query parameter.
    #[must_use]
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.query.push((name, value.into()));
        self
    }

    /// Adds a query parameter if there is a value.
    #[must_use]
    pub fn with_some(self, name: &'static str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }
}
