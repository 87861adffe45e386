//! Reads what inline styles say about visibility.
//!
//! It is not a CSS engine: no cascade, no selectors, no units beyond what hiding tricks use.

use super::Visibility;

/// What one element's own attributes say.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// The element and all inside it is not shown.
    pub(super) hidden: bool,
    /// `visibility` was set: `Some(false)` hides until an inner element shows itself again.
    pub(super) shown: Option<bool>,
    /// Text colour, where set.
    pub(super) color: Option<u32>,
    /// Background colour, where set.
    pub(super) background: Option<u32>,
    /// White space is kept.
    pub(super) pre: Option<bool>,
    /// A top border drawn as a rule over a quoted header, as desktop Outlook does.
    pub(super) rule: bool,
    /// A line at the left, as clients draw beside quotes.
    pub(super) cited: bool,
}

/// The properties that are read, by the letters their names begin with.
const PROPERTIES: [&str; 20] = [
    "display",
    "visibility",
    "white-space",
    "border-top",
    "border",
    "border-left",
    "border-left-style",
    "font-size",
    "opacity",
    "mso-hide",
    "max-height",
    "height",
    "overflow",
    "color",
    "left",
    "top",
    "text-indent",
    "margin-left",
    "transform",
    "clip",
];
/// Opacity up to which nobody reads a text.
const FAINTEST: f32 = 0.05;
/// Difference of each of two colours' parts up to which nobody tells them apart.
const ALIKE: u32 = 6;
const BACKGROUNDS: [&str; 2] = ["background", "background-color"];

/// Read an inline style.
pub(super) fn read(style: &str, visibility: Visibility) -> Look {
    let mut look = Look::default();
    let mut zero_height = false;
    let mut clipped = false;
    let reader = visibility == Visibility::Reader;
    for declaration in style.split(';').take(64) {
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        let name = name.trim();
        let known = |list: &[&'static str]| list.iter().find(|p| p.eq_ignore_ascii_case(name)).copied();
        let Some(name) = known(&PROPERTIES).or_else(|| known(&BACKGROUNDS)) else { continue };
        let value = value.trim().trim_end_matches("!important").trim();
        let is = |word: &str| value.eq_ignore_ascii_case(word);
        match name {
            "display" => look.hidden = is("none"),
            "visibility" => look.shown = Some(!(is("hidden") || is("collapse"))),
            "white-space" => look.pre = Some(starts_with(value, "pre") || is("break-spaces")),
            "border-top" | "border" => {
                look.rule |=
                    contains(value, "solid") && (contains(value, "#e1e1e1") || contains(value, "#b5c4df"));
            }
            "border-left" | "border-left-style" => look.cited |= contains(value, "solid"),
            _ if !reader => {}
            "font-size" => {
                look.hidden |= matches!(size(value), Some(n) if n <= 1.0) && !ends_with(value, "em");
            }
            "opacity" => look.hidden |= value.parse::<f32>().is_ok_and(|v| v <= FAINTEST),
            "mso-hide" => look.hidden |= is("all"),
            "max-height" | "height" => zero_height |= size(value).is_some_and(|n| n <= 0.0),
            "overflow" => clipped |= is("hidden"),
            "color" => look.color = color(value),
            "left" | "top" | "text-indent" | "margin-left" => look.hidden |= off_screen(value),
            "transform" => look.hidden |= contains(value, "scale(0)"),
            "clip" => look.hidden |= clips_all(value),
            _ => look.background = value.split_whitespace().find_map(color),
        }
    }
    look.hidden |= zero_height && clipped;
    look
}

fn starts_with(text: &str, word: &str) -> bool {
    text.as_bytes().get(..word.len()).is_some_and(|head| head.eq_ignore_ascii_case(word.as_bytes()))
}

fn ends_with(text: &str, word: &str) -> bool {
    let from = text.len().saturating_sub(word.len());
    text.as_bytes()[from..].eq_ignore_ascii_case(word.as_bytes())
}

fn contains(text: &str, word: &str) -> bool {
    text.as_bytes().windows(word.len()).any(|part| part.eq_ignore_ascii_case(word.as_bytes()))
}

/// Moved so far to the left or up that nobody sees it.
fn off_screen(value: &str) -> bool {
    value.strip_prefix('-').and_then(size).is_some_and(|n| n >= 500.0) && !value.ends_with('%')
}

/// A clip of no size: the way to leave words to screen readers alone, and to machines.
fn clips_all(value: &str) -> bool {
    let inner = starts_with(value, "rect(").then(|| value[5..].trim_end_matches(')'));
    inner.is_some_and(|inner| {
        let mut edges = inner.split([',', ' ']).filter(|edge| !edge.is_empty());
        edges.all(|edge| size(edge).is_some_and(|n| n <= 1.0))
    })
}

/// Whether text of one colour cannot be told from the other behind it.
pub(super) fn alike(text: u32, behind: u32) -> bool {
    [16, 8, 0].iter().all(|shift| ((text >> shift) & 255).abs_diff((behind >> shift) & 255) <= ALIKE)
}

/// The number a length begins with.
fn size(value: &str) -> Option<f32> {
    let end = value.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(value.len());
    value[..end].parse().ok()
}

/// A colour as 24 bits.
pub(super) fn color(value: &str) -> Option<u32> {
    if let Some(hex) = value.strip_prefix('#') {
        let n = u32::from_str_radix(hex, 16).ok()?;
        return match hex.len() {
            6 => Some(n),
            3 => Some(((n >> 8) & 15) * 0x11_0000 + ((n >> 4) & 15) * 0x1100 + (n & 15) * 0x11),
            _ => None,
        };
    }
    if starts_with(value, "rgb(") {
        let inner = &value[4..];
        let mut parts = inner.trim_end_matches(')').split(',').map(|p| p.trim().parse::<u32>().ok());
        let (r, g, b) = (parts.next()??, parts.next()??, parts.next()??);
        return Some((r.min(255) << 16) | (g.min(255) << 8) | b.min(255));
    }
    if value.eq_ignore_ascii_case("white") {
        return Some(0xff_ffff);
    }
    value.eq_ignore_ascii_case("black").then_some(0)
}
