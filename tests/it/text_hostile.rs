//! Hostile and random bodies: no panic, bounded time, spans that cover, passages made of the text.
//!
//! Random bodies are made of pieces that parsers trip over, and of real mails (those of `held_out.txt`, and the shared
//! corpora where they are) cut, doubled, spliced and spoilt. `HUBLORE_FUZZ=<bodies>` sets how many are tried (20,000
//! where nothing is said); with it the shapes are 2 MiB instead of 128 KiB, and the memory of all of them is measured.
//! Time is processor time of the thread: other work does not count.

use hublore::text::{Body, BodyKind, Language, Status, normalize, secrets, sentences};
use proptest::prelude::*;

use crate::text_measure::{cpu_seconds, rows, shows_fails};

/// What must hold for every body.
fn check(body: &Body) {
    let got = normalize(body);
    let mut end = 0;
    for span in &got.spans {
        assert_eq!(span.range.start, end, "spans leave no gap");
        assert!(span.range.end > end);
        end = span.range.end;
    }
    assert_eq!(end, got.text.len(), "spans cover the text");
    for passage in &got.passages {
        assert!(!passage.text.trim().is_empty());
        assert!(passage.ranges.windows(2).all(|w| w[0].end <= w[1].start));
        for range in &passage.ranges {
            assert!(got.text.get(range.clone()).is_some_and(|t| !t.trim().is_empty()));
        }
    }
    for secret in &got.secrets {
        assert!(got.text.get(secret.range.clone()).is_some());
    }
    assert_eq!(got.text.trim().is_empty(), got.passages.is_empty());
    assert_eq!(got.text.trim().is_empty(), got.status == Status::Empty);
}

const PIECES: &[&str] = &[
    "<div>",
    "</div>",
    "<p>",
    "</p>",
    "<br>",
    "<table>",
    "<tr>",
    "<td colspan=2>",
    "</td>",
    "</table>",
    "<blockquote type=cite>",
    "</blockquote>",
    "<div class=gmail_quote>",
    "<div id=divRplyFwdMsg>",
    "<pre>",
    "</pre>",
    "<b>",
    "</b>",
    "<style>",
    "</style>",
    "<style>.x{display:none} p,#y{color:#fff}@media screen{",
    "<i class=x>",
    "<!--",
    "-->",
    "<span style='display:none'>",
    "</span>",
    "&amp;",
    "&#0;",
    "&#x10ffff;",
    "&nbsp;",
    "<",
    ">",
    "\u{0}",
    "\n",
    "\r\n",
    "\n\n",
    " ",
    "\t",
    "> ",
    ">> ",
    "On Mon, 3 May 2021, Ann <a@b.co> wrote:",
    "From: a@b.co",
    "Sent: 3 May 2021",
    "To: b@b.co",
    "Subject: x",
    "-----Original Message-----",
    "--",
    "-- \n",
    "____",
    "Best regards,",
    "Ann Lee",
    "Sent from my iPhone",
    "Hello",
    "Password: x1y2z3",
    "4111 1111 1111 1111",
    "DE89 3704 0044 0532 0130 00",
    "-----BEGIN PRIVATE KEY-----",
    "https://u:p@h.co/",
    "über",
    "日本語。",
    "🎉",
    "e\u{301}",
    "\u{202e}",
    "İ",
    "ﬁ",
    "\u{200b}",
    "1. ",
    "a. ",
    "Dr. ",
    "e.g. ",
    "…",
    "?!",
    "12:30 Bob: hi",
    "unsubscribe",
    "confidential",
    "Microsoft Teams meeting",
    "<a href='https://t.co/?u=https%3A%2F%2Fx.co%2F'>",
    "</a>",
    "<img alt='a b c'>",
    "<title>",
    "<script>",
    "</script>",
    "<textarea>",
    "<plaintext>",
    "<svg>",
    "<![CDATA[",
    "]]>",
    "<?xml",
    "<font color=red>",
    "ᐧ",
];

