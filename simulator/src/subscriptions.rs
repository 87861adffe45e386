//! What an app has told HubSpot about its webhooks: where they go and which it wants. Managed with
//! the developer's key, not with a portal's token. An app that has subscribed to nothing here gets
//! everything, so that tests need not subscribe.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::clock::iso;
use crate::control::webhooks::check_url;
use crate::http::{Reply, Request};
use crate::state::State;

/// Deliveries under way at once, unless the settings say otherwise.
const IN_FLIGHT: u32 = 10;
/// Subscriptions an app can have.
const MOST: usize = 1_000;
/// What can happen to an object, as subscription types end.
const ACTIONS: [&str; 6] =
    ["creation", "deletion", "merge", "restore", "propertyChange", "associationChange"];
const FAMILIES: [&str; 7] = ["contact", "company", "deal", "ticket", "product", "line_item", "object"];

/// An app's webhook settings and subscriptions.
#[derive(Debug, Default)]
pub(crate) struct Subscriptions {
    settings: Option<Settings>,
    list: BTreeMap<u64, Subscription>,
    issued: u64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Settings {
    target_url: String,
    throttling: Throttling,
    #[serde(skip)]
    since: i64,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Throttling {
    max_concurrent_requests: u32,
}

#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Subscription {
    event_type: String,
    #[serde(default)]
    property_name: Option<String>,
    #[serde(default)]
    object_type_id: Option<String>,
    #[serde(default)]
    active: bool,
    #[serde(skip)]
    since: i64,
}

impl Subscriptions {
    /// Whether the app gets an event.
    pub(crate) fn want(&self, payload: &Value) -> bool {
        self.list.is_empty() || self.list.values().any(|s| s.active && s.matches(payload))
    }

    pub(crate) fn target_url(&self) -> Option<String> {
        self.settings.as_ref().map(|s| s.target_url.clone())
    }

    /// How many deliveries of those wanted may be under way at once.
    pub(crate) fn most_in_flight(&self, wanted: usize) -> usize {
        let most = self.settings.as_ref().map_or(IN_FLIGHT, |s| s.throttling.max_concurrent_requests);
        wanted.clamp(1, most.max(1) as usize)
    }
}

impl Subscription {
    fn matches(&self, payload: &Value) -> bool {
        let is = |name: &str, wanted: &Option<String>| {
            wanted.as_deref().is_none_or(|wanted| payload[name].as_str().is_none_or(|value| value == wanted))
        };
        payload["subscriptionType"] == self.event_type.as_str()
            && is("propertyName", &self.property_name)
            && is("objectTypeId", &self.object_type_id)
    }

    fn json(&self, id: u64) -> Value {
        json!({
            "id": id.to_string(), "eventType": self.event_type, "propertyName": self.property_name,
            "objectTypeId": self.object_type_id, "active": self.active, "createdAt": iso(self.since),
            "updatedAt": iso(self.since),
        })
    }

