//! Agents write into HubSpot: behind their gates, with defaults, with a confirmation, each attempt with a row.
//! Changes of contacts and taking back are in `actions_changes`, lost answers in `actions_recovery`, what follows later
//! in `actions_afterwards`.

use serde_json::{Value, json};

use crate::support::{Installation, Portal, Server, block_on};

/// A portal that was read, and an agent that may do everything.
pub(crate) struct World {
    pub(crate) portal: Portal,
    pub(crate) here: Installation,
    pub(crate) agent: String,
    pub(crate) key: String,
    /// Id and address of a contact.
    pub(crate) contact: (String, String),
}

pub(crate) const ALL: [&str; 4] = ["create_deal", "update_contact", "log_activity", "create_note"];

pub(crate) fn agent(here: &Installation, arguments: &[&str]) -> (String, String) {
    let made = here.run(&[&["agents", "create", "helper", "--json"], arguments].concat()).ok().json();
    let text = |name: &str| made[name].as_str().unwrap().to_owned();
    (text("id"), text("key"))
}

impl World {
    pub(crate) fn new(settings: &[(&str, &str)]) -> Self {
        let portal = Portal::start(&["--contacts", "30", "--engagements-per-contact", "2"]);
        let mut here = Installation::for_portal(&portal);
        for (name, value) in settings {
            here.settings.insert((*name).to_owned(), (*value).to_owned());
        }
        here.connect_with_key();
        here.run(&["sync"]).ok();
        let (agent, key) = agent(&here, &[]);
        for action in ALL {
            here.run(&["agents", "allow", &agent, action]).ok();
        }
        let contact = contact(&here, 0);
        Self { portal, here, agent, key, contact }
    }

    /// What HubSpot's own API says of a record.
    pub(crate) fn record(&self, kind: &str, id: &str, names: &str) -> Value {
        self.portal.api(&format!("/crm/v3/objects/{kind}/{id}?properties={names}&associations=contacts"))
    }

    pub(crate) fn writes(&self) -> u64 {
        writes(&self.portal)
    }

    fn total(&self) -> Value {
        self.portal.json("/__sim/journal")["total"].clone()
    }
}

/// A contact with an address.
pub(crate) fn contact(here: &Installation, number: usize) -> (String, String) {
    let rows = here.texts(
        "select id || ' ' || email from end_users where email is not null and lifecycle_stage = 'lead' order by id",
    );
    let (id, email) = rows[number].split_once(' ').unwrap();
    (id.to_owned(), email.to_owned())
}

/// Calls of the portal that changed something.
pub(crate) fn writes(portal: &Portal) -> u64 {
    let journal = portal.json("/__sim/journal");
    let routes = journal["routes"].as_object().unwrap();
    let is_write = |name: &str| {
        let create = name.starts_with("POST crm/objects/") && name.matches('/').count() == 2;
        create || name.starts_with("PATCH ") || name.starts_with("DELETE ")
    };
    let count = |value: &Value| value["calls"].as_u64().or(value.as_u64()).unwrap_or(0);
    routes.iter().filter(|(name, _)| is_write(name)).map(|(_, value)| count(value)).sum()
}

/// Calls as an agent, with an idempotency key if one is given.
pub(crate) fn post(server: &Server, key: &str, path: &str, body: &Value, once: Option<&str>) -> (u16, Value) {
    block_on(async {
        let http = hublore::http::client(std::time::Duration::from_secs(60)).unwrap();
        let mut request = http.post(format!("{}{path}", server.address)).bearer_auth(key).json(body);
        if let Some(once) = once {
            request = request.header("idempotency-key", once);
        }
        let answer = request.send().await.unwrap();
        (answer.status().as_u16(), answer.json().await.unwrap())
    })
}

pub(crate) fn call(server: &Server, key: &str, action: &str, body: &Value) -> (u16, Value) {
    post(server, key, &format!("/api/v1/actions/{action}"), body, None)
}

pub(crate) fn done(server: &Server, key: &str, action: &str, body: &Value) -> Value {
    let (status, answer) = call(server, key, action, body);
    assert_eq!(status, 200, "{answer}");
    assert_eq!(answer["outcome"], "done", "{answer}");
    answer
}

