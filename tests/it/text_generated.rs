//! Cases with truth by construction: threads of 12 client frames in 25 languages, filled templates, sentences.
//!
//! `cargo test --release --test it text_ -- --nocapture` prints the whole table. `HUBLORE_TEXT_FAILS=threads`
//! shows what is wrong, `=worst` the frames with the most errors.

use std::collections::{HashMap, HashSet};

use hublore::text::near_copies::{COPY_FROM, Fingerprint};
use hublore::text::{Body, BodyKind, Language, SpanClass, language, normalize};

use crate::text_measure::{cpu_seconds, report, shows_fails};
use crate::text_tongues::{TONGUES, Tongue};

const FRAMES: [&str; 12] = [
    "gmail",
    "gmail folded",
    "apple",
    "outlook",
    "outlook web",
    "thunderbird",
    "yahoo",
    "gmail html",
    "outlook html",
    "outlook web html",
    "apple html",
    "thunderbird html",
];
const NAMES: [(&str, &str); 5] = [
    ("Ann Lee", "ann.lee@example.com"),
    ("Jürgen Groß", "j.gross@example.de"),
    ("María del Mar Ruiz", "maria@example.es"),
    ("Łukasz Żak", "lukasz.zak@example.pl"),
    ("Tom O'Neil", "tom_oneil@mail.example.com"),
];

#[derive(Clone, Copy, PartialEq)]
enum Place {
    Top,
    Bottom,
    Inter,
}

struct Case {
    html: bool,
    body: String,
    keep: Vec<String>,
    ignore: Vec<String>,
    parent: String,
    sender: &'static str,
    label: String,
}

/// One thread: frame, language, placement and furniture chosen by the caller.
fn build(t: &Tongue, frame: usize, place: Place, tail: usize, name: usize) -> Case {
    let (other, mail) = NAMES[name];
    let (me, _) = NAMES[(name + 1) % NAMES.len()];
    let html = frame >= 7;
    let quoted: Vec<&str> = t.old.iter().copied().chain([other]).collect();
    let mark = if matches!(frame, 0 | 1 | 2 | 5) { "> " } else { "" };
    let mut lines: Vec<String> = Vec::new();
    let attribution = attribution_of(t, frame, other, mail);
    let furniture = furniture(t, tail, me);
    let q = |l: &str| format!("{mark}{l}");
    match place {
        Place::Top => {
            lines.extend(t.new.iter().map(|l| (*l).to_owned()));
            lines.extend(furniture.clone());
            lines.push(String::new());
            lines.extend(attribution);
            lines.extend(quoted.iter().map(|l| q(l)));
        }
        Place::Bottom => {
            lines.extend(attribution);
            lines.extend(quoted.iter().map(|l| q(l)));
            lines.push(String::new());
            lines.extend(t.new.iter().map(|l| (*l).to_owned()));
            lines.extend(furniture.clone());
        }
        Place::Inter => {
            lines.extend(attribution);
            for (old, new) in t.old.iter().zip(&t.new) {
                lines.push(q(old));
                lines.push(String::new());
                lines.push((*new).to_owned());
                lines.push(String::new());
            }
            lines.extend(furniture.clone());
        }
    }
    let body = match (html, place) {
        (true, Place::Inter) => between(t, frame, &attribution_of(t, frame, other, mail), &furniture),
        (true, _) => to_html(t, &lines, frame, place),
        (false, _) => lines.join("\n"),
    };
    Case {
        html,
        body,
        keep: t.new.iter().map(|l| (*l).to_owned()).collect(),
        ignore: vec![t.sign_off.to_owned()],
        parent: quoted.join("\n"),
        sender: me,
        label: format!(
            "{} {} {} tail {tail}",
            FRAMES[frame],
            t.code,
            match place {
                Place::Top => "top",
                Place::Bottom => "bottom",
                Place::Inter => "inter",
            }
        ),
    }
}

/// The line or the header block over the quote.
fn attribution_of(t: &Tongue, frame: usize, name: &str, mail: &str) -> Vec<String> {
    let wrote = t.wrote.replace("@N", name).replace("@M", mail);
    match frame {
        1 => fold_line(&wrote),
        0 | 2 | 5 | 6 | 7 | 10 | 11 => vec![wrote],
        _ => header(t, frame, name, mail),
    }
}

