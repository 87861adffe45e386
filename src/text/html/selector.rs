//! Selectors of style sheets: which elements a list of them means, and whether a browser takes the list at all.
//!
//! One member that is no selector makes browsers drop the whole rule, so every part of a list is read, also what is
//! not matched later. It does not match: [`super::sheet`] does.

use super::tags::{Tag, tag};
use super::values::escape;

/// Selectors inside one another, as `:not()` holds them, that are read.
const MOST_NESTED: u8 = 3;

/// What a selector asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(super) enum Key {
    /// Every element.
    Any,
    Tag(Tag),
    /// The hash of a class, of that tag only if one is named.
    Class(Option<Tag>, u64),
    Id(Option<Tag>, u64),
}

/// The elements a selector may mean.
#[derive(Debug, Clone, Copy)]
pub(super) struct Subject {
    pub(super) key: Key,
    /// The hash of a class they have besides.
    pub(super) also: Option<u64>,
    /// It means all of those.
    pub(super) simple: bool,
}

impl Subject {
    /// How much weight the selector gives a rule, as far as it is read.
    pub(super) fn weight(&self) -> u8 {
        let (name, element) = match self.key {
            Key::Any => (0, None),
            Key::Tag(tag) => (0, Some(tag)),
            Key::Class(tag, _) => (4, tag),
            Key::Id(tag, _) => (16, tag),
        };
        name + u8::from(element.is_some()) + if self.also.is_some() { 4 } else { 0 }
    }
}

/// What a list of selectors means; `None` where a browser drops the rule.
pub(super) fn list(text: &str) -> Option<Vec<Subject>> {
    let mut reader = Reader { doubt: false, nested: 0 };
    let mut subjects = reader.list(text)?;
    if reader.doubt {
        subjects.iter_mut().for_each(|subject| subject.simple = false);
    }
    Some(subjects)
}

/// Classes, as `:first-child`, and parts, as `::marker`, that every browser knows.
const KNOWN: [&str; 37] = [
    "link",
    "any-link",
    "root",
    "empty",
    "first-child",
    "last-child",
    "only-child",
    "first-of-type",
    "last-of-type",
    "only-of-type",
    "nth-child",
    "nth-last-child",
    "nth-of-type",
    "nth-last-of-type",
    "not",
    "is",
    "where",
    "lang",
    "checked",
    "disabled",
    "enabled",
    "default",
    "indeterminate",
    "required",
    "optional",
    "read-only",
    "read-write",
    "valid",
    "invalid",
    "in-range",
    "out-of-range",
    "placeholder-shown",
    "defined",
    "scope",
    "marker",
    "backdrop",
    "fullscreen",
];

/// States and parts an element does not have where nobody touches it.
const PASSING: [&str; 13] = [
    "hover",
    "active",
    "focus",
    "focus-within",
    "focus-visible",
    "visited",
    "target",
    "before",
    "after",
    "first-line",
    "first-letter",
    "selection",
    "placeholder",
];

/// A compound selector as it is read.
#[derive(Debug, Default)]
struct Compound {
    element: Option<Tag>,
    id: Option<u64>,
    classes: [Option<u64>; 2],
    /// More is asked for than is kept.
    more: bool,
    /// No element can be meant.
    none: bool,
}

#[derive(Debug)]
struct Reader {
    /// Something was read of which it is not known whether browsers take it.
    doubt: bool,
    nested: u8,
}

impl Reader {
    fn list(&mut self, text: &str) -> Option<Vec<Subject>> {
        let mut subjects = Vec::new();
        let mut rest = text;
        loop {
            let (subject, behind) = self.complex(rest.trim_ascii_start())?;
            subjects.extend(subject);
            match behind.strip_prefix(',') {
                Some(next) => rest = next,
                None => return behind.is_empty().then_some(subjects),
            }
        }
    }

