//! Which properties are read of contacts, companies and deals, and how one that is new reaches records that are here.
//!
//! A property that a type gains needs only the records that have a value of it: a search names them, and what is
//! stored otherwise is read by id. Because a search may show a value late, it is asked again until two hours have
//! passed. Where that would cost more than the list of the type, or many are gained, that type is read whole, once.
//! Other types are not touched. A property that is no longer read is no longer shown; its values go with the next
//! reading of the record.

use super::SyncError;
use super::errors::{Ended, Errors};
use super::reading::Read;
use super::reconcile::SEARCH_LAG_MS;
use super::run::Running;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::hubspot::error::HubspotError;
use crate::hubspot::properties::{self as asked, Selection};
use crate::store::crm::Tenant;
use crate::store::times::{self, Of};
use crate::store::{StoreError, properties};

/// Records with a value of a gained property, beyond which the list is read instead: HubSpot's searches end there.
const MOST: u64 = 9_000;

/// What a type needs because it gained properties.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Gained {
    /// These records are stored without a value they have.
    Records(Vec<String>),
    /// Too many to look for.
    Everything,
}

impl Running<'_> {
    /// Asks which properties there are. Where HubSpot does not tell, the ones read before are read on.
    pub(super) async fn select_properties(&self, errors: &mut Errors) {
        if errors.is_fatal() {
            return;
        }
        let types = RecordType::CRM.into_iter().filter(|one| self.mode.reads(*one));
        let ask = types.map(|record_type| async move {
            let wanted = self.syncer.connector.wanted_properties();
            (record_type, asked::selection(&self.client, record_type, wanted).await)
        });
        for (record_type, told) in futures_util::future::join_all(ask).await {
            let kept = match told {
                Ok(selection) => self.keep_selection(record_type, selection).map_err(SyncError::from),
                Err(error) => Err(error.into()),
            };
            errors.step("properties", kept);
        }
    }

    fn keep_selection(&self, record_type: RecordType, selection: Selection) -> Result<(), StoreError> {
        let (owner, now) = (self.owner.clone(), self.syncer.clock.now());
        self.syncer.store.write(move |conn| {
            let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
            properties::put(conn, tenant, record_type, &selection.properties)?;
            properties::put_left(conn, tenant, record_type, selection.left_out, &selection.unknown)
        })
    }

    /// Names of the properties that are read of a type beside those with a place of their own.
    pub(super) fn properties_of(&self, record_type: RecordType) -> Result<Vec<String>, StoreError> {
        let (org, portal) = (&self.owner.org, self.owner.portal);
        self.syncer.store.read(|conn| properties::names(conn, org, portal, record_type))
    }

    /// Properties that not every stored record was read with.
    pub(super) fn unsettled(&self, record_type: RecordType) -> Result<Vec<String>, StoreError> {
        let (org, portal) = (&self.owner.org, self.owner.portal);
        let found = self.syncer.store.read(|conn| properties::unsettled(conn, org, portal, record_type))?;
        Ok(found.into_iter().map(|(name, _)| name).collect())
    }

    /// What is to be read because of properties that are new.
    pub(super) async fn gained(&self, record_type: RecordType) -> Result<Gained, Ended> {
        let names = self.unsettled(record_type)?;
        if names.is_empty() {
            return Ok(Gained::Records(Vec::new()));
        }
        if !asked::searchable(&names) {
            return Ok(Gained::Everything);
        }
        let of = Of { org: &self.owner.org, portal: self.owner.portal, record_type };
        let stored: u64 = self.syncer.store.read(|conn| times::stored(conn, of))?;
        let (mut lacking, mut after, mut seen) = (Vec::new(), None, 0_u64);
        loop {
            let page = asked::holders(&self.client, record_type, &names, after.as_deref()).await;
            let page = match page {
                Ok(page) => page,
                // A property of which HubSpot's search does not know yet, or not at all.
                Err(HubspotError::Refused { .. }) => return Ok(Gained::Everything),
                Err(error) => return Err(error.into()),
            };
            let by_id = page.total.div_ceil(200) + page.total.div_ceil(100);
            if page.total > MOST || (after.is_none() && by_id > stored.div_ceil(100)) {
                return Ok(Gained::Everything);
            }
            seen += page.records.len() as u64;
            lacking.extend(self.lacking(record_type, page.records)?);
            after = page.next;
            if after.is_none() {
                break;
            }
            if seen >= page.total.max(1) + MOST {
                return Ok(Gained::Everything);
            }
        }
        Ok(Gained::Records(lacking))
    }

    /// Those that are stored without, or with another value.
    fn lacking(
        &self,
        record_type: RecordType,
        holders: Vec<(String, Vec<(String, String)>)>,
    ) -> Result<Vec<String>, StoreError> {
        let (org, portal) = (&self.owner.org, self.owner.portal);
        self.syncer.store.read(|conn| {
            let mut lacking = Vec::new();
            for (id, values) in holders {
                let known = properties::stored(conn, org, portal, record_type, &id)?.unwrap_or_default();
                if values.iter().any(|(name, value)| known.get(name) != Some(value)) {
                    lacking.push(id);
                }
            }
            Ok(lacking)
        })
    }

    /// A type was read to its end.
    pub(super) fn settle_properties(&self, record_type: RecordType, read: Read) -> Result<(), StoreError> {
        let (owner, now, run) = (self.owner.clone(), self.syncer.clock.now(), self.stamp.started_at);
        self.syncer.store.write(move |conn| {
            let open = properties::unsettled(conn, &owner.org, owner.portal, record_type)?;
            let late = |since: Millis| read.looked && run.0 - since.0 >= SEARCH_LAG_MS;
            let done = open
                .into_iter()
                .filter(|(name, since)| read.properties.contains(name) && (read.whole || late(*since)));
            let done: Vec<String> = done.map(|(name, _)| name).collect();
            let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
            properties::settle(conn, tenant, record_type, &done)
        })
    }
}
