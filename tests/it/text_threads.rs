//! Answers whose quotes carry no mark are told from the mail before them; the order of arrival does not matter.

use serde_json::json;

use crate::support::{Installation, Portal};

const PARENT: &str = "<div>The numbatmarker unit at gate four stopped on Sunday evening.</div>\
                      <div>Could you send somebody with a spare fan before Wednesday?</div>";
const ANSWER: &str = "<div>Yes, our bilbymarker technician comes on Tuesday.</div>";

fn mail(portal: &Portal, text: &str, day: u32, direction: &str) {
    let contact = &portal.ids("contacts")[0];
    let record = json!({
        "properties": {
            "hs_email_subject": "Fan", "hs_email_html": text, "hs_email_direction": direction,
            "hs_email_thread_id": "thread-513", "hs_timestamp": format!("2026-11-{day:02}T10:00:00Z"),
        },
        "associations": {"contacts": [contact]},
    });
    portal.post("/__sim/objects/emails", &record);
}

/// The answer repeats its parent without any mark, as some clients send it.
fn answered() -> String {
    format!("{ANSWER}<br>{PARENT}")
}

fn passages(here: &Installation) -> Vec<String> {
    here.texts(
        "select group_concat(p.text, ' ') from hubspot_engagements e join passages p on p.kind = e.kind \
         and p.engagement = e.id where e.kind = 'email' group by e.id order by e.occurred_at",
    )
}

fn installed() -> (Portal, Installation) {
    let portal = Portal::start(&["--contacts", "3", "--engagements-per-contact", "0"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    (portal, here)
}

#[test]
fn the_parent_of_the_same_page_or_of_the_store_takes_the_quote_away() {
    for together in [true, false] {
        let (portal, here) = installed();
        mail(&portal, PARENT, 3, "INCOMING_EMAIL");
        if !together {
            here.run(&["sync", "--json"]).ok();
        }
        mail(&portal, &answered(), 4, "EMAIL");
        here.run(&["sync", "--json"]).ok();
        let texts = passages(&here);
        assert!(texts[1].contains("bilbymarker") && !texts[1].contains("numbatmarker"), "{texts:?}");
        assert_eq!(here.search("numbatmarker").len(), 1);
        let before = here.number("select max(seq) from knowledge_changes");
        here.run(&["sync", "--json"]).ok();
        assert_eq!(here.number("select max(seq) from knowledge_changes"), before);
        here.verify();
    }
}

#[test]
fn a_parent_that_arrives_after_its_answer_is_used_at_the_next_reading() {
    let (portal, here) = installed();
    mail(&portal, &answered(), 4, "EMAIL");
    here.run(&["sync", "--json"]).ok();
    assert!(passages(&here)[0].contains("numbatmarker"), "nothing tells the quote yet");
    mail(&portal, PARENT, 3, "INCOMING_EMAIL");
    here.run(&["sync", "--json"]).ok();
    here.run(&["sync", "--json"]).ok();
    let texts = passages(&here);
    assert!(!texts[1].contains("numbatmarker"), "{texts:?}");
    here.verify();
}
