//! Finds the signature of a message: the mark, the closing greeting, or the sender's own name and contact lines.
//!
//! It looks at the end of the new text only; quoted and forwarded text is cut off before. Without proof (a mark, a
//! greeting, what the CRM knows of the sender) it takes only a bare name at the very end, or a name over a title.
//! A signature may be laid out as a table, or a table of links may follow it; a table of data is never one.

use std::ops::Range;

use super::attribution;
use super::body::SpanClass;
use super::cells;
use super::lines::{self, Line};
use super::sender::Sender;
use super::signature_lines::{
    LONGEST, is_contact, is_long, is_name, is_prose, is_reference, is_title, titled,
};
use super::wording::SIGN_OFF;

/// Lines with words a signature has at most.
const MOST_LINES: usize = 16;

/// Mark sign-off and signature at the end of the open text.
pub(super) fn mark(lines: &mut [Line], sender: Sender) {
    let Some(end) = lines.iter().rposition(Line::is_open) else {
        return;
    };
    let begin = lines[..=end].iter().rposition(|l| l.class.is_some()).map_or(0, |n| n + 1);
    let texts: Vec<&str> = lines[begin..=end].iter().map(|l| l.text).collect();
    let Some(found) = find_above_postscript(&texts, sender) else {
        return;
    };
    let written = lines[..begin].iter().any(|l| l.class.is_some_and(SpanClass::is_new));
    if found.start == 0 && !written && begin == 0 {
        return;
    }
    if let Some(at) = found.sign_off {
        lines::force(&mut lines[begin + found.start..=begin + at], SpanClass::SignOff);
    }
    lines::set(&mut lines[begin + found.signature.start..begin + found.signature.end], SpanClass::Signature);
}

#[derive(Debug, PartialEq, Eq)]
struct Found {
    /// First line of sign-off or signature.
    start: usize,
    sign_off: Option<usize>,
    signature: Range<usize>,
}

/// Whether lines are nothing but a marked signature.
pub(super) fn is_only(lines: &[Line]) -> bool {
    let mut words = lines.iter().map(|l| l.text.trim()).filter(|l| !l.is_empty());
    words.next().is_some_and(|l| matches!(l, "--" | "—")) && words.all(|l| !is_long(l) && !is_prose(l))
}

/// Thanks with a full stop is a sentence, and thanks with nothing below is a message.
fn is_thanks(line: &str) -> bool {
    let lower = line.trim().to_lowercase();
    THANKS.iter().any(|t| lower.starts_with(t))
}

const THANKS: &[&str] = &[
    "thank",
    "thx",
    "danke",
    "vielen dank",
    "besten dank",
    "merci",
    "gracias",
    "muchas gracias",
    "obrigad",
    "grazie",
    "bedankt",
];

/// Whether a line is only a closing greeting.
pub(super) fn is_sign_off(line: &str) -> bool {
    let line = line.trim();
    if line.is_empty() || line.len() > 80 {
        return false;
    }
    if is_thanks(line) && line.ends_with(['.', '!']) {
        return false;
    }
    let core = attribution::lower(line.trim_matches(|c: char| {
        matches!(c, '.' | ',' | '!' | ' ' | '，' | '。' | '-' | '*' | ';' | ':' | '、' | '/')
    }));
    SIGN_OFF.contains(core.as_str())
}

/// Whether a line is the usual mark that a signature follows.
fn is_mark(line: &str) -> bool {
    let line = line.trim();
    matches!(line, "--" | "—" | "---" | "– –" | "-- -")
        || line.len() >= 3 && attribution::rule(line) && !line.contains(':')
}

/// The signature where the text may end with a postscript, which was said like what stands above.
fn find_above_postscript(lines: &[&str], sender: Sender) -> Option<Found> {
    let from = lines.len().saturating_sub(MOST_LINES);
    let postscript = (from..lines.len()).find(|n| *n > 0 && is_postscript(lines[*n]));
    let whole = find_beside_tables(lines, sender);
    let Some(postscript) = postscript.filter(|at| whole.as_ref().is_none_or(|whole| whole.start <= *at))
    else {
        return whole.or_else(|| find_above_notice(lines, sender));
    };
    find_beside_tables(&lines[..postscript], sender).or(whole)
}

/// Paragraphs below a signature that are looked over.
const MOST_NOTICES: usize = 4;
/// Bytes of the longest greeting that is looked for above them.
const LONGEST_GREETING: usize = 60;

