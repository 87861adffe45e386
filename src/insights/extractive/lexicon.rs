//! The cue lexicons: one data file per language, compiled once into one automaton each.
//!
//! A class is a set of phrases with one meaning (`INVOICE`, `EXPIRES`); rules combine classes and are the same for
//! all languages. This file knows how lexicons are written, not what they say.

use std::collections::HashMap;
use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, MatchKind};

use super::fold::{Folded, is_word};
use super::rules::{self, Rule};

/// The number of a class.
pub(crate) type Class = u16;

/// A set of classes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Mask([u64; 5]);

impl Mask {
    pub(crate) fn insert(&mut self, class: Class) {
        self.0[usize::from(class >> 6)] |= 1 << (class & 63);
    }

    pub(crate) fn has(self, class: Class) -> bool {
        self.0[usize::from(class >> 6)] & (1 << (class & 63)) != 0
    }

    pub(crate) fn meets(self, other: Self) -> bool {
        self.0.iter().zip(other.0).any(|(a, b)| a & b != 0)
    }

    pub(crate) fn union(mut self, other: Self) -> Self {
        self.0.iter_mut().zip(other.0).for_each(|(a, b)| *a |= b);
        self
    }
}

/// A place where a phrase of a class stands in the folded text.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Hit {
    pub start: usize,
    pub end: usize,
    pub class: Class,
}

/// Classes the code itself asks for; every other class is only named by rules.
pub(crate) const KNOWN: [&str; 90] = [
    "m1",
    "m2",
    "m3",
    "m4",
    "m5",
    "m6",
    "m7",
    "m8",
    "m9",
    "m10",
    "m11",
    "m12",
    "w1",
    "w2",
    "w3",
    "w4",
    "w5",
    "w6",
    "w7",
    "n1",
    "n2",
    "n3",
    "n4",
    "n5",
    "n6",
    "n7",
    "n8",
    "n9",
    "n10",
    "n12",
    "t.end",
    "t.mid",
    "t.begin",
    "t.next",
    "t.this",
    "t.after_next",
    "t.today",
    "t.tomorrow",
    "t.after_tomorrow",
    "t.in",
    "t.since",
    "t.from",
    "t.last",
    "u.day",
    "u.week",
    "u.month",
    "u.quarter",
    "u.year",
    "u.cweek",
    "money",
    "unit",
    "@DATE",
    "@MONEY",
    "@COUNT",
    "@EMAIL",
    "@PHONE",
    "@NAME",
    "@PERSON",
    "@TIME",
    "@TERM",
    "@PERCENT",
    "x",
    "fn",
    "title",
    "role",
    "neg",
    "join",
    "cont",
    "ask",
    "polite",
    "hypo",
    "other",
    "we",
    "they",
    "sensitive",
    "retract",
    "test",
    "internal",
    "claim",
    "request",
    "product",
    "family",
    "grant",
    "given",
    "unreal",
    "relative",
    "DECIDES",
    "APPROVES",
    "SIGNS",
    "TAKES_OVER",
];

/// From this number on a class says something by itself; those before it only help to read.
pub(crate) const FIRST_CUE: Class = known("DECIDES");

/// The number of a class the code asks for.
pub(crate) const fn known(name: &str) -> Class {
    let mut n = 0;
    while n < KNOWN.len() {
        if same(KNOWN[n].as_bytes(), name.as_bytes()) {
            #[expect(clippy::cast_possible_truncation, reason = "the table is shorter than a mask")]
            return n as Class;
        }
        n += 1;
    }
    Class::MAX
}

const fn same(a: &[u8], b: &[u8]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut n = 0;
    while n < a.len() {
        if a[n] != b[n] {
            return false;
        }
        n += 1;
    }
    true
}

/// The names of all classes, numbered.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, Class>);

impl Names {
    fn new() -> Self {
        let mut names = Self::default();
        for name in KNOWN {
            names.id(name);
        }
        names
    }

