//! The token endpoints, in every version HubSpot still serves. Errors carry both the standard
//! OAuth fields and HubSpot's old ones.

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
            let scopes = form.get("scope").split(' ').map(str::to_owned).collect();
            let now = state.clock.now();
            let grant = state.tokens().grant(scopes, now);
            granted(state, &grant, false)
        }
        other => failure(
            "unsupported_grant_type",
            "UNSUPPORTED_GRANT_TYPE",
            &format!("unsupported grant type '{other}'"),
        ),
    }
}

fn check_client(state: &State, form: &Form) -> Result<(), Reply> {
    if form.get("client_id") != state.options.client_id {
        return Err(failure("invalid_client", "BAD_CLIENT_ID", "missing or unknown client ID"));
    }
    if form.get("client_secret") != state.options.client_secret {
        return Err(failure("invalid_client", "BAD_CLIENT_SECRET", "missing or invalid client secret"));
    }
    Ok(())
}

fn exchange(state: &State, form: &Form) -> Reply {
    let now = state.clock.now();
    let Some(code) = state.tokens().redeem(form.get("code"), now) else {
        return failure("invalid_grant", "BAD_AUTH_CODE", "missing or unknown auth code");
    };
    if code.redirect_uri != form.get("redirect_uri") {
        return failure("invalid_grant", "BAD_REDIRECT_URI", "missing or invalid redirect URI");
    }
    let grant = state.tokens().grant(code.scopes, now);
    granted(state, &grant, true)
}

fn refresh(state: &State, form: &Form) -> Reply {
    let now = state.clock.now();
    let renewed = state.tokens().renew(form.get("refresh_token"), now);
    match renewed {
        Some(grant) => granted(state, &grant, true),
        None => failure("invalid_grant", "BAD_REFRESH_TOKEN", "refresh token is invalid, expired or revoked"),
    }
}

fn granted(state: &State, grant: &Grant, with_refresh: bool) -> Reply {
    let mut body = json!({
        "token_type": "bearer", "token_use": "access_token", "access_token": grant.access,
        "expires_in": state.tokens().life_ms / 1_000, "hub_id": state.portal.id,
        "user_id": 9_100_000, "scopes": grant.scopes,
    });
    if with_refresh {
        body["refresh_token"] = json!(grant.refresh);
    }
    Reply::ok(&body)
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
        "hub_domain": "vendor.example", "scopes": scopes, "is_private_distribution": true,
        "token_use": token_use, "token_type": "bearer",
        "signed_access_token": {"hublet": "na1", "hubId": tokens.hub, "userId": 9_100_000, "appId": 4_100_200},
    });
    if let Some(seconds) = expires_in {
        body["expires_in"] = json!(seconds);
    }
    body
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
    let info = describe(state, token);
    if info["active"] == json!(false) {
        return Reply::error(404, "OBJECT_NOT_FOUND", "the token is unknown");
    }
    Reply::ok(&info)
}

fn failure(error: &str, status: &str, message: &str) -> Reply {
    Reply::json(
        400,
        &json!({
            "error": error, "error_description": message, "status": status, "message": message,
            "correlationId": CORRELATION_ID,
        }),
    )
}
