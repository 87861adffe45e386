//! Slack in hard times: too much at once, refusals, lost answers, and a process that is killed again and again.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::notifications::{
    a_while, bot, messages, note, posting, record, state, sync, texts, told, webhook, within,
};
use crate::support::{Installation, Portal};

#[test]
fn not_8_two_hundred_at_once_are_grouped_and_slack_is_left_alone_when_it_asks() {
    let (portal, here) = posting(webhook);
    let contact = portal.ids("contacts")[0].clone();
    for n in 0..200 {
        record(&portal, "notes", json!({"hs_note_body": format!("<p>number {n}.</p>")}), &[&contact]);
    }
    let limited = json!({"status": 429, "body": "rate_limited", "retry_after": 3});
    portal.post(
        "/__slack/script",
        &json!([{"status": 200, "body": "ok"}, limited, {"status": 503, "body": "rollup_error"}]),
    );
    let _server = here.serve();
    sync(&here, "catch_up");
    within(10, "the refused one", || messages(&portal).len() == 2);
    let waited = within(10, "the next", || messages(&portal).len() == 3);
    assert!(waited > Duration::from_millis(2_500), "{waited:?}");
    let arrived = || here.run(&["slack", "status", "--json"]).ok().json()["notifications"]["posted"] == 200;
    within(60, "all are told", arrived);
    // The one that was refused and the one Slack failed at were sent again.
    assert_eq!(messages(&portal).len(), 12);
    assert_eq!(told(&portal), 240);
    assert!(texts(&portal).contains("20 new engagements: 20 notes"));
}

#[test]
fn a_refusal_stops_with_a_cause_that_is_seen_and_a_test_lets_it_go_on() {
    let (portal, here) = posting(webhook);
    portal.post("/__slack/script", &json!([{"status": 404, "body": "no_service"}]));
    let server = here.serve();
    note(&portal, "firstword");
    sync(&here, "catch_up");
    within(10, "it stops", || state(&here)["connection"]["stopped"] == "no_service");
    note(&portal, "secondword");
    sync(&here, "catch_up");
    a_while();
    assert_eq!(messages(&portal).len(), 1, "nothing is tried meanwhile");
    let shown = here.run(&["status"]).ok().stdout;
    assert!(shown.contains("STOPPED: no_service") && shown.contains("slack connect"), "{shown}");
    let doctor = here.run(&["doctor", "--json"]);
    let checks = doctor.json()["checks"].clone();
    let slack = checks.as_array().unwrap().iter().find(|one| one["name"] == "slack").unwrap().clone();
    assert_eq!((doctor.code, &slack["verdict"]), (Some(1), &json!("failed")), "{slack}");
    portal.post("/__slack/script", &json!([{"status": 404, "body": "no_service"}]));
    let refused = here.run(&["slack", "test"]);
    assert!(refused.code == Some(3) && refused.stderr.contains("no_service"), "{refused:?}");
    here.run(&["slack", "test"]).ok();
    within(15, "both are told", || state(&here)["notifications"]["posted"] == 2);
    assert!(texts(&portal).contains("secondword"));
    assert_eq!(state(&here)["connection"]["stopped"], Value::Null);
    drop(server);
}

#[test]
fn killed_while_slack_answers_a_bot_posts_once_and_a_lost_answer_is_looked_up() {
    let (portal, here) = posting(bot);
    note(&portal, "killedword");
    sync(&here, "catch_up");
    portal.post("/__slack/script", &json!([{"delay_ms": 20_000}]));
    let server = here.serve();
    within(10, "it is sent", || messages(&portal).len() == 1);
    // Slack has it, we do not know.
    drop(server);
    assert_eq!(here.texts("select state from deliveries"), ["sending"]);
    let server = here.serve();
    within(10, "it is known", || here.texts("select state from deliveries") == ["sent"]);
    // Killed before anything was sent, or the answer cut off on the way.
    portal.post("/__slack/script", &json!([{"cut": true}]));
    note(&portal, "cutword");
    sync(&here, "catch_up");
    within(15, "it is known again", || here.texts("select state from deliveries") == ["sent", "sent"]);
    a_while();
    let all = texts(&portal);
    assert_eq!((all.matches("killedword").count(), all.matches("cutword").count()), (1, 1), "{all}");
    drop(server);
}

#[test]
fn killed_before_it_is_sent_or_with_an_answer_lost_a_webhook_loses_nothing() {
    let (portal, here) = posting(webhook);
    note(&portal, "killedword");
    sync(&here, "catch_up");
    portal.post("/__slack/script", &json!([{"status": 503, "delay_ms": 20_000}, {"cut": true}]));
    let server = here.serve();
    within(10, "it is sent", || messages(&portal).len() == 1);
    drop(server);
    let server = here.serve();
    within(15, "it arrives", || here.texts("select state from deliveries") == ["sent"]);
    // One for the kill, one for the answer that was cut off, and the one that is known to have arrived.
    assert_eq!(texts(&portal).matches("killedword").count(), 3);
    drop(server);
}

/// A small generator of numbers, the same on every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

/// Everything that can become of a call: taken late, taken without an answer, failed, or refused for a second.
fn hard_times(dice: &mut Dice) -> Value {
    let one = |roll| match roll {
        0 | 1 => json!({"delay_ms": 400}),
        2 | 3 => json!({"cut": true}),
        4 => json!({"status": 503, "body": "service_unavailable"}),
        5 => json!({"status": 429, "body": "", "retry_after": 1}),
        _ => json!({"delay_ms": 20}),
    };
    (0..12).map(|_| one(dice.roll(8))).collect()
}

