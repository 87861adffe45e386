//! Calendar days and dates with precision: "end of March", "Q3", "calendar week 14", "2027".
//!
//! Pure arithmetic on the proleptic Gregorian calendar; words are read by the distillers, and nothing here knows
//! what day it is.

use std::fmt;

/// A calendar day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Day(pub i32);

const MS_PER_DAY: i64 = 86_400_000;

impl Day {
    /// The UTC day of a time in milliseconds since 1970.
    #[must_use]
    pub fn of_ms(ms: i64) -> Self {
        Self(i32::try_from(ms.div_euclid(MS_PER_DAY)).unwrap_or(i32::MAX / 2))
    }

    /// Midnight of the day in milliseconds since 1970.
    #[must_use]
    pub fn ms(self) -> i64 {
        i64::from(self.0) * MS_PER_DAY
    }

    /// The day of a calendar date, if there is one.
    #[must_use]
    pub fn from_ymd(year: i32, month: u32, day: u32) -> Option<Self> {
        let known = (1600..=2400).contains(&year) && (1..=12).contains(&month);
        if !known || day == 0 || day > days_in_month(year, month) {
            return None;
        }
        let month = i32::try_from(month).ok()?;
        let y = if month <= 2 { year - 1 } else { year };
        let era = y.div_euclid(400);
        let of_era = y - era * 400;
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + i32::try_from(day).ok()? - 1;
        Some(Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468))
    }

    /// Year, month and day of the month.
    #[must_use]
    pub fn ymd(self) -> (i32, u32, u32) {
        let z = self.0 + 719_468;
        let era = z.div_euclid(146_097);
        let doe = z - era * 146_097;
        let yoe = (doe - doe / 1_460 + doe / 36_524 - doe / 146_096) / 365;
        let doy = doe - (365 * yoe + yoe / 4 - yoe / 100);
        let mp = (5 * doy + 2) / 153;
        let day = doy - (153 * mp + 2) / 5 + 1;
        let month = if mp < 10 { mp + 3 } else { mp - 9 };
        let year = yoe + era * 400 + i32::from(month <= 2);
        (year, month.unsigned_abs(), day.unsigned_abs())
    }

    /// 1 for Monday to 7 for Sunday.
    #[must_use]
    pub fn weekday(self) -> i32 {
        (self.0 + 3).rem_euclid(7) + 1
    }

    /// The Monday of the day's week.
    #[must_use]
    pub fn monday(self) -> Self {
        Self(self.0 - (self.weekday() - 1))
    }

    /// The day `n` days later.
    #[must_use]
    pub fn plus(self, n: i32) -> Self {
        Self(self.0.saturating_add(n))
    }

    /// The same day of the month `n` months later, or the month's last day.
    #[must_use]
    pub fn plus_months(self, n: i32) -> Self {
        let (year, month, day) = self.ymd();
        let index = year * 12 + i32::try_from(month).unwrap_or(1) - 1 + n;
        let (year, month) = (index.div_euclid(12), index.rem_euclid(12).unsigned_abs() + 1);
        Self::from_ymd(year, month, day.min(days_in_month(year, month))).unwrap_or(self)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.ymd();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// Days of a month.
#[must_use]
pub fn days_in_month(year: i32, month: u32) -> u32 {
    match month {
        2 if time::util::is_leap_year(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// How exactly a date was named.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Precision {
    /// A day.
    Day,
    /// A week, Monday to Sunday.
    Week,
    /// A month.
    Month,
    /// A quarter.
    Quarter,
    /// A year.
    Year,
}

impl Precision {
    /// The name used in rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// A date as it was named: its first day and how exact it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DateValue {
    /// First day it covers.
    pub first: Day,
    /// How exact it is.
    pub precision: Precision,
}

impl DateValue {
    /// One day.
    #[must_use]
    pub fn day(first: Day) -> Self {
        Self { first, precision: Precision::Day }
    }

    /// A whole month.
    #[must_use]
    pub fn month(year: i32, month: u32) -> Option<Self> {
        Some(Self { first: Day::from_ymd(year, month, 1)?, precision: Precision::Month })
    }

    /// A quarter, 1 to 4.
    #[must_use]
    pub fn quarter(year: i32, quarter: u32) -> Option<Self> {
        let first = Day::from_ymd(year, quarter.checked_sub(1)? * 3 + 1, 1)?;
        Some(Self { first, precision: Precision::Quarter })
    }

    /// A whole year.
    #[must_use]
    pub fn year(year: i32) -> Option<Self> {
        Some(Self { first: Day::from_ymd(year, 1, 1)?, precision: Precision::Year })
    }

    /// The week that holds `day`.
    #[must_use]
    pub fn week_of(day: Day) -> Self {
        Self { first: day.monday(), precision: Precision::Week }
    }

    /// An ISO calendar week.
    #[must_use]
    pub fn iso_week(year: i32, week: i32) -> Option<Self> {
        let fourth = Day::from_ymd(year, 1, 4)?;
        let first = fourth.monday().plus((week - 1) * 7);
        ((1..=53).contains(&week)).then_some(Self { first, precision: Precision::Week })
    }

    /// The last day it covers.
    #[must_use]
    pub fn last(self) -> Day {
        match self.precision {
            Precision::Day => self.first,
            Precision::Week => self.first.plus(6),
            Precision::Month => self.first.plus_months(1).plus(-1),
            Precision::Quarter => self.first.plus_months(3).plus(-1),
            Precision::Year => self.first.plus_months(12).plus(-1),
        }
    }
}

impl fmt::Display for DateValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, _) = self.first.ymd();
        match self.precision {
            Precision::Day => write!(f, "{}", self.first),
            Precision::Week => {
                let thursday = self.first.plus(3);
                let start = Day::from_ymd(thursday.ymd().0, 1, 1).map_or(0, |d| d.0);
                write!(f, "{:04}-W{:02}", thursday.ymd().0, (thursday.0 - start) / 7 + 1)
            }
            Precision::Month => write!(f, "{year:04}-{month:02}"),
            Precision::Quarter => write!(f, "{year:04}-Q{}", (month - 1) / 3 + 1),
            Precision::Year => write!(f, "{year:04}"),
        }
    }
}

