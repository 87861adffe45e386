//! Associations made later: HubSpot ties and unties records without changing their time, so no search tells.
//!
//! Once a day the associations of recent records are read again, a thousand records a request, and records
//! whose associations differ from the stored ones are read anew. How much "recent" is, is bounded in time and
//! in number; older ones are compared by the next full reading.

use std::collections::{BTreeMap, BTreeSet};

use super::SyncError;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;
use crate::hubspot::associations;
use crate::hubspot::client::Client;
use crate::hubspot::paths::type_name;
use crate::pipeline::publish::Owner;
use crate::store::associations::{RecordKey, targets};
use crate::store::times::{self, Of};
use crate::store::{Store, StoreError};

/// Records changed within this time are recent.
const RECENT_MS: i64 = 30 * 24 * 60 * 60 * 1000;
/// Of every type at most so many, the newest: 300 requests for engagements.
const MOST: i64 = 100_000;
/// Records asked about in one request.
const BATCH: usize = 1_000;

/// Types whose associations are stored, with what they are tied to.
fn tied(record_type: RecordType) -> &'static [&'static str] {
    match record_type {
        RecordType::Contacts => &["companies"],
        RecordType::Deals => &["contacts", "companies"],
        // Companies have none of their own, and submissions are tied by the address in them.
        RecordType::Companies | RecordType::Engagement(Kind::FormSubmission) => &[],
        RecordType::Engagement(_) => &["contacts", "companies", "deals"],
    }
}

/// Recent records whose associations in HubSpot are not the stored ones, by type.
pub(super) async fn differing(
    store: &Store,
    client: &Client,
    owner: &Owner,
    now: Millis,
) -> Result<BTreeMap<RecordType, Vec<String>>, SyncError> {
    let mut found = BTreeMap::new();
    for record_type in RecordType::all().filter(|record_type| !tied(*record_type).is_empty()) {
        let of = Of { org: &owner.org, portal: owner.portal, record_type };
        let recent: Vec<String> = store
            .read(|conn| times::recent(conn, of, now.plus(-RECENT_MS), MOST))
            .map_err(SyncError::Store)?;
        let mut differing = BTreeSet::new();
        for batch in recent.chunks(BATCH) {
            for to in tied(record_type) {
                let told = associations::of_many(client, type_name(record_type), batch, to).await?;
                let compared: Result<Vec<String>, StoreError> =
                    store.read(|conn| other_than_stored(conn, of, batch, to, &told));
                differing.extend(compared?);
            }
        }
        found.insert(record_type, differing.into_iter().collect());
    }
    Ok(found)
}

fn other_than_stored(
    conn: &mut dyn crate::store::conn::Conn,
    of: Of<'_>,
    batch: &[String],
    to: &'static str,
    told: &associations::Told,
) -> Result<Vec<String>, StoreError> {
    let none = Vec::new();
    let mut differing = Vec::new();
    for id in batch.iter().filter(|id| !told.failed.contains_key(*id)) {
        let key = RecordKey { org: of.org, portal: of.portal, kind: of.record_type.as_str(), id };
        let stored = targets(conn, key, to)?;
        let hubspots = told.found.get(id).unwrap_or(&none);
        let set = |ids: &[String]| ids.iter().cloned().collect::<BTreeSet<_>>();
        // Which company is the primary one matters where a record belongs to it.
        let primary = to == "companies" && !matches!(of.record_type, RecordType::Engagement(_));
        if set(&stored) != set(hubspots) || (primary && stored.first() != hubspots.first()) {
            differing.push(id.clone());
        }
    }
    Ok(differing)
}
