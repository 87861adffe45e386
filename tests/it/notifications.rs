//! Slack: who is told of what and when, what a message says, and that none is lost, doubled or too much.

use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::support::{Installation, Portal, Server};
use crate::text_secrets::seeded;

#[expect(clippy::disallowed_methods, reason = "the portal runs on the machine's time here")]
pub(crate) fn now() -> String {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis().to_string()
}

/// A portal on the machine's time, Slack beside it, and an installation that has read all of it.
pub(crate) fn synced(contacts: &str) -> (Portal, Installation) {
    let portal = Portal::start(&["--contacts", contacts, "--engagements-per-contact", "0", "--now", &now()]);
    let mut here = Installation::for_portal(&portal);
    let slack = format!("{}/__slack", portal.address);
    here.settings.insert("HUBLORE_SLACK__API_BASE".to_owned(), format!("{slack}/api"));
    here.settings.insert("HUBLORE_SLACK__WEBHOOK_BASE".to_owned(), slack);
    here.connect_with_key();
    sync(&here, "full_resync");
    (portal, here)
}

/// The same, posting by an incoming webhook or as a bot.
pub(crate) fn posting(by: fn(&Portal, &Installation)) -> (Portal, Installation) {
    let (portal, here) = synced("3");
    by(&portal, &here);
    here.run(&["slack", "enable"]).ok();
    portal.post("/__slack/journal/reset", &json!({}));
    (portal, here)
}

