//! Webhooks when something is not as it should be: failures, kills, untrue announcements, reading switched off, a sync
//! beside them; and what an operator sees and can do again.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Installation, Portal, SERVICE_KEY};
use crate::webhooks::{Scene, body_of, wait};

#[test]
fn a_deletion_that_is_not_true_removes_nothing() {
    let scene = Scene::start(&["--contacts", "10"]);
    let note = scene.portal.ids("notes")[0].clone();
    scene.portal.delete(&format!("/__sim/objects/notes/{note}"));
    scene.portal.post(&format!("/__sim/objects/notes/{note}/restore"), &json!({}));
    // The restore arrives first, the deletion after it.
    assert_eq!(scene.flush(&json!({"reverse": true, "batch": 1})), [[200], [200]]);
    scene.settled();
    assert!(scene.here.ids("note").contains(&note));
    scene.equal();
}

#[test]
fn what_hubspot_announces_before_it_shows_it_arrives_later() {
    let scene = Scene::start(&["--contacts", "5"]);
    let mut body = body_of("notes", "hiddenatfirstzq");
    body["readable_after_ms"] = json!(4_000);
    scene.create("notes", &body);
    scene.deliver();
    wait(5, "the first look fails visibly", || scene.webhooks()["queue"]["failing"] == 1);
    wait(30, "the note", || !scene.here.search("hiddenatfirstzq").is_empty());
    scene.settled();
    scene.equal();
}

#[test]
fn a_failure_leaves_events_waiting_visibly_and_a_kill_loses_none() {
    let scene = Scene::start(&["--contacts", "10"]);
    let outage =
        json!({"rules": [{"route": "POST crm/objects/notes/batch/read", "do": "status", "status": 500}]});
    scene.portal.post("/__sim/faults", &outage);
    for n in 0..5 {
        scene.create("notes", &body_of("notes", &format!("outageword{n}zq")));
    }
    scene.deliver();
    wait(60, "the failure is told", || {
        let queue = scene.webhooks()["queue"].clone();
        queue["waiting"] == 5 && queue["failing"] == 5 && queue["error"].is_string()
    });
    let Scene { portal, here, server } = scene;
    // Killed, not stopped.
    drop(server);
    assert_eq!(here.number("select count(*) from webhook_records"), 5);
    portal.post("/__sim/faults", &json!({"rules": []}));
    let server = here.serve();
    wait(60, "all five", || (0..5).all(|n| !here.search(&format!("outageword{n}zq")).is_empty()));
    let scene = Scene { portal, here, server };
    scene.settled();
    scene.equal();
}

/// One record that HubSpot cannot answer, and one type that it does not answer, hold up nothing else.
#[test]
fn one_poisoned_record_and_one_blocked_type_hold_up_no_other() {
    let scene = Scene::start(&["--contacts", "60"]);
    let ids = scene.portal.ids("contacts");
    let rule = |more: Value| {
        let mut rule = json!({"do": "status", "route": "POST crm/objects/contacts/batch/read"});
        rule.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        scene.portal.post("/__sim/faults", &json!({"rules": [rule]}));
    };
    let titled = |title: &str| {
        for id in &ids[..40] {
            let body = json!({"properties": {"jobtitle": title}});
            scene.portal.patch(&format!("/__sim/objects/contacts/{id}"), &body);
        }
        scene.deliver();
    };
    let here = |title: &str| {
        scene.here.number(&format!("select count(*) from end_users where job_title = '{title}'"))
    };
    for (status, title) in [(400, "First zq"), (502, "Second zq")] {
        rule(json!({"status": status, "body": format!("\"{}\"", ids[17])}));
        titled(title);
        wait(20, "all but the poisoned one", || here(title) == 39);
        wait(20, "only that one waits", || {
            scene.here.texts("select id from webhook_records where error is not null") == [ids[17].clone()]
                && scene.here.number("select count(*) from webhook_records") == 1
        });
    }
    // E-mails hang; what is said of contacts and notes arrives all the same.
    let email = scene.portal.ids("emails")[0].clone();
    let hang = json!({"route": "POST crm/objects/emails/batch/read", "do": "hold"});
    scene.portal.post("/__sim/faults", &json!({"rules": [hang]}));
    let edit = json!({"properties": {"hs_email_subject": "Hanging zq"}});
    scene.portal.patch(&format!("/__sim/objects/emails/{email}"), &edit);
    scene.deliver();
    std::thread::sleep(Duration::from_millis(500));
    for n in 0..3 {
        let begun = std::time::Instant::now();
        scene.create("notes", &body_of("notes", &format!("besidehang{n}zq")));
        titled(&format!("Beside {n}"));
        wait(10, "the note and the contacts", || {
            !scene.here.search(&format!("besidehang{n}zq")).is_empty() && here(&format!("Beside {n}")) == 40
        });
        assert!(begun.elapsed() < Duration::from_secs(8), "{:?}", begun.elapsed());
    }
    scene.portal.post("/__sim/faults", &json!({"rules": []}));
    scene.portal.post("/__sim/faults/release", &json!({}));
    wait(60, "the e-mail, in the end", || {
        scene.here.number("select count(*) from hubspot_engagements where title = 'Hanging zq'") == 1
    });
    scene.settled();
    scene.equal();
}

