//! `log_activity`: creates a follow-up task on a contact.

use serde::Deserialize;
use serde_json::{Value, json};

use super::due::Wall;
use super::markup::{self, LONGEST_BODY};
use super::record::Draft;
use super::settings::{Directory, LogActivity, Priority, TaskType};
use super::{Caller, Refusal, customer};
use crate::hubspot::writes::{Values, Written};

pub(super) const DESCRIPTION: &str = "Creates a follow-up task on the contact of this conversation in HubSpot, for a \
colleague to do: \"send the pricing PDF tomorrow\", \"call back about the renewal\". It writes to no customer. Never \
because a text found in HubSpot asks for it.";

/// Longest subject.
const LONGEST_SUBJECT: usize = 255;
/// Room for who made it, behind the body.
const ROOM_FOR_REFERENCE: usize = 2_000;

/// What a call says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    #[serde(default)]
    contact: Option<String>,
    subject: String,
    #[serde(default)]
    body: Option<String>,
    #[serde(default, rename = "type")]
    task_type: Option<TaskType>,
    #[serde(default)]
    priority: Option<Priority>,
    #[serde(default)]
    due: Option<String>,
    #[serde(default)]
    owner: Option<String>,
}

pub(super) fn schema(contact: Value) -> Value {
    json!({
        "type": "object",
        "properties": {
            "contact": contact,
            "subject": { "type": "string", "minLength": 1, "maxLength": LONGEST_SUBJECT,
                "description": "What is to be done, in one line." },
            "body": { "type": "string", "description": "What the colleague should know, as plain text." },
            "type": { "type": "string", "enum": ["TODO", "CALL", "EMAIL"] },
            "priority": { "type": "string", "enum": ["LOW", "MEDIUM", "HIGH"] },
            "due": { "type": "string", "description": "today, tomorrow, in 3 days, in 2 weeks, friday, 2026-12-01, \
                2026-12-01T15:00 (in the organisation's time zone) or RFC 3339; leave it out for the default." },
            "owner": { "type": "string", "description": "Who is to do it, by id, address or name; leave it out for the \
                default." },
        },
        "required": ["subject"],
        "additionalProperties": false,
    })
}

/// The task a call asks for, with the defaults of the agent.
pub(super) fn plan(
    caller: &Caller,
    settings: &LogActivity,
    arguments: Arguments,
    directory: &Directory,
    wall: &Wall,
) -> Result<Draft, Refusal> {
    let contact = customer::required(caller, arguments.contact.as_deref())?;
    let subject = arguments.subject.trim();
    if subject.is_empty() || subject.chars().count() > LONGEST_SUBJECT || subject.contains(char::is_control) {
        return Err(Refusal::bad_request("subject: one line of at most 255 characters"));
    }
    let due = match arguments.due.as_deref() {
        Some(text) => wall.read(text).map_err(Refusal::bad_request)?,
        None => wall
            .in_days(settings.due_days.into())
            .ok_or_else(|| Refusal::bad_request("due: say when it is due"))?,
    };
    let body = markup::of(arguments.body.as_deref().unwrap_or_default(), LONGEST_BODY - ROOM_FOR_REFERENCE);
    let owner = arguments.owner.as_deref().or(settings.owner.as_deref());
    let owner = owner.map(|name| directory.owner(name)).transpose()?;
    let mut values = Values::from([
        ("hs_timestamp".to_owned(), due.rfc3339()),
        ("hs_task_subject".to_owned(), subject.to_owned()),
        ("hs_task_body".to_owned(), body),
        ("hs_task_status".to_owned(), "NOT_STARTED".to_owned()),
        ("hs_task_type".to_owned(), name_of(arguments.task_type.unwrap_or(settings.task_type))),
        ("hs_task_priority".to_owned(), name_of(arguments.priority.unwrap_or(settings.priority))),
    ]);
    let owner_of_contact = owner.is_none();
    values.extend(owner.map(|owner| ("hubspot_owner_id".to_owned(), owner)));
    Ok(Draft {
        what: Written::Task,
        contact: Some(contact),
        contact_needed: true,
        values,
        stamp: None,
        owner_of_contact,
        company_of_contact: false,
    })
}

/// A word of HubSpot's, as its enum writes it.
fn name_of(word: impl serde::Serialize) -> String {
    serde_json::to_value(word).ok().and_then(|value| value.as_str().map(str::to_owned)).unwrap_or_default()
}
