//! Style sheets: the rules of `<style>` that show, hide or colour elements, by simple selectors.
//!
//! Read are `tag`, `.class`, `#id`, `tag.class`, `tag#id`, `.class.class` and lists of them, outside `@media` and
//! inside `@media screen` and `all`. Of any other rule it is not said whether it counts: it hides nothing, and what it shows stays shown. Rules
//! that belong to small screens, print and dark modes do not count. Bounded in bytes and selectors: a sheet over a limit
//! counts for nothing, since a half-read one could hide what its other half shows.

use std::borrow::Cow;
use std::collections::HashMap;

use memchr::memchr;

use super::Visibility;
use super::selector::{self, Key, Subject, hash};
use super::style::{self, Look};
use super::tags::Tag;

/// Bytes of all style sheets of a body that are read.
const MOST_BYTES: usize = 256 * 1024;
/// Selectors that are kept.
const MOST_SELECTORS: usize = 4_000;
/// Rules of one selector that are kept apart; later ones are laid over the last.
const MOST_OF_ONE: usize = 8;
/// Rules that are applied to one element.
const MOST_MATCHES: usize = 64;
/// Blocks of `@media` inside one another.
const MOST_NESTED: usize = 16;

/// Whether a rule counts.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Counts {
    Never,
    Perhaps,
    Yes,
}

/// What one rule says, and how much weight its selector gives it.
#[derive(Debug, Clone, Copy)]
struct Rule {
    /// A class the element has besides.
    also: Option<u64>,
    weight: u8,
    order: u32,
    look: Look,
}

/// The rules read so far.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    rules: HashMap<Key, Vec<Rule>>,
    /// A bit for each hash of a class or id that a rule names: most are named by none.
    named: u64,
    bytes: usize,
    selectors: u32,
    /// A limit was met.
    is_over: bool,
    /// Rules that apply to the element being read, and whether there were too many.
    matched: Vec<Rule>,
    excess: bool,
    /// Hashes of its classes that a rule names.
    classes: Vec<u64>,
}

impl Sheet {
    /// Whether no rule was read that could apply.
    pub(super) fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether a limit was met.
    pub(super) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Reads the content of a `style` element whose `media` attribute is given.
    pub(super) fn read(&mut self, css: &str, media: Option<&str>, visibility: Visibility) {
        let counts = media.map_or(Counts::Yes, counts_in);
        self.bytes += css.len();
        if self.bytes > MOST_BYTES {
            self.give_up();
        }
        if !self.is_over && counts != Counts::Never {
            self.statements(css, counts, visibility);
        }
    }

    fn give_up(&mut self) {
        self.is_over = true;
        self.rules = HashMap::new();
    }

    /// Notes the rules of an element's classes or its id.
    pub(super) fn name(&mut self, element: Tag, value: &str, is_id: bool) {
        for word in value.split_ascii_whitespace().take(if is_id { 1 } else { usize::MAX }) {
            let hash = hash(word);
            if self.named & bit(hash) == 0 {
                continue;
            }
            if !is_id && self.classes.len() < MOST_MATCHES {
                self.classes.push(hash);
            }
            let key = |tag| if is_id { Key::Id(tag, hash) } else { Key::Class(tag, hash) };
            self.matching(&key(None));
            self.matching(&key(Some(element)));
        }
    }

    fn matching(&mut self, key: &Key) {
        if let Some(rules) = self.rules.get(key) {
            let left = MOST_MATCHES.saturating_sub(self.matched.len());
            self.excess |= rules.len() > left;
            self.matched.extend(rules.iter().take(left));
        }
    }

    /// What all rules say of an element of that name whose classes and id were noted.
    pub(super) fn look(&mut self, element: Tag) -> Look {
        self.matching(&Key::Any);
        self.matching(&Key::Tag(element));
        let classes = std::mem::take(&mut self.classes);
        self.matched.retain(|rule| rule.also.is_none_or(|class| classes.contains(&class)));
        self.matched.sort_by_key(|rule| (rule.weight, rule.order));
        let look = self.matched.iter().fold(Look::default(), |weak, rule| rule.look.over(weak));
        self.matched.clear();
        self.classes = classes;
        self.classes.clear();
        // An element with more rules than are applied is left as it is.
        let excess = std::mem::take(&mut self.excess);
        self.is_over |= excess;
        if excess { Look::default() } else { look }
    }

    /// The statements of a sheet, in order.
    fn statements(&mut self, css: &str, counts: Counts, visibility: Visibility) {
        let mut blocks = vec![counts];
        let mut at = 0;
        while let Some(end) = until(css, at, b"{};") {
            let head = css[at..end].trim();
            at = end + 1;
            let within = blocks.last().copied().unwrap_or(counts);
            match css.as_bytes()[end] {
                b'}' => {
                    // One too many is passed over.
                    blocks.truncate((blocks.len() - 1).max(1));
                }
                b'{' => match condition(head) {
                    Some(condition) if blocks.len() < MOST_NESTED => blocks.push(condition.min(within)),
                    None if !head.starts_with('@') => {
                        let (block, behind) = block(css, at);
                        at = behind;
                        if let Some(block) = block.filter(|_| within != Counts::Never) {
                            self.rule(head, block, within, visibility);
                        }
                    }
                    _ => at = block(css, at).1,
                },
                _ => {}
            }
            if self.is_over {
                return;
            }
        }
    }

