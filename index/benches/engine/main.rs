//! Index stage and query latency against the bare engine and SQLite's full text
//! search, on the same made-up mails in the same run.
//!
//! `cargo bench -p hublore-index` takes about a minute; `HUBLORE_DOCUMENTS=1000000`
//! sets the number of mails, `HUBLORE_QUERIES_ONLY=1` leaves out the first part.
//! Throughput is given per CPU second of the whole process, latencies of queries
//! as CPU time of their thread, warm, so that other work on the machine does not
//! show; those of commits as wall time.
#![expect(
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a benchmark stops at the first surprise and rounds its figures"
)]

use cpu_time::ThreadTime;
use hublore_index::{
    Change, Document, Embedded, KnowledgeIndex, Language, Options, Passage, Position, Request, Scope,
};
use made_up::{Text, cpu};
use std::path::Path;
use std::time::{Duration, Instant};
use tantivy::collector::TopDocs;
use tantivy::query::{BooleanQuery, Occur, QueryParser, TermQuery};
use tantivy::schema::{
    FAST, Field, INDEXED, IndexRecordOption, STRING, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::{Index, TantivyDocument, Term};

mod fts;
#[path = "../made_up/mod.rs"]
mod made_up;

const BATCH: usize = 2_000;
const CUSTOMERS: u64 = 20_000;
const BUDGET_BYTES: usize = 100_000_000;

fn main() {
    let documents: u64 = std::env::var("HUBLORE_DOCUMENTS").map_or(60_000, |n| n.parse().unwrap());
    let text = Text::new();
    let sample: u64 = (0..1_000).map(|n| text.mail(n).1.len() as u64).sum::<u64>() / 1_000;
    println!("{documents} mails, {sample} bytes each on average");
    if std::env::var_os("HUBLORE_QUERIES_ONLY").is_some() {
        queries(&text, documents);
        if documents <= 200_000 {
            raw_queries(&text, documents);
            fts::queries(&text, documents);
        }
        return;
    }
    let raw = best_of(3, || raw_engine(&text, documents));
    let ours = best_of(3, || index_stage(&text, documents));
    println!("raw engine   {raw}");
    println!("index stage  {ours}");
    println!("SQLite FTS5  {}", fts::stage(&text, documents));
    println!("ratio        {:.2} of the raw engine's documents per CPU second", ours.per_cpu / raw.per_cpu);
    println!(
        "disk         {:.2} x text (raw {:.2})",
        ours.disk / text_bytes(sample, documents),
        raw.disk / text_bytes(sample, documents)
    );
    queries(&text, documents);
    raw_queries(&text, documents);
    fts::queries(&text, documents);
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
    let (index, fields) = Raw::create(dir.path());
    timed(text, documents, dir.path(), || fields.fill(&index, text, documents))
}

/// Fields of the bare engine.
struct Raw {
    key: Field,
    org: Field,
    kind: Field,
    customer: Field,
    at: Field,
    title: Field,
    body: Field,
    names: Field,
}

impl Raw {
    fn create(dir: &Path) -> (Index, Raw) {
        let mut builder = Schema::builder();
        let indexing = TextFieldIndexing::default()
            .set_tokenizer("en_stem")
            .set_index_option(IndexRecordOption::WithFreqsAndPositions);
        let stemmed = TextOptions::default().set_indexing_options(indexing);
        let raw = Raw {
            key: builder.add_text_field("key", STRING | FAST),
            org: builder.add_text_field("org", STRING),
            kind: builder.add_text_field("kind", STRING),
            customer: builder.add_text_field("customer", STRING),
            at: builder.add_i64_field("at", FAST | INDEXED),
            title: builder.add_text_field("title", stemmed.clone()),
            body: builder.add_text_field("body", stemmed),
            names: builder.add_text_field("names", tantivy::schema::TEXT),
        };
        (Index::create_in_dir(dir, builder.build()).unwrap(), raw)
    }

    fn fill(&self, index: &Index, text: &Text, documents: u64) {
        let mut writer = index.writer_with_num_threads::<TantivyDocument>(1, BUDGET_BYTES).unwrap();
        for n in 0..documents {
            let made = document(text, n);
            writer.delete_term(Term::from_field_text(self.key, &made.id));
            let mut doc = TantivyDocument::new();
            doc.add_text(self.key, &made.id);
            doc.add_text(self.org, &made.org);
            doc.add_text(self.kind, &made.kind);
            doc.add_text(self.customer, &made.customers[0]);
            doc.add_i64(self.at, made.occurred_at);
            doc.add_text(self.title, &made.title);
            doc.add_text(self.body, &made.passages[0].text);
            for name in &made.names {
                doc.add_text(self.names, name);
            }
            writer.add_document(doc).unwrap();
        }
        writer.commit().unwrap();
        writer.wait_merging_threads().unwrap();
    }
}

/// The bare engine's best ten, without count, collapsing or highlights.
fn raw_queries(text: &Text, documents: u64) {
    let dir = tempfile::tempdir().unwrap();
    let (index, raw) = Raw::create(dir.path());
    raw.fill(&index, text, documents);
    let searcher = index.reader().unwrap().searcher();
    let parser = QueryParser::for_index(&index, vec![raw.title, raw.body]);
    for (name, count, filtered) in
        [("raw engine: five words", 5, false), ("raw engine: three of one customer", 3, true)]
    {
        let mut times: Vec<Duration> = (0..400u64)
            .map(|n| {
                let words: Vec<&str> = (0..count).map(|i| text.word(n * 31 + i)).collect();
                let start = ThreadTime::now();
                let mut clauses = vec![(Occur::Must, parser.parse_query(&words.join(" ")).unwrap())];
                if filtered {
                    let customer = Term::from_field_text(raw.customer, &format!("c{}", n % CUSTOMERS));
                    clauses.push((Occur::Must, Box::new(TermQuery::new(customer, IndexRecordOption::Basic))));
                }
                let best =
                    searcher.search(&BooleanQuery::new(clauses), &TopDocs::with_limit(10).order_by_score());
                std::hint::black_box(best.unwrap());
                start.elapsed()
            })
            .collect();
        print_row(name, &mut times);
    }
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
    println!("\n{:<34} {:>9} {:>9}", "CPU time of a query", "p50 ms", "p99 ms");
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
            let start = ThreadTime::now();
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
        order: 0,
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
