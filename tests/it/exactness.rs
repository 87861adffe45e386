//! Exact in spite of HubSpot: late search, late associations, silent losses, persons to be forgotten.

use std::time::SystemTime;

use rusqlite::Connection;
use serde_json::{Value, json};

use crate::support::{Installation, Portal};

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// Types as hublore and as HubSpot name them, with the number of types each is tied to.
const KINDS: [(&str, &str, u64); 8] = [
    ("contacts", "contacts", 1),
    ("companies", "companies", 0),
    ("deals", "deals", 2),
    ("email", "emails", 3),
    ("note", "notes", 3),
    ("call", "calls", 3),
    ("meeting", "meetings", 3),
    ("form_submission", "form_submissions", 0),
];

/// The present, moved.
#[expect(clippy::disallowed_methods, reason = "the portal runs on the machine's time here")]
fn present(moved_ms: i64) -> String {
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_millis();
    (i64::try_from(now).unwrap() + moved_ms).to_string()
}

/// A portal whose clock is `behind` ours, and an installation that has read all of it.
fn synced_with(behind: i64, arguments: &[&str]) -> (Portal, Installation) {
    let now = present(-behind);
    let mut all = vec!["--now", now.as_str()];
    all.extend(arguments);
    let portal = Portal::start(&all);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    run(&here, &["full_resync"]);
    (portal, here)
}

fn synced(arguments: &[&str]) -> (Portal, Installation) {
    synced_with(0, arguments)
}

fn run(here: &Installation, arguments: &[&str]) -> Value {
    let mut all = vec!["sync", "--json", "--quiet"];
    all.extend(arguments);
    let report = here.run(&all).ok().json();
    assert_eq!(report["outcome"], "complete", "{report}");
    report
}

fn equal(portal: &Portal, here: &Installation) {
    for (what, record_type, _) in KINDS {
        assert_eq!(here.ids(what), portal.ids(record_type), "{what}");
    }
    here.verify();
}

/// Changes the database behind the product's back.
fn tamper(here: &Installation, sql: &str) {
    Connection::open(here.data().join("hublore.db")).unwrap().execute_batch(sql).unwrap();
}

/// A day passes for the daily tasks.
fn a_day_passes(here: &Installation) {
    tamper(here, &format!("update upkeep set done_at = done_at - {DAY}"));
}

fn titles(here: &Installation, title: &str) -> i64 {
    here.number(&format!("select count(*) from hubspot_engagements where title = '{title}'"))
}

fn total(portal: &Portal) -> u64 {
    portal.json("/__sim/journal")["total"].as_u64().unwrap()
}

fn route(portal: &Portal, name: &str) -> u64 {
    portal.json("/__sim/journal")["routes"][name].as_u64().unwrap_or(0)
}

#[test]
fn t4_nothing_is_lost_to_a_search_that_lags_a_minute_or_stands_still() {
    // The portal's clock stands before the last run's overlap, so only the second, later look can find them.
    let (portal, here) = synced_with(20 * MINUTE, &["--contacts", "150", "--seed", "21"]);
    portal.post("/__sim/search-index/settings", &json!({"lag_ms": MINUTE}));
    let edit = |title: &str, first: u64| {
        let body =
            json!({"type": "emails", "first": first, "count": 30, "properties": {"hs_email_subject": title}});
        portal.post("/__sim/touch", &body);
        portal.post("/__sim/objects/notes", &json!({"count": 3}));
    };
    edit("lagging", 5);
    run(&here, &["catch_up"]);
    assert_eq!(titles(&here, "lagging"), 0, "the search does not show them yet");
    portal.post("/__sim/clock/advance", &json!({"ms": MINUTE + 1_000}));
    run(&here, &["catch_up"]);
    assert_eq!(titles(&here, "lagging"), 30);
    equal(&portal, &here);

    portal.post("/__sim/search-index/freeze", &json!({}));
    edit("frozen", 50);
    run(&here, &["catch_up"]);
    assert_eq!(titles(&here, "frozen"), 0, "the search stands still");
    portal.post("/__sim/search-index/thaw", &json!({}));
    portal.post("/__sim/clock/advance", &json!({"ms": MINUTE + 1_000}));
    run(&here, &["catch_up"]);
    assert_eq!(titles(&here, "frozen"), 30);
    equal(&portal, &here);
}

