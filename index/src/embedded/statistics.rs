//! The numbers BM25 is computed from: own parameters, one frequency for all
//! forms of a word, and the same numbers on every page of an answer.
//!
//! The engine fixes k1 = 1.2 and b = 0.75, which makes the length part of a
//! score 0.3 + 0.9 × length / average. Telling it a larger average or a
//! smaller one moves along the curve k1 = 0.3 + 0.9 / s, b = 0.9 / (s × k1),
//! without giving up the engine's own scorers.

use super::organisation::{Counts, text_fields};
use super::schema::{Fields, Tag};
use super::snapshot::Snapshot;
use crate::query::Word;
use serde::{Deserialize, Serialize};
use std::cmp::Ordering;
use std::collections::HashMap;
use tantivy::query::Bm25StatisticsProvider;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, Searcher, SegmentReader, TERMINATED, Term};

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
    /// The numbers of one organisation alone: what others write must not show in its scores.
    pub(crate) fn take(own: &Own<'_>, words: &[Word]) -> tantivy::Result<Frozen> {
        let fields = &own.snapshot.fields;
        let passages = own.counts.passages.max(1);
        let mut frequencies = Vec::with_capacity(words.len());
        for word in words {
            let mut row = [0; 3];
            for (slot, field) in row.iter_mut().zip(text_fields(fields)) {
                for form in word.forms_in(field == fields.names) {
                    *slot += own.frequency(&Term::from_field_text(field, form))?;
                }
                *slot = (*slot).min(passages);
            }
            frequencies.push(row);
        }
        Ok(Frozen { passages, tokens: own.counts.tokens, words: frequencies })
    }

    /// Passages that hold any form of a word in title (0), text (1) or names (2).
    pub(crate) fn frequency(&self, word: usize, field: usize) -> u64 {
        self.words.get(word).map_or(0, |row| row[field])
    }

    /// Passages that hold a word in the field where it is most often.
    pub(crate) fn most_often(&self, word: usize) -> u64 {
        self.words.get(word).and_then(|row| row.iter().copied().max()).unwrap_or(0)
    }

    /// Whether a word is in so many passages that it tells them apart hardly at all, and
    /// costs more to look at than it is worth.
    pub(crate) fn is_common(&self, word: usize, share: f64) -> bool {
        to_f64(self.frequency(word, 1)) > share * to_f64(self.passages)
    }

    /// Whether these belong to a search of as many words.
    pub(crate) fn fits(&self, words: &[Word]) -> bool {
        self.words.len() == words.len() && self.words.iter().flatten().all(|df| *df <= self.passages)
    }
}

/// The passages of one organisation in a snapshot.
pub(crate) struct Own<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) org: &'a str,
    pub(crate) counts: Counts,
    /// Segments it has passages in; whether it has all of them.
    segments: Vec<(&'a SegmentReader, bool)>,
}

impl<'a> Own<'a> {
    pub(crate) fn new(snapshot: &'a Snapshot, org: &'a str) -> tantivy::Result<Own<'a>> {
        let mut segments = Vec::new();
        for reader in snapshot.searcher.segment_readers() {
            let passages = snapshot.memory.in_segment(reader, &snapshot.fields, org)?.passages;
            if passages > 0 {
                segments.push((reader, passages == u64::from(reader.max_doc())));
            }
        }
        let counts = snapshot.memory.of(&snapshot.searcher, &snapshot.fields, org)?;
        Ok(Own { snapshot, org, counts, segments })
    }

    /// Passages that hold a term, deleted ones included as in the engine's own counts.
    pub(crate) fn frequency(&self, term: &Term) -> tantivy::Result<u64> {
        let own = self.snapshot.fields.tag(self.org, Tag::Org);
        let mut count = 0;
        for (reader, whole) in &self.segments {
            let inverted = reader.inverted_index(term.field())?;
            if *whole {
                count += u64::from(inverted.doc_freq(term)?);
                continue;
            }
            let tags = reader.inverted_index(own.field())?;
            let basic = IndexRecordOption::Basic;
            if let (Some(own), Some(holding)) =
                (tags.read_postings(&own, basic)?, inverted.read_postings(term, basic)?)
            {
                count += overlap(own, holding);
            }
        }
        Ok(count)
    }

    /// Deleted passages that counts may still include, those of others among them.
    pub(crate) fn deleted(&self) -> u64 {
        self.segments.iter().map(|(reader, _)| u64::from(reader.num_deleted_docs())).sum()
    }
}

fn overlap(mut a: impl DocSet, mut b: impl DocSet) -> u64 {
    let mut count = 0;
    let (mut left, mut right) = (a.doc(), b.doc());
    while left != TERMINATED && right != TERMINATED {
        match left.cmp(&right) {
            Ordering::Less => left = a.seek(right),
            Ordering::Greater => right = b.seek(left),
            Ordering::Equal => {
                count += 1;
                left = a.advance();
            }
        }
    }
    count
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
        let text = text_fields(fields);
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
    reason = "an average needs no more than 52 bits"
)]
fn scaled(tokens: u64, scale: f64) -> u64 {
    ((to_f64(tokens) * scale) as u64).max(1)
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn to_f64(count: u64) -> f64 {
    count as f64
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
