//! What the walk needs to know of HTML's elements: which break lines, hold nothing, or never hold text.
//!
//! Facts of the HTML standard, as far as they change the words seen. All facts of an element are looked up at once: a
//! comparison with each name in turn cost more than reading the tag.

use std::sync::LazyLock;

/// Tag names up to twelve bytes, compared by value; longer names are all alike and unknown.
pub(super) type Tag = [u8; 12];

/// A tag name in lower case.
pub(super) const fn tag(name: &[u8]) -> Tag {
    let mut out = [0; 12];
    if name.len() > out.len() {
        out[0] = b'?';
        return out;
    }
    let mut at = 0;
    while at < name.len() {
        out[at] = name[at].to_ascii_lowercase();
        at += 1;
    }
    out
}

/// The letters of a tag name.
pub(super) fn name(tag: &Tag) -> &[u8] {
    &tag[..tag.iter().position(|b| *b == 0).unwrap_or(tag.len())]
}

/// How an element breaks lines.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Flow {
    #[default]
    Inline,
    Block,
    Paragraph,
    Row,
    Cell,
}

/// How the characters inside an element are read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Content {
    /// As markup.
    #[default]
    Markup,
    /// As text with references.
    Text,
    /// As text that means what it says.
    Raw,
    /// As a script.
    Script,
    /// To the end of the text.
    Plain,
}

/// What is known of an element.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Facts {
    pub(super) flow: Flow,
    pub(super) content: Content,
    /// It has no content and no end tag.
    pub(super) is_void: bool,
    /// Its content is never text.
    pub(super) is_dropped: bool,
    /// A tree builder opens it again in every later block.
    pub(super) is_formatting: bool,
    /// Text inside it keeps its white space.
    pub(super) is_pre: bool,
    /// Its end tag also ends cells that were left open inside it.
    pub(super) ends_cells: bool,
    /// It is a part of a table that is no cell.
    is_table_part: bool,
    /// It stays where it is in a part of a table.
    stays_in_table: bool,
    /// Groups it belongs to, and groups whose open element it ends.
    group: u8,
    ends: u8,
}

const ITEM: u8 = 1;
const CELL: u8 = 1 << 1;
const ROW: u8 = 1 << 2;
const TERM: u8 = 1 << 3;
const OPTION: u8 = 1 << 4;
const HEAD: u8 = 1 << 5;
const PARAGRAPH: u8 = 1 << 6;

impl Facts {
    /// Whether the browser ends the open element by itself before a start tag of this one.
    pub(super) fn ends(self, open: Self) -> bool {
        self.ends & open.group != 0
    }

    /// Whether the browser moves this element out of the open part of a table.
    pub(super) fn is_moved_out(self, open: Self) -> bool {
        open.is_table_part && !self.stays_in_table
    }

    /// Whether it is a cell of a table.
    pub(super) fn is_cell(self) -> bool {
        self.group & CELL != 0
    }
}