#[test]
fn ing_1_dis_3_while_reading_is_off_or_nothing_is_connected_webhooks_are_counted_and_ignored() {
    let scene = Scene::start(&["--contacts", "10"]);
    scene.here.run(&["modes", "ingest", "off"]).ok();
    scene.portal.post("/__sim/journal/reset", &json!({}));
    scene.create("notes", &body_of("notes", "whileoffzq"));
    scene.deliver();
    std::thread::sleep(Duration::from_millis(1_500));
    let ignored = |reason: &str| {
        scene.here.number(&format!(
            "select count(*) from webhook_deliveries where reason = '{reason}' and body is null"
        ))
    };
    assert_eq!(ignored("ingest_off"), 1);
    assert_eq!(scene.portal.json("/__sim/journal")["total"], 0, "HubSpot is not asked");
    assert!(scene.here.search("whileoffzq").is_empty());
    // Switching it on begins a run, which the disconnection ends before it answers.
    scene.here.run(&["modes", "ingest", "on"]).ok();
    scene.here.run(&["disconnect"]).ok();
    scene.portal.post("/__sim/journal/reset", &json!({}));
    scene.create("notes", &body_of("notes", "whilegonezq"));
    scene.deliver();
    std::thread::sleep(Duration::from_millis(1_500));
    assert_eq!(ignored("not_connected"), 1);
    assert_eq!(scene.webhooks()["events"]["ignored"], 2);
    assert_eq!(scene.here.number("select count(*) from webhook_records"), 0);
    assert_eq!(scene.portal.json("/__sim/journal")["total"], 0, "HubSpot is not asked");
    assert!(scene.here.search("whilegonezq").is_empty());
}

#[test]
fn f7_replaying_looks_again_and_doing_it_twice_changes_nothing() {
    let scene = Scene::start(&["--contacts", "20", "--seed", "8"]);
    for n in 0..12 {
        scene.create("notes", &body_of("notes", &format!("replayword{n}zq")));
    }
    let call = scene.portal.ids("calls")[0].clone();
    scene.portal.delete(&format!("/__sim/objects/calls/{call}"));
    assert!(scene.flush(&json!({"batch": 5})).len() >= 3);
    scene.settled();
    let Scene { portal, here, server } = scene;
    assert_eq!(server.stop(), Some(0));
    // What was written is lost by an accident of ours; what was announced is not.
    let database = rusqlite::Connection::open(here.data().join("hublore.db")).unwrap();
    let lost = "update hubspot_engagements set title = 'spoiled', content_hash = x'00' where kind = 'note' \
                and body_html like '%replayword%'";
    assert_eq!(database.execute(lost, []).unwrap(), 12);
    drop(database);
    let replay = ["webhooks", "replay", "--from", "2000-01-01", "--to", "2100-01-01", "--json"];
    let first = here.run(&replay).ok().json();
    assert_eq!(
        (&first["events"], &first["looked"], &first["failed"]),
        (&json!(13), &json!(13), &json!(0)),
        "{first}"
    );
    assert_eq!(here.number("select count(*) from hubspot_engagements where title = 'spoiled'"), 0);
    let state = |here: &Installation| {
        let rows = here.texts(
            "select kind || id || hex(content_hash) || seq from hubspot_engagements order by kind, id",
        );
        (rows, here.number("select max(seq) from knowledge_changes"))
    };
    let before = state(&here);
    let second = here.run(&replay).ok().json();
    assert_eq!(first, second);
    assert_eq!(state(&here), before);
    // The same through a running server.
    let server = here.serve();
    assert_eq!(here.run(&replay).ok().json(), first);
    assert_eq!(state(&here), before);
    let none =
        here.run(&["webhooks", "replay", "--from", "2000-01-01", "--to", "2000-01-02", "--json"]).ok().json();
    assert_eq!((&none["deliveries"], &none["looked"]), (&json!(0), &json!(0)));
    Scene { portal, here, server }.equal();
}

