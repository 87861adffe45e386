//! The first sync: a portal of 2,000 contacts and 20,000 engagements arrives complete and can be searched.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Answer, Installation, Portal, assert_same_ids};

const KINDS: [(&str, &str); 5] = [
    ("email", "emails"),
    ("note", "notes"),
    ("call", "calls"),
    ("meeting", "meetings"),
    ("form_submission", "form_submissions"),
];

#[test]
fn con_4_con_5_con_6_gen_2_gen_3_ing_3_ing_7_ing_8_the_whole_portal_arrives_in_order() {
    let portal = Portal::start(&["--contacts", "2000", "--seed", "7"]);
    let here = Installation::for_portal(&portal);
    let ran = here.connect_by_consent(Answer::Approve).ok();
    let report = ran.json();
    assert_eq!(report["outcome"], "complete", "{report}");
    assert_eq!(report["mode"], "full_resync");

    every_id_is_here(&portal, &here);
    the_report_counts_what_is_stored(&portal, &here, &report);
    types_were_read_in_order(&portal);
    a_unique_word_of_every_kind_finds_its_document(&portal, &here);
    links_are_hubspots(&portal, &here);
    let verdict = here.verify();
    assert_eq!(verdict["stored"], report["documents"]);
    only_the_prefix_is_there(&here);
}

/// ING-8: whatever is found, its id starts with the prefix.
fn only_the_prefix_is_there(here: &Installation) {
    for query in ["", "the", "invoice", "renewal"] {
        let found = here.search(query);
        assert!(!found.is_empty() && found.iter().all(|id| id.starts_with("hubspot:")), "{query}: {found:?}");
    }
}

fn every_id_is_here(portal: &Portal, here: &Installation) {
    for record_type in ["contacts", "companies", "deals"] {
        assert_eq!(here.ids(record_type), portal.ids(record_type), "{record_type}");
    }
    for (kind, record_type) in KINDS {
        assert_eq!(here.ids(kind), portal.ids(record_type), "{kind}");
    }
    assert!(here.number("select count(*) from hubspot_engagements") >= 19_000);
}

fn the_report_counts_what_is_stored(portal: &Portal, here: &Installation, report: &Value) {
    for record_type in ["contacts", "companies", "deals"] {
        let count = portal.ids(record_type).len();
        assert_eq!(report["types"][record_type]["fetched"], count, "{record_type}");
        assert_eq!(report["types"][record_type]["stored"], count, "{record_type}");
    }
    let mut learned = 0;
    for (kind, record_type) in KINDS {
        let counts = &report["engagements"][kind];
        assert_eq!(counts["fetched"], portal.ids(record_type).len(), "{kind}");
        let skipped: u64 =
            counts["skipped"].as_object().unwrap().values().map(|count| count.as_u64().unwrap()).sum();
        let indexed = counts["indexed"].as_u64().unwrap();
        assert_eq!(indexed + skipped + counts["held"].as_u64().unwrap(), counts["fetched"].as_u64().unwrap());
        learned += indexed;
    }
    let insights = here
        .number("select count(*) from insights where superseded_by is null and supports is null")
        .unsigned_abs();
    assert!(insights > 1_000, "{insights} insights");
    assert_eq!(report["documents"], learned + insights);
    let added = here.number("select count(*) from insights where supports is null");
    assert_eq!(report["insights"]["added"], added);
    let superseded = here.number("select count(*) from insights where superseded_by is not null");
    assert_eq!(report["insights"]["superseded"], superseded);
    assert!(superseded > 0, "facts of the portal change");
    assert!(report["learning_rules"].as_str().unwrap().contains("everything is learned"));
    assert_eq!(report["distillation"], "on");
}

