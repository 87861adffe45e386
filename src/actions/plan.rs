//! What a call asks for, read with the settings of its agent and what is stored of the portal: the last gate before
//! HubSpot is asked.

use serde::de::DeserializeOwned;
use serde_json::Value;

use super::customer::Address;
use super::due::{Wall, time_of_day};
use super::record::Draft;
use super::settings::{Directory, Settings};
use super::update_contact::Change;
use super::{ActionError, Caller, Refusal, create_deal, create_note, log_activity, update_contact};
use crate::domain::clock::Millis;
use crate::domain::zone::Zone;
use crate::store::conn::Conn;
use crate::store::connections::Connection;

/// What is to be done.
#[derive(Debug, Clone)]
pub(super) enum Plan {
    /// A record is created.
    Create(Box<Draft>),
    /// A change is proposed.
    Propose(Change),
}

impl Plan {
    /// Whom it is about.
    pub(super) fn customer(&self) -> Option<&Address> {
        match self {
            Self::Create(draft) => draft.contact.as_ref(),
            Self::Propose(change) => Some(&change.contact),
        }
    }
}

/// Reads arguments; fields that are not known are refused.
pub(super) fn read<T: DeserializeOwned>(arguments: Value) -> Result<T, Refusal> {
    if !arguments.is_object() {
        let detail = "send the arguments as one JSON object, as `GET /api/v1/actions` describes them";
        return Err(Refusal::bad_request(detail));
    }
    serde_json::from_value(arguments).map_err(|error| Refusal::bad_request(error.to_string()))
}

/// The plan of a call.
pub(super) fn of(
    conn: &mut dyn Conn,
    caller: &Caller,
    (connection, settings): (&Connection, &Settings),
    arguments: Value,
    (now, zone): (Millis, &Zone),
) -> Result<Plan, ActionError> {
    let mut directory = || Directory::read(conn, &caller.org, Some(connection.portal));
    let draft = match settings {
        Settings::UpdateContact(settings) => {
            return Ok(Plan::Propose(update_contact::plan(caller, settings, read(arguments)?)?));
        }
        Settings::CreateDeal(settings) => {
            create_deal::plan(caller, settings, read(arguments)?, &directory()?, zone)?
        }
        Settings::LogActivity(settings) => {
            let time = time_of_day(&settings.due_time).unwrap_or_default();
            let wall = Wall { now, zone: zone.clone(), time };
            log_activity::plan(caller, settings, read(arguments)?, &directory()?, &wall)?
        }
        Settings::CreateNote(settings) => create_note::plan(caller, settings, read(arguments)?, now)?,
    };
    Ok(Plan::Create(Box::new(draft)))
}
