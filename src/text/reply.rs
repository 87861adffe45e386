//! Classes the lines of a mail: new text, quotes, attributions, forwards, signatures, boilerplate.
//!
//! Nothing is removed; every line gets one class. Marks of the HTML and lines of the parent mail are certain,
//! wording is not, so wording never takes the last new line of a message.

use std::ops::Range;

use super::attribution::{self, Delimiter};
use super::body::{Body, Span, SpanClass};
use super::effort::Effort;
use super::html::{Extract, MarkKind};
use super::lines::{self, Line};
use super::parent::Parent;
use super::roots::{mark_prefixes, mark_roots};
use super::sender::Sender;
use super::{boilerplate, cells, signature};

/// What became of the lines of a mail.
#[derive(Debug, Default)]
pub(super) struct Classed {
    pub(super) spans: Vec<Span>,
    /// What its last lines are known by.
    pub(super) tail: Vec<u64>,
    /// It would have cost too much: only what quote marks and the client told is classed.
    pub(super) plain: bool,
}

/// Classes the lines of a mail.
pub(super) fn classify(source: &Extract, body: &Body) -> Classed {
    let mut lines = lines::split(&source.text);
    let forward = body.subject.is_some_and(forwards);
    let mut effort = Effort::new();
    mark_prefixes(&mut lines);
    mark_roots(&mut lines, source, forward, &mut effort);
    let tail = read_lines(&mut lines, source, body, forward, &mut effort);
    if effort.is_exceeded() {
        lines = lines::split(&source.text);
        mark_prefixes(&mut lines);
        mark_roots(&mut lines, source, forward, &mut Effort::new());
    }
    keep_something(&mut lines);
    cells::mark(&mut lines, &source.text);
    let plain = effort.is_exceeded();
    Classed { spans: lines::spans(&lines, &source.text), tail: if plain { Vec::new() } else { tail }, plain }
}

/// The classes that words tell; answers what the last lines are known by.
fn read_lines(
    lines: &mut [Line],
    source: &Extract,
    body: &Body,
    forward: bool,
    effort: &mut Effort,
) -> Vec<u64> {
    let parent = body.parent.map(Parent::read);
    mark_parent(lines, parent.as_ref(), forward);
    let soft = soft_quotes(lines, source);
    cut_threads(lines, &soft, forward, parent.is_some(), effort);
    if effort.is_exceeded() {
        return Vec::new();
    }
    close_soft(lines, &soft);
    mark_mobile(lines);
    boilerplate::mark_banner(lines);
    boilerplate::mark(lines);
    signature::mark(lines, Sender { names: body.sender_names, facts: body.sender_facts });
    let tail = boilerplate::tail(lines);
    if let Some(learned) = body.boilerplate {
        boilerplate::mark_learned(lines, learned);
    }
    tail
}

/// Spans of a note, call or meeting: new text, except join blocks and code.
pub(super) fn classify_note(source: &Extract) -> Vec<Span> {
    let mut lines = lines::split(&source.text);
    for mark in source.marks.iter().filter(|m| m.kind == MarkKind::Code) {
        let at = lines::within(&lines, &mark.range);
        lines::set(&mut lines[at], SpanClass::Code);
    }
    boilerplate::mark_meetings(&mut lines);
    cells::mark(&mut lines, &source.text);
    lines::spans(&lines, &source.text)
}

/// Whether a subject says that the mail is a forward.
fn forwards(subject: &str) -> bool {
    let head = subject.trim().split([':', '：']).next().unwrap_or_default();
    let head = head.trim().to_lowercase();
    subject.contains([':', '：']) && FORWARDS.split('|').any(|word| word == head)
}

/// How subjects of forwards begin.
const FORWARDS: &str =
    "fw|fwd|wg|tr|rv|enc|i|doorst|vb|vs|vl|pd|tov|пересл|fyi|転送|전달|转发|轉寄|i̇lt|ilt|прд|πρθ";

