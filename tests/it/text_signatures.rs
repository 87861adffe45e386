//! Signatures told by what the CRM knows of the sender, and signatures in or above tables.

use hublore::text::{Body, BodyKind, SpanClass, normalize};
use serde_json::{Value, json};

use crate::support::{Installation, Portal};

const NAMES: [&str; 2] = ["Ann Lee", "ann.lee@example.com"];
const FACTS: [&str; 3] = ["+49 30 5550100", "Head of Sales", "Example GmbH"];

fn new_text(body: Body<'_>) -> String {
    normalize(&body).new_text()
}

fn plain(text: &str, names: &[&str], facts: &[&str]) -> String {
    let body = Body::new(BodyKind::Email).with_plain(text);
    new_text(Body { sender_names: names, sender_facts: facts, ..body })
}

fn html(markup: &str, names: &[&str]) -> String {
    new_text(Body { sender_names: names, ..Body::new(BodyKind::Email).with_html(markup) })
}

#[test]
fn last_lines_that_say_what_the_crm_knows_are_signature() {
    for (mail, kept) in [
        ("We start on Monday.\n\nHead of Sales\nExample GmbH", "We start on Monday."),
        ("We start on Monday.\n\nTel. 030 5550100", "We start on Monday."),
        ("We start on Monday.\nHead of Sales, Example GmbH", "We start on Monday."),
        (
            "We start on Monday.\n\nA. L.\nHead of Sales | Example GmbH\n030 / 555 01 00",
            "We start on Monday.",
        ),
        ("Please bill this company:\n\nExample GmbH", "Please bill this company:\n\nExample GmbH"),
        ("Who signs?\n\nOur Head of Sales will sign it.", "Who signs?\n\nOur Head of Sales will sign it."),
        ("Please call\n030 5550100", "Please call\n030 5550100"),
        (
            "Call me.\n\n030 5550100\n\nI am in until five today.",
            "Call me.\n\n030 5550100\n\nI am in until five today.",
        ),
        ("Example GmbH", "Example GmbH"),
    ] {
        assert_eq!(plain(mail, &NAMES, &FACTS), kept, "{mail}");
    }
    let unknown = "We start on Monday.\n\nHead of Sales\nExample GmbH";
    assert_eq!(plain(unknown, &NAMES, &[]), unknown, "without the CRM nothing proves it");
}

#[test]
fn signatures_laid_out_as_tables_go_and_data_stays() {
    let said = "<p>The offer is attached.</p>";
    let known = [
        "<table><tr><td>Ann Lee</td><td>Account Executive</td></tr><tr><td>Phone</td><td>+49 30 5550100</td></tr></table>",
        "<table><tr><td><img src=a alt='Acme'></td><td>Ann Lee<br>Account Executive<br>Acme</td></tr></table>",
        "<p>Best,</p><table><tr><td>Ann Lee</td></tr><tr><td>Account Executive</td></tr></table>",
        "<p>Ann Lee<br>Account Executive<br>+49 30 5550100</p><table><tr><td>Book a demo and see what is new for teams like yours this autumn.</td>\
         <td>Read how Borealis cut its costs by half in two years with our help and little work.</td></tr></table>",
        "<p>Kind regards,<br>Ann Lee</p><table><tr><td>Berlin</td><td>Hamburg</td><td>Wien</td></tr>\
         <tr><td>Zürich</td><td>Paris</td><td>Lyon</td></tr></table>",
    ];
    for signature in known {
        assert_eq!(html(&format!("{said}{signature}"), &NAMES), "The offer is attached.", "{signature}");
    }
    let unknown = [
        "<table><tr><td>Ann Lee</td><td>Account Executive</td></tr><tr><td>+49 30 5550100</td><td>acme.example</td></tr></table>",
        "<p>Ann Lee<br>Account Executive<br>Acme</p>",
    ];
    for signature in unknown {
        assert_eq!(html(&format!("{said}{signature}"), &[]), "The offer is attached.", "{signature}");
    }
    let prices = "<table><tr><td>Item</td><td>Price</td></tr><tr><td>Switch</td><td>120 EUR</td></tr>\
                  <tr><td>Router</td><td>90 EUR</td></tr></table>";
    let rows = "Item | Price\nSwitch | 120 EUR\nRouter | 90 EUR";
    for names in [&NAMES[..], &[]] {
        let below = html(&format!("{said}<p>Best regards,<br>Ann Lee</p>{prices}"), names);
        assert!(below.starts_with("The offer is attached.") && below.ends_with(rows), "{below}");
        assert!(!below.contains("Ann Lee"), "{below}");
        let alone = html(&format!("{said}{prices}"), names);
        assert_eq!(alone, format!("The offer is attached.\n\n{rows}"));
    }
    for kind in [BodyKind::Email, BodyKind::Note] {
        let got = normalize(&Body::new(kind).with_html(&format!("{said}{prices}")));
        assert_eq!(got.text_of(|class| class == SpanClass::Table), rows);
        assert_eq!(got.passages.len(), 1);
        assert_eq!(got.passages[0].ranges.len(), 1);
    }
    let people = "<table><tr><td>Tom Ford</td><td>will bring the plans for the new site on Friday morning</td></tr>\
                  <tr><td>Eva Stone</td><td>orders the cables</td></tr></table>";
    assert!(html(&format!("{said}{people}"), &NAMES).contains("orders the cables"));
}