/// A generator of numbers, the same on every run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    pub(crate) fn body(&mut self, seeds: &[String]) -> String {
        match self.roll(2) {
            0 => self.pieces(40),
            _ => self.spoilt(seeds),
        }
    }

    fn pieces(&mut self, most: usize) -> String {
        let mut out = String::new();
        for _ in 0..self.roll(most) {
            if self.roll(12) == 0 {
                out.extend(char::from_u32(self.roll(0x11_0000) as u32));
            } else {
                out.push_str(PIECES[self.roll(PIECES.len())]);
            }
        }
        out
    }

    /// A place in a text where it may be cut.
    pub(crate) fn place(&mut self, text: &str) -> usize {
        text.floor_char_boundary(self.roll(text.len() + 1))
    }

    /// A part of a real mail with a few things done to it.
    fn spoilt(&mut self, seeds: &[String]) -> String {
        let mut text = self.window(seeds);
        for _ in 0..=self.roll(6) {
            let (a, b) = (self.place(&text), self.place(&text));
            let (from, to) = (a.min(b), a.max(b));
            match self.roll(8) {
                0 => text.replace_range(from..to.min(text.floor_char_boundary(from + 40)), ""),
                1 => {
                    let part = text[from..text.floor_char_boundary(to.min(from + 200))].to_owned();
                    text.insert_str(from, &part.repeat(self.roll(4) + 1));
                }
                2 => text.insert_str(from, &self.window(seeds)),
                3 => text.truncate(to),
                4 => {
                    let part = text[from..to].to_uppercase();
                    text.replace_range(from..to, &part);
                }
                5 => {
                    let lines: Vec<&str> = text.lines().rev().collect();
                    text = lines.join("\n");
                }
                6 => text = text.replace(' ', ["", "\n", "  ", "\u{a0}", "&nbsp;"][self.roll(5)]),
                _ => {
                    let pieces = self.pieces(4);
                    text.insert_str(from, &pieces);
                }
            }
        }
        text.truncate(text.floor_char_boundary(4_000));
        text
    }

    fn window(&mut self, seeds: &[String]) -> String {
        let seed = &seeds[self.roll(seeds.len())];
        let from = if self.roll(2) == 0 { 0 } else { self.place(seed) };
        seed[from..seed.floor_char_boundary(from + self.roll(1_200) + 50)].to_owned()
    }
}

/// Real mails to spoil.
pub(crate) fn seeds() -> Vec<String> {
    let mut out: Vec<String> = include_str!("held_out.txt").split("=== ").map(str::to_owned).collect();
    let corpora = [
        ("spamassassin-mail/html_mail.jsonl", "html"),
        ("spamassassin-mail/plain_mail.jsonl", "text"),
        ("email-reply-fixtures/plain_cases.jsonl", "input"),
        ("email-reply-fixtures/html_cases.jsonl", "html"),
        ("postmark-templates/templates.jsonl", "html"),
        ("email-signatures-forge/signatures.jsonl", "body"),
    ];
    for (file, field) in corpora {
        let rows = rows(file).unwrap_or_default();
        out.extend(rows.iter().filter_map(|row| row[field].as_str().map(str::to_owned)));
    }
    out.retain(|seed| !seed.is_empty());
    out
}

/// What one body may take, whatever stands in it.
const LIMIT_SECONDS: f64 = 0.5;

/// Random bodies asked for.
fn asked_for() -> Option<usize> {
    std::env::var("HUBLORE_FUZZ").ok()?.parse().ok()
}

#[test]
fn random_bodies() {
    let count = asked_for().unwrap_or(20_000);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let start = cpu_seconds();
    let mut worst = 0.0_f64;
    let seeds = seeds();
    for n in 0..count {
        let text = dice.body(&seeds);
        let parent = dice.body(&seeds);
        let mut body = Body::new(BodyKind::ALL[n % BodyKind::ALL.len()]);
        if n % 3 == 0 {
            body.plain = Some(&text);
        } else {
            body.html = Some(&text);
        }
        body.subject = (n % 5 == 0).then_some("Fwd: x");
        body.parent = (n % 7 == 0).then_some(parent.as_str());
        body.sender_names = &["Ann Lee", "ann@b.co"];
        body.language_hint = Some(Language::De);
        let one = cpu_seconds();
        let done = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| check(&body)));
        worst = worst.max(cpu_seconds() - one);
        assert!(done.is_ok(), "body {n}: {text:?} parent {parent:?}");
    }
    println!("{count} random bodies in {:.1} s, worst {:.1} ms", cpu_seconds() - start, worst * 1e3);
    assert!(worst < LIMIT_SECONDS, "one body took {worst} s");
}

