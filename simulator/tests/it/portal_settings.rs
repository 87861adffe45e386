//! What an app tells HubSpot about itself, and what the edge tells it: webhook subscriptions,
//! `Retry-After`, proof of a code, errors by name, media types.

use hubspot_simulator::{Options, RateLimit, RetryAfter};
use serde_json::{Value, json};

use crate::client::{KEY, Portal};

#[test]
fn an_app_subscribes_and_gets_only_that() {
    let mut portal = Portal::of(30);
    let at = |rest: &str| format!("/webhooks/v3/4100200/{rest}?hapikey={KEY}");
    portal.bearer = String::new();
    assert_eq!(
        portal.get("/webhooks/v3/4100200/settings").status,
        401,
        "a portal's token is no developer's key"
    );
    assert_eq!(portal.get(&at("settings")).status, 404);
    let settings =
        json!({"targetUrl": "http://127.0.0.1:9/hook", "throttling": {"maxConcurrentRequests": 7}});
    assert_eq!(
        portal.call("PUT", &at("settings"), &settings).json()["throttling"]["maxConcurrentRequests"],
        json!(7)
    );
    let odd = json!({"targetUrl": "http://198.51.100.7/hook", "throttling": {"maxConcurrentRequests": 7}});
    assert_eq!(portal.call("PUT", &at("settings"), &odd).status, 400, "loopback only");
    let made = portal.post(&at("subscriptions"), &json!({"eventType": "contact.creation", "active": true}));
    assert_eq!(made.status, 201);
    let id = made.json()["id"].as_str().unwrap().to_owned();
    for wrong in [
        json!({"eventType": "note.creation"}),
        json!({"eventType": "contact.propertyChange"}),
        json!({"eventType": "object.creation"}),
    ] {
        assert_eq!(portal.post(&at("subscriptions"), &wrong).status, 400, "{wrong}");
    }
    portal.posted("/__sim/objects/contacts", &json!({"properties": {"city": "Ulm"}}));
    portal.posted("/__sim/objects/notes", &json!({}));
    let sent = portal.posted("/__sim/webhooks/flush", &json!({"attempts": 1}));
    assert_eq!(sent["events"], json!(1), "the note was not asked for");
    portal.call("PATCH", &at(&format!("subscriptions/{id}")), &json!({"active": false}));
    portal.posted("/__sim/objects/contacts", &json!({}));
    assert_eq!(portal.posted("/__sim/webhooks/flush", &json!({"attempts": 1}))["events"], json!(0));
    assert_eq!(portal.call("DELETE", &at(&format!("subscriptions/{id}")), &Value::Null).status, 204);
    assert_eq!(portal.got(&at("subscriptions"))["results"], json!([]));
}

#[test]
fn refusals_say_when_to_come_back_if_told_to() {
    let limit = RateLimit { retry_after: RetryAfter::Seconds, ..RateLimit::burst(2) };
    let mut portal = Portal::with(Options { contacts: 20, rate_limit: Some(limit), ..Options::default() });
    let refused = (0..3).map(|_| portal.get("/crm/v3/owners")).last().unwrap();
    assert_eq!((refused.status, refused.header("retry-after")), (429, Some("10")));
    portal.posted("/__sim/rate-limit", &json!({"per_ten_seconds": 2, "retry_after": "date"}));
    assert!(portal.get("/crm/v3/owners").header("retry-after").unwrap().ends_with("GMT"));
    portal.posted("/__sim/rate-limit", &json!({"per_ten_seconds": 2}));
    let silent = portal.get("/crm/v3/owners");
    assert_eq!((silent.status, silent.header("retry-after")), (429, None));
}

#[test]
fn a_code_may_need_its_verifier() {
    let mut portal = Portal::of(20);
    // The pair of RFC 7636, appendix B.
    let (verifier, challenge) =
        ("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    let mut exchange = |verifier: &str| {
        let asked = [
            ("client_id", "sim-client-id"),
            ("redirect_uri", "https://app.example/callback"),
            ("scope", "oauth"),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
            ("decision", "approve"),
        ];
        let to = portal.form("/oauth/authorize/decision", &asked);
        let code = to.header("location").unwrap().split("code=").nth(1).unwrap().to_owned();
        portal.form(
            "/oauth/2026-09/token",
            &[
                ("grant_type", "authorization_code"),
                ("client_id", "sim-client-id"),
                ("client_secret", "sim-client-secret"),
                ("redirect_uri", "https://app.example/callback"),
                ("code", &code),
                ("code_verifier", verifier),
            ],
        )
    };
    assert_eq!(exchange(verifier).status, 200);
    let refused = exchange("wrong");
    assert_eq!((refused.status, refused.json()["status"].clone()), (400, json!("BAD_CODE_VERIFIER")));
}

