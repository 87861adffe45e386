//! Classes the lines of a mail: new text, quotes, attributions, forwards, signatures, boilerplate.
//!
//! Nothing is removed; every line gets one class. Marks of the HTML and lines of the parent mail are certain,
//! wording is not, so wording never takes the last new line of a message.

use std::collections::HashSet;
use std::ops::Range;

use super::attribution::{self, Delimiter, Header};
use super::body::{Body, Span, SpanClass};
use super::html::{Extract, MarkKind};
use super::{boilerplate, signature};

/// One line with its class so far.
#[derive(Debug)]
struct Line<'a> {
    range: Range<usize>,
    text: &'a str,
    class: Option<SpanClass>,
    quoted: bool,
}

/// Spans of a mail.
pub(super) fn classify(source: &Extract, body: &Body) -> Vec<Span> {
    let mut lines = split(&source.text);
    apply_marks(&mut lines, source);
    apply_parent(&mut lines, body.parent);
    apply_quotes(&mut lines);
    let forward = apply_cuts(&mut lines);
    apply_boilerplate(&mut lines);
    apply_signature(&mut lines, body.sender_names);
    keep_something(&mut lines, forward);
    spans(&lines, &source.text)
}

/// Spans of a note, call or meeting: new text, except join blocks and code.
pub(super) fn classify_note(source: &Extract) -> Vec<Span> {
    let mut lines = split(&source.text);
    for mark in source.marks.iter().filter(|m| m.kind == MarkKind::Code) {
        set(&mut lines, &mark.range, SpanClass::Code);
    }
    for (range, class) in paragraphs(&lines) {
        if class == SpanClass::MeetingJoin {
            lines[range].iter_mut().for_each(|l| l.class = Some(class));
        }
    }
    spans(&lines, &source.text)
}

fn split(text: &str) -> Vec<Line<'_>> {
    let mut start = 0;
    text.split_inclusive('\n')
        .map(|line| {
            let range = start..start + line.len();
            start = range.end;
            Line {
                range,
                text: line.trim_end_matches('\n'),
                class: None,
                quoted: false,
            }
        })
        .collect()
}

/// Class of all lines that lie in `range`.
fn set(lines: &mut [Line], range: &Range<usize>, class: SpanClass) {
    let from = lines.partition_point(|l| l.range.start < range.start);
    let to = lines.partition_point(|l| l.range.start < range.end);
    for line in &mut lines[from..to.max(from)] {
        line.class.get_or_insert(class);
        line.quoted |= class == SpanClass::Quote;
    }
}

fn apply_marks(lines: &mut [Line], source: &Extract) {
    for mark in &source.marks {
        match mark.kind {
            MarkKind::Attribution => set(lines, &mark.range, SpanClass::Attribution),
            MarkKind::Quote | MarkKind::Blockquote => set(lines, &mark.range, SpanClass::Quote),
            MarkKind::Header => {
                let rest = mark.range.start..source.text.len();
                if rest.start > 0 {
                    set(lines, &rest, SpanClass::Quote);
                }
            }
            MarkKind::Signature => set(lines, &mark.range, SpanClass::Signature),
            MarkKind::Footer => set(lines, &mark.range, SpanClass::ListFooter),
            MarkKind::Code => set(lines, &mark.range, SpanClass::Code),
            MarkKind::Table => set(lines, &mark.range, SpanClass::Table),
        }
    }
}

/// Lines that stand in the parent mail are quotes with certainty, except the shortest ones.
fn apply_parent(lines: &mut [Line], parent: Option<&str>) {
    let Some(parent) = parent else { return };
    let known: HashSet<String> = parent.lines().map(key).filter(|k| k.len() >= 12).collect();
    for line in lines.iter_mut().filter(|l| l.class.is_none()) {
        if known.contains(&key(line.text)) {
            line.class = Some(SpanClass::Quote);
            line.quoted = true;
        }
    }
}

fn key(line: &str) -> String {
    line.chars()
        .filter(|c| c.is_alphanumeric())
        .flat_map(char::to_lowercase)
        .collect()
}

