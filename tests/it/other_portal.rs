//! Another portal consents than the one whose data is here: refused, kept apart, or in the place of the purged one.

use serde_json::Value;

use crate::support::{
    Answer, Browser, Installation, Portal, RECORD_TYPES, SERVICE_KEY, Server, assert_same_ids, block_on,
};

struct Two {
    former: Portal,
    other: Portal,
    here: Installation,
}

/// An installation that has read one portal and is set up for another one now.
fn two() -> Two {
    let former = Portal::start(&["--contacts", "30", "--seed", "39", "--extra-properties", "5"]);
    let mut here = Installation::for_portal(&former);
    here.connect_by_consent(Answer::Approve).ok();
    assert_same_ids(&former, &here);
    let other = Portal::start(&["--contacts", "24", "--seed", "40"]);
    for name in ["HUBLORE_HUBSPOT__API_BASE", "HUBLORE_HUBSPOT__APP_BASE"] {
        here.settings.insert(name.to_owned(), other.address.clone());
    }
    Two { former, other, here }
}

fn portal_id(portal: &Portal) -> String {
    portal.json("/__sim/truth")["portal_id"].to_string()
}

/// Everything stored of a portal: rows by table.
fn rows_of(here: &Installation, portal: &str) -> Vec<(String, i64)> {
    let tables = here.texts(
        "select m.name from sqlite_master m join pragma_table_info(m.name) c on c.name = 'portal' \
         where m.type = 'table' order by m.name",
    );
    assert!(tables.len() > 25, "{tables:?}");
    let count = |table: String| {
        let rows = here.number(&format!("select count(*) from {table} where portal = {portal}"));
        (table, rows)
    };
    tables.into_iter().map(count).filter(|(_, rows)| *rows > 0).collect()
}

fn a_word(portal: &Portal) -> String {
    let note = portal.ids("notes")[1].clone();
    portal.record("notes", &note)["unique_word"].as_str().unwrap().to_owned()
}

fn link(here: &Installation, arguments: &[&str]) -> String {
    let mut all = vec!["connect", "--json"];
    all.extend(arguments);
    here.run(&all).ok().json()["link"].as_str().unwrap().to_owned()
}

/// Consents in a browser and presses a button of the page that follows.
fn choose(server: &Server, here: &Installation, choice: &str) -> (Browser, String, String) {
    let link = link(here, &[]);
    block_on(async {
        let mut browser = Browser::new();
        let asked = browser.consent(&link, Answer::Approve).await;
        assert_eq!(asked.status(), 409);
        let page = asked.text().await.unwrap();
        let question =
            page.split("name=\"question\" value=\"").nth(1).unwrap().split('"').next().unwrap().to_owned();
        let address = format!("{}/api/integrations/hubspot/other-portal", server.address);
        let stranger = Browser::new().press(&address, &question, choice).await;
        assert_eq!(stranger.status(), 403, "only the browser that consented is answered");
        let told = browser.press(&address, &question, choice).await;
        assert_eq!(told.status(), 200);
        let told = told.text().await.unwrap();
        let again = browser.press(&address, &question, choice).await;
        assert_eq!(again.status(), 403, "a question is answered once");
        (browser, page, told)
    })
}

/// Waits until the run that a connection started has ended.
fn first_sync(here: &Installation) {
    let status = || here.run(&["status", "--json"]).ok().json();
    for _ in 0..600 {
        if status()["connection"]["last_synced"].is_string() {
            return;
        }
        std::thread::sleep(std::time::Duration::from_millis(100));
    }
    panic!("the first sync does not end: {}", status());
}

#[test]
fn f18_who_said_refuse_beforehand_is_not_asked() {
    let Two { former, other, here } = two();
    let ran = here.connect_with(&["--other-portal", "refuse"], Answer::Approve);
    assert_eq!(ran.code, Some(3), "{ran:?}");
    assert!(ran.stderr.contains(&portal_id(&former)) && ran.stderr.contains(&portal_id(&other)), "{ran:?}");
    assert_eq!(rows_of(&here, &portal_id(&other)), []);
    assert_eq!(here.number("select count(*) from orgs"), 1);
}

