//! Words and meaning together: the best by each, put in one order.
//!
//! The best hundred by words and the hundred nearest in meaning, both inside the
//! same filters, are ranked by 0.7 × words + 0.3 × meaning, each scaled to the
//! best of them. Reciprocal ranks lose where meaning is weak, this does not
//! (docs/search.md has the figures). Beyond those, pages go on by words alone.

use super::candidate::{Candidate, Place, distinct};
use super::collect::{Found, Page, steps};
use super::search::{Search, split};
use super::statistics::Statistics;
use crate::analysis::are_alike;
use crate::error::Error;
use crate::meaning::Vector;
use serde::{Deserialize, Serialize};
use std::collections::HashSet;
use std::sync::Arc;
use tantivy::query::{BooleanQuery, EnableScoring, Query};
use tantivy::{DocSet, TantivyError};

/// Share of meaning in the score.
const WEIGHT: f32 = 0.3;

/// Documents taken from each side.
const CANDIDATES: usize = 100;

/// With more passages than this inside the filters, the nearest are looked for only among the
/// best by words: reading a vector takes about a microsecond.
const MAX_COMPARED: u64 = 20_000;

/// Documents by words among which the nearest are looked for then.
const COMPARED_BY_WORDS: usize = 1_000;

/// Documents less alike in meaning than this are not found by it alone.
const MIN_COSINE: f32 = 0.3;

/// What scores are measured by; kept in a cursor, so that later pages are ranked alike.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) struct Scale {
    best_words: f32,
    lowest_cosine: f32,
    highest_cosine: f32,
}

impl Scale {
    fn of(candidates: &[Candidate]) -> Scale {
        let cosines = || candidates.iter().map(|candidate| candidate.cosine.unwrap_or(0.0));
        Scale {
            best_words: candidates.iter().map(|candidate| split(candidate.score).0).fold(0.0, f32::max),
            lowest_cosine: cosines().fold(1.0, f32::min),
            highest_cosine: cosines().fold(-1.0, f32::max),
        }
    }

    fn fused(&self, candidate: &Candidate) -> f32 {
        let (words, bonus) = split(candidate.score);
        let share = |value: f32, range: f32| if range > 0.0 { (value / range).clamp(0.0, 1.0) } else { 0.0 };
        let words = share(words, self.best_words);
        let cosine = candidate.cosine.unwrap_or(self.lowest_cosine) - self.lowest_cosine;
        let meaning = share(cosine, self.highest_cosine - self.lowest_cosine);
        // In the size of a score by words, so that steps of equality stay as fine.
        ((1.0 - WEIGHT) * words + WEIGHT * meaning) * self.best_words.max(1.0) + bonus
    }
}

/// How far an answer has got.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub(crate) enum Stage {
    /// By words alone.
    Words,
    /// Among the best by words or meaning.
    Fused(Scale),
    /// By words alone, behind those.
    Rest,
}

/// A page of the fused order.
pub(crate) struct Fused {
    pub(crate) found: Found,
    pub(crate) stage: Stage,
    /// Where words alone go on when the fused order ends on this page.
    pub(crate) rest: Option<Place>,
}

/// The two sides before they are put together.
struct Sides {
    words: Found,
    nearest: Vec<Candidate>,
}

