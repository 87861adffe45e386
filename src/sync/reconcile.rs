//! Comparing with HubSpot: how many records of each type were created in each month, there and here.
//!
//! Where a month differs its ids are compared. What is missing here is named and read; what HubSpot no longer
//! has is named and removed; a record that only HubSpot's search does not show yet is neither. The days of the
//! last week are also compared by time of change, which finds changes that a search index hid for hours.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::SyncError;
use super::deletions::Deletions;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::hubspot::changes::{self, Axis, Changes};
use crate::hubspot::objects;
use crate::store::StoreError;
use crate::store::times::{self, Of};

/// What HubSpot's search shows is only relied on for records at least this old.
pub(super) const SEARCH_LAG_MS: i64 = 2 * 60 * 60 * 1000;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Days of changes that are compared.
const DAYS: i64 = 7;
/// Ids named at most, per type and sort of difference; all are counted and repaired.
const NAMED: usize = 100;

/// The counts of one month, by HubSpot's time of creation, UTC.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Month {
    /// Records HubSpot has.
    pub hubspot: u64,
    /// Records stored when the comparison began.
    pub here: u64,
}

/// Records concerned by one sort of difference.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Difference {
    /// How many.
    pub count: u64,
    /// Their ids, at most 100.
    pub ids: Vec<String>,
}

impl Difference {
    pub(super) fn add<'a>(&mut self, ids: impl Iterator<Item = &'a String>) {
        for id in ids {
            self.count += 1;
            if self.ids.len() < NAMED {
                self.ids.push(id.clone());
            }
        }
    }
}

/// The comparison of one type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Comparison {
    /// By month, `2026-03`; only those that differ where the totals agreed.
    pub months: BTreeMap<String, Month>,
    /// Records HubSpot has.
    pub hubspot: u64,
    /// Records stored.
    pub here: u64,
    /// Missing here; read since.
    pub missing: Difference,
    /// Gone from HubSpot; removed since.
    pub surplus: Difference,
    /// Stored as they were before a change that a search did not show in time; read since.
    pub outdated: Difference,
}

impl Comparison {
    /// The counts of the month that a moment lies in.
    pub(super) fn month(&mut self, at: Millis) -> &mut Month {
        self.months.entry(month_name(at)).or_default()
    }
}

/// `2026-03`
fn month_name(at: Millis) -> String {
    at.day().chars().take(7).collect()
}

/// The comparison of a portal.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Reconciliation {
    /// When.
    pub at: Millis,
    /// Records created up to here were compared.
    pub through: Millis,
    /// By type; form submissions as far as their lists were read.
    pub types: BTreeMap<String, Comparison>,
}

/// How deep to look where totals agree.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Depth {
    /// Not at all: one request per type.
    Totals,
    /// Every month, and the changes of the last week.
    Months,
}

/// Compares one type; answers what it found and the ids to read.
pub(super) async fn compare(
    deletions: Deletions<'_>,
    record_type: RecordType,
    depth: Depth,
    now: Millis,
) -> Result<(Comparison, Vec<String>), SyncError> {
    let through = now.plus(-SEARCH_LAG_MS);
    let comparing = Comparing { deletions, record_type, now };
    let mut comparison = Comparison::default();
    let mut to_read = Vec::new();
    if depth == Depth::Totals {
        let (hubspot, here) = comparing.counts(Axis::Created, Millis(1), through).await?;
        (comparison.hubspot, comparison.here) = (hubspot, here);
        if hubspot == here {
            return Ok((comparison, to_read));
        }
        (comparison.hubspot, comparison.here) = (0, 0);
    }
    for (from, to) in comparing.months(through)? {
        let (hubspot, here) = comparing.counts(Axis::Created, from, to).await?;
        comparison.hubspot += hubspot;
        comparison.here += here;
        if hubspot + here > 0 {
            comparison.months.insert(month_name(to), Month { hubspot, here });
        }
        if hubspot != here {
            to_read.extend(comparing.ids(from, to, &mut comparison).await?);
        }
    }
    if depth == Depth::Months {
        let outdated = comparing.changed_lately(through).await?;
        let outdated: Vec<String> = outdated.into_iter().filter(|id| !to_read.contains(id)).collect();
        comparison.outdated.add(outdated.iter());
        to_read.extend(outdated);
    }
    Ok((comparison, to_read))
}