#[test]
fn t4_a_search_that_stood_still_for_hours_is_made_up_for_by_the_daily_comparison() {
    let (portal, here) = synced_with(5 * HOUR, &["--contacts", "150", "--seed", "22"]);
    portal.post("/__sim/search-index/freeze", &json!({}));
    let edit =
        json!({"type": "emails", "first": 5, "count": 30, "properties": {"hs_email_subject": "hidden"}});
    portal.post("/__sim/touch", &edit);
    portal.post("/__sim/objects/notes", &json!({"count": 3}));
    run(&here, &["catch_up"]);
    portal.post("/__sim/search-index/thaw", &json!({}));
    a_day_passes(&here);
    let report = run(&here, &["catch_up"]);
    assert_eq!(titles(&here, "hidden"), 30);
    assert_eq!(report["reconciliation"]["types"]["email"]["outdated"]["count"], 30, "{report}");
    equal(&portal, &here);
}

#[test]
fn t5_associations_made_later_arrive_within_a_day() {
    let (portal, here) = synced(&["--contacts", "120", "--seed", "23"]);
    let newest = |sql: &str| here.texts(&format!("{sql} order by updated_at desc limit 1"))[0].clone();
    let note = newest("select id from hubspot_engagements where kind = 'note'");
    let call = newest(
        "select id from hubspot_engagements e where kind = 'call' and exists (select 1 from associations a \
         where a.from_type = 'call' and a.from_id = e.id and a.to_type = 'contacts')",
    );
    let tied = |what: &str, id: &str, to: &str| {
        here.texts(&format!(
            "select to_id from associations where from_type = '{what}' and from_id = '{id}' and to_type = '{to}'"
        ))
    };
    let stranger = {
        let known = tied("note", &note, "contacts");
        portal.ids("contacts").into_iter().find(|id| !known.contains(id)).unwrap()
    };
    let tie = json!({"from_type": "notes", "from": note, "to_type": "contacts", "to": stranger});
    portal.post("/__sim/associations", &tie);
    let former = tied("call", &call, "contacts")[0].clone();
    let untie =
        json!({"from_type": "calls", "from": call, "to_type": "contacts", "to": former, "remove": true});
    portal.post("/__sim/associations", &untie);
    let contact = newest("select id from end_users");
    let company = {
        let known = tied("contacts", &contact, "companies");
        portal.ids("companies").into_iter().find(|id| !known.contains(id)).unwrap()
    };
    let primary = json!({"from_type": "contacts", "from": contact, "to_type": "companies", "to": company, "primary": true});
    portal.post("/__sim/associations", &primary);

    run(&here, &["catch_up"]);
    assert!(!tied("note", &note, "contacts").contains(&stranger), "no search tells");
    a_day_passes(&here);
    portal.post("/__sim/journal/reset", &json!({}));
    run(&here, &["catch_up"]);
    assert!(tied("note", &note, "contacts").contains(&stranger));
    assert!(!tied("call", &call, "contacts").contains(&former));
    assert!(tied("contacts", &contact, "companies").contains(&company));
    let journal = portal.json("/__sim/journal");
    let routes = journal["routes"].as_object().unwrap().iter();
    let associations: u64 =
        routes.filter(|(name, _)| name.contains("associations")).map(|(_, n)| n.as_u64().unwrap()).sum();
    // One request per type and target for up to a thousand records, and the same for those that differed.
    assert!(associations <= 2 * (1 + 2 + 4 * 3) + 6, "{associations} requests: {journal}");
    equal(&portal, &here);

    portal.post("/__sim/journal/reset", &json!({}));
    run(&here, &["catch_up"]);
    assert_eq!(route(&portal, "POST crm/associations/notes/contacts/batch/read"), 0, "once a day: {journal}");
}

