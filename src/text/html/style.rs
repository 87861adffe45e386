//! Reads what declarations of styles say about visibility, and lays them over one another as the cascade does.
//!
//! It is not a CSS engine: no units beyond what hiding tricks use. Selectors are read by [`super::sheet`].

use super::Visibility;

/// What declarations say of one element, each property by a bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Properties that were declared.
    set: u16,
    /// Those declared `!important`.
    strong: u16,
    /// Those whose value hides.
    hides: u16,
    color: Paint,
    background: Paint,
    /// White space is kept.
    pub(super) pre: Option<bool>,
    /// A top border drawn as a rule over a quoted header, as desktop Outlook does.
    pub(super) rule: bool,
    /// A line at the left, as clients draw beside quotes.
    pub(super) cited: bool,
}

/// A colour as far as it is known.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Paint {
    /// The one of the element around it.
    #[default]
    Around,
    /// 24 bits.
    Known(u32),
    /// A picture, a gradient, a name nobody looked up.
    Unknown,
}

const DISPLAY: u16 = 1;
const VISIBILITY: u16 = 1 << 1;
const FONT: u16 = 1 << 2;
const OPACITY: u16 = 1 << 3;
const MSO: u16 = 1 << 4;
const MAX_HEIGHT: u16 = 1 << 5;
const HEIGHT: u16 = 1 << 6;
const OVERFLOW: u16 = 1 << 7;
const PLACE: u16 = 1 << 8;
const INDENT: u16 = 1 << 9;
const MARGIN: u16 = 1 << 10;
const TRANSFORM: u16 = 1 << 11;
const CLIP: u16 = 1 << 12;
const COLOR: u16 = 1 << 13;
const BACKGROUND: u16 = 1 << 14;
const IMAGE: u16 = 1 << 15;

/// What hides an element and all inside it, by itself.
const ALONE: u16 = DISPLAY | OPACITY | MSO | PLACE | INDENT | MARGIN | TRANSFORM | CLIP;

impl Look {
    /// A colour or background an attribute gives.
    pub(super) fn attribute(color: Option<Paint>, background: Option<Paint>) -> Self {
        let set = color.map_or(0, |_| COLOR) | background.map_or(0, |_| BACKGROUND);
        Self {
            set,
            color: color.unwrap_or_default(),
            background: background.unwrap_or_default(),
            ..Self::default()
        }
    }

    /// Whether nothing was declared that shows, hides or colours.
    pub(super) fn is_empty(&self) -> bool {
        self.set == 0
    }

    /// Whether the element and all inside it is not shown.
    pub(super) fn is_hidden(&self) -> bool {
        self.hides & ALONE != 0 || self.hides & OVERFLOW != 0 && self.hides & (HEIGHT | MAX_HEIGHT) != 0
    }

    /// What `visibility` says, where it was set: `Some(false)` hides until an inner element shows itself again.
    pub(super) fn shown(&self) -> Option<bool> {
        (self.set & VISIBILITY != 0).then_some(self.hides & VISIBILITY == 0)
    }

    /// Whether the letters have no size, where it was set: inner elements may have one again.
    pub(super) fn tiny(&self) -> Option<bool> {
        (self.set & FONT != 0).then_some(self.hides & FONT != 0)
    }

    /// The colour of the text where the element around it has `around`.
    pub(super) fn color(&self, around: Option<u32>) -> Option<u32> {
        self.color.over(around)
    }

    /// Whether a colour was declared.
    pub(super) fn has_color(&self) -> bool {
        self.set & COLOR != 0
    }

    /// The colour behind the text where the element around it has `around`.
    pub(super) fn background(&self, around: Option<u32>) -> Option<u32> {
        if self.hides & IMAGE != 0 { None } else { self.background.over(around) }
    }

    /// These declarations over weaker ones.
    pub(super) fn over(self, weak: Self) -> Self {
        let kept = weak.strong & !self.strong;
        let taken = self.set & !kept;
        let pick = |bit: u16, strong: Paint, weak: Paint| if taken & bit != 0 { strong } else { weak };
        Self {
            set: self.set | weak.set,
            strong: kept | self.strong,
            hides: weak.hides & !taken | self.hides & taken,
            color: pick(COLOR, self.color, weak.color),
            background: pick(BACKGROUND, self.background, weak.background),
            pre: self.pre.or(weak.pre),
            rule: self.rule || weak.rule,
            cited: self.cited || weak.cited,
        }
    }

    /// What is left of declarations that may count or not: they hide nothing, what they show may be seen, and the colours
    /// they name are not known.
    pub(super) fn perhaps(self) -> Self {
        let colors = self.set & (COLOR | BACKGROUND | IMAGE);
        Self {
            set: self.set & !self.hides | colors,
            hides: self.hides & IMAGE,
            color: Paint::Unknown,
            background: Paint::Unknown,
            ..self
        }
    }

    /// Only what shows, hides and colours.
    pub(super) fn without_marks(self) -> Self {
        Self { pre: None, rule: false, cited: false, ..self }
    }

