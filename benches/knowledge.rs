//! What keeping and searching knowledge costs: rebuild, freshness, searches over HTTP, memory and threads at rest.
//!
//! `cargo bench --bench knowledge` takes a minute with 20,000 engagements; `HUBLORE_DOCUMENTS=1000000` sets their
//! number, `HUBLORE_PARTS=rebuild,fresh,http,orgs` chooses, `HUBLORE_WORDS=100` cuts every mail after so many words,
//! which makes millions affordable. The store is filled directly, without a portal; what is measured is the real thing:
//! store, follower, index and, for `http`, the binary. Beside the wall time of a search stands the CPU time that all
//! threads of the server spent on it, which other work on the machine does not stretch.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends with the cause")]
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a benchmark stops at the first surprise and rounds its figures"
)]

#[path = "../index/benches/made_up/mod.rs"]
mod made_up;

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Child, Command};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};
use std::time::{Duration, Instant};

use hublore::app::{App, DataFolder};
use hublore::config::Config;
use hublore::domain::clock::{Millis, SystemClock};
use hublore::domain::crm::{Contact, Record};
use hublore::domain::engagement::{Body, Decision, Kind, Links, Passage, ProcessedEngagement, RawEngagement};
use hublore::domain::ids::{OrgId, PortalId};
use hublore::store::crm::{self, Tenant};
use hublore::store::{Store, StoreError, engagements, orgs};
use hublore_index::{KnowledgeIndex, Request, Scope};
use made_up::{Text, cpu, scatter};

const PORTAL: PortalId = PortalId(7);
const CONTACTS: u64 = 20_000;
/// Engagements stored in one transaction.
const PAGE: u64 = 1_000;
const CATCH_UP: Duration = Duration::from_secs(3_600);
/// Words of a mail at most; those at its end stay.
static MOST_WORDS: LazyLock<usize> =
    LazyLock::new(|| std::env::var("HUBLORE_WORDS").map_or(usize::MAX, |n| n.parse().expect("a number")));
/// Words of a passage, as the pipeline cuts them.
const PASSAGE_WORDS: usize = 250;

fn main() {
    let documents: u64 = std::env::var("HUBLORE_DOCUMENTS").map_or(20_000, |n| n.parse().expect("a number"));
    let parts = std::env::var("HUBLORE_PARTS").unwrap_or_else(|_| "rebuild,fresh,http,orgs".to_owned());
    let wants = |part: &str| parts.split(',').any(|one| one == part);
    let text = Arc::new(Text::new());
    let folder = tempfile::tempdir().expect("a folder");
    if wants("rebuild") || wants("fresh") || wants("http") {
        let app = open(folder.path());
        fill(&app, &text, documents);
        if wants("rebuild") {
            rebuild(&app, documents);
        }
        if wants("fresh") {
            freshness(&app, &text, documents);
        }
        let key = agent(&app);
        drop(app);
        if wants("http") {
            http(folder.path(), &key, &text, documents);
        }
    }
    drop(folder);
    if wants("orgs") {
        organisations(&text);
    }
}

fn open(folder: &Path) -> App {
    let config = Arc::new(Config::load(None).expect("settings"));
    App::begin(config, DataFolder::at(folder.to_owned()), None, Arc::new(SystemClock))
        .expect("an application")
}

fn fill(app: &App, text: &Arc<Text>, documents: u64) {
    let (start, before) = (Instant::now(), cpu());
    let (store, org) = (&app.reading.store, &app.reading.org);
    put(store, org, CONTACTS, |conn, tenant, n| crm::put_contact(conn, tenant, &contact(n)).map(drop));
    let text_for = Arc::clone(text);
    put(store, org, documents, move |conn, tenant, n| {
        engagements::put(conn, tenant, &engagement(&text_for, n, n, "")).map(drop)
    });
    app.follower.catch_up(CATCH_UP).expect("the index follows");
    println!(
        "{:<40} {:>9.1} s {:>9.1} CPU-s",
        "stored and indexed as it came",
        start.elapsed().as_secs_f64(),
        (cpu() - before).as_secs_f64()
    );
}

