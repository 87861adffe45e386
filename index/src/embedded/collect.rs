//! Collects matches into one page: passages collapsed to documents, an exact
//! count, and an order that does not depend on how the index is cut up.
//!
//! Passages of a document always lie side by side in one segment, so one pass
//! in document order is enough; nothing is kept per match.

use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::time::Instant;
use tantivy::collector::{Collector, SegmentCollector};
use tantivy::columnar::{Column, ColumnValues, StrColumn};
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
pub(crate) struct Page {
    pub(crate) limit: usize,
    pub(crate) since: i64,
    pub(crate) until: i64,
    pub(crate) after: Option<Place>,
    pub(crate) excluded: Option<Arc<dyn Weight>>,
    pub(crate) scored: bool,
    pub(crate) deadline: Option<Instant>,
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
            keep: self.limit + 1,
            since: self.since,
            until: self.until,
            after: self.after.clone(),
            excluded,
            key_ords: keys.ords().clone(),
            keys,
            passages,
            dates: columns.column_first_or_default::<i64>("occurred_at")?,
            best: None,
            heap: BinaryHeap::new(),
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
                let score = if self.scored { scorer.score() } else { 0.0 };
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
        all.candidates.truncate(self.limit + 1);
        Ok(all)
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
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Kept {
    steps: Reverse<i64>,
    occurred_at: Reverse<i64>,
    /// Order of the key within the segment.
    key: u64,
    doc: DocId,
    score_bits: u32,
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
    best: Option<Best>,
    heap: BinaryHeap<Kept>,
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
        let mut candidates = Vec::with_capacity(self.heap.len());
        for kept in std::mem::take(&mut self.heap) {
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
        let steps = steps(best.score);
        if self.heap.len() >= self.keep && self.heap.peek().is_some_and(|worst| steps < worst.steps.0) {
            return;
        }
        let kept = Kept {
            steps: Reverse(steps),
            occurred_at: Reverse(self.dates.get_val(best.doc)),
            key: self.key_ords.first(best.doc).unwrap_or(0),
            doc: best.doc,
            score_bits: best.score.to_bits(),
        };
        if self.is_before_page(&kept) {
            return;
        }
        if self.heap.len() < self.keep {
            self.heap.push(kept);
        } else if let Some(mut worst) = self.heap.peek_mut()
            && kept < *worst
        {
            *worst = kept;
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
        })
    }
}

#[expect(clippy::cast_possible_truncation, reason = "scores are small; the cast saturates")]
fn steps(score: Score) -> i64 {
    (score * STEPS).round() as i64
}