#[test]
fn f18_a_browser_is_asked_and_cancelling_changes_nothing() {
    let Two { former, other, here } = two();
    let before = (rows_of(&here, &portal_id(&former)), here.number("select max(seq) from knowledge_changes"));
    let server = here.serve();
    let (_, page, told) = choose(&server, &here, "refuse");
    for said in [portal_id(&former), portal_id(&other), "purge".to_owned(), "keep-apart".to_owned()] {
        assert!(page.contains(&said), "{said}: {page}");
    }
    assert!(told.contains("Nothing was stored"), "{told}");
    assert_eq!(server.stop(), Some(0));
    let after = (rows_of(&here, &portal_id(&former)), here.number("select max(seq) from knowledge_changes"));
    assert_eq!(before, after);
    assert_eq!(rows_of(&here, &portal_id(&other)), []);
    assert_eq!(here.number("select count(*) from orgs"), 1);
    // The connection that was there goes on working.
    let status = here.run(&["status", "--json"]).ok().json();
    assert_eq!(status["connection"]["portal_id"].to_string(), portal_id(&former));
}

#[test]
fn f18_the_former_portal_can_be_purged_in_the_browser() {
    let Two { former, other, here } = two();
    let word = a_word(&former);
    assert_eq!(here.search(&word).len(), 1);
    here.run(&["rules", "add", "keyword", "confidential"]);
    let server = here.serve();
    let (_, _, told) = choose(&server, &here, "purge");
    assert!(told.contains(&portal_id(&other)), "{told}");
    first_sync(&here);
    assert_eq!(server.stop(), Some(0));
    assert_same_ids(&other, &here);
    assert_eq!(rows_of(&here, &portal_id(&former)), []);
    assert_eq!(here.search(&word), [""; 0]);
    assert_eq!(here.search(&a_word(&other)).len(), 1);
    assert_eq!(here.number("select count(*) from learning_rules"), 1, "what the organisation made stays");
    here.verify();
}

#[test]
fn f18_the_other_portal_can_be_kept_apart_in_the_browser() {
    let Two { former, other, here } = two();
    let before = rows_of(&here, &portal_id(&former));
    let server = here.serve();
    let (_, _, told) = choose(&server, &here, "keep-apart");
    assert_eq!(server.stop(), Some(0));
    let org = here.texts("select org from connections order by connected_at desc limit 1")[0].clone();
    assert!(told.contains(&format!("hublore --org {org} sync")), "{told}");
    apart(&former, &other, &here, &org, &before);
}

/// The two are read by their own organisations and know nothing of each other.
fn apart(former: &Portal, other: &Portal, here: &Installation, org: &str, before: &[(String, i64)]) {
    let report = here.run(&["--org", org, "sync", "--json", "--quiet"]).ok().json();
    assert_eq!(report["outcome"], "complete", "{report}");
    assert_eq!(rows_of(here, &portal_id(former)), before, "what was here stays as it is");
    for (what, record_type) in RECORD_TYPES {
        let sql = match what {
            "contacts" => format!("select id from end_users where org = '{org}' order by id"),
            "companies" | "deals" => format!("select id from {what} where org = '{org}' order by id"),
            kind => {
                format!(
                    "select id from hubspot_engagements where org = '{org}' and kind = '{kind}' order by id"
                )
            }
        };
        assert_eq!(here.texts(&sql), other.ids(record_type), "{what}");
    }
    assert_eq!(here.number("select count(*) from (select org, portal from end_users group by 1, 2)"), 2);
    let found = |org: Option<&str>, word: &str| {
        let mut all: Vec<&str> = org.map_or_else(Vec::new, |org| vec!["--org", org]);
        all.extend(["search", "--json", word]);
        here.run(&all).ok().json()["hits"].as_array().unwrap().len()
    };
    for (word, default, kept) in [(a_word(former), 1, 0), (a_word(other), 0, 1)] {
        assert_eq!((found(None, &word), found(Some(org), &word)), (default, kept), "{word}");
    }
    here.verify();
    // A server works on one of them, and nothing meant for the other is handed to it.
    let server = here.serve();
    for verb in [
        &["rules", "add", "keyword", "onlyhere"][..],
        &["agents", "create", "stray"],
        &["sync", "catch_up"],
        &["index", "rebuild"],
        &["disconnect"],
    ] {
        let refused = here.run(&[&["--org", org][..], verb].concat());
        assert_eq!(refused.code, Some(3), "{verb:?}: {refused:?}");
        assert!(refused.stderr.contains("works on organisation"), "{refused:?}");
    }
    assert_eq!(server.stop(), Some(0));
    assert_eq!(here.number("select count(*) from learning_rules"), 0);
    assert_eq!(here.number("select count(*) from agents"), 0);
}

