//! `hublore agents`

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::remote::here_or_there;
use super::{Failure, Global, actions, output};
use crate::agents::AgentError;
use crate::store::{StoreError, agent_actions, agents as rows};

#[derive(Debug, Args)]
pub(super) struct Agents {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Make an agent; its key is shown once
    Create {
        /// What the agent is called
        name: String,
        /// Bind it to one customer: whoever has this address in HubSpot when the agent asks
        #[arg(long, value_name = "EMAIL")]
        customer: Option<String>,
    },
    /// List agents
    List,
    /// End an agent's key
    Revoke {
        /// Id or name of the agent
        id: String,
    },
    /// Let an agent call an action, and set its defaults; what is not named stays
    Allow(actions::Allow),
    /// Stop an agent from calling an action; its settings are remembered
    Deny(actions::Deny),
    /// The four actions on an agent: allowed or not, with their settings
    Actions {
        /// Id or name of the agent
        agent: String,
    },
    /// What agents tried to do in HubSpot, newest first
    Executions(actions::Executions),
    /// Take back what an agent did, where nobody changed it since
    Undo {
        /// Id of the execution
        execution: String,
    },
}

pub(super) fn run(global: &Global, agents: &Agents) -> Result<(), Failure> {
    match &agents.verb {
        Verb::Create { name, customer } => {
            let made = create(global, name, customer.as_deref())?;
            let warnings = made["warnings"].as_array().into_iter().flatten();
            warnings.filter_map(Value::as_str).for_each(output::warning);
            if global.json {
                return output::json(&made);
            }
            output::line(&format!("agent  {}", made["id"].as_str().unwrap_or_default()))?;
            output::line(&format!("key    {}  (shown only now)", made["key"].as_str().unwrap_or_default()))
        }
        Verb::List => list(global),
        Verb::Revoke { id } => revoke(global, id),
        Verb::Allow(allow) => actions::allow(global, allow),
        Verb::Deny(deny) => actions::deny(global, deny),
        Verb::Actions { agent } => actions::of_agent(global, agent),
        Verb::Executions(asked) => actions::executions(global, asked),
        Verb::Undo { execution } => actions::undo(global, execution),
    }
}

fn create(global: &Global, name: &str, customer: Option<&str>) -> Result<Value, Failure> {
    here_or_there(
        global,
        |app| {
            let reading = &app.reading;
            let customer = customer.map(str::to_owned);
            let made = crate::agents::create(&reading.store, &reading.org, name, customer, app.clock.now());
            let made = made.map_err(|error| Failure::Usage(error.to_string()))?;
            Ok(json!(made))
        },
        async |remote| remote.post("agents", &json!({ "name": name, "customer": customer })).await,
    )
}

fn list(global: &Global) -> Result<(), Failure> {
    let reading = global.reading()?;
    let agents = reading.store.read(|conn| {
        let agents = rows::list(conn, &reading.org)?.into_iter();
        agents
            .map(|agent| agent_actions::enabled(conn, &reading.org, &agent.id).map(|may| (agent, may)))
            .collect::<Result<Vec<_>, StoreError>>()
    });
    let agents = agents.map_err(Failure::failed)?;
    if global.json {
        let agents: Vec<Value> = agents
            .iter()
            .map(|(a, may)| json!({ "id": a.id, "name": a.name, "customer": a.customer, "created_at": a.created_at, "revoked_at": a.revoked_at, "actions": may }))
            .collect();
        return output::json(&agents);
    }
    if agents.is_empty() {
        return output::line("no agents here; `hublore agents create NAME` makes one");
    }
    for (agent, may) in agents {
        let state = if agent.revoked_at.is_some() { "revoked" } else { "active" };
        let bound = agent.customer.map(|address| format!("  (only {address})")).unwrap_or_default();
        let may: Vec<&str> = may.into_iter().map(|action| action.as_str()).collect();
        let may = if may.is_empty() { String::new() } else { format!("  may {}", may.join(", ")) };
        output::line(&format!("{}  {state:<8}{}{bound}{may}", agent.id, output::plain(&agent.name)))?;
    }
    Ok(())
}

/// The id of the agent that an id or a name means.
pub(super) fn id_of(global: &Global, named: &str) -> Result<String, Failure> {
    let reading = global.reading()?;
    crate::agents::named(&reading.store, &reading.org, named).map_err(|error| match error {
        AgentError::Store(error) => Failure::failed(error),
        error => Failure::Usage(error.to_string()),
    })
}

/// Works beside a running server: cutting an agent off must not wait for anything.
fn revoke(global: &Global, id: &str) -> Result<(), Failure> {
    let id = &id_of(global, id)?;
    let unknown = || Failure::Usage(format!("no agent `{id}` here; `hublore agents list` shows them"));
    let revoked = here_or_there(
        global,
        |app| {
            let (store, org) = (&app.reading.store, &app.reading.org);
            match crate::agents::revoke(store, org, id, app.clock.now()) {
                Ok(true) => Ok(json!({ "revoked": id })),
                Ok(false) => Err(unknown()),
                Err(error) => Err(Failure::failed(error)),
            }
        },
        async |remote| remote.delete(&["agents", id]).await,
    )?;
    if global.json { output::json(&revoked) } else { output::line("revoked") }
}