/// CON-5: contacts → companies → deals → engagements, by the first list call of each.
fn types_were_read_in_order(portal: &Portal) {
    let journal = portal.json("/__sim/journal");
    let order: Vec<String> = journal["order"]
        .as_array()
        .unwrap_or_else(|| panic!("{journal}"))
        .iter()
        .map(|call| call.as_str().unwrap().to_owned())
        .collect();
    let first = |name: &str| {
        let at = order.iter().position(|call| *call == format!("GET crm/objects/{name}"));
        at.unwrap_or_else(|| panic!("{name} was never listed: {order:?}"))
    };
    let crm = [first("contacts"), first("companies"), first("deals")];
    assert!(crm.is_sorted(), "{order:?}");
    for kind in ["emails", "notes", "calls", "meetings"] {
        assert!(crm[2] < first(kind), "{kind} before deals: {order:?}");
    }
}

fn a_unique_word_of_every_kind_finds_its_document(portal: &Portal, here: &Installation) {
    for (kind, record_type) in KINDS {
        let learned = format!(
            "select id from hubspot_engagements where kind = '{kind}' and decision = 'learned' order by id limit 40"
        );
        let ids = here.texts(&learned);
        for id in [&ids[0], &ids[ids.len() / 2], &ids[ids.len() - 1]] {
            let word = portal.record(record_type, id)["unique_word"].as_str().unwrap().to_owned();
            let found = here.search(&word);
            assert_eq!(found.len(), 1, "{word} of {kind} {id}: {found:?}");
            assert!(
                found[0].starts_with("hubspot:") && found[0].ends_with(&format!(":{kind}:{id}")),
                "{found:?}"
            );
        }
    }
}

/// ING-4 and the links of engagements: what HubSpot associates, nothing else.
fn links_are_hubspots(portal: &Portal, here: &Installation) {
    for (kind, record_type) in &KINDS[..4] {
        let sql = format!("select id from hubspot_engagements where kind = '{kind}' order by id limit 25");
        for id in here.texts(&sql) {
            let truth = portal.record(record_type, &id);
            let mut wanted: Vec<String> = truth["contacts"].as_array().unwrap().iter().map(text_of).collect();
            wanted.sort();
            let linked = here.texts(&format!(
                "select to_id from associations where from_type = '{kind}' and from_id = '{id}' \
                 and to_type = 'contacts' order by to_id"
            ));
            assert_eq!(linked, wanted, "{kind} {id}");
        }
    }
}

