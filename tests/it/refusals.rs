//! HubSpot refuses, partly or for a while: what cannot be read is kept for repair, what is asked of us is done.

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Answer, Installation, Portal, assert_same_ids};

fn connected(portal: &Portal) -> Installation {
    let here = Installation::for_portal(portal);
    here.connect_with_key();
    here
}

fn sync(here: &Installation, mode: &str) -> Value {
    here.run(&["sync", mode, "--json", "--quiet"]).json()
}

fn status(here: &Installation) -> Value {
    here.run(&["status", "--json"]).ok().json()
}

fn faults(portal: &Portal, rules: Value) {
    portal.post("/__sim/faults", &json!({"rules": rules}));
}

/// The portal's clock goes with the machine's, so that changes are newer than the first sync.
#[expect(clippy::disallowed_methods, reason = "the portal runs on the machine's time here")]
fn present() -> String {
    let now = std::time::SystemTime::now().duration_since(std::time::SystemTime::UNIX_EPOCH).unwrap();
    now.as_millis().to_string()
}

#[test]
fn a_batch_that_fails_waits_for_repair_and_is_never_dropped() {
    for fault in [json!({"do": "partial"}), json!({"do": "status", "status": 500})] {
        let portal = Portal::start(&["--contacts", "150", "--seed", "31", "--now", &present()]);
        let here = connected(&portal);
        assert_eq!(sync(&here, "full_resync")["outcome"], "complete");
        let edit =
            json!({"type": "emails", "first": 5, "count": 40, "properties": {"hs_email_subject": "late"}});
        portal.post("/__sim/touch", &edit);
        let mut rule = json!({"route": "emails/batch/read"});
        rule.as_object_mut().unwrap().extend(fault.as_object().unwrap().clone());
        faults(&portal, json!([rule]));
        let report = sync(&here, "catch_up");
        assert_eq!(report["outcome"], "complete", "{report}");
        let waiting = status(&here)["repairs"]["email"]["waiting"].as_u64().unwrap();
        assert!(waiting > 0, "{fault}: {report}");
        assert_eq!(here.ids("email"), portal.ids("emails"), "{fault}: not answered does not mean gone");

        sync(&here, "catch_up");
        let repairs = status(&here)["repairs"]["email"].clone();
        // Repairs go in small batches: what spoils only its batch is done by now, the rest was tried again.
        let tried_again = repairs["attempts"].as_u64().is_none_or(|attempts| attempts >= 2);
        assert!(tried_again, "every run tries again: {repairs}");
        faults(&portal, json!([]));
        sync(&here, "catch_up");
        assert_eq!(status(&here)["repairs"], json!({}), "{fault}");
        assert_eq!(here.number("select count(*) from hubspot_engagements where title = 'late'"), 40);
        here.verify();
    }
}

#[test]
fn sta_8_a_type_that_fails_is_named_and_the_others_go_on() {
    let portal = Portal::start(&["--contacts", "60", "--seed", "32"]);
    let here = connected(&portal);
    faults(&portal, json!([{"route": "crm/objects/deals", "do": "status", "status": 500}]));
    let report = sync(&here, "full_resync");
    assert_eq!(report["outcome"], "partial", "{report}");
    assert!(report["errors"]["deals"].as_str().unwrap().contains("500"), "{report}");
    assert_eq!(here.ids("note"), portal.ids("notes"), "other types still progress");
    assert!(status(&here)["last_run"]["error"].is_string());
    faults(&portal, json!([]));
    assert_eq!(sync(&here, "full_resync")["outcome"], "complete");
    assert_eq!(status(&here)["last_run"]["error"], Value::Null);
    assert_eq!(here.ids("deals"), portal.ids("deals"));
}

#[test]
fn sta_7_a_withdrawn_consent_is_told_and_a_new_one_heals_it() {
    let portal = Portal::start(&["--contacts", "20", "--seed", "33"]);
    let here = Installation::for_portal(&portal);
    here.connect_by_consent(Answer::Approve).ok();
    portal.post("/__sim/tokens/revoke", &json!({}));
    assert_eq!(sync(&here, "catch_up")["outcome"], "failed");
    let told = status(&here)["connection"]["auth_error"].as_str().unwrap().to_owned();
    assert!(told.contains("connect again"), "{told}");
    here.connect_by_consent(Answer::Approve).ok();
    assert_eq!(status(&here)["connection"]["auth_error"], Value::Null);
}

