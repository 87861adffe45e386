//! Everything the search core promises, as one test binary.
//!
//! `contract` is what any engine must pass; `words` how text is found; `crash`,
//! `damage` and `swap` what happens when things break or change under readers;
//! `isolation` and `queries` are properties over made-up input, `hostile` lists
//! what is meant to break; `ranking` and `meaning` say what comes first.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test stops at the first surprise")]

mod contract;
mod crash;
mod damage;
mod hostile;
mod isolation;
mod meaning;
mod queries;
mod ranking;
mod support;
mod swap;
mod words;
