//! The numbers BM25 is computed from: own parameters, one frequency for all
//! forms of a word, and the same numbers on every page of an answer.
//!
//! The engine fixes k1 = 1.2 and b = 0.75, which makes the length part of a
//! score 0.3 + 0.9 × length / average. Telling it a larger average or a
//! smaller one moves along the curve k1 = 0.3 + 0.9 / s, b = 0.9 / (s × k1),
//! without giving up the engine's own scorers.

use super::schema::Fields;
use crate::query::Word;
use serde::{Deserialize, Serialize};
use std::collections::HashMap;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::Field;
use tantivy::{Searcher, Term};

/// The statistics of one search, small enough to travel in a cursor.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(crate) struct Frozen {
    passages: u64,
    /// Tokens in title, text, names.
    tokens: [u64; 3],
    /// For each word, the passages holding any form of it in title, text, names.
    words: Vec<[u64; 3]>,
}

impl Frozen {
    pub(crate) fn take(searcher: &Searcher, fields: &Fields, words: &[Word]) -> tantivy::Result<Frozen> {
        let text = [fields.title, fields.text, fields.names];
        let passages = searcher.total_num_docs()?.max(1);
        let mut tokens = [0; 3];
        for (slot, field) in tokens.iter_mut().zip(text) {
            *slot = searcher.total_num_tokens(field)?;
        }
        let mut frequencies = Vec::with_capacity(words.len());
        for word in words {
            let mut row = [0; 3];
            for (slot, field) in row.iter_mut().zip(text) {
                for form in word.forms_in(field == fields.names) {
                    *slot += searcher.doc_freq(&Term::from_field_text(field, form))?;
                }
                *slot = (*slot).min(passages);
            }
            frequencies.push(row);
        }
        Ok(Frozen { passages, tokens, words: frequencies })
    }

    /// Whether these belong to a search of as many words.
    pub(crate) fn fits(&self, words: &[Word]) -> bool {
        self.words.len() == words.len() && self.words.iter().flatten().all(|df| *df <= self.passages)
    }
}

/// Answers the engine's questions during one search.
pub(crate) struct Statistics<'a> {
    searcher: &'a Searcher,
    frozen: &'a Frozen,
    tokens: [(Field, u64); 3],
    words: HashMap<Term, u64>,
}

impl<'a> Statistics<'a> {
    pub(crate) fn new(
        searcher: &'a Searcher,
        fields: &Fields,
        frozen: &'a Frozen,
        words: &[Word],
        length_scale: f64,
    ) -> Statistics<'a> {
        let text = [fields.title, fields.text, fields.names];
        let mut by_term = HashMap::new();
        for (word, row) in words.iter().zip(&frozen.words) {
            for (frequency, field) in row.iter().zip(text) {
                for form in word.forms_in(field == fields.names) {
                    let slot = by_term.entry(Term::from_field_text(field, form)).or_insert(0);
                    *slot = (*slot).max(*frequency);
                }
            }
        }
        let tokens = std::array::from_fn(|i| (text[i], scaled(frozen.tokens[i], length_scale)));
        Statistics { searcher, frozen, tokens, words: by_term }
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    reason = "an average needs no more than 52 bits"
)]
fn scaled(tokens: u64, scale: f64) -> u64 {
    ((tokens as f64 * scale) as u64).max(1)
}

impl Bm25StatisticsProvider for Statistics<'_> {
    fn total_num_tokens(&self, field: Field) -> tantivy::Result<u64> {
        match self.tokens.iter().find(|(f, _)| *f == field) {
            Some((_, tokens)) => Ok(*tokens),
            None => self.searcher.total_num_tokens(field),
        }
    }

    fn total_num_docs(&self) -> tantivy::Result<u64> {
        Ok(self.frozen.passages)
    }

    /// Never more than the number of passages, which the engine insists on.
    fn doc_freq(&self, term: &Term) -> tantivy::Result<u64> {
        let frequency = match self.words.get(term) {
            Some(frequency) => *frequency,
            None => self.searcher.doc_freq(term)?,
        };
        Ok(frequency.min(self.frozen.passages))
    }
}
