//! The way in: consent, code, tokens, refresh, expiry, revocation, scopes, and every way to fail.

use serde_json::{Value, json};

use crate::client::{Answer, Portal};

const BACK: &str = "http://127.0.0.1:9/api/integrations/hubspot/callback";
const SCOPES: &str = "oauth crm.objects.contacts.read crm.objects.companies.read crm.objects.deals.read sales-email-read forms";

fn authorize(portal: &mut Portal, client: &str, scope: &str, redirect: &str) -> Answer {
    let query: String = url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs([
            ("client_id", client),
            ("scope", scope),
            ("redirect_uri", redirect),
            ("state", "st&te <1>"),
            ("optional_scope", "crm.objects.owners.read something.unknown"),
        ])
        .finish();
    portal.get(&format!("/oauth/authorize?{}", query.replace('+', "%20")))
}

/// Presses a button of the page, sending the form's own fields.
fn press(portal: &mut Portal, page: &str, decision: &str) -> url::Url {
    let mut fields: Vec<(String, String)> = page
        .split("<input type=\"hidden\" name=\"")
        .skip(1)
        .map(|rest| {
            let (name, rest) = rest.split_once("\" value=\"").unwrap();
            let value = rest.split_once('"').unwrap().0;
            (
                name.to_owned(),
                value.replace("&lt;", "<").replace("&gt;", ">").replace("&quot;", "\"").replace("&amp;", "&"),
            )
        })
        .collect();
    assert!(page.contains(&format!("<button name=\"decision\" value=\"{decision}\">")));
    fields.push(("decision".to_owned(), decision.to_owned()));
    let pairs: Vec<(&str, &str)> = fields.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    let answer = portal.form("/oauth/authorize/decision", &pairs);
    assert_eq!(answer.status, 302, "{}", answer.text());
    answer.header("location").unwrap().parse().unwrap()
}

fn parameter(url: &url::Url, name: &str) -> Option<String> {
    url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
}

fn code(portal: &mut Portal) -> String {
    let page = authorize(portal, "sim-client-id", SCOPES, BACK).text();
    parameter(&press(portal, &page, "approve"), "code").unwrap()
}

fn exchange(portal: &mut Portal, path: &str, changes: &[(&str, &str)]) -> Answer {
    let mut fields = vec![
        ("grant_type", "authorization_code"),
        ("client_id", "sim-client-id"),
        ("client_secret", "sim-client-secret"),
        ("redirect_uri", BACK),
    ];
    fields.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
    fields.extend(changes);
    portal.form(path, &fields)
}

/// Consents to what the product asks for; the portal's bearer is the new token.
pub(crate) fn connect(portal: &mut Portal) -> Value {
    let code = code(portal);
    let tokens = exchange(portal, "/oauth/2026-09/token", &[("code", &code)]).json();
    portal.bearer = tokens["access_token"].as_str().unwrap().to_owned();
    tokens
}

fn refresh(portal: &mut Portal, token: &str) -> Answer {
    exchange(portal, "/oauth/2026-09/token", &[("grant_type", "refresh_token"), ("refresh_token", token)])
}

