//! A contact is changed after a confirmation only, what HubSpot made of it is read back, and what agents did is taken back.

use serde_json::{Value, json};

use crate::actions::{World, agent, call, done, post, problem};

#[test]
fn uc_3_uc_4_the_list_of_properties_starts_with_four_and_takes_effect_at_once() {
    let world = World::new(&[]);
    let shown = world.here.run(&["agents", "actions", &world.agent, "--json"]).ok().json();
    assert_eq!(
        shown[1]["settings"]["allowed_properties"],
        json!(["lifecyclestage", "hs_lead_status", "jobtitle", "phone"])
    );
    let server = world.here.serve();
    let propose = |property: &str| {
        let body = json!({"contact": world.contact.1, "property": property, "value": "Ulm"});
        let (status, answer) = call(&server, &world.key, "update_contact", &body);
        (status, problem(&answer).to_owned())
    };
    assert_eq!(propose("city"), (403, "property-not-allowed".to_owned()));
    let allow = ["agents", "allow", &world.agent, "update_contact"];
    world.here.run(&[&allow[..], &["--property", "city", "--property", "phone"]].concat()).ok();
    assert_eq!(propose("city").0, 200);
    assert_eq!(propose("jobtitle"), (403, "property-not-allowed".to_owned()));
    for identity in ["email", "hs_object_id", "Not A Name"] {
        assert_eq!(world.here.run(&[&allow[..], &["--property", identity]].concat()).code, Some(2));
    }
    assert_eq!(world.here.run(&["agents", "allow", "agent_nobody", "create_note"]).code, Some(2));
    assert_eq!(world.here.run(&["agents", "allow", &world.agent, "fly"]).code, Some(2));
}

