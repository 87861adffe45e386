//! The text module against the shared corpora; a row of the table is skipped where its corpus is absent.
//!
//! `cargo test --release --test it text_ -- --nocapture` prints the table; `HUBLORE_TEXT_FAILS=<row>` shows what a
//! row gets wrong (`plain`, `html`, `signatures`, `sentences`, `spamassassin html`, `postmark html`).

use std::collections::HashMap;

use hublore::text::{Body, BodyKind, Normalized, SpanClass, html, normalize, sentences};
use serde_json::Value;
use unicode_normalization::UnicodeNormalization as _;

use crate::text_measure::{report, rows, shows_fails};

fn string<'a>(row: &'a Value, key: &str) -> &'a str {
    row[key].as_str().unwrap_or_default()
}

/// Words as the corpus readme counts them.
fn bag(text: &str) -> HashMap<String, i64> {
    let mut out = HashMap::new();
    for chunk in text.split_whitespace() {
        let lower: String = chunk.nfkc().filter(|c| !zero_width(*c)).collect::<String>().to_lowercase();
        let cut = ["http://", "https://", "www."].iter().filter_map(|p| lower.find(p)).min();
        for word in lower[..cut.unwrap_or(lower.len())].split(|c: char| !c.is_alphanumeric() && c != '_') {
            if !word.is_empty() {
                *out.entry(word.to_owned()).or_insert(0) += 1;
            }
        }
    }
    out
}

fn zero_width(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200f}' | '\u{34f}' | '\u{ad}' | '\u{2060}' | '\u{feff}')
}

fn f1(truth: &HashMap<String, i64>, got: &HashMap<String, i64>) -> f64 {
    let total = |b: &HashMap<String, i64>| b.values().sum::<i64>();
    let both: i64 = truth.iter().map(|(w, n)| (*n).min(got.get(w).copied().unwrap_or(0))).sum();
    let (t, g) = (total(truth), total(got));
    if t + g == 0 { 1.0 } else { 2.0 * both as f64 / (t + g) as f64 }
}

fn html_rows(name: &str, file: &str, goals: (f64, f64), floors: (f64, f64)) {
    let Some(rows) = rows(file) else { return };
    let (mut exact, mut sum) = (0, 0.0);
    for row in &rows {
        let truth = bag(string(row, "visible_text"));
        let got = bag(&html::to_text(string(row, "html")));
        let score = f1(&truth, &got);
        sum += score;
        if truth == got {
            exact += 1;
        } else if shows_fails(name) {
            let diff = |a: &HashMap<String, i64>, b: &HashMap<String, i64>| -> Vec<String> {
                a.iter()
                    .filter(|(w, n)| b.get(*w).copied().unwrap_or(0) < **n)
                    .map(|(w, _)| w.clone())
                    .take(12)
                    .collect()
            };
            println!(
                "-- {} {score:.4} lost {:?} added {:?}",
                string(row, "id"),
                diff(&truth, &got),
                diff(&got, &truth)
            );
        }
    }
    let n = rows.len() as f64;
    report(
        &format!("{name}, identical word bag"),
        exact as f64 / n,
        goals.0,
        floors.0,
        &format!("{exact} of {n}"),
    );
    report(&format!("{name}, macro F1"), sum / n, goals.1, floors.1, "");
}

#[test]
fn html_to_text() {
    html_rows("spamassassin html", "spamassassin-mail/html_mail.jsonl", (0.995, 0.999), (0.995, 0.999));
    html_rows("postmark html", "postmark-templates/templates.jsonl", (0.99, 0.99), (0.99, 0.99));
}

/// The policy of a fixture set: what it counts as the reply beside new text.
struct Policy {
    classes: &'static [SpanClass],
    /// A signature counts when no mark such as `--` opens it.
    unmarked_signature: bool,
    /// Quotes count unless they end the message.
    inner_quotes: bool,
    /// Without new text, the whole body counts.
    whole: bool,
}

