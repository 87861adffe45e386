//! Every fault of the list is observable from outside, hits where it is told, and stops.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::client::{Portal, id_list};

const LIST: &str = "/crm/v3/objects/contacts?limit=20";

fn get(portal: &mut Portal) -> Result<crate::client::Answer, std::io::Error> {
    portal.send("GET", LIST, "application/json", "")
}

#[test]
fn replies_are_dropped_cut_and_falsified() {
    let mut portal = Portal::of(100);
    let whole = portal.get(LIST).body;
    for what in ["drop_before", "drop_after", "drop_half", "wrong_content_length"] {
        portal.fault(json!({"route": "crm/objects/contacts", "do": what, "times": 1}));
        assert!(get(&mut portal).is_err(), "{what}");
        assert_eq!(portal.get(LIST).body, whole, "{what} ends");
    }
    for what in ["truncated", "html200", "malformed"] {
        portal.fault(json!({"route": "crm/objects/contacts", "do": what, "times": 1}));
        let spoilt = get(&mut portal).unwrap();
        assert_eq!(spoilt.status, 200);
        assert!(serde_json::from_slice::<Value>(&spoilt.body).is_err(), "{what}");
        assert_eq!(portal.get(LIST).body, whole);
    }
}

#[test]
fn a_dropped_create_happened_or_not() {
    let mut portal = Portal::of(30);
    let note = json!({"properties": {"hs_timestamp": "1795424400000", "hs_note_body": "x"}}).to_string();
    let before = portal.truth_ids("notes").len();
    for (what, made) in [("drop_before", 0), ("drop_after", 1)] {
        portal.fault(json!({"route": "POST crm/objects/notes", "do": what, "times": 1}));
        assert!(portal.send("POST", "/crm/v3/objects/notes", "application/json", &note).is_err());
        assert_eq!(portal.truth_ids("notes").len(), before + made, "{what}");
    }
}

#[test]
fn a_create_can_be_done_although_nobody_waited_for_it() {
    let mut portal = Portal::of(30);
    let before = portal.truth_ids("notes").len();
    portal.fault(json!({"route": "POST crm/objects/notes", "do": "slow_reply", "ms": 60_000, "times": 1}));
    let note = json!({"properties": {"hs_timestamp": "1795424400000"}}).to_string();
    let head = format!(
        "POST /crm/v3/objects/notes HTTP/1.1\r\nhost: sim\r\nauthorization: Bearer {}\r\ncontent-type: application/json\r\ncontent-length: {}\r\n\r\n{note}",
        portal.bearer,
        note.len()
    );
    let mut stream = std::net::TcpStream::connect(portal.addr()).unwrap();
    std::io::Write::write_all(&mut stream, head.as_bytes()).unwrap();
    let patience = Instant::now();
    while portal.truth_ids("notes").len() == before && patience.elapsed() < Duration::from_secs(10) {}
    drop(stream);
    assert_eq!(portal.truth_ids("notes").len(), before + 1);
}

#[test]
fn slow_replies_take_their_time() {
    let mut portal = Portal::of(30);
    for rule in [json!({"do": "slow_first_byte", "ms": 300}), json!({"do": "drip", "ms": 20, "bytes": 500})] {
        portal.fault(rule.clone());
        let started = Instant::now();
        portal.got(LIST);
        assert!(started.elapsed() > Duration::from_millis(200), "{rule} {:?}", started.elapsed());
    }
}

