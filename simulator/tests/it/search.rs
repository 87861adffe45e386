//! Search: the cap, the limits of a request, agreement with the list, order, windows, index lag.

use hubspot_simulator::Options;
use serde_json::{Value, json};

use crate::client::Portal;

fn window(name: &str, from: i64, to: i64) -> Value {
    json!({
        "filterGroups": [{"filters": [
            {"propertyName": name, "operator": "GTE", "value": from.to_string()},
            {"propertyName": name, "operator": "LT", "value": to.to_string()},
        ]}],
        "sorts": [{"propertyName": name, "direction": "ASCENDING"}],
    })
}

const SINCE: i64 = 1_600_000_000_000;
const NOW: i64 = hubspot_simulator::DEFAULT_NOW_MS;

#[test]
fn search_and_list_find_the_same() {
    let mut portal = Portal::of(400);
    for kind in ["contacts", "companies", "notes", "tasks"] {
        let name = if kind == "contacts" { "lastmodifieddate" } else { "hs_lastmodifieddate" };
        let listed = portal.list_ids(&format!("/crm/v3/objects/{kind}"), 100);
        let (total, mut found) = portal.search_ids(kind, &window(name, SINCE, NOW));
        assert_eq!(total as usize, listed.len());
        found.sort_by_key(|id| id.parse::<u64>().unwrap());
        assert_eq!(found, listed);
        let by_id = json!({"sorts": ["hs_object_id"]});
        assert_eq!(portal.search_ids(kind, &by_id).1, listed);
        let middle = NOW - 500 * 86_400_000;
        let (low, high) = (
            portal.search_ids(kind, &window(name, SINCE, middle)).0,
            portal.search_ids(kind, &window(name, middle, NOW)).0,
        );
        assert_eq!(low + high, total);
    }
}

#[test]
fn edits_creations_and_deletions_are_searched_in_order() {
    let mut portal = Portal::of(300);
    let ids = portal.truth_ids("contacts");
    portal.posted("/__sim/clock/advance", &json!({"ms": 60_000}));
    portal.posted("/__sim/touch", &json!({"type": "contacts", "first": 10, "count": 50}));
    portal.call("DELETE", &format!("/__sim/objects/contacts/{}", ids[20]), &Value::Null);
    let new =
        portal.posted("/__sim/objects/contacts", &json!({"properties": {"email": "new@fresh.example"}}));
    let (total, recent) = portal.search_ids("contacts", &window("lastmodifieddate", NOW + 1, NOW + 600_000));
    assert_eq!(total, 50);
    assert!(recent.contains(&new["id"].as_str().unwrap().to_owned()) && !recent.contains(&ids[20]));
    let (total, all) = portal.search_ids("contacts", &window("lastmodifieddate", SINCE, NOW + 600_000));
    assert_eq!(total, 300);
    let mut sorted = all.clone();
    sorted.sort_by_key(|id| id.parse::<u64>().unwrap());
    assert_eq!(sorted, portal.truth_ids("contacts"));
    let mut down = window("lastmodifieddate", SINCE, NOW + 600_000);
    down["sorts"][0]["direction"] = json!("DESCENDING");
    let (_, mut reversed) = portal.search_ids("contacts", &down);
    assert_eq!(reversed.len(), 300);
    reversed.sort_by_key(|id| id.parse::<u64>().unwrap());
    assert_eq!(reversed, sorted);
}

#[test]
fn ids_can_compare_as_text_too() {
    let mut portal = Portal::of(700);
    let truth = portal.truth_ids("contacts");
    let query =
        json!({"filters": [{"propertyName": "hs_object_id", "operator": "GTE", "value": truth[500]}]});
    let numbers = portal.search_ids("contacts", &query).1;
    assert_eq!(numbers, truth[500..]);
    portal.posted("/__sim/search-index/settings", &json!({"ids_compare_as_text": true}));
    let texts = portal.search_ids("contacts", &query).1;
    let wanted: Vec<&String> = truth.iter().filter(|id| **id >= truth[500]).collect();
    assert_eq!(texts.iter().collect::<Vec<_>>(), wanted);
    assert!(texts.len() < numbers.len(), "longer ids come before shorter ones");
}

#[test]
fn the_lag_can_differ_from_write_to_write() {
    let mut portal = Portal::of(40);
    portal.posted("/__sim/search-index/settings", &json!({"lag_jitter_ms": 60_000}));
    let before = portal.search_ids("notes", &json!({})).0;
    portal.posted("/__sim/objects/notes", &json!({"count": 100}));
    portal.posted("/__sim/clock/advance", &json!({"ms": 30_000}));
    let seen = portal.search_ids("notes", &json!({})).0 - before;
    assert!((10..90).contains(&seen), "{seen} of 100 after half of the longest lag");
    portal.posted("/__sim/clock/advance", &json!({"ms": 31_000}));
    assert_eq!(portal.search_ids("notes", &json!({})).0 - before, 100);
}

