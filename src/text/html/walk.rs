//! The token walk: a bounded stack of open elements decides what is visible and where blocks end.
//!
//! It follows the browser's rules for implied ends only as far as they change the words seen.

use memchr::memchr;

use super::links::{host, means_something};
use super::marks;
use super::sheet::Sheet;
use super::style::{self, CLEAR, Look, Paint, Parts};
use super::tags::{self, Facts, Flow, Tag, tag};
use super::tokens::{Attribute, Token, Tokens};
use super::writer::Writer;
use super::{Extract, Mark, MarkKind, Visibility, references};
use crate::text::body::{Link, Status};

/// Elements deeper than this are read as if they stood at this depth, as browsers do.
const MAX_DEPTH: usize = 512;

/// Extract the text of `markup`. It is read a second time where a style sheet stands behind text it may apply to.
pub(super) fn run(markup: &str, visibility: Visibility) -> Extract {
    let mut walk = Walk::new(visibility);
    walk.read(markup);
    if walk.is_late {
        walk = Walk { sheet: walk.sheet, is_told: true, ..Walk::new(visibility) };
        walk.read(markup);
    }
    walk.finish()
}

/// An open element.
#[derive(Debug)]
struct Open {
    name: Tag,
    facts: Facts,
    hidden: bool,
    /// `visibility` hides it.
    invisible: bool,
    /// Its letters have no size.
    tiny: bool,
    /// Its own text is not seen, for one reason or another.
    unseen: bool,
    pre: bool,
    color: Option<u32>,
    background: Option<u32>,
    parts: Parts,
    /// Index of the mark or link to close with the element.
    mark: Option<usize>,
    link: Option<usize>,
}

/// The state of a walk: what is open, what was written.
#[derive(Debug)]
pub(super) struct Walk {
    out: Writer,
    visibility: Visibility,
    stack: Vec<Open>,
    /// Open elements beyond the depth limit.
    excess: usize,
    marks: Vec<Mark>,
    links: Vec<Link>,
    status: Status,
    sheet: Sheet,
    /// All style sheets were read before.
    is_told: bool,
    /// A style sheet stands behind text.
    is_late: bool,
    /// Open elements by a hash of their names: what is not open need not be looked for.
    open: [u16; 64],
    // The start tag being read.
    name: Tag,
    facts: Facts,
    /// Attributes seen, as bits: of two with one name the first counts.
    seen: u16,
    /// What the `style` attribute says, and what older attributes say.
    inline: Look,
    hint: Look,
    /// All of that together with the style sheets.
    look: Look,
    media: Option<String>,
    /// A `style` element that is no CSS.
    other_type: bool,
    kind: Option<MarkKind>,
    href: Option<String>,
    alt: Option<String>,
    small: bool,
    cite: bool,
    cells: usize,
}

/// The attributes that say something, by their length and by their place among all of them.
const ATTRIBUTES: [&[(u8, &str)]; 12] = [
    &[],
    &[],
    &[(0, "id")],
    &[(1, "alt")],
    &[(2, "href"), (3, "name"), (4, "type")],
    &[(5, "style"), (6, "class"), (7, "width"), (8, "color"), (9, "media")],
    &[(10, "height"), (11, "hidden")],
    &[(12, "bgcolor")],
    &[],
    &[],
    &[(13, "background")],
    &[(14, "data-marker")],
];

/// The attribute of that name, whatever its case.
fn known(name: &str) -> Option<(u8, &'static str)> {
    ATTRIBUTES.get(name.len())?.iter().find(|(_, known)| known.eq_ignore_ascii_case(name)).copied()
}

impl Walk {
    pub(super) fn new(visibility: Visibility) -> Self {
        Self {
            out: Writer::default(),
            visibility,
            stack: Vec::with_capacity(32),
            excess: 0,
            marks: Vec::new(),
            links: Vec::new(),
            status: Status::Ok,
            sheet: Sheet::default(),
            is_told: false,
            is_late: false,
            open: [0; 64],
            name: [0; 12],
            facts: Facts::default(),
            seen: 0,
            inline: Look::default(),
            hint: Look::default(),
            look: Look::default(),
            media: None,
            other_type: false,
            kind: None,
            href: None,
            alt: None,
            small: false,
            cite: false,
            cells: 0,
        }
    }

    /// A walk over `markup` that knows all its style sheets before it begins.
    pub(super) fn informed(markup: &str, visibility: Visibility) -> Self {
        let mut first = Self::new(visibility);
        first.read(markup);
        Self { sheet: first.sheet, is_told: true, ..Self::new(visibility) }
    }

    fn read(&mut self, markup: &str) {
        let mut tokens = Tokens::new(markup);
        while let Some(token) = tokens.next() {
            match token {
                Token::Text(text) => self.text(text, true),
                Token::Raw(text) => self.raw(text),
                Token::End(name) => self.close(&name),
                Token::Start(name) => self.start(name, tokens.attributes()),
            }
        }
    }

    /// Whether text at this place is not seen.
    pub(super) fn is_hidden(&self) -> bool {
        self.stack.last().is_some_and(|o| o.hidden || o.unseen)
    }

