//! Taking back what an agent did, for a while: the old value is restored, a note, task or deal goes into the bin, and only
//! where nobody changed it since.

use serde_json::{Value, json};

use super::attempt::{Begun, Call, of_hubspot, undo_until};
use super::deadline::{Began, answered};
use super::record;
use super::{ActionError, Actions, Caller, Refusal, customer, gate};
use crate::domain::action::{Outcome, Reason, Step};
use crate::domain::clock::Millis;
use crate::hubspot::client::Client;
use crate::hubspot::error::WriteError;
use crate::hubspot::writes::{self, Written};
use crate::store::conn::Conn;
use crate::store::executions::{self, Execution};

impl Actions {
    /// Takes back an execution: an agent its own, an operator anybody's.
    pub async fn undo(&self, caller: Caller, execution: String) -> Result<Value, ActionError> {
        let (this, since, began) = (self.serving(&caller), caller.since, Began::default());
        let told = began.clone();
        answered(since, began, async move { this.undo_here(caller, execution, told).await }).await
    }

    async fn undo_here(&self, caller: Caller, execution: String, began: Began) -> Result<Value, ActionError> {
        let org = caller.org.clone();
        let found =
            self.locally(move |this| Ok(this.store.read(|conn| executions::get(conn, &org, &execution))?));
        let agent = caller.agent.as_ref().map(|agent| agent.id.clone());
        let own = |one: &Execution| agent.is_none() || one.agent == agent;
        let whose = if agent.is_some() { " of this agent" } else { "" };
        let none = || Refusal::new(Reason::NoSuchExecution, format!("no such execution{whose}"));
        let target = found.await?.filter(own).ok_or_else(none)?;
        let call = Call {
            caller: &caller,
            action: target.action,
            step: Step::Undo,
            target: Some(target.id.clone()),
            arguments: &json!({}),
            key: None,
        };
        let row = self.row(call).await?;
        let until = undo_until(&target, self.limits.undo_ms);
        let gates = move |conn: &mut dyn Conn, row: &mut Execution| {
            let connection = match &caller.agent {
                Some(_) => gate::open(conn, &caller, target.action)?.0,
                None => gate::connected(conn, &caller, target.action)?,
            };
            customer::of(&caller, target.customer.as_deref())?;
            takes_back(conn, &target, row, until)?;
            if target.portal != Some(connection.portal) {
                return Err(nothing("it was done in another portal").into());
            }
            row.portal = target.portal;
            row.customer = target.customer;
            row.contact = target.contact;
            row.record_type = target.record_type;
            row.record = target.record;
            row.written = target.written;
            row.property = target.property;
            row.old_value = target.new_value;
            row.new_value = target.old_value;
            Ok(connection)
        };
        let Begun::Fresh(attempt, connection) = self.begin(row, gates, &began).await? else {
            return Err(ActionError::Broken("an undo has no key".to_owned()));
        };
        let row = attempt.row.clone();
        let client = match self.client(&connection) {
            Ok(client) => client,
            Err(refusal) => return self.give_up(row, Outcome::Failed, refusal).await,
        };
        match row.record_type.as_deref().and_then(Written::parse) {
            None => self.change(row, &client).await,
            Some(what) => self.archive(row, &client, what).await,
        }
    }

    /// Puts a record into the bin that is still as it was written.
    async fn archive(
        &self,
        mut row: Execution,
        client: &Client,
        what: Written,
    ) -> Result<Value, ActionError> {
        let id = row.record.clone().unwrap_or_default();
        let written = record::hashed(row.written.as_deref().unwrap_or_default());
        let names: Vec<&str> = written.keys().map(String::as_str).collect();
        match writes::read(client, what.type_name(), &id, &names).await {
            Err(error) => return self.give_up(row, Outcome::Failed, of_hubspot(&error)).await,
            Ok(None) => return self.archived(row).await,
            Ok(Some(now)) => {
                if let Some(name) = record::changed(&written, &now.values) {
                    let detail = format!("somebody changed {name} of it since; nothing was taken back");
                    let refusal = Refusal::new(Reason::ChangedSince, detail);
                    return self.give_up(row, Outcome::Failed, refusal).await;
                }
            }
        }
        row.outcome = Outcome::Sending;
        row.sent_at = Some(self.clock.now());
        self.save(&row).await?;
        match writes::archive(client, what, &id).await {
            Ok(()) => self.archived(row).await,
            Err(WriteError::NotDone(error)) => self.give_up(row, Outcome::Failed, of_hubspot(&error)).await,
            Err(WriteError::Unknown(_)) => self.look_for(client, row).await,
        }
    }

    /// HubSpot no longer shows the record.
    pub(super) async fn archived(&self, row: Execution) -> Result<Value, ActionError> {
        let id = row.record.clone().unwrap_or_default();
        let message = format!("{id} is in HubSpot's recycle bin; a person can restore it there");
        self.end(row, Outcome::Done, None, &message).await
    }
}

/// Whether an execution can be taken back at all, and by this attempt.
fn takes_back(
    conn: &mut dyn Conn,
    target: &Execution,
    row: &Execution,
    until: Option<Millis>,
) -> Result<(), ActionError> {
    let wrote = target.outcome == Outcome::Done && matches!(target.step, Step::Run | Step::Confirm);
    if !wrote {
        return Err(nothing("it wrote nothing").into());
    }
    if let Some(other) = executions::on_target(conn, &target.org, &target.id, Step::Undo)? {
        let detail = match other.outcome {
            Outcome::Done => "it was taken back already",
            Outcome::NotApplied => "HubSpot does not take it back",
            _ => "it is being taken back",
        };
        return Err(Refusal::new(Reason::AlreadyUndone, detail).into());
    }
    if until.is_none_or(|end| end <= row.started_at) {
        let detail = "it is too late to take it back here; a person can change it in HubSpot";
        return Err(Refusal::new(Reason::UndoWindowOver, detail).into());
    }
    if target.record_type.is_some() && target.written.is_none() {
        return Err(nothing("the person it was about was erased").into());
    }
    Ok(())
}

fn nothing(why: &str) -> Refusal {
    Refusal::new(Reason::NothingToUndo, format!("there is nothing to take back: {why}"))
}
