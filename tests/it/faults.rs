//! A bad line to HubSpot: every fault alone and seeded mixes of all; the end is exact every time.

use serde_json::{Value, json};

use crate::support::{Installation, Portal, RECORD_TYPES};

/// Runs `mode` under the fault rules until it is complete and nothing waits for repair, a few times at most.
fn settle(name: &str, portal: &Portal, here: &Installation, mode: &str, rules: &Value) {
    portal.post("/__sim/faults", rules);
    let mut last = Value::Null;
    for _ in 0..8 {
        last = here.run(&["sync", mode, "--json", "--quiet"]).json();
        let waiting = here.number("select count(*) from parked");
        if last["outcome"] == "complete" && waiting == 0 {
            return;
        }
    }
    panic!("{name}: {mode} does not come to an end: {last}");
}

/// A first sync and a later one under the fault rules; both end exact.
fn exact_under(name: &str, rules: &Value, contacts: &str, seed: u64) {
    let seed = seed.to_string();
    let name = format!("{name}, seed {seed}");
    let portal = Portal::start(&["--contacts", contacts, "--engagements-per-contact", "4", "--seed", &seed]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    settle(&name, &portal, &here, "full_resync", rules);
    compare(&name, &portal, &here);

    // The portal's clock stands two days behind ours, before the last run: what changes now must look new.
    let now = here.number("select max(started_at) from sync_runs");
    let edit = json!({"type": "emails", "first": 3, "count": 25, "modified_ms": now, "properties": {"hs_email_subject": "x"}});
    portal.post("/__sim/touch", &edit);
    portal.post("/__sim/objects/notes", &json!({"count": 3, "modified_ms": now}));
    let gone = portal.ids("contacts")[2].clone();
    portal.delete(&format!("/__sim/objects/contacts/{gone}"));
    settle(&name, &portal, &here, "catch_up", rules);
    compare(&name, &portal, &here);
    assert_eq!(here.number("select count(*) from hubspot_engagements where title = 'x'"), 25, "{name}");
    here.verify();
}

fn compare(name: &str, portal: &Portal, here: &Installation) {
    for (what, record_type) in RECORD_TYPES {
        assert_eq!(here.ids(what), portal.ids(record_type), "{name}: {what}");
    }
}

fn rule(kind: &str, probability: f64) -> Value {
    let mut rule = json!({"route": "crm", "probability": probability, "times": 40, "do": kind});
    let extra = match kind {
        "slow_first_byte" => json!({"ms": 40}),
        "drip" => json!({"ms": 2, "bytes": 4000}),
        "underfilled" => json!({"keep": 3}),
        "status" => json!({"status": 502}),
        "move" => json!({"count": 2}),
        _ => json!({}),
    };
    rule.as_object_mut().unwrap().extend(extra.as_object().unwrap().clone());
    rule
}

const ALL: [&str; 14] = [
    "drop_before",
    "drop_after",
    "drop_half",
    "slow_first_byte",
    "drip",
    "truncated",
    "wrong_content_length",
    "html200",
    "malformed",
    "duplicate",
    "underfilled",
    "status",
    "move",
    "partial",
];

#[test]
fn each_fault_alone_ends_exact() {
    std::thread::scope(|scope| {
        for half in ALL.chunks(4) {
            scope.spawn(move || {
                for kind in half {
                    exact_under(kind, &json!({"seed": 1, "rules": [rule(kind, 0.15)]}), "120", 1);
                }
            });
        }
    });
}

/// How many mixes; each takes about a second. `HUBLORE_LONG=1` runs many more.
fn seeds() -> u64 {
    if std::env::var_os("HUBLORE_LONG").is_some() { 400 } else { 100 }
}

#[test]
fn seeded_mixes_of_all_faults_end_exact() {
    let rules: Vec<Value> = ALL.iter().map(|kind| rule(kind, 0.02)).collect();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let rules = rules.clone();
            scope.spawn(move || {
                for seed in (0..seeds()).filter(|seed| seed % 4 == part) {
                    exact_under("mix", &json!({"seed": seed, "rules": rules}), "30", seed);
                }
            });
        }
    });
}
