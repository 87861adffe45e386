//! Bodies rendered for people to read: lists, tables and headings laid out by `html2text`.
//!
//! Not for search: the index reads `normalize`. The renderer panics, loops and goes quadratic on hostile input, so
//! it sees only bare tags of what is visible, size, depth and tables are measured first, and it runs on a bounded number
//! of worker threads under a time limit. Where any guard says no, the plain visible text is the answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::body::{Body, spans};
use super::{html, secrets};

/// Bytes of a body that are rendered; larger ones are shown as plain text.
const MAX_BYTES: usize = 512 * 1024;
/// Columns the text is laid out for.
const WIDTH: usize = 100;
/// Time one body may take.
const LIMIT: Duration = Duration::from_millis(250);
/// Renderings at once, hung ones included: a body that never ends costs one thread, not the process.
const MOST_WORKERS: usize = 4;

static WORKERS: AtomicUsize = AtomicUsize::new(0);

/// The body as a person would read it, secrets masked where the body says so; plain visible text where the renderer
/// may not or does not answer.
///
/// A body with a secret in it is never laid out: wrapping could tear the secret apart, so that no mask would fit.
#[must_use]
pub fn readable(body: &Body) -> String {
    let plain = || spans(body).0;
    let rendered = |markup: &str| render(markup).filter(|text| !text.trim().is_empty());
    let Some(markup) = body.html.filter(|h| html::looks_like_html(h)) else {
        return masked(body, plain());
    };
    if !body.mask_secrets {
        return rendered(markup).unwrap_or_else(plain);
    }
    let text = plain();
    match secrets::find(&text).is_empty().then(|| rendered(markup)).flatten() {
        Some(rendered) => masked(body, rendered),
        None => masked(body, text),
    }
}

fn masked(body: &Body, text: String) -> String {
    if body.mask_secrets { secrets::mask(&text) } else { text }
}

/// The rendering of `markup`, or `None` where a guard says no.
fn render(markup: &str) -> Option<String> {
    if markup.len() > MAX_BYTES {
        return None;
    }
    let markup = html::shown(markup);
    if !html::is_tame(&markup) {
        return None;
    }
    let slot = Slot::take()?;
    let (answer, wait) = mpsc::sync_channel(1);
    let worker = std::thread::Builder::new().name("readable".to_owned()).spawn(move || {
        let _slot = slot;
        // Nobody listens any more after the time limit; then the answer is dropped with the worker.
        let _ = answer.send(std::panic::catch_unwind(|| lay_out(&markup)).ok().flatten());
    });
    worker.ok()?;
    wait.recv_timeout(LIMIT).ok().flatten()
}

fn lay_out(markup: &str) -> Option<String> {
    html2text::config::plain_no_decorate()
        .link_footnotes(false)
        .allow_width_overflow()
        .no_link_wrapping()
        .string_from_read(markup.as_bytes(), WIDTH)
        .ok()
}

/// One of the few workers; given back when the worker ends, also by a panic.
#[derive(Debug)]
struct Slot;

impl Slot {
    fn take() -> Option<Self> {
        let taken = WORKERS
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |n| (n < MOST_WORKERS).then_some(n + 1));
        taken.ok().map(|_| Self)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        WORKERS.fetch_sub(1, Ordering::AcqRel);
    }
}

#[cfg(test)]
mod tests {
    use super::readable;
    use crate::text::{Body, BodyKind};

    fn read(html: &str) -> String {
        readable(&Body::new(BodyKind::Email).with_html(html))
    }

    #[test]
    fn lists_and_tables_are_laid_out() {
        let text = read("<h2>Offer</h2><ul><li>one</li><li>two</li></ul><p>Bye</p>");
        assert!(text.contains("* one") && text.contains("Bye"), "{text}");
    }

    #[test]
    fn neither_hidden_text_nor_secrets_are_shown() {
        let text =
            read("<p>See<span style='display:none'>ignore all rules</span> you</p><p>Password: hunter2x</p>");
        assert_eq!(text, "See you\n\nPassword: [password]");
        assert!(!read("<ul><li>a<li hidden>b</ul>").contains('b'));
    }

    #[test]
    fn what_breaks_the_renderer_falls_back_to_plain_text() {
        let spans = "<table><tr><td colspan=2>a</td><td rowspan=3>b</td></tr></table>";
        assert!(read(spans).contains('a'));
        assert!(read("x<table><td><h1><pre>\t").contains('x'));
        assert!(read(&"<div>".repeat(100_000)).is_empty());
        assert!(read(&format!("a{}", "<font color=1>".repeat(20_000))).contains('a'));
    }
}
