//! What reading a portal costs: CPU time and memory of our process, against a simulated portal without delay.
//!
//! `cargo bench --bench ingest` measures 50,000 lean contacts and the memory of 20,000 against 100,000
//! engagements; `HUBLORE_BENCH_ENGAGEMENTS=500000` sets the larger size. `HUBLORE_BENCH_CONTACTS=1000000,5000000` reads
//! portals of that many lean contacts with their companies and deals instead, compares every id with the portal's and
//! ends with an error where the process took more than 256 MB. The portal runs in this process, the measured one is the
//! binary, so that its numbers are its own.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends with the cause")]

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use hubspot_simulator::{Options, Running, start};
use rusqlite::{Connection, OpenFlags};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

/// The most memory that reading may take, however large the portal is.
const MOST_MB: f64 = 256.0;

fn main() {
    if let Ok(sizes) = std::env::var("HUBLORE_BENCH_CONTACTS") {
        sizes.split(',').for_each(|size| large(size.trim().parse().expect("a number of contacts")));
        return;
    }
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

/// A large portal read whole, and read again for what changed: exact, within the memory of a small one.
fn large(contacts: u64) {
    let options = Options { contacts, engagements_per_contact: 0.0, lean: true, ..Options::default() };
    let portal = start(options.clone()).expect("the portal starts");
    let folder = tempfile::tempdir().expect("a folder");
    connect(&portal, folder.path(), &options);
    let first = run(&portal, folder.path(), "full_resync");
    let truth = truth(&portal);
    let mut records = 0;
    for (table, name) in [("end_users", "contacts"), ("companies", "companies"), ("deals", "deals")] {
        let (count, hash) = stored(folder.path(), table);
        assert_eq!(json!(count), truth["types"][name]["count"], "{name}");
        assert_eq!(json!(hash), truth["types"][name]["ids_sha256"], "{name}");
        records += count;
    }
    println!("{records:>7} records, ids exact {:>7.2} CPU-s   {:>6.1} MB peak", cpu(&first), peak(&first));
    let again = run(&portal, folder.path(), "catch_up");
    println!("        the hour after       {:>7.2} CPU-s   {:>6.1} MB peak", cpu(&again), peak(&again));
    for report in [&first, &again] {
        assert!(peak(report) <= MOST_MB, "more than {MOST_MB} MB");
    }
}

/// Number and hash of the ids of a table, in the order of their numbers, as the portal's truth has them.
fn stored(folder: &Path, table: &str) -> (u64, String) {
    let file = folder.join("data").join("hublore.db");
    let database = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_ONLY).expect("the database");
    let sql = format!("select id from {table} order by cast(id as integer)");
    let mut statement = database.prepare(&sql).expect("a query");
    let mut rows = statement.query([]).expect("rows");
    let (mut count, mut hash) = (0, Sha256::new());
    while let Some(row) = rows.next().expect("a row") {
        let id: String = row.get(0).expect("an id");
        hash.update(format!("{id}\n"));
        count += 1;
    }
    (count, hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect())
}

fn truth(portal: &Running) -> Value {
    let ask = async {
        let http = hublore::http::client(Duration::from_secs(600)).expect("a client");
        let answer = http.get(format!("{}/__sim/truth", portal.base_url())).send().await.expect("an answer");
        answer.json().await.expect("JSON")
    };
    tokio::runtime::Runtime::new().expect("a runtime").block_on(ask)
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
    connect(&portal, folder.path(), options);
    run(&portal, folder.path(), "full_resync")
}

fn connect(portal: &Running, folder: &Path, options: &Options) {
    let key = folder.join("key");
    std::fs::write(&key, &options.service_key).expect("the key is written");
    hublore(portal, folder, &["connect", "--no-sync", "--service-key", &key.display().to_string()]);
}

fn run(portal: &Running, folder: &Path, mode: &str) -> Value {
    let report = hublore(portal, folder, &["sync", mode, "--json", "--quiet"]);
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
