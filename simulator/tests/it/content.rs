//! What the texts promise: unique words once per body, long notes, facts, languages, quoting.

use std::collections::{HashMap, HashSet};

use hubspot_simulator::Options;
use proptest::prelude::*;
use serde_json::{Value, json};

use crate::client::Portal;

const BODIES: [(&str, &str); 5] = [
    ("emails", "hs_email_html,hs_email_text"),
    ("notes", "hs_note_body"),
    ("calls", "hs_call_body,hs_call_summary"),
    ("meetings", "hs_meeting_body,hs_internal_meeting_notes"),
    ("tasks", "hs_task_body"),
];

fn pages(portal: &mut Portal, kind: &str, names: &str) -> Vec<Value> {
    let mut all = Vec::new();
    let mut after = String::new();
    loop {
        let page = portal.got(&format!("/crm/v3/objects/{kind}?limit=100&properties={names}{after}"));
        all.extend(page["results"].as_array().unwrap().iter().cloned());
        match page["paging"]["next"]["after"].as_str() {
            Some(next) => after = format!("&after={next}"),
            None => return all,
        }
    }
}

fn word_of(text: &str) -> Vec<&str> {
    text.match_indices("ref ")
        .filter_map(|(at, _)| text.get(at + 4..at + 13))
        .filter(|w| w.bytes().all(|b| b.is_ascii_alphanumeric()))
        .collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]
    #[test]
    fn every_body_has_one_word_of_its_own(seed in any::<u64>(), contacts in 1_u64..90) {
        let mut portal = Portal::with(Options { seed, contacts, ..Options::default() });
        let mut owner: HashMap<String, String> = HashMap::new();
        for (kind, names) in BODIES {
            for record in pages(&mut portal, kind, names) {
                let id = record["id"].as_str().unwrap();
                for name in names.split(',') {
                    let Some(text) = record["properties"][name].as_str() else { continue };
                    let words = word_of(text);
                    let body = !matches!(name, "hs_call_summary" | "hs_internal_meeting_notes");
                    prop_assert_eq!(words.len(), usize::from(body), "{} {} {}", kind, name, text);
                    for word in words {
                        prop_assert_eq!(text.matches(word).count(), 1);
                        let key = format!("{kind} {id}");
                        let known = owner.entry(word.to_owned()).or_insert_with(|| key.clone());
                        prop_assert_eq!(&*known, &key);
                    }
                }
            }
        }
    }
}

#[test]
fn truth_knows_words_facts_and_customers() {
    let mut portal = Portal::of(200);
    let mut stated = 0;
    for record in pages(&mut portal, "notes", "hs_note_body") {
        let id = record["id"].as_str().unwrap();
        let body = record["properties"]["hs_note_body"].as_str().unwrap();
        let truth = portal.got(&format!("/__sim/truth/record?type=notes&id={id}"));
        assert_eq!(word_of(body), [truth["unique_word"].as_str().unwrap()]);
        for fact in truth["facts"].as_array().unwrap() {
            let sentence = fact["sentence"].as_str().unwrap();
            assert!(body.contains(sentence) && sentence.contains(fact["value"].as_str().unwrap()));
            stated += 1;
        }
    }
    assert!(stated > 100, "{stated}");
}

#[test]
fn facts_change_over_time() {
    let mut portal = Portal::of(300);
    let mut values: HashMap<(String, String), HashSet<String>> = HashMap::new();
    for kind in ["notes", "calls", "emails"] {
        for id in portal.truth_ids(kind) {
            let truth = portal.got(&format!("/__sim/truth/record?type={kind}&id={id}"));
            let Some(contact) = truth["contacts"][0].as_str() else { continue };
            for fact in truth["facts"].as_array().unwrap() {
                let key = (contact.to_owned(), fact["attribute"].as_str().unwrap().to_owned());
                values.entry(key).or_default().insert(fact["value"].as_str().unwrap().to_owned());
            }
        }
    }
    assert!(values.values().any(|v| v.len() == 2), "some facts change");
    assert!(values.iter().filter(|(_, v)| v.len() == 1).count() > 100, "most stay");
}

