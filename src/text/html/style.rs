//! Reads what declarations of styles say about visibility, and lays them over one another as the cascade does.
//!
//! What is no value of a property does not count. Selectors are read by [`super::selector`], values by [`super::values`].

use std::borrow::Cow;

use memchr::{memchr, memmem};

use super::Visibility;
use super::values::{self, EVERYWHERE, Letters, contains, is_one, starts_with, unescaped};

/// What declarations say of one element, each property by a bit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Look {
    /// Properties that were declared.
    set: u32,
    /// Those declared `!important`.
    strong: u32,
    /// Those whose value hides.
    hides: u32,
    /// Those that are as they are around the element.
    around: u32,
    color: Paint,
    background: Paint,
    /// White space is kept.
    pub(super) pre: Option<bool>,
    /// A top border drawn as a rule over a quoted header, as desktop Outlook does.
    pub(super) rule: bool,
    /// A line at the left, as clients draw beside quotes.
    pub(super) cited: bool,
    /// How `display` parts it from what stands beside it.
    pub(super) parts: Option<Parts>,
}

/// How an element stands apart from the words beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Parts {
    /// It does not.
    No,
    /// In a box of its own on the same line.
    Word,
    /// On lines of its own.
    Line,
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

const DISPLAY: u32 = 1;
const VISIBILITY: u32 = 1 << 1;
const FONT: u32 = 1 << 2;
const OPACITY: u32 = 1 << 3;
const MSO: u32 = 1 << 4;
const MAX_HEIGHT: u32 = 1 << 5;
const HEIGHT: u32 = 1 << 6;
const OVERFLOW: u32 = 1 << 7;
const LEFT: u32 = 1 << 8;
const INDENT: u32 = 1 << 9;
const MARGIN: u32 = 1 << 10;
const TRANSFORM: u32 = 1 << 11;
const CLIP: u32 = 1 << 12;
const COLOR: u32 = 1 << 13;
const BACKGROUND: u32 = 1 << 14;
const IMAGE: u32 = 1 << 15;
const TOP: u32 = 1 << 16;
const SCALE: u32 = 1 << 17;
const CLIP_PATH: u32 = 1 << 18;
const CONTENT: u32 = 1 << 19;
const ALL: u32 = (1 << 20) - 1;

/// What hides an element and all inside it, by itself.
const ALONE: u32 =
    DISPLAY | OPACITY | MSO | LEFT | TOP | INDENT | MARGIN | TRANSFORM | CLIP | SCALE | CLIP_PATH | CONTENT;
