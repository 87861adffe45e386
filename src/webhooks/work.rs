//! Looking at what was announced, round by round: a batch of records of one type is read from HubSpot, and each is done, due
//! once more, or waits after a failure. Types do not wait for each other. Nothing is given up because of an error, only
//! tried more and more rarely; a restart goes on where the queue stands.
//!
//! One more look is due where the first may not have been the last word: HubSpot ties an engagement to its customer some
//! seconds after it made it; and a sync that goes on meanwhile may hold a page read before, which it stores afterwards.
//! Imports, and more than a burst at once, are left to one run (`jobs::webhooks` starts it), and only what that run did not
//! meet is read by id.

use std::collections::BTreeMap;
use std::sync::PoisonError;
use std::time::Duration;

use tokio::sync::RwLockWriteGuard;

use super::Webhooks;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::event::Reason;
use crate::domain::ids::OrgId;
use crate::pipeline::publish::Owner;
use crate::store::announced::{self, After, Bulk, Waiting};
use crate::store::crm::Tenant;
use crate::store::times::Of;
use crate::store::{StoreError, checkpoints, webhooks};
use crate::sync::SyncError;
use crate::sync::look::{Looked, Seen};

/// Records of one round: a handful of requests.
const AT_ONCE: i64 = 300;
/// How long HubSpot may take to tie an engagement to whom it belongs.
const TIES_MS: i64 = 10_000;
/// The pause before the second try; it doubles, up to the longest.
const FIRST_PAUSE_MS: i64 = 2_000;
const LONGEST_PAUSE_MS: i64 = 600_000;
/// Tries after which one a day is enough: some three quarters of an hour.
const DAILY_AFTER: u32 = 12;
const DAY_MS: i64 = 24 * 60 * 60 * 1000;
/// Tries for a record that HubSpot announced and does not show: some eight minutes. Then the next run finds it.
const PATIENCE: u32 = 8;
/// How often what is old is forgotten.
const TRIM_EVERY_MS: i64 = 60 * 60 * 1000;

/// What a round did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Round {
    /// Records looked at.
    pub looked: u64,
    /// Those of them whose look failed.
    pub failed: u64,
}

/// What there is to do.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Survey {
    /// Types of which records are due.
    pub due: Vec<RecordType>,
    /// What is left to a run, by type.
    pub bulk: Vec<Bulk>,
}

/// What happens to many changes at once.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Burst {
    /// A run reads them.
    LeftToARun,
    /// They are read by id like all others.
    OneByOne,
}

impl Webhooks {
    /// Waits until something arrives, at most `limit`.
    pub async fn wait(&self, limit: Duration) {
        // Either way it is time to look.
        let _ = tokio::time::timeout(limit, self.arrived.notified()).await;
    }