#[test]
fn one_note_is_as_long_as_hubspot_allows() {
    let mut portal = Portal::of(1_000);
    let id = portal.truth_ids("notes")[1_234].clone();
    let note = portal.got(&format!("/crm/v3/objects/notes/{id}?properties=hs_note_body"));
    let body = note["properties"]["hs_note_body"].as_str().unwrap();
    let word = portal.got(&format!("/__sim/truth/record?type=notes&id={id}"))["unique_word"]
        .as_str()
        .unwrap()
        .to_owned();
    assert_eq!(body.chars().count(), 65_536);
    assert!(body.find(&word).unwrap() > 60_000);
}

#[test]
fn mails_are_of_many_makes_and_tongues() {
    let mut portal = Portal::of(600);
    let mails = pages(
        &mut portal,
        "emails",
        "hs_email_html,hs_email_text,hs_email_subject,hs_incoming_email_is_out_of_office",
    );
    let count = |what: &str| {
        mails
            .iter()
            .filter(|m| m["properties"]["hs_email_html"].as_str().is_some_and(|h| h.contains(what)))
            .count()
    };
    for mark in [
        "gmail_quote",
        "gmail_signature",
        "MsoNormal",
        "border-top:solid #E1E1E1",
        "blockquote type=\"cite\"",
        "AppleMailSignature",
        "<table border",
        "unsubscribe",
    ] {
        assert!(count(mark) > 5, "{mark}: {}", count(mark));
    }
    let texts: Vec<&str> = mails.iter().filter_map(|m| m["properties"]["hs_email_text"].as_str()).collect();
    for word in [
        "Our reference",
        "Unser Zeichen",
        "Notre référence",
        "Nuestra referencia",
        "A nossa referência",
        "整理番号",
        "\n> ",
        "\n>> ",
    ] {
        assert!(texts.iter().any(|t| t.contains(word)), "{word:?}");
    }
    assert!(mails.iter().any(|m| m["properties"]["hs_email_html"].is_null()), "plain-text mails");
    assert!(mails.iter().any(|m| m["properties"]["hs_incoming_email_is_out_of_office"] == json!("true")));
}

#[test]
fn a_corpus_gives_the_mails_their_bodies() {
    let path = std::env::temp_dir().join(format!("simulator-corpus-{}.jsonl", std::process::id()));
    std::fs::write(&path, "{\"id\":\"a/1\",\"subject\":\"One\",\"html\":\"<p>first</p>\",\"text\":null}\n{\"subject\":\"Two\",\"text\":\"second\\u000c\"}\n").unwrap();
    let mut portal = Portal::with(Options { contacts: 50, corpus: Some(path.clone()), ..Options::default() });
    let mails = pages(&mut portal, "emails", "hs_email_html,hs_email_text,hs_email_subject");
    assert_eq!(mails.len(), 2);
    assert_eq!(mails[0]["properties"]["hs_email_html"], json!("<p>first</p>"));
    assert_eq!(mails[1]["properties"]["hs_email_text"], json!("second\u{c}"));
    assert_eq!(mails[1]["properties"]["hs_email_subject"], json!("Two"));
    std::fs::remove_file(path).unwrap();
}

#[test]
fn transcripts_are_served_or_missing_although_announced() {
    let mut portal = Portal::of(200);
    let (mut served, mut missing) = (0, 0);
    for call in pages(&mut portal, "calls", "hs_call_transcription_id,hs_call_has_transcript") {
        let Some(id) = call["properties"]["hs_call_transcription_id"].as_str() else { continue };
        assert_eq!(call["properties"]["hs_call_has_transcript"], json!("true"));
        let answer = portal.get(&format!("/crm/extensions/calling/2026-09/transcripts/{id}"));
        if answer.status == 200 {
            assert_eq!(answer.json()["engagementId"].to_string(), call["id"].as_str().unwrap());
            assert!(answer.json()["transcriptUtterances"].as_array().unwrap().len() >= 4);
            served += 1;
        } else {
            assert_eq!(answer.status, 404);
            missing += 1;
        }
    }
    assert!(served > 20 && missing > 5, "{served} {missing}");
}
