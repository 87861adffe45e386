//! The three modes of the integration: what was set, and what that means.
//!
//! Not here: modes of a sync (`sync::mode`) and the gates behind a mode that is on (agents one by one, types of
//! notification one by one).

use serde::{Deserialize, Serialize};

/// A mode of the integration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum IntegrationMode {
    /// Reading from HubSpot.
    Ingest,
    /// Writing to HubSpot by agents.
    Actions,
    /// Posting to Slack.
    Notifications,
}

impl IntegrationMode {
    /// Every mode, in the order they are shown.
    pub const ALL: [Self; 3] = [Self::Ingest, Self::Actions, Self::Notifications];

    /// The name on the command line, in addresses and in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ingest => "ingest",
            Self::Actions => "actions",
            Self::Notifications => "notifications",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// Stored toggles; `None` is unset, which has a default.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct StoredModes {
    /// Reading from HubSpot.
    pub ingest: Option<bool>,
    /// Writing to HubSpot by agents.
    pub actions: Option<bool>,
    /// Posting to Slack.
    pub notifications: Option<bool>,
}

impl StoredModes {
    /// What was set for a mode.
    #[must_use]
    pub fn stored(self, mode: IntegrationMode) -> Option<bool> {
        match mode {
            IntegrationMode::Ingest => self.ingest,
            IntegrationMode::Actions => self.actions,
            IntegrationMode::Notifications => self.notifications,
        }
    }

    /// Whether a mode works: on unless switched off.
    #[must_use]
    pub fn is_on(self, mode: IntegrationMode) -> bool {
        self.stored(mode).unwrap_or(true)
    }

    /// The same with one mode set, or unset.
    #[must_use]
    pub fn with(mut self, mode: IntegrationMode, on: Option<bool>) -> Self {
        let place = match mode {
            IntegrationMode::Ingest => &mut self.ingest,
            IntegrationMode::Actions => &mut self.actions,
            IntegrationMode::Notifications => &mut self.notifications,
        };
        *place = on;
        self
    }
}

/// One mode: what was set, and what that means.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct ModeState {
    /// As set; null where nothing was.
    pub stored: Option<bool>,
    /// As it works.
    pub effective: bool,
}

/// The three modes of the integration.
#[derive(Debug, Clone, Copy, Serialize)]
pub struct Modes {
    /// Reading from HubSpot; on unless switched off.
    pub ingest: ModeState,
    /// Writing by agents; on unless switched off, and then agent by agent.
    pub actions: ModeState,
    /// Posting to Slack; on unless switched off, and then type by type.
    pub notifications: ModeState,
}

impl Modes {
    /// How a mode stands.
    #[must_use]
    pub fn of(self, mode: IntegrationMode) -> ModeState {
        match mode {
            IntegrationMode::Ingest => self.ingest,
            IntegrationMode::Actions => self.actions,
            IntegrationMode::Notifications => self.notifications,
        }
    }
}

impl From<StoredModes> for Modes {
    fn from(modes: StoredModes) -> Self {
        let state = |mode| ModeState { stored: modes.stored(mode), effective: modes.is_on(mode) };
        Self {
            ingest: state(IntegrationMode::Ingest),
            actions: state(IntegrationMode::Actions),
            notifications: state(IntegrationMode::Notifications),
        }
    }
}