#[test]
fn f10_records_lost_here_are_named_and_read_again() {
    let (portal, here) = synced(&["--contacts", "200", "--seed", "24"]);
    let lost: Vec<String> = portal.ids("notes")[3..6].to_vec();
    for id in &lost {
        tamper(
            &here,
            &format!(
                "delete from associations where from_type = 'note' and from_id = '{id}';
                 delete from hubspot_engagements where kind = 'note' and id = '{id}';
                 insert into knowledge_changes (org, document, operation)
                 select org, 'hubspot:' || portal || ':note:{id}', 'remove' from connections;"
            ),
        );
    }
    let report = run(&here, &["catch_up"]);
    let note = &report["reconciliation"]["types"]["note"];
    assert_eq!(note["missing"]["count"], 3, "a plain catch-up already sees that counts differ: {report}");
    assert_eq!(note["missing"]["ids"], json!(lost));
    equal(&portal, &here);

    // One that HubSpot never had, and a comparison that is asked for.
    tamper(
        &here,
        "create temp table one as select * from companies limit 1; update one set id = '777';
         insert into companies select * from one;",
    );
    let report = run(&here, &["catch_up", "--reconcile"]);
    let companies = &report["reconciliation"]["types"]["companies"];
    assert_eq!(companies["surplus"], json!({"count": 1, "ids": ["777"]}), "{report}");
    let months = report["reconciliation"]["types"]["email"]["months"].as_object().unwrap().clone();
    let sum = |side: &str| months.values().map(|month| month[side].as_u64().unwrap()).sum::<u64>();
    assert_eq!(sum("hubspot"), portal.ids("emails").len() as u64);
    assert_eq!(sum("here"), sum("hubspot"));
    equal(&portal, &here);

    let status = here.run(&["status", "--json"]).ok().json();
    assert_eq!(status["reconciliation"]["types"]["companies"]["surplus"]["ids"][0], "777", "{status}");
}

/// Searches since the journal was reset.
fn searches(portal: &Portal) -> u64 {
    let journal = portal.json("/__sim/journal");
    let routes = journal["routes"].as_object().unwrap().iter();
    routes.filter(|(name, _)| name.ends_with("/search")).map(|(_, n)| n.as_u64().unwrap()).sum()
}

#[test]
fn f10_the_daily_comparison_of_a_tiny_portal_takes_two_searches_a_type() {
    let (portal, here) = synced(&["--contacts", "30", "--seed", "31"]);
    a_day_passes(&here);
    portal.post("/__sim/journal/reset", &json!({}));
    let report = run(&here, &["catch_up"]);
    let (searched, asked) = (searches(&portal), total(&portal));
    println!("{searched} searches, {asked} requests");
    let compared = &report["reconciliation"]["types"];
    for (what, record_type, _) in KINDS {
        let count = |side: &str| compared[what][side].as_u64().unwrap();
        assert_eq!(count("hubspot"), count("here"), "{what}: {report}");
        // What came within two hours is not compared.
        let all = portal.ids(record_type).len() as u64;
        assert!(count("here") + 3 >= all && all > 0, "{what} of {all}: {report}");
    }
    // Of seven types: what changed since the last run, what there is, and what changed within a week.
    assert!(searched <= 7 * 3, "{searched} searches: {}", portal.json("/__sim/journal"));
    equal(&portal, &here);
}

/// Loses one contact and makes up another, created in the given months, so that their number stays as it was.
fn exchange(here: &Installation, lost: &str, made_up: &str) -> String {
    let of = |month: &str| {
        let sql = "select id from end_users where strftime('%Y-%m', created_at / 1000, 'unixepoch') = ";
        here.texts(&format!("{sql}'{month}' order by created_at limit 1"))[0].clone()
    };
    let (lost, like) = (of(lost), of(made_up));
    tamper(
        here,
        &format!(
            "create temp table one as select * from end_users where id = '{like}'; update one set id = '777';
             insert into end_users select * from one;
             delete from associations where from_type = 'contacts' and from_id = '{lost}';
             delete from end_users where id = '{lost}';"
        ),
    );
    lost
}

/// Months of contacts, each with their number, oldest first.
fn months_of_contacts(here: &Installation) -> Vec<(String, i64)> {
    let months = here.texts(
        "select distinct strftime('%Y-%m', created_at / 1000, 'unixepoch') m from end_users order by m",
    );
    let count = "select count(*) from end_users where strftime('%Y-%m', created_at / 1000, 'unixepoch') = ";
    months.into_iter().map(|month| (month.clone(), here.number(&format!("{count}'{month}'")))).collect()
}

