//! Kill -9 at any moment of a sync: nothing is lost, nothing doubled, and the next start needs no help.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Installation, Portal, assert_same_ids};

const CYCLES: u64 = 50;

#[test]
fn syn_11_fifty_kills_during_a_sync_lose_and_double_nothing() {
    let portal =
        Portal::start(&["--contacts", "400", "--engagements-per-contact", "10", "--latency-ms", "5-25"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    for cycle in 0..CYCLES {
        // Something to write in every cycle: mails that a person edits meanwhile.
        let edit = json!({
            "type": "emails", "first": cycle * 25, "count": 300,
            "properties": {"hs_email_subject": format!("edited in cycle {cycle}")}
        });
        portal.post("/__sim/touch", &edit);
        let mut sync = here.command(&["sync", "--quiet"]).stdout(Stdio::null()).spawn().unwrap();
        // Spread over start, replay, reading and commits; the same sequence every time.
        let delay = Duration::from_millis(10 + (cycle * 7919) % 700);
        let until = Instant::now() + delay;
        while Instant::now() < until && sync.try_wait().unwrap().is_none() {
            std::thread::sleep(Duration::from_millis(2));
        }
        let _ = sync.kill();
        sync.wait().unwrap();
        here.verify();
        assert_eq!(integrity(&here), "ok", "cycle {cycle}");
    }
    // The first goes on where the killed one stopped, perhaps behind the mails edited last; those are for the next.
    here.run(&["sync", "--quiet"]).ok();
    let report = here.run(&["sync", "--json"]).ok().json();
    assert_eq!(report["outcome"], "complete", "{report}");
    assert_same_ids(&portal, &here);
    let verdict = here.verify();
    assert_eq!(verdict["stored"], report["documents"]);
    let last = format!("edited in cycle {}", CYCLES - 1);
    let titles = format!("select count(*) from hubspot_engagements where title = '{last}'");
    assert_eq!(here.number(&titles), 300, "the last edit arrived");
}

fn integrity(here: &Installation) -> String {
    here.database().query_row("pragma integrity_check", [], |row| row.get(0)).unwrap()
}

#[test]
fn syn_11_a_killed_sync_reads_on_from_its_checkpoint() {
    let portal =
        Portal::start(&["--contacts", "3000", "--engagements-per-contact", "0", "--latency-ms", "20-20"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let mut sync = here.command(&["sync", "--quiet"]).stdout(Stdio::null()).spawn().unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    let stored = || {
        let database = here.database();
        database.query_row("select count(*) from end_users", [], |row| row.get::<_, i64>(0)).unwrap_or(0)
    };
    while stored() < 1_000 {
        assert!(Instant::now() < deadline, "the sync does not get on");
        std::thread::sleep(Duration::from_millis(5));
    }
    sync.kill().unwrap();
    sync.wait().unwrap();
    let before = stored();
    let lists = || portal.json("/__sim/journal")["routes"]["GET crm/objects/contacts"].as_i64().unwrap_or(0);
    // What the killed process still had asked for is answered, and written down, after its end.
    let mut asked = -1;
    while asked != lists() {
        asked = lists();
        std::thread::sleep(Duration::from_millis(250));
    }
    portal.post("/__sim/journal/reset", &serde_json::json!({}));
    let report = here.run(&["sync", "--json"]).ok().json();
    assert_eq!(here.ids("contacts"), portal.ids("contacts"));
    assert_eq!(report["types"]["contacts"]["fetched"], 3_000, "the report is of the whole run");
    assert_eq!(lists(), 30 - before / 100, "only what was missing was read again");
}

#[test]
fn a_sync_that_waits_for_a_hubspot_out_of_reach_ends_soon_after_an_interrupt() {
    let portal = Portal::start(&["--contacts", "20"]);
    let mut here = Installation::for_portal(&portal);
    here.connect_with_key();
    let key = "HUBLORE_HUBSPOT__API_BASE".to_owned();
    let reachable = here.settings.insert(key.clone(), "http://127.0.0.1:9".to_owned()).unwrap();
    here.settings.insert("HUBLORE_HUBSPOT__ATTEMPTS".to_owned(), "12".to_owned());
    let mut sync = here.command(&["sync", "--quiet"]).stdout(Stdio::null()).spawn().unwrap();
    std::thread::sleep(Duration::from_secs(2));
    assert!(sync.try_wait().unwrap().is_none(), "it tries again");
    std::process::Command::new("kill").args(["-INT", &sync.id().to_string()]).status().unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    let ended = loop {
        if let Some(status) = sync.try_wait().unwrap() {
            break status;
        }
        assert!(Instant::now() < deadline, "it does not end");
        std::thread::sleep(Duration::from_millis(50));
    };
    assert_eq!(ended.code(), Some(130));
    here.settings.insert(key, reachable);
    assert_eq!(here.run(&["sync", "--json"]).ok().json()["outcome"], "complete");
    assert_eq!(here.ids("contacts"), portal.ids("contacts"));
}

#[test]
fn syn_11_killed_at_page_boundaries_it_reads_on_and_ends_exact() {
    // Lists are read ahead, so which answer is the missing one, and how many pages a life of the process stores,
    // depends on their arrival: portals are added until there were enough boundaries.
    let mut kills = 0;
    for seed in 11..19 {
        kills += killed_while_reading(seed);
        if kills >= 10 {
            break;
        }
    }
    assert!(kills >= 10, "only {kills} boundaries");
}

/// Reads a portal by a process that is killed whenever it waits for a page; answers how often that was.
fn killed_while_reading(seed: u32) -> u32 {
    let seed = seed.to_string();
    let portal = Portal::start(&["--contacts", "420", "--engagements-per-contact", "2", "--seed", &seed]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    // The second page asked for of every list never comes.
    let second = json!({"route": "GET crm/objects/", "calls": [2], "do": "slow_first_byte", "ms": 600_000});
    let mut kills = 0;
    loop {
        portal.post("/__sim/journal/reset", &json!({}));
        portal.post("/__sim/faults", &json!({"rules": [second]}));
        let mut sync = here.command(&["sync", "--quiet"]).stdout(Stdio::null()).spawn().unwrap();
        if ends_by_itself(&portal, &mut sync) {
            break;
        }
        sync.kill().unwrap();
        sync.wait().unwrap();
        kills += 1;
        assert!(kills < 60, "the sync does not get on");
        assert_eq!(integrity(&here), "ok");
    }
    portal.post("/__sim/faults", &json!({"rules": []}));
    assert_same_ids(&portal, &here);
    here.verify();
    kills
}

/// Whether the process ends; not, when HubSpot has not been asked anything for a while.
fn ends_by_itself(portal: &Portal, process: &mut std::process::Child) -> bool {
    let (mut seen, mut quiet) = (0, 0);
    while quiet < 12 {
        if process.try_wait().unwrap().is_some() {
            return true;
        }
        std::thread::sleep(Duration::from_millis(40));
        let total = portal.json("/__sim/journal")["total"].as_u64().unwrap();
        quiet = if total == seen && total > 0 { quiet + 1 } else { 0 };
        seen = total;
    }
    false
}

#[test]
fn a_lost_index_is_rebuilt_from_the_database_without_calling_hubspot() {
    let portal = Portal::start(&["--contacts", "60"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let report = here.run(&["sync", "--json"]).ok().json();
    portal.post("/__sim/journal/reset", &serde_json::json!({}));
    std::fs::remove_dir_all(here.data().join("index")).unwrap();
    let verdict = here.verify();
    assert_eq!(verdict["indexed"], report["documents"]);
    let rebuilt = here.run(&["index", "rebuild", "--json"]).ok().json();
    assert_eq!(rebuilt["documents"], report["documents"]);
    here.verify();
    here.run(&["index", "rollback", "--json"]).ok();
    here.verify();
    assert_eq!(portal.json("/__sim/journal")["total"], 0);
}

/// Spoils the page of the database that holds these bytes.
fn spoil_page_with(here: &Installation, needle: &str) {
    use std::os::unix::fs::FileExt;
    let file = here.data().join("hublore.db");
    let bytes = std::fs::read(&file).unwrap();
    let at = bytes.windows(needle.len()).position(|part| part == needle.as_bytes()).expect("stored");
    let database = std::fs::File::options().write(true).open(file).unwrap();
    database.write_all_at(&[0xa5; 64], (at / 4096 * 4096) as u64).unwrap();
}

#[test]
fn a_start_reads_no_more_of_the_database_than_it_needs_and_damage_is_found_beside_it() {
    let portal = Portal::start(&["--contacts", "120", "--engagements-per-contact", "3"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync", "--quiet"]).ok();
    let known = || here.run(&["status", "--json"]).ok().json()["database"].clone();
    let looked_at = || {
        for _ in 0..600 {
            let known = known();
            if known["due"] == false && known["checked_at"].is_string() {
                return known;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        panic!("nobody looks: {}", known());
    };
    let server = here.serve();
    assert_eq!(looked_at()["damage"], json!(null), "a new database is looked at once");
    assert_eq!(server.stop(), Some(0));

    // Properly closed: the next start does not read a page that nobody asks for.
    let note = portal.ids("notes")[3].clone();
    spoil_page_with(&here, portal.record("notes", &note)["unique_word"].as_str().unwrap());
    here.run(&["agents", "create", "one", "--json"]).ok();
    assert_eq!(known()["damage"], json!(null));

    // Killed with something in its log: the next one looks at everything, and tells.
    let server = here.serve();
    here.run(&["agents", "create", "two", "--json"]).ok();
    drop(server);
    let server = here.serve();
    let found = looked_at();
    assert!(found["damage"].is_string(), "{found}");
    assert!(here.run(&["status"]).ok().stdout.contains("DAMAGED"));
    assert_eq!(server.stop(), Some(0));
    let refused = here.run(&["agents", "create", "three", "--json"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.stderr.contains("damaged"), "{refused:?}");
}
