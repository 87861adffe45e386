//! Keyword rules: an exact word or phrase anywhere in subject or source text, many rules in one pass.
//!
//! Compared after NFKC, full case folding and collapsing of white space, at word edges except beside scripts
//! written without spaces. It decides nothing else: order among rules, storing and dry runs are elsewhere.

use aho_corasick::{AhoCorasick, MatchKind};
use unicode_normalization::UnicodeNormalization as _;

/// One keyword rule as the operator wrote it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeywordRule {
    /// Id of the rule.
    pub id: String,
    /// The word or phrase.
    pub phrase: String,
    /// Whether it also counts inside longer words.
    pub substring: bool,
}

/// Keyword rules ready to be asked about any number of texts.
#[derive(Debug, Clone, Default)]
pub struct KeywordRules {
    rules: Vec<KeywordRule>,
    /// Rule of each pattern: an empty phrase has none.
    owners: Vec<usize>,
    automaton: Option<AhoCorasick>,
}

/// A set of phrases too large to compile.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLarge;

impl std::fmt::Display for TooLarge {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("the keyword rules together are too large")
    }
}

impl std::error::Error for TooLarge {}

impl KeywordRules {
    /// Compiles the rules; a phrase of nothing but white space never matches.
    ///
    /// # Errors
    /// Phrases of more than some gigabytes in total.
    pub fn new(rules: Vec<KeywordRule>) -> Result<Self, TooLarge> {
        let folded: Vec<(usize, String)> = rules
            .iter()
            .enumerate()
            .map(|(n, rule)| (n, fold(&rule.phrase)))
            .filter(|(_, p)| !p.is_empty())
            .collect();
        let owners = folded.iter().map(|(n, _)| *n).collect();
        let automaton = if folded.is_empty() {
            None
        } else {
            let built = AhoCorasick::builder()
                .match_kind(MatchKind::Standard)
                .build(folded.iter().map(|(_, phrase)| phrase.as_str()));
            Some(built.map_err(|_| TooLarge)?)
        };
        Ok(Self { rules, owners, automaton })
    }

    /// Whether there is nothing to look for.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.automaton.is_none()
    }

    /// The first rule, in the operator's order, whose phrase stands in the title or the source text.
    #[must_use]
    pub fn first(&self, title: Option<&str>, source_text: &str) -> Option<&KeywordRule> {
        let hit = self.hits(title, source_text).into_iter().min()?;
        self.rules.get(hit)
    }

    /// Every rule whose phrase stands in the title or the source text, in the operator's order.
    #[must_use]
    pub fn all(&self, title: Option<&str>, source_text: &str) -> Vec<&KeywordRule> {
        let mut hits = self.hits(title, source_text);
        hits.sort_unstable();
        hits.iter().filter_map(|n| self.rules.get(*n)).collect()
    }

    /// Numbers of the rules that hit, each once, in no order.
    fn hits(&self, title: Option<&str>, source_text: &str) -> Vec<usize> {
        let Some(automaton) = &self.automaton else {
            return Vec::new();
        };
        let mut seen = vec![false; self.rules.len()];
        let mut out = Vec::new();
        for text in title.into_iter().chain([source_text]) {
            let text = fold(text);
            for found in automaton.find_overlapping_iter(&text) {
                let owner = self.owners[found.pattern().as_usize()];
                if !seen[owner]
                    && (self.rules[owner].substring || stands_alone(&text, found.start(), found.end()))
                {
                    seen[owner] = true;
                    out.push(owner);
                }
            }
        }
        out
    }
}

/// NFKC, full case folding, no zero-width characters, runs of white space as one space, ends trimmed.
#[must_use]
pub fn fold(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut gap = false;
    let mut push = |c: char| {
        if c.is_whitespace() {
            gap = true;
            return;
        }
        if std::mem::take(&mut gap) && !out.is_empty() {
            out.push(' ');
        }
        out.push(c);
    };
    if text.is_ascii() {
        text.chars().for_each(|c| push(c.to_ascii_lowercase()));
    } else {
        text.chars().filter(|c| !is_zero_width(*c)).nfkc().flat_map(fold_case).nfkc().for_each(push);
    }
    out
}

/// Full case folding: by way of the upper case, so that `ß`, `ẞ` and `SS` meet, and all three sigmas.
fn fold_case(c: char) -> impl Iterator<Item = char> {
    let keep = (c == 'ı' || c.is_ascii_digit()).then_some(c);
    let folded = c
        .to_lowercase()
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase)
        .filter(move |_| keep.is_none());
    keep.into_iter().chain(folded)
}

fn is_zero_width(c: char) -> bool {
    matches!(c, '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{ad}' | '\u{2060}')
}

