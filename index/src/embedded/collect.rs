//! Collects matches into one page: passages collapsed to documents, an exact
//! count, and an order that does not depend on how the index is cut up.
//!
//! Passages of a document always lie side by side in one segment, so one pass
//! in document order is enough; nothing is kept per match.

use super::candidate::{Candidate, Harvest, Kept, Place, is_copy};
use super::columns::{Columns, before};
use super::factors::Factors;
use super::nearness::Nearness;
use super::organisation::Memory;
use super::search::split;
use super::words::{Window, WordsScorer};
use crate::analysis::are_alike;
use crate::meaning::Vector;
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;
use std::time::Instant;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::fastfield::AliveBitSet;
use tantivy::query::{Scorer, Weight};
use tantivy::{DocId, DocSet, Score, SegmentOrdinal, SegmentReader, TERMINATED};

/// Scores are compared in steps of 1/1024, so that sums made in another order are equal.
const STEPS: f32 = 1024.0;

/// How many matches pass between two looks at the clock.
const CLOCK_EVERY: u32 = 4096;

/// What one page asks of the matches.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) since: i64,
    pub(crate) until: i64,
    pub(crate) after: Option<Place>,
    pub(crate) excluded: Option<Arc<dyn Weight>>,
    /// Documents of these kinds are left out.
    pub(crate) without_kinds: Vec<String>,
    pub(crate) scored: bool,
    /// Leaves out near-copies of better hits and of those shown before.
    pub(crate) distinct: bool,
    pub(crate) shown: Vec<u128>,
    pub(crate) factors: Factors,
    pub(crate) now: Option<i64>,
    /// Scores by nearness to this meaning instead of by words.
    pub(crate) toward: Option<Arc<Vector>>,
    pub(crate) deadline: Option<Instant>,
    pub(crate) memory: Arc<Memory>,
}

impl Page {
    /// Documents each segment keeps: one more than the page holds, and as many again where all
    /// of those may turn out to be copies of what another segment found.
    fn keep(&self) -> usize {
        let page = self.limit + 1;
        if self.distinct { 2 * page } else { page }
    }
}

/// What was found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    /// In order, one more than the limit if there are more.
    pub(crate) candidates: Vec<Candidate>,
    pub(crate) total: u64,
    pub(crate) partial: bool,
}

impl Collector for Page {
    type Fruit = Found;
    type Child = Segment;

    fn for_segment(&self, ordinal: SegmentOrdinal, reader: &SegmentReader) -> tantivy::Result<Segment> {
        let columns = self.memory.columns(reader)?;
        let excluded = match &self.excluded {
            Some(weight) => excluded_documents(weight.as_ref(), reader, &columns)?,
            None => Vec::new(),
        };
        let without_kinds = columns.marked(&self.without_kinds);
        let bounded = self.since > i64::MIN || self.until < i64::MAX;
        Ok(Segment {
            ordinal,
            all_count: excluded.is_empty() && without_kinds.is_empty() && !bounded,
            keep: self.keep(),
            since: self.since,
            until: self.until,
            after: self.after.clone(),
            excluded,
            without_kinds,
            kind_factors: columns.factors(&self.factors),
            columns,
            distinct: self.distinct,
            shown: self.shown.clone(),
            largest_factor: if self.toward.is_some() { 1.0 } else { self.factors.largest() },
            factors: self.factors.clone(),
            now: self.now,
            nearness: match &self.toward {
                Some(toward) => reader.fast_fields().bytes("vector")?.map(|kept| Nearness::new(toward, kept)),
                None => None,
            },
            by_meaning: self.toward.is_some(),
            best: None,
            kept: Vec::new(),
            worst: Score::NEG_INFINITY,
            total: 0,
            partial: false,
        })
    }

    fn requires_scoring(&self) -> bool {
        self.scored
    }

    fn collect_segment(
        &self,
        weight: &dyn Weight,
        ordinal: u32,
        reader: &SegmentReader,
    ) -> tantivy::Result<Harvest> {
        let mut segment = self.for_segment(ordinal, reader)?;
        let scorer = weight.scorer(reader, 1.0)?;
        let alive = reader.alive_bitset();
        match scorer.downcast::<WordsScorer>() {
            Ok(words) if self.toward.is_none() => self.by_windows(*words, alive, &mut segment),
            Ok(words) => self.one_by_one(words, alive, &mut segment),
            Err(scorer) => self.one_by_one(scorer, alive, &mut segment),
        }
        Ok(segment.harvest())
    }

