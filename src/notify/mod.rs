//! Telling people: new engagements become messages in Slack.
//!
//! `pipeline::announce` queues, in the transaction that stores an engagement first; here `outbox` takes what waits, has
//! `entry` read it and `message` write it, sends it through a [`Notifier`] and notes what became of it. `settings` is
//! what an operator does. Words of customers are never stored here, only which engagements went where.

mod channel;
pub mod entry;
pub mod failure;
pub mod message;
pub mod outbox;
pub mod pace;
pub mod plain;
pub mod settings;
pub mod slack;
pub mod state;

use std::fmt::Debug;
use std::future::Future;
use std::sync::Arc;

use secrecy::SecretString;
use url::Url;

use self::failure::Failure;
use self::message::Message;
use self::slack::{Slack, Way};
use crate::config::Config;
use crate::domain::clock::{Clock, Millis};
use crate::domain::ids::OrgId;
use crate::store::slack::{Method, SlackConnection};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, VaultError};

/// Where and as what a message is sent.
#[derive(Debug, Clone, Copy)]
pub struct Envelope<'a> {
    /// Channel; `None`: the only one there is.
    pub channel: Option<&'a str>,
    /// The message is known by this wherever it can be read back.
    pub marker: &'a str,
}

/// Something that brings messages to people.
pub trait Notifier: Debug + Send + Sync {
    /// Sends a message once.
    fn send(&self, to: Envelope<'_>, message: &Message) -> impl Future<Output = Result<(), Failure>> + Send;

    /// Whether a message sent after `since` arrived; `None` where that cannot be told.
    fn arrived(
        &self,
        to: Envelope<'_>,
        since: Millis,
    ) -> impl Future<Output = Result<Option<bool>, Failure>> + Send;
}

/// Why something about notifications cannot be done.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// Slack was not connected.
    #[error("Slack is not connected; `hublore slack connect` connects it")]
    NotConnected,
    /// What was asked for cannot be.
    #[error("{0}")]
    Invalid(String),
    /// Slack did not do it.
    #[error(transparent)]
    Slack(#[from] Failure),
    /// The vault.
    #[error(transparent)]
    Vault(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// No HTTP client can be made on this machine.
    #[error("no HTTP client can be made: {0}")]
    Http(String),
}

/// The notifications of one organisation.
#[derive(Debug, Clone)]
pub struct Notifications {
    store: Store,
    vault: Arc<Vault>,
    clock: Arc<dyn Clock>,
    org: OrgId,
    settings: crate::config::Slack,
    app_base: Url,
    http: reqwest::Client,
}

impl Notifications {
    /// Over shared handles.
    ///
    /// # Errors
    /// No HTTP client can be made.
    pub fn new(
        store: Store,
        vault: Arc<Vault>,
        clock: Arc<dyn Clock>,
        org: OrgId,
        config: &Config,
    ) -> Result<Self, NotifyError> {
        let http =
            crate::http::client(slack::TIMEOUT).map_err(|error| NotifyError::Http(error.to_string()))?;
        let (settings, app_base) = (config.slack.clone(), config.hubspot.app_base.clone());
        Ok(Self { store, vault, clock, org, settings, app_base, http })
    }

    fn slack(&self, way: Way) -> Slack {
        Slack::new(self.http.clone(), self.settings.api_base.clone(), way)
    }

    /// The way that a stored connection is.
    fn way(&self, connection: &SlackConnection) -> Result<Way, NotifyError> {
        let secret = self.vault.open_sealed(&self.purpose(), &connection.secret)?;
        match connection.method {
            Method::Webhook => Ok(Way::Webhook(settings::webhook(secret, &self.settings.webhook_base)?)),
            Method::Bot => Ok(Way::Bot { token: secret, reads_back: connection.reads_back }),
        }
    }

    fn seal(&self, secret: &SecretString) -> Result<Vec<u8>, VaultError> {
        self.vault.seal(&self.purpose(), secret)
    }

    fn purpose(&self) -> String {
        format!("slack/{}/secret", self.org)
    }

    /// Work on the database off the runtime.
    async fn locally<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Self) -> Result<T, NotifyError> + Send + 'static,
    ) -> Result<T, NotifyError> {
        let this = self.clone();
        let done = tokio::task::spawn_blocking(move || work(&this)).await;
        done.unwrap_or_else(|panic| Err(StoreError::Engine(panic.to_string()).into()))
    }
}
