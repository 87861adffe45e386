//! Replaying what is kept of deliveries: everything they announced is looked at again, as it is now. Doing it twice changes
//! nothing.

use futures_util::future::join_all;
use serde::Serialize;

use super::Webhooks;
use super::work::Burst;
use crate::domain::ids::OrgId;
use crate::hubspot::events;
use crate::pipeline::publish::Owner;
use crate::store::announced;
use crate::store::crm::Tenant;
use crate::store::webhooks::{self, Between, Kept};
use crate::store::{StoreError, conn::Conn};
use crate::sync::SyncError;

/// Deliveries read at once.
const PAGE: i64 = 100;

/// What a replay did.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Replayed {
    /// Deliveries of that time.
    pub deliveries: u64,
    /// Those whose bytes are kept no longer.
    pub without_body: u64,
    /// Those that cannot be read.
    pub unreadable: u64,
    /// Events about records that are read here.
    pub events: u64,
    /// Records looked at.
    pub looked: u64,
    /// Looks that failed; they are tried again by a running server.
    pub failed: u64,
}

impl Webhooks {
    /// Replays the deliveries of a stretch of time and looks at everything they announced.
    pub async fn replay(
        &self,
        org: &OrgId,
        between: Between,
        run_goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Replayed, SyncError> {
        let owner = Owner { org: org.clone(), portal: self.syncer.admit(org)?.portal };
        let mut replayed = Replayed::default();
        let mut after = 0;
        loop {
            let page = self.store.read(|conn| webhooks::stretch(conn, org, between, after, PAGE))?;
            let Some((last, _)) = page.last() else { break };
            after = *last;
            let (of, now) = (owner.clone(), self.clock.now());
            let told = self
                .store
                .write(move |conn| tell_again(conn, Tenant { org: &of.org, portal: of.portal, now }, page));
            replayed.add(&told?);
        }
        loop {
            let due = self.survey(org, Burst::OneByOne, run_goes_on).await?.due;
            if due.is_empty() {
                return Ok(replayed);
            }
            let rounds = due.into_iter().map(|record_type| self.round(org, record_type, run_goes_on));
            for round in join_all(rounds).await {
                let round = round?;
                replayed.looked += round.looked;
                replayed.failed += round.failed;
            }
        }
    }
}

impl Replayed {
    fn add(&mut self, other: &Self) {
        self.deliveries += other.deliveries;
        self.without_body += other.without_body;
        self.unreadable += other.unreadable;
        self.events += other.events;
    }
}

/// Queues what a page of deliveries announces, whether it was taken before or not.
fn tell_again(conn: &mut dyn Conn, tenant: Tenant<'_>, page: Vec<Kept>) -> Result<Replayed, StoreError> {
    let mut told = Replayed { deliveries: page.len() as u64, ..Replayed::default() };
    for (number, body) in page {
        let Some(body) = body else {
            told.without_body += 1;
            continue;
        };
        let Ok(events) = events::parse(&body) else {
            told.unreadable += 1;
            continue;
        };
        for event in events.iter().filter(|event| event.portal == Some(tenant.portal)) {
            told.events += u64::from(!event.about.is_empty());
            event.about.iter().try_for_each(|one| announced::add(conn, tenant, number, one, false))?;
        }
    }
    Ok(told)
}
