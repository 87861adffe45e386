//! A number by which copies of a text are told from different texts without
//! reading either.
//!
//! A sketch of the text's pairs of neighbouring words: the pairs are dealt into
//! 32 slots by their hash, and each slot keeps four bits of its smallest. Names
//! and dates that differ in a long text change a few slots; in a short text
//! every word counts, so only equal ones are alike. It knows no language. The
//! simpler similarity hash (sign of summed bits) told one mail to many from
//! other mails with as many words in common less well.

/// Words that are looked at; copies begin alike.
const MAX_WORDS: usize = 400;

/// With fewer words the hash of all of them is taken, which only equal texts share.
const MIN_WORDS: usize = 30;

const SLOTS: u32 = 32;

/// Share of slots, in percent, in which copies agree at least.
const AGREEING: u32 = 72;

/// The sketch of a text in pieces; 0 where it has no words.
pub(crate) fn likeness<'a>(texts: impl Iterator<Item = &'a str>) -> u128 {
    let mut smallest = [u64::MAX; SLOTS as usize];
    let (mut words, mut before, mut all) = (0, 0, 0u64);
    for word in texts.flat_map(words_of).take(MAX_WORDS) {
        if words > 0 {
            let pair = mixed(before ^ word.rotate_left(32));
            let slot = &mut smallest[(pair % u64::from(SLOTS)) as usize];
            *slot = (*slot).min(pair);
        }
        words += 1;
        before = word;
        all = mixed(all.rotate_left(5) ^ word);
    }
    if words < MIN_WORDS {
        return u128::from(all) << 64 | u128::from(mixed(all));
    }
    let bits = |pair: u64| if pair == u64::MAX { 0 } else { 1 + u128::from((pair >> 8) % 15) };
    smallest.into_iter().fold(0, |out, pair| out << 4 | bits(pair))
}

/// Whether two texts are copies of each other.
pub(crate) fn are_alike(a: u128, b: u128) -> bool {
    if a == 0 || b == 0 {
        return false;
    }
    let empty = SLOTS - filled_slots(a | b);
    let agreeing = SLOTS - filled_slots(a ^ b) - empty;
    agreeing * 100 >= (SLOTS - empty) * AGREEING
}

/// Groups of four bits that are not zero.
fn filled_slots(of: u128) -> u32 {
    const LOWEST: u128 = 0x1111_1111_1111_1111_1111_1111_1111_1111;
    ((of | of >> 1 | of >> 2 | of >> 3) & LOWEST).count_ones()
}

/// Hashes of the words, small letters of the basic alphabet and capitals being the same.
fn words_of(text: &str) -> impl Iterator<Item = u64> {
    let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte >= 0x80;
    text.as_bytes().split(move |byte| !is_word(byte)).filter(|word| !word.is_empty()).map(|word| {
        let hash = word.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte.to_ascii_lowercase())).wrapping_mul(0x0100_0000_01b3)
        });
        mixed(hash)
    })
}

fn mixed(mut x: u64) -> u64 {
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(text: &str) -> u128 {
        likeness(std::iter::once(text))
    }

    const OFFER: &str = "thank you for your time on the phone last week. As promised here is the offer for the \
        maintenance of both boilers: two visits a year, spare parts at list price, and a mechanic on site within \
        one day. The offer is valid until the end of next month; if you have any questions about the terms or the \
        prices, please call me or my colleague in the office between nine and five. With kind regards from the coast.";

    #[test]
    fn a_name_and_a_date_do_not_make_another_text() {
        let anna = of(&format!("Hi Anna, {OFFER} 12 May"));
        let bob = of(&format!("Hi Robert, {OFFER} 13 May"));
        assert!(are_alike(anna, bob), "{} slots differ", filled_slots(anna ^ bob));
        assert!(are_alike(of(OFFER), of(&OFFER.to_uppercase())));
    }

    #[test]
    fn other_texts_and_short_ones_are_not_alike() {
        let other = OFFER
            .replace("boilers", "lifts")
            .replace("two visits", "one visit")
            .replace("month", "year")
            + " We would like to hear from you before the holidays because our people are often booked then.";
        for (a, b) in [
            (OFFER, other.as_str()),
            ("call attempted, no answer", "call answered"),
            ("invoice INV-1 is paid", "invoice INV-2 is paid"),
            (
                "the quick brown fox jumps over the lazy dog once more today ok",
                "the quick brown fox jumps over a busy cat once more today ok",
            ),
        ] {
            assert!(!are_alike(of(a), of(b)), "{a} / {b}");
        }
        assert!(are_alike(of("no answer"), of("No answer!")));
        assert!(!are_alike(of(""), of("!!")), "texts without words are alike to nothing");
    }
}
