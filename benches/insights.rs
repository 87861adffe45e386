//! What insights and rules cost: the distiller alone on one core, everything stored distilled again, rules applied.
//!
//! `cargo bench --bench insights`; `HUBLORE_BENCH_ENGAGEMENTS=1000000` sets the size of the portal, 100,000 where nothing
//! is said. Seconds of the clock and of all cores of this process; the portal is read by the binary beforehand.
//! `HUBLORE_BENCH_FOLDER=FOLDER` keeps what was read there, takes it the next time, with the same size, and applies no
//! rules to it.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends with the cause")]

use std::hint::black_box;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::Arc;
use std::time::Instant;

use hublore::app::{App, DataFolder};
use hublore::config::Config;
use hublore::domain::clock::{Millis, SystemClock};
use hublore::domain::engagement::{Kind, Passage};
use hublore::domain::ids::DocumentId;
use hublore::domain::rule::RuleType;
use hublore::insights::instructions::Instructions;
use hublore::insights::{Distillation, Learned, Party};
use hublore::learning::{self, NewRule};
use hublore::store::{StoreError, connections, meta};
use hubspot_simulator::{Options, start};

/// A mail of 350 characters that says four things.
const MAIL: &str = "Hi Sarah, please send our invoices monthly instead of quarterly from March on. The contract renews in \
    March and my boss Greg Ames has to sign it. The mobile time clock crashes on Android whenever someone forgets to \
    clock out. I will send you the list of sites by Friday, and we are opening a new branch in Leeds in May. Thanks a \
    lot for all your help, Nina";

fn main() {
    one_core();
    let size: f64 =
        std::env::var("HUBLORE_BENCH_ENGAGEMENTS").ok().and_then(|n| n.parse().ok()).unwrap_or(100_000.0);
    stored(size);
}

/// The distill stage on one core: what one engagement costs with verification.
fn one_core() {
    let distillation = Distillation::of_kinds(Kind::ALL.into_iter().collect())
        .within(Instructions::default(), vec!["Sarah Lund".to_owned(), "Joanna Reed".to_owned()]);
    let party = Party {
        contact: Some("7".to_owned()),
        name: "Nina Kowalczyk".to_owned(),
        email: Some("nina@harborpet.example".to_owned()),
        company: Some("70".to_owned()),
        company_name: "Harbor Pet Hotels".to_owned(),
    };
    let document: DocumentId = "hubspot:1:email:5".parse().expect("an id");
    for (name, text) in [
        ("350 characters, five facts", MAIL.to_owned()),
        (
            "350 characters, no fact",
            "Lovely to see you at the lake, the fish was great and so was the weather. ".repeat(5),
        ),
    ] {
        let text: String = text.chars().take(350).collect();
        let passages = [Passage { text, language: Some("en".to_owned()), ..Passage::default() }];
        let learned = Learned {
            document: &document,
            title: Some("invoices"),
            passages: &passages,
            language: Some("en"),
            outgoing: false,
            occurred_at: Millis(1_773_750_000_000),
            from_address: Some("nina@harborpet.example"),
            owner: None,
            parties: std::slice::from_ref(&party),
        };
        let count = 4_000;
        let best = (0..3)
            .map(|_| {
                let begun = thread_seconds();
                (0..count).for_each(|_| drop(black_box(distillation.of(black_box(&learned)))));
                thread_seconds() - begun
            })
            .fold(f64::MAX, f64::min);
        println!("{name:<34} {:>10.0} engagements a second and core", f64::from(count) / best);
    }
}

