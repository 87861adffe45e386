//! Passages as rows: what did not change is not written, neighbours know each other, turns keep their time and speaker.

use hublore::text::{Body, BodyKind, normalize};
use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Installation, Portal};

fn start(arguments: &[&str]) -> (Portal, Installation) {
    let portal = Portal::start(arguments);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    (portal, here)
}

/// Eighty paragraphs of about fifty words.
fn paragraphs() -> Vec<String> {
    let line = |n: usize| format!("Point {n} of the visit was the pump {} in hall four. ", n * 7919 % 1009);
    (0..80).map(|n| line(n).repeat(4 + n % 3)).collect()
}

fn html(paragraphs: &[String]) -> String {
    paragraphs.iter().map(|one| format!("<p>{one}</p>")).collect()
}

/// From now on the database counts the passages that are written and removed.
fn count_writes(here: &Installation) {
    database(here)
        .execute_batch(
            "create table written (what text) strict;
             create trigger passage_in after insert on passages begin insert into written values ('in'); end;
             create trigger passage_up after update on passages begin insert into written values ('up'); end;
             create trigger passage_out after delete on passages begin insert into written values ('out'); end;",
        )
        .unwrap();
}

fn database(here: &Installation) -> Connection {
    Connection::open(here.data().join("hublore.db")).unwrap()
}

/// Passages inserted, updated and deleted since this was asked last.
fn writes(here: &Installation) -> [i64; 3] {
    let count = ["in", "up", "out"]
        .map(|what| here.number(&format!("select count(*) from written where what = '{what}'")));
    database(here).execute("delete from written", []).unwrap();
    count
}

#[test]
fn a_changed_paragraph_writes_the_passages_it_touches_and_nothing_else_is_written() {
    let (portal, here) = start(&["--contacts", "3", "--engagements-per-contact", "0"]);
    let contact = portal.ids("contacts").remove(0);
    let mut said = paragraphs();
    let mail = |said: &[String]| {
        json!({"hs_email_subject": "Visit", "hs_email_html": html(said), "hs_email_direction": "INCOMING_EMAIL",
               "hs_timestamp": "2026-11-20T10:00:00Z"})
    };
    let record = json!({"properties": mail(&said), "associations": {"contacts": [contact]}});
    portal.post("/__sim/objects/emails", &record);
    here.run(&["sync", "--json"]).ok();
    let total = here.number("select count(*) from passages");
    assert!(total >= 14, "{total}");
    let ids = || here.texts("select passage_ids from hubspot_engagements");
    let before: Vec<String> = serde_json::from_str(&ids()[0]).unwrap();
    count_writes(&here);
    here.run(&["sync", "--json"]).ok();
    here.run(&["sync", "full_resync", "--json"]).ok();
    assert_eq!(writes(&here), [0, 0, 0], "nothing changed");

    let id = portal.ids("emails").remove(0);
    let path = format!("/__sim/objects/emails/{id}");
    let mut change = |at: usize, words: &str| {
        said[at].push_str(words);
        portal.patch(&path, &json!({"properties": {"hs_email_html": html(&said)}}));
        here.run(&["sync", "--json"]).ok();
    };
    change(40, "One wombatmarker more.");
    let [written, updated, removed] = writes(&here);
    assert!((1..=3).contains(&written) && (1..=3).contains(&removed) && updated == 0, "{written} {removed}");
    assert_eq!(here.number("select count(*) from passages"), total + written - removed);
    let after: Vec<String> = serde_json::from_str(&ids()[0]).unwrap();
    assert!(after.iter().filter(|id| before.contains(id)).count() >= before.len() - 3);
    assert_eq!(here.search("wombatmarker").len(), 1);

    portal.patch(&path, &json!({"properties": {"hs_email_subject": "Visit in May"}}));
    here.run(&["sync", "--json"]).ok();
    assert_eq!(writes(&here), [0, 0, 0], "another subject is no other passage");

    let shown = here.run(&["show", "--json", &id]).ok().json();
    let shown = shown["passages"].as_array().unwrap();
    assert_eq!(shown.len(), after.len());
    for (n, passage) in shown.iter().enumerate() {
        let at = |n: Option<usize>| n.and_then(|n| after.get(n)).map_or(Value::Null, |id| json!(id));
        assert_eq!(passage["id"], after[n]);
        assert_eq!((&passage["previous"], &passage["next"]), (&at(n.checked_sub(1)), &at(Some(n + 1))));
    }
    portal.delete(&path);
    here.run(&["sync", "full_resync", "--json"]).ok();
    assert_eq!(here.number("select count(*) from passages"), 0, "they go with their engagement");
}

