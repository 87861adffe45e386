//! Attempts of which nobody knows how they ended: the answer got lost, or the process died. HubSpot is asked whether it
//! has what was sent; nothing is ever sent again.

use std::time::Duration;

use serde_json::Value;
use tokio::time::Instant;

use super::deadline::SENDS_FOR;
use super::record;
use super::{ActionError, Actions, Refusal};
use crate::domain::action::{Outcome, Reason, Step};
use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::hubspot::writes::{self, Found, Written};
use crate::store::executions::{self, Execution};
use crate::store::{StoreError, connections};

/// Pauses before each look while the caller waits.
const LOOKS: [Duration; 3] = [Duration::ZERO, Duration::from_secs(1), Duration::from_secs(3)];
/// After so long a write is either there or was never made: HubSpot's own timeouts and the lag of its search are over.
const SETTLED_MS: i64 = 120_000;
/// Whoever asks again before so long is told what was seen last.
const LOOK_AGAIN_MS: i64 = 10_000;

/// What HubSpot has of an attempt.
enum Seen {
    /// The record it created.
    Record(Found),
    /// The property it changed, as it is now.
    Value(Option<String>),
    /// That property with another value than it was given and than it had.
    Other(Option<String>),
    /// The contact is not there any more.
    Gone,
    /// The record it put into the bin is there.
    Archived,
    /// Nothing of it.
    Nothing,
}

