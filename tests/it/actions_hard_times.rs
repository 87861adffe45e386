//! Actions where time runs out, HubSpot asks to wait, callers send too much or the wrong thing, and rows grow old.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::actions::{World, agent, call, done, post, problem};
use crate::support::block_on;

const NOTE: &str = "/api/v1/actions/create_note";
const CONFIRM: &str = "/api/v1/actions/update_contact/confirm";

fn faults(world: &World, rules: &[Value]) {
    world.portal.post("/__sim/faults", &json!({ "rules": rules }));
}

/// A change of the contact's property that waits for its confirmation.
fn proposed(world: &World, server: &crate::support::Server, property: &str, value: &str) -> Value {
    let body = json!({"contact": world.contact.1, "property": property, "value": value});
    let (_, proposal) = call(server, &world.key, "update_contact", &body);
    json!({"confirmation": proposal["confirmation"]["id"]})
}

#[test]
fn a_slow_action_is_answered_in_time_with_its_execution_and_has_one_effect() {
    let world = World::new(&[("HUBLORE_ACTIONS__TIMEOUT_S", "60")]);
    let server = world.here.serve();
    let (notes, tasks) = (world.portal.ids("notes").len(), world.portal.ids("tasks").len());
    let body = json!({"contact": world.contact.1, "text": "Prefers calls"});
    faults(
        &world,
        &[json!({"route": "POST crm/objects/notes", "times": 1, "do": "slow_reply", "ms": 33_000})],
    );
    thread::scope(|scope| {
        let begun = Instant::now();
        let slow_write = scope.spawn(|| post(&server, &world.key, NOTE, &body, Some("slow")));
        while world.portal.ids("notes").len() == notes {
            assert!(begun.elapsed().as_secs() < 20, "the note reaches HubSpot");
            thread::sleep(Duration::from_millis(20));
        }
        faults(
            &world,
            &[json!({"route": "POST crm/objects/contacts/batch/read", "do": "slow_reply", "ms": 60_000})],
        );
        let slow_look = scope.spawn(|| {
            let body = json!({"contact": world.contact.1, "subject": "Call back"});
            call(&server, &world.key, "log_activity", &body)
        });
        let (status, answer) = slow_write.join().unwrap();
        assert!(begun.elapsed() < Duration::from_secs(30), "{:?}", begun.elapsed());
        assert_eq!((status, problem(&answer)), (409, "under-way"), "{answer}");
        let execution = answer["execution"].as_str().unwrap();
        assert!(answer["detail"].as_str().unwrap().contains(execution), "{answer}");
        let (status, again) = post(&server, &world.key, NOTE, &body, Some("slow"));
        assert_eq!((status, again["execution"].as_str()), (200, Some(execution)), "{again}");
        let (status, answer) = slow_look.join().unwrap();
        assert_eq!((status, problem(&answer)), (502, "hubspot-unavailable"), "{answer}");
    });
    assert_eq!(world.portal.ids("notes").len(), notes + 1);
    assert_eq!(world.portal.ids("tasks").len(), tasks, "what was given up is not sent later");
}

#[test]
fn an_agent_is_told_how_long_hubspot_asks_to_wait() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let before = world.writes();
    let body = json!({"contact": world.contact.1, "text": "x"});
    for (status, route) in [
        (423, "POST crm/objects/notes"),
        (477, "POST crm/objects/contacts/batch/read"),
        (423, "POST crm/objects/contacts/batch/read"),
    ] {
        for wait in ["60", "86400"] {
            faults(
                &world,
                &[json!({"route": route, "times": 1, "do": "status", "status": status, "retry_after": wait})],
            );
            let begun = Instant::now();
            let (got, answer) = call(&server, &world.key, "create_note", &body);
            assert_eq!((got, problem(&answer)), (502, "hubspot-unavailable"), "{status}: {answer}");
            assert!(answer["detail"].as_str().unwrap().contains(wait), "{answer}");
            assert!(begun.elapsed() < Duration::from_secs(5), "{status}: {:?}", begun.elapsed());
        }
    }
    faults(&world, &[]);
    assert_eq!(world.writes(), before + 2, "the two that were locked out");
    assert_eq!(world.here.number("select count(*) from action_executions where outcome = 'failed'"), 6);
}

