//! Many webhooks at once, twice, in any order, some never, and killed in between: what is here ends as it is there.

use std::time::Duration;

use serde_json::json;

use crate::support::Installation;
use crate::webhooks::{Scene, body_of, wait};

#[test]
fn t10_an_import_is_read_by_one_run_and_nothing_of_it_is_dropped() {
    let scene = Scene::start_with(&["--contacts", "50"], &[("HUBLORE_HUBSPOT__WEBHOOKS__BURST", "100")]);
    let runs = || scene.here.number("select count(*) from sync_runs where mode = 'catch_up'");
    let import = json!({"count": 400, "source": "IMPORT", "properties": {"jobtitle": "Imported zq"}});
    scene.portal.post("/__sim/objects/contacts", &import);
    scene.deliver();
    let imported = || scene.here.number("select count(*) from end_users where job_title = 'Imported zq'");
    wait(60, "all of the import", || imported() == 400);
    scene.settled();
    assert_eq!(runs(), 1, "one run read them all");
    // The same without the word: more than a burst at once.
    scene.portal.post(
        "/__sim/touch",
        &json!({"type": "notes", "first": 0, "count": 60, "properties": {"hs_note_body": "<p>x</p>"}}),
    );
    let many = json!({"count": 150, "properties": {"jobtitle": "Many zq"}});
    scene.portal.post("/__sim/objects/contacts", &many);
    scene.deliver();
    let arrived = || scene.here.number("select count(*) from end_users where job_title = 'Many zq'");
    wait(60, "all of them", || arrived() == 150);
    scene.settled();
    assert_eq!(runs(), 2, "one run more");
    scene.equal();
}

#[test]
fn t10_what_the_run_does_not_meet_is_read_by_id() {
    let scene = Scene::start(&["--contacts", "20"]);
    // HubSpot's search does not know of the import yet when the run asks it.
    scene.portal.post("/__sim/search-index/freeze", &json!({}));
    scene.portal.post(
        "/__sim/objects/contacts",
        &json!({"count": 30, "source": "IMPORT", "properties": {"jobtitle": "Unseen zq"}}),
    );
    scene.deliver();
    let arrived = || scene.here.number("select count(*) from end_users where job_title = 'Unseen zq'");
    wait(60, "all of them in spite of it", || arrived() == 30);
    scene.settled();
    scene.portal.post("/__sim/search-index/thaw", &json!({}));
    scene.equal();
}

/// What people do in a portal in a while: everything that webhooks tell of, drawn from a number.
fn a_while_in_the_portal(scene: &Scene, seed: usize) {
    let portal = &scene.portal;
    let (contacts, companies) = (portal.ids("contacts"), portal.ids("companies"));
    let pick = |ids: &[String], n: usize| ids[(n * 31 + seed * 17) % ids.len()].clone();
    for (n, record_type) in ["notes", "emails", "calls", "meetings"].into_iter().cycle().take(24).enumerate()
    {
        let mut body = body_of(record_type, &format!("storm{seed}word{n}zq"));
        body["associations"] = json!({"contacts": [pick(&contacts, n)]});
        body["associate_after_ms"] = json!((n % 3) * 400);
        scene.create(record_type, &body);
    }
    for n in 0..6 {
        let note = pick(&portal.ids("notes"), n);
        let path = format!("/__sim/objects/notes/{note}");
        portal.patch(&path, &json!({"properties": {"hs_note_body": format!("<p>edit {n} of {seed}</p>")}}));
        if n % 2 == 0 {
            portal.delete(&path);
        }
        if n % 4 == 0 {
            portal.post(&format!("{path}/restore"), &json!({}));
        }
        portal.delete(&format!("/__sim/objects/calls/{}", portal.ids("calls")[n]));
        let tie = json!({"from_type": "notes", "from": portal.ids("notes")[n * 2], "to_type": "companies",
            "to": pick(&companies, n), "remove": n == 5});
        portal.post("/__sim/associations", &tie);
    }
    let title = json!({"properties": {"jobtitle": format!("Title {seed}"), "phone": "+1 555 0100"}});
    portal.patch(&format!("/__sim/objects/contacts/{}", contacts[1]), &title);
    portal.post("/__sim/merge", &json!({"primary": contacts[2], "merged": contacts[3]}));
    portal
        .post("/__sim/merge", &json!({"type": "companies", "primary": companies[0], "merged": companies[1]}));
    portal.post("/__sim/privacy-delete", &json!({"id": contacts[5]}));
}

/// Everything here as it is there, by content: what a complete reading would still change is nothing.
fn equal_in_content(scene: Scene) {
    let Scene { portal, here, server } = scene;
    assert_eq!(server.stop(), Some(0));
    // What was made of a body depends on how often lines of it were counted; what was read does not. Which company is a
    // contact's primary one is among its ties; HubSpot writes it into a property too and tells nobody.
    let rows = |here: &Installation| {
        let mut rows = here.texts(
            "select kind || ' ' || id || coalesce(title, '') || coalesce(body_html, '') || coalesce(owner, '') || properties \
             from hubspot_engagements",
        );
        rows.extend(
            here.texts("select 'contact ' || id || ' ' || coalesce(email, '') || json_remove(properties, '$.associatedcompanyid') from end_users"),
        );
        rows.extend(
            here.texts("select 'company ' || id || ' ' || coalesce(name, '') || properties from companies"),
        );
        rows.extend(here.texts("select 'deal ' || id || ' ' || coalesce(name, '') || properties from deals"));
        rows.extend(here.texts(
            "select from_type || ' ' || from_id || ' tied to ' || to_type || ' ' || to_id from associations",
        ));
        rows.sort();
        rows
    };
    let before = rows(&here);
    here.run(&["sync", "full_resync", "--quiet"]).ok();
    let after = rows(&here);
    let only = |these: &[String], those: &[String]| -> Vec<String> {
        these.iter().filter(|row| !those.contains(row)).cloned().collect()
    };
    assert!(before == after, "before: {:#?}\nafter: {:#?}", only(&before, &after), only(&after, &before));
    crate::support::assert_same_ids(&portal, &here);
    here.verify();
}

