//! Whatever is sent, the portal answers, in HubSpot's words, and goes on: no panic, no error of the
//! server, no reply left out. One portal takes all of it, so states nobody planned come up too.

use std::io::Write;
use std::net::TcpStream;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use proptest::prelude::*;
use proptest::sample::select;
use serde_json::{Value, json};

use crate::client::Portal;

/// Calls with holes; each `*` takes any piece.
const CALLS: [&str; 50] = [
    "GET crm/v3/objects/*",
    "GET crm/objects/2026-09/*/*",
    "POST crm/v3/objects/*/search",
    "POST crm/objects/2026-03/*/batch/read",
    "POST crm/v3/objects/*/batch/create",
    "POST crm/v3/objects/*/batch/update",
    "POST crm/v3/objects/*/batch/upsert",
    "POST crm/v3/objects/*/batch/archive",
    "POST crm/v3/objects/*/merge",
    "POST crm/v3/objects/*/gdpr-delete",
    "GET crm/v4/objects/*/*/associations/*",
    "PUT crm/v4/objects/*/*/associations/*/*",
    "PUT crm/v4/objects/*/*/associations/default/*/*",
    "PUT crm/v3/objects/*/*/associations/*/*/*",
    "POST crm/v4/associations/*/*/batch/read",
    "POST crm/v4/associations/*/*/batch/create",
    "POST crm/v3/associations/*/*/batch/archive",
    "POST crm/v4/associations/*/*/batch/labels/archive",
    "POST crm/v4/associations/*/*/batch/associate/default",
    "GET crm/v4/associations/*/*/labels",
    "GET crm/v3/properties/*",
    "GET crm/v3/properties/*/*",
    "POST crm/v3/properties/*/batch/read",
    "GET crm/v3/owners",
    "GET crm/v3/owners/*",
    "GET crm/v3/pipelines/*",
    "GET crm/v3/pipelines/*/*/stages/*",
    "GET crm/v3/extensions/calling/transcripts/*",
    "GET crm/extensions/calling/2026-09/transcripts/*",
    "GET marketing/v3/forms",
    "GET marketing/v3/forms/*",
    "GET form-integrations/v1/submissions/forms/*",
    "GET account-info/v3/details",
    "POST oauth/v1/token",
    "POST oauth/2026-09/token",
    "GET oauth/v1/access-tokens/*",
    "GET oauth/authorize",
    "POST oauth/authorize/decision",
    "POST oauth/2026-09/token/introspect",
    "GET companies/v2/companies/*",
    "GET deals/v1/deal/paged",
    "GET engagements/v1/engagements/modified/after",
    "GET engagements/v1/engagements/paged",
    "GET engagements/v1/engagements/*",
    "GET webhooks/v3/*/subscriptions/*",
    "PUT webhooks/v3/7/settings",
    "GET */*/*",
    "POST crm/v3/objects/*",
    "PATCH crm/v3/objects/*/*",
    "DELETE crm/v3/objects/*/*",
];
const NAMES: [&str; 22] = [
    "limit",
    "after",
    "offset",
    "count",
    "since",
    "properties",
    "propertiesWithHistory",
    "associations",
    "archived",
    "idProperty",
    "email",
    "formTypes",
    "includeAllProperties",
    "hapikey",
    "client_id",
    "redirect_uri",
    "scope",
    "state",
    "code_challenge",
    "decision",
    "grant_type",
    "code",
];
const KEYS: [&str; 34] = [
    "inputs",
    "id",
    "properties",
    "associations",
    "filterGroups",
    "filters",
    "propertyName",
    "operator",
    "value",
    "values",
    "highValue",
    "sorts",
    "direction",
    "query",
    "limit",
    "after",
    "from",
    "to",
    "types",
    "type",
    "associationTypeId",
    "associationCategory",
    "idProperty",
    "objectWriteTraceId",
    "primaryObjectId",
    "objectIdToMerge",
    "objectId",
    "propertiesWithHistory",
    "name",
    "eventType",
    "targetUrl",
    "throttling",
    "maxConcurrentRequests",
    "active",
];
const TEXTS: [&str; 44] = [
    "",
    "0",
    "1",
    "-1",
    "10000",
    "9999",
    "18446744073709551615",
    "18446744073709551616",
    "1152921504606846976",
    "99999400100",
    "9999900000",
    "1e308",
    "NaN",
    "contacts",
    "companies",
    "deals",
    "emails",
    "notes",
    "calls",
    "meetings",
    "tasks",
    "tickets",
    "0-1",
    "0-49",
    "email",
    "hs_object_id",
    "lastmodifieddate",
    "hs_lastmodifieddate",
    "hs_timestamp",
    "dealstage",
    "associations.contact",
    "EQ",
    "BETWEEN",
    "IN",
    "CONTAINS_TOKEN",
    "*",
    "*a*",
    "ß*",
    "2026-11-23",
    "9999-12-31T23:59:59Z",
    "-9223372036854775808",
    "\u{0}",
    "日本語",
    "pat-na1-51300000-0000-4000-8000-000000000001",
];

