//! From a path to an endpoint. HubSpot has two spellings of nearly every path, with the version
//! behind the first word or behind the family name; both are brought to one form here, and a
//! version in the wrong place is a 404 as it is there.

use crate::http::{Reply, Request};
use crate::oauth::{consent, endpoint};
use crate::state::State;

/// A call whose path was understood.
#[derive(Debug)]
pub(crate) struct Route<'a> {
    /// The path without its version.
    pub(crate) path: Vec<&'a str>,
    pub(crate) version: &'a str,
    /// The path with ids blotted out: what the journal counts by and fault rules match on.
    pub(crate) name: String,
}

/// Understands a request's path, or not.
pub(crate) fn resolve(request: &Request) -> Option<Route<'_>> {
    let segments: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let (path, version) = canonical(&segments)?;
    let name = route_name(&request.method, &path);
    Some(Route { path, version, name })
}

/// Answers a call to one of the OAuth endpoints.
pub(crate) fn oauth(state: &State, request: &Request, route: &Route<'_>) -> Reply {
    let version = route.version;
    match (request.method.as_str(), route.path.as_slice()) {
        ("GET", ["oauth", "authorize"] | ["oauth", _, "authorize"]) => consent::page(state, request),
        ("POST", ["oauth", "authorize", "decision"]) => consent::decide(state, request),
        ("POST", ["oauth", "token"]) => endpoint::token(state, request),
        ("POST", ["oauth", "token", "introspect"]) if version != "v1" => endpoint::introspect(state, request),
        ("POST", ["oauth", "token", "revoke"]) if version != "v1" => endpoint::revoke(state, request),
        ("GET", ["oauth", "access-tokens" | "refresh-tokens", token]) => {
            endpoint::token_info(state, token, false)
        }
        ("DELETE", ["oauth", "refresh-tokens", token]) => endpoint::token_info(state, token, true),
        _ => unknown(request),
    }
}

/// What a path that is none of HubSpot's gets.
pub(crate) fn unknown(request: &Request) -> Reply {
    let message = format!("HTTP 404: no resource at {} {}", request.method, request.path);
    Reply::error(404, "OBJECT_NOT_FOUND", &message)
}

const DATED: [&str; 5] = ["2025-09", "2026-03", "2026-09", "2026-09-beta", "2027-03-beta"];

/// The path without its version, and the version.
fn canonical<'a>(segments: &[&'a str]) -> Option<(Vec<&'a str>, &'a str)> {
    let family = *segments.first()?;
    let at = match family {
        "oauth" if segments.get(1).is_some_and(|s| is_version(s)) => 1,
        "oauth" => return Some((segments.to_vec(), "")),
        "crm" | "marketing" if segments.get(1).is_some_and(|s| s.starts_with('v') && is_version(s)) => 1,
        "crm" if segments.get(1) == Some(&"extensions") => 3,
        "crm" | "marketing" => 2,
        "form-integrations" | "account-info" | "appinstalls" | "integrations" | "companies" | "deals"
        | "engagements" | "properties" | "forms" | "automation" | "settings" | "webhooks"
        | "app-webhooks" | "crm-object-schemas" => 1,
        "email" => 2,
        _ => return None,
    };
    let version = *segments.get(at).filter(|s| is_version(s))?;
    if at > 1 && version.starts_with('v') && family != "email" {
        return None;
    }
    let mut path = segments.to_vec();
    path.remove(at);
    Some((path, version))
}

fn is_version(segment: &str) -> bool {
    DATED.contains(&segment) || matches!(segment, "v1" | "v2" | "v3" | "v4")
}

fn route_name(method: &str, path: &[&str]) -> String {
    let mut name = method.to_owned();
    let mut objects = false;
    for (at, segment) in path.iter().enumerate() {
        let id = segment.bytes().any(|b| b.is_ascii_digit()) && !(objects && at == 2)
            || segment.contains('@')
            || segment.len() > 30;
        name.push(if at == 0 { ' ' } else { '/' });
        objects |= *segment == "objects";
        let kind = crate::kind::Kind::parse(segment).map(crate::kind::Kind::plural);
        name.push_str(match (kind, id) {
            (Some(kind), _) if at >= 2 => kind,
            (_, true) => "{id}",
            _ => segment,
        });
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn both_spellings_lead_to_one_route() {
        for path in
            ["crm/v3/objects/contacts/12", "crm/objects/2026-09/0-1/12", "crm/objects/2026-03/contact/12"]
        {
            let segments: Vec<&str> = path.split('/').collect();
            let (path, _) = canonical(&segments).unwrap();
            assert_eq!(route_name("GET", &path), "GET crm/objects/contacts/{id}");
        }
        for wrong in
            ["crm/objects/v3/contacts", "crm/objects/contacts", "crm/2026-09/objects/contacts", "nope/v3"]
        {
            let segments: Vec<&str> = wrong.split('/').collect();
            assert!(canonical(&segments).is_none(), "{wrong}");
        }
    }
}
