//! Later runs: what changed arrives exactly, what is gone goes, and nothing else is touched.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::support::{Installation, Portal, assert_same_ids};

/// The present, as the portal wants it: what changes now is newer than the last run.
#[expect(clippy::disallowed_methods, reason = "the portal runs on the machine's time here")]
fn now() -> String {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().to_string()
}

/// A portal on the machine's time and an installation that has read all of it.
fn synced(arguments: &[&str]) -> (Portal, Installation) {
    let now = now();
    let mut all = vec!["--now", now.as_str()];
    all.extend(arguments);
    let portal = Portal::start(&all);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync", "--json"]).ok();
    (portal, here)
}

fn equal(portal: &Portal, here: &Installation) {
    assert_same_ids(portal, here);
    here.verify();
}

fn run(here: &Installation, mode: &str) -> Value {
    let report = here.run(&["sync", mode, "--json"]).ok().json();
    assert_eq!(report["outcome"], "complete", "{report}");
    report
}

#[test]
fn syn_2_syn_8_a_catch_up_asks_for_changes_only() {
    let (portal, here) = synced(&["--contacts", "1000", "--seed", "5"]);
    let highest = here.number("select max(seq) from knowledge_changes");
    portal.post("/__sim/clock/advance", &json!({"ms": 1_200_000}));
    let contact = portal.ids("contacts")[3].clone();
    let note = json!({
        "properties": {"hs_note_body": "<p>They asked for zanzibarword terms.</p>"},
        "associations": {"contacts": [contact]}
    });
    portal.post("/__sim/objects/notes", &note);
    portal.post("/__sim/touch", &json!({"type": "emails", "first": 10, "count": 30, "properties": {"hs_email_subject": "new subject"}}));
    portal.post("/__sim/journal/reset", &json!({}));

    // The portal's clock is ahead of ours now; so is HubSpot's sometimes, by less.
    here.run(&["sync", "catch_up", "--json"]).ok();
    let journal = portal.json("/__sim/journal");
    assert!(
        journal["routes"].get("GET crm/objects/emails").is_none_or(|n| n.as_u64() <= Some(1)),
        "{journal}"
    );
    assert!(journal["total"].as_u64().unwrap() < 60, "{journal}");
    assert!(here.number("select max(seq) from knowledge_changes") - highest <= 31, "only what changed");
}

