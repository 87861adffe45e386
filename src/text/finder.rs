//! Finds many wordings in a text in one pass, ASCII case ignored.
//!
//! Only places where a word may begin are looked at, and of those only the ones whose first bytes some wording has,
//! so ordinary text costs a fraction of a nanosecond a byte. (An automaton over all wordings was slower: it visits every
//! byte.) It finds bytes, not meanings: what a hit says is decided by the caller.

/// A byte that goes on with a word.
const LETTER: u8 = 1;
/// A byte some wording begins with.
const BEGINS: u8 = 2;

/// A set of wordings, each with the number its owner gave it.
#[derive(Debug)]
pub(super) struct Finder {
    /// For every byte whether it is a letter or digit of ASCII, and whether a wording may begin with it.
    kinds: [u8; 256],
    /// The first three bytes of all wordings, as bits.
    triples: Vec<u64>,
    /// Wordings in the order of their first two bytes.
    wordings: Vec<(Vec<u8>, usize)>,
    /// Where the wordings with each first two bytes begin.
    first: Vec<usize>,
}

impl Finder {
    /// A finder for lower-case wordings of two bytes and more.
    pub(super) fn new(wordings: impl IntoIterator<Item = (&'static str, usize)>) -> Self {
        let mut all: Vec<(Vec<u8>, usize)> = Vec::new();
        for (wording, id) in wordings {
            all.push((wording.as_bytes().to_vec(), id));
            // Case is only ignored in ASCII; other wordings are also sought with a capital first letter.
            if let Some(first) = wording.chars().next().filter(|c| !c.is_ascii()) {
                let mut capital: String = first.to_uppercase().collect();
                capital.push_str(&wording[first.len_utf8()..]);
                if capital != wording {
                    all.push((capital.into_bytes(), id));
                }
            }
        }
        all.retain(|(wording, _)| wording.len() > 1);
        // Stable: of wordings that begin alike the one given first is told first.
        all.sort_by_key(|(wording, _)| pair(wording[0], wording[1]));
        let mut triples = vec![0_u64; 512];
        for (wording, _) in &all {
            let third = wording.get(2).map_or(0..=31, |byte| *byte..=*byte);
            for key in third.map(|byte| triple(pair(wording[0], wording[1]), byte)) {
                triples[key >> 6] |= 1 << (key & 63);
            }
        }
        let mut kinds = [0; 256];
        for (byte, kind) in (0..=u8::MAX).zip(&mut kinds) {
            let begins = all.iter().any(|(wording, _)| wording[0] == byte.to_ascii_lowercase());
            *kind = if byte.is_ascii_alphanumeric() { LETTER } else { 0 } | if begins { BEGINS } else { 0 };
        }
        let first = (0..=1024).map(|key| all.partition_point(|(w, _)| pair(w[0], w[1]) < key));
        Self { kinds, triples, first: first.collect(), wordings: all }
    }

    /// Calls `hit` with number, place and length of every wording found at the start of a word.
    pub(super) fn each(&self, text: &str, mut hit: impl FnMut(usize, usize, usize)) {
        let bytes = text.as_bytes();
        let mut inside = 0;
        for (at, byte) in bytes.iter().enumerate() {
            let kind = self.kinds[usize::from(*byte)];
            let goes_on = kind & inside;
            inside = kind & LETTER;
            if goes_on != 0 || kind & BEGINS == 0 {
                continue;
            }
            self.at(bytes, at, &mut hit);
        }
    }

    /// Whether a wording stands at the very start of a text.
    pub(super) fn opens(&self, text: &str) -> bool {
        let mut opens = false;
        self.at(text.as_bytes(), 0, &mut |_, _, _| opens = true);
        opens
    }

    /// Calls `hit` for every wording that begins at a place.
    fn at(&self, bytes: &[u8], at: usize, hit: &mut impl FnMut(usize, usize, usize)) {
        let Some([first, second]) = bytes.get(at..at + 2) else { return };
        let pair = pair(*first, *second);
        let key = triple(pair, bytes.get(at + 2).copied().unwrap_or_default());
        if self.triples[key >> 6] & (1 << (key & 63)) == 0 {
            return;
        }
        for (wording, id) in &self.wordings[self.first[pair]..self.first[pair + 1]] {
            let end = at + wording.len();
            if bytes.get(at..end).is_some_and(|part| part.eq_ignore_ascii_case(wording)) {
                hit(*id, at, wording.len());
            }
        }
    }
}

/// Two bytes as a key that is the same for letters of either case.
fn pair(first: u8, second: u8) -> usize {
    usize::from(first & 31) << 5 | usize::from(second & 31)
}

fn triple(pair: usize, third: u8) -> usize {
    pair << 5 | usize::from(third & 31)
}

#[cfg(test)]
mod tests {
    use super::Finder;

    #[test]
    fn finds_at_word_starts_whatever_the_case() {
        let finder = Finder::new([("sent from", 0), ("über", 1), ("ent", 2)]);
        let mut hits = Vec::new();
        finder.each("Was SENT from über", |id, at, len| hits.push((id, at, len)));
        assert_eq!(hits, [(0, 4, 9), (1, 14, 5)]);
    }
}
