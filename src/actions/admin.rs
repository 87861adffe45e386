//! What an operator sees and sets: actions on an agent with their settings, and the attempts made.

use serde::Serialize;
use serde_json::Value;

use super::attempt::undo_until;
use super::settings::{Directory, Settings, UpdateContact};
use super::{ActionError, Refusal, audit};
use crate::domain::action::{Action, Outcome, Reason, Step};
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::ids::{OrgId, PortalId};
use crate::store::agent_actions::AgentAction;
use crate::store::conn::Conn;
use crate::store::executions::{self, Execution};
use crate::store::{Store, StoreError, agent_actions, agents, connections, properties};

/// Attempts shown at once at most.
const MOST: usize = 500;

/// An action on an agent.
#[derive(Debug, Clone, Serialize)]
pub struct OnAgent {
    /// The action.
    pub action: Action,
    /// The agent may call it.
    pub enabled: bool,
    /// Defaults and scope, as they work.
    pub settings: Settings,
    /// Properties that were just allowed and are none that is read here: a slip, or one that HubSpot alone knows.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub unread_properties: Vec<String>,
}

/// A change of an action on an agent.
#[derive(Debug, Clone)]
pub struct Setting {
    /// Allowed or not.
    pub enabled: bool,
    /// Settings to change, by name; null goes back to the default.
    pub settings: Option<Value>,
}

/// The four actions on an agent.
pub fn of_agent(store: &Store, org: &OrgId, agent: &str) -> Result<Vec<OnAgent>, ActionError> {
    store.read(|conn| {
        exists(conn, org, agent)?;
        Action::ALL.iter().map(|action| on_agent(conn, org, agent, *action)).collect()
    })
}

fn exists(conn: &mut dyn Conn, org: &OrgId, agent: &str) -> Result<(), ActionError> {
    match agents::get(conn, org, agent)?.filter(|found| found.revoked_at.is_none()) {
        Some(_) => Ok(()),
        None => Err(Refusal::bad_request(format!(
            "no active agent `{agent}` here; `hublore agents list` shows them"
        ))
        .into()),
    }
}

fn on_agent(conn: &mut dyn Conn, org: &OrgId, agent: &str, action: Action) -> Result<OnAgent, ActionError> {
    let row = agent_actions::get(conn, org, agent, action)?;
    let settings = row
        .as_ref()
        .map_or_else(|| Settings::defaults(action), |row| Settings::stored(action, &row.settings));
    let enabled = row.is_some_and(|row| row.enabled);
    Ok(OnAgent { action, enabled, settings, unread_properties: Vec::new() })
}

/// Allows or denies an action; settings that are not named stay. Refused where they do not fit the portal.
pub fn set(
    store: &Store,
    org: &OrgId,
    agent: &str,
    action: Action,
    change: Setting,
    now: Millis,
) -> Result<OnAgent, ActionError> {
    let (org, agent) = (org.clone(), agent.to_owned());
    store.write(move |conn| {
        exists(conn, &org, &agent)?;
        let mut settings = on_agent(conn, &org, &agent, action)?.settings;
        let mut unread_properties = Vec::new();
        if let Some(change) = change.settings {
            let portal = match connections::get(conn, &org)? {
                Some(connection) => Some(connection.portal),
                None => connections::portal_of_data(conn, &org)?,
            };
            let merged = merged(serde_json::to_value(&settings).unwrap_or_default(), change)?;
            settings = Settings::parse(action, merged)?.checked(&Directory::read(conn, &org, portal)?)?;
            unread_properties = unread(conn, &org, portal, &settings)?;
        }
        let stored =
            serde_json::to_string(&settings).map_err(|error| ActionError::Broken(error.to_string()))?;
        let row = AgentAction { action, enabled: change.enabled, settings: stored };
        agent_actions::put(conn, &org, &agent, &row, now)?;
        Ok(OnAgent { action, enabled: change.enabled, settings, unread_properties })
    })
}