#[test]
fn f10_losses_that_a_count_hides_are_named_and_read_again() {
    // Within a month that a page holds, ids are compared.
    let (portal, here) = synced(&["--contacts", "200", "--engagements-per-contact", "0", "--seed", "32"]);
    let month = months_of_contacts(&here)[3].0.clone();
    let lost = exchange(&here, &month, &month);
    a_day_passes(&here);
    let report = run(&here, &["catch_up"]);
    let contacts = &report["reconciliation"]["types"]["contacts"];
    assert_eq!(contacts["missing"], json!({"count": 1, "ids": [lost]}), "{report}");
    assert_eq!(contacts["surplus"], json!({"count": 1, "ids": ["777"]}), "{report}");
    equal(&portal, &here);

    // Months that are larger are counted, so what cancels out in the total is seen.
    let (portal, here) =
        synced(&["--contacts", "9000", "--engagements-per-contact", "0", "--lean", "--seed", "33"]);
    let months = months_of_contacts(&here);
    assert!(months[1..months.len() - 1].iter().all(|(_, count)| *count > 200), "{months:?}");
    let lost = exchange(&here, &months[5].0, &months[20].0);
    a_day_passes(&here);
    portal.post("/__sim/journal/reset", &json!({}));
    let report = run(&here, &["catch_up"]);
    let contacts = &report["reconciliation"]["types"]["contacts"];
    assert_eq!(contacts["missing"], json!({"count": 1, "ids": [lost]}), "{report}");
    assert_eq!(contacts["surplus"], json!({"count": 1, "ids": ["777"]}), "{report}");
    println!("{} searches, {} requests", searches(&portal), total(&portal));
    equal(&portal, &here);
}

#[test]
fn f10_form_submissions_lost_here_are_named_and_stored_again() {
    let (portal, here) = synced(&["--contacts", "400", "--seed", "28"]);
    let ids = portal.ids("form_submissions");
    assert!(ids.len() > 60, "more than a page: {}", ids.len());
    // The newest are left out: what came within two hours is not compared.
    let lost = here.texts(
        "select id from hubspot_engagements where kind = 'form_submission' order by occurred_at limit 7 offset 4",
    );
    let lose = |id: &str| {
        let sql = format!(
            "delete from associations where from_type = 'form_submission' and from_id = '{id}';
             delete from hubspot_engagements where kind = 'form_submission' and id = '{id}';
             insert into knowledge_changes (org, document, operation)
             select org, 'hubspot:' || portal || ':form_submission:{id}', 'remove' from connections;"
        );
        tamper(&here, &sql);
    };
    lost.iter().for_each(|id| lose(id));
    tamper(
        &here,
        "create temp table one as select * from hubspot_engagements where kind = 'form_submission' \
         order by occurred_at limit 1;
         update one set id = 'never-was'; insert into hubspot_engagements select * from one;",
    );
    run(&here, &["catch_up"]);
    let have = here.ids("form_submission");
    let expected: Vec<String> = ids.iter().filter(|id| !have.contains(id)).cloned().collect();
    assert!(!expected.is_empty(), "the hourly run reads the newest only");
    a_day_passes(&here);
    let report = run(&here, &["catch_up"]);
    let forms = &report["reconciliation"]["types"]["form_submission"];
    let mut named: Vec<String> = serde_json::from_value(forms["missing"]["ids"].clone()).unwrap();
    named.sort();
    assert_eq!(named, expected, "{forms}");
    assert_eq!(forms["surplus"], json!({"count": 1, "ids": ["never-was"]}), "{forms}");
    let months = forms["months"].as_object().unwrap();
    let sum = |side: &str| months.values().map(|month| month[side].as_u64().unwrap()).sum::<u64>();
    assert_eq!(
        (sum("hubspot"), sum("here")),
        (forms["hubspot"].as_u64().unwrap(), forms["here"].as_u64().unwrap())
    );
    equal(&portal, &here);
    // Asked for by hand, every page is read.
    let lost = &expected[0];
    lose(lost);
    let report = run(&here, &["catch_up", "--reconcile"]);
    assert_eq!(report["reconciliation"]["types"]["form_submission"]["missing"]["ids"], json!([lost]));
    equal(&portal, &here);
}

