//! The simulator from outside, over its socket: one binary, one file per story.

mod associations;
mod client;
mod content;
mod faults;
mod limits;
mod oauth;
mod paging;
mod search;
mod webhooks;
mod world;
mod writes;
