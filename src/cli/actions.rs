//! `hublore agents allow`, `deny`, `actions`, `executions` and `undo`.

use clap::{Args, ValueEnum};
use serde_json::{Map, Value, json};

use super::agents::id_of;
use super::remote::here_or_there;
use super::{Failure, Global, output, runtime};
use crate::actions::admin::{self, Attempted, Setting, Which};
use crate::actions::{ActionError, Caller};
use crate::domain::action::{Action, Reason};

#[derive(Debug, Clone, Copy, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Named {
    /// Open a deal
    CreateDeal,
    /// Change one property of a contact, after a confirmation
    UpdateContact,
    /// Create a follow-up task
    LogActivity,
    /// Attach a note
    CreateNote,
}

impl From<Named> for Action {
    fn from(named: Named) -> Self {
        match named {
            Named::CreateDeal => Self::CreateDeal,
            Named::UpdateContact => Self::UpdateContact,
            Named::LogActivity => Self::LogActivity,
            Named::CreateNote => Self::CreateNote,
        }
    }
}

#[derive(Debug, Args)]
pub(super) struct Allow {
    /// Id or name of the agent
    agent: String,
    /// The action
    action: Named,
    /// create_deal: default pipeline, by id or label; "" unsets it, like every setting below
    #[arg(long, value_name = "PIPELINE")]
    pipeline: Option<String>,
    /// create_deal: default stage, of that pipeline
    #[arg(long, value_name = "STAGE")]
    stage: Option<String>,
    /// create_deal: default deal type
    #[arg(long, value_name = "TYPE")]
    deal_type: Option<String>,
    /// create_deal, log_activity: default owner, by id, address or name
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// update_contact: a property that may be changed; repeat it for several
    #[arg(long = "property", value_name = "NAME")]
    properties: Option<Vec<String>>,
    /// log_activity: default type, TODO, CALL or EMAIL
    #[arg(long = "type", value_name = "TYPE")]
    task_type: Option<String>,
    /// log_activity: default priority, LOW, MEDIUM or HIGH
    #[arg(long, value_name = "PRIORITY")]
    priority: Option<String>,
    /// log_activity: due so many days from today
    #[arg(long, value_name = "DAYS")]
    due_days: Option<u16>,
    /// log_activity: at this time of day
    #[arg(long, value_name = "HH:MM")]
    due_time: Option<String>,
    /// create_note: stands before every note
    #[arg(long, value_name = "TEXT")]
    body_prefix: Option<String>,
}

#[derive(Debug, Args)]
pub(super) struct Deny {
    /// Id or name of the agent
    agent: String,
    /// The action
    action: Named,
}

#[derive(Debug, Args)]
pub(super) struct Executions {
    /// Of this agent only, by id or name
    #[arg(long, value_name = "AGENT")]
    agent: Option<String>,
    /// Older than this execution
    #[arg(long, value_name = "ID")]
    before: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", default_value_t = 20)]
    limit: usize,
}

impl Allow {
    /// The settings that were named. One that is none of the action's is refused with the others.
    fn settings(&self) -> Option<Value> {
        let text = |value: &Option<String>| {
            value.as_ref().map(|value| if value.is_empty() { Value::Null } else { json!(value) })
        };
        let properties = self.properties.as_ref().map(|names| match names.iter().all(String::is_empty) {
            true => Value::Null,
            false => json!(names.iter().filter(|name| !name.is_empty()).collect::<Vec<_>>()),
        });
        let named = [
            ("pipeline", text(&self.pipeline)),
            ("stage", text(&self.stage)),
            ("deal_type", text(&self.deal_type)),
            ("owner", text(&self.owner)),
            ("allowed_properties", properties),
            ("type", text(&self.task_type)),
            ("priority", text(&self.priority)),
            ("due_days", self.due_days.map(|days| json!(days))),
            ("due_time", text(&self.due_time)),
            ("body_prefix", text(&self.body_prefix)),
        ];
        let named: Map<String, Value> =
            named.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect();
        (!named.is_empty()).then_some(Value::Object(named))
    }
}

impl From<ActionError> for Failure {
    fn from(error: ActionError) -> Self {
        match error {
            ActionError::Refused(refusal) => match refusal.reason {
                Reason::BadRequest | Reason::NoSuchExecution => Self::Usage(refusal.detail),
                Reason::HubspotUnavailable | Reason::HubspotRefused | Reason::OutcomeUnknown => {
                    Self::Failed(refusal.detail)
                }
                _ => Self::Refused(refusal.detail),
            },
            other => Self::failed(other),
        }
    }
}

