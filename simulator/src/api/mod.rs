//! HubSpot's data endpoints: which one a path means, who may call it, and the checks they share.

pub(crate) mod account;
mod associations;
mod empty;
mod forms;
pub(crate) mod objects;
mod search;
mod transcripts;
pub(crate) mod writes;

use std::collections::BTreeSet;

use serde_json::json;

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
        Err(missing_scopes(any_of))
    }
}

fn missing_scopes(any_of: &[&str]) -> Reply {
    Reply::error_with(
        403,
        "MISSING_SCOPES",
        "This app hasn't been granted all required scopes to make this call. Read more about required scopes here: https://developers.hubspot.com/scopes.",
        json!({
            "errors": [{
                "message": "One or more of the following scopes are required.",
                "context": {"requiredGranularScopes": any_of},
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

fn dispatch(call: &Call<'_>, path: &[&str]) -> Result<Reply, Reply> {
    if let Some(reply) = empty::answer(call, path) {
        return Ok(reply);
    }
    let kind = |name: &str| {
        Kind::parse(name)
            .ok_or_else(|| Reply::bad_request(&format!("Unable to infer object type from: {name}")))
    };
    match (call.request.method.as_str(), path) {
        ("GET", ["crm", "objects", t]) => objects::list(call, kind(t)?),
        ("POST", ["crm", "objects", t]) => writes::create(call, kind(t)?),
        ("POST", ["crm", "objects", t, "search"]) => search::search(call, kind(t)?),
        ("POST", ["crm", "objects", t, "batch", "read"]) => objects::batch_read(call, kind(t)?),
        ("GET", ["crm", "objects", t, id]) => objects::get(call, kind(t)?, id),
        ("PATCH", ["crm", "objects", t, id]) => writes::update(call, kind(t)?, id),
        ("DELETE", ["crm", "objects", t, id]) => writes::archive(call, kind(t)?, id),
        ("GET", ["crm", "objects", t, id, "associations", to]) => {
            associations::of_one(call, kind(t)?, id, kind(to)?)
        }
        ("POST", ["crm", "associations", from, to, "batch", "read"]) => {
            associations::batch_read(call, kind(from)?, kind(to)?)
        }
        ("GET", ["crm", "associations", from, to, "labels"]) => {
            associations::labels(call, kind(from)?, kind(to)?)
        }
        ("GET", ["crm", "properties", t]) => account::properties(call, kind(t)?, None),
        ("GET", ["crm", "properties", t, name]) => account::properties(call, kind(t)?, Some(name)),
        ("GET", ["crm", "owners"]) => account::owners(call),
        ("GET", ["crm", "owners", id]) => account::owner(call, id),
        ("GET", ["crm", "pipelines", t]) => account::pipelines(call, kind(t)?),
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
