//! Rebuilding the index from the store alone: a new generation beside the live one, caught up, swapped.
//!
//! Searches are answered by the live generation throughout. A crash at any step leaves it live; what was
//! half-built is removed at the next start. One organisation alone is written anew within the live generation:
//! removal and documents become visible in one commit.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;
use std::time::Instant;

use hublore_index::{Change, Generation, KnowledgeIndex, Position};
use serde::{Deserialize, Serialize};

use super::documents::Shelf;
use super::follower::Shared;
use super::{KnowledgeError, documents};
use crate::domain::ids::OrgId;
use crate::store::engagements::{self, ScanKey};
use crate::store::{StoreError, insights, ledger};

/// Rows read at once.
const PAGE: i64 = 1_000;

/// How a rebuild stands.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Progress {
    /// Documents so far.
    pub done: u64,
    /// Documents there were when it began.
    pub total: u64,
    /// Documents a second so far.
    pub per_second: f64,
    /// Seconds left at that rate.
    pub seconds_left: f64,
}

impl Progress {
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52, for people")]
    fn new(done: u64, total: u64, since: Instant) -> Self {
        let per_second = done as f64 / since.elapsed().as_secs_f64().max(0.001);
        let seconds_left = total.saturating_sub(done) as f64 / per_second.max(0.001);
        Self { done, total, per_second, seconds_left: if done == 0 { 0.0 } else { seconds_left } }
    }
}

/// Builds, catches up and swaps; answers the number of documents.
pub fn run(shared: &Shared, watch: &dyn Fn(Progress)) -> Result<u64, KnowledgeError> {
    let begun = shared.rebuilding.try_lock();
    let Ok(_begun) = begun else {
        return Err(KnowledgeError::Busy);
    };
    check_room(shared)?;
    let started_at = shared.store.read(|conn| ledger::highest(conn))?;
    shared.keep_from.store(started_at, Ordering::SeqCst);
    let built = build_and_swap(shared, started_at, watch);
    shared.keep_from.store(u64::MAX, Ordering::SeqCst);
    shared.set_progress(None);
    built
}

fn build_and_swap(shared: &Shared, started_at: u64, watch: &dyn Fn(Progress)) -> Result<u64, KnowledgeError> {
    let generation = shared.index.begin_rebuild()?;
    let total = shared.store.read(|conn| engagements::learned_total(conn))?;
    let filling = Filling { only: None, order: started_at, total, watch };
    let documents = filling.run(shared, &|changes| generation.add(changes))?;
    generation.commit(&position(shared, started_at))?;
    let caught_up = replay(shared, &generation, started_at)?;
    // Merges end before the turn is taken, so that nobody waits for them.
    let generation = generation.settle()?;
    let caught_up = replay(shared, &generation, caught_up)?;
    let _turn = shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
    let caught_up = replay(shared, &generation, caught_up)?;
    shared.index.swap(generation)?;
    shared.count_swap();
    shared.set_applied(caught_up);
    Ok(documents)
}

/// Writes the documents of one organisation anew, in one commit of the live generation; changes wait meanwhile.
pub fn run_org(shared: &Shared, org: &OrgId, watch: &dyn Fn(Progress)) -> Result<u64, KnowledgeError> {
    let begun = shared.rebuilding.try_lock();
    let Ok(_begun) = begun else {
        return Err(KnowledgeError::Busy);
    };
    let total = shared.store.read(|conn| engagements::learned_count(conn, org))?;
    let _turn = shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
    // What is not committed is dropped with the follower's note of it, and replayed.
    shared.count_swap();
    let at = shared.index.position().unwrap_or_else(|| position(shared, 0));
    let index = &*shared.index;
    let rebuilt = index
        .add(&[Change::RemoveOrg { org: org.as_str().to_owned() }])
        .map_err(KnowledgeError::from)
        .and_then(|()| {
            let filling = Filling { only: Some(org), order: at.seq, total, watch };
            filling.run(shared, &|changes| index.add(changes))
        })
        .and_then(|documents| Ok(index.commit(&at).map(|()| documents)?));
    shared.set_progress(None);
    if rebuilt.is_err() {
        // A removal without its documents must never become visible.
        index.discard()?;
    }
    rebuilt
}

