//! What people do in HubSpot shows on every side: deletion, restoration, merging, privacy.

use serde_json::{Value, json};

use crate::client::Portal;

#[test]
fn deleted_records_lie_in_the_bin_and_come_back() {
    let mut portal = Portal::of(60);
    let id = portal.truth_ids("notes")[3].clone();
    let before = portal.got(&format!("/crm/v3/objects/notes/{id}"))["updatedAt"].clone();
    assert_eq!(portal.call("DELETE", &format!("/__sim/objects/notes/{id}"), &Value::Null).status, 204);
    assert_eq!(portal.get(&format!("/crm/v3/objects/notes/{id}")).status, 404);
    assert!(!portal.list_ids("/crm/v3/objects/notes", 100).contains(&id));
    let bin = portal.got("/crm/v3/objects/notes?archived=true");
    assert_eq!(
        (bin["results"][0]["id"].clone(), bin["results"][0]["archived"].clone()),
        (json!(id), json!(true))
    );
    assert!(bin["results"][0]["archivedAt"].is_string());
    assert_eq!(bin["results"][0]["updatedAt"], before, "deleting is no modification");
    let batch =
        portal.post("/crm/v3/objects/notes/batch/read", &json!({"inputs": [{"id": id}], "properties": []}));
    assert_eq!((batch.status, batch.json()["errors"][0]["context"]["ids"][0].clone()), (207, json!(id)));
    portal.posted(&format!("/__sim/objects/notes/{id}/restore"), &Value::Null);
    portal.got(&format!("/crm/v3/objects/notes/{id}"));
    assert!(portal.list_ids("/crm/v3/objects/notes?archived=true", 100).is_empty());
    portal.call("DELETE", &format!("/__sim/objects/notes/{id}"), &Value::Null);
    portal.posted("/__sim/clock/advance", &json!({"ms": 90 * 86_400_000_i64}));
    assert!(
        portal.list_ids("/crm/v3/objects/notes?archived=true", 100).is_empty(),
        "the bin is emptied after 90 days"
    );
}

#[test]
fn deleted_mails_are_gone_at_once() {
    let mut portal = Portal::of(60);
    let id = portal.truth_ids("emails")[3].clone();
    portal.call("DELETE", &format!("/crm/v3/objects/emails/{id}"), &Value::Null);
    assert!(portal.list_ids("/crm/v3/objects/emails?archived=true", 100).is_empty());
    assert_eq!(portal.get(&format!("/crm/v3/objects/emails/{id}?archived=true")).status, 404);
    assert!(!portal.truth_ids("emails").contains(&id));
}

#[test]
fn merged_contacts_become_a_new_one_with_both_histories() {
    let mut portal = Portal::of(60);
    let ids = portal.truth_ids("contacts");
    let (a, b) = (ids[4].clone(), ids[9].clone());
    let history = |portal: &mut Portal, id: &str| {
        let page = portal.got(&format!("/crm/v4/objects/contacts/{id}/associations/emails"));
        page["results"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["toObjectId"].as_u64().unwrap())
            .collect::<Vec<_>>()
    };
    let mail = |portal: &mut Portal, id: &str| {
        portal.got(&format!("/crm/v3/objects/contacts/{id}"))["properties"]["email"]
            .as_str()
            .unwrap()
            .to_owned()
    };
    let (mut both, mails) = (history(&mut portal, &a), [mail(&mut portal, &a), mail(&mut portal, &b)]);
    both.extend(history(&mut portal, &b));
    both.sort_unstable();
    both.dedup();
    let new =
        portal.posted("/__sim/merge", &json!({"primary": a, "merged": b}))["id"].as_str().unwrap().to_owned();
    assert!(new != a && new != b);
    for old in [&a, &b] {
        let found = portal.got(&format!(
            "/crm/v3/objects/contacts/{old}?properties=hs_merged_object_ids,hs_additional_emails,email"
        ));
        assert_eq!(found["id"], json!(new), "an old id leads to the new record");
        assert_eq!(found["properties"]["hs_merged_object_ids"], json!(format!("{a};{b}")));
        assert_eq!(found["properties"]["hs_additional_emails"], json!(mails[1]));
    }
    for mail in &mails {
        assert_eq!(
            portal.got(&format!("/crm/v3/objects/contacts/{mail}?idProperty=email"))["id"],
            json!(new)
        );
    }
    assert_eq!(history(&mut portal, &new), both);
    let one = both[0];
    let back = portal.got(&format!("/crm/v3/objects/emails/{one}?associations=contacts"));
    assert_eq!(back["associations"]["contacts"]["results"][0]["id"], json!(new));
    let batch =
        portal.posted("/crm/v3/objects/contacts/batch/read", &json!({"inputs": [{"id": a}, {"id": b}]}));
    assert_eq!(batch["results"].as_array().unwrap().len(), 1);
    assert_eq!(portal.truth_ids("contacts").len(), 59);
    assert_eq!(portal.list_ids("/crm/v3/objects/contacts", 100), portal.truth_ids("contacts"));
}