    fn check(&self) -> Result<(), Reply> {
        let known = match self.event_type.split_once('.') {
            Some(("contact", "privacyDeletion")) => true,
            Some((family, action)) => FAMILIES.contains(&family) && ACTIONS.contains(&action),
            None => false,
        };
        if !known {
            return Err(Reply::bad_request(&format!("Unknown event type {}", self.event_type)));
        }
        let changes = self.event_type.ends_with(".propertyChange");
        if changes != self.property_name.is_some() {
            return Err(Reply::bad_request(
                "propertyName belongs to propertyChange subscriptions and only to them",
            ));
        }
        if self.event_type.starts_with("object.") && self.object_type_id.is_none() {
            return Err(Reply::bad_request("object.* subscriptions need an objectTypeId"));
        }
        Ok(())
    }
}

/// Answers a call below `/webhooks/{version}`.
pub(crate) fn answer(state: &State, request: &Request, path: &[&str]) -> Reply {
    let key = request.parameter("hapikey").or(request.bearer.as_deref());
    if key != Some(state.options.service_key.as_str()) {
        return Reply::error(401, "INVALID_AUTHENTICATION", "This call needs the developer's API key");
    }
    steer(state, request, path).unwrap_or_else(|reply| reply)
}

fn steer(state: &State, request: &Request, path: &[&str]) -> Result<Reply, Reply> {
    let [_, app, rest @ ..] = path else { return Err(Reply::not_found()) };
    if !app.bytes().all(|b| b.is_ascii_digit()) {
        return Err(Reply::bad_request("The app's id is a number"));
    }
    let now = state.clock.now();
    let mut held = state.subscriptions();
    match (request.method.as_str(), rest) {
        ("GET", ["settings"]) => held.settings.as_ref().map(shown).ok_or_else(Reply::not_found),
        ("PUT", ["settings"]) => {
            let settings: Settings = request.json()?;
            check_url(&settings.target_url)?;
            let settings = Settings { since: now, ..settings };
            Ok(shown(held.settings.insert(settings)))
        }
        ("DELETE", ["settings"]) => {
            held.settings = None;
            Ok(Reply::empty(204))
        }
        ("GET", ["subscriptions"]) => {
            let all: Vec<Value> = held.list.iter().map(|(id, s)| s.json(*id)).collect();
            Ok(Reply::ok(&json!({"results": all})))
        }
        ("POST", ["subscriptions"]) => {
            let new: Subscription = request.json()?;
            new.check()?;
            if held.list.len() >= MOST {
                return Err(Reply::bad_request(&format!("An app has at most {MOST} subscriptions")));
            }
            held.issued += 1;
            let id = 3_700_000 + held.issued;
            let new = Subscription { since: now, ..new };
            let reply = Reply::json(201, &new.json(id));
            held.list.insert(id, new);
            Ok(reply)
        }
        ("POST", ["subscriptions", "batch", "update"]) => switch_many(&mut held, request, now),
        (_, ["subscriptions", id]) => one(&mut held, request, id),
        _ => Err(crate::route::unknown(request)),
    }
}

fn shown(settings: &Settings) -> Reply {
    let at = iso(settings.since);
    Reply::ok(&json!({
        "targetUrl": settings.target_url, "createdAt": at, "updatedAt": at,
        "throttling": {"maxConcurrentRequests": settings.throttling.max_concurrent_requests},
    }))
}

#[derive(Debug, Deserialize)]
struct Switch {
    #[serde(default)]
    active: Option<bool>,
}

fn one(held: &mut Subscriptions, request: &Request, id: &str) -> Result<Reply, Reply> {
    let id: u64 = id.parse().map_err(|_| Reply::not_found())?;
    let found = held.list.get_mut(&id).ok_or_else(Reply::not_found)?;
    match request.method.as_str() {
        "GET" => Ok(Reply::ok(&found.json(id))),
        "PATCH" => {
            let Switch { active } = request.json()?;
            found.active = active.unwrap_or(found.active);
            Ok(Reply::ok(&found.json(id)))
        }
        "DELETE" => {
            held.list.remove(&id);
            Ok(Reply::empty(204))
        }
        _ => Err(crate::route::unknown(request)),
    }
}

#[derive(Debug, Deserialize)]
struct Switches {
    inputs: Vec<SwitchOne>,
}

#[derive(Debug, Deserialize)]
struct SwitchOne {
    id: u64,
    active: bool,
}

fn switch_many(held: &mut Subscriptions, request: &Request, now: i64) -> Result<Reply, Reply> {
    let Switches { inputs } = request.json()?;
    let mut results = Vec::new();
    for SwitchOne { id, active } in inputs {
        if let Some(found) = held.list.get_mut(&id) {
            found.active = active;
            results.push(found.json(id));
        }
    }
    let at = iso(now);
    Ok(Reply::ok(&json!({"status": "COMPLETE", "results": results, "startedAt": at, "completedAt": at})))
}