#[test]
fn statuses_come_with_hubspots_bodies() {
    let mut portal = Portal::of(30);
    for status in [401, 423, 429, 477, 488, 500, 502, 503, 504, 520, 530] {
        portal.fault(json!({"do": "status", "status": status, "times": 1}));
        let answer = portal.get(LIST);
        assert_eq!(answer.status, status);
        let html = matches!(status, 502 | 504 | 520 | 530);
        assert_eq!(answer.header("content-type").unwrap().starts_with("text/html"), html, "{status}");
        match status {
            488 => assert_eq!(answer.json()["correctHublet"], json!("eu1")),
            477 => assert!(answer.header("retry-after").is_some()),
            _ => {}
        }
    }
    portal.fault(json!({"do": "status", "status": 429, "policy": "DAILY", "retry_after": "7", "times": 1}));
    let daily = portal.get(LIST);
    assert_eq!(
        (daily.json()["policyName"].clone(), daily.header("retry-after")),
        (json!("DAILY"), Some("7"))
    );
}

#[test]
fn rules_choose_by_call_number_time_and_chance() {
    let mut portal = Portal::of(30);
    portal
        .fault(json!({"route": "GET crm/objects/contacts", "calls": [2, 4], "do": "status", "status": 503}));
    let statuses: Vec<u16> = (0..5).map(|_| portal.get(LIST).status).collect();
    assert_eq!(statuses, [200, 503, 200, 503, 200]);
    assert_eq!(portal.got("/__sim/faults")["rules"][0]["struck"], json!(2));
    portal.fault(json!({"from_ms": 1_795_424_500_000_i64, "to_ms": 1_795_424_600_000_i64, "do": "status", "status": 503}));
    assert_eq!(portal.get(LIST).status, 200);
    portal.posted("/__sim/clock/advance", &json!({"ms": 150_000}));
    assert_eq!(portal.get(LIST).status, 503);
    portal.posted("/__sim/clock/advance", &json!({"ms": 150_000}));
    assert_eq!(portal.get(LIST).status, 200);
    portal.fault(json!({"probability": 0.3, "do": "status", "status": 500}));
    let hit = (0..200).filter(|_| portal.get(LIST).status == 500).count();
    assert!((30..90).contains(&hit), "{hit}");
}

#[test]
fn pages_overlap_run_short_and_records_move() {
    let mut portal = Portal::of(100);
    let truth = portal.truth_ids("contacts");
    portal.fault(json!({"route": "GET crm/objects/contacts", "do": "duplicate"}));
    let ids = portal.list_ids("/crm/v3/objects/contacts", 20);
    assert!(ids.len() > 100);
    let mut distinct = ids.clone();
    distinct.dedup();
    assert_eq!(distinct, truth);
    portal.fault(json!({"route": "GET crm/objects/contacts", "do": "underfilled", "keep": 3}));
    assert_eq!(portal.list_ids("/crm/v3/objects/contacts", 20), truth);
    portal.fault(json!({"do": "underfilled", "keep": 0, "times": 1}));
    let empty = portal.got(LIST);
    assert!(id_list(&empty).is_empty() && empty["paging"]["next"]["after"].is_string());
    portal.posted("/__sim/clock/advance", &json!({"ms": 1_000}));
    let query = json!({"sorts": ["lastmodifieddate"], "limit": 10});
    let before = id_list(&portal.posted("/crm/v3/objects/contacts/search", &query));
    portal.fault(json!({"route": "search", "do": "move", "count": 5, "times": 1}));
    let after = id_list(&portal.posted("/crm/v3/objects/contacts/search", &query));
    assert_eq!(after[..5], before[5..10]);
    portal.fault(json!({"route": "batch/read", "do": "partial", "times": 1}));
    let inputs: Vec<Value> = truth[..10].iter().map(|id| json!({"id": id})).collect();
    let partial = portal.post("/crm/v3/objects/contacts/batch/read", &json!({"inputs": inputs}));
    assert_eq!((partial.status, partial.json()["results"].as_array().unwrap().len()), (207, 5));
    assert_eq!(partial.json()["errors"][0]["context"]["ids"].as_array().unwrap().len(), 5);
}

#[test]
fn rules_that_make_no_sense_are_refused() {
    let mut portal = Portal::of(30);
    assert_eq!(portal.post("/__sim/faults", &json!({"rules": [{"do": "explode"}]})).status, 400);
}