#[test]
fn a_portal_can_live_in_europe() {
    let mut portal = Portal::with(Options { contacts: 20, hublet: "eu1".to_owned(), ..Options::default() });
    let details = portal.got("/account-info/2026-09/details");
    assert_eq!(
        (&details["uiDomain"], &details["dataHostingLocation"]),
        (&json!("app-eu1.hubspot.com"), &json!("eu1"))
    );
    let first = portal.got("/crm/v3/objects/contacts?limit=1");
    assert!(
        first["results"][0]["url"].as_str().unwrap().starts_with("https://app-eu1.hubspot.com/contacts/")
    );
}

#[test]
fn an_account_can_have_made_hundreds_of_properties() {
    let mut portal = Portal::with(Options { contacts: 20, extra_properties: 200, ..Options::default() });
    let all = portal.got("/crm/v3/properties/contacts");
    let names: Vec<&str> =
        all["results"].as_array().unwrap().iter().map(|p| p["name"].as_str().unwrap()).collect();
    assert!(names.len() > 230, "{}", names.len());
    let page = portal.got(&format!("/crm/v3/objects/contacts?limit=20&properties={}", names.join(",")));
    let set = |r: &Value| r["properties"].as_object().unwrap().values().filter(|v| !v.is_null()).count();
    for record in page["results"].as_array().unwrap() {
        assert!((20..names.len() / 2).contains(&set(record)), "{} of {}", set(record), names.len());
    }
    let path = format!("/crm/v3/objects/contacts/{}", page["results"][0]["id"].as_str().unwrap());
    let refused = portal.call("PATCH", &path, &json!({"properties": {"custom_property_000": "much"}}));
    assert_eq!((refused.status, refused.json()["errors"][0]["code"].clone()), (400, json!("INVALID_LONG")));
}

#[test]
fn lists_of_texts_match_in_lower_case_only() {
    let mut portal = Portal::of(60);
    let mail =
        portal.got("/crm/v3/objects/contacts?limit=1&properties=email")["results"][0]["properties"]["email"]
            .clone();
    let mail = mail.as_str().unwrap().to_owned();
    let mut found = |name: &str, operator: &str, value: &str| {
        let filter = json!({"propertyName": name, "operator": operator, "value": value, "values": [value]});
        portal.search_ids("contacts", &json!({"filters": [filter]})).1.len()
    };
    assert_eq!((found("email", "EQ", &mail.to_uppercase()), found("email", "IN", &mail)), (1, 1));
    assert_eq!(found("email", "IN", &mail.to_uppercase()), 0);
    assert!(found("lifecyclestage", "EQ", "customer") > 0);
    assert_eq!(found("lifecyclestage", "EQ", "CUSTOMER"), 0);
}

#[test]
fn every_oauth_error_can_be_had() {
    let mut portal = Portal::of(20);
    for (name, error) in [
        ("BAD_REFRESH_TOKEN", "invalid_grant"),
        ("BAD_HUB", "invalid_grant"),
        ("BAD_AUTH_CODE", "invalid_grant"),
        ("BAD_SCOPES", "invalid_scope"),
        ("BAD_CLIENT_ID", "invalid_client"),
        ("ACCESS_DENIED", "access_denied"),
        ("UNSUPPORTED_GRANT_TYPE", "unsupported_grant_type"),
    ] {
        portal.fault(json!({"route": "POST oauth/token", "do": "oauth_error", "name": name, "times": 1}));
        let refused = portal.form("/oauth/v1/token", &[("grant_type", "refresh_token")]);
        let body = refused.json();
        assert_eq!(
            (refused.status, body["status"].as_str(), body["error"].as_str()),
            (400, Some(name), Some(error))
        );
    }
    portal.fault(
        json!({"route": "POST oauth/token", "do": "oauth_error", "name": "BAD_CLIENT_SECRET", "status": 401}),
    );
    assert_eq!(portal.form("/oauth/v1/token", &[]).status, 401);
}