#[test]
fn passages_of_a_call_say_when_and_who() {
    let (_portal, here) = start(&["--contacts", "150", "--seed", "41"]);
    here.run(&["sync", "--json"]).ok();
    assert_eq!(here.number("select count(*) from passages where speakers is not null"), 0);
    here.run(&["sync", "backfill_transcripts", "--json"]).ok();
    let call = here
        .texts("select engagement from passages where speakers is not null order by engagement")
        .remove(0);
    let shown = here.run(&["show", "--json", &call]).ok().json();
    let spoken = &shown["passages"][0]["spoken"];
    let (start, end) = (spoken["start_s"].as_u64().unwrap(), spoken["end_s"].as_u64().unwrap());
    assert!(start <= end && end > 0, "{shown}");
    let text = shown["passages"][0]["text"].as_str().unwrap();
    let said = format!("kind:call {}", text.split(": ").nth(1).unwrap().split('\n').next().unwrap());
    let found = here.run(&["search", "--json", "--limit", "50", &said]).ok().json();
    let hit =
        found["hits"].as_array().unwrap().iter().find(|hit| hit["passage"] == text).expect("it is found");
    assert_eq!(hit["spoken"], *spoken);
    let speakers = spoken["speakers"].as_array().unwrap();
    assert!(
        !speakers.is_empty() && speakers.iter().all(|name| text.contains(name.as_str().unwrap())),
        "{shown}"
    );
}

#[test]
fn what_was_read_with_older_rules_is_read_again_without_hubspot() {
    let (portal, here) = start(&["--contacts", "3", "--engagements-per-contact", "0"]);
    let contact = portal.ids("contacts").remove(0);
    let note = json!({
        "properties": {
            "hs_note_body": "<p>The <a href='https://docs.example.com/x'>numbat manual</a> is here.</p>",
            "hs_timestamp": "2026-11-20T10:00:00Z",
        },
        "associations": {"contacts": [contact]},
    });
    portal.post("/__sim/objects/notes", &note);
    here.run(&["sync", "--json"]).ok();
    let hosts = || here.texts("select coalesce(link_hosts, '-') from hubspot_engagements");
    assert_eq!(hosts(), [r#"["docs.example.com"]"#]);
    let shown = here.run(&["show", "--json", "--parts", &portal.ids("notes")[0]]).ok().json();
    assert_eq!(shown["links"], json!(["docs.example.com"]));
    // A database that an older hublore left.
    let database = database(&here);
    database.execute("update hubspot_engagements set link_hosts = null, content_hash = x''", []).unwrap();
    database.execute("delete from meta where key like 'read_with%'", []).unwrap();
    drop(database);
    here.run(&["sync", "--json"]).ok();
    assert_eq!(hosts(), [r#"["docs.example.com"]"#]);
    let seq = here.number("select max(seq) from knowledge_changes");
    here.run(&["sync", "--json"]).ok();
    assert_eq!(here.number("select max(seq) from knowledge_changes"), seq, "once");
    here.verify();
}

#[test]
fn a_very_long_turn_is_cut_at_sentences_and_every_part_has_its_speaker_and_times() {
    let sentence =
        |n: usize| format!("Point {n} is that we looked at the pump again and it still leaks there.");
    let long = (0..200).map(sentence).collect::<Vec<_>>().join(" ");
    let words =
        format!("[00:00-00:04] Bob: Go on.\n[00:05-19:30] Ann Lee: {long}\n[19:31-19:40] Bob: Thanks, Ann.");
    let got = normalize(&Body::new(BodyKind::Transcript).with_plain(&words)).passages;
    assert!(got.len() >= 9, "{}", got.len());
    let parts = &got[1..got.len() - 1];
    for passage in parts {
        let spoken = passage.spoken.as_ref().expect("somebody speaks");
        assert_eq!((spoken.start_s, spoken.end_s), (Some(5), Some(1170)), "{}", passage.text);
        assert_eq!(spoken.speakers, ["Ann Lee"]);
        assert!(passage.text.starts_with("Point ") && passage.text.ends_with('.'), "{}", passage.text);
        assert!(passage.text.split_whitespace().count() <= 300);
    }
    let (first, last) = (got[0].spoken.as_ref().unwrap(), got[got.len() - 1].spoken.as_ref().unwrap());
    assert_eq!((first.start_s, first.end_s), (Some(0), Some(1170)));
    assert_eq!((last.start_s, last.end_s), (Some(5), Some(1180)));
    assert_eq!(last.speakers, ["Ann Lee", "Bob"]);
    let all: String = got.iter().map(|one| format!("{} ", one.text)).collect();
    assert!((0..200).all(|n| all.contains(&sentence(n))), "no sentence is cut or lost");
}
