//! The model path from outside: what a model adds, what its failures leave, what it is sent and what it costs.

use std::time::{Duration, Instant};

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::chat::{Chat, Reply, data, finds, says};
use crate::support::{Installation, Portal};

/// How the endpoint answers.
type Answer = Box<dyn Fn(&Value) -> Reply + Send>;

/// A portal with three people and no engagements, and an installation that asks `chat`.
fn start(chat: &Chat) -> (Portal, Installation) {
    let portal = Portal::start(&["--contacts", "3", "--engagements-per-contact", "0"]);
    let mut here = Installation::for_portal(&portal);
    let mut set = |name: &str, value: &str| {
        drop(here.settings.insert(format!("HUBLORE_MODEL__{name}"), value.to_owned()))
    };
    set("BASE_URL", &chat.base);
    set("NAME", "test-model");
    set("API_KEY", "sk-test-secret");
    set("TIMEOUT_S", "30");
    here.connect_with_key();
    (portal, here)
}

/// Writes a note about the first contact; answers its id.
fn note(portal: &Portal, text: &str) -> String {
    let contact = portal.ids("contacts")[0].clone();
    let record = json!({
        "properties": {"hs_note_body": format!("<p>{text}</p>"), "hs_timestamp": "2026-11-20T10:00:00Z"},
        "associations": {"contacts": [contact]}
    });
    let before = portal.ids("notes");
    portal.post("/__sim/objects/notes", &record);
    portal.ids("notes").into_iter().find(|id| !before.contains(id)).unwrap()
}

fn sync(here: &Installation) {
    here.run(&["sync", "--json"]).ok();
}

/// Slots of the insights an engagement proves, sorted.
fn slots(here: &Installation, id: &str) -> Vec<String> {
    here.texts(&format!("select slot from insights where engagement = '{id}' order by slot"))
}

fn state(here: &Installation, task: &str, id: &str) -> String {
    let sql = format!(
        "select state || ' ' || coalesce(reason, '-') || ' ' || tries from model_queue where task = '{task}' and id = '{id}'"
    );
    here.texts(&sql).pop().unwrap_or_default()
}

/// A day passes, as far as the queue is concerned.
fn a_day_later(here: &Installation) {
    let database = Connection::open(here.data().join("hublore.db")).unwrap();
    database.execute("update model_queue set next_at = 0 where next_at is not null", []).unwrap();
}

#[test]
fn dst_5_a_model_adds_to_what_is_found_and_is_never_asked_twice() {
    let chat = Chat::start(finds("yard", "environment.place"));
    let (portal, here) = start(&chat);
    let id = note(&portal, "The contract renews in May. The boxes stand in the yard of Ann.");
    sync(&here);
    assert_eq!(slots(&here, &id), ["environment.place", "renewal.end"]);
    let found = here.texts("select distiller from insights where slot = 'environment.place'");
    assert!(found[0].starts_with("model-") && found[0].contains("test-model@127.0.0.1"), "{found:?}");
    assert_eq!((chat.asked().len(), state(&here, "facts", &id).as_str()), (1, "done - 0"));
    here.verify();

    // Nothing changed: nothing is asked, whatever else is done.
    sync(&here);
    here.run(&["index", "rebuild"]).ok();
    sync(&here);
    assert_eq!(chat.asked().len(), 1);

    // The insights are lost; what the model said is not.
    let database = Connection::open(here.data().join("hublore.db")).unwrap();
    database.execute("delete from insights", []).unwrap();
    database.execute("delete from meta where key like 'distilled_with%'", []).unwrap();
    drop(database);
    sync(&here);
    assert_eq!(slots(&here, &id), ["environment.place", "renewal.end"]);
    assert_eq!(chat.asked().len(), 1, "rebuilt without a call");

    let status = here.run(&["status", "--json"]).ok().json();
    assert_eq!(status["model"]["configured"], true);
    assert_eq!(status["model"]["queue"]["facts"]["done"], 1, "{status}");
    assert_eq!(status["model"]["tokens"].as_object().unwrap().values().next(), Some(&json!(500)));
}

