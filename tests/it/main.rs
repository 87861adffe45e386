//! Stories told from outside: the binaries, HTTP, the simulated portal. One file per story.
//!
//! A new test belongs into the file whose first line names its subject; what several need is in `support`.
//! Names carry the ids of the requirements they show (`syn_11_...`).

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test that cannot go on fails where it stands; helpers outside test functions too"
)]

mod actions;
mod actions_afterwards;
mod actions_changes;
mod actions_hard_times;
mod actions_recovery;
mod api;
mod architecture;
mod bad_input;
mod boundaries;
mod changes;
mod command_line;
mod connect;
mod contracts;
mod crash;
mod distillation_dev;
mod doctor;
mod exactness;
mod faults;
mod first_sync;
mod index_care;
mod insights;
mod learning_rules;
mod model;
mod notifications;
mod notifications_hard_times;
mod other_portal;
mod properties;
mod real_mail;
mod refusals;
mod segments;
mod supply_chain;
mod support;
mod text_boilerplate;
mod text_credentials;
mod text_endings;
mod text_fuzz;
mod text_generated;
mod text_held_out;
mod text_hostile;
mod text_measure;
mod text_near_copies;
mod text_passages;
mod text_privacy;
mod text_quality;
mod text_rows;
mod text_secrets;
mod text_signatures;
mod text_styles;
mod text_threads;
mod text_tongues;
mod webhooks;
mod webhooks_care;
mod webhooks_signed;
mod webhooks_storms;
