//! The portal as arithmetic: how many records there are, their ids, and when each was created and
//! changed. Pure functions of (seed, kind, index); what people do to records later is in `overlay`.
//!
//! Everything here can be inverted, so a page in the middle of five million records costs as much
//! as the first one: id → index, modification rank → index, instant → rank.

use crate::clock::DAY_MS;
use crate::corpus::Corpus;
use crate::custom::Made;
use crate::hash::draw;
use crate::kind::{Kind, SUBMISSION_STREAM};
use crate::options::Options;

/// Distance between neighbouring ids, at most; real portals leave gaps.
const STRIDE: u64 = 1_009;
/// No record reaches so far; larger numbers in a request are read as this one.
const LARGEST_ID: u64 = 1 << 60;
/// How long before the portal's present its first record was created.
const SPAN_MS: i64 = 3 * 365 * DAY_MS;
/// Larger than any block and prime, so multiplying by it permutes every block.
const BLOCK_MULTIPLIER: u64 = 611_953;

/// The untouched portal.
#[derive(Debug)]
pub(crate) struct Portal {
    pub(crate) seed: u64,
    pub(crate) now: i64,
    pub(crate) lean: bool,
    pub(crate) burst: u64,
    pub(crate) id: u64,
    pub(crate) corpus: Corpus,
    pub(crate) hublet: String,
    pub(crate) made: Made,
    counts: [u64; 9],
}

impl Portal {
    pub(crate) fn new(options: &Options, corpus: Corpus) -> Self {
        let contacts = options.contacts;
        let wanted = contacts as f64 * options.engagements_per_contact.max(0.0);
        let share = |part: f64| (wanted * part).round() as u64;
        let emails = if corpus.is_empty() { share(0.50) } else { corpus.len() };
        let counts = [
            contacts,
            contacts.div_ceil(4),
            contacts.div_ceil(3),
            emails,
            share(0.20),
            share(0.12),
            share(0.10),
            share(0.03),
            share(0.08),
        ];
        let id = 20_000_000 + draw(options.seed, 50, 0, 0) % 120_000_000;
        let Options { seed, now, lean, burst, .. } = *options;
        let made = Made::new(options.extra_properties);
        let hublet = options.hublet.clone();
        Self { seed, now, lean, burst, id, corpus, hublet, made, counts }
    }

    /// The host people open the portal at.
    pub(crate) fn ui_domain(&self) -> String {
        match self.hublet.as_str() {
            "na1" => "app.hubspot.com".to_owned(),
            other => format!("app-{other}.hubspot.com"),
        }
    }

    pub(crate) fn count(&self, kind: Kind) -> u64 {
        self.counts[kind.number()]
    }

    pub(crate) fn submissions(&self) -> u64 {
        self.counts[SUBMISSION_STREAM as usize]
    }

    pub(crate) fn draw(&self, kind: Kind, index: u64, salt: u64) -> u64 {
        draw(self.seed, kind.stream(), index, salt)
    }

    /// Ascending with the index. The bases sit just below a power of ten, so that a portal holds
    /// ids of two lengths and comparing them as text gives another order than as numbers.
    pub(crate) fn id(&self, kind: Kind, index: u64) -> u64 {
        const BASES: [u64; 8] = [
            99_999_400_000,
            9_999_900_000,
            9_999_870_000,
            99_997_500_000,
            99_999_000_000,
            99_999_400_000,
            99_999_500_000,
            99_999_850_000,
        ];
        BASES[kind.number()] + index * STRIDE + self.draw(kind, index, 1) % (STRIDE - 1)
    }

    /// The index an id belongs to, whether or not the portal reaches that far.
    pub(crate) fn index(&self, kind: Kind, id: u64) -> Option<u64> {
        let base = self.id(kind, 0) - self.draw(kind, 0, 1) % (STRIDE - 1);
        let index = id.min(LARGEST_ID).checked_sub(base)? / STRIDE;
        (self.id(kind, index) == id).then_some(index)
    }

    /// The first index whose id is at least `id`.
    pub(crate) fn index_at_or_after(&self, kind: Kind, id: u64) -> u64 {
        let base = self.id(kind, 0) - self.draw(kind, 0, 1) % (STRIDE - 1);
        let id = id.min(LARGEST_ID);
        let index = id.saturating_sub(base) / STRIDE;
        if self.id(kind, index) >= id { index } else { index + 1 }
    }

    fn block(&self, kind: Kind) -> u64 {
        (self.count(kind) / 50).clamp(1, 200)
    }