/// Lines that stand in the parent mail are quotes with certainty. Above a marked quote they may be said again, so
/// there only lines that lead into it without a break count, and none above an attribution.
fn mark_parent(lines: &mut [Line], parent: Option<&Parent>, forward: bool) {
    let Some(parent) = parent else { return };
    let (older, told) = older_part(lines, forward);
    let above = if told { &lines[..older] } else { &[] };
    let repeats = above.iter().any(Line::is_open);
    for n in if repeats { older } else { 0 }..lines.len() {
        let beside = n > 0 && lines[n - 1].quoted || n > 1 && lines[n - 1].is_blank() && lines[n - 2].quoted;
        if lines[n].is_open() && parent.holds(lines[n].text, beside) {
            lines[n].class = Some(SpanClass::Quote);
            lines[n].quoted = true;
        }
    }
    let leads_in = repeats && lines.get(older).is_some_and(|line| line.quoted);
    for line in lines[..older].iter_mut().rev().filter(|line| line.is_open() && leads_in) {
        if !parent.holds(line.text, true) {
            break;
        }
        line.class = Some(SpanClass::Quote);
        line.quoted = true;
    }
}

/// Where the older messages begin by their marks, and whether there is any mark.
fn older_part(lines: &[Line], forward: bool) -> (usize, bool) {
    let texts: Vec<&str> = lines.iter().map(|l| l.text).collect();
    for (n, line) in lines.iter().enumerate() {
        if line.is_blank() {
            continue;
        }
        if line.class.is_some() {
            return (n, true);
        }
        if let Some(found) = attribution::ending_at(&texts, 0, n).filter(|found| found.sure) {
            return (found.line, true);
        }
        if older_message(&texts[n..], forward).is_some() {
            return (n, true);
        }
    }
    (lines.len(), false)
}

/// Blockquotes nobody said to be a quoted message: it depends on what stands above them.
fn soft_quotes(lines: &[Line], source: &Extract) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for mark in source.marks.iter().filter(|m| m.kind == MarkKind::Blockquote && !m.range.is_empty()) {
        let at = lines::within(lines, &mark.range);
        if out.last().is_none_or(|last| at.start >= last.end) {
            out.push(at);
        }
    }
    out
}

/// A soft blockquote under an attribution, or with one at its head, is a quoted message.
fn close_soft(lines: &mut [Line], soft: &[Range<usize>]) {
    for range in soft {
        let above = lines[..range.start].iter().rev().find(|l| !l.is_blank()).and_then(|l| l.class);
        let head = lines[range.clone()].iter().find(|l| !l.is_blank()).and_then(|l| l.class);
        let heads =
            lines[range.clone()].iter().find(|l| !l.is_blank()).is_some_and(|l| attribution::heads(l.text));
        let is = |c: Option<SpanClass>| matches!(c, Some(SpanClass::Attribution | SpanClass::ForwardHeader));
        if is(above) || is(head) || heads {
            lines::set(&mut lines[range.clone()], SpanClass::Quote);
        }
    }
}

/// Attribution lines, delimiters and header blocks; what follows them is quoted or forwarded.
fn cut_threads(
    lines: &mut [Line],
    soft: &[Range<usize>],
    forward: bool,
    with_parent: bool,
    effort: &mut Effort,
) {
    let texts: Vec<&str> = lines.iter().map(|l| l.text).collect();
    let mut first = 0;
    for n in 0..lines.len() {
        if lines[n].class.is_some() {
            first = n + 1;
            continue;
        }
        if lines[n].is_blank() {
            continue;
        }
        if let Some(found) = attribution::ending_at(&texts, first, n) {
            // Each may ask what stands above it and what of all that follows is quoted.
            if !effort.spend(texts.len() + soft.len()) {
                return;
            }
            let next = next_words(lines, n + 1, 1);
            let near = next_words(lines, n + 1, 3).iter().any(|at| lines[*at].quoted);
            let in_soft =
                next.first().is_some_and(|at| soft.iter().any(|s| s.contains(at) && !s.contains(&n)));
            let near = near || mark_custom(lines, n + 1);
            if found.sure || near || in_soft {
                let folded = n + 1 < texts.len() && attribution::continues(texts[n], texts[n + 1]);
                let end = n + 1 + usize::from(folded);
                lines::force(&mut lines[found.line..end], SpanClass::Attribution);
                rules_above(lines, found.line);
                first = end;
                // With nothing written above, what stands below without marks is all there is: it stays.
                let above = lines[..found.line].iter().any(Line::is_open);
                let open = near || in_soft || !above || with_parent && mostly_quoted(&lines[end..]);
                if !open {
                    lines::force(&mut lines[end..], SpanClass::Quote);
                    return;
                }
                continue;
            }
        }
        if let Some((head, class)) = older_message(&texts[n..], forward) {
            if !effort.spend(texts.len()) {
                return;
            }
            rules_above(lines, n);
            lines::force(&mut lines[n..n + head], SpanClass::ForwardHeader);
            first = n + head;
            let inline = class == SpanClass::Quote
                && next_words(lines, n + head, 1).iter().any(|at| lines[*at].quoted);
            // A header block with nothing written above it is a forward without a comment.
            let bare = !inline && !lines[..n].iter().any(Line::is_open);
            let class = if bare { SpanClass::Forward } else { class };
            let open = inline || with_parent && mostly_quoted(&lines[n + head..]);
            if !open {
                lines::force(&mut lines[n + head..], class);
                return;
            }
        }
    }
}

