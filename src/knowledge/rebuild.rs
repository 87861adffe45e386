//! Rebuilding the index from the store alone: a new generation beside the live one, caught up, swapped.
//!
//! Searches are answered by the live generation throughout. A crash at any step leaves it live; what was
//! half-built is removed at the next start.

use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use hublore_index::{Change, Generation, KnowledgeIndex, Position};

use super::follower::Shared;
use super::{KnowledgeError, documents};
use crate::store::engagements::{self, ScanKey};
use crate::store::{StoreError, ledger};

/// Rows read at once.
const PAGE: i64 = 1_000;

/// Builds, catches up and swaps; answers the number of documents.
pub fn run(shared: &Shared, watch: &dyn Fn(u64)) -> Result<u64, KnowledgeError> {
    check_room(shared)?;
    let started_at = shared.store.read(|conn| ledger::highest(conn))?;
    shared.keep_from.store(started_at, Ordering::SeqCst);
    let built = build_and_swap(shared, started_at, watch);
    shared.keep_from.store(u64::MAX, Ordering::SeqCst);
    built
}

fn build_and_swap(shared: &Shared, started_at: u64, watch: &dyn Fn(u64)) -> Result<u64, KnowledgeError> {
    let generation = shared.index.begin_rebuild()?;
    let documents = fill(shared, &generation, watch)?;
    generation.commit(&position(shared, started_at))?;
    let caught_up = replay(shared, &generation, started_at)?;
    let _turn = shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
    let caught_up = replay(shared, &generation, caught_up)?;
    shared.index.swap(generation)?;
    shared.count_swap();
    shared.set_applied(caught_up);
    Ok(documents)
}

fn fill(shared: &Shared, generation: &Generation, watch: &dyn Fn(u64)) -> Result<u64, KnowledgeError> {
    let (mut key, mut documents) = (ScanKey::default(), 0);
    loop {
        let page = shared.store.read(|conn| {
            let page = engagements::scan(conn, &mut key, PAGE)?;
            let last = page.is_empty();
            Ok::<_, StoreError>((documents::of_page(conn, page)?, last))
        })?;
        let (changes, last) = page;
        if last {
            return Ok(documents);
        }
        generation.add(&changes)?;
        documents += changes.len() as u64;
        watch(documents);
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
    let needed = shared.index.stats().map_or(0, |stats| stats.size_bytes).saturating_mul(3) / 2;
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