#[test]
fn nothing_comes_after_ten_thousand() {
    let mut portal =
        Portal::with(Options { contacts: 12_000, engagements_per_contact: 0.0, ..Options::default() });
    let mut query = window("lastmodifieddate", SINCE, NOW);
    query["limit"] = json!(200);
    query["after"] = json!("9800");
    let last = portal.posted("/crm/objects/2026-09/contacts/search", &query);
    assert_eq!(
        (last["total"].as_u64(), last["paging"]["next"]["after"].as_str()),
        (Some(12_000), Some("10000"))
    );
    for after in ["9801", "10000"] {
        query["after"] = json!(after);
        let refused = portal.post("/crm/objects/2026-09/contacts/search", &query);
        assert_eq!((refused.status, refused.json()["category"].as_str()), (400, Some("VALIDATION_ERROR")));
    }
}

#[test]
fn a_burst_shares_one_millisecond_and_drains_by_id() {
    let mut portal = Portal::with(Options {
        contacts: 26_000,
        engagements_per_contact: 0.0,
        burst: 25_000,
        ..Options::default()
    });
    let mut probe = window("lastmodifieddate", SINCE, NOW);
    probe["after"] = json!("5000");
    let page = portal.posted("/crm/objects/2026-09/contacts/search", &probe);
    let stamp = page["results"][0]["updatedAt"].as_str().unwrap().to_owned();
    let (mut drained, mut last) = (0, 0_u64);
    loop {
        let query = json!({
            "filterGroups": [{"filters": [
                {"propertyName": "lastmodifieddate", "operator": "EQ", "value": stamp},
                {"propertyName": "hs_object_id", "operator": "GT", "value": last.to_string()},
            ]}],
            "sorts": ["hs_object_id"], "limit": 200,
        });
        let page = portal.posted("/crm/objects/2026-09/contacts/search", &query);
        let ids = crate::client::id_list(&page);
        assert_eq!(page["total"].as_u64().unwrap(), 25_000 - drained);
        let Some(end) = ids.last() else { break };
        drained += ids.len() as u64;
        assert!(end.parse::<u64>().unwrap() > last);
        last = end.parse().unwrap();
    }
    assert_eq!(drained, 25_000);
}

