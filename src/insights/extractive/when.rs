//! Reads dates in the folded text: month names, weekdays, quarters, relative words; one grammar for the languages
//! written with spaces, a second one for Japanese.
//!
//! Dates without a year look ahead of the engagement's day, except behind "since". Never asks what day it is.

use super::lexicon::{Class, Hit, known};
use super::numbers::Number;
use crate::insights::dates::{DateValue, Day, Precision, ahead, coming, next_week};

/// A date and its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Found {
    pub start: usize,
    pub end: usize,
    pub value: DateValue,
    /// Behind "from", "ab", "à partir de" or before "から": something begins then.
    pub begins: bool,
    /// Behind "since": it lies in the past.
    pub since: bool,
}

/// What stands at a place, as far as dates care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Item {
    Number(i32),
    Month(u32),
    Weekday(i32),
    Class(Class),
}

#[derive(Debug, Clone, Copy)]
struct Token {
    start: usize,
    end: usize,
    item: Item,
}

/// The engagement's day and the order of day and month in `03/04`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Frame {
    pub today: Day,
    /// `03/04` may be either; a language where it is always day first says so.
    pub day_first: bool,
}

/// Words that may stand inside a date.
const GLUE: [&str; 34] = [
    "of", "the", "st", "nd", "rd", "th", "de", "du", "des", "del", "do", "da", "d'", "le", "la", "el", "er",
    "ter", "o", "º", "ª", "am", "den", "der", "im", "a", "em", "en", "mes", "mois", "on", "in", "dem",
    "month",
];

/// The dates within `start..end` of a text written with spaces, left to right, without overlaps.
pub(crate) fn find(
    text: &str,
    start: usize,
    end: usize,
    hits: &[Hit],
    numbers: &[Number],
    frame: Frame,
) -> Vec<Found> {
    let tokens = tokens(text, start, end, hits, numbers);
    let mut out: Vec<Found> = Vec::new();
    let mut n = 0;
    while n < tokens.len() {
        let reader = Reader { text, tokens: &tokens, frame };
        match reader.read(n) {
            Some((value, from, used)) => {
                let first = tokens[from].start;
                let since = reader.before(from, "t.since");
                let begins = reader.before(from, "t.from") || since;
                let value = if since { past(value, frame.today) } else { value };
                out.push(Found { start: first, end: tokens[used - 1].end, value, begins, since });
                n = used;
            }
            None => n += 1,
        }
    }
    out
}

/// A date behind "since" that came out ahead of the day belongs to the year before.
fn past(value: DateValue, today: Day) -> DateValue {
    if value.first <= today {
        return value;
    }
    DateValue { first: value.first.plus_months(-12), ..value }
}

fn tokens(text: &str, start: usize, end: usize, hits: &[Hit], numbers: &[Number]) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    for n in numbers.iter().filter(|n| n.start >= start && n.end <= end && !n.scaled) {
        if let Some(value) = n.whole().and_then(|v| i32::try_from(v).ok()) {
            out.push(Token { start: n.start, end: n.end, item: Item::Number(value) });
        }
    }
    for hit in hits.iter().filter(|h| h.start >= start && h.end <= end) {
        let item = match hit.class {
            c if (const { known("m1") }..=const { known("m12") }).contains(&c) => {
                Item::Month(u32::from(c - const { known("m1") }) + 1)
            }
            c if (const { known("w1") }..=const { known("w7") }).contains(&c) => {
                Item::Weekday(i32::from(c - const { known("w1") }) + 1)
            }
            c if (const { known("t.end") }..=const { known("u.cweek") }).contains(&c) => Item::Class(c),
            _ => continue,
        };
        // May, March and the like are months only as such a word; in English running text they are capitalised, but
        // the folded text no longer says so: next to a number or a preposition is enough.
        if matches!(item, Item::Month(5 | 3)) && is_verb_like(text, hit) {
            continue;
        }
        out.push(Token { start: hit.start, end: hit.end, item });
    }
    out.sort_by_key(|t| (t.start, std::cmp::Reverse(t.end)));
    let mut end = 0;
    out.retain(|t| {
        let keep = t.start >= end;
        if keep {
            end = t.end;
        }
        keep
    });
    out
}

