//! Webhooks: what HubSpot announces arrives in an inbox (verify → store → acknowledge) and is looked at later; what is
//! kept of deliveries can be replayed.
//!
//! An announcement is only a hint which record deserves a look. What the record is like is read from HubSpot (`sync::look`)
//! and never taken from an event, so duplicates and disorder change nothing.

pub mod inbox;
pub mod overview;
pub mod replay;
pub mod work;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use secrecy::SecretString;
use tokio::sync::{Notify, RwLock};
use url::Url;

use crate::config::Config;
use crate::domain::clock::{Clock, Millis};
use crate::domain::crm::RecordType;
use crate::domain::ids::OrgId;
use crate::hubspot::signature::Refusal;
use crate::store::Store;
use crate::sync::run::Syncer;

/// Where HubSpot sends deliveries, below the public address and before the organisation's id.
const PATH: &str = "/api/integrations/hubspot/webhook/";

/// The address that the deliveries of an organisation are sent to.
#[must_use]
pub fn address(public_url: &Url, org: &OrgId) -> String {
    format!("{}{PATH}{org}", public_url.as_str().trim_end_matches('/'))
}

/// How webhooks are taken in.
#[derive(Debug, Clone)]
struct Settings {
    public_url: Url,
    secret: SecretString,
    require_v3: bool,
    keep_ms: i64,
    burst: u64,
}

/// Webhooks of every organisation of this installation.
#[derive(Debug)]
pub struct Webhooks {
    store: Store,
    syncer: Syncer,
    clock: Arc<dyn Clock>,
    settings: Settings,
    /// Counted here first: a stranger must not make us write.
    refused: Mutex<BTreeMap<(OrgId, Refusal), u64>>,
    /// Rings when something was stored.
    arrived: Notify,
    /// One round of a type at a time.
    turns: BTreeMap<RecordType, tokio::sync::Mutex<()>>,
    /// Read by every round that goes on, written by whoever wants none to.
    rounds: RwLock<()>,
    /// What follows from looks is done once at a time.
    following_up: tokio::sync::Mutex<()>,
    /// When what is old was forgotten last.
    trimmed: Mutex<Option<Millis>>,
}

impl Webhooks {
    /// Webhooks over the handles of an application.
    #[must_use]
    pub fn new(store: Store, syncer: Syncer, clock: Arc<dyn Clock>, config: &Config) -> Self {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        let webhooks = config.hubspot.webhooks;
        Self {
            store,
            syncer,
            clock,
            settings: Settings {
                public_url: config.server.public_url.clone(),
                secret: config.hubspot.client_secret.clone(),
                require_v3: webhooks.require_v3,
                keep_ms: i64::from(webhooks.keep_days) * DAY_MS,
                burst: webhooks.burst,
            },
            refused: Mutex::default(),
            arrived: Notify::new(),
            turns: RecordType::all().map(|one| (one, tokio::sync::Mutex::default())).collect(),
            rounds: RwLock::default(),
            following_up: tokio::sync::Mutex::default(),
            trimmed: Mutex::default(),
        }
    }
}
