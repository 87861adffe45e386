//! Answers that get lost, keys used twice, processes that die: an action has one effect, or none, and says which.

use std::process::Command;

use serde_json::{Value, json};

use crate::actions::{World, agent, call, done, post};
use crate::support::{Answer, Installation, Portal};

fn fault(world: &World, rule: Value) {
    world.portal.post("/__sim/faults", &json!({ "rules": [rule] }));
}

fn problem(answer: &Value) -> &str {
    answer["type"].as_str().unwrap_or_default()
}

#[test]
fn cd_5_the_same_key_many_times_at_once_has_one_effect_and_one_answer() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let before = world.portal.ids("deals").len();
    let body = json!({"contact": world.contact.1, "name": "Quote"});
    let path = "/api/v1/actions/create_deal";
    let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let calls: Vec<_> = (0..16)
            .map(|_| scope.spawn(|| post(&server, &world.key, path, &body, Some("intention-1"))))
            .collect();
        calls.into_iter().map(|one| one.join().unwrap()).collect()
    });
    for answer in &answers {
        assert_eq!(answer, &answers[0]);
        assert_eq!(answer.0, 200, "{answer:?}");
    }
    assert_eq!(world.portal.ids("deals").len(), before + 1);
    let (status, answer) = post(
        &server,
        &world.key,
        path,
        &json!({"contact": world.contact.1, "name": "Other"}),
        Some("intention-1"),
    );
    assert_eq!((status, problem(&answer)), (422, "urn:hublore:idempotency-key-reused"), "{answer}");
    // Without a key, or with another, every call is one.
    assert_eq!(post(&server, &world.key, path, &body, Some("intention-2")).0, 200);
    assert_eq!(call(&server, &world.key, "create_deal", &body).0, 200);
    assert_eq!(world.portal.ids("deals").len(), before + 3);
    drop(server);
    let server = world.here.serve();
    assert_eq!(
        post(&server, &world.key, path, &body, Some("intention-1")),
        answers[0],
        "after a restart too"
    );
    assert_eq!(world.portal.ids("deals").len(), before + 3);
    let (status, _) = post(&server, &world.key, path, &body, Some("no spaces"));
    assert_eq!(status, 400);
}

#[test]
fn r8_a_create_whose_answer_gets_lost_is_found_and_not_made_again() {
    let world = World::new(&[("HUBLORE_ACTIONS__TIMEOUT_S", "1")]);
    let server = world.here.serve();
    for (action, kind, body) in [
        ("create_note", "notes", json!({"contact": world.contact.1, "text": "Prefers calls"})),
        ("log_activity", "tasks", json!({"contact": world.contact.1, "subject": "Call back"})),
        ("create_deal", "deals", json!({"contact": world.contact.1, "name": "Quote"})),
        ("create_deal", "deals", json!({"name": "Nobody's"})),
    ] {
        for lost in [
            json!({"do": "slow_reply", "ms": 3000}),
            json!({"do": "drop_after"}),
            json!({"do": "truncated"}),
            json!({"do": "drop_half"}),
        ] {
            let mut rule = lost.clone();
            rule["route"] = json!(format!("POST crm/objects/{kind}"));
            rule["times"] = json!(1);
            let before = world.portal.ids(kind).len();
            fault(&world, rule);
            let (status, answer) = call(&server, &world.key, action, &body);
            assert_eq!((status, answer["outcome"].as_str()), (200, Some("done")), "{kind} {lost}: {answer}");
            let ids = world.portal.ids(kind);
            assert_eq!(ids.len(), before + 1, "{kind} {lost}");
            assert!(ids.iter().any(|id| answer["record"]["id"] == **id), "{answer}");
        }
    }
}