fn text_of(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

#[test]
fn ing_4_ing_5_contacts_belong_to_the_associated_company_with_its_three_fields() {
    let portal = Portal::start(&["--contacts", "300", "--engagements-per-contact", "0"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync", "--json"]).ok();
    let mut elsewhere = 0;
    for id in portal.ids("contacts") {
        let truth = portal.record("contacts", &id);
        let wanted = truth["companies"].as_array().unwrap().first().map(text_of);
        let stored: Option<String> = here
            .database()
            .query_row("select company from end_users where id = ?1", [&id], |row| row.get(0))
            .unwrap();
        assert_eq!(stored, wanted, "contact {id}");
        elsewhere += i32::from(wanted.is_some());
    }
    assert!(elsewhere > 100, "most contacts have a company");
    let complete = "select count(*) from companies where industry is not null and employees is not null \
                    and lifecycle_stage is not null";
    assert!(here.number(complete) > 0, "industry, employee count and lifecycle stage arrive");
}

#[test]
fn ing_9_ing_10_html_becomes_words_and_the_end_of_a_long_note_is_found() {
    let portal = Portal::start(&["--contacts", "600", "--seed", "3"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let note = "<p>Agenda</p><table><tr><td>alphacell</td><td>betacell</td></tr></table><ul><li>listitem</li></ul>\
                caf&eacute;word<br>afterbreak<script>var scriptword = 1;</script><style>.styleword{color:red}</style>";
    let long = format!("<p>{}</p><p>lastwordofnote</p>", "filler sentence about nothing. ".repeat(2100));
    for body in [note, long.as_str()] {
        let contact = portal.ids("contacts")[0].clone();
        let record = serde_json::json!({
            "properties": {"hs_note_body": body, "hs_timestamp": "2026-11-20T10:00:00Z"}, "contacts": [contact]
        });
        portal.post("/__sim/objects/notes", &record);
    }
    here.run(&["sync", "--json"]).ok();
    for word in ["alphacell", "betacell", "listitem", "caféword", "afterbreak", "lastwordofnote"] {
        assert_eq!(here.search(word).len(), 1, "{word}");
    }
    for hidden in ["scriptword", "styleword"] {
        assert_eq!(here.search(hidden).len(), 0, "{hidden}");
    }
}

#[test]
fn syn_1_more_records_than_the_search_cap_arrive() {
    let portal = Portal::start(&["--contacts", "12000", "--engagements-per-contact", "0.2", "--lean"]);
    let notes = serde_json::json!({"count": 25_000, "properties": {"hs_note_body": "<p>one of many</p>"}});
    portal.post("/__sim/objects/notes", &notes);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let report = here.run(&["sync", "--json"]).ok().json();
    assert_eq!(report["types"]["contacts"]["stored"], 12_000);
    assert!(report["engagements"]["note"]["fetched"].as_u64().unwrap() >= 25_000, "{report}");
    assert_eq!(here.ids("contacts"), portal.ids("contacts"));
    for (kind, record_type) in KINDS {
        assert_eq!(here.ids(kind), portal.ids(record_type), "{kind}");
    }
}

#[test]
fn ing_1_ing_2_ingest_off_reads_nothing_and_unset_counts_as_on() {
    let portal = Portal::start(&["--contacts", "20"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let status = here.run(&["status", "--json"]).ok().json();
    assert_eq!(status["modes"]["ingest"]["stored"], Value::Null);
    assert_eq!(status["modes"]["ingest"]["effective"], true);

    here.run(&["modes", "ingest", "off"]).ok();
    let before = portal.json("/__sim/journal")["total"].clone();
    let refused = here.run(&["sync"]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("switched off"), "{refused:?}");
    assert_eq!(portal.json("/__sim/journal")["total"], before, "HubSpot was not asked");

    here.run(&["modes", "ingest", "default"]).ok();
    here.run(&["sync", "--json"]).ok();
    assert_eq!(here.ids("contacts").len(), 20);
}

#[test]
fn gen_1_each_mode_is_switched_alone_here_or_in_the_server_and_back_to_its_default() {
    let portal = Portal::start(&["--contacts", "1"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let switched = here.run(&["modes", "notifications", "off", "--json"]).ok().json();
    assert_eq!(switched["notifications"], json!({"stored": false, "effective": false}));
    let server = here.serve();
    let switched = here.run(&["modes", "actions", "off", "--json"]).ok().json();
    let unset = json!({"stored": null, "effective": true});
    assert_eq!(switched["ingest"], unset);
    for mode in ["actions", "notifications"] {
        assert_eq!(switched[mode], json!({"stored": false, "effective": false}), "{mode}");
        here.run(&["modes", mode, "default"]).ok();
    }
    here.run(&["modes", "ingest", "on"]).ok();
    let shown = here.run(&["modes", "--json"]).ok().json();
    assert_eq!(shown["ingest"], json!({"stored": true, "effective": true}));
    assert_eq!((&shown["actions"], &shown["notifications"]), (&unset, &unset));
    assert_eq!(shown, here.run(&["status", "--json"]).ok().json()["modes"]);
    for wrong in [&["modes", "fax", "on"][..], &["modes", "actions"], &["modes", "actions", "maybe"]] {
        assert_eq!(here.run(wrong).code, Some(2), "{wrong:?}");
    }
    let (status, _) = server.request("GET", "/api/v1/admin/modes", Some("hl_x"), None).unwrap();
    assert_eq!(status, 401, "only the operator");
}

#[test]
fn gen_1_the_integration_declares_its_three_modes() {
    let portal = Portal::start(&["--contacts", "1"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let status = here.run(&["status", "--json"]).ok().json();
    let modes: Vec<&str> = status["modes"].as_object().unwrap().keys().map(String::as_str).collect();
    assert_eq!(modes, ["actions", "ingest", "notifications"]);
    for mode in modes {
        assert!(
            status["modes"][mode].get("stored").is_some() && status["modes"][mode]["effective"].is_boolean()
        );
    }
    assert_eq!(status["cronSync"], true);
}

#[test]
fn a_second_full_sync_changes_nothing() {
    let portal = Portal::start(&["--contacts", "100"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let first = here.run(&["sync", "--json"]).ok().json();
    let highest = here.number("select max(seq) from knowledge_changes");
    let second = here.run(&["sync", "--json"]).ok().json();
    assert_eq!(second["types"]["contacts"]["stored"], 0, "{second}");
    assert_eq!(second["types"]["contacts"]["unchanged"], 100);
    assert_eq!(second["documents"], first["documents"]);
    assert_eq!(
        here.number("select max(seq) from knowledge_changes"),
        highest,
        "nothing reached the index again"
    );
}

#[test]
fn a_hundred_thousand_records_arrive_exactly_within_256_megabytes() {
    let portal = Portal::start(&["--contacts", "64000", "--engagements-per-contact", "0", "--lean"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let report = here.run(&["sync", "--json", "--quiet"]).ok().json();
    assert_eq!(report["outcome"], "complete", "{report}");
    let ids = ["contacts", "companies", "deals"].map(|what| {
        let ids = here.ids(what);
        assert!(ids == portal.ids(what), "{what}: {} ids", ids.len());
        ids.len()
    });
    assert!(ids.iter().sum::<usize>() > 100_000, "{ids:?}");
    let peak = report["peak_memory_bytes"].as_u64().unwrap();
    assert!(peak <= 256_000_000, "{peak}: {report}");
}

#[test]
fn t8_con_5_the_next_list_begins_while_the_last_one_ends_and_pages_are_stored_in_order() {
    let portal = Portal::start(&["--contacts", "1200", "--engagements-per-contact", "1"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    portal.post("/__sim/journal/reset", &json!({}));
    let hold = |route: &str| json!({"route": route, "calls": [4], "do": "hold"});
    let rules = json!({"rules": [hold("GET crm/objects/contacts"), hold("GET crm/objects/deals")]});
    portal.post("/__sim/faults", &rules);
    let mut sync = here.command(&["sync", "--quiet"]).stdout(Stdio::null()).spawn().unwrap();
    let calls = |name: &str| {
        let journal = portal.json("/__sim/journal");
        journal["routes"][format!("GET crm/objects/{name}")].as_u64().unwrap_or(0)
    };
    let mut wait_for = |what: &str, condition: &dyn Fn() -> bool| {
        let deadline = Instant::now() + Duration::from_secs(120);
        while !condition() {
            assert!(sync.try_wait().unwrap().is_none(), "{what}: the sync ended");
            assert!(Instant::now() < deadline, "{what}: does not come");
            std::thread::sleep(Duration::from_millis(10));
        }
    };
    let struck = |rule: usize| portal.json("/__sim/faults")["rules"][rule]["struck"] == 1;
    // A page of contacts is on its way: companies and deals are asked for, none of them is stored before it, and no
    // engagement is asked for while a page of deals is on its way.
    wait_for("deals", &|| struck(0) && struck(1) && calls("companies") == 3 && calls("deals") == 4);
    assert!(here.ids("contacts").len() < 1_200);
    assert_eq!((here.ids("companies").len(), here.ids("deals").len()), (0, 0));
    for kind in ["emails", "notes", "calls", "meetings"] {
        assert_eq!(calls(kind), 0, "{kind}");
    }
    portal.post("/__sim/faults/release", &json!({}));
    assert!(sync.wait().unwrap().success());
    assert_same_ids(&portal, &here);
    here.verify();
}