/// Pieces that cost tree builders and regular expressions their time when repeated.
#[rustfmt::skip]
const REPEATED: &[&str] = &[
    "<div>", "<b>", "<font color=1>", "<ul><li>", "<table><tr><td>", "</div>", "<td>", "<", "<a href=x>",
    "<p>", "<blockquote>", "&amp;", "&", "<!--", "<a b='", "> ", ">", "\n", " ", "a", "a ", "password ",
    "password:", "sk-", "-----BEGIN PRIVATE KEY-----", "://a:", "1 ", "4", "AB12 ", ".", "a. ", "1. ",
    "Dr. ", "On Mon, 3 wrote:\n", "wrote:", "From: a\n", "On ", "x:\n", "a@b.co:\n", "--\n", "Best,\n", "日",
    "a\n\n", "\t", "</p>", "<pre>\n", "<div style='display:none'>", "<div class=gmail_quote>",
    "<blockquote type=cite>x</blockquote>", "Bob: hi\n", "unsubscribe ",
    "<div class=gmail_quote><blockquote>x</blockquote>", "<td><b>", "<script>", "</b></i>", "•", "(", "\"",
    "-----BEGIN ", "<a href='https://u.co'>x</a>", "<span style='color:#fff;background:#fff'>", "On Mon ",
    "<x@y\n", "1) ", "_\n", "e\u{301}", "12:30\n",
    "On 3 May 2021, Ann wrote:\n| a\n| b\n", "On Mon, 3 May 2021, Ann <a@b.co> wrote:\n> a\nb\n", "a | b\n",
    "<div class=gmail_signature>x<br>", "<hr id=stopSpelling>x<br>", "From: a\nSent: b\nTo: c\nSubject: d\n\nx\n",
    "<div class=gmail_quote>a<blockquote>x</blockquote>b", "code 4829 ", "use 4829 to log in ", "4829 ", "my pin is 4821 ",
    "password: blue horse\n", "the password is a ", "user / pass: a / b ", "credentials: ", "code: 4 8 2 9\n", "4 8 2 9 code ",
    "AKIAIOSFODNN7EXAMPLE ", "log in with ",
];

/// The shape of that number with its name, about so many bytes long.
fn shape(number: usize, bytes: usize) -> Option<(String, String)> {
    if let Some(piece) = REPEATED.get(number) {
        return Some(((*piece).to_owned(), piece.repeat(bytes / piece.len())));
    }
    let depth = bytes / 30;
    let (name, text) = match number - REPEATED.len() {
        0 => ("div then td then /div", format!("{}{}", "<div><td>".repeat(500), "<b></div>".repeat(depth))),
        1 => {
            ("attributes", format!("<a {}>x", (0..bytes / 9).map(|n| format!("a{n}=1 ")).collect::<String>()))
        }
        2 => ("distinct fonts", (0..bytes / 18).map(|n| format!("<font color={n}>")).collect()),
        3 => ("deep and closed", format!("{}{}", "<i>".repeat(depth), "</i>".repeat(depth))),
        4 => ("dots", format!("1. {}", "a.".repeat(bytes / 2))),
        5 => ("one list", (1..bytes / 8).map(|n| format!("{n}. x ")).collect()),
        6 => ("a large table", "<tr><td>a</td><td>b</td><td>c</td></tr>".repeat(bytes / 39)),
        7 => ("unknown ends in depth", format!("{}{}", "<i>".repeat(512), "</x>".repeat(bytes / 4))),
        9 => ("rules", format!("<style>{}", ".a,#b,c.d e{color:red}".repeat(bytes / 22))),
        10 => ("sheets", "<style>.a{display:none}</style><i class='a b c'>x".repeat(bytes / 49)),
        11 => ("nested media", format!("<style>{}", "@media screen{".repeat(bytes / 14))),
        12 => ("unclosed", format!("<style>{}", "/*".repeat(bytes / 2))),
        13 => ("classes", {
            let rules: String = (0..500).map(|n| format!(".c{}{{opacity:{n}}}", n % 60)).collect();
            let crowd = (0..60).map(|n| format!("c{n} ")).collect::<String>();
            format!("<style>{rules}</style>{}", format!("<i class='{crowd}'>x").repeat(bytes / 250))
        }),
        14 => ("codes, then dots", format!("{}{}", "code: 4829\n".repeat(bytes / 22), ".".repeat(bytes / 2))),
        15 => ("codes, then spaces", {
            format!("{}x{}y", "code 4829 ".repeat(bytes / 20), " ".repeat(bytes / 2))
        }),
        17 => ("addresses under a long line", {
            format!("{}\n{}", "a ".repeat(bytes / 4), "a@b.co:\n".repeat(bytes / 16))
        }),
        16 => ("late sheets", "<i class='a b c'>x</i><style>.a{display:none}</style>".repeat(bytes / 53)),
        8 => ("references", "&notit;&a&#1;&#x80".repeat(bytes / 18)),
        _ => return None,
    };
    Some((name.to_owned(), text))
}