    /// Compounds with what stands between them, up to a comma.
    fn complex<'a>(&mut self, text: &'a str) -> Option<(Option<Subject>, &'a str)> {
        let (mut rest, mut alone) = (text, true);
        loop {
            let (compound, behind) = self.compound(rest)?;
            let next = behind.trim_ascii_start();
            if next.is_empty() || next.starts_with(',') {
                return Some((compound.subject(alone), next));
            }
            rest = match next.strip_prefix(['>', '+', '~']) {
                Some(next) => next.trim_ascii_start(),
                None if next.len() < behind.len() => next,
                None => return None,
            };
            alone = false;
        }
    }

    fn compound<'a>(&mut self, text: &'a str) -> Option<(Compound, &'a str)> {
        let mut compound = Compound::default();
        let mut rest = text;
        if let Some(behind) = rest.strip_prefix('*') {
            rest = behind;
        } else if !rest.starts_with(['.', '#', '[', ':']) {
            let (word, behind) = ident(rest)?;
            compound.element = Some(tag(word.as_bytes()));
            // Longer names are all alike to the walk.
            compound.none |= word.len() > 12;
            rest = behind;
        }
        while let Some(mark) = rest.chars().next() {
            let behind = &rest[mark.len_utf8()..];
            rest = match mark {
                '.' => ident(behind).map(|(word, behind)| (compound.class(hash(&word)), behind))?.1,
                '#' => ident(behind).map(|(word, behind)| (compound.id(hash(&word)), behind))?.1,
                '[' => {
                    compound.more = true;
                    attribute(behind)?
                }
                ':' => self.pseudo(behind, &mut compound)?,
                _ => break,
            };
        }
        (rest.len() < text.len()).then_some((compound, rest))
    }

    fn pseudo<'a>(&mut self, text: &'a str, compound: &mut Compound) -> Option<&'a str> {
        let (word, behind) = ident(text.strip_prefix(':').unwrap_or(text))?;
        let word = word.to_ascii_lowercase();
        let is_known = KNOWN.contains(&word.as_str());
        compound.more = true;
        compound.none |= PASSING.contains(&word.as_str());
        self.doubt |= !is_known && !compound.none;
        let Some(inner) = behind.strip_prefix('(') else { return Some(behind) };
        let (inner, behind) = inner.split_at(closing(inner)?);
        if word == "not" && self.nested < MOST_NESTED {
            self.nested += 1;
            self.list(inner.trim_ascii_end())?;
            self.nested -= 1;
        } else {
            self.doubt |= !is_known || word == "not";
        }
        Some(&behind[1..])
    }
}

impl Compound {
    fn class(&mut self, hash: u64) {
        // A class named twice weighs twice.
        match self.classes.iter_mut().find(|place| place.is_none()) {
            Some(place) => *place = Some(hash),
            None => self.more = true,
        }
    }

    fn id(&mut self, hash: u64) {
        self.more |= self.id.is_some_and(|known| known != hash);
        self.id = Some(hash);
    }

    fn subject(&self, alone: bool) -> Option<Subject> {
        let [first, second] = self.classes;
        let (key, also, over) = match (self.id, first, self.element) {
            (Some(id), _, element) => (Key::Id(element, id), first, second.is_some()),
            (None, Some(class), element) => (Key::Class(element, class), second, false),
            (None, None, Some(element)) => (Key::Tag(element), None, false),
            (None, None, None) => (Key::Any, None, false),
        };
        (!self.none).then_some(Subject { key, also, simple: alone && !self.more && !over })
    }
}

/// What stands behind an attribute selector.
fn attribute(text: &str) -> Option<&str> {
    let rest = ident(text.trim_ascii_start())?.1.trim_ascii_start();
    if let Some(behind) = rest.strip_prefix(']') {
        return Some(behind);
    }
    let value = rest.strip_prefix(['~', '|', '^', '$', '*']).unwrap_or(rest).strip_prefix('=')?;
    let value = value.trim_ascii_start();
    let rest = match value.chars().next()? {
        mark @ ('"' | '\'') => &value[1 + string(&value[1..], mark)?..],
        _ => ident(value)?.1,
    };
    let rest = rest.trim_ascii_start();
    rest.strip_prefix(['i', 'I', 's', 'S']).unwrap_or(rest).trim_ascii_start().strip_prefix(']')
}

/// How long a string is, its last mark included.
fn string(text: &str, mark: char) -> Option<usize> {
    let mut escaped = false;
    let end = text.find(|c: char| {
        let ends = c == mark && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    end.map(|end| end + 1)
}

/// Where the bracket that was opened before `text` is closed.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    text.find(|c: char| {
        if std::mem::take(&mut escaped) {
            return false;
        }
        match c {
            '\\' => escaped = true,
            '"' | '\'' if quote.is_none() => quote = Some(c),
            _ if quote == Some(c) => quote = None,
            '(' if quote.is_none() => depth += 1,
            ')' if quote.is_none() && depth == 0 => return true,
            ')' if quote.is_none() => depth -= 1,
            _ => {}
        }
        false
    })
}

/// The name a text begins with, and what follows it; `None` where there is none.
fn ident(text: &str) -> Option<(String, &str)> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    if unsigned.starts_with(|c: char| c.is_ascii_digit())
        || unsigned.len() < text.len() && unsigned.is_empty()
    {
        return None;
    }
    let mut word = String::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let (c, behind) = match c {
            '\\' => escape(&rest[1..])?,
            c if c.is_ascii_alphanumeric() || matches!(c, '-' | '_') || !c.is_ascii() => {
                (c, &rest[c.len_utf8()..])
            }
            _ => break,
        };
        word.push(c);
        rest = behind;
    }
    (!word.is_empty() && word != "-").then_some((word, rest))
}

/// FNV-1a.
pub(super) fn hash(word: &str) -> u64 {
    word.bytes()
        .fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}