fn header(t: &Tongue, frame: usize, name: &str, mail: &str) -> Vec<String> {
    let [from, sent, to, subject] = t.headers;
    let mut out = match frame {
        3 => vec![format!("-----{}-----", t.original)],
        4 => vec!["________________________________".to_owned()],
        _ => Vec::new(),
    };
    out.extend([
        format!("{from}: {name} <{mail}>"),
        format!("{sent}: {}", t.date),
        format!("{to}: Bob Stone"),
        format!("{subject}: Pilot"),
    ]);
    out.push(String::new());
    out
}

/// The attribution folded where mail clients fold: before the address.
fn fold_line(line: &str) -> Vec<String> {
    match line.find('<').or_else(|| line.find('(')) {
        Some(at) if at > 10 => vec![line[..at].trim_end().to_owned(), line[at..].to_owned()],
        _ => vec![line.to_owned()],
    }
}

/// Sign-off, signature, mobile footer and disclaimer by bits of `tail`.
fn furniture(t: &Tongue, tail: usize, me: &str) -> Vec<String> {
    let mut out = Vec::new();
    if tail & 1 != 0 {
        out.extend([
            String::new(),
            t.sign_off.to_owned(),
            me.to_owned(),
            "Example GmbH".to_owned(),
            "+49 30 5550100".to_owned(),
        ]);
    }
    if tail & 2 != 0 {
        out.extend([String::new(), t.legal.to_owned()]);
    }
    if tail & 4 != 0 {
        out.extend([String::new(), t.mobile.to_owned()]);
    }
    out
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// Answers between the lines of the quote, as the client of the frame sends them: those that draw the quote as a block
/// break it, desktop and web Outlook write into plain lines.
fn between(t: &Tongue, frame: usize, attribution: &[String], furniture: &[String]) -> String {
    let div = |l: &str| format!("<div>{}</div>", if l.is_empty() { "<br>".to_owned() } else { escape(l) });
    let head: String = attribution.iter().map(|line| div(line)).collect();
    let (open, close) = match frame {
        7 => ("<blockquote class=\"gmail_quote\" style=\"border-left:1px solid #ccc\">", "</blockquote>"),
        10 | 11 => ("<blockquote type=\"cite\">", "</blockquote>"),
        _ => ("", ""),
    };
    let pair = |(old, new): (&&str, &&str)| format!("{open}{}{close}{}", div(old), div(new));
    let pairs: String = t.old.iter().zip(&t.new).map(pair).collect();
    let tail: String = furniture.iter().map(|line| div(line)).collect();
    match frame {
        7 => format!("<div class=\"gmail_quote\"><div class=\"gmail_attr\">{head}</div>{pairs}</div>{tail}"),
        8 => format!(
            "<div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in\">{head}</div>{pairs}{tail}"
        ),
        9 => format!("<hr><div id=\"divRplyFwdMsg\" dir=\"ltr\">{head}</div>{pairs}{tail}"),
        10 => format!("<div>{head}{pairs}</div>{tail}"),
        _ => format!("<div class=\"moz-cite-prefix\">{head}</div>{pairs}{tail}"),
    }
}

/// The lines as the client of the frame would send them in HTML.
fn to_html(t: &Tongue, lines: &[String], frame: usize, place: Place) -> String {
    let quoted: HashSet<&str> = t.old.iter().copied().chain(NAMES.iter().map(|n| n.0)).collect();
    let div = |l: &String| format!("<div>{}</div>", if l.is_empty() { "<br>".to_owned() } else { escape(l) });
    let (mut head, mut quote, mut answer) = (Vec::new(), Vec::new(), Vec::new());
    let start = lines
        .iter()
        .position(|l| l.contains('<') || l.contains("(@") || l.contains('(') && l.contains('@'))
        .unwrap_or(0);
    let size = if frame == 8 || frame == 9 { 5 } else { 1 };
    for (n, line) in lines.iter().enumerate() {
        if (start..start + size).contains(&n) {
            head.push(div(line));
        } else if n >= start + size && place != Place::Bottom
            || quoted.contains(line.as_str()) && n >= start && place == Place::Bottom && n <= start + size + 4
        {
            quote.push(div(line));
        } else {
            answer.push(div(line));
        }
    }
    let (head, answer, quote) = (head.concat(), answer.concat(), quote.concat());
    let older = match frame {
        7 => format!(
            "<div class=\"gmail_quote\"><div class=\"gmail_attr\">{head}</div><blockquote class=\"gmail_quote\" style=\"border-left:1px solid #ccc\">{quote}</blockquote></div>"
        ),
        8 => format!(
            "<div style=\"border:none;border-top:solid #E1E1E1 1.0pt;padding:3.0pt 0in 0in 0in\">{head}</div>{quote}"
        ),
        9 => format!("<hr><div id=\"divRplyFwdMsg\" dir=\"ltr\">{head}</div>{quote}"),
        10 => format!("<div>{head}<blockquote type=\"cite\">{quote}</blockquote></div>"),
        _ => format!(
            "<div class=\"moz-cite-prefix\">{head}</div><blockquote type=\"cite\" cite=\"mid:x\">{quote}</blockquote>"
        ),
    };
    if place == Place::Bottom {
        format!("{older}<div>{answer}</div>")
    } else {
        format!("<div>{answer}</div>{older}")
    }
}

/// Hits, false keeps and losses of new lines in one case; and whether all new text was lost.
fn score(case: &Case, with_parent: bool) -> (usize, usize, usize, bool) {
    let names = [case.sender];
    let mut body = Body::new(BodyKind::Email);
    if case.html {
        body.html = Some(&case.body);
    } else {
        body.plain = Some(&case.body);
    }
    body.sender_names = &names;
    body.parent = with_parent.then_some(case.parent.as_str());
    let got = normalize(&body);
    let mut kept: Vec<&str> = Vec::new();
    for span in got.spans.iter().filter(|s| s.class == SpanClass::New) {
        kept.extend(got.text[span.range.clone()].lines().map(str::trim).filter(|l| !l.is_empty()));
    }
    let hit = kept.iter().filter(|l| case.keep.iter().any(|k| k == **l)).count();
    let wrong = kept.iter().filter(|l| !case.keep.iter().chain(&case.ignore).any(|k| k == **l)).count();
    (hit, wrong, case.keep.len() - hit.min(case.keep.len()), hit == 0)
}

/// What a set of cases came to.
#[derive(Default)]
struct Sum {
    cases: usize,
    hit: usize,
    wrong: usize,
    missed: usize,
    lost: usize,
    by_label: HashMap<String, usize>,
}

impl Sum {
    fn add(&mut self, case: &Case, with_parent: bool) {
        let (hit, wrong, missed, lost) = score(case, with_parent);
        self.cases += 1;
        self.hit += hit;
        self.wrong += wrong;
        self.missed += missed;
        self.lost += usize::from(lost);
        if wrong + missed > 0 {
            *self.by_label.entry(case.label.clone()).or_default() += wrong + missed;
        }
        if wrong + missed > 0 && shows_fails("threads") {
            println!("== {} parent {with_parent} wrong {wrong} missed {missed}\n{}", case.label, case.body);
        }
    }

    fn f1(&self) -> f64 {
        2.0 * self.hit as f64 / (2 * self.hit + self.wrong + self.missed) as f64
    }

    fn told(&self) -> String {
        let Self { cases, wrong, missed, lost, .. } = self;
        format!("{cases} cases, {wrong} wrong, {missed} missed, lost {lost}")
    }

    fn report(&self, name: &str, goal: f64) {
        report(name, self.f1(), goal, goal, &self.told());
        assert_eq!(self.lost, 0, "{name}: new text was lost");
        let mut worst: Vec<_> = self.by_label.iter().collect();
        worst.sort_by_key(|(_, n)| std::cmp::Reverse(**n));
        if shows_fails("worst") {
            println!("{:#?}", &worst[..worst.len().min(40)]);
        }
    }
}

#[test]
fn threads() {
    let (mut alone, mut blind, mut beside) = (Sum::default(), Sum::default(), Sum::default());
    for t in &TONGUES {
        for frame in 0..FRAMES.len() {
            for place in [Place::Top, Place::Bottom, Place::Inter] {
                // Below or between the lines of an unmarked quote nobody can tell an answer without the parent.
                let told = place == Place::Top || matches!(frame, 0 | 1 | 2 | 5 | 7 | 10 | 11);
                for (tail, name) in (0..8).flat_map(|tail| (0..NAMES.len()).map(move |name| (tail, name))) {
                    let case = build(t, frame, place, tail, name);
                    beside.add(&case, true);
                    if told { &mut alone } else { &mut blind }.add(&case, false);
                }
            }
        }
    }
    assert!(alone.cases >= 20_000 && beside.cases >= 20_000);
    alone.report("generated threads, keep F1", 0.97);
    beside.report("generated threads with parent, keep F1", 0.995);
    println!("answers in unmarked quotes, without parent: keep F1 {:.4}, {}", blind.f1(), blind.told());
}

#[test]
fn languages() {
    const KNOWN: [&str; 16] =
        ["en", "de", "fr", "es", "pt", "it", "nl", "sv", "ru", "tr", "ar", "vi", "ja", "ko", "zh", "pl"];
    let (mut right, mut all, mut wide_right, mut wide) = (0, 0, 0, 0);
    for t in &TONGUES {
        let mut samples: Vec<String> = vec![t.new.join(" "), t.old.join(" ")];
        samples.extend(t.new.iter().zip(&t.old).map(|(a, b)| format!("{a} {b}")));
        for sample in samples {
            let got = language::detect(&sample);
            let ok = got == Language::from_code(t.code);
            wide += 1;
            wide_right += usize::from(ok);
            if KNOWN.contains(&t.code) {
                all += 1;
                right += usize::from(ok);
            }
            if !ok && shows_fails("languages") {
                println!("== {} got {got:?}: {sample}", t.code);
            }
        }
    }
    report(
        "language, own sentences, 16 languages",
        right as f64 / all as f64,
        0.99,
        0.99,
        &format!("{right} of {all}"),
    );
    report(
        "language, own sentences, 25 languages",
        wide_right as f64 / wide as f64,
        0.95,
        0.95,
        &format!("{wide_right} of {wide}"),
    );
}

#[test]
fn near_copies() {
    let names = ["Ann", "Bob", "Carla", "Dmitri", "Eva", "Farid", "Grace", "Hugo", "Ines", "Jonas"];
    let firms = [
        "Acme",
        "Borealis",
        "Cobalt Works",
        "Delta Freight",
        "Elm & Sons",
        "Fjord",
        "Gamma Labs",
        "Helix",
        "Iris",
        "Juno",
    ];
    let mut templates = Vec::new();
    for t in TONGUES.iter().filter(|t| t.code.len() == 2 && !matches!(t.code, "ja" | "zh")) {
        templates.push(format!("%N,\n{}\n{} %F {}\n{} %D", t.new[0], t.old[0], t.old[1], t.new[1]));
    }
    let fill = |template: &str, n: usize| {
        let (name, firm) = (names[n % 10], firms[(n / 10) % 10]);
        let text = template
            .replace("%N", name)
            .replace("%F", firm)
            .replace("%D", &format!("{}.{}.2026", n % 28 + 1, n % 12 + 1));
        Fingerprint::of(&text, &[name, firm])
    };
    let copies: Vec<Fingerprint> = (0..10_000).filter_map(|n| fill(&templates[0], n)).collect();
    let bands: HashSet<u64> = copies.iter().map(|c| c.bands()[0]).collect();
    let one = copies.len() == 10_000
        && copies.iter().all(|c| c.similarity(&copies[0]) >= COPY_FROM)
        && bands.len() == 1;
    report("10,000 personalised copies are one document", f64::from(u8::from(one)), 1.0, 1.0, "");
    let prints: Vec<(usize, Fingerprint)> = (0..templates.len() * 12)
        .filter_map(|n| fill(&templates[n % templates.len()], n * 7).map(|f| (n % templates.len(), f)))
        .collect();
    let (mut hit, mut wrong, mut missed) = (0, 0, 0);
    for (n, (a, first)) in prints.iter().enumerate() {
        for (b, second) in &prints[n + 1..] {
            let shared = first.bands().iter().zip(second.bands()).any(|(x, y)| *x == y);
            match (a == b, shared && first.similarity(second) >= COPY_FROM) {
                (true, true) => hit += 1,
                (true, false) => missed += 1,
                (false, true) => wrong += 1,
                _ => {}
            }
        }
    }
    let f1 = 2.0 * f64::from(hit) / f64::from(2 * hit + wrong + missed);
    report("near-copies, pair F1", f1, 0.98, 0.98, &format!("{hit} hit, {wrong} wrong, {missed} missed"));
    let start = cpu_seconds();
    let text = TONGUES[0].new.join(" ").repeat(6);
    for _ in 0..20_000 {
        std::hint::black_box(Fingerprint::of(&text, &["Ann", "Acme"]));
    }
    report(
        "near-copies, mails a second",
        20_000.0 / (cpu_seconds() - start),
        20_000.0,
        0.0,
        "110 words each",
    );
}