fn apply_quotes(lines: &mut [Line]) {
    for line in lines.iter_mut() {
        if line.text.trim_start().starts_with('>') {
            line.class = Some(SpanClass::Quote);
            line.quoted = true;
        }
    }
}

/// Attribution lines, delimiters and header blocks; what follows them is quoted or forwarded.
/// Returns whether the mail is a forward.
fn apply_cuts(lines: &mut [Line]) -> bool {
    let texts: Vec<&str> = lines.iter().map(|l| l.text).collect();
    let mut forward = false;
    let mut n = 0;
    while n < lines.len() {
        if lines[n].class.is_some() {
            n += 1;
            continue;
        }
        let folded = attribution::attribution(&texts[n..]);
        if folded > 0 {
            lines[n..n + folded]
                .iter_mut()
                .for_each(|l| l.class = Some(SpanClass::Attribution));
            n += folded;
            let next = lines[n..]
                .iter()
                .position(|l| !l.text.trim().is_empty())
                .map(|d| n + d);
            if next.is_some_and(|at| !lines[at].quoted) {
                rest(&mut lines[n..], SpanClass::Quote);
                return forward;
            }
            continue;
        }
        let delimiter = attribution::delimiter(texts[n]);
        let headers = header_block(&texts[n..]);
        if delimiter.is_some() || headers > 0 {
            forward |= delimiter == Some(Delimiter::Forwarded);
            let class = if forward {
                SpanClass::Forward
            } else {
                SpanClass::Quote
            };
            let skip = usize::from(delimiter.is_some());
            let head = skip + header_block_after_blank(&texts[n + skip..]);
            let head = head.max(headers);
            lines[n..n + head]
                .iter_mut()
                .for_each(|l| l.class = Some(SpanClass::ForwardHeader));
            rest(&mut lines[n + head..], class);
            return forward;
        }
        n += 1;
    }
    forward
}

fn rest(lines: &mut [Line], class: SpanClass) {
    for line in lines {
        line.class = Some(class);
    }
}

fn header_block_after_blank(lines: &[&str]) -> usize {
    let blank = lines
        .iter()
        .take_while(|l| l.trim().is_empty())
        .count()
        .min(lines.len());
    match header_block(&lines[blank..]) {
        0 => 0,
        n => blank + n,
    }
}

/// How many lines from the first are a header block: who and when or what, at least two different labels.
fn header_block(lines: &[&str]) -> usize {
    let Some(first) = lines.first().and_then(|l| attribution::header(l)) else {
        return 0;
    };
    if first == Header::To {
        return 0;
    }
    let mut kinds = vec![first];
    let mut end = 1;
    for (n, line) in lines.iter().enumerate().take(14).skip(1) {
        match attribution::header(line) {
            Some(kind) => {
                kinds.push(kind);
                end = n + 1;
            }
            None if line.trim().is_empty() && n > 1 => break,
            None => {}
        }
    }
    let has = |k| kinds.contains(&k);
    let distinct = [Header::From, Header::When, Header::To, Header::Subject]
        .into_iter()
        .filter(|k| has(*k))
        .count();
    if distinct >= 3 && has(Header::From) || distinct >= 2 && has(Header::From) && has(Header::When)
    {
        end
    } else {
        0
    }
}

/// Runs of open, non-blank lines with what their wording says.
fn paragraphs(lines: &[Line]) -> Vec<(Range<usize>, SpanClass)> {
    let mut out = Vec::new();
    let mut from = 0;
    for n in 0..=lines.len() {
        let open = n < lines.len() && lines[n].class.is_none() && !lines[n].text.trim().is_empty();
        if open {
            continue;
        }
        if n > from {
            let text: Vec<&str> = lines[from..n].iter().take(40).map(|l| l.text).collect();
            if let Some(class) = boilerplate::paragraph(&text.join(" ")) {
                out.push((from..n, class));
            }
        }
        from = n + 1;
    }
    out
}

