//! The follower: one thread that carries the ledger's changes into the index, in order.
//!
//! A batch is committed with the number of its last change, and only then does the store learn that number:
//! after any crash the index says itself where to go on. An index of another epoch, of another version, or one that
//! claims changes the store does not have, is rebuilt from the store: before anything else or, in a server, beside it.

use std::collections::HashMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use hublore_index::{Change, Embedded, KnowledgeIndex, Position, State};
use serde::Serialize;

use super::rebuild::Progress;
use super::verify::{self, Difference, Verdict};
use super::{KnowledgeError, documents, rebuild};
use crate::domain::ids::OrgId;
use crate::store::{Store, StoreError, ledger, meta};

/// Changes read at once.
const BATCH: i64 = 1_000;
/// Changes that force a commit.
const COMMIT_CHANGES: usize = 5_000;
/// Ledger rows kept below the live position, so that the previous generation can be brought up to date.
const KEPT_FOR_ROLLBACK: u64 = 200_000;
/// Documents a repair notes in one transaction.
const REPAIRED_AT_ONCE: usize = 1_000;
/// The longest sleep without news; a lost wake-up costs no more than this.
const NAP: Duration = Duration::from_millis(500);

/// How long the follower waits before it tries a failed rebuild again.
const RETRY: Duration = Duration::from_secs(5);

/// When an index that cannot be continued is rebuilt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Renewal {
    /// Before the follower is started.
    First,
    /// On the follower's thread, while everything else is answered.
    Beside,
}

/// What follower and rebuild share.
#[derive(Debug)]
pub struct Shared {
    pub(super) store: Store,
    pub(super) index: Arc<Embedded>,
    pub(super) epoch: String,
    /// Held while the live generation is written or swapped.
    pub(super) turn: Mutex<()>,
    /// A running rebuild needs the ledger from here on; `u64::MAX` when there is none.
    pub(super) keep_from: AtomicU64,
    /// Counts swaps and rollbacks: what was added to a generation that is no longer live is gone.
    swaps: AtomicU64,
    applied: Mutex<u64>,
    advanced: Condvar,
    stop: AtomicBool,
    failing: Mutex<Option<String>>,
    /// Held by the one rebuild that may run.
    pub(super) rebuilding: Mutex<()>,
    progress: Mutex<Option<Progress>>,
}

impl Shared {
    pub(super) fn set_progress(&self, progress: Option<Progress>) {
        *self.progress.lock().unwrap_or_else(PoisonError::into_inner) = progress;
    }

    pub(super) fn set_applied(&self, seq: u64) {
        *self.applied.lock().unwrap_or_else(PoisonError::into_inner) = seq;
        self.advanced.notify_all();
    }

    /// Another generation is live; called with the turn held.
    pub(super) fn count_swap(&self) {
        self.swaps.fetch_add(1, Ordering::SeqCst);
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn set_failing(&self, cause: Option<String>) {
        *self.failing.lock().unwrap_or_else(PoisonError::into_inner) = cause;
    }
}

/// The running follower.
#[derive(Debug)]
pub struct Follower {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

impl Follower {
    /// Starts following.
    ///
    /// # Errors
    /// With [`Renewal::First`] those of the rebuild; with [`Renewal::Beside`] it is tried until it succeeds.
    pub fn start(
        store: Store,
        index: Arc<Embedded>,
        epoch: String,
        commit_after: Duration,
        renewal: Renewal,
    ) -> Result<Self, KnowledgeError> {
        let shared = Arc::new(Shared {
            store,
            index,
            epoch,
            turn: Mutex::default(),
            keep_from: AtomicU64::new(u64::MAX),
            swaps: AtomicU64::new(0),
            applied: Mutex::default(),
            advanced: Condvar::new(),
            stop: AtomicBool::new(false),
            failing: Mutex::default(),
            rebuilding: Mutex::default(),
            progress: Mutex::default(),
        });
        if renewal == Renewal::First {
            renew(&shared)?;
        }
        let following = Arc::clone(&shared);
        let thread = std::thread::Builder::new()
            .name("index-follower".to_owned())
            .spawn(move || {
                renew_until_done(&following);
                follow(&following, commit_after);
            })
            .map_err(|error| StoreError::Engine(format!("cannot start the follower thread: {error}")))?;
        Ok(Self { shared, thread: Some(thread) })
    }

