//! One attempt from its first row to its last: begun in one transaction with its gates, its key and the limits, ended
//! with an answer or a reason. The same key twice is told what the first call was told.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde::Serialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::time::Instant;

use super::deadline::{Began, SENDS_FOR};
use super::{ActionError, Actions, Caller, IdempotencyKey, Limits, Refusal, audit};
use crate::domain::action::{Action, Outcome, Reason, Step};
use crate::domain::clock::Millis;
use crate::domain::counted::counted;
use crate::domain::ids::OrgId;
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::store::StoreError;
use crate::store::conn::Conn;
use crate::store::connections::Connection;
use crate::store::executions::{self, Execution};
use crate::sync::SyncError;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// How long a second call with the same key waits for the first one.
const PATIENCE: Duration = Duration::from_secs(25);
const LOOK: Duration = Duration::from_millis(50);

/// An attempt that this process works on; others see that it does for as long as it is here.
#[derive(Debug)]
pub(super) struct Attempt {
    pub(super) row: Execution,
    _under_way: UnderWay,
}

#[derive(Debug)]
pub(super) struct UnderWay {
    id: String,
    all: Arc<Mutex<BTreeSet<String>>>,
}

impl Drop for UnderWay {
    fn drop(&mut self) {
        locked(&self.all).remove(&self.id);
    }
}

fn locked(all: &Mutex<BTreeSet<String>>) -> MutexGuard<'_, BTreeSet<String>> {
    all.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What asking to begin led to.
#[derive(Debug)]
pub(super) enum Begun<P> {
    /// Go on.
    Fresh(Box<Attempt>, P),
    /// The key was used for the same before, by this execution.
    Known(String),
}

/// An attempt to be begun.
#[derive(Debug)]
pub(super) struct Call<'a> {
    pub(super) caller: &'a Caller,
    pub(super) action: Action,
    pub(super) step: Step,
    pub(super) target: Option<String>,
    pub(super) arguments: &'a Value,
    pub(super) key: Option<IdempotencyKey>,
}

/// What a caller gets.
#[derive(Debug, Serialize)]
struct Answer<'a> {
    execution: &'a str,
    action: Action,
    step: Step,
    outcome: Outcome,
    message: &'a str,
    contact: Option<Value>,
    company: Option<Value>,
    record: Option<Value>,
    change: Option<Value>,
    confirmation: Option<Value>,
    undo_until: Option<Millis>,
}

impl Actions {
    /// The row an attempt starts as.
    pub(super) async fn row(&self, call: Call<'_>) -> Result<Execution, ActionError> {
        let Call { caller, action, step, target, arguments, key } = call;
        let narrowed = caller.narrowed_to.as_deref().unwrap_or_default();
        let asked = json!([action.as_str(), step.as_str(), &target, arguments, narrowed]);
        let arguments = arguments.clone();
        // A large body takes a while.
        let looked_at = self.locally(move |_| {
            Ok((
                Sha256::digest(asked.to_string().as_bytes()).to_vec(),
                audit::arguments(&arguments).to_string(),
            ))
        });
        let (asked, arguments) = looked_at.await?;
        Ok(Execution {
            id: format!("exe_{}", uuid::Uuid::now_v7().simple()),
            org: caller.org.clone(),
            portal: None,
            agent: caller.agent.as_ref().map(|agent| agent.id.clone()),
            action,
            step,
            target,
            arguments,
            customer: None,
            key: key.map(IdempotencyKey::into_text),
            asked,
            outcome: Outcome::Started,
            reason: None,
            detail: None,
            contact: None,
            company: None,
            record_type: None,
            record: None,
            property: None,
            old_value: None,
            new_value: None,
            written: None,
            stamp: None,
            confirmation: None,
            expires_at: None,
            answer: None,
            started_at: self.clock.now(),
            sent_at: None,
            finished_at: None,
        })
    }

