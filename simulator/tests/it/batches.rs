//! Writing many at once, merging and forgetting by the API, and what properties used to be.

use serde_json::{Value, json};

use crate::client::Portal;

fn note(body: &str) -> Value {
    json!({"properties": {"hs_timestamp": "2026-11-23T09:00:00Z", "hs_note_body": body}})
}

fn ids(answer: &Value) -> Vec<String> {
    crate::client::id_list(answer)
}

#[test]
fn a_batch_creates_changes_and_archives() {
    let mut portal = Portal::of(40);
    let inputs: Vec<Value> = (0..100).map(|n| note(&format!("note {n}"))).collect();
    let made = portal.post("/crm/objects/2026-09/notes/batch/create", &json!({"inputs": inputs}));
    assert_eq!((made.status, made.json()["status"].clone()), (201, json!("COMPLETE")));
    let made = ids(&made.json());
    assert_eq!(made.len(), 100);
    let truth = portal.truth_ids("notes");
    assert!(made.iter().all(|id| truth.contains(id)));
    let change: Vec<Value> =
        made[..3].iter().map(|id| json!({"id": id, "properties": {"hs_note_body": "changed"}})).collect();
    let changed = portal.posted("/crm/v3/objects/notes/batch/update", &json!({"inputs": change}));
    assert!(
        changed["results"].as_array().unwrap().iter().all(|r| r["properties"]["hs_note_body"] == "changed")
    );
    let gone: Vec<Value> = made.iter().map(|id| json!({"id": id})).collect();
    let archived = portal.post("/crm/v3/objects/notes/batch/archive", &json!({"inputs": gone}));
    assert_eq!(archived.status, 204);
    assert_eq!(portal.truth_ids("notes").len(), truth.len() - 100);
    let many: Vec<Value> = (0..101).map(|_| note("x")).collect();
    assert_eq!(portal.post("/crm/v3/objects/notes/batch/create", &json!({"inputs": many})).status, 400);
}

#[test]
fn a_batch_is_all_or_nothing_unless_traced() {
    let mut portal = Portal::of(40);
    let before = portal.truth_ids("notes").len();
    let bad = json!({"properties": {"hs_note_body": "no time"}});
    let refused = portal.post("/crm/v3/objects/notes/batch/create", &json!({"inputs": [note("a"), bad]}));
    assert_eq!((refused.status, refused.json()["errors"][0]["code"].clone()), (400, json!("REQUIRED_FIELD")));
    assert_eq!(portal.truth_ids("notes").len(), before, "nothing of it was done");
    let traced = |mut input: Value, trace: &str| {
        input["objectWriteTraceId"] = json!(trace);
        input
    };
    let partly = portal.post(
        "/crm/v3/objects/notes/batch/create",
        &json!({"inputs": [traced(note("a"), "t1"), traced(bad, "t2")]}),
    );
    let body = partly.json();
    assert_eq!((partly.status, body["numErrors"].clone()), (207, json!(1)));
    assert_eq!(body["errors"][0]["context"]["objectWriteTraceId"], json!(["t2"]));
    assert_eq!(portal.truth_ids("notes").len(), before + 1);
    let id = portal.truth_ids("notes")[0].clone();
    let twice = json!({"inputs": [{"id": id, "properties": {}}, {"id": id, "properties": {}}]});
    assert_eq!(portal.post("/crm/v3/objects/notes/batch/update", &twice).status, 400);
    let missing = portal
        .post("/crm/v3/objects/notes/batch/update", &json!({"inputs": [{"id": "1", "properties": {}}]}));
    assert_eq!((missing.status, missing.json()["errors"][0]["context"]["ids"].clone()), (207, json!(["1"])));
}

#[test]
fn upserts_find_contacts_by_address() {
    let mut portal = Portal::of(40);
    let known = portal.got("/crm/v3/objects/contacts?limit=1&properties=email")["results"][0].clone();
    let mail = known["properties"]["email"].clone();
    let input =
        |mail: &Value| json!({"idProperty": "email", "id": mail, "properties": {"jobtitle": "Buyer"}});
    let done = portal.posted(
        "/crm/v3/objects/contacts/batch/upsert",
        &json!({"inputs": [input(&mail), input(&json!("new@firm.example"))]}),
    );
    let results = done["results"].as_array().unwrap();
    assert_eq!((results[0]["new"].clone(), results[0]["id"].clone()), (json!(false), known["id"].clone()));
    assert_eq!(
        (results[1]["new"].clone(), results[1]["properties"]["email"].clone()),
        (json!(true), json!("new@firm.example"))
    );
    let twice = json!({"inputs": [input(&json!("n2@firm.example")), input(&json!("N2@firm.example"))]});
    assert_eq!(portal.post("/crm/v3/objects/contacts/batch/upsert", &twice).status, 409);
    let odd = json!({"inputs": [{"idProperty": "jobtitle", "id": "x", "properties": {}}]});
    assert_eq!(portal.post("/crm/v3/objects/contacts/batch/upsert", &odd).status, 400);
}