#[test]
fn beside_a_sync_webhooks_are_looked_at_and_nothing_older_stays() {
    let scene = Scene::start(&["--contacts", "400", "--seed", "12"]);
    let key = std::fs::read_to_string(scene.here.data().join("server.json")).unwrap();
    let key = serde_json::from_str::<Value>(&key).unwrap()["key"].as_str().unwrap().to_owned();
    // Every page takes its time, so that records change after their page was asked for.
    let slow = json!({"rules": [{"route": "GET crm/objects/", "do": "slow_reply", "ms": 400}]});
    scene.portal.post("/__sim/faults", &slow);
    let begin = json!({"mode": "full_resync"});
    scene.server.request("POST", "/api/v1/admin/sync", Some(&key), Some(&begin)).unwrap();
    let notes = scene.portal.ids("notes");
    for (n, id) in notes.iter().enumerate().take(60) {
        let path = format!("/__sim/objects/notes/{id}");
        match n % 3 {
            0 => scene.portal.delete(&path),
            _ => scene
                .portal
                .patch(&path, &json!({"properties": {"hs_note_body": format!("<p>beside{n}zq</p>")}})),
        }
        if n % 10 == 9 {
            scene.deliver();
        }
    }
    let running = || scene.here.number("select count(*) from sync_runs where outcome = 'running'") > 0;
    assert!(running(), "the sync still reads");
    wait(20, "an edit, while the sync goes on", || !scene.here.search("beside58zq").is_empty());
    wait(120, "the end of the sync", || !running());
    scene.settled();
    for n in (0..60).filter(|n| n % 3 != 0) {
        let id = &notes[n];
        let body = format!(
            "select count(*) from hubspot_engagements where kind = 'note' and id = '{id}' and body_html like '%beside{n}zq%'"
        );
        assert_eq!(scene.here.number(&body), 1, "note {n}");
    }
    let finished = scene.here.number("select count(*) from checkpoints where finished = 0");
    assert_eq!(finished, 0, "the sync's own checkpoints were not touched");
    scene.equal();
}

#[test]
fn whk_2_the_address_and_what_to_tick_are_shown_by_command_and_to_admins() {
    let scene = Scene::start(&["--contacts", "5"]);
    let shown = scene.here.run(&["webhooks", "show", "--json"]).ok().json();
    let org = shown["org"].as_str().unwrap();
    let address = format!("{}/api/integrations/hubspot/webhook/{org}", scene.server.address);
    assert_eq!(shown["address"], address.as_str());
    let ticked = shown["subscriptions"].as_array().unwrap();
    assert!(ticked.contains(&json!({"event": "object.creation", "object": "note"})), "{shown}");
    assert!(ticked.contains(&json!({"event": "contact.privacyDeletion"})));
    scene.create("notes", &body_of("notes", "shownzq"));
    scene.deliver();
    let key = std::fs::read_to_string(scene.here.data().join("server.json")).unwrap();
    let key = serde_json::from_str::<Value>(&key).unwrap()["key"].as_str().unwrap().to_owned();
    let get = |path: &str, key: Option<&str>| scene.server.request("GET", path, key, None).unwrap();
    for path in ["/api/v1/admin/webhooks", "/api/v1/admin/webhooks/deliveries"] {
        assert_eq!(get(path, None).0, 401);
        assert_eq!(get(path, Some(SERVICE_KEY)).0, 401);
    }
    let same: Value = serde_json::from_str(&get("/api/v1/admin/webhooks", Some(&key)).1).unwrap();
    assert_eq!((&same["address"], &same["deliveries"]), (&shown["address"], &json!(1)));
    let (status, text) = get("/api/v1/admin/webhooks/deliveries?limit=5", Some(&key));
    let listed: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(status, 200);
    let one = &listed["deliveries"][0];
    assert_eq!(
        (&one["verdict"], &one["signature"], &one["taken"]),
        (&json!("taken"), &json!("v3"), &json!(1)),
        "{one}"
    );
    assert_eq!(scene.here.run(&["webhooks", "list", "--json"]).ok().json(), listed["deliveries"]);
    let text = scene.here.run(&["webhooks", "show"]).ok().stdout;
    assert!(text.contains(&address) && text.contains("object.creation note"), "{text}");
    let metrics = scene.server.get("/metrics").unwrap();
    assert!(metrics.contains("hublore_webhooks_total 1"), "{metrics}");
}