/// Documents handed out page by page, of one organisation or of all.
struct Filling<'a> {
    only: Option<&'a OrgId>,
    /// Every change up to here is in them.
    order: u64,
    total: u64,
    watch: &'a dyn Fn(Progress),
}

type Add<'a> = &'a dyn Fn(&[Change]) -> Result<(), hublore_index::Error>;

impl Filling<'_> {
    fn run(&self, shared: &Shared, add: Add<'_>) -> Result<u64, KnowledgeError> {
        let since = Instant::now();
        let done = self.engagements(shared, add, since)?;
        self.insights(shared, add, done, since)
    }

    fn engagements(&self, shared: &Shared, add: Add<'_>, since: Instant) -> Result<u64, KnowledgeError> {
        let mut key = self.only.map_or_else(ScanKey::default, ScanKey::of_org);
        let mut shelf = Shelf::default();
        let mut done = 0;
        loop {
            let (changes, last) = shared.store.read(|conn| {
                let mut page = engagements::scan(conn, &mut key, PAGE)?;
                page.retain(|row| self.only.is_none_or(|org| row.org == *org));
                let last = page.is_empty();
                Ok::<_, StoreError>((shelf.documents(conn, page)?, last))
            })?;
            if last {
                return Ok(done);
            }
            done += self.hand_over(shared, add, &changes, done, since)?;
        }
    }

    fn insights(
        &self,
        shared: &Shared,
        add: Add<'_>,
        mut done: u64,
        since: Instant,
    ) -> Result<u64, KnowledgeError> {
        let mut key = self.only.map_or_else(insights::ScanKey::default, insights::ScanKey::of_org);
        loop {
            let (changes, last) = shared.store.read(|conn| {
                let mut page = insights::scan(conn, &mut key, PAGE)?;
                page.retain(|row| self.only.is_none_or(|org| row.org == *org));
                Ok::<_, StoreError>((documents::of_insights(conn, &page, self.order)?, page.is_empty()))
            })?;
            if last {
                return Ok(done);
            }
            done += self.hand_over(shared, add, &changes, done, since)?;
        }
    }

    /// Gives up where the process is to end: what was built is thrown away and begun again by the next start.
    fn hand_over(
        &self,
        shared: &Shared,
        add: Add<'_>,
        changes: &[Change],
        before: u64,
        since: Instant,
    ) -> Result<u64, KnowledgeError> {
        if shared.is_stopping() {
            return Err(KnowledgeError::Stopping);
        }
        add(changes)?;
        let new = changes.len() as u64;
        let done = before + new;
        let progress = Progress::new(done, self.total.max(done), since);
        shared.set_progress(Some(progress));
        (self.watch)(progress);
        Ok(new)
    }
}

/// Applies the ledger after `from`; answers the number of the last change applied.
fn replay(shared: &Shared, generation: &Generation, mut from: u64) -> Result<u64, KnowledgeError> {
    loop {
        let (changes, last) = shared.store.read(|conn| {
            let rows = ledger::after(conn, from, PAGE)?;
            let last = rows.last().map(|row| row.seq);
            let changes: Result<Vec<Change>, StoreError> =
                rows.iter().map(|row| documents::change(conn, row)).collect();
            Ok::<_, StoreError>((changes?, last))
        })?;
        let Some(last) = last else {
            return Ok(from);
        };
        generation.add(&changes)?;
        generation.commit(&position(shared, last))?;
        from = last;
    }
}

fn position(shared: &Shared, seq: u64) -> Position {
    Position { epoch: shared.epoch.clone(), seq }
}

/// A second generation needs about as much room as the first, plus what merging takes meanwhile.
fn check_room(shared: &Shared) -> Result<(), KnowledgeError> {
    let needed = shared.index.size_bytes().saturating_mul(3) / 2;
    let folder = shared.store.file().parent().unwrap_or_else(|| shared.store.file());
    let Some(free) = rustix::fs::statvfs(folder).ok().map(|fs| fs.f_bavail.saturating_mul(fs.f_frsize))
    else {
        return Ok(());
    };
    if free < needed {
        return Err(KnowledgeError::NoRoom { needed_mb: needed >> 20, free_mb: free >> 20 });
    }
    Ok(())
}
