//! HubSpot's data endpoints: which one a path means, who may call it, and the checks they share.

pub(crate) mod account;
mod associations;
mod batch;
mod empty;
mod forms;
mod legacy;
pub(crate) mod objects;
mod search;
mod ties;
mod transcripts;
mod values;
mod writes;

use std::collections::BTreeSet;

use serde_json::json;

use batch::Action;

use crate::faults::Twist;
use crate::http::{Reply, Request};
use crate::kind::Kind;
use crate::oauth::tokens::Bearer;
use crate::route::{Route, unknown};
use crate::state::State;

/// The longest path and query HubSpot's edge takes.
const LONGEST_URI: usize = 16_300;

/// One authorised call.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call<'a> {
    pub(crate) state: &'a State,
    pub(crate) request: &'a Request,
    pub(crate) version: &'a str,
    pub(crate) twist: Option<Twist>,
    scopes: Option<&'a BTreeSet<String>>,
}

impl Call<'_> {
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scopes.is_none_or(|granted| granted.contains(scope))
    }

    /// Refuses unless one of the scopes is granted.
    pub(crate) fn need(&self, any_of: &[&str]) -> Result<(), Reply> {
        if any_of.iter().any(|scope| self.has_scope(scope)) {
            return Ok(());
        }
        Err(missing_scopes(any_of, matches!(self.version, "v1" | "v2")))
    }
}

fn missing_scopes(any_of: &[&str], old: bool) -> Reply {
    let context = if old { "requiredScopes" } else { "requiredGranularScopes" };
    Reply::error_with(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
        json!({
            "errors": [{
                "message": "One or more of the following scopes are required.",
                "context": {context: any_of},
            }],
            "links": {"scopes": "https://developers.hubspot.com/scopes"},
        }),
    )
}

/// Answers a call to a data endpoint.
pub(crate) fn answer(state: &State, request: &Request, route: &Route<'_>, twist: Option<Twist>) -> Reply {
    if request.uri_length > LONGEST_URI {
        return Reply::html(414, "<html><head><title>414 Request-URI Too Large</title></head><body><center><h1>414 Request-URI Too Large</h1></center></body></html>".to_owned());
    }
    if let ["webhooks" | "app-webhooks", ..] = route.path.as_slice() {
        return crate::subscriptions::answer(state, request, &route.path);
    }
    let scopes = match authorize(state, request) {
        Ok(scopes) => scopes,
        Err(reply) => return reply,
    };
    let call = Call { state, request, version: route.version, twist, scopes: scopes.as_ref() };
    dispatch(&call, &route.path).unwrap_or_else(|reply| reply)
}

fn authorize(state: &State, request: &Request) -> Result<Option<BTreeSet<String>>, Reply> {
    let now = state.clock.now();
    let Some(bearer) = &request.bearer else {
        return Err(Reply::error(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        ));
    };
    match state.tokens().check(bearer, now) {
        Bearer::Valid(scopes) => Ok(scopes),
        Bearer::Expired => Err(Reply::error_with(
            401,
            "EXPIRED_AUTHENTICATION",
            "The OAuth token used to make this call expired 0 second(s) ago.",
            json!({"context": {"expire time": [crate::clock::iso(now)]}}),
        )),
        Bearer::Unknown => Err(Reply::error(
            401,
            "INVALID_AUTHENTICATION",
            "Authentication credentials not found. This API supports OAuth 2.0 authentication and you can find more details at https://developers.hubspot.com/docs/methods/auth/oauth-overview",
        )),
    }
}

fn kind(name: &str) -> Result<Kind, Reply> {
    Kind::parse(name).ok_or_else(|| Reply::bad_request(&format!("Unable to infer object type from: {name}")))
}

fn dispatch(call: &Call<'_>, path: &[&str]) -> Result<Reply, Reply> {
    if call.request.json_is_refused() {
        return Err(Reply::error(415, "VALIDATION_ERROR", "HTTP 415 Unsupported Media Type"));
    }
    if let Some(reply) = empty::answer(call, path) {
        return Ok(reply);
    }
    if let Some(reply) = legacy::answer(call, path) {
        return reply;
    }
    match path {
        ["crm", "objects", t, rest @ ..] => on_objects(call, t, rest),
        ["crm", "associations", from, to, rest @ ..] => on_associations(call, (kind(from)?, kind(to)?), rest),
        _ => on_portal(call, path),
    }
}

