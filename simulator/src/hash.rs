//! Chance without state: every choice the portal makes is a hash of (seed, stream, index, salt),
//! so record *i* is the same whoever asks, in any order, at any portal size. No generator is kept.

/// Scrambles 64 bits so that neighbouring inputs give unrelated outputs.
pub(crate) const fn mix(mut x: u64) -> u64 {
    x = x.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// One draw for `index` of a stream; `salt` tells apart several draws for the same record.
pub(crate) const fn draw(seed: u64, stream: u64, index: u64, salt: u64) -> u64 {
    mix(mix(seed ^ (stream << 58) ^ salt.wrapping_mul(0xd6e8_feb8_6659_fd93)) ^ index)
}

/// The element a draw selects. Lists of content are never empty.
pub(crate) fn pick<T: ?Sized>(list: &[&'static T], draw: u64) -> &'static T {
    let at = (draw >> 8) % list.len().max(1) as u64;
    list[at as usize]
}

const LETTERS: &[u8; 16] = b"bcdfghjkmnpqtvxz";
const DIGITS: &[u8; 8] = b"23456789";
const BOTH: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";

/// The word that occurs in exactly one body of the portal: letter, digit, six of either, digit.
///
/// Forty bits (stream and index) go through a keyed permutation, so two records never share a
/// word, and the last character is a digit so that no stemmer shortens it.
pub(crate) fn unique_word(seed: u64, stream: u64, index: u64) -> String {
    let mut bits = permute_40(seed, (stream << 36) | (index & ((1 << 36) - 1)));
    let mut word = String::with_capacity(9);
    let mut take = |width: u32| {
        let value = (bits & ((1 << width) - 1)) as usize;
        bits >>= width;
        value
    };
    word.push(char::from(LETTERS[take(4)]));
    word.push(char::from(DIGITS[take(3)]));
    for _ in 0..6 {
        word.push(char::from(BOTH[take(5)]));
    }
    word.push(char::from(DIGITS[take(3)]));
    word
}

/// Four Feistel rounds over two halves of 20 bits: a bijection whatever the round function is.
const fn permute_40(seed: u64, value: u64) -> u64 {
    const HALF: u64 = (1 << 20) - 1;
    let (mut left, mut right) = (value >> 20 & HALF, value & HALF);
    let mut round = 0;
    while round < 4 {
        let next = left ^ (draw(seed, 40, right, round) & HALF);
        left = right;
        right = next;
        round += 1;
    }
    left << 20 | right
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn words_of_all_streams_differ() {
        for seed in [0, 1, 77, u64::MAX] {
            let words: HashSet<String> =
                (0..9).flat_map(|s| (0..5_000).map(move |i| unique_word(seed, s, i))).collect();
            assert_eq!(words.len(), 45_000);
        }
    }
}
