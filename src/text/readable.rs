//! Bodies rendered for people to read: lists, tables and headings laid out by a renderer of HTML.
//!
//! Not for search: the index reads `normalize`. Renderers panic, loop and go quadratic on hostile input, so size,
//! depth, attributes and tables are measured first, and the renderer runs on a bounded number of worker threads under
//! a time limit. The renderer itself is handed in. Where any guard says no, the plain visible text is the answer.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Duration;

use super::body::{Body, normalize};
use super::html;

/// Bytes of a body that are rendered; larger ones are shown as plain text.
const MAX_BYTES: usize = 512 * 1024;
/// Time one body may take.
const LIMIT: Duration = Duration::from_millis(250);
/// Renderings at once, hung ones included: a body that never ends costs one thread, not the process.
const MOST_WORKERS: usize = 4;

static WORKERS: AtomicUsize = AtomicUsize::new(0);

/// The visible text of the body, as it stands, without layout.
#[must_use]
pub fn readable(body: &Body) -> String {
    normalize(body).text
}

/// The body as `lay_out` renders its HTML; the visible text where the renderer may not or does not answer.
#[must_use]
pub fn readable_with(body: &Body, lay_out: fn(&str) -> Option<String>) -> String {
    let rendered = body.html.filter(|h| html::looks_like_html(h)).and_then(|h| guarded(h, lay_out));
    rendered.filter(|text| !text.trim().is_empty()).unwrap_or_else(|| readable(body))
}

/// The rendering of `markup`, or `None` where a guard says no.
fn guarded(markup: &str, lay_out: fn(&str) -> Option<String>) -> Option<String> {
    if markup.len() > MAX_BYTES || !html::is_tame(markup) {
        return None;
    }
    let slot = Slot::take()?;
    let markup = markup.to_owned();
    let (answer, wait) = mpsc::sync_channel(1);
    let worker = std::thread::Builder::new().name("readable".to_owned()).spawn(move || {
        let _slot = slot;
        // Nobody listens any more after the time limit; then the answer is dropped with the worker.
        let _ = answer.send(std::panic::catch_unwind(|| lay_out(&markup)).ok().flatten());
    });
    worker.ok()?;
    wait.recv_timeout(LIMIT).ok().flatten()
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
    use std::time::{Duration, Instant};

    use super::readable_with;
    use crate::text::{Body, BodyKind};

    fn read(html: &str, lay_out: fn(&str) -> Option<String>) -> String {
        readable_with(&Body::new(BodyKind::Email).with_html(html), lay_out)
    }

    #[test]
    fn a_renderer_that_answers_is_believed() {
        assert_eq!(read("<p>a</p>", |_| Some("laid out".to_owned())), "laid out");
        assert_eq!(read("<p>a</p>", |_| None), "a");
    }

    #[test]
    fn panics_and_endless_loops_cost_neither_text_nor_time() {
        assert_eq!(read("<p>a</p>", |_| panic!("a renderer's defect")), "a");
        let start = Instant::now();
        let hang = |_: &str| {
            std::thread::sleep(Duration::from_secs(2));
            None
        };
        assert_eq!(read("<p>b</p>", hang), "b");
        assert!(start.elapsed() < Duration::from_secs(1));
    }

    #[test]
    fn trees_that_would_be_too_large_never_reach_the_renderer() {
        let never = |_: &str| Some("reached".to_owned());
        assert_eq!(read(&format!("a{}", "<div>".repeat(5_000)), never), "a");
        assert_eq!(read(&format!("a{}", "<font color=1>".repeat(2_000)), never), "a");
        assert_eq!(read("<table><tr><td rowspan=3>a</td></tr></table>", never), "a");
    }
}
