//! Hostile and random bodies: no panic, bounded time, spans that cover, passages made of the text.
//!
//! `HUBLORE_FUZZ=<bodies>` sets how many random bodies are tried (20,000 where nothing is said); with it the
//! shapes are 2 MiB instead of 128 KiB. Time is processor time of the thread: other work does not count.

use hublore::text::{Body, BodyKind, Language, Status, normalize, secrets, sentences};
use proptest::prelude::*;

const KINDS: [BodyKind; 6] = [
    BodyKind::Email,
    BodyKind::Note,
    BodyKind::Call,
    BodyKind::Meeting,
    BodyKind::FormSubmission,
    BodyKind::Transcript,
];

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

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % sides as u64) as usize
    }

    fn body(&mut self) -> String {
        let mut out = String::new();
        for _ in 0..self.roll(40) {
            if self.roll(12) == 0 {
                out.extend(char::from_u32(self.roll(0x11_0000) as u32));
            } else {
                out.push_str(PIECES[self.roll(PIECES.len())]);
            }
        }
        out
    }
}

/// What one body may take, whatever stands in it.
const LIMIT_SECONDS: f64 = 0.5;

/// Random bodies asked for.
fn asked_for() -> Option<usize> {
    std::env::var("HUBLORE_FUZZ").ok()?.parse().ok()
}

/// Processor time of this thread.
fn cpu_seconds() -> f64 {
    let text = std::fs::read_to_string("/proc/thread-self/schedstat").unwrap_or_default();
    text.split(' ').next().and_then(|n| n.parse::<f64>().ok()).unwrap_or(0.0) / 1e9
}

#[test]
fn random_bodies() {
    let count = asked_for().unwrap_or(20_000);
    let mut dice = Dice(0x9e37_79b9_7f4a_7c15);
    let start = cpu_seconds();
    let mut worst = 0.0_f64;
    for n in 0..count {
        let text = dice.body();
        let parent = dice.body();
        let mut body = Body::new(KINDS[n % KINDS.len()]);
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
];

/// Shapes that cost tree builders and regular expressions their time.
fn shapes(bytes: usize) -> Vec<(String, String)> {
    let mut out: Vec<(String, String)> = Vec::new();
    for piece in REPEATED {
        out.push(((*piece).to_owned(), piece.repeat(bytes / piece.len())));
    }
    let depth = bytes / 30;
    out.push((
        "div then td then /div".to_owned(),
        format!("{}{}", "<div><td>".repeat(500), "<b></div>".repeat(depth)),
    ));
    out.push((
        "attributes".to_owned(),
        format!("<a {}>x", (0..bytes / 9).map(|n| format!("a{n}=1 ")).collect::<String>()),
    ));
    out.push(("distinct fonts".to_owned(), (0..bytes / 18).map(|n| format!("<font color={n}>")).collect()));
    out.push(("deep and closed".to_owned(), format!("{}{}", "<i>".repeat(depth), "</i>".repeat(depth))));
    out.push(("dots".to_owned(), format!("1. {}", "a.".repeat(bytes / 2))));
    out.push(("one list".to_owned(), (1..bytes / 8).map(|n| format!("{n}. x ")).collect()));
    out
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
    fn arbitrary_text(text in "\\PC{0,400}", html in any::<bool>(), kind in 0..KINDS.len()) {
        let mut body = Body::new(KINDS[kind]);
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
