//! HTML tokens of a text: character runs, start tags with attributes, end tags; comments and doctypes are passed over.
//!
//! Follows section 13.2.5 of the HTML standard as far as tokens differ, in one pass over the bytes and without copying;
//! tests compare it with `html5gum` event by event. Our own, because the index reads every mail through it and a
//! tokenizer that lends slices is three times as fast. It does not decode ([`super::references`]) and builds nothing.

use memchr::{memchr, memmem};

use super::tags::{self, Content, Tag, tag};

/// Attributes of one tag that are kept; the rest is passed over.
pub(super) const MAX_ATTRIBUTES: usize = 256;

/// One token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Token<'a> {
    /// Characters whose references are still to be decoded.
    Text(&'a str),
    /// Characters that hold no references.
    Raw(&'a str),
    /// A start tag; its attributes are in [`Tokens::attributes`].
    Start(Tag),
    /// An end tag.
    End(Tag),
}

/// An attribute as it is written: any case, references not decoded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Attribute<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

/// What the characters at hand are.
#[derive(Debug, Clone, Copy)]
enum Mode {
    Data,
    /// Only the end tag of this name ends the text.
    Until {
        name: Tag,
        references: bool,
    },
    Script,
    Plain,
}

impl Mode {
    /// What follows the start tag of that name.
    fn behind(name: &Tag) -> Self {
        match tags::facts(name).content {
            Content::Markup => Self::Data,
            Content::Text => Self::Until { name: *name, references: true },
            Content::Raw => Self::Until { name: *name, references: false },
            Content::Script => Self::Script,
            Content::Plain => Self::Plain,
        }
    }
}

/// The tokens of a text, in order.
#[derive(Debug)]
pub(super) struct Tokens<'a> {
    text: &'a str,
    at: usize,
    mode: Mode,
    attributes: Vec<Attribute<'a>>,
    /// The last start tag had more attributes than are kept.
    excess: bool,
}