    /// Waits until everything stored before this call is searchable.
    pub fn catch_up(&self, limit: Duration) -> Result<(), KnowledgeError> {
        let goal = self.shared.store.read(|conn| ledger::highest(conn))?;
        let applied = self.shared.applied.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.shared.advanced.wait_timeout_while(applied, limit, |applied| *applied < goal);
        let (_applied, timeout) = waited.unwrap_or_else(PoisonError::into_inner);
        if timeout.timed_out() {
            let cause = self.shared.failing.lock().unwrap_or_else(PoisonError::into_inner).clone();
            return Err(KnowledgeError::IndexNotReady(
                cause.unwrap_or_else(|| "it is behind the database".to_owned()),
            ));
        }
        Ok(())
    }

    /// Builds a new generation beside the live one and swaps; `watch` hears how it stands.
    pub fn rebuild(&self, watch: &dyn Fn(Progress)) -> Result<u64, KnowledgeError> {
        rebuild::run(&self.shared, watch)
    }

    /// Writes the documents of one organisation anew.
    pub fn rebuild_org(&self, org: &OrgId, watch: &dyn Fn(Progress)) -> Result<u64, KnowledgeError> {
        rebuild::run_org(&self.shared, org, watch)
    }

    /// How a running rebuild stands; `None` where none runs.
    #[must_use]
    pub fn rebuilding(&self) -> Option<Progress> {
        *self.shared.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Compares index and database, has the follower write anew what differs, and compares again.
    pub fn repair(&self, limit: Duration) -> Result<Repair, KnowledgeError> {
        self.catch_up(limit)?;
        let Shared { store, index, .. } = &*self.shared;
        let found = verify::run(store, &**index)?;
        if found.is_clean() {
            return Ok(Repair { left: found.clone(), found });
        }
        let mut differing: Vec<Difference> = Vec::new();
        verify::differences(store, &**index, &mut |one| differing.push(one))?;
        for some in differing.chunks(REPAIRED_AT_ONCE) {
            let some = some.to_vec();
            store.write(move |conn| verify::touch(conn, &some))?;
        }
        self.catch_up(limit)?;
        Ok(Repair { found, left: verify::run(store, &**index)? })
    }

    /// Swaps back to the generation before the last rebuild; the follower then brings it up to date.
    pub fn rollback(&self) -> Result<(), KnowledgeError> {
        let _turn = self.shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
        self.shared.index.rollback().map_err(|error| match error {
            hublore_index::Error::NoGeneration(_) => {
                KnowledgeError::BadRequest("there is no earlier index to go back to".to_owned())
            }
            other => other.into(),
        })?;
        self.shared.count_swap();
        if can_continue(&self.shared)? {
            return Ok(());
        }
        // Too much happened since; the generation just left is the only current one.
        self.shared.index.rollback()?;
        self.shared.count_swap();
        Err(KnowledgeError::BadRequest(
            "the previous generation is too old to be brought up to date; run `hublore index rebuild` instead".to_owned(),
        ))
    }

    /// Changes that are stored but not yet searchable.
    pub fn lag(&self) -> Result<u64, KnowledgeError> {
        let highest = self.shared.store.read(|conn| ledger::highest(conn))?;
        let applied = *self.shared.applied.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(highest.saturating_sub(applied))
    }
}

/// Logs progress, at most once in a while.
fn told_every(pause: Duration) -> impl Fn(Progress) {
    let told = Mutex::new(Instant::now());
    move |progress| {
        let mut told = told.lock().unwrap_or_else(PoisonError::into_inner);
        if told.elapsed() >= pause {
            *told = Instant::now();
            let Progress { done, total, per_second, seconds_left } = progress;
            tracing::warn!(
                "rebuilding the index: {done} of {total}, {per_second:.0}/s, {seconds_left:.0} s left"
            );
        }
    }
}

/// What a repair found, and what is left.
#[derive(Debug, Clone, Serialize)]
pub struct Repair {
    /// Before.
    pub found: Verdict,
    /// After.
    pub left: Verdict,
}

impl Drop for Follower {
    fn drop(&mut self) {
        self.shared.stop.store(true, Ordering::Relaxed);
        if let Ok(signal) = self.shared.store.signal() {
            signal.ring();
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Rebuilds an index that cannot be continued.
fn renew(shared: &Shared) -> Result<(), KnowledgeError> {
    if !can_continue(shared)? {
        tracing::warn!(state = ?shared.index.state(), "the index is rebuilt from the database");
        rebuild::run(shared, &told_every(Duration::from_secs(10)))?;
    }
    shared.set_applied(shared.index.position().map_or(0, |position| position.seq));
    Ok(())
}

fn renew_until_done(shared: &Shared) {
    while !shared.is_stopping() {
        let Err(error) = renew(shared) else {
            shared.set_failing(None);
            return;
        };
        if shared.is_stopping() {
            return;
        }
        tracing::error!(%error, "the index could not be rebuilt; trying again");
        shared.set_failing(Some(error.to_string()));
        let failed = Instant::now();
        while !shared.is_stopping() && failed.elapsed() < RETRY {
            std::thread::sleep(NAP);
        }
    }
}

/// Whether the index can be continued from its own position with what the ledger still holds.
fn can_continue(shared: &Shared) -> Result<bool, KnowledgeError> {
    if shared.index.state() != State::Ready {
        return Ok(false);
    }
    // An index that was never written is as good as one at the start of the ledger.
    let start = || Position { epoch: shared.epoch.clone(), seq: 0 };
    let position = shared.index.position().unwrap_or_else(start);
    let (highest, trimmed_to) =
        shared.store.read(|conn| Ok::<_, StoreError>((ledger::highest(conn)?, ledger::lowest(conn)?)))?;
    let known = position.epoch == shared.epoch && position.seq <= highest;
    let replayable = position.seq + 1 >= trimmed_to;
    Ok(known && replayable)
}

/// Changes taken into the index but not committed yet.
#[derive(Default)]
struct Uncommitted {
    changes: usize,
    last_seq: u64,
    since: Option<Instant>,
    swap: u64,
}

fn follow(shared: &Shared, commit_after: Duration) {
    let Ok(signal) = shared.store.signal() else {
        return;
    };
    let mut uncommitted = Uncommitted::default();
    while !shared.is_stopping() {
        let seen = signal.count();
        match step(shared, &mut uncommitted, commit_after) {
            Ok(true) => {}
            Ok(false) => {
                let due = uncommitted.since.map(|since| commit_after.saturating_sub(since.elapsed()));
                let _ = signal.wait_past(seen, due.unwrap_or(NAP).max(Duration::from_millis(1)));
            }
            Err(error) => {
                tracing::error!(%error, "the index could not follow; trying again");
                shared.set_failing(Some(error.to_string()));
                uncommitted = Uncommitted::default();
                std::thread::sleep(NAP);
            }
        }
    }
    if uncommitted.changes > 0 {
        // What is not committed now is replayed at the next start; committing saves the work.
        let _ = commit(shared, &mut uncommitted);
    }
}

/// One round; says whether there may be more to do at once.
fn step(
    shared: &Shared,
    uncommitted: &mut Uncommitted,
    commit_after: Duration,
) -> Result<bool, KnowledgeError> {
    let _turn = shared.turn.lock().unwrap_or_else(PoisonError::into_inner);
    let swap = shared.swaps.load(Ordering::SeqCst);
    if uncommitted.swap != swap {
        *uncommitted = Uncommitted { swap, ..Uncommitted::default() };
    }
    let committed = shared.index.position().map_or(0, |position| position.seq);
    let from = uncommitted.last_seq.max(committed);
    let (changes, last) = shared.store.read(|conn| {
        let rows = ledger::after(conn, from, BATCH)?;
        let last = rows.last().map(|row| row.seq);
        let newest: HashMap<_, _> =
            rows.iter().map(|row| ((row.org.clone(), row.document.clone()), row.seq)).collect();
        let latest =
            rows.iter().filter(|row| newest.get(&(row.org.clone(), row.document.clone())) == Some(&row.seq));
        let changes: Result<Vec<Change>, StoreError> =
            latest.map(|row| documents::change(conn, row)).collect();
        Ok::<_, StoreError>((changes?, last))
    })?;
    if let Some(last) = last {
        shared.index.add(&changes)?;
        uncommitted.changes += changes.len();
        uncommitted.last_seq = last;
        uncommitted.since.get_or_insert_with(Instant::now);
    }
    let waited = uncommitted.since.is_some_and(|since| since.elapsed() >= commit_after);
    if uncommitted.changes >= COMMIT_CHANGES || waited {
        commit(shared, uncommitted)?;
    }
    Ok(last.is_some())
}

fn commit(shared: &Shared, uncommitted: &mut Uncommitted) -> Result<(), KnowledgeError> {
    let seq = uncommitted.last_seq;
    shared.index.commit(&Position { epoch: shared.epoch.clone(), seq })?;
    *uncommitted = Uncommitted { swap: uncommitted.swap, ..Uncommitted::default() };
    let keep = seq.saturating_sub(KEPT_FOR_ROLLBACK).min(shared.keep_from.load(Ordering::SeqCst));
    shared.store.write(move |conn| {
        meta::set_indexed_seq(conn, seq)?;
        ledger::trim_below(conn, keep)
    })?;
    shared.set_failing(None);
    shared.set_applied(seq);
    Ok(())
}