/// Lists of names with what they say of each of them; later lists add to earlier ones.
type Says = (&'static str, fn(&mut Facts));

const SAYS: [Says; 23] = [
    ("p h1 h2 h3 h4 h5 h6 blockquote ul ol dl pre", |facts| facts.flow = Flow::Paragraph),
    (
        "div li table tbody thead tfoot caption dt dd center hr address article aside footer header section main nav \
         form fieldset legend figure figcaption body html option optgroup details summary dir menu listing xmp \
         plaintext marquee",
        |facts| facts.flow = Flow::Block,
    ),
    ("tr", |facts| facts.flow = Flow::Row),
    ("td th", |facts| facts.flow = Flow::Cell),
    (
        "br hr img input meta link base area col embed param source track wbr basefont bgsound frame keygen image",
        |facts| facts.is_void = true,
    ),
    (
        "script style title template head textarea iframe noembed noframes object audio video canvas svg math datalist",
        |facts| facts.is_dropped = true,
    ),
    ("a b big code em font i nobr s small strike strong tt u", |facts| facts.is_formatting = true),
    ("pre listing xmp plaintext", |facts| facts.is_pre = true),
    ("title textarea", |facts| facts.content = Content::Text),
    ("style iframe xmp noembed noframes", |facts| facts.content = Content::Raw),
    ("script", |facts| facts.content = Content::Script),
    ("plaintext", |facts| facts.content = Content::Plain),
    ("table tr td th tbody thead tfoot body html", |facts| facts.ends_cells = true),
    ("table tbody thead tfoot tr", |facts| facts.is_table_part = true),
    ("table tbody thead tfoot tr td th caption col colgroup form", |facts| facts.stays_in_table = true),
    ("li", |facts| facts.belongs(ITEM)),
    ("td th", |facts| facts.belongs(CELL)),
    ("tr", |facts| facts.belongs(ROW)),
    ("dt dd", |facts| facts.belongs(TERM)),
    ("option", |facts| facts.belongs(OPTION)),
    ("head", |facts| facts.group = HEAD),
    ("body", |facts| facts.ends = HEAD),
    ("p", |facts| facts.group = PARAGRAPH),
];

impl Facts {
    /// Of two elements of a group that is no paragraph the second ends the first.
    fn belongs(&mut self, group: u8) {
        self.group = group;
        self.ends = group;
    }
}

/// Places for facts: four times as many as there are names, so that a name is found where its hash says.
const PLACES: usize = 512;

static FACTS: LazyLock<Vec<(Tag, Facts)>> = LazyLock::new(|| {
    let mut places = vec![(Tag::default(), Facts::default()); PLACES];
    for (names, say) in SAYS {
        for name in names.split(' ') {
            let tag = tag(name.as_bytes());
            let at = place(&places, &tag);
            places[at].0 = tag;
            say(&mut places[at].1);
        }
    }
    for (_, facts) in &mut places {
        // What breaks lines ends a paragraph.
        if facts.ends == 0 && facts.flow != Flow::Inline {
            facts.ends = PARAGRAPH;
        }
    }
    places
});

/// Where a name stands, or the free place where it would.
fn place(places: &[(Tag, Facts)], tag: &Tag) -> usize {
    let mut at = hash(tag) >> 23;
    while places[at].0 != *tag && places[at].0 != Tag::default() {
        at = (at + 1) % PLACES;
    }
    at
}

/// All that is known of an element; nothing of an unknown one.
pub(super) fn facts(tag: &Tag) -> Facts {
    let places = &*FACTS;
    places[place(places, tag)].1
}

/// A number of 32 bits for a name; its upper bits are the best mixed.
pub(super) fn hash(tag: &Tag) -> usize {
    let [a, b, c, d, e, f, g, h, i, j, k, l] = *tag;
    let low = u64::from_le_bytes([a, b, c, d, e, f, g, h]);
    let high = u64::from(u32::from_le_bytes([i, j, k, l]));
    let mixed = (low ^ high.rotate_left(17)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    (mixed >> 32) as usize
}

#[cfg(test)]
mod tests {
    use super::{FACTS, Facts, Flow, PLACES, SAYS, Tag, facts, tag};

    #[test]
    fn every_name_has_a_place_of_its_own_and_an_unknown_one_none() {
        let mut names: Vec<&str> = SAYS.iter().flat_map(|(names, _)| names.split(' ')).collect();
        names.sort_unstable();
        names.dedup();
        let taken = FACTS.iter().filter(|(name, _)| *name != Tag::default()).count();
        assert_eq!(taken, names.len());
        assert!(taken * 4 <= PLACES, "{taken} names");
        for unknown in ["span", "x", "averyverylongname", "o:p"] {
            assert_eq!(facts(&tag(unknown.as_bytes())), Facts::default(), "{unknown}");
        }
    }

    #[test]
    fn ends_that_browsers_imply() {
        let ends = |next: &str, open: &str| facts(&tag(next.as_bytes())).ends(facts(&tag(open.as_bytes())));
        for (next, open) in [
            ("LI", "li"),
            ("td", "th"),
            ("tr", "tr"),
            ("dd", "dt"),
            ("body", "head"),
            ("div", "p"),
            ("p", "p"),
        ] {
            assert!(ends(next, open), "{next} {open}");
        }
        for (next, open) in [("li", "p"), ("td", "p"), ("tr", "td"), ("b", "p"), ("p", "div"), ("hr", "li")] {
            assert!(!ends(next, open), "{next} {open}");
        }
        assert_eq!(facts(&tag(b"hr")).flow, Flow::Block);
        assert!(facts(&tag(b"hr")).is_void && facts(&tag(b"span")).is_moved_out(facts(&tag(b"tr"))));
    }
}
