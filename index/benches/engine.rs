//! Index stage and query latency against the bare engine, on the same made-up
//! mails in the same run.
//!
//! `cargo bench -p hublore-index` takes about a minute; `HUBLORE_DOCUMENTS=1000000`
//! sets the number of mails, `HUBLORE_QUERIES_ONLY=1` leaves out the first part. Throughput is given per CPU second of the whole
//! process, latencies are wall time of one thread, warm.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a benchmark stops at the first surprise and rounds its figures"
)]

use hublore_index::{
    Change, Document, Embedded, KnowledgeIndex, Language, Options, Passage, Position, Request, Scope,
};
use std::path::Path;
use std::time::{Duration, Instant};
use tantivy::schema::{FAST, INDEXED, STRING, Schema, TextFieldIndexing, TextOptions};
use tantivy::{Index, TantivyDocument, Term};

const BATCH: usize = 2_000;
const CUSTOMERS: u64 = 20_000;
const BUDGET_BYTES: usize = 100_000_000;

fn main() {
    let documents: u64 = std::env::var("HUBLORE_DOCUMENTS").map_or(60_000, |n| n.parse().unwrap());
    let text = Text::new();
    let sample: u64 = (0..1_000).map(|n| text.mail(n).1.len() as u64).sum::<u64>() / 1_000;
    println!("{documents} mails, {sample} bytes each on average");
    if std::env::var_os("HUBLORE_QUERIES_ONLY").is_some() {
        return queries(&text, documents);
    }
    let raw = best_of(3, || raw_engine(&text, documents));
    let ours = best_of(3, || index_stage(&text, documents));
    println!("raw engine   {raw}");
    println!("index stage  {ours}");
    println!("ratio        {:.2} of the raw engine's documents per CPU second", ours.per_cpu / raw.per_cpu);
    println!(
        "disk         {:.2} x text (raw {:.2})",
        ours.disk / text_bytes(sample, documents),
        raw.disk / text_bytes(sample, documents)
    );
    queries(&text, documents);
}

fn text_bytes(sample: u64, documents: u64) -> f64 {
    (sample * documents) as f64
}

struct Stage {
    per_cpu: f64,
    per_second: f64,
    disk: f64,
}

impl std::fmt::Display for Stage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "{:>8.0} docs/cpu-s {:>8.0} docs/s {:>6.1} MB",
            self.per_cpu,
            self.per_second,
            self.disk / 1e6
        )
    }
}

fn best_of(times: usize, mut run: impl FnMut() -> Stage) -> Stage {
    let runs = (0..times).map(|_| run());
    runs.max_by(|a, b| a.per_cpu.total_cmp(&b.per_cpu)).unwrap()
}

/// Times a stage; making the mails is left out by subtracting what it costs alone.
fn timed(text: &Text, documents: u64, dir: &Path, work: impl FnOnce()) -> Stage {
    let before = cpu();
    for n in 0..documents {
        std::hint::black_box(document(text, n));
    }
    let making = cpu() - before;
    let (before, start) = (cpu(), Instant::now());
    work();
    let spent = (cpu() - before).saturating_sub(making).as_secs_f64();
    Stage {
        per_cpu: documents as f64 / spent,
        per_second: documents as f64 / start.elapsed().as_secs_f64(),
        disk: size_of(dir) as f64,
    }
}

/// What someone would write first with the engine alone: key, organisation, date,
/// title and body with its English analyser, no stored body, one commit.
fn raw_engine(text: &Text, documents: u64) -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let mut builder = Schema::builder();
    let indexing = TextFieldIndexing::default()
        .set_tokenizer("en_stem")
        .set_index_option(tantivy::schema::IndexRecordOption::WithFreqsAndPositions);
    let stemmed = TextOptions::default().set_indexing_options(indexing);
    let key = builder.add_text_field("key", STRING | FAST);
    let org = builder.add_text_field("org", STRING);
    let kind = builder.add_text_field("kind", STRING);
    let customer = builder.add_text_field("customer", STRING);
    let at = builder.add_i64_field("at", FAST | INDEXED);
    let title = builder.add_text_field("title", stemmed.clone());
    let body = builder.add_text_field("body", stemmed);
    let names = builder.add_text_field("names", tantivy::schema::TEXT);
    let index = Index::create_in_dir(dir.path(), builder.build()).unwrap();
    timed(text, documents, dir.path(), || {
        let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, BUDGET_BYTES).unwrap();
        for n in 0..documents {
            let made = document(text, n);
            writer.delete_term(Term::from_field_text(key, &made.id));
            let mut doc = TantivyDocument::new();
            doc.add_text(key, &made.id);
            doc.add_text(org, &made.org);
            doc.add_text(kind, &made.kind);
            doc.add_text(customer, &made.customers[0]);
            doc.add_i64(at, made.occurred_at);
            doc.add_text(title, &made.title);
            doc.add_text(body, &made.passages[0].text);
            for name in &made.names {
                doc.add_text(names, name);
            }
            writer.add_document(doc).unwrap();
        }
        writer.commit().unwrap();
        writer.wait_merging_threads().unwrap();
    })
}

