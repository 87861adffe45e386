//! The token endpoints, in every version HubSpot still serves. Errors carry both the standard
//! OAuth fields and HubSpot's old ones.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::tokens::Grant;
use crate::http::{CORRELATION_ID, Reply, Request};
use crate::state::State;

struct Form(Vec<(String, String)>);

impl Form {
    fn get(&self, name: &str) -> &str {
        self.0.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value)
    }
}

/// `POST /oauth/{version}/token`.
pub(crate) fn token(state: &State, request: &Request) -> Reply {
    if !request.is_form() {
        return Reply::error(415, "VALIDATION_ERROR", "HTTP 415 Unsupported Media Type");
    }
    let form = Form(request.form());
    if let Err(reply) = check_client(state, &form) {
        return reply;
    }
    match form.get("grant_type") {
        "authorization_code" => exchange(state, &form),
        "refresh_token" => refresh(state, &form),
        "client_credentials" => {
            let scopes: BTreeSet<String> = form.get("scope").split_whitespace().map(str::to_owned).collect();
            if scopes.is_empty() || !scopes.iter().all(|s| is_app_scope(s)) {
                return failure("BAD_SCOPES");
            }
            let now = state.clock.now();
            let grant = state.tokens().grant(scopes, now);
            let mut reply = granted(state, &grant, false);
            reply["token_use"] = json!("client_credentials");
            Reply::ok(&reply)
        }
        _ => failure("UNSUPPORTED_GRANT_TYPE"),
    }
}

/// What an app may ask for itself, without anybody's consent: the webhooks journal.
fn is_app_scope(scope: &str) -> bool {
    scope.starts_with("developer.webhooks_journal.")
}

fn check_client(state: &State, form: &Form) -> Result<(), Reply> {
    if form.get("client_id") != state.options.client_id {
        return Err(failure("BAD_CLIENT_ID"));
    }
    if form.get("client_secret") != state.options.client_secret {
        return Err(failure("BAD_CLIENT_SECRET"));
    }
    Ok(())
}

fn exchange(state: &State, form: &Form) -> Reply {
    let now = state.clock.now();
    let Some(code) = state.tokens().redeem(form.get("code"), now) else {
        return failure("BAD_AUTH_CODE");
    };
    if code.redirect_uri != form.get("redirect_uri") {
        return failure("BAD_REDIRECT_URI");
    }
    if !code.is_proven_by(form.get("code_verifier")) {
        return failure("BAD_CODE_VERIFIER");
    }
    let grant = state.tokens().grant(code.scopes, now);
    Reply::ok(&granted(state, &grant, true))
}

fn refresh(state: &State, form: &Form) -> Reply {
    let now = state.clock.now();
    let renewed = state.tokens().renew(form.get("refresh_token"), now);
    match renewed {
        Some(grant) => Reply::ok(&granted(state, &grant, true)),
        None => failure("BAD_REFRESH_TOKEN"),
    }
}

fn granted(state: &State, grant: &Grant, with_refresh: bool) -> Value {
    let mut body = json!({
        "token_type": "bearer", "token_use": "access_token", "access_token": grant.access,
        "expires_in": state.tokens().life_ms / 1_000, "hub_id": state.portal.id,
        "user_id": 9_100_000, "scopes": grant.scopes,
    });
    if with_refresh {
        body["refresh_token"] = json!(grant.refresh);
    }
    body
}

/// `POST /oauth/{version}/token/introspect`.
pub(crate) fn introspect(state: &State, request: &Request) -> Reply {
    let form = Form(request.form());
    if let Err(reply) = check_client(state, &form) {
        return reply;
    }
    Reply::ok(&describe(state, form.get("token")))
}

fn describe(state: &State, token: &str) -> Value {
    let now = state.clock.now();
    let tokens = state.tokens();
    let (token_use, scopes, expires_in) = if let Some((left, scopes)) = tokens.describe(token, now) {
        ("access_token", scopes, Some(left / 1_000))
    } else if let Some(scopes) = tokens.refresh_scopes(token) {
        ("refresh_token", scopes.clone(), None)
    } else {
        return json!({"active": false});
    };
    let mut body = json!({
        "active": true, "token": token, "hub_id": tokens.hub, "user_id": 9_100_000,
        "client_id": state.options.client_id, "app_id": 4_100_200, "user": "admin@vendor.example",
        "hub_domain": "vendor.example", "scopes": scopes, "token_use": token_use, "token_type": "bearer",
    });
    if let Some(seconds) = expires_in {
        body["expires_in"] = json!(seconds);
        body["is_private_distribution"] = json!(true);
        body["signed_access_token"] = signed(state, tokens.hub, seconds);
    }
    body
}

