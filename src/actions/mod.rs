//! What agents may do in HubSpot: four actions behind gates, each attempt with a row of its own, and taking back.
//!
//! The gates, in their order: the mode is on, a portal is connected, the scope is granted, the action is enabled on this
//! agent, the arguments are valid, and, for a changed contact, a second call confirms what the first one proposed. What
//! is refused never reaches HubSpot. Nothing a text in HubSpot says opens a gate.
//!
//! A create is never blindly repeated: `run` writes a row before it sends anything, and where the answer gets lost,
//! `settle` looks in HubSpot for what was sent. To add an action: a file beside `create_note` with arguments,
//! description and schema, a variant of `domain::action::Action`, an arm in `catalog`, `settings` and `plan`.

pub mod admin;
mod attempt;
mod audit;
pub mod catalog;
mod create_deal;
mod create_note;
mod customer;
mod deadline;
mod due;
mod gate;
mod key;
mod log_activity;
mod markup;
mod plan;
mod record;
mod run;
pub mod settings;
mod settle;
mod undo;
mod update_contact;

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::time::Instant;

use crate::domain::action::Reason;
use crate::domain::clock::Clock;
use crate::domain::ids::OrgId;
use crate::domain::zone::Zone;
use crate::store::agents::Agent;
use crate::store::{Store, StoreError};
use crate::sync::connection::Connector;

pub use self::key::IdempotencyKey;

/// Who calls.
#[derive(Debug, Clone)]
pub struct Caller {
    /// Organisation of the credential.
    pub org: OrgId,
    /// The agent; `None` is an operator, who may take back and nothing else.
    pub agent: Option<Agent>,
    /// Further narrowing for this request (address).
    pub narrowed_to: Option<String>,
    /// When the call came.
    pub since: Instant,
}

/// What limits actions.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Actions of an organisation in a minute.
    pub per_minute: u64,
    /// And in a day.
    pub per_day: u64,
    /// How long a proposed change can be confirmed, milliseconds.
    pub confirm_ms: i64,
    /// How long something can be taken back, milliseconds.
    pub undo_ms: i64,
    /// How long rows are kept, milliseconds.
    pub keep_ms: i64,
    /// Limit of one request.
    pub timeout: Duration,
    /// Zone that dates are meant in; `None` is the portal's.
    pub time_zone: Option<Zone>,
}

/// An attempt did not do what it was asked for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{detail}")]
pub struct Refusal {
    /// Why.
    pub reason: Reason,
    /// The same for people, with what to do.
    pub detail: String,
    /// The row that says so, once it has one.
    pub execution: Option<String>,
    /// When to come back, in seconds.
    pub wait_s: Option<u64>,
}

impl Refusal {
    fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self { reason, detail: detail.into(), execution: None, wait_s: None }
    }

    fn bad_request(detail: impl Into<String>) -> Self {
        Self::new(Reason::BadRequest, detail)
    }
}

/// Why a call has no answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum ActionError {
    /// It was refused, or HubSpot did not do it.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// Something of ours failed.
    #[error("{0}")]
    Broken(String),
}

/// The actions of an installation. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Actions {
    store: Store,
    connector: Connector,
    clock: Arc<dyn Clock>,
    limits: Arc<Limits>,
    /// Attempts that this process is working on.
    under_way: Arc<Mutex<BTreeSet<String>>>,
    /// Until when the caller that this clone serves lets something be sent.
    until: Option<Instant>,
}

impl Actions {
    /// Actions over shared handles.
    #[must_use]
    pub fn new(store: Store, connector: Connector, clock: Arc<dyn Clock>, limits: Limits) -> Self {
        Self { store, connector, clock, limits: Arc::new(limits), under_way: Arc::default(), until: None }
    }

    /// The same for one caller: what is sent is sent while it waits.
    fn serving(&self, caller: &Caller) -> Self {
        Self { until: Some(caller.since + deadline::SENDS_FOR), ..self.clone() }
    }

    /// Runs work on the database off the runtime.
    async fn locally<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, ActionError> + Send + 'static,
    ) -> Result<T, ActionError> {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&this)).await;
        done.unwrap_or_else(|panic| Err(ActionError::Broken(panic.to_string())))
    }
}