/// Shapes that cost tree builders and regular expressions their time.
fn shapes(bytes: usize) -> impl Iterator<Item = (String, String)> {
    (0..).map_while(move |number| shape(number, bytes))
}

/// A number of `/proc/self/status` in bytes.
fn memory(name: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap_or_default();
    line.trim_start_matches(':').split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0)
        << 10
}

/// The shape a child process is asked to measure: its number and whether it is HTML.
const SHAPE: &str = "HUBLORE_SHAPE";

/// Not a test of its own: what [`memory_is_bounded`] runs in a process of its own for each shape.
#[test]
fn memory_of_one_shape() {
    let Ok(asked) = std::env::var(SHAPE) else { return };
    let (number, html) = asked.split_once(' ').expect("a number and a kind");
    let (_, text) = shape(number.parse().expect("a number"), MOST_BYTES).expect("a shape");
    // The highest mark was made by building the shape: it begins anew here.
    std::fs::write("/proc/self/clear_refs", "5").expect("the mark of this process can be taken back");
    let before = memory("VmRSS");
    seconds_of(&text, html == "html");
    let input = text.len() + text.len() / 2;
    println!("peak {} input {input}", memory("VmHWM").saturating_sub(before));
}

/// The largest body that is read whole.
const MOST_BYTES: usize = 2 * 1024 * 1024;

#[test]
fn memory_is_bounded() {
    let all = shapes(64).count();
    // Every shape on request; in every run those that make most lines, links, tags and marks.
    let few = [
        "a\n",
        "> ",
        "<div class=gmail_quote><blockquote>x</blockquote>",
        "<a href='https://u.co'>x</a>",
        "日",
    ];
    let asked: Vec<usize> = match asked_for() {
        Some(_) => (0..all).collect(),
        None => (0..REPEATED.len()).filter(|n| few.contains(&REPEATED[*n])).collect(),
    };
    let mut worst = (0.0_f64, String::new());
    for number in asked {
        for kind in ["plain", "html"] {
            let ran = std::process::Command::new(std::env::current_exe().expect("a test binary"))
                .args(["text_hostile::memory_of_one_shape", "--exact", "--nocapture"])
                .env(SHAPE, format!("{number} {kind}"))
                .output()
                .expect("the test binary runs");
            let told = String::from_utf8_lossy(&ran.stdout).into_owned();
            let words: Vec<&str> = told.split_whitespace().skip_while(|word| *word != "peak").collect();
            let (peak, input): (u64, u64) = match words.as_slice() {
                ["peak", peak, "input", input, ..] => (peak.parse().unwrap(), input.parse().unwrap()),
                _ => panic!("no measurement of shape {number}: {told}"),
            };
            let share = peak as f64 / (4 * input + (16 << 20)) as f64;
            if share > 1.0 && shows_fails("memory") {
                println!("shape {number} {kind}: {share:.2}, peak {peak} bytes for {input}");
            }
            if share > worst.0 {
                worst = (share, format!("shape {number} {kind}: peak {peak} bytes for {input}"));
            }
        }
    }
    println!("memory: {:.2} of 4 x input + 16 MB, {}", worst.0, worst.1);
    assert!(worst.0 <= 1.0, "{worst:?}");
}

/// Processor seconds of one hostile body with a parent.
fn seconds_of(text: &str, html: bool) -> f64 {
    let mut body = Body::new(BodyKind::Email);
    if html {
        body.html = Some(text);
    } else {
        body.plain = Some(text);
    }
    body.parent = Some(&text[..text.floor_char_boundary(text.len() / 2)]);
    body.sender_names = &["Ann Lee"];
    let start = cpu_seconds();
    check(&body);
    cpu_seconds() - start
}

