//! What turning bodies into text costs on one core: `cargo bench --bench text` prints a table.
//!
//! Processor time of one thread over the shared corpus of real mail (`HUBLORE_SHARED`, else `../shared`), best of
//! five rounds; `html2text` alone stands beside it in the same run. Without the corpus it says so and ends.
//! `cargo bench --bench text -- classed` measures only the rows whose name holds that word.

#![expect(clippy::expect_used, reason = "a measurement that cannot be made ends with the cause")]

use std::hint::black_box;
use std::path::PathBuf;
use std::time::Instant;

use hublore::text::near_copies::Fingerprint;
use hublore::text::{Body, BodyKind, html, normalize, sentences, spans};
use serde_json::Value;

/// Rounds; the best one counts.
const ROUNDS: usize = 5;

fn main() {
    let (html, plain) = (bodies("html_mail.jsonl", "html"), bodies("plain_mail.jsonl", "text"));
    if html.is_empty() {
        println!("skipped: corpora/spamassassin-mail is not here; HUBLORE_SHARED names the folder it is in");
        return;
    }
    println!(
        "{:<34} {:>8} {:>10} {:>8} {:>8} {:>8}",
        "one core", "MB/s", "bodies/s", "p50 ms", "p99 ms", "max ms"
    );
    row("html: visible text and marks", &html, |body| {
        html::extract(body, html::Visibility::Reader).text.len()
    });
    row("html: to classed spans", &html, |body| spans(&Body::new(BodyKind::Email).with_html(body)).1.len());
    row("html: to passages, language", &html, |body| {
        normalize(&Body::new(BodyKind::Email).with_html(body)).spans.len()
    });
    row("html: whole stage, fingerprint", &html, |body| {
        let got = normalize(&Body::new(BodyKind::Email).with_html(body));
        let text: Vec<&str> = got.passages.iter().map(|passage| passage.text.as_str()).collect();
        usize::from(Fingerprint::of(&text.join("\n"), &[]).is_some())
    });
    row("html2text alone", &html, |body| {
        let settings = html2text::config::plain_no_decorate().raw_mode(true).allow_width_overflow();
        settings.string_from_read(body.as_bytes(), 100_000).map_or(0, |text| text.len())
    });
    row("plain: whole stage", &plain, |body| {
        normalize(&Body::new(BodyKind::Email).with_plain(body)).passages.len()
    });
    row("plain: sentences", &plain, |body| sentences(body).len());
    let copy = "We can start with the pilot next week. The second site needs a new switch first. ".repeat(7);
    row("fingerprint of 112 words", &vec![copy; 20_000], |body| {
        usize::from(Fingerprint::of(body, &["Ann"]).is_some())
    });
}

/// Bodies of a file of the corpus; none where it is absent.
fn bodies(file: &str, field: &str) -> Vec<String> {
    let shared = std::env::var_os("HUBLORE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    let text =
        std::fs::read_to_string(shared.join("corpora/spamassassin-mail").join(file)).unwrap_or_default();
    let rows = text.lines().map(|line| serde_json::from_str::<Value>(line).expect("a row of the corpus"));
    rows.filter_map(|row| row[field].as_str().map(str::to_owned)).collect()
}

/// Measures `work` on every body and prints one line.
#[expect(clippy::cast_precision_loss, reason = "rates are printed with one digit")]
fn row(name: &str, bodies: &[String], work: fn(&str) -> usize) {
    let asked = std::env::args().skip(1).find(|word| !word.starts_with('-'));
    if asked.is_some_and(|word| !name.contains(&word)) {
        return;
    }
    let bytes: usize = bodies.iter().map(String::len).sum();
    let mut best = f64::MAX;
    let mut each = vec![f64::MAX; bodies.len()];
    for _ in 0..ROUNDS {
        let start = cpu_seconds();
        for (body, least) in bodies.iter().zip(&mut each) {
            // The thread's processor time moves in steps that are longer than a body takes.
            let begun = Instant::now();
            black_box(work(black_box(body)));
            *least = least.min(begun.elapsed().as_secs_f64());
        }
        best = best.min(cpu_seconds() - start);
    }
    each.sort_by(f64::total_cmp);
    let at = |share: usize| each[(each.len() - 1) * share / 100] * 1e3;
    println!(
        "{name:<34} {:>8.1} {:>10.0} {:>8.3} {:>8.3} {:>8.3}",
        bytes as f64 / 1e6 / best,
        bodies.len() as f64 / best,
        at(50),
        at(99),
        at(100),
    );
}

/// Processor time of this thread: other work on the machine does not count.
fn cpu_seconds() -> f64 {
    let text =
        std::fs::read_to_string("/proc/thread-self/schedstat").expect("Linux tells the time of a thread");
    let nanoseconds = text.split(' ').next().and_then(|n| n.parse::<f64>().ok());
    nanoseconds.expect("a number of nanoseconds") / 1e9
}