#[test]
fn whk_11_syn_3_the_hourly_run_brings_what_is_new_only_after_a_complete_first_sync() {
    let now = now();
    let portal = Portal::start(&["--contacts", "50", "--now", &now]);
    let mut here = Installation::for_portal(&portal);
    here.settings.insert("HUBLORE_SYNC__EVERY_MINUTES".to_owned(), "0.02".to_owned());
    here.connect_with_key();
    let server = here.serve();
    std::thread::sleep(Duration::from_millis(3_000));
    assert_eq!(here.number("select count(*) from sync_runs"), 0, "no first sync yet, so no run by itself");
    here.run(&["sync", "--json"]).ok();
    let note = json!({"properties": {"hs_note_body": "<p>hourlyword</p>"}});
    portal.post("/__sim/objects/notes", &note);
    let deadline = Instant::now() + Duration::from_secs(30);
    while here.search("hourlyword").is_empty() {
        assert!(Instant::now() < deadline, "the hourly run does not bring it");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn syn_3_ing_1_with_ingest_off_no_run_starts_by_itself_whether_there_was_a_first_sync_or_not() {
    for first_sync in [false, true] {
        let now = now();
        let portal = Portal::start(&["--contacts", "20", "--now", &now]);
        let mut here = Installation::for_portal(&portal);
        here.settings.insert("HUBLORE_SYNC__EVERY_MINUTES".to_owned(), "0.01".to_owned());
        here.connect_with_key();
        if first_sync {
            run(&here, "full_resync");
        }
        let database = rusqlite::Connection::open(here.data().join("hublore.db")).unwrap();
        database.execute("update orgs set ingest = 0", []).unwrap();
        drop(database);
        portal.post("/__sim/journal/reset", &json!({}));
        let server = here.serve();
        std::thread::sleep(Duration::from_millis(2_500));
        assert_eq!(portal.json("/__sim/journal")["total"], 0, "first sync: {first_sync}");
        assert_eq!(server.stop(), Some(0));
    }
}

#[test]
fn syn_5_syn_6_one_run_at_a_time_and_unknown_modes_are_refused_by_name() {
    let portal = Portal::start(&["--contacts", "300", "--latency-ms", "60-60"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let server = here.serve();
    let file = std::fs::read_to_string(here.data().join("server.json")).unwrap();
    let key = serde_json::from_str::<Value>(&file).unwrap()["key"].as_str().unwrap().to_owned();
    let ask = |mode: &str| {
        let body = json!({"mode": mode});
        let (status, text) = server.request("POST", "/api/v1/admin/sync", Some(&key), Some(&body)).unwrap();
        (status, serde_json::from_str::<Value>(&text).unwrap())
    };
    let first = ask("full_resync");
    assert_eq!((first.0, &first.1["started"]), (202, &json!(true)), "{first:?}");
    for mode in ["catch_up", "email_catch_up", "backfill_transcripts", "full_resync"] {
        let second = ask(mode);
        assert_eq!((second.0, &second.1["started"]), (202, &json!(false)), "{second:?}");
    }
    let unknown = ask("everything");
    assert_eq!(unknown.0, 400);
    for mode in ["full_resync", "catch_up", "email_catch_up", "backfill_transcripts"] {
        assert!(unknown.1.to_string().contains(mode), "{unknown:?}");
    }
    let deadline = Instant::now() + Duration::from_secs(60);
    while here.number("select count(*) from sync_runs where outcome = 'complete'") == 0 {
        assert!(Instant::now() < deadline, "the run does not end");
        std::thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(here.number("select count(*) from sync_runs"), 1, "all requests led to one run");
    assert_eq!(server.stop(), Some(0));
}

#[test]
fn syn_9_email_catch_up_touches_emails_only() {
    let (portal, here) = synced(&["--contacts", "100"]);
    let late = json!({
        "properties": {"hs_email_subject": "late mail", "hs_email_html": "<p>latelyloggedword</p>",
            "hs_timestamp": "2026-01-15T10:00:00Z", "hs_email_direction": "INCOMING_EMAIL"}
    });
    portal.post("/__sim/objects/emails", &late);
    portal.post("/__sim/journal/reset", &json!({}));
    run(&here, "email_catch_up");
    assert_eq!(here.search("latelyloggedword").len(), 1);
    let journal = portal.json("/__sim/journal");
    for route in journal["routes"].as_object().unwrap().keys().filter(|route| route.contains("crm/objects")) {
        assert!(route.contains("emails"), "{route}");
    }
}

#[test]
fn syn_7_t4_deleted_records_go_with_a_full_resync_and_with_a_catch_up() {
    for mode in ["full_resync", "catch_up"] {
        let (portal, here) = synced(&["--contacts", "120", "--seed", "9"]);
        let before = here.ids("note").len();
        for (record_type, at) in [("notes", 5), ("calls", 7), ("deals", 2), ("companies", 1), ("contacts", 4)]
        {
            let id = portal.ids(record_type)[at].clone();
            portal.delete(&format!("/__sim/objects/{record_type}/{id}"));
        }
        let word =
            portal.record("notes", &portal.ids("notes")[0])["unique_word"].as_str().unwrap().to_owned();
        let report = run(&here, mode);
        assert_eq!(report["engagements"]["note"]["deleted"], 1, "{mode}: {report}");
        assert_eq!(report["types"]["contacts"]["deleted"], 1, "{mode}: {report}");
        assert_eq!(here.ids("note").len(), before - 1);
        equal(&portal, &here);
        assert_eq!(here.search(&word).len(), 1, "what is still there is still found");
    }
}

#[test]
fn an_email_that_was_deleted_for_good_goes_with_the_next_full_resync() {
    let (portal, here) = synced(&["--contacts", "80"]);
    let id = portal.ids("emails")[11].clone();
    portal.delete(&format!("/__sim/objects/emails/{id}"));
    run(&here, "full_resync");
    equal(&portal, &here);
}

#[test]
fn merged_contacts_become_one_customer_with_both_histories() {
    let (portal, here) = synced(&["--contacts", "60", "--seed", "4"]);
    let ids = portal.ids("contacts");
    let tied = |here: &Installation, id: &str| {
        here.number(&format!(
            "select count(distinct from_type || from_id) from associations where to_type = 'contacts' \
             and to_id = '{id}' and from_type in ('email', 'note', 'call', 'meeting')"
        ))
    };
    let (a, b) = (ids[2].clone(), ids[3].clone());
    let both = tied(&here, &a) + tied(&here, &b);
    portal.post("/__sim/merge", &json!({"type": "contacts", "primary": a, "merged": b}));
    run(&here, "catch_up");
    assert_eq!(here.ids("contacts"), portal.ids("contacts"));
    let new = here.texts(&format!("select distinct new_id from aliases where old_id in ('{a}', '{b}')"));
    assert_eq!(new.len(), 1, "both old ids lead to one record");
    let shared = both - tied(&here, &new[0]);
    assert!(
        (0..=both / 2).contains(&shared),
        "histories were joined: {both} before, {shared} counted once now"
    );
    here.verify();
}

#[test]
fn t6_more_changes_than_the_cap_and_more_than_the_cap_in_one_millisecond() {
    let (portal, here) = synced(&["--contacts", "50000", "--engagements-per-contact", "0", "--lean"]);
    for (sorted_as_text, word) in [(false, "as numbers"), (true, "as text")] {
        portal
            .post("/__sim/search-index/settings", &json!({"lag_ms": 0, "ids_sort_as_text": sorted_as_text}));
        let touch =
            json!({"type": "contacts", "first": 9, "count": 25_000, "properties": {"jobtitle": word}});
        portal.post("/__sim/touch", &touch);
        portal.post("/__sim/journal/reset", &json!({}));
        let report = run(&here, "catch_up");
        assert_eq!(report["types"]["contacts"]["stored"], 25_000, "{word}");
        let arrived = format!("select count(*) from end_users where job_title = '{word}'");
        assert_eq!(here.number(&arrived), 25_000);
        let journal = portal.json("/__sim/journal");
        assert!(journal["routes"].get("GET crm/objects/contacts").is_none(), "by search: {journal}");
        equal(&portal, &here);
    }
}

#[test]
fn dis_1_to_dis_5_disconnecting_keeps_the_data_and_reconnecting_doubles_nothing() {
    let portal = Portal::start(&["--contacts", "40"]);
    let here = Installation::for_portal(&portal);
    here.connect_by_consent(crate::support::Answer::Approve).ok();
    let before = here.number("select count(*) from hubspot_engagements");
    let word = portal.record("notes", &portal.ids("notes")[0])["unique_word"].as_str().unwrap().to_owned();
    let gone = here.run(&["disconnect", "--json"]).ok().json();
    assert_eq!(gone["hubspot_told"], true, "{gone}");
    assert_eq!(here.number("select count(*) from connections"), 0, "tokens are gone");
    portal.post("/__sim/journal/reset", &json!({}));
    assert_eq!(here.run(&["sync"]).code, Some(3), "no further sync");
    assert_eq!(portal.json("/__sim/journal")["total"], 0);
    assert_eq!(here.search(&word).len(), 1, "the data stays");

    let report = here.connect_by_consent(crate::support::Answer::Approve).ok().json();
    assert_eq!(report["types"]["contacts"]["fetched"], 40, "everything is listed again");
    assert_eq!(here.number("select count(*) from hubspot_engagements"), before);
    here.verify();
}

#[test]
fn every_api_version_reads_the_same() {
    for version in ["2026-09", "2026-03", "legacy"] {
        let portal = Portal::start(&["--contacts", "60"]);
        let mut here = Installation::for_portal(&portal);
        here.settings.insert("HUBLORE_HUBSPOT__API_VERSION".to_owned(), version.to_owned());
        here.connect_with_key();
        run(&here, "full_resync");
        equal(&portal, &here);
    }
}

#[test]
fn syn_10_transcripts_are_added_to_stored_calls_once() {
    let (portal, here) = synced(&["--contacts", "150", "--seed", "41"]);
    let before =
        here.number("select count(distinct engagement) from passages where text like '%[00:08-00:16]%'");
    assert_eq!(before, 0, "no call shows a transcript yet");
    run(&here, "backfill_transcripts");
    let with_words = here.number("select count(*) from transcripts where words is not null");
    let without = here.number("select count(*) from transcripts where words is null");
    assert!(with_words > 5 && without > 0, "{with_words} transcripts, {without} that HubSpot does not give");
    let shown = here.number(
        "select count(*) from hubspot_engagements e join transcripts t on t.call = e.id \
         where e.kind = 'call' and exists (select 1 from passages p where p.kind = e.kind and p.engagement = e.id \
         and p.text like '%[00:08-00:16]%')",
    );
    assert_eq!(shown, with_words);
    let said = here.texts(
        "select substr(words, instr(words, '[00:08-00:16]') + 14) from transcripts where words is not null limit 1",
    );
    let phrase: Vec<&str> = said[0].lines().next().unwrap().split_whitespace().take(6).collect();
    let call = here.texts("select call from transcripts where words is not null limit 1");
    let hits = here.search(&format!("kind:call {}", phrase.join(" ")));
    assert!(!hits.is_empty(), "`{}` of call {} is found", phrase.join(" "), call[0]);

    let highest = here.number("select max(seq) from knowledge_changes");
    run(&here, "backfill_transcripts");
    assert_eq!(
        here.number("select max(seq) from knowledge_changes"),
        highest,
        "a second run changes nothing"
    );

    // A call read again for another reason keeps what was said.
    run(&here, "full_resync");
    assert_eq!(here.number("select max(seq) from knowledge_changes"), highest);
    equal(&portal, &here);
}

#[test]
fn syn_10_without_the_scope_transcripts_are_skipped_by_name() {
    let (portal, here) = synced(&["--contacts", "60", "--seed", "42"]);
    portal.post("/__sim/scopes/remove", &json!({"scope": "crm.extensions_calling_transcripts.read"}));
    let ran = here.run(&["sync", "backfill_transcripts", "--json"]);
    assert_eq!(ran.json()["outcome"], "skipped: missing_scope");
    assert_eq!(here.number("select count(*) from transcripts"), 0);
    equal(&portal, &here);
}
