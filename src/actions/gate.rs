//! The gates before the arguments: mode, connection, scope, agent. Reads only what is stored.

use super::settings::Settings;
use super::{ActionError, Caller, Refusal};
use crate::domain::action::{Action, Reason};
use crate::domain::mode::IntegrationMode;
use crate::store::conn::Conn;
use crate::store::connections::{self, Connection};
use crate::store::{agent_actions, orgs};

/// The scope an action needs to write.
fn scope(action: Action) -> &'static str {
    match action {
        Action::CreateDeal => "crm.objects.deals.write",
        Action::UpdateContact | Action::LogActivity | Action::CreateNote => "crm.objects.contacts.write",
    }
}

/// Lets a caller through to an action, or says which gate is shut.
pub(super) fn open(
    conn: &mut dyn Conn,
    caller: &Caller,
    action: Action,
) -> Result<(Connection, Settings), ActionError> {
    if !orgs::modes(conn, &caller.org)?.is_on(IntegrationMode::Actions) {
        let detail = "writing to HubSpot is switched off for this organisation (`hublore modes actions on`)";
        return Err(Refusal::new(Reason::ActionsOff, detail).into());
    }
    let connection = connected(conn, caller, action)?;
    let allowed = match &caller.agent {
        Some(agent) => agent_actions::get(conn, &caller.org, &agent.id, action)?.filter(|one| one.enabled),
        None => None,
    };
    let allowed = allowed.ok_or_else(|| {
        let name = action.as_str();
        Refusal::new(
            Reason::NotAllowed,
            format!("this agent may not call {name}; an operator allows it with `hublore agents allow`"),
        )
    })?;
    Ok((connection, Settings::stored(action, &allowed.settings)))
}

/// The gates of the portal alone: connected, with the scope.
pub(super) fn connected(
    conn: &mut dyn Conn,
    caller: &Caller,
    action: Action,
) -> Result<Connection, ActionError> {
    let connection = connections::get(conn, &caller.org)?
        .ok_or_else(|| Refusal::new(Reason::NotConnected, "no HubSpot portal is connected"))?;
    let scope = scope(action);
    let mut granted = connection.scopes.split_whitespace().peekable();
    // A service key does not tell its scopes: HubSpot decides.
    if granted.peek().is_some() && !granted.any(|one| one == scope) {
        let detail = format!("the connection lacks {scope}; grant it in HubSpot and connect again");
        return Err(Refusal::new(Reason::MissingScope, detail).into());
    }
    Ok(connection)
}
