//! The simulator from outside, over its socket: one binary, one file per story.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod associations;
mod batches;
mod client;
mod content;
mod faults;
mod legacy;
mod limits;
mod oauth;
mod paging;
mod search;
mod webhooks;
mod world;
mod writes;
