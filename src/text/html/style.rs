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

/// Read an inline style.
pub(super) fn read(style: &str, visibility: Visibility) -> Look {
    let mut look = Look::default();
    let mut zero_height = false;
    let mut clipped = false;
    for declaration in style.split(';').take(64) {
        let Some((name, value)) = declaration.split_once(':') else {
            continue;
        };
        let value = value.trim().trim_end_matches("!important").trim().to_ascii_lowercase();
        match name.trim().to_ascii_lowercase().as_str() {
            "display" => look.hidden = value == "none",
            "visibility" => look.shown = Some(!matches!(value.as_str(), "hidden" | "collapse")),
            "white-space" => look.pre = Some(value.starts_with("pre") || value == "break-spaces"),
            "border-top" | "border" => {
                look.rule |=
                    value.contains("solid") && (value.contains("#e1e1e1") || value.contains("#b5c4df"));
            }
            "border-left" | "border-left-style" => look.cited |= value.contains("solid"),
            _ if visibility == Visibility::Browser => {}
            "font-size" => {
                look.hidden |= matches!(size(&value), Some(n) if n <= 1.0) && !value.ends_with("em")
            }
            "opacity" => look.hidden |= value.parse::<f32>().is_ok_and(|v| v <= 0.0),
            "mso-hide" => look.hidden |= value == "all",
            "max-height" | "height" => zero_height |= size(&value).is_some_and(|n| n <= 0.0),
            "overflow" => clipped |= value == "hidden",
            "color" => look.color = color(&value),
            "background" | "background-color" => look.background = value.split_whitespace().find_map(color),
            _ => {}
        }
    }
    look.hidden |= zero_height && clipped;
    look
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
    if let Some(inner) = value.strip_prefix("rgb(") {
        let mut parts = inner.trim_end_matches(')').split(',').map(|p| p.trim().parse::<u32>().ok());
        let (r, g, b) = (parts.next()??, parts.next()??, parts.next()??);
        return Some((r.min(255) << 16) | (g.min(255) << 8) | b.min(255));
    }
    match value {
        "white" => Some(0xff_ffff),
        "black" => Some(0),
        _ => None,
    }
}