impl<'a> Tokens<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, mode: Mode::Data, attributes: Vec::with_capacity(16), excess: false }
    }

    /// The attributes of the start tag just read, and whether it had more than are kept.
    pub(super) fn attributes(&self) -> (&[Attribute<'a>], bool) {
        (&self.attributes, self.excess)
    }

    /// The next token. (Not an iterator: a start tag's attributes are lent until the next call.)
    pub(super) fn next(&mut self) -> Option<Token<'a>> {
        match self.mode {
            Mode::Data => self.data(),
            Mode::Plain => self.rest().map(Token::Raw),
            Mode::Until { name, references } => {
                let end = self.end_of(&name);
                let token = if references { Token::Text } else { Token::Raw };
                self.raw(end).map(token).or_else(|| self.data())
            }
            Mode::Script => {
                let end = self.end_of_script();
                self.raw(end).map(Token::Raw).or_else(|| self.data())
            }
        }
    }

    /// The characters up to `end`, where an end tag stands; `None` where there are none.
    fn raw(&mut self, end: usize) -> Option<&'a str> {
        let part = &self.text[self.at..end];
        (self.at, self.mode) = (end, Mode::Data);
        (!part.is_empty()).then_some(part)
    }

    fn rest(&mut self) -> Option<&'a str> {
        let part = &self.text[self.at..];
        self.at = self.text.len();
        (!part.is_empty()).then_some(part)
    }

    fn data(&mut self) -> Option<Token<'a>> {
        let bytes = self.text.as_bytes();
        loop {
            let markup = self.markup();
            if markup > self.at {
                let part = &self.text[self.at..markup];
                self.at = markup;
                return Some(Token::Text(part));
            }
            match bytes.get(self.at + 1)? {
                b'/' => match bytes.get(self.at + 2)? {
                    b'>' => self.at += 3,
                    c if c.is_ascii_alphabetic() => {
                        let name = self.tag(self.at + 2)?;
                        return Some(Token::End(name));
                    }
                    _ => self.pass(self.at + 2),
                },
                b'!' if bytes[self.at..].starts_with(b"<!--") => self.comment(),
                b'!' | b'?' => self.pass(self.at + 1),
                _ => {
                    let name = self.tag(self.at + 1)?;
                    self.mode = Mode::behind(&name);
                    return Some(Token::Start(name));
                }
            }
        }
    }

    /// Where the next tag, comment or doctype begins, or the text ends.
    fn markup(&self) -> usize {
        let bytes = self.text.as_bytes();
        let mut from = self.at;
        while let Some(at) = memchr(b'<', &bytes[from..]).map(|n| from + n) {
            let opens = match bytes.get(at + 1) {
                Some(b'/') => at + 2 < bytes.len(),
                Some(c) => c.is_ascii_alphabetic() || matches!(c, b'!' | b'?'),
                None => false,
            };
            if opens {
                return at;
            }
            from = at + 1;
        }
        bytes.len()
    }

    /// Passes over a doctype or what the standard calls a bogus comment.
    fn pass(&mut self, from: usize) {
        let bytes = self.text.as_bytes();
        self.at = memchr(b'>', &bytes[from..]).map_or(bytes.len(), |n| from + n + 1);
    }

    fn comment(&mut self) {
        let bytes = self.text.as_bytes();
        let inside = self.at + 4;
        for short in [&b">"[..], b"->"] {
            if bytes[inside..].starts_with(short) {
                self.at = inside + short.len();
                return;
            }
        }
        let mut from = inside;
        while let Some(at) = memmem::find(&bytes[from..], b"--").map(|n| from + n) {
            match (bytes.get(at + 2), bytes.get(at + 3)) {
                (Some(b'>'), _) => {
                    self.at = at + 3;
                    return;
                }
                (Some(b'!'), Some(b'>')) => {
                    self.at = at + 4;
                    return;
                }
                _ => from = at + 1,
            }
        }
        self.at = bytes.len();
    }

    /// Reads a tag whose name begins at `from`; `None` where the text ends inside it.
    fn tag(&mut self, from: usize) -> Option<Tag> {
        let bytes = self.text.as_bytes();
        self.attributes.clear();
        self.excess = false;
        let mut at = from + bytes[from..].iter().position(|b| ends_name(*b))?;
        let name = tag(&bytes[from..at]);
        loop {
            at += bytes[at..].iter().position(|b| !is_space(*b) && *b != b'/')?;
            if bytes[at] == b'>' {
                self.at = at + 1;
                return Some(name);
            }
            at = self.attribute(at)?;
        }
    }

    /// Reads the attribute that begins at `from` and answers where it ends.
    fn attribute(&mut self, from: usize) -> Option<usize> {
        let bytes = self.text.as_bytes();
        // An equals sign in front is part of the name.
        let open = from + usize::from(bytes[from] == b'=');
        let end = open + bytes[open..].iter().position(|b| ends_name(*b) || *b == b'=')?;
        let behind = end + bytes[end..].iter().position(|b| !is_space(*b))?;
        let (value, after) = if bytes[behind] == b'=' { self.value(behind + 1)? } else { ("", behind) };
        if self.attributes.len() < MAX_ATTRIBUTES {
            self.attributes.push(Attribute { name: &self.text[from..end], value });
        } else {
            self.excess = true;
        }
        Some(after)
    }

    /// The value behind an equals sign, and where it ends.
    fn value(&self, from: usize) -> Option<(&'a str, usize)> {
        let bytes = self.text.as_bytes();
        let open = from + bytes[from..].iter().position(|b| !is_space(*b))?;
        match bytes[open] {
            quote @ (b'"' | b'\'') => {
                let end = open + 1 + memchr(quote, &bytes[open + 1..])?;
                Some((&self.text[open + 1..end], end + 1))
            }
            b'>' => Some(("", open)),
            _ => {
                let end = open + bytes[open..].iter().position(|b| is_space(*b) || *b == b'>')?;
                Some((&self.text[open..end], end))
            }
        }
    }

    /// Where the end tag of that name stands, or the text ends.
    fn end_of(&self, name: &Tag) -> usize {
        let bytes = self.text.as_bytes();
        let mut from = self.at;
        while let Some(at) = memchr(b'<', &bytes[from..]).map(|n| from + n) {
            if bytes.get(at + 1) == Some(&b'/') && is_named(&bytes[at + 2..], tags::name(name)) {
                return at;
            }
            from = at + 1;
        }
        bytes.len()
    }

    /// Where the end tag of a script stands: not inside a comment that opens a script of its own.
    fn end_of_script(&self) -> usize {
        let bytes = self.text.as_bytes();
        let (mut escaped, mut double, mut dashes) = (false, false, 0);
        let mut at = self.at;
        while let Some(byte) = bytes.get(at) {
            if !escaped && *byte != b'<' {
                let Some(n) = memchr(b'<', &bytes[at..]) else { break };
                at += n;
                continue;
            }
            let rest = &bytes[at + 1..];
            match byte {
                b'-' => dashes += 1,
                b'>' if dashes >= 2 => (escaped, double) = (false, false),
                b'<' if !escaped && rest.starts_with(b"!--") => {
                    (escaped, dashes) = (true, 2);
                    at += 4;
                    continue;
                }
                b'<' if rest.first() == Some(&b'/') && is_named(&rest[1..], b"script") => {
                    if !double {
                        return at;
                    }
                    double = false;
                }
                b'<' if escaped && !double && is_named(rest, b"script") => double = true,
                _ => {}
            }
            if *byte != b'-' {
                dashes = 0;
            }
            at += 1;
        }
        bytes.len()
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\n' | b'\t' | b'\r' | b'\x0c')
}

fn ends_name(byte: u8) -> bool {
    is_space(byte) || matches!(byte, b'/' | b'>')
}

