//! How many requests went to HubSpot, for reports. Nothing is limited here: that is `budget`.

use std::sync::atomic::{AtomicU64, Ordering};

use serde::Serialize;

/// What was asked of HubSpot so far.
#[derive(Debug, Default)]
pub struct Requests {
    total: AtomicU64,
    retried: AtomicU64,
    rate_limited: AtomicU64,
}

/// A reading of [`Requests`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RequestCounts {
    /// Requests sent.
    pub total: u64,
    /// Of these, repeated ones.
    pub retried: u64,
    /// Answers that were a rate limit.
    pub rate_limited: u64,
}

impl Requests {
    pub(super) fn count(&self) {
        self.total.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_retried(&self) {
        self.retried.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn count_rate_limited(&self) {
        self.rate_limited.fetch_add(1, Ordering::Relaxed);
    }

    /// The numbers now.
    #[must_use]
    pub fn counts(&self) -> RequestCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RequestCounts {
            total: read(&self.total),
            retried: read(&self.retried),
            rate_limited: read(&self.rate_limited),
        }
    }
}
