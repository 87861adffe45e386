//! Carrying out a call: creating a record, proposing a change, confirming it.
//!
//! The work goes on when the caller hangs up: what was sent is always written down.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;

use super::attempt::{Attempt, Begun, Call, of_hubspot};
use super::deadline::{Began, answered};
use super::plan::{self, Plan};
use super::record::{self, Draft};
use super::update_contact::{self, Change, Confirming};
use super::{ActionError, Actions, Caller, IdempotencyKey, Refusal, customer, gate, settings::Settings};
use crate::domain::action::{Action, Outcome, Reason, Step};
use crate::domain::zone::Zone;
use crate::hubspot::client::Client;
use crate::hubspot::error::WriteError;
use crate::hubspot::writes::{self, Found, Tied, Values};
use crate::store::conn::Conn;
use crate::store::connections::Connection;
use crate::store::crm;
use crate::store::executions::{self, Execution};
use crate::vault::random;

const OWNER: &str = "hubspot_owner_id";
/// HubSpot's own mirror of the primary company, as it is at the moment of the call.
const PRIMARY_COMPANY: &str = "associatedcompanyid";
/// What is asked of the contact of a new record.
const OF_CONTACT: [&str; 2] = [OWNER, PRIMARY_COMPANY];

impl Actions {
    /// Calls an action: creates what it creates, or proposes the change of a contact.
    pub async fn run(
        &self,
        caller: Caller,
        action: Action,
        arguments: Value,
        key: Option<IdempotencyKey>,
    ) -> Result<Value, ActionError> {
        let (this, since, began) = (self.serving(&caller), caller.since, Began::default());
        let told = began.clone();
        answered(since, began, async move { this.run_here(caller, action, arguments, key, told).await }).await
    }

    /// Carries out a proposed change.
    pub async fn confirm(
        &self,
        caller: Caller,
        arguments: Value,
        key: Option<IdempotencyKey>,
    ) -> Result<Value, ActionError> {
        let (this, since, began) = (self.serving(&caller), caller.since, Began::default());
        let told = began.clone();
        answered(since, began, async move { this.confirm_here(caller, arguments, key, told).await }).await
    }

    async fn run_here(
        &self,
        caller: Caller,
        action: Action,
        arguments: Value,
        key: Option<IdempotencyKey>,
        began: Began,
    ) -> Result<Value, ActionError> {
        let step = if action == Action::UpdateContact { Step::Propose } else { Step::Run };
        let row = self
            .row(Call { caller: &caller, action, step, target: None, arguments: &arguments, key })
            .await?;
        let (now, fixed) = (row.started_at, self.limits.time_zone.clone());
        let agent = caller.agent.as_ref().map(|agent| agent.name.clone()).unwrap_or_default();
        let org = caller.org.clone();
        let gates = move |conn: &mut dyn Conn, row: &mut Execution| {
            let (connection, settings) = gate::open(conn, &caller, action)?;
            let portals = || connection.time_zone.as_deref().and_then(Zone::named);
            let zone = fixed.or_else(portals).unwrap_or_else(Zone::utc);
            let plan = plan::of(conn, &caller, (&connection, &settings), arguments, (now, &zone))?;
            row.portal = Some(connection.portal);
            row.customer = plan.customer().map(|address| address.as_str().to_owned());
            Ok((connection, plan))
        };
        match self.begin(row, gates, &began).await? {
            Begun::Known(id) => self.told(&org, &id).await,
            Begun::Fresh(attempt, (connection, Plan::Create(draft))) => {
                self.create(*attempt, &connection, *draft, &agent).await
            }
            Begun::Fresh(attempt, (connection, Plan::Propose(change))) => {
                self.propose(*attempt, &connection, &change).await
            }
        }
    }

