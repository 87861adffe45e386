//! Learning rules from outside: what they keep out and bring back, what a dry run promises, what a sync meanwhile does.

use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Installation, Portal};

/// A portal with three people and these notes, read.
fn with_notes(notes: &[&str]) -> (Portal, Installation) {
    let portal = Portal::start(&["--contacts", "3", "--engagements-per-contact", "0"]);
    let contact = portal.ids("contacts")[0].clone();
    for note in notes {
        let record = json!({
            "properties": {"hs_note_body": format!("<p>{note}</p>"), "hs_timestamp": "2026-11-20T10:00:00Z"},
            "associations": {"contacts": [contact]}
        });
        portal.post("/__sim/objects/notes", &record);
    }
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync", "--json"]).ok();
    (portal, here)
}

fn rules(here: &Installation, arguments: &[&str]) -> Value {
    let mut all = vec!["rules"];
    all.extend(arguments);
    all.push("--json");
    here.run(&all).ok().json()
}

fn add(here: &Installation, rule_type: &str, text: &str) -> String {
    rules(here, &["add", rule_type, text])["id"].as_str().unwrap().to_owned()
}

fn insights(here: &Installation) -> Vec<String> {
    here.texts("select engagement_kind || engagement || hash from insights order by 1")
}

/// Everything rules decide about rows, and what hangs on it.
fn decisions(here: &Installation) -> Vec<String> {
    here.texts(
        "select kind || ' ' || id || ' ' || decision || ' ' || coalesce(reason, '') || ' ' || coalesce(rule, '') \
         || ' ' || coalesce(own_passages, '') from hubspot_engagements order by kind, id",
    )
}

#[test]
fn nxt_3_rul_1_f4_a_keyword_takes_a_body_out_and_its_row_comes_back_without_hubspot() {
    let (portal, here) = with_notes(&[
        "The pelicanword contract renews in March.<br>Last line: this is CONFIDENTIAL",
        "The heronword contract renews in May.",
        "<span style=\"display:none\">strictly internal</span> The gullword invoice is monthly please.",
    ]);
    let before = (decisions(&here), insights(&here));
    assert_eq!(here.search("pelicanword").len(), 1);
    assert!(before.1.len() >= 2, "{before:?}");

    portal.post("/__sim/journal/reset", &json!({}));
    let confidential = add(&here, "keyword", "confidential");
    let hidden = add(&here, "keyword", "strictly  INTERNAL");
    let applied = rules(&here, &["apply"]);
    assert_eq!(applied["learned_to_skipped"], 2, "{applied}");
    assert!(here.search("pelicanword").is_empty() && here.search("gullword").is_empty());
    assert_eq!(here.search("heronword").len(), 1, "the others stay");
    let kept = "select count(*) from hubspot_engagements";
    assert_eq!(here.number(kept), 3, "rows and counts stay");
    assert_eq!(insights(&here).len(), 1, "only the learned note has its insight");
    let status = here.run(&["status", "--json"]).ok().json();
    assert_eq!(status["totals"]["by_kind"]["note"]["skipped"]["keyword_rule"], 2, "{status}");
    let skipped = here.texts("select id from hubspot_engagements where decision = 'skipped' order by id");
    let explained = here.run(&["explain", &skipped[0], "--json"]).ok().json();
    assert_eq!((&explained["code"], &explained["rule"]), (&json!("skipped_by_rule"), &json!(confidential)));
    let ruling = &explained["ruling"];
    assert_eq!((&ruling["version"], &ruling["judge"]), (&json!(1), &json!("keyword")), "{explained}");
    let told = here.run(&["explain", &skipped[0]]).ok().stdout;
    assert!(told.contains(&format!("rule {confidential} version 1, judged by keyword: ")), "{told}");
    let ruling = here.texts("select rule || ' ' || version || ' ' || outcome || ' ' || reason || ' ' || judge from rule_decisions order by id");
    assert_eq!(ruling[0], format!("{confidential} 1 skipped holds \"confidential\" keyword"));
    here.verify();

    rules(&here, &["remove", &hidden]);
    rules(&here, &["edit", &confidential, "--enabled", "false"]);
    let applied = rules(&here, &["apply"]);
    assert_eq!(applied["skipped_to_learned"], 2, "{applied}");
    assert_eq!((decisions(&here), insights(&here)), before, "everything is as it was");
    assert_eq!(here.search("pelicanword").len(), 1);
    assert_eq!(here.number("select count(*) from rule_decisions"), 0);
    here.verify();
    assert_eq!(portal.json("/__sim/journal")["total"], 0, "HubSpot was never asked");
}