/// Allowed properties that are neither among the usual ones nor read here.
fn unread(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: Option<PortalId>,
    settings: &Settings,
) -> Result<Vec<String>, StoreError> {
    let (Settings::UpdateContact(settings), Some(portal)) = (settings, portal) else { return Ok(Vec::new()) };
    let mut known = properties::names(conn, org, portal, RecordType::Contacts)?;
    known.extend(UpdateContact::default().allowed_properties);
    Ok(settings.allowed_properties.iter().filter(|name| !known.contains(name)).cloned().collect())
}

/// One object over another; null takes a field out.
fn merged(under: Value, over: Value) -> Result<Value, Refusal> {
    let (Value::Object(mut fields), Value::Object(changes)) = (under, over) else {
        return Err(Refusal::bad_request("settings: an object is expected"));
    };
    for (name, value) in changes {
        match value {
            Value::Null => drop(fields.remove(&name)),
            value => drop(fields.insert(name, value)),
        }
    }
    Ok(Value::Object(fields))
}

/// Which attempts.
#[derive(Debug, Clone)]
pub struct Which {
    /// Of this agent; `None` is all.
    pub agent: Option<String>,
    /// Older than this execution.
    pub before: Option<String>,
    /// So many at most.
    pub limit: usize,
}

/// An attempt as an operator sees it.
#[derive(Debug, Clone, Serialize)]
pub struct Attempted {
    /// Id.
    pub id: String,
    /// Agent; null for an operator.
    pub agent: Option<String>,
    /// Action.
    pub action: Action,
    /// Which part of it.
    pub step: Step,
    /// The execution that is confirmed or undone.
    pub target: Option<String>,
    /// Arguments, secrets masked.
    pub arguments: Value,
    /// Address of the customer.
    pub customer: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Gate or failure, by its stable name.
    pub reason: Option<&'static str>,
    /// The same for people.
    pub detail: Option<String>,
    /// Contact in HubSpot.
    pub contact: Option<String>,
    /// Company that a new deal was tied to.
    pub company: Option<String>,
    /// Type of the record written.
    pub record_type: Option<String>,
    /// Its id in HubSpot.
    pub record: Option<String>,
    /// Property changed.
    pub property: Option<String>,
    /// Value before, secrets masked.
    pub old_value: Option<String>,
    /// Value after, secrets masked.
    pub new_value: Option<String>,
    /// Start.
    pub started_at: Millis,
    /// End.
    pub finished_at: Option<Millis>,
    /// Until when it can be taken back.
    pub undo_until: Option<Millis>,
    /// It was taken back.
    pub undone: bool,
}

/// Attempts, newest first, of one agent or all, older than the execution `before`; `undo_ms` is how long they can be taken
/// back.
pub fn attempts(
    store: &Store,
    org: &OrgId,
    which: &Which,
    undo_ms: i64,
) -> Result<Vec<Attempted>, StoreError> {
    let limit = i64::try_from(which.limit.clamp(1, MOST)).unwrap_or(1);
    store.read(|conn| {
        let rows = executions::list(conn, org, which.agent.as_deref(), which.before.as_deref(), limit)?;
        let shown = |row: Execution| {
            let undo = executions::on_target(conn, org, &row.id, Step::Undo)?;
            let undone = undo.is_some_and(|undo| undo.outcome == Outcome::Done);
            Ok(attempted(row, undone, undo_ms))
        };
        rows.into_iter().map(shown).collect()
    })
}

fn attempted(row: Execution, undone: bool, undo_ms: i64) -> Attempted {
    Attempted {
        undo_until: undo_until(&row, undo_ms).filter(|_| !undone),
        undone,
        arguments: serde_json::from_str(&row.arguments).unwrap_or_default(),
        id: row.id,
        agent: row.agent,
        action: row.action,
        step: row.step,
        target: row.target,
        customer: row.customer,
        outcome: row.outcome,
        reason: row.reason.map(Reason::as_str),
        detail: row.detail,
        contact: row.contact,
        company: row.company,
        record_type: row.record_type,
        record: row.record,
        property: row.property,
        old_value: row.old_value.as_deref().map(audit::sentence),
        new_value: row.new_value.as_deref().map(audit::sentence),
        started_at: row.started_at,
        finished_at: row.finished_at,
    }
}