pub(super) fn allow(global: &Global, asked: &Allow) -> Result<(), Failure> {
    set(global, &id_of(global, &asked.agent)?, asked.action.into(), true, asked.settings())
}

pub(super) fn deny(global: &Global, asked: &Deny) -> Result<(), Failure> {
    set(global, &id_of(global, &asked.agent)?, asked.action.into(), false, None)
}

fn set(
    global: &Global,
    agent: &str,
    action: Action,
    enabled: bool,
    settings: Option<Value>,
) -> Result<(), Failure> {
    let body = json!({ "enabled": enabled, "settings": settings });
    let set = here_or_there(
        global,
        |app| {
            let (store, org) = (&app.reading.store, &app.reading.org);
            let change = Setting { enabled, settings };
            Ok(json!(admin::set(store, org, agent, action, change, app.clock.now())?))
        },
        async |remote| remote.post_to(&["agents", agent, "actions", action.as_str()], &body).await,
    )?;
    if global.json {
        return output::json(&set);
    }
    output::line(&on_agent(&set))?;
    let unread = set["unread_properties"].as_array().into_iter().flatten().filter_map(Value::as_str);
    unread.map(output::plain).try_for_each(|name| {
        output::line(&format!("{name} is not read here; whether the portal has it is seen at the first call"))
    })
}

fn on_agent(one: &Value) -> String {
    let state = if one["enabled"] == true { "allowed" } else { "denied" };
    let settings = one["settings"].as_object().into_iter().flatten().filter(|(_, value)| !value.is_null());
    let settings: Vec<String> = settings.map(|(name, value)| format!("{name} {value}")).collect();
    let action = one["action"].as_str().unwrap_or_default();
    output::plain(&format!("{action:<15}{state:<9}{}", settings.join(", "))).trim_end().to_owned()
}

pub(super) fn of_agent(global: &Global, agent: &str) -> Result<(), Failure> {
    let reading = global.reading()?;
    let agent = id_of(global, agent)?;
    let listed = json!(admin::of_agent(&reading.store, &reading.org, &agent)?);
    if global.json {
        return output::json(&listed);
    }
    listed.as_array().into_iter().flatten().try_for_each(|one| output::line(&on_agent(one)))
}

pub(super) fn executions(global: &Global, asked: &Executions) -> Result<(), Failure> {
    let reading = global.reading()?;
    let agent = asked.agent.as_deref().map(|agent| id_of(global, agent)).transpose()?;
    let which = Which { agent, before: asked.before.clone(), limit: asked.limit };
    let undo_ms = reading.config.actions.undo_ms;
    let listed = admin::attempts(&reading.store, &reading.org, &which, undo_ms).map_err(Failure::failed)?;
    if global.json {
        return output::json(&listed);
    }
    if listed.is_empty() {
        return output::line(
            "nothing here that an agent tried; `hublore agents allow AGENT ACTION` lets one act",
        );
    }
    listed.iter().try_for_each(|one| output::line(&attempt(one)))
}

fn attempt(one: &Attempted) -> String {
    let reason = one.reason.map(|reason| format!(" ({reason})")).unwrap_or_default();
    let undone = if one.undone { ", taken back" } else { "" };
    let who = one.agent.as_deref().unwrap_or("operator");
    let detail = one.detail.as_deref().unwrap_or_default();
    let (action, step, outcome) = (one.action.as_str(), one.step.as_str(), one.outcome.as_str());
    output::plain(&format!(
        "{}  {}  {who}  {action} {step}: {outcome}{reason}{undone}  {detail}",
        one.started_at, one.id
    ))
}

pub(super) fn undo(global: &Global, execution: &str) -> Result<(), Failure> {
    let undone = here_or_there(
        global,
        |app| {
            let since = tokio::time::Instant::now();
            let caller = Caller { org: app.reading.org.clone(), agent: None, narrowed_to: None, since };
            Ok(runtime()?.block_on(app.actions.undo(caller, execution.to_owned()))?)
        },
        async |remote| remote.post_to(&["executions", execution, "undo"], &json!({})).await,
    )?;
    if global.json {
        return output::json(&undone);
    }
    output::line(&output::plain(undone["message"].as_str().unwrap_or_default()))
}