    /// The number of a name, a new one where it is new.
    pub(crate) fn id(&mut self, name: &str) -> Class {
        let next = Class::try_from(self.0.len()).unwrap_or(Class::MAX);
        debug_assert!(next < 320, "more classes than a mask holds");
        *self.0.entry(name.to_owned()).or_insert(next)
    }
}

/// One phrase of an automaton, or one half of a parted one (`looks ~ after`).
#[derive(Debug, Clone, Copy)]
struct Phrase {
    class: Class,
    half: Half,
    open_left: bool,
    open_right: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Half {
    Whole,
    /// The number of the parted phrase.
    First(usize),
    Second(usize),
}

/// How far apart the halves of a parted phrase may stand, in bytes.
const APART: usize = 48;

/// The cues of one language, with those every language shares.
#[derive(Debug)]
pub(crate) struct Lexicon {
    automaton: AhoCorasick,
    phrases: Vec<Phrase>,
}

/// Languages in the order of [`Lexicons::by_language`].
pub(crate) const LANGUAGES: [&str; 6] = ["en", "de", "fr", "es", "pt", "ja"];

/// All lexicons and the rules over them.
#[derive(Debug)]
pub(crate) struct Lexicons {
    pub by_language: Vec<Lexicon>,
    pub rules: Vec<Rule>,
}

const COMMON: &str = include_str!("lexicon/common.txt");
const RULES: &str = include_str!("lexicon/rules.txt");
const FILES: [&str; 6] = [
    include_str!("lexicon/en.txt"),
    include_str!("lexicon/de.txt"),
    include_str!("lexicon/fr.txt"),
    include_str!("lexicon/es.txt"),
    include_str!("lexicon/pt.txt"),
    include_str!("lexicon/ja.txt"),
];

/// Everything that is read here, as it is written: part of what tells two versions of the distiller apart.
pub(crate) fn files() -> impl Iterator<Item = &'static str> {
    FILES.into_iter().chain([COMMON, RULES])
}

/// The lexicons, compiled at first use.
pub(crate) static LEXICONS: LazyLock<Lexicons> = LazyLock::new(|| {
    let mut names = Names::new();
    let rules = rules::parse(RULES, &mut names);
    let by_language = FILES.iter().map(|file| Lexicon::compile(&[COMMON, file], &mut names)).collect();
    Lexicons { by_language, rules }
});

impl Lexicon {
    fn compile(files: &[&str], names: &mut Names) -> Self {
        let mut texts = Vec::new();
        let mut phrases = Vec::new();
        for (n, (class, phrase)) in files.iter().flat_map(|file| entries(file)).enumerate() {
            let class = names.id(class);
            let mut add = |phrase: &str, half| {
                let folded = Folded::phrase(phrase.trim_matches('*'));
                // A sign has no edge: "£650", "we'd like".
                let open = |c: Option<char>| c.is_some_and(|c| !is_word(c));
                let open_left = phrase.starts_with('*') || open(folded.chars().next());
                let open_right = phrase.ends_with('*') || open(folded.chars().next_back());
                phrases.push(Phrase { class, half, open_left, open_right });
                texts.push(folded);
            };
            match phrase.split_once(" ~ ") {
                Some((first, second)) => {
                    add(first, Half::First(n));
                    add(second, Half::Second(n));
                }
                None => add(phrase, Half::Whole),
            }
        }
        #[expect(clippy::expect_used, reason = "the phrases are compiled in; a test builds every automaton")]
        let automaton = AhoCorasick::builder()
            .match_kind(MatchKind::Standard)
            .build(&texts)
            .expect("some thousand short phrases");
        Self { automaton, phrases }
    }