#[test]
fn dst_5_whatever_fails_the_extractive_result_stands_and_nothing_is_lost() {
    let raw = |status: u16, headers: &'static str, body: &'static [u8]| {
        move |_: &Value| -> Reply { (status, headers, body.to_vec()) }
    };
    let chat = Chat::start(finds("yard", "environment.place"));
    let (portal, mut here) = start(&chat);
    let mut notes = vec![note(&portal, "The contract renews in May. The boxes stand in the yard of Ann.")];
    sync(&here); // finds the dialect
    let faults: Vec<(&str, Answer)> = vec![
        ("unreachable", Box::new(raw(0, "", b""))),
        (
            "timed_out",
            Box::new(|_| {
                std::thread::sleep(Duration::from_millis(1_500));
                (200, "", vec![])
            }),
        ),
        ("server_error", Box::new(raw(502, "", b"bad gateway"))),
        ("rate_limited", Box::new(raw(429, "retry-after: 3600\r\n", b"{}"))),
        ("unauthorized", Box::new(raw(401, "", b"{}"))),
        ("not_found", Box::new(raw(404, "", b"{}"))),
        ("rejected", Box::new(raw(400, "", b"{}"))),
        ("unexpected_status", Box::new(raw(302, "location: http://127.0.0.1:9/\r\n", b""))),
        ("not_utf8", Box::new(raw(200, "", b"\xff\xfe"))),
        ("not_json", Box::new(raw(200, "", b"<html>"))),
        ("no_choice", Box::new(raw(200, "", b"{}"))),
        ("error_object", Box::new(raw(200, "", b"{\"error\":{}}"))),
        ("refused", Box::new(raw(200, "", b"{\"choices\":[{\"message\":{\"refusal\":\"no\"}}]}"))),
        (
            "incomplete",
            Box::new(raw(200, "", b"{\"choices\":[{\"finish_reason\":\"length\",\"message\":{}}]}")),
        ),
        ("empty", Box::new(raw(200, "", b"{\"choices\":[{\"message\":{\"content\":\"\"}}]}"))),
        ("wrong_shape", Box::new(|_| says(&json!({"quotes": ["90% off"]})))),
        (
            "unusable",
            Box::new(|_| {
                says(&json!({"facts": [{"e": 1, "first": 40, "last": 41, "slot": "billing.credit"}]}))
            }),
        ),
    ];
    let mut expected = Vec::new();
    for (number, (reason, fault)) in (2_001..).zip(faults) {
        let id = note(
            &portal,
            &format!("The contract renews in June. The boxes stand in the yard of hall {number}."),
        );
        chat.answer(fault);
        // A loaded machine is slow too: only the fault that is about time is not given any.
        let seconds = if reason == "timed_out" { "1" } else { "30" };
        here.settings.insert("HUBLORE_MODEL__TIMEOUT_S".to_owned(), seconds.to_owned());
        sync(&here);
        assert_eq!(slots(&here, &id), ["renewal.end"], "{reason}: the extractive result stands");
        assert_eq!(state(&here, "facts", &id), format!("failed {reason} 1"));
        notes.push(id);
        expected.push(reason);
    }
    let status = here.run(&["status", "--json"]).ok().json();
    assert_eq!(status["model"]["failures"].as_object().unwrap().len(), expected.len(), "{status}");
    let before = chat.asked().len();
    sync(&here);
    assert_eq!(chat.asked().len(), before, "everything waits for its time");

    chat.answer(finds("yard", "environment.place"));
    a_day_later(&here);
    sync(&here);
    for id in &notes {
        assert_eq!(slots(&here, id), ["environment.place", "renewal.end"]);
        assert_eq!(state(&here, "facts", id), "done - 0");
    }
    let batches: Vec<usize> = chat.asked()[before..]
        .iter()
        .map(|body| data(body)["engagements"].as_array().unwrap().len())
        .collect();
    assert!(
        batches.iter().all(|size| *size <= 8) && batches.iter().sum::<usize>() == expected.len(),
        "{batches:?}"
    );
    here.verify();
}

#[test]
fn dst_5_a_budget_is_kept_and_what_is_over_it_waits() {
    let chat = Chat::start(finds("yard", "environment.place"));
    let (portal, mut here) = start(&chat);
    here.settings.insert("HUBLORE_MODEL__TOKENS_PER_DAY".to_owned(), "100".to_owned());
    let id = note(&portal, "The contract renews in May. The boxes stand in the yard of Ann.");
    sync(&here);
    assert_eq!((chat.asked().len(), state(&here, "facts", &id).as_str()), (0, "pending budget 0"));
    assert_eq!(slots(&here, &id), ["renewal.end"]);
    here.settings.insert("HUBLORE_MODEL__TOKENS_PER_DAY".to_owned(), "0".to_owned());
    a_day_later(&here);
    sync(&here);
    assert_eq!(slots(&here, &id), ["environment.place", "renewal.end"]);
}