    /// Waits for the end of the rounds that go on; until the answer is dropped there are no others.
    pub async fn stand_still(&self) -> RwLockWriteGuard<'_, ()> {
        self.rounds.write().await
    }

    /// Puts the queue in order and tells what is due. `run_goes_on` tells whether a sync is reading at the moment.
    pub async fn survey(
        &self,
        org: &OrgId,
        burst: Burst,
        run_goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Survey, SyncError> {
        let _round = self.rounds.read().await;
        self.keep_refusals()?;
        self.trim(org)?;
        let owner = Owner { org: org.clone(), portal: self.syncer.admit(org)?.portal };
        self.sort(&owner, burst, run_goes_on())?;
        let now = self.clock.now();
        Ok(self.store.read(|conn| {
            let due = announced::types_due(conn, org, owner.portal, now)?;
            Ok::<_, StoreError>(Survey { due, bulk: announced::bulk(conn, org, owner.portal)? })
        })?)
    }

    /// Looks at what is due of a type; there is one round of a type at a time.
    pub async fn round(
        &self,
        org: &OrgId,
        record_type: RecordType,
        run_goes_on: &(dyn Fn() -> bool + Sync),
    ) -> Result<Round, SyncError> {
        let Some(turn) = self.turns.get(&record_type) else { return Ok(Round::default()) };
        let (_turn, _round) = (turn.lock().await, self.rounds.read().await);
        let owner = Owner { org: org.clone(), portal: self.syncer.admit(org)?.portal };
        let before = run_goes_on();
        let of = Of { org, portal: owner.portal, record_type };
        let due = self.store.read(|conn| announced::due(conn, of, self.clock.now(), AT_ONCE))?;
        if due.is_empty() {
            return Ok(Round::default());
        }
        let records: Vec<_> = due.iter().map(|waiting| waiting.announced.clone()).collect();
        let looked = match self.syncer.look(org, &records).await {
            Err(SyncError::Hubspot(error)) => Looked::nothing(&records, &error),
            looked => looked?,
        };
        let failed = self.settle(&owner, due, looked, before || run_goes_on())?;
        self.follow_up(owner).await?;
        Ok(Round { looked: records.len() as u64, failed })
    }

    /// Names that changed, and engagements whose customer is known now.
    async fn follow_up(&self, owner: Owner) -> Result<(), StoreError> {
        let _one = self.following_up.lock().await;
        let stored = self.syncer.stored(owner);
        let caught_up = tokio::task::spawn_blocking(move || stored.catch_up()).await;
        caught_up.unwrap_or_else(|panic| Err(StoreError::Engine(panic.to_string())))
    }

    /// Moves records between what waits for a run and what is looked at one by one.
    fn sort(&self, owner: &Owner, burst: Burst, run_goes_on: bool) -> Result<(), StoreError> {
        let (org, portal, most) = (&owner.org, owner.portal, self.settings.burst);
        let (many, waits, met) = self.store.read(|conn| {
            let many = burst == Burst::LeftToARun && announced::is_burst(conn, org, portal, most)?;
            let waits = !run_goes_on && announced::waits_for_a_run(conn, org)?;
            let read = checkpoints::watermarks(conn, org)?;
            let bulk = announced::bulk(conn, org, portal)?;
            let met: Vec<_> = bulk.into_iter().filter_map(|bulk| met(&bulk, &read)).collect();
            Ok::<_, StoreError>((many, waits, met))
        })?;
        if !many && !waits && met.is_empty() {
            return Ok(());
        }
        let (owner, now) = (owner.clone(), self.clock.now());
        self.store.write(move |conn| {
            let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
            if waits {
                announced::run_ended(conn, tenant.org, now)?;
            }
            for (record_type, through) in met {
                announced::settle_bulk(conn, tenant, record_type, through)?;
            }
            if many {
                announced::leave_to_a_run(conn, tenant.org, tenant.portal)?;
            }
            Ok(())
        })
    }

    /// Remembers what came of a round; answers how many looks failed.
    fn settle(
        &self,
        owner: &Owner,
        due: Vec<Waiting>,
        mut looked: Looked,
        beside_a_run: bool,
    ) -> Result<u64, StoreError> {
        let now = self.clock.now();
        let mut failed = 0;
        let mut settled = Vec::with_capacity(due.len());
        for waiting in due {
            let key = (waiting.announced.record_type, waiting.announced.id.clone());
            let unanswered = || Seen::Failed("HubSpot's answer does not name it".to_owned());
            let seen = looked.seen.remove(&key).unwrap_or_else(unanswered);
            let after = after(&waiting, seen, beside_a_run, now);
            failed += u64::from(matches!(after, After::Failed(..)));
            settled.push((waiting, after));
        }
        let (owner, besides) = (owner.clone(), looked.besides);
        self.store.write(move |conn| {
            let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
            for (waiting, after) in &settled {
                announced::settle(conn, tenant.org, tenant.portal, waiting, after)?;
            }
            let number = settled.iter().map(|(waiting, _)| waiting.told).max().unwrap_or(0);
            besides.iter().try_for_each(|one| announced::add(conn, tenant, number, one, false))
        })?;
        Ok(failed)
    }

    fn trim(&self, org: &OrgId) -> Result<(), StoreError> {
        let (now, org, keep_ms) = (self.clock.now(), org.clone(), self.settings.keep_ms);
        {
            let mut trimmed = self.trimmed.lock().unwrap_or_else(PoisonError::into_inner);
            if trimmed.is_some_and(|at| now.0 - at.0 < TRIM_EVERY_MS) {
                return Ok(());
            }
            *trimmed = Some(now);
        }
        self.store.write(move |conn| webhooks::trim(conn, &org, keep_ms, now))
    }
}