    async fn create(
        &self,
        attempt: Attempt,
        connection: &Connection,
        mut draft: Draft,
        agent: &str,
    ) -> Result<Value, ActionError> {
        let mut row = attempt.row.clone();
        let client = match self.client(connection) {
            Ok(client) => client,
            Err(refusal) => return self.give_up(row, Outcome::Failed, refusal).await,
        };
        let contact = match &draft.contact {
            None => None,
            Some(address) => match writes::contact_of(&client, address.as_str(), &OF_CONTACT).await {
                Ok(contact) => contact,
                Err(error) => return self.give_up(row, Outcome::Failed, of_hubspot(&error)).await,
            },
        };
        if contact.is_none() && draft.contact_needed {
            return self.give_up(row, Outcome::Refused, nobody()).await;
        }
        if draft.owner_of_contact
            && let Some(owner) = contact.as_ref().and_then(|one| one.values.get(OWNER))
            && self.is_active(connection, owner).await?
        {
            draft.values.insert(OWNER.to_owned(), owner.clone());
        }
        draft.sign(agent, &row.id);
        row.company = contact
            .as_ref()
            .filter(|_| draft.company_of_contact)
            .and_then(|one| one.values.get(PRIMARY_COMPANY).cloned());
        row.contact = contact.map(|one| one.id);
        row.record_type = Some(draft.what.type_name().to_owned());
        row.stamp = draft.stamp;
        row.written = Some(record::hashes(&draft.values, &Values::new()));
        row.outcome = Outcome::Sending;
        row.sent_at = Some(self.clock.now());
        self.save(&row).await?;
        let tied = Tied { contact: row.contact.as_deref(), company: row.company.as_deref() };
        match writes::create(&client, draft.what, &draft.values, tied).await {
            Ok(found) => {
                row.written = Some(record::hashes(&draft.values, &found.values));
                self.created(row, &found).await
            }
            Err(WriteError::NotDone(error)) => self.give_up(row, Outcome::Failed, of_hubspot(&error)).await,
            Err(WriteError::Unknown(error)) => {
                tracing::warn!(execution = row.id, %error, "the answer to a write got lost; looking in HubSpot");
                self.look_for(&client, row).await
            }
        }
    }

    /// Somebody of that id can be given work: HubSpot refuses a whole record for an owner who left.
    async fn is_active(&self, connection: &Connection, owner: &str) -> Result<bool, ActionError> {
        let (org, portal, owner) = (connection.org.clone(), connection.portal, owner.to_owned());
        self.locally(move |this| {
            let owners = this.store.read(|conn| crm::owners(conn, &org, portal))?;
            Ok(owners.iter().any(|one| one.id == owner))
        })
        .await
    }

    /// HubSpot has the record.
    pub(super) async fn created(&self, mut row: Execution, found: &Found) -> Result<Value, ActionError> {
        row.record = Some(found.id.clone());
        let what = match row.action {
            Action::CreateDeal => "deal",
            Action::LogActivity => "task",
            Action::CreateNote | Action::UpdateContact => "note",
        };
        let tied = match (&row.contact, &row.customer) {
            (Some(_), Some(address)) => match &row.company {
                Some(company) => format!("and tied to {address} and the company {company}"),
                None => format!("and tied to {address}"),
            },
            (None, Some(address)) => {
                format!("without a contact: nobody in HubSpot has the address {address}")
            }
            _ => "without a contact: none was named".to_owned(),
        };
        let message = format!("the {what} {} was created {tied}", found.id);
        self.end(row, Outcome::Done, found.url.as_deref(), &message).await
    }