/// What an element takes from the one around it.
const INHERITED: u32 = FONT | VISIBILITY;

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

    /// What the `hidden` attribute says.
    pub(super) fn none() -> Self {
        Self { set: DISPLAY, hides: DISPLAY, ..Self::default() }
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
        (self.set & !self.around & VISIBILITY != 0).then_some(self.hides & VISIBILITY == 0)
    }

    /// Whether the letters have no size, where it was set: inner elements may have one again.
    pub(super) fn tiny(&self) -> Option<bool> {
        (self.set & !self.around & FONT != 0).then_some(self.hides & FONT != 0)
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
        let pick = |bit: u32, strong: Paint, weak: Paint| if taken & bit != 0 { strong } else { weak };
        Self {
            set: self.set | weak.set,
            strong: kept | self.strong,
            hides: weak.hides & !taken | self.hides & taken,
            around: weak.around & !taken | self.around & taken,
            color: pick(COLOR, self.color, weak.color),
            background: pick(BACKGROUND, self.background, weak.background),
            pre: self.pre.or(weak.pre),
            parts: self.parts.or(weak.parts),
            rule: self.rule || weak.rule,
            cited: self.cited || weak.cited,
        }
    }

    /// What is left of declarations that may count or not: they hide nothing, what they show may be seen, and the colours
    /// they name are not known.
    pub(super) fn perhaps(self) -> Self {
        let set = self.set & !self.hides | self.set & (COLOR | BACKGROUND | IMAGE);
        Self {
            set,
            strong: self.strong & set,
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

    /// Notes declarations, but for those that an important one stands before.
    fn declare(&mut self, bits: u32, hides: bool, strong: bool) -> u32 {
        let bits = if strong { bits } else { bits & !self.strong };
        self.set |= bits;
        self.strong |= if strong { bits } else { 0 };
        self.hides = if hides { self.hides | bits } else { self.hides & !bits };
        self.around &= !bits;
        bits
    }

    /// Notes the word that gives properties the value of the element around, or the one they begin with.
    fn reset(&mut self, bits: u32, word: &str, strong: bool) {
        let bits = self.declare(bits, false, strong);
        let is_initial = word.eq_ignore_ascii_case("initial");
        if !is_initial {
            self.around |= bits & INHERITED;
        }
        if bits & COLOR != 0 {
            self.color = if is_initial { Paint::Unknown } else { Paint::Around };
        }
        if bits & BACKGROUND != 0 {
            self.background = Paint::Around;
        }
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
        if value.eq_ignore_ascii_case("transparent") {
            return Self::Known(CLEAR);
        }
        color(value).map_or(Self::Unknown, Self::Known)
    }

    /// The value of a background: what is not painted shows what is behind.
    fn behind(value: &str) -> Self {
        let through = ["transparent", "none", "inherit", "initial", "unset", "0"];
        if through.iter().any(|word| value.eq_ignore_ascii_case(word)) {
            return Self::Around;
        }
        match color(value).or_else(|| value.split_whitespace().find_map(color)) {
            Some(CLEAR) => Self::Around,
            other => other.map_or(Self::Unknown, Self::Known),
        }
    }
}

/// The properties that are read, and the bits they set; none for the marks of clients.
const PROPERTIES: [(&str, u32); 29] = [
    ("color", COLOR),
    ("font-size", FONT),
    ("background-color", BACKGROUND),
    ("background", BACKGROUND | IMAGE),
    ("display", DISPLAY),
    ("height", HEIGHT),
    ("font", FONT),
    ("visibility", VISIBILITY),
    ("white-space", 0),
    ("border-top", 0),
    ("border", 0),
    ("border-left", 0),
    ("border-left-style", 0),
    ("opacity", OPACITY),
    ("mso-hide", MSO),
    ("max-height", MAX_HEIGHT),
    ("overflow", OVERFLOW),
    ("left", LEFT),
    ("top", TOP),
    ("text-indent", INDENT),
    ("margin-left", MARGIN),
    ("transform", TRANSFORM),
    ("clip", CLIP),
    ("background-image", IMAGE),
    ("scale", SCALE),
    ("clip-path", CLIP_PATH),
    ("-webkit-clip-path", CLIP_PATH),
    ("content-visibility", CONTENT),
    ("all", ALL),
];
/// Opacity up to which nobody reads a text.
const FAINTEST: f32 = 0.05;
/// Difference of each of two colours' parts up to which nobody tells them apart.
const ALIKE: u32 = 6;

/// Reads declarations.
pub(super) fn read(style: &str, visibility: Visibility) -> Look {
    let mut look = Look::default();
    let mut rest = style;
    while !rest.is_empty() {
        let (declaration, behind) = rest.split_at(declaration(rest));
        rest = behind.get(1..).unwrap_or_default();
        if let Some((name, value)) = declaration.split_once(':') {
            let (name, value) = (plain(name), plain(value));
            property(&mut look, &name, &value, visibility == Visibility::Reader);
        }
    }
    look
}

/// Where the declaration that a text begins with ends: at a semicolon outside strings, comments and brackets.
fn declaration(text: &str) -> usize {
    let bytes = text.as_bytes();
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = bytes.get(at) {
        match byte {
            b';' if depth == 0 => return at,
            b'\\' => at += 1,
            b'(' if bytes[..at].ends_with(b"url") && !matches!(bytes.get(at + 1), Some(b'"' | b'\'')) => {
                at += memchr(b')', &bytes[at..]).unwrap_or(bytes.len());
            }
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'"' | b'\'' => at += 1 + string(&bytes[at + 1..], *byte),
            b'/' if bytes.get(at + 1) == Some(&b'*') => {
                at += 3 + memmem::find(&bytes[at + 2..], b"*/").unwrap_or(bytes.len());
            }
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// How far a string goes: to its mark, or to the end of a line where it is broken.
fn string(bytes: &[u8], mark: u8) -> usize {
    let mut at = 0;
    while let Some(byte) = bytes.get(at) {
        match byte {
            b'\\' => at += 1,
            b'\n' => return at,
            _ if *byte == mark => return at,
            _ => {}
        }
        at += 1;
    }
    bytes.len()
}

/// A name or a value without comments, its escapes read.
fn plain(part: &str) -> Cow<'_, str> {
    let mut plain = Cow::Borrowed(part.trim_ascii());
    if plain.contains("/*") && !plain.contains(['"', '\'']) {
        plain = Cow::Owned(without_comments(&plain).trim_ascii().to_owned());
    }
    if plain.contains('\\') { Cow::Owned(unescaped(&plain)) } else { plain }
}

/// A part of CSS outside strings, a blank for each comment.
pub(super) fn without_comments(part: &str) -> String {
    let mut out = String::with_capacity(part.len());
    let mut rest = part;
    while let Some((before, behind)) = rest.split_once("/*") {
        out.push_str(before);
        out.push(' ');
        rest = behind.split_once("*/").map_or("", |(_, behind)| behind);
    }
    out.push_str(rest);
    out
}

fn property(look: &mut Look, name: &str, value: &str, reader: bool) {
    let Some((name, bits)) = PROPERTIES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) else {
        return;
    };
    let (value, strong) = match value.rsplit_once('!') {
        Some((value, word)) if word.trim_ascii().eq_ignore_ascii_case("important") => {
            (value.trim_ascii_end(), true)
        }
        _ => (value, false),
    };
    match *name {
        "white-space" => {
            look.pre = Some(starts_with(value, "pre") || value.eq_ignore_ascii_case("break-spaces"));
        }
        "border-top" | "border" => {
            look.rule |=
                contains(value, "solid") && (contains(value, "#e1e1e1") || contains(value, "#b5c4df"));
        }
        "border-left" | "border-left-style" => look.cited |= contains(value, "solid"),
        _ if is_one(value, &EVERYWHERE) => look.reset(*bits, value, strong),
        "display" | "visibility" => {
            if let Some(hides) = hides(name, value) {
                look.declare(*bits, hides, strong);
                look.parts = if *name == "display" { Some(values::parts(value)) } else { look.parts };
            }
        }
        _ if !reader => {}
        "color" | "background" | "background-color" => paint(look, *bits, value, strong),
        "font-size" | "font" => {
            let letters = if *name == "font" { values::font(value) } else { values::letters(value) };
            if let Some(letters) = letters {
                let bits = look.declare(*bits, letters == Letters::Tiny, strong);
                look.around |= if letters == Letters::Share { bits } else { 0 };
            }
        }
        _ => {
            if let Some(hides) = hides(name, value) {
                look.declare(*bits, hides, strong);
            }
        }
    }
}

/// Whether a value hides; `None` where it is no value of the property.
fn hides(name: &str, value: &str) -> Option<bool> {
    match name {
        "display" => values::display(value),
        "visibility" => values::word(value, &["hidden", "collapse"], &["visible"]),
        "opacity" => values::share(value, FAINTEST),
        "mso-hide" => values::word(value, &["all"], &["none", "screen"]),
        "height" | "max-height" => values::height(value),
        "overflow" => values::word(value, &["hidden", "clip"], &["visible", "auto", "scroll", "overlay"]),
        "left" | "top" | "text-indent" | "margin-left" => values::off_screen(value),
        "transform" => values::transform(value),
        "scale" => values::scale(value),
        "clip" => values::clip(value),
        "clip-path" | "-webkit-clip-path" => values::clip_path(value),
        "content-visibility" => values::word(value, &["hidden"], &["visible", "auto"]),
        "background-image" => (!value.is_empty()).then(|| !value.eq_ignore_ascii_case("none")),
        _ => None,
    }
}

fn paint(look: &mut Look, bits: u32, value: &str, strong: bool) {
    if !may_be_paint(value) {
        return;
    }
    let bits = look.declare(bits, false, strong);
    if bits & COLOR != 0 {
        look.color = Paint::read(value);
    }
    if bits & BACKGROUND != 0 {
        look.background = Paint::behind(value);
    }
    if contains(value, "url(") || contains(value, "gradient(") {
        look.hides |= bits & IMAGE;
    }
}

/// Whether a value may be a colour or a picture: names of colours are not known one by one.
fn may_be_paint(value: &str) -> bool {
    let is_hex = |hex: &str| matches!(hex.len(), 3 | 4 | 6 | 8) && hex.bytes().all(|b| b.is_ascii_hexdigit());
    !value.is_empty()
        && !value.contains('!')
        && value.strip_prefix('#').is_none_or(|hex| hex.contains(' ') || is_hex(hex))
}

/// The colour of letters that are not painted.
pub(super) const CLEAR: u32 = 1 << 24;

/// Whether text of one colour cannot be told from the other behind it.
pub(super) fn alike(text: u32, behind: u32) -> bool {
    [16, 8, 0].iter().all(|shift| ((text >> shift) & 255).abs_diff((behind >> shift) & 255) <= ALIKE)
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
    if starts_with(value, "rgb(") || starts_with(value, "rgba(") {
        let inner = value.split_once('(')?.1.trim_end_matches(')');
        let mut parts = inner.split([',', ' ', '/']).filter(|part| !part.is_empty());
        let mut part = || parts.next()?.parse::<u32>().ok().map(|part| part.min(255));
        let (r, g, b) = (part()?, part()?, part()?);
        return match parts.next().map(|alpha| alpha.trim_end_matches('%').parse::<f32>()) {
            Some(Ok(alpha)) if alpha <= 0.0 => Some(CLEAR),
            // What is behind shows through.
            Some(alpha) if alpha != Ok(1.0) && alpha != Ok(100.0) => None,
            _ => Some((r << 16) | (g << 8) | b),
        };
    }
    if value.eq_ignore_ascii_case("white") {
        return Some(0xff_ffff);
    }
    value.eq_ignore_ascii_case("black").then_some(0)
}
