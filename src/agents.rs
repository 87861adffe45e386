//! Agents and their keys: made here, shown once, stored as a hash.
//!
//! What an agent may see is decided by `knowledge::scope`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use serde::Serialize;

use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::store::agents::{self, Agent};
use crate::store::conn::Conn;
use crate::store::{Store, StoreError, people};
use crate::vault::{VaultError, fingerprint, random};

/// Why an agent cannot be made.
#[derive(Debug, thiserror::Error)]
pub enum AgentError {
    /// The name is empty or too long.
    #[error("an agent needs a name of 1 to 100 characters")]
    Name,
    /// The customer is not an address.
    #[error("`{0}` is not an e-mail address")]
    Customer(String),
    /// Neither an id nor the name of an active agent.
    #[error("no agent is called `{0}` here; `hublore agents list` shows them")]
    Unknown(String),
    /// Several active agents have the name.
    #[error("several agents are called `{0}`; name one by its id: {1}")]
    Several(String, String),
    /// No random numbers.
    #[error(transparent)]
    Random(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A new agent.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Made {
    /// Its id.
    pub id: String,
    /// Its name.
    pub name: String,
    /// The address it is bound to: it reads of whoever has that address in HubSpot when it asks.
    pub customer: Option<String>,
    /// Its key, shown only now.
    pub key: String,
    /// What the operator should look at.
    pub warnings: Vec<String>,
}

/// Makes an agent, bound to one customer if an address is given.
pub fn create(
    store: &Store,
    org: &OrgId,
    name: &str,
    customer: Option<String>,
    now: Millis,
) -> Result<Made, AgentError> {
    let name = name.trim();
    if name.is_empty() || name.chars().count() > 100 {
        return Err(AgentError::Name);
    }
    let customer = customer.map(|address| address.trim().to_lowercase());
    if let Some(address) = customer.as_ref().filter(|address| !address.contains('@')) {
        return Err(AgentError::Customer(address.clone()));
    }
    let id = format!("agent_{}", URL_SAFE_NO_PAD.encode(random::<9>()?));
    let key = format!("hl_{}", URL_SAFE_NO_PAD.encode(random::<32>()?));
    let agent =
        Agent { id, org: org.clone(), name: name.to_owned(), customer, created_at: now, revoked_at: None };
    let (stored, hash) = (agent.clone(), fingerprint(&key));
    let warnings: Result<Vec<String>, StoreError> = store.write(move |conn| {
        let warnings = warnings(conn, &stored)?;
        agents::add(conn, &stored, &hash)?;
        Ok(warnings)
    });
    Ok(Made { id: agent.id, name: agent.name, customer: agent.customer, key, warnings: warnings? })
}

fn warnings(conn: &mut dyn Conn, agent: &Agent) -> Result<Vec<String>, StoreError> {
    let mut out = Vec::new();
    let mut others = agents::list(conn, &agent.org)?.into_iter();
    if let Some(other) = others.find(|one| one.name == agent.name && one.revoked_at.is_none()) {
        out.push(format!("{} is called `{}` too; ids tell them apart", other.id, agent.name));
    }
    if let Some(address) = &agent.customer
        && people::by_email(conn, &agent.org, address)?.is_empty()
    {
        out.push(format!(
            "nobody has the address {address} yet: this key finds nothing until a contact has it"
        ));
    }
    Ok(out)
}

/// The id of the agent that an id or a name means: an id of any agent, the name of an active one.
pub fn named(store: &Store, org: &OrgId, text: &str) -> Result<String, AgentError> {
    let agents: Vec<Agent> = store.read(|conn| agents::list(conn, org))?;
    if let Some(agent) = agents.iter().find(|one| one.id == text) {
        return Ok(agent.id.clone());
    }
    let called: Vec<&Agent> =
        agents.iter().filter(|one| one.name == text && one.revoked_at.is_none()).collect();
    match called.as_slice() {
        [one] => Ok(one.id.clone()),
        [] => Err(AgentError::Unknown(text.to_owned())),
        several => {
            let ids: Vec<&str> = several.iter().map(|one| one.id.as_str()).collect();
            Err(AgentError::Several(text.to_owned(), ids.join(", ")))
        }
    }
}

/// Ends an agent's key at once; says whether there is such an agent.
pub fn revoke(store: &Store, org: &OrgId, id: &str, now: Millis) -> Result<bool, StoreError> {
    let (org, id) = (org.clone(), id.to_owned());
    store.write(move |conn| agents::revoke(conn, &org, &id, now))
}
