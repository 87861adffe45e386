//! One line of the table of the text measurements, and the rows of the shared corpora.

use std::path::PathBuf;

use serde_json::Value;

/// The rows of a corpus file, or `None` with a printed reason.
pub(crate) fn rows(name: &str) -> Option<Vec<Value>> {
    let shared = std::env::var_os("HUBLORE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let path = shared.join("corpora").join(name);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(text.lines().map(|l| serde_json::from_str(l).expect("a corpus row")).collect()),
        Err(error) => {
            println!("skipped {name}: {error}");
            None
        }
    }
}

/// Processor time of this thread.
pub(crate) fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

pub(crate) fn shows_fails(row: &str) -> bool {
    std::env::var("HUBLORE_TEXT_FAILS").is_ok_and(|v| v == row)
}

/// One line of the table; `goal` is what the issue asks for, `floor` what must never be lost again.
pub(crate) fn report(name: &str, value: f64, goal: f64, floor: f64, detail: &str) {
    let mark = if value >= goal { "ok" } else { "below goal" };
    println!("{name:<44} {value:>9.4}  goal {goal:<7} {mark:<10} {detail}");
    assert!(value >= floor, "{name}: {value} fell under {floor}");
}