/// The signature where something that nobody knows stands below it, such as a notice or an advertisement: a greeting with
/// a name under it is one all the same. What stands below stays what it was.
fn find_above_notice(lines: &[&str], sender: Sender) -> Option<Found> {
    // Most mails have no greeting at their end: looking for one is cheaper than reading the end again and again.
    let from = lines.len().saturating_sub(MOST_LINES * 2);
    let may_greet = |n: &usize| lines[*n].len() <= LONGEST_GREETING && is_sign_off(lines[*n]);
    let greeting = (from..lines.len()).rev().find(may_greet)?;
    let begins = (greeting + 1..lines.len())
        .rev()
        .filter(|n| lines[n - 1].trim().is_empty() && !lines[*n].trim().is_empty());
    begins.take(MOST_NOTICES).find_map(|n| {
        let found = find_beside_tables(&lines[..n], sender)?;
        let name =
            lines[found.sign_off? + 1..n].iter().map(|line| line.trim()).find(|line| !line.is_empty())?;
        (is_name(name) || sender.is_named(name)).then_some(found)
    })
}

fn is_postscript(line: &str) -> bool {
    let line = line.trim_start_matches([' ', '*']);
    if !line.starts_with(['p', 'P', 'n', 'N']) {
        return line.starts_with("追伸");
    }
    let lower = attribution::lower(line.get(..line.floor_char_boundary(6)).unwrap_or_default());
    let is_marked = |mark: &str| {
        let Some(behind) = lower.strip_prefix(mark) else { return false };
        let dotted = mark.contains(['.', '/']);
        dotted && behind.trim_start_matches(['.', ':']).starts_with(' ')
            || behind.starts_with([':', '.', '-', '–'])
    };
    let marks = ["ps", "pps", "p.s", "p.p.s", "p. s", "p/s", "pd", "p.d", "nb", "n.b"];
    line.contains(' ') && marks.into_iter().any(is_marked)
}

/// The signature where the text may end with a table: one of data is left alone, one of links goes with the signature
/// above it, else it may be the signature itself.
fn find_beside_tables(lines: &[&str], sender: Sender) -> Option<Found> {
    let table = cells::at_end(lines);
    if table.is_empty() {
        return find(lines, sender);
    }
    let above = find(&lines[..table.start], sender);
    if cells::is_data(&lines[table.clone()]) {
        return above;
    }
    let with_table = |found: Found| Found { signature: found.signature.start..table.end, ..found };
    above.map(with_table).or_else(|| find(lines, sender))
}

/// The sign-off and signature among `lines`, the end of the new text.
fn find(lines: &[&str], sender: Sender) -> Option<Found> {
    let from = lines.len().saturating_sub(MOST_LINES * 2);
    if let Some(mark) = marked(lines, from) {
        return Some(above(lines, mark, from));
    }
    let mut best = None;
    let mut count = 0;
    for n in (from..lines.len()).rev() {
        let line = lines[n].trim();
        if line.is_empty() {
            continue;
        }
        count += 1;
        if count > MOST_LINES || is_long(line) {
            break;
        }
        let alone = count == 1 && is_thanks(line);
        if is_sign_off(line) && !alone && follows(&lines[n + 1..]) {
            // "Thanks," and "Best regards," may stand on two lines.
            let start = if n > from && is_sign_off(lines[n - 1]) { n - 1 } else { n };
            return Some(Found { start, sign_off: Some(n), signature: n + 1..lines.len() });
        }
        if begins(lines, n, sender) || best.is_none() && is_described_end(lines, n, sender) {
            best = Some(n);
        }
        // Prose ends the search: a signature's lines are names, titles and numbers.
        if best != Some(n) && is_prose(line) {
            break;
        }
    }
    best.map(|n| above(lines, n, from))
}

/// Whether line `n` and all below it say what the CRM knows of the sender: phone, title, company. They stand apart from
/// the text, or below a finished sentence: "Please bill\nExample GmbH" is none.
fn is_described_end(lines: &[&str], n: usize, sender: Sender) -> bool {
    let known =
        |line: &str| sender.is_described(line) || sender.is_named(line) || is_contact(line) || is_name(line);
    let apart =
        n > 0 && (lines[n - 1].trim().is_empty() || lines[n - 1].trim_end().ends_with(['.', '!', '?']));
    let above = lines[..n].iter().rev().find(|line| !line.trim().is_empty());
    apart
        && above.is_some_and(|line| !line.trim_end().ends_with([':', '：']))
        && lines[n..].iter().any(|line| sender.is_described(line.trim()))
        && lines[n..].iter().map(|line| line.trim()).filter(|line| !line.is_empty()).all(known)
}

