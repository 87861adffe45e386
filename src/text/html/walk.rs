//! The token walk: a bounded stack of open elements decides what is visible and where blocks end.
//!
//! It follows the browser's rules for implied ends only as far as they change the words seen.

use html5gum::emitters::callback::{CallbackEmitter, CallbackEvent};
use html5gum::{State, Tokenizer};

use super::links::{host, means_something};
use super::style::{self, Look};
use super::tags::{Flow, Tag, flow, is_dropped, is_void, tag};
use super::writer::Writer;
use super::{Extract, Mark, MarkKind, Visibility};
use crate::text::body::{Link, Status};

/// Elements deeper than this are read as if they stood at this depth, as browsers do.
const MAX_DEPTH: usize = 512;
/// Attributes of one tag that are looked at.
pub(super) const MAX_ATTRIBUTES: usize = 256;

/// Extract the text of `markup`.
pub(super) fn run(markup: &str, visibility: Visibility) -> Extract {
    let mut walk = Walk::new(visibility);
    {
        let emitter =
            CallbackEmitter::new(|event: CallbackEvent<'_>, _span: html5gum::Span<()>| walk.event(event));
        let mut tokenizer = Tokenizer::new_with_emitter(markup, emitter);
        while let Some(Ok(state)) = tokenizer.next() {
            tokenizer.set_state(state);
        }
    }
    walk.finish()
}

/// An open element.
#[derive(Debug)]
struct Open {
    name: Tag,
    hidden: bool,
    invisible: bool,
    pre: bool,
    color: Option<u32>,
    background: Option<u32>,
    /// Index of the mark or link to close with the element.
    mark: Option<usize>,
    link: Option<usize>,
}

#[derive(Debug)]
struct Walk {
    out: Writer,
    visibility: Visibility,
    stack: Vec<Open>,
    /// Open elements beyond the depth limit.
    excess: usize,
    marks: Vec<Mark>,
    links: Vec<Link>,
    status: Status,
    // The start tag being read.
    name: Vec<u8>,
    attribute: Vec<u8>,
    attributes: usize,
    look: Look,
    hidden_attribute: bool,
    kind: Option<MarkKind>,
    href: Option<String>,
    alt: Option<String>,
    small: bool,
    cite: bool,
    cells: usize,
}

impl Walk {
    fn new(visibility: Visibility) -> Self {
        Self {
            out: Writer::default(),
            visibility,
            stack: Vec::with_capacity(32),
            excess: 0,
            marks: Vec::new(),
            links: Vec::new(),
            status: Status::Ok,
            name: Vec::new(),
            attribute: Vec::new(),
            attributes: 0,
            look: Look::default(),
            hidden_attribute: false,
            kind: None,
            href: None,
            alt: None,
            small: false,
            cite: false,
            cells: 0,
        }
    }

    fn event(&mut self, event: CallbackEvent<'_>) -> Option<State> {
        match event {
            CallbackEvent::String { value } => self.text(value),
            CallbackEvent::OpenStartTag { name } => self.begin(name),
            CallbackEvent::AttributeName { name } => self.attribute_name(name),
            CallbackEvent::AttributeValue { value } => self.attribute_value(value),
            CallbackEvent::CloseStartTag { self_closing } => return self.open(self_closing),
            CallbackEvent::EndTag { name } => self.close(name),
            CallbackEvent::Comment { .. } | CallbackEvent::Doctype { .. } | CallbackEvent::Error(_) => {}
        }
        None
    }

    fn text(&mut self, value: &[u8]) {
        let (hidden, pre) = self.stack.last().map_or((false, false), |o| (o.hidden || o.invisible, o.pre));
        if !hidden {
            self.out.push(&String::from_utf8_lossy(value), pre);
        }
    }

    fn begin(&mut self, name: &[u8]) {
        self.name.clear();
        self.name.extend_from_slice(name);
        self.attributes = 0;
        self.look = Look::default();
        self.hidden_attribute = false;
        self.kind = None;
        self.href = None;
        self.alt = None;
        self.small = false;
        self.cite = false;
    }

    fn attribute_name(&mut self, name: &[u8]) {
        self.attribute.clear();
        self.attributes += 1;
        if self.attributes > MAX_ATTRIBUTES {
            self.status = Status::Capped;
            return;
        }
        self.attribute.extend_from_slice(&name[..name.len().min(32)]);
        if name == b"hidden" {
            self.hidden_attribute = true;
        }
    }

    fn attribute_value(&mut self, value: &[u8]) {
        match self.attribute.as_slice() {
            b"style" => {
                let value = String::from_utf8_lossy(&value[..value.len().min(8192)]);
                let pre = self.look.pre;
                let background = self.look.background;
                self.look = style::read(&value, self.visibility);
                self.look.pre = self.look.pre.or(pre);
                self.look.background = self.look.background.or(background);
            }
            b"class" | b"id" | b"name" | b"data-marker" => self.client_mark(&value[..value.len().min(512)]),
            b"type" => self.cite |= value.eq_ignore_ascii_case(b"cite"),
            b"href" => {
                self.href = Some(String::from_utf8_lossy(&value[..value.len().min(2048)]).into_owned())
            }
            b"alt" => self.alt = Some(String::from_utf8_lossy(&value[..value.len().min(300)]).into_owned()),
            b"width" | b"height" => self.small |= matches!(value, b"0" | b"1" | b"1px" | b"0px"),
            b"bgcolor" if self.visibility == Visibility::Reader => {
                self.look.background = style::color(&String::from_utf8_lossy(value).to_ascii_lowercase());
            }
            b"color" if self.visibility == Visibility::Reader => {
                self.look.color = style::color(&String::from_utf8_lossy(value).to_ascii_lowercase());
            }
            _ => {}
        }
    }

    /// The marks clients leave in classes, ids and names.
    fn client_mark(&mut self, value: &[u8]) {
        for word in value.split(u8::is_ascii_whitespace) {
            let word = word.strip_prefix(b"x_").unwrap_or(word);
            let kind = match word {
                b"gmail_quote" if self.name == b"blockquote" => MarkKind::Blockquote,
                b"gmail_quote" => MarkKind::Frame,
                b"yahoo_quoted"
                | b"moz-forward-container"
                | b"protonmail_quote"
                | b"zmail_extra"
                | b"tutanota_quote"
                | b"skiff_quote"
                | b"isReplyContent"
                | b"isForwardContent"
                | b"origbody"
                | b"reply139content"
                | b"OLK_SRC_BODY_SECTION"
                | b"quote"
                | b"mail-editor-reference-message-container"
                | b"AppleOriginalContents" => MarkKind::Quote,
                b"divRplyFwdMsg"
                | b"appendonsend"
                | b"oriMsgHtmlSeperator"
                | b"replySplit"
                | b"stopSpelling"
                | b"__DIVIDER__" => MarkKind::Header,
                b"gmail_attr" | b"moz-cite-prefix" => MarkKind::Attribution,
                b"gmail_signature"
                | b"moz-signature"
                | b"protonmail_signature_block"
                | b"Signature"
                | b"AppleMailSignature"
                | b"ms-outlook-mobile-signature"
                | b"hs_signature" => MarkKind::Signature,
                b"hs_cos_wrapper_email_can_spam" => MarkKind::Footer,
                _ => continue,
            };
            self.kind = Some(kind);
        }
    }

    fn open(&mut self, _self_closing: bool) -> Option<State> {
        let name = std::mem::take(&mut self.name);
        self.imply_ends(&name);
        self.breaks(&name, true);
        if is_void(&name) {
            self.void(&name);
            self.name = name;
            return None;
        }
        self.push(&name);
        let next = match name.as_slice() {
            b"textarea" | b"title" => Some(State::RcData),
            b"plaintext" => Some(State::PlainText),
            b"script" => Some(State::ScriptData),
            b"style" | b"iframe" | b"xmp" | b"noembed" | b"noframes" => Some(State::RawText),
            _ => None,
        };
        self.name = name;
        next
    }

    /// Elements without content: line ends, rules, images.
    fn void(&mut self, name: &[u8]) {
        let shown = !self.stack.last().is_some_and(|o| o.hidden || o.invisible);
        match name {
            b"br" if shown => self.out.line(),
            b"hr" if self.kind == Some(MarkKind::Header) => {
                let at = self.out.position();
                self.marks.push(Mark { range: at..at, kind: MarkKind::Header });
            }
            b"img" if shown && self.visibility == Visibility::Reader && !self.small && !self.look.hidden => {
                let alt = self.alt.take().unwrap_or_default();
                if means_something(&alt) {
                    self.out.space();
                    self.out.push(&alt, false);
                    self.out.space();
                }
            }
            b"input" => self.out.space(),
            _ => {}
        }
    }

    fn push(&mut self, name: &[u8]) {
        let parent = self.stack.last();
        let hidden =
            parent.is_some_and(|o| o.hidden) || is_dropped(name) || self.look.hidden || self.hidden_attribute;
        let background = self.look.background.or(parent.and_then(|o| o.background));
        let color = self.look.color.or(parent.and_then(|o| o.color));
        let invisible =
            self.look.shown.map_or(parent.is_some_and(|o| o.invisible && o.background == background), |s| !s)
                || self.visibility == Visibility::Reader
                    && color.is_some()
                    && color == background.or(Some(0x0100_0000));
        let pre = self.look.pre.unwrap_or(
            matches!(name, b"pre" | b"listing" | b"xmp" | b"plaintext") || parent.is_some_and(|o| o.pre),
        );
        if self.stack.len() >= MAX_DEPTH {
            self.excess += 1;
            self.status = Status::Capped;
            if hidden && let Some(top) = self.stack.last_mut() {
                top.hidden = true;
            }
            return;
        }
        let (mark, link) = if hidden { (None, None) } else { (self.mark(name), self.link(name)) };
        self.stack.push(Open { name: tag(name), hidden, invisible, pre, color, background, mark, link });
    }

    fn mark(&mut self, name: &[u8]) -> Option<usize> {
        let kind = match name {
            b"blockquote" if self.cite => MarkKind::Cite,
            _ if self.kind.is_some() => self.kind?,
            b"signature" => MarkKind::Signature,
            b"blockquote" if self.cite || self.look.cited => MarkKind::Cite,
            b"blockquote" => MarkKind::Blockquote,
            b"pre" | b"code" => MarkKind::Code,
            b"div" if self.look.rule => MarkKind::Rule,
            _ => return None,
        };
        let at = self.out.position();
        self.marks.push(Mark { range: at..at, kind });
        Some(self.marks.len() - 1)
    }

    fn link(&mut self, name: &[u8]) -> Option<usize> {
        if name != b"a" {
            return None;
        }
        let domain = host(self.href.as_deref()?)?;
        let at = self.out.position();
        self.links.push(Link { range: at..at, domain });
        Some(self.links.len() - 1)
    }

    /// Ends the browser adds by itself before a start tag.
    fn imply_ends(&mut self, name: &[u8]) {
        let Some(top) = self.stack.last() else { return };
        let top = top.name;
        let same = |names: &[&[u8]]| names.iter().any(|n| tag(n) == top);
        let implied = match name {
            b"li" => same(&[b"li"]),
            b"td" | b"th" => same(&[b"td", b"th"]),
            b"tr" => same(&[b"tr"]),
            b"dt" | b"dd" => same(&[b"dt", b"dd"]),
            b"option" => same(&[b"option"]),
            b"body" => same(&[b"head"]),
            _ if flow(name) != Flow::Inline => same(&[b"p"]),
            _ => false,
        };
        if implied {
            self.pop();
        }
        if name == b"body" || name != b"meta" && name != b"link" && flow(name) != Flow::Inline {
            self.leave_head();
        }
    }

    /// Content ends a head that was never closed.
    fn leave_head(&mut self) {
        if self.stack.last().is_some_and(|o| o.name == tag(b"head")) {
            self.pop();
        }
    }

    fn breaks(&mut self, name: &[u8], opening: bool) {
        if self.stack.last().is_some_and(|o| o.hidden) {
            return;
        }
        match flow(name) {
            Flow::Inline => {}
            Flow::Block => self.out.block(1),
            Flow::Paragraph => self.out.block(2),
            Flow::Row => {
                self.out.block(1);
                self.cells = 0;
            }
            Flow::Cell if opening => {
                self.cells += 1;
                if self.cells > 1 {
                    self.out.cell();
                }
            }
            Flow::Cell => self.out.space(),
        }
    }

    fn close(&mut self, name: &[u8]) {
        if name == b"br" {
            self.out.line();
            return;
        }
        let wanted = tag(name);
        if self.excess > 0 {
            self.excess -= 1;
            self.breaks(name, false);
            return;
        }
        let table = matches!(
            name,
            b"table" | b"tr" | b"td" | b"th" | b"tbody" | b"thead" | b"tfoot" | b"body" | b"html"
        );
        let mut found = None;
        for (depth, open) in self.stack.iter().enumerate().rev() {
            if open.name == wanted {
                found = Some(depth);
                break;
            }
            if !table && matches!(&open.name[..3], b"td\0" | b"th\0") {
                break;
            }
        }
        if let Some(depth) = found {
            while self.stack.len() > depth {
                self.pop();
            }
        }
        self.breaks(name, false);
    }

    fn pop(&mut self) {
        let Some(open) = self.stack.pop() else { return };
        let end = self.out.position();
        if let Some(mark) = open.mark.and_then(|m| self.marks.get_mut(m)) {
            mark.range.end = end;
        }
        if let Some(link) = open.link.and_then(|l| self.links.get_mut(l)) {
            link.range.end = end;
        }
    }

    fn finish(mut self) -> Extract {
        while !self.stack.is_empty() {
            self.pop();
        }
        let mut text = self.out.text;
        text.truncate(text.trim_end().len());
        let end = text.len();
        let start_of = |at: usize| {
            let at = text.floor_char_boundary(at.min(end));
            at + (text[at..].len() - text[at..].trim_start_matches([' ', '\n', '|']).len())
        };
        for mark in &mut self.marks {
            mark.range = start_of(mark.range.start)
                ..text.floor_char_boundary(mark.range.end).max(start_of(mark.range.start));
        }
        for link in &mut self.links {
            link.range = start_of(link.range.start)
                ..text.floor_char_boundary(link.range.end).max(start_of(link.range.start));
        }
        self.links.retain(|l| !l.range.is_empty());
        Extract { text, marks: self.marks, links: self.links, status: self.status }
    }
}