fn put(
    store: &Store,
    org: &OrgId,
    count: u64,
    one: impl Fn(&mut dyn hublore::store::conn::Conn, Tenant<'_>, u64) -> Result<(), StoreError>
    + Send
    + Sync
    + 'static,
) {
    let one = Arc::new(one);
    for from in (0..count).step_by(PAGE as usize) {
        let (one, org) = (Arc::clone(&one), org.clone());
        let stored: Result<(), StoreError> = store.write(move |conn| {
            let tenant = Tenant { org: &org, portal: PORTAL, now: Millis(1) };
            (from..(from + PAGE).min(count)).try_for_each(|n| one(conn, tenant, n))
        });
        stored.expect("a page is stored");
    }
}

fn contact(n: u64) -> Record<Contact> {
    Record {
        id: n.to_string(),
        created_at: Millis(1),
        updated_at: Millis(1),
        properties: "{}".to_owned(),
        fields: Contact {
            email: Some(address(n)),
            first_name: Some(format!("Person{n}")),
            last_name: Some(format!("Family{}", n % 3_000)),
            phone: Some(format!("+49 30 {}", 1_000_000 + n)),
            ..Contact::default()
        },
    }
}

fn address(n: u64) -> String {
    format!("person{n}@company{}.example", n % 3_000)
}

/// The mail with that number, said anew with other words where `more` has some.
fn engagement(text: &Text, n: u64, words: u64, more: &str) -> ProcessedEngagement {
    let (title, body) = text.mail(words);
    let body = format!("{body} {more}");
    let mut words: Vec<&str> = body.split(' ').collect();
    if words.len() > *MOST_WORDS {
        words.drain(*MOST_WORDS / 2..words.len() - *MOST_WORDS / 2);
    }
    let passage = |words: &[&str]| Passage {
        text: words.join(" "),
        language: Some("en".to_owned()),
        ..Passage::default()
    };
    ProcessedEngagement {
        raw: RawEngagement {
            kind: [Kind::Email, Kind::Note, Kind::Call][(n % 3) as usize],
            id: n.to_string(),
            title: Some(title),
            body: Body::default(),
            transcript: None,
            created_at: Millis(1),
            occurred_at: Millis(1_700_000_000_000 + n as i64 * 1_000),
            updated_at: Millis(1),
            owner: None,
            thread: None,
            from_address: None,
            from_name: None,
            outgoing: false,
            out_of_office: false,
            erased: false,
            url: None,
            links: Links { contacts: vec![(n % CONTACTS).to_string()], ..Links::default() },
            properties: "{}".to_owned(),
            reread: None,
        },
        passages: words.chunks(PASSAGE_WORDS).map(passage).collect(),
        language: Some("en".to_owned()),
        decision: Decision::Learned,
        template: None,
        own_passages: None,
        secrets: Vec::new(),
        link_hosts: Vec::new(),
        text_status: None,
        ruling: None,
    }
}

fn rebuild(app: &App, documents: u64) {
    let (start, before) = (Instant::now(), cpu());
    let built = app.follower.rebuild(&|_| {}).expect("a new generation");
    let (wall, spent) = (start.elapsed().as_secs_f64(), (cpu() - before).as_secs_f64());
    assert_eq!(built, documents);
    let per_million = 1e6 / documents as f64;
    println!("{:<40} {wall:>9.1} s {spent:>9.1} CPU-s", format!("rebuild of {documents}"));
    println!("{:<40} {:>9.1} s {:>9.1} CPU-s", "  per million", wall * per_million, spent * per_million);
    let stats = app.reading.index.stats().expect("sizes");
    println!(
        "{:<40} {:>9} segments {:>9.1} MB with the one before",
        "  left",
        stats.segments,
        stats.size_bytes as f64 / 1e6
    );
}

/// Single changes at a steady rate; each twentieth is looked for until it is found.
fn freshness(app: &App, text: &Text, documents: u64) {
    const RATE: u64 = 200;
    let seconds: u64 = std::env::var("HUBLORE_SECONDS").map_or(15, |n| n.parse().expect("a number"));
    let (store, org, index) = (&app.reading.store, &app.reading.org, &app.reading.index);
    let (most, done) = (AtomicUsize::new(0), AtomicBool::new(false));
    let before = cpu();
    let mut times: Vec<Duration> = std::thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                most.fetch_max(index.stats().expect("sizes").segments, Ordering::Relaxed);
                std::thread::sleep(Duration::from_millis(100));
            }
        });
        let (start, mut waiting) = (Instant::now(), Vec::new());
        for n in 0..RATE * seconds {
            let due = Duration::from_nanos(1_000_000_000 / RATE) * n as u32;
            std::thread::sleep(due.saturating_sub(start.elapsed()));
            let word = format!("freshness{n}x");
            // No engagement twice: a second change would take the first one's word away.
            let changed = engagement(text, n * 7_919 % documents, n, &word);
            let org = org.clone();
            let stored: Result<_, StoreError> = store.write(move |conn| {
                engagements::put(conn, Tenant { org: &org, portal: PORTAL, now: Millis(2) }, &changed)
            });
            stored.expect("a change is stored");
            if n.is_multiple_of(20) {
                let (since, org) = (Instant::now(), app.reading.org.clone());
                waiting.push(scope.spawn(move || {
                    while index
                        .search(&Request::new(&word), &Scope::org(org.as_str()))
                        .expect("an answer")
                        .total
                        == 0
                    {
                        std::thread::sleep(Duration::from_millis(5));
                    }
                    since.elapsed()
                }));
            }
        }
        let times = waiting.into_iter().map(|one| one.join().expect("found")).collect();
        done.store(true, Ordering::Relaxed);
        times
    });
    let spent = (cpu() - before).as_secs_f64() / seconds as f64;
    row(&format!("stored to searchable, {RATE} changes/s"), &mut times);
    println!("{:<40} {:>9} segments {spent:>9.2} CPUs, watching included", "  at most", most.into_inner());
}

