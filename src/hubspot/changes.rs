//! Which records changed (or were created) within a span of time, exactly, from a search that answers
//! 10,000 at most.
//!
//! A window that holds more is cut where its 10,000th record stands; records of one millisecond are parted by
//! id. The parts are complementary filters, so they are exact whatever order HubSpot keeps ids in. A window's
//! ids are counted against the total of its first page and read again when something moved meanwhile.

use std::collections::{BTreeMap, VecDeque};

use serde_json::{Value, json};

use super::call::Call;
use super::client::Client;
use super::error::HubspotError;
use super::paths::type_name;
use super::wire::{Object, WirePage, json as parse};
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;

/// HubSpot answers no more results of one query than this (contract, section 3.2).
const CAP: u64 = 10_000;
/// Largest page of a search: naming so many records is one request, like counting them.
pub const PAGE: u64 = 200;
/// No record is older than 1971, and HubSpot fails on a filter at the epoch (contract, section 3.2).
const OLDEST: i64 = 365 * 24 * 60 * 60 * 1000;
/// How often a window is read again while its count does not fit.
const PATIENCE: u32 = 3;

/// The time that windows are cut by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Axis {
    /// Of the last change.
    Changed,
    /// Of creation.
    Created,
}

impl Axis {
    /// Contacts name their times otherwise than everything else, companies and deals one of them.
    fn property(self, record_type: RecordType) -> &'static str {
        match (self, record_type) {
            (Self::Changed, RecordType::Contacts) => "lastmodifieddate",
            (Self::Changed, _) => "hs_lastmodifieddate",
            (Self::Created, RecordType::Engagement(_)) => "hs_createdate",
            (Self::Created, _) => "createdate",
        }
    }
}

/// A span of time, both ends included, and within one millisecond a range of ids.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Window {
    from: i64,
    to: i64,
    /// At least this id.
    low: Option<u64>,
    /// Below this id.
    high: Option<u64>,
}

impl Window {
    fn of(from: Millis, to: Millis) -> Self {
        Self { from: from.0.max(OLDEST), to: to.0.max(OLDEST), low: None, high: None }
    }
}

/// Walks through the records of one type in a span of time, oldest first.
#[derive(Debug)]
pub struct Changes {
    search: Search,
    windows: VecDeque<Window>,
    /// The first page of the first window, where it is read already.
    begun: Option<WirePage<Object>>,
}

#[derive(Debug)]
struct Search {
    client: Client,
    record_type: RecordType,
    axis: Axis,
}

/// A record that a search names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    /// Its id.
    pub id: String,
    /// When it was created.
    pub created_at: Millis,
    /// Its last change as HubSpot tells it now.
    pub changed_at: Millis,
}

impl Named {
    fn new(object: Object) -> Self {
        Self { created_at: object.created(), changed_at: object.updated(), id: object.id.0 }
    }
}

/// The records of one window.
#[derive(Debug)]
pub struct Changed {
    /// Each once.
    pub records: Vec<Named>,
    /// Where the walk goes on: everything before this moment is done. `None` at the end.
    pub next: Option<Millis>,
}

impl Changes {
    /// Records with a time of `axis` from `from` to `to`, both included.
    #[must_use]
    pub fn between(client: Client, record_type: RecordType, axis: Axis, from: Millis, to: Millis) -> Self {
        let search = Search { client, record_type, axis };
        Self { search, windows: VecDeque::from([Window::of(from, to)]), begun: None }
    }

    /// How many records the span holds; costs nothing, since the page that tells is used later.
    pub async fn total(&mut self) -> Result<u64, HubspotError> {
        if self.begun.is_none()
            && let Some(window) = self.windows.front()
        {
            self.begun = Some(self.search.page(window, 0, PAGE).await?);
        }
        Ok(self.begun.as_ref().and_then(|page| page.total).unwrap_or(0))
    }

    /// The next window that can be read whole; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Changed>, HubspotError> {
        while let Some(window) = self.windows.pop_front() {
            let first = match self.begun.take() {
                Some(page) => page,
                None => self.search.page(&window, 0, PAGE).await?,
            };
            if first.total.unwrap_or(0) > CAP {
                for part in self.search.parts(window, &first).await?.into_iter().rev() {
                    self.windows.push_front(part);
                }
                continue;
            }
            let records = self.search.read_whole(&window, first).await?.into_values().collect();
            let next = self.windows.front().map(|window| Millis(window.from));
            return Ok(Some(Changed { records, next }));
        }
        Ok(None)
    }
}

/// How many records of a type have a time of `axis` from `from` to `to`, both included: one request.
pub async fn count(
    client: &Client,
    record_type: RecordType,
    axis: Axis,
    from: Millis,
    to: Millis,
) -> Result<u64, HubspotError> {
    let search = Search { client: client.clone(), record_type, axis };
    Ok(search.page(&Window::of(from, to), 0, 1).await?.total.unwrap_or(0))
}