fn policy(source: &str) -> Policy {
    use SpanClass::{Disclaimer, Forward, ForwardHeader, ListFooter, MobileFooter, SignOff, Signature};
    let base = Policy { classes: &[SignOff], unmarked_signature: true, inner_quotes: false, whole: false };
    match source {
        "discourse" => Policy { inner_quotes: true, ..base },
        "talon" => Policy {
            classes: &[SignOff, Signature, Disclaimer, ListFooter, MobileFooter, Forward, ForwardHeader],
            whole: true,
            ..base
        },
        "nylas-mail" => Policy {
            classes: &[SignOff, Signature, Disclaimer, ListFooter, MobileFooter, Forward, ForwardHeader],
            inner_quotes: true,
            whole: true,
            ..base
        },
        "tempo-email-parser" => Policy {
            classes: &[SignOff, Signature, Disclaimer, ListFooter, Forward, ForwardHeader],
            whole: true,
            ..base
        },
        "mpr" => Policy { unmarked_signature: false, ..base },
        "quotequail" => {
            Policy { classes: &[SignOff, Signature, Disclaimer, ListFooter, MobileFooter], ..base }
        }
        _ => base,
    }
}

fn kept(got: &Normalized, source: &str, case: &str) -> String {
    let policy = policy(source);
    let fragment = case.ends_with("/f0");
    let class = |n: usize| got.spans.get(n).map(|s| s.class);
    let kept_class = |n: usize| {
        let Some(class) = class(n) else { return false };
        let header_of_quote = class == SpanClass::ForwardHeader
            && got.spans.get(n + 1).is_none_or(|s| s.class != SpanClass::Forward);
        // These projects cut from the quote on; a signature below it goes with it.
        let below = policy.whole
            && class == SpanClass::Signature
            && got.spans[..n].iter().any(|s| s.class == SpanClass::Quote);
        class.is_new() || policy.classes.contains(&class) && !header_of_quote && !below
    };
    let last_new = (0..got.spans.len()).rev().find(|n| kept_class(*n));
    let mut out = String::new();
    for (n, span) in got.spans.iter().enumerate() {
        let part = &got.text[span.range.clone()];
        let first = part.lines().next().unwrap_or_default().trim();
        let marked = first.chars().all(|c| !c.is_alphanumeric() || c == '\u{1427}');
        let attributed = n > 0 && class(n - 1) == Some(SpanClass::Attribution);
        let keep = kept_class(n)
            || policy.unmarked_signature && span.class == SpanClass::Signature && !marked
            || policy.inner_quotes
                && last_new.is_some_and(|last| n < last)
                && (policy.whole || !attributed && span.class != SpanClass::Attribution);
        if !keep && fragment && !out.is_empty() {
            break;
        }
        if keep {
            out.push_str(part);
            out.push('\n');
        }
    }
    if !out.trim().is_empty() {
        out
    } else if policy.whole {
        got.text.clone()
    } else {
        got.new_text()
    }
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

fn list(row: &Value, key: &str) -> Vec<String> {
    row[key].as_array().into_iter().flatten().filter_map(|v| v.as_str().map(squeeze)).collect()
}

#[test]
fn plain_replies() {
    let Some(rows) = rows("email-reply-fixtures/plain_cases.jsonl") else { return };
    let mut by_source: HashMap<String, (usize, usize)> = HashMap::new();
    for row in &rows {
        let source = string(row, "source");
        let got = normalize(&Body::new(BodyKind::Email).with_plain(string(row, "input")));
        let text = squeeze(&kept(&got, source, string(row, "case")));
        let right = list(row, "equals").iter().all(|e| *e == text)
            && list(row, "contains").iter().all(|e| text.contains(e.as_str()))
            && list(row, "absent").iter().all(|e| !text.contains(e.as_str()));
        let entry = by_source.entry(source.to_owned()).or_default();
        entry.1 += 1;
        if right {
            entry.0 += 1;
        } else if shows_fails("plain") {
            println!(
                "======== {source} {}\n{}\n-------- want {:?} has {:?} not {:?}\n-------- got",
                string(row, "case"),
                string(row, "input"),
                row["equals"],
                row["contains"],
                row["absent"]
            );
            for span in &got.spans {
                println!("[{}] {}", span.class.as_str(), got.text[span.range.clone()].trim_end());
            }
        }
    }
    let right: usize = by_source.values().map(|v| v.0).sum();
    report("plain replies, exact", right as f64 / rows.len() as f64, 0.95, 0.95, &format!("{by_source:?}"));
}

#[test]
fn html_replies() {
    let Some(rows) = rows("email-reply-fixtures/html_cases.jsonl") else { return };
    let mut by_source: HashMap<String, (usize, usize)> = HashMap::new();
    let dense = |t: &str| {
        t.chars().filter(|c| !c.is_whitespace() && *c != '|' && !zero_width(*c)).collect::<String>()
    };
    for row in &rows {
        let source = string(row, "source");
        let got = normalize(&Body::new(BodyKind::Email).with_html(string(row, "html")));
        let text = dense(&kept(&got, source, string(row, "case")));
        let entry = by_source.entry(source.to_owned()).or_default();
        entry.1 += 1;
        if text == dense(string(row, "reply_text")) {
            entry.0 += 1;
        } else if shows_fails("html") {
            println!(
                "======== {source} {}\n{}\n-------- want {:?}\n-------- got",
                string(row, "case"),
                string(row, "html").chars().take(3000).collect::<String>(),
                string(row, "reply_text")
            );
            for span in &got.spans {
                println!("[{}] {}", span.class.as_str(), got.text[span.range.clone()].trim_end());
            }
        }
    }
    let right: usize = by_source.values().map(|v| v.0).sum();
    report("html replies, exact", right as f64 / rows.len() as f64, 0.94, 0.94, &format!("{by_source:?}"));
}

#[test]
fn signatures() {
    let Some(rows) = rows("email-signatures-forge/signatures.jsonl") else { return };
    let (mut hit, mut wrong, mut missed, mut clean, mut untouched) = (0, 0, 0, 0, 0);
    for row in &rows {
        let body_text = string(row, "body");
        let sender = string(row, "sender");
        let names: Vec<&str> = sender.split(['<', '>']).map(|s| s.trim_matches([' ', '"'])).collect();
        let mut body = Body::new(BodyKind::Email).with_plain(body_text);
        body.sender_names = &names;
        let got = normalize(&body);
        let truth: Vec<usize> = row["signature_lines"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|v| v.as_u64().map(|n| n as usize))
            .collect();
        let mut bad = Vec::new();
        let mut touched = false;
        let mut at = 0;
        for (number, line) in got.text.split_inclusive('\n').enumerate() {
            let class = got.spans.iter().find(|s| s.range.contains(&at)).map(|s| s.class);
            let marked = matches!(
                class,
                Some(
                    SpanClass::Signature
                        | SpanClass::SignOff
                        | SpanClass::MobileFooter
                        | SpanClass::Disclaimer
                )
            ) && !line.trim().is_empty();
            let is = truth.contains(&number) && !line.trim().is_empty();
            touched |= marked;
            match (marked, is) {
                (true, true) => hit += 1,
                (true, false) => {
                    wrong += 1;
                    bad.push(format!("+{line}"));
                }
                (false, true) => {
                    missed += 1;
                    bad.push(format!("-{line}"));
                }
                _ => {}
            }
            at += line.len();
        }
        if row["has_signature"] == false {
            clean += 1;
            untouched += usize::from(!touched);
        }
        if !bad.is_empty() && shows_fails("signatures") {
            println!("== {} {} {bad:?}\n{}\n", string(row, "id"), sender, body_text);
        }
    }
    let f1 = 2.0 * f64::from(hit) / f64::from(2 * hit + wrong + missed);
    report("signature lines, F1", f1, 0.90, 0.90, &format!("hit {hit} wrong {wrong} missed {missed}"));
    report(
        "clean mails untouched",
        untouched as f64 / clean as f64,
        0.99,
        0.99,
        &format!("{untouched} of {clean}"),
    );
}

#[test]
fn sentence_rules() {
    let Some(rows) = rows("sentence-golden-rules/golden.jsonl") else { return };
    let mut right = 0;
    for row in &rows {
        let text = string(row, "text");
        let got: Vec<String> = sentences(text).into_iter().map(|r| squeeze(&text[r])).collect();
        let want = list(row, "sentences");
        if got == want {
            right += 1;
        } else if shows_fails("sentences") {
            println!("== {} {text:?}\n want {want:?}\n  got {got:?}", string(row, "lang"));
        }
    }
    report(
        "sentence golden rules",
        right as f64 / rows.len() as f64,
        0.90,
        0.90,
        &format!("{right} of {}", rows.len()),
    );
}
