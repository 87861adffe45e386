//! Properties that an account made itself: read, told with their labels, and picked up when they are new.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::support::{Installation, Portal, assert_same_ids};

const TYPES: [&str; 3] = ["contacts", "companies", "deals"];

fn connected(extra: &str) -> (Portal, Installation) {
    of_size("60", extra)
}

fn of_size(contacts: &str, extra: &str) -> (Portal, Installation) {
    let size = ["--contacts", contacts, "--engagements-per-contact", "1", "--extra-properties", extra];
    let portal = Portal::start(&size);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    (portal, here)
}

fn sync(here: &Installation, mode: &str) -> Value {
    let report = here.run(&["sync", mode, "--json", "--quiet"]).ok().json();
    assert_eq!(report["outcome"], "complete", "{report}");
    report
}

fn table(record_type: &str) -> &str {
    if record_type == "contacts" { "end_users" } else { record_type }
}

/// What is stored of the account's own properties, by record.
fn stored(here: &Installation, record_type: &str) -> BTreeMap<String, BTreeMap<String, String>> {
    let sql = format!("select id || ' ' || properties from {} order by id", table(record_type));
    let rows = here.texts(&sql).into_iter().map(|row| {
        let (id, json) = row.split_once(' ').unwrap();
        let mut set: BTreeMap<String, String> = serde_json::from_str(json).unwrap();
        set.retain(|name, _| name.starts_with("custom_"));
        (id.to_owned(), set)
    });
    rows.collect()
}

/// What is true of them, of those that are neither hidden nor calculated nor archived, the first `limit` ones.
fn truth(portal: &Portal, record_type: &str, limit: usize) -> BTreeMap<String, BTreeMap<String, String>> {
    let defined = portal.json(&format!("/__sim/truth/properties?type={record_type}"));
    let own = defined["results"].as_array().unwrap().iter();
    let own = own
        .filter(|one| one["hubspotDefined"] == false && one["hidden"] == false && one["calculated"] == false);
    let read: Vec<String> = own.take(limit).map(|one| one["name"].as_str().unwrap().to_owned()).collect();
    let record = |id: String| {
        let custom = portal.record(record_type, &id)["custom"].clone();
        let mut custom: BTreeMap<String, String> = serde_json::from_value(custom).unwrap();
        custom.retain(|name, _| read.contains(name));
        (id, custom)
    };
    portal.ids(record_type).into_iter().map(record).collect()
}

fn exact(portal: &Portal, here: &Installation, limit: usize) {
    for record_type in TYPES {
        let (have, should) = (stored(here, record_type), truth(portal, record_type, limit));
        assert!(have == should, "{record_type}: {have:?}\n{should:?}");
        assert!(limit == 0 || have.values().any(|set| !set.is_empty()), "{record_type}");
    }
    assert_same_ids(portal, here);
}

fn calls(portal: &Portal, route: &str) -> u64 {
    portal.json("/__sim/journal")["routes"][route].as_u64().unwrap_or(0)
}

#[test]
fn what_an_account_made_itself_is_read_by_every_version_and_told_with_labels() {
    for version in ["2026-09", "2026-03", "legacy"] {
        let (portal, mut here) = connected("20");
        here.settings.insert("HUBLORE_HUBSPOT__API_VERSION".to_owned(), version.to_owned());
        sync(&here, "full_resync");
        exact(&portal, &here, 100);
        let status = here.run(&["status", "--json"]).ok().json();
        // Of ten, one is hidden and one calculated.
        let reading = json!({"read": 16, "catching_up": 0, "left_out": 0, "unknown": []});
        assert_eq!(
            status["properties"],
            json!({"contacts": reading, "companies": reading, "deals": reading})
        );
        assert_eq!(calls(&portal, "GET crm/properties/deals"), 1);
    }
    let (portal, here) = connected("20");
    sync(&here, "full_resync");
    told(&portal, &here);
}

