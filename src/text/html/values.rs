//! Values of CSS as far as hiding tricks use them: lengths, keywords, clips, escapes.
//!
//! `None` stands for what is no value of the property: browsers pass such a declaration over.

use super::style::Parts;
/// A length or a share.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Length<'a> {
    Is(f32, &'a str),
    /// A sum, a variable.
    Unknown,
}

/// Words that are a value of every property.
pub(super) const EVERYWHERE: [&str; 5] = ["inherit", "initial", "unset", "revert", "revert-layer"];

const UNITS: [&str; 40] = [
    "px", "pt", "em", "%", "", "rem", "ex", "ch", "pc", "cm", "mm", "in", "q", "vw", "vh", "vmin", "vmax",
    "vi", "vb", "lh", "rlh", "ic", "cap", "rex", "rch", "ric", "rcap", "svw", "svh", "lvw", "lvh", "dvw",
    "dvh", "cqw", "cqh", "cqi", "cqb", "cqmin", "cqmax", "dvmin",
];
const DISPLAYS: [&str; 33] = [
    "none",
    "block",
    "inline",
    "inline-block",
    "table",
    "inline-table",
    "table-cell",
    "table-row",
    "table-row-group",
    "table-header-group",
    "table-footer-group",
    "table-column",
    "table-column-group",
    "table-caption",
    "list-item",
    "flex",
    "inline-flex",
    "grid",
    "inline-grid",
    "flow",
    "flow-root",
    "contents",
    "run-in",
    "math",
    "ruby",
    "ruby-base",
    "ruby-text",
    "-webkit-box",
    "-webkit-inline-box",
    "-webkit-flex",
    "-webkit-inline-flex",
    "-ms-flexbox",
    "-moz-box",
];
const FONT_SIZES: [&str; 9] =
    ["medium", "small", "large", "x-small", "x-large", "xx-small", "xx-large", "xxx-large", "math"];
const SYSTEM_FONTS: [&str; 6] = ["caption", "icon", "menu", "message-box", "small-caption", "status-bar"];

pub(super) fn is_one(value: &str, words: &[&str]) -> bool {
    words.iter().any(|word| value.eq_ignore_ascii_case(word))
}

pub(super) fn starts_with(text: &str, word: &str) -> bool {
    text.as_bytes().get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
}

pub(super) fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// The character an escape stands for, and what follows; `text` begins behind the backslash.
pub(super) fn escape(text: &str) -> Option<(char, &str)> {
    let digits = text.bytes().take(6).take_while(u8::is_ascii_hexdigit).count();
    if digits == 0 {
        let c = text.chars().next().filter(|c| *c != '\n')?;
        return Some((c, &text[c.len_utf8()..]));
    }
    let (number, behind) = text.split_at(digits);
    let c = u32::from_str_radix(number, 16).ok().and_then(char::from_u32).filter(|c| *c != '\0');
    let behind = behind.strip_prefix(|c: char| c.is_ascii_whitespace()).unwrap_or(behind);
    Some((c.unwrap_or('\u{fffd}'), behind))
}

/// A part of a declaration with its escapes read. Blanks that were escaped do not become blanks.
pub(super) fn unescaped(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, behind)) = rest.split_once('\\') {
        out.push_str(before);
        let (c, behind) = escape(behind).unwrap_or(('\u{fffd}', behind));
        out.push(if c.is_whitespace() { '\u{fffd}' } else { c });
        rest = behind;
    }
    out.push_str(rest);
    out
}

/// Whether a value is worked out from others, so that it is valid and not known here.
fn is_function(value: &str) -> bool {
    ["calc(", "var(", "env(", "min(", "max(", "clamp(", "attr("].iter().any(|name| contains(value, name))
}

/// The number a value begins with, and what follows it.
fn number(value: &str) -> Option<(f32, &str)> {
    let bytes = value.as_bytes();
    let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
    let sign = usize::from(value.starts_with(['+', '-']));
    let mut end = sign + digits(sign);
    if bytes.get(end) == Some(&b'.') && digits(end + 1) > 0 {
        end += 1 + digits(end + 1);
    } else if bytes.get(end) == Some(&b'.') && end > sign {
        // `0.` is what mails write now and then, and nothing that shows.
        end += 1;
    }
    if matches!(bytes.get(end), Some(b'e' | b'E')) {
        let sign = usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
        let exponent = bytes.get(end + 1 + sign..).map_or(0, |_| digits(end + 1 + sign));
        end += if exponent > 0 { 1 + sign + exponent } else { 0 };
    }
    Some((value[..end].parse().ok()?, &value[end..]))
}

pub(super) fn length(value: &str) -> Option<Length<'_>> {
    if let Some((number, unit)) = number(value) {
        return is_one(unit, &UNITS).then_some(Length::Is(number, unit));
    }
    if starts_with(value, "calc(") && value.ends_with(')') {
        let inner = value[5..value.len() - 1].trim();
        if let Some((number, unit)) = number(inner) {
            let known = is_one(unit, &UNITS);
            return Some(if known { Length::Is(number, unit) } else { Length::Unknown });
        }
    }
    is_function(value).then_some(Length::Unknown)
}

/// Whether a box is shown at all.
pub(super) fn display(value: &str) -> Option<bool> {
    let is_known = value.split_ascii_whitespace().all(|word| is_one(word, &DISPLAYS));
    (is_known && !value.is_empty() || is_function(value)).then(|| value.eq_ignore_ascii_case("none"))
}

/// How an element of that `display` stands apart from the words beside it.
pub(super) fn parts(value: &str) -> Parts {
    if is_one(value, &["block", "flex", "grid", "table", "list-item", "flow-root"]) {
        Parts::Line
    } else if starts_with(value, "inline-") {
        Parts::Word
    } else {
        Parts::No
    }
}