#[test]
fn other_media_types_and_unknown_owners_are_refused() {
    let mut portal = Portal::of(20);
    let answer = portal.send("POST", "/crm/v3/objects/contacts/search", "text/xml", "<a/>").unwrap();
    assert_eq!(answer.status, 415);
    let note =
        |owner: &str| json!({"properties": {"hs_timestamp": "1795424400000", "hubspot_owner_id": owner}});
    let refused = portal.post("/crm/v3/objects/notes", &note("1"));
    assert_eq!(
        (refused.status, refused.json()["errors"][0]["code"].clone()),
        (400, json!("INVALID_OWNER_ID"))
    );
    let archived =
        portal.got("/crm/v3/owners?archived=true")["results"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(portal.post("/crm/v3/objects/notes", &note(&archived)).status, 400);
    let there = portal.got("/crm/v3/owners")["results"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(portal.post("/crm/v3/objects/notes", &note(&there)).status, 201);
}

#[test]
fn what_is_announced_may_not_be_readable_yet() {
    let mut portal = Portal::of(20);
    let made =
        portal.posted("/__sim/objects/contacts", &json!({"readable_after_ms": 5_000, "source": "IMPORT"}));
    let path = format!("/crm/v3/objects/contacts/{}", made["id"].as_str().unwrap());
    assert_eq!(portal.get(&path).status, 404);
    portal.posted("/__sim/clock/advance", &json!({"ms": 6_000}));
    assert_eq!(portal.get(&path).status, 200);
    assert_eq!(portal.post("/__sim/objects/contacts", &json!({"source": "nowhere"})).status, 400);
}

#[test]
fn an_administrator_hides_archives_and_adds_properties() {
    let mut portal = Portal::with(Options { contacts: 40, extra_properties: 10, ..Options::default() });
    let names = |list: &Value| -> Vec<String> {
        let all = list["results"].as_array().unwrap().iter();
        all.filter(|p| p["hubspotDefined"] == false).map(|p| p["name"].as_str().unwrap().to_owned()).collect()
    };
    for kind in ["contacts", "companies", "deals"] {
        for version in ["/crm/v3/properties/", "/crm/properties/2026-09/", "/crm/properties/2026-03/"] {
            let all = portal.got(&format!("{version}{kind}"));
            assert_eq!(names(&all).len(), 10, "{version}{kind}");
            assert_eq!(all, portal.got(&format!("/__sim/truth/properties?type={kind}")));
        }
    }
    let set = |name: &str, portal: &mut Portal| {
        let all = portal.got("/crm/v3/properties/deals");
        all["results"].as_array().unwrap().iter().find(|p| p["name"] == name).cloned()
    };
    let choice = set("custom_property_003", &mut portal).unwrap();
    assert_eq!(
        choice["options"][1],
        json!({"label": "Second choice", "value": "opt_b", "displayOrder": 1, "hidden": false})
    );
    assert_eq!(set("custom_property_007", &mut portal).unwrap()["hidden"], true);
    assert_eq!(set("custom_property_008", &mut portal).unwrap()["calculated"], true);
    assert_eq!(set("hs_object_id", &mut portal).unwrap()["hubspotDefined"], true);

    let change = json!({"type": "deals", "count": 12, "hidden": ["custom_property_004"], "archived": ["custom_property_003"]});
    portal.call("POST", "/__sim/properties", &change);
    assert_eq!(names(&portal.got("/crm/v3/properties/deals")).len(), 11);
    assert_eq!(names(&portal.got("/crm/v3/properties/deals?archived=true")), ["custom_property_003"]);
    assert_eq!(set("custom_property_004", &mut portal).unwrap()["hidden"], true);
    assert_eq!(names(&portal.got("/crm/v3/properties/contacts")).len(), 10, "other types are as before");
    // What is listed can be read, and the truth says the same.
    let page =
        portal.got("/crm/v3/objects/deals?limit=100&properties=custom_property_005,custom_property_009");
    let records = page["results"].as_array().unwrap();
    let mut seen = 0;
    for record in records {
        let id = record["id"].as_str().unwrap();
        let truth = portal.got(&format!("/__sim/truth/record?type=deals&id={id}"));
        for name in ["custom_property_005", "custom_property_009"] {
            assert_eq!(record["properties"][name], truth["custom"][name], "{id} {name}");
            seen += usize::from(!record["properties"][name].is_null());
        }
    }
    assert!(seen > 0);
}