#[test]
fn rows_keep_no_secret_of_what_was_refused_or_proposed() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let said = "password is hunter2xyz";
    let email = &world.contact.1;
    for (action, body) in [
        ("create_deal", json!({"name": "x", "close_date": said})),
        ("create_deal", json!({"name": "x", "stage": said})),
        ("create_deal", json!({"name": "x", "password is hunter2xyz": 1})),
        ("log_activity", json!({"contact": email, "subject": "s", "due": said})),
        ("update_contact", json!({"contact": email, "property": said, "value": "v"})),
        ("create_note", json!({"contact": email, "text": 5, "card": 4_111_111_111_111_111_u64})),
        ("create_note", json!({"contact": email, "text": "ok", "password": "hunter2xyz"})),
        ("create_note", json!(said)),
        ("update_contact", json!({"contact": email, "property": "jobtitle", "value": said})),
    ] {
        call(&server, &world.key, action, &body);
    }
    let rows = world.here.texts("select arguments || coalesce(detail, '') from action_executions").join("\n");
    let listed = world.here.run(&["agents", "executions", "--json"]).ok().stdout;
    for text in [&rows, &listed] {
        assert!(!text.contains("hunter2xyz") && !text.contains("4111111111111111"), "{text}");
    }
    assert!(listed.contains("[password]"), "{listed}");
}

#[test]
fn refused_calls_fill_no_disk() {
    let world = World::new(&[("HUBLORE_ACTIONS__PER_MINUTE", "5")]);
    let server = world.here.serve();
    let body = json!({"contact": world.contact.1, "text": "x", "colour": "word ".repeat(150_000)});
    let answers: Vec<_> = (0..8).map(|_| call(&server, &world.key, "create_note", &body)).collect();
    let kinds: Vec<_> = answers.iter().map(|(status, answer)| (*status, problem(answer))).collect();
    assert_eq!(kinds[..5], [(400, "bad-request"); 5]);
    assert_eq!(kinds[5..], [(429, "too-many-actions"); 3]);
    let sizes = world.here.texts("select cast(length(arguments) as text) from action_executions");
    assert_eq!(sizes.len(), 5, "what is refused all the time is not written down");
    assert!(sizes.iter().all(|size| size.parse::<usize>().unwrap() < 20_000), "{sizes:?}");
    let (status, answer) =
        call(&server, &world.key, "create_note", &json!({"contact": world.contact.1, "text": "x"}));
    assert_eq!(status, 200, "a call that is right still goes through: {answer}");
}

#[test]
fn a_value_that_is_another_after_a_lost_answer_is_not_said_to_be_unwritten() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let path = format!("/__sim/objects/contacts/{}", world.contact.0);
    let lost = json!({"route": "PATCH crm/objects/contacts", "times": 1, "do": "drop_before"});
    for (name, stored, expected) in
        [("own-form", "+49 (30) 123-456", (200, "")), ("somebody", "+1 555 0100", (409, "changed-since"))]
    {
        world.portal.patch(&path, &json!({"properties": {"phone": "+49 30 1"}}));
        let body = proposed(&world, &server, "phone", "+49 30 123456");
        faults(&world, std::slice::from_ref(&lost));
        let (status, answer) = post(&server, &world.key, CONFIRM, &body, Some(name));
        assert_eq!((status, problem(&answer)), (504, "outcome-unknown"), "{answer}");
        world.portal.patch(&path, &json!({"properties": {"phone": stored}}));
        world.here.change(
            "update action_executions set sent_at = sent_at - 200000, finished_at = finished_at - 200000 \
             where outcome = 'unknown'",
        );
        let (status, answer) = post(&server, &world.key, CONFIRM, &body, Some(name));
        assert_eq!((status, problem(&answer)), expected, "{answer}");
        assert!(answer.to_string().contains(stored), "{answer}");
    }
}

