//! What a search answers, in the shape of the outside contract. No logic but how shapes of the index become ours.

use std::collections::BTreeMap;

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
}

pub(super) fn explanation(explain: &hublore_index::Explain) -> Explanation {
    let word = |one: &hublore_index::Match| WordMatch {
        word: one.word.clone(),
        field: one.field,
        term: one.term.clone(),
        score: one.score,
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
