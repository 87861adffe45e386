//! What a model is told of each action: name, description, schema of its arguments. The one place for HTTP and MCP.

use serde::Serialize;
use serde_json::{Value, json};

use super::settings::Settings;
use super::{ActionError, Actions, Caller, create_deal, create_note, gate, log_activity, update_contact};
use crate::domain::action::Action;
use crate::store::agent_actions;

/// An action as an agent is told of it.
#[derive(Debug, Clone, Serialize)]
pub struct Listed {
    /// Its name.
    pub name: &'static str,
    /// When to use it.
    pub description: &'static str,
    /// JSON schema of its arguments.
    pub input_schema: Value,
    /// It changes something in HubSpot.
    pub mutates: bool,
    /// It takes something away that cannot be brought back.
    pub destructive: bool,
    /// The second call that carries it out, where it takes one.
    pub confirm: Option<Confirm>,
}

/// The call that carries out what was proposed.
#[derive(Debug, Clone, Serialize)]
pub struct Confirm {
    /// Its name.
    pub name: &'static str,
    /// When to use it.
    pub description: &'static str,
    /// JSON schema of its arguments.
    pub input_schema: Value,
}

/// How the contact of a call is said.
fn contact(caller: &Caller) -> Value {
    let bound = caller.agent.as_ref().is_some_and(|agent| agent.customer.is_some());
    let description = match bound || caller.narrowed_to.is_some() {
        true => "Leave it out: it is the customer of this conversation.",
        false => "E-mail address of the contact this conversation is with.",
    };
    json!({ "type": "string", "format": "email", "description": description })
}

/// An action with the settings it has on the caller's agent.
#[must_use]
pub fn listed(caller: &Caller, settings: &Settings) -> Listed {
    let contact = contact(caller);
    let (action, description, input_schema) = match settings {
        Settings::CreateDeal(_) => {
            (Action::CreateDeal, create_deal::DESCRIPTION, create_deal::schema(contact))
        }
        Settings::UpdateContact(one) => {
            (Action::UpdateContact, update_contact::DESCRIPTION, update_contact::schema(contact, one))
        }
        Settings::LogActivity(_) => {
            (Action::LogActivity, log_activity::DESCRIPTION, log_activity::schema(contact))
        }
        Settings::CreateNote(_) => {
            (Action::CreateNote, create_note::DESCRIPTION, create_note::schema(contact))
        }
    };
    let confirm = (action == Action::UpdateContact).then(|| Confirm {
        name: "confirm_update_contact",
        description: update_contact::CONFIRM_DESCRIPTION,
        input_schema: update_contact::confirm_schema(),
    });
    Listed { name: action.as_str(), description, input_schema, mutates: true, destructive: false, confirm }
}

impl Actions {
    /// The actions that this caller may call now.
    pub fn list(&self, caller: &Caller) -> Result<Vec<Listed>, ActionError> {
        let Some(agent) = &caller.agent else { return Ok(Vec::new()) };
        self.store.read(|conn| {
            let mut open = Vec::new();
            for action in agent_actions::enabled(conn, &caller.org, &agent.id)? {
                match gate::open(conn, caller, action) {
                    Ok((_, settings)) => open.push(listed(caller, &settings)),
                    Err(ActionError::Refused(_)) => {}
                    Err(error) => return Err(error),
                }
            }
            Ok(open)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::actions::plan;
    use crate::domain::ids::OrgId;

    /// Whether the arguments of an action can be read.
    fn read(action: Action, arguments: Value) -> Result<(), String> {
        let read = match action {
            Action::CreateDeal => plan::read::<create_deal::Arguments>(arguments).map(drop),
            Action::UpdateContact => plan::read::<update_contact::Arguments>(arguments).map(drop),
            Action::LogActivity => plan::read::<log_activity::Arguments>(arguments).map(drop),
            Action::CreateNote => plan::read::<create_note::Arguments>(arguments).map(drop),
        };
        read.map_err(|refusal| refusal.detail)
    }

    #[test]
    fn what_a_schema_shows_is_what_is_read() {
        let caller = Caller {
            org: OrgId::new("o"),
            agent: None,
            narrowed_to: None,
            since: tokio::time::Instant::now(),
        };
        for action in Action::ALL.iter().copied() {
            let schema = listed(&caller, &Settings::defaults(action)).input_schema;
            let fields = schema["properties"].as_object().unwrap();
            let value = |name: &String| fields[name]["enum"].get(0).cloned().unwrap_or_else(|| json!("x"));
            let all: serde_json::Map<String, Value> =
                fields.keys().map(|name| (name.clone(), value(name))).collect();
            assert_eq!(read(action, Value::Object(all.clone())), Ok(()), "{action:?}");
            for name in schema["required"].as_array().unwrap() {
                let mut without = all.clone();
                without.remove(name.as_str().unwrap());
                assert!(read(action, Value::Object(without)).is_err(), "{action:?} without {name}");
            }
            let mut more = all;
            more.insert("colour".to_owned(), json!("red"));
            let refused = read(action, Value::Object(more)).unwrap_err();
            let (told, known) = refused.split_once("expected ").unwrap();
            assert!(told.contains("colour"), "{refused}");
            assert!(fields.keys().all(|name| known.contains(&format!("`{name}`"))), "{refused}");
            assert_eq!(
                known.matches('`').count(),
                2 * fields.len(),
                "every field is in the schema: {refused}"
            );
        }
    }
}