    /// Begins an attempt: key, gates and limits are looked at and the row is written in one transaction. A refusal is
    /// written too.
    pub(super) async fn begin<P: Send + 'static>(
        &self,
        row: Execution,
        gates: impl FnOnce(&mut dyn Conn, &mut Execution) -> Result<P, ActionError> + Send + 'static,
        began: &Began,
    ) -> Result<Begun<P>, ActionError> {
        let under_way =
            self.claim(&row.id).ok_or_else(|| ActionError::Broken("an id came twice".to_owned()))?;
        let decided = self.locally(move |this| {
            let limits = Arc::clone(&this.limits);
            this.store.write(move |conn| {
                let mut row = row;
                if let Some(known) = known(conn, &row, &limits)? {
                    return Ok(known.map(|id| (None, id)));
                }
                let through =
                    gates(conn, &mut row).and_then(|plan| within(conn, &row, &limits).map(|()| plan));
                match through {
                    Ok(plan) => {
                        kept(conn, &row)?;
                        Ok(Ok((Some((row, plan)), String::new())))
                    }
                    Err(ActionError::Refused(refusal)) => refused(conn, row, refusal, &limits).map(Err),
                    Err(error) => Err(error),
                }
            })
        });
        match decided.await? {
            Ok((Some((row, plan)), _)) => {
                began.is(&row.id);
                Ok(Begun::Fresh(Box::new(Attempt { row, _under_way: under_way }), plan))
            }
            Ok((None, id)) => {
                began.is(&id);
                Ok(Begun::Known(id))
            }
            Err(refusal) => Err(refusal.into()),
        }
    }

    /// Stores an attempt before something is sent. Where it was ended elsewhere, nothing is.
    pub(super) async fn save(&self, row: &Execution) -> Result<(), ActionError> {
        if self.put(row).await? {
            return Ok(());
        }
        let detail = "this attempt was ended elsewhere; nothing more is sent";
        Err(Refusal { execution: Some(row.id.clone()), ..Refusal::new(Reason::UnderWay, detail) }.into())
    }

    async fn put(&self, row: &Execution) -> Result<bool, ActionError> {
        let row = row.clone();
        self.locally(move |this| Ok(this.store.write(move |conn| kept(conn, &row))?)).await
    }

    /// Stores how an attempt ended and answers so; one that was ended elsewhere keeps the answer it has.
    async fn ended(&self, row: &Execution, answer: Result<Value, ActionError>) -> Result<Value, ActionError> {
        match self.put(row).await? {
            true => answer,
            false => told(self.stored(&row.org, &row.id).await?),
        }
    }

    /// Ends an attempt that did what it was asked for, or found nothing to do.
    pub(super) async fn end(
        &self,
        mut row: Execution,
        outcome: Outcome,
        url: Option<&str>,
        message: &str,
    ) -> Result<Value, ActionError> {
        row.outcome = outcome;
        row.finished_at = Some(self.clock.now());
        let answer = self.answer(&row, url, message);
        row.answer = Some(answer.to_string());
        row.detail = Some(message.to_owned());
        row.reason = None;
        self.ended(&row, Ok(answer)).await
    }

    /// Ends an attempt that did not, with the reason.
    pub(super) async fn give_up(
        &self,
        mut row: Execution,
        outcome: Outcome,
        mut refusal: Refusal,
    ) -> Result<Value, ActionError> {
        row.outcome = outcome;
        row.reason = Some(refusal.reason);
        row.detail = Some(refusal.detail.clone());
        row.finished_at = Some(self.clock.now());
        if !keeps_key(refusal.reason) {
            row.key = None;
        }
        refusal.execution = Some(row.id.clone());
        self.ended(&row, Err(refusal.into())).await
    }

    fn answer(&self, row: &Execution, url: Option<&str>, message: &str) -> Value {
        let contact = (row.contact.is_some() || row.customer.is_some())
            .then(|| json!({ "id": row.contact, "email": row.customer }));
        let record = row.record.as_ref().map(|id| json!({ "type": row.record_type, "id": id, "url": url }));
        let change = row
            .property
            .as_ref()
            .map(|name| json!({ "property": name, "old_value": row.old_value, "new_value": row.new_value }));
        let confirmation = row.confirmation.as_ref().filter(|_| row.outcome == Outcome::Proposed);
        let answer = Answer {
            execution: &row.id,
            action: row.action,
            step: row.step,
            outcome: row.outcome,
            message,
            contact,
            company: row.company.as_ref().map(|id| json!({ "id": id })),
            record,
            change,
            confirmation: confirmation.map(|id| json!({ "id": id, "expires_at": row.expires_at })),
            undo_until: undo_until(row, self.limits.undo_ms),
        };
        serde_json::to_value(answer).unwrap_or_default()
    }

    /// What an execution was told, waiting for it where it goes on and looking in HubSpot where nobody knows.
    pub(super) async fn told(&self, org: &OrgId, id: &str) -> Result<Value, ActionError> {
        let mut left = PATIENCE;
        loop {
            let claimed = self.claim(id);
            let row = self.stored(org, id).await?;
            if !row.outcome.is_open() {
                return told(row);
            }
            if claimed.is_some() && self.was_looked_up(&row) {
                return told(row);
            }
            if claimed.is_some() {
                return self.settled(row).await;
            }
            if left.is_zero() {
                let detail = "the first call with this key still goes on; ask again with the same key";
                let refusal = Refusal::new(Reason::UnderWay, detail);
                return Err(Refusal { execution: Some(row.id), wait_s: Some(2), ..refusal }.into());
            }
            tokio::time::sleep(LOOK).await;
            left = left.saturating_sub(LOOK);
        }
    }

    pub(super) async fn stored(&self, org: &OrgId, id: &str) -> Result<Execution, ActionError> {
        let (org, id) = (org.clone(), id.to_owned());
        let found = self.locally(move |this| Ok(this.store.read(|conn| executions::get(conn, &org, &id))?));
        found.await?.ok_or_else(|| ActionError::Broken("an execution is gone".to_owned()))
    }

    /// Takes an attempt to work on it; nothing where somebody does.
    pub(super) fn claim(&self, id: &str) -> Option<UnderWay> {
        let taken = locked(&self.under_way).insert(id.to_owned());
        taken.then(|| UnderWay { id: id.to_owned(), all: Arc::clone(&self.under_way) })
    }

    /// A client for an agent, or an operator, that waits.
    pub(super) fn client(&self, connection: &Connection) -> Result<Client, Refusal> {
        let client = self.connector.client(connection).map_err(|error| match error {
            SyncError::Hubspot(error) => of_hubspot(&error),
            other => Refusal::new(Reason::NotConnected, other.to_string()),
        })?;
        let until = self.until.unwrap_or_else(|| Instant::now() + SENDS_FOR);
        Ok(client.for_agent(self.limits.timeout, until))
    }
}

