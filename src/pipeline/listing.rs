//! Reading the list of a type ahead of itself.
//!
//! One page leads to the next, so a list read page by page goes no faster than answers travel. But its cursor
//! is an id: "records from this id on". So once a page has shown that (ids ascend, the cursor is the next id),
//! the stretch ahead is cut into segments of a few pages each that are read at the same time. Pages are handed
//! out in the order of the list, because a mail is understood better when the mail it answers is known, and
//! because then one cursor says how far reading has come. A list that does not behave like that is read page by
//! page. Which requests may start when is the budget's business, not this file's.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinSet;

use super::fetch::{Fetched, Records, Source, read};
use crate::hubspot::error::HubspotError;
use crate::hubspot::objects::{self, Which};

/// Cursors of this file begin so; those of a walk through changes are numbers.
const MARK: &str = "list:";
/// Requests of lists under way at once, all types together: enough for HubSpot's rate at half a second each.
const AT_ONCE: usize = 8;
/// Records that a segment is meant to hold: a little less than three pages, lest a fourth is needed for a few.
const SEGMENT: f64 = 290.0;
/// Pages after which a segment that holds more than expected is cut anew.
const MOST_PAGES: usize = 4;

/// Places for requests of lists, shared by the types that are read side by side.
#[derive(Debug)]
pub struct Places {
    free: Semaphore,
    readers: AtomicUsize,
}

impl Places {
    /// All of them free.
    #[must_use]
    pub fn new() -> Arc<Self> {
        Arc::new(Self { free: Semaphore::new(AT_ONCE), readers: AtomicUsize::new(0) })
    }

    /// Segments that one of the types now being read may have begun: twice its share of the places. Later
    /// segments may be ready while the one to be handed out next still waits for its answer; without others to
    /// go on with, places would stay unused.
    fn share(&self) -> usize {
        (2 * AT_ONCE / self.readers.load(Ordering::Relaxed).max(1)).max(2)
    }
}

/// One type is being read; counted for as long as it lives.
#[derive(Debug)]
struct Presence(Arc<Places>);

impl Presence {
    fn of(places: &Arc<Places>) -> Self {
        places.readers.fetch_add(1, Ordering::Relaxed);
        Self(Arc::clone(places))
    }
}

impl Drop for Presence {
    fn drop(&mut self) {
        self.0.readers.fetch_sub(1, Ordering::Relaxed);
    }
}

/// A stretch of the list that is being read; its pages come in order.
#[derive(Debug)]
struct Segment {
    /// First id that belongs to the next segment; `None` at the end of the list.
    end: Option<u64>,
    pages: mpsc::Receiver<Result<Step, HubspotError>>,
    /// Ends the reading when the segment is dropped.
    _task: JoinSet<()>,
}

/// One page of a segment, and where it leads.
#[derive(Debug)]
struct Step {
    page: Fetched,
    /// Cursor of the next page of the list.
    next: Option<String>,
    /// The next page, if there is one, belongs to another segment.
    last: bool,
    /// The segment goes on, but is longer than expected: its rest is to be cut anew.
    pause: bool,
    /// Ids ascend and the cursor is an id.
    by_id: bool,
    /// Records per number on this page, where it tells.
    density: Option<f64>,
}

impl Segment {
    fn read(source: &Source, from: Option<String>, end: Option<u64>, most: usize) -> Self {
        let (send, pages) = mpsc::channel(MOST_PAGES);
        let mut task = JoinSet::new();
        let source = source.clone();
        task.spawn(async move {
            let mut after = from;
            for page in 1..=most {
                let step = step(&source, after.as_deref(), end).await;
                let step = step.map(|step| Step { pause: page == most && !step.last, ..step });
                after = step.as_ref().ok().filter(|step| !step.last).and_then(|step| step.next.clone());
                // Nobody may want it any longer.
                if send.send(step).await.is_err() || after.is_none() {
                    return;
                }
            }
        });
        Self { end, pages, _task: task }
    }
}

