//! When a message goes out and how much goes into it: at once while little happens, grouped while much does.

use crate::domain::clock::Millis;
use crate::domain::notification::Cadence;

use super::message::MOST_ENTRIES;

/// Slack takes about one message a second into a channel.
const BETWEEN_MS: i64 = 1_000;
/// Messages in a minute before they are held back to be grouped.
const FREE: u64 = 5;
/// How long a notification is held back then. A message arrives within ten seconds of its event all the same.
const HOLD_MS: i64 = 6_000;
const HOUR_MS: i64 = 60 * 60 * 1000;
const DAY_MS: i64 = 24 * HOUR_MS;

/// What is known when it is decided whether to send.
#[derive(Debug, Clone, Copy)]
pub struct Moment {
    /// The present.
    pub now: Millis,
    /// How often people want to be told.
    pub cadence: Cadence,
    /// Engagements that wait.
    pub waiting: u64,
    /// Since when the oldest of them does.
    pub oldest: Millis,
    /// Messages sent in the last minute.
    pub lately: u64,
    /// When the last one was.
    pub last: Option<Millis>,
    /// How far the clock of the HubSpot account is ahead of UTC, milliseconds.
    pub offset_ms: i64,
    /// Hour of the daily digest by that clock.
    pub digest_hour: u32,
}

/// If a message is to be sent now: engagements queued before this go into it.
#[must_use]
pub fn due(at: Moment) -> Option<Millis> {
    let rested = at.last.is_none_or(|last| (at.now.0 - last.0).abs() >= BETWEEN_MS);
    if at.waiting == 0 || !rested {
        return None;
    }
    match at.cadence {
        Cadence::AtOnce => {
            let full = at.waiting >= MOST_ENTRIES as u64;
            let held = at.lately >= FREE && !full && at.now.0 - at.oldest.0 < HOLD_MS;
            (!held).then_some(at.now.plus(1))
        }
        Cadence::Hourly => digest(at, Millis(at.now.0.div_euclid(HOUR_MS) * HOUR_MS)),
        Cadence::Daily => {
            let hour = i64::from(at.digest_hour) * HOUR_MS;
            digest(at, at.now.next_midnight(at.offset_ms - hour).plus(-DAY_MS))
        }
    }
}

/// What was queued before the last time of a digest is due.
fn digest(at: Moment, time: Millis) -> Option<Millis> {
    (at.oldest < time).then_some(time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(now: &str, oldest: &str) -> Moment {
        let time = |text: &str| Millis::parse(&format!("2026-11-25T{text}Z")).unwrap();
        Moment {
            now: time(now),
            cadence: Cadence::AtOnce,
            waiting: 1,
            oldest: time(oldest),
            lately: 0,
            last: None,
            offset_ms: HOUR_MS,
            digest_hour: 8,
        }
    }

    #[test]
    fn not_7_alone_at_once_and_never_later_than_ten_seconds() {
        assert!(due(at("10:00:01", "10:00:00")).is_some());
        let busy = Moment { lately: FREE, ..at("10:00:03", "10:00:00") };
        assert_eq!(due(busy), None);
        assert!(due(Moment { waiting: 20, ..busy }).is_some());
        assert!(due(Moment { lately: 60, ..at("10:00:06", "10:00:00") }).is_some());
        let just = Moment { last: Millis::parse("2026-11-25T10:00:00.500Z"), ..at("10:00:01", "10:00:00") };
        assert_eq!(due(just), None);
        assert_eq!(due(Moment { waiting: 0, ..at("10:00:01", "10:00:00") }), None);
    }

    #[test]
    fn not_8_two_hundred_in_a_minute_are_a_few_messages() {
        let start = Millis::parse("2026-11-25T10:00:00Z").unwrap();
        let (mut waiting, mut sent): (Vec<Millis>, Vec<(Millis, usize)>) = (Vec::new(), Vec::new());
        for tick in 0..160 {
            let now = start.plus(tick * 500);
            if tick < 120 {
                waiting.extend(vec![now; if tick % 3 == 0 { 1 } else { 2 }]);
            }
            let Some(&oldest) = waiting.first() else { continue };
            let lately = sent.iter().filter(|(at, _)| now.0 - at.0 < 60_000).count() as u64;
            let moment = Moment {
                now,
                cadence: Cadence::AtOnce,
                waiting: waiting.len() as u64,
                oldest,
                lately,
                last: sent.last().map(|(at, _)| *at),
                offset_ms: 0,
                digest_hour: 8,
            };
            if due(moment).is_some() {
                assert!(now.0 - oldest.0 < 10_000);
                let taken = waiting.len().min(MOST_ENTRIES);
                waiting.drain(..taken);
                sent.push((now, taken));
            }
        }
        assert_eq!(sent.iter().map(|(_, taken)| taken).sum::<usize>(), 200);
        assert!(sent.len() <= 20, "{}", sent.len());
    }

    #[test]
    fn digests_go_out_at_their_time() {
        let hourly = |now, oldest| due(Moment { cadence: Cadence::Hourly, ..at(now, oldest) });
        assert_eq!(hourly("10:59:59", "10:00:00"), None);
        assert_eq!(hourly("11:00:00", "10:59:59"), Millis::parse("2026-11-25T11:00:00Z"));
        let daily = |now, oldest| due(Moment { cadence: Cadence::Daily, ..at(now, oldest) });
        // Eight o'clock in a portal one hour ahead is seven in UTC.
        assert_eq!(daily("06:59:59", "00:00:00"), None);
        assert_eq!(daily("07:00:00", "06:00:00"), Millis::parse("2026-11-25T07:00:00Z"));
        assert_eq!(daily("12:00:00", "08:00:00"), None);
    }
}