#[test]
fn rul_1_substrings_kinds_and_word_edges() {
    let (_portal, here) = with_notes(&["A personalised offer.", "A personal matter.", "Nothing here."]);
    let id = add(&here, "keyword", "personal");
    assert_eq!(rules(&here, &["test"])["learned_to_skipped"], 1, "words end at edges");
    rules(&here, &["edit", &id, "--substring", "true"]);
    assert_eq!(rules(&here, &["test"])["learned_to_skipped"], 2);
    rules(&here, &["edit", &id, "--kind", "email"]);
    assert_eq!(rules(&here, &["test"])["learned_to_skipped"], 0, "notes are no e-mails");
    rules(&here, &["edit", &id, "--all-kinds"]);
    assert_eq!(rules(&here, &["list"])["rules"][0]["version"], 4);
    let same = rules(&here, &["edit", &id, "--substring", "true", "--text", " personal "]);
    assert_eq!(same["version"], 4, "the same rule again is no other rule: {same}");
    for wrong in [
        &["rules", "add", "keyword", " ... "][..],
        &["rules", "add", "filter", "x"],
        &["rules", "edit", "r_none", "--text", "x"],
        &["rules", "add", "topic", "x", "--kind", "fax"],
    ] {
        assert_eq!(here.run(wrong).code, Some(2), "{wrong:?}");
    }
    assert_eq!(rules(&here, &["list"])["rules"].as_array().unwrap().len(), 1, "nothing else was stored");
}

#[test]
fn rul_2_topics_are_alternatives_and_none_lets_everything_pass() {
    let (_portal, here) = with_notes(&[
        "Please send our invoices monthly, the invoice of May has not arrived and the payment is open.",
        "The mobile app crashes whenever somebody clocks out, and the export is broken since the update.",
        "Lovely lunch with the whole team yesterday, the fish was great and so was the weather at the lake.",
    ]);
    assert_eq!(here.number("select count(*) from hubspot_engagements where decision = 'learned'"), 3);
    add(&here, "topic", "Billing and invoices");
    add(&here, "topic", "Bug reports");
    let applied = rules(&here, &["apply"]);
    assert_eq!(applied["learned_to_skipped"], 1, "{applied}");
    assert_eq!(here.search("lunch").len(), 0);
    assert_eq!(here.number("select count(*) from rule_decisions where outcome = 'learned'"), 2);
    assert_eq!(here.number("select count(*) from rule_decisions where judge like 'concepts%'"), 3);
}

#[test]
fn an_unsure_topic_is_held_visible_and_decided_by_the_setting() {
    let (_portal, mut here) = with_notes(&["The bees are fine this week."]);
    let known = rules(&here, &["add", "topic", "Invoices", "--disabled"]);
    assert_eq!((&known["meaning"], &known["note"]), (&json!(["about billing"]), &Value::Null));
    let unknown = rules(&here, &["add", "topic", "Beekeeping and honey"]);
    assert!(unknown["note"].as_str().unwrap().contains("holds the rest"), "{unknown}");
    let applied = rules(&here, &["apply"]);
    assert_eq!((&applied["learned_to_held"], &applied["held"]), (&json!(1), &json!(1)), "{applied}");
    assert!(here.search("bees").is_empty());
    let status = here.run(&["status", "--json"]).ok().json();
    assert_eq!(status["totals"]["by_kind"]["note"]["held"], 1, "{status}");
    let id = here.texts("select id from hubspot_engagements").remove(0);
    assert_eq!(here.run(&["explain", &id, "--json"]).ok().json()["code"], "held");
    for (setting, decision, found) in [("learn", "learned", 1), ("skip", "skipped", 0), ("hold", "held", 0)] {
        here.settings.insert("HUBLORE_RULES__UNSURE".to_owned(), setting.to_owned());
        rules(&here, &["apply"]);
        assert_eq!(here.texts("select decision from hubspot_engagements"), [decision], "{setting}");
        assert_eq!(here.search("bees").len(), found, "{setting}");
    }
}

