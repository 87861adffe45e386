//! Engagement bodies become text a person would have written down: visible text, classed spans, passages.
//!
//! Pure functions only: no files, no network, no clock. Nothing is deleted here: `Normalized::text` holds all
//! visible text and `Normalized::spans` says what each part is; new text and passages are derived from it.
//! Order of the stages: [`html`] -> [`reply`] (with [`signature`], [`boilerplate`]) -> [`secrets`] ->
//! [`passages`] -> [`language`]. [`near_copies`] compares finished texts and is called by the pipeline.

/// Number of these rules: with another one, what is stored is read again. It grows with every change that makes another
/// text, class, passage, secret or fingerprint of a body.
pub const VERSION: u32 = 4;

mod account_numbers;
pub mod attribution;
pub mod body;
pub mod boilerplate;
mod cells;
mod code_words;
mod codes;
mod effort;
mod finder;
pub mod form;
pub mod html;
mod keys;
pub mod language;
mod lines;
pub mod near_copies;
pub mod noise;
mod parent;
pub mod passages;
mod passwords;
pub mod readable;
pub mod reply;
mod roots;
mod secret_words;
pub mod secrets;
mod sender;
pub mod sentences;
pub mod signature;
mod signature_lines;
pub mod transcript;
mod wording;

pub use body::{
    Body, BodyKind, Link, Normalized, Passage, Span, SpanClass, Spoken, Status, normalize, spans,
    visible_text,
};
pub use language::Language;
pub use noise::Noise;
pub use readable::readable;
pub use secrets::{Secret, SecretKind};
pub use sentences::{clauses, sentences};
