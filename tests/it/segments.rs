//! Segments: whom they hold is what the deals in the portal say, at the moment of asking.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use crate::support::{Installation, Portal};

fn synced(arguments: &[&str]) -> (Portal, Installation) {
    let portal = Portal::start(arguments);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync", "--quiet"]).ok();
    (portal, here)
}

/// A deal as HubSpot's own list tells it.
struct Deal {
    stage: String,
    amount: Option<u64>,
    contacts: BTreeSet<String>,
    companies: BTreeSet<String>,
}

fn deals(portal: &Portal) -> BTreeMap<String, Deal> {
    let ids = |deal: &Value, to: &str| -> BTreeSet<String> {
        let list = deal["associations"][to]["results"].as_array().cloned().unwrap_or_default();
        list.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect()
    };
    let mut all = BTreeMap::new();
    let mut after = String::new();
    loop {
        let page = portal.api(&format!(
            "/crm/objects/2026-09/deals?limit=100&properties=dealstage,amount&associations=contacts,companies{after}"
        ));
        for deal in page["results"].as_array().unwrap() {
            let properties = &deal["properties"];
            let read = Deal {
                stage: properties["dealstage"].as_str().unwrap().to_owned(),
                amount: properties["amount"].as_str().and_then(|text| text.parse().ok()),
                contacts: ids(deal, "contacts"),
                companies: ids(deal, "companies"),
            };
            all.insert(deal["id"].as_str().unwrap().to_owned(), read);
        }
        match page["paging"]["next"]["after"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

fn members(here: &Installation, name: &str) -> (Value, BTreeSet<String>) {
    let seen = here.run(&["segments", "show", name, "--limit", "1000", "--json"]).ok().json();
    let ids = seen["members"].as_array().unwrap().iter().map(|one| one["id"].as_str().unwrap().to_owned());
    let ids = ids.collect();
    (seen, ids)
}

#[test]
fn ing_6_deals_are_reached_through_segments() {
    let (portal, here) = synced(&["--contacts", "300", "--seed", "61"]);
    let deals = deals(&portal);
    assert!(deals.len() > 30, "{}", deals.len());
    let save = |arguments: &[&str]| {
        let mut all = vec!["segments", "save"];
        all.extend(arguments);
        here.run(&all).ok();
    };
    // By the label people see, and by the id HubSpot uses.
    save(&["signed soon", "--members", "contacts", "--stage", "contract sent", "--state", "open"]);
    save(&["signed soon at", "--members", "companies", "--stage", "contractsent"]);
    save(&["won big", "--members", "contacts", "--state", "won", "--amount-min", "20000"]);
    save(&["everybody", "--members", "contacts"]);

    let wanted: Vec<&Deal> = deals.values().filter(|deal| deal.stage == "contractsent").collect();
    let (seen, ids) = members(&here, "signed soon");
    let people: BTreeSet<String> = wanted.iter().flat_map(|deal| deal.contacts.clone()).collect();
    assert!(!people.is_empty());
    assert_eq!(ids, people);
    let counted: Vec<&&Deal> = wanted.iter().filter(|deal| !deal.contacts.is_empty()).collect();
    assert_eq!(seen["summary"]["deals"], counted.len());
    let sum: u64 = counted.iter().filter_map(|deal| deal.amount).sum();
    assert_eq!(seen["summary"]["sums"], json!({ "EUR": sum.to_string() }));
    let blank = counted.iter().filter(|deal| deal.amount.is_none()).count();
    assert_eq!(seen["summary"]["deals_without_amount"], blank);

    let (_, ids) = members(&here, "signed soon at");
    assert_eq!(ids, wanted.iter().flat_map(|deal| deal.companies.clone()).collect());

    let won = deals.values().filter(|deal| {
        ["closedwon", "155020002"].contains(&deal.stage.as_str()) && deal.amount.is_some_and(|a| a >= 20_000)
    });
    let (_, ids) = members(&here, "won big");
    assert_eq!(ids, won.flat_map(|deal| deal.contacts.clone()).collect());

    let (seen, ids) = members(&here, "everybody");
    assert_eq!(ids, here.ids("contacts").into_iter().collect());
    assert_eq!(seen["summary"]["members"], 300);
}

#[test]
fn a_segment_follows_its_deals_and_pages_are_complete() {
    let (portal, here) = synced(&["--contacts", "120", "--seed", "62"]);
    here.run(&["segments", "save", "open", "--members", "contacts", "--state", "open"]).ok();
    let (_, before) = members(&here, "open");
    let all = deals(&portal);
    let closed = ["closedwon", "closedlost", "155020002", "155020003"];
    let (id, deal) = all
        .iter()
        .find(|(_, deal)| !closed.contains(&deal.stage.as_str()) && !deal.contacts.is_empty())
        .unwrap();
    let still: BTreeSet<String> = all
        .iter()
        .filter(|(other, deal)| *other != id && !closed.contains(&deal.stage.as_str()))
        .flat_map(|(_, deal)| deal.contacts.clone())
        .collect();
    portal.patch(
        &format!("/__sim/objects/deals/{id}"),
        &json!({ "properties": { "dealstage": "closedlost", "pipeline": "default" } }),
    );
    here.run(&["sync", "full_resync", "--quiet"]).ok();
    let (_, after) = members(&here, "open");
    assert_eq!(after, still);
    assert!(before.is_superset(&after) && deal.contacts.iter().all(|one| before.contains(one)));

    // Page by page the same members in the same order, each once.
    let (mut cursor, mut paged) = (None::<String>, Vec::new());
    loop {
        let mut arguments = vec!["segments", "show", "open", "--limit", "7", "--json"];
        if let Some(cursor) = &cursor {
            arguments.extend(["--cursor", cursor]);
        }
        let page = here.run(&arguments).ok().json();
        let page_members = page["members"].as_array().unwrap();
        paged.extend(page_members.iter().map(|one| one["id"].as_str().unwrap().to_owned()));
        match page["next_cursor"].as_str() {
            Some(next) => cursor = Some(next.to_owned()),
            None => break,
        }
    }
    assert_eq!(paged, after.into_iter().collect::<Vec<_>>());
}

#[test]
fn segments_are_saved_changed_and_refused_with_words() {
    let here = Installation::for_address("http://127.0.0.1:9");
    here.begin();
    let told = here.run(&["segments", "save", "typo", "--members", "contacts", "--stage", "Nope"]).ok();
    assert!(told.stdout.contains("now in it: 0 contacts"), "{told:?}");
    assert!(told.stderr.contains("`Nope`; none is known yet"), "{told:?}");
    here.run(&["segments", "remove", "typo"]).ok();
    let first = here.run(&["segments", "save", "VIP", "--members", "companies", "--json"]).ok().json();
    let second = here
        .run(&["segments", "save", "VIP", "--members", "companies", "--state", "open", "--json"])
        .ok()
        .json();
    assert_eq!(first["id"], second["id"], "the segment of that name is changed");
    let bad: [(&[&str], &str); 5] = [
        (&["segments", "show", "nobody"], "segments list"),
        (&["segments", "save", " ", "--members", "contacts"], "1 to 100"),
        (
            &["segments", "save", "x", "--members", "contacts", "--amount-min", "9", "--amount-max", "1"],
            "least amount",
        ),
        (&["segments", "show", "VIP", "--cursor", "oops"], "cursor"),
        (&["segments", "save", "x", "--members", "contacts", "--property", "industry"], "industry=RETAIL"),
    ];
    for (arguments, said) in bad {
        let ran = here.run(arguments);
        assert_eq!(ran.code, Some(2), "{arguments:?} {ran:?}");
        assert!(ran.stderr.contains(said), "{arguments:?} {ran:?}");
    }
    // The same while a server owns the data folder.
    let server = here.serve();
    here.run(&["segments", "save", "a/b ü", "--members", "contacts"]).ok();
    here.run(&["segments", "remove", "a/b ü"]).ok();
    here.run(&["segments", "remove", "VIP"]).ok();
    let left = here.run(&["segments", "list", "--json"]).ok().json();
    assert_eq!(left["segments"], json!([]));
    assert_eq!(server.request("GET", "/api/v1/admin/segments", None, None).unwrap().0, 401);
}

#[test]
fn what_a_segment_names_that_nothing_is_called_is_told_with_what_there_is() {
    let (_portal, here) = synced(&["--contacts", "60", "--seed", "63"]);
    let told = |arguments: &[&str]| {
        let mut all = vec!["segments", "save", "tried", "--json"];
        all.extend(arguments);
        let ran = here.run(&all).ok();
        let warnings = ran.json()["warnings"].as_array().cloned().unwrap_or_default();
        let seen = here.run(&["segments", "show", "tried"]).ok();
        for warning in warnings.iter().map(|one| one.as_str().unwrap()) {
            assert!(
                ran.stderr.contains(warning) && seen.stderr.contains(warning),
                "{warning} {ran:?} {seen:?}"
            );
        }
        assert!(warnings.len() < 2, "{warnings:?}");
        warnings.first().map(|one| one.as_str().unwrap().to_owned())
    };
    let one = |sql: &str| here.texts(sql).remove(0);
    let stage = one("select lifecycle_stage from end_users where lifecycle_stage is not null order by id");
    let industry = one("select industry from companies where industry is not null order by id");
    let owner = one("select email from owners order by id");
    for (arguments, said) in [
        (vec!["--members", "contacts", "--lifecycle-stage", "custmer"], stage.as_str()),
        (vec!["--members", "companies", "--property", "industry=RETAL"], &industry),
        (vec!["--members", "companies", "--property", "industri=RETAIL"], "industry"),
        (vec!["--members", "contacts", "--stage", "Contract Snt"], "Contract Sent"),
        (vec!["--members", "contacts", "--pipeline", "Sails", "--stage", "x"], "known: "),
        (vec!["--members", "contacts", "--owner", "nobody@vendor.example"], &owner),
        (vec!["--members", "contacts", "--deal-owner", "nobody@vendor.example"], &owner),
    ] {
        let warning = told(&arguments).unwrap_or_else(|| panic!("{arguments:?} was believed"));
        let named = arguments.iter().any(|word| {
            word.split('=').any(|part| !part.starts_with('-') && warning.contains(&format!("`{part}`")))
        });
        assert!(named && warning.contains(said), "{arguments:?} {warning}");
    }
    // What there is raises no doubt, however it is written.
    let (loud, exact) = (stage.to_uppercase(), format!("industry={}", industry.to_lowercase()));
    for arguments in [
        vec!["--members", "contacts", "--lifecycle-stage", &loud, "--owner", &owner],
        vec!["--members", "companies", "--property", &exact],
        vec!["--members", "contacts", "--stage", "contract sent", "--deal-owner", &owner],
    ] {
        assert_eq!(told(&arguments), None, "{arguments:?}");
    }
    // The same over HTTP.
    let server = here.serve();
    let file = std::fs::read_to_string(here.data().join("server.json")).unwrap();
    let key = serde_json::from_str::<Value>(&file).unwrap()["key"].as_str().unwrap().to_owned();
    let asked = json!({"name": "tried", "filter": {"members": "contacts", "lifecycle_stage": "custmer"}});
    let (status, body) = server.request("POST", "/api/v1/admin/segments", Some(&key), Some(&asked)).unwrap();
    assert!(status == 200 && body.contains("warnings") && body.contains(&stage), "{body}");
}
