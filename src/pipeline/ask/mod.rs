//! Asks the model about stored engagements: for facts in what is learned, for topics of what is held. Answers are kept in
//! the store and what they concern becomes due; that it is judged and distilled again is `apply`.
//!
//! It never stands in the way of reading: nothing in the street waits for it, and every failure leaves an engagement
//! queued with its extractive result.

mod facts;
mod topics;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::Serialize;
use tokio::sync::watch;

use super::policy::{InForce, Policy};
use super::publish::Owner;
use crate::domain::clock::{Clock, Millis};
use crate::domain::ids::DocumentId;
use crate::insights::dates::Day;
use crate::insights::model::answer::Failure;
use crate::insights::model::asking::Outcome;
use crate::insights::model::batch::Waiting;
use crate::insights::model::budget::{Budget, Spent};
use crate::insights::model::dialect::Dialect;
use crate::insights::model::endpoint::Endpoint;
use crate::insights::model::topics::Said;
use crate::store::due;
use crate::store::model::{self as queue, Ended, Task};
use crate::store::{Store, StoreError, ledger, meta, runs};

/// Engagements taken from the queue at once.
const TAKEN: i64 = 256;
/// First pause after a failure; doubles up to [`LONGEST_PAUSE_MS`].
const PAUSE_MS: i64 = 60_000;
const LONGEST_PAUSE_MS: i64 = 24 * 60 * 60 * 1000;
/// After so many tries the engagement is to blame, not the moment: it is not tried again by itself.
const MOST_TRIES: i64 = 8;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;

/// The model and how it may be used.
#[derive(Debug, Clone)]
pub struct Asking {
    /// The endpoint.
    pub endpoint: Endpoint,
    /// Limits.
    pub budget: Budget,
    /// Facts are asked for.
    pub facts: bool,
    /// Topics are asked for.
    pub topics: bool,
}

/// Asks about the engagements of one portal.
#[derive(Debug, Clone)]
pub struct Asker {
    /// Database.
    pub store: Store,
    /// Whose they are.
    pub owner: Owner,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Rules and distillation.
    pub policy: Policy,
    /// The model.
    pub asking: Asking,
    /// What rounds remember of each other.
    pub memory: Arc<Mutex<Memory>>,
}

/// What rounds of one process remember of each other.
#[derive(Debug, Default)]
pub struct Memory {
    /// Position of the ledger up to which the queue is filled.
    filled: Option<u64>,
    /// The endpoint is left alone until then.
    down_until: Option<Millis>,
    /// Rounds in a row that ended because of the endpoint.
    down_rounds: u32,
}

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct Round {
    /// Engagements that were answered, by the model or by what it said before.
    pub answered: u64,
    /// Engagements that failed.
    pub failed: u64,
    /// Engagements that wait because the budget is spent.
    pub over_budget: u64,
    /// Tokens spent.
    pub tokens: u64,
}

impl Round {
    /// Counts another round in.
    pub fn add(&mut self, other: Self) {
        self.answered += other.answered;
        self.failed += other.failed;
        self.over_budget += other.over_budget;
        self.tokens += other.tokens;
    }
}

/// One engagement to be asked about.
#[derive(Debug, Clone)]
struct Job<T> {
    waiting: queue::Waiting,
    key: [u8; 32],
    what: T,
}

type Jobs<T> = Vec<Waiting<Job<T>>>;

/// What is to be written after a batch.
struct Results {
    task: Task,
    customer: String,
    tokens: u64,
    ended: Vec<(queue::Waiting, Ended)>,
    answers: Vec<([u8; 32], String)>,
    verdicts: Vec<(DocumentId, [u8; 32], Said)>,
}

impl Asker {
    /// Asks about everything whose turn it is, until the budget is spent, the endpoint fails or `stop`.
    ///
    /// # Errors
    /// The database.
    pub async fn round(&self, stop: &watch::Receiver<bool>) -> Result<Round, StoreError> {
        let mut round = Round::default();
        let now = self.clock.now();
        if self.memory().down_until.is_some_and(|until| now.0 < until.0) {
            return Ok(round);
        }
        let this = self.clone();
        blocking(move || this.begin()).await?;
        let mut up = true;
        if self.asking.topics {
            up = self.topics(stop, &mut round).await?;
        }
        if self.asking.facts && up {
            up = self.facts(stop, &mut round).await?;
        }
        self.rest(up);
        let this = self.clone();
        blocking(move || this.keep_dialect()).await?;
        Ok(round)
    }