#[test]
fn dst_5_what_the_model_said_goes_with_the_engagement() {
    let chat = Chat::start(finds("yard", "environment.place"));
    let (portal, here) = start(&chat);
    let id = note(&portal, "The boxes stand in the yard of Ann.");
    sync(&here);
    assert_eq!(here.number("select count(*) from model_answers"), 1);
    portal.delete(&format!("/__sim/objects/notes/{id}"));
    sync(&here);
    assert_eq!(here.number("select count(*) from model_answers"), 0);
    assert_eq!(here.number("select count(*) from model_queue"), 0);
    assert_eq!(here.number("select count(*) from insights"), 0);
}

#[test]
fn rul_2_a_model_judges_topics_and_until_it_did_an_engagement_is_held() {
    let chat = Chat::start(|_| (503, "", vec![]));
    let (portal, here) = start(&chat);
    here.run(&["rules", "add", "topic", "gardening"]).ok();
    here.run(&["rules", "add", "topic", "cats"]).ok();
    let (garden, engine) = (note(&portal, "We planted roses."), note(&portal, "The engine is loud."));
    sync(&here);
    let of = |id: &str| {
        here.texts(&format!("select decision from hubspot_engagements where id = '{id}'")).pop().unwrap()
    };
    assert_eq!((of(&garden).as_str(), of(&engine).as_str()), ("held", "held"));
    assert!(here.search("roses").is_empty());

    chat.answer(knows_roses);
    a_day_later(&here);
    let before = chat.asked().len();
    sync(&here);
    assert_eq!((of(&garden).as_str(), of(&engine).as_str()), ("learned", "skipped"));
    assert_eq!(here.search("roses").len(), 1);
    let topics = |body: &Value| data(body)["topics"].as_array().map(Vec::len);
    let asked: Vec<Option<usize>> = chat.asked()[before..].iter().map(topics).collect();
    assert_eq!(asked, [Some(2), None], "all topics of both notes at once, then the facts of one");
    let judge = here.texts("select distinct judge from rule_decisions");
    assert!(judge[0].starts_with("model test-model@"), "{judge:?}");
    sync(&here);
    assert_eq!(chat.asked().len(), before + 2);
    assert_eq!(here.number("select count(*) from model_verdicts"), 4);
    portal.delete(&format!("/__sim/objects/notes/{engine}"));
    sync(&here);
    assert_eq!(here.number("select count(*) from model_verdicts"), 2);
}

/// What a judge says that finds roses, and nothing else, to be about the first topic.
fn knows_roses(body: &Value) -> Reply {
    let data = data(body);
    if data["topics"].is_null() {
        return says(&json!({"facts": []}));
    }
    let judge = |one: &Value| {
        let about = one["text"].as_str().unwrap().contains("roses");
        json!({"e": one["e"], "match": if about { vec![1] } else { vec![] }, "unsure": []})
    };
    let verdicts: Vec<Value> = data["engagements"].as_array().unwrap().iter().map(judge).collect();
    says(&json!({ "verdicts": verdicts }))
}

#[test]
fn what_was_held_is_decided_by_the_next_sync_once_there_is_a_judge_for_it() {
    let chat = Chat::start(knows_roses);
    let (portal, mut here) = start(&chat);
    let endpoint = here.settings.remove("HUBLORE_MODEL__BASE_URL").unwrap();
    let (garden, engine) = (note(&portal, "We planted roses."), note(&portal, "The engine is loud."));
    here.run(&["rules", "add", "topic", "gardening"]).ok();
    sync(&here);
    let decisions = "select id || ' ' || decision from hubspot_engagements order by id";
    let all = |what: [&str; 2]| {
        let mut all = vec![format!("{garden} {}", what[0]), format!("{engine} {}", what[1])];
        all.sort();
        all
    };
    assert_eq!(here.texts(decisions), all(["held", "held"]));
    let held = |status: &Value| status["totals"]["by_kind"]["note"]["held"].clone();
    assert_eq!(held(&here.run(&["status", "--json"]).ok().json()), 2);
    sync(&here);
    assert_eq!(here.texts(decisions), all(["held", "held"]), "the same judge says the same");

    here.settings.insert("HUBLORE_MODEL__BASE_URL".to_owned(), endpoint);
    sync(&here);
    assert_eq!(here.texts(decisions), all(["learned", "skipped"]));
    assert_eq!(held(&here.run(&["status", "--json"]).ok().json()), 0);
    assert_eq!(here.search("roses").len(), 1);
    here.verify();
}