fn agent(app: &App) -> String {
    let made = hublore::agents::create(&app.reading.store, &app.reading.org, "bench", None, Millis(1));
    made.expect("an agent").key
}

fn http(folder: &Path, key: &str, text: &Text, documents: u64) {
    const ROUNDS: u64 = 3_000;
    let server = Server::start(folder);
    std::thread::sleep(Duration::from_secs(2));
    println!("{:<40} {}", "server at rest", server.memory());
    let mut line = server.connect();
    let mut ask = |body: String| {
        let start = Instant::now();
        let answer = line.post("/api/v1/search", key, &body);
        (start.elapsed(), answer)
    };
    for (name, filtered) in [("3 words of one customer, over HTTP", true), ("5 words, over HTTP", false)] {
        let (mut times, mut spent, mut hits) = (Vec::new(), Vec::new(), 0);
        for n in 0..ROUNDS + 100 {
            let word = |i: u64| text.word(n * 31 + i);
            let body = match filtered {
                true => format!(
                    r#"{{"query": "{} {} {}", "customer": "{}"}}"#,
                    word(1),
                    word(2),
                    word(3),
                    address(scatter(n) % CONTACTS.min(documents))
                ),
                false => {
                    format!(r#"{{"query": "{} {} {} {} {}"}}"#, word(1), word(2), word(3), word(4), word(5))
                }
            };
            let before = server.cpu();
            let (took, answer) = ask(body);
            assert!(answer.contains("\"hits\""), "{answer}");
            if n >= 100 {
                times.push(took);
                spent.push(server.cpu_since(&before));
                hits += answer.matches("\"passage\":").count();
            }
        }
        row(name, &mut times);
        row("  CPU of the server", &mut spent);
        let mean = spent.iter().sum::<Duration>().as_secs_f64() * 1e3 / spent.len() as f64;
        println!("{:<40} {mean:>9.2} ms mean, {:.1} hits a page", "", hits as f64 / spent.len() as f64);
    }
    println!("{:<40} {}", "server after that", server.memory());
}

struct Server {
    process: Child,
    address: String,
}

impl Server {
    fn start(folder: &Path) -> Self {
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let address = format!("127.0.0.1:{port}");
        let mut command = Command::new(env!("CARGO_BIN_EXE_hublore"));
        let process = command.arg("--data-dir").arg(folder).args(["serve", "--listen", &address]).spawn();
        let server = Self { process: process.expect("the binary runs"), address };
        let deadline = Instant::now() + Duration::from_secs(120);
        while TcpStream::connect(&server.address).is_err() {
            assert!(Instant::now() < deadline, "the server does not answer");
            std::thread::sleep(Duration::from_millis(50));
        }
        server
    }

    fn connect(&self) -> Line {
        let stream = TcpStream::connect(&self.address).expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Line(BufReader::new(stream))
    }

    fn proc(&self, file: &str) -> String {
        std::fs::read_to_string(format!("/proc/{}/{file}", self.process.id())).expect("a running server")
    }

    fn memory(&self) -> String {
        let status = self.proc("status");
        let field = |name: &str| {
            status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or("").trim().to_owned()
        };
        format!(
            "{} resident, {} of its own, {} threads",
            field("VmRSS:"),
            field("RssAnon:"),
            field("Threads:")
        )
    }

    /// Nanoseconds that each thread has run.
    fn cpu(&self) -> HashMap<String, u64> {
        let tasks = std::fs::read_dir(format!("/proc/{}/task", self.process.id())).expect("a running server");
        let run = |task: std::fs::DirEntry| {
            // A thread may end while it is looked at.
            let text = std::fs::read_to_string(task.path().join("schedstat")).ok()?;
            let run = text.split(' ').next()?.parse().ok()?;
            Some((task.file_name().into_string().ok()?, run))
        };
        tasks.flatten().filter_map(run).collect()
    }

    fn cpu_since(&self, before: &HashMap<String, u64>) -> Duration {
        let spent = |(task, run): (String, u64)| run.saturating_sub(before.get(&task).copied().unwrap_or(0));
        Duration::from_nanos(self.cpu().into_iter().map(spent).sum())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}

/// One connection that is kept open.
struct Line(BufReader<TcpStream>);

impl Line {
    fn post(&mut self, path: &str, key: &str, body: &str) -> String {
        let request = format!(
            "POST {path} HTTP/1.1\r\nhost: bench\r\nauthorization: Bearer {key}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        self.0.get_mut().write_all(request.as_bytes()).expect("sent");
        let mut length = 0;
        loop {
            let mut line = String::new();
            self.0.read_line(&mut line).expect("a header");
            if let Some(value) = line.to_ascii_lowercase().strip_prefix("content-length:") {
                length = value.trim().parse().expect("a length");
            }
            if line.trim().is_empty() {
                break;
            }
        }
        let mut answer = vec![0; length];
        self.0.read_exact(&mut answer).expect("a body");
        String::from_utf8(answer).expect("text")
    }
}

/// Five thousand organisations in one process: threads, and the first search in each.
fn organisations(text: &Arc<Text>) {
    const ORGS: u64 = 5_000;
    const EACH: u64 = 4;
    let folder = tempfile::tempdir().expect("a folder");
    let app = open(folder.path());
    for from in (0..ORGS).step_by(100) {
        let text = Arc::clone(text);
        let stored: Result<(), StoreError> = app.reading.store.write(move |conn| {
            (from..from + 100).try_for_each(|n| {
                let org = OrgId::new(format!("org{n}"));
                orgs::add(conn, &org, "bench", Millis(1))?;
                let tenant = Tenant { org: &org, portal: PORTAL, now: Millis(1) };
                (0..EACH).try_for_each(|i| {
                    engagements::put(conn, tenant, &engagement(&text, i, n * EACH + i, "gatekeeper"))
                        .map(drop)
                })
            })
        });
        stored.expect("organisations are stored");
    }
    app.follower.catch_up(CATCH_UP).expect("the index follows");
    let mut times: Vec<Duration> = (0..ORGS)
        .map(|n| {
            let start = Instant::now();
            let scope = Scope::org(format!("org{n}"));
            let answer = app.reading.index.search(&Request::new("gatekeeper"), &scope).expect("an answer");
            assert_eq!(answer.total, EACH);
            start.elapsed()
        })
        .collect();
    row(&format!("first search in each of {ORGS} orgs"), &mut times);
    let status = std::fs::read_to_string("/proc/self/status").expect("a status");
    let threads = status.lines().find(|line| line.starts_with("Threads:")).unwrap_or_default();
    let maps = std::fs::read_to_string("/proc/self/maps").expect("maps").lines().count();
    println!("{:<40} {threads}, {maps} memory maps", "  in this process");
}

fn row(name: &str, times: &mut [Duration]) {
    times.sort();
    let ms = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{name:<40} {:>9.2} ms p50 {:>9.2} ms p99 ({} times)", ms(0.5), ms(0.99), times.len());
}
