//! What reading a portal costs: CPU time and memory of our process, against a simulated portal without delay.
//!
//! `cargo bench --bench ingest` measures 50,000 lean contacts and the memory of 20,000 against 100,000
//! engagements; `HUBLORE_BENCH_ENGAGEMENTS=500000` sets the larger size. The portal runs in this process, the
//! measured one is the binary, so that its numbers are its own.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends with the cause")]

use std::path::{Path, PathBuf};
use std::process::Command;

use hubspot_simulator::{Options, Running, start};
use serde_json::{Value, json};

fn main() {
    let portal = Options { contacts: 50_000, engagements_per_contact: 0.0, lean: true, ..Options::default() };
    let all = sync(&portal);
    println!("79,167 lean CRM records     {:>7.2} CPU-s   {:>6.1} MB peak", cpu(&all), peak(&all));
    let folder = tempfile::tempdir().expect("a folder");
    let before = own_cpu();
    let lean = sync(&Options { faults: Some(contacts_only(folder.path())), ..portal });
    let served = own_cpu() - before;
    println!("50,000 lean contacts        {:>7.2} CPU-s   {:>6.1} MB peak", cpu(&lean), peak(&lean));
    println!(
        "served by the portal in     {:>7.2} CPU-s   {:>6.1} times as fast",
        served,
        cpu(&lean) / served
    );

    let larger: f64 =
        std::env::var("HUBLORE_BENCH_ENGAGEMENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000.0);
    let small = sync(&engagements(20_000.0));
    println!("20,000 engagements          {:>7.2} CPU-s   {:>6.1} MB peak", cpu(&small), peak(&small));
    let large = sync(&engagements(larger));
    println!("{larger:>7} engagements         {:>7.2} CPU-s   {:>6.1} MB peak", cpu(&large), peak(&large));
    println!("memory, larger to smaller   {:>7.3}", peak(&large) / peak(&small));
    println!("engagements per CPU-second  {:>7.0}", larger / cpu(&large));
}

/// A portal that lets nobody read companies and deals, so that contacts can be measured alone.
fn contacts_only(folder: &Path) -> PathBuf {
    let forbidden = |route: &str| json!({"route": route, "do": "status", "status": 403});
    let rules = json!({"rules": [forbidden("crm/objects/companies"), forbidden("crm/objects/deals")]});
    let file = folder.join("faults.json");
    std::fs::write(&file, rules.to_string()).expect("the rules are written");
    file
}

/// Ten engagements a contact, as in the demo.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of contacts")]
fn engagements(count: f64) -> Options {
    Options { contacts: (count / 10.0) as u64, ..Options::default() }
}

/// The report of a first sync into an empty folder.
fn sync(options: &Options) -> Value {
    let portal = start(options.clone()).expect("the portal starts");
    let folder = tempfile::tempdir().expect("a folder");
    let key = folder.path().join("key");
    std::fs::write(&key, &options.service_key).expect("the key is written");
    hublore(&portal, folder.path(), &["connect", "--no-sync", "--service-key", &key.display().to_string()]);
    let report = hublore(&portal, folder.path(), &["sync", "--json", "--quiet"]);
    let report: Value = serde_json::from_slice(&report).expect("a report");
    assert_eq!(report["outcome"], "complete", "{report}");
    report
}

fn hublore(portal: &Running, folder: &Path, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(env!("CARGO_BIN_EXE_hublore"))
        .arg("--data-dir")
        .arg(folder.join("data"))
        .args(arguments)
        .env("HUBLORE_HUBSPOT__API_BASE", portal.base_url())
        .env("HUBLORE_HUBSPOT__APP_BASE", portal.base_url())
        .env("HUBLORE_HUBSPOT__REQUESTS_PER_10S", "1000000")
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    output.stdout
}

/// CPU seconds of this process, which is the portal and next to nothing else. Linux only.
fn own_cpu() -> f64 {
    let stat = std::fs::read_to_string("/proc/self/stat").expect("this process has a stat");
    let after_name = stat.rsplit(')').next().expect("a name in brackets");
    let ticks = |field: usize| after_name.split_whitespace().nth(field).and_then(|n| n.parse::<f64>().ok());
    (ticks(11).expect("user time") + ticks(12).expect("system time")) / 100.0
}

fn cpu(report: &Value) -> f64 {
    report["cpu_seconds"].as_f64().expect("the report tells CPU time")
}

#[expect(clippy::cast_precision_loss, reason = "bytes far below 2^52")]
fn peak(report: &Value) -> f64 {
    report["peak_memory_bytes"].as_u64().expect("the report tells memory") as f64 / 1e6
}