#[test]
fn la_1_a_task_is_not_given_to_an_owner_who_left() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let owner = world.here.texts("select id from owners where archived = 0 order by id limit 1").remove(0);
    let path = format!("/__sim/objects/contacts/{}", world.contact.0);
    world.portal.patch(&path, &json!({"properties": {"hubspot_owner_id": owner}}));
    let mut owners = Vec::new();
    for _ in 0..2 {
        let made =
            done(&server, &world.key, "log_activity", &json!({"contact": world.contact.1, "subject": "s"}));
        let task = world.record("tasks", made["record"]["id"].as_str().unwrap(), "hubspot_owner_id");
        owners.push(task["properties"]["hubspot_owner_id"].clone());
        world.here.change("update owners set archived = 1");
    }
    assert_eq!(owners, [json!(owner), Value::Null]);
}

#[test]
fn an_attempt_that_was_ended_elsewhere_is_not_sent_and_keeps_its_end() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let before = world.portal.ids("notes").len();
    faults(
        &world,
        &[
            json!({"route": "POST crm/objects/contacts/batch/read", "times": 1, "do": "slow_reply", "ms": 3_000}),
        ],
    );
    let body = json!({"contact": world.contact.1, "text": "x"});
    let (status, answer) = thread::scope(|scope| {
        let calls = scope.spawn(|| call(&server, &world.key, "create_note", &body));
        let begun = Instant::now();
        while world.here.texts("select outcome from action_executions") != ["started"] {
            assert!(begun.elapsed().as_secs() < 20, "the row is written before anything is sent");
            thread::sleep(Duration::from_millis(20));
        }
        world.here.change("update action_executions set outcome = 'failed', reason = 'hubspot-unavailable'");
        calls.join().unwrap()
    });
    assert_eq!((status, problem(&answer)), (409, "under-way"), "{answer}");
    assert_eq!(world.here.texts("select outcome from action_executions"), ["failed"]);
    assert_eq!(world.portal.ids("notes").len(), before);
}

#[test]
fn asking_again_and_again_what_became_of_a_call_does_not_ask_hubspot_each_time() {
    let world = World::new(&[]);
    // A hundred open rows of a portal that is not connected any more.
    world.here.change(
        "insert into action_executions (id, org, portal, agent, action, step, arguments, asked, outcome, started_at, \
         sent_at) with recursive n(i) as (select 1 union all select i + 1 from n where i < 120) \
         select 'exe_old' || i, (select org from connections), 1, 'a', 'create_note', 'run', '{}', x'', 'unknown', i, i \
         from n",
    );
    let server = world.here.serve();
    faults(&world, &[json!({"route": "POST crm/objects/notes", "times": 1, "do": "drop_before"})]);
    let body = json!({"contact": world.contact.1, "text": "x"});
    let (_, first) = post(&server, &world.key, NOTE, &body, Some("lost"));
    world.portal.post("/__sim/journal/reset", &json!({}));
    for _ in 0..40 {
        let (status, answer) = post(&server, &world.key, NOTE, &body, Some("lost"));
        assert_eq!((status, problem(&answer)), (504, "outcome-unknown"), "{answer}");
        assert_eq!(answer["execution"], first["execution"]);
    }
    let calls = world.portal.json("/__sim/journal")["total"].as_u64().unwrap();
    assert!(calls < 10, "{calls} calls of HubSpot for 40 questions");
    drop(server);
    world.here.change(
        "update action_executions set sent_at = sent_at - 200000, finished_at = finished_at - 200000 \
         where outcome = 'unknown' and portal <> 1",
    );
    let _server = world.here.serve();
    let begun = Instant::now();
    while world.here.number("select count(*) from action_executions where reason = 'not-written'") == 0 {
        assert!(begun.elapsed().as_secs() < 20, "it is looked up before the others, which cannot be");
        thread::sleep(Duration::from_millis(50));
    }
}