    fn memory(&self) -> MutexGuard<'_, Memory> {
        self.memory.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Leaves an endpoint that is down alone for a while, longer every time.
    fn rest(&self, up: bool) {
        let now = self.clock.now();
        let mut memory = self.memory();
        memory.down_rounds = if up { 0 } else { memory.down_rounds.saturating_add(1) };
        let pause = (PAUSE_MS / 2) << memory.down_rounds.min(5);
        memory.down_until = (!up).then(|| now.plus(pause));
    }

    fn begin(&self) -> Result<(), StoreError> {
        let in_force = self.in_force()?;
        let (owner, facts, topics) = (self.owner.clone(), self.asking.facts, self.asking.topics);
        let asked_as = format!("{} {}", self.asking.endpoint.name(), in_force.distillation.fingerprint());
        let key = format!("model_asked_as:{}:{}", owner.org, owner.portal);
        let dialect_key = self.dialect_key();
        let (dialect, seq) = self
            .store
            .read(|conn| Ok::<_, StoreError>((meta::get(conn, &dialect_key)?, ledger::highest(conn)?)))?;
        if let Some(dialect) = dialect.as_deref().and_then(Dialect::parse)
            && self.asking.endpoint.dialect().is_none()
        {
            self.asking.endpoint.remember(dialect);
        }
        let known = self.store.read(|conn| meta::get(conn, &key))?;
        let mut memory = self.memory();
        if memory.filled == Some(seq) && known.as_ref() == Some(&asked_as) {
            return Ok(());
        }
        self.store.write(move |conn| {
            if known.is_some() && known.as_ref() != Some(&asked_as) {
                queue::start_over(conn, &owner.org, owner.portal)?;
            }
            meta::set(conn, &key, &asked_as)?;
            queue::fill(conn, &owner.org, owner.portal, (facts, topics))
        })?;
        memory.filled = Some(seq);
        Ok(())
    }

    fn in_force(&self) -> Result<InForce, StoreError> {
        self.store.read(|conn| self.policy.read(conn, &self.owner))
    }

    fn dialect_key(&self) -> String {
        format!("model_dialect:{}", self.asking.endpoint.name())
    }

    fn keep_dialect(&self) -> Result<(), StoreError> {
        let Some(dialect) = self.asking.endpoint.dialect() else { return Ok(()) };
        let key = self.dialect_key();
        if self.store.read(|conn| meta::get(conn, &key))?.as_deref() == Some(dialect.as_str()) {
            return Ok(());
        }
        self.store.write(move |conn| meta::set(conn, &key, dialect.as_str()))
    }

    /// The instant and day of now, and the run tokens count for.
    fn now(&self) -> (Millis, i64) {
        let now = self.clock.now();
        (now, i64::from(Day::of_ms(now.0).0))
    }

    fn spent(&self, customer: &str) -> Result<(Spent, String), StoreError> {
        let (_, day) = self.now();
        self.store.read(|conn| {
            let run = runs::newest(conn, &self.owner.org)?.map(|run| run.id).unwrap_or_default();
            let (day, customer, sync) = queue::spent(conn, &self.owner.org, day, customer, &run)?;
            Ok((Spent { day, customer, sync }, run))
        })
    }

    fn next(&self, task: Task) -> Result<Vec<queue::Waiting>, StoreError> {
        let (now, _) = self.now();
        self.store.read(|conn| queue::next(conn, &self.owner.org, self.owner.portal, task, now, TAKEN))
    }

