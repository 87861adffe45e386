//! What a document is worth beside its words: newer ones and certain kinds a
//! little more.
//!
//! Factors multiply the score. They are mild on purpose: they decide between
//! documents that answer about equally well and never bring up one that does
//! not answer. Each can be turned off.

use std::sync::Arc;

/// Factors of the ranking.
#[derive(Debug, Clone, PartialEq)]
pub struct Factors {
    /// The most that age may take away, 0 (off) to 1: with 0.15 the oldest document keeps 0.85
    /// of its score.
    pub recency_weight: f32,
    /// Days after which half of that is taken.
    pub recency_half_life_days: f32,
    /// Factors of kinds; a kind that is not named has 1.
    pub kinds: Arc<[(String, f32)]>,
}

impl Default for Factors {
    /// All off: the words alone decide.
    fn default() -> Self {
        Factors { recency_weight: 0.0, recency_half_life_days: 180.0, kinds: Arc::default() }
    }
}

const DAY_MS: f32 = 86_400_000.0;

impl Factors {
    /// The factor of something that happened then, seen from `now`; 1 where `now` is not told.
    pub(crate) fn recency(&self, occurred_at: i64, now: Option<i64>) -> f32 {
        let weight = self.recency_weight.clamp(0.0, 1.0);
        let Some(now) = now.filter(|_| weight > 0.0) else {
            return 1.0;
        };
        #[expect(clippy::cast_precision_loss, reason = "ages need no more than 24 bits")]
        let days = now.saturating_sub(occurred_at).max(0) as f32 / DAY_MS;
        1.0 - weight + weight * (-days / self.recency_half_life_days.max(0.01)).exp2()
    }

    /// The factor of a kind.
    pub(crate) fn kind(&self, kind: &str) -> f32 {
        self.kinds.iter().find(|(name, _)| name == kind).map_or(1.0, |(_, factor)| factor.clamp(0.1, 10.0))
    }

    /// No document has a larger factor in all.
    pub(crate) fn largest(&self) -> f32 {
        self.kinds.iter().map(|(name, _)| self.kind(name)).fold(1.0, f32::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn age_takes_away_at_most_its_weight() {
        let factors = Factors { recency_weight: 0.2, recency_half_life_days: 10.0, ..Factors::default() };
        let day = 86_400_000;
        let of = |days: i64| factors.recency(0, Some(days * day));
        assert!(
            (of(0) - 1.0).abs() < 1e-6 && (of(10) - 0.9).abs() < 1e-6 && (of(100_000) - 0.8).abs() < 1e-6
        );
        assert!((factors.recency(day, Some(0)) - 1.0).abs() < 1e-6, "the future is as good as today");
        assert!((factors.recency(0, None) - 1.0).abs() < 1e-6);
        assert!((Factors::default().recency(0, Some(day)) - 1.0).abs() < 1e-6);
        assert!(factors.recency(i64::MIN, Some(i64::MAX)).is_finite());
    }
}