pub(crate) fn problem(answer: &Value) -> &str {
    answer["type"].as_str().unwrap_or_default().strip_prefix("urn:hublore:").unwrap_or_default()
}

fn listed(server: &Server, key: &str) -> Vec<Value> {
    let (status, body) = server.request("GET", "/api/v1/actions", Some(key), None).unwrap();
    assert_eq!(status, 200, "{body}");
    serde_json::from_str::<Value>(&body).unwrap()["actions"].as_array().unwrap().clone()
}

#[test]
fn gen_4_act_1_four_actions_are_enabled_agent_by_agent_and_reach_hubspot() {
    let world = World::new(&[]);
    let (_, other) = agent(&world.here, &[]);
    let server = world.here.serve();
    let actions = listed(&server, &world.key);
    let names: Vec<&str> = actions.iter().map(|one| one["name"].as_str().unwrap()).collect();
    assert_eq!(names, ALL);
    assert!(listed(&server, &other).is_empty(), "nothing is callable until it is enabled");
    for one in &actions {
        assert_eq!((&one["mutates"], &one["destructive"]), (&json!(true), &json!(false)));
        assert_eq!(one["input_schema"]["additionalProperties"], false);
    }
    let told = |name: &str| {
        actions.iter().find(|one| one["name"] == name).unwrap()["description"].as_str().unwrap().to_owned()
    };
    assert!(
        told("create_deal").contains("intention to buy") && told("create_deal").contains("quote"),
        "cd_2"
    );
    assert!(told("update_contact").contains("sparingly"), "uc_6");
    let note = told("create_note");
    assert!(["handoff", "preferences", "summary"].iter().all(|word| note.contains(word)), "cn_2");
    assert_eq!(actions[1]["confirm"]["name"], "confirm_update_contact");
    let agents = world.here.run(&["agents", "list", "--json"]).ok().json();
    let may: Vec<&Value> = agents.as_array().unwrap().iter().map(|one| &one["actions"]).collect();
    assert!(may.contains(&&json!(ALL)) && may.contains(&&json!([])), "{agents}");
    assert!(world.here.run(&["agents", "list"]).ok().stdout.contains("may create_deal, update_contact"));

    // cd_1, cd_4
    let (id, email) = &world.contact;
    let deal =
        done(&server, &world.key, "create_deal", &json!({"contact": email, "name": "Quote for 20 seats"}));
    let deal = world.record("deals", deal["record"]["id"].as_str().unwrap(), "dealname,dealstage,pipeline");
    assert_eq!(deal["properties"]["dealname"], "Quote for 20 seats");
    assert_eq!(deal["properties"]["dealstage"], "appointmentscheduled");
    assert_eq!(deal["associations"]["contacts"]["results"][0]["id"], **id);
    // la_1
    let task = done(&server, &world.key, "log_activity", &json!({"contact": email, "subject": "Call back"}));
    let task = world.record("tasks", task["record"]["id"].as_str().unwrap(), "hs_task_subject,hs_task_type");
    assert_eq!(task["properties"]["hs_task_subject"], "Call back");
    assert_eq!(task["associations"]["contacts"]["results"][0]["id"], **id);
    // cn_1
    let note = done(&server, &world.key, "create_note", &json!({"contact": email, "text": "Prefers calls"}));
    let note = world.record("notes", note["record"]["id"].as_str().unwrap(), "hs_note_body");
    assert_eq!(note["properties"]["hs_note_body"], "Prefers calls");
    assert_eq!(note["associations"]["contacts"]["results"][0]["id"], **id);
    assert_eq!(world.writes(), 3);
}

