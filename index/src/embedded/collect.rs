//! Collects matches into one page: passages collapsed to documents, an exact
//! count, and an order that does not depend on how the index is cut up.
//!
//! Passages of a document always lie side by side in one segment, so one pass
//! in document order is enough; nothing is kept per match.

use super::factors::Factors;
use super::schema::LIKENESS;
use super::search::split;
use crate::analysis::are_alike;
use crate::meaning::Vector;
use std::cmp::{Ordering, Reverse};
use std::sync::Arc;
use std::time::Instant;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{BytesColumn, Column, ColumnValues, StrColumn};
use tantivy::fastfield::FastFieldReaders;
use tantivy::query::Weight;
use tantivy::{DocId, DocSet, Score, SegmentOrdinal, SegmentReader, TERMINATED};

/// Scores are compared in steps of 1/1024, so that sums made in another order are equal.
const STEPS: f32 = 1024.0;

/// How many matches pass between two looks at the clock.
const CLOCK_EVERY: u32 = 4096;

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

/// What one page asks of the matches.
#[derive(Clone)]
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) since: i64,
    pub(crate) until: i64,
    pub(crate) after: Option<Place>,
    pub(crate) excluded: Option<Arc<dyn Weight>>,
    pub(crate) scored: bool,
    /// Leaves out near-copies of better hits and of those shown before.
    pub(crate) distinct: bool,
    pub(crate) shown: Vec<u128>,
    pub(crate) factors: Factors,
    pub(crate) now: Option<i64>,
    /// Scores by nearness to this meaning instead of by words.
    pub(crate) toward: Option<Arc<Vector>>,
    pub(crate) deadline: Option<Instant>,
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
        let columns = reader.fast_fields();
        let keys =
            columns.str("key")?.ok_or_else(|| tantivy::TantivyError::FieldNotFound("key".to_owned()))?;
        let passages = columns.column_first_or_default::<u64>("passage")?;
        let excluded = match &self.excluded {
            Some(weight) => excluded_documents(weight.as_ref(), reader, passages.as_ref())?,
            None => Vec::new(),
        };
        Ok(Segment {
            ordinal,
            keep: self.keep(),
            since: self.since,
            until: self.until,
            after: self.after.clone(),
            excluded,
            key_ords: keys.ords().clone(),
            keys,
            passages,
            dates: columns.column_first_or_default::<i64>("occurred_at")?,
            kinds: Kinds::read(columns, &self.factors)?,
            likeness: [
                columns.column_first_or_default::<u64>(LIKENESS[0])?,
                columns.column_first_or_default::<u64>(LIKENESS[1])?,
            ],
            distinct: self.distinct,
            shown: self.shown.clone(),
            largest_factor: self.factors.largest(),
            factors: self.factors.clone(),
            now: self.now,
            nearness: match &self.toward {
                Some(toward) => columns.bytes("vector")?.map(|kept| Nearness::new(toward, kept)),
                None => None,
            },
            by_meaning: self.toward.is_some(),
            best: None,
            kept: Vec::new(),
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
    ) -> tantivy::Result<tantivy::Result<Found>> {
        let mut segment = self.for_segment(ordinal, reader)?;
        let mut scorer = weight.scorer(reader, 1.0)?;
        let alive = reader.alive_bitset();
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
                if self.deadline.is_some_and(|deadline| Instant::now() > deadline) {
                    segment.partial = true;
                    break;
                }
            }
            doc = scorer.advance();
        }
        Ok(segment.harvest())
    }

    fn merge_fruits(&self, fruits: Vec<tantivy::Result<Found>>) -> tantivy::Result<Found> {
        let mut all = Found::default();
        for found in fruits {
            let found = found?;
            all.candidates.extend(found.candidates);
            all.total += found.total;
            all.partial |= found.partial;
        }
        all.candidates.sort_by(|a, b| a.place.cmp(&b.place));
        if self.distinct {
            all.candidates = distinct(all.candidates);
        }
        all.candidates.truncate(self.limit + 1);
        Ok(all)
    }
}

/// Of near-copies the first.
pub(crate) fn distinct(candidates: Vec<Candidate>) -> Vec<Candidate> {
    let mut out: Vec<Candidate> = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        if !out.iter().any(|better| are_alike(better.likeness, candidate.likeness)) {
            out.push(candidate);
        }
    }
    out
}

/// The kinds of a segment with their factors.
struct Kinds {
    /// By the order of the kind within the segment; empty where all are 1.
    factors: Vec<f32>,
    ords: Column<u64>,
}

impl Kinds {
    fn read(columns: &FastFieldReaders, factors: &Factors) -> tantivy::Result<Kinds> {
        let kinds = columns.str("kind")?.filter(|_| !factors.kinds.is_empty());
        let Some(kinds) = kinds else {
            return Ok(Kinds { factors: Vec::new(), ords: Column::build_empty_column(0) });
        };
        let mut known = Vec::new();
        let mut name = String::new();
        for ord in 0..kinds.num_terms() as u64 {
            name.clear();
            kinds.ord_to_str(ord, &mut name)?;
            known.push(factors.kind(&name));
        }
        Ok(Kinds { factors: known, ords: kinds.ords().clone() })
    }

    fn factor(&self, doc: DocId) -> f32 {
        if self.factors.is_empty() {
            return 1.0;
        }
        let ord = self.ords.first(doc).and_then(|ord| usize::try_from(ord).ok());
        ord.and_then(|ord| self.factors.get(ord)).copied().unwrap_or(1.0)
    }
}

/// Compares the passages of a segment with a meaning.
struct Nearness {
    toward: Arc<Vector>,
    kept: BytesColumn,
    bytes: Vec<u8>,
}

