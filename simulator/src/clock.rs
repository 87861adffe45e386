//! The portal's clock and how its instants are written. It starts at a given instant, runs with
//! real time and can be advanced; it never reads the machine's calendar, so output is reproducible.

use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Instant;

/// Milliseconds of one day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// Simulated time in milliseconds since 1970.
#[derive(Debug)]
pub(crate) struct Clock {
    base_ms: i64,
    started: Instant,
    advanced_ms: AtomicI64,
}

impl Clock {
    pub(crate) fn starting_at(base_ms: i64) -> Self {
        Self { base_ms, started: Instant::now(), advanced_ms: AtomicI64::new(0) }
    }

    pub(crate) fn now(&self) -> i64 {
        let elapsed = i64::try_from(self.started.elapsed().as_millis()).unwrap_or(i64::MAX / 4);
        self.base_ms + elapsed + self.advanced_ms.load(Ordering::Relaxed)
    }

    /// Moves on, at most a century at a time so that sums of instants stay in range.
    pub(crate) fn advance(&self, ms: i64) {
        let ms = ms.clamp(0, 36_525 * DAY_MS);
        self.advanced_ms.fetch_add(ms, Ordering::Relaxed);
    }
}

/// A calendar reading of an instant, in UTC.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    pub(crate) month: u32,
    pub(crate) day: u32,
    pub(crate) hour: u32,
    pub(crate) minute: u32,
    pub(crate) second: u32,
    pub(crate) milli: u32,
}

/// Splits an instant into calendar fields (days-to-civil arithmetic of the proleptic calendar).
pub(crate) fn civil(ms: i64) -> Civil {
    let days = ms.div_euclid(DAY_MS);
    let rest = ms.rem_euclid(DAY_MS) as u32;
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_shifted = (5 * day_of_year + 2) / 153;
    let month = if month_shifted < 10 { month_shifted + 3 } else { month_shifted - 9 };
    Civil {
        year: year_of_era + era * 400 + i64::from(month <= 2),
        month: month as u32,
        day: (day_of_year - (153 * month_shifted + 2) / 5 + 1) as u32,
        hour: rest / 3_600_000,
        minute: rest / 60_000 % 60,
        second: rest / 1_000 % 60,
        milli: rest % 1_000,
    }
}

/// Appends `2026-03-01T10:00:00.000Z`, digit by digit: this is the hottest formatting of all.
pub(crate) fn push_iso(ms: i64, out: &mut String) {
    let c = civil(ms);
    let year = c.year.clamp(0, 9_999) as u32;
    for place in [1_000, 100, 10, 1] {
        out.push(char::from(b'0' + (year / place % 10) as u8));
    }
    out.push('-');
    let mut put = |value: u32, after: char| {
        out.push(char::from(b'0' + (value / 10 % 10) as u8));
        out.push(char::from(b'0' + (value % 10) as u8));
        out.push(after);
    };
    put(c.month, '-');
    put(c.day, 'T');
    put(c.hour, ':');
    put(c.minute, ':');
    put(c.second, '.');
    for digit in [c.milli / 100, c.milli / 10 % 10, c.milli % 10] {
        out.push(char::from(b'0' + digit as u8));
    }
    out.push('Z');
}

/// The same as a fresh string.
pub(crate) fn iso(ms: i64) -> String {
    let mut out = String::with_capacity(24);
    push_iso(ms, &mut out);
    out
}

/// An instant in the form HTTP headers use.
pub(crate) fn http_date(ms: i64) -> String {
    const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    const MONTHS: [&str; 12] =
        ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
    let c = civil(ms);
    let day = DAYS[ms.div_euclid(DAY_MS).rem_euclid(7) as usize];
    let month = MONTHS[(c.month.clamp(1, 12) - 1) as usize];
    format!("{day}, {:02} {month} {} {:02}:{:02}:{:02} GMT", c.day, c.year, c.hour, c.minute, c.second)
}

/// The machine's own time, for what others compare with theirs: signatures and HTTP dates.
pub(crate) fn real_now_ms() -> i64 {
    #[expect(clippy::disallowed_methods, reason = "others compare the instant with the machine's own clock")]
    let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(now.as_millis()).unwrap_or(i64::MAX)
}

/// Reads what HubSpot accepts for an instant: milliseconds, a date, or RFC 3339.
pub(crate) fn parse_instant(text: &str) -> Option<i64> {
    let text = text.trim();
    if let Ok(ms) = text.parse::<i64>() {
        return Some(ms);
    }
    if text.len() == 10 {
        return parse_instant(&format!("{text}T00:00:00Z"));
    }
    use time::format_description::well_known::Rfc3339;
    let at = time::OffsetDateTime::parse(text, &Rfc3339).ok()?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instants_survive_writing_and_reading() {
        for ms in [0, 1, 951_782_400_000, 1_763_888_400_123, 4_102_444_799_999] {
            assert_eq!(parse_instant(&iso(ms)), Some(ms), "{}", iso(ms));
        }
        assert_eq!(parse_instant("2026-11-23"), Some(1_795_392_000_000));
        assert_eq!(http_date(784_111_777_000), "Sun, 06 Nov 1994 08:49:37 GMT");
    }
}