/// A mail by that contact of the portal.
fn mail(portal: &Portal, contact: &str, html: &str) {
    let record = json!({
        "properties": {
            "hs_email_subject": "Start", "hs_email_html": html, "hs_email_direction": "INCOMING_EMAIL",
            "hs_email_from_email": "nadia@bilby.example", "hs_timestamp": "2026-11-20T10:00:00Z",
        },
        "associations": {"contacts": [contact]},
    });
    portal.post("/__sim/objects/emails", &record);
}

#[test]
fn ing_10_phone_title_and_company_of_the_contact_cut_its_signature() {
    let portal = Portal::start(&["--contacts", "3", "--engagements-per-contact", "0"]);
    let here = Installation::for_portal(&portal);
    let contact = portal.ids("contacts").remove(0);
    let known: Value = json!({"properties": {
        "email": "nadia@bilby.example", "firstname": "Nadia", "lastname": "Rahal",
        "jobtitle": "Leiterin Wombatpflege", "phone": "+49 30 5550100", "mobilephone": "0171 5550199", "company": "Bilby Werke",
    }});
    portal.patch(&format!("/__sim/objects/contacts/{contact}"), &known);
    mail(
        &portal,
        &contact,
        "<p>The numbatmarker plan starts on Monday.</p>Leiterin Wombatpflege<br>Bilby Werke<br>030/5550100",
    );
    // The lines below a mail are short, so the mobile phone stands alone in another.
    mail(&portal, &contact, "<p>The quokkamarker plan starts on Tuesday.</p><p>mobil +49 171 5550199</p>");
    mail(&portal, &contact, "<p>The dunnartmarker line is this one now.</p><p>mobil +49 171 5550177</p>");
    here.connect_with_key();
    here.run(&["sync", "--json"]).ok();
    assert_eq!(here.search("numbatmarker").len(), 1);
    assert!(here.search("Wombatpflege").is_empty(), "a title under a mail is no news");
    let told = |word: &str| here.texts(&format!("select text from passages where text like '%{word}%'"));
    assert_eq!(told("quokkamarker"), ["The quokkamarker plan starts on Tuesday."]);
    assert_eq!(told("dunnartmarker"), ["The dunnartmarker line is this one now.\n\nmobil +49 171 5550177"]);
    let id = here
        .texts("select engagement from passages where kind = 'email' and text like '%numbatmarker%'")
        .remove(0);
    let shown = here.run(&["show", "--json", "--parts", &id]).ok().json();
    assert_eq!(shown["passages"][0]["text"], "The numbatmarker plan starts on Monday.", "{shown}");
    let signature = "Leiterin Wombatpflege\nBilby Werke\n030/5550100";
    assert_eq!(shown["parts"][1], json!({"class": "signature", "text": signature}), "{shown}");
}
