//! Keeping the store equal to the portal: connection, runs, checkpoints, reports.
//!
//! A run reads every record type through the street (`pipeline`) and leaves a checkpoint with every page;
//! a run that was killed is resumed from there. How the index follows is none of this folder's business.

mod afterwards;
mod closing;
pub mod connection;
pub mod deletions;
mod errors;
mod late;
pub mod look;
pub mod mode;
pub mod other_portal;
pub mod progress;
mod properties;
mod reading;
pub mod reconcile;
mod relay;
pub mod report;
pub mod run;
mod submissions;
mod transcripts;

use crate::domain::clock::Millis;
use crate::hubspot::error::HubspotError;
use crate::store::StoreError;
use crate::vault::VaultError;

/// Why a sync or a connection did not come about.
#[derive(Debug, Clone, thiserror::Error)]
pub enum SyncError {
    /// No portal is connected.
    #[error("no HubSpot portal is connected; run `hublore connect` first")]
    NotConnected,
    /// Client id or secret are not set.
    #[error(
        "hubspot.client_id and hubspot.client_secret are not set; put them into the settings file (see docs/operations.md)"
    )]
    AppNotConfigured,
    /// The ingest mode is off.
    #[error("reading from HubSpot is switched off; switch it on with `hublore modes ingest on`")]
    IngestOff,
    /// HubSpot asked to be left alone.
    #[error("HubSpot asked to wait until {until}: {reason}; the sync goes on by itself then")]
    Paused {
        /// End of the pause.
        until: Millis,
        /// Why.
        reason: String,
    },
    /// A run is going on.
    #[error("a sync is already running (run {0})")]
    AlreadyRunning(String),
    /// The consent answer does not belong to a question we asked, is too old or was used before.
    #[error("this consent was not asked for here, or too long ago; open the connect address again")]
    ForeignConsent,
    /// The person refused.
    #[error("consent was refused in HubSpot ({0}); nothing was stored")]
    ConsentRefused(String),
    /// Another portal than the one whose data is here.
    #[error(
        "this is portal {found}, but the data here comes from portal {stored}; nothing was stored. Connect again with \
         --other-portal keep-apart to give it an organisation of its own, or with --other-portal purge to remove \
         what was read from portal {stored} first"
    )]
    OtherPortal {
        /// Portal that consented.
        found: u64,
        /// Portal whose data is stored.
        stored: u64,
    },
    /// A run that is going on has to end first, and does not.
    #[error("a sync is still running; try again when it has ended")]
    StillRunning,
    /// HubSpot.
    #[error(transparent)]
    Hubspot(#[from] HubspotError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The vault.
    #[error("{0}")]
    Vault(String),
}

impl From<VaultError> for SyncError {
    fn from(error: VaultError) -> Self {
        Self::Vault(error.to_string())
    }
}
