//! Typed values of one sentence: money, counts, terms, clock times, percentages, addresses, numbers to ring.
//!
//! Dates are read by `when`, names by `names`; this file puts all of them into one list that rules can ask for.

use super::lexicon::{Class, Hit, known};
use super::numbers::Number;

/// A typed value and its place in the folded text.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Entity {
    pub start: usize,
    pub end: usize,
    /// One of the `@` classes.
    pub class: Class,
    /// The value in its normal form.
    pub value: String,
}

/// Everything but dates and names within `start..end`.
pub(crate) fn find(text: &str, start: usize, end: usize, hits: &[Hit], numbers: &[Number]) -> Vec<Entity> {
    let mut out = emails(text, start, end);
    out.extend(phones(text, start, end));
    for (n, number) in numbers.iter().enumerate() {
        if out.iter().any(|e| e.start <= number.start && number.end <= e.end) {
            continue;
        }
        let reader = Beside { text, limit: end, hits, number };
        let next = numbers.get(n + 1);
        out.extend(
            reader
                .percent()
                .or_else(|| reader.money())
                .or_else(|| reader.hours(next))
                .or_else(|| reader.term())
                .or_else(|| reader.count()),
        );
    }
    out
}

fn emails(text: &str, start: usize, end: usize) -> Vec<Entity> {
    let part = &text[start..end];
    let is_part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-' | '+');
    part.match_indices('@')
        .filter_map(|(at, _)| {
            let from = part[..at]
                .rfind(|c| !is_part(c))
                .map_or(0, |n| n + part[n..].chars().next().map_or(1, char::len_utf8));
            let to = part[at + 1..].find(|c| !is_part(c)).map_or(part.len(), |n| at + 1 + n);
            let value = part[from..to].trim_end_matches(['.', '-']);
            let host = value.split('@').nth(1)?;
            (from < at && host.contains('.')).then(|| Entity {
                start: start + from,
                end: start + from + value.len(),
                class: const { known("@EMAIL") },
                value: value.to_owned(),
            })
        })
        .collect()
}

/// Runs of digits, spaces and the like with a leading `+` or at least eight digits in groups.
fn phones(text: &str, start: usize, end: usize) -> Vec<Entity> {
    let bytes = &text.as_bytes()[..end];
    let mut out = Vec::new();
    let mut at = start;
    while at < end {
        let plus = bytes[at] == b'+';
        if !(plus || bytes[at].is_ascii_digit()) || at > start && bytes[at - 1].is_ascii_alphanumeric() {
            at += 1;
            continue;
        }
        let mut stop = at + 1;
        while stop < end
            && (bytes[stop].is_ascii_digit() || matches!(bytes[stop], b' ' | b'-' | b'/' | b'(' | b')'))
        {
            stop += 1;
        }
        let value = text[at..stop].trim_end_matches([' ', '-', '/', '(', ')']);
        let digits = value.bytes().filter(u8::is_ascii_digit).count();
        let groups = value.split([' ', '-', '/']).filter(|g| !g.is_empty()).count();
        if (plus && digits >= 7 || digits >= 8 && groups >= 2 && value.starts_with('0')) && digits <= 16 {
            out.push(Entity {
                start: at,
                end: at + value.len(),
                class: const { known("@PHONE") },
                value: value.to_owned(),
            });
        }
        at = stop;
    }
    out
}

/// One number and what stands on both sides of it.
struct Beside<'a> {
    text: &'a str,
    limit: usize,
    hits: &'a [Hit],
    number: &'a Number,
}

