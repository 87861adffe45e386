//! How text becomes words: one chain for documents, queries and highlights.
//!
//! `scan` cuts text into pieces, `forms` turns a piece into the terms that are
//! looked up, `tokenizer` hands them to the engine, `stopwords` knows the words
//! that carry no meaning in a question, `phone` knows phone numbers, `likeness` tells copies of a text. No
//! statistics, no ranking.
//!
//! Any change here that alters a term needs a new [`VERSION`], which makes
//! existing indexes rebuild themselves.

mod forms;
mod likeness;
pub(crate) mod phone;
mod scan;
mod stopwords;
mod tokenizer;

pub(crate) use forms::{Forms, fold};
pub(crate) use likeness::{are_alike, likeness};
pub(crate) use scan::{Kind, Piece, Scanner};
pub(crate) use stopwords::is_stop_word;
pub(crate) use tokenizer::{Analyzer, marked};

/// Part of the fingerprint of an index.
pub(crate) const VERSION: u32 = 2;

/// Longest word in bytes; the rest is cut off, in documents and queries alike.
pub(crate) const MAX_WORD_BYTES: usize = 40;

/// Longest exact token (an address, a reference) in bytes.
pub(crate) const MAX_EXACT_BYTES: usize = 120;