/// "may" and "march" as verbs: nothing of a date stands beside them.
fn is_verb_like(text: &str, hit: &Hit) -> bool {
    let word = &text[hit.start..hit.end];
    if !matches!(word, "may" | "march" | "mar") {
        return false;
    }
    let before = text[..hit.start].trim_end().rsplit([' ', '(']).next().unwrap_or_default();
    let after = text[hit.end..].trim_start();
    let dated = "in by until till from since of early late mid end before after next this last on for \
        waiving through to and around about";
    !(dated.split(' ').any(|w| w == before)
        || before.ends_with(|c: char| c.is_ascii_digit())
        || before.ends_with("th") && before.starts_with(|c: char| c.is_ascii_digit())
        || before.ends_with("mid-")
        || after.starts_with(|c: char| c.is_ascii_digit()))
}

struct Reader<'a> {
    text: &'a str,
    tokens: &'a [Token],
    frame: Frame,
}

/// Value, first token, token behind the last.
type Read = Option<(DateValue, usize, usize)>;

impl Reader<'_> {
    fn item(&self, n: usize) -> Option<Item> {
        self.tokens.get(n).map(|t| t.item)
    }

    fn is(&self, n: usize, class: &str) -> bool {
        self.item(n) == Some(Item::Class(known(class)))
    }

    fn number(&self, n: usize) -> Option<i32> {
        match self.item(n) {
            Some(Item::Number(value)) => Some(value),
            _ => None,
        }
    }

    /// Whether only glue stands between token `n` and the one before it.
    fn joined(&self, n: usize) -> bool {
        let (Some(left), Some(right)) =
            (n.checked_sub(1).and_then(|l| self.tokens.get(l)), self.tokens.get(n))
        else {
            return false;
        };
        let gap = &self.text[left.end..right.start];
        let sentence_ends = gap.starts_with(". ") && !matches!(left.item, Item::Number(_));
        let mut words = gap.split([' ', '.', ',', '-', '\'']);
        gap.len() <= 14 && !sentence_ends && words.all(|w| w.is_empty() || GLUE.contains(&w))
    }

    /// Whether a word of `class` stands right before token `n`.
    fn before(&self, n: usize, class: &str) -> bool {
        n > 0 && self.is(n - 1, class) && self.joined(n)
    }

    fn read(&self, n: usize) -> Read {
        self.numeric(n)
            .or_else(|| self.day_month(n))
            .or_else(|| self.month_day(n))
            .or_else(|| self.relative(n))
            .or_else(|| self.unit(n))
            .or_else(|| self.alone(n))
    }

    /// `2026-03-01`, `31.12.2026`, `31/12/26`, `31.12.`
    fn numeric(&self, n: usize) -> Read {
        let (a, b) = (self.number(n)?, self.number(n + 1)?);
        let sign = |l: usize| &self.text[self.tokens[l].end..self.tokens[l + 1].start];
        let mark = sign(n);
        if !matches!(mark, "." | "/" | "-") {
            return None;
        }
        let c = self.number(n + 2).filter(|_| sign(n + 1) == mark);
        let day = |y: i32, m: i32, d: i32| {
            Day::from_ymd(y, u32::try_from(m).ok()?, u32::try_from(d).ok()?).map(DateValue::day)
        };
        if mark == "-" {
            return Some((day(a, b, c.filter(|_| a > 1900)?)?, n, n + 3));
        }
        let (d, m) = match (a > 12, b > 12) {
            (true, false) => (a, b),
            (false, true) => (b, a),
            _ if self.frame.day_first || mark == "." => (a, b),
            _ if a == b => (a, b),
            _ => return None,
        };
        match c {
            Some(y) => Some((day(if y < 100 { 2000 + y } else { y }, m, d)?, n, n + 3)),
            None if mark == "." && !self.text[self.tokens[n + 1].end..].starts_with('.') => None,
            None => Some((self.ahead(u32::try_from(m).ok()?, u32::try_from(d).ok()?)?, n, n + 2)),
        }
    }

    /// `31 December 2026`, `1er mars`, `30 de abril`.
    fn day_month(&self, n: usize) -> Read {
        let day = self.number(n).and_then(|d| u32::try_from(d).ok()).filter(|d| (1..=31).contains(d))?;
        let Some(Item::Month(month)) = self.item(n + 1).filter(|_| self.joined(n + 1)) else {
            return None;
        };
        match self.year(n + 2) {
            Some(year) => Some((DateValue::day(Day::from_ymd(year, month, day)?), n, n + 3)),
            None => Some((self.ahead(month, day)?, n, n + 2)),
        }
    }

    /// `March 3rd, 2026`, `end of March`, `March`.
    fn month_day(&self, n: usize) -> Read {
        let edge = match self.item(n) {
            Some(Item::Class(c))
                if c == const { known("t.end") }
                    || c == const { known("t.mid") }
                    || c == const { known("t.begin") } =>
            {
                Some(c)
            }
            _ => None,
        };
        let at = n + usize::from(edge.is_some());
        let Some(Item::Month(month)) = self.item(at) else {
            return None;
        };
        if edge.is_some() && !self.joined(at) {
            return None;
        }
        if let Some(day) =
            self.number(at + 1).and_then(|d| u32::try_from(d).ok()).filter(|d| (1..=31).contains(d))
            && edge.is_none()
            && self.joined(at + 1)
            && !matches!(self.item(at + 2), Some(Item::Month(_)))
            && !self.text[self.tokens[at].end..self.tokens[at + 1].start].contains(',')
        {
            return match self.year(at + 2) {
                Some(year) => Some((DateValue::day(Day::from_ymd(year, month, day)?), n, at + 3)),
                None => Some((self.ahead(month, day)?, n, at + 2)),
            };
        }
        let year = self.year(at + 1);
        let whole = match year {
            Some(year) => DateValue::month(year, month)?,
            None => self.ahead_month(month)?,
        };
        Some((edged(whole, edge), n, at + 1 + usize::from(year.is_some())))
    }

    fn year(&self, n: usize) -> Option<i32> {
        self.number(n).filter(|y| (2000..=2100).contains(y) && self.joined(n))
    }

    /// `tomorrow`, `next Friday`, `Friday`, `next week`, `end of the month`, `in three weeks`, `end of 2027`.
    fn relative(&self, n: usize) -> Read {
        let today = self.frame.today;
        let one = |value| Some((value, n, n + 1));
        match self.item(n)? {
            Item::Class(c) if c == const { known("t.today") } => one(DateValue::day(today)),
            Item::Class(c) if c == const { known("t.tomorrow") } => one(DateValue::day(today.plus(1))),
            Item::Class(c) if c == const { known("t.after_tomorrow") } => one(DateValue::day(today.plus(2))),
            Item::Class(c) if c == const { known("t.in") } => self.in_some(n),
            Item::Class(c)
                if c == const { known("t.end") }
                    || c == const { known("t.mid") }
                    || c == const { known("t.begin") } =>
            {
                self.edge_of(n, c)
            }
            Item::Class(c)
                if c == const { known("t.next") }
                    || c == const { known("t.this") }
                    || c == const { known("t.last") }
                    || c == const { known("t.after_next") } =>
            {
                self.next(n, c)
            }
            Item::Weekday(day) => self.weekday(n, day),
            _ => None,
        }
    }

    /// A weekday, with "next" before it (English) or behind it (Romance languages).
    fn weekday(&self, n: usize, day: i32) -> Read {
        if self.is(n + 1, "t.next") && self.joined(n + 1) {
            return Some((DateValue::day(next_week(self.frame.today, day)), n, n + 2));
        }
        if let Some(dated) = self.day_month(n + 1).filter(|_| self.joined(n + 1)) {
            return Some((dated.0, n, dated.2));
        }
        Some((DateValue::day(coming(self.frame.today, day)), n, n + 1))
    }

    fn next(&self, n: usize, c: Class) -> Read {
        if !self.joined(n + 1) {
            return None;
        }
        let today = self.frame.today;
        let step = if c == const { known("t.next") } {
            1
        } else if c == const { known("t.after_next") } {
            2
        } else if c == const { known("t.last") } {
            -1
        } else {
            0
        };
        let value = match self.item(n + 1)? {
            Item::Weekday(day) if step >= 1 => DateValue::day(next_week(today, day).plus(7 * (step - 1))),
            Item::Weekday(day) if step == 0 => DateValue::day(coming(today, day)),
            Item::Month(month) if step == 1 => self.ahead_month(month)?,
            Item::Class(unit) => self.period(unit, step)?,
            _ => return None,
        };
        Some((value, n, n + 2))
    }

    /// The week, month, quarter or year `step` from now.
    fn period(&self, unit: Class, step: i32) -> Option<DateValue> {
        let today = self.frame.today;
        let (year, month, _) = today.ymd();
        if unit == const { known("u.week") } {
            Some(DateValue::week_of(today.plus(7 * step)))
        } else if unit == const { known("u.month") } {
            let (year, month, _) = today.plus_months(step).ymd();
            DateValue::month(year, month)
        } else if unit == const { known("u.quarter") } {
            let (year, month, _) = today.plus_months(3 * step).ymd();
            DateValue::quarter(year, (month - 1) / 3 + 1)
        } else if unit == const { known("u.year") } {
            DateValue::year(year + step)
        } else {
            let _ = month;
            None
        }
    }

    /// "end of the month", "end of next week", "end of 2027", "end of Q3".
    fn edge_of(&self, n: usize, edge: Class) -> Read {
        if !self.joined(n + 1) {
            return None;
        }
        if let Some(year) = self.year(n + 1) {
            return Some((edged(DateValue::year(year)?, Some(edge)), n, n + 2));
        }
        if let Some((whole, _, used)) = self.next_like(n + 1) {
            return Some((edged(whole, Some(edge)), n, used));
        }
        match self.item(n + 1)? {
            Item::Class(unit) => {
                // "end of the month", and "fin de año que viene" with the word for next behind.
                let step = i32::from(self.is(n + 2, "t.next") && self.joined(n + 2));
                let used = n + 2 + usize::try_from(step).unwrap_or(0);
                Some((edged(self.period(unit, step)?, Some(edge)), n, used))
            }
            _ => None,
        }
    }

    fn next_like(&self, n: usize) -> Read {
        match self.item(n)? {
            Item::Class(c) if c == const { known("t.next") } || c == const { known("t.this") } => {
                self.next(n, c)
            }
            _ => self.unit(n),
        }
    }

    /// "in three weeks", "within 10 days", "in 2027".
    fn in_some(&self, n: usize) -> Read {
        if !self.joined(n + 1) {
            return None;
        }
        let count = self.number(n + 1)?;
        let Some(Item::Class(unit)) = self.item(n + 2).filter(|_| self.joined(n + 2)) else {
            return None;
        };
        let today = self.frame.today;
        let value = if unit == const { known("u.day") } {
            DateValue::day(today.plus(count.min(4000)))
        } else if unit == const { known("u.week") } {
            DateValue { first: today.plus(7 * count.min(500)), precision: Precision::Day }
        } else if unit == const { known("u.month") } {
            DateValue { first: today.plus_months(count.min(240)), precision: Precision::Month }
        } else {
            return None;
        };
        Some((month_start(value), n, n + 3))
    }

    /// `Q3`, `calendar week 14`, `second quarter 2027`, "next month" with the word behind ("mes que viene").
    fn unit(&self, n: usize) -> Read {
        let Some(Item::Class(unit)) = self.item(n) else {
            return None;
        };
        let number = self.number(n + 1).filter(|_| self.joined(n + 1));
        if unit == const { known("u.cweek") } {
            let week = number.filter(|w| (1..=53).contains(w))?;
            let year = self.year(n + 2);
            let (this, _, _) = self.frame.today.ymd();
            let value = DateValue::iso_week(year.unwrap_or(this), week)?;
            let late = year.is_none() && value.last() < self.frame.today;
            return Some((
                if late { DateValue::iso_week(this + 1, week)? } else { value },
                n,
                n + 2 + usize::from(year.is_some()),
            ));
        }
        if (unit == const { known("u.week") }
            || unit == const { known("u.month") }
            || unit == const { known("u.year") }
            || unit == const { known("u.quarter") })
            && self.is(n + 1, "t.next")
            && self.joined(n + 1)
        {
            return Some((self.period(unit, 1)?, n, n + 2));
        }
        None
    }

    /// A year by itself, where it is behind a word that makes it a date, or `Q3` written together.
    fn alone(&self, n: usize) -> Read {
        if let Some(year) = self.number(n).filter(|y| (2020..=2060).contains(y)) {
            let token = self.tokens[n];
            let left = self.text[..token.start].trim_end().rsplit(' ').next().unwrap_or_default();
            let dated = "in until till by through of for before from since bis ab seit en em jusqu'en \
                hasta ate de budget fur im jahr ano";
            return dated.split(' ').any(|w| w == left).then_some((DateValue::year(year)?, n, n + 1));
        }
        let quarter = self.number(n).filter(|q| (1..=4).contains(q))?;
        let token = self.tokens[n];
        let before = self.text[..token.start].strip_suffix(['q', 't'])?;
        if before.chars().next_back().is_some_and(char::is_alphanumeric) {
            return None;
        }
        let year = self.year(n + 1);
        let (this, month, _) = self.frame.today.ymd();
        let now = i32::try_from((month - 1) / 3 + 1).unwrap_or(1);
        let year_used = year.unwrap_or(if quarter < now { this + 1 } else { this });
        Some((
            DateValue::quarter(year_used, u32::try_from(quarter).ok()?)?,
            n,
            n + 1 + usize::from(year.is_some()),
        ))
    }

    fn ahead(&self, month: u32, day: u32) -> Option<DateValue> {
        ahead(self.frame.today, month, day)
    }

    fn ahead_month(&self, month: u32) -> Option<DateValue> {
        let (year, now, _) = self.frame.today.ymd();
        DateValue::month(if month < now { year + 1 } else { year }, month)
    }
}

/// A month counted from today is named by its first day.
fn month_start(value: DateValue) -> DateValue {
    let (year, month, _) = value.first.ymd();
    if value.precision == Precision::Month { DateValue::month(year, month).unwrap_or(value) } else { value }
}

/// The end, middle or beginning of a period, as a day.
pub(crate) fn edged(whole: DateValue, edge: Option<Class>) -> DateValue {
    let Some(edge) = edge else {
        return whole;
    };
    if edge == const { known("t.end") } {
        return DateValue::day(whole.last());
    }
    if edge == const { known("t.begin") } {
        return DateValue::day(whole.first);
    }
    match whole.precision {
        Precision::Month => DateValue::day(whole.first.plus(14)),
        Precision::Year => DateValue { first: whole.first.plus_months(5), precision: Precision::Month },
        Precision::Quarter => DateValue { first: whole.first.plus_months(1), precision: Precision::Month },
        _ => DateValue::day(whole.first.plus(2)),
    }
}
