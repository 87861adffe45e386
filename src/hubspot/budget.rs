//! How fast we may ask: a rolling window for everything, a slower lane for search.
//!
//! HubSpot counts requests of the last ten seconds as they arrive; so does this: a request may start when
//! fewer than the limit started within the window. A paced bucket was rejected: after a pause it either
//! wastes the window or bursts over it. The limit follows the `X-HubSpot-RateLimit-Max` header.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Limit before the first answer told us the real one (contract, section 7: the smallest plan has 100).
const FIRST_LIMIT: usize = 90;
/// Requests kept back, because travel times move arrivals into a neighbouring window.
const MARGIN: usize = 2;
/// HubSpot's window, with the same allowance in time.
const WINDOW: Duration = Duration::from_millis(10_100);
/// Search: five a second for the whole account; one is left to others.
const SEARCH_LIMIT: usize = 4;
const SEARCH_WINDOW: Duration = Duration::from_millis(1_020);

/// Which of HubSpot's counters a request falls under.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Lane {
    /// Everything but search.
    General,
    /// Search endpoints.
    Search,
}

#[derive(Debug)]
struct RollingWindow {
    limit: usize,
    span: Duration,
    starts: VecDeque<Instant>,
    blocked_until: Option<Instant>,
    first: Option<Instant>,
    taken: u64,
}

impl RollingWindow {
    fn new(limit: usize, span: Duration) -> Self {
        Self { limit, span, starts: VecDeque::new(), blocked_until: None, first: None, taken: 0 }
    }

    /// Takes a place now, or says when to ask again.
    fn take(&mut self, now: Instant) -> Result<(), Instant> {
        if let Some(until) = self.blocked_until.filter(|until| *until > now) {
            return Err(until);
        }
        self.blocked_until = None;
        while self.starts.front().is_some_and(|start| *start + self.span <= now) {
            self.starts.pop_front();
        }
        if self.starts.len() < self.limit {
            self.starts.push_back(now);
            self.first.get_or_insert(now);
            self.taken += 1;
            return Ok(());
        }
        let oldest_that_counts = self.starts.len() - self.limit;
        Err(self.starts.get(oldest_that_counts).map_or(now, |start| *start + self.span))
    }
}

/// The budget of one portal, shared by everything that calls it.
#[derive(Debug)]
pub struct Budget {
    general: Mutex<RollingWindow>,
    search: Mutex<RollingWindow>,
    fixed: bool,
}

impl Budget {
    /// `fixed` requests per ten seconds, or as HubSpot's headers say.
    #[must_use]
    pub fn new(fixed: Option<u32>) -> Self {
        let limit = fixed.map_or(FIRST_LIMIT, |limit| limit as usize);
        let search = if fixed.is_some_and(|limit| limit > 1000) { usize::MAX } else { SEARCH_LIMIT };
        Self {
            general: Mutex::new(RollingWindow::new(limit, WINDOW)),
            search: Mutex::new(RollingWindow::new(search, SEARCH_WINDOW)),
            fixed: fixed.is_some(),
        }
    }

    fn lane(&self, lane: Lane) -> &Mutex<RollingWindow> {
        match lane {
            Lane::General => &self.general,
            Lane::Search => &self.search,
        }
    }

    /// Waits until a request may start.
    pub async fn wait(&self, lane: Lane) {
        loop {
            let taken = self.lane(lane).lock().unwrap_or_else(PoisonError::into_inner).take(Instant::now());
            match taken {
                Ok(()) => return,
                Err(again) => tokio::time::sleep_until(again).await,
            }
        }
    }

    /// HubSpot told its limit for the window.
    pub fn learn(&self, lane: Lane, max: usize) {
        if !self.fixed && lane == Lane::General {
            let limit = max.saturating_sub(MARGIN).max(1);
            self.lane(lane).lock().unwrap_or_else(PoisonError::into_inner).limit = limit;
        }
    }

    /// Share of the permitted rate used since the first request, 0 to 1.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "counts far below 2^52")]
    pub fn permitted_rate_used(&self) -> f64 {
        let window = self.general.lock().unwrap_or_else(PoisonError::into_inner);
        let seconds = window.first.map_or(0.0, |first| first.elapsed().as_secs_f64());
        // Within the first window everything permitted may be used at once.
        let permitted = (window.limit as f64) * (seconds / window.span.as_secs_f64()).max(1.0);
        (window.taken as f64 / permitted).min(1.0)
    }

    /// HubSpot said no: nobody asks before `pause` is over.
    pub fn block(&self, lane: Lane, pause: Duration) {
        let until = Instant::now() + pause;
        let mut window = self.lane(lane).lock().unwrap_or_else(PoisonError::into_inner);
        window.blocked_until = Some(window.blocked_until.map_or(until, |already| already.max(until)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_ten_seconds_ever_hold_more_than_the_limit_and_little_is_wasted() {
        let mut window = RollingWindow::new(110 - MARGIN, WINDOW);
        let mut now = Instant::now();
        let mut starts = Vec::new();
        for request in 0..500_u64 {
            while let Err(again) = window.take(now) {
                assert!(again > now, "waiting always gets further");
                now = again;
            }
            starts.push(now);
            now += Duration::from_millis(request * 37 % 90);
        }
        for (first, start) in starts.iter().enumerate() {
            let within =
                starts[first..].iter().take_while(|s| **s - *start < Duration::from_secs(10)).count();
            assert!(within <= 110, "{within} requests in ten seconds");
        }
        let permitted = (starts[499] - starts[0]).as_secs_f64() / 10.0 * 110.0;
        assert!(500.0 / permitted > 0.93, "only {} of the permitted rate used", 500.0 / permitted);
    }

    #[test]
    fn after_a_refusal_nobody_asks_before_the_pause_is_over() {
        let budget = Budget::new(None);
        budget.block(Lane::General, Duration::from_secs(5));
        let now = Instant::now();
        let again = budget.general.lock().unwrap().take(now).unwrap_err();
        assert!(again > now + Duration::from_secs(4));
        assert!(budget.search.lock().unwrap().take(now).is_ok(), "search has its own lane");
    }
}
