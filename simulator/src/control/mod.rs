//! The controls under `/__sim/`: what a test asks about the portal and does to it. No HubSpot
//! client calls these; they need no token because the portal listens on loopback only.

mod truth;
pub(crate) mod webhooks;
mod world;

use serde_json::json;

use crate::http::{Reply, Request};
use crate::state::State;

/// Answers a call below `/__sim/`.
pub(crate) fn answer(state: &State, request: &Request, path: &[&str]) -> Reply {
    match (request.method.as_str(), path) {
        ("GET", ["truth"]) => truth::summary(state),
        ("GET", ["truth", "ids"]) => truth::ids(state, request),
        ("GET", ["truth", "properties"]) => truth::properties(state, request),
        ("GET", ["truth", "record"]) => truth::record(state, request),
        ("GET", ["journal"]) => Reply::ok(&state.journal.report()),
        ("GET", ["journal", "tenths"]) => Reply::ok(&state.journal.tenths()),
        ("POST", ["faults", "release"]) => {
            state.faults.release();
            Reply::ok(&json!({}))
        }
        ("POST", ["journal", "reset"]) => {
            state.journal.reset();
            Reply::ok(&json!({}))
        }
        _ => steer(state, request, path).unwrap_or_else(|reply| reply),
    }
}

fn steer(state: &State, request: &Request, path: &[&str]) -> Result<Reply, Reply> {
    match (request.method.as_str(), path) {
        ("GET", ["faults"]) => Ok(Reply::ok(&state.faults.report())),
        ("POST", ["faults"]) => {
            state.faults.replace(request.json()?);
            Ok(Reply::ok(&state.faults.report()))
        }
        ("POST", ["rate-limit"]) => world::rate_limit(state, request),
        ("POST", ["webhooks", "target"]) => webhooks::target(state, request),
        ("POST", ["clock", "advance"]) => world::advance(state, request),
        ("POST", ["tokens", "expire"]) => {
            let now = state.clock.now();
            state.tokens().expire_all(now);
            Ok(Reply::ok(&json!({})))
        }
        ("POST", ["tokens", "revoke"]) => {
            state.tokens().revoke_all();
            Ok(Reply::ok(&json!({})))
        }
        ("POST", ["tokens", "settings"]) => world::token_settings(state, request),
        ("POST", ["scopes", "remove"]) => world::remove_scope(state, request),
        ("POST", ["scopes", "restore"]) => {
            state.tokens().restore_scopes();
            Ok(Reply::ok(&json!({})))
        }
        ("POST", ["search-index", "freeze"]) => world::freeze(state, true),
        ("POST", ["search-index", "thaw"]) => world::freeze(state, false),
        ("POST", ["search-index", "settings"]) => world::index_settings(state, request),
        ("POST", ["properties"]) => world::properties(state, request),
        ("POST", ["objects", kind]) => world::create(state, request, kind),
        ("PATCH", ["objects", kind, id]) => world::update(state, request, kind, id),
        ("DELETE", ["objects", kind, id]) => world::delete(state, request, kind, id),
        ("POST", ["objects", kind, id, "restore"]) => world::restore(state, kind, id),
        ("POST", ["touch"]) => world::touch(state, request),
        ("POST", ["associations"]) => world::associate(state, request),
        ("POST", ["merge"]) => world::merge(state, request),
        ("POST", ["privacy-delete"]) => world::privacy_delete(state, request),
        _ => Err(crate::route::unknown(request)),
    }
}