#[test]
fn f3_a_dry_run_counts_exactly_what_applying_then_does() {
    let portal = Portal::start(&["--contacts", "80", "--seed", "23"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync", "--json"]).ok();
    let fresh = (decisions(&here), insights(&here));
    for (rule_type, text) in [
        ("keyword", "renewal"),
        ("topic", "Contract renewals"),
        ("topic", "Billing and invoices"),
        ("topic", "Beekeeping and honey"),
    ] {
        let promised = rules(&here, &["test", rule_type, text]);
        let again = rules(&here, &["test", rule_type, text]);
        assert_eq!(promised, again, "a dry run changes nothing");
        add(&here, rule_type, text);
        let mut done = rules(&here, &["apply"]);
        // The samples name a rule that had no id yet.
        let mut promised = promised;
        for sample in
            [&mut promised, &mut done].into_iter().flat_map(|one| one["samples"].as_array_mut().unwrap())
        {
            sample["rule"] = Value::Null;
        }
        assert_eq!(promised, done, "{rule_type} {text}");
        let rest = rules(&here, &["test"]);
        for name in ["learned_to_skipped", "skipped_to_learned", "learned_to_held", "held_to_learned"] {
            assert_eq!(rest[name], 0, "nothing is left to do: {rest}");
        }
        here.verify();
    }
    for rule in rules(&here, &["list"])["rules"].as_array().unwrap() {
        rules(&here, &["remove", rule["id"].as_str().unwrap()]);
    }
    rules(&here, &["apply"]);
    assert_eq!((decisions(&here), insights(&here)), fresh, "without rules everything is as it was");
    here.verify();
}

#[test]
fn near_copies_are_right_after_rules_came_and_went() {
    let portal = Portal::start(&["--contacts", "6", "--engagements-per-contact", "0"]);
    let text = "here is the offer we talked about last week, please tell me whether the term of two years fits, \
                and whether the units should go to the main site or to the new hall behind the station";
    for (at, contact) in portal.ids("contacts").iter().enumerate() {
        let word = if at == 0 {
            "<p>PS: pelicanword only for you and nobody else in the whole world</p>"
        } else {
            ""
        };
        let mail = json!({
            "properties": {
                "hs_email_subject": "The offer", "hs_email_direction": "EMAIL",
                "hs_email_html": format!("<p>Hello,</p><p>{text}</p>{word}"),
                "hs_timestamp": format!("2026-11-1{at}T10:00:00Z"),
            },
            "associations": {"contacts": [contact]}
        });
        portal.post("/__sim/objects/emails", &mail);
    }
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync", "--json"]).ok();
    let documents =
        |here: &Installation| here.run(&["index", "verify", "--json"]).ok().json()["indexed"].clone();
    let copies = "select count(*) from hubspot_engagements where reason = 'near_copy'";
    let (before, stood_for) = (documents(&here), here.number(copies));
    assert!(stood_for >= 4, "{stood_for} copies");

    let one = add(&here, "keyword", "pelicanword");
    let applied = rules(&here, &["apply"]);
    assert_eq!(applied["learned_to_skipped"], 1, "{applied}");
    assert!(here.search("pelicanword").is_empty());
    assert_eq!(here.search("units station hall").len(), 1, "another copy stands for the rest");
    here.verify();

    let all = add(&here, "keyword", "new hall");
    assert_eq!(rules(&here, &["apply"])["learned_to_skipped"], 5);
    assert!(here.search("units station hall").is_empty());
    assert_eq!(here.number("select count(*) from templates"), 0);
    rules(&here, &["remove", &one]);
    rules(&here, &["remove", &all]);
    assert_eq!(rules(&here, &["apply"])["skipped_to_learned"], 6);
    assert_eq!((documents(&here), here.number(copies)), (before, stood_for));
    here.verify();
}

#[test]
fn rul_3_an_instruction_shapes_insights_and_filters_nothing() {
    let (_portal, here) = with_notes(&[
        "The contract renews in March. We are very happy with the support, thank you.",
        "Please send our invoices monthly.",
    ]);
    let kinds = |here: &Installation| here.texts("select distinct kind from insights order by kind");
    let learned = decisions(&here);
    assert!(kinds(&here).contains(&"renewal".to_owned()), "{:?}", kinds(&here));
    let added = rules(&here, &["add", "instruction", "Leave out contract ends."]);
    assert_eq!(added["meaning"], json!(["leaves out renewal"]), "{added}");
    let applied = rules(&here, &["apply"]);
    assert_eq!(applied["learned_to_skipped"], 0, "{applied}");
    assert_eq!(decisions(&here), learned, "the same is learned with and without");
    assert!(!kinds(&here).contains(&"renewal".to_owned()), "the distiller was told: {:?}", kinds(&here));
    let stamp = format!("{}@1", added["id"].as_str().unwrap());
    assert_eq!(here.texts("select distinct rules from insights"), [stamp], "stored with every insight");
    let poetic = rules(&here, &["add", "instruction", "Write like a poet."]);
    assert!(poetic["note"].as_str().unwrap().contains("names none"), "the operator is told: {poetic}");
    here.verify();
}

#[test]
fn a_rule_that_comes_while_a_sync_runs_loses_neither() {
    let portal =
        Portal::start(&["--contacts", "150", "--engagements-per-contact", "20", "--latency-ms", "10-30"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let server = here.serve();
    let mut sync = here.command(&["sync", "--quiet"]).stdout(Stdio::null()).spawn().unwrap();
    let stored = || here.number("select count(*) from hubspot_engagements");
    let deadline = Instant::now() + Duration::from_secs(60);
    while stored() < 300 {
        assert!(Instant::now() < deadline, "nothing is read");
        std::thread::sleep(Duration::from_millis(5));
    }
    add(&here, "keyword", "invoice");
    rules(&here, &["apply"]);
    assert!(sync.try_wait().unwrap().is_none(), "the rule came and was applied while the sync ran");
    assert!(sync.wait().unwrap().success());
    assert_eq!(server.stop(), Some(0));
    for (kind, record_type) in
        [("email", "emails"), ("note", "notes"), ("call", "calls"), ("meeting", "meetings")]
    {
        assert_eq!(here.ids(kind), portal.ids(record_type), "{kind}");
    }
    let skipped = here.number("select count(*) from hubspot_engagements where reason = 'keyword_rule'");
    assert!(skipped > 20, "{skipped}");
    let rest = rules(&here, &["test"]);
    assert_eq!((&rest["learned_to_skipped"], &rest["skipped_to_learned"]), (&json!(0), &json!(0)), "{rest}");
    assert_eq!(here.number("select count(*) from engagements_due"), 0);
    here.verify();
}

/// Rules that cannot do what was meant say so when they are made.
#[test]
fn a_rule_made_twice_is_refused_and_a_topic_that_says_what_not_is_noted() {
    let (_portal, here) = with_notes(&["Nothing here."]);
    let first = add(&here, "keyword", "Strictly private");
    let again = here.run(&["rules", "add", "keyword", "strictly PRIVATE"]);
    assert_eq!(again.code, Some(2), "{again:?}");
    assert!(again.stderr.contains(&format!("rule `{first}` says the same already")), "{again:?}");
    rules(&here, &["add", "keyword", "strictly private", "--kind", "note"]);
    let note = rules(&here, &["add", "topic", "Everything but no invoices"])["note"].clone();
    assert!(note.as_str().is_some_and(|text| text.contains("with a keyword rule")), "{note}");
    assert_eq!(rules(&here, &["add", "topic", "Billing and invoices"])["note"], Value::Null);
}

#[test]
fn rules_over_http_are_the_operators_alone() {
    let (_portal, here) = with_notes(&["The pelicanword is confidential."]);
    let key =
        here.run(&["agents", "create", "helper", "--json"]).ok().json()["key"].as_str().unwrap().to_owned();
    let server = here.serve();
    let file: Value =
        serde_json::from_slice(&std::fs::read(here.data().join("server.json")).unwrap()).unwrap();
    let admin = file["key"].as_str().unwrap();
    let ask = |method: &str, path: &str, key: &str, body: Option<&Value>| {
        let (status, text) = server.request(method, path, Some(key), body).unwrap();
        (status, serde_json::from_str::<Value>(&text).unwrap_or(Value::Null))
    };
    let rule = json!({"type": "keyword", "text": "confidential"});
    assert_eq!(ask("POST", "/api/v1/admin/rules", &key, Some(&rule)).0, 403, "an agent may not");
    let promised = ask("POST", "/api/v1/admin/rules/test", admin, Some(&json!({"add": [rule]})));
    assert_eq!((promised.0, &promised.1["learned_to_skipped"]), (200, &json!(1)), "{promised:?}");
    assert_eq!(promised.1["samples"][0]["reason"], "holds \"confidential\"");
    let (status, made) = ask("POST", "/api/v1/admin/rules", admin, Some(&rule));
    assert_eq!(status, 201, "{made}");
    let path = format!("/api/v1/admin/rules/{}", made["id"].as_str().unwrap());
    let (_, edited) = ask("PATCH", &path, admin, Some(&json!({"text": "pelicanword"})));
    assert_eq!((&edited["version"], &edited["text"]), (&json!(2), &json!("pelicanword")));
    let (_, applied) = ask("POST", "/api/v1/admin/rules/apply", admin, Some(&json!({})));
    assert_eq!(applied["learned_to_skipped"], 1, "{applied}");
    assert_eq!(ask("GET", "/api/v1/admin/rules", admin, None).1["rules"].as_array().unwrap().len(), 1);
    assert_eq!(ask("DELETE", &path, admin, None).0, 200);
    assert_eq!(ask("DELETE", &path, admin, None).0, 404);
    let wrong =
        ask("POST", "/api/v1/admin/rules", admin, Some(&json!({"type": "keyword", "text": "x", "color": 1})));
    assert_eq!(wrong.0, 400, "{wrong:?}");
    // The command line asks the server that owns the data folder.
    assert_eq!(rules(&here, &["apply"])["skipped_to_learned"], 1);
    assert_eq!(server.stop(), Some(0));
}
