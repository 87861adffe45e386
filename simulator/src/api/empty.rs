//! Object types every HubSpot account has and this portal keeps no records of. They answer as an
//! account does in which nobody has made one: valid names, empty lists.

use serde_json::{Value, json};

use super::Call;
use crate::clock::iso;
use crate::http::Reply;

/// Plural name, singular name, type id.
const TYPES: [[&str; 3]; 12] = [
    ["tickets", "ticket", "0-5"],
    ["products", "product", "0-7"],
    ["line_items", "line_item", "0-8"],
    ["quotes", "quote", "0-14"],
    ["communications", "communication", "0-18"],
    ["feedback_submissions", "feedback_submission", "0-19"],
    ["invoices", "invoice", "0-53"],
    ["goal_targets", "goal_target", "0-74"],
    ["orders", "order", "0-123"],
    ["leads", "lead", "0-136"],
    ["postal_mail", "postal_mails", "0-116"],
    ["users", "user", "0-115"],
];

/// Whether a name means one of them.
pub(super) fn is_type(name: &str) -> bool {
    TYPES.iter().flatten().any(|known| *known == name)
}

/// Answers calls about them; `None` when the call is not about one.
pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<Reply> {
    let named = |at: usize| path.get(at).is_some_and(|name| is_type(name));
    let reply = match (call.request.method.as_str(), path) {
        ("GET", ["crm", "objects", _]) if named(2) => json!({"results": []}),
        ("POST", ["crm", "objects", _, "search"]) if named(2) => json!({"total": 0, "results": []}),
        ("POST", ["crm", "objects", _, "batch", "read"]) if named(2) => finished(call),
        (_, ["crm", "objects", _, ..]) if named(2) => return Some(Reply::not_found()),
        ("GET", ["crm", "objects", _, _, "associations", _]) if named(5) => json!({"results": []}),
        ("POST", ["crm", "associations", _, _, "batch", "read"]) if named(2) || named(3) => finished(call),
        ("GET", ["crm", "associations", _, _, "labels"]) if named(2) || named(3) => json!({"results": []}),
        ("GET", ["crm", "pipelines", _]) if named(2) => json!({"results": []}),
        ("GET", ["crm", "properties", _]) if named(2) => json!({"results": properties(call)}),
        _ => return None,
    };
    Some(Reply::ok(&reply))
}

fn finished(call: &Call<'_>) -> Value {
    let now = iso(call.state.clock.now());
    json!({"status": "COMPLETE", "results": [], "startedAt": now, "completedAt": now})
}

/// The properties every type has.
fn properties(call: &Call<'_>) -> Vec<Value> {
    let names = ["hs_object_id", "hs_createdate", "hs_lastmodifieddate", "hubspot_owner_id"];
    let all = super::account::shared_definitions(call);
    all.into_iter().filter(|p| names.iter().any(|name| p["name"] == *name)).collect()
}
