//! What an agent wrote comes back from HubSpot: it is stored, proves nothing and is nobody's news; and what is left of a person.

use serde_json::{Value, json};

use crate::actions::{World, agent, call, done};
use crate::notifications;

#[test]
fn cn_4_what_an_agent_wrote_comes_back_as_its_own_word_and_proves_nothing() {
    let world = World::new(&[]);
    let text = "They renew every March. The account manager is Jane Roe. They are invoiced quarterly.";
    let insights =
        |id: &str| world.here.number(&format!("select count(*) from insights where engagement = '{id}'"));
    let server = world.here.serve();
    let made = done(&server, &world.key, "create_note", &json!({"contact": world.contact.1, "text": text}));
    let id = made["record"]["id"].as_str().unwrap().to_owned();
    let person = world.portal.post(
        "/__sim/objects/notes",
        &json!({"properties": {"hs_note_body": text, "hs_timestamp": "2026-11-23T08:00:00Z"},
            "associations": {"contacts": [world.contact.0]}}),
    );
    let person: Value = serde_json::from_str(&person).unwrap();
    drop(server);
    world.here.run(&["sync", "catch_up"]).ok();
    let portal = world.here.number("select portal from connections");
    let shown =
        |id: &str| world.here.run(&["show", &format!("hubspot:{portal}:note:{id}"), "--json"]).ok().json();
    assert_eq!(shown(&id)["origin"], "agent");
    let by_person = person["ids"][0].as_str().or(person["id"].as_str()).unwrap().to_owned();
    assert_eq!(shown(&by_person)["origin"], "hubspot");
    assert_eq!(insights(&id), 0, "its own words are no evidence");
    assert!(insights(&by_person) > 0, "the same words of a person are");
    world.here.run(&["rules", "add", "instruction", "Leave out preferences."]).ok();
    world.here.run(&["rules", "apply"]).ok();
    world.here.run(&["sync", "full_resync"]).ok();
    assert_eq!(insights(&id), 0, "not when everything is looked at again either");
    assert!(insights(&by_person) > 0);
    assert_eq!(world.here.ids("note"), world.portal.ids("notes"), "it is stored");
}

#[test]
fn a_person_who_is_erased_leaves_no_words_in_the_attempts() {
    let world = World::new(&[]);
    let (id, email) = &world.contact;
    let server = world.here.serve();
    done(
        &server,
        &world.key,
        "create_note",
        &json!({"contact": email, "text": "Prefers to be called Xerxes"}),
    );
    let refused = json!({"contact": email, "text": "Xerxes", "colour": "red"});
    assert_eq!(call(&server, &world.key, "create_note", &refused).0, 400);
    drop(server);
    world.portal.post("/__sim/privacy-delete", &json!({"id": id}));
    world.here.run(&["sync", "full_resync"]).ok();
    assert_eq!(world.here.ids("contacts").len(), 29);
    let rows = world
        .here
        .texts("select arguments || coalesce(customer, '') || coalesce(answer, '') from action_executions");
    assert_eq!(rows, ["{}", "{}"], "that there were attempts stays");
}

#[test]
fn cn_4_slack_is_told_of_what_people_write_and_not_of_what_agents_do() {
    let (portal, here) = notifications::posting(notifications::webhook);
    let (id, key) = agent(&here, &[]);
    here.run(&["agents", "allow", &id, "create_note"]).ok();
    let email = here.texts("select email from end_users where email is not null order by id").remove(0);
    let server = here.serve();
    done(&server, &key, "create_note", &json!({"contact": email, "text": "Written by the agent"}));
    drop(server);
    notifications::note(&portal, "Written by a person");
    notifications::sync(&here, "catch_up");
    assert_eq!(here.ids("note").len(), 2);
    assert_eq!(notifications::waits(&here), 1, "the person's note alone");
    let _server = here.serve();
    notifications::within(10, "the one post", || notifications::told(&portal) == 1);
    notifications::a_while();
    let all = notifications::texts(&portal);
    assert!(all.contains("Written by a person") && !all.contains("Written by the agent"), "{all}");
}

#[test]
fn cn_4_an_announcement_that_overtakes_the_answer_changes_nothing() {
    let (portal, here) = notifications::posting(notifications::webhook);
    let (id, key) = agent(&here, &[]);
    here.run(&["agents", "allow", &id, "create_note"]).ok();
    let email = here.texts("select email from end_users where email is not null order by id").remove(0);
    let server = here.serve();
    let address = here.run(&["webhooks", "show", "--json"]).ok().json()["address"].clone();
    portal.post("/__sim/webhooks/target", &json!({"url": address, "client_secret": "sim-client-secret"}));
    let rule = json!({"route": "POST crm/objects/notes", "times": 1, "do": "slow_reply", "ms": 5000});
    portal.post("/__sim/faults", &json!({ "rules": [rule] }));
    let text = "They renew every March. The account manager is Jane Roe.";
    let made = std::thread::scope(|scope| {
        let call =
            scope.spawn(|| done(&server, &key, "create_note", &json!({"contact": email, "text": text})));
        notifications::within(10, "the note is in HubSpot", || portal.ids("notes").len() == 1);
        portal.post("/__sim/webhooks/flush", &json!({}));
        notifications::within(4, "the note is here", || here.ids("note").len() == 1);
        assert_eq!(here.texts("select outcome from action_executions"), ["sending"], "its answer is not");
        call.join().unwrap()
    });
    let id = made["record"]["id"].as_str().unwrap().to_owned();
    assert_eq!(here.ids("note"), [id.as_str()]);
    let portal_id = here.number("select portal from connections");
    let shown = here.run(&["show", &format!("hubspot:{portal_id}:note:{id}"), "--json"]).ok().json();
    assert_eq!(shown["origin"], "agent");
    assert_eq!((here.number("select count(*) from insights"), notifications::waits(&here)), (0, 0));
    notifications::a_while();
    assert_eq!(notifications::told(&portal), 0);
}
