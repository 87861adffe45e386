//! What agents may do in HubSpot, and how an attempt ends.
//!
//! Not here: what an action needs and does (`actions`) and rows (`store::executions`).

use serde::{Deserialize, Serialize};

/// Names of a plain enum, both ways.
macro_rules! names {
    ($kind:ident, $($variant:ident => $name:literal),+ $(,)?) => {
        impl $kind {
            /// Every one of them.
            pub const ALL: &[Self] = &[$(Self::$variant),+];

            /// The name used in rows, addresses and answers.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $name),+ }
            }

            /// The one of that name.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|one| one.as_str() == name)
            }
        }
    };
}

/// An action.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Action {
    /// Opens a deal.
    CreateDeal,
    /// Changes one property of a contact.
    UpdateContact,
    /// Creates a follow-up task.
    LogActivity,
    /// Attaches a note.
    CreateNote,
}

names!(Action,
    CreateDeal => "create_deal",
    UpdateContact => "update_contact",
    LogActivity => "log_activity",
    CreateNote => "create_note",
);

/// Which part of an action an attempt is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Step {
    /// All of it.
    Run,
    /// A change is proposed; nothing is written.
    Propose,
    /// A proposed change is carried out.
    Confirm,
    /// What was done is taken back.
    Undo,
}

names!(Step, Run => "run", Propose => "propose", Confirm => "confirm", Undo => "undo");

/// How an attempt stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// A gate said no; nothing was written.
    Refused,
    /// Through the gates, nothing sent yet.
    Started,
    /// Sent, no answer yet.
    Sending,
    /// Waits for a confirmation.
    Proposed,
    /// HubSpot did it.
    Done,
    /// HubSpot took it and kept the old value.
    NotApplied,
    /// There was nothing to change.
    Unchanged,
    /// HubSpot did not do it.
    Failed,
    /// Sent, and nobody knows whether HubSpot did it.
    Unknown,
}

names!(Outcome,
    Refused => "refused",
    Started => "started",
    Sending => "sending",
    Proposed => "proposed",
    Done => "done",
    NotApplied => "not_applied",
    Unchanged => "unchanged",
    Failed => "failed",
    Unknown => "unknown",
);

impl Outcome {
    /// It is not known yet how it ends.
    #[must_use]
    pub fn is_open(self) -> bool {
        matches!(self, Self::Started | Self::Sending | Self::Unknown)
    }
}

/// Why an attempt did not do what it was asked for. The first six are gates, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Reason {
    /// The mode is off.
    ActionsOff,
    /// No portal, or one that does not accept us.
    NotConnected,
    /// The app was not granted what it takes.
    MissingScope,
    /// Not enabled on this agent.
    NotAllowed,
    /// The arguments are not valid.
    BadRequest,
    /// Another customer than the agent's.
    OtherCustomer,
    /// The property is not on the list.
    PropertyNotAllowed,
    /// Nobody in HubSpot has that address.
    NoSuchContact,
    /// Too many actions in a short time.
    TooManyActions,
    /// The key was used for something else.
    IdempotencyKeyReused,
    /// The same call is still going on.
    UnderWay,
    /// No such confirmation for this agent.
    NoSuchConfirmation,
    /// It came too late.
    ConfirmationExpired,
    /// It works once.
    ConfirmationUsed,
    /// Somebody changed it since.
    ChangedSince,
    /// No such execution for this agent.
    NoSuchExecution,
    /// It wrote nothing.
    NothingToUndo,
    /// Too late to take back.
    UndoWindowOver,
    /// Taken back already.
    AlreadyUndone,
    /// HubSpot said no.
    HubspotRefused,
    /// HubSpot could not be asked; nothing was sent.
    HubspotUnavailable,
    /// Whether it was done is not known.
    OutcomeUnknown,
    /// The answer got lost, and HubSpot has nothing of it.
    NotWritten,
}

names!(Reason,
    ActionsOff => "actions-off",
    NotConnected => "not-connected",
    MissingScope => "missing-scope",
    NotAllowed => "action-not-allowed",
    BadRequest => "bad-request",
    OtherCustomer => "other-customer",
    PropertyNotAllowed => "property-not-allowed",
    NoSuchContact => "no-such-contact",
    TooManyActions => "too-many-actions",
    IdempotencyKeyReused => "idempotency-key-reused",
    UnderWay => "under-way",
    NoSuchConfirmation => "no-such-confirmation",
    ConfirmationExpired => "confirmation-expired",
    ConfirmationUsed => "confirmation-used",
    ChangedSince => "changed-since",
    NoSuchExecution => "no-such-execution",
    NothingToUndo => "nothing-to-undo",
    UndoWindowOver => "undo-window-over",
    AlreadyUndone => "already-undone",
    HubspotRefused => "hubspot-refused",
    HubspotUnavailable => "hubspot-unavailable",
    OutcomeUnknown => "outcome-unknown",
    NotWritten => "not-written",
);