/// Every customer's context shows the values that are true, as people would say them.
fn told(portal: &Portal, here: &Installation) {
    let mut seen = BTreeMap::<&str, usize>::new();
    let addresses = here.texts("select id || ' ' || email from end_users where email is not null");
    for row in addresses.iter().take(40) {
        let (id, address) = row.split_once(' ').unwrap();
        let context = here.run(&["context", address, "--json"]).ok().json();
        let text = context["text"].as_str().unwrap();
        let custom = portal.record("contacts", id)["custom"].clone();
        for one in context["customer"]["properties"].as_array().unwrap() {
            let (name, told) = (one["name"].as_str().unwrap(), one["text"].as_str().unwrap());
            let value = one["value"].as_str().unwrap();
            assert_eq!(custom[name], value);
            let number: usize = name.rsplit('_').next().unwrap().parse().unwrap();
            assert_eq!(one["label"], format!("Custom property {number}"));
            assert!(text.contains(&format!("Custom property {number}: {told}\n")), "{told}: {text}");
            match number % 10 {
                2 => assert!(told == "yes" || told == "no", "{told}"),
                3 => assert!(told.ends_with(" choice"), "{told}"),
                5 => assert!(told.contains(" choice, "), "{told}"),
                6 => assert_eq!(told.len(), 10, "{told}"),
                _ => assert!(number % 10 == 1 || told == value, "{told}"),
            }
            *seen
                .entry(
                    ["number", "datetime", "flag", "choice", "text", "choices", "date", "", "", "unknown"]
                        [number % 10],
                )
                .or_default() += 1;
        }
        for company in context["company"]["properties"].as_array().into_iter().flatten() {
            assert!(text.contains(&format!(
                "{}: {}\n",
                company["label"].as_str().unwrap(),
                company["text"].as_str().unwrap()
            )));
            *seen.entry("company").or_default() += 1;
        }
        let deals = context["deals"].as_array().unwrap().iter();
        *seen.entry("deal").or_default() +=
            deals.map(|deal| deal["properties"].as_array().unwrap().len()).sum::<usize>();
    }
    assert_eq!(seen.len(), 10, "every sort of property was seen: {seen:?}");
    assert!(seen.values().all(|count| *count > 0), "{seen:?}");
}

#[test]
fn a_new_property_costs_one_search_and_the_records_that_have_it() {
    let (portal, here) = of_size("400", "10");
    sync(&here, "full_resync");
    // Two that are new, and one that somebody hid.
    portal.post(
        "/__sim/properties",
        &json!({"type": "contacts", "count": 12, "hidden": ["custom_property_004"]}),
    );
    portal.post("/__sim/journal/reset", &json!({}));
    sync(&here, "catch_up");
    let have = stored(&here, "contacts");
    for (id, should) in truth(&portal, "contacts", 100) {
        let mut have = have[&id].clone();
        have.remove("custom_property_004");
        assert_eq!(have, should, "{id}");
    }
    assert_eq!(calls(&portal, "GET crm/objects/contacts"), 0, "not read whole");
    assert_eq!(calls(&portal, "POST crm/objects/contacts/batch/read"), 1);
    for other in ["companies", "deals"] {
        assert_eq!(calls(&portal, &format!("GET crm/objects/{other}")), 0);
        assert_eq!(calls(&portal, &format!("POST crm/objects/{other}/batch/read")), 0);
        assert_eq!(calls(&portal, &format!("POST crm/objects/{other}/search")), 2, "as ever");
    }
    // Looked for again for two hours, because a search may lag; nothing is read twice.
    let state =
        |here: &Installation| here.run(&["status", "--json"]).ok().json()["properties"]["contacts"].clone();
    assert_eq!(state(&here)["catching_up"], 2);
    portal.post("/__sim/journal/reset", &json!({}));
    sync(&here, "catch_up");
    assert_eq!(calls(&portal, "POST crm/objects/contacts/search"), 3);
    assert_eq!(calls(&portal, "POST crm/objects/contacts/batch/read"), 0);
    here.change("update properties set since = since - 7200000 where settled = 0");
    sync(&here, "catch_up");
    assert_eq!(state(&here)["catching_up"], 0);
    portal.post("/__sim/journal/reset", &json!({}));
    sync(&here, "catch_up");
    assert_eq!(calls(&portal, "POST crm/objects/contacts/search"), 2);
    // What is hidden is no longer told.
    for address in here.texts("select email from end_users where properties ->> 'custom_property_004' is not null and email is not null") {
        let context = here.run(&["context", &address, "--json"]).ok().json();
        assert!(!context["customer"].to_string().contains("custom_property_004"), "{context}");
    }
}

#[test]
fn what_no_engagement_tells_moves_no_engagement() {
    let (portal, here) = connected("10");
    sync(&here, "full_resync");
    let highest = || here.number("select max(seq) from knowledge_changes");
    let before = highest();
    let change = |name: &str, value: &str| {
        let now = here.number("select max(started_at) from sync_runs");
        let body = json!({"type": "contacts", "count": 60, "modified_ms": now, "properties": {name: value}});
        portal.post("/__sim/touch", &body);
        let report = sync(&here, "catch_up");
        assert_eq!(report["types"]["contacts"]["stored"], 60, "{report}");
    };
    change("custom_property_004", "Wien");
    assert!(stored(&here, "contacts").values().all(|set| set["custom_property_004"] == "Wien"));
    assert_eq!(highest(), before, "no document is written anew");
    assert_eq!(here.number("select count(*) from engagements_due"), 0);
    change("lastname", "Nemo");
    assert!(highest() > before, "a name is told by engagements");
    here.verify();
}

