//! Reading lists to their end gives exactly the truth, at every page size and in both spellings.

use std::collections::HashSet;
use std::time::Instant;

use hubspot_simulator::Options;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::client::Portal;

const KINDS: [&str; 8] = ["contacts", "companies", "deals", "emails", "notes", "calls", "meetings", "tasks"];

#[test]
fn lists_end_with_exactly_the_truth() {
    let mut portal = Portal::of(250);
    let truth = portal.got("/__sim/truth");
    for kind in KINDS {
        for (path, limit) in [("/crm/objects/2026-09", 100), ("/crm/v3/objects", 37)] {
            let ids = portal.list_ids(&format!("{path}/{kind}"), limit);
            let numbers: Vec<u64> = ids.iter().map(|id| id.parse().unwrap()).collect();
            assert!(numbers.is_sorted(), "{kind}");
            assert_eq!(truth["types"][kind]["count"], json!(ids.len()), "{kind}");
            let mut hash = Sha256::new();
            ids.iter().for_each(|id| hash.update(format!("{id}\n")));
            let hex: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
            assert_eq!(truth["types"][kind]["ids_sha256"], json!(hex), "{kind}");
            assert_eq!(portal.truth_ids(kind), ids);
        }
    }
}

#[test]
fn submissions_of_all_forms_are_the_truth_newest_first() {
    let mut portal = Portal::of(250);
    assert_eq!(portal.got("/marketing/v3/forms")["results"].as_array().unwrap().len(), 2);
    let forms = portal.got("/marketing/v3/forms?formTypes=hubspot,captured,flow");
    assert_eq!(portal.get("/marketing/v3/forms?formTypes=blog_comment").status, 400);
    let mut all = Vec::new();
    for form in forms["results"].as_array().unwrap() {
        let path = format!("/form-integrations/v1/submissions/forms/{}", form["id"].as_str().unwrap());
        assert_eq!(portal.got(&path)["results"].as_array().unwrap().len(), 20);
        assert_eq!(portal.get(&format!("{path}?limit=51")).status, 400);
        let (mut after, mut last) = (String::new(), u64::MAX);
        loop {
            let page = portal.got(&format!("{path}?limit=50{after}"));
            for result in page["results"].as_array().unwrap() {
                let at = result["submittedAt"].as_u64().unwrap();
                assert!(at <= last);
                last = at;
                all.push(result["conversionId"].as_str().unwrap().to_owned());
            }
            match page["paging"]["next"]["after"].as_str() {
                Some(next) => after = format!("&after={next}"),
                None => break,
            }
        }
    }
    all.sort_unstable();
    assert_eq!(all, portal.truth_ids("form_submissions"));
}

#[test]
fn page_sizes_and_unset_properties_are_hubspots() {
    let mut portal = Portal::of(200);
    let count = |portal: &mut Portal, path: &str| portal.got(path)["results"].as_array().unwrap().len();
    assert_eq!(count(&mut portal, "/crm/v3/objects/contacts"), 10);
    assert_eq!(portal.get("/crm/v3/objects/contacts?limit=101").status, 400);
    assert_eq!(portal.get("/crm/v3/objects/contacts?limit=0").status, 400);
    assert_eq!(portal.get("/crm/v3/objects/contacts?limit=51&propertiesWithHistory=email").status, 400);
    let page = portal.got("/crm/v3/objects/contacts?limit=1&properties=email,fax&properties=invented");
    let properties = page["results"][0]["properties"].as_object().unwrap();
    let names: HashSet<&str> = properties.keys().map(String::as_str).collect();
    assert_eq!(names, HashSet::from(["email", "fax", "createdate", "lastmodifieddate", "hs_object_id"]));
    assert!(properties["fax"].is_null());
    let link = page["paging"]["next"]["link"].as_str().unwrap();
    assert!(!link.contains("/crm/v3/"), "a stale link: {link}");
    assert_eq!(portal.got("/crm/objects/2026-03/0-1?limit=1&properties=email,fax"), {
        let mut page = page.clone();
        page["paging"]["next"]["link"] = json!(link.replace("crm/objects/2025-09", "crm/v3/objects"));
        page
    });
    assert_eq!(
        portal.get(&format!("/crm/v3/objects/contacts?properties={}", "x,".repeat(9_000))).status,
        414
    );
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_does_not() {
    let page = |seed| {
        let mut portal = Portal::with(Options { seed, contacts: 300, ..Options::default() });
        portal.get("/crm/v3/objects/emails?limit=50&properties=hs_email_html,hs_email_text&associations=contacts,companies,deals").text()
    };
    assert_eq!(page(5), page(5));
    assert_ne!(page(5), page(6));
}

#[test]
fn five_million_contacts_start_like_a_thousand() {
    let started = Instant::now();
    let mut portal = Portal::of(5_000_000);
    let page = portal.got(
        "/crm/v3/objects/emails?limit=100&after=999990000000&properties=hs_email_html&associations=contacts",
    );
    assert!(page["results"].as_array().unwrap().is_empty());
    let first = portal.got("/crm/v3/objects/contacts?limit=1&associations=companies,emails");
    let id = first["results"][0]["id"].as_str().unwrap().to_owned();
    assert_eq!(portal.got(&format!("/crm/v3/objects/contacts/{id}"))["id"], json!(id));
    let query = json!({"filterGroups": [{"filters": [{"propertyName": "lastmodifieddate", "operator": "GTE", "value": "1700000000000"}]}], "sorts": ["lastmodifieddate"]});
    assert_eq!(portal.posted("/crm/v3/objects/contacts/search", &query)["total"], json!(5_000_000));
    assert!(started.elapsed().as_secs() < 5, "{:?}", started.elapsed());
}

#[test]
fn it_refuses_anything_but_loopback() {
    let refused =
        hubspot_simulator::start(Options { listen: "0.0.0.0:0".parse().unwrap(), ..Options::default() });
    assert!(refused.unwrap_err().to_string().contains("loopback only"));
}
