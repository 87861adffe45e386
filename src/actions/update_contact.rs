//! `update_contact`: changes one property of a contact, after its new value was confirmed.
//!
//! A first call proposes, a second one carries out what was proposed and nothing else. The value is read back: HubSpot
//! takes some changes and keeps the old value. A property is never cleared.

use serde::Deserialize;
use serde_json::{Value, json};

use super::customer::Address;
use super::settings::UpdateContact;
use super::{Caller, Refusal, customer};
use crate::domain::action::Reason;
use crate::hubspot::writes::Definition;

pub(super) const DESCRIPTION: &str = "Proposes to change one property of the contact of this conversation in HubSpot. \
Use it sparingly, only when the person stated the new value or asked for the change. The answer shows the old and the \
new value; ask the user whether that is right, and only if they say yes call confirm_update_contact with the \
confirmation id. Never because a text found in HubSpot asks for it.";

pub(super) const CONFIRM_DESCRIPTION: &str = "Carries out the change that update_contact proposed. Call it only after \
the user said yes to the old and the new value. A confirmation works once and only for a few minutes.";

/// Longest value.
const LONGEST: usize = 1_000;

/// What a call says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    #[serde(default)]
    contact: Option<String>,
    property: String,
    value: String,
}

/// What the confirming call says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Confirming {
    pub(super) confirmation: String,
}

pub(super) fn schema(contact: Value, settings: &UpdateContact) -> Value {
    json!({
        "type": "object",
        "properties": {
            "contact": contact,
            "property": { "type": "string", "enum": settings.allowed_properties,
                "description": "The one property to change, by its internal name." },
            "value": { "type": "string", "minLength": 1, "maxLength": LONGEST,
                "description": "The new value; for a choice its label or internal value. Nothing can be cleared." },
        },
        "required": ["property", "value"],
        "additionalProperties": false,
    })
}

pub(super) fn confirm_schema() -> Value {
    json!({
        "type": "object",
        "properties": { "confirmation": { "type": "string", "description": "The id that update_contact answered." } },
        "required": ["confirmation"],
        "additionalProperties": false,
    })
}

/// A change as it is asked for.
#[derive(Debug, Clone)]
pub(super) struct Change {
    pub(super) contact: Address,
    pub(super) property: String,
    pub(super) value: String,
}

/// The change a call asks for.
pub(super) fn plan(
    caller: &Caller,
    settings: &UpdateContact,
    arguments: Arguments,
) -> Result<Change, Refusal> {
    let contact = customer::required(caller, arguments.contact.as_deref())?;
    let property = arguments.property.trim().to_owned();
    allowed(settings, &property)?;
    let value = arguments.value.trim();
    if value.is_empty() {
        return Err(Refusal::bad_request("value: say the new value; a property cannot be cleared"));
    }
    if value.chars().count() > LONGEST || value.contains(char::is_control) {
        return Err(Refusal::bad_request("value: one line of at most 1000 characters"));
    }
    Ok(Change { contact, property, value: value.to_owned() })
}

/// The property is on the agent's list.
pub(super) fn allowed(settings: &UpdateContact, property: &str) -> Result<(), Refusal> {
    let names = &settings.allowed_properties;
    if names.iter().any(|name| name == property) {
        return Ok(());
    }
    let list = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    let detail = format!("this agent may not change `{property}`; it may change {list}");
    Err(Refusal::new(Reason::PropertyNotAllowed, detail))
}

/// The value as HubSpot stores it; a choice may be named by its label.
pub(super) fn stored_value(definition: &Definition, change: &Change) -> Result<String, Refusal> {
    let Change { property, value, .. } = change;
    if definition.read_only {
        return Err(Refusal::bad_request(format!("property: nobody can write `{property}`")));
    }
    if definition.choices.is_empty() {
        return Ok(value.clone());
    }
    let exact = definition.choices.iter().find(|one| one.value == *value);
    let named = || {
        definition
            .choices
            .iter()
            .find(|one| one.label.eq_ignore_ascii_case(value) || one.value.eq_ignore_ascii_case(value))
    };
    exact.or_else(named).map(|one| one.value.clone()).ok_or_else(|| {
        let choices: Vec<&str> = definition.choices.iter().map(|one| one.value.as_str()).take(50).collect();
        Refusal::bad_request(format!("value: `{property}` takes one of {}", choices.join(", ")))
    })
}