    fn text(&mut self, text: &str, references: bool) {
        if self.is_hidden() {
            return;
        }
        let pre = self.stack.last().is_some_and(|o| o.pre);
        let mut rest = text;
        while references && let Some(at) = memchr(b'&', rest.as_bytes()) {
            self.out.push(&rest[..at], pre);
            let ((first, second), len) = references::read(&rest[at..], false).unwrap_or((('&', None), 1));
            for c in [Some(first), second].into_iter().flatten() {
                self.out.push(c.encode_utf8(&mut [0; 4]), pre);
            }
            rest = &rest[at + len..];
        }
        self.out.push(rest, pre);
    }

    /// Characters of an element that holds no other: text, or a style sheet.
    pub(super) fn raw(&mut self, text: &str) {
        let top = self.stack.last().map(|open| open.name);
        if top != Some(tag(b"style")) {
            self.text(text, false);
            return;
        }
        if self.is_told || self.other_type || self.stack.iter().any(|open| open.name == tag(b"template")) {
            return;
        }
        self.sheet.read(text, self.media.as_deref(), self.visibility);
        self.is_late |= self.out.position() > 0 && !self.sheet.is_empty();
    }

    /// A start tag with its attributes, and whether it had more of them than are kept.
    pub(super) fn start(&mut self, name: Tag, (attributes, excess): (&[Attribute<'_>], bool)) {
        self.begin(name);
        attributes.iter().for_each(|attribute| self.attribute(attribute));
        if excess {
            self.status = Status::Capped;
        }
        self.open();
    }

    fn begin(&mut self, name: Tag) {
        self.name = name;
        self.facts = tags::facts(&name);
        // Most tags say nothing of what is kept here.
        if self.seen == 0 {
            return;
        }
        self.seen = 0;
        self.inline = Look::default();
        self.hint = Look::default();
        self.media = None;
        self.other_type = false;
        self.kind = None;
        self.href = None;
        self.alt = None;
        self.small = false;
        self.cite = false;
    }

    fn attribute(&mut self, attribute: &Attribute<'_>) {
        let Some((n, name)) = known(attribute.name) else { return };
        if self.seen & (1 << n) != 0 {
            return;
        }
        self.seen |= 1 << n;
        let value = |most: usize| {
            let part = attribute.value;
            references::decode(&part[..part.floor_char_boundary(most)], true)
        };
        match name {
            "style" => self.inline = style::read(&value(usize::MAX), self.visibility),
            known @ ("class" | "id" | "name" | "data-marker") => {
                let value = value(512);
                self.kind = marks::of_client(value.as_bytes(), self.name).or(self.kind);
                if !self.sheet.is_empty() && matches!(known, "class" | "id") {
                    self.sheet.name(self.name, &value, known == "id");
                }
            }
            "type" => {
                self.cite |= attribute.value.eq_ignore_ascii_case("cite");
                self.other_type = !matches!(attribute.value.trim(), "" | "text/css" | "TEXT/CSS");
            }
            "media" => self.media = Some(value(300).into_owned()),
            "href" => self.href = Some(value(2048).into_owned()),
            "alt" => self.alt = Some(value(300).into_owned()),
            "width" | "height" => self.small |= matches!(attribute.value, "0" | "1" | "1px" | "0px"),
            "hidden" => self.hint = Look::none().over(self.hint),
            "bgcolor" if self.visibility == Visibility::Reader => {
                self.hint = Look::attribute(None, Some(Paint::read(&value(64)))).over(self.hint);
            }
            "color" if self.visibility == Visibility::Reader => {
                self.hint = Look::attribute(Some(Paint::read(&value(64))), None).over(self.hint);
            }
            "background" if self.visibility == Visibility::Reader => {
                self.hint = Look::attribute(None, Some(Paint::Unknown)).over(self.hint);
            }
            _ => {}
        }
    }

    fn open(&mut self) {
        self.look = match (self.seen, self.sheet.is_empty()) {
            (0, true) => Look::default(),
            (_, true) => self.inline.over(self.hint),
            _ => self.inline.over(self.sheet.look(self.name).over(self.hint)),
        };
        self.imply_ends();
        self.breaks(self.facts, true);
        if self.facts.is_void {
            self.void();
        } else {
            self.push();
        }
    }

    /// Elements without content: line ends, rules, images.
    fn void(&mut self) {
        let shown = !self.is_hidden();
        match tags::name(&self.name) {
            // Letters that are not seen end their line all the same.
            b"br" if !self.stack.last().is_some_and(|o| o.hidden) => self.out.line(),
            b"hr" if self.kind == Some(MarkKind::Header) => {
                let at = self.out.position();
                self.marks.push(Mark { range: at..at, kind: MarkKind::Header });
            }
            b"img"
                if shown
                    && self.visibility == Visibility::Reader
                    && !self.small
                    && !self.look.is_hidden() =>
            {
                let alt = self.alt.take().unwrap_or_default();
                self.out.space();
                if means_something(&alt) {
                    self.out.push(&alt, false);
                    self.out.space();
                }
            }
            b"input" => self.out.space(),
            _ => {}
        }
    }

    fn push(&mut self) {
        let (name, facts) = (self.name, self.facts);
        let parent = self.stack.last();
        let hidden = parent.is_some_and(|o| o.hidden) || facts.is_dropped || self.look.is_hidden();
        // What stands in a table but in none of its cells is moved before it, where another background is.
        let behind = parent.filter(|o| !facts.is_moved_out(o.facts)).and_then(|o| o.background);
        let background = self.look.background(behind);
        // A link has a colour of its own, whatever is around it.
        let linked = name == tag(b"a") && self.href.is_some() && !self.look.has_color();
        let color = if linked { None } else { self.look.color(parent.and_then(|o| o.color)) };
        let invisible = self.look.shown().map_or(parent.is_some_and(|o| o.invisible), |shown| !shown);
        let tiny = self.look.tiny().unwrap_or(parent.is_some_and(|o| o.tiny));
        let unseen = invisible
            || tiny
            || self.visibility == Visibility::Reader
                && (color == Some(CLEAR)
                    || color.zip(background).is_some_and(|(text, behind)| style::alike(text, behind)));
        let pre = self.look.pre.unwrap_or(facts.is_pre || parent.is_some_and(|o| o.pre));
        if self.stack.len() >= MAX_DEPTH {
            self.excess += 1;
            self.status = Status::Capped;
            if hidden && let Some(top) = self.stack.last_mut() {
                top.hidden = true;
            }
            return;
        }
        let (mark, link) = if hidden { (None, None) } else { (self.mark(), self.link()) };
        let parts = if hidden { Parts::No } else { self.parts() };
        self.part(parts);
        self.open[slot(&name)] += 1;
        self.stack.push(Open {
            name,
            facts,
            hidden,
            invisible,
            tiny,
            unseen,
            pre,
            color,
            background,
            parts,
            mark,
            link,
        });
    }

    /// How the style of an element that runs on within a line sets it apart.
    fn parts(&self) -> Parts {
        match self.look.parts {
            Some(parts) if self.facts.flow == Flow::Inline => parts,
            _ => Parts::No,
        }
    }

    fn part(&mut self, parts: Parts) {
        match parts {
            Parts::Line => self.out.block(1),
            // A selection holds no blank where only the eye sees a gap.
            Parts::Word if self.visibility == Visibility::Reader => self.out.space(),
            Parts::Word | Parts::No => {}
        }
    }

    fn mark(&mut self) -> Option<usize> {
        let kind = match tags::name(&self.name) {
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

    fn link(&mut self) -> Option<usize> {
        if self.name != tag(b"a") {
            return None;
        }
        let domain = host(self.href.as_deref()?)?;
        let at = self.out.position();
        self.links.push(Link { range: at..at, domain });
        Some(self.links.len() - 1)
    }

    /// Ends the browser adds by itself before a start tag.
    fn imply_ends(&mut self) {
        if self.stack.last().is_some_and(|top| self.facts.ends(top.facts)) {
            self.pop();
        }
        if self.facts.flow != Flow::Inline {
            self.leave_head();
        }
    }

    /// Content ends a head that was never closed.
    fn leave_head(&mut self) {
        if self.stack.last().is_some_and(|o| o.name == tag(b"head")) {
            self.pop();
        }
    }

    fn breaks(&mut self, element: Facts, opening: bool) {
        if element.flow == Flow::Inline || self.stack.last().is_some_and(|o| o.hidden) {
            return;
        }
        match element.flow {
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

    pub(super) fn close(&mut self, tag: &Tag) {
        if *tag == tags::tag(b"br") {
            self.out.line();
            return;
        }
        let facts = tags::facts(tag);
        if self.excess > 0 {
            self.excess -= 1;
        } else if self.open[slot(tag)] > 0 {
            self.close_open(tag, facts);
        }
        self.breaks(facts, false);
    }

    /// Closes the element of that name, if one is open within the cell.
    fn close_open(&mut self, tag: &Tag, facts: Facts) {
        let mut found = None;
        for (depth, open) in self.stack.iter().enumerate().rev() {
            if open.name == *tag {
                found = Some(depth);
                break;
            }
            if !facts.ends_cells && open.facts.is_cell() {
                break;
            }
        }
        if let Some(depth) = found {
            while self.stack.len() > depth {
                self.pop();
            }
        }
    }

    fn pop(&mut self) {
        let Some(open) = self.stack.pop() else { return };
        self.open[slot(&open.name)] -= 1;
        let end = self.out.position();
        self.part(open.parts);
        if let Some(mark) = open.mark.and_then(|m| self.marks.get_mut(m)) {
            mark.range.end = end;
        }
        if let Some(link) = open.link.and_then(|l| self.links.get_mut(l)) {
            link.range.end = end;
        }
    }

    fn finish(mut self) -> Extract {
        if self.sheet.is_over() {
            self.status = Status::Capped;
        }
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

/// The place of a name among [`Walk::open`].
fn slot(tag: &Tag) -> usize {
    tags::hash(tag) >> 26
}