async fn step(source: &Source, after: Option<&str>, end: Option<u64>) -> Result<Step, HubspotError> {
    let mut page = {
        let _place = source.places.free.acquire().await;
        read(source, Which::After(after)).await?
    };
    let next = page.next.take();
    let number = next.as_deref().and_then(|next| next.parse::<u64>().ok());
    let ids = page.records.ids();
    let by_id = cursor_is_an_id(&ids, next.as_deref(), number);
    let last = next.is_none() || end.is_some_and(|end| number.is_some_and(|next| next >= end));
    if let Some(end) = end.filter(|_| by_id) {
        page.records.keep_below(end);
    }
    Ok(Step { page, next, last, pause: false, by_id, density: density(&ids) })
}

/// A reading of a whole list.
#[derive(Debug)]
pub struct Listing {
    segments: VecDeque<Segment>,
    /// Records and highest id that HubSpot told at the start: for progress and for planning only.
    extent: Option<objects::Extent>,
    /// Whether cursors are ids; unknown before the first page.
    by_id: Option<bool>,
    /// Records per number where reading stands.
    density: Option<f64>,
    presence: Presence,
}

impl Listing {
    /// This cursor of a checkpoint was written by a listing.
    #[must_use]
    pub fn is_cursor(after: &str) -> bool {
        after.starts_with(MARK)
    }

    /// A reading of everything, or of what is left behind the cursor.
    pub async fn open(source: &Source, after: Option<&str>) -> Self {
        let from = after.and_then(|after| after.strip_prefix(MARK)).filter(|from| !from.is_empty());
        // One page, to see how this list behaves.
        let first = Segment::read(source, from.map(str::to_owned), None, 1);
        let extent = objects::extent(&source.client, source.record_type).await.ok();
        let presence = Presence::of(&source.places);
        Self { segments: VecDeque::from([first]), extent, by_id: None, density: None, presence }
    }

    /// How many records HubSpot says there are.
    #[must_use]
    pub fn expected(&self) -> Option<u64> {
        self.extent.as_ref().map(|extent| extent.total)
    }

    /// The list is cut up to its end and all of it is being read.
    pub(super) fn is_planned(&self) -> bool {
        self.by_id == Some(true) && self.segments.back().is_none_or(|last| last.end.is_none())
    }

    /// The next page of the list.
    pub(super) async fn page(&mut self, source: &Source) -> Result<Fetched, HubspotError> {
        let Some(front) = self.segments.front_mut() else {
            return Ok(Fetched::nothing());
        };
        let step = match front.pages.recv().await {
            Some(step) => step?,
            None => return Err(HubspotError::Unreadable("reading a list was broken off".to_owned())),
        };
        let end = front.end;
        let parted = self.segments.len() > 1 || end.is_some();
        if !step.by_id && parted {
            return Ok(self.start_over(source, step.page));
        }
        if !step.page.records.ids().is_empty() || self.by_id.is_none() {
            self.by_id = Some(step.by_id);
        }
        self.density = step.density.or(self.density);
        Ok(self.settle(source, step, end))
    }

    /// Goes on behind a page.
    fn settle(&mut self, source: &Source, step: Step, end: Option<u64>) -> Fetched {
        let Step { mut page, next, last, pause, .. } = step;
        let cursor = match (&next, end) {
            (Some(next), Some(end)) if last => {
                self.segments.pop_front();
                self.skip_gap(next, end);
                Some(next.parse::<u64>().map_or(end, |next| next.max(end)).to_string())
            }
            (Some(next), _) => Some(next.clone()),
            (None, _) => {
                self.segments.clear();
                None
            }
        };
        if pause {
            self.segments.pop_front();
            let behind = self.segments.len();
            self.plan(source, cursor.clone(), end);
            self.segments.rotate_left(behind);
        }
        if let Some(frontier) = self.frontier(cursor.as_deref()) {
            self.plan(source, Some(frontier), None);
        }
        page.next = cursor.map(|cursor| format!("{MARK}{cursor}"));
        page
    }

    /// No id lies between the end of a segment and the next id of the list: segments within are empty.
    fn skip_gap(&mut self, next: &str, end: u64) {
        let next = next.parse().unwrap_or(end);
        while self.segments.front().is_some_and(|front| front.end.is_some_and(|end| end <= next)) {
            self.segments.pop_front();
        }
    }