impl Search {
    /// Every record of a window. What leaves it while it is read has a newer time and comes again later; what
    /// moves up because of that is caught by the second reading.
    async fn read_whole(
        &self,
        window: &Window,
        mut first: WirePage<Object>,
    ) -> Result<BTreeMap<String, Named>, HubspotError> {
        let mut found = BTreeMap::new();
        for attempt in 0..PATIENCE {
            if attempt > 0 {
                first = self.page(window, 0, PAGE).await?;
            }
            let total = first.total.unwrap_or(0);
            let mut seen = BTreeMap::new();
            let mut page = std::mem::replace(&mut first, WirePage::empty());
            loop {
                seen.extend(page.results.into_iter().map(|object| (object.id.0.clone(), Named::new(object))));
                let after =
                    page.paging.and_then(|paging| paging.next).and_then(|next| next.after.0.parse().ok());
                let Some(after) = after.filter(|after| *after < CAP) else { break };
                page = self.page(window, after, PAGE).await?;
            }
            let complete = seen.len() as u64 >= total;
            found.append(&mut seen);
            if complete {
                break;
            }
        }
        Ok(found)
    }

    /// Windows that together are `window`, in the order they are to be read.
    async fn parts(&self, window: Window, first: &WirePage<Object>) -> Result<Vec<Window>, HubspotError> {
        if window.from < window.to {
            let cut = self.cut(&window, first).await?;
            return Ok(vec![Window { to: cut, ..window }, Window { from: cut + 1, ..window }]);
        }
        let (low, high) = match (window.low, window.high) {
            (Some(low), Some(high)) => (low, high),
            _ => self.id_bounds(&window).await?,
        };
        let middle = low + (high - low) / 2;
        if middle <= low {
            return Err(HubspotError::Unreadable(
                "more than 10,000 records share one id in a search".to_owned(),
            ));
        }
        let inside = [(Some(low), Some(middle)), (Some(middle), Some(high))];
        // Ids outside the bounds exist only if HubSpot orders ids in a way of its own.
        let outside = [(None, Some(low)), (Some(high), None)];
        let whole = window.low.is_none() || window.high.is_none();
        let ranges = outside.into_iter().filter(|_| whole).chain(inside);
        Ok(ranges.map(|(low, high)| Window { low, high, ..window }).collect())
    }

    /// The last millisecond of a first part that can be read whole, found at the 10,000th record; a part for
    /// the first millisecond alone where that one is full. Halves the window where HubSpot's order misleads.
    async fn cut(&self, window: &Window, first: &WirePage<Object>) -> Result<i64, HubspotError> {
        let time = |object: &Object| match self.axis {
            Axis::Changed => object.updated().0,
            Axis::Created => object.created().0,
        };
        let oldest = first.results.first().map_or(window.from, &time);
        let last = self.page(window, CAP - PAGE, PAGE).await?;
        let at = last.results.last().map_or(window.to, &time);
        let cut = match at > oldest {
            true => at - 1,
            // A first millisecond that is full stands alone: what is before it goes first.
            false if oldest > window.from => oldest - 1,
            false => oldest,
        };
        let halved = window.from + (window.to - window.from) / 2;
        Ok(if (window.from..window.to).contains(&cut) { cut } else { halved })
    }

    /// Smallest and one past the largest id of a window, as HubSpot sorts them.
    async fn id_bounds(&self, window: &Window) -> Result<(u64, u64), HubspotError> {
        let mut ends = Vec::with_capacity(2);
        for direction in ["ASCENDING", "DESCENDING"] {
            let sorted = json!([{"propertyName": "hs_object_id", "direction": direction}]);
            let page = self.query(window, 0, 1, sorted).await?;
            ends.extend(page.results.first().and_then(|object| object.id.0.parse::<u64>().ok()));
        }
        let low = ends.iter().min().copied().unwrap_or(0);
        let high = ends.iter().max().copied().unwrap_or(0);
        Ok((low, high.max(low) + 2))
    }

    async fn page(&self, window: &Window, after: u64, limit: u64) -> Result<WirePage<Object>, HubspotError> {
        let property = self.axis.property(self.record_type);
        let sorted = json!([{"propertyName": property, "direction": "ASCENDING"}]);
        self.query(window, after, limit, sorted).await
    }

    async fn query(
        &self,
        window: &Window,
        after: u64,
        limit: u64,
        sorts: Value,
    ) -> Result<WirePage<Object>, HubspotError> {
        let time = self.axis.property(self.record_type);
        let changed = Axis::Changed.property(self.record_type);
        let mut filters = vec![
            json!({"propertyName": time, "operator": "GTE", "value": window.from.to_string()}),
            json!({"propertyName": time, "operator": "LTE", "value": window.to.to_string()}),
        ];
        let id = |operator: &str, value: u64| json!({"propertyName": "hs_object_id", "operator": operator, "value": value.to_string()});
        filters.extend(window.low.map(|low| id("GTE", low)));
        filters.extend(window.high.map(|high| id("LT", high)));
        let body = json!({
            "filterGroups": [{"filters": filters}], "sorts": sorts, "properties": [time, changed],
            "limit": limit, "after": after.to_string(),
        });
        let path = self.client.version().search(type_name(self.record_type));
        self.client.fetch(&Call::post(path, &body).in_search_lane(), parse).await
    }
}
