//! The only place that knows HubSpot's wire: paths, properties, errors, limits, OAuth.
//!
//! Bytes become types of `domain` here and nothing else leaves: no store, no index, no text work.
//! There is no trait to fake HubSpot with; tests run against the simulator's socket.

pub mod account;
pub mod associations;
pub mod budget;
pub mod call;
pub mod changes;
pub mod client;
pub mod engagements;
pub mod error;
pub mod events;
pub mod exchange;
pub mod forms;
pub mod host;
pub mod links;
pub mod oauth;
pub mod objects;
pub mod paths;
pub mod properties;
pub mod reach;
pub mod requests;
pub mod scopes;
pub mod signature;
pub mod subscriptions;
pub mod tokens;
pub mod transcripts;
pub mod wire;
pub mod writes;
