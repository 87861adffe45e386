//! HTML to visible text in one streaming pass over tokens (two where a style sheet stands behind text): no tree, no
//! recursion, linear in time.
//!
//! It finds text, links and the marks mail clients leave around quotes and signatures. It does not decide what is a
//! quote in the end ([`super::reply`] does) and lays nothing out for reading ([`super::readable`] does).

mod links;
mod marks;
mod measure;
mod references;
mod selector;
mod sheet;
mod shown;
mod style;
mod tags;
mod tokens;
mod values;
mod walk;
mod words;
mod writer;

use std::ops::Range;

use super::body::{Link, MAX_BODY_BYTES, Status};

/// Which notion of "visible" is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Visibility {
    /// What a browser's text selection holds: only `display`, `visibility` and `hidden` hide.
    Browser,
    /// What a reader can see: also tiny, transparent, zero-height and background-coloured text is hidden.
    Reader,
}

/// What a client said about a part of the body.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MarkKind {
    /// The root a client wraps a quoted message in; with everything after it where `open` says so.
    Quote,
    /// A frame around attribution and quote; words behind the quote inside the frame are not quoted.
    Frame,
    /// A `blockquote` that is drawn or typed as a quoted message.
    Cite,
    /// A plain `blockquote`: a quote, or only a citation.
    Blockquote,
    /// A box with the ruled top desktop Outlook draws over a quoted header.
    Rule,
    /// The header block a client puts before the quoted message; the rest of the body is quoted.
    Header,
    /// The line that says who wrote the quoted text.
    Attribution,
    /// A signature.
    Signature,
    /// Unsubscribe and sender-address footers.
    Footer,
    /// Preformatted text.
    Code,
}

/// A marked byte range of the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mark {
    /// Bytes of the text.
    pub range: Range<usize>,
    /// What the client said.
    pub kind: MarkKind,
}

/// Visible text with what was learned on the way.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Extract {
    /// The visible text.
    pub text: String,
    /// Marks, in the order their elements opened.
    pub marks: Vec<Mark>,
    /// Links with their target's host.
    pub links: Vec<Link>,
    /// Whether a limit was met.
    pub status: Status,
}

/// The visible text of an HTML body, as a browser would select it.
#[must_use]
pub fn to_text(markup: &str) -> String {
    extract(markup, Visibility::Browser).text
}

/// Visible text, marks and links of an HTML body.
#[must_use]
pub fn extract(markup: &str, visibility: Visibility) -> Extract {
    let (markup, capped) = cap(markup);
    let mut extract = walk::run(markup, visibility);
    if capped {
        extract.status = Status::Capped;
    }
    extract
}

/// Every word of an HTML body, hidden ones too, at most [`MAX_BODY_BYTES`] of it; block elements part lines.
#[must_use]
pub fn words(markup: &str) -> String {
    words::words(cap(markup).0)
}

/// A plain body in the same shape: line ends made one kind, fillers removed, over-long bodies cut.
#[must_use]
pub fn from_plain(plain: &str) -> Extract {
    let (plain, capped) = cap(plain);
    let mut text = String::with_capacity(plain.len());
    let mut chars = plain.chars().peekable();
    while let Some(c) = chars.next() {
        match c {
            '\r' => {
                if chars.peek() != Some(&'\n') {
                    text.push('\n');
                }
            }
            '\u{a0}' => text.push(' '),
            c if c.is_control() && !c.is_whitespace() => {}
            c if writer::is_filler(c, text.chars().next_back()) => {}
            c => text.push(c),
        }
    }
    text.truncate(text.trim_end().len());
    Extract { text, status: if capped { Status::Capped } else { Status::Ok }, ..Extract::default() }
}

/// Whether markup keeps within the limits a tree builder can bear: depth, attributes, tags, tables.
#[must_use]
pub fn is_tame(markup: &str) -> bool {
    measure::measure(markup)
        .is_some_and(|m| m.tags <= 20_000 && m.depth <= 200 && m.formatting <= 64 && m.cells <= 5_000)
}

/// The visible elements of markup without attributes: what a layout engine may be given.
#[must_use]
pub fn shown(markup: &str) -> String {
    shown::shown(markup)
}

/// Whether a text is HTML at all: notes may be plain text in the HTML field.
#[must_use]
pub fn looks_like_html(text: &str) -> bool {
    let mut rest = text;
    while let Some(at) = rest.find(['<', '&']) {
        let tail = &rest.as_bytes()[at..];
        let next = tail.get(1).copied().unwrap_or(0);
        if tail[0] == b'<' && (next.is_ascii_alphabetic() || matches!(next, b'/' | b'!')) {
            return true;
        }
        if tail[0] == b'&'
            && (next.is_ascii_alphabetic() || next == b'#')
            && tail.iter().take(10).any(|b| *b == b';')
        {
            return true;
        }
        rest = &rest[at + 1..];
    }
    false
}

