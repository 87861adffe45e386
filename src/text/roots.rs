//! Quotes, signatures and headers as the client itself marked them: quote signs before lines, elements of the HTML.
//!
//! It reads no wording; that is [`super::reply`].

use std::ops::Range;

use super::attribution::{self, Delimiter};
use super::body::SpanClass;
use super::effort::Effort;
use super::html::{Extract, MarkKind};
use super::lines::{self, Line};
use super::reply::header_after_blank;
use super::{boilerplate, signature};

/// Lines that begin with a quote mark, and their folded ends.
pub(super) fn mark_prefixes(lines: &mut [Line]) {
    for n in 0..lines.len() {
        let text = lines[n].text.trim_start();
        let folded = || n > 0 && attribution::continues(lines[n - 1].text, text);
        if text.starts_with('>') && !text.starts_with(">From ") && !folded() {
            lines[n].class = Some(SpanClass::Quote);
            lines[n].quoted = true;
        }
    }
    for n in 1..lines.len().saturating_sub(1) {
        if lines[n].is_open()
            && lines[n - 1].quoted
            && lines[n + 1].quoted
            && folds(lines[n - 1].text, lines[n].text)
        {
            lines[n].class = Some(SpanClass::Quote);
            lines[n].quoted = true;
        }
    }
}

/// Whether `line` looks like the folded end of the long quoted line above it.
fn folds(above: &str, line: &str) -> bool {
    let above = above.trim_end();
    let broken_link = above.rsplit(' ').next().is_some_and(|w| w.contains("://"));
    let unfinished = above.chars().count() >= 60 && !above.ends_with(['.', '!', '?', ':']);
    let lower = line.trim().starts_with(|c: char| c.is_lowercase() || c == '_' || c.is_ascii_digit());
    lower && (broken_link || unfinished)
}

/// Ranges the client itself marked.
pub(super) fn mark_roots(lines: &mut [Line], source: &Extract, forward: bool, effort: &mut Effort) {
    let older = if forward { SpanClass::Forward } else { SpanClass::Quote };
    let cites: Vec<&Range<usize>> = source
        .marks
        .iter()
        .filter(|m| matches!(m.kind, MarkKind::Cite | MarkKind::Blockquote))
        .map(|m| &m.range)
        .collect();
    let mut covered = 0;
    for mark in &source.marks {
        let at = lines::within(lines, &mark.range);
        let below = matches!(mark.kind, MarkKind::Header | MarkKind::Rule);
        if !effort.spend(if below { lines.len() - at.start } else { at.len() }) {
            return;
        }
        let class = match mark.kind {
            MarkKind::Attribution => SpanClass::Attribution,
            MarkKind::Signature => {
                for line in lines[at.clone()].iter_mut().filter(|l| boilerplate::is_mobile_footer(l.text)) {
                    line.class.get_or_insert(SpanClass::MobileFooter);
                }
                SpanClass::Signature
            }
            MarkKind::Footer => SpanClass::ListFooter,
            MarkKind::Code => SpanClass::Code,
            MarkKind::Blockquote => continue,
            MarkKind::Header => {
                if mark.range.start > 0 {
                    mark_header(lines, at.start, older);
                }
                continue;
            }
            MarkKind::Rule => {
                if mark.range.start > 0 && has_labels(&lines[at.start..]) {
                    mark_header(lines, at.start, older);
                }
                continue;
            }
            MarkKind::Quote | MarkKind::Cite | MarkKind::Frame => {
                if mark.range.end > covered {
                    covered = mark.range.end;
                    mark_quote(lines, &mark.range, mark.kind, &cites);
                }
                continue;
            }
        };
        lines::set(&mut lines[at], class);
    }
}

/// A quote root: all of it, but in a frame only the quotes it frames, with answers between and below them, and what leads
/// to the first.
fn mark_quote(lines: &mut [Line], range: &Range<usize>, kind: MarkKind, cites: &[&Range<usize>]) {
    let mut at = lines::within(lines, range);
    if lines[at.clone()]
        .iter()
        .find(|l| !l.is_blank())
        .is_some_and(|l| attribution::delimiter(l.text) == Some(Delimiter::Forwarded))
    {
        return;
    }
    if kind == MarkKind::Frame {
        let from = cites.partition_point(|c| c.start < range.start);
        if let Some(cite) = cites.get(from).filter(|c| c.start < range.end && !c.is_empty()) {
            let end = lines::within(lines, &(range.start..cite.end)).end.max(at.start);
            if !signature::is_only(&lines[end..at.end.max(end)]) {
                at.end = end;
            }
        }
        for cite in cites[from..].iter().skip(1).take_while(|cite| cite.start < range.end) {
            let inner = lines::within(lines, &(cite.start..cite.end.min(range.end)));
            if inner.start >= at.end {
                quote(&mut lines[inner]);
            }
        }
    }
    quote(&mut lines[at]);
}

fn quote(lines: &mut [Line]) {
    for line in lines {
        line.class.get_or_insert(SpanClass::Quote);
        line.quoted = true;
    }
}

/// The header block of an older message, from line `n`, and all below it.
fn mark_header(lines: &mut [Line], n: usize, older: SpanClass) {
    let texts: Vec<&str> = lines[n..].iter().take(24).map(|l| l.text).collect();
    let head = header_after_blank(&texts);
    lines::set(&mut lines[n..n + head], SpanClass::ForwardHeader);
    for line in &mut lines[n + head..] {
        line.class.get_or_insert(older);
        line.quoted = true;
    }
}

/// Whether the first lines look like labels with values, in any language.
fn has_labels(lines: &[Line]) -> bool {
    let labelled = |l: &&Line| l.text.find([':', '：']).is_some_and(|at| (1..30).contains(&at));
    lines.iter().filter(|l| !l.is_blank()).take(4).filter(labelled).count() >= 2
}