impl Actions {
    /// Looks up every attempt whose end is not known and that nobody works on.
    pub async fn settle_open(&self, org: &OrgId) -> Result<(), ActionError> {
        let asked = org.clone();
        let open = self.locally(move |this| {
            Ok(this.store.read(|conn| {
                let portal = connections::get(conn, &asked)?.map(|connection| connection.portal);
                executions::open(conn, &asked, portal)
            })?)
        });
        for Execution { id, .. } in open.await? {
            let Some(_claimed) = self.claim(&id) else { continue };
            let row = self.stored(org, &id).await?;
            if !row.outcome.is_open() {
                continue;
            }
            match self.settled(row).await {
                Ok(_) => {
                    tracing::info!(execution = id, "an action whose answer got lost was found in HubSpot")
                }
                Err(ActionError::Refused(refusal)) => {
                    let reason = refusal.reason.as_str();
                    tracing::warn!(execution = id, reason, "an action whose answer got lost");
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }

    /// Forgets attempts that are older than rows are kept.
    pub async fn forget_old(&self, org: &OrgId) -> Result<(), ActionError> {
        let (org, before) = (org.clone(), self.clock.now().plus(-self.limits.keep_ms));
        self.locally(move |this| Ok(this.store.write(move |conn| executions::forget(conn, &org, before))?))
            .await
    }

    /// Looks for what was just sent. Looking goes on when sending is over: it changes nothing, and somebody may ask again.
    pub(super) async fn look_for(&self, client: &Client, row: Execution) -> Result<Value, ActionError> {
        let client = &client.for_agent(self.limits.timeout, Instant::now() + SENDS_FOR);
        let mut told = unknown(&row.id);
        for pause in LOOKS {
            tokio::time::sleep(pause).await;
            match self.seen(client, &row).await {
                Ok(Seen::Nothing) => told = unknown(&row.id),
                Ok(seen) => return self.conclude(row, seen).await,
                Err(error) => {
                    tracing::warn!(execution = row.id, %error, "HubSpot could not be looked at");
                    told = looking(&error);
                }
            }
        }
        self.give_up(row, Outcome::Unknown, told).await
    }

    /// What an open attempt was about, looked up by whoever claimed it; answers as its first call would.
    pub(super) async fn settled(&self, row: Execution) -> Result<Value, ActionError> {
        if row.outcome == Outcome::Started {
            let detail = "it was interrupted before anything was sent; nothing was written";
            return self
                .give_up(row, Outcome::Failed, Refusal::new(Reason::HubspotUnavailable, detail))
                .await;
        }
        let org = row.org.clone();
        let connection = self
            .locally(move |this| Ok(this.store.read(|conn| connections::get(conn, &org))?))
            .await?
            .filter(|connection| Some(connection.portal) == row.portal);
        let Some(connection) = connection else {
            let detail = "whether it was done is not known, and its portal is not connected";
            return Err(open_still(&row, Refusal::new(Reason::OutcomeUnknown, detail)));
        };
        let client = match self.client(&connection) {
            Ok(client) => client,
            Err(refusal) => return Err(open_still(&row, refusal)),
        };
        match self.seen(&client, &row).await {
            Ok(Seen::Nothing) if !self.is_settled(&row) => {
                let id = row.id.clone();
                self.give_up(row, Outcome::Unknown, unknown(&id)).await
            }
            Ok(Seen::Nothing) => {
                let detail = "the answer got lost and HubSpot has nothing of it: it was not done. Call again with a \
                              new Idempotency-Key";
                self.give_up(row, Outcome::Failed, Refusal::new(Reason::NotWritten, detail)).await
            }
            Ok(seen) => self.conclude(row, seen).await,
            Err(error) => self.give_up(row, Outcome::Unknown, looking(&error)).await,
        }
    }

    fn is_settled(&self, row: &Execution) -> bool {
        is_settled(row, self.clock.now())
    }

    /// HubSpot was asked a moment ago, and asking again would tell nothing else.
    pub(super) fn was_looked_up(&self, row: &Execution) -> bool {
        let now = self.clock.now();
        let lately = |at: Millis| now.0 - at.0 < LOOK_AGAIN_MS && is_settled(row, at) == is_settled(row, now);
        row.outcome == Outcome::Unknown && row.finished_at.is_some_and(lately)
    }

    /// What HubSpot has of an attempt.
    async fn seen(&self, client: &Client, row: &Execution) -> Result<Seen, HubspotError> {
        let contact = row.contact.as_deref();
        let what = row.record_type.as_deref().and_then(Written::parse);
        match (row.step, contact, what) {
            (Step::Run, _, Some(what)) => self.created_record(client, row, what).await,
            (Step::Undo, _, Some(what)) => {
                let id = row.record.as_deref().unwrap_or_default();
                let found = writes::read(client, what.type_name(), id, record::names(what)).await?;
                Ok(if found.is_none() { Seen::Archived } else { Seen::Nothing })
            }
            (_, Some(contact), None) => {
                let property = row.property.as_deref().unwrap_or_default();
                let found = writes::read(client, "contacts", contact, &[property]).await?;
                Ok(found.map_or(Seen::Gone, |one| changed(row, one.values.get(property).cloned())))
            }
            _ => Ok(Seen::Nothing),
        }
    }

    async fn created_record(
        &self,
        client: &Client,
        row: &Execution,
        what: Written,
    ) -> Result<Seen, HubspotError> {
        let names = record::names(what);
        let newest = match (&row.contact, what) {
            (Some(contact), _) => writes::newest_of_contact(client, contact, what, names).await?,
            (None, Written::Deal) => writes::newest_deals(client, names).await?,
            (None, Written::Task | Written::Note) => Vec::new(),
        };
        for found in newest.into_iter().filter(|found| record::is_of(what, &found.values, row)) {
            let (one, id) = (row.clone(), found.id.clone());
            let known = self.locally(move |this| {
                let known: Result<bool, StoreError> =
                    this.store.read(|conn| executions::is_of_another(conn, &one, what.type_name(), &id));
                Ok(known?)
            });
            // A note of the same millisecond may be another call's.
            if matches!(known.await, Ok(false)) {
                return Ok(Seen::Record(found));
            }
        }
        Ok(Seen::Nothing)
    }

    async fn conclude(&self, row: Execution, seen: Seen) -> Result<Value, ActionError> {
        match seen {
            Seen::Record(found) => self.created(row, &found).await,
            Seen::Value(value) => self.read_back(row, value).await,
            Seen::Archived => self.archived(row).await,
            Seen::Other(value) => {
                let name = row.property.clone().unwrap_or_default();
                let value = value.unwrap_or_else(|| "not set".to_owned());
                let detail = format!(
                    "the answer got lost, and {name} is {value} now: HubSpot may have written the new value in a form of \
                     its own, or it is somebody else's doing. Look at the contact before you change it again"
                );
                self.give_up(row, Outcome::Failed, Refusal::new(Reason::ChangedSince, detail)).await
            }
            Seen::Gone => {
                let detail = "the answer got lost, and the contact is gone from HubSpot: whether it was changed before \
                              is not known";
                self.give_up(row, Outcome::Failed, Refusal::new(Reason::ChangedSince, detail)).await
            }
            Seen::Nothing => Err(ActionError::Broken("nothing to conclude from".to_owned())),
        }
    }
}

/// What the value of a property says of the change that was sent.
fn changed(row: &Execution, now: Option<String>) -> Seen {
    let same = |one: &Option<String>, other: &Option<String>| match (one, other) {
        (Some(one), Some(other)) => signs(one).eq(signs(other)),
        _ => false,
    };
    if now == row.new_value {
        Seen::Value(now)
    } else if now == row.old_value {
        Seen::Nothing
    } else if same(&now, &row.new_value) {
        Seen::Value(now)
    } else {
        Seen::Other(now)
    }
}

/// A value without the signs that HubSpot adds or drops when it brings a value into its form.
fn signs(value: &str) -> impl Iterator<Item = char> {
    value.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase)
}

fn is_settled(row: &Execution, now: Millis) -> bool {
    row.sent_at.is_none_or(|at| now.0 - at.0 >= SETTLED_MS)
}

/// HubSpot could not be asked whether it has what was sent.
fn looking(error: &HubspotError) -> Refusal {
    let detail = format!(
        "whether it was done is not known: {error}. Nothing is sent twice: ask again with the same Idempotency-Key"
    );
    Refusal { wait_s: Some(60), ..Refusal::new(Reason::OutcomeUnknown, detail) }
}

/// The row stays as it is: there was nothing to be learned now.
fn open_still(row: &Execution, refusal: Refusal) -> ActionError {
    let reason = Reason::OutcomeUnknown;
    Refusal { reason, execution: Some(row.id.clone()), wait_s: Some(60), ..refusal }.into()
}

fn unknown(id: &str) -> Refusal {
    let detail = format!(
        "HubSpot's answer got lost, and it does not have the change yet; whether it comes is known in two minutes. \
         Nothing is sent twice: ask again with the same Idempotency-Key, or look for {id} in the executions"
    );
    Refusal { wait_s: Some(60), ..Refusal::new(Reason::OutcomeUnknown, detail) }
}
