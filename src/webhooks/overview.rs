//! What an operator is shown of webhooks: where HubSpot has to send them, what is to be ticked there, how it goes.

use std::collections::BTreeMap;

use secrecy::ExposeSecret;
use serde::Serialize;

use super::address;
use crate::config::Config;
use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::hubspot::signature::Refusal;
use crate::hubspot::subscriptions::{self, Subscription};
use crate::store::announced::{self, Queue};
use crate::store::conn::Conn;
use crate::store::{StoreError, webhooks};

/// How it goes with webhooks.
#[derive(Debug, Clone, Serialize)]
pub struct Overview {
    /// The address to enter in HubSpot.
    pub address: String,
    /// The client secret is set: without it nothing HubSpot sends can be believed.
    pub client_secret: bool,
    /// Only v3 signatures are accepted.
    pub require_v3: bool,
    /// Deliveries whose signature held.
    pub deliveries: u64,
    /// When the last one came.
    pub last_delivery: Option<Millis>,
    /// Those of them that could not be read.
    pub unreadable: u64,
    /// Events by what became of them: `taken`, `repeated`, `foreign_portal`, `unknown`, `ignored`.
    pub events: BTreeMap<String, u64>,
    /// Requests that were not believed, by reason.
    pub refused: BTreeMap<String, u64>,
    /// When the last signed one of them came.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_refused: Option<Millis>,
    /// Records that wait for a look.
    pub queue: Queue,
}

/// Reads it.
pub fn read(conn: &mut dyn Conn, org: &OrgId, config: &Config) -> Result<Overview, StoreError> {
    let counts = webhooks::counts(conn, org)?;
    let below = |prefix: &str| -> BTreeMap<String, u64> {
        let named = counts.iter().filter_map(|(what, (count, _))| Some((what.strip_prefix(prefix)?, *count)));
        named.map(|(what, count)| (what.to_owned(), count)).collect()
    };
    let of = |what: &str| counts.get(what).map_or(0, |(count, _)| *count);
    Ok(Overview {
        address: address(&config.server.public_url, org),
        client_secret: !config.hubspot.client_secret.expose_secret().is_empty(),
        require_v3: config.hubspot.webhooks.require_v3,
        deliveries: of("deliveries"),
        last_delivery: counts.get("deliveries").map(|(_, at)| *at),
        unreadable: of("unreadable"),
        events: below("events."),
        refused: below("refused."),
        last_refused: last_refused(&counts),
        queue: announced::queue(conn, org)?,
    })
}

/// What anybody sends without a signature says nothing about HubSpot.
fn last_refused(counts: &BTreeMap<String, (u64, Millis)>) -> Option<Millis> {
    let unsigned = Refusal::NotSigned.as_str();
    let signed = |what: &str| what.strip_prefix("refused.").is_some_and(|reason| reason != unsigned);
    counts.iter().filter(|(what, _)| signed(what)).map(|(_, (_, at))| *at).max()
}

impl Overview {
    /// The newest signed requests were not believed.
    #[must_use]
    pub fn newest_refused(&self) -> Option<Millis> {
        self.last_refused.filter(|refused| self.last_delivery.is_none_or(|believed| believed < *refused))
    }
}

/// The same with what is to be ticked in HubSpot.
#[derive(Debug, Clone, Serialize)]
pub struct Setup {
    /// Organisation.
    pub org: OrgId,
    /// How it goes.
    #[serde(flatten)]
    pub overview: Overview,
    /// Subscriptions of the app.
    pub subscriptions: Vec<Subscription>,
}

/// Reads everything needed to set webhooks up.
pub fn setup(conn: &mut dyn Conn, org: &OrgId, config: &Config) -> Result<Setup, StoreError> {
    let overview = read(conn, org, config)?;
    Ok(Setup { org: org.clone(), overview, subscriptions: subscriptions::wanted().collect() })
}
