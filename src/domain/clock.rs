//! Time as a parameter: one unit (milliseconds since 1970, UTC) and one seam to read it.
//!
//! Not here: timers and timeouts, which are monotonic and belong to the runtime.

use std::fmt;
use std::sync::atomic::{AtomicI64, Ordering};

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use time::format_description::well_known::Rfc3339;
use time::macros::format_description;
use time::{Date, OffsetDateTime, UtcOffset};

/// Milliseconds since 1970-01-01T00:00:00Z; HubSpot's own resolution.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Millis(pub i64);

impl Millis {
    /// Reads what HubSpot sends as a time: RFC 3339, a plain date (its midnight, UTC) or epoch milliseconds.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::of_date(text).or_else(|| text.trim().parse().ok().map(Self))
    }

    /// Reads what a person types: RFC 3339, or a plain date (its midnight, UTC). A bare number is none: `2025` is meant
    /// as a year and would be two seconds.
    #[must_use]
    pub fn of_date(text: &str) -> Option<Self> {
        let text = text.trim();
        if let Ok(at) = OffsetDateTime::parse(text, &Rfc3339) {
            return Some(Self::from_offset(at));
        }
        if let Ok(day) = Date::parse(text, format_description!("[year]-[month]-[day]")) {
            return Some(Self::from_offset(day.midnight().assume_utc()));
        }
        None
    }

    fn from_offset(at: OffsetDateTime) -> Self {
        Self(i64::try_from(at.unix_timestamp_nanos() / 1_000_000).unwrap_or(i64::MAX))
    }

    /// RFC 3339 in UTC with milliseconds only where there are any.
    #[must_use]
    pub fn rfc3339(self) -> String {
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(self.0) * 1_000_000)
            .map(|at| at.to_offset(UtcOffset::UTC))
            .ok()
            .and_then(|at| at.format(&Rfc3339).ok())
            .unwrap_or_else(|| self.0.to_string())
    }

    /// The calendar day, `2026-03-01`, in UTC.
    #[must_use]
    pub fn day(self) -> String {
        self.rfc3339().chars().take(10).collect()
    }

    /// The first moment of its calendar month, UTC.
    #[must_use]
    pub fn month(self) -> Self {
        let first = format!("{}-01", self.day().chars().take(7).collect::<String>());
        Self::parse(&first).unwrap_or(self)
    }

    /// The next midnight where clocks are `offset_ms` ahead of UTC.
    #[must_use]
    pub fn next_midnight(self, offset_ms: i64) -> Self {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        Self(((self.0 + offset_ms).div_euclid(DAY_MS) + 1) * DAY_MS - offset_ms)
    }

    /// This time moved by `ms` milliseconds.
    #[must_use]
    pub fn plus(self, ms: i64) -> Self {
        Self(self.0.saturating_add(ms))
    }
}

impl fmt::Display for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl fmt::Debug for Millis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.rfc3339())
    }
}

impl Serialize for Millis {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.rfc3339())
    }
}

impl<'de> Deserialize<'de> for Millis {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::of_date(&text).ok_or_else(|| {
            serde::de::Error::custom(format!(
                "`{text}` is not a date like 2026-03-01 or 2026-03-01T10:00:00Z"
            ))
        })
    }
}

/// Where the present comes from.
pub trait Clock: Send + Sync + fmt::Debug {
    /// The present moment.
    fn now(&self) -> Millis;
}

/// The machine's clock.
#[derive(Debug, Default, Clone, Copy)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[expect(clippy::disallowed_methods, reason = "the one place that reads the machine's clock")]
    fn now(&self) -> Millis {
        Millis::from_offset(OffsetDateTime::now_utc())
    }
}

/// A clock that moves only when told to, for replays and tests.
#[derive(Debug, Default)]
pub struct ManualClock(AtomicI64);

impl ManualClock {
    /// A clock standing at `at`.
    #[must_use]
    pub fn at(at: Millis) -> Self {
        Self(AtomicI64::new(at.0))
    }

    /// Moves it by `ms`.
    pub fn advance(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn now(&self) -> Millis {
        Millis(self.0.load(Ordering::SeqCst))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_every_form_hubspot_sends() {
        let moment = Millis(1_772_359_200_000);
        assert_eq!(Millis::parse("2026-03-01T10:00:00Z"), Some(moment));
        assert_eq!(Millis::parse("2026-03-01T12:00:00.000+02:00"), Some(moment));
        assert_eq!(Millis::parse("1772359200000"), Some(moment));
        assert_eq!(Millis::parse("2026-03-01"), Some(Millis(1_772_323_200_000)));
        assert_eq!(Millis::parse("next week"), None);
        assert_eq!(Millis::of_date("2026-03-01"), Some(Millis(1_772_323_200_000)));
        assert_eq!(
            (Millis::of_date("2026"), Millis::of_date("20260301"), Millis::of_date("-1")),
            (None, None, None)
        );
    }

    #[test]
    fn midnight_is_the_portals() {
        let evening = Millis::parse("2026-11-23T22:30:00Z").unwrap();
        assert_eq!(evening.next_midnight(0).rfc3339(), "2026-11-24T00:00:00Z");
        assert_eq!(evening.next_midnight(3_600_000).rfc3339(), "2026-11-23T23:00:00Z");
        assert_eq!(evening.next_midnight(-5 * 3_600_000).rfc3339(), "2026-11-24T05:00:00Z");
        assert_eq!(evening.month().rfc3339(), "2026-11-01T00:00:00Z");
    }

    proptest::proptest! {
        #[test]
        fn what_is_written_is_read_back(ms in 0_i64..4_102_444_800_000) {
            proptest::prop_assert_eq!(Millis::parse(&Millis(ms).rfc3339()), Some(Millis(ms)));
        }
    }
}
