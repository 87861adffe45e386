//! Finds many wordings in a text in one pass, ASCII case ignored.
//!
//! Positions are filtered by their first two bytes, so ordinary text costs about a nanosecond a byte. It finds bytes,
//! not meanings: what a hit says is decided by the caller.

use std::collections::HashMap;

/// A set of wordings, each with the number its owner gave it.
#[derive(Debug)]
pub(super) struct Finder {
    pairs: Vec<u64>,
    buckets: HashMap<u16, Vec<(Vec<u8>, usize)>>,
}

impl Finder {
    /// A finder for lower-case wordings of two bytes and more.
    pub(super) fn new(wordings: impl IntoIterator<Item = (&'static str, usize)>) -> Self {
        let mut finder = Self { pairs: vec![0; 1024], buckets: HashMap::new() };
        for (wording, id) in wordings {
            finder.add(wording.as_bytes().to_vec(), id);
            // Case is only ignored in ASCII; other wordings are also sought with a capital first letter.
            if let Some(first) = wording.chars().next().filter(|c| !c.is_ascii()) {
                let mut capital: String = first.to_uppercase().collect();
                capital.push_str(&wording[first.len_utf8()..]);
                if capital != wording {
                    finder.add(capital.into_bytes(), id);
                }
            }
        }
        finder
    }

    fn add(&mut self, wording: Vec<u8>, id: usize) {
        if let [first, second, ..] = wording.as_slice() {
            let pair = pair(*first, *second);
            self.pairs[usize::from(pair >> 6)] |= 1 << (pair & 63);
            self.buckets.entry(pair).or_default().push((wording, id));
        }
    }

    /// Calls `hit` with number, place and length of every wording found at the start of a word.
    pub(super) fn each(&self, text: &str, mut hit: impl FnMut(usize, usize, usize)) {
        let bytes = text.as_bytes();
        let mut before = b' ';
        for (at, window) in bytes.windows(2).enumerate() {
            let pair = pair(window[0].to_ascii_lowercase(), window[1].to_ascii_lowercase());
            let inside = before.is_ascii_alphanumeric() && window[0].is_ascii_alphanumeric();
            before = window[0];
            if inside || self.pairs[usize::from(pair >> 6)] & (1 << (pair & 63)) == 0 {
                continue;
            }
            for (wording, id) in self.buckets.get(&pair).into_iter().flatten() {
                let end = at + wording.len();
                if bytes.get(at..end).is_some_and(|part| part.eq_ignore_ascii_case(wording)) {
                    hit(*id, at, wording.len());
                }
            }
        }
    }
}

fn pair(first: u8, second: u8) -> u16 {
    u16::from_be_bytes([first, second])
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