    fn rule(&mut self, selectors: &str, declarations: &str, counts: Counts, visibility: Visibility) {
        let look = style::read(declarations, visibility).without_marks();
        if look.is_empty() {
            return;
        }
        for subject in selector::list(bare(selectors).trim_ascii()).unwrap_or_default() {
            let sure = subject.simple && counts == Counts::Yes;
            let look = if sure { look } else { look.perhaps() };
            if !look.is_empty() {
                self.keep(subject, sure, look);
            }
        }
    }

    fn keep(&mut self, subject: Subject, sure: bool, look: Look) {
        self.selectors += 1;
        if self.selectors as usize > MOST_SELECTORS {
            self.give_up();
            return;
        }
        // What may count may count for more than it says here.
        let weight = if sure { subject.weight() } else { u8::MAX };
        let Subject { key, also, .. } = subject;
        self.named |= also.map_or(0, bit);
        if let Key::Class(_, hash) | Key::Id(_, hash) = key {
            self.named |= bit(hash);
        }
        let rules = self.rules.entry(key).or_default();
        let order = self.selectors;
        if rules.len() < MOST_OF_ONE {
            rules.push(Rule { also, weight, order, look });
        } else if let Some(last) = rules.last_mut() {
            // Nothing is hidden by what cannot be weighed any more.
            let look = look.over(last.look).perhaps();
            *last = Rule { also: None, weight: u8::MAX, order, look };
        }
    }
}

/// Whether the rules under a list of media count on a desktop's screen in daylight.
fn counts_in(media: &str) -> Counts {
    let one = |query: &str| {
        let query: String = query.chars().filter(|c| !c.is_whitespace()).collect::<String>().to_lowercase();
        match query.as_str() {
            "" | "all" | "screen" | "onlyscreen" | "onlyall" => Counts::Yes,
            _ if query.starts_with("not") => Counts::Perhaps,
            _ if ELSEWHERE.iter().any(|word| query.contains(word)) => Counts::Never,
            _ => narrow(&query),
        }
    };
    media.split(',').map(one).max().unwrap_or(Counts::Yes)
}

/// Whether a query asks for a screen that is narrower than a desktop's.
fn narrow(query: &str) -> Counts {
    let most = query.split("max-width:").nth(1).or_else(|| query.split("max-device-width:").nth(1));
    let most = most.map(|width| width.split(|c: char| !c.is_ascii_digit()).next().unwrap_or_default());
    match most.and_then(|width| width.parse::<u32>().ok()) {
        Some(width) if width < DESKTOP => Counts::Never,
        _ => Counts::Perhaps,
    }
}

/// Width of the narrowest desktop.
const DESKTOP: u32 = 1_000;

/// What a desktop's screen in daylight is not.
const ELSEWHERE: [&str; 8] =
    ["print", "speech", "aural", "handheld", "projection", "braille", "color-scheme:dark", "yahoo"];

/// What an at-rule with rules inside says of them; `None` where it has none that count, and for any other head.
fn condition(head: &str) -> Option<Counts> {
    let head = bare(head);
    let head = head.strip_prefix('@')?;
    let end = head.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(head.len());
    let (name, rest) = head.split_at(end);
    match name.to_ascii_lowercase().as_str() {
        "media" => Some(counts_in(rest)),
        "supports" | "layer" | "container" | "scope" => Some(Counts::Perhaps),
        _ => None,
    }
}

/// A part of a sheet without comments and what hides a sheet from very old programs.
fn bare(part: &str) -> Cow<'_, str> {
    let mut bare = Cow::Borrowed(part);
    if part.contains("/*") {
        bare = Cow::Owned(style::without_comments(part));
    }
    let trimmed = bare.trim_start().trim_start_matches("<!--").trim_start_matches("-->").trim_start();
    match bare.len() - trimmed.len() {
        0 => bare,
        cut => Cow::Owned(bare[cut..].to_owned()),
    }
}

/// Where one of some marks stands next, outside strings, comments and addresses.
fn until(css: &str, from: usize, marks: &[u8]) -> Option<usize> {
    let bytes = css.as_bytes();
    let mut at = from;
    while let Some(byte) = bytes.get(at) {
        match byte {
            _ if marks.contains(byte) => return Some(at),
            b'\\' => at += 1,
            b'"' | b'\'' => {
                let ends = |b: &u8| b == byte || *b == b'\n';
                at += 1 + bytes[at + 1..].iter().position(ends)?;
            }
            b'/' if bytes.get(at + 1) == Some(&b'*') => at += 3 + css.get(at + 2..)?.find("*/")?,
            b'(' if bytes[..at].ends_with(b"url") => at += memchr(b')', &bytes[at..])?,
            _ => {}
        }
        at += 1;
    }
    None
}

/// The content of the block that begins at `from`, if it holds no other block, and where it ends.
fn block(css: &str, from: usize) -> (Option<&str>, usize) {
    let (mut depth, mut at, mut flat) = (1, from, true);
    while let Some(mark) = until(css, at, b"{}") {
        at = mark + 1;
        if css.as_bytes()[mark] == b'{' {
            (depth, flat) = (depth + 1, false);
        } else {
            depth -= 1;
        }
        if depth == 0 {
            return (css.get(from..mark).filter(|_| flat), at);
        }
    }
    (css.get(from..).filter(|_| flat), css.len())
}

fn bit(hash: u64) -> u64 {
    1 << (hash >> 58)
}
