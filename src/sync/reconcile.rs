//! Comparing with HubSpot: which records of each type were created in each month, there and here.
//!
//! Months that one page of a search holds together are compared by their ids; a larger month is counted, and its
//! ids are compared where counts differ. What is missing here is named and read; what HubSpot no longer has is named
//! and removed; a record that only HubSpot's search does not show yet is neither. The days of the last week are
//! compared in the same way by time of change, which finds changes that a search index hid for hours.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::SyncError;
use super::deletions::Deletions;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::hubspot::changes::{self, Axis, Changes, Named, PAGE};
use crate::hubspot::error::HubspotError;
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
    /// By month, `2026-03`; none where only totals were asked for and agreed.
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

/// A stretch of time, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Stretch {
    from: Millis,
    to: Millis,
    /// Records stored of it.
    here: u64,
}

impl Stretch {
    /// Its records are named by the one request that would count them.
    fn fits_a_page(self) -> bool {
        self.here <= PAGE
    }

    /// Joins neighbours as long as one page holds what is stored of them: one request instead of several, and
    /// their ids are compared besides.
    fn join(parts: Vec<Self>) -> Vec<Self> {
        let mut joined: Vec<Self> = Vec::new();
        for part in parts {
            match joined.last_mut() {
                Some(last) if last.here + part.here <= PAGE => {
                    last.to = part.to;
                    last.here += part.here;
                }
                _ => joined.push(part),
            }
        }
        joined
    }
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
    if depth == Depth::Totals {
        let all = comparing.stretch(Axis::Created, Millis(1), through)?;
        let hubspot = comparing.count(Axis::Created, all).await?;
        if hubspot == all.here {
            (comparison.hubspot, comparison.here) = (hubspot, all.here);
            return Ok((comparison, Vec::new()));
        }
    }
    let mut to_read = comparing.created(through, &mut comparison).await?;
    if depth == Depth::Months {
        let outdated = comparing.changed_lately(through).await?;
        let missing: BTreeSet<&String> = to_read.iter().collect();
        let outdated: Vec<String> = outdated.into_iter().filter(|id| !missing.contains(id)).collect();
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

    fn stretch(&self, axis: Axis, from: Millis, to: Millis) -> Result<Stretch, StoreError> {
        let here = self.deletions.store.read(|conn| match axis {
            Axis::Created => times::created(conn, self.of(), from, to),
            Axis::Changed => times::changed(conn, self.of(), from, to),
        })?;
        Ok(Stretch { from, to, here })
    }

    async fn count(&self, axis: Axis, Stretch { from, to, .. }: Stretch) -> Result<u64, HubspotError> {
        changes::count(self.deletions.client, self.record_type, axis, from, to).await
    }

    /// HubSpot counts as many records in a stretch as are stored. Not asked where their names cost no more.
    async fn counts_agree(&self, axis: Axis, stretch: Stretch) -> Result<bool, HubspotError> {
        Ok(!stretch.fits_a_page() && self.count(axis, stretch).await? == stretch.here)
    }

    fn walk(&self, axis: Axis, Stretch { from, to, .. }: Stretch) -> Changes {
        Changes::between(self.deletions.client.clone(), self.record_type, axis, from, to)
    }

    /// Calendar months from the one of the oldest record to `through`; the first one begins with time itself.
    fn months(&self, through: Millis) -> Result<Vec<Stretch>, StoreError> {
        let oldest = self.deletions.store.read(|conn| times::oldest(conn, self.of()))?;
        let (mut from, mut months) = (Millis(1), Vec::new());
        let mut start = oldest.unwrap_or(through).month();
        loop {
            start = start.plus(32 * DAY_MS).month();
            let to = start.plus(-1).min(through);
            if from <= to {
                months.push(self.stretch(Axis::Created, from, to)?);
            }
            if start > through {
                return Ok(months);
            }
            from = start;
        }
    }

    /// Compares all records created up to `through`; removes what is gone and answers what is to be read.
    async fn created(&self, through: Millis, into: &mut Comparison) -> Result<Vec<String>, SyncError> {
        let months = self.months(through)?;
        for month in months.iter().filter(|month| month.here > 0) {
            into.month(month.to).here = month.here;
        }
        let mut missing = Vec::new();
        for stretch in Stretch::join(months) {
            if self.counts_agree(Axis::Created, stretch).await? {
                into.month(stretch.to).hubspot = stretch.here;
            } else {
                missing.extend(self.ids(stretch, into).await?);
            }
        }
        into.hubspot = into.months.values().map(|month| month.hubspot).sum();
        into.here = into.months.values().map(|month| month.here).sum();
        Ok(missing)
    }

    /// Compares the ids of a stretch; removes what is gone and answers what is to be read.
    async fn ids(&self, stretch: Stretch, into: &mut Comparison) -> Result<Vec<String>, SyncError> {
        let mut theirs = BTreeMap::new();
        let mut walk = self.walk(Axis::Created, stretch);
        while let Some(window) = walk.next().await? {
            theirs.extend(window.records.into_iter().map(|one| (one.id, one.created_at)));
        }
        for at in theirs.values() {
            into.month(*at).hubspot += 1;
        }
        let mut past = String::new();
        loop {
            let range = (stretch.from, stretch.to);
            let page: Vec<String> =
                self.deletions.store.read(|conn| times::ids_created(conn, self.of(), range, &past, 1_000))?;
            let Some(last) = page.last() else { break };
            past.clone_from(last);
            let unknown: Vec<String> = page.into_iter().filter(|id| theirs.remove(id).is_none()).collect();
            if !unknown.is_empty() {
                let gone = objects::gone(self.deletions.client, self.record_type, &unknown).await?;
                into.surplus.add(gone.iter());
                self.deletions.remove(self.record_type, gone, self.now)?;
            }
        }
        let missing: Vec<String> = theirs.into_keys().collect();
        into.missing.add(missing.iter());
        Ok(missing)
    }

    /// Records that changed within the last week, but are stored as they were before.
    async fn changed_lately(&self, through: Millis) -> Result<Vec<String>, SyncError> {
        let ends = (0..DAYS).rev().map(|day| through.plus(-day * DAY_MS));
        let days = ends.map(|to| self.stretch(Axis::Changed, to.plus(1 - DAY_MS), to));
        let days: Vec<Stretch> = days.collect::<Result<_, _>>()?;
        let mut outdated = Vec::new();
        for stretch in Stretch::join(days) {
            if self.counts_agree(Axis::Changed, stretch).await? {
                continue;
            }
            let mut walk = self.walk(Axis::Changed, stretch);
            while let Some(window) = walk.next().await? {
                outdated.extend(self.outdated(window.records)?);
            }
        }
        Ok(outdated)
    }

    fn outdated(&self, named: Vec<Named>) -> Result<Vec<String>, StoreError> {
        self.deletions.store.read(|conn| {
            let mut outdated = Vec::new();
            for one in named {
                if times::is_outdated(conn, self.of(), &one.id, one.changed_at)? {
                    outdated.push(one.id);
                }
            }
            Ok(outdated)
        })
    }
}
