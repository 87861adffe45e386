//! Finding out what HubSpot no longer has, and removing it here.
//!
//! Deleting a record does not change its time, searches and lists just stop showing it. Two ways lead to it:
//! after a full reading, what was not seen; between full readings, HubSpot's recycle bin, which is looked into
//! when HubSpot counts fewer records than are stored. Nothing is removed on absence alone: HubSpot is asked for
//! the record by id first, twice.

use super::SyncError;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;
use crate::hubspot::changes::{self, Axis};
use crate::hubspot::client::Client;
use crate::hubspot::objects;
use crate::pipeline::publish::Owner;
use crate::store::crm::Tenant;
use crate::store::times::{self, Of};
use crate::store::{Store, StoreError, erasure, removal, runs};

/// Ids asked about at once.
const BATCH: i64 = 1_000;

/// Removes records of one portal.
#[derive(Debug, Clone, Copy)]
pub struct Deletions<'a> {
    /// Database.
    pub store: &'a Store,
    /// The portal.
    pub client: &'a Client,
    /// Whose records.
    pub owner: &'a Owner,
}

impl Deletions<'_> {
    /// Removes records that a full reading begun at `started_at` did not see and HubSpot does not have.
    ///
    /// Form submissions cannot be asked for by id; a complete reading of their lists is all there is to know.
    pub async fn sweep(
        &self,
        record_type: RecordType,
        started_at: Millis,
        now: Millis,
    ) -> Result<u64, SyncError> {
        let (mut removed, mut past) = (0, String::new());
        loop {
            let (org, portal) = (&self.owner.org, self.owner.portal);
            let unseen: Vec<String> = self
                .store
                .read(|conn| removal::unseen(conn, org, portal, record_type, started_at, &past, BATCH))?;
            let Some(last) = unseen.last() else {
                return Ok(removed);
            };
            past.clone_from(last);
            let gone = match record_type {
                RecordType::Engagement(Kind::FormSubmission) => unseen,
                other => objects::gone(self.client, other, &unseen).await?,
            };
            removed += self.remove(record_type, gone, now)?;
        }
    }

    /// Removes records that lie in HubSpot's recycle bin.
    pub async fn follow_bin(&self, record_type: RecordType, now: Millis) -> Result<u64, SyncError> {
        let (mut removed, mut after) = (0, None);
        loop {
            let (ids, next) = objects::archived(self.client, record_type, after.as_deref()).await?;
            removed += self.remove(record_type, ids, now)?;
            after = next;
            if after.is_none() {
                return Ok(removed);
            }
        }
    }

    /// HubSpot counts as many records created up to `until` as are stored: one request.
    pub async fn counts_agree(&self, record_type: RecordType, until: Millis) -> Result<bool, SyncError> {
        let of = Of { org: &self.owner.org, portal: self.owner.portal, record_type };
        let theirs = changes::count(self.client, record_type, Axis::Created, Millis(1), until).await?;
        let ours: u64 = self.store.read(|conn| times::created(conn, of, Millis(1), until))?;
        Ok(theirs == ours)
    }

    /// Removes records that are gone; none of them waits for a repair any longer.
    pub fn remove(&self, record_type: RecordType, ids: Vec<String>, now: Millis) -> Result<u64, StoreError> {
        if ids.is_empty() {
            return Ok(0);
        }
        let owner = self.owner.clone();
        self.store.write(move |conn| {
            let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
            let mut removed = 0;
            for id in &ids {
                runs::unpark(conn, tenant, record_type.as_str(), id)?;
                removed += u64::from(removal::remove(conn, tenant, record_type, id)?);
            }
            Ok(removed)
        })
    }

    /// Erases those of `contacts` that HubSpot no longer has: it emptied engagements they were tied to, which
    /// it does when a person is to be forgotten.
    pub async fn erase_gone(&self, contacts: &[String], now: Millis) -> Result<u64, SyncError> {
        let gone = objects::gone(self.client, RecordType::Contacts, contacts).await?;
        self.erase(gone, now).map_err(SyncError::from)
    }

    /// Erases contacts with every word from or to them.
    pub fn erase(&self, contacts: Vec<String>, now: Millis) -> Result<u64, StoreError> {
        let owner = self.owner.clone();
        self.store.erase(move |conn| {
            let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
            let mut known = 0;
            for id in &contacts {
                known += u64::from(erasure::contact(conn, tenant, id)?.known);
            }
            Ok(known)
        })
    }
}
