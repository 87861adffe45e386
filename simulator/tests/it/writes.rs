//! Writes of an app: created records are complete and readable, wrong ones refused by name.

use serde_json::{Value, json};

use crate::client::{Answer, Portal};

fn code_of(answer: &Answer) -> (u16, String) {
    (answer.status, answer.json()["errors"][0]["code"].as_str().unwrap_or_default().to_owned())
}

#[test]
fn notes_tasks_and_deals_are_created_with_their_associations() {
    let mut portal = Portal::of(40);
    let contact = portal.truth_ids("contacts")[2].clone();
    let company = portal.truth_ids("companies")[2].clone();
    let link = |id: &str, number: u32| json!({"to": {"id": id}, "types": [{"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number}]});
    let note = portal.post(
        "/crm/objects/2026-09/notes",
        &json!({
            "properties": {"hs_timestamp": "2026-11-23T09:00:00Z", "hs_note_body": "<p>From an agent</p>"},
            "associations": [link(&contact, 202)],
        }),
    );
    assert_eq!(note.status, 201, "{}", note.text());
    let id = note.json()["id"].as_str().unwrap().to_owned();
    let back = portal.got(&format!("/crm/v4/objects/contacts/{contact}/associations/notes"));
    assert!(back["results"].as_array().unwrap().iter().any(|t| t["toObjectId"].as_u64() == id.parse().ok()));
    let deal = portal.post("/crm/objects/2026-09/deals", &json!({
        "properties": {"dealname": "Agent deal", "dealstage": "qualifiedtobuy", "pipeline": "default", "amount": 1200},
        "associations": [link(&contact, 3), link(&company, 5)],
    })).json();
    assert_eq!(deal["properties"]["amount"], json!("1200"));
    let shown = portal.got(&format!(
        "/crm/v3/objects/deals/{}?associations=companies,contacts",
        deal["id"].as_str().unwrap()
    ));
    assert_eq!(
        shown["associations"]["companies"]["results"].as_array().unwrap().len(),
        2,
        "primary and plain"
    );
    let wrong = portal.post(
        "/crm/v3/objects/notes",
        &json!({"properties": {"hs_timestamp": "1795424400000"}, "associations": [link(&contact, 204)]}),
    );
    assert_eq!(wrong.status, 400);
    assert_eq!(portal.list_ids("/crm/v3/objects/notes", 100), portal.truth_ids("notes"));
}

#[test]
fn bad_values_are_refused_by_name() {
    let mut portal = Portal::of(40);
    let id = portal.truth_ids("contacts")[2].clone();
    let mut patch = |properties: Value| {
        portal.call("PATCH", &format!("/crm/v3/objects/contacts/{id}"), &json!({"properties": properties}))
    };
    assert_eq!(code_of(&patch(json!({"invented": "x"}))), (400, "PROPERTY_DOESNT_EXIST".to_owned()));
    assert_eq!(code_of(&patch(json!({"hs_lead_status": "NOPE"}))), (400, "INVALID_OPTION".to_owned()));
    assert_eq!(code_of(&patch(json!({"annualrevenue": "much"}))), (400, "INVALID_LONG".to_owned()));
    assert_eq!(code_of(&patch(json!({"email": "no address"}))), (400, "INVALID_EMAIL".to_owned()));
    assert_eq!(code_of(&patch(json!({"hs_object_id": "7"}))), (400, "READ_ONLY_VALUE".to_owned()));
    let cleared = patch(json!({"jobtitle": "", "city": "Ulm"})).json();
    assert_eq!(
        (cleared["properties"]["jobtitle"].clone(), cleared["properties"]["city"].clone()),
        (Value::Null, json!("Ulm"))
    );
    let deal = portal
        .post("/crm/v3/objects/deals", &json!({"properties": {"dealname": "x", "dealstage": "155020001"}}));
    assert_eq!(code_of(&deal), (400, "INVALID_OPTION".to_owned()), "the stage is of another pipeline");
    let task = portal.post("/crm/v3/objects/tasks", &json!({"properties": {"hs_task_subject": "x"}}));
    assert_eq!(code_of(&task), (400, "REQUIRED_FIELD".to_owned()));
}

#[test]
fn duplicates_conflict_and_stages_move_forward_only() {
    let mut portal = Portal::of(40);
    let first = portal.got("/crm/v3/objects/contacts?limit=1&properties=email");
    let (id, mail) = (
        first["results"][0]["id"].as_str().unwrap().to_owned(),
        first["results"][0]["properties"]["email"].clone(),
    );
    let conflict = portal.post("/crm/v3/objects/contacts", &json!({"properties": {"email": mail}}));
    assert_eq!(conflict.status, 409);
    assert_eq!(conflict.json()["message"], json!(format!("Contact already exists. Existing ID: {id}")));
    let mut stage = |value: &str| {
        portal.call(
            "PATCH",
            &format!("/crm/v3/objects/contacts/{id}"),
            &json!({"properties": {"lifecyclestage": value}}),
        )
    };
    assert_eq!(stage("customer").status, 200);
    assert_eq!(stage("lead").status, 200, "accepted but unchanged");
    let now = |portal: &mut Portal| {
        portal.got(&format!("/crm/v3/objects/contacts/{id}?properties=lifecyclestage"))["properties"]["lifecyclestage"].clone()
    };
    assert_eq!(now(&mut portal), json!("customer"));
    for value in ["", "lead"] {
        portal.call(
            "PATCH",
            &format!("/crm/v3/objects/contacts/{id}"),
            &json!({"properties": {"lifecyclestage": value}}),
        );
    }
    assert_eq!(now(&mut portal), json!("lead"));
    assert_eq!(portal.call("PATCH", "/crm/v3/objects/contacts/1", &json!({"properties": {}})).status, 404);
}