/// Marks lines that begin with an unusual quote mark, such as `|`, `--]` or a person's initials, under an attribution.
fn mark_custom(lines: &mut [Line], from: usize) -> bool {
    let next = next_words(lines, from, 2);
    let [first, second] = next.as_slice() else { return false };
    let text = lines[*first].text.trim_start();
    let len = text.find(|c: char| c.is_alphanumeric() || c.is_whitespace()).unwrap_or(text.len());
    let initials = text
        .find('>')
        .filter(|at| (1..=4).contains(at) && text[..*at].bytes().all(|b| b.is_ascii_uppercase()));
    let len = initials.map_or(len, |at| at + 1);
    let prefix = text[..len].to_owned();
    let mark = (1..=4).contains(&len)
        && !matches!(
            prefix.as_str(),
            "-" | "*" | "(" | "\"" | "'" | "[" | "<" | "“" | "„" | "«" | "¿" | "¡" | "•" | "$" | "@"
        );
    if !mark || !lines[*second].text.trim_start().starts_with(&prefix) {
        return false;
    }
    for line in
        lines[from..].iter_mut().filter(|l| l.class.is_none() && l.text.trim_start().starts_with(&prefix))
    {
        line.class = Some(SpanClass::Quote);
        line.quoted = true;
    }
    true
}

/// Whether the parent mail explains these lines: then what it does not hold was written in between.
fn mostly_quoted(lines: &[Line]) -> bool {
    let words = lines.iter().filter(|l| !l.is_blank()).count();
    let known = lines.iter().filter(|l| l.quoted && !l.is_blank()).count();
    known >= 1 && known * 2 >= words
}

/// The delimiter or header block at the first line: its lines and the class of what follows.
fn older_message(texts: &[&str], forward: bool) -> Option<(usize, SpanClass)> {
    let delimiter = attribution::delimiter(texts[0]);
    let head = match delimiter {
        Some(_) => 1 + header_after_blank(&texts[1..]),
        None => attribution::header_block(texts),
    };
    let class = if forward || delimiter == Some(Delimiter::Forwarded) {
        SpanClass::Forward
    } else {
        SpanClass::Quote
    };
    (head > 0).then_some((head, class))
}

/// Up to `most` lines with words from line `from` on.
fn next_words(lines: &[Line], from: usize, most: usize) -> Vec<usize> {
    (from..lines.len()).filter(|n| !lines[*n].is_blank()).take(most).collect()
}

/// Rules drawn right above a header belong to it.
fn rules_above(lines: &mut [Line], n: usize) {
    for line in lines[..n].iter_mut().rev() {
        if line.is_blank() {
            continue;
        }
        if line.class.is_some() || !attribution::rule(line.text) {
            return;
        }
        line.class = Some(SpanClass::ForwardHeader);
    }
}

/// Lines of the header block behind blank lines, these included; 0 where there is none.
pub(super) fn header_after_blank(lines: &[&str]) -> usize {
    let blank = lines.iter().take_while(|l| l.trim().is_empty()).count();
    match attribution::header_block(&lines[blank..]) {
        0 => 0,
        n => blank + n,
    }
}

