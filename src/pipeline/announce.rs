//! What people are told of: engagements that are seen for the first time while hublore follows a portal.
//!
//! It is decided where engagements are stored, whoever read them, and queued in the same transaction. How and when it
//! is told is `notify`'s business; that rules still let it through is looked at again then.

use super::distill::Distilled;
use super::publish::Origin;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::engagement::{Decision, RawEngagement};
use crate::domain::ids::DocumentId;
use crate::domain::mode::IntegrationMode;
use crate::domain::notification::{NotificationType, Telling};
use crate::store::conn::Conn;
use crate::store::crm::Tenant;
use crate::store::{
    StoreError, checkpoints, connections, engagements, executions, notifications, orgs, slack,
};

const TYPE: NotificationType = NotificationType::NewHubspotEngagement;

/// What is first seen on a page is told, if it is not older than this.
#[derive(Debug, Clone, Copy)]
pub struct News {
    most_age_ms: i64,
}

impl News {
    /// Whether anybody wants to be told of what is new on a page: the mode, Slack and the type are on, and the portal
    /// and the type of record were read to their end before, so that what was never seen is new.
    pub fn of(
        conn: &mut dyn Conn,
        tenant: Tenant<'_>,
        origin: &Origin,
        record_type: RecordType,
        most_age_ms: i64,
    ) -> Result<Option<Self>, StoreError> {
        if !origin.brings_news() || !matches!(record_type, RecordType::Engagement(_)) {
            return Ok(None);
        }
        let wanted = orgs::modes(conn, tenant.org)?.is_on(IntegrationMode::Notifications)
            && slack::of_type(conn, tenant.org, TYPE)?.enabled
            && slack::get(conn, tenant.org)?.is_some();
        if !wanted {
            return Ok(None);
        }
        let connection = connections::get(conn, tenant.org)?;
        let complete = connection.is_some_and(|one| one.last_synced.is_some())
            && checkpoints::watermarks(conn, tenant.org)?.contains_key(record_type.as_str());
        Ok(complete.then_some(Self { most_age_ms }))
    }

    /// Whether an engagement that is about to be stored is news if it is new: young, not back from HubSpot's bin, and not
    /// what an agent of ours wrote.
    pub fn may_hold(
        self,
        conn: &mut dyn Conn,
        tenant: Tenant<'_>,
        document: &DocumentId,
        one: &Distilled,
    ) -> Result<bool, StoreError> {
        let raw = &one.engagement.raw;
        Ok(!raw.erased
            && raw.reread.is_none()
            && self.is_young(raw, tenant.now)
            && !executions::made_by_agent(conn, tenant.org, document, raw.occurred_at)?
            && !engagements::was_removed(conn, tenant.org, document)?)
    }

    /// Both what happened long ago and what was logged long ago is old: an import of history is no news.
    fn is_young(self, raw: &RawEngagement, now: Millis) -> bool {
        now.0 - raw.occurred_at.0.min(raw.created_at.0) <= self.most_age_ms
    }
}

/// Queues an engagement that was just stored, unless what the rules say keeps it from people.
pub fn queue(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    document: &DocumentId,
    ruled: &Decision,
) -> Result<(), StoreError> {
    match Telling::of_decision(ruled) {
        Telling::Told | Telling::Waits => notifications::add(conn, tenant.org, TYPE, document, tenant.now),
        Telling::Kept => Ok(()),
    }
}