#[test]
fn r10_any_order_and_five_times_over_end_the_same() {
    for seed in 1..=3 {
        let number = seed.to_string();
        let scene = Scene::start(&["--contacts", "24", "--seed", &number]);
        a_while_in_the_portal(&scene, seed);
        let how = json!({"shuffle": seed, "duplicate": true, "batch": 7 * seed, "in_flight": 6});
        let statuses = scene.flush(&how);
        assert!(statuses.len() > 4 && statuses.iter().all(|one| one == &[200]), "{statuses:?}");
        scene.settled();
        equal_in_content(scene);
    }
}

#[test]
fn r10_what_is_never_delivered_is_found_by_the_next_run() {
    let scene = Scene::start(&["--contacts", "24", "--seed", "4"]);
    a_while_in_the_portal(&scene, 4);
    scene.flush(&json!({"shuffle": 4, "lost_percent": 30, "batch": 10}));
    scene.settled();
    scene.here.change("update upkeep set done_at = done_at - 90000000");
    scene.here.run(&["sync", "catch_up", "--quiet"]).ok();
    scene.settled();
    scene.equal();
}

#[test]
fn r1_what_was_answered_survives_a_kill_at_any_moment() {
    let mut scene = Scene::start(&["--contacts", "12", "--seed", "5"]);
    let mut acknowledged = Vec::new();
    for cycle in 0_u64..15 {
        let made: Vec<String> = (0..4)
            .map(|n| scene.create("notes", &body_of("notes", &format!("killed{cycle}word{n}zq"))))
            .collect();
        let pid = scene.server.id();
        let killer = std::thread::spawn(move || {
            std::thread::sleep(Duration::from_millis(cycle * 37 % 330));
            std::process::Command::new("kill").args(["-KILL", &pid.to_string()]).status().unwrap();
        });
        let statuses = scene.flush(&json!({"batch": 1, "attempts": 1}));
        assert_eq!(statuses.len(), 4);
        acknowledged.extend(made.into_iter().zip(&statuses).filter(|(_, s)| s == &&[200]).map(|(id, _)| id));
        killer.join().unwrap();
        scene.server.kill();
        scene.server = scene.here.serve();
    }
    assert!(acknowledged.len() > 10, "{} of 60 were answered", acknowledged.len());
    scene.settled();
    let stored = scene.here.ids("note");
    let lost: Vec<_> = acknowledged.iter().filter(|id| !stored.contains(id)).collect();
    assert!(lost.is_empty(), "answered and lost: {lost:?}");
    assert_eq!(scene.server.stop(), Some(0));
    scene.here.verify();
}

#[test]
fn r11_a_storm_is_answered_in_time_and_read_by_one_run() {
    let scene = Scene::start(&["--contacts", "20000", "--engagements-per-contact", "0", "--lean"]);
    let touch = json!({"type": "contacts", "first": 0, "count": 20_000, "announce": true,
        "properties": {"jobtitle": "Stormed zq", "phone": "1"}});
    scene.portal.post("/__sim/touch", &touch);
    let begun = std::time::Instant::now();
    let statuses = scene.flush(&json!({"in_flight": 10, "attempts": 1}));
    println!("40,000 events in {} deliveries taken in {:?}", statuses.len(), begun.elapsed());
    assert!(
        statuses.len() >= 400 && statuses.iter().all(|one| one == &[200]),
        "each within HubSpot's patience"
    );
    let arrived = || scene.here.number("select count(*) from end_users where job_title = 'Stormed zq'");
    wait(240, "all of them", || arrived() == 20_000);
    scene.settled();
    assert_eq!(scene.here.number("select count(*) from sync_runs where mode = 'catch_up'"), 1);
    scene.equal();
}

/// Slack is told once, whoever sees an engagement first.
#[test]
fn not_2_not_7_an_announced_engagement_is_told_within_seconds_and_once() {
    let (portal, here) = crate::notifications::posting(crate::notifications::webhook);
    let server = here.serve();
    let scene = Scene { portal, here, server };
    scene.target(&json!({}));
    let id = crate::notifications::note(&scene.portal, "A word about renewal, announced.");
    scene.flush(&json!({"duplicate": true}));
    wait(10, "the message", || crate::notifications::told(&scene.portal) == 1);
    scene.here.run(&["sync", "catch_up", "--quiet"]).ok();
    scene.portal.patch(
        &format!("/__sim/objects/notes/{id}"),
        &json!({"properties": {"hs_note_body": "<p>An edit is no news.</p>"}}),
    );
    scene.deliver();
    scene.settled();
    crate::notifications::a_while();
    assert_eq!(crate::notifications::told(&scene.portal), 1);
}
