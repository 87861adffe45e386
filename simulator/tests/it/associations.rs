//! Associations: inline, single and batch tell the same; paging beyond a page; labels.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::Portal;

/// All targets of one record by the single call, page by page.
fn targets(portal: &mut Portal, from: &str, id: &str, to: &str, limit: usize) -> BTreeSet<u64> {
    let mut all = BTreeSet::new();
    let mut after = String::new();
    loop {
        let page =
            portal.got(&format!("/crm/objects/2026-09/{from}/{id}/associations/{to}?limit={limit}{after}"));
        for result in page["results"].as_array().unwrap() {
            assert!(all.insert(result["toObjectId"].as_u64().unwrap()));
        }
        match page["paging"]["next"]["after"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

#[test]
fn a_large_company_needs_paging_everywhere() {
    let mut portal = Portal::of(1_000);
    let company = portal.truth_ids("companies")[0].clone();
    let record = portal.got(&format!("/crm/v3/objects/companies/{company}?associations=contacts"));
    let inline = &record["associations"]["contacts"];
    assert_eq!(inline["results"].as_array().unwrap().len(), 100);
    assert!(inline["paging"]["next"]["after"].is_string());
    let types: BTreeSet<&str> =
        inline["results"].as_array().unwrap().iter().map(|r| r["type"].as_str().unwrap()).collect();
    assert_eq!(types, BTreeSet::from(["company_to_contact", "company_to_contact_unlabeled"]));
    let all = targets(&mut portal, "companies", &company, "contacts", 40);
    assert!(all.len() > 100);
    assert_eq!(all, targets(&mut portal, "0-2", &company, "0-1", 500));
    let batch = portal.posted(
        "/crm/associations/2026-09/companies/contacts/batch/read",
        &json!({"inputs": [{"id": company}]}),
    );
    let batched: BTreeSet<u64> = batch["results"][0]["to"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["toObjectId"].as_u64().unwrap())
        .collect();
    assert_eq!(all, batched);
}

#[test]
fn both_directions_and_the_truth_agree() {
    let mut portal = Portal::of(150);
    for kind in ["emails", "notes", "calls", "meetings", "tasks"] {
        let listed =
            portal.got(&format!("/crm/v3/objects/{kind}?limit=60&associations=contacts,companies,deals"));
        for record in listed["results"].as_array().unwrap() {
            let id = record["id"].as_str().unwrap();
            let truth = portal.got(&format!("/__sim/truth/record?type={kind}&id={id}"));
            for to in ["contacts", "companies", "deals"] {
                let inline = record["associations"][to]["results"].as_array().cloned().unwrap_or_default();
                let inline: BTreeSet<String> =
                    inline.iter().map(|r| r["id"].as_str().unwrap().to_owned()).collect();
                let known: BTreeSet<String> =
                    truth[to].as_array().unwrap().iter().map(|r| r.as_str().unwrap().to_owned()).collect();
                assert_eq!(inline, known, "{kind} {id} {to}");
                for other in &inline {
                    assert!(targets(&mut portal, to, other, kind, 500).contains(&id.parse().unwrap()));
                }
            }
        }
    }
}

#[test]
fn primary_companies_are_labelled_and_missing_ones_reported() {
    let mut portal = Portal::of(120);
    let ids: Vec<Value> = portal.truth_ids("contacts").iter().map(|id| json!({"id": id})).collect();
    let batch = portal.post("/crm/v4/associations/contacts/companies/batch/read", &json!({"inputs": ids}));
    assert_eq!(batch.status, 207);
    let body = batch.json();
    let found = body["results"].as_array().unwrap();
    assert_eq!(found.len() + body["errors"].as_array().unwrap().len(), 120);
    assert_eq!(body["errors"][0]["subCategory"], json!("crm.associations.NO_ASSOCIATIONS_FOUND"));
    let two =
        found.iter().find(|r| r["to"].as_array().unwrap().len() == 2).expect("one contact has two companies");
    let labels: Vec<usize> = two["to"]
        .as_array()
        .unwrap()
        .iter()
        .map(|t| t["associationTypes"].as_array().unwrap().len())
        .collect();
    assert_eq!(labels, [2, 2], "primary with its plain twin, and one with this account's own label");
    let labels = portal.got("/crm/v4/associations/contacts/companies/labels");
    assert_eq!(labels["results"][0], json!({"category": "HUBSPOT_DEFINED", "typeId": 1, "label": "Primary"}));
}

#[test]
fn some_mails_are_nobodys_and_some_are_two_companies() {
    let mut portal = Portal::of(200);
    let mut kinds = BTreeSet::new();
    for id in portal.truth_ids("emails") {
        let truth = portal.got(&format!("/__sim/truth/record?type=emails&id={id}"));
        kinds.insert((
            truth["contacts"].as_array().unwrap().len(),
            truth["companies"].as_array().unwrap().len(),
        ));
    }
    assert!(kinds.contains(&(0, 0)) && kinds.contains(&(2, 2)) && kinds.contains(&(1, 0)), "{kinds:?}");
}

/// The numbers of the types that tie a contact to a company.
fn numbers(portal: &mut Portal, contact: &str, company: &str) -> Vec<u64> {
    let page = portal.got(&format!("/crm/v4/objects/contacts/{contact}/associations/companies"));
    let found =
        page["results"].as_array().unwrap().iter().find(|t| t["toObjectId"].as_u64() == company.parse().ok());
    let types = found.map(|t| t["associationTypes"].as_array().unwrap().clone()).unwrap_or_default();
    types.iter().map(|t| t["typeId"].as_u64().unwrap()).collect()
}

#[test]
fn apps_tie_label_and_untie() {
    let mut portal = Portal::of(60);
    // The fourth contact of every ten has no company.
    let contact = portal.truth_ids("contacts")[3].clone();
    let companies = portal.truth_ids("companies");
    let (a, b) = (companies[4].clone(), companies[5].clone());
    let path = |to: &str| format!("/crm/objects/2026-09/contacts/{contact}/associations/companies/{to}");
    let made = portal.call(
        "PUT",
        &format!("/crm/v4/objects/contacts/{contact}/associations/default/companies/{a}"),
        &Value::Null,
    );
    assert_eq!(made.status, 200, "{}", made.text());
    assert_eq!(made.json()["results"].as_array().unwrap().len(), 2, "both directions");
    assert_eq!(numbers(&mut portal, &contact, &a), [279]);
    let label =
        |number: u32, category: &str| json!([{"associationCategory": category, "associationTypeId": number}]);
    let put = portal.call("PUT", &path(&a), &label(1, "HUBSPOT_DEFINED"));
    assert_eq!((put.status, put.json()["labels"].clone()), (201, json!(["Primary"])));
    let mirrored = format!("/crm/v3/objects/contacts/{contact}?properties=associatedcompanyid");
    assert_eq!(portal.got(&mirrored)["properties"]["associatedcompanyid"], json!(a));
    // Another primary company takes the mark.
    portal.call("PUT", &path(&b), &label(1, "HUBSPOT_DEFINED"));
    portal.call("PUT", &path(&b), &label(91, "USER_DEFINED"));
    assert_eq!(
        (numbers(&mut portal, &contact, &a), numbers(&mut portal, &contact, &b)),
        (vec![279], vec![1, 279, 91])
    );
    assert_eq!(portal.got(&mirrored)["properties"]["associatedcompanyid"], json!(b));
    let back = portal.got(&format!("/crm/v4/objects/companies/{b}/associations/contacts?limit=500"));
    let me =
        back["results"].as_array().unwrap().iter().find(|t| t["toObjectId"].as_u64() == contact.parse().ok());
    assert_eq!(me.unwrap()["associationTypes"].as_array().unwrap().len(), 3);
    let labels =
        json!({"inputs": [{"from": {"id": contact}, "to": {"id": b}, "types": label(91, "USER_DEFINED")}]});
    let batch = "/crm/associations/2026-09/contacts/companies/batch";
    assert_eq!(portal.post(&format!("{batch}/labels/archive"), &labels).status, 204);
    assert_eq!(numbers(&mut portal, &contact, &b), [1, 279]);
    assert_eq!(portal.call("DELETE", &path(&b), &Value::Null).status, 204);
    let both = json!({"inputs": [{"from": {"id": contact}, "to": [{"id": a}, {"id": b}]}]});
    assert_eq!(portal.post(&format!("{batch}/archive"), &both).status, 204);
    assert!(numbers(&mut portal, &contact, &a).is_empty() && numbers(&mut portal, &contact, &b).is_empty());
    let made = json!({"inputs": [
        {"from": {"id": contact}, "to": {"id": a}, "types": label(279, "HUBSPOT_DEFINED")},
        {"from": {"id": contact}, "to": {"id": "1"}, "types": label(279, "HUBSPOT_DEFINED")},
    ]});
    let partly = portal.post(&format!("{batch}/create"), &made);
    assert_eq!((partly.status, partly.json()["results"].as_array().unwrap().len()), (207, 1));
    assert_eq!(portal.call("PUT", &path(&a), &label(202, "HUBSPOT_DEFINED")).status, 400, "a note's number");
}

#[test]
fn version_three_speaks_in_names() {
    let mut portal = Portal::of(60);
    let contact = portal.truth_ids("contacts")[0].clone();
    let inline = portal.got(&format!("/crm/v3/objects/contacts/{contact}?associations=companies,notes"));
    for to in ["companies", "notes"] {
        let single = portal.got(&format!("/crm/v3/objects/contacts/{contact}/associations/{to}"));
        assert_eq!(single["results"], inline["associations"][to]["results"]);
        let batch = portal.posted(
            &format!("/crm/v3/associations/contact/{to}/batch/read"),
            &json!({"inputs": [{"id": contact}]}),
        );
        assert_eq!(batch["results"][0]["to"], single["results"]);
    }
    let note = portal.truth_ids("notes")[9].clone();
    let pair = json!({"inputs": [{"from": {"id": contact}, "to": {"id": note}, "type": "contact_to_note"}]});
    assert_eq!(portal.post("/crm/v3/associations/contacts/notes/batch/create", &pair).status, 201);
    let has = |portal: &mut Portal| {
        let all = portal.got(&format!("/crm/v3/objects/contacts/{contact}/associations/notes"));
        all["results"].as_array().unwrap().iter().any(|t| t["id"] == note.as_str())
    };
    assert!(has(&mut portal));
    assert_eq!(portal.post("/crm/v3/associations/contacts/notes/batch/archive", &pair).status, 204);
    assert!(!has(&mut portal));
}