#[test]
fn a_person_deleted_for_privacy_is_erased_with_every_word() {
    let (portal, here) = synced(&["--contacts", "60", "--seed", "25"]);
    let with_note = here.texts(
        "select a.to_id from associations a join hubspot_engagements e on e.kind = a.from_type and e.id = a.from_id \
         where a.to_type = 'contacts' and a.from_type = 'note' and e.decision = 'learned' limit 1",
    );
    let contact = with_note[0].clone();
    let held = |column: &str| {
        let sql = format!(
            "select count(*) from hubspot_engagements e join associations a on a.from_type = e.kind \
             and a.from_id = e.id where a.to_type = 'contacts' and a.to_id = '{contact}' and {column} is not null"
        );
        here.number(&sql)
    };
    assert!(held("e.body_html") > 0 && held("e.from_address") > 0);
    let tied_before = here.texts(&format!(
        "select from_id from associations where to_type = 'contacts' and to_id = '{contact}'"
    ));
    let notes = here.texts(&format!(
        "select from_id from associations where to_type = 'contacts' and to_id = '{contact}' and from_type = 'note'"
    ));
    let word = portal.record("notes", &notes[0])["unique_word"].as_str().unwrap().to_owned();
    assert_eq!(here.search(&word).len(), 1);
    assert!(bytes(&here, &word), "the word is in the database before");

    portal.post("/__sim/privacy-delete", &json!({"id": contact}));
    let report = run(&here, &["catch_up"]);
    assert_eq!(report["types"]["contacts"]["deleted"], 1, "{report}");
    assert!(here.search(&word).is_empty());
    assert_eq!(here.ids("contacts"), portal.ids("contacts"));
    let persons = here.texts("select id from erased where type = 'contacts'");
    assert_eq!(persons, [contact.as_str()], "only the id stays");
    let tied =
        format!("select count(*) from associations where to_id = '{contact}' or from_id = '{contact}'");
    assert_eq!(here.number(&tied), 0);
    let words = format!(
        "select count(*) from hubspot_engagements where id in ('{}') and (title is not null \
         or body_html is not null or body_plain is not null or from_address is not null or passage_ids <> '[]' \
         or exists (select 1 from passages p where p.kind = hubspot_engagements.kind \
         and p.engagement = hubspot_engagements.id))",
        tied_before.join("','")
    );
    assert_eq!(here.number(&words), 0);
    assert!(!bytes(&here, &word), "what was written to that person is nowhere in the database file");
    // Asking again changes nothing and brings nobody back.
    run(&here, &["catch_up"]);
    run(&here, &["full_resync"]);
    assert_eq!(here.ids("contacts"), portal.ids("contacts"));
    assert!(here.search(&word).is_empty());
    assert_eq!(here.number(&words), 0, "submissions that HubSpot still lists stay empty, too");
    equal(&portal, &here);
}

/// Some file of the database holds these bytes.
fn bytes(here: &Installation, needle: &str) -> bool {
    let files = std::fs::read_dir(here.data()).unwrap().map(|entry| entry.unwrap().path());
    let mut files = files.filter(|path| path.to_string_lossy().contains("hublore.db"));
    files.any(|path| {
        let held = std::fs::read(path).unwrap();
        held.windows(needle.len()).any(|part| part == needle.as_bytes())
    })
}

#[test]
fn what_comes_back_from_the_recycle_bin_comes_back_here() {
    let (portal, here) = synced(&["--contacts", "80", "--seed", "26"]);
    let picked: Vec<(&str, String)> =
        ["notes", "deals", "contacts", "companies"].map(|what| (what, portal.ids(what)[2].clone())).into();
    for (what, id) in &picked {
        portal.delete(&format!("/__sim/objects/{what}/{id}"));
    }
    run(&here, &["catch_up"]);
    equal(&portal, &here);
    for (what, id) in &picked {
        portal.post(&format!("/__sim/objects/{what}/{id}/restore"), &json!({}));
    }
    run(&here, &["catch_up"]);
    equal(&portal, &here);
}

#[test]
fn t4_an_email_deleted_for_good_goes_with_the_next_catch_up() {
    let (portal, here) = synced(&["--contacts", "80", "--seed", "27"]);
    let id = portal.ids("emails")[7].clone();
    portal.delete(&format!("/__sim/objects/emails/{id}?permanent=true"));
    let report = run(&here, &["catch_up"]);
    assert_eq!(report["engagements"]["email"]["deleted"], 1, "{report}");
    equal(&portal, &here);
}

