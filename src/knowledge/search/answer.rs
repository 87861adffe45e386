//! What a search answers, in the shape of the outside contract. No logic but how shapes of the index become ours.

use std::collections::BTreeMap;

use hublore_index::{Corrected, Language, Match, written};
use serde::Serialize;

use crate::domain::clock::Millis;
use crate::domain::engagement::Spoken;

/// The answer to a search.
#[derive(Debug, Clone, Serialize)]
pub struct SearchAnswer {
    /// Best first.
    pub hits: Vec<SearchHit>,
    /// Documents that match.
    pub total: u64,
    /// Time spent, milliseconds.
    pub took_ms: f64,
    /// Where to go on.
    pub next_cursor: Option<String>,
    /// Parts of the query that were left out or match nobody, in plain sentences; empty where all is well.
    pub warnings: Vec<String>,
    /// Per record type: changes up to here are known.
    pub synced_through: BTreeMap<String, Millis>,
}

/// One hit.
#[derive(Debug, Clone, Serialize)]
pub struct SearchHit {
    /// Id of the passage.
    pub id: String,
    /// Where it comes from.
    pub source: Provenance,
    /// Subject or title; empty where there is none.
    pub title: String,
    /// The passage that matches best.
    pub passage: String,
    /// Ranges of matching words in `passage`, counted in characters (Unicode scalar values).
    pub highlights: Vec<[usize; 2]>,
    /// Comparable within one answer only.
    pub score: f32,
    /// When it happened.
    pub occurred_at: Millis,
    /// Customers it is tied to.
    pub customers: Vec<CustomerName>,
    /// Their company, where there is one.
    pub company: Option<CompanyName>,
    /// How far the text may be trusted.
    pub trust: &'static str,
    /// The same mail went to many: how many were sent, this one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u64>,
    /// When and by whom it was said, where the passage is a part of a transcript.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spoken: Option<Spoken>,
    /// Why it was found, if asked.
    pub explain: Option<Explanation>,
}

/// Where a passage comes from.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    /// Kind of the engagement, or `insight`.
    pub kind: &'static str,
    /// HubSpot's id of it.
    pub engagement_id: String,
    /// Address in HubSpot's app.
    pub url: Option<String>,
    /// Portal.
    pub portal_id: u64,
}

/// A customer as a hit names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerName {
    /// Primary address.
    pub email: Option<String>,
    /// First and last name.
    pub name: Option<String>,
}

/// A company as a hit names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompanyName {
    /// Name.
    pub name: Option<String>,
}

/// Why a hit was found.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// Words that matched, where, and their share of the score.
    pub matches: Vec<WordMatch>,
    /// Every word of the query is in the passage.
    pub all_words: bool,
    /// Filters it passed.
    pub filters: Vec<String>,
    /// What the score of the words was multiplied by: `recency`, `kind`; only those other than 1.
    pub factors: BTreeMap<&'static str, f32>,
    /// How near in meaning it is, -1 to 1, where a table of meanings is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<f32>,
}

/// One word that matched.
#[derive(Debug, Clone, Serialize)]
pub struct WordMatch {
    /// As typed.
    pub word: String,
    /// `title`, `body` or `names`.
    pub field: &'static str,
    /// The indexed form it matched.
    pub term: String,
    /// Its share of the score.
    pub score: f32,
    /// The name it was found in, where that is one the hit shows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The word was taken for a typing error.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub corrected: bool,
    /// What stands there instead of the word as typed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub written: Option<String>,
}

/// What a match is looked for in, to say it in words of the hit itself.
pub(super) struct Words<'a> {
    /// The words of the passage that match.
    pub(super) marked: Vec<&'a str>,
    /// Title.
    pub(super) title: &'a str,
    /// Language of the passage.
    pub(super) language: Language,
    /// Names that the hit shows.
    pub(super) names: Vec<&'a str>,
}

/// The field of the index that holds names.
const NAMES: &str = "names";

impl Words<'_> {
    /// The name in which a match was found.
    fn name(&self, one: &Match) -> Option<&str> {
        let terms = std::slice::from_ref(&one.term);
        let mut names = self.names.iter().filter(|_| one.field == NAMES);
        names.find(|name| written(name, None, terms).is_some()).copied()
    }

    /// The word that stands there for a mistyped one.
    fn instead(&self, one: &Match) -> Option<&str> {
        let terms = std::slice::from_ref(&one.term);
        if one.field == NAMES { written(self.name(one)?, None, terms) } else { self.in_text(terms) }
    }

    fn in_text(&self, terms: &[String]) -> Option<&str> {
        let mut marked = self.marked.iter();
        let marked = marked.find_map(|text| written(text, Some(self.language), terms));
        // The language of a title is not known: it is stemmed like its passage, or like English.
        let title = |language| written(self.title, Some(language), terms);
        marked.or_else(|| title(self.language)).or_else(|| title(Language::Unknown))
    }

    /// The word that stands in the hit for one of the mistyped words, wherever.
    pub(super) fn anywhere(&self, corrected: &Corrected) -> Option<&str> {
        let mut names = self.names.iter();
        self.in_text(&corrected.terms)
            .or_else(|| names.find_map(|name| written(name, None, &corrected.terms)))
    }
}

pub(super) fn explanation(explain: &hublore_index::Explain, words: &Words<'_>) -> Explanation {
    let word = |one: &Match| WordMatch {
        word: one.word.clone(),
        field: one.field,
        term: one.term.clone(),
        score: one.score,
        name: words.name(one).map(str::to_owned),
        corrected: one.corrected,
        written: words.instead(one).filter(|_| one.corrected).map(str::to_owned),
    };
    Explanation {
        matches: explain.matches.iter().map(word).collect(),
        all_words: explain.all_words,
        filters: explain.filters.clone(),
        factors: explain.factors.iter().map(|factor| (factor.name, factor.value)).collect(),
        meaning: explain.meaning,
    }
}

/// Byte ranges as ranges of characters, which is what every language of a caller can use.
pub(super) fn in_characters(text: &str, ranges: &[(usize, usize)]) -> Vec<[usize; 2]> {
    let (mut at, mut characters) = (0, 0);
    let mut count_to = |end: usize| {
        characters += text.get(at..end).map_or(0, |part| part.chars().count());
        at = end.max(at);
        characters
    };
    ranges.iter().map(|(start, end)| [count_to(*start), count_to(*end)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlights_count_characters_not_bytes() {
        let text = "für Größe";
        assert_eq!(in_characters(text, &[(0, 4), (5, 12)]), [[0, 3], [4, 9]]);
    }
}
