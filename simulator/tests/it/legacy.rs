//! The older interfaces tell the same as the newer ones.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::client::Portal;

const KINDS: [(&str, &str); 5] =
    [("EMAIL", "emails"), ("NOTE", "notes"), ("CALL", "calls"), ("MEETING", "meetings"), ("TASK", "tasks")];

fn id_of(engagement: &Value) -> (String, String) {
    let of = &engagement["engagement"];
    (of["type"].as_str().unwrap().to_owned(), of["id"].to_string())
}

fn truth(portal: &mut Portal) -> BTreeSet<(String, String)> {
    let ids = |(name, kind): (&str, &str), portal: &mut Portal| {
        portal.truth_ids(kind).into_iter().map(|id| (name.to_owned(), id)).collect::<Vec<_>>()
    };
    KINDS.into_iter().flat_map(|kind| ids(kind, portal)).collect()
}

/// All engagements from a cursor on, and the cursor they end at.
fn after(portal: &mut Portal, mut cursor: String) -> (Vec<Value>, String) {
    let mut all = Vec::new();
    loop {
        let page =
            portal.got(&format!("/engagements/v1/engagements/modified/after?limit=190&after={cursor}"));
        all.extend(page["results"].as_array().unwrap().iter().cloned());
        cursor = page["after"].as_str().unwrap().to_owned();
        if page["hasMore"] != json!(true) {
            return (all, cursor);
        }
    }
}

#[test]
fn engagements_come_in_one_list_and_go_on_from_a_cursor() {
    let mut portal = Portal::with(hubspot_simulator::Options {
        contacts: 300,
        burst: 500,
        ..hubspot_simulator::Options::default()
    });
    let (all, cursor) = after(&mut portal, "1577836800000".to_owned());
    let seen: BTreeSet<_> = all.iter().map(id_of).collect();
    assert_eq!((seen.len(), seen), (all.len(), truth(&mut portal)));
    let updated: Vec<u64> = all.iter().map(|e| e["engagement"]["lastUpdated"].as_u64().unwrap()).collect();
    assert!(updated.is_sorted());
    assert!(after(&mut portal, cursor.clone()).0.is_empty());
    let note = portal.truth_ids("notes")[3].clone();
    portal.call(
        "PATCH",
        &format!("/__sim/objects/notes/{note}"),
        &json!({"properties": {"hs_note_body": "x"}}),
    );
    let (fresh, _) = after(&mut portal, cursor);
    assert_eq!(fresh.iter().map(id_of).collect::<Vec<_>>(), [("NOTE".to_owned(), note)]);
    assert_eq!(fresh[0]["metadata"]["body"], json!("x"));
    let mut paged = BTreeSet::new();
    let mut offset = json!(0);
    loop {
        let page = portal.got(&format!("/engagements/v1/engagements/paged?limit=250&offset={offset}"));
        paged.extend(page["results"].as_array().unwrap().iter().map(id_of));
        offset = page["offset"].clone();
        if page["hasMore"] != json!(true) {
            break;
        }
    }
    assert_eq!(paged, truth(&mut portal));
    let recent = portal.got("/engagements/v1/engagements/recent/modified?count=5");
    assert_eq!(id_of(&recent["results"][0]), id_of(&fresh[0]));
    let contact = fresh[0]["associations"]["contactIds"][0].clone();
    assert!(contact.is_null() || portal.truth_ids("contacts").contains(&contact.to_string()));
}

#[test]
fn companies_and_deals_page_by_offset() {
    let mut portal = Portal::of(700);
    for (path, list, more, id, kind) in [
        ("companies/v2/companies/paged", "companies", "has-more", "companyId", "companies"),
        ("deals/v1/deal/paged", "deals", "hasMore", "dealId", "deals"),
    ] {
        let (mut ids, mut offset) = (Vec::new(), json!(0));
        loop {
            let page = portal.got(&format!(
                "/{path}?limit=100&properties=hs_lastmodifieddate&properties=createdate&includeAssociations=true&offset={offset}"
            ));
            for record in page[list].as_array().unwrap() {
                assert!(record["properties"]["hs_lastmodifieddate"]["timestamp"].is_i64());
                ids.push(record[id].to_string());
            }
            offset = page["offset"].clone();
            if page[more] != json!(true) {
                break;
            }
        }
        assert_eq!(ids, portal.truth_ids(kind));
    }
    let id = portal.truth_ids("companies")[3].clone();
    let one = portal.got(&format!("/companies/v2/companies/{id}"));
    let new = portal.got(&format!("/crm/v3/objects/companies/{id}?properties=name"));
    assert_eq!(one["properties"]["name"]["value"], new["properties"]["name"]);
    assert!(portal.got("/companies/v2/properties").as_array().unwrap().iter().any(|p| p["name"] == "domain"));
    let recent = portal.got("/deals/v1/deal/recent/modified?count=3");
    assert_eq!(recent["results"].as_array().unwrap().len(), 3);
    assert_eq!(portal.get("/deals/v1/deal/recent/modified?count=100&offset=9999").status, 400);
}

#[test]
fn the_old_list_of_forms_leaves_captured_ones_out() {
    let mut portal = Portal::of(40);
    assert_eq!(portal.got("/forms/v2/forms").as_array().unwrap().len(), 2);
    assert_eq!(portal.got("/forms/v2/forms?formTypes=ALL").as_array().unwrap().len(), 4);
    for empty in ["/automation/v3/workflows", "/email/public/v1/campaigns/by-id", "/crm/v3/schemas"] {
        assert_eq!(portal.get(empty).status, 200, "{empty}");
    }
}
