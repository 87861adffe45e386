//! Agents and their keys: made here, shown once, stored as a hash.
//!
//! What an agent may see is decided by `knowledge::scope`.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::domain::clock::Millis;
use crate::domain::ids::OrgId;
use crate::store::agents::{self, Agent};
use crate::store::{Store, StoreError};
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
    /// No random numbers.
    #[error(transparent)]
    Random(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Makes an agent, bound to one customer if an address is given; answers it with its key.
pub fn create(
    store: &Store,
    org: &OrgId,
    name: &str,
    customer: Option<String>,
    now: Millis,
) -> Result<(Agent, String), AgentError> {
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
    store.write(move |conn| agents::add(conn, &stored, &hash))?;
    Ok((agent, key))
}

/// Ends an agent's key at once; says whether there is such an agent.
pub fn revoke(store: &Store, org: &OrgId, id: &str, now: Millis) -> Result<bool, StoreError> {
    let (org, id) = (org.clone(), id.to_owned());
    store.write(move |conn| agents::revoke(conn, &org, &id, now))
}