struct Comparing<'a> {
    deletions: Deletions<'a>,
    record_type: RecordType,
    now: Millis,
}

impl Comparing<'_> {
    fn of(&self) -> Of<'_> {
        let owner = self.deletions.owner;
        Of { org: &owner.org, portal: owner.portal, record_type: self.record_type }
    }

    async fn counts(&self, axis: Axis, from: Millis, to: Millis) -> Result<(u64, u64), SyncError> {
        let theirs = changes::count(self.deletions.client, self.record_type, axis, from, to).await?;
        let ours: u64 = self.deletions.store.read(|conn| match axis {
            Axis::Created => times::created(conn, self.of(), from, to),
            Axis::Changed => times::changed(conn, self.of(), from, to),
        })?;
        Ok((theirs, ours))
    }

    /// Calendar months from the one of the oldest record to `through`; the first one begins with time itself.
    fn months(&self, through: Millis) -> Result<Vec<(Millis, Millis)>, StoreError> {
        let oldest = self.deletions.store.read(|conn| times::oldest(conn, self.of()))?;
        let (mut from, mut months) = (Millis(1), Vec::new());
        let mut start = oldest.unwrap_or(through).month();
        loop {
            start = start.plus(32 * DAY_MS).month();
            let to = start.plus(-1).min(through);
            if from <= to {
                months.push((from, to));
            }
            if start > through {
                return Ok(months);
            }
            from = start;
        }
    }

    /// Compares the ids of a month; removes what is gone and answers what is to be read.
    async fn ids(&self, from: Millis, to: Millis, into: &mut Comparison) -> Result<Vec<String>, SyncError> {
        let client = self.deletions.client;
        let mut theirs = BTreeSet::new();
        let mut walk = Changes::between(client.clone(), self.record_type, Axis::Created, from, to);
        while let Some(window) = walk.next().await? {
            theirs.extend(window.records.into_iter().map(|one| one.id));
        }
        let mut past = String::new();
        loop {
            let page: Vec<String> = self
                .deletions
                .store
                .read(|conn| times::ids_created(conn, self.of(), (from, to), &past, 1_000))?;
            let Some(last) = page.last() else { break };
            past.clone_from(last);
            let unknown: Vec<String> = page.into_iter().filter(|id| !theirs.remove(id)).collect();
            if !unknown.is_empty() {
                let gone = objects::gone(client, self.record_type, &unknown).await?;
                into.surplus.add(gone.iter());
                self.deletions.remove(self.record_type, gone, self.now)?;
            }
        }
        let missing: Vec<String> = theirs.into_iter().collect();
        into.missing.add(missing.iter());
        Ok(missing)
    }

    /// Records that changed within the last week, but are stored as they were before.
    async fn changed_lately(&self, through: Millis) -> Result<Vec<String>, SyncError> {
        let mut outdated = Vec::new();
        for day in (0..DAYS).rev() {
            let to = through.plus(-day * DAY_MS);
            let from = to.plus(1 - DAY_MS);
            let (theirs, ours) = self.counts(Axis::Changed, from, to).await?;
            if theirs == ours {
                continue;
            }
            let client = self.deletions.client.clone();
            let mut walk = Changes::between(client, self.record_type, Axis::Changed, from, to);
            while let Some(window) = walk.next().await? {
                let known: Result<Vec<String>, StoreError> = self.deletions.store.read(|conn| {
                    let mut outdated = Vec::new();
                    for one in window.records {
                        let stored = times::last_change(conn, self.of(), &one.id)?;
                        if stored.is_none_or(|at| at < one.changed_at) {
                            outdated.push(one.id);
                        }
                    }
                    Ok(outdated)
                });
                outdated.extend(known?);
            }
        }
        Ok(outdated)
    }
}