/// Bodies of two pieces, each again and again: what one of them makes of the other, on request.
#[test]
fn pairs_of_pieces_are_linear() {
    let Some(count) = asked_for() else { return };
    let mut dice = Dice(0x2545_f491_4f6c_dd1d);
    let mut worst = (0.0_f64, String::new());
    for _ in 0..count.min(4_000) {
        let [one, two] = [0; 2].map(|_| REPEATED[dice.roll(REPEATED.len())]);
        let bytes = 256 * 1024;
        let text = format!("{}{}", one.repeat(bytes / one.len()), two.repeat(bytes / two.len()));
        let html = dice.roll(2) == 0;
        let took = seconds_of(&text, html);
        if took > worst.0 {
            worst = (took, format!("{one:?} then {two:?}, html {html}"));
        }
    }
    println!("worst pair: {:.0} ms, {}", worst.0 * 1e3, worst.1);
    assert!(worst.0 < LIMIT_SECONDS / 2.0, "{worst:?}");
}

#[test]
fn hostile_shapes_are_linear() {
    let bytes = if asked_for().is_some() { 2 * 1024 * 1024 } else { 128 * 1024 };
    let mut worst = (0.0_f64, String::new());
    let mut slow = Vec::new();
    for (name, text) in shapes(bytes) {
        let quarter = &text[..text.floor_char_boundary(text.len() / 4)];
        for html in [false, true] {
            let (part, whole) = (seconds_of(quarter, html), seconds_of(&text, html));
            if whole > worst.0 {
                worst = (whole, format!("{name:?} html {html}"));
            }
            if whole > LIMIT_SECONDS || whole > part * 9.0 && whole > 0.2 {
                slow.push(format!("{name:?} html {html}: a quarter {part:.3} s, all {whole:.3} s"));
            }
        }
    }
    println!("worst shape of {} KiB: {:.0} ms, {}", bytes / 1024, worst.0 * 1e3, worst.1);
    assert!(slow.is_empty(), "{slow:#?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn arbitrary_text(text in "\\PC{0,400}", html in any::<bool>(), kind in 0..BodyKind::ALL.len()) {
        let mut body = Body::new(BodyKind::ALL[kind]);
        if html { body.html = Some(&text) } else { body.plain = Some(&text) }
        check(&body);
    }

    #[test]
    fn sentences_keep_every_word(text in "([A-Za-z0-9.!? \n日。]{0,8}){0,40}") {
        let joined: String = sentences(&text).into_iter().map(|r| text[r].to_owned()).collect();
        let dense = |t: &str| t.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        prop_assert_eq!(dense(&joined), dense(&text));
    }

    #[test]
    fn masking_twice_is_masking_once(text in "(([a-z0-9]{1,8}|password:|token|4111111111111111)[ \n]){0,40}") {
        let once = secrets::mask(&text);
        prop_assert_eq!(secrets::mask(&once), once);
    }

    #[test]
    fn plain_text_is_read_as_it_stands(words in proptest::collection::vec("[a-z]{1,9}", 1..60)) {
        let text = words.join(" ");
        let got = normalize(&Body::new(BodyKind::Note).with_plain(&text));
        let again = normalize(&Body::new(BodyKind::Note).with_plain(&got.text));
        prop_assert_eq!(&got.text, &text);
        prop_assert_eq!(got, again);
    }
}

#[test]
fn a_body_that_would_cost_too_much_is_taken_as_new_and_says_so() {
    let attributions = "On 3 May 2021, Ann wrote:\n| a\n| b\n".repeat(10_000);
    let signatures = format!("{}{}", "<div class=gmail_signature>".repeat(500), "x<br>".repeat(10_000));
    for body in [
        Body::new(BodyKind::Email).with_plain(&attributions),
        Body::new(BodyKind::Email).with_html(&signatures),
    ] {
        let (first, second) = (normalize(&body), normalize(&body));
        assert_eq!(first.status, Status::Plain);
        assert_eq!(first, second, "it is counted, not timed");
        assert!(!first.new_text().is_empty());
    }
    let few = "On 3 May 2021, Ann wrote:\n| a\n| b\nMy answer.\n".repeat(100);
    assert_eq!(normalize(&Body::new(BodyKind::Email).with_plain(&few)).status, Status::Ok);
    let plain = |body: &Body| normalize(body).status == Status::Plain;
    for seed in seeds() {
        assert!(!plain(&Body::new(BodyKind::Email).with_html(&seed)), "{seed}");
        assert!(!plain(&Body::new(BodyKind::Email).with_plain(&seed)), "{seed}");
    }
}