/// What follows `/crm/objects/{type}`.
fn on_objects(call: &Call<'_>, name: &str, rest: &[&str]) -> Result<Reply, Reply> {
    let t = kind(name)?;
    match (call.request.method.as_str(), rest) {
        ("GET", []) => objects::list(call, t),
        ("POST", []) => writes::create(call, t),
        ("POST", ["search"]) => search::search(call, t),
        ("POST", ["merge"]) => writes::merge(call, t),
        ("POST", ["gdpr-delete"]) if t == Kind::Contact => writes::forget(call),
        ("POST", ["batch", "read"]) => objects::batch_read(call, t),
        ("POST", ["batch", "create"]) => batch::write(call, t, Action::Create),
        ("POST", ["batch", "update"]) => batch::write(call, t, Action::Update),
        ("POST", ["batch", "upsert"]) => batch::write(call, t, Action::Upsert),
        ("POST", ["batch", "archive"]) => batch::archive(call, t),
        ("GET", [id]) => objects::get(call, t, id),
        ("PATCH", [id]) => writes::update(call, t, id),
        ("DELETE", [id]) => writes::archive(call, t, id),
        ("GET", [id, "associations", to]) => associations::of_one(call, t, id, kind(to)?),
        ("PUT", [id, "associations", "default", to, other]) => {
            ties::put_default(call, (t, kind(to)?), (id, other))
        }
        ("PUT", [id, "associations", to, other]) => ties::put(call, (t, kind(to)?), (id, other)),
        ("DELETE", [id, "associations", to, other]) => ties::delete(call, (t, kind(to)?), (id, other)),
        ("PUT", [id, "associations", to, other, name]) => {
            ties::put_by_name(call, (t, kind(to)?), (id, other), name)
        }
        ("DELETE", [id, "associations", to, other, _]) => ties::delete(call, (t, kind(to)?), (id, other)),
        _ => Err(unknown(call.request)),
    }
}

/// What follows `/crm/associations/{from}/{to}`.
fn on_associations(call: &Call<'_>, types: (Kind, Kind), rest: &[&str]) -> Result<Reply, Reply> {
    match (call.request.method.as_str(), rest) {
        ("POST", ["batch", "read"]) => associations::batch_read(call, types.0, types.1),
        ("POST", ["batch", "create"]) => ties::batch_create(call, types, false),
        ("POST", ["batch", "associate", "default"]) => ties::batch_create(call, types, true),
        ("POST", ["batch", "archive"]) => ties::batch_archive(call, types),
        ("POST", ["batch", "labels", "archive"]) => ties::archive_labels(call, types),
        ("GET", ["labels"]) => associations::labels(call, types.0, types.1),
        ("GET", ["types"]) => associations::names(call, types.0, types.1),
        _ => Err(unknown(call.request)),
    }
}

/// Everything that is about the portal and not about its records.
fn on_portal(call: &Call<'_>, path: &[&str]) -> Result<Reply, Reply> {
    match (call.request.method.as_str(), path) {
        ("POST", ["crm", "properties", t, "batch", "read"]) => account::batch_properties(call, kind(t)?),
        ("GET", ["crm", "properties", t, rest @ ..]) => account::properties(call, kind(t)?, rest),
        ("GET", ["crm", "owners"]) => account::owners(call),
        ("GET", ["crm", "owners", id]) => account::owner(call, id),
        ("GET", ["crm", "pipelines", t, rest @ ..]) => account::pipelines(call, kind(t)?, rest),
        ("GET", ["crm", "extensions", "calling", "transcripts", id]) => transcripts::get(call, id),
        ("GET", ["marketing", "forms"]) => forms::list(call),
        ("GET", ["marketing", "forms", guid]) => forms::get(call, guid),
        ("GET", ["form-integrations", "submissions", "forms", guid]) => forms::submissions(call, guid),
        ("GET", ["account-info", "details"]) => account::details(call),
        ("DELETE", ["appinstalls", "external-install"]) => {
            call.state.tokens().revoke_all();
            Ok(Reply::empty(204))
        }
        _ => Err(unknown(call.request)),
    }
}

/// The scopes of which one allows reading a type.
pub(crate) fn read_scope(kind: Kind) -> &'static str {
    match kind {
        Kind::Company => "crm.objects.companies.read",
        Kind::Deal => "crm.objects.deals.read",
        _ => "crm.objects.contacts.read",
    }
}

/// The scope that allows changing a type.
pub(crate) fn write_scope(kind: Kind) -> &'static str {
    match kind {
        Kind::Company => "crm.objects.companies.write",
        Kind::Deal => "crm.objects.deals.write",
        _ => "crm.objects.contacts.write",
    }
}

/// A page size within HubSpot's bounds.
pub(crate) fn limit(request: &Request, default: usize, max: usize) -> Result<usize, Reply> {
    let Some(text) = request.parameter("limit") else {
        return Ok(default);
    };
    match text.parse::<usize>() {
        Ok(limit) if (1..=max).contains(&limit) => Ok(limit),
        Ok(_) => {
            Err(Reply::bad_request(&format!("Invalid input: limit must be between 1 and {max}, was {text}")))
        }
        Err(_) => Err(Reply::bad_request(&format!("Invalid input: limit is not a number: {text}"))),
    }
}