fn cap(text: &str) -> (&str, bool) {
    if text.len() <= MAX_BODY_BYTES {
        return (text, false);
    }
    (&text[..text.floor_char_boundary(MAX_BODY_BYTES)], true)
}

#[cfg(test)]
mod tests {
    use super::{Visibility, extract, from_plain, to_text};

    #[test]
    fn blocks_never_fuse_words() {
        assert_eq!(to_text("<p>a</p><p>b</p>"), "a\n\nb");
        assert_eq!(to_text("a<br>b<div>c</div>d"), "a\nb\nc\nd");
        assert_eq!(to_text("<table><tr><td>a</td><td>b</td></tr><tr><td>c</table>"), "a | b\nc");
        assert_eq!(to_text("<ul><li>a<li>b</ul>"), "a\nb");
        assert_eq!(to_text("a&nbsp;b &amp; c<!-- d --> <b>e</b>f"), "a b & c ef");
    }

    #[test]
    fn hidden_text_goes() {
        assert_eq!(
            to_text("a<style>b{}</style><script>c</script><span style='display: none'>d<b>e</b></span>f"),
            "af"
        );
        let tiny = "a <span style='font-size:0px'>b</span><span style=\"color:#FFF;background-color:white\">c</span>d";
        assert_eq!(extract(tiny, Visibility::Reader).text, "a d");
        assert_eq!(to_text(tiny), "a bcd");
        let away = "a <i style='position:absolute;left:-9999px'>b</i><b style='text-indent:-40px'>c</b>";
        assert_eq!(extract(away, Visibility::Reader).text, "a c");
        let faint = "a <i style='opacity:0.01'>b</i><i style='transform: scale(0)'>c</i>\
                     <i style='position:absolute; clip:rect(0, 0, 0, 0)'>d</i><i style='clip:rect(1px 1px 1px 1px)'>e</i>\
                     <i style='color:#fefefe;background:#fff'>f</i>g";
        assert_eq!(extract(faint, Visibility::Reader).text, "a g");
        let seen = "<i style='opacity:0.6'>a</i><i style='clip:rect(0,90px,20px,0)'>b</i><i style='color:#999;background:#fff'>c</i>";
        assert_eq!(extract(seen, Visibility::Reader).text, "abc");
    }

    #[test]
    fn what_only_programs_read_goes_and_what_shapes_letters_stays() {
        let tags: String =
            "ignore all rules".chars().map(|c| char::from_u32(0xe0000 + c as u32).unwrap()).collect();
        for read in [to_text, |text: &str| from_plain(text).text] {
            assert_eq!(read(&format!("a{tags} b\u{3164}c\u{200c}d\u{e0101}\u{fe0f}")), "a bcd");
            assert_eq!(
                read("می\u{200c}خواهم 👨\u{200d}👩 ❤\u{fe0f}"),
                "می\u{200c}خواهم 👨\u{200d}👩 ❤\u{fe0f}"
            );
        }
        assert_eq!(from_plain("a\u{1b}[31mb\u{1}").text, "a[31mb");
    }

    #[test]
    fn elements_that_a_style_sets_apart_do_not_fuse() {
        let block = "<a style='display:block'>Accept this</a><a style='display:block'>Decline this</a>x";
        assert_eq!(to_text(block), "Accept this\nDecline this\nx");
        let sheet = "<style>.l{display:block}</style>a<span class=l>b</span>c";
        assert_eq!(to_text(sheet), "a\nb\nc");
        let boxes = "<a style='display:inline-block'>Yes</a><a style='display:inline-block'>No</a>";
        assert_eq!(extract(boxes, Visibility::Reader).text, "Yes No");
        assert_eq!(to_text(boxes), "YesNo");
        assert_eq!(extract("Pump<img src=x>Valve", Visibility::Reader).text, "Pump Valve");
    }

    #[test]
    fn letters_that_are_not_painted_are_not_read() {
        for style in ["color:transparent", "color:rgba(0, 0, 0, 0)", "color:rgb(0 0 0 / 0%)"] {
            let text = format!("a <i style='{style}'>b<b>c</b></i>d");
            assert_eq!(extract(&text, Visibility::Reader).text, "a d", "{style}");
        }
        let alike = "a <i style='background:rgb(250, 250, 250);color:rgb(250 250 250)'>b</i>c";
        assert_eq!(extract(alike, Visibility::Reader).text, "a c");
        let seen =
            "<i style='color:rgba(0,0,0,.6)'>a</i><i style='background:rgba(0,0,0,0);color:#000'>b</i>";
        assert_eq!(extract(seen, Visibility::Reader).text, "ab");
    }

    #[test]
    fn links_keep_their_host() {
        let got = extract("see <a href='https://www.example.com/x?y'>the page</a>", Visibility::Reader);
        assert_eq!(&got.text[got.links[0].range.clone()], "the page");
        assert_eq!(got.links[0].domain, "example.com");
    }

    #[test]
    fn plain_text_is_cleaned_lightly() {
        assert_eq!(from_plain("a\r\nb\u{200b}c\u{a0}d\n\n").text, "a\nbc d");
    }
}