    /// Writes what came of a batch, and makes what was answered due.
    fn write(&self, results: Results) -> Result<(), StoreError> {
        let (now, day) = self.now();
        let (_, run) = self.spent(&results.customer)?;
        let org = self.owner.org.clone();
        self.store.write(move |conn| {
            for (key, items) in &results.answers {
                queue::keep_answer(conn, &org, key, items, now)?;
            }
            for (document, key, said) in &results.verdicts {
                queue::keep_verdict(conn, &org, key, said.code(), document)?;
            }
            if results.tokens > 0 {
                queue::spend(conn, &org, day, &results.customer, &run, results.tokens)?;
            }
            for (one, ended) in &results.ended {
                queue::end(conn, &org, results.task, one, ended)?;
                let again = match results.task {
                    Task::Facts => due::Task::Distil,
                    Task::Topics => due::Task::Judge,
                };
                if matches!(ended, Ended::Done(Some(_))) {
                    due::add(conn, &org, &one.document, again)?;
                }
            }
            Ok::<_, StoreError>(())
        })
    }

    async fn written(&self, results: Results) -> Result<(), StoreError> {
        let this = self.clone();
        blocking(move || this.write(results)).await
    }

    async fn left(&self, customer: &str) -> Result<Spent, StoreError> {
        let (this, customer) = (self.clone(), customer.to_owned());
        blocking(move || this.spent(&customer)).await.map(|(spent, _)| spent)
    }

    /// What becomes of a batch that was asked about; `keep` notes what is remembered of an answer. Says whether the
    /// endpoint is down.
    fn settle<T, A>(
        &self,
        mut results: Results,
        jobs: Jobs<T>,
        outcome: Outcome<A>,
        spent: Spent,
        round: &mut Round,
        keep: impl Fn(&mut Results, &Job<T>, A),
    ) -> (Results, bool) {
        let mut down = false;
        for (Waiting { tokens, what: job, .. }, part) in jobs.into_iter().zip(outcome.parts) {
            let ended = match part {
                Some(Ok(answer)) => {
                    round.answered += 1;
                    keep(&mut results, &job, answer);
                    Ended::Done(Some(job.key))
                }
                Some(Err(failure)) => {
                    round.failed += 1;
                    down |= failure.stops_everything();
                    self.failed(&job.waiting, &failure)
                }
                None => {
                    round.over_budget += 1;
                    self.over_budget(spent, tokens)
                }
            };
            results.ended.push((job.waiting, ended));
        }
        results.tokens = outcome.tokens;
        round.tokens += outcome.tokens;
        (results, down)
    }

    /// How a failure is noted: when it is tried again.
    fn failed(&self, one: &queue::Waiting, failure: &Failure) -> Ended {
        let (now, _) = self.now();
        if one.tries + 1 >= MOST_TRIES && !failure.stops_everything() {
            return Ended::Failed(failure.as_str(), None);
        }
        let doubled = PAUSE_MS << one.tries.clamp(0, 12);
        let asked = match failure {
            Failure::RateLimited(Some(after)) => i64::try_from(after.as_millis()).unwrap_or(PAUSE_MS),
            _ => doubled,
        };
        Ended::Failed(failure.as_str(), Some(now.plus(asked.min(LONGEST_PAUSE_MS))))
    }

    /// The budget is spent: until tomorrow, or, where only that of a sync is, until another may have begun.
    fn over_budget(&self, spent: Spent, tokens: u64) -> Ended {
        let (now, day) = self.now();
        let only_sync = self.asking.budget.allows(Spent { sync: 0, ..spent }, tokens);
        let until = if only_sync { now.plus(10 * PAUSE_MS) } else { Millis((day + 1) * DAY_MS) };
        Ended::Waits("budget", Some(until))
    }
}

/// What is to be asked, and how much of it was answered before.
#[derive(Debug)]
struct Ready<T> {
    open: Jobs<T>,
    known: u64,
}

impl<T> Default for Ready<T> {
    fn default() -> Self {
        Self { open: Vec::new(), known: 0 }
    }
}

impl Results {
    fn of(task: Task, customer: String) -> Self {
        Self { task, customer, tokens: 0, ended: Vec::new(), answers: Vec::new(), verdicts: Vec::new() }
    }
}

/// Runs work on the database off the runtime.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, StoreError> + Send + 'static,
) -> Result<T, StoreError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|panic| Err(StoreError::Engine(format!("work on the model queue ended: {panic}"))))
}