/// Whether bytes begin with a tag name, whatever its case, that ends there.
fn is_named(bytes: &[u8], name: &[u8]) -> bool {
    bytes.len() > name.len() && bytes[..name.len()].eq_ignore_ascii_case(name) && ends_name(bytes[name.len()])
}

#[cfg(test)]
mod tests {
    use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
    use html5gum::{State, Tokenizer};
    use proptest::prelude::*;

    use super::super::references;
    use super::super::tags::{self, tag};
    use super::{Token, Tokens};

    /// Tokens as words, so that two tokenizers can be compared.
    fn ours(text: &str) -> Vec<String> {
        let mut tokens = Tokens::new(text);
        let mut out = Vec::new();
        while let Some(token) = tokens.next() {
            match token {
                Token::Text(part) => said(&mut out, &references::decode(part, false)),
                Token::Raw(part) => said(&mut out, part),
                Token::End(name) => out.push(format!("</{}", String::from_utf8_lossy(tags::name(&name)))),
                Token::Start(name) => {
                    let mut start = format!("<{}", String::from_utf8_lossy(tags::name(&name)));
                    for one in tokens.attributes().0 {
                        let value = references::decode(one.value, true);
                        start.push_str(&format!(" {}={value:?}", one.name.to_ascii_lowercase()));
                    }
                    out.push(start);
                }
            }
        }
        out
    }

    fn said(out: &mut Vec<String>, part: &str) {
        match out.last_mut() {
            Some(last) if last.starts_with('"') => last.push_str(part),
            _ => out.push(format!("\"{part}")),
        }
    }

    fn theirs(text: &str) -> Vec<String> {
        let mut out: Vec<String> = Vec::new();
        // The start tag being read; attributes of end tags and unfinished tags are nobody's.
        let mut open: Option<(Vec<u8>, String)> = None;
        let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let emitter = CallbackEmitter::new(|event: CallbackEvent<'_>, _: html5gum::Span<()>| {
            match event {
                CallbackEvent::String { value } => said(&mut out, &lossy(value)),
                CallbackEvent::OpenStartTag { name } => {
                    open = Some((name.to_vec(), format!("<{}", lossy(tags::name(&tag(name))))));
                }
                CallbackEvent::AttributeName { name } => {
                    if let Some((_, start)) = &mut open {
                        start.push_str(&format!(" {}=\"\"", lossy(name)));
                    }
                }
                CallbackEvent::AttributeValue { value } => {
                    if let Some((_, start)) = &mut open {
                        start.truncate(start.len() - 2);
                        start.push_str(&format!("{:?}", lossy(value)));
                    }
                }
                CallbackEvent::CloseStartTag { .. } => {
                    let (name, start) = open.take().unwrap();
                    out.push(start);
                    return match name.as_slice() {
                        b"textarea" | b"title" => Some(State::RcData),
                        b"plaintext" => Some(State::PlainText),
                        b"script" => Some(State::ScriptData),
                        b"style" | b"iframe" | b"xmp" | b"noembed" | b"noframes" => Some(State::RawText),
                        _ => None,
                    };
                }
                CallbackEvent::EndTag { name } => out.push(format!("</{}", lossy(tags::name(&tag(name))))),
                _ => {}
            }
            None
        });
        let mut tokenizer = Tokenizer::new_with_emitter(text, emitter);
        while let Some(Ok(state)) = tokenizer.next() {
            tokenizer.set_state(state);
        }
        drop(tokenizer);
        out
    }

    const PIECES: &[&str] = &[
        "<",
        ">",
        "/",
        "!",
        "-",
        "--",
        "<!--",
        "-->",
        "--!>",
        "<!",
        "<?",
        "</",
        "=",
        "\"",
        "'",
        " ",
        "\n",
        "a",
        "B",
        "div",
        "<div",
        "<p>",
        "</p>",
        "<script>",
        "</script>",
        "<SCRIPT",
        "</script",
        "<style>",
        "</style>",
        "<title>",
        "</title>",
        "<xmp>",
        "</xmp ",
        "<plaintext>",
        "&",
        "&amp;",
        "&amp",
        "&notit;",
        "&not",
        "&#65;",
        "&#x41",
        "&#",
        "&#0;",
        "&#x80;",
        "&#xd800;",
        "&#99999999999;",
        "&nbsp;",
        "&Aacute",
        "&AMP",
        "&bogus;",
        "&acE;",
        "class=",
        "style='",
        "href=\"a&lt=b&copy=c\"",
        "x",
        ";",
        "é",
        "日",
        "<!DOCTYPE html>",
        "<![CDATA[",
        "]]>",
        "<!-",
        "<textarea>",
        "</textarea>",
        "<verylongtagname>",
        "\t",
    ];

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4_000))]

        #[test]
        fn tokens_are_those_of_html5gum(pieces in proptest::collection::vec(0..PIECES.len(), 0..24)) {
            let text: String = pieces.into_iter().map(|n| PIECES[n]).collect();
            prop_assert_eq!(ours(&text), theirs(&text), "{}", text);
        }
    }
}
