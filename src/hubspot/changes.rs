//! Which records changed within a span of time, exactly, from a search that answers 10,000 at most.
//!
//! A window that holds more is halved, first in time, then (records of one millisecond) by id. The halves
//! are complementary filters, so they are exact whatever order HubSpot keeps ids in. A window's ids are
//! counted against the total of its first page and read again when something moved meanwhile.

use std::collections::{BTreeSet, VecDeque};

use serde_json::{Value, json};

use super::client::{Call, Client};
use super::error::HubspotError;
use super::paths::type_name;
use super::wire::{Object, WirePage, json as parse};
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;

/// HubSpot answers no more results of one query than this (contract, section 3.2).
const CAP: u64 = 10_000;
/// Largest page of a search.
const PAGE: u64 = 200;
/// How often a window is read again while its count does not fit.
const PATIENCE: u32 = 3;

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

/// Walks through the changes of one record type, oldest first.
#[derive(Debug)]
pub struct Changes {
    client: Client,
    record_type: RecordType,
    windows: VecDeque<Window>,
}

/// The ids of one window.
#[derive(Debug)]
pub struct Changed {
    /// Ids of records that changed, each once.
    pub ids: Vec<String>,
    /// Where the walk goes on: everything before this moment is done. `None` at the end.
    pub next: Option<Millis>,
}

impl Changes {
    /// Changes from `from` to `to`, both included.
    #[must_use]
    pub fn between(client: Client, record_type: RecordType, from: Millis, to: Millis) -> Self {
        let whole = Window { from: from.0.max(1), to: to.0, low: None, high: None };
        Self { client, record_type, windows: VecDeque::from([whole]) }
    }

    /// How many records changed in the whole span.
    pub async fn total(&self) -> Result<u64, HubspotError> {
        match self.windows.front() {
            Some(window) => Ok(self.page(window, 0, 1).await?.total.unwrap_or(0)),
            None => Ok(0),
        }
    }

    /// The next window that can be read whole; `None` at the end.
    pub async fn next(&mut self) -> Result<Option<Changed>, HubspotError> {
        while let Some(window) = self.windows.pop_front() {
            let first = self.page(&window, 0, PAGE).await?;
            if first.total.unwrap_or(0) > CAP {
                self.split(window).await?;
                continue;
            }
            let ids = self.read_whole(&window, first).await?;
            let next = self.windows.front().map(|window| Millis(window.from));
            return Ok(Some(Changed { ids: ids.into_iter().collect(), next }));
        }
        Ok(None)
    }

    /// Every id of a window. What leaves it while it is read has a newer time and comes again later; what
    /// moves up because of that is caught by the second reading.
    async fn read_whole(
        &self,
        window: &Window,
        mut first: WirePage<Object>,
    ) -> Result<BTreeSet<String>, HubspotError> {
        let mut ids = BTreeSet::new();
        for attempt in 0..PATIENCE {
            if attempt > 0 {
                first = self.page(window, 0, PAGE).await?;
            }
            let total = first.total.unwrap_or(0);
            let mut seen = BTreeSet::new();
            let mut page =
                std::mem::replace(&mut first, WirePage { results: Vec::new(), paging: None, total: None });
            loop {
                seen.extend(page.results.into_iter().map(|object| object.id.0));
                let after =
                    page.paging.and_then(|paging| paging.next).and_then(|next| next.after.0.parse().ok());
                let Some(after) = after.filter(|after| *after < CAP) else { break };
                page = self.page(window, after, PAGE).await?;
            }
            let complete = seen.len() as u64 >= total;
            ids.append(&mut seen);
            if complete {
                break;
            }
        }
        Ok(ids)
    }

    async fn split(&mut self, window: Window) -> Result<(), HubspotError> {
        if window.from < window.to {
            let middle = window.from + (window.to - window.from) / 2;
            self.windows.push_front(Window { from: middle + 1, ..window });
            self.windows.push_front(Window { to: middle, ..window });
            return Ok(());
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
        for (low, high) in [(Some(middle), Some(high)), (Some(low), Some(middle))] {
            self.windows.push_front(Window { low, high, ..window });
        }
        if window.low.is_none() || window.high.is_none() {
            // Ids outside the bounds exist only if HubSpot orders ids in a way of its own.
            self.windows.push_front(Window { low: Some(high), high: None, ..window });
            self.windows.push_front(Window { low: None, high: Some(low), ..window });
        }
        Ok(())
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
        let sorted = json!([{"propertyName": self.time_property(), "direction": "ASCENDING"}]);
        self.query(window, after, limit, sorted).await
    }

    async fn query(
        &self,
        window: &Window,
        after: u64,
        limit: u64,
        sorts: Value,
    ) -> Result<WirePage<Object>, HubspotError> {
        let time = self.time_property();
        let mut filters = vec![
            json!({"propertyName": time, "operator": "GTE", "value": window.from.to_string()}),
            json!({"propertyName": time, "operator": "LTE", "value": window.to.to_string()}),
        ];
        let id = |operator: &str, value: u64| json!({"propertyName": "hs_object_id", "operator": operator, "value": value.to_string()});
        filters.extend(window.low.map(|low| id("GTE", low)));
        filters.extend(window.high.map(|high| id("LT", high)));
        let body = json!({
            "filterGroups": [{"filters": filters}], "sorts": sorts, "properties": ["hs_object_id"],
            "limit": limit, "after": after.to_string(),
        });
        let path = self.client.version().search(type_name(self.record_type));
        self.client.fetch(&Call::post(path, &body).in_search_lane(), parse).await
    }

    /// Contacts keep their time of change under another name than everything else.
    fn time_property(&self) -> &'static str {
        match self.record_type {
            RecordType::Contacts => "lastmodifieddate",
            _ => "hs_lastmodifieddate",
        }
    }
}
