//! The simulator from outside, over its socket: one binary, one file per story.

#![expect(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod associations;
mod batches;
mod client;
mod content;
mod faults;
mod fuzz;
mod legacy;
mod limits;
mod oauth;
mod paging;
mod portal_settings;
mod search;
mod shapes;
mod strangers;
mod switches;
mod webhooks;
mod world;
mod writes;