/// Requests without which a catch-up cannot know or fetch so many changes.
fn necessary(changes: &[(&str, u64)], forms: u64) -> u64 {
    let of = |what: &str| changes.iter().find(|(name, _)| *name == what).map_or(0, |(_, count)| *count);
    let counted = KINDS.iter().filter(|(name, ..)| *name != "form_submission");
    let types: u64 = counted
        .map(|(name, _, targets)| {
            let changed = of(name);
            // What changed, and whether something is gone; then the records and what they are tied to.
            let know = changed.div_ceil(200).max(1) + 1;
            know + changed.div_ceil(100) + targets * changed.div_ceil(1_000)
        })
        .sum();
    // Owners, present and former, pipelines, properties of three types, the list of forms and the newest
    // submissions of each.
    types + 2 + 1 + 3 + 1 + forms
}

fn forms(portal: &Portal) -> u64 {
    let journal = portal.json("/__sim/journal");
    let routes = journal["routes"].as_object().unwrap().iter();
    routes.filter(|(name, _)| name.contains("submissions/forms")).map(|(_, n)| n.as_u64().unwrap()).sum()
}

#[test]
fn twelve_thousand_changes_in_one_run_arrive_with_a_tenth_more_requests_than_needed_at_most() {
    let (portal, here) = synced(&["--contacts", "30000", "--engagements-per-contact", "0", "--lean"]);
    let edit =
        json!({"type": "contacts", "first": 500, "count": 12_000, "properties": {"jobtitle": "changed"}});
    portal.post("/__sim/touch", &edit);
    portal.post("/__sim/journal/reset", &json!({}));
    let report = run(&here, &["catch_up"]);
    assert_eq!(report["types"]["contacts"]["stored"], 12_000);
    assert_eq!(here.number("select count(*) from end_users where job_title = 'changed'"), 12_000);
    let needed = necessary(&[("contacts", 12_000)], forms(&portal));
    let used = total(&portal);
    assert!(used * 10 <= needed * 11, "{used} requests, {needed} needed");

    // Nothing changed since: the second look reads nothing again.
    portal.post("/__sim/journal/reset", &json!({}));
    run(&here, &["catch_up"]);
    assert_eq!(route(&portal, "POST crm/objects/contacts/batch/read"), 0);
    equal(&portal, &here);
}

#[test]
fn t7_an_ordinary_hour_costs_a_tenth_more_requests_than_needed_at_most() {
    let (portal, here) = synced(&["--contacts", "400", "--seed", "28"]);
    run(&here, &["catch_up"]);
    let contact = portal.ids("contacts")[3].clone();
    let touch = |what: &str, count: u64| {
        portal.post("/__sim/touch", &json!({"type": what, "first": 3, "count": count}));
    };
    touch("emails", 60);
    touch("contacts", 25);
    let note = json!({"count": 4, "associations": {"contacts": [contact]}});
    portal.post("/__sim/objects/notes", &note);
    portal.post("/__sim/journal/reset", &json!({}));
    run(&here, &["catch_up"]);
    let needed = necessary(&[("email", 60), ("contacts", 25), ("note", 4)], forms(&portal));
    let used = total(&portal);
    assert!(used * 10 <= needed * 11, "{used} requests, {needed} needed: {}", portal.json("/__sim/journal"));
    let tied = format!("select count(*) from associations where from_type = 'note' and to_id = '{contact}'");
    assert!(here.number(&tied) >= 4, "T7: a search carries no associations, they are read besides");
    equal(&portal, &here);
}

#[test]
fn when_most_has_changed_the_list_is_read_instead() {
    let (portal, here) = synced(&["--contacts", "5000", "--engagements-per-contact", "0", "--lean"]);
    portal.post(
        "/__sim/touch",
        &json!({"type": "contacts", "count": 5_000, "properties": {"jobtitle": "all"}}),
    );
    portal.post("/__sim/journal/reset", &json!({}));
    run(&here, &["catch_up"]);
    assert_eq!(here.number("select count(*) from end_users where job_title = 'all'"), 5_000);
    assert_eq!(route(&portal, "POST crm/objects/contacts/batch/read"), 0);
    let pages = route(&portal, "GET crm/objects/contacts");
    assert!((50..=60).contains(&pages), "{pages} pages of the list");
    equal(&portal, &here);
}