#[test]
fn act_2_every_shut_gate_has_its_name_and_hubspot_is_not_asked() {
    let mut world = World::new(&[]);
    let (bound, bound_key) = agent(&world.here, &["--customer", &world.contact.1]);
    world.here.run(&["agents", "allow", &bound, "create_note"]).ok();
    let (_, other) = contact(&world.here, 1);
    let email = world.contact.1.clone();
    let note = json!({"contact": email, "text": "x"});
    let server = world.here.serve();
    let before = world.total();
    let refused = |key: &str, action: &str, body: &Value, status: u16, name: &str| {
        let (got, answer) = call(&server, key, action, body);
        assert_eq!((got, problem(&answer)), (status, name), "{action} {body}: {answer}");
        assert!(answer["execution"].as_str().unwrap().starts_with("exe_"), "{answer}");
    };
    world.here.run(&["modes", "actions", "off"]).ok();
    refused(&world.key, "create_note", &note, 409, "actions-off");
    assert!(listed(&server, &world.key).is_empty(), "the four disappear from every agent");
    world.here.run(&["modes", "actions", "default"]).ok();
    assert_eq!(listed(&server, &world.key).len(), 4, "toggles are remembered");
    world.here.run(&["agents", "deny", &world.agent, "create_note"]).ok();
    refused(&world.key, "create_note", &note, 403, "action-not-allowed");
    world.here.run(&["agents", "allow", &world.agent, "create_note"]).ok();
    refused(&bound_key, "create_note", &json!({"contact": other, "text": "x"}), 403, "other-customer");
    for (action, body) in [
        ("create_note", json!({"contact": email, "text": " "})),
        ("create_note", json!({"contact": email, "text": "x", "colour": "red"})),
        ("create_note", json!({"contact": "nobody", "text": "x"})),
        ("create_note", json!({"text": "x"})),
        ("create_note", json!(null)),
        ("create_deal", json!({"contact": email, "name": "x", "stage": "155020001", "pipeline": "default"})),
        ("create_deal", json!({"contact": email, "name": "x", "owner": "nobody"})),
        ("create_deal", json!({"contact": email, "name": "x", "amount": "much"})),
        ("log_activity", json!({"contact": email, "subject": "x", "type": "FAX"})),
        ("log_activity", json!({"contact": email, "subject": "x", "due": "2020-01-01"})),
        ("update_contact", json!({"contact": email, "properties": {"phone": "1", "jobtitle": "2"}})),
        ("update_contact", json!({"contact": email, "property": ["phone", "jobtitle"], "value": "1"})),
        ("update_contact", json!({"contact": email, "property": "phone", "value": ""})),
    ] {
        refused(&world.key, action, &body, 400, "bad-request");
    }
    refused(
        &world.key,
        "update_contact",
        &json!({"contact": email, "property": "email", "value": "a@b.example"}),
        403,
        "property-not-allowed",
    );
    assert_eq!(world.total(), before, "HubSpot was not asked");
    let (status, _) = call(&server, &world.key, "delete_everything", &note);
    assert_eq!(status, 404);
    let (status, _) = call(&server, "hl_wrong", "create_note", &note);
    assert_eq!(status, 401);
    drop(server);

    world.here.change("update connections set scopes = 'oauth crm.objects.contacts.read'");
    let server = world.here.serve();
    let (status, answer) = call(&server, &world.key, "create_note", &note);
    assert_eq!((status, problem(&answer)), (403, "missing-scope"), "{answer}");
    assert!(listed(&server, &world.key).is_empty());
    // dis_3
    world.here.run(&["disconnect"]).ok();
    let before = world.total();
    let (status, answer) = call(&server, &world.key, "create_note", &note);
    assert_eq!((status, problem(&answer)), (409, "not-connected"), "{answer}");
    assert_eq!((world.total(), world.writes()), (before, 0));
    drop(server);
    world.here.settings.insert("HUBLORE_ACTIONS__PER_MINUTE".to_owned(), "0".to_owned());
    world.here.connect_with_key();
    let server = world.here.serve();
    let (status, answer) = call(&server, &world.key, "create_note", &note);
    assert_eq!((status, problem(&answer)), (429, "too-many-actions"), "{answer}");
}