#[test]
fn f18_the_command_line_decides_beforehand() {
    // With a service key.
    let Two { former, other, here } = two();
    let key = here.folder().join("key");
    std::fs::write(&key, SERVICE_KEY).unwrap();
    let key = key.to_str().unwrap();
    let before = rows_of(&here, &portal_id(&former));
    let refused = here.run(&["connect", "--service-key", key]);
    assert_eq!(refused.code, Some(3), "{refused:?}");
    assert!(refused.stderr.contains("--other-portal keep-apart"), "{refused:?}");
    assert_eq!(here.run(&["connect", "--service-key", key, "--other-portal", "mix"]).code, Some(2));
    assert_eq!(rows_of(&here, &portal_id(&former)), before);
    let kept =
        here.run(&["connect", "--json", "--service-key", key, "--other-portal", "keep-apart"]).ok().json();
    let org = kept["org"].as_str().unwrap().to_owned();
    apart(&former, &other, &here, &org, &before);
    // Once more: the same organisation, nothing new.
    let again =
        here.run(&["connect", "--json", "--service-key", key, "--other-portal", "keep-apart"]).ok().json();
    assert_eq!(again["org"], Value::from(org));
    assert_eq!(here.number("select count(*) from orgs"), 2);

    // By consent, without a server and with one.
    let Two { former, other, here } = two();
    let report = here.connect_with(&["--other-portal", "purge"], Answer::Approve).ok();
    assert!(report.stdout.contains("complete"), "{report:?}");
    assert_same_ids(&other, &here);
    assert_eq!(rows_of(&here, &portal_id(&former)), []);

    let Two { former, other, here } = two();
    let server = here.serve();
    let link = link(&here, &["--other-portal", "purge"]);
    let page = block_on(async { Browser::new().consent(&link, Answer::Approve).await.text().await.unwrap() });
    assert!(page.contains("is connected"), "{page}");
    first_sync(&here);
    assert_eq!(server.stop(), Some(0));
    assert_same_ids(&other, &here);
    assert_eq!(rows_of(&here, &portal_id(&former)), []);
    here.verify();
}

#[test]
fn f18_a_purge_that_was_killed_is_done_again_and_never_mixes() {
    let Two { former, other, here } = two();
    let key = here.folder().join("key");
    std::fs::write(&key, SERVICE_KEY).unwrap();
    let purge =
        ["connect", "--no-sync", "--json", "--service-key", key.to_str().unwrap(), "--other-portal", "purge"];
    for delay in [5, 40, 90, 150] {
        let mut process = here.command(&purge).stdout(std::process::Stdio::null()).spawn().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(delay));
        let _ = process.kill();
        process.wait().unwrap();
        // Until the last step it is the former portal's data, less what is removed already.
        let connected = here.texts("select cast(portal as text) from connections");
        if connected == [portal_id(&other)] {
            break;
        }
        assert_eq!(rows_of(&here, &portal_id(&other)), []);
        assert_eq!(here.run(&["connect", "--service-key", purge[4]]).code, Some(3));
    }
    here.run(&purge).ok();
    assert_eq!(rows_of(&here, &portal_id(&former)), []);
    let report = here.run(&["sync", "--json", "--quiet"]).ok().json();
    assert_eq!(report["outcome"], "complete");
    assert_same_ids(&other, &here);
    here.verify();
}