#[test]
fn an_account_of_another_region_is_asked_there_from_then_on() {
    let europe = Portal::start(&["--contacts", "40", "--seed", "34"]);
    let portal = Portal::start(&["--contacts", "40", "--seed", "34"]);
    let mut here = Installation::for_portal(&portal);
    here.settings.insert("HUBLORE_HUBSPOT__REGIONAL_BASE".to_owned(), europe.address.clone());
    faults(&portal, json!([{"do": "status", "status": 488, "hublet": "eu1"}]));
    here.connect_with_key();
    let before = portal.json("/__sim/journal")["total"].as_u64().unwrap();
    assert_eq!(before, 1, "one answer is enough");
    let report = sync(&here, "full_resync");
    assert_eq!(report["outcome"], "complete", "{report}");
    assert_eq!(here.ids("contacts"), europe.ids("contacts"));
    let after = portal.json("/__sim/journal")["total"].as_u64().unwrap();
    assert_eq!(after, before, "the region is remembered by the next process");
}

#[test]
fn locks_edge_pages_and_a_short_move_are_waited_out() {
    let portal = Portal::start(&["--contacts", "40", "--seed", "35"]);
    let here = connected(&portal);
    let one =
        |route: &str, status: u64| json!({"route": route, "do": "status", "status": status, "times": 1});
    faults(
        &portal,
        json!([
            one("objects/contacts", 423),
            one("objects/companies", 502),
            one("objects/deals", 520),
            one("objects/emails", 530),
            {"route": "objects/notes", "do": "status", "status": 477, "retry_after": "1", "times": 1},
        ]),
    );
    let report = sync(&here, "full_resync");
    assert_eq!(report["outcome"], "complete", "{report}");
    assert!(report["requests"]["retried"].as_u64().unwrap() >= 5, "{report}");
    for (what, record_type) in [("contacts", "contacts"), ("email", "emails"), ("note", "notes")] {
        assert_eq!(here.ids(what), portal.ids(record_type));
    }
}

