//! A HubSpot portal on loopback, for the demo and for tests: HubSpot's paths, page sizes, limits
//! and faults, over a portal whose records are pure functions of (seed, type, index).
//!
//! It is not a mock: nobody programs its answers, and it is never asked to be kind. It knows
//! nothing of any client, keeps no data on disk and listens on loopback only.
//!
//! | question | module |
//! |---|---|
//! | how many records, which ids, when changed | `portal`, `hash` |
//! | who belongs to whom | `links`, `submissions`, `associations` |
//! | what they say | `content`, `records`, `catalog`, `transcripts`, `corpus` |
//! | what happened to them since | `overlay`, `lifecycle`, `view`, `events` |
//! | what an endpoint answers | `route`, `api`, `query`, `json`, `oauth` |
//! | what a test may do and ask | `control`, `journal` |
//! | what goes wrong | `faults`, `limits`, `delivery` |
//! | which webhooks an app wants | `subscriptions` |
//! | how bytes come and go | `server`, `handle`, `http` |
//! | what else is on this port | `beside`: a Slack and a model endpoint |

mod api;
mod associations;
mod beside;
mod catalog;
mod clock;
mod content;
mod control;
mod corpus;
mod custom;
mod delivery;
mod events;
mod faults;
mod handle;
mod hash;
mod http;
mod journal;
mod json;
mod kind;
mod lifecycle;
mod limits;
mod links;
mod oauth;
mod options;
mod overlay;
mod portal;
mod query;
mod records;
mod route;
mod server;
mod state;
mod submissions;
mod subscriptions;
mod transcripts;
mod view;

pub use options::{DEFAULT_NOW_MS, Error, Options, RateLimit, RetryAfter};
pub use server::{Running, start};