#[test]
fn secrets_stay_and_a_server_asks_by_itself() {
    let chat = Chat::start(finds("yard", "environment.place"));
    let (portal, mut here) = start(&chat);
    here.settings.insert("HUBLORE_PRIVACY__MASK_SECRETS".to_owned(), "false".to_owned());
    let id = note(
        &portal,
        "The boxes stand in the yard. The door code is kept apart, password: Hunter2horse!, card 4111 1111 1111 1111.",
    );
    let server = here.serve();
    let key =
        serde_json::from_str::<Value>(&std::fs::read_to_string(here.data().join("server.json")).unwrap())
            .unwrap();
    let bearer = key
        .as_object()
        .unwrap()
        .values()
        .filter_map(Value::as_str)
        .find(|v| !v.contains(':'))
        .map(str::to_owned);
    server
        .request("POST", "/api/v1/admin/sync", bearer.as_deref(), Some(&json!({"mode": "full_resync"})))
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(60);
    while slots(&here, &id) != ["environment.place"] {
        assert!(Instant::now() < deadline, "{} {:?}", state(&here, "facts", &id), chat.asked());
        std::thread::sleep(Duration::from_millis(100));
    }
    server.stop();
    let sent: String = chat.asked().iter().map(Value::to_string).collect();
    assert!(
        !sent.contains("Hunter2horse") && !sent.contains("4111 1111") && !sent.contains("sk-test-secret"),
        "{sent}"
    );
}

#[test]
fn dst_2_a_hundred_injected_mails_end_to_end_and_none_is_a_fact() {
    // The model says yes to everything it is shown.
    let chat = Chat::start(|body| {
        let mut facts = Vec::new();
        for (n, engagement) in data(body)["engagements"].as_array().unwrap().iter().enumerate() {
            for clause in engagement["clauses"].as_array().into_iter().flatten() {
                let slot =
                    ["billing.credit", "budget.price", "account_owner.owner", "product_use.plan"][n % 4];
                facts.push(
                    json!({"e": engagement["e"], "first": clause["n"], "last": clause["n"], "slot": slot}),
                );
            }
        }
        says(&json!({ "facts": facts }))
    });
    let (portal, mut here) = start(&chat);
    for limit in ["DAY", "CUSTOMER", "SYNC"] {
        here.settings.insert(format!("HUBLORE_MODEL__TOKENS_PER_{limit}"), "0".to_owned());
    }
    let contact = portal.ids("contacts")[0].clone();
    let mails: Vec<&str> = include_str!("../../src/insights/extractive/injected.txt")
        .lines()
        .filter(|l| !l.starts_with('#'))
        .collect();
    for (n, line) in mails.iter().enumerate() {
        let body = line.splitn(4, '|').nth(3).unwrap();
        let html = if body.starts_with('<') && !body.starts_with("<|") {
            body.to_owned()
        } else {
            format!("<p>{}</p>", body.replace('<', "&lt;"))
        };
        portal.post("/__sim/objects/emails", &json!({
            "properties": {"hs_email_html": html, "hs_email_subject": format!("case {n}"), "hs_email_direction": "INCOMING_EMAIL",
                "hs_timestamp": format!("2026-11-19T{:02}:{:02}:00Z", n / 60, n % 60)},
            "associations": {"contacts": [contact]}
        }));
    }
    sync(&here);
    assert!(
        chat.asked().len() > 5
            && here.number("select count(*) from hubspot_engagements where decision = 'learned'") >= 90
    );
    let rows = "select e.title || '|' || i.slot || '|' || substr(cast(p.text as blob), \
                i.evidence_start + 1, i.evidence_end - i.evidence_start) from insights i join hubspot_engagements e \
                on e.kind = i.engagement_kind and e.id = i.engagement join passages p on p.kind = e.kind \
                and p.engagement = e.id and p.id = e.passage_ids ->> i.passage where i.claim = 0";
    let mut wrong = Vec::new();
    for row in here.texts(rows) {
        let columns: Vec<&str> = row.splitn(3, '|').collect();
        let number: usize = columns[0].trim_start_matches("case ").parse().unwrap();
        let words = mails[number].split('|').nth(1).unwrap();
        if words.split(',').any(|word| columns[2].to_lowercase().contains(&word.to_lowercase())) {
            wrong.push(row);
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
