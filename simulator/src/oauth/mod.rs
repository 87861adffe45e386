//! OAuth as HubSpot does it: a consent page for a person, and token, introspect and revoke
//! endpoints for the app.

pub(crate) mod consent;
pub(crate) mod endpoint;
pub(crate) mod tokens;
