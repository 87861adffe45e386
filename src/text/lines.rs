//! A text as lines with classes, and back to spans.
//!
//! It holds no rules: stages read lines and set classes, first come first served.

use std::ops::Range;
use std::sync::LazyLock;

use memchr::memmem::Finder;

use super::attribution;
use super::body::{Span, SpanClass};

/// One line with its class so far.
#[derive(Debug)]
pub(super) struct Line<'a> {
    /// Bytes of the text, line end included.
    pub(super) range: Range<usize>,
    /// The line without its end.
    pub(super) text: &'a str,
    /// Its class; `None` is new text until somebody knows better.
    pub(super) class: Option<SpanClass>,
    /// Whether it is quoted by a mark, not only by what stands above it.
    pub(super) quoted: bool,
}

impl Line<'_> {
    pub(super) fn is_blank(&self) -> bool {
        self.text.trim().is_empty()
    }

    /// Whether the line has words and no class yet.
    pub(super) fn is_open(&self) -> bool {
        self.class.is_none() && !self.is_blank()
    }
}

/// Lines that are classed one by one; what follows them is one more line, so that no body costs more than its bytes.
const MOST_LINES: usize = 50_000;

/// How an attribution behind other words begins.
static OPENER: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("On "));

/// The lines of a text; an attribution behind other words becomes a line of its own.
pub(super) fn split(text: &str) -> Vec<Line<'_>> {
    let mut out = Vec::new();
    let mut start = 0;
    let mut opener = OPENER.find(text.as_bytes());
    for line in text.split_inclusive('\n') {
        if out.len() >= MOST_LINES {
            out.push(Line {
                range: start..text.len(),
                text: text[start..].trim_end_matches('\n'),
                class: None,
                quoted: false,
            });
            break;
        }
        let end = start + line.len();
        let bare = line.trim_end_matches('\n');
        let inside = if opener.is_some_and(|at| at < end) {
            opener = OPENER.find(&text.as_bytes()[end..]).map(|at| end + at);
            attribution::ending_at(&[bare], 0, 0)
        } else {
            None
        };
        if let Some(at) = inside.map(|f| f.offset).filter(|at| *at > 0) {
            out.push(Line { range: start..start + at, text: &bare[..at], class: None, quoted: false });
            out.push(Line { range: start + at..end, text: &bare[at..], class: None, quoted: false });
        } else {
            out.push(Line { range: start..end, text: bare, class: None, quoted: false });
        }
        start = end;
    }
    out
}

/// Which lines begin in a byte range.
pub(super) fn within(lines: &[Line], range: &Range<usize>) -> Range<usize> {
    let from = lines.partition_point(|l| l.range.start < range.start);
    let to = lines.partition_point(|l| l.range.start < range.end);
    from..to.max(from)
}

/// Set the class of lines that have none.
pub(super) fn set(lines: &mut [Line], class: SpanClass) {
    for line in lines {
        line.class.get_or_insert(class);
    }
}

/// Set the class of lines whatever they had.
pub(super) fn force(lines: &mut [Line], class: SpanClass) {
    for line in lines {
        line.class = Some(class);
    }
}

/// Runs of open lines without a blank between them.
pub(super) fn paragraphs(lines: &[Line]) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    let mut from = 0;
    for n in 0..=lines.len() {
        if n < lines.len() && lines[n].is_open() {
            continue;
        }
        if n > from {
            out.push(from..n);
        }
        from = n + 1;
    }
    out
}

/// Lines of equal class become one span; blank lines go with the line before.
pub(super) fn spans(lines: &[Line], text: &str) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for line in lines {
        let class = line.class.unwrap_or(SpanClass::New);
        match out.last_mut() {
            Some(last) if line.is_blank() || last.class == class => last.range.end = line.range.end,
            _ => out.push(Span { range: line.range.clone(), class }),
        }
    }
    if let Some(last) = out.last_mut() {
        last.range.end = text.len();
    }
    out
}
