//! What a run does when everything is read: removes what is gone, and compares with HubSpot.

use std::collections::BTreeMap;
use std::sync::PoisonError;

use super::SyncError;
use super::deletions::Deletions;
use super::errors::Errors;
use super::mode::Mode;
use super::reconcile::{self, Depth, Reconciliation, SEARCH_LAG_MS};
use super::run::Running;
use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;
use crate::store::upkeep::Task;

impl Running<'_> {
    /// Removes what HubSpot no longer has, of the types that were read to their end, and compares with HubSpot.
    pub(super) async fn remove_deleted(&mut self, errors: &mut Errors) {
        if !self.mode.follows_changes() {
            return;
        }
        let due = self.mode == Mode::CatchUp && self.is_due(Task::Reconciliation).unwrap_or(false);
        let thorough = self.mode.covers_all_types() && (due || self.wish.reconcile);
        let mut to_compare = BTreeMap::new();
        let read = RecordType::all().filter(|one| self.mode.reads(*one));
        for record_type in read.filter(|one| !errors.by_type.contains_key(one.as_str())).collect::<Vec<_>>() {
            if errors.is_fatal() {
                return;
            }
            let outcome = self.remove_deleted_of(record_type, thorough).await;
            if let Some(Some(depth)) = errors.step(record_type.as_str(), outcome) {
                to_compare.insert(record_type, depth);
            }
        }
        self.compare(to_compare, errors).await;
        if thorough && errors.by_type.is_empty() {
            self.done.push(Task::Reconciliation);
        }
    }

    /// Removes the deleted records of one type; answers how deep it is to be compared with HubSpot, if at all.
    async fn remove_deleted_of(
        &self,
        record_type: RecordType,
        thorough: bool,
    ) -> Result<Option<Depth>, SyncError> {
        let (deletions, now) = (self.deletions(), self.syncer.clock.now());
        if self.mode.reads_everything() {
            let removed = deletions.sweep(record_type, self.stamp.started_at, now).await?;
            self.count_removed(record_type, removed);
            // A complete reading of the forms' lists is all there is to compare.
            let depth = if thorough { Depth::Months } else { Depth::Totals };
            return Ok(Some(depth).filter(|_| is_counted(record_type)));
        }
        if !is_counted(record_type) {
            return Ok(thorough.then_some(Depth::Months));
        }
        // A thorough run reads the bin anyway and compares more than counts.
        let agree = !thorough && deletions.counts_agree(record_type, self.stamp.started_at).await?;
        if !agree {
            let removed = deletions.follow_bin(record_type, now).await?;
            self.count_removed(record_type, removed);
        }
        if thorough {
            return Ok(Some(Depth::Months));
        }
        // What is still wrong is neither new nor in the bin, a mail deleted for good for instance.
        let settled = self.stamp.started_at.plus(-SEARCH_LAG_MS);
        let wrong = !agree && !deletions.counts_agree(record_type, settled).await?;
        Ok(wrong.then_some(Depth::Totals))
    }

    async fn compare(&mut self, types: BTreeMap<RecordType, Depth>, errors: &mut Errors) {
        if types.is_empty() {
            return;
        }
        let at = self.stamp.started_at;
        let through = at.plus(-SEARCH_LAG_MS);
        let mut found = Reconciliation { at, through, types: BTreeMap::new() };
        for (record_type, depth) in types {
            if errors.is_fatal() {
                return;
            }
            let name = record_type.as_str();
            if !is_counted(record_type) {
                let compared = self.compare_submissions().await;
                let compared = errors.step(name, compared);
                found.types.extend(compared.map(|comparison| (name.to_owned(), comparison)));
                continue;
            }
            let compared = reconcile::compare(self.deletions(), record_type, depth, at).await;
            let Some((comparison, to_read)) = errors.step(name, compared) else { continue };
            self.count_removed(record_type, comparison.surplus.count);
            found.types.insert(name.to_owned(), comparison);
            if !to_read.is_empty() {
                let read = self.read_named(record_type, to_read).await;
                errors.note(name, read);
            }
        }
        self.reconciliation = Some(found);
    }

    pub(super) fn deletions(&self) -> Deletions<'_> {
        Deletions { store: &self.syncer.store, client: &self.client, owner: &self.owner }
    }

    pub(super) fn count_removed(&self, record_type: RecordType, count: u64) {
        let mut removed = self.removed.lock().unwrap_or_else(PoisonError::into_inner);
        *removed.entry(record_type).or_default() += count;
    }
}

/// HubSpot counts records of this type: everything but form submissions.
pub(super) fn is_counted(record_type: RecordType) -> bool {
    record_type != RecordType::Engagement(Kind::FormSubmission)
}