#[test]
fn an_account_that_is_being_moved_is_left_alone_as_long_as_hubspot_asks() {
    let portal = Portal::start(&["--contacts", "30", "--seed", "36"]);
    let here = connected(&portal);
    faults(
        &portal,
        json!([{"route": "objects/contacts", "do": "status", "status": 477, "retry_after": "7200"}]),
    );
    let report = sync(&here, "full_resync");
    assert_eq!(report["outcome"], "partial", "{report}");
    let pause = status(&here)["connection"]["pause"].clone();
    assert!(pause["reason"].as_str().unwrap().contains("120 minutes"), "{pause}");
    let asked = portal.json("/__sim/journal")["total"].clone();
    let refused = here.run(&["sync"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert_eq!(portal.json("/__sim/journal")["total"], asked, "HubSpot is not asked meanwhile");
    resume(&portal, &here);
}

/// The pause is over: the sync goes on where it stopped.
fn resume(portal: &Portal, here: &Installation) {
    faults(portal, json!([]));
    let database = Connection::open(here.data().join("hublore.db")).unwrap();
    database.execute_batch("update connections set paused_until = 1").unwrap();
    drop(database);
    assert_eq!(sync(here, "full_resync")["outcome"], "complete");
    assert_eq!(status(here)["connection"]["pause"], Value::Null);
    assert_eq!(here.ids("email"), portal.ids("emails"));
}

#[test]
fn t8_the_days_budget_pauses_the_sync_until_the_portals_midnight_and_leaves_some_for_agents() {
    let portal = Portal::start(&["--contacts", "400", "--seed", "37"]);
    let here = connected(&portal);
    portal.post(
        "/__sim/rate-limit",
        &json!({"per_ten_seconds": 100_000, "search_per_second": 1_000, "per_day": 50}),
    );
    let report = sync(&here, "full_resync");
    assert_eq!(report["outcome"], "partial", "{report}");
    assert_eq!(report["requests"]["daily"]["limit"], 50, "{report}");
    let left = report["requests"]["daily"]["remaining"].as_u64().unwrap();
    assert!((1..=10).contains(&left), "a little is left for agents: {report}");
    assert_eq!(report["requests"]["rate_limited"], 0, "no refusal was needed to learn it");
    let pause = status(&here)["connection"]["pause"].clone();
    // The portal's clock is an hour ahead of UTC; it starts within the minutes after its midnight.
    let until = pause["until"].as_str().unwrap();
    assert!(until.contains("T23:0"), "{pause}");
    portal.post("/__sim/rate-limit", &json!({}));
    resume(&portal, &here);
}

#[test]
fn f13_a_scope_that_is_missing_costs_one_named_feature() {
    let portal = Portal::start(&["--contacts", "40", "--seed", "38"]);
    let here = Installation::for_portal(&portal);
    here.connect_by_consent(Answer::Approve).ok();
    let features = status(&here)["connection"]["features"].as_array().unwrap().clone();
    assert_eq!(features.len(), 10);
    assert!(features.iter().all(|feature| feature["granted"] == true), "{features:?}");

    for (scope, error, kept) in [
        ("sales-email-read", "email", "note"),
        ("forms", "form_submission", "note"),
        ("crm.objects.deals.read", "deals", "note"),
    ] {
        portal.post("/__sim/scopes/remove", &json!({"scope": scope}));
        let report = sync(&here, "full_resync");
        assert_eq!(report["outcome"], "complete", "the rest works without {scope}: {report}");
        assert!(report["errors"][error].as_str().unwrap().contains(scope), "{report}");
        assert!(report["engagements"][kept]["fetched"].as_u64().unwrap() > 0);
    }
    // What is granted is read back once a day.
    let database = Connection::open(here.data().join("hublore.db")).unwrap();
    database.execute_batch("update connections set facts_at = facts_at - 90000000").unwrap();
    drop(database);
    sync(&here, "catch_up");
    let lost: Vec<String> = status(&here)["connection"]["features"]
        .as_array()
        .unwrap()
        .iter()
        .filter(|feature| feature["granted"] == false)
        .map(|feature| feature["scope"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(lost, ["crm.objects.deals.read", "sales-email-read", "forms"]);
}

/// The sync at HubSpot's own speed: never refused, however long answers travel.
fn at_the_limit(contacts: &str) -> Value {
    let portal = Portal::start(&[
        "--contacts",
        contacts,
        "--engagements-per-contact",
        "0",
        "--lean",
        "--latency-ms",
        "50-500",
        "--rate-limit",
        "110",
    ]);
    let mut here = Installation::for_portal(&portal);
    here.settings.remove("HUBLORE_HUBSPOT__REQUESTS_PER_10S");
    here.connect_with_key();
    let report = sync(&here, "full_resync");
    assert_eq!(report["outcome"], "complete", "{report}");
    assert_same_ids(&portal, &here);
    let journal = portal.json("/__sim/journal");
    assert_eq!(journal["rate_limit_violations"], 0, "{journal}");
    let tenths = portal.json("/__sim/journal/tenths")["tenths"].as_array().unwrap().clone();
    eprintln!("requests in each tenth of a second: {tenths:?}");
    assert!(
        journal["highest_concurrency"].as_u64().unwrap() > 1,
        "several requests are under way: {journal}"
    );
    report
}

#[test]
fn t8_at_hubspots_limit_nothing_is_refused() {
    at_the_limit("9000");
}

#[test]
fn t8_at_hubspots_limit_95_percent_of_the_permitted_rate_are_used() {
    if std::env::var_os("HUBLORE_LONG").is_none() {
        eprintln!("skipped: takes minutes; set HUBLORE_LONG=1");
        return;
    }
    let report = at_the_limit("100000");
    let used = report["permitted_rate_used"].as_f64().unwrap();
    eprintln!("permitted rate used: {used}");
    assert!(used >= 0.95, "{report}");
}
