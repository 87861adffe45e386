//! What a segment has for a page, and the documents of an answer in their order: by score, then
//! newest, then by key.

use super::columns::Columns;
use crate::analysis::are_alike;
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;
use tantivy::{DocId, Score, SegmentOrdinal};

/// A document in order of an answer.
#[derive(Debug, Clone)]
pub(crate) struct Candidate {
    pub(crate) place: Place,
    pub(crate) score: Score,
    pub(crate) passage: u32,
    pub(crate) segment: SegmentOrdinal,
    pub(crate) doc: DocId,
    pub(crate) likeness: u128,
    pub(crate) kind_factor: f32,
    /// How near in meaning, -1 to 1, where it was compared.
    pub(crate) cosine: Option<f32>,
}

/// Where a document stands in an answer: by score, then newest, then by key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) steps: i64,
    pub(crate) occurred_at: i64,
    pub(crate) key: String,
}

impl Ord for Place {
    fn cmp(&self, other: &Self) -> Ordering {
        let order = |p: &Place| (Reverse(p.steps), Reverse(p.occurred_at));
        order(self).cmp(&order(other)).then_with(|| self.key.cmp(&other.key))
    }
}

impl PartialOrd for Place {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// A document kept for the page; the greatest is the worst.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Kept {
    pub(crate) steps: Reverse<i64>,
    pub(crate) occurred_at: Reverse<i64>,
    /// Order of the key within the segment.
    pub(crate) key: u64,
    pub(crate) doc: DocId,
    pub(crate) score_bits: u32,
    pub(crate) likeness: u128,
}

/// What a segment has for the page.
pub(crate) struct Harvest {
    pub(crate) ordinal: SegmentOrdinal,
    pub(crate) columns: Arc<Columns>,
    pub(crate) kind_factors: Vec<f32>,
    pub(crate) by_meaning: bool,
    pub(crate) kept: Vec<Kept>,
    pub(crate) total: u64,
    pub(crate) partial: bool,
}

impl Harvest {
    pub(crate) fn candidate(&self, kept: &Kept) -> tantivy::Result<Candidate> {
        let mut key = String::new();
        self.columns.keys.ord_to_str(kept.key, &mut key)?;
        let score = f32::from_bits(kept.score_bits);
        Ok(Candidate {
            place: Place { steps: kept.steps.0, occurred_at: kept.occurred_at.0, key },
            score,
            passage: u32::try_from(self.columns.passages.get_val(kept.doc)).unwrap_or(0),
            segment: self.ordinal,
            doc: kept.doc,
            likeness: kept.likeness,
            kind_factor: self.columns.by_kind(kept.doc, &self.kind_factors).unwrap_or(1.0),
            cosine: self.by_meaning.then_some(score),
        })
    }
}

/// Of near-copies the first.
pub(crate) fn distinct(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if !is_copy(&out, &candidate) {
            out.push(candidate);
        }
    }
    out
}

pub(crate) fn is_copy(better: &[Candidate], candidate: &Candidate) -> bool {
    better.iter().any(|one| are_alike(one.likeness, candidate.likeness))
}