/// One of `hiding` hides, one of `showing` shows.
pub(super) fn word(value: &str, hiding: &[&str], showing: &[&str]) -> Option<bool> {
    let hides = is_one(value, hiding);
    (hides || is_one(value, showing) || is_function(value)).then_some(hides)
}

/// A number, or a share of one, up to which something cannot be seen.
pub(super) fn share(value: &str, most: f32) -> Option<bool> {
    match length(value)? {
        Length::Is(number, "") => Some(number <= most),
        Length::Is(number, "%") => Some(number <= most * 100.0),
        Length::Is(..) => None,
        Length::Unknown => Some(false),
    }
}

/// Whether a height is none.
pub(super) fn height(value: &str) -> Option<bool> {
    match length(value) {
        Some(Length::Is(number, _)) => (number >= 0.0).then_some(number <= 0.0),
        Some(Length::Unknown) => Some(false),
        None => word(value, &[], &["auto", "none", "max-content", "min-content", "fit-content"]),
    }
}

/// Whether a place is so far to the left or up that nobody sees it.
pub(super) fn off_screen(value: &str) -> Option<bool> {
    match length(value) {
        Some(Length::Is(number, unit)) => Some(number <= -500.0 && unit != "%"),
        Some(Length::Unknown) => Some(false),
        None => word(value, &[], &["auto"]),
    }
}

/// How letters are sized.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Letters {
    /// Nobody can read them.
    Tiny,
    Sized,
    /// A share of the letters around.
    Share,
}

/// A `font-size`.
pub(super) fn letters(value: &str) -> Option<Letters> {
    let (number, unit) = match length(value) {
        Some(Length::Is(number, unit)) => (number, unit),
        Some(Length::Unknown) => return Some(Letters::Sized),
        None if is_one(value, &["smaller", "larger"]) => return Some(Letters::Share),
        None => return is_one(value, &FONT_SIZES).then_some(Letters::Sized),
    };
    if number < 0.0 {
        return None;
    }
    Some(match unit.to_ascii_lowercase().as_str() {
        _ if number <= 0.0 => Letters::Tiny,
        "em" | "ex" | "ch" | "%" | "lh" | "ic" | "cap" => Letters::Share,
        "px" | "pt" | "" if number <= 1.0 => Letters::Tiny,
        _ => Letters::Sized,
    })
}

/// The size a `font` gives: what stands before the slash or the family.
pub(super) fn font(value: &str) -> Option<Letters> {
    if is_one(value, &SYSTEM_FONTS) {
        return Some(Letters::Sized);
    }
    let mut words = value.split_ascii_whitespace();
    while let Some(word) = words.next() {
        let size = word.split_once('/').map_or(word, |(size, _)| size);
        // A number without a unit is a weight.
        let is_weight = matches!(length(size), Some(Length::Is(number, "")) if number >= 1.0);
        if let Some(letters) = letters(size).filter(|_| !is_weight) {
            return words.next().map(|_| letters);
        }
    }
    None
}

/// Whether a transform leaves nothing.
pub(super) fn transform(value: &str) -> Option<bool> {
    let valid = value.eq_ignore_ascii_case("none") || value.contains('(') && value.ends_with(')');
    valid.then(|| {
        let dense = value.split_ascii_whitespace().collect::<String>();
        ["scale(0)", "scale(0,0)", "scalex(0)", "scaley(0)"].iter().any(|word| contains(&dense, word))
    })
}

/// Whether a `scale` leaves nothing.
pub(super) fn scale(value: &str) -> Option<bool> {
    if value.eq_ignore_ascii_case("none") || is_function(value) {
        return Some(false);
    }
    let mut parts = value.split_ascii_whitespace().map(|part| share(part, 0.0).map(|_| part));
    let first = parts.next()??;
    let second = parts.next().map_or(Some(first), |part| part)?;
    Some(is_zero(first) || is_zero(second))
}

/// A clip of no size: the way to leave words to screen readers alone, and to machines.
pub(super) fn clip(value: &str) -> Option<bool> {
    if value.eq_ignore_ascii_case("auto") || is_function(value) {
        return Some(false);
    }
    let inner = starts_with(value, "rect(").then(|| value[5..].trim_end_matches(')'))?;
    let mut edges = inner.split([',', ' ']).filter(|edge| !edge.is_empty());
    Some(
        edges
            .all(|edge| matches!(length(edge), Some(Length::Is(number, _)) if (0.0..=1.0).contains(&number))),
    )
}

/// Whether a `clip-path` leaves nothing.
pub(super) fn clip_path(value: &str) -> Option<bool> {
    let Some((name, inner)) = value.split_once('(') else {
        return word(value, &[], &["none", "border-box", "padding-box", "content-box", "margin-box"]);
    };
    let inner = inner.strip_suffix(')').unwrap_or_default();
    // What is no share counts for nothing: how large the element is is not known.
    let mut edges = inner.split_ascii_whitespace().map_while(length).map(|edge| match edge {
        Length::Is(number, "%") => number,
        _ => 0.0,
    });
    match name.to_ascii_lowercase().as_str() {
        "circle" => return Some(is_zero(inner.split_ascii_whitespace().next().unwrap_or_default())),
        "inset" => {}
        _ => return Some(false),
    }
    let Some(top) = edges.next() else { return Some(false) };
    let right = edges.next().unwrap_or(top);
    let bottom = edges.next().unwrap_or(top);
    let left = edges.next().unwrap_or(right);
    Some(top + bottom >= 100.0 || left + right >= 100.0)
}

fn is_zero(value: &str) -> bool {
    matches!(length(value), Some(Length::Is(number, _)) if number == 0.0)
}