/// Anything small enough to be sent often.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![6 => select(&TEXTS[..]).prop_map(str::to_owned), 1 => any::<i64>().prop_map(|n| n.to_string()),
        1 => "\\PC{0,12}"]
}

/// JSON made of the words the portal's endpoints listen to.
fn body() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        4 => text().prop_map(Value::from), 1 => any::<bool>().prop_map(Value::from), 1 => any::<i64>().prop_map(Value::from),
        1 => any::<f64>().prop_map(Value::from), 1 => Just(Value::Null),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        let key = select(&KEYS[..]).prop_map(str::to_owned);
        prop_oneof![
            1 => proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            3 => proptest::collection::btree_map(key, inner, 0..5).prop_map(|map| map.into_iter().collect()),
        ]
    })
}

#[derive(Debug, Clone)]
struct Sent {
    method: &'static str,
    target: String,
    kind: &'static str,
    body: String,
}

fn encoded(text: &str) -> String {
    url::form_urlencoded::byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// A body an endpoint understands, with anything in its holes.
fn understood(ids: Vec<String>, which: usize) -> impl Strategy<Value = Value> {
    let id = prop_oneof![4 => select(ids), 1 => text()];
    let name =
        select(&["hs_object_id", "hubspot_owner_id", "email", "city", "hs_timestamp", "createdate"][..]);
    let operator = select(&["EQ", "NEQ", "LT", "GTE", "BETWEEN", "IN", "HAS_PROPERTY", "CONTAINS_TOKEN"][..]);
    let number = select(&[1, 91, 202, 279, 280, 7][..]);
    (id.clone(), id, name, operator, text(), number).prop_map(move |(a, b, name, operator, text, number)| {
        let kinds = json!([{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}]);
        match which {
            0 => json!({"inputs": [{"id": a}, {"id": b}], "propertiesWithHistory": [name]}),
            1 => json!({"properties": {"hs_timestamp": "1795424400000", name: text}}),
            2 => json!({"inputs": [{"id": a, "properties": {name: text}}]}),
            3 => json!({"inputs": [{"from": {"id": a}, "to": {"id": b}, "types": kinds}]}),
            4 => kinds,
            5 => json!({"primaryObjectId": a, "objectIdToMerge": b, "objectId": a}),
            _ => json!({"filterGroups": [{"filters": [{"propertyName": name, "operator": operator, "value": text,
                "highValue": b, "values": [a]}]}], "sorts": [name], "limit": number, "query": b}),
        }
    })
}

/// Which of those bodies a call takes.
fn taken_by(call: &str) -> usize {
    match call.rsplit('/').next().unwrap_or_default() {
        _ if call.contains("associations") && call.starts_with("PUT") => 4,
        _ if call.contains("v4/associations") || call.contains("v3/associations") => 3,
        "read" | "archive" => 0,
        "create" | "update" | "upsert" => 2,
        "merge" | "gdpr-delete" => 5,
        "search" => 6,
        _ => 1,
    }
}

fn sent(ids: Vec<String>) -> impl Strategy<Value = Sent> {
    (select(&CALLS[..]), 0..6).prop_flat_map(move |(call, odd)| one_call(call, odd == 0, ids.clone()))
}

/// A call as it is meant or, if it is to be odd, with another method.
fn one_call(call: &'static str, odd: bool, ids: Vec<String>) -> impl Strategy<Value = Sent> {
    let kinds =
        &["contacts", "companies", "deals", "emails", "notes", "calls", "meetings", "tasks", "0-1"][..];
    let piece = prop_oneof![
        5 => select(kinds).prop_map(str::to_owned), 4 => select(ids.clone()), 1 => text(),
    ];
    let value = prop_oneof![2 => select(&["1", "50", "contacts", "true", "email"][..]).prop_map(str::to_owned), 1 => text()];
    let query = proptest::collection::vec((select(&NAMES[..]), value), 0..3);
    let kind = prop_oneof![20 => Just("application/json"), 2 => Just("application/x-www-form-urlencoded"), 1 => Just("text/plain")];
    let body = prop_oneof![
        12 => understood(ids, taken_by(call)).prop_map(|value| value.to_string()), 4 => body().prop_map(|value| value.to_string()),
        1 => Just(String::new()), 1 => "\\PC{0,40}",
        1 => proptest::collection::vec((select(&NAMES[..]), text()), 0..5)
            .prop_map(|fields| url::form_urlencoded::Serializer::new(String::new()).extend_pairs(fields).finish()),
    ];
    let method = select(&["GET", "POST", "PUT", "PATCH", "DELETE"][..]);
    let pieces = proptest::collection::vec(piece, 5);
    (method, pieces, query, kind, body).prop_map(move |(other, pieces, query, kind, body)| {
        let (own, path) = call.split_once(' ').unwrap_or(("GET", call));
        let method = if odd { other } else { own };
        let mut pieces = pieces.iter();
        let segments = path.split('/').map(|part| match part {
            "*" => encoded(pieces.next().map_or("x", String::as_str)),
            part => part.to_owned(),
        });
        let query: Vec<String> =
            query.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
        let target = format!("/{}?{}", segments.collect::<Vec<_>>().join("/"), query.join("&"));
        Sent { method, target, kind, body }
    })
}

/// The one failure of the server that is HubSpot's own: a search that compares with the epoch.
fn is_epoch_search(sent: &Sent, status: u16) -> bool {
    status == 500 && sent.target.contains("/search") && sent.body.contains("\"0\"")
}

#[test]
fn anything_gets_an_answer() {
    let mut portal = Portal::of(30);
    let kinds = ["contacts", "companies", "notes", "calls"];
    let ids: Vec<String> = kinds.iter().flat_map(|kind| portal.truth_ids(kind).into_iter().take(4)).collect();
    let portal = Mutex::new(portal);
    let sends = AtomicU64::new(0);
    let config = ProptestConfig { cases: 4_000, failure_persistence: None, ..ProptestConfig::default() };
    proptest!(config, |(sent in sent(ids))| {
        let mut portal = portal.lock().unwrap();
        sends.fetch_add(1, Ordering::Relaxed);
        let answer = portal.send(sent.method, &sent.target, sent.kind, &sent.body);
        let answer = answer.unwrap_or_else(|error| panic!("no reply: {error}: {sent:?}"));
        let status = answer.status;
        prop_assert!(status < 500 || is_epoch_search(&sent, status), "{status}: {sent:?}");
        let is_json = answer.header("content-type").is_some_and(|t| t.starts_with("application/json"));
        if status >= 400 && is_json {
            let told = answer.json();
            prop_assert!(told["message"].as_str().is_some_and(|m| !m.is_empty()), "{status}: {sent:?} {told}");
            prop_assert_eq!(told["correlationId"].as_str(), answer.header("x-hubspot-correlation-id"));
        }
    });
    let mut portal = portal.into_inner().unwrap();
    let statuses = portal.got("/__sim/journal")["statuses"].clone();
    assert!(
        statuses["200"].as_u64() > Some(sends.into_inner() / 10),
        "some of it has to be understood: {statuses}"
    );
    for kind in ["contacts", "emails", "notes"] {
        assert_eq!(
            portal.list_ids(&format!("/crm/v3/objects/{kind}"), 100),
            portal.truth_ids(kind),
            "{kind}"
        );
    }
}

#[test]
fn the_controls_refuse_nonsense_too() {
    const CONTROLS: [&str; 16] = [
        "faults",
        "rate-limit",
        "webhooks/target",
        "clock/advance",
        "tokens/settings",
        "scopes/remove",
        "search-index/settings",
        "objects/notes",
        "objects/*/*",
        "touch",
        "associations",
        "merge",
        "privacy-delete",
        "truth/ids?type=*",
        "truth/record?type=*&id=*",
        "nothing/of/the/kind",
    ];
    let portal = Mutex::new(Portal::of(20));
    let config = ProptestConfig { cases: 1_000, failure_persistence: None, ..ProptestConfig::default() };
    let method = select(&["GET", "POST", "PATCH", "DELETE"][..]);
    proptest!(config, |(method in method, path in select(&CONTROLS[..]), piece in text(), body in body())| {
        // Nobody makes a million records here.
        let mut body = body;
        if let Some(count) = body.get_mut("count") { *count = json!(3); }
        let target = format!("/__sim/{}", path.replace('*', &encoded(&piece)));
        let answer = portal.lock().unwrap().send(method, &target, "application/json", &body.to_string());
        prop_assert!(answer.is_ok_and(|answer| answer.status < 500), "{method} {target} {body}");
    });
}

#[test]
fn bytes_that_are_no_http_hurt_nobody() {
    let mut portal = Portal::of(20);
    for bytes in [
        &b"\x16\x03\x01\x00\xa5"[..],
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n\r\n",
        b"\r\n\r\n\r\n",
    ] {
        let mut stream = TcpStream::connect(portal.addr()).unwrap();
        stream.write_all(bytes).unwrap();
        drop(stream);
    }
    let long = format!("/crm/v3/objects/contacts?properties={}", "a,".repeat(9_000));
    assert_eq!(portal.get(&long).status, 414);
    assert_eq!(portal.get("/crm/v3/objects/contacts").status, 200);
}
