//! Looking after the index: differences are named and mended, a rebuild says how far it is, and a change of the
//! program that alters words rebuilds by itself.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, Instant};

use hublore::domain::ids::OrgId;
use hublore::knowledge::follower::{Follower, Renewal};
use hublore::store::conn::Conn;
use hublore::store::ledger::{self, Operation};
use hublore::store::{Store, StoreError};
use hublore_index::{Embedded, KnowledgeIndex, Options};
use serde_json::{Value, json};

use crate::support::{Installation, Portal, Server};

fn synced() -> (Portal, Installation) {
    let portal = Portal::start(&["--contacts", "60", "--seed", "12"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync"]).ok();
    (portal, here)
}

#[test]
fn verify_names_differences_and_repair_mends_them() {
    let (_portal, here) = synced();
    let clean = here.verify();
    let notes = here.ids("note");
    // Behind the ledger's back: one gone, one changed, one that was never learned.
    here.change(&format!("delete from hubspot_engagements where kind = 'note' and id = '{}'", notes[0]));
    here.change(&format!(
        "update hubspot_engagements set seq = 1 where kind = 'note' and id = '{}'",
        notes[1]
    ));
    here.change(&format!(
        "update hubspot_engagements set decision = 'skipped' where kind = 'note' and id = '{}'",
        notes[2]
    ));
    let ran = here.run(&["index", "verify", "--json"]);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(ran.stderr.contains("hublore index verify --repair"), "{ran:?}");
    let verdict = ran.json();
    assert_eq!((&verdict["surplus"], &verdict["outdated"]), (&json!(2), &json!(1)), "{verdict}");
    let named = verdict["examples"].to_string();
    assert!(notes[..3].iter().all(|id| named.contains(&format!(":note:{id}"))), "{named}");

    let repaired = here.run(&["index", "verify", "--repair", "--json"]).ok().json();
    assert_eq!(repaired["found"], verdict);
    assert_eq!(repaired["left"]["surplus"], 0, "{repaired}");
    let after = here.verify();
    let stored = |verdict: &Value| verdict["stored"].as_u64().unwrap();
    assert_eq!(stored(&after), stored(&clean) - 2);
}

#[test]
fn one_organisation_is_rebuilt_alone_and_a_running_server_does_it_too() {
    let (portal, here) = synced();
    let documents = here.verify()["indexed"].clone();
    let word = portal.record("notes", &portal.ids("notes")[3])["unique_word"].as_str().unwrap().to_owned();
    let org = here.texts("select id from orgs").remove(0);
    let generation = || here.run(&["index", "stats", "--json"]).ok().json()["generation"].clone();
    let before = generation();
    let ran = here.run(&["--org", &org, "index", "rebuild", "--json"]).ok();
    assert_eq!(ran.json()["documents"], documents);
    assert!(ran.stderr.contains("a second"), "progress with rate and time left: {ran:?}");
    assert_eq!(generation(), before, "the live generation was written");
    assert_eq!(here.search(&word).len(), 1);
    here.verify();

    let server = here.serve();
    let rebuilt = here.run(&["index", "rebuild", "--json"]).ok().json();
    assert_eq!(rebuilt["documents"], documents);
    assert_eq!(here.run(&["index", "progress", "--json"]).ok().json(), Value::Null, "none runs now");
    assert_eq!(here.run(&["index", "verify", "--repair", "--json"]).ok().json()["left"]["missing"], 0);
    let refused = here.run(&["--org", "nobody", "index", "rebuild"]);
    assert_eq!(refused.code, Some(3), "nothing of another organisation is handed over: {refused:?}");
    assert_eq!(server.stop(), Some(0));
    assert_eq!(here.run(&["--org", "nobody", "index", "rebuild"]).code, Some(2), "there is no such one");
    assert_ne!(generation(), before);
    here.verify();
}

/// Many small changes share commits, and whoever waits for a change of its own finds it in the index.
#[test]
fn changes_are_committed_in_groups_and_a_caller_may_wait_for_its_own() {
    const GROUP: Duration = Duration::from_millis(100);
    let folder = tempfile::tempdir().unwrap();
    let store = Store::open(&folder.path().join("hublore.db")).unwrap();
    let index = Arc::new(Embedded::open(folder.path().join("index"), Options::default()).unwrap());
    let follower =
        Follower::start(store.clone(), Arc::clone(&index), "epoch".to_owned(), GROUP, Renewal::First)
            .unwrap();
    let started = Instant::now();
    let mut commits = BTreeSet::new();
    for n in 0..300 {
        let change = move |conn: &mut dyn Conn| {
            ledger::append(conn, &OrgId::new("o"), &format!("hubspot:1:note:{n}"), Operation::Put)
        };
        let seq: Result<i64, StoreError> = store.write(change);
        commits.extend(index.position().map(|position| position.seq));
        if n % 100 == 99 {
            follower.catch_up(Duration::from_secs(60)).unwrap();
            let reached = index.position().unwrap().seq;
            assert!(
                reached >= seq.unwrap().unsigned_abs(),
                "what was stored before the call is searchable after it"
            );
        }
    }
    let possible = started.elapsed().as_millis() / GROUP.as_millis() + 2;
    assert!(commits.len() as u128 <= possible, "{} commits where {possible} fit", commits.len());
    assert_eq!(follower.lag().unwrap(), 0);
}

/// Killed at any step of a rebuild, the index is what it was or what it should become, and the next start needs no
/// help.
#[test]
fn a_rebuild_killed_at_any_step_leaves_a_whole_index() {
    let portal = Portal::start(&["--contacts", "120", "--seed", "31"]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    here.run(&["sync"]).ok();
    let documents = here.verify()["indexed"].clone();
    for cycle in 0..16u64 {
        let mut rebuild = here.command(&["index", "rebuild", "--quiet"]).spawn().unwrap();
        // Spread over start, filling, settling and the swap; the same sequence every time.
        std::thread::sleep(Duration::from_millis(15 + (cycle * 7919) % 400));
        let _ = rebuild.kill();
        rebuild.wait().unwrap();
        let verdict = here.verify();
        assert_eq!(verdict["indexed"], documents, "cycle {cycle}");
        let generations = std::fs::read_dir(here.data().join("index")).unwrap();
        let names = generations.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        assert!(
            names.filter(|name| name.starts_with("gen-")).count() <= 2,
            "leftovers are removed, cycle {cycle}"
        );
    }
}

/// A link often stands behind other words: where it leads is found all the same, whole and in parts.
#[test]
fn hosts_of_links_are_found() {
    let (portal, here) = synced();
    let body =
        "<p>The plan is <a href=\"https://plans.quuxharbor.example/a?b=1\">here</a>, as discussed.</p>";
    portal.post("/__sim/objects/notes", &json!({"properties": {"hs_note_body": body}}));
    here.run(&["sync"]).ok();
    for typed in ["plans.quuxharbor.example", "quuxharbor", "\"quuxharbor.example\""] {
        assert_eq!(here.search(typed).len(), 1, "{typed}");
    }
    here.run(&["index", "rebuild"]).ok();
    assert_eq!(here.search("quuxharbor").len(), 1, "a rebuild has them too");
}

/// A table of two words that mean the same, as its format is documented.
fn write_table(folder: &std::path::Path) {
    let header =
        json!({"embeddings": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}}).to_string();
    let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
    bytes.extend(header.as_bytes());
    bytes.extend([1.0_f32, 0.1, 1.0, 0.2].iter().flat_map(|number| number.to_le_bytes()));
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("model.safetensors"), bytes).unwrap();
    let words = json!({"model": {"type": "WordPiece", "vocab": {"lighthouse": 0, "quuxlamp": 1}}});
    std::fs::write(folder.join("tokenizer.json"), words.to_string()).unwrap();
}

#[test]
fn a_table_of_meanings_is_used_once_it_is_set_and_a_bad_one_is_refused_by_name() {
    let (portal, mut here) = synced();
    let note = json!({"properties": {"hs_note_body": "<p>the quuxlamp on the pier is dark</p>"}});
    portal.post("/__sim/objects/notes", &note);
    here.run(&["sync"]).ok();
    assert!(here.search("lighthouse").is_empty());
    let table = here.folder().join("table");
    here.settings.insert("HUBLORE_SEARCH__SEMANTIC".to_owned(), table.display().to_string());
    let refused = here.run(&["index", "stats"]);
    assert_eq!(refused.code, Some(1), "{refused:?}");
    assert!(
        refused.stderr.contains("search.semantic") && refused.stderr.contains("model.safetensors"),
        "{refused:?}"
    );
    write_table(&table);
    here.verify();
    assert_eq!(here.search("lighthouse").len(), 1, "the index was rebuilt with meanings by itself");
    here.settings.remove("HUBLORE_SEARCH__SEMANTIC");
    here.verify();
    assert!(here.search("lighthouse").is_empty(), "without the folder all is as before");
}

/// Writes the metadata of the live generation anew.
fn edit_meta(here: &Installation, edit: impl Fn(&str) -> String) {
    let pointer = std::fs::read_to_string(here.data().join("index/CURRENT")).unwrap();
    let live: Value = serde_json::from_str(pointer.lines().next().unwrap()).unwrap();
    let meta = here.data().join("index").join(live["current"].as_str().unwrap()).join("meta.json");
    std::fs::write(&meta, edit(&std::fs::read_to_string(&meta).unwrap())).unwrap();
}

/// As a program with another way of cutting words would have written it.
fn of_another_cut(meta: &str) -> String {
    let at = meta.find("\\\"schema\\\":\\\"").unwrap() + "\\\"schema\\\":\\\"".len();
    format!("{}0000000000000000{}", &meta[..at], &meta[at + 16..])
}

/// As a program with other fields would have written it.
fn of_other_fields(meta: &str) -> String {
    meta.replace("\"likeness\"", "\"semblance\"")
}

/// After an upgrade the server answers at once: searches from the old index if it can be read, else they are
/// told to come back, and everything else as ever. Here the swap fails until a thing in its way is removed, so that
/// the state lasts.
#[test]
fn a_server_answers_while_an_index_of_another_version_is_rebuilt() {
    let (portal, here) = synced();
    let key = here.run(&["agents", "create", "a", "--json"]).ok().json()["key"].as_str().unwrap().to_owned();
    let id = portal.ids("notes")[3].clone();
    let word = portal.record("notes", &id)["unique_word"].as_str().unwrap().to_owned();
    let email = here.texts("select email from end_users where email is not null limit 1").remove(0);
    let note = here.texts("select 'hubspot:' || portal || ':note:' || id from hubspot_engagements where kind = 'note' and decision = 'learned' limit 1").remove(0);
    let in_the_way = here.data().join("index/CURRENT.new");
    let ask = |server: &Server, method: &str, path: &str| {
        let body = (method == "POST").then(|| json!({"query": word}));
        let (status, text) = server.request(method, path, Some(&key), body.as_ref()).unwrap();
        (status, serde_json::from_str::<Value>(&text).unwrap_or_default())
    };
    std::fs::create_dir(&in_the_way).unwrap();

    edit_meta(&here, of_another_cut);
    let server = here.serve();
    let (status, answer) = ask(&server, "POST", "/api/v1/search");
    assert_eq!((status, answer["total"].as_u64()), (200, Some(1)), "the old index answers: {answer}");
    assert_eq!(server.stop(), Some(0));

    edit_meta(&here, of_other_fields);
    let server = here.serve();
    let (status, problem) = ask(&server, "POST", "/api/v1/search");
    assert_eq!((status, problem["type"].as_str()), (503, Some("urn:hublore:index-not-ready")), "{problem}");
    assert_eq!(server.request("GET", "/readyz", None, None).unwrap().0, 503);
    assert_eq!(server.get("/healthz").unwrap().trim(), "ok");
    let (status, context) = ask(&server, "GET", &format!("/api/v1/customers/{email}/context?query={word}"));
    assert_eq!((status, context["passages"].as_array().map(Vec::len)), (200, Some(0)), "{context}");
    assert!(context["warnings"][0].as_str().unwrap().contains("index is being built"), "{context}");
    assert_eq!(ask(&server, "GET", &format!("/api/v1/engagements/{note}")).0, 200);
    let (status, finding) = ask(&server, "GET", &format!("/api/v1/engagements/{note}/explain"));
    assert_eq!((status, finding["code"].as_str()), (200, Some("not_yet_indexed")), "{finding}");

    std::fs::remove_dir(&in_the_way).unwrap();
    let begun = Instant::now();
    while ask(&server, "POST", "/api/v1/search").0 != 200 {
        assert!(begun.elapsed() < Duration::from_secs(240), "it is rebuilt and swapped by itself");
        std::thread::sleep(Duration::from_millis(200));
    }
    assert_eq!(ask(&server, "POST", "/api/v1/search").1["total"], 1);
    assert_eq!(server.stop(), Some(0));
    here.verify();
}

/// A generation written by a program with another way of cutting words.
#[test]
fn an_index_of_another_version_is_rebuilt_at_the_next_start() {
    let (portal, here) = synced();
    let documents = here.verify()["indexed"].clone();
    let generation = || here.run(&["index", "stats", "--json"]).ok().json()["generation"].clone();
    let live = generation();
    edit_meta(&here, of_another_cut);
    portal.post("/__sim/journal/reset", &json!({}));
    assert_eq!(here.verify()["indexed"], documents);
    assert_eq!(portal.json("/__sim/journal")["total"], 0, "from the database alone");
    assert_ne!(generation(), live);
}