/// A signature from line `n` on, with the sign-off that stands above it.
fn above(lines: &[&str], n: usize, from: usize) -> Found {
    let sign_off = (from..n).rev().take(14).filter(|at| is_sign_off(lines[*at])).min();
    let clean = sign_off.filter(|at| follows(&lines[at + 1..n]));
    match clean {
        Some(at) => Found { start: at, sign_off: Some(at), signature: at + 1..lines.len() },
        None => Found { start: n, sign_off: None, signature: n..lines.len() },
    }
}

/// The topmost mark with only short lines behind it.
fn marked(lines: &[&str], from: usize) -> Option<usize> {
    let strict = (0..lines.len()).rev().find(|n| matches!(lines[*n].trim(), "--" | "—"));
    let strict = strict.filter(|n| lines[*n].ends_with("-- ") || !parts_text(&lines[n + 1..]));
    let short = |n: &usize| {
        lines[n + 1..].iter().filter(|l| !l.trim().is_empty()).count() <= MOST_LINES
            && lines[n + 1..].iter().all(|l| !is_long(l) && !is_prose(l.trim()))
    };
    if let Some(n) = strict.filter(|n| lines.len() - n <= 40) {
        // Further rules above the mark are part of it.
        return Some(rules_up(lines, n));
    }
    (from..lines.len()).find(|n| is_mark(lines[*n])).filter(short).map(|n| rules_up(lines, n))
}

/// Whether a mark without its space parts two pieces of text: a sentence follows it, and nobody's name or number.
fn parts_text(below: &[&str]) -> bool {
    let mut words = below.iter().map(|line| line.trim()).filter(|line| !line.is_empty());
    words.clone().next().is_some_and(is_prose) && !words.any(|line| is_name(line) || is_contact(line))
}

fn rules_up(lines: &[&str], n: usize) -> usize {
    let mut at = n;
    for (m, line) in lines[..n].iter().enumerate().rev() {
        if attribution::rule(line) {
            at = m;
        } else if !line.trim().is_empty() {
            break;
        }
    }
    at
}

/// Whether what follows a closing greeting can be a signature: a few short lines, none of them prose.
fn follows(lines: &[&str]) -> bool {
    let words: Vec<&str> = lines.iter().map(|l| l.trim()).filter(|l| !l.is_empty()).collect();
    words.len() <= MOST_LINES
        && words.iter().all(|l| l.chars().count() <= LONGEST * 2)
        && !words.iter().take(1).any(|l| is_prose(l))
}

/// Whether line `n` is where a signature without greeting begins.
fn begins(lines: &[&str], n: usize, sender: Sender) -> bool {
    let line = lines[n].trim();
    if is_led_in(&lines[..n], line) {
        return false;
    }
    let first = n == 0 || lines[n - 1].trim().is_empty() || is_sign_off(lines[n - 1]);
    if cells::is_row(line) {
        return n > 0 && row_begins(line, &lines[n + 1..], first, sender);
    }
    if sender.is_named(line) {
        return n > 0;
    }
    let dashed = line.strip_prefix(['-', '/', '~', '–', '—']).map(str::trim);
    if let Some(name) = dashed {
        return is_name(name)
            && !sender.is_stranger(name)
            && name.split_whitespace().count() <= 3
            && lines[n + 1..].iter().all(|l| l.trim().is_empty());
    }
    if !first || n == 0 {
        return false;
    }
    let rest: Vec<&str> = lines[n + 1..].iter().map(|l| l.trim()).filter(|l| !l.is_empty()).collect();
    let contacts = rest.iter().filter(|l| is_contact(l)).count();
    let title = rest.first().is_some_and(|l| rest.len() <= 4 && is_title(l));
    if sender.is_machine() {
        return false;
    }
    // Nobody knows who writes for a desk, but a word alone is a message as often as a name.
    let may_sign = || if sender.is_desk() { line.contains(' ') } else { !sender.is_unlike(line) };
    let bare = || rest.is_empty() && ends_sentence(&lines[..n]) && may_sign() && !is_shouted(line);
    let signs = is_name(line) && (contacts >= 1 || title || bare())
        || contacts >= 1 && line.split_whitespace().count() <= 6 && titled(line) && rest.len() <= 8;
    // Somebody else's name is told by no more than itself, as a place's or a thing's is.
    let own = |line: &str| {
        sender.is_reached(line) || sender.is_named(line) || is_name(line) && !sender.is_stranger(line)
    };
    signs && !is_reference(line) && (!sender.is_stranger(line) || rest.iter().any(|line| own(line)))
}