    async fn propose(
        &self,
        attempt: Attempt,
        connection: &Connection,
        change: &Change,
    ) -> Result<Value, ActionError> {
        let mut row = attempt.row.clone();
        let (contact, value) = match self.looked_up(connection, change).await {
            Ok(found) => found,
            Err((outcome, refusal)) => return self.give_up(row, outcome, refusal).await,
        };
        row.contact = Some(contact.id);
        row.property = Some(change.property.clone());
        row.old_value = contact.values.get(&change.property).cloned();
        row.new_value = Some(value.clone());
        let name = &change.property;
        if row.old_value.as_deref() == Some(&value) {
            let message = format!("{name} is {value} already; there is nothing to change");
            return self.end(row, Outcome::Unchanged, None, &message).await;
        }
        let id = random::<18>().map_err(|error| ActionError::Broken(error.to_string()))?;
        row.confirmation = Some(format!("cnf_{}", URL_SAFE_NO_PAD.encode(id)));
        row.expires_at = Some(self.clock.now().plus(self.limits.confirm_ms));
        let old = row.old_value.as_deref().unwrap_or("not set");
        let message = format!(
            "nothing is changed yet: {name} would go from {old} to {value}. Ask the user; if they say yes, confirm"
        );
        self.end(row, Outcome::Proposed, None, &message).await
    }

    /// The contact as it is now, and the value as HubSpot stores it.
    async fn looked_up(
        &self,
        connection: &Connection,
        change: &Change,
    ) -> Result<(Found, String), (Outcome, Refusal)> {
        let failed = |refusal| (Outcome::Failed, refusal);
        let client = self.client(connection).map_err(failed)?;
        let definition = writes::contact_property(&client, &change.property).await;
        let definition = definition.map_err(|error| failed(of_hubspot(&error)))?.ok_or_else(|| {
            let detail = format!("property: this portal has no `{}`", change.property);
            (Outcome::Refused, Refusal::bad_request(detail))
        })?;
        let value = update_contact::stored_value(&definition, change)
            .map_err(|refusal| (Outcome::Refused, refusal))?;
        let contact = writes::contact_of(&client, change.contact.as_str(), &[&change.property]).await;
        let contact = contact.map_err(|error| failed(of_hubspot(&error)))?;
        Ok((contact.ok_or((Outcome::Refused, nobody()))?, value))
    }

    async fn confirm_here(
        &self,
        caller: Caller,
        arguments: Value,
        key: Option<IdempotencyKey>,
        began: Began,
    ) -> Result<Value, ActionError> {
        let action = Action::UpdateContact;
        // The id of a confirmation opens a door: a row says which proposal it was, not how it is opened.
        let call =
            Call { caller: &caller, action, step: Step::Confirm, target: None, arguments: &arguments, key };
        let row = Execution { arguments: "{}".to_owned(), ..self.row(call).await? };
        let org = caller.org.clone();
        let gates = move |conn: &mut dyn Conn, row: &mut Execution| {
            let (connection, settings) = gate::open(conn, &caller, action)?;
            let Confirming { confirmation } = plan::read(arguments)?;
            let proposal = proposal(conn, &caller, &confirmation, row)?;
            if let (Settings::UpdateContact(settings), Some(property)) = (&settings, &proposal.property) {
                update_contact::allowed(settings, property)?;
            }
            if proposal.portal != Some(connection.portal) {
                return Err(no_confirmation().into());
            }
            row.portal = proposal.portal;
            row.target = Some(proposal.id);
            row.customer = proposal.customer;
            row.contact = proposal.contact;
            row.property = proposal.property;
            row.old_value = proposal.old_value;
            row.new_value = proposal.new_value;
            Ok(connection)
        };
        match self.begin(row, gates, &began).await? {
            Begun::Known(id) => self.told(&org, &id).await,
            Begun::Fresh(attempt, connection) => match self.client(&connection) {
                Ok(client) => self.change(attempt.row.clone(), &client).await,
                Err(refusal) => self.give_up(attempt.row.clone(), Outcome::Failed, refusal).await,
            },
        }
    }

