//! HubSpot turned into knowledge that AI agents can search, cite and act on.
//!
//! One line per module, in the direction data flows. A module may use the ones listed in the same row or
//! below it in the arrows, which `tests/it/architecture.rs` enforces:
//!
//! `main → cli → app → server → webhooks → { actions, sync, knowledge, notify } → pipeline → { rules, insights, text,
//! hubspot, store, vault, hublore-index } → domain`

pub mod actions;
pub mod agents;
pub mod app;
pub mod cli;
pub mod config;
pub mod doctor;
pub mod domain;
pub mod http;
pub mod hubspot;
pub mod insights;
pub mod jobs;
pub mod knowledge;
pub mod learning;
pub mod modes;
pub mod notify;
pub mod pipeline;
pub mod rules;
pub mod segments;
pub mod server;
pub mod status;
pub mod store;
pub mod sync;
pub mod text;
pub mod vault;
pub mod webhooks;
