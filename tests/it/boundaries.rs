//! Killed at every page boundary of every type: what is stored is exact up to there, and reading goes on from there.
//!
//! Pages are made small, and the answer behind a boundary is held back by the portal, so each boundary is met for sure.

use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Installation, Portal, RECORD_TYPES, assert_same_ids};

/// Records of a page.
const PAGE: usize = 2;

struct Type {
    /// As rows name it.
    what: &'static str,
    /// As the portal does.
    name: &'static str,
    /// Its list in the portal's journal.
    route: String,
    pages: usize,
}

fn types(portal: &Portal) -> Vec<Type> {
    let one = |(what, name): (&'static str, &'static str)| {
        if what == "form_submission" {
            let forms = portal.api("/marketing/v3/forms?limit=50&formTypes=hubspot,captured,flow");
            let pages = forms["results"].as_array().unwrap().len();
            return Type {
                what,
                name,
                route: "GET form-integrations/submissions/forms/{id}".to_owned(),
                pages,
            };
        }
        let pages = portal.ids(name).len().div_ceil(PAGE);
        Type { what, name, route: format!("GET crm/objects/{name}"), pages }
    };
    RECORD_TYPES.into_iter().map(one).collect()
}

/// Small pages; the second call of a list is held back, if one is named.
fn rules(held: Option<&str>) -> Value {
    let small = json!({"route": "GET crm/objects/", "do": "underfilled", "keep": PAGE});
    let held = held.map(|route| json!({"route": route, "calls": [2], "do": "hold"}));
    json!({"rules": held.into_iter().chain([small]).collect::<Vec<_>>()})
}

/// The ids of the first pages, in the order of the list.
fn first(portal: &Portal, name: &str, pages: usize) -> Vec<String> {
    let all = portal.get(&format!("/__sim/truth/ids?type={name}"));
    let mut ids: Vec<String> = all.split_whitespace().take(pages * PAGE).map(str::to_owned).collect();
    ids.sort();
    ids
}

fn calls(portal: &Portal, route: &str) -> usize {
    let journal = portal.json("/__sim/journal");
    usize::try_from(journal["routes"][route].as_u64().unwrap_or(0)).unwrap()
}

/// Where the reading of a type goes on after a kill.
fn checkpoint(here: &Installation, one: &Type) -> Vec<String> {
    here.texts(&format!("select after from checkpoints where type = '{}' and after is not null", one.what))
}

/// Waits until the page before the boundary is stored, its checkpoint with it, and the one behind it is held back.
fn until_boundary(
    portal: &Portal,
    here: &Installation,
    one: &Type,
    (stored, before): (usize, &[String]),
    process: &mut Child,
) {
    let deadline = Instant::now() + Duration::from_secs(120);
    let is_there = || {
        let held = portal.json("/__sim/faults")["rules"][0]["struck"] == 1;
        let now = checkpoint(here, one);
        // The checkpoint of the boundary before is still there at first: reading ahead is not storing.
        held && !now.is_empty()
            && now != before
            && (one.what == "form_submission" || here.ids(one.what).len() == stored)
    };
    while !is_there() {
        assert!(process.try_wait().unwrap().is_none(), "{}: the sync ended", one.what);
        assert!(Instant::now() < deadline, "{}: {stored} are not reached", one.what);
        std::thread::sleep(Duration::from_millis(15));
    }
}

#[test]
fn syn_11_killed_at_every_page_boundary_it_is_exact_there_and_reads_on_from_there() {
    let portal = Portal::start(&["--contacts", "13", "--engagements-per-contact", "2.2", "--seed", "71"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    let (crm, kinds): (Vec<Type>, Vec<Type>) =
        types(&portal).into_iter().partition(|one| ["contacts", "companies", "deals"].contains(&one.what));
    let mut boundaries: usize = crm.iter().map(|one| every_boundary(&portal, &here, one)).sum();
    // Kinds of engagement are read side by side: each gets an installation of its own in which none was begun.
    boundaries += kinds.iter().map(|one| every_boundary(&portal, &here.copy(), one)).sum::<usize>();
    assert!(boundaries >= 20, "{boundaries}");
    eprintln!("{boundaries} boundaries");
}

/// Kills one process at each boundary of a type in turn.
fn every_boundary(portal: &Portal, here: &Installation, one: &Type) -> usize {
    for done in 1..one.pages {
        portal.post("/__sim/journal/reset", &json!({}));
        portal.post("/__sim/faults", &rules(Some(&one.route)));
        let before = checkpoint(here, one);
        let mut process = here.command(&["sync", "--quiet"]).stdout(Stdio::null()).spawn().unwrap();
        until_boundary(portal, here, one, (done * PAGE, &before), &mut process);
        process.kill().unwrap();
        process.wait().unwrap();
        if one.what != "form_submission" {
            assert_eq!(here.ids(one.what), first(portal, one.name, done), "{} after {done}", one.what);
        }
        resumed(portal, here, one, done);
    }
    one.pages - 1
}

#[test]
fn syn_11_killed_between_the_pages_of_a_catch_up_it_misses_no_change() {
    let portal = Portal::start(&["--contacts", "6000", "--engagements-per-contact", "0", "--lean"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync", "--quiet"]).ok();
    let now = here.number("select max(started_at) from sync_runs");
    let edit =
        json!({"type": "contacts", "count": 2500, "modified_ms": now, "properties": {"lastname": "Nemo"}});
    portal.post("/__sim/touch", &edit);
    let named = |here: &Installation| here.number("select count(*) from end_users where last_name = 'Nemo'");
    // A thousand changed records are a page: ten batches.
    for stored in [1_000, 2_000] {
        let hold = json!({"route": "POST crm/objects/contacts/batch/read", "calls": [11], "do": "hold"});
        portal.post("/__sim/journal/reset", &json!({}));
        portal.post("/__sim/faults", &json!({"rules": [hold]}));
        let mut process =
            here.command(&["sync", "catch_up", "--quiet"]).stdout(Stdio::null()).spawn().unwrap();
        let deadline = Instant::now() + Duration::from_secs(120);
        while portal.json("/__sim/faults")["rules"][0]["struck"] != 1 || named(&here) < stored {
            assert!(process.try_wait().unwrap().is_none(), "the sync ended");
            assert!(Instant::now() < deadline, "{stored} are not reached: {}", named(&here));
            std::thread::sleep(Duration::from_millis(15));
        }
        process.kill().unwrap();
        process.wait().unwrap();
        assert_eq!(named(&here), stored);
        portal.post("/__sim/faults", &json!({"rules": []}));
        let copy = here.copy();
        let report = copy.run(&["sync", "catch_up", "--json", "--quiet"]).ok().json();
        assert_eq!(report["outcome"], "complete", "{report}");
        assert_eq!(named(&copy), 2_500);
        assert_same_ids(&portal, &copy);
    }
}

/// A copy of what the killed process left is read to its end: only the pages that were missing are asked for.
fn resumed(portal: &Portal, here: &Installation, one: &Type, done: usize) {
    let copy = here.copy();
    portal.post("/__sim/journal/reset", &json!({}));
    portal.post("/__sim/faults", &rules(None));
    let report = copy.run(&["sync", "--json", "--quiet"]).ok().json();
    assert_eq!(report["outcome"], "complete", "{report}");
    assert_eq!(calls(portal, &one.route), one.pages - done, "{} after page {done}", one.what);
    assert_same_ids(portal, &copy);
    copy.verify();
}