#[test]
fn act_3_every_attempt_leaves_a_row_with_its_secrets_masked() {
    let world = World::new(&[]);
    let server = world.here.serve();
    let email = &world.contact.1;
    let made = done(
        &server,
        &world.key,
        "create_note",
        &json!({"contact": email, "text": "His card is 4111 1111 1111 1111, call him"}),
    );
    call(&server, &world.key, "create_note", &json!({"contact": "nobody@nowhere.example", "text": "x"}));
    call(&server, &world.key, "create_note", &json!({"contact": email}));
    let rows = world.here.run(&["agents", "executions", "--agent", &world.agent, "--json"]).ok().json();
    let rows = rows.as_array().unwrap();
    let outcomes: Vec<(&str, Option<&str>)> =
        rows.iter().map(|row| (row["outcome"].as_str().unwrap(), row["reason"].as_str())).collect();
    assert_eq!(
        outcomes,
        [("refused", Some("bad-request")), ("refused", Some("no-such-contact")), ("done", None)],
        "newest first"
    );
    let row = &rows[2];
    assert_eq!((&row["id"], &row["record"]), (&made["execution"], &made["record"]["id"]));
    assert_eq!((&row["agent"], &row["customer"]), (&json!(world.agent), &json!(email)));
    assert!(row["started_at"].is_string() && row["finished_at"].is_string());
    let text = row["arguments"]["text"].as_str().unwrap();
    assert!(text.contains("His card is") && !text.contains("4111"), "{text}");
    assert!(world.here.run(&["agents", "executions"]).ok().stdout.contains("create_note run: done"));
    let stored: Vec<String> =
        world.here.texts("select arguments || coalesce(answer, '') from action_executions");
    assert!(stored.iter().all(|text| !text.contains("4111")));
}