fn index_stage(text: &Text, documents: u64) -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    timed(text, documents, dir.path(), || {
        fill(&index, text, documents);
        index.close().unwrap();
    })
}

fn open(dir: &Path) -> Embedded {
    let options = Options { writer_budget_bytes: BUDGET_BYTES, ..Options::default() };
    Embedded::open(dir, options).unwrap()
}

fn fill(index: &Embedded, text: &Text, documents: u64) {
    let mut batch = Vec::with_capacity(BATCH);
    for n in 0..documents {
        batch.push(Change::Put(document(text, n)));
        if batch.len() == BATCH {
            index.add(&batch).unwrap();
            batch.clear();
        }
    }
    index.add(&batch).unwrap();
    index.commit(&Position { epoch: "bench".to_owned(), seq: documents }).unwrap();
}

fn queries(text: &Text, documents: u64) {
    let dir = tempfile::tempdir().unwrap();
    let index = open(dir.path());
    fill(&index, text, documents);
    println!("\n{:<34} {:>9} {:>9}", "query", "p50 ms", "p99 ms");
    let words = |n: u64, count: u64| -> String {
        let picked: Vec<&str> = (0..count).map(|i| text.word(n * 31 + i)).collect();
        picked.join(" ")
    };
    let customer = |n: u64| Some(vec![format!("c{}", n % CUSTOMERS)]);
    latency("one word", &index, |n| Request::new(&words(n, 1)));
    latency("five words", &index, |n| Request::new(&words(n, 5)));
    latency("question with stop words", &index, |n| {
        Request::new(&format!(
            "how do I {} the {} of my {}",
            text.word(n),
            text.word(n + 7),
            text.word(n + 9)
        ))
    });
    latency("three words of one customer", &index, |n| Request {
        customers: customer(n),
        ..Request::new(&words(n, 3))
    });
    latency("newest of one customer", &index, |n| Request { customers: customer(n), ..Request::new("") });
    latency("phrase", &index, |n| Request::new(&format!("\"{}\"", words(n, 2))));
    latency("phrase of common words", &index, |_| Request::new("\"to the of and\""));
    latency("prefix", &index, |n| Request::new(&format!("{}*", text.word(n).get(..4).unwrap_or("mail"))));
    latency("typing error", &index, |n| Request::new(&format!("{}qx", text.word(n))));
    latency("reference", &index, |n| Request::new(&format!("INV-{}", 100_000 + n)));
    upserts(&index, text);
}

fn latency(name: &str, index: &Embedded, request: impl Fn(u64) -> Request) {
    const ROUNDS: u64 = 400;
    let scope = Scope::org("o1");
    let mut times: Vec<Duration> = (0..ROUNDS + 40)
        .map(|n| {
            let request = request(n);
            let start = Instant::now();
            std::hint::black_box(index.search(&request, &scope).unwrap());
            start.elapsed()
        })
        .skip(40)
        .collect();
    print_row(name, &mut times);
}

fn print_row(name: &str, times: &mut [Duration]) {
    times.sort();
    let ms = |share: f64| times[((times.len() - 1) as f64 * share) as usize].as_secs_f64() * 1e3;
    println!("{name:<34} {:>9.3} {:>9.3}", ms(0.5), ms(0.99));
}

/// Added, durable and searchable.
fn upserts(index: &Embedded, text: &Text) {
    for batch in [1u64, 50] {
        let mut worst_segments = 0;
        let mut times: Vec<Duration> = (0..60)
            .map(|round| {
                let changes: Vec<Change> =
                    (0..batch).map(|n| Change::Put(document(text, round * batch + n))).collect();
                let start = Instant::now();
                index.apply(&changes, &Position { epoch: "bench".to_owned(), seq: round }).unwrap();
                let took = start.elapsed();
                worst_segments = worst_segments.max(index.stats().unwrap().segments);
                took
            })
            .collect();
        print_row(&format!("commit of {batch} upserts"), &mut times);
        println!("{:<34} {worst_segments:>9}", "  segments at most");
    }
}