/// How often each engagement stands in the channel, by its number.
fn in_channel(portal: &Portal, number: usize) -> usize {
    let history = portal.post("/__slack/api/conversations.history", &json!({"channel": "C0SALES"}));
    history.matches(&format!("number{number}.")).count()
}

#[test]
fn r7_twenty_kills_among_failures_and_a_bot_has_lost_and_doubled_nothing() {
    let (portal, here): (_, Installation) = posting(bot);
    let mut dice = Dice(11);
    let mut number = 0;
    for _ in 0..20 {
        for _ in 0..3 {
            note(&portal, &format!("number{number}."));
            number += 1;
        }
        sync(&here, "catch_up");
        portal.post("/__slack/script", &hard_times(&mut dice));
        let server = here.serve();
        std::thread::sleep(Duration::from_millis(200 + dice.roll(2_500)));
        drop(server);
    }
    portal.post("/__slack/script", &json!([]));
    let _server = here.serve();
    let posted = || state(&here)["notifications"]["posted"] == number;
    within(90, "all are told", posted);
    for one in 0..number {
        assert_eq!(in_channel(&portal, one), 1, "number {one}");
    }
    assert!(here.number("select max(attempts) from deliveries") > 1, "there was something to go through");
}

/// Webhooks from the portal to a running server.
fn announced(portal: &Portal, here: &Installation) {
    let shown = here.run(&["webhooks", "show", "--json"]).ok().json();
    let target = json!({"url": shown["address"], "client_secret": "sim-client-secret"});
    portal.post("/__sim/webhooks/target", &target);
}

fn deliver(portal: &Portal) {
    let told: Value = serde_json::from_str(&portal.post("/__sim/webhooks/flush", &json!({}))).unwrap();
    assert!(!told["deliveries"].as_array().unwrap().is_empty(), "{told}");
}

#[test]
fn not_2_not_7_webhook_and_hourly_run_see_the_same_one_and_it_is_told_within_ten_seconds_once() {
    let (portal, here) = posting(webhook);
    let _server = here.serve();
    announced(&portal, &here);
    note(&portal, "announcedword");
    let event = Instant::now();
    deliver(&portal);
    within(10, "the message", || told(&portal) == 1);
    assert!(event.elapsed() < Duration::from_secs(10));
    sync(&here, "catch_up");
    a_while();
    assert_eq!(told(&portal), 1, "the run sees it again");
    // The run sees the next one first, the webhook comes late.
    note(&portal, "latehookword");
    sync(&here, "catch_up");
    within(10, "the second", || told(&portal) == 2);
    deliver(&portal);
    a_while();
    let all = texts(&portal);
    assert!(told(&portal) == 2 && all.matches("latehookword").count() == 1, "{all}");
}

#[test]
fn not_8_two_hundred_webhook_events_in_a_minute_are_a_few_messages() {
    let (portal, here) = posting(webhook);
    let _server = here.serve();
    announced(&portal, &here);
    let started = Instant::now();
    for n in 0..40 {
        for m in 0..5 {
            note(&portal, &format!("number{}.", n * 5 + m));
        }
        deliver(&portal);
        let next = Duration::from_millis(500 * (n + 1));
        std::thread::sleep(next.saturating_sub(started.elapsed()));
    }
    within(60, "all are told", || state(&here)["notifications"]["posted"] == 200);
    assert_eq!(told(&portal), 200);
    assert!(messages(&portal).len() <= 25, "{}", messages(&portal).len());
}

#[test]
fn one_engagement_that_slack_does_not_take_keeps_no_other_of_its_group_back() {
    let (portal, here) = posting(webhook);
    for n in 0..4 {
        note(&portal, &format!("groupword{n}."));
    }
    sync(&here, "catch_up");
    let refused = json!({"status": 400, "body": "invalid_blocks"});
    let taken = json!({"status": 200, "body": "ok"});
    // The group, its first half, not the second one, and the first of the first.
    portal.post("/__slack/script", &json!([refused, refused, taken, refused]));
    let _server = here.serve();
    within(20, "three are told, one is given up", || {
        let counts = state(&here)["notifications"].clone();
        counts["posted"] == 3 && counts["failed"] == 1
    });
    assert_eq!(messages(&portal).len(), 5);
}

#[test]
fn a_mode_that_is_off_is_named_where_it_is_asked_why_nothing_is_posted() {
    let (_portal, here) = posting(webhook);
    here.run(&["modes", "notifications", "off"]).ok();
    let shown = here.run(&["slack", "status"]).ok().stdout;
    assert!(
        shown.contains("nothing is posted") && shown.contains("hublore modes notifications on"),
        "{shown}"
    );
    let report = here.run(&["doctor", "--json"]).json();
    let checks = report["checks"].as_array().unwrap();
    let slack = checks.iter().find(|one| one["name"] == "slack").unwrap();
    assert_eq!(
        (&slack["verdict"], &slack["cure"]),
        (&json!("warning"), &json!("hublore modes notifications on"))
    );
    here.run(&["modes", "notifications", "on"]).ok();
    assert!(!here.run(&["slack", "status"]).ok().stdout.contains("nothing is posted"));
}