/// The moment through which a run read a type, where it met some of what was left to it.
fn met(bulk: &Bulk, read: &BTreeMap<String, Millis>) -> Option<(RecordType, Millis)> {
    let through = read.get(bulk.record_type.as_str()).copied()?;
    (bulk.met_from <= through).then_some((bulk.record_type, through))
}

/// What follows from a look.
fn after(waiting: &Waiting, seen: Seen, beside_a_run: bool, now: Millis) -> After {
    let again = now.plus(pause_ms(waiting));
    let forgotten = waiting.announced.reason == Reason::Forgotten;
    let patient = waiting.attempts < PATIENCE;
    match seen {
        Seen::Failed(why) => After::Failed(again, why),
        Seen::There | Seen::TiedToNobody if forgotten && patient => {
            After::Failed(again, "HubSpot still has the contact that is to be forgotten".to_owned())
        }
        Seen::NeverThere if patient => {
            After::Failed(again, "HubSpot announced it and does not show it yet".to_owned())
        }
        Seen::TiedToNobody if waiting.looks == 0 => After::Again(now.plus(TIES_MS)),
        Seen::NeverThere => After::Done,
        Seen::There | Seen::TiedToNobody | Seen::Gone if beside_a_run => After::AfterRun,
        Seen::There | Seen::TiedToNobody | Seen::Gone => After::Done,
    }
}

/// The pause after a failure, longer by up to a quarter: what failed together is not tried together for ever.
fn pause_ms(waiting: &Waiting) -> i64 {
    let doubled = FIRST_PAUSE_MS.saturating_mul(1 << waiting.attempts.min(20)).min(LONGEST_PAUSE_MS);
    let pause = if waiting.attempts < DAILY_AFTER { doubled } else { DAY_MS };
    let mixed = |sum: u64, byte| sum.wrapping_mul(31).wrapping_add(u64::from(byte));
    let drawn = waiting.announced.id.bytes().fold(u64::from(waiting.attempts), mixed) % 256;
    pause + pause / 4 * i64::try_from(drawn).unwrap_or(0) / 256
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::event::Announced;

    fn waiting(reason: Reason, looks: u32, attempts: u32) -> Waiting {
        let announced = Announced { record_type: RecordType::Contacts, id: "1".to_owned(), reason };
        Waiting { announced, told: 1, looks, attempts }
    }

    #[test]
    fn nothing_is_done_before_its_last_word() {
        let now = Millis(1_000_000);
        let of = |reason, looks, attempts, seen, beside| {
            after(&waiting(reason, looks, attempts), seen, beside, now)
        };
        assert_eq!(of(Reason::Changed, 0, 0, Seen::There, false), After::Done);
        assert_eq!(of(Reason::Changed, 0, 0, Seen::There, true), After::AfterRun);
        assert_eq!(of(Reason::Deleted, 0, 0, Seen::Gone, true), After::AfterRun);
        assert_eq!(of(Reason::Changed, 0, 0, Seen::TiedToNobody, true), After::Again(now.plus(TIES_MS)));
        assert_eq!(of(Reason::Changed, 1, 0, Seen::TiedToNobody, false), After::Done);
        assert!(matches!(of(Reason::Changed, 0, 0, Seen::NeverThere, false), After::Failed(..)));
        assert_eq!(of(Reason::Changed, 0, PATIENCE, Seen::NeverThere, false), After::Done);
        assert!(matches!(of(Reason::Forgotten, 0, 0, Seen::There, false), After::Failed(..)));
        let failing = of(Reason::Changed, 0, 1_000, Seen::Failed("down".to_owned()), false);
        let After::Failed(at, _) = failing else { panic!("{failing:?}") };
        assert!((now.plus(DAY_MS)..now.plus(DAY_MS / 4 * 5)).contains(&at), "once a day: {at:?}");
        let pauses = (0..DAILY_AFTER).map(|attempts| pause_ms(&waiting(Reason::Changed, 0, attempts)));
        assert!(pauses.sum::<i64>() < 2 * 60 * 60 * 1000);
    }
}