fn document(text: &Text, n: u64) -> Document {
    let (title, body) = text.mail(n);
    Document {
        id: format!("doc:{n}"),
        org: "o1".to_owned(),
        version: n,
        kind: ["email", "note", "call"][(n % 3) as usize].to_owned(),
        title,
        passages: vec![Passage { text: body, language: Language::English }],
        customers: vec![format!("c{}", n % CUSTOMERS)],
        companies: Vec::new(),
        owner: None,
        names: vec![format!("person{}@company{}.example", n % CUSTOMERS, n % 3_000)],
        occurred_at: n as i64,
        linked: true,
    }
}

/// Words by Zipf's law, mails of log-normal length.
struct Text {
    words: Vec<String>,
    /// Cumulated frequency of each word.
    weights: Vec<f64>,
}

impl Text {
    fn new() -> Text {
        const COMMON: &str = "the to and of a in is you for that it we on with this be your have as are i or not will can at from by our if";
        const STARTS: [&str; 24] = [
            "re", "con", "in", "de", "pro", "ac", "sub", "over", "com", "ex", "per", "dis", "un", "inter",
            "trans", "mar", "ser", "cal", "port", "bal", "fin", "gen", "hal", "lim",
        ];
        const MIDDLES: [&str; 20] = [
            "ta", "vi", "ler", "pos", "duc", "mit", "ces", "nal", "por", "gra", "sta", "ten", "ver", "lec",
            "for", "ri", "mo", "su", "pla", "qui",
        ];
        const ENDS: [&str; 16] = [
            "", "s", "ed", "ing", "ation", "er", "ers", "ment", "ly", "able", "ness", "ity", "ive", "al",
            "t", "e",
        ];
        let mut words: Vec<String> = COMMON.split(' ').map(str::to_owned).collect();
        for n in 0..30_000u64 {
            let dice = scatter(n);
            let pick = |list: &[&str], shift: u64| list[(dice >> shift) as usize % list.len()].to_owned();
            words.push(
                pick(&STARTS, 3)
                    + &pick(&MIDDLES, 17)
                    + &pick(&MIDDLES[..(n as usize % 20) + 1], 31)
                    + &pick(&ENDS, 43),
            );
        }
        let mut sum = 0.0;
        let weights = (0..words.len())
            .map(|rank| {
                sum += 1.0 / (rank as f64 + 2.7);
                sum
            })
            .collect();
        Text { words, weights }
    }

    fn zipf(&self, dice: u64) -> &str {
        let share = (dice >> 11) as f64 / (1u64 << 53) as f64;
        let target = share * self.weights[self.weights.len() - 1];
        let at = self.weights.partition_point(|sum| *sum < target);
        &self.words[at.min(self.words.len() - 1)]
    }

    /// A word someone might search for: neither very common nor very rare.
    fn word(&self, n: u64) -> &str {
        &self.words[40 + (scatter(n) % 3_000) as usize]
    }

    fn mail(&self, n: u64) -> (String, String) {
        let mut dice = scatter(n);
        let mut next = || {
            dice = scatter(dice);
            dice
        };
        let normal: f64 = (0..6).map(|_| (next() >> 11) as f64 / (1u64 << 53) as f64).sum::<f64>() - 3.0;
        let count = (normal.mul_add(1.0, 5.2).exp() as usize).clamp(15, 4_000);
        let title: Vec<&str> = (0..5).map(|_| self.zipf(next())).collect();
        let mut body = String::with_capacity(count * 7);
        for i in 0..count {
            body.push_str(self.zipf(next()));
            body.push_str(if i % 12 == 11 { ". " } else { " " });
        }
        body.push_str(&format!("INV-{} +49 30 {}", 100_000 + n, 1_000_000 + n));
        (title.join(" "), body)
    }
}

fn scatter(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// CPU time of this process so far, all threads, from the system's counters of 10 ms.
fn cpu() -> Duration {
    let stat = std::fs::read_to_string("/proc/self/stat").unwrap();
    let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_whitespace().collect();
    let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
    Duration::from_millis(ticks * 10)
}

fn size_of(dir: &Path) -> u64 {
    let entries = std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap());
    entries
        .map(
            |entry| {
                if entry.path().is_dir() { size_of(&entry.path()) } else { entry.metadata().unwrap().len() }
            },
        )
        .sum()
}
