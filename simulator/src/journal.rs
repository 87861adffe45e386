//! What clients did: calls per route, in which order routes were first called, how many requests
//! were in flight at once, and how often a rate limit was broken. Counts only, no bodies.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

use crate::clock::real_now_ms;

/// Counters of one run; all start at zero.
#[derive(Debug, Default)]
pub(crate) struct Journal {
    routes: Mutex<Routes>,
    in_flight: AtomicU64,
    highest: AtomicU64,
    total: AtomicU64,
}

#[derive(Debug, Default)]
struct Routes {
    counts: BTreeMap<String, u64>,
    statuses: BTreeMap<u16, u64>,
    violations: BTreeMap<&'static str, u64>,
    order: Vec<String>,
    first_ms: Option<i64>,
    /// Calls other than searches in each tenth of a second since the first call, machine time.
    tenths: Vec<u32>,
}

/// Tenths of a second that are kept: a day.
const TENTHS: usize = 864_000;

impl Routes {
    fn tick(&mut self, now: i64) {
        let first = *self.first_ms.get_or_insert(now);
        let at = ((now - first).max(0) / 100) as usize;
        if at < TENTHS {
            let length = self.tenths.len().max(at + 1);
            self.tenths.resize(length, 0);
            self.tenths[at] += 1;
        }
    }
}

impl Journal {
    /// A request has come in.
    pub(crate) fn enter(&self) {
        let now = self.in_flight.fetch_add(1, Ordering::Relaxed) + 1;
        self.highest.fetch_max(now, Ordering::Relaxed);
    }

    /// Its reply is on the way.
    pub(crate) fn leave(&self) {
        self.in_flight.fetch_sub(1, Ordering::Relaxed);
    }

    /// Counts a call; returns the route's calls and all calls so far, this one included.
    pub(crate) fn count(&self, route: &str) -> (u64, u64) {
        let total = self.total.fetch_add(1, Ordering::Relaxed) + 1;
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        if !route.ends_with("/search") {
            routes.tick(real_now_ms());
        }
        if let Some(count) = routes.counts.get_mut(route) {
            *count += 1;
            return (*count, total);
        }
        routes.counts.insert(route.to_owned(), 1);
        routes.order.push(route.to_owned());
        (1, total)
    }

    /// A rate limit was broken.
    pub(crate) fn violated(&self, policy: &'static str) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        *routes.violations.entry(policy).or_default() += 1;
    }

    pub(crate) fn answered(&self, status: u16) {
        let mut routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        *routes.statuses.entry(status).or_default() += 1;
    }

    pub(crate) fn report(&self) -> Value {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        json!({
            "total": self.total.load(Ordering::Relaxed),
            "routes": routes.counts,
            "order": routes.order,
            "statuses": routes.statuses,
            "highest_concurrency": self.highest.load(Ordering::Relaxed),
            "rate_limit_violations": routes.violations.values().sum::<u64>(),
            "violations": routes.violations,
        })
    }

    /// How many calls other than searches came in each tenth of a second: where a client was idle.
    pub(crate) fn tenths(&self) -> Value {
        let routes = self.routes.lock().unwrap_or_else(PoisonError::into_inner);
        json!({"tenths": routes.tenths})
    }

    pub(crate) fn reset(&self) {
        *self.routes.lock().unwrap_or_else(PoisonError::into_inner) = Routes::default();
        for counter in [&self.highest, &self.total] {
            counter.store(0, Ordering::Relaxed);
        }
    }
}
