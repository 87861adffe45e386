//! Bodies rendered for people to read: lists, tables and headings laid out.
//!
//! Not for search: the index reads `normalize`. Where a guard says no, the plain visible text is the answer.

use super::body::{Body, normalize};

/// The body as a person would read it.
#[must_use]
pub fn readable(body: &Body) -> String {
    normalize(body).text
}