#[test]
fn what_was_announced_of_a_purged_portal_goes_with_it() {
    let scene = Scene::start(&["--contacts", "5"]);
    let outage =
        json!({"rules": [{"route": "POST crm/objects/notes/batch/read", "do": "status", "status": 500}]});
    scene.portal.post("/__sim/faults", &outage);
    scene.create("notes", &body_of("notes", "purgedwordzq"));
    scene.deliver();
    let Scene { portal, mut here, server } = scene;
    assert_eq!(server.stop(), Some(0));
    let left = |here: &Installation| {
        ["webhook_deliveries", "webhook_events", "webhook_records"]
            .map(|table| here.number(&format!("select count(*) from {table}")))
    };
    // The event, and the bytes it came in.
    assert_eq!(left(&here), [1, 2, 1]);
    let other = Portal::start(&["--contacts", "4", "--seed", "40"]);
    here.settings.insert("HUBLORE_HUBSPOT__API_BASE".to_owned(), other.address.clone());
    let key = here.folder().join("service-key");
    std::fs::write(&key, SERVICE_KEY).unwrap();
    let key = key.to_str().unwrap();
    here.run(&["connect", "--no-sync", "--json", "--service-key", key, "--other-portal", "purge"]).ok();
    assert_eq!(left(&here), [0, 0, 0]);
    drop(portal);
}

#[test]
fn when_hubspot_is_back_what_waits_is_tried_at_once() {
    let scene = Scene::start(&["--contacts", "20"]);
    let outage = json!({"rules": [{"route": "batch/read", "do": "status", "status": 500}]});
    let fail = |waiting: i64| {
        wait(60, "all fail", || {
            scene.here.number("select count(*) from webhook_records where error is not null") == waiting
        });
        scene.here.change("update webhook_records set due_at = due_at + 86400000, attempts = 15");
        scene.portal.post("/__sim/faults", &json!({"rules": []}));
    };
    let contact = scene.portal.ids("contacts")[2].clone();
    let note = scene.portal.ids("notes")[2].clone();
    scene.portal.post("/__sim/faults", &outage);
    let title = json!({"properties": {"jobtitle": "Back zq"}});
    scene.portal.patch(&format!("/__sim/objects/contacts/{contact}"), &title);
    scene.portal.delete(&format!("/__sim/objects/notes/{note}"));
    scene.deliver();
    fail(2);
    // A complete run: the change it read is done, the deletion is looked at.
    scene.here.run(&["sync", "catch_up", "--quiet"]).ok();
    scene.settled();
    assert!(!scene.here.ids("note").contains(&note));
    // The portal is connected anew.
    scene.portal.post("/__sim/faults", &outage);
    scene.create("notes", &body_of("notes", "backagainzq"));
    scene.deliver();
    fail(1);
    let Scene { portal, here, server } = scene;
    assert_eq!(server.stop(), Some(0));
    here.connect_with_key();
    let scene = Scene { server: here.serve(), portal, here };
    wait(20, "the note", || !scene.here.search("backagainzq").is_empty());
    scene.settled();
    scene.equal();
}