    fn merge_fruits(&self, fruits: Vec<Harvest>) -> tantivy::Result<Found> {
        let mut all = Found::default();
        let mut kept = Vec::new();
        for harvest in &fruits {
            kept.extend(harvest.kept.iter().map(|one| (one, harvest)));
            all.total += harvest.total;
            all.partial |= harvest.partial;
        }
        let rank = |one: &Kept| (one.steps, one.occurred_at);
        kept.sort_by_key(|(one, _)| rank(one));
        // Keys are read for those only that may be on the page: each costs as much as finding a passage.
        for equals in kept.chunk_by(|a, b| rank(a.0) == rank(b.0)) {
            let read = equals.iter().map(|(one, harvest)| harvest.candidate(one));
            let mut candidates = read.collect::<tantivy::Result<Vec<Candidate>>>()?;
            candidates.sort_by(|a, b| a.place.cmp(&b.place));
            for candidate in candidates {
                if !self.distinct || !is_copy(&all.candidates, &candidate) {
                    all.candidates.push(candidate);
                }
            }
            if all.candidates.len() > self.limit {
                break;
            }
        }
        all.candidates.truncate(self.limit + 1);
        Ok(all)
    }
}

impl Page {
    fn is_late(&self) -> bool {
        self.deadline.is_some_and(|deadline| Instant::now() > deadline)
    }

    fn one_by_one(&self, mut scorer: Box<dyn Scorer>, alive: Option<&AliveBitSet>, segment: &mut Segment) {
        let mut until_clock = CLOCK_EVERY;
        let mut doc = scorer.doc();
        while doc != TERMINATED {
            if alive.is_none_or(|alive| alive.is_alive(doc)) {
                let score = match &mut segment.nearness {
                    Some(nearness) => nearness.of(doc),
                    None if self.scored && self.toward.is_none() => scorer.score(),
                    None => 0.0,
                };
                segment.collect(doc, score);
            }
            until_clock -= 1;
            if until_clock == 0 {
                until_clock = CLOCK_EVERY;
                if self.is_late() {
                    segment.partial = true;
                    return;
                }
            }
            doc = scorer.advance();
        }
    }

    /// Words alone decide: no call for each passage.
    fn by_windows(&self, mut words: WordsScorer, alive: Option<&AliveBitSet>, segment: &mut Segment) {
        let mut pile = Pile::default();
        while let Some(window) = words.next_window() {
            segment.take_window(window, alive, &mut pile);
            if self.is_late() {
                segment.partial = true;
                return;
            }
        }
    }
}

/// The passages of a window, in columns.
#[derive(Default)]
struct Pile {
    docs: Vec<DocId>,
    scores: Vec<Score>,
    numbers: Vec<u64>,
}

/// First passages of the documents with an excluded word in any passage, sorted.
fn excluded_documents(
    weight: &dyn Weight,
    reader: &SegmentReader,
    columns: &Columns,
) -> tantivy::Result<Vec<DocId>> {
    let mut out: Vec<DocId> = Vec::new();
    let mut scorer = weight.scorer(reader, 1.0)?;
    let mut doc = scorer.doc();
    while doc != TERMINATED {
        let first = columns.first_passage(doc);
        if out.last() != Some(&first) {
            out.push(first);
        }
        doc = scorer.advance();
    }
    Ok(out)
}

/// The best passage of the document being walked over.
#[derive(Debug, Clone, Copy)]
struct Best {
    first: DocId,
    doc: DocId,
    score: Score,
}

/// Collects within one segment.
pub(crate) struct Segment {
    ordinal: SegmentOrdinal,
    keep: usize,
    since: i64,
    until: i64,
    after: Option<Place>,
    excluded: Vec<DocId>,
    /// By the order of the kind within the segment; empty where none is left out.
    without_kinds: Vec<bool>,
    /// By the order of the kind within the segment; empty where all are 1.
    kind_factors: Vec<f32>,
    columns: Arc<Columns>,
    distinct: bool,
    shown: Vec<u128>,
    largest_factor: f32,
    factors: Factors,
    now: Option<i64>,
    nearness: Option<Nearness>,
    by_meaning: bool,
    best: Option<Best>,
    /// Every document counts: nothing is excluded by word, date or kind.
    all_count: bool,
    /// Sorted, at most `keep`.
    kept: Vec<Kept>,
    /// What scores less by its words cannot be kept, whatever its factors.
    worst: Score,
    total: u64,
    partial: bool,
}

impl SegmentCollector for Segment {
    type Fruit = Harvest;

    fn collect(&mut self, doc: DocId, score: Score) {
        let first = self.columns.first_passage(doc);
        self.take(first, doc, score);
    }

    fn harvest(mut self) -> Harvest {
        self.close_document();
        Harvest {
            ordinal: self.ordinal,
            columns: self.columns,
            kind_factors: self.kind_factors,
            by_meaning: self.by_meaning,
            kept: self.kept,
            total: self.total,
            partial: self.partial,
        }
    }
}