/// A day and month without a year: the coming one, or one up to a month ago.
#[must_use]
pub fn ahead(today: Day, month: u32, day: u32) -> Option<DateValue> {
    let (year, _, _) = today.ymd();
    let this = Day::from_ymd(year, month, day.min(days_in_month(year, month)))?;
    let value = if this < today.plus(-31) {
        Day::from_ymd(year + 1, month, day.min(days_in_month(year + 1, month)))?
    } else {
        this
    };
    (day <= 31).then_some(DateValue::day(value))
}

/// The next day of that weekday after today.
#[must_use]
pub fn coming(today: Day, weekday: i32) -> Day {
    let ahead = (weekday - today.weekday()).rem_euclid(7);
    today.plus(if ahead == 0 { 7 } else { ahead })
}

/// That weekday of next week.
#[must_use]
pub fn next_week(today: Day, weekday: i32) -> Day {
    today.monday().plus(7 + weekday - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_what_was_named() {
        let day = Day::from_ymd(2026, 11, 24).unwrap();
        assert_eq!((day.weekday(), day.monday().to_string().as_str()), (2, "2026-11-23"));
        assert_eq!(DateValue::month(2026, 2).unwrap().last().to_string(), "2026-02-28");
        assert_eq!(DateValue::quarter(2026, 3).unwrap().to_string(), "2026-Q3");
        assert_eq!(DateValue::iso_week(2026, 53).unwrap().to_string(), "2026-W53");
        assert_eq!(DateValue::iso_week(2027, 1).unwrap().first.to_string(), "2027-01-04");
        assert_eq!(Day::from_ymd(2024, 1, 31).unwrap().plus_months(1).to_string(), "2024-02-29");
        assert_eq!(Day::from_ymd(2026, 2, 29), None);
    }

    proptest::proptest! {
        #[test]
        fn days_and_dates_agree(n in -100_000_i32..150_000) {
            let (year, month, day) = Day(n).ymd();
            proptest::prop_assert_eq!(Day::from_ymd(year, month, day), Some(Day(n)));
            proptest::prop_assert!(DateValue::week_of(Day(n)).last() >= Day(n));
        }
    }
}