    /// The instant of a position between the first record and the present.
    fn instant(&self, kind: Kind, position: u64) -> i64 {
        let slots = self.count(kind) + self.block(kind) + 1;
        let offset = i128::from(SPAN_MS) * i128::from(position) / i128::from(slots.max(1));
        self.now - SPAN_MS + offset as i64
    }

    pub(crate) fn created(&self, kind: Kind, index: u64) -> i64 {
        self.instant(kind, index)
    }

    pub(crate) fn modified(&self, kind: Kind, index: u64) -> i64 {
        self.modified_at_rank(kind, self.rank(kind, index))
    }

    /// Where a record stands in the order of modification: blocks in order, shuffled inside.
    pub(crate) fn rank(&self, kind: Kind, index: u64) -> u64 {
        let (start, size) = self.block_around(kind, index);
        start + (index - start) * (BLOCK_MULTIPLIER % size) % size
    }

    /// The record at a rank: the inverse of `rank`.
    pub(crate) fn at_rank(&self, kind: Kind, rank: u64) -> u64 {
        let (start, size) = self.block_around(kind, rank);
        start + (rank - start) * inverse(BLOCK_MULTIPLIER % size, size) % size
    }

    fn block_around(&self, kind: Kind, position: u64) -> (u64, u64) {
        let block = self.block(kind);
        let start = position / block * block;
        (start, block.min(self.count(kind).saturating_sub(start)).max(1))
    }

    /// Never descends with the rank; `burst` ranks from the middle on share one millisecond.
    pub(crate) fn modified_at_rank(&self, kind: Kind, rank: u64) -> i64 {
        let burst = self.burst.min(self.count(kind));
        let first = (self.count(kind) - burst) / 2;
        let inside = rank >= first && rank < first + burst;
        // The burst happens when its last record is touched, so none is modified before it exists.
        let rank = if inside { first + burst - 1 } else { rank };
        self.instant(kind, rank + self.block(kind))
    }

    /// How many records were modified before `ms`.
    pub(crate) fn ranks_before(&self, kind: Kind, ms: i64) -> u64 {
        let (mut low, mut high) = (0, self.count(kind));
        while low < high {
            let middle = low + (high - low) / 2;
            if self.modified_at_rank(kind, middle) < ms {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        low
    }

    /// When a form submission came in.
    pub(crate) fn submitted(&self, index: u64) -> i64 {
        let slots = i128::from(self.submissions() + 1);
        self.now - SPAN_MS + (i128::from(SPAN_MS) * i128::from(index) / slots) as i64
    }

    /// When the facts of a contact change: somewhere in the middle of the portal's life.
    pub(crate) fn turning_point(&self, contact: u64) -> i64 {
        let percent = 35 + self.draw(Kind::Contact, contact, 9) % 40;
        self.now - SPAN_MS + SPAN_MS / 100 * percent as i64
    }
}

/// The number `inverse` with `value * inverse % size == 1`, by Euclid; 0 when `size` is 1.
fn inverse(value: u64, size: u64) -> u64 {
    let (mut old_r, mut r) = (value as i64, size as i64);
    let (mut old_s, mut s) = (1_i64, 0_i64);
    while r != 0 {
        let quotient = old_r / r;
        (old_r, r) = (r, old_r - quotient * r);
        (old_s, s) = (s, old_s - quotient * s);
    }
    old_s.rem_euclid(size as i64) as u64
}

#[cfg(test)]
pub(crate) fn of_size(seed: u64, contacts: u64) -> Portal {
    Portal::new(&Options { seed, contacts, ..Options::default() }, Corpus::default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_ranks_invert_at_every_size() {
        for contacts in [1, 2, 9, 10, 11, 999, 1_000, 12_345] {
            let portal = of_size(3, contacts);
            for kind in Kind::ALL {
                let mut last = (0, 0);
                for i in 0..portal.count(kind) {
                    let id = portal.id(kind, i);
                    assert!(id > last.0);
                    assert_eq!(portal.index(kind, id), Some(i));
                    assert_eq!(portal.index_at_or_after(kind, id), i);
                    assert_eq!(portal.index_at_or_after(kind, id + 1), i + 1);
                    assert_eq!(portal.at_rank(kind, portal.rank(kind, i)), i);
                    assert!(portal.modified(kind, i) >= portal.created(kind, i));
                    assert!(portal.modified(kind, i) <= portal.now);
                    let by_rank = portal.modified_at_rank(kind, i);
                    assert!(by_rank >= last.1);
                    assert!(portal.ranks_before(kind, by_rank) <= i);
                    last = (id, by_rank);
                }
            }
        }
    }
}