impl Segment {
    fn take_window(&mut self, window: &mut Window, alive: Option<&AliveBitSet>, pile: &mut Pile) {
        let Pile { docs, scores, numbers } = pile;
        docs.clear();
        scores.clear();
        while let Some((doc, score)) = window.pop() {
            if alive.is_none_or(|alive| alive.is_alive(doc)) {
                docs.push(doc);
                scores.push(score);
            }
        }
        numbers.resize(docs.len(), 0);
        self.columns.passages.get_vals(docs, numbers);
        for ((doc, score), number) in docs.iter().zip(scores).zip(numbers) {
            self.take(before(*doc, *number), *doc, *score);
        }
    }

    #[inline]
    fn take(&mut self, first: DocId, doc: DocId, score: Score) {
        match &mut self.best {
            Some(best) if best.first == first => {
                if score > best.score {
                    best.score = score;
                    best.doc = doc;
                }
            }
            // Most documents are only counted.
            Some(best) if self.all_count && best.score < self.worst => {
                self.total += 1;
                *best = Best { first, doc, score };
            }
            _ => {
                self.close_document();
                self.best = Some(Best { first, doc, score });
            }
        }
    }

    /// Counts the document walked over and keeps it if it belongs on the page.
    fn close_document(&mut self) {
        let Some(best) = self.best.take() else { return };
        if !self.excluded.is_empty() && self.excluded.binary_search(&best.first).is_ok() {
            return;
        }
        let bounded = self.since > i64::MIN || self.until < i64::MAX;
        if bounded && !(self.since..self.until).contains(&self.columns.dates.get_val(best.doc)) {
            return;
        }
        if self.columns.by_kind(best.doc, &self.without_kinds) == Some(true) {
            return;
        }
        self.total += 1;
        if best.score < self.worst {
            return;
        }
        let score = self.with_factors(best);
        let steps = steps(score);
        if self.cannot_be_kept(steps) {
            return;
        }
        let kept = Kept {
            steps: Reverse(steps),
            occurred_at: Reverse(self.columns.dates.get_val(best.doc)),
            key: self.columns.key_ords.first(best.doc).unwrap_or(0),
            doc: best.doc,
            score_bits: score.to_bits(),
            likeness: if self.distinct { self.columns.likeness(best.doc) } else { 0 },
        };
        if !self.is_before_page(&kept) {
            self.keep(kept);
        }
    }

    fn cannot_be_kept(&self, steps: i64) -> bool {
        self.kept.len() >= self.keep && self.kept.last().is_some_and(|worst| steps < worst.steps.0)
    }

    /// The bonus for all words is no part of what factors multiply.
    fn with_factors(&self, best: Best) -> Score {
        if self.by_meaning {
            return best.score;
        }
        let (score, bonus) = split(best.score);
        let recency = self.factors.recency(self.columns.dates.get_val(best.doc), self.now);
        score * recency * self.kind_factor(best.doc) + bonus
    }

    fn kind_factor(&self, doc: DocId) -> f32 {
        self.columns.by_kind(doc, &self.kind_factors).unwrap_or(1.0)
    }

    fn keep(&mut self, kept: Kept) {
        if self.shown.iter().any(|shown| are_alike(*shown, kept.likeness)) {
            return;
        }
        if let Some(at) = self.kept.iter().position(|other| are_alike(other.likeness, kept.likeness)) {
            if self.kept[at] <= kept {
                return;
            }
            self.kept.remove(at);
        }
        let at = self.kept.partition_point(|other| *other < kept);
        if at < self.keep {
            self.kept.insert(at, kept);
            self.kept.truncate(self.keep);
        }
        self.worst = self.least_kept();
    }

    /// A step less than the worst that is kept has, before factors; they never take a score above
    /// the largest of them.
    #[expect(clippy::cast_precision_loss, reason = "steps of scores are small")]
    fn least_kept(&self) -> Score {
        match self.kept.last().filter(|_| self.kept.len() >= self.keep) {
            Some(worst) => (worst.steps.0 - 1) as Score / STEPS / self.largest_factor,
            None => Score::NEG_INFINITY,
        }
    }

    /// Whether an earlier page has it; the key is read only when all else is equal.
    fn is_before_page(&self, kept: &Kept) -> bool {
        let Some(after) = &self.after else {
            return false;
        };
        let order = (kept.steps, kept.occurred_at).cmp(&(Reverse(after.steps), Reverse(after.occurred_at)));
        match order {
            Ordering::Less => true,
            Ordering::Greater => false,
            Ordering::Equal => {
                let mut key = String::new();
                let read = self.columns.keys.ord_to_str(kept.key, &mut key);
                read.is_ok() && key <= after.key
            }
        }
    }
}

#[expect(clippy::cast_possible_truncation, reason = "scores are small; the cast saturates")]
pub(crate) fn steps(score: Score) -> i64 {
    (score * STEPS).round() as i64
}
