//! The inbox: a delivery is verified over its raw bytes, stored with what it announces, and acknowledged. HubSpot is asked
//! nothing before it has its answer.

use std::sync::PoisonError;

use reqwest::header::HeaderMap;
use sha2::{Digest, Sha256};

use super::Webhooks;
use crate::domain::ids::OrgId;
use crate::hubspot::events;
use crate::hubspot::signature::{Refusal, Signed, Version};
use crate::store::webhooks::{self, Arrival, Tally};
use crate::store::{StoreError, orgs};

/// A request as it came in.
#[derive(Debug, Clone, Copy)]
pub struct Incoming<'a> {
    /// Organisation in its path.
    pub org: &'a OrgId,
    /// Path and query as they were sent, nothing decoded.
    pub path_and_query: &'a str,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// Raw bytes.
    pub body: &'a [u8],
}

/// What a request led to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Receipt {
    /// It is stored, or counted where nothing is to be stored.
    Taken(Tally),
    /// It is not believed; nothing was stored.
    Refused(Refusal),
}

impl Webhooks {
    /// There is such an organisation here.
    pub fn knows(&self, org: &OrgId) -> Result<bool, StoreError> {
        Ok(self.store.read(|conn| orgs::list(conn))?.contains(org))
    }

    /// Takes a delivery in. Once this returns, what HubSpot announced survives a power cut.
    pub fn receive(&self, incoming: Incoming<'_>) -> Result<Receipt, StoreError> {
        let (org, now) = (incoming.org, self.clock.now());
        // The address is the one that HubSpot was told; a Host header says what a stranger likes.
        let base = self.settings.public_url.as_str().trim_end_matches('/');
        let url = format!("{base}{}", incoming.path_and_query);
        let signed = Signed { method: "POST", url: &url, headers: incoming.headers, body: incoming.body };
        let version = match signed.verify(&self.settings.secret, now, self.settings.require_v3) {
            Ok(version) => version,
            Err(refusal) => return Ok(self.refuse(org, refusal)),
        };
        let events = match events::parse(incoming.body) {
            Ok(events) => Some(events),
            // A v1 or v2 hash can be continued by anybody who saw one, and no version signs where a query ends and a body
            // begins: then only a body that is whole is HubSpot's.
            Err(_) if version != Version::V3 || incoming.path_and_query.contains('?') => {
                return Ok(self.refuse(org, Refusal::Unreadable));
            }
            Err(error) => {
                tracing::warn!(%error, "a signed webhook cannot be read; it is kept for a replay");
                None
            }
        };
        let body = (self.settings.keep_ms > 0).then(|| incoming.body.to_vec());
        let digest = Sha256::digest(incoming.body).into();
        let arrival =
            Arrival { org: org.clone(), at: now, signature: version.as_str(), digest, events, body };
        let tally = self.store.write(move |conn| webhooks::take(conn, arrival))?;
        if tally.taken > 0 {
            self.arrived.notify_one();
        }
        Ok(Receipt::Taken(tally))
    }

    fn refuse(&self, org: &OrgId, refusal: Refusal) -> Receipt {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        *refused.entry((org.clone(), refusal)).or_default() += 1;
        Receipt::Refused(refusal)
    }

    /// Stores how many were refused since the last time; one row each, however many there were.
    pub(super) fn keep_refusals(&self) -> Result<(), StoreError> {
        let refused = std::mem::take(&mut *self.refused.lock().unwrap_or_else(PoisonError::into_inner));
        if refused.is_empty() {
            return Ok(());
        }
        let now = self.clock.now();
        self.store.write(move |conn| {
            for ((org, refusal), by) in refused {
                tracing::warn!(reason = refusal.as_str(), count = by, "webhooks were refused");
                webhooks::count(conn, &org, &format!("refused.{}", refusal.as_str()), by, now)?;
            }
            Ok(())
        })
    }
}
