//! The one writer: a thread that groups waiting jobs into one durable transaction.
//!
//! An fsync costs the same for one row and for ten thousand, so jobs that arrive while one commit runs share
//! the next. Each job runs in its own savepoint: a failing one is undone alone. A job is answered only after
//! the commit returned, so an answer means "on disk". Not here: what the jobs do.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use super::StoreError;
use super::conn::Conn;
use super::sqlite::Sqlite;

/// Jobs that share one transaction at most.
const GROUP: usize = 512;
/// Jobs that may wait before callers block.
const QUEUE: usize = 1024;

/// Answers a job once the fate of its group is known.
type Reply = Box<dyn FnOnce(Result<(), StoreError>) + Send>;
/// Runs inside the transaction; says whether its changes stay, and how to answer.
type Job = Box<dyn FnOnce(&mut dyn Conn) -> (bool, Reply) + Send>;

/// Counts commits; a follower sleeps on it until there is something new.
#[derive(Debug, Default)]
pub struct Signal {
    commits: Mutex<u64>,
    changed: Condvar,
}

impl Signal {
    /// Wakes every waiter.
    pub fn ring(&self) {
        *self.commits.lock().unwrap_or_else(PoisonError::into_inner) += 1;
        self.changed.notify_all();
    }

    /// The number of commits so far.
    #[must_use]
    pub fn count(&self) -> u64 {
        *self.commits.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits until there are more commits than `seen`, at most `limit`; answers the number.
    #[must_use]
    pub fn wait_past(&self, seen: u64, limit: Duration) -> u64 {
        let commits = self.commits.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(commits, limit, |commits| *commits <= seen);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

/// The log beside the database holds what commits overwrote in it, until it is emptied.
#[derive(Debug, Clone, Default)]
pub(super) struct Log(Arc<AtomicBool>);

impl Log {
    /// For a job that erases: the commit it is part of is followed by an emptying, before the job is answered.
    pub(super) fn empty_after_this_commit(&self) {
        self.0.store(true, Ordering::SeqCst);
    }

    /// Empties the log if that is due; while somebody reads from it, the next commit tries again.
    fn settle(&self, sqlite: &Sqlite) {
        if self.0.load(Ordering::SeqCst) && sqlite.empty_log().unwrap_or(false) {
            self.0.store(false, Ordering::SeqCst);
        }
    }
}

pub(super) struct Writer {
    jobs: Option<SyncSender<Job>>,
    signal: Arc<Signal>,
    log: Log,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start(sqlite: Sqlite) -> Result<Self, StoreError> {
        let (jobs, waiting) = sync_channel(QUEUE);
        let signal = Arc::new(Signal::default());
        let rung = Arc::clone(&signal);
        let log = Log::default();
        let asked = log.clone();
        let thread = std::thread::Builder::new()
            .name("store-writer".to_owned())
            .spawn(move || serve(sqlite, &waiting, &rung, &asked))
            .map_err(|error| StoreError::Engine(format!("cannot start the writer thread: {error}")))?;
        Ok(Self { jobs: Some(jobs), signal, log, thread: Some(thread) })
    }

    pub(super) fn signal(&self) -> Arc<Signal> {
        Arc::clone(&self.signal)
    }

    pub(super) fn log(&self) -> Log {
        self.log.clone()
    }

    pub(super) fn run<T, E>(
        &self,
        work: impl FnOnce(&mut dyn Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let (answer, answered) = sync_channel(1);
        let job: Job = Box::new(move |conn| {
            let result = work(conn);
            let keep = result.is_ok();
            let reply: Reply = Box::new(move |fate| {
                // A caller that went away no longer wants the answer.
                let _ = answer.send(result.and_then(|value| fate.map(|()| value).map_err(E::from)));
            });
            (keep, reply)
        });
        let jobs = self.jobs.as_ref().ok_or(StoreError::Stopped)?;
        jobs.send(job).map_err(|_| StoreError::Stopped)?;
        answered.recv().map_err(|_| StoreError::Stopped)?
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.jobs = None;
        if let Some(thread) = self.thread.take() {
            // The last handle may be dropped by a job; a thread cannot wait for itself.
            if thread.thread().id() != std::thread::current().id() {
                let _ = thread.join();
            }
        }
    }
}

fn serve(mut sqlite: Sqlite, waiting: &Receiver<Job>, signal: &Signal, log: &Log) {
    while let Ok(first) = waiting.recv() {
        let jobs = std::iter::once(first).chain(waiting.try_iter().take(GROUP - 1));
        let (replies, fate) = run_group(&mut sqlite, jobs);
        if fate.is_ok() {
            log.settle(&sqlite);
            signal.ring();
        }
        for reply in replies {
            reply(fate.clone());
        }
    }
}

fn run_group(sqlite: &mut Sqlite, jobs: impl Iterator<Item = Job>) -> (Vec<Reply>, Result<(), StoreError>) {
    let mut fate = sqlite.execute("begin immediate", &[]).map(drop);
    let mut replies = Vec::new();
    for job in jobs {
        let (outcome, reply) = run_job(sqlite, job);
        replies.push(reply);
        fate = fate.and(outcome);
    }
    let fate = fate.and_then(|()| sqlite.execute("commit", &[]).map(drop));
    if fate.is_err() {
        // After an I/O error SQLite may already have rolled back; then this says so and changes nothing.
        let _ = sqlite.execute("rollback", &[]);
    }
    (replies, fate)
}

fn run_job(sqlite: &mut Sqlite, job: Job) -> (Result<(), StoreError>, Reply) {
    let begun = sqlite.execute("savepoint job", &[]).map(drop);
    let (keep, reply) = job(sqlite);
    let undone = if keep { Ok(()) } else { sqlite.execute("rollback to job", &[]).map(drop) };
    let ended = sqlite.execute("release job", &[]).map(drop);
    (begun.and(undone).and(ended), reply)
}