impl Beside<'_> {
    fn after(&self) -> &str {
        &self.text[self.number.end..self.limit]
    }

    fn entity(&self, start: usize, end: usize, class: &str, value: String) -> Entity {
        Entity { start, end, class: known(class), value }
    }

    fn percent(&self) -> Option<Entity> {
        let after = self.after();
        let used =
            ["%", " %", " percent", " prozent", " por ciento", " por cento", " pour cent", "パーセント"]
                .iter()
                .find(|w| after.starts_with(**w))?;
        let value = format!("{}%", decimal(self.number));
        Some(self.entity(self.number.start, self.number.end + used.len(), "@PERCENT", value))
    }

    /// A hit of `class` right behind the number, at most `gap` bytes away.
    fn behind(&self, class: Class, gap: usize) -> Option<&Hit> {
        let from = self.number.end;
        let from_index = self.hits.partition_point(|h| h.start < from);
        self.hits[from_index..]
            .iter()
            .take_while(|h| h.start <= from + gap)
            .filter(|h| h.class == class && self.text[from..h.start].chars().all(|c| matches!(c, ' ' | '-')))
            .max_by_key(|h| h.end)
    }

    fn money(&self) -> Option<Entity> {
        let number = self.number;
        let money = const { known("money") };
        let sign =
            self.behind(money, 1).map(|h| (number.start, h.end, &self.text[h.start..h.end])).or_else(|| {
                let hit = self
                    .hits
                    .iter()
                    .find(|h| h.class == money && h.end <= number.start && number.start - h.end <= 1)?;
                Some((hit.start, number.end, &self.text[hit.start..hit.end]))
            });
        if let Some((start, end, word)) = sign {
            let (code, factor) = currency(word);
            let value = Number { hundredths: number.hundredths.saturating_mul(factor), ..*number };
            return Some(self.entity(
                start,
                end,
                "@MONEY",
                format!("{code} {}", decimal(&value)).trim().to_owned(),
            ));
        }
        let per = [" per ", " pro ", " par ", " por ", " a head", " each"]
            .iter()
            .any(|w| self.after().starts_with(w));
        let price = !number.plain && !number.scaled && number.hundredths % 100 != 0 && per;
        // "25.000" without anything it counts behind it is an amount.
        let round = !number.plain && number.hundredths >= 100_000 && number.hundredths % 100 == 0;
        (number.scaled || price || round && self.alone())
            .then(|| self.entity(number.start, number.end, "@MONEY", decimal(number)))
    }

    /// Whether a number counts nothing: the text ends, or goes on with a sign or what it is for.
    fn alone(&self) -> bool {
        let rest = self.after();
        let goes_on =
            ["for ", "a ", "this ", "fur ", "im ", "in ", "pour ", "par ", "para ", "por ", "al ", "este "];
        let next = rest.trim_start();
        next.is_empty()
            || rest.starts_with([',', '.', ';', ')'])
            || goes_on.iter().any(|w| next.starts_with(w))
    }

    /// "between 2 and 4", "7 bis 8 uhr", "9-11h", "14:00", "9時から11時".
    fn hours(&self, next: Option<&Number>) -> Option<Entity> {
        let first = self.hour(self.number)?;
        let before = self.text[..self.number.start].trim_end();
        let opened = [
            "between",
            "zwischen",
            "entre",
            "from",
            "von",
            "de",
            "entre les",
            "entre las",
            "entre as",
            "das",
            "des",
            "las",
            "as",
        ]
        .iter()
        .any(|w| before.ends_with(w));
        if let Some(second) = next
            && let Some(last) = self.hour(second)
        {
            let gap = &self.text[self.number.end..second.start];
            let bare = gap
                .trim()
                .trim_start_matches(['h', ' '])
                .trim_start_matches("uhr")
                .trim_start_matches("時")
                .trim();
            let bare = bare.strip_prefix("am").or_else(|| bare.strip_prefix("pm")).unwrap_or(bare).trim();
            let bridged = matches!(
                bare,
                "and"
                    | "to"
                    | "und"
                    | "bis"
                    | "et"
                    | "y"
                    | "y las"
                    | "e"
                    | "e as"
                    | "e às"
                    | "a"
                    | "a las"
                    | "as"
                    | "-"
                    | "–"
                    | "~"
                    | "〜"
                    | "から"
                    | "からの"
                    | "until"
                    | "till"
                    | "et les"
            );
            let unit = self.clock_unit(second);
            if bridged && (opened || unit.is_some()) {
                let pm = unit.is_some_and(|u| u.starts_with('p')) || unit.is_none();
                let end = second.end
                    + unit.map_or(0, |u| self.text[second.end..self.limit].find(u).unwrap_or(0) + u.len());
                let value = format!("{}-{}", clock(first, pm), clock(last, pm));
                return Some(self.entity(self.number.start, end, "@TIME", value));
            }
            // "14:00": hour and minutes.
            if gap == ":" && second.end - second.start == 2 {
                let value = format!("{:02}:{:02}", first, last.min(59));
                return Some(self.entity(self.number.start, second.end, "@TIME", value));
            }
        }
        let unit = self.clock_unit(self.number)?;
        let end = self.number.end + self.after().find(unit).unwrap_or(0) + unit.len();
        Some(self.entity(self.number.start, end, "@TIME", clock(first, unit.starts_with('p'))))
    }

    fn hour(&self, number: &Number) -> Option<i64> {
        number.whole().filter(|h| number.plain && (0..=59).contains(h) && number.end - number.start <= 2)
    }

    fn clock_unit(&self, number: &Number) -> Option<&'static str> {
        let after = self.text[number.end..self.limit].trim_start();
        ["uhr", "o'clock", "pm", "am", "p.m.", "a.m.", "時", "heures", "horas", "h"].into_iter().find(|u| {
            after.strip_prefix(u).is_some_and(|rest| !rest.starts_with(|c: char| c.is_ascii_alphabetic()))
                && !(*u == "時" && after.starts_with("時間"))
        })
    }

    /// "36 months", "three-year", "30 days", "24ヶ月".
    fn term(&self) -> Option<Entity> {
        for (unit, name) in [("u.day", "day"), ("u.week", "week"), ("u.month", "month"), ("u.year", "year")] {
            if let Some(hit) = self.behind(known(unit), 1) {
                let count = self.number.whole()?;
                let plural = if count == 1 { "" } else { "s" };
                return Some(self.entity(
                    self.number.start,
                    hit.end,
                    "@TERM",
                    format!("{count} {name}{plural}"),
                ));
            }
        }
        None
    }

    /// A number of people, seats, sites: a unit at most two words behind it.
    fn count(&self) -> Option<Entity> {
        let number = self.number;
        let value = number.whole().filter(|n| *n >= 2 && !number.scaled && *n < 1_000_000)?;
        if (2020..=2040).contains(&value) && number.plain {
            return None;
        }
        let unit = const { known("unit") };
        let from = self.hits.partition_point(|h| h.start < number.end);
        let hit = self.hits[from..].iter().take_while(|h| h.start <= number.end + 28).find(|h| {
            let gap = &self.text[number.end..h.start];
            h.class == unit
                && gap.split_whitespace().count() <= 2
                && !gap.contains([',', '.', ';', ':', '?', '!', '(', '、', '。'])
                && !gap.split_whitespace().any(|w| {
                    matches!(
                        w,
                        "and" | "to" | "of" | "und" | "y" | "et" | "e" | "a" | "o'clock" | "for" | "the"
                    )
                })
        })?;
        Some(self.entity(number.start, hit.end, "@COUNT", value.to_string()))
    }
}

fn currency(word: &str) -> (&'static str, i64) {
    match word {
        "€" | "eur" | "euro" | "euros" => ("EUR", 1),
        "£" | "gbp" | "pounds" => ("GBP", 1),
        "r$" | "brl" | "reais" | "real" => ("BRL", 1),
        "円" | "¥" | "jpy" => ("JPY", 1),
        "万円" => ("JPY", 10_000),
        "chf" | "franken" => ("CHF", 1),
        "$" | "usd" | "dollars" | "dollar" | "bucks" | "dolares" => ("USD", 1),
        _ => ("", 1),
    }
}

/// A number as people write it in English, without separators.
fn decimal(number: &Number) -> String {
    match number.hundredths % 100 {
        0 => (number.hundredths / 100).to_string(),
        cents => format!("{}.{cents:02}", number.hundredths / 100),
    }
}

/// An hour of the day; one to six without a word beside it is an afternoon.
fn clock(hour: i64, pm: bool) -> String {
    let late = pm && (1..=6).contains(&hour) || pm && (7..=11).contains(&hour) && hour > 11;
    format!("{:02}:00", if late { hour + 12 } else { hour })
}
