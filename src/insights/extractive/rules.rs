//! What a combination of cues means: `kind.slot score CLASS CLASS/CLASS -CLASS`, the same for every language.
//!
//! Only the notation is here; the table itself is `lexicon/rules.txt`.

use super::lexicon::{Mask, Names};
use crate::insights::kinds::Kind;

/// One line of the table.
#[derive(Debug, Clone)]
pub(crate) struct Rule {
    pub kind: Kind,
    /// The facet, as `kind.facet`.
    pub slot: &'static str,
    /// How sure a hit is, 0 to 100; the highest of a clause wins.
    pub score: u8,
    /// Every one of these must be met.
    pub all: Vec<Mask>,
    /// None of these may be met.
    pub none: Mask,
    /// May be met over two neighbouring clauses.
    pub wide: bool,
}

/// Reads the table; a line that is not a rule is left out, which a test refuses.
pub(crate) fn parse(table: &'static str, names: &mut Names) -> Vec<Rule> {
    lines(table).filter_map(|line| rule(line, names)).collect()
}

fn lines(table: &'static str) -> impl Iterator<Item = &'static str> {
    table.lines().map(str::trim).filter(|l| !l.is_empty() && !l.starts_with('#'))
}

fn rule(line: &'static str, names: &mut Names) -> Option<Rule> {
    let mut words = line.split_whitespace();
    let slot = words.next()?;
    let kind = Kind::parse(slot.split('.').next()?)?;
    let score = words.next()?.parse().ok()?;
    let mut rule = Rule { kind, slot, score, all: Vec::new(), none: Mask::default(), wide: false };
    for word in words {
        if word == "wide" {
            rule.wide = true;
        } else if let Some(not) = word.strip_prefix('-') {
            not.split('/').for_each(|name| rule.none.insert(names.id(name)));
        } else {
            let mut any = Mask::default();
            word.split('/').for_each(|name| any.insert(names.id(name)));
            rule.all.push(any);
        }
    }
    (!rule.all.is_empty()).then_some(rule)
}

/// Every class the table names.
#[cfg(test)]
pub(crate) fn class_names(table: &'static str) -> Vec<&'static str> {
    let words = lines(table).flat_map(|l| l.split_whitespace().skip(2)).filter(|w| *w != "wide");
    words.flat_map(|w| w.trim_start_matches('-').split('/')).collect()
}

impl Rule {
    /// A rule without cues, for a fact that somebody else found in this slot.
    pub(crate) fn named(slot: &'static str, score: u8) -> Option<Self> {
        let kind = Kind::parse(slot.split('.').next()?)?;
        Some(Self { kind, slot, score, all: Vec::new(), none: Mask::default(), wide: false })
    }

    /// Whether some part of a text with these classes could meet this rule.
    pub(crate) fn possible(&self, mask: Mask) -> bool {
        self.all.iter().all(|any| any.meets(mask))
    }

    /// Whether a set of classes is what this rule asks for.
    pub(crate) fn holds(&self, mask: Mask) -> bool {
        self.all.iter().all(|any| any.meets(mask)) && !self.none.meets(mask)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_of_the_table_is_a_rule() {
        let table = include_str!("lexicon/rules.txt");
        let mut names = Names::default();
        let read = parse(table, &mut names);
        for line in lines(table) {
            assert!(rule(line, &mut names).is_some(), "not a rule: {line}");
        }
        assert!(read.len() > 80);
        for kind in Kind::ALL {
            assert!(read.iter().any(|r| r.kind == kind), "no rule for {}", kind.as_str());
        }
    }
}