fn file(here: &Installation, text: &str) -> String {
    let path = here.folder().join("slack-secret");
    std::fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

pub(crate) fn webhook(portal: &Portal, here: &Installation) {
    let address = file(here, &format!("{}/__slack/services/T0/B0/canaryaddress\n", portal.address));
    here.run(&["slack", "connect", "--webhook", &address]).ok();
}

pub(crate) fn bot(_: &Portal, here: &Installation) {
    let token = file(here, "xoxb-canarytoken");
    here.run(&["slack", "connect", "--bot-token", &token, "--channel", "#sales"]).ok();
}

pub(crate) fn sync(here: &Installation, mode: &str) {
    let report = here.run(&["sync", mode, "--json"]).ok().json();
    assert_eq!(report["outcome"], "complete", "{report}");
}

pub(crate) fn record(portal: &Portal, record_type: &str, properties: Value, contacts: &[&str]) -> String {
    let body = json!({"properties": properties, "associations": {"contacts": contacts}});
    let made: Value =
        serde_json::from_str(&portal.post(&format!("/__sim/objects/{record_type}"), &body)).unwrap();
    made["id"].as_str().map(str::to_owned).unwrap_or_else(|| made["id"].to_string())
}

pub(crate) fn note(portal: &Portal, text: &str) -> String {
    let contact = portal.ids("contacts")[0].clone();
    record(portal, "notes", json!({"hs_note_body": format!("<p>{text}</p>")}), &[&contact])
}

/// Messages about engagements that Slack was sent, whatever it answered.
pub(crate) fn messages(portal: &Portal) -> Vec<Value> {
    let calls = portal.json("/__slack/journal");
    let calls = calls["calls"].as_array().unwrap().iter().map(|call| call["body"].clone());
    calls.filter(|body| body["blocks"].is_array()).collect()
}

pub(crate) fn texts(portal: &Portal) -> String {
    messages(portal).iter().map(Value::to_string).collect::<Vec<_>>().join("\n")
}

/// Engagements that messages tell of: each has its own link.
pub(crate) fn told(portal: &Portal) -> usize {
    texts(portal).matches("Open in HubSpot").count()
}

/// Waits until `done`, at most that many seconds; answers how long it took.
pub(crate) fn within(seconds: u64, what: &str, done: impl Fn() -> bool) -> Duration {
    let started = Instant::now();
    while !done() {
        assert!(started.elapsed() < Duration::from_secs(seconds), "not within {seconds} s: {what}");
        std::thread::sleep(Duration::from_millis(50));
    }
    started.elapsed()
}

/// Long enough for everything that waits to have been posted.
pub(crate) fn a_while() {
    std::thread::sleep(Duration::from_millis(2_500));
}

pub(crate) fn state(here: &Installation) -> Value {
    here.run(&["slack", "status", "--json"]).ok().json()
}

pub(crate) fn waits(here: &Installation) -> i64 {
    here.number("select count(*) from notifications where delivery is null and dropped is null")
}

#[test]
fn gen_5_not_1_one_of_eight_combinations_posts_and_nothing_is_kept_for_later() {
    let (portal, here) = synced("2");
    let switch = |on: bool| if on { "on" } else { "off" };
    for combination in 0..8 {
        let [mode, connected, enabled] = [4, 2, 1].map(|bit| combination & bit != 0);
        here.run(&["modes", "notifications", switch(mode)]).ok();
        here.run(&["slack", if enabled { "enable" } else { "disable" }]).ok();
        if connected {
            webhook(&portal, &here);
        } else {
            here.run(&["slack", "disconnect"]);
        }
        note(&portal, &format!("combination number{combination}"));
        sync(&here, "catch_up");
        assert_eq!(waits(&here), i64::from(combination == 7), "{combination}");
    }
    portal.post("/__slack/journal/reset", &json!({}));
    let _server = here.serve();
    within(10, "the one post", || told(&portal) == 1);
    a_while();
    let all = messages(&portal);
    assert!(all.len() == 1 && all[0].to_string().contains("number7"), "{all:?}");
}

#[test]
fn a_fresh_installation_posts_nothing_until_a_person_enables_the_type() {
    let (portal, here) = synced("2");
    webhook(&portal, &here);
    let seen = state(&here);
    assert_eq!(seen["types"][0]["type"], "new_hubspot_engagement");
    assert_eq!(seen["types"][0]["enabled"], false, "{seen}");
    let modes = here.run(&["status", "--json"]).ok().json()["modes"]["notifications"].clone();
    assert_eq!(modes, json!({"stored": null, "effective": true}));
    note(&portal, "quiet");
    sync(&here, "catch_up");
    assert_eq!(here.number("select count(*) from notifications"), 0);
    assert!(messages(&portal).is_empty(), "connecting posts nothing");
}

#[test]
fn not_3_to_not_6_a_message_says_kind_who_what_and_where() {
    let (portal, here) = posting(bot);
    let contact = portal.ids("contacts")[0].clone();
    portal.patch(
        &format!("/__sim/objects/contacts/{contact}"),
        &json!({"properties": {"firstname": "Nina <!channel>", "lastname": "Berg & Co"}}),
    );
    let long = "🇩🇪👩‍👩‍👧‍👦".repeat(60);
    let mail = format!(
        "<p>&lt;!channel&gt; &lt;@U024BE7LH&gt; @here <a href=\"http://evil.example\">invoice</a> {long}</p><blockquote>quotedword</blockquote>"
    );
    let ids = [
        record(
            &portal,
            "emails",
            json!({"hs_email_html": mail, "hs_email_subject": "Renewal <b>", "hs_email_direction": "INCOMING_EMAIL"}),
            &[&contact],
        ),
        record(&portal, "notes", json!({"hs_note_body": "<p>noteword</p>"}), &[&contact]),
        record(
            &portal,
            "calls",
            json!({"hs_call_body": "<p>callword</p>", "hs_call_title": "Weekly"}),
            &[&contact],
        ),
        record(
            &portal,
            "meetings",
            json!({"hs_meeting_body": "<p>meetingword</p>", "hs_meeting_title": "Kick-off"}),
            &[],
        ),
    ];
    let server = here.serve();
    sync(&here, "catch_up");
    within(10, "four are told", || told(&portal) == 4);
    let (all, messages) = (texts(&portal), messages(&portal));
    for word in [
        "New email",
        "New note",
        "New call",
        "New meeting",
        "noteword",
        "callword",
        "meetingword",
        "unknown contact",
        "Weekly",
        "Renewal",
    ] {
        assert!(all.contains(word), "{word}: {all}");
    }
    let company =
        here.texts("select c.name from companies c join end_users u on u.company = c.id order by u.id");
    assert!(company.is_empty() || all.contains(&company[0].replace('&', "&amp;")), "{company:?} {all}");
    assert!(all.contains("Nina &lt;!channel&gt; Berg &amp; Co"), "{all}");
    assert!(
        !all.contains("quotedword") && !all.contains("<!") && !all.contains("<@") && !all.contains("@here"),
        "{all}"
    );
    let portal_id = here.texts("select cast(portal as text) from connections")[0].clone();
    for id in &ids {
        assert!(all.contains(&format!("/{portal_id}/")) && all.contains(id.as_str()), "{id}: {all}");
    }
    for block in messages.iter().flat_map(|one| one["blocks"].as_array().unwrap()) {
        match block["type"].as_str().unwrap() {
            "section" => {
                assert_eq!(block["text"]["type"], "plain_text", "words of customers are no markup: {block}");
                let longest =
                    block["text"]["text"].as_str().unwrap().lines().map(|l| l.chars().count()).max();
                assert!(longest.unwrap() <= 320, "{block}");
            }
            _ => assert!(block["elements"][0]["text"].as_str().unwrap().starts_with("<http"), "{block}"),
        }
    }
    assert!(messages.iter().all(|one| one["channel"] == "C0SALES" && one["unfurl_links"] == false));
    drop(server);
}

#[test]
fn not_2_an_engagement_is_told_once_whoever_sees_it_again() {
    let (portal, here) = posting(webhook);
    let first = note(&portal, "firstword");
    let server = here.serve();
    sync(&here, "catch_up");
    within(10, "the first", || told(&portal) == 1);
    sync(&here, "catch_up");
    note(&portal, "secondword");
    portal.patch(
        &format!("/__sim/objects/notes/{first}"),
        &json!({"properties": {"hs_note_body": "changedword"}}),
    );
    sync(&here, "full_resync");
    sync(&here, "catch_up");
    portal.delete(&format!("/__sim/objects/notes/{first}"));
    sync(&here, "full_resync");
    note(&portal, "thirdword");
    sync(&here, "catch_up");
    within(10, "the third", || told(&portal) == 2);
    a_while();
    let all = texts(&portal);
    assert!(told(&portal) == 2 && all.contains("firstword") && all.contains("thirdword"), "{all}");
    drop(server);
}

#[test]
fn not_7_nxt_2_a_message_is_there_within_ten_seconds_and_the_settings_say_where() {
    let (portal, here) = posting(bot);
    here.run(&["slack", "enable", "--channel", "ops"]).ok();
    let seen = state(&here);
    assert_eq!(seen["types"][0]["channel"], "ops", "{seen}");
    assert_eq!(
        (&seen["connection"]["channel"], &seen["connection"]["team"]),
        (&json!("sales"), &json!("Vendor Example"))
    );
    let server = here.serve();
    note(&portal, "promptword");
    sync(&here, "catch_up");
    let took = within(10, "the message", || told(&portal) == 1);
    assert!(took < Duration::from_secs(10));
    assert_eq!(messages(&portal)[0]["channel"], "C0OPS");
    within(5, "the log", || {
        here.run(&["slack", "deliveries", "--json"]).ok().json()["deliveries"][0]["state"] == "sent"
    });
    let key = admin_key(&here);
    let (status, body) = server.request("GET", "/api/v1/admin/slack/deliveries", Some(&key), None).unwrap();
    assert!(status == 200 && body.contains("\"ops\""), "{body}");
    let (status, body) = server.request("GET", "/api/v1/admin/slack/channels", Some(&key), None).unwrap();
    assert!(status == 200 && body.contains("C0SALES"), "{body}");
    let (status, _) = server.request("GET", "/api/v1/admin/slack", None, None).unwrap();
    assert_eq!(status, 401);
}

fn admin_key(here: &Installation) -> String {
    let text = std::fs::read_to_string(here.data().join("server.json")).unwrap();
    serde_json::from_str::<Value>(&text).unwrap()["key"].as_str().unwrap().to_owned()
}

#[test]
fn not_8_history_is_no_news_whoever_reads_it() {
    let portal = Portal::start(&["--contacts", "40", "--engagements-per-contact", "12", "--now", &now()]);
    let mut here = Installation::for_portal(&portal);
    let slack = format!("{}/__slack", portal.address);
    here.settings.insert("HUBLORE_SLACK__WEBHOOK_BASE".to_owned(), slack);
    // As if everything had happened just now.
    here.settings.insert("HUBLORE_SLACK__MAX_AGE_HOURS".to_owned(), "8000".to_owned());
    here.connect_with_key();
    webhook(&portal, &here);
    here.run(&["slack", "enable"]).ok();
    // A first reading that is called catch_up is one all the same.
    sync(&here, "catch_up");
    assert!(here.number("select count(*) from hubspot_engagements") > 400);
    let contact = portal.ids("contacts")[0].clone();
    let mail = json!({"hs_email_html": "<p>one</p>", "hs_email_direction": "INCOMING_EMAIL"});
    for mode in ["full_resync", "email_catch_up", "backfill_transcripts"] {
        record(&portal, "emails", mail.clone(), &[&contact]);
        sync(&here, mode);
    }
    assert_eq!(here.number("select count(*) from notifications"), 0);
    here.settings.remove("HUBLORE_SLACK__MAX_AGE_HOURS");
    let old = json!({"hs_note_body": "<p>three days ago</p>", "hs_timestamp": (now().parse::<i64>().unwrap() - 3 * 86_400_000).to_string()});
    record(&portal, "notes", old, &[&contact]);
    sync(&here, "catch_up");
    // The mail that the transcripts' run did not read is news.
    assert_eq!(here.texts("select kind from notifications"), ["email"]);
}

#[test]
fn a_credential_is_tried_before_it_is_kept_and_never_shown() {
    let (portal, mut here) = synced("2");
    portal.post("/__slack/script", &json!([{"status": 200, "body": {"ok": false, "error": "invalid_auth"}}]));
    let token = file(&here, "xoxb-canarytoken");
    let refused = here.run(&["slack", "connect", "--bot-token", &token, "--channel", "sales"]);
    assert!(refused.code == Some(3) && refused.stderr.contains("invalid_auth"), "{refused:?}");
    assert_eq!(state(&here)["connection"], Value::Null);
    for bad in
        ["https://hooks.slack.com.evil.example/services/x", "http://127.0.0.1:9/services/x", "canarynonsense"]
    {
        let refused = here.run(&["slack", "connect", "--webhook", &file(&here, bad)]);
        assert!(refused.code == Some(2) && !refused.stderr.contains(bad), "{refused:?}");
    }
    webhook(&portal, &here);
    here.settings.insert("HUBLORE_LOG__LEVEL".to_owned(), "trace".to_owned());
    let outputs = [
        ["slack", "status"],
        ["status", "--json"],
        ["slack", "test"],
        ["doctor", "--json"],
        ["slack", "deliveries"],
    ];
    let mut seen: String =
        outputs.iter().map(|verb| here.run(verb)).map(|ran| ran.stdout + &ran.stderr).collect();
    // The same through a running server.
    let log = here.folder().join("log");
    let mut server = here.command(&["serve"]).stderr(std::fs::File::create(&log).unwrap()).spawn().unwrap();
    within(30, "it serves", || here.data().join("server.json").exists());
    bot(&portal, &here);
    let tried = here.run(&["slack", "test"]).ok();
    seen.push_str(&(tried.stdout + &tried.stderr + &here.run(&["slack", "status", "--json"]).stdout));
    server.kill().unwrap();
    server.wait().unwrap();
    let log = std::fs::read_to_string(log).unwrap();
    assert!(log.contains("TRACE"), "{log}");
    seen.push_str(&log);
    assert!(seen.contains("Vendor Example") && seen.contains("TRACE") && !seen.contains("canary"), "{seen}");
    for name in ["hublore.db", "hublore.db-wal"] {
        let bytes = std::fs::read(here.data().join(name)).unwrap_or_default();
        assert!(!bytes.windows(6).any(|part| part == b"canary"), "{name} holds a secret in clear");
    }
    assert!(texts(&portal).contains("hublore can post here."));
}

#[test]
fn what_a_rule_or_noise_keeps_out_is_not_told_and_what_waits_is_let_go_when_switched_off() {
    let (portal, here) = posting(webhook);
    here.run(&["rules", "add", "keyword", "confidential"]).ok();
    note(&portal, "strictly confidential herons");
    record(
        &portal,
        "emails",
        json!({
            "hs_email_text": "I am out of the office until Monday.", "hs_email_subject": "Automatic reply: offer", "hs_email_direction": "INCOMING_EMAIL",
        }),
        &[],
    );
    note(&portal, "open pelicans");
    sync(&here, "catch_up");
    assert_eq!(waits(&here), 1);
    // The rule that keeps it out may come later, too.
    note(&portal, "open gulls");
    sync(&here, "catch_up");
    here.run(&["rules", "add", "keyword", "gulls"]).ok();
    here.run(&["rules", "apply"]).ok();
    let server = here.serve();
    within(10, "the one", || told(&portal) == 1);
    a_while();
    let all = texts(&portal);
    assert!(
        all.contains("pelicans") && !all.contains("herons") && !all.contains("gulls") && told(&portal) == 1,
        "{all}"
    );
    drop(server);
    for (off, on) in [
        (vec!["modes", "notifications", "off"], vec!["modes", "notifications", "on"]),
        (vec!["slack", "disable"], vec!["slack", "enable"]),
    ] {
        note(&portal, "lateword");
        sync(&here, "catch_up");
        assert_eq!(waits(&here), 1);
        here.run(&off).ok();
        assert_eq!(waits(&here), 0);
        here.run(&on).ok();
    }
    let _server = here.serve();
    a_while();
    assert!(!texts(&portal).contains("lateword"));
}

#[test]
fn a_digest_waits_for_its_hour() {
    let (portal, here) = posting(webhook);
    here.run(&["slack", "enable", "--digest", "hourly"]).ok();
    for n in 0..3 {
        note(&portal, &format!("digestword {n}"));
    }
    sync(&here, "catch_up");
    // Not in the first seconds of an hour: what was queued before it would be due.
    let server = here.serve();
    if now().parse::<i64>().unwrap() % 3_600_000 < 3_590_000 {
        a_while();
        assert!(messages(&portal).is_empty() || now().parse::<i64>().unwrap() % 3_600_000 < 10_000);
    }
    drop(server);
    here.change("update notifications set queued_at = queued_at - 3600000");
    let _server = here.serve();
    within(10, "the digest", || told(&portal) == 3);
    assert_eq!(messages(&portal).len(), 1);
}

#[test]
fn a_thousand_seeded_secrets_and_none_reaches_slack() {
    let (portal, mut here) = posting(webhook);
    // Whatever the index may hold.
    here.settings.insert("HUBLORE_PRIVACY__MASK_SECRETS".to_owned(), "false".to_owned());
    let secrets = seeded();
    let contact = portal.ids("contacts")[0].clone();
    for two in secrets.chunks(2) {
        let mail = json!({
            "hs_email_subject": two[0].1, "hs_email_html": format!("<p>{}</p>", two[1].1),
            "hs_email_direction": "INCOMING_EMAIL",
        });
        record(&portal, "emails", mail, &[&contact]);
    }
    let server: Server = here.serve();
    sync(&here, "catch_up");
    let queued = usize::try_from(here.number("select count(*) from notifications")).unwrap();
    assert!(queued >= secrets.len() / 2 - 5, "{queued}");
    within(120, "all are told", || told(&portal) == queued);
    let all = texts(&portal);
    assert!(all.contains("[one_time_code]") && all.contains("[password]"));
    for (value, line) in &secrets {
        assert!(!all.contains(value.as_str()), "{line}");
    }
    drop(server);
}

#[test]
fn what_is_held_is_told_once_it_is_learned_and_what_is_tied_late_names_its_customer() {
    let (portal, here) = posting(webhook);
    let topic = here.run(&["rules", "add", "topic", "gardening", "--json"]).ok().json()["id"].clone();
    let server = here.serve();
    note(&portal, "We planted roses.");
    sync(&here, "catch_up");
    assert_eq!(here.texts("select decision from hubspot_engagements"), ["held"]);
    a_while();
    assert_eq!((told(&portal), waits(&here)), (0, 1));
    here.run(&["rules", "remove", topic.as_str().unwrap()]).ok();
    here.run(&["rules", "apply"]).ok();
    within(10, "it is told", || texts(&portal).contains("roses"));
    // HubSpot ties a note to its customer a little later than it shows it.
    let late = record(&portal, "notes", json!({"hs_note_body": "<p>lateword</p>"}), &[]);
    record(&portal, "notes", json!({"hs_note_body": "<p>looseword</p>"}), &[]);
    sync(&here, "catch_up");
    let contact = portal.ids("contacts")[0].clone();
    let tie = json!({"from_type": "notes", "from": late, "to_type": "contacts", "to": contact});
    portal.post("/__sim/associations", &tie);
    portal.patch(
        &format!("/__sim/objects/notes/{late}"),
        &json!({"properties": {"hs_note_body": "<p>lateword.</p>"}}),
    );
    sync(&here, "catch_up");
    within(10, "both are told", || told(&portal) == 3);
    let all = texts(&portal);
    assert!(all.contains("lateword.") && all.matches("unknown contact").count() <= 2, "{all}");
    let of_late = messages(&portal).into_iter().flat_map(|one| one["blocks"].as_array().unwrap().clone());
    let of_late: Vec<Value> = of_late.filter(|block| block.to_string().contains("lateword")).collect();
    assert!(of_late.len() == 1 && !of_late[0].to_string().contains("unknown contact"), "{of_late:?}");
    drop(server);
}

#[test]
fn nobody_is_told_of_an_erased_person_and_nothing_of_words_is_kept() {
    let (portal, here) = posting(webhook);
    let [erased, stays] = [0, 1].map(|n| portal.ids("contacts")[n].clone());
    record(&portal, "notes", json!({"hs_note_body": "<p>erasedword</p>"}), &[&erased]);
    record(&portal, "notes", json!({"hs_note_body": "<p>stayingword</p>"}), &[&stays]);
    sync(&here, "catch_up");
    assert_eq!(waits(&here), 2);
    portal.post("/__sim/privacy-delete", &json!({"id": erased}));
    sync(&here, "catch_up");
    assert_eq!(waits(&here), 1);
    let _server = here.serve();
    within(10, "the other", || told(&portal) == 1);
    a_while();
    let all = texts(&portal);
    assert!(all.contains("stayingword") && !all.contains("erasedword") && told(&portal) == 1, "{all}");
    let kept = here.texts(
        "select group_concat(coalesce(channel, '') || coalesce(cause, '') || type) from deliveries \
         union all select group_concat(type || kind || coalesce(dropped, '')) from notifications",
    );
    assert_eq!(kept, ["new_hubspot_engagement", "new_hubspot_engagementnote"]);
}

#[test]
fn a_channel_is_looked_for_in_slack_before_it_is_kept() {
    let (portal, mut here) = posting(bot);
    let kept = |here: &Installation| state(here)["types"][0]["channel"].clone();
    for name in ["nosuch", "C0NOSUCH"] {
        let refused = here.run(&["slack", "enable", "--channel", name]);
        assert_eq!(refused.code, Some(2), "{refused:?}");
        for said in [name, "#sales, #ops", "invite the app"] {
            assert!(refused.stderr.contains(said), "{refused:?}");
        }
        assert_eq!(kept(&here), Value::Null);
    }
    let connect = file(&here, "xoxb-canarytoken");
    let refused = here.run(&["slack", "connect", "--bot-token", &connect, "--channel", "nosuch"]);
    assert!(refused.code == Some(2) && refused.stderr.contains("#ops"), "{refused:?}");
    let known = here.run(&["slack", "enable", "--channel", "ops"]).ok();
    assert!(!known.stderr.contains("warning"), "{known:?}");
    // An app that may list public channels only: an id is asked for by itself, and found.
    let no_scope = json!({"status": 200, "body": {"ok": false, "error": "missing_scope"}});
    let none = json!({"status": 200, "body": {"ok": true, "channels": []}});
    portal.post("/__slack/script", &json!([no_scope, none]));
    let known = here.run(&["slack", "enable", "--channel", "C0SALES"]).ok();
    assert!(!known.stderr.contains("warning"), "{known:?}");
    assert_eq!(kept(&here), "sales");
    // Where Slack does not tell, or cannot be reached, that is said.
    portal.post("/__slack/script", &json!([no_scope, no_scope]));
    let untold = here.run(&["slack", "enable", "--channel", "elsewhere"]).ok();
    assert!(untold.stderr.contains("not checked") && untold.stderr.contains("missing_scope"), "{untold:?}");
    here.settings.insert("HUBLORE_SLACK__API_BASE".to_owned(), "http://127.0.0.1:9/api".to_owned());
    let untold = here.run(&["slack", "enable", "--channel", "faraway", "--json"]).ok();
    let warning = untold.json()["warnings"][0].as_str().unwrap().to_owned();
    assert!(warning.contains("not checked") && warning.contains("cannot be reached"), "{warning}");
    assert!(untold.stderr.contains(&warning), "{untold:?}");
    assert_eq!(kept(&here), "faraway");
}