/// Whether neither end of `start..end` touches a letter or digit that would carry the word on.
fn stands_alone(text: &str, start: usize, end: usize) -> bool {
    let first = text[start..end].chars().next();
    let last = text[start..end].chars().next_back();
    let before = text[..start].chars().next_back();
    let after = text[end..].chars().next();
    !(joined(before, first) || joined(last, after))
}

/// Whether two neighbouring characters belong to one word.
fn joined(left: Option<char>, right: Option<char>) -> bool {
    let carries = |c: char| (c.is_alphanumeric() || is_mark(c)) && !is_unspaced(c);
    left.is_some_and(carries) && right.is_some_and(carries)
}

/// Combining marks that survive NFKC.
fn is_mark(c: char) -> bool {
    unicode_normalization::char::is_combining_mark(c)
}

/// Scripts whose words are not parted by spaces, and Korean, whose particles are glued on.
fn is_unspaced(c: char) -> bool {
    matches!(c,
        '\u{0e00}'..='\u{0eff}' | '\u{1000}'..='\u{109f}' | '\u{1780}'..='\u{17ff}' | '\u{2e80}'..='\u{9fff}'
        | '\u{1100}'..='\u{11ff}' | '\u{ac00}'..='\u{d7ff}' | '\u{f900}'..='\u{faff}' | '\u{20000}'..='\u{3ffff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hits(phrase: &str, text: &str) -> bool {
        with(phrase, text, false)
    }

    fn with(phrase: &str, text: &str, substring: bool) -> bool {
        let rule = KeywordRule { id: "r".into(), phrase: phrase.into(), substring };
        KeywordRules::new(vec![rule]).unwrap().first(None, text).is_some()
    }

    #[test]
    fn rul_1_case_and_place_do_not_matter() {
        assert!(hits("confidential", "line one\nlast line: CONFIDENTIAL"));
        assert!(hits("STRASSE", "in der Straße"));
        assert!(hits("straße", "IN DER STRASSE"));
        assert!(hits("ὈΔΥΣΣΕΎΣ", "ὀδυσσεύς"));
        assert!(hits("file", "the ﬁle"), "ligatures are letters");
        assert!(hits("ABC", "ａｂｃ"), "full-width letters are letters");
    }

    #[test]
    fn white_space_is_one_space() {
        assert!(hits("big  bang", "a big\n\tbang"));
        assert!(hits("big bang", "a big\u{a0}bang"));
        assert!(hits("bigbang", "a big\u{200b}bang"), "zero-width characters are no white space");
        assert!(!hits("bigbang", "a big bang"));
    }

    #[test]
    fn words_end_at_edges_unless_told_otherwise() {
        assert!(!hits("art", "the party"));
        assert!(with("art", "the party", true));
        assert!(hits("art", "the (art), of"));
        assert!(!hits("tax", "tax2"));
        assert!(hits("tax", "tax-free, tax_id"));
        assert!(!hits("cafe", "café"));
        assert!(!hits("e", "é"), "decomposed letters are whole letters");
        assert!(hits("c++", "we use C++."));
        assert!(hits("夜勤", "毎月の夜勤の休憩"));
        assert!(hits("API", "新しいAPIを使う"), "a neighbour of another script does not touch");
    }

    #[test]
    fn many_rules_in_one_pass_keep_their_order() {
        let rule =
            |id: &str, phrase: &str| KeywordRule { id: id.into(), phrase: phrase.into(), substring: false };
        let rules = KeywordRules::new(vec![
            rule("none", "absent"),
            rule("long", "project falcon"),
            rule("short", "falcon"),
            rule("blank", " \n "),
        ])
        .unwrap();
        let ids = |title, text| rules.all(title, text).iter().map(|r| r.id.clone()).collect::<Vec<_>>();
        assert_eq!(ids(None, "the Falcon of Project Falcon"), ["long", "short"]);
        assert_eq!(ids(Some("Falcon"), "nothing"), ["short"]);
        assert_eq!(ids(Some("project"), "falcon"), ["short"], "a phrase does not run from title into text");
        assert_eq!(rules.first(None, "project falcon").map(|r| r.id.as_str()), Some("long"));
        assert!(KeywordRules::new(vec![rule("blank", "  ")]).unwrap().is_empty());
    }

    proptest::proptest! {
        #[test]
        fn a_text_holds_itself_and_folding_is_stable(text in "\\PC{0,40}") {
            let folded = fold(&text);
            proptest::prop_assert_eq!(fold(&folded), folded.clone());
            proptest::prop_assert_eq!(hits(&text, &text), !folded.is_empty());
        }
    }
}