    /// Where nothing is planned yet; `None` where the list is planned to its end.
    fn frontier(&self, cursor: Option<&str>) -> Option<String> {
        match self.segments.back() {
            Some(last) => last.end.map(|end| end.to_string()),
            None => cursor.map(str::to_owned),
        }
    }

    /// Cuts the stretch from `from` to `end` into segments, as many as may be begun.
    fn plan(&mut self, source: &Source, from: Option<String>, end: Option<u64>) {
        let mut from = from;
        let within = end.is_some();
        while from.is_some() && (within || self.segments.len() < self.presence.0.share()) {
            let cut = self.cut(from.as_deref()).filter(|cut| end.is_none_or(|end| *cut < end));
            let room = self.segments.len() + 1 < self.presence.0.share();
            let stop = if within && !room { end } else { cut.or(end) };
            self.segments.push_back(Segment::read(source, from, stop, MOST_PAGES));
            from = stop.filter(|stop| Some(*stop) != end).map(|stop| stop.to_string());
        }
    }

    /// The end of a segment that begins at `from`; `None` where the list should end before it.
    fn cut(&self, from: Option<&str>) -> Option<u64> {
        let (density, highest) = (self.density?, self.extent.as_ref()?.highest_id?);
        let from: u64 = from?.parse().ok().filter(|_| self.by_id == Some(true))?;
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "positive, saturates")]
        let width = (SEGMENT / density).ceil() as u64;
        Some(from.saturating_add(width.max(1))).filter(|end| *end <= highest)
    }

    /// The list is not what it seemed: everything is read again, page by page.
    fn start_over(&mut self, source: &Source, mut page: Fetched) -> Fetched {
        self.by_id = Some(false);
        self.extent = None;
        self.segments = VecDeque::from([Segment::read(source, None, None, 1)]);
        page.next = Some(MARK.to_owned());
        page
    }
}

/// How many records there are per number on a page that holds enough of them to tell.
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
fn density(ids: &[u64]) -> Option<f64> {
    let (first, last) = (ids.first()?, ids.last()?);
    (ids.len() > 20 && last > first).then(|| (ids.len() - 1) as f64 / (last - first) as f64)
}

/// Ids ascend, but for one that is repeated from the page before, and the cursor is an id behind the last.
fn cursor_is_an_id(ids: &[u64], cursor: Option<&str>, next: Option<u64>) -> bool {
    let ascending = ids.iter().skip(1).is_sorted() && (ids.len() < 2 || ids[0] <= ids[1]);
    ascending && (cursor.is_none() || next.is_some_and(|next| ids.last().is_none_or(|last| next > *last)))
}

impl Records {
    /// Ids that are numbers, in the order of the page.
    fn ids(&self) -> Vec<u64> {
        fn numbers<'a>(ids: impl Iterator<Item = &'a String>) -> Vec<u64> {
            ids.filter_map(|id| id.parse().ok()).collect()
        }
        match self {
            Self::Contacts(records) => numbers(records.iter().map(|one| &one.id)),
            Self::Companies(records) => numbers(records.iter().map(|one| &one.id)),
            Self::Deals(records) => numbers(records.iter().map(|one| &one.id)),
            Self::Engagements(records) => numbers(records.iter().map(|one| &one.id)),
        }
    }

    fn keep_below(&mut self, end: u64) {
        let below = |id: &String| id.parse::<u64>().map_or(true, |id| id < end);
        match self {
            Self::Contacts(records) => records.retain(|one| below(&one.id)),
            Self::Companies(records) => records.retain(|one| below(&one.id)),
            Self::Deals(records) => records.retain(|one| below(&one.id)),
            Self::Engagements(records) => records.retain(|one| below(&one.id)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offsets_and_opaque_cursors_are_not_taken_for_ids() {
        assert!(cursor_is_an_id(&[5, 9, 12], Some("13"), Some(13)));
        assert!(cursor_is_an_id(&[12, 12, 14], None, None), "one repeated from the page before");
        assert!(!cursor_is_an_id(&[551, 601, 5051], Some("100"), Some(100)), "an offset");
        assert!(!cursor_is_an_id(&[5, 9], Some("MTAw"), None), "opaque");
        assert!(!cursor_is_an_id(&[5, 90, 12, 13], Some("91"), Some(91)), "not in order");
    }
}
