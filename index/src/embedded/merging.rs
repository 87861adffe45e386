//! Which segments are merged: few enough that a search is quick, seldom enough
//! that writing is.
//!
//! Sizes are kept falling by [`FAN`] from segment to segment, so that their
//! number grows with the logarithm of the index and every passage is written
//! about as often as there are levels. The engine's own policy keeps up to its
//! minimum of segments in each of a level's finer steps, 40 and more in an
//! index of millions. Only segments no running merge holds are seen here.

use std::cmp::Reverse;
use tantivy::SegmentMeta;
use tantivy::indexer::{MergeCandidate, MergePolicy};

/// Segments of about one size that become one; sizes of levels differ by as much.
const FAN: usize = 4;

/// Segments below this many passages are all of the lowest level.
const LEAST: u32 = 1_000;

/// With more segments than this the smallest are merged, whatever their sizes.
const MOST: usize = 10;

/// Share of deleted passages from which a segment is rewritten.
const DELETED: f32 = 0.2;

/// Segments are not merged into ones larger than this.
const LARGEST: u32 = 10_000_000;

/// The policy; it holds no state.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Levels;

impl MergePolicy for Levels {
    fn compute_merge_candidates(&self, segments: &[SegmentMeta]) -> Vec<MergeCandidate> {
        let sizes = segments
            .iter()
            .map(|segment| Sized { id: segment.id(), alive: segment.num_docs(), all: segment.max_doc() })
            .collect();
        chosen(sizes).into_iter().map(MergeCandidate).collect()
    }
}

/// A segment as the policy sees it.
#[derive(Debug, Clone, Copy)]
struct Sized<I> {
    id: I,
    alive: u32,
    all: u32,
}

impl<I> Sized<I> {
    fn level(&self) -> u32 {
        (self.alive / LEAST).checked_ilog(FAN as u32).map_or(0, |log| log + 1)
    }

    fn is_worn(&self) -> bool {
        #[expect(clippy::cast_precision_loss, reason = "a share needs no more than 24 bits")]
        let deleted = (self.all - self.alive) as f32 / self.all.max(1) as f32;
        deleted > DELETED
    }
}

/// Groups of segments to be merged; no segment is in two of them.
fn chosen<I: Copy>(mut segments: Vec<Sized<I>>) -> Vec<Vec<I>> {
    segments.retain(|segment| segment.alive <= LARGEST || segment.is_worn());
    segments.sort_by_key(|segment| Reverse(segment.alive));
    let mut out = Vec::new();
    while let Some(start) = crowded_from(&segments) {
        out.push(segments.drain(start..).map(|segment| segment.id).collect());
    }
    out.extend(segments.iter().filter(|segment| segment.is_worn()).map(|segment| vec![segment.id]));
    out
}

/// Where the segments begin that should be one: the lowest level that has enough of them, with
/// whatever is below it, or the smallest few where there are too many on all levels together.
fn crowded_from<I>(sorted: &[Sized<I>]) -> Option<usize> {
    let levels: Vec<u32> = sorted.iter().map(Sized::level).collect();
    let mut end = levels.len();
    while let Some(level) = end.checked_sub(1).and_then(|last| levels.get(last)) {
        let start = levels.partition_point(|other| other > level);
        if end - start >= FAN {
            return Some(start);
        }
        end = start;
    }
    (sorted.len() > MOST).then_some(MOST - FAN)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Commits of so many passages each, merged at once; answers the most segments and how often
    /// a passage was written.
    fn run(commits: u32, passages: u32) -> (usize, f64) {
        let mut segments: Vec<Sized<u32>> = Vec::new();
        let (mut most, mut written) = (0, 0u64);
        for commit in 0..commits {
            segments.push(Sized { id: commit, alive: passages, all: passages });
            written += u64::from(passages);
            for group in chosen(segments.clone()) {
                let merged: u32 = segments.iter().filter(|s| group.contains(&s.id)).map(|s| s.alive).sum();
                segments.retain(|s| !group.contains(&s.id));
                segments.push(Sized { id: group[0], alive: merged, all: merged });
                written += u64::from(merged);
            }
            most = most.max(segments.len());
        }
        (most, written as f64 / f64::from(commits * passages))
    }

    #[test]
    fn segments_stay_few_and_writing_cheap() {
        for (commits, passages, bound) in
            [(20_000, 1, 200.0), (20_000, 50, 20.0), (2_000, 5_000, 12.0), (300, 30_000, 8.0)]
        {
            let (most, times) = run(commits, passages);
            assert!(most <= MOST, "{most} segments after {commits} commits of {passages}");
            assert!(times < bound, "each passage was written {times} times, {commits} commits of {passages}");
        }
    }

    #[test]
    fn a_worn_segment_is_rewritten_alone() {
        let segment = |id, alive| Sized { id, alive, all: 100_000 };
        assert_eq!(chosen(vec![segment(1, 100_000), segment(2, 79_000)]), [[2]]);
        assert!(chosen(vec![segment(1, 100_000), segment(2, 81_000)]).is_empty());
        let huge = Sized { id: 3, alive: LARGEST + 1, all: LARGEST + 1 };
        assert!(chosen(vec![huge; 9]).is_empty(), "the largest are left alone");
    }
}
