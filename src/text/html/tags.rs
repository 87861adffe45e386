//! What the walk needs to know of HTML's elements: which break lines, hold nothing, or never hold text.
//!
//! Facts of the HTML standard, as far as they change the words seen.

/// Tag names up to twelve bytes, compared by value; longer names are all alike and unknown.
pub(super) type Tag = [u8; 12];

/// A tag name in lower case.
pub(super) fn tag(name: &[u8]) -> Tag {
    let mut out = [0; 12];
    match out.get_mut(..name.len()) {
        Some(place) => {
            place.copy_from_slice(name);
            out.make_ascii_lowercase();
        }
        None => out[0] = b'?',
    }
    out
}

/// The letters of a tag name.
pub(super) fn name(tag: &Tag) -> &[u8] {
    &tag[..tag.iter().position(|b| *b == 0).unwrap_or(tag.len())]
}

/// How an element breaks lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flow {
    Inline,
    Block,
    Paragraph,
    Row,
    Cell,
}

pub(super) fn flow(name: &[u8]) -> Flow {
    match name {
        b"p" | b"h1" | b"h2" | b"h3" | b"h4" | b"h5" | b"h6" | b"blockquote" | b"ul" | b"ol" | b"dl"
        | b"pre" => Flow::Paragraph,
        b"tr" => Flow::Row,
        b"td" | b"th" => Flow::Cell,
        b"div" | b"li" | b"table" | b"tbody" | b"thead" | b"tfoot" | b"caption" | b"dt" | b"dd"
        | b"center" | b"hr" | b"address" | b"article" | b"aside" | b"footer" | b"header" | b"section"
        | b"main" | b"nav" | b"form" | b"fieldset" | b"legend" | b"figure" | b"figcaption" | b"body"
        | b"html" | b"option" | b"optgroup" | b"details" | b"summary" | b"dir" | b"menu" | b"listing"
        | b"xmp" | b"plaintext" | b"marquee" => Flow::Block,
        _ => Flow::Inline,
    }
}

/// Whether the browser ends the open element by itself before a start tag of that name.
pub(super) fn ends_before(open: Tag, name: &[u8]) -> bool {
    let is = |names: &[&[u8]]| names.iter().any(|n| tag(n) == open);
    match name {
        b"li" => is(&[b"li"]),
        b"td" | b"th" => is(&[b"td", b"th"]),
        b"tr" => is(&[b"tr"]),
        b"dt" | b"dd" => is(&[b"dt", b"dd"]),
        b"option" => is(&[b"option"]),
        b"body" => is(&[b"head"]),
        _ => flow(name) != Flow::Inline && is(&[b"p"]),
    }
}

/// Whether the browser moves an element of that name out of the open part of a table.
pub(super) fn is_moved_out(open: Tag, name: &[u8]) -> bool {
    let part = |name: &[u8]| matches!(name, b"table" | b"tbody" | b"thead" | b"tfoot" | b"tr");
    let inside = matches!(name, b"td" | b"th" | b"caption" | b"col" | b"colgroup" | b"form") || part(name);
    part(self::name(&open)) && !inside
}

pub(super) fn is_void(name: &[u8]) -> bool {
    matches!(
        name,
        b"br"
            | b"hr"
            | b"img"
            | b"input"
            | b"meta"
            | b"link"
            | b"base"
            | b"area"
            | b"col"
            | b"embed"
            | b"param"
            | b"source"
            | b"track"
            | b"wbr"
            | b"basefont"
            | b"bgsound"
            | b"frame"
            | b"keygen"
            | b"image"
    )
}

/// Elements whose content is never text.
pub(super) fn is_dropped(name: &[u8]) -> bool {
    matches!(
        name,
        b"script"
            | b"style"
            | b"title"
            | b"template"
            | b"head"
            | b"textarea"
            | b"iframe"
            | b"noembed"
            | b"noframes"
            | b"object"
            | b"audio"
            | b"video"
            | b"canvas"
            | b"svg"
            | b"math"
            | b"datalist"
    )
}

/// Formatting elements, which a tree builder opens again in every later block.
pub(super) fn is_formatting(name: &[u8]) -> bool {
    matches!(
        name,
        b"a" | b"b"
            | b"big"
            | b"code"
            | b"em"
            | b"font"
            | b"i"
            | b"nobr"
            | b"s"
            | b"small"
            | b"strike"
            | b"strong"
            | b"tt"
            | b"u"
    )
}
