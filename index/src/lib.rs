//! The search core: documents and queries in, hits out.
//!
//! It knows neither where documents come from nor who asks. In reading order:
//!
//! - [`document`](Document): what is indexed
//! - [`KnowledgeIndex`]: what an engine must do, and the recipe for another one
//! - `analysis`: how text becomes words, the same for documents, queries and highlights
//! - [`Encoder`]: optional meaning, from a table on this machine
//! - [`Query`]: the query language
//! - [`Request`], [`Answer`]: a search and what it returns
//! - [`Embedded`]: the engine inside this process
//! - [`Highlighter`]: marking what matched
#![deny(missing_docs)]

mod analysis;
mod document;
mod embedded;
mod error;
mod highlight;
mod knowledge_index;
mod meaning;
mod query;
mod request;

pub use document::{Change, Document, Language, Passage, Position};
pub use embedded::{Embedded, Factors, Generation, Options, Ranking, State};
pub use error::{Error, Reason};
pub use highlight::{Highlighter, highlight, written};
pub use knowledge_index::{KnowledgeIndex, Stats};
pub use meaning::{Encoder, MeaningError};
pub use query::{Filter, FilterField, Query};
pub use request::{Answer, Corrected, Cursor, Explain, Factor, Hit, MAX_LIMIT, Match, Request, Scope};