fn apply_boilerplate(lines: &mut [Line]) {
    for line in lines.iter_mut().filter(|l| l.class.is_none()) {
        if boilerplate::is_mobile_footer(line.text) {
            line.class = Some(SpanClass::MobileFooter);
        }
    }
    for (range, class) in paragraphs(lines) {
        let has_text_before = lines[..range.start]
            .iter()
            .any(|l| l.class.is_none() && !l.text.trim().is_empty());
        if has_text_before {
            lines[range].iter_mut().for_each(|l| l.class = Some(class));
        }
    }
}

fn apply_signature(lines: &mut [Line], sender: &[&str]) {
    let Some(end) = lines
        .iter()
        .rposition(|l| l.class.is_none() && !l.text.trim().is_empty())
    else {
        return;
    };
    let begin = lines[..=end]
        .iter()
        .rposition(|l| l.class.is_some())
        .map_or(0, |n| n + 1);
    let texts: Vec<&str> = lines[begin..=end].iter().map(|l| l.text).collect();
    let Some(at) = signature::start(&texts, sender) else {
        return;
    };
    if at == 0 && begin == 0 {
        return;
    }
    if at > 0 && signature::is_sign_off(texts[at - 1]) {
        lines[begin + at - 1].class = Some(SpanClass::SignOff);
    }
    lines[begin + at..=end]
        .iter_mut()
        .for_each(|l| l.class = Some(SpanClass::Signature));
}

/// A mail keeps some new text: in a forward the forwarded content is it, else guesses by wording are undone.
fn keep_something(lines: &mut [Line], forward: bool) {
    let has_new = lines
        .iter()
        .any(|l| l.class.is_none_or(SpanClass::is_new) && !l.text.trim().is_empty());
    if has_new {
        return;
    }
    if forward {
        return;
    }
    for line in lines.iter_mut() {
        if matches!(
            line.class,
            Some(
                SpanClass::SignOff
                    | SpanClass::Signature
                    | SpanClass::Disclaimer
                    | SpanClass::ListFooter
            )
        ) {
            line.class = None;
        }
    }
}

/// Lines of equal class become one span; blank lines go with the line before.
fn spans(lines: &[Line], text: &str) -> Vec<Span> {
    let mut out: Vec<Span> = Vec::new();
    for line in lines {
        let blank = line.text.trim().is_empty();
        let class = line.class.unwrap_or(SpanClass::New);
        match out.last_mut() {
            Some(last) if blank || last.class == class => last.range.end = line.range.end,
            _ => out.push(Span {
                range: line.range.clone(),
                class,
            }),
        }
    }
    if let Some(last) = out.last_mut() {
        last.range.end = text.len();
    }
    out
}

#[cfg(test)]
mod tests {
    use crate::text::{Body, BodyKind, SpanClass, normalize};

    #[test]
    fn top_post_and_interleaved() {
        let mail =
            "Thanks, Friday works.\n\nOn 3 May 2021, Ann <a@b.co> wrote:\n> Does Friday work?\n";
        let got = normalize(&Body::new(BodyKind::Email).with_plain(mail));
        assert_eq!(got.new_text(), "Thanks, Friday works.");
        let mail = "On 3 May 2021, Ann wrote:\n> Friday?\nYes.\n> Lunch?\nNo.";
        assert_eq!(
            normalize(&Body::new(BodyKind::Email).with_plain(mail)).new_text(),
            "Yes.\nNo."
        );
    }

    #[test]
    fn a_bare_forward_is_indexed_by_its_content() {
        let mail = "---------- Forwarded message ---------\nFrom: Ann <a@b.co>\nDate: Mon, 3 May 2021\nSubject: Offer\nTo: Bob <b@b.co>\n\nThe offer ends in June.";
        let got = normalize(&Body::new(BodyKind::Email).with_plain(mail));
        assert_eq!(got.passages[0].text, "The offer ends in June.");
        assert!(
            got.spans
                .iter()
                .any(|s| s.class == SpanClass::ForwardHeader)
        );
    }
}
