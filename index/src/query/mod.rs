//! The query language: words, "phrases", -excluded, prefix*, field:value.
//!
//! Parsing never fails: what is not understood is searched for as plain words.
//! It never touches the engine's own query syntax, and length and number of
//! parts are bounded here, once, for every backend.

mod lowered;
mod slips;

pub(crate) use lowered::{Lowered, Phrase, Word};
pub(crate) use slips::slips;

use std::fmt;

/// Longest query that is looked at, in bytes; the rest is ignored.
pub(crate) const MAX_QUERY_BYTES: usize = 4096;

/// Most parts (phrases, exclusions, prefixes, filters, runs of words) that are looked at.
const MAX_PARTS: usize = 64;

/// A parsed query.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Query {
    pub(crate) parts: Vec<Part>,
    /// The `field:value` parts, for the caller to resolve into keys of the request.
    pub filters: Vec<Filter>,
}

/// One part of a query.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part {
    /// Words any of which may match.
    Words(String),
    /// Words that must follow each other.
    Phrase(String),
    /// The beginning of a word.
    Prefix(String),
    /// A document with this is not wanted.
    Not(Box<Part>),
}

/// A `field:value` part.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filter {
    /// Which field.
    pub field: FilterField,
    /// What stood behind the colon, quotes removed.
    pub value: String,
    /// Whether it was written with a minus.
    pub negated: bool,
}

/// Fields a query may filter by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FilterField {
    /// `kind:email`
    Kind,
    /// `company:"Harbor Pet"`
    Company,
    /// `customer:nina@harborpet.example`
    Customer,
    /// `owner:…`
    Owner,
    /// `after:2026-01-01`, inclusive
    After,
    /// `before:2026-02-01`, exclusive
    Before,
}

impl FilterField {
    const ALL: [FilterField; 6] = [
        FilterField::Kind,
        FilterField::Company,
        FilterField::Customer,
        FilterField::Owner,
        FilterField::After,
        FilterField::Before,
    ];

    /// As it is written before the colon.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            FilterField::Kind => "kind",
            FilterField::Company => "company",
            FilterField::Customer => "customer",
            FilterField::Owner => "owner",
            FilterField::After => "after",
            FilterField::Before => "before",
        }
    }

    fn named(name: &str) -> Option<FilterField> {
        FilterField::ALL.into_iter().find(|field| name.eq_ignore_ascii_case(field.name()))
    }
}

impl Query {
    /// Parses what was typed. Every text is a query.
    #[must_use]
    pub fn parse(text: &str) -> Query {
        let text = &text[..text.floor_char_boundary(MAX_QUERY_BYTES)];
        let mut parser = Parser { rest: text, query: Query::default(), parts: 0 };
        while parser.parts < MAX_PARTS && parser.step() {}
        parser.query
    }

    /// The plain words, in runs as typed.
    pub(crate) fn words(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().filter_map(|part| match part {
            Part::Words(text) => Some(text.as_str()),
            _ => None,
        })
    }

    /// Whether nothing is searched for (filters and exclusions aside): newest documents first.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.parts.iter().all(|part| matches!(part, Part::Not(_)))
    }
}

impl fmt::Display for Query {
    /// In the query language, without the filters.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, part) in self.parts.iter().enumerate() {
            write!(f, "{}{part}", if i > 0 { " " } else { "" })?;
        }
        Ok(())
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Part::Words(text) => f.write_str(text),
            Part::Phrase(text) => write!(f, "\"{text}\""),
            Part::Prefix(text) => write!(f, "{text}*"),
            Part::Not(part) => write!(f, "-{part}"),
        }
    }
}

struct Parser<'a> {
    rest: &'a str,
    query: Query,
    parts: usize,
}

impl<'a> Parser<'a> {
    /// Takes one part; false at the end.
    fn step(&mut self) -> bool {
        self.rest = self.rest.trim_start();
        if self.rest.is_empty() {
            return false;
        }
        let negated = self.minus();
        if let Some(phrase) = self.quoted() {
            self.push(Part::Phrase(phrase.to_owned()), negated);
        } else if !self.filter(negated) {
            self.word(negated);
        }
        true
    }

    /// A minus counts when it stands before something.
    fn minus(&mut self) -> bool {
        let Some(after) = self.rest.strip_prefix(['-', '−']) else {
            return false;
        };
        let next = after.chars().next();
        let counts = next.is_some_and(|c| c.is_alphanumeric() || is_quote(c));
        if counts {
            self.rest = after;
        }
        counts
    }

    /// A closed pair of quotes; an open one is no quote.
    fn quoted(&mut self) -> Option<&'a str> {
        let inner = self.rest.strip_prefix(is_quote)?;
        let end = inner.find(is_quote)?;
        let close = inner[end..].chars().next().map_or(0, char::len_utf8);
        self.rest = &inner[end + close..];
        Some(&inner[..end])
    }

    fn filter(&mut self, negated: bool) -> bool {
        let Some((name, value)) = self.rest.split_once(':') else {
            return false;
        };
        let Some(field) = FilterField::named(name) else {
            return false;
        };
        if value.is_empty() || value.starts_with(char::is_whitespace) {
            return false;
        }
        self.rest = value;
        let value = match self.quoted() {
            Some(value) => value,
            None => self.until_space(),
        };
        self.parts += 1;
        self.query.filters.push(Filter { field, value: value.to_owned(), negated });
        true
    }

    fn word(&mut self, negated: bool) {
        let word = self.until_space();
        match word.strip_suffix('*') {
            Some(stem) if stem.chars().filter(|c| c.is_alphanumeric()).count() >= 2 => {
                self.push(Part::Prefix(stem.to_owned()), negated);
            }
            _ => self.push(Part::Words(word.to_owned()), negated),
        }
    }

    fn until_space(&mut self) -> &'a str {
        let end = self.rest.find(char::is_whitespace).unwrap_or(self.rest.len());
        let (word, rest) = self.rest.split_at(end);
        self.rest = rest;
        word
    }

    /// Neighbouring words become one part, because phone numbers have spaces in them.
    fn push(&mut self, part: Part, negated: bool) {
        if negated {
            self.parts += 1;
            self.query.parts.push(Part::Not(Box::new(part)));
            return;
        }
        if let (Part::Words(word), Some(Part::Words(run))) = (&part, self.query.parts.last_mut()) {
            run.push(' ');
            run.push_str(word);
            return;
        }
        self.parts += 1;
        self.query.parts.push(part);
    }
}

fn is_quote(c: char) -> bool {
    matches!(c, '"' | '“' | '”' | '„' | '«' | '»')
}