#[test]
fn rows_are_forgotten_when_they_were_kept_long_enough_and_a_note_stays_an_agents() {
    let world = World::new(&[("HUBLORE_ACTIONS__KEEP_DAYS", "30")]);
    let server = world.here.serve();
    let body = json!({"contact": world.contact.1, "text": "x"});
    done(&server, &world.key, "create_note", &body);
    done(&server, &world.key, "create_deal", &json!({"contact": world.contact.1, "name": "Old"}));
    assert_eq!(call(&server, &world.key, "create_note", &json!({})).0, 400);
    drop(server);
    let month = "update action_executions set started_at = started_at - 31 * 86400000";
    world.here.change(month);
    world.here.change(
        "insert into action_executions (id, org, portal, agent, action, step, arguments, asked, outcome, started_at, \
         sent_at) select 'exe_open', org, 1, 'a', 'create_deal', 'run', '{}', x'', 'unknown', 1, 1 from connections",
    );
    let server = world.here.serve();
    done(&server, &world.key, "create_deal", &json!({"contact": world.contact.1, "name": "New"}));
    let begun = Instant::now();
    let rows = || {
        world.here.texts(
            "select action || ' ' || outcome || ' ' || arguments from action_executions order by started_at, action",
        )
    };
    while rows().len() != 3 {
        assert!(begun.elapsed().as_secs() < 20, "{:?}", rows());
        thread::sleep(Duration::from_millis(50));
    }
    let rows = rows();
    assert_eq!(
        rows[..2],
        ["create_deal unknown {}", "create_note done {}"],
        "what is open, and whose the note is"
    );
    assert!(rows[2].starts_with("create_deal done {\"contact\""), "{rows:?}");
}

#[test]
fn what_is_wrong_at_the_door_is_said_so() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let (status, answer) = call(&server, &world.key, "create_note", &Value::Null);
    assert_eq!((status, problem(&answer)), (400, "bad-request"));
    assert!(answer["detail"].as_str().unwrap().contains("JSON object"), "{answer}");
    let (_, answer) = server.request("GET", "/api/v1/admin/status", Some(&world.key), None).unwrap();
    let answer: Value = serde_json::from_str(&answer).unwrap();
    assert_eq!((answer["status"].as_u64(), problem(&answer)), (Some(403), "operators-only"), "{answer}");
    assert_eq!(server.request("GET", "/api/v1/admin/status", Some("hl_no"), None).unwrap().0, 401);
    let twice = block_on(async {
        let http = hublore::http::client(Duration::from_secs(10)).unwrap();
        let request = http.get(format!("{}/api/v1/actions", server.address)).bearer_auth(&world.key);
        let request =
            request.header("x-hublore-customer", "a@x.example").header("x-hublore-customer", "b@x.example");
        request.send().await.unwrap().status().as_u16()
    });
    assert_eq!(twice, 400, "which of the two is meant is not guessed");
    let undone = world.here.run(&["agents", "undo", "nope"]);
    assert_eq!(undone.code, Some(2));
    assert!(undone.stderr.contains("no such execution") && !undone.stderr.contains("of this agent"));
    let (other, _) = agent(&world.here, &[]);
    let shown = |arguments: &[&str]| {
        world
            .here
            .run(&[&["agents", "allow", &other, "update_contact", "--json"], arguments].concat())
            .ok()
            .json()
    };
    assert_eq!(shown(&["--property", "phone"])["settings"]["allowed_properties"], json!(["phone"]));
    let unread = shown(&["--property", "phone", "--property", "nosuch"]);
    assert_eq!(unread["unread_properties"], json!(["nosuch"]), "{unread}");
    let unset = shown(&["--property", ""]);
    assert_eq!(
        unset["settings"]["allowed_properties"].as_array().unwrap().len(),
        4,
        "the default again: {unset}"
    );
}