    /// Every phrase in a folded text, sorted by place; those inside an `x` phrase count for nothing.
    pub(crate) fn scan(&self, text: &str) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut shades: Vec<Hit> = Vec::new();
        let mut firsts: Vec<(usize, usize, usize)> = Vec::new();
        for found in self.automaton.find_overlapping_iter(text) {
            let phrase = self.phrases[found.pattern().as_usize()];
            let (start, end) = (found.start(), found.end());
            let left = phrase.open_left || !text[..start].chars().next_back().is_some_and(is_word);
            let right = phrase.open_right || !text[end..].chars().next().is_some_and(is_word);
            if !(left && right) {
                continue;
            }
            let start = match phrase.half {
                Half::Whole => Some(start),
                Half::First(n) => {
                    firsts.push((n, start, end));
                    None
                }
                // The nearest first half before it; halves are found in the order of their ends.
                Half::Second(n) => (firsts.iter().rev().take_while(|f| f.2 + APART >= start))
                    .find(|f| f.0 == n && f.2 <= start)
                    .map(|f| f.1),
            };
            if let Some(start) = start {
                let hit = Hit { start, end, class: phrase.class };
                if phrase.class == const { known("x") } { shades.push(hit) } else { hits.push(hit) }
            }
        }
        if !shades.is_empty() {
            hits.retain(|h| !shades.iter().any(|s| s.start <= h.start && h.end <= s.end));
        }
        hits.sort_unstable();
        hits
    }
}

/// Class and phrase pairs of a lexicon file: `CLASS: a | b`, continued on indented lines; `#` opens a remark. `a ~ b`
/// is both with something between them.
fn entries(file: &str) -> Vec<(&str, &str)> {
    let mut out = Vec::new();
    let mut class = "";
    for line in file.lines().filter(|l| !l.trim_start().starts_with('#')) {
        let phrases = if line.starts_with([' ', '\t']) {
            line
        } else if let Some((name, rest)) = line.split_once(": ") {
            class = name.trim();
            rest
        } else {
            continue;
        };
        out.extend(phrases.split('|').map(str::trim).filter(|p| !p.is_empty()).map(|p| (class, p)));
    }
    out
}

/// Every phrase of a language, as written.
#[cfg(test)]
pub(crate) fn phrases(language: super::Language) -> Vec<String> {
    let files = [COMMON, FILES[language as usize]];
    let plain = |phrase: &str| phrase.replace('*', "").replace(" ~ ", " ");
    files.iter().flat_map(|file| entries(file)).map(|(_, phrase)| plain(phrase)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_lexicon_compiles_and_every_class_of_the_rules_has_phrases() {
        let lexicons = &*LEXICONS;
        assert_eq!(lexicons.by_language.len(), LANGUAGES.len());
        for (language, file) in LANGUAGES.iter().zip(FILES) {
            let mut seen: HashMap<String, &str> = HashMap::new();
            for (class, phrase) in entries(file) {
                let before = seen.insert(format!("{class} {phrase}"), class);
                assert!(before.is_none(), "{language}: {class} has {phrase} twice");
            }
        }
        let classes: Vec<&str> =
            FILES.iter().chain([&COMMON]).flat_map(|f| entries(f)).map(|(c, _)| c).collect();
        for name in rules::class_names(include_str!("lexicon/rules.txt")) {
            assert!(name.starts_with('@') || classes.contains(&name), "no language has phrases of {name}");
        }
    }

    #[test]
    fn edges_stars_and_shades() {
        let mut names = Names::new();
        let lexicon = Lexicon::compile(&["A: art | *art* \n  | happy\nx: happy to\n"], &mut names);
        let count = |text: &str| lexicon.scan(text).len();
        assert_eq!(count("an art"), 2);
        assert_eq!(count("a party"), 1);
        assert_eq!((count("so happy"), count("happy to help")), (1, 0));
        let lexicon = Lexicon::compile(&["A: look ~ after | £\nx: after ~ all\n"], &mut names);
        let spans = |text: &str| lexicon.scan(text).iter().map(|h| (h.start, h.end)).collect::<Vec<_>>();
        assert_eq!(spans("i look quickly after £5"), [(2, 20), (21, 23)]);
        assert_eq!(spans("look here, we went and saw what they call the whole thing after"), []);
    }
}