impl Nearness {
    fn new(toward: &Arc<Vector>, kept: BytesColumn) -> Nearness {
        Nearness { toward: Arc::clone(toward), kept, bytes: Vec::new() }
    }

    /// The cosine; 0 for a passage without a vector.
    fn of(&mut self, doc: DocId) -> Score {
        self.bytes.clear();
        let ord = self.kept.ords().first(doc);
        match ord.map(|ord| self.kept.ord_to_bytes(ord, &mut self.bytes)) {
            Some(Ok(true)) => self.toward.cosine(&self.bytes),
            _ => 0.0,
        }
    }
}

/// First passages of the documents with an excluded word in any passage, sorted.
fn excluded_documents(
    weight: &dyn Weight,
    reader: &SegmentReader,
    passages: &dyn ColumnValues<u64>,
) -> tantivy::Result<Vec<DocId>> {
    let mut out: Vec<DocId> = Vec::new();
    let mut scorer = weight.scorer(reader, 1.0)?;
    let mut doc = scorer.doc();
    while doc != TERMINATED {
        let first = first_passage(doc, passages);
        if out.last() != Some(&first) {
            out.push(first);
        }
        doc = scorer.advance();
    }
    Ok(out)
}

fn first_passage(doc: DocId, passages: &dyn ColumnValues<u64>) -> DocId {
    doc.saturating_sub(u32::try_from(passages.get_val(doc)).unwrap_or(0))
}

/// The best passage of the document being walked over.
#[derive(Debug, Clone, Copy)]
struct Best {
    first: DocId,
    doc: DocId,
    score: Score,
}

/// A document kept for the page; the greatest is the worst.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    steps: Reverse<i64>,
    occurred_at: Reverse<i64>,
    /// Order of the key within the segment.
    key: u64,
    doc: DocId,
    score_bits: u32,
    likeness: u128,
}

/// Collects within one segment.
pub(crate) struct Segment {
    ordinal: SegmentOrdinal,
    keep: usize,
    since: i64,
    until: i64,
    after: Option<Place>,
    excluded: Vec<DocId>,
    keys: StrColumn,
    key_ords: Column<u64>,
    passages: Arc<dyn ColumnValues<u64>>,
    dates: Arc<dyn ColumnValues<i64>>,
    kinds: Kinds,
    likeness: [Arc<dyn ColumnValues<u64>>; 2],
    distinct: bool,
    shown: Vec<u128>,
    largest_factor: f32,
    factors: Factors,
    now: Option<i64>,
    nearness: Option<Nearness>,
    by_meaning: bool,
    best: Option<Best>,
    /// Sorted, at most `keep`.
    kept: Vec<Kept>,
    total: u64,
    partial: bool,
}

impl SegmentCollector for Segment {
    type Fruit = tantivy::Result<Found>;

    fn collect(&mut self, doc: DocId, score: Score) {
        let first = first_passage(doc, self.passages.as_ref());
        match &mut self.best {
            Some(best) if best.first == first => {
                if score > best.score {
                    best.score = score;
                    best.doc = doc;
                }
            }
            _ => {
                self.close_document();
                self.best = Some(Best { first, doc, score });
            }
        }
    }

    fn harvest(mut self) -> tantivy::Result<Found> {
        self.close_document();
        let mut candidates = Vec::with_capacity(self.kept.len());
        for kept in std::mem::take(&mut self.kept) {
            candidates.push(self.candidate(&kept)?);
        }
        Ok(Found { candidates, total: self.total, partial: self.partial })
    }
}

impl Segment {
    /// Counts the document walked over and keeps it if it belongs on the page.
    fn close_document(&mut self) {
        let Some(best) = self.best.take() else { return };
        if !self.excluded.is_empty() && self.excluded.binary_search(&best.first).is_ok() {
            return;
        }
        let bounded = self.since > i64::MIN || self.until < i64::MAX;
        if bounded && !(self.since..self.until).contains(&self.dates.get_val(best.doc)) {
            return;
        }
        self.total += 1;
        if self.cannot_be_kept(steps(best.score * self.largest_factor)) {
            return;
        }
        let score = self.with_factors(best);
        let steps = steps(score);
        if self.cannot_be_kept(steps) {
            return;
        }
        let kept = Kept {
            steps: Reverse(steps),
            occurred_at: Reverse(self.dates.get_val(best.doc)),
            key: self.key_ords.first(best.doc).unwrap_or(0),
            doc: best.doc,
            score_bits: score.to_bits(),
            likeness: if self.distinct { self.likeness_of(best.doc) } else { 0 },
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
        let recency = self.factors.recency(self.dates.get_val(best.doc), self.now);
        score * recency * self.kinds.factor(best.doc) + bonus
    }

    fn likeness_of(&self, doc: DocId) -> u128 {
        let [high, low] = &self.likeness;
        u128::from(high.get_val(doc)) << 64 | u128::from(low.get_val(doc))
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
                let read = self.keys.ord_to_str(kept.key, &mut key);
                read.is_ok() && key <= after.key
            }
        }
    }

    fn candidate(&self, kept: &Kept) -> tantivy::Result<Candidate> {
        let mut key = String::new();
        self.keys.ord_to_str(kept.key, &mut key)?;
        Ok(Candidate {
            place: Place { steps: kept.steps.0, occurred_at: kept.occurred_at.0, key },
            score: f32::from_bits(kept.score_bits),
            passage: u32::try_from(self.passages.get_val(kept.doc)).unwrap_or(0),
            segment: self.ordinal,
            doc: kept.doc,
            likeness: kept.likeness,
            kind_factor: self.kinds.factor(kept.doc),
            cosine: self.by_meaning.then_some(f32::from_bits(kept.score_bits)),
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "scores are small; the cast saturates")]
pub(crate) fn steps(score: Score) -> i64 {
    (score * STEPS).round() as i64
}