#[test]
fn many_new_properties_have_their_type_read_whole_once() {
    let (portal, here) = connected("5");
    sync(&here, "full_resync");
    portal.post("/__sim/properties", &json!({"type": "companies", "count": 40}));
    portal.post("/__sim/journal/reset", &json!({}));
    sync(&here, "catch_up");
    exact(&portal, &here, 100);
    assert_eq!(calls(&portal, "GET crm/objects/companies"), 1);
    assert_eq!(calls(&portal, "GET crm/objects/contacts") + calls(&portal, "GET crm/objects/deals"), 0);
    portal.post("/__sim/journal/reset", &json!({}));
    sync(&here, "catch_up");
    assert_eq!(calls(&portal, "GET crm/objects/companies"), 0, "once");
}

#[test]
fn hundreds_of_properties_never_make_an_address_too_long() {
    let (portal, mut here) = connected("500");
    let settings = [
        ("HUBLORE_PROPERTIES__CUSTOM", "500"),
        ("HUBLORE_PROPERTIES__CONTACTS", "annualrevenue,city,nosuch"),
    ];
    for (name, value) in settings {
        here.settings.insert(name.to_owned(), value.to_owned());
    }
    sync(&here, "full_resync");
    exact(&portal, &here, 500);
    let journal = portal.json("/__sim/journal");
    assert_eq!(journal["statuses"]["414"], Value::Null, "{journal}");
    assert!(here.number("select count(*) from end_users where properties ->> 'city' is not null") > 0);
    let status = here.run(&["status", "--json"]).ok().json();
    assert_eq!(status["properties"]["contacts"]["unknown"], json!(["nosuch"]));
    let doctor = here.run(&["doctor", "--json"]).stdout;
    assert!(doctor.contains("contacts have no nosuch"), "{doctor}");

    // The limit keeps the oldest and says how many it leaves out.
    let (portal, mut here) = connected("40");
    here.settings.insert("HUBLORE_PROPERTIES__CUSTOM".to_owned(), "10".to_owned());
    sync(&here, "full_resync");
    exact(&portal, &here, 10);
    let status = here.run(&["status", "--json"]).ok().json();
    assert_eq!(status["properties"]["deals"]["left_out"], 22);
}

#[test]
fn without_the_permission_only_the_properties_are_missing_and_named() {
    let (portal, here) = connected("10");
    portal.post(
        "/__sim/faults",
        &json!({"rules": [{"route": "crm/properties", "do": "status", "status": 403}]}),
    );
    let report = sync(&here, "full_resync");
    assert!(report["errors"]["properties"].is_string(), "{report}");
    assert_same_ids(&portal, &here);
    assert!(stored(&here, "contacts").values().all(BTreeMap::is_empty));
    // Granted later: the next run brings them, of records that did not change.
    portal.post("/__sim/faults", &json!({"rules": []}));
    let report = sync(&here, "catch_up");
    assert_eq!(report["errors"], json!({}));
    exact(&portal, &here, 100);
    // Taken away again: what was read goes on being read.
    portal.post(
        "/__sim/faults",
        &json!({"rules": [{"route": "crm/properties", "do": "status", "status": 403}]}),
    );
    sync(&here, "full_resync");
    exact(&portal, &here, 100);
}

#[test]
fn a_property_of_ones_own_can_cut_a_segment() {
    let (portal, here) = connected("10");
    sync(&here, "full_resync");
    let holders = |value: &str| {
        let all = truth(&portal, "contacts", 100);
        all.values().filter(|set| set.get("custom_property_003").map(String::as_str) == Some(value)).count()
    };
    here.run(&[
        "segments",
        "save",
        "first",
        "--members",
        "contacts",
        "--property",
        "custom_property_003=opt_a",
    ])
    .ok();
    let shown = here.run(&["segments", "show", "first", "--json"]).ok().json();
    assert_eq!(shown["members"].as_array().unwrap().len(), holders("opt_a"), "{shown}");
}

#[test]
fn t11_a_zero_and_a_false_are_values_like_any_other() {
    let (portal, here) = connected("20");
    sync(&here, "full_resync");
    let defined = portal.json("/__sim/truth/properties?type=contacts");
    let read = stored(&here, "contacts");
    let names: Vec<&String> = read.values().flat_map(BTreeMap::keys).collect();
    let of_type = |value_type: &str| {
        let all = defined["results"].as_array().unwrap().iter().filter(|one| one["type"] == value_type);
        let all = all.map(|one| one["name"].as_str().unwrap().to_owned());
        all.into_iter().find(|name| names.contains(&name)).unwrap_or_else(|| panic!("no {value_type}"))
    };
    let (number, truth) = (of_type("number"), of_type("bool"));
    let id = portal.ids("contacts")[0].clone();
    let body = json!({"properties": {number.as_str(): "0", truth.as_str(): "false"}});
    portal.patch(&format!("/__sim/objects/contacts/{id}"), &body);
    sync(&here, "full_resync");
    let kept = &stored(&here, "contacts")[&id];
    let value = |name: &String| kept.get(name).map(String::as_str);
    assert_eq!((value(&number), value(&truth)), (Some("0"), Some("false")), "{number} {truth} {kept:?}");
}