#[test]
fn t15_form_submissions_come_with_the_hourly_run() {
    let (portal, here) = synced(&["--contacts", "50", "--seed", "29"]);
    let address = here.texts("select email from end_users where email is not null limit 1")[0].clone();
    portal.post("/__sim/objects/form_submissions", &json!({"form": 1, "properties": {"email": address}}));
    run(&here, &["catch_up"]);
    equal(&portal, &here);
    let linked = "select count(*) from hubspot_engagements e join associations a on a.from_type = e.kind \
                  and a.from_id = e.id where e.kind = 'form_submission' and e.from_address = ";
    assert!(here.number(&format!("{linked}'{address}'")) >= 1, "tied by the address typed in");
}

/// Contacts a submission is tied to.
fn owners_of(here: &Installation, submission: &str) -> Vec<String> {
    here.texts(&format!(
        "select to_id from associations where from_type = 'form_submission' and from_id = '{submission}' \
         and to_type = 'contacts' order by to_id"
    ))
}

fn submit(portal: &Portal, address: &str) -> String {
    let body = json!({"form": 1, "properties": {"email": address}});
    let made: Value = serde_json::from_str(&portal.post("/__sim/objects/form_submissions", &body)).unwrap();
    made["id"].as_str().unwrap().to_owned()
}

#[test]
fn t15_a_submission_stays_with_whom_it_came_from_when_addresses_change_hands() {
    let (portal, here) = synced(&["--contacts", "50", "--seed", "34"]);
    let row =
        here.texts("select id || ' ' || email from end_users where email is not null limit 1").remove(0);
    let (author, address) = row.split_once(' ').unwrap();
    let submission = submit(&portal, address);
    run(&here, &["catch_up"]);
    assert_eq!(owners_of(&here, &submission), [author]);

    // The author moves to another address, and somebody else gets the old one.
    let moved = json!({"properties": {"email": "moved@elsewhere.example"}});
    portal.patch(&format!("/__sim/objects/contacts/{author}"), &moved);
    run(&here, &["catch_up"]);
    assert_eq!(
        here.texts(&format!("select email from end_users where id = '{author}'")),
        ["moved@elsewhere.example"]
    );
    assert_eq!(owners_of(&here, &submission), [author], "after the next hour");
    let made = portal.post("/__sim/objects/contacts", &json!({"properties": {"email": address}}));
    let heir = serde_json::from_str::<Value>(&made).unwrap()["id"].as_str().unwrap().to_owned();
    let newer = submit(&portal, address);
    run(&here, &["catch_up"]);
    run(&here, &["full_resync"]);
    assert_eq!(owners_of(&here, &submission), [author], "after a full resync");
    assert_eq!(owners_of(&here, &newer), [heir], "whoever has it now wrote the newer one");
    equal(&portal, &here);
}

#[test]
fn t15_a_submission_of_nobody_is_tied_when_somebody_has_its_address() {
    let (portal, here) = synced(&["--contacts", "400", "--seed", "28"]);
    let row = here
        .texts(
            "select id || ' ' || from_address from hubspot_engagements e where kind = 'form_submission' \
             and not exists (select 1 from associations a where a.from_type = e.kind and a.from_id = e.id) \
             order by occurred_at limit 1",
        )
        .remove(0);
    let (submission, address) = row.split_once(' ').unwrap();
    let made = portal.post("/__sim/objects/contacts", &json!({"properties": {"email": address}}));
    let contact = serde_json::from_str::<Value>(&made).unwrap()["id"].as_str().unwrap().to_owned();
    run(&here, &["catch_up"]);
    assert!(here.ids("contacts").contains(&contact));
    assert!(owners_of(&here, submission).is_empty(), "the hourly run reads the newest only");
    a_day_passes(&here);
    run(&here, &["catch_up"]);
    assert_eq!(owners_of(&here, submission), [contact]);
    equal(&portal, &here);
}

#[test]
fn sta_5_linked_engagements_are_those_tied_to_known_contacts() {
    let (portal, here) = synced(&["--contacts", "120", "--seed", "30"]);
    let truth = portal.json("/__sim/truth");
    let wanted: u64 = truth["linked"]
        .as_object()
        .unwrap()
        .iter()
        .filter(|(kind, _)| *kind != "tasks")
        .map(|(_, count)| count.as_u64().unwrap())
        .sum();
    let status = here.run(&["status", "--json"]).ok().json();
    assert_eq!(status["totals"]["linked_engagements"], wanted, "{status}");
    assert!(status["totals"]["engagements"].as_u64().unwrap() > wanted, "some are tied to nobody");
}
