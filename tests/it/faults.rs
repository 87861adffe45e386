//! A bad line to HubSpot: every fault alone and seeded mixes of all; the end is exact every time.

use serde_json::{Value, json};

use crate::support::{Installation, Portal};

const KINDS: [(&str, &str); 8] = [
    ("contacts", "contacts"),
    ("companies", "companies"),
    ("deals", "deals"),
    ("email", "emails"),
    ("note", "notes"),
    ("call", "calls"),
    ("meeting", "meetings"),
    ("form_submission", "form_submissions"),
];

/// Syncs under the fault rules until complete, a few runs at most, and compares with the truth.
fn exact_under(name: &str, rules: &Value, contacts: &str, seed: u64) {
    let seed = seed.to_string();
    let portal = Portal::start(&["--contacts", contacts, "--engagements-per-contact", "4", "--seed", &seed]);
    let here = Installation::for_portal(&portal);
    here.connect_with_key();
    portal.post("/__sim/faults", rules);
    let mut last = Value::Null;
    for _ in 0..4 {
        last = here.run(&["sync", "--json", "--quiet"]).json();
        if last["outcome"] == "complete" {
            break;
        }
    }
    assert_eq!(last["outcome"], "complete", "{name}, seed {seed}: {last}");
    for (what, record_type) in KINDS {
        assert_eq!(here.ids(what), portal.ids(record_type), "{name}, seed {seed}: {what}");
    }
    here.verify();
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

const ALL: [&str; 12] = [
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

/// How many mixes; each takes well under a second. `HUBLORE_LONG=1` runs many more.
fn seeds() -> u64 {
    if std::env::var_os("HUBLORE_LONG").is_some() { 400 } else { 24 }
}

#[test]
fn seeded_mixes_of_all_faults_end_exact() {
    let rules: Vec<Value> = ALL.iter().map(|kind| rule(kind, 0.02)).collect();
    std::thread::scope(|scope| {
        for part in 0..4 {
            let rules = rules.clone();
            scope.spawn(move || {
                for seed in (0..seeds()).filter(|seed| seed % 4 == part) {
                    exact_under("mix", &json!({"seed": seed, "rules": rules}), "60", seed);
                }
            });
        }
    });
}