#[test]
fn a_create_that_nobody_knows_of_is_said_to_be_unknown_and_then_not_done() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let before = world.portal.ids("notes").len();
    let body = json!({"contact": world.contact.1, "text": "Prefers calls"});
    let path = "/api/v1/actions/create_note";
    for (lost, name) in
        [(json!({"do": "drop_before"}), "one"), (json!({"do": "status", "status": 502}), "two")]
    {
        let mut rule = lost;
        rule["route"] = json!("POST crm/objects/notes");
        rule["times"] = json!(1);
        fault(&world, rule);
        let (status, answer) = post(&server, &world.key, path, &body, Some(name));
        assert_eq!((status, problem(&answer)), (504, "urn:hublore:outcome-unknown"), "{answer}");
        let (status, again) = post(&server, &world.key, path, &body, Some(name));
        assert_eq!((status, problem(&again)), (504, "urn:hublore:outcome-unknown"), "{again}");
        assert_eq!(again["execution"], answer["execution"]);
    }
    assert_eq!(world.portal.ids("notes").len(), before, "never sent twice");
    drop(server);
    world.here.change("update action_executions set sent_at = sent_at - 200000 where outcome = 'unknown'");
    let server = world.here.serve();
    let (status, answer) = post(&server, &world.key, path, &body, Some("one"));
    assert_eq!((status, problem(&answer)), (502, "urn:hublore:not-written"), "{answer}");
    assert_eq!(post(&server, &world.key, path, &body, Some("three")).0, 200);
    assert_eq!(world.portal.ids("notes").len(), before + 1);
}

#[test]
fn what_hubspot_certainly_did_not_do_is_tried_again_or_may_be() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let before = world.portal.ids("notes").len();
    let body = json!({"contact": world.contact.1, "text": "Prefers calls"});
    for status in [429, 423, 401] {
        fault(
            &world,
            json!({"route": "POST crm/objects/notes", "times": 1, "do": "status", "status": status,
            "policy": "SECONDLY"}),
        );
        let (got, answer) = call(&server, &world.key, "create_note", &body);
        // A service key cannot be refreshed.
        let expected = if status == 401 { (409, "urn:hublore:not-connected") } else { (200, "") };
        assert_eq!((got, problem(&answer)), expected, "{status}: {answer}");
    }
    assert_eq!(world.portal.ids("notes").len(), before + 2);
}

#[test]
fn a_change_whose_answer_gets_lost_is_read_back() {
    let world = World::new(&[]);
    let server = world.here.serve();
    for (title, lost) in [("First", "drop_after"), ("Second", "truncated")] {
        let body = json!({"contact": world.contact.1, "property": "jobtitle", "value": title});
        let (_, proposal) = call(&server, &world.key, "update_contact", &body);
        fault(&world, json!({"route": "PATCH crm/objects/contacts", "times": 1, "do": lost}));
        let body = json!({"confirmation": proposal["confirmation"]["id"]});
        let (status, answer) =
            post(&server, &world.key, "/api/v1/actions/update_contact/confirm", &body, None);
        assert_eq!((status, answer["outcome"].as_str()), (200, Some("done")), "{answer}");
        let now = world.record("contacts", &world.contact.0, "jobtitle");
        assert_eq!(now["properties"]["jobtitle"], title);
    }
}

#[test]
fn r1_a_server_killed_while_a_create_is_under_way_finds_it_at_its_next_start() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let before = world.portal.ids("notes").len();
    fault(&world, json!({"route": "POST crm/objects/notes", "times": 1, "do": "slow_reply", "ms": 20000}));
    let body = json!({"contact": world.contact.1, "text": "Prefers calls"}).to_string();
    let url = format!("{}/api/v1/actions/create_note", server.address);
    let mut curl = Command::new("curl")
        .args(["-s", "-X", "POST", &url, "-H", &format!("Authorization: Bearer {}", world.key)])
        .args(["-H", "Idempotency-Key: killed", "-d", &body])
        .spawn()
        .unwrap();
    let sent = std::time::Instant::now();
    while world.portal.ids("notes").len() == before {
        assert!(sent.elapsed().as_secs() < 20, "the note reaches HubSpot");
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    // Dropping it kills it.
    drop(server);
    let _ = curl.wait();
    assert_eq!(world.here.texts("select outcome from action_executions"), ["sending"]);
    let server = world.here.serve();
    let begun = std::time::Instant::now();
    while world.here.texts("select outcome from action_executions") != ["done"] {
        assert!(begun.elapsed().as_secs() < 20, "it is found without being asked for");
        std::thread::sleep(std::time::Duration::from_millis(50));
    }
    let body = json!({"contact": world.contact.1, "text": "Prefers calls"});
    let (status, answer) = post(&server, &world.key, "/api/v1/actions/create_note", &body, Some("killed"));
    assert_eq!((status, answer["outcome"].as_str()), (200, Some("done")), "{answer}");
    assert_eq!(world.portal.ids("notes").len(), before + 1);
}