/// Everything stored: distilled again, judged again.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a whole number of contacts")]
fn stored(size: f64) {
    let made = tempfile::tempdir().expect("a folder");
    let kept = std::env::var_os("HUBLORE_BENCH_FOLDER").map(PathBuf::from);
    let folder = kept.as_deref().unwrap_or_else(|| made.path());
    if !folder.join("data").exists() {
        read_portal((size / 10.0) as u64, folder);
    }
    let config = Arc::new(Config::load(None).expect("settings"));
    let data = DataFolder::at(folder.join("data"));
    let app = App::begin(config, data, None, Arc::new(SystemClock)).expect("the data folder opens");
    let (store, org) = (&app.reading.store, &app.reading.org);
    let portal =
        store.read(|conn| connections::portal_of_data(conn, org)).expect("a read").expect("a portal");
    let made = format!("distilled_with:{org}:{portal}");
    measured(size, "distilled again, nothing new", || {
        let key = made.clone();
        let older: Result<(), StoreError> = store.write(move |conn| meta::set(conn, &key, "older"));
        older.expect("a write");
        app.catch_up().expect("everything is distilled again");
    });
    let add = |rule_type, text: &str| {
        let rule = NewRule {
            rule_type,
            text: text.to_owned(),
            substring: false,
            kinds: Vec::new(),
            position: None,
            enabled: true,
        };
        learning::create(store, org, &rule).expect("a rule").rule.id
    };
    let instruction = add(RuleType::Instruction, "Always record the payroll system.");
    measured(size, "distilled again, every row new", || app.catch_up().expect("distilled again"));
    if kept.is_some() {
        learning::remove(store, org, &instruction).expect("removed");
        return;
    }
    let keyword = add(RuleType::Keyword, "a phrase nobody wrote");
    measured(size, "a keyword rule that hits nothing", || drop(app.apply_rules().expect("applied")));
    learning::remove(store, org, &keyword).expect("removed");
    let keyword = add(RuleType::Keyword, "renewal");
    measured(size, "a keyword rule, dry run", || {
        drop(app.test_rules(&learning::Proposal::default()).expect("tried"))
    });
    measured(size, "a keyword rule", || println!("{:?}", brief(&app.apply_rules().expect("applied"))));
    learning::remove(store, org, &keyword).expect("removed");
    add(RuleType::Topic, "Billing and invoices");
    measured(size, "an embedded topic instead", || {
        println!("{:?}", brief(&app.apply_rules().expect("applied")))
    });
    app.follow().expect("the index follows");
}

/// Connects a portal of so many contacts and reads it.
fn read_portal(contacts: u64, folder: &Path) {
    std::fs::create_dir_all(folder).expect("a folder");
    let portal = start(Options { contacts, ..Options::default() }).expect("a portal");
    let key = folder.join("key");
    std::fs::write(&key, Options::default().service_key).expect("the key is written");
    let address = portal.base_url();
    hublore(&address, folder, &["connect", "--no-sync", "--service-key", &key.display().to_string()]);
    hublore(&address, folder, &["sync", "--json", "--quiet"]);
}

fn brief(review: &hublore::pipeline::apply::Review) -> (u64, u64, u64) {
    (review.judged, review.learned_to_skipped, review.skipped_to_learned)
}

fn measured(size: f64, name: &str, work: impl FnOnce()) {
    let (begun, cpu) = (Instant::now(), hublore::sync::report::cpu_seconds());
    work();
    let (wall, cpu) = (begun.elapsed().as_secs_f64(), hublore::sync::report::cpu_seconds() - cpu);
    println!("{name:<34} {wall:>8.1} s   {cpu:>8.1} CPU-s   {:>8.0} a second", size / wall);
}

fn hublore(address: &str, folder: &Path, arguments: &[&str]) {
    let output = Command::new(env!("CARGO_BIN_EXE_hublore"))
        .arg("--data-dir")
        .arg(folder.join("data"))
        .args(arguments)
        .env("HUBLORE_HUBSPOT__API_BASE", address)
        .env("HUBLORE_HUBSPOT__REQUESTS_PER_10S", "1000000")
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// Processor time of this thread: other work on the machine does not count.
fn thread_seconds() -> f64 {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the time of a thread");
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse::<f64>().ok());
    nanoseconds.expect("a number of nanoseconds") / 1e9
}
