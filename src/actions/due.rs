//! When a task is due: what an agent says of the time, read with the clock and the zone of the organisation.

use jiff::civil::{Date, DateTime, Time};

use crate::domain::clock::Millis;
use crate::domain::zone::{Zone, days_after, next_weekday};

/// The furthest ahead, in days: further is a slip.
const FURTHEST_DAYS: i64 = 3_660;

const WEEKDAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The wall clock of an organisation.
#[derive(Debug, Clone)]
pub(super) struct Wall {
    pub(super) now: Millis,
    pub(super) zone: Zone,
    /// The hour that a day without one is meant to have.
    pub(super) time: Time,
}

impl Wall {
    /// `today`, `tomorrow`, `in 3 days`, `in 2 weeks`, a weekday (the next one), a date, a date with a time, or RFC 3339.
    pub(super) fn read(&self, text: &str) -> Result<Millis, String> {
        let text = text.trim().to_lowercase();
        let moment = self.word(&text).or_else(|| self.written(&text)).ok_or_else(|| {
            format!(
                "due: `{text}` is not a time like tomorrow, in 3 days, friday, 2026-12-01, 2026-12-01T15:00 or \
                 2026-12-01T15:00:00+01:00"
            )
        })?;
        let today = self.zone.date(self.now);
        let day = self.zone.date(moment);
        if day < today {
            return Err(format!("due: {day} is over; today is {today}"));
        }
        if days_after(today, FURTHEST_DAYS).is_some_and(|last| day > last) {
            return Err(format!("due: {day} is more than ten years ahead"));
        }
        Ok(moment)
    }

    /// So many days from today.
    pub(super) fn in_days(&self, days: i64) -> Option<Millis> {
        self.on(days_after(self.zone.date(self.now), days)?)
    }

    fn on(&self, date: Date) -> Option<Millis> {
        self.zone.moment(date, self.time)
    }

    fn word(&self, text: &str) -> Option<Millis> {
        match text {
            "today" => return self.in_days(0),
            "tomorrow" => return self.in_days(1),
            _ => {}
        }
        let day = text.strip_prefix("next ").unwrap_or(text);
        if let Some(at) = WEEKDAYS.iter().position(|name| *name == day) {
            let weekday = i8::try_from(at + 1).ok()?;
            return self.on(next_weekday(self.zone.date(self.now), weekday)?);
        }
        let (number, unit) = text.strip_prefix("in ")?.split_once(' ')?;
        let number: i64 = number.parse().ok().filter(|number| (0..=FURTHEST_DAYS).contains(number))?;
        match unit {
            "day" | "days" => self.in_days(number),
            "week" | "weeks" => self.in_days(number * 7),
            _ => None,
        }
    }

    fn written(&self, text: &str) -> Option<Millis> {
        if let Some(date) = date(text) {
            return self.on(date);
        }
        let upper = text.to_uppercase().replace(' ', "T");
        if let Some(moment) = Millis::of_date(&upper) {
            return Some(moment);
        }
        let local: DateTime = upper.parse().ok()?;
        self.zone.moment(local.date(), local.time())
    }
}

/// A date alone, `2026-12-01`.
pub(super) fn date(text: &str) -> Option<Date> {
    (text.len() == "2026-12-01".len()).then(|| text.parse().ok())?
}

/// A time of day, `09:00`.
pub(super) fn time_of_day(text: &str) -> Option<Time> {
    Time::strptime("%H:%M", text.trim()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wall(now: &str) -> Wall {
        Wall {
            now: Millis::parse(now).unwrap(),
            zone: Zone::named("Europe/Berlin").unwrap(),
            time: time_of_day("09:00").unwrap(),
        }
    }

    #[test]
    fn la_2_dates_are_meant_in_the_zone_of_the_organisation() {
        // Monday, half past eleven at night in London: Tuesday in Berlin.
        let night = wall("2026-11-23T23:30:00Z");
        for (said, due) in [
            ("today", "2026-11-24T08:00:00Z"),
            ("Tomorrow", "2026-11-25T08:00:00Z"),
            ("in 3 days", "2026-11-27T08:00:00Z"),
            ("in 1 week", "2026-12-01T08:00:00Z"),
            ("friday", "2026-11-27T08:00:00Z"),
            ("next tuesday", "2026-12-01T08:00:00Z"),
            ("2027-07-01", "2027-07-01T07:00:00Z"),
            ("2026-12-01T15:00", "2026-12-01T14:00:00Z"),
            ("2026-12-01 15:00", "2026-12-01T14:00:00Z"),
            ("2026-12-01T15:00:00-05:00", "2026-12-01T20:00:00Z"),
        ] {
            assert_eq!(night.read(said).map(Millis::rfc3339), Ok(due.to_owned()), "{said}");
        }
        for wrong in ["", "soon", "2026-11-23", "2026-13-01", "in -1 days", "in 99999 days", "9999-01-01"] {
            assert!(night.read(wrong).is_err(), "{wrong}");
        }
    }
}
