//! Near-copies: one mail to many people is found again by a fingerprint that ignores names, numbers and addresses.
//!
//! It keeps no index of fingerprints; the store bands and looks them up. It never decides what is shown.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

/// Hash functions in a fingerprint.
pub const HASHES: usize = 64;
/// Bands a fingerprint is cut into for look-up.
pub const BANDS: usize = 16;

/// Min-hash of a text's masked three-word shingles.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fingerprint {
    /// The smallest value of each hash function.
    pub mins: [u32; HASHES],
}

impl Fingerprint {
    /// The fingerprint of a text; `own` are the contact's own words (name, company), which are masked.
    /// `None` where fewer than eight words are left: too little to call anything a copy.
    #[must_use]
    pub fn of(text: &str, own: &[&str]) -> Option<Self> {
        let words = masked_words(text, own);
        if words.len() < 8 {
            return None;
        }
        let mut mins = [u32::MAX; HASHES];
        for shingle in words.windows(3) {
            let base = mix(shingle[0] ^ mix(shingle[1] ^ mix(shingle[2])));
            let mut h = base;
            for slot in &mut mins {
                h = h.wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(23) ^ base;
                *slot = (*slot).min((h >> 32) as u32);
            }
        }
        Some(Self { mins })
    }

    /// Keys to look near-copies up by: two texts that share one key are candidates.
    #[must_use]
    pub fn bands(&self) -> [u64; BANDS] {
        let mut out = [0; BANDS];
        for (n, (band, slot)) in self.mins.chunks(HASHES / BANDS).zip(&mut out).enumerate() {
            *slot = band.iter().fold(n as u64 + 1, |h, v| mix(h ^ u64::from(*v)));
        }
        out
    }

    /// The fingerprint as bytes, to be kept.
    #[must_use]
    pub fn to_bytes(&self) -> Vec<u8> {
        self.mins.iter().flat_map(|min| min.to_le_bytes()).collect()
    }

    /// A kept fingerprint; `None` where the bytes are none.
    #[must_use]
    pub fn from_bytes(bytes: &[u8]) -> Option<Self> {
        let (parts, rest) = bytes.as_chunks::<4>();
        let mut mins = [0; HASHES];
        if parts.len() != HASHES || !rest.is_empty() {
            return None;
        }
        for (min, part) in mins.iter_mut().zip(parts) {
            *min = u32::from_le_bytes(*part);
        }
        Some(Self { mins })
    }

    /// Estimated share of equal shingles, 0 to 1.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> f32 {
        let equal = self.mins.iter().zip(&other.mins).filter(|(a, b)| a == b).count();
        equal as f32 / HASHES as f32
    }
}

/// Similarity from which two texts are copies of one template.
pub const COPY_FROM: f32 = 0.75;

/// The parts of `text` that `template` does not hold, as byte ranges of whole lines, when they have `>= 8` words.
#[must_use]
pub fn remainder(template: &str, text: &str, own: &[&str]) -> Vec<Range<usize>> {
    let known: std::collections::HashSet<u64> = template.lines().map(|l| line_key(l, own)).collect();
    let mut out = Vec::new();
    let mut words = 0;
    let mut start = 0;
    for line in text.split_inclusive('\n') {
        let range = start..start + line.len();
        start = range.end;
        let own_words = line.unicode_words().count();
        if own_words > 0 && !known.contains(&line_key(line, own)) {
            words += own_words;
            out.push(range);
        }
    }
    if words >= 8 { out } else { Vec::new() }
}

fn line_key(line: &str, own: &[&str]) -> u64 {
    masked_words(line, own).into_iter().fold(7, |h, w| mix(h ^ w))
}

/// Stands for a contact's own words.
const OWN: u64 = 3;

/// Hashes of the words, with numbers, addresses and the contact's own words replaced by one mark each.
fn masked_words(text: &str, own: &[&str]) -> Vec<u64> {
    let own: Vec<String> =
        own.iter().flat_map(|o| o.unicode_words()).filter(|w| w.len() > 1).map(str::to_lowercase).collect();
    let mut out = Vec::new();
    for chunk in text.split_whitespace() {
        if chunk.contains('@') || chunk.contains("://") || chunk.starts_with("www.") {
            out.push(1);
            continue;
        }
        for word in chunk.unicode_words() {
            if word.bytes().any(|b| b.is_ascii_digit()) {
                out.push(2);
                continue;
            }
            let lower = word.to_lowercase();
            if !own.contains(&lower) {
                out.push(hash(lower.as_bytes()));
            } else if out.last() != Some(&OWN) {
                // Names have one word or three; a row of them is one mark.
                out.push(OWN);
            }
        }
    }
    out
}

fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |h, b| (h ^ u64::from(*b)).wrapping_mul(0x0100_0000_01b3))
}

/// Finaliser of a 64-bit hash: every input bit reaches every output bit.
fn mix(mut h: u64) -> u64 {
    h = (h ^ (h >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
    h = (h ^ (h >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
    h ^ (h >> 33)
}

#[cfg(test)]
mod tests {
    use super::{COPY_FROM, Fingerprint, remainder};

    const BODY: &str = "thank you for your time on the phone today\nhere is the offer we talked about with all the details \
                        for your team\nplease tell me until 12 May whether the term fits";

    #[test]
    fn personalised_copies_are_one_and_other_mail_is_not() {
        let a = Fingerprint::of(&format!("Hi Ann, {BODY}"), &["Ann"]).unwrap();
        let b = Fingerprint::of(&format!("Hi Bob, {BODY}"), &["Bob"]).unwrap();
        let c =
            Fingerprint::of("the server is down again and nobody answers the ticket we opened", &[]).unwrap();
        assert!(a.similarity(&b) >= COPY_FROM);
        assert!(a.similarity(&c) < 0.2);
        assert_eq!(a.bands(), b.bands());
    }

    #[test]
    fn the_remainder_is_what_the_template_lacks() {
        let own = "PS: we can also ship the older unit to your second site in June";
        let text = format!("{BODY}\n{own}");
        let parts = remainder(BODY, &text, &[]);
        assert_eq!(parts.iter().map(|r| &text[r.clone()]).collect::<String>(), own);
        assert!(remainder(BODY, &format!("{BODY}\nPS: bye"), &[]).is_empty());
    }
}
