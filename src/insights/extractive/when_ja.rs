//! Reads Japanese dates: `4月`, `4月1日`, `9月末`, `来週金曜`, `明日`, `2027年3月`, `年内`.
//!
//! Separate from `when` because these are written without spaces and with the unit behind every number.

use super::numbers::Number;
use super::when::Found;
use crate::insights::dates::{DateValue, Day, Precision, ahead, coming};

const WEEKDAYS: [char; 7] = ['月', '火', '水', '木', '金', '土', '日'];

/// Fixed words: days from now.
const DAYS: [(&str, i32); 7] =
    [("明後日", 2), ("あさって", 2), ("明日", 1), ("あす", 1), ("本日", 0), ("今日", 0), ("翌日", 1)];

/// Fixed words: months from now.
const MONTHS: [(&str, i32); 5] = [("再来月", 2), ("来月", 1), ("翌月", 1), ("今月", 0), ("当月", 0)];

/// Fixed words: weeks from now.
const WEEKS: [(&str, i32); 4] = [("再来週", 2), ("来週", 1), ("翌週", 1), ("今週", 0)];

/// The dates within `start..end`, left to right.
pub(crate) fn find(text: &str, start: usize, end: usize, numbers: &[Number], today: Day) -> Vec<Found> {
    let mut out = Vec::new();
    let part = &text[start..end];
    let mut at = 0;
    while let Some(c) = part[at..].chars().next() {
        let here = start + at;
        let read = if c.is_ascii_digit() {
            numbers.iter().find(|n| n.start == here).and_then(|n| dated(text, end, n, today))
        } else {
            worded(&text[here..end], today)
        };
        match read {
            Some((value, used)) => {
                let stop = if c.is_ascii_digit() { used } else { here + used };
                let rest = &text[stop..end];
                let begins = ["から", "より", "開始", "以降"].iter().any(|w| rest.starts_with(w));
                out.push(Found { start: here, end: stop, value, begins, since: false });
                at = stop - start;
            }
            None => at += c.len_utf8(),
        }
    }
    out
}

/// A date that opens with a number; the value and where it ends.
fn dated(text: &str, end: usize, number: &Number, today: Day) -> Option<(DateValue, usize)> {
    let value = number.whole()?;
    let rest = &text[number.end..end];
    if let Some(after) = rest.strip_prefix('年') {
        let year = i32::try_from(value).ok().filter(|y| (2000..=2100).contains(y))?;
        let stop = end - after.len();
        return match after.strip_prefix('度').unwrap_or(after).split_once('月') {
            Some((month, tail)) if month.len() <= 2 => month_day(year, month.parse().ok()?, tail, end),
            _ => Some((DateValue::year(year)?, stop)),
        };
    }
    let tail = rest.strip_prefix('月')?;
    if tail.starts_with('額') || tail.starts_with("曜") {
        return None;
    }
    let month = u32::try_from(value).ok().filter(|m| (1..=12).contains(m))?;
    let (year, now, _) = today.ymd();
    let year = if month < now { year + 1 } else { year };
    let (found, stop) = month_day(year, month, tail, end)?;
    let digits = tail.starts_with(|c: char| c.is_ascii_digit());
    if digits && found.precision == Precision::Day {
        let (_, month, day) = found.first.ymd();
        return Some((ahead(today, month, day)?, stop));
    }
    Some((found, stop))
}

/// What follows `N月`: a day, an edge, or nothing.
fn month_day(year: i32, month: u32, tail: &str, end: usize) -> Option<(DateValue, usize)> {
    let whole = DateValue::month(year, month)?;
    let digits: String = tail.chars().take_while(char::is_ascii_digit).collect();
    if let Some(after) = tail[digits.len()..].strip_prefix('日')
        && let Ok(day) = digits.parse()
    {
        return Some((DateValue::day(Day::from_ymd(year, month, day)?), end - after.len()));
    }
    let edged =
        |word: &str, value: DateValue| tail.strip_prefix(word).map(|after| (value, end - after.len()));
    edged("末日", DateValue::day(whole.last()))
        .or_else(|| edged("末", DateValue::day(whole.last())))
        .or_else(|| edged("下旬", DateValue::day(whole.first.plus(20))))
        .or_else(|| edged("中旬", DateValue::day(whole.first.plus(14))))
        .or_else(|| edged("半ば", DateValue::day(whole.first.plus(14))))
        .or_else(|| edged("上旬", DateValue::day(whole.first)))
        .or_else(|| edged("初め", DateValue::day(whole.first)))
        .or(Some((whole, end - tail.len())))
}

/// A date of fixed words; the value and its length.
fn worded(rest: &str, today: Day) -> Option<(DateValue, usize)> {
    for (word, days) in DAYS {
        if rest.starts_with(word) {
            return Some((DateValue::day(today.plus(days)), word.len()));
        }
    }
    for (word, weeks) in WEEKS {
        if let Some(after) = rest.strip_prefix(word) {
            let bare = after.strip_prefix('の').unwrap_or(after);
            if let Some((day, used)) = weekday(bare) {
                let value = today.monday().plus(7 * weeks + day - 1);
                return Some((DateValue::day(value), rest.len() - bare.len() + used));
            }
            return Some((DateValue::week_of(today.plus(7 * weeks)), word.len()));
        }
    }
    for (word, months) in MONTHS {
        if let Some(after) = rest.strip_prefix(word) {
            let (year, month, _) = today.plus_months(months).ymd();
            let whole = DateValue::month(year, month)?;
            return Some(match after.starts_with('末') {
                true => (DateValue::day(whole.last()), word.len() + '末'.len_utf8()),
                false => (whole, word.len()),
            });
        }
    }
    fixed(rest, today)
}

fn fixed(rest: &str, today: Day) -> Option<(DateValue, usize)> {
    let (year, month, _) = today.ymd();
    for (word, value) in [
        ("年内", DateValue::day(DateValue::year(year)?.last())),
        ("年末", DateValue::day(DateValue::year(year)?.last())),
        ("年度末", DateValue::day(Day::from_ymd(if month > 3 { year + 1 } else { year }, 3, 31)?)),
        ("月末", DateValue::day(DateValue::month(year, month)?.last())),
        (
            "来年度",
            DateValue {
                first: Day::from_ymd(if month > 3 { year + 1 } else { year }, 4, 1)?,
                precision: Precision::Year,
            },
        ),
        ("来年", DateValue::year(year + 1)?),
        ("今年", DateValue::year(year)?),
    ] {
        if rest.starts_with(word) {
            return Some((value, word.len()));
        }
    }
    let (day, used) = weekday(rest)?;
    Some((DateValue::day(coming(today, day)), used))
}

/// A weekday such as `金曜` or `金曜日`.
fn weekday(rest: &str) -> Option<(i32, usize)> {
    let first = rest.chars().next()?;
    let number = WEEKDAYS.iter().position(|d| *d == first)?;
    let after = rest[first.len_utf8()..].strip_prefix('曜')?;
    let after = after.strip_prefix('日').unwrap_or(after);
    Some((i32::try_from(number).ok()? + 1, rest.len() - after.len()))
}