#[test]
fn every_api_version_writes_the_same() {
    for version in ["2026-03", "legacy"] {
        let world = World::new(&[("HUBLORE_HUBSPOT__API_VERSION", version)]);
        let server = world.here.serve();
        let email = &world.contact.1;
        for (action, kind, body) in [
            ("create_note", "notes", json!({"contact": email, "text": "Prefers calls"})),
            ("log_activity", "tasks", json!({"contact": email, "subject": "Call back"})),
            ("create_deal", "deals", json!({"contact": email, "name": "Quote"})),
        ] {
            fault(
                &world,
                json!({"route": format!("POST crm/objects/{kind}"), "times": 1, "do": "drop_after"}),
            );
            let before = world.portal.ids(kind).len();
            let made = done(&server, &world.key, action, &body);
            assert_eq!(world.portal.ids(kind).len(), before + 1, "{version} {kind}");
            let path = format!("/api/v1/executions/{}/undo", made["execution"].as_str().unwrap());
            let (status, answer) = post(&server, &world.key, &path, &json!({}), None);
            assert_eq!((status, answer["outcome"].as_str()), (200, Some("done")), "{version}: {answer}");
            assert_eq!(world.portal.ids(kind).len(), before, "{version} {kind}");
        }
        let body = json!({"contact": email, "property": "lifecyclestage", "value": "Customer"});
        let (_, proposal) = call(&server, &world.key, "update_contact", &body);
        let body = json!({"confirmation": proposal["confirmation"]["id"]});
        let (_, answer) = post(&server, &world.key, "/api/v1/actions/update_contact/confirm", &body, None);
        assert_eq!(answer["outcome"], "done", "{version}: {answer}");
    }
}

#[test]
fn a_token_that_ran_out_is_refreshed_and_the_action_done_once() {
    let portal = Portal::start(&["--contacts", "5", "--engagements-per-contact", "1"]);
    let here = Installation::for_portal(&portal);
    here.connect_by_consent(Answer::Approve).ok();
    let (id, key) = agent(&here, &[]);
    here.run(&["agents", "allow", &id, "create_note"]).ok();
    let email = here.texts("select email from end_users where email is not null order by id").remove(0);
    let server = here.serve();
    let before = portal.ids("notes").len();
    portal.post("/__sim/tokens/expire", &json!({}));
    done(&server, &key, "create_note", &json!({"contact": email, "text": "x"}));
    let rule = json!({"route": "POST crm/objects/notes", "times": 1, "do": "status", "status": 401});
    portal.post("/__sim/faults", &json!({ "rules": [rule] }));
    done(&server, &key, "create_note", &json!({"contact": email, "text": "x"}));
    assert_eq!(portal.ids("notes").len(), before + 2);
    portal.post("/__sim/faults", &json!({ "rules": [] }));
    // What HubSpot takes away between two syncs is HubSpot's to refuse.
    portal.post("/__sim/scopes/remove", &json!({"scope": "crm.objects.contacts.write"}));
    let (status, answer) = call(&server, &key, "create_note", &json!({"contact": email, "text": "x"}));
    assert_eq!((status, problem(&answer)), (403, "urn:hublore:missing-scope"), "{answer}");
    portal.post("/__sim/tokens/revoke", &json!({}));
    let (status, answer) = call(&server, &key, "create_note", &json!({"contact": email, "text": "x"}));
    assert_eq!((status, problem(&answer)), (409, "urn:hublore:not-connected"), "{answer}");
    assert_eq!(portal.ids("notes").len(), before + 2);
}

#[test]
fn t8_an_agent_does_not_wait_for_a_sync_that_uses_up_the_rate() {
    let world = World::new(&[("HUBLORE_HUBSPOT__REQUESTS_PER_10S", "40")]);
    world.portal.post("/__sim/journal/reset", &json!({}));
    for _ in 0..40 {
        world
            .portal
            .post("/__sim/objects/notes", &json!({"count": 200, "properties": {"hs_note_body": "x"}}));
    }
    let server = world.here.serve();
    let mut sync = world.here.command(&["sync", "full_resync", "--quiet"]).spawn().unwrap();
    // The window is full when the sync has been at work for a while.
    std::thread::sleep(std::time::Duration::from_secs(6));
    let begun = std::time::Instant::now();
    for _ in 0..3 {
        done(&server, &world.key, "create_note", &json!({"contact": world.contact.1, "text": "x"}));
    }
    let took = begun.elapsed();
    assert!(sync.try_wait().unwrap().is_none(), "the sync still reads");
    assert!(took.as_secs() < 9, "three actions took {took:?}");
    assert!(sync.wait().unwrap().success());
}