/// Until when an attempt can be taken back, if it wrote something that can.
pub(super) fn undo_until(row: &Execution, undo_ms: i64) -> Option<Millis> {
    let wrote = row.outcome == Outcome::Done && matches!(row.step, Step::Run | Step::Confirm);
    row.finished_at.filter(|_| wrote && undo_ms > 0).map(|at| at.plus(undo_ms))
}

/// What is known of the key of an attempt: nothing, the execution it stands for, or that it stands for something else.
fn known(
    conn: &mut dyn Conn,
    row: &Execution,
    limits: &Limits,
) -> Result<Option<Result<String, Refusal>>, ActionError> {
    let (Some(agent), Some(key)) = (&row.agent, &row.key) else { return Ok(None) };
    let Some(known) = executions::by_key(conn, &row.org, agent, key)? else { return Ok(None) };
    if known.asked == row.asked {
        return Ok(Some(Ok(known.id)));
    }
    let detail = "this Idempotency-Key was used for another call; use a new one for every new intention";
    let refusal = Refusal::new(Reason::IdempotencyKeyReused, detail);
    refused(conn, row.clone(), refusal, limits).map(|refusal| Some(Err(refusal)))
}

/// Stores a row with the words a person may read; `false` where it was ended elsewhere.
fn kept(conn: &mut dyn Conn, row: &Execution) -> Result<bool, StoreError> {
    let detail = row.detail.as_deref().map(audit::sentence);
    executions::put(conn, &Execution { detail, ..row.clone() })
}