/// Mobile footers; what stands below one was not written in this message.
fn mark_mobile(lines: &mut [Line]) {
    let mut written = false;
    for n in 0..lines.len() {
        if !lines[n].is_open() {
            continue;
        }
        if boilerplate::is_mobile_footer(lines[n].text) {
            lines[n].class = Some(SpanClass::MobileFooter);
            let more =
                next_words(lines, n + 1, 40).iter().any(|at| boilerplate::is_mobile_footer(lines[*at].text));
            if written && !more {
                lines::set(&mut lines[n + 1..], SpanClass::Quote);
                return;
            }
        }
        written |= lines[n].class.is_none();
    }
}

/// A mail keeps some new text: where wording took all of it and nothing is quoted, wording was wrong.
fn keep_something(lines: &mut [Line]) {
    let some = |lines: &[Line], pick: fn(SpanClass) -> bool| {
        lines.iter().any(|l| !l.is_blank() && l.class.is_none_or(pick))
    };
    if some(lines, SpanClass::is_new) || lines.iter().any(|l| l.class == Some(SpanClass::Forward)) {
        return;
    }
    for line in lines.iter_mut() {
        if matches!(
            line.class,
            Some(SpanClass::SignOff | SpanClass::Signature | SpanClass::Disclaimer | SpanClass::ListFooter)
        ) {
            line.class = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::text::{Body, BodyKind, SpanClass, normalize};

    fn new_text(mail: &str) -> String {
        normalize(&Body::new(BodyKind::Email).with_plain(mail)).new_text()
    }

    #[test]
    fn top_post_and_interleaved() {
        let mail = "Thanks, Friday works.\n\nOn 3 May 2021, Ann <a@b.co> wrote:\n> Does Friday work?\n";
        assert_eq!(new_text(mail), "Thanks, Friday works.");
        assert_eq!(new_text("On 3 May 2021, Ann wrote:\n> Friday?\nYes.\n> Lunch?\nNo."), "Yes.\nNo.");
    }

    #[test]
    fn a_sentence_said_again_above_the_quote_stays_new() {
        let old = "We would like to start with two locations.";
        let mail = format!("{old} In June.\n{old}\n\nOn 3 May 2021, Ann <a@b.co> wrote:\n{old}\nBye, Ann");
        let parent = format!("{old}\nBye, Ann");
        let mut body = Body::new(BodyKind::Email).with_plain(&mail);
        body.parent = Some(&parent);
        assert_eq!(normalize(&body).new_text(), format!("{old} In June.\n{old}"));
    }

    #[test]
    fn a_bare_forward_is_indexed_by_its_content() {
        let mail = "---------- Forwarded message ---------\nFrom: Ann <a@b.co>\nDate: Mon, 3 May 2021\nSubject: Offer\nTo: Bob <b@b.co>\n\nThe offer ends in June.";
        let got = normalize(&Body::new(BodyKind::Email).with_plain(mail));
        assert_eq!(got.passages[0].text, "The offer ends in June.");
        assert!(got.spans.iter().any(|s| s.class == SpanClass::ForwardHeader));
    }

    #[test]
    fn a_mail_that_is_only_a_quote_keeps_the_quote() {
        assert_eq!(new_text("> only this"), "> only this");
    }

    #[test]
    fn the_parent_mail_proves_a_quote_without_marks() {
        let mut body =
            Body::new(BodyKind::Email).with_plain("Yes to both.\n\nShall we meet on Friday?\nOr on Monday?");
        body.parent = Some("Hi,\nShall we meet on Friday?\nOr on Monday?\nAnn");
        assert_eq!(normalize(&body).new_text(), "Yes to both.");
    }

    #[test]
    fn a_citation_stays_and_a_quoted_message_goes() {
        let html = "Reply<blockquote>cited</blockquote><div>On 3 May 2021, Ann &lt;a@b.co&gt; wrote:</div>\
                    <blockquote><div>old</div></blockquote>";
        assert_eq!(normalize(&Body::new(BodyKind::Email).with_html(html)).new_text(), "Reply\n\ncited");
    }
}