    /// Notes a declaration, unless an important one stands before it.
    fn declare(&mut self, bit: u16, hides: bool, strong: bool) -> bool {
        if self.strong & bit != 0 && !strong {
            return false;
        }
        self.set |= bit;
        self.strong |= if strong { bit } else { 0 };
        self.hides = if hides { self.hides | bit } else { self.hides & !bit };
        true
    }
}

impl Paint {
    fn over(self, around: Option<u32>) -> Option<u32> {
        match self {
            Self::Around => around,
            Self::Known(color) => Some(color),
            Self::Unknown => None,
        }
    }

    /// The value of a colour.
    pub(super) fn read(value: &str) -> Self {
        if ["inherit", "currentcolor", "unset"].iter().any(|word| value.eq_ignore_ascii_case(word)) {
            return Self::Around;
        }
        color(value).map_or(Self::Unknown, Self::Known)
    }

    /// The value of a background: what is not painted shows what is behind.
    fn behind(value: &str) -> Self {
        let through = ["transparent", "none", "inherit", "initial", "unset", "0"];
        if through.iter().any(|word| value.eq_ignore_ascii_case(word)) {
            return Self::Around;
        }
        value.split_whitespace().find_map(color).map_or(Self::Unknown, Self::Known)
    }
}

/// The properties that are read.
const PROPERTIES: [&str; 23] = [
    "color",
    "font-size",
    "background-color",
    "background",
    "display",
    "height",
    "visibility",
    "white-space",
    "border-top",
    "border",
    "border-left",
    "border-left-style",
    "opacity",
    "mso-hide",
    "max-height",
    "overflow",
    "left",
    "top",
    "text-indent",
    "margin-left",
    "transform",
    "clip",
    "background-image",
];
/// Opacity up to which nobody reads a text.
const FAINTEST: f32 = 0.05;
/// Difference of each of two colours' parts up to which nobody tells them apart.
const ALIKE: u32 = 6;

/// Reads declarations.
pub(super) fn read(style: &str, visibility: Visibility) -> Look {
    let mut look = Look::default();
    for declaration in style.split(';').take(64) {
        if let Some((name, value)) = declaration.split_once(':') {
            property(&mut look, name.trim(), value.trim(), visibility == Visibility::Reader);
        }
    }
    look
}

fn property(look: &mut Look, name: &str, value: &str, reader: bool) {
    let Some(name) = PROPERTIES.iter().find(|known| known.eq_ignore_ascii_case(name)) else { return };
    let (value, strong) = match value.rsplit_once('!') {
        Some((value, word)) if word.trim().eq_ignore_ascii_case("important") => (value.trim_end(), true),
        _ => (value, false),
    };
    let is = |word: &str| value.eq_ignore_ascii_case(word);
    let (bit, hides) = match *name {
        "display" => (DISPLAY, is("none")),
        "visibility" => (VISIBILITY, is("hidden") || is("collapse")),
        "white-space" => return look.pre = Some(starts_with(value, "pre") || is("break-spaces")),
        "border-top" | "border" => {
            look.rule |=
                contains(value, "solid") && (contains(value, "#e1e1e1") || contains(value, "#b5c4df"));
            return;
        }
        "border-left" | "border-left-style" => return look.cited |= contains(value, "solid"),
        _ if !reader => return,
        "font-size" => match tiny(value) {
            Some(tiny) => (FONT, tiny),
            None => return,
        },
        "opacity" => (OPACITY, value.parse::<f32>().is_ok_and(|v| v <= FAINTEST)),
        "mso-hide" => (MSO, is("all")),
        "max-height" => (MAX_HEIGHT, size(value).is_some_and(|n| n <= 0.0)),
        "height" => (HEIGHT, size(value).is_some_and(|n| n <= 0.0)),
        "overflow" => (OVERFLOW, is("hidden")),
        "left" | "top" => (PLACE, off_screen(value) || look.hides & PLACE != 0),
        "text-indent" => (INDENT, off_screen(value)),
        "margin-left" => (MARGIN, off_screen(value)),
        "transform" => (TRANSFORM, contains(value, "scale(0)")),
        "clip" => (CLIP, clips_all(value)),
        "color" => {
            if look.declare(COLOR, false, strong) {
                look.color = Paint::read(value);
            }
            return;
        }
        "background-image" => (IMAGE, !is("none")),
        _ => {
            let image = contains(value, "url(") || contains(value, "gradient(");
            if look.declare(BACKGROUND, false, strong) {
                look.background = Paint::behind(value);
            }
            if *name == "background" { (IMAGE, image) } else { return }
        }
    };
    look.declare(bit, hides, strong);
}

/// Whether letters of that size are none; `None` where it is a share of what is around.
fn tiny(value: &str) -> Option<bool> {
    let number = size(value);
    let share = ["em", "ex", "ch", "%", "inherit", "unset"].iter().any(|unit| ends_with(value, unit))
        && !ends_with(value, "rem");
    match number {
        Some(number) if share => (number <= 0.0).then_some(true),
        Some(number) => Some(number <= 1.0 && (number <= 0.0 || !ends_with(value, "rem"))),
        None => (!share).then_some(false),
    }
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