/// What of an access token is signed.
fn signed(state: &State, hub: u64, seconds: i64) -> Value {
    json!({
        "hublet": state.portal.hublet, "hubId": hub, "userId": 9_100_000, "appId": 4_100_200,
        "expiresAt": state.clock.now() + seconds * 1_000, "installingUserId": 9_100_000, "appInstallId": "7100001",
        "audience": "", "isPrivateDistribution": true, "isServiceAccount": false, "isUserLevel": false,
        "scopes": "", "scopeToScopeGroupPks": "", "trialScopes": "", "trialScopeToScopeGroupPks": "",
        "signature": "c2ltdWxhdGVk", "newSignature": "c2ltdWxhdGVk",
    })
}

/// `POST /oauth/{version}/token/revoke`.
pub(crate) fn revoke(state: &State, request: &Request) -> Reply {
    let form = Form(request.form());
    if let Err(reply) = check_client(state, &form) {
        return reply;
    }
    state.tokens().revoke(form.get("token"));
    Reply::ok(&json!({}))
}

/// `GET` and `DELETE /oauth/v1/refresh-tokens/{token}`, `GET /oauth/v1/access-tokens/{token}`.
pub(crate) fn token_info(state: &State, token: &str, delete: bool) -> Reply {
    if delete {
        state.tokens().revoke(token);
        return Reply::empty(204);
    }
    let mut info = describe(state, token);
    if info["active"] == json!(false) {
        return Reply::error(404, "OBJECT_NOT_FOUND", "the token is unknown");
    }
    // Version 1 has other words for the kind of token, and does not tell everything.
    let is_access = info["token_use"] == "access_token";
    info["token_type"] = json!(if is_access { "access" } else { "refresh" });
    if let Some(info) = info.as_object_mut() {
        let untold: &[&str] = if is_access {
            &["active", "token_use", "client_id"]
        } else {
            &["active", "token_use", "app_id"]
        };
        info.retain(|name, _| !untold.contains(&name.as_str()));
    }
    Reply::ok(&info)
}

/// Every error of the token endpoints: HubSpot's name, OAuth's name, the words.
const ERRORS: [(&str, &str, &str); 11] = [
    ("BAD_CLIENT_ID", "invalid_client", "missing or unknown client ID"),
    ("BAD_CLIENT_SECRET", "invalid_client", "missing or invalid client secret"),
    ("BAD_AUTH_CODE", "invalid_grant", "missing or unknown auth code"),
    ("BAD_CODE_VERIFIER", "invalid_grant", "missing or invalid code verifier"),
    ("BAD_REDIRECT_URI", "invalid_grant", "missing or invalid redirect URI"),
    ("BAD_REFRESH_TOKEN", "invalid_grant", "refresh token is invalid, expired or revoked"),
    ("BAD_HUB", "invalid_grant", "missing or unknown hub id"),
    ("BAD_SCOPES", "invalid_scope", "one or more scopes are invalid"),
    ("ACCESS_DENIED", "access_denied", "the app has no access to this account"),
    ("UNSUPPORTED_GRANT_TYPE", "unsupported_grant_type", "unsupported grant type"),
    ("INVALID_REQUEST", "invalid_request", "the request is missing a parameter"),
];

fn failure(name: &str) -> Reply {
    error_reply(400, name)
}

/// The reply a token endpoint refuses with.
pub(crate) fn error_reply(status: u16, name: &str) -> Reply {
    let known = ERRORS.iter().find(|(known, ..)| *known == name);
    let (_, error, message) = known.copied().unwrap_or((name, "server_error", "the request was refused"));
    Reply::json(
        status,
        &json!({
            "error": error, "error_description": message, "status": name, "message": message,
            "correlationId": CORRELATION_ID,
        }),
    )
}
