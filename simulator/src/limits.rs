//! Rate limits as HubSpot counts them: a rolling window of ten seconds, one of a second, searches
//! apart from everything else, and a day that ends at the portal's midnight. Counted in simulated
//! time, so advancing the clock empties the windows.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use crate::clock::DAY_MS;
use crate::options::{RateLimit, RetryAfter};

/// The portal is one hour east of UTC.
const ZONE_MS: i64 = 3_600_000;

/// Calls counted so far and the limits in force.
#[derive(Debug)]
pub(crate) struct Limits(Mutex<Windows>);

#[derive(Debug)]
struct Windows {
    limit: Option<RateLimit>,
    calls: VecDeque<i64>,
    searches: VecDeque<i64>,
    day: i64,
    today: u32,
}

/// Whether a call may pass and what the headers say.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Verdict {
    /// The broken policy, if any.
    pub(crate) refused: Option<&'static str>,
    pub(crate) max: u32,
    pub(crate) remaining: u32,
    pub(crate) per_second: u32,
    pub(crate) second_remaining: u32,
    pub(crate) per_day: Option<(u32, u32)>,
    /// When a refused call would have passed, in whole seconds, and how that is told.
    pub(crate) wait: Option<(u64, RetryAfter)>,
}

impl Limits {
    pub(crate) fn new(limit: Option<RateLimit>) -> Self {
        Self(Mutex::new(Windows {
            limit,
            calls: VecDeque::new(),
            searches: VecDeque::new(),
            day: 0,
            today: 0,
        }))
    }

    pub(crate) fn set(&self, limit: Option<RateLimit>) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).limit = limit;
    }

    /// Counts a call, unless it is refused.
    pub(crate) fn pass(&self, search: bool, now: i64) -> Verdict {
        let mut windows = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(limit) = windows.limit else {
            // Nothing is enforced: the headers promise a full window, so nobody slows down.
            return Verdict {
                refused: None,
                max: 110,
                remaining: 109,
                per_second: 11,
                second_remaining: 10,
                per_day: None,
                wait: None,
            };
        };
        windows.pass(limit, search, now)
    }
}

impl Windows {
    fn pass(&mut self, limit: RateLimit, search: bool, now: i64) -> Verdict {
        let within = |window: &mut VecDeque<i64>, ms: i64| {
            while window.front().is_some_and(|at| *at <= now - ms) {
                window.pop_front();
            }
        };
        within(&mut self.calls, 10_000);
        within(&mut self.searches, 1_000);
        let day = (now + ZONE_MS).div_euclid(DAY_MS);
        if day != self.day {
            (self.day, self.today) = (day, 0);
        }
        let last_second = self.calls.iter().rev().take_while(|at| **at > now - 1_000).count() as u32;
        let refused = if limit.per_day.is_some_and(|most| self.today >= most) {
            Some("DAILY")
        } else if search {
            (self.searches.len() as u32 >= limit.search_per_second).then_some("SECONDLY")
        } else if self.calls.len() as u32 >= limit.per_ten_seconds {
            Some("TEN_SECONDLY_ROLLING")
        } else if limit.per_second.is_some_and(|most| last_second >= most) {
            Some("SECONDLY")
        } else {
            None
        };
        if refused.is_none() {
            self.today += 1;
            if search { self.searches.push_back(now) } else { self.calls.push_back(now) }
        }
        let freed = match refused {
            Some("DAILY") => DAY_MS - (now + ZONE_MS).rem_euclid(DAY_MS),
            Some("TEN_SECONDLY_ROLLING") => self.calls.front().map_or(0, |first| first + 10_000 - now),
            _ => 1_000,
        };
        let wait = (refused.is_some() && limit.retry_after != RetryAfter::Absent)
            .then_some(((freed.max(0) as u64).div_ceil(1_000), limit.retry_after));
        let per_second = limit.per_second.unwrap_or(limit.per_ten_seconds.div_ceil(10));
        Verdict {
            refused,
            max: limit.per_ten_seconds,
            remaining: limit.per_ten_seconds.saturating_sub(self.calls.len() as u32),
            per_second,
            second_remaining: per_second.saturating_sub(last_second + 1),
            per_day: limit.per_day.map(|most| (most, most.saturating_sub(self.today))),
            wait,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn windows_roll_and_search_is_apart() {
        let limits = Limits::new(Some(RateLimit { per_day: Some(20), ..RateLimit::burst(10) }));
        let refused = |search, now| limits.pass(search, now).refused;
        for n in 0..10 {
            assert_eq!(refused(false, 1_000 + n), None);
        }
        assert_eq!(refused(false, 1_010), Some("TEN_SECONDLY_ROLLING"));
        for _ in 0..5 {
            assert_eq!(refused(true, 1_010), None);
        }
        assert_eq!(refused(true, 1_010), Some("SECONDLY"));
        assert_eq!(refused(false, 11_000), None, "the oldest call has left the window");
        assert_eq!(refused(false, 11_000), Some("TEN_SECONDLY_ROLLING"));
        for n in 0..4 {
            assert_eq!(refused(false, 11_001 + n), None);
        }
        assert_eq!(refused(false, 30_000), Some("DAILY"));
        assert_eq!(refused(false, 30_000 + DAY_MS), None);
    }
}