#[test]
fn requests_beyond_the_limits_are_refused() {
    let mut portal = Portal::of(50);
    let filter = json!({"propertyName": "email", "operator": "HAS_PROPERTY"});
    let refused = [
        json!({"limit": 201}),
        json!({"filterGroups": vec![json!({"filters": [filter]}); 6]}),
        json!({"filterGroups": [{"filters": vec![filter.clone(); 7]}]}),
        json!({"filterGroups": [{"filters": [{"propertyName": "invented", "operator": "EQ", "value": "1"}]}]}),
        json!({"filterGroups": [{"filters": [{"propertyName": "email", "operator": "LIKE", "value": "1"}]}]}),
        json!({"filterGroups": [{"filters": [{"propertyName": "email", "operator": "EQ"}]}]}),
        json!({"sorts": ["email", "phone"]}),
        json!({"query": "x".repeat(3_001)}),
    ];
    for body in refused {
        assert_eq!(portal.post("/crm/v3/objects/contacts/search", &body).status, 400, "{body}");
    }
    let epoch = json!({"filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "0"}]}]});
    assert_eq!(portal.post("/crm/v3/objects/contacts/search", &epoch).status, 500);
    assert_eq!(portal.posted("/crm/v3/objects/contacts/search", &Value::Null)["total"], json!(50));
    let html = json!({"filterGroups": [{"filters": [{"propertyName": "hs_email_html", "operator": "HAS_PROPERTY"}]}]});
    assert_eq!(portal.post("/crm/v3/objects/emails/search", &html).status, 400);
}

#[test]
fn operators_mean_what_they_say() {
    let mut portal = Portal::of(200);
    let everyone = portal.got("/crm/v3/objects/contacts?limit=100&properties=email,phone,lifecyclestage");
    let first = &everyone["results"][0];
    let mail = first["properties"]["email"].as_str().unwrap().to_uppercase();
    let mut total = |filters: Value| {
        portal.posted("/crm/v3/objects/contacts/search", &json!({"filters": filters}))["total"]
            .as_u64()
            .unwrap()
    };
    assert_eq!(total(json!([{"propertyName": "email", "operator": "EQ", "value": mail}])), 1);
    assert_eq!(
        total(json!([{"propertyName": "email", "operator": "IN", "values": [mail.to_lowercase()]}])),
        1
    );
    let with = total(json!([{"propertyName": "phone", "operator": "HAS_PROPERTY"}]));
    let without = total(json!([{"propertyName": "phone", "operator": "NOT_HAS_PROPERTY"}]));
    assert!(with > 0 && without > 0);
    assert_eq!(with + without, 200);
    assert_eq!(
        total(json!([{"propertyName": "email", "operator": "CONTAINS_TOKEN", "value": "*example"}])),
        200
    );
    let id = first["id"].as_str().unwrap();
    let tied = portal.posted(
        "/crm/v3/objects/notes/search",
        &json!({"filters": [{"propertyName": "associations.contact", "operator": "EQ", "value": id}]}),
    );
    let notes = portal.got(&format!("/crm/v4/objects/contacts/{id}/associations/notes"));
    assert_eq!(tied["total"].as_u64().unwrap() as usize, notes["results"].as_array().unwrap().len());
    let text = portal.posted("/crm/v3/objects/contacts/search", &json!({"query": mail.to_lowercase()}));
    assert_eq!(text["total"], json!(1));
}

#[test]
fn the_index_lags_behind_writes_and_can_be_frozen() {
    let mut portal = Portal::of(100);
    portal.posted("/__sim/search-index/settings", &json!({"lag_ms": 60_000}));
    portal.posted("/__sim/clock/advance", &json!({"ms": 1_000_000}));
    let id = portal.truth_ids("contacts")[5].clone();
    portal.call(
        "PATCH",
        &format!("/__sim/objects/contacts/{id}"),
        &json!({"properties": {"jobtitle": "Tester"}}),
    );
    let recent = window("lastmodifieddate", NOW + 1, NOW + 90_000_000);
    assert_eq!(portal.search_ids("contacts", &recent).0, 0, "not in the index yet");
    let old = portal.search_ids("contacts", &window("lastmodifieddate", SINCE, NOW));
    assert!(old.1.contains(&id), "still there at its old time");
    let shown = portal.got(&format!("/crm/v3/objects/contacts/{id}?properties=jobtitle"));
    assert_eq!(shown["properties"]["jobtitle"], json!("Tester"), "reads see it at once");
    portal.posted("/__sim/clock/advance", &json!({"ms": 60_001}));
    assert_eq!(portal.search_ids("contacts", &recent).1, [id]);
    portal.posted("/__sim/search-index/freeze", &Value::Null);
    portal.posted("/__sim/objects/contacts", &json!({"properties": {"email": "late@fresh.example"}}));
    portal.posted("/__sim/clock/advance", &json!({"ms": 3_600_000}));
    assert_eq!(portal.search_ids("contacts", &recent).0, 1);
    portal.posted("/__sim/search-index/thaw", &Value::Null);
    assert_eq!(portal.search_ids("contacts", &recent).0, 2);
}

#[test]
fn ids_can_sort_as_text() {
    let mut portal = Portal::of(1_500);
    let numeric = portal.search_ids("contacts", &json!({"sorts": ["hs_object_id"]})).1;
    assert!(numeric.iter().any(|id| id.len() == 11) && numeric.iter().any(|id| id.len() == 12));
    portal.posted("/__sim/search-index/settings", &json!({"ids_sort_as_text": true}));
    let text = portal.search_ids("contacts", &json!({"sorts": ["hs_object_id"]})).1;
    assert!(text.is_sorted());
    assert_ne!(numeric, text);
    assert_eq!(text.len(), 1_500);
}

#[test]
fn numbers_at_the_ends_of_their_range_are_answered() {
    let mut portal = Portal::of(50);
    for value in ["18446744073709551615", "9223372036854775807", "-9223372036854775808", "-1", "1e99", ""] {
        for path in [
            "objects/contacts/{}",
            "objects/contacts?after={}",
            "objects/contacts?limit={}",
            "owners?after={}",
        ] {
            let answer = portal.get(&format!("/crm/v3/{}", path.replace("{}", value)));
            assert!(answer.status < 500, "{path} {value}");
        }
        assert!(portal.get(&format!("/marketing/v3/forms?after={value}")).status < 500);
        for name in ["lastmodifieddate", "hs_object_id", "createdate", "email"] {
            for operator in ["EQ", "GT", "GTE", "LT", "LTE", "BETWEEN", "NEQ"] {
                let filter =
                    json!({"propertyName": name, "operator": operator, "value": value, "highValue": value});
                assert!(
                    portal.post("/crm/v3/objects/contacts/search", &json!({"filters": [filter]})).status
                        < 500
                );
            }
        }
        assert!(
            portal.post("/crm/v3/objects/contacts/search", &json!({"after": value, "limit": 200})).status
                < 500
        );
    }
    for body in
        ["nonsense", "[]", "{\"limit\":0}", "{\"after\":18446744073709551615}", "{\"limit\":-1}", "\"x\""]
    {
        let answer =
            portal.send("POST", "/crm/v3/objects/contacts/search", "application/json", body).unwrap();
        assert!(answer.status < 500, "{body}");
    }
}