/// Whether a line is in capitals, as people write what is urgent.
fn is_shouted(line: &str) -> bool {
    line.chars().filter(|c| c.is_alphabetic()).count() > 3 && !line.chars().any(char::is_lowercase)
}

/// Whether the text above leads into a line: by a colon, or as the last line of a list leads into the next.
fn is_led_in(above: &[&str], line: &str) -> bool {
    let dashed = |line: &str| line.trim_start().starts_with(['-', '–', '•', '*']);
    let Some(last) = above.iter().rev().find(|line| !line.trim().is_empty()) else { return false };
    let colon = last.trim_end().ends_with([':', '：']) && !is_sign_off(last);
    colon || dashed(line) && dashed(last) && !is_mark(last)
}

/// Whether a row of a table is where a signature laid out in one begins: the sender's name in a cell, or a name with a
/// title or a contact beside or below it.
fn row_begins(row: &str, below: &[&str], first: bool, sender: Sender) -> bool {
    if is_prose(row) || is_long(row) || cells::of(row).count() > 6 {
        return false;
    }
    if cells::of(row).any(|cell| sender.is_named(cell) || sender.is_described(cell)) {
        return true;
    }
    let near = || cells::of(row).chain(below.iter().flat_map(|line| cells::of(line)).take(12));
    first
        && cells::of(row).any(|cell| is_name(cell) && cell.contains(' ') && !sender.is_stranger(cell))
        && near().any(|cell| is_contact(cell) || is_title(cell))
}

/// Whether the text above ends like a finished paragraph.
fn ends_sentence(lines: &[&str]) -> bool {
    let above = lines.iter().rev().map(|l| l.trim()).find(|l| !l.is_empty()).unwrap_or_default();
    above.ends_with(['.', '!', '?', '。', ')', ',', '…']) && above.split_whitespace().count() >= 2
        || is_sign_off(above)
        || above.split_whitespace().count() <= 4
            && above.split_whitespace().count() >= 2
            && !above.ends_with([':', '：'])
}

#[cfg(test)]
mod tests {
    use super::{Sender, find_above_postscript, find_beside_tables};

    fn start(lines: &[&str], names: &[&str]) -> Option<usize> {
        find_beside_tables(lines, Sender { names, facts: &[] }).map(|f| f.start)
    }

    #[test]
    fn marks_greetings_and_names_begin_signatures() {
        assert_eq!(start(&["hi", "text", "-- ", "Ann"], &[]), Some(2));
        assert_eq!(start(&["text", "Best regards,", "Ann Lee", "Sales"], &[]), Some(1));
        assert_eq!(start(&["some text.", "", "Ann"], &["Ann Lee"]), Some(2));
        assert_eq!(start(&["some text.", "", "Ann Lee", "Head of Sales", "+49 30 1234567"], &[]), Some(2));
        assert_eq!(start(&["just text"], &["Ann Lee"]), None);
        assert_eq!(start(&["Do you agree?", "", "Yes"], &[]), None);
    }

    #[test]
    fn a_signature_is_one_whatever_stands_below_it() {
        let below = "We work flexibly and at all hours, so nobody needs to answer this outside of their own working hours.";
        let lines = ["We need a valve.", "", "Kind regards", "", "Anna Berger", "Purchasing", "", below];
        let found = find_above_postscript(&lines, Sender { names: &[], facts: &[] }).unwrap();
        assert_eq!((found.start, found.signature.end), (2, 7), "{found:?}");
    }

    #[test]
    fn what_was_said_last_is_no_signature_of_a_machine_or_of_somebody_else() {
        let shop =
            ["Order 8812 was placed.", "", "Karl Weiss", "Hafenstr. 12", "20457 Hamburg", "+49 40 5550188"];
        assert_eq!(start(&shop, &["noreply@shop.example"]), None);
        for last in ["Einverstanden", "New York", "URGENT", "PLEASE CALL ME", "The Blue One"] {
            assert_eq!(
                start(&["We looked at your offer yesterday.", "", last], &["bob77@x.example"]),
                None,
                "{last}"
            );
        }
        assert_eq!(start(&["some text.", "", "Bob"], &["bob77@x.example"]), Some(2));
        assert_eq!(start(&["some text.", "", "Anna"], &["a.berger@x.example"]), Some(2));
    }
}
