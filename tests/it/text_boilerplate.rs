//! Lines that end many mails of one sender domain are no news: learned by repetition, whatever came first.

use serde_json::{Value, json};

use crate::support::{Installation, Portal};

/// The footer a company puts under every mail: nothing in it says what it is.
const FOOTER: [&str; 3] = [
    "Quollworks fabrication, in the north since 1921",
    "Meet our dunnartfair team in hall 4, stand 1207",
    "Mondays we deliver before ten, Fridays before noon",
];

fn mail(portal: &Portal, from: &str, lines: &[String], n: usize) {
    let html: String = lines.iter().map(|line| format!("<div>{line}</div>")).collect();
    let record = json!({
        "properties": {
            "hs_email_subject": format!("Delivery {n}"), "hs_email_html": html,
            "hs_email_direction": "INCOMING_EMAIL", "hs_email_from_email": from,
            "hs_timestamp": format!("2026-11-{:02}T{:02}:00:00Z", n % 20 + 1, n % 24),
        },
        "associations": {"contacts": [portal.ids("contacts")[0]]},
    });
    portal.post("/__sim/objects/emails", &record);
}

/// Sends mails `from..to`, each with a sentence of its own above the footer.
fn send(portal: &Portal, range: std::ops::Range<usize>) {
    let words = ["crate", "pallet", "barrel", "bundle", "carton", "drum", "sack"];
    for n in range {
        let own = format!("We need {} more of the {}s at gate {}.", n * 7 + 3, words[n % 7], n * n % 11);
        let lines: Vec<String> = [own].into_iter().chain(FOOTER.map(str::to_owned)).collect();
        mail(portal, &format!("p{}@quollworks.example", n % 5), &lines, n);
    }
}

fn installed() -> (Portal, Installation) {
    let portal = Portal::start(&["--contacts", "3", "--engagements-per-contact", "0"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    (portal, here)
}

fn passages(here: &Installation) -> Vec<(String, Value)> {
    let rows = here.texts(
        "select e.title || '|' || json_group_array(json_object('text', p.text)) from hubspot_engagements e \
         join passages p on p.kind = e.kind and p.engagement = e.id where e.kind = 'email' group by e.id \
         order by e.title",
    );
    let parse = |row: String| {
        let (title, passages) = row.split_once('|').unwrap();
        (title.to_owned(), serde_json::from_str(passages).unwrap())
    };
    rows.into_iter().map(parse).collect()
}

#[test]
fn a_footer_of_many_mails_is_learned_and_no_mail_loses_all_its_text() {
    let (portal, here) = installed();
    send(&portal, 0..40);
    // Somebody forwards nothing but the footer, and another company says one of its lines for once.
    mail(&portal, "p1@quollworks.example", &FOOTER.map(str::to_owned), 90);
    mail(
        &portal,
        "x@bilby.example",
        &["Thank you. Will we see the dunnartfair team in hall 4, stand 1207?".to_owned()],
        91,
    );
    here.run(&["sync"]).ok();
    let found = here.search("dunnartfair");
    assert_eq!(found.len(), 2, "{found:?}");
    assert_eq!(here.search("pallets").len(), 6);
    assert!(passages(&here).iter().all(|(_, passages)| !passages.as_array().unwrap().is_empty()));
    let id = here.search("pallets").remove(0);
    let shown = here.run(&["show", &id]).ok().stdout;
    assert!(shown.contains("dunnartfair"), "the body stays whole: {shown}");
    here.verify();

    let before = here.number("select max(seq) from knowledge_changes");
    here.run(&["sync"]).ok();
    assert_eq!(
        here.number("select max(seq) from knowledge_changes"),
        before,
        "reading again changes nothing"
    );
}

#[test]
fn what_came_first_does_not_matter_after_a_full_resync() {
    let (portal, one) = installed();
    send(&portal, 0..30);
    one.run(&["sync"]).ok();

    let (portal, other) = installed();
    send(&portal, 25..30);
    other.run(&["sync"]).ok();
    send(&portal, 0..25);
    other.run(&["sync", "catch_up"]).ok();
    assert!(!other.search("dunnartfair").is_empty(), "a later run does not count");
    other.run(&["sync", "full_resync"]).ok();
    assert!(other.search("dunnartfair").is_empty());
    assert_eq!(passages(&one), passages(&other));
}