impl Search<'_> {
    /// A page of what is best by words and meaning.
    pub(crate) fn fused(
        &self,
        toward: &Arc<Vector>,
        query: &BooleanQuery,
        statistics: &Statistics<'_>,
        page: &Page,
        scale: Option<Scale>,
    ) -> Result<Fused, Error> {
        let Sides { mut words, mut nearest } = self.sides(toward, query, statistics, page)?;
        let beyond = words.candidates.len() > CANDIDATES;
        words.candidates.truncate(CANDIDATES);
        let last = words.candidates.last().map(|candidate| candidate.place.clone());
        let known: HashSet<String> = words.candidates.iter().map(|one| one.place.key.clone()).collect();
        nearest.retain(|one| !known.contains(&one.place.key));
        let matching = self.score_by_words(query, statistics, page, &mut nearest)?;
        let total = words.total + (nearest.len() as u64).saturating_sub(matching);
        let mut all = words.candidates;
        self.compare(toward, &mut all)?;
        all.extend(nearest);
        let scale = scale.unwrap_or_else(|| Scale::of(&all));
        for candidate in &mut all {
            candidate.score = scale.fused(candidate);
            candidate.place.steps = steps(candidate.score);
        }
        all.sort_by(|a, b| a.place.cmp(&b.place));
        if page.distinct {
            all = distinct(all);
            all.retain(|one| !page.shown.iter().any(|shown| are_alike(*shown, one.likeness)));
        }
        all.retain(|one| page.after.as_ref().is_none_or(|after| one.place > *after));
        let rest = last.filter(|_| beyond && all.len() <= page.limit);
        all.truncate(page.limit + 1);
        let found = Found { candidates: all, total, partial: words.partial };
        Ok(Fused { found, stage: Stage::Fused(scale), rest })
    }

    /// Keys of documents the fused order may have shown beyond the best by words.
    pub(crate) fn shown_by_meaning(
        &self,
        toward: &Arc<Vector>,
        query: &BooleanQuery,
        statistics: &Statistics<'_>,
        page: &Page,
    ) -> Result<HashSet<String>, Error> {
        let sides = self.sides(toward, query, statistics, page)?;
        Ok(sides.nearest.into_iter().map(|candidate| candidate.place.key).collect())
    }

    fn sides(
        &self,
        toward: &Arc<Vector>,
        query: &BooleanQuery,
        statistics: &Statistics<'_>,
        page: &Page,
    ) -> Result<Sides, Error> {
        let searcher = &self.snapshot.searcher;
        let filters = BooleanQuery::new(self.scope_clauses(false));
        let whole = Page { after: None, shown: Vec::new(), ..page.clone() };
        let few = self.passages_in_scope(&filters)? <= MAX_COMPARED;
        let limit = if few { CANDIDATES } else { COMPARED_BY_WORDS };
        let by_words = Page { limit, ..whole.clone() };
        let words = searcher.search_with_statistics_provider(query, &by_words, statistics)?;
        let mut nearest = if few {
            let by_meaning = Page { limit: CANDIDATES, toward: Some(Arc::clone(toward)), ..whole };
            searcher.search(&filters, &by_meaning)?.candidates
        } else {
            let mut some = words.candidates.clone();
            self.compare(toward, &mut some)?;
            some.sort_by(|a, b| b.cosine.unwrap_or(-1.0).total_cmp(&a.cosine.unwrap_or(-1.0)));
            some
        };
        nearest.truncate(CANDIDATES);
        nearest.retain(|one| one.cosine.is_some_and(|cosine| cosine >= MIN_COSINE));
        Ok(Sides { words, nearest })
    }

    fn passages_in_scope(&self, filters: &BooleanQuery) -> Result<u64, Error> {
        let request = self.request;
        let filtered = self.scope.customer.is_some()
            || request.customers.is_some()
            || request.companies.is_some()
            || request.owners.is_some()
            || !request.kinds.is_empty();
        if !filtered {
            return Ok(self.snapshot.counts(&self.scope.org)?.passages);
        }
        Ok(self.snapshot.searcher.search(filters, &tantivy::collector::Count)? as u64)
    }

    /// Sets the cosine of candidates found by words.
    fn compare(&self, toward: &Vector, candidates: &mut [Candidate]) -> Result<(), Error> {
        let mut bytes = Vec::new();
        for candidate in candidates {
            let reader = self.snapshot.searcher.segment_reader(candidate.segment);
            let Some(vectors) = reader.fast_fields().bytes("vector")? else { continue };
            bytes.clear();
            if let Some(ord) = vectors.ords().first(candidate.doc) {
                vectors.ord_to_bytes(ord, &mut bytes).map_err(TantivyError::from)?;
            }
            candidate.cosine = Some(toward.cosine(&bytes));
        }
        Ok(())
    }

    /// Sets the score by words of candidates found by meaning; answers how many have one.
    fn score_by_words(
        &self,
        query: &BooleanQuery,
        statistics: &Statistics<'_>,
        page: &Page,
        candidates: &mut [Candidate],
    ) -> Result<u64, Error> {
        let searcher = &self.snapshot.searcher;
        let scoring = EnableScoring::enabled_from_statistics_provider(statistics, searcher);
        let weight = query.weight(scoring)?;
        candidates.sort_by_key(|candidate| (candidate.segment, candidate.doc));
        let mut matching = 0;
        for group in candidates.chunk_by_mut(|a, b| a.segment == b.segment) {
            let Some(segment) = group.first().map(|first| first.segment) else { continue };
            let mut scorer = weight.scorer(searcher.segment_reader(segment), 1.0)?;
            for candidate in group {
                candidate.score = 0.0;
                if scorer.doc() < candidate.doc {
                    scorer.seek(candidate.doc);
                }
                if scorer.doc() == candidate.doc {
                    let (score, bonus) = split(scorer.score());
                    let recency = page.factors.recency(candidate.place.occurred_at, page.now);
                    candidate.score = score * recency * candidate.kind_factor + bonus;
                    matching += 1;
                }
            }
        }
        Ok(matching)
    }
}