#[test]
fn consent_leads_to_a_working_token() {
    let mut portal = Portal::of(20);
    let page = authorize(&mut portal, "sim-client-id", SCOPES, BACK);
    assert_eq!(page.status, 200);
    assert!(page.text().contains("View companies"));
    let back = press(&mut portal, &page.text(), "approve");
    assert_eq!(parameter(&back, "state").unwrap(), "st&te <1>");
    let code = parameter(&back, "code").unwrap();
    let tokens = exchange(&mut portal, "/oauth/2026-09/token", &[("code", &code)]).json();
    assert_eq!(tokens["expires_in"], json!(1_800));
    let access = tokens["access_token"].as_str().unwrap().to_owned();
    assert!(access.len() >= 300);
    let scopes = tokens["scopes"].as_array().unwrap();
    assert!(
        scopes.contains(&json!("crm.objects.owners.read")) && !scopes.contains(&json!("something.unknown"))
    );
    let again = exchange(&mut portal, "/oauth/2026-09/token", &[("code", &code)]);
    assert_eq!(
        (again.status, again.json()["status"].as_str()),
        (400, Some("BAD_AUTH_CODE")),
        "codes work once"
    );
    portal.bearer = access.clone();
    let details = portal.got("/account-info/2026-09/details");
    assert_eq!(details["portalId"], tokens["hub_id"]);
    let described = exchange(&mut portal, "/oauth/2026-09/token/introspect", &[("token", &access)]).json();
    assert_eq!(
        (described["active"].as_bool(), described["hub_id"].clone()),
        (Some(true), tokens["hub_id"].clone())
    );
    assert_eq!(described["user"], json!("admin@vendor.example"));
}

#[test]
fn denial_and_app_mistakes() {
    let mut portal = Portal::of(20);
    let page = authorize(&mut portal, "sim-client-id", SCOPES, BACK).text();
    let back = press(&mut portal, &page, "deny");
    assert_eq!(parameter(&back, "error").unwrap(), "access_denied");
    assert!(parameter(&back, "error_description").is_some() && parameter(&back, "state").is_some());
    for (client, scope, redirect) in [
        ("other", SCOPES, BACK),
        ("sim-client-id", "crm.objects.contacts.read", BACK),
        ("sim-client-id", "oauth no.such.scope", BACK),
        ("sim-client-id", SCOPES, "http://elsewhere.example/back"),
        ("sim-client-id", SCOPES, "nonsense"),
    ] {
        let page = authorize(&mut portal, client, scope, redirect);
        assert_eq!(page.status, 400);
        assert!(
            page.header("content-type").unwrap().starts_with("text/html")
                && page.header("location").is_none()
        );
    }
}

#[test]
fn every_token_failure_has_its_own_name() {
    let mut portal = Portal::of(20);
    let mut fails = |changes: &[(&str, &str)], error: &str, status: &str| {
        let code = code(&mut portal);
        let mut all = vec![("code", code.as_str())];
        all.retain(|(name, _)| !changes.iter().any(|(changed, _)| changed == name));
        all.extend(changes);
        let answer = exchange(&mut portal, "/oauth/2026-09/token", &all);
        let body = answer.json();
        assert_eq!(
            (answer.status, body["error"].as_str(), body["status"].as_str()),
            (400, Some(error), Some(status))
        );
        assert!(body["error_description"].is_string() && body["message"].is_string());
    };
    fails(&[("client_id", "wrong")], "invalid_client", "BAD_CLIENT_ID");
    fails(&[("client_secret", "wrong")], "invalid_client", "BAD_CLIENT_SECRET");
    fails(&[("redirect_uri", "http://127.0.0.1:9/other")], "invalid_grant", "BAD_REDIRECT_URI");
    fails(&[("code", "wrong")], "invalid_grant", "BAD_AUTH_CODE");
    fails(&[("grant_type", "password")], "unsupported_grant_type", "UNSUPPORTED_GRANT_TYPE");
    fails(
        &[("grant_type", "refresh_token"), ("refresh_token", "wrong")],
        "invalid_grant",
        "BAD_REFRESH_TOKEN",
    );
    let late = code(&mut portal);
    portal.posted("/__sim/clock/advance", &json!({"ms": 61_000}));
    let answer = exchange(&mut portal, "/oauth/v1/token", &[("code", &late)]);
    assert_eq!(answer.json()["status"], json!("BAD_AUTH_CODE"), "codes live for a minute");
    let json = portal.post("/oauth/2026-09/token", &json!({"grant_type": "authorization_code"}));
    assert_eq!(json.status, 415);
}