/// Writes down that an attempt was refused. An agent that is refused all the time is not written down for ever.
fn refused(
    conn: &mut dyn Conn,
    row: Execution,
    mut refusal: Refusal,
    limits: &Limits,
) -> Result<Refusal, ActionError> {
    if let Some(agent) = &row.agent {
        let refusals = |since| executions::refusals_since(conn, &row.org, agent, since);
        if let Some((most, name, wait_s)) = over(limits, row.started_at, refusals)? {
            let detail = format!(
                "this agent's limit of {} refused in a {name} is used up; try again later",
                counted(most, "call")
            );
            return Ok(Refusal { wait_s: Some(wait_s), ..Refusal::new(Reason::TooManyActions, detail) });
        }
    }
    refusal.execution = Some(row.id.clone());
    let row = Execution {
        portal: None,
        key: None,
        outcome: Outcome::Refused,
        reason: Some(refusal.reason),
        detail: Some(refusal.detail.clone()),
        finished_at: Some(row.started_at),
        ..row
    };
    kept(conn, &row)?;
    Ok(refusal)
}

/// The organisation has not done too much already. An operator who takes something back is not counted against.
fn within(conn: &mut dyn Conn, row: &Execution, limits: &Limits) -> Result<(), ActionError> {
    if row.agent.is_none() {
        return Ok(());
    }
    let done = |since| executions::count_since(conn, &row.org, since);
    let Some((most, name, wait_s)) = over(limits, row.started_at, done)? else { return Ok(()) };
    let detail =
        format!("agents of this organisation may do {} a {name}; try again later", counted(most, "action"));
    Err(Refusal { wait_s: Some(wait_s), ..Refusal::new(Reason::TooManyActions, detail) }.into())
}

/// The limit that is used up, with the name of its span and how long to wait.
fn over(
    limits: &Limits,
    now: Millis,
    mut count: impl FnMut(Millis) -> Result<u64, StoreError>,
) -> Result<Option<(u64, &'static str, u64)>, StoreError> {
    for (span, most, name, wait_s) in
        [(MINUTE_MS, limits.per_minute, "minute", 60), (DAY_MS, limits.per_day, "day", 3_600)]
    {
        if count(now.plus(-span))? >= most {
            return Ok(Some((most, name, wait_s)));
        }
    }
    Ok(None)
}

/// After these the same key stands for the same attempt; after any other nothing was sent and it may be tried again.
fn keeps_key(reason: Reason) -> bool {
    matches!(
        reason,
        Reason::HubspotRefused | Reason::OutcomeUnknown | Reason::NotWritten | Reason::ChangedSince
    )
}

/// What a finished execution was told.
fn told(row: Execution) -> Result<Value, ActionError> {
    match (row.reason, row.answer.as_deref().and_then(|text| serde_json::from_str(text).ok())) {
        (None, Some(answer)) => Ok(answer),
        (reason, _) => {
            let reason = reason.unwrap_or(Reason::OutcomeUnknown);
            let wait_s = row.outcome.is_open().then_some(60);
            let refusal = Refusal::new(reason, row.detail.unwrap_or_default());
            Err(Refusal { execution: Some(row.id), wait_s, ..refusal }.into())
        }
    }
}

/// What an error of HubSpot means for an attempt of which nothing was written.
pub(super) fn of_hubspot(error: &HubspotError) -> Refusal {
    let reason = match error {
        HubspotError::MissingScope { .. } => Reason::MissingScope,
        HubspotError::Revoked(_)
        | HubspotError::Misconfigured(_)
        | HubspotError::ConsentFailed(_)
        | HubspotError::TokensNotStored(_) => Reason::NotConnected,
        HubspotError::NotFound | HubspotError::Refused { .. } => Reason::HubspotRefused,
        HubspotError::Unreachable { .. }
        | HubspotError::Unavailable { .. }
        | HubspotError::DailyLimit
        | HubspotError::AskedToWait { .. }
        | HubspotError::OutOfTime
        | HubspotError::Stopped
        | HubspotError::Unreadable(_) => Reason::HubspotUnavailable,
    };
    if let HubspotError::AskedToWait { status, wait } = error {
        let wait_s = wait.as_secs().max(1);
        let detail = format!("HubSpot asks to wait for {wait_s} s (status {status}); nothing was written");
        return Refusal { wait_s: Some(wait_s), ..Refusal::new(reason, detail) };
    }
    Refusal::new(reason, format!("{error}; nothing was written"))
}