#[test]
fn uc_5_uc_7_t9_a_change_is_confirmed_once_and_read_back() {
    let world = World::new(&[]);
    let (id, email) = world.contact.clone();
    let (_, other_key) = {
        let made = agent(&world.here, &[]);
        world.here.run(&["agents", "allow", &made.0, "update_contact"]).ok();
        made
    };
    let server = world.here.serve();
    let propose = |property: &str, value: &str| {
        let body = json!({"contact": email, "property": property, "value": value});
        let (status, answer) = call(&server, &world.key, "update_contact", &body);
        assert_eq!((status, answer["outcome"].as_str()), (200, Some("proposed")), "{answer}");
        answer
    };
    let confirm = |key: &str, proposal: &Value| {
        let body = json!({"confirmation": proposal["confirmation"]["id"]});
        post(&server, key, "/api/v1/actions/update_contact/confirm", &body, None)
    };
    let value = |name: &str| world.record("contacts", &id, name)["properties"][name].clone();
    let before = value("jobtitle");
    let proposal = propose("jobtitle", "Head of Support");
    assert_eq!(proposal["change"]["old_value"], before);
    assert_eq!(proposal["change"]["new_value"], "Head of Support");
    assert_eq!((value("jobtitle"), world.writes()), (before.clone(), 0), "the first call only proposes");
    let (status, answer) = confirm(&other_key, &proposal);
    assert_eq!((status, problem(&answer)), (404, "no-such-confirmation"), "bound to its agent");
    let (status, answer) = post(
        &server,
        &world.key,
        "/api/v1/actions/update_contact/confirm",
        &json!({"confirmation": "cnf_x"}),
        None,
    );
    assert_eq!((status, problem(&answer)), (404, "no-such-confirmation"));
    assert_eq!(world.writes(), 0);
    let (status, answer) = confirm(&world.key, &proposal);
    assert_eq!((status, answer["outcome"].as_str()), (200, Some("done")), "{answer}");
    assert_eq!(value("jobtitle"), "Head of Support");
    let (status, answer) = confirm(&world.key, &proposal);
    assert_eq!((status, problem(&answer)), (409, "confirmation-used"), "{answer}");
    assert_eq!(world.writes(), 1);

    // HubSpot answers 200 and keeps the stage: uc_7.
    let forward = propose("lifecyclestage", "Customer");
    assert_eq!(forward["change"]["new_value"], "customer", "a label becomes the internal value");
    assert_eq!(confirm(&world.key, &forward).1["outcome"], "done");
    let (_, answer) = confirm(&world.key, &propose("lifecyclestage", "lead"));
    assert_eq!(answer["outcome"], "not_applied", "{answer}");
    assert_eq!(value("lifecyclestage"), "customer");
    assert!(answer["message"].as_str().unwrap().starts_with("not applied"), "{answer}");

    // What somebody changed meanwhile is not overwritten.
    let stale = propose("phone", "+49 731 1234");
    world
        .portal
        .patch(&format!("/__sim/objects/contacts/{id}"), &json!({"properties": {"phone": "+49 30 1"}}));
    let (status, answer) = confirm(&world.key, &stale);
    assert_eq!((status, problem(&answer)), (409, "changed-since"), "{answer}");
    assert_eq!(value("phone"), "+49 30 1");
    let same = json!({"contact": email, "property": "phone", "value": "+49 30 1"});
    assert_eq!(call(&server, &world.key, "update_contact", &same).1["outcome"], "unchanged");
    let (status, answer) = call(
        &server,
        &world.key,
        "update_contact",
        &json!({"contact": email, "property": "hs_lead_status", "value": "x"}),
    );
    assert_eq!((status, problem(&answer)), (400, "bad-request"), "{answer}");
    assert!(answer["detail"].as_str().unwrap().contains("IN_PROGRESS"), "it says what there is: {answer}");

    // A property taken off the list between the two calls stays as it is.
    let late = propose("phone", "+49 731 5678");
    world.here.run(&["agents", "allow", &world.agent, "update_contact", "--property", "jobtitle"]).ok();
    let (status, answer) = confirm(&world.key, &late);
    assert_eq!((status, problem(&answer)), (403, "property-not-allowed"), "{answer}");
    world.here.run(&["agents", "allow", &world.agent, "update_contact", "--property", "phone"]).ok();
    drop(server);
    world.here.change(&format!(
        "update action_executions set expires_at = started_at where id = '{}'",
        late["execution"].as_str().unwrap()
    ));
    let server = world.here.serve();
    let body = json!({"confirmation": late["confirmation"]["id"]});
    let (status, answer) = post(&server, &world.key, "/api/v1/actions/update_contact/confirm", &body, None);
    assert_eq!((status, problem(&answer)), (409, "confirmation-expired"), "{answer}");
    assert_eq!(value("phone"), "+49 30 1");
}