    /// Changes a property from the old value of a row to its new one, and reads back what became of it. Where it is no
    /// longer the old value, nothing is written.
    pub(super) async fn change(&self, mut row: Execution, client: &Client) -> Result<Value, ActionError> {
        let (Some(contact), Some(property)) = (row.contact.clone(), row.property.clone()) else {
            return Err(ActionError::Broken("a change without its contact".to_owned()));
        };
        match writes::read(client, "contacts", &contact, &[&property]).await {
            Err(error) => return self.give_up(row, Outcome::Failed, of_hubspot(&error)).await,
            Ok(None) => return self.give_up(row, Outcome::Failed, gone()).await,
            Ok(Some(now)) if now.values.get(&property) != row.old_value.as_ref() => {
                let detail = format!("{property} was changed since; nothing was written");
                let refusal = Refusal::new(Reason::ChangedSince, detail);
                return self.give_up(row, Outcome::Failed, refusal).await;
            }
            Ok(Some(_)) => {}
        }
        row.outcome = Outcome::Sending;
        row.sent_at = Some(self.clock.now());
        self.save(&row).await?;
        let value = row.new_value.clone().unwrap_or_default();
        match writes::update_contact(client, &contact, &property, &value).await {
            Ok(()) => {}
            Err(WriteError::NotDone(error)) => {
                return self.give_up(row, Outcome::Failed, of_hubspot(&error)).await;
            }
            Err(WriteError::Unknown(error)) => {
                tracing::warn!(execution = row.id, %error, "the answer to a write got lost; looking in HubSpot");
                return self.look_for(client, row).await;
            }
        }
        match writes::read(client, "contacts", &contact, &[&property]).await {
            Ok(Some(now)) => self.read_back(row, now.values.get(&property).cloned()).await,
            _ => self.look_for(client, row).await,
        }
    }

    /// Says what became of a change that HubSpot took.
    pub(super) async fn read_back(
        &self,
        mut row: Execution,
        now: Option<String>,
    ) -> Result<Value, ActionError> {
        let property = row.property.clone().unwrap_or_default();
        let shown = |value: &Option<String>| value.clone().unwrap_or_else(|| "not set".to_owned());
        if now == row.old_value && now != row.new_value {
            let message = format!(
                "not applied: HubSpot accepted the change and kept {property} at {}; a lifecycle stage, for one, does \
                 not move backwards",
                shown(&now)
            );
            return self.end(row, Outcome::NotApplied, None, &message).await;
        }
        let message = match now == row.new_value {
            true => format!("{property} is {} now; it was {}", shown(&now), shown(&row.old_value)),
            false => format!("HubSpot stored {} as {property}", shown(&now)),
        };
        row.new_value = now;
        self.end(row, Outcome::Done, None, &message).await
    }
}

/// The proposal a confirmation belongs to, if this caller may confirm it now.
fn proposal(
    conn: &mut dyn Conn,
    caller: &Caller,
    confirmation: &str,
    row: &Execution,
) -> Result<Execution, ActionError> {
    let found = executions::by_confirmation(conn, &caller.org, confirmation)?;
    let proposal = found.filter(|one| one.agent == row.agent).ok_or_else(no_confirmation)?;
    customer::of(caller, proposal.customer.as_deref())?;
    if executions::on_target(conn, &caller.org, &proposal.id, Step::Confirm)?.is_some() {
        let detail = "this confirmation was used; propose the change again";
        return Err(Refusal::new(Reason::ConfirmationUsed, detail).into());
    }
    if proposal.expires_at.is_none_or(|end| end <= row.started_at) {
        let detail = "this confirmation is too old; propose the change again";
        return Err(Refusal::new(Reason::ConfirmationExpired, detail).into());
    }
    Ok(proposal)
}

fn no_confirmation() -> Refusal {
    Refusal::new(Reason::NoSuchConfirmation, "no such confirmation for this agent; propose the change first")
}

fn nobody() -> Refusal {
    Refusal::new(Reason::NoSuchContact, "nobody in HubSpot has that e-mail address; nothing was written")
}

fn gone() -> Refusal {
    Refusal::new(Reason::ChangedSince, "the contact is gone from HubSpot; nothing was written")
}
