//! Time zones: what a wall clock shows in a place, and the moment at which it shows something.
//!
//! The rules of every zone are compiled in: answers do not depend on the machine.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::clock::Millis;

/// A time zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Zone {
    /// The zone of an IANA name such as `Europe/Berlin`; older names such as `US/Eastern` are known too.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        TimeZone::get(name.trim()).ok().map(Self)
    }

    /// UTC.
    #[must_use]
    pub fn utc() -> Self {
        Self(TimeZone::UTC)
    }

    /// The calendar day there at a moment.
    #[must_use]
    pub fn date(&self, at: Millis) -> Date {
        let moment = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
        self.0.to_datetime(moment).date()
    }

    /// The moment at which clocks there show `time` on that day. A time that a change of clocks leaves out is moved
    /// behind it; of one that comes twice the first is meant.
    #[must_use]
    pub fn moment(&self, date: Date, time: Time) -> Option<Millis> {
        let zoned = self.0.to_ambiguous_zoned(DateTime::from_parts(date, time)).compatible().ok()?;
        Some(Millis(zoned.timestamp().as_millisecond()))
    }
}

/// The day so many days later.
#[must_use]
pub fn days_after(date: Date, days: i64) -> Option<Date> {
    date.checked_add(days.days()).ok()
}

/// The next day of that weekday, 1 for Monday to 7 for Sunday, after `date`.
#[must_use]
pub fn next_weekday(date: Date, weekday: i8) -> Option<Date> {
    let ahead = (i64::from(weekday) - i64::from(date.weekday().to_monday_one_offset())).rem_euclid(7);
    days_after(date, if ahead == 0 { 7 } else { ahead })
}

#[cfg(test)]
mod tests {
    use jiff::civil::{date, time};

    use super::*;

    #[test]
    fn wall_clocks_follow_the_zone_and_its_summer_time() {
        let berlin = Zone::named("Europe/Berlin").unwrap();
        let at = |day, hour| berlin.moment(day, time(hour, 0, 0, 0)).unwrap().rfc3339();
        assert_eq!(at(date(2026, 11, 24), 9), "2026-11-24T08:00:00Z");
        assert_eq!(at(date(2026, 7, 1), 9), "2026-07-01T07:00:00Z");
        assert_eq!(at(date(2026, 3, 29), 2), "2026-03-29T01:00:00Z", "two o'clock does not exist that night");
        let late = Millis::parse("2026-11-24T04:30:00Z").unwrap();
        assert_eq!(Zone::named("US/Eastern").unwrap().date(late), date(2026, 11, 23));
        assert_eq!(Zone::utc().date(late), date(2026, 11, 24));
        assert!(Zone::named("Mars/Olympus").is_none());
    }

    #[test]
    fn weekdays_are_the_next_ones() {
        let monday = date(2026, 11, 23);
        assert_eq!(next_weekday(monday, 1), Some(date(2026, 11, 30)));
        assert_eq!(next_weekday(monday, 5), Some(date(2026, 11, 27)));
        assert_eq!(days_after(monday, 10), Some(date(2026, 12, 3)));
    }
}