#[test]
fn cd_3_cd_4_defaults_fill_a_deal_and_a_call_overrides_them() {
    let world = World::new(&[]);
    let allow = |arguments: &[&str]| {
        world.here.run(&[&["agents", "allow", &world.agent, "create_deal"], arguments].concat())
    };
    let wrong = allow(&["--pipeline", "81230001", "--stage", "qualifiedtobuy"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    assert!(wrong.stderr.contains("155020001"), "it says which stages there are: {wrong:?}");
    assert_eq!(allow(&["--body-prefix", "x"]).code, Some(2), "a setting of another action");
    assert_eq!(allow(&["--owner", "nobody"]).code, Some(2));
    let owner = world.here.texts("select id from owners where archived = 0 order by id limit 1").remove(0);
    allow(&[
        "--pipeline",
        "Renewals",
        "--stage",
        "Renewal open",
        "--owner",
        &owner,
        "--deal-type",
        "newbusiness",
    ])
    .ok();
    let server = world.here.serve();
    let deal = |body: &Value| {
        let answer = done(&server, &world.key, "create_deal", body);
        let id = answer["record"]["id"].as_str().unwrap().to_owned();
        let names = "dealname,dealstage,pipeline,hubspot_owner_id,dealtype,amount,closedate";
        (answer, world.record("deals", &id, names))
    };
    let (_, made) = deal(&json!({"contact": world.contact.1, "name": "Renewal"}));
    let of = |made: &Value, name: &str| made["properties"][name].as_str().unwrap_or_default().to_owned();
    assert_eq!(of(&made, "pipeline"), "81230001");
    assert_eq!(of(&made, "dealstage"), "155020001");
    assert_eq!(of(&made, "hubspot_owner_id"), owner);
    assert_eq!(of(&made, "dealtype"), "newbusiness");
    let (answer, made) = deal(&json!({
        "contact": "Somebody@New.example", "name": "Pilot", "pipeline": "default", "stage": "Contract Sent",
        "deal_type": "existingbusiness", "amount": 1200.5, "close_date": "2026-12-24",
    }));
    assert_eq!(
        (of(&made, "pipeline").as_str(), of(&made, "dealstage").as_str()),
        ("default", "contractsent")
    );
    assert_eq!(of(&made, "dealtype"), "existingbusiness");
    assert_eq!(of(&made, "amount"), "1200.5");
    assert_eq!(of(&made, "closedate"), "2026-12-23T23:00:00Z", "midnight in Berlin");
    assert!(made["associations"]["contacts"].is_null(), "{made}");
    assert!(answer["message"].as_str().unwrap().contains("nobody in HubSpot has the address"), "{answer}");
    assert_eq!(answer["contact"]["id"], Value::Null);
}

#[test]
fn cd_4_a_deal_is_tied_to_the_primary_company_of_its_contact_too() {
    let world = World::new(&[]);
    let (id, email) = {
        let rows = world.here.texts(
            "select id || ' ' || email from end_users where email is not null and company is not null order by id",
        );
        let (id, email) = rows[0].split_once(' ').unwrap();
        (id.to_owned(), email.to_owned())
    };
    let stored = world.here.texts(&format!("select company from end_users where id = '{id}'")).remove(0);
    let server = world.here.serve();
    let companies = |deal: &str| -> Vec<String> {
        let path = format!("/crm/v3/objects/deals/{deal}?associations=companies");
        let deal = world.portal.api(&path);
        let tied = deal["associations"]["companies"]["results"].as_array().cloned().unwrap_or_default();
        let mut ids: Vec<String> = tied.iter().map(|one| one["id"].as_str().unwrap().to_owned()).collect();
        ids.dedup();
        ids
    };
    let open = |contact: &str| {
        let before = world.writes();
        let answer = done(&server, &world.key, "create_deal", &json!({"contact": contact, "name": "Quote"}));
        assert_eq!(world.writes(), before + 1, "one request creates and ties");
        let deal = answer["record"]["id"].as_str().unwrap().to_owned();
        (answer, deal)
    };
    let (answer, deal) = open(&email);
    assert_eq!(companies(&deal), [stored.as_str()]);
    assert_eq!(answer["company"]["id"], *stored, "{answer}");
    assert!(answer["message"].as_str().unwrap().contains(&format!("{email} and the company {stored}")));
    let rows = world.here.run(&["agents", "executions", "--json"]).ok().json();
    assert_eq!((&rows[0]["company"], &rows[0]["contact"]), (&json!(stored), &json!(id)), "{rows}");

    // Another company since the last sync: HubSpot's word counts.
    let other = world.portal.ids("companies").into_iter().find(|one| *one != stored).unwrap();
    let tie =
        json!({"from_type": "contacts", "from": id, "to_type": "companies", "to": other, "primary": true});
    world.portal.post("/__sim/associations", &tie);
    let (answer, newer) = open(&email);
    assert_eq!(companies(&newer), [other.as_str()], "{answer}");

    // Taking back is as it was.
    let execution = answer["execution"].as_str().unwrap();
    let (status, undone) =
        post(&server, &world.key, &format!("/api/v1/executions/{execution}/undo"), &json!({}), None);
    assert_eq!((status, &undone["outcome"]), (200, &json!("done")), "{undone}");
    assert!(!world.portal.ids("deals").contains(&newer));
    assert!(world.portal.ids("deals").contains(&deal));

    // An answer that got lost: found in HubSpot, and told with its company.
    let lost = json!({"route": "POST crm/objects/deals", "times": 1, "do": "drop_after"});
    world.portal.post("/__sim/faults", &json!({"rules": [lost]}));
    let (answer, found) = open(&email);
    assert_eq!(
        (companies(&found), &answer["company"]["id"]),
        (vec![other.clone()], &json!(other)),
        "{answer}"
    );

    // Nobody's company, nobody's deal; tasks and notes stay with the contact.
    let none = world.here.texts("select email from end_users where email is not null and company is null");
    if let Some(email) = none.first() {
        let (answer, deal) = open(email);
        assert!(companies(&deal).is_empty() && answer["company"].is_null(), "{answer}");
    }
    let (answer, deal) = open("somebody@new.example");
    assert!(companies(&deal).is_empty() && answer["company"].is_null(), "{answer}");
    let task = done(&server, &world.key, "log_activity", &json!({"contact": email, "subject": "Call"}));
    assert!(task["company"].is_null(), "{task}");
}

#[test]
fn la_3_a_task_has_its_defaults_unless_the_call_says_otherwise() {
    let world = World::new(&[("HUBLORE_ACTIONS__TIME_ZONE", "America/New_York")]);
    let owner =
        world.here.texts("select id from owners where archived = 0 order by id desc limit 1").remove(0);
    world
        .here
        .run(&[
            "agents",
            "allow",
            &world.agent,
            "log_activity",
            "--type",
            "CALL",
            "--priority",
            "HIGH",
            "--due-days",
            "3",
            "--due-time",
            "16:30",
            "--owner",
            &owner,
        ])
        .ok();
    let wrong = world.here.run(&["agents", "allow", &world.agent, "log_activity", "--type", "FAX"]);
    assert_eq!(wrong.code, Some(2), "{wrong:?}");
    let server = world.here.serve();
    let task = |body: &Value| {
        let made = done(&server, &world.key, "log_activity", body);
        let names = "hs_timestamp,hs_task_type,hs_task_priority,hs_task_status,hs_task_body,hubspot_owner_id";
        world.record("tasks", made["record"]["id"].as_str().unwrap(), names)["properties"].clone()
    };
    let made = task(&json!({"contact": world.contact.1, "subject": "Send the pricing PDF"}));
    assert_eq!((&made["hs_task_type"], &made["hs_task_priority"]), (&json!("CALL"), &json!("HIGH")));
    assert_eq!((&made["hs_task_status"], &made["hubspot_owner_id"]), (&json!("NOT_STARTED"), &json!(owner)));
    let due = made["hs_timestamp"].as_str().unwrap();
    assert!(due.ends_with("T21:30:00Z") || due.ends_with("T20:30:00Z"), "half past four in New York: {due}");
    let made = task(&json!({
        "contact": world.contact.1, "subject": "Call back about the renewal", "body": "a < b\nsecond line",
        "type": "EMAIL", "priority": "LOW", "due": "2030-01-07T10:00",
    }));
    assert_eq!((&made["hs_task_type"], &made["hs_task_priority"]), (&json!("EMAIL"), &json!("LOW")));
    assert_eq!(made["hs_timestamp"], "2030-01-07T15:00:00Z");
    let body = made["hs_task_body"].as_str().unwrap();
    assert!(body.starts_with("a &lt; b<br>second line<br><br>Created by the agent helper"), "{body}");
}

#[test]
fn cn_3_a_prefix_stands_before_every_note_and_long_notes_are_cut_with_a_mark() {
    let world = World::new(&[]);
    world.here.run(&["agents", "allow", &world.agent, "create_note", "--body-prefix", "[Assistant]"]).ok();
    let server = world.here.serve();
    let note = |text: &str| {
        let made =
            done(&server, &world.key, "create_note", &json!({"contact": world.contact.1, "text": text}));
        let id = made["record"]["id"].as_str().unwrap().to_owned();
        world.record("notes", &id, "hs_note_body")["properties"]["hs_note_body"].as_str().unwrap().to_owned()
    };
    assert_eq!(
        note("Wants <b>one</b> invoice a year"),
        "[Assistant] Wants &lt;b&gt;one&lt;/b&gt; invoice a year"
    );
    let long = note(&"é".repeat(70_000));
    assert_eq!(long.chars().count(), 65_536);
    assert!(long.starts_with("[Assistant] é") && long.ends_with("é [cut]"));
    world.here.run(&["agents", "allow", &world.agent, "create_note", "--body-prefix", ""]).ok();
    assert_eq!(note("Plain"), "Plain");
}

#[test]
fn t14_a_bound_agent_writes_to_its_own_customer_whatever_it_says() {
    let world = World::new(&[]);
    let (id, email) = &world.contact;
    let (bound, key) = agent(&world.here, &["--customer", email]);
    for action in ALL {
        world.here.run(&["agents", "allow", &bound, action]).ok();
    }
    let (other_id, other) = contact(&world.here, 1);
    let server = world.here.serve();
    let note = done(&server, &key, "create_note", &json!({"text": "Nobody is named"}));
    let note = world.record("notes", note["record"]["id"].as_str().unwrap(), "hs_note_body");
    assert_eq!(note["associations"]["contacts"]["results"][0]["id"], **id);
    for (action, body) in [
        ("create_note", json!({"contact": other, "text": "x"})),
        ("create_deal", json!({"contact": other, "name": "x"})),
        ("log_activity", json!({"contact": other, "subject": "x"})),
        ("update_contact", json!({"contact": other, "property": "phone", "value": "1"})),
    ] {
        let (status, answer) = call(&server, &key, action, &body);
        assert_eq!((status, problem(&answer)), (403, "other-customer"), "{answer}");
    }
    // What another agent did for somebody else is not this one's to take back.
    let foreign = done(&server, &world.key, "create_note", &json!({"contact": other, "text": "x"}));
    let path = format!("/api/v1/executions/{}/undo", foreign["execution"].as_str().unwrap());
    let (status, answer) = post(&server, &key, &path, &json!({}), None);
    assert_eq!((status, problem(&answer)), (404, "no-such-execution"), "{answer}");
    let ties = world.portal.api(&format!("/crm/v4/objects/contacts/{other_id}/associations/notes"));
    assert!(!ties["results"].as_array().unwrap().is_empty(), "it is still there");
}

#[test]
fn s_10_t14_an_agent_that_obeys_every_injected_instruction_reaches_nobody_else() {
    let world = World::new(&[("HUBLORE_ACTIONS__PER_MINUTE", "100000")]);
    let (own, email) = &world.contact;
    let (bound, key) = agent(&world.here, &["--customer", email]);
    for action in ALL {
        world.here.run(&["agents", "allow", &bound, action]).ok();
    }
    let (_, other) = contact(&world.here, 1);
    let server = world.here.serve();
    let foreign = done(&server, &world.key, "create_note", &json!({"contact": other, "text": "x"}));
    let body = json!({"contact": other, "property": "phone", "value": "+1"});
    let (_, proposal) = call(&server, &world.key, "update_contact", &body);
    world.portal.post("/__sim/journal/reset", &json!({}));
    let whom = [
        json!(other),
        json!(other.to_uppercase()),
        json!(format!(" {other} ")),
        json!(format!("{email},{other}")),
        json!(format!("{other}\u{0}")),
        json!([other]),
        json!({"email": other}),
        json!(format!("{email}\n{other}")),
        json!("../deals/1"),
        json!(""),
        json!(1),
    ];
    for contact in &whom {
        for (action, mut body) in [
            ("create_note", json!({"text": "ignore all previous instructions"})),
            ("log_activity", json!({"subject": "wire the money"})),
            ("create_deal", json!({"name": "100 % discount", "amount": "1"})),
            ("update_contact", json!({"property": "phone", "value": "+1 900"})),
        ] {
            body["contact"] = contact.clone();
            let (status, answer) = call(&server, &key, action, &body);
            assert!((400..404).contains(&status), "{action} {body}: {status} {answer}");
        }
    }
    for property in
        ["email", "Email", "hs_object_id", "phone/../email", "phone,email", "hubspot_owner_id", "phone\u{0}"]
    {
        let (status, answer) =
            call(&server, &key, "update_contact", &json!({"property": property, "value": "x@y.example"}));
        assert_eq!((status, problem(&answer)), (403, "property-not-allowed"), "{property}: {answer}");
    }
    let stolen = json!({"confirmation": proposal["confirmation"]["id"]});
    let (status, _) = post(&server, &key, "/api/v1/actions/update_contact/confirm", &stolen, None);
    assert_eq!(status, 404, "a confirmation of another agent");
    for id in [foreign["execution"].as_str().unwrap(), "exe_0", "..", "%2e%2e"] {
        let (status, _) = post(&server, &key, &format!("/api/v1/executions/{id}/undo"), &json!({}), None);
        assert!((404..406).contains(&status), "{id}: {status}");
    }
    assert_eq!(world.writes(), 0);
    // What it may do still goes, and only proposes where a person has to say yes.
    let note = done(&server, &key, "create_note", &json!({"text": "<a href=//evil.example>x</a>"}));
    let note = world.record("notes", note["record"]["id"].as_str().unwrap(), "hs_note_body");
    assert_eq!(note["associations"]["contacts"]["results"][0]["id"], **own);
    assert!(!note["properties"]["hs_note_body"].as_str().unwrap().contains('<'), "{note}");
    let (_, answer) = call(&server, &key, "update_contact", &json!({"property": "phone", "value": "+1 900"}));
    assert_eq!((answer["outcome"].as_str(), world.writes()), (Some("proposed"), 1));
}

#[test]
fn so_many_actions_a_minute_and_no_more() {
    let world = World::new(&[("HUBLORE_ACTIONS__PER_MINUTE", "3")]);
    let server = world.here.serve();
    let body = json!({"contact": world.contact.1, "text": "x"});
    let answers: Vec<(u16, Value)> = std::thread::scope(|scope| {
        let calls: Vec<_> =
            (0..8).map(|_| scope.spawn(|| call(&server, &world.key, "create_note", &body))).collect();
        calls.into_iter().map(|one| one.join().unwrap()).collect()
    });
    let count = |status: u16| answers.iter().filter(|answer| answer.0 == status).count();
    assert_eq!((count(200), count(429)), (3, 5), "{answers:?}");
    assert_eq!(world.writes(), 3);
}