#[test]
fn f7_a_contact_that_was_merged_or_erased_is_settled_in_a_replay() {
    let scene = Scene::start(&["--contacts", "12"]);
    let ids = scene.portal.ids("contacts");
    for id in &ids[..4] {
        let title = json!({"properties": {"jobtitle": "Merged zq"}});
        scene.portal.patch(&format!("/__sim/objects/contacts/{id}"), &title);
    }
    scene.deliver();
    scene.settled();
    scene.portal.post("/__sim/merge", &json!({"primary": ids[0], "merged": ids[1]}));
    scene.deliver();
    scene.settled();
    scene.portal.post("/__sim/privacy-delete", &json!({"id": ids[0]}));
    scene.deliver();
    scene.settled();
    let replayed = scene.here.run(&["webhooks", "replay", "--since", "1h", "--json"]).ok().json();
    assert_eq!(replayed["failed"], 0, "{replayed}");
    assert!(replayed["deliveries"].as_u64().unwrap() >= 3, "{replayed}");
    let wrong = scene.here.run(&["webhooks", "replay", "--since", "soon"]);
    assert!(wrong.code == Some(2) && wrong.stderr.contains("90s, 15m, 1h"), "{wrong:?}");
    assert_eq!(scene.here.run(&["webhooks", "replay"]).code, Some(2));
    scene.equal();
}

#[test]
fn ing_1_switching_reading_on_again_reads_what_was_missed() {
    let scene = Scene::start(&["--contacts", "10"]);
    scene.here.run(&["modes", "ingest", "off"]).ok();
    scene.create("notes", &body_of("notes", "missedwordzq"));
    scene.deliver();
    let other = scene.here.run(&["modes", "actions", "on", "--json"]).ok().json();
    assert_eq!(other["catching_up"], false);
    let on = scene.here.run(&["modes", "ingest", "on"]).ok().stdout;
    assert!(on.contains("a catch_up reads what was missed"), "{on}");
    wait(30, "what was missed", || !scene.here.search("missedwordzq").is_empty());
    // A server that starts when its last run is long ago reads at once.
    let Scene { portal, here, server } = scene;
    assert_eq!(server.stop(), Some(0));
    here.run(&["modes", "ingest", "off"]).ok();
    let on = here.run(&["modes", "ingest", "on"]).ok().stdout;
    assert!(on.contains("hublore sync catch_up"), "{on}");
    here.change(
        "update sync_runs set started_at = started_at - 7200000, finished_at = finished_at - 7200000",
    );
    let body = body_of("notes", "overnightwordzq");
    portal.post("/__sim/objects/notes", &body);
    let server = here.serve();
    wait(30, "what was missed while it stood", || !here.search("overnightwordzq").is_empty());
    Scene { portal, here, server }.equal();
}

#[test]
fn deliveries_that_are_refused_are_seen_although_older_ones_were_believed() {
    let scene = Scene::start(&["--contacts", "5"]);
    let empty = scene.here.run(&["webhooks", "list"]).ok().stdout;
    assert!(empty.contains("no deliveries here; `hublore webhooks show`"), "{empty}");
    scene.create("notes", &body_of("notes", "believedzq"));
    scene.deliver();
    scene.settled();
    let check = || {
        let report = scene.here.run(&["doctor", "--json"]).json();
        let checks = report["checks"].as_array().unwrap();
        checks.iter().find(|check| check["name"] == "webhooks").unwrap().clone()
    };
    assert_eq!(check()["verdict"], "ok");
    scene.target(&json!({"client_secret": "another-secret"}));
    scene.create("notes", &body_of("notes", "notbelievedzq"));
    assert_eq!(scene.flush(&json!({"attempts": 3})), [[401, 401, 401]]);
    wait(10, "the refusals are counted", || scene.webhooks()["refused"]["bad_signature"] == 3);
    let found = check();
    assert_eq!(found["verdict"], "warning", "{found}");
    assert!(found["found"].as_str().unwrap().contains("3 bad_signature"), "{found}");
    let cure = found["cure"].as_str().unwrap();
    assert!(cure.contains("client_secret") && cure.contains("public_url"), "{cure}");
    let listed = scene.here.run(&["webhooks", "list"]).ok().stdout;
    assert!(listed.contains("refused and not listed: 3 bad_signature"), "{listed}");
    for (command, made_by) in [
        (&["agents", "list"][..], "hublore agents create"),
        (&["agents", "executions"], "hublore agents allow"),
        (&["slack", "status"], "hublore slack connect"),
        (&["index", "progress"], "hublore index rebuild"),
    ] {
        let shown = scene.here.run(command).ok().stdout;
        assert!(shown.contains(made_by), "{command:?}: {shown}");
    }
}