#[test]
fn f8_what_an_agent_did_is_taken_back_unless_somebody_changed_it_since() {
    let world = World::new(&[]);
    let (id, email) = &world.contact;
    let server = world.here.serve();
    let undo = |execution: &Value| {
        let path = format!("/api/v1/executions/{}/undo", execution["execution"].as_str().unwrap());
        post(&server, &world.key, &path, &json!({}), None)
    };
    let is_there = |kind: &str, made: &Value| {
        let ids = world.portal.ids(kind);
        ids.iter().any(|id| made["record"]["id"] == **id)
    };
    for (action, kind, body) in [
        ("create_note", "notes", json!({"contact": email, "text": "Prefers calls"})),
        ("log_activity", "tasks", json!({"contact": email, "subject": "Call back"})),
        (
            "create_deal",
            "deals",
            json!({"contact": email, "name": "Quote", "amount": "10", "close_date": "2026-12-01"}),
        ),
    ] {
        let made = done(&server, &world.key, action, &body);
        assert!(is_there(kind, &made) && made["undo_until"].is_string(), "{made}");
        let (status, answer) = undo(&made);
        assert_eq!((status, answer["outcome"].as_str()), (200, Some("done")), "{answer}");
        assert!(!is_there(kind, &made), "{kind}");
        assert_eq!(problem(&undo(&made).1), "already-undone");
    }
    // A person went on with it.
    let deal = done(&server, &world.key, "create_deal", &json!({"contact": email, "name": "Quote"}));
    let path = format!("/__sim/objects/deals/{}", deal["record"]["id"].as_str().unwrap());
    world.portal.patch(&path, &json!({"properties": {"dealstage": "contractsent"}}));
    let (status, answer) = undo(&deal);
    assert_eq!((status, problem(&answer)), (409, "changed-since"), "{answer}");
    assert!(is_there("deals", &deal));

    let value = || world.record("contacts", id, "jobtitle")["properties"]["jobtitle"].clone();
    let change = |to: &str| {
        let body = json!({"contact": email, "property": "jobtitle", "value": to});
        let (_, proposal) = call(&server, &world.key, "update_contact", &body);
        let body = json!({"confirmation": proposal["confirmation"]["id"]});
        post(&server, &world.key, "/api/v1/actions/update_contact/confirm", &body, None).1
    };
    let before = value();
    let changed = change("Head of Support");
    assert_eq!(undo(&changed).1["outcome"], "done");
    assert_eq!(value(), before);
    let changed = change("Head of Sales");
    world
        .portal
        .patch(&format!("/__sim/objects/contacts/{id}"), &json!({"properties": {"jobtitle": "Founder"}}));
    assert_eq!(problem(&undo(&changed).1), "changed-since");
    assert_eq!(value(), "Founder");

    // The operator takes back what any agent did, here in the running server.
    let note = done(&server, &world.key, "create_note", &json!({"contact": email, "text": "Wrong customer"}));
    world.here.run(&["modes", "actions", "off"]).ok();
    assert_eq!(problem(&undo(&note).1), "actions-off");
    world.here.run(&["agents", "undo", note["execution"].as_str().unwrap()]).ok();
    assert!(!is_there("notes", &note));
    let refused = world.here.run(&["agents", "undo", note["execution"].as_str().unwrap()]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    world.here.run(&["modes", "actions", "on"]).ok();
    drop(server);
    // The window is over.
    let server = world.here.serve();
    let late = done(&server, &world.key, "create_note", &json!({"contact": email, "text": "Late"}));
    drop(server);
    let late_id = late["execution"].as_str().unwrap();
    world.here.change(&format!("update action_executions set finished_at = 0 where id = '{late_id}'"));
    let refused = world.here.run(&["agents", "undo", late_id]);
    assert_eq!((refused.code, refused.stderr.contains("too late")), (Some(3), true), "{refused:?}");
}

#[test]
fn uc_5_many_confirmations_at_once_change_it_once_and_many_undos_take_it_back_once() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let body = json!({"contact": world.contact.1, "property": "jobtitle", "value": "Head of Support"});
    let (_, proposal) = call(&server, &world.key, "update_contact", &body);
    let body = json!({"confirmation": proposal["confirmation"]["id"]});
    let at_once = |path: &str, body: &Value| -> Vec<(u16, Value)> {
        std::thread::scope(|scope| {
            let calls: Vec<_> =
                (0..8).map(|_| scope.spawn(|| post(&server, &world.key, path, body, None))).collect();
            calls.into_iter().map(|one| one.join().unwrap()).collect()
        })
    };
    let confirmed = at_once("/api/v1/actions/update_contact/confirm", &body);
    let done: Vec<&Value> = confirmed.iter().filter(|one| one.0 == 200).map(|one| &one.1).collect();
    assert_eq!((done.len(), world.writes()), (1, 1), "{confirmed:?}");
    assert!(confirmed.iter().filter(|one| one.0 != 200).all(|one| problem(&one.1) == "confirmation-used"));
    // The answer to the write that takes it back gets lost.
    let rule = json!({"route": "PATCH crm/objects/contacts", "times": 1, "do": "drop_after"});
    world.portal.post("/__sim/faults", &json!({ "rules": [rule] }));
    let undone =
        at_once(&format!("/api/v1/executions/{}/undo", done[0]["execution"].as_str().unwrap()), &json!({}));
    assert_eq!(undone.iter().filter(|one| one.0 == 200).count(), 1, "{undone:?}");
    assert_eq!(world.writes(), 2);
    let now = world.record("contacts", &world.contact.0, "jobtitle")["properties"]["jobtitle"].clone();
    assert_eq!(now, proposal["change"]["old_value"]);
}