#[test]
fn tokens_expire_refresh_rotate_and_are_revoked() {
    let mut portal = Portal::of(20);
    let first = connect(&mut portal)["refresh_token"].as_str().unwrap().to_owned();
    portal.posted("/__sim/clock/advance", &json!({"ms": 1_800_001}));
    let expired = portal.get("/crm/v3/objects/contacts");
    assert_eq!((expired.status, expired.json()["category"].as_str()), (401, Some("EXPIRED_AUTHENTICATION")));
    let renewed = refresh(&mut portal, &first).json();
    assert_eq!(renewed["refresh_token"], json!(first), "not rotated by default");
    portal.posted("/__sim/tokens/settings", &json!({"rotate": true}));
    let rotated = refresh(&mut portal, &first).json();
    let second = rotated["refresh_token"].as_str().unwrap().to_owned();
    assert_ne!(second, first);
    assert_eq!(refresh(&mut portal, &first).json()["status"], json!("BAD_REFRESH_TOKEN"));
    portal.bearer = rotated["access_token"].as_str().unwrap().to_owned();
    portal.got("/crm/v3/objects/contacts");
    assert_eq!(exchange(&mut portal, "/oauth/2026-09/token/revoke", &[("token", &second)]).status, 200);
    portal.got("/crm/v3/objects/contacts");
    assert_eq!(refresh(&mut portal, &second).json()["status"], json!("BAD_REFRESH_TOKEN"));
    portal.posted("/__sim/tokens/expire", &Value::Null);
    assert_eq!(portal.get("/crm/v3/objects/contacts").status, 401);
    portal.bearer = "made-up".to_owned();
    assert_eq!(portal.get("/crm/v3/objects/contacts").json()["category"], json!("INVALID_AUTHENTICATION"));
}

#[test]
fn uninstalling_ends_everything() {
    let mut portal = Portal::of(20);
    let token = connect(&mut portal)["refresh_token"].as_str().unwrap().to_owned();
    assert_eq!(portal.call("DELETE", "/appinstalls/2026-09/external-install", &Value::Null).status, 204);
    assert_eq!(portal.get("/crm/v3/objects/contacts").status, 401);
    assert_eq!(refresh(&mut portal, &token).status, 400);
}

#[test]
fn scopes_decide_what_is_readable() {
    let mut portal = Portal::of(40);
    connect(&mut portal);
    let missing = |answer: Answer, scope: &str| {
        let body = answer.json();
        assert_eq!((answer.status, body["category"].as_str()), (403, Some("MISSING_SCOPES")));
        assert!(
            body["errors"][0]["context"]["requiredGranularScopes"]
                .as_array()
                .unwrap()
                .contains(&json!(scope))
        );
    };
    missing(
        portal.get("/crm/extensions/calling/2026-09/transcripts/880000000"),
        "crm.extensions_calling_transcripts.read",
    );
    missing(portal.post("/crm/v3/objects/notes", &json!({"properties": {}})), "crm.objects.contacts.write");
    portal.got("/crm/objects/2026-09/companies");
    for scope in ["crm.objects.companies.read", "sales-email-read", "forms"] {
        portal.posted("/__sim/scopes/remove", &json!({"scope": scope}));
    }
    missing(portal.get("/crm/objects/2026-09/companies"), "crm.objects.companies.read");
    missing(portal.get("/crm/objects/2026-09/emails"), "sales-email-read");
    missing(portal.get("/marketing/v3/forms"), "forms");
    let old = portal.got("/crm/v3/objects/emails?properties=hs_email_text,hs_email_direction");
    let properties = &old["results"][0]["properties"];
    assert!(
        properties["hs_email_text"]
            .as_str()
            .unwrap()
            .starts_with("The content of this email has been redacted")
    );
    assert_eq!(properties["hs_email_direction"], json!("INCOMING_EMAIL"));
    portal.posted("/__sim/scopes/restore", &Value::Null);
    portal.got("/crm/objects/2026-09/companies");
}