#[test]
fn privacy_deletion_empties_what_was_written() {
    let mut portal = Portal::of(60);
    let id = portal.truth_ids("contacts")[0].clone();
    let notes = portal.got(&format!("/crm/v4/objects/contacts/{id}/associations/notes"));
    let note = notes["results"][0]["toObjectId"].as_u64().unwrap();
    portal.posted("/__sim/privacy-delete", &json!({"id": id}));
    assert_eq!(portal.get(&format!("/crm/v3/objects/contacts/{id}")).status, 404);
    assert!(portal.list_ids("/crm/v3/objects/contacts?archived=true", 100).is_empty());
    let emptied =
        portal.got(&format!("/crm/v3/objects/notes/{note}?properties=hs_note_body,hs_gdpr_deleted"));
    assert!(emptied["properties"]["hs_note_body"].is_null());
    assert_eq!(emptied["properties"]["hs_gdpr_deleted"], json!("true"));
}

#[test]
fn what_is_added_later_is_in_list_truth_and_associations() {
    let mut portal = Portal::of(60);
    let contact = portal.truth_ids("contacts")[7].clone();
    let made = portal.posted(
        "/__sim/objects/notes",
        &json!({"count": 3, "associations": {"contacts": [contact]}, "associate_after_ms": 5_000}),
    );
    let id = made["ids"][2].as_str().unwrap().to_owned();
    let truth = portal.got(&format!("/__sim/truth/record?type=notes&id={id}"));
    let word = truth["unique_word"].as_str().unwrap();
    let note =
        portal.got(&format!("/crm/v3/objects/notes/{id}?properties=hs_note_body&associations=contacts"));
    assert!(note["properties"]["hs_note_body"].as_str().unwrap().contains(word));
    assert!(note.get("associations").is_none(), "associations come late");
    portal.posted("/__sim/clock/advance", &json!({"ms": 5_001}));
    let note = portal.got(&format!("/crm/v3/objects/notes/{id}?associations=contacts"));
    assert_eq!(note["associations"]["contacts"]["results"][0]["id"], json!(contact));
    assert_eq!(portal.list_ids("/crm/v3/objects/notes", 100), portal.truth_ids("notes"));
    let submission = portal.posted(
        "/__sim/objects/form_submissions",
        &json!({"form": 2, "properties": {"email": "who@unknown.example"}}),
    );
    assert!(portal.truth_ids("form_submissions").contains(&submission["id"].as_str().unwrap().to_owned()));
    let forms = portal.got("/marketing/v3/forms?formTypes=captured");
    let guid = forms["results"][0]["id"].as_str().unwrap();
    let newest = portal.got(&format!("/form-integrations/v1/submissions/forms/{guid}?limit=1"));
    assert_eq!(newest["results"][0]["conversionId"], submission["id"]);
}

#[test]
fn owners_pipelines_and_properties_describe_the_portal() {
    let mut portal = Portal::of(30);
    let here = portal.got("/crm/owners/2026-09?limit=5");
    assert_eq!(here["results"].as_array().unwrap().len(), 5);
    let mut owners = portal.list_ids("/crm/v3/owners", 5);
    assert_eq!(owners.len(), 9);
    owners.extend(portal.list_ids("/crm/v3/owners?archived=true", 100));
    assert_eq!(owners.len(), 12);
    let contacts = portal.got("/crm/v3/objects/contacts?limit=30&properties=hubspot_owner_id");
    for contact in contacts["results"].as_array().unwrap() {
        let owner = &contact["properties"]["hubspot_owner_id"];
        assert!(owner.is_null() || owners.contains(&owner.as_str().unwrap().to_owned()));
    }
    let stages: Vec<String> = portal.got("/crm/pipelines/2026-09/deals")["results"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|p| {
            p["stages"]
                .as_array()
                .unwrap()
                .iter()
                .map(|s| s["id"].as_str().unwrap().to_owned())
                .collect::<Vec<_>>()
        })
        .collect();
    let deals = portal.got("/crm/v3/objects/0-3?limit=10");
    for deal in deals["results"].as_array().unwrap() {
        assert!(stages.contains(&deal["properties"]["dealstage"].as_str().unwrap().to_owned()));
    }
    let names = portal.got("/crm/properties/2026-09/contacts");
    assert!(
        names["results"]
            .as_array()
            .unwrap()
            .iter()
            .any(|p| p["name"] == json!("lifecyclestage") && !p["options"].as_array().unwrap().is_empty())
    );
}

#[test]
fn types_without_records_are_empty_and_not_unknown() {
    let mut portal = Portal::of(30);
    let id = portal.truth_ids("contacts")[0].clone();
    for name in ["tickets", "0-5", "communications", "leads"] {
        assert_eq!(portal.got(&format!("/crm/v3/objects/{name}"))["results"], json!([]));
        assert_eq!(portal.posted(&format!("/crm/v3/objects/{name}/search"), &Value::Null)["total"], json!(0));
        assert!(!portal.got(&format!("/crm/v3/properties/{name}"))["results"].as_array().unwrap().is_empty());
        assert_eq!(
            portal.got(&format!("/crm/v4/objects/contacts/{id}/associations/{name}"))["results"],
            json!([])
        );
    }
    assert_eq!(portal.get("/crm/v3/objects/invented").status, 400);
    portal.got("/crm/v3/objects/contacts?associations=tickets,companies");
}