#[test]
fn apps_merge_and_forget() {
    let mut portal = Portal::of(40);
    let contacts = portal.truth_ids("contacts");
    let merged = portal.posted(
        "/crm/objects/2026-09/contacts/merge",
        &json!({"primaryObjectId": contacts[0], "objectIdToMerge": contacts[1]}),
    );
    let new = merged["id"].as_str().unwrap().to_owned();
    assert!(!contacts.contains(&new));
    for old in &contacts[..2] {
        assert_eq!(portal.got(&format!("/crm/v3/objects/contacts/{old}"))["id"], json!(new));
    }
    let oneself = json!({"primaryObjectId": new, "objectIdToMerge": contacts[0]});
    assert_eq!(portal.post("/crm/objects/2026-09/contacts/merge", &oneself).status, 400);
    let forget = json!({"objectId": new});
    assert_eq!(portal.post("/crm/v3/objects/contacts/gdpr-delete", &forget).status, 204);
    for id in [&contacts[0], &new] {
        assert_eq!(portal.get(&format!("/crm/v3/objects/contacts/{id}")).status, 404);
    }
    let mail =
        portal.got(&format!("/crm/v3/objects/contacts/{}", contacts[2]))["properties"]["email"].clone();
    let by_mail = json!({"objectId": mail, "idProperty": "email"});
    assert_eq!(portal.post("/crm/v3/objects/contacts/gdpr-delete", &by_mail).status, 204);
    assert!(!portal.truth_ids("contacts").contains(&contacts[2]));
}

#[test]
fn history_shows_every_value_newest_first() {
    let mut portal = Portal::of(120);
    let id = portal.truth_ids("contacts")[2].clone();
    let path = format!("/crm/v3/objects/contacts/{id}");
    let first = portal.got(&format!("{path}?properties=city"))["properties"]["city"].clone();
    for city in ["Ulm", "Bonn", ""] {
        portal.call("PATCH", &path, &json!({"properties": {"city": city}}));
    }
    let shown = portal.got(&format!("{path}?propertiesWithHistory=city,lifecyclestage"));
    let past = shown["propertiesWithHistory"]["city"].as_array().unwrap().clone();
    let values: Vec<&str> = past.iter().map(|v| v["value"].as_str().unwrap()).collect();
    assert_eq!(values[..3], ["", "Bonn", "Ulm"]);
    assert_eq!(values.get(3).copied(), first.as_str());
    assert!(past.windows(2).all(|w| w[0]["timestamp"].as_str() >= w[1]["timestamp"].as_str()));
    assert!(past.iter().all(|v| v["sourceType"].is_string()));
    assert!(shown["properties"].get("city").is_some(), "also among the properties");
    // A page with history is half as long.
    assert_eq!(portal.get("/crm/v3/objects/contacts?limit=51&propertiesWithHistory=city").status, 400);
    let page = portal.got("/crm/v3/objects/contacts?limit=50&propertiesWithHistory=lifecyclestage");
    let stages = |r: &Value| r["propertiesWithHistory"]["lifecyclestage"].as_array().unwrap().len();
    assert!(page["results"].as_array().unwrap().iter().any(|r| stages(r) > 1), "somebody has moved on");
    let batch = portal.posted(
        "/crm/v3/objects/contacts/batch/read",
        &json!({"inputs": [{"id": id}], "properties": [], "propertiesWithHistory": ["city"]}),
    );
    assert_eq!(batch["results"][0]["propertiesWithHistory"]["city"], shown["propertiesWithHistory"]["city"]);
    portal.posted("/__sim/privacy-delete", &json!({"id": id}));
    let mails = portal.got("/crm/v3/objects/emails?limit=50&propertiesWithHistory=hs_email_html,hs_gdpr_deleted&properties=hs_gdpr_deleted");
    let forgotten = |r: &&Value| r["properties"]["hs_gdpr_deleted"] == "true";
    for mail in mails["results"].as_array().unwrap().iter().filter(forgotten) {
        assert_eq!(mail["propertiesWithHistory"]["hs_email_html"], json!([]), "history is forgotten too");
    }
}
