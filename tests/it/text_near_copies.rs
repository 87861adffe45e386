//! One mail to many contacts is one document; what is personal stays findable; nobody sees another's copy.

use serde_json::{Value, json};

use crate::support::{Installation, Portal};

const OFFER: &str = "<p>Hi NAME,</p><p>our new gateway zephyrline is available from March and works with the switches \
                     you already have in both buildings.</p><p>If you want to try one, tell me a good day and I bring \
                     it along, no strings attached.</p><p>It needs no licence, it keeps its settings over \
                     a power cut and it can be managed from the same console as the rest of what you run today.</p>\
                     <p>OWN</p>";

/// Sends the offer to contacts `from..to`; `own` is one more sentence in each.
fn send(portal: &Portal, contacts: &[String], own: &str) {
    for (n, contact) in contacts.iter().enumerate() {
        let name = ["Ann", "Bob", "Carla", "Dmitri", "Eva"][n % 5];
        let record = json!({
            "properties": {
                "hs_email_subject": "Something new for your network",
                "hs_email_html": OFFER.replace("NAME", name).replace("OWN", own),
                "hs_email_direction": "EMAIL",
                "hs_timestamp": format!("2026-11-{:02}T10:00:00Z", n % 20 + 1),
            },
            "associations": {"contacts": [contact]},
        });
        portal.post("/__sim/objects/emails", &record);
    }
}

/// A person edits the body of a mail in HubSpot.
fn edit(portal: &Portal, id: &str, html: &str) {
    portal.patch(&format!("/__sim/objects/emails/{id}"), &json!({"properties": {"hs_email_html": html}}));
}

fn connected(contacts: u32) -> (Portal, Installation, Vec<String>) {
    let contacts = contacts.to_string();
    let portal = Portal::start(&["--contacts", &contacts, "--engagements-per-contact", "0"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let ids = portal.ids("contacts");
    (portal, here, ids)
}

fn email_of(here: &Installation, contact: &str) -> String {
    here.texts(&format!("select email from end_users where id = '{contact}' and email is not null"))
        .pop()
        .unwrap_or_default()
}

fn hits(here: &Installation, arguments: &[&str]) -> Vec<Value> {
    let answer = here.run(&[&["search", "--json"], arguments].concat()).ok().json();
    answer["hits"].as_array().unwrap().clone()
}

#[test]
fn one_mail_to_many_is_one_document_and_everybody_has_it_in_the_timeline() {
    let (portal, here, contacts) = connected(60);
    send(&portal, &contacts[..50], "");
    let own = "By the way, the quokkamarker cable you left here last week is on its way back to you.";
    send(&portal, &contacts[50..51], own);
    let report = here.run(&["sync", "--json"]).ok().json();
    assert_eq!(report["engagements"]["email"]["fetched"], 51, "{report}");
    assert_eq!(report["engagements"]["email"]["skipped"]["near_copy"], 49, "{report}");
    here.verify();

    let found = hits(&here, &["zephyrline"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0]["copies"], 51);
    let personal = hits(&here, &["quokkamarker"]);
    assert_eq!(personal.len(), 1, "{personal:?}");
    assert!(!personal[0]["passage"].as_str().unwrap().contains("zephyrline"), "{personal:?}");

    let mut asked = 0;
    for contact in &contacts[..51] {
        let email = email_of(&here, contact);
        if email.is_empty() {
            continue;
        }
        asked += 1;
        let context = here.run(&["context", "--json", &email]).ok().json();
        assert_eq!(context["recent"].as_array().unwrap().len(), 1, "{context}");
        let own_copy = hits(&here, &["--customer", &email, "zephyrline"]);
        assert_eq!(own_copy.len(), 1, "{email}: {own_copy:?}");
        assert_eq!(own_copy[0]["customers"][0]["email"], email, "nobody sees another's copy");
    }
    assert!(asked > 30);

    let highest = here.number("select max(seq) from knowledge_changes");
    here.run(&["sync", "--json"]).ok();
    assert_eq!(
        here.number("select max(seq) from knowledge_changes"),
        highest,
        "a second sync changes nothing"
    );
    here.run(&["index", "rebuild", "--json"]).ok();
    here.verify();
}

#[test]
fn when_the_first_copy_changes_another_one_takes_its_place() {
    let (portal, here, contacts) = connected(10);
    send(&portal, &contacts[..5], "");
    here.run(&["sync", "--json"]).ok();
    let first = hits(&here, &["zephyrline"])[0]["source"]["engagement_id"].as_str().unwrap().to_owned();
    let other = "<p>We meet on Tuesday at the plant to look at the wallabymarker together with your colleagues from \
                 the workshop, please bring the old drawings along.</p>";
    edit(&portal, &first, other);
    here.run(&["sync", "--json"]).ok();
    here.verify();
    let found = hits(&here, &["zephyrline"]);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_ne!(found[0]["source"]["engagement_id"], first.as_str());
    assert_eq!(found[0]["copies"], 4);
    assert_eq!(hits(&here, &["wallabymarker"]).len(), 1);
    here.run(&["sync", "--json"]).ok();
    here.verify();
}

#[test]
fn ten_thousand_copies_are_one_document() {
    let (portal, here, contacts) = connected(100);
    let record = json!({
        "properties": {
            "hs_email_subject": "Something new for your network",
            "hs_email_html": OFFER.replace("NAME", "Ann").replace("OWN", ""),
            "hs_email_direction": "EMAIL",
            "hs_timestamp": "2026-11-20T10:00:00Z",
        },
        "associations": {"contacts": [contacts[0]]},
        "count": 10_000,
    });
    portal.post("/__sim/objects/emails", &record);
    let report = here.run(&["sync", "--json"]).ok().json();
    assert_eq!(report["engagements"]["email"]["fetched"], 10_000, "{report}");
    assert_eq!(report["engagements"]["email"]["indexed"], 1, "{report}");
    assert_eq!(hits(&here, &["zephyrline"])[0]["copies"], 10_000);
    here.verify();
}

#[test]
fn every_recipients_company_finds_the_template() {
    let (portal, here, contacts) = connected(40);
    send(&portal, &contacts[..30], "");
    here.run(&["sync", "--json"]).ok();
    let of_recipients = format!(
        "select distinct c.name from end_users u join companies c on c.id = u.company where u.id in ('{}')",
        contacts[..30].join("', '")
    );
    let companies = here.texts(&of_recipients);
    assert!(companies.len() > 3, "{companies:?}");
    for company in companies {
        let found = hits(&here, &["--company", &company, "zephyrline"]);
        assert_eq!(found.len(), 1, "{company}: {found:?}");
    }
}
