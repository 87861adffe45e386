//! The folded copy of a text that cues are searched in, with the way back to the original bytes.
//!
//! Lower case, accents off, full-width as half-width, curly quotes straight, white space one space. It is made for
//! finding; what is quoted as evidence always comes from the original.

use std::ops::Range;

/// A text folded for searching.
#[derive(Debug, Default)]
pub(crate) struct Folded {
    /// The folded text.
    pub text: String,
    /// Original byte of each folded byte, and the length of the original at the end.
    map: Vec<u32>,
}

impl Folded {
    /// Folds a text.
    pub(crate) fn new(original: &str) -> Self {
        let mut out =
            Self { text: String::with_capacity(original.len()), map: Vec::with_capacity(original.len() + 1) };
        let mut gap = true;
        for (at, c) in original.char_indices() {
            if c.is_ascii() {
                let space = c.is_ascii_whitespace();
                if !(space && gap) {
                    out.push(if space { ' ' } else { c.to_ascii_lowercase() }, at);
                }
                gap = space;
            } else {
                gap = out.wide(c, at, gap);
            }
        }
        out.map.push(u32::try_from(original.len()).unwrap_or(u32::MAX));
        out
    }

    /// The folded form of a cue.
    pub(crate) fn phrase(text: &str) -> String {
        Self::new(text.trim()).text
    }

    /// Folds one character beyond ASCII; tells whether it was white space.
    fn wide(&mut self, c: char, at: usize, gap: bool) -> bool {
        match c {
            '’' | '‘' | 'ʼ' | '´' => self.push('\'', at),
            '“' | '”' | '„' | '«' | '»' => self.push('"', at),
            '‐' | '‑' => self.push('-', at),
            '\u{200b}'..='\u{200d}' | '\u{feff}' | '\u{ad}' => {}
            '\u{ff01}'..='\u{ff5e}' => {
                let ascii = char::from_u32(u32::from(c) - 0xfee0).unwrap_or(c);
                self.push(ascii.to_ascii_lowercase(), at);
            }
            'ß' => {
                self.push('s', at);
                self.push('s', at);
            }
            'œ' | 'Œ' => {
                self.push('o', at);
                self.push('e', at);
            }
            'À'..='ɏ' => {
                let mut base = None;
                unicode_normalization::char::decompose_canonical(c, |part| base = base.or(Some(part)));
                base.unwrap_or(c).to_lowercase().for_each(|l| self.push(l, at));
            }
            '\u{300}'..='\u{36f}' => {}
            c if c.is_whitespace() => {
                if !gap {
                    self.push(' ', at);
                }
                return true;
            }
            c => c.to_lowercase().for_each(|l| self.push(l, at)),
        }
        false
    }

    fn push(&mut self, c: char, at: usize) {
        self.text.push(c);
        let at = u32::try_from(at).unwrap_or(u32::MAX);
        for _ in 0..c.len_utf8() {
            self.map.push(at);
        }
    }

    /// Bytes of the original under a folded range.
    pub(crate) fn original(&self, folded: Range<usize>) -> Range<usize> {
        let at = |n: usize| self.map.get(n).or(self.map.last()).map_or(0, |b| *b as usize);
        at(folded.start)..at(folded.end)
    }

    /// Bytes of the folded text under a range of the original.
    pub(crate) fn folded(&self, original: Range<usize>) -> Range<usize> {
        let find = |at: usize| self.map[..self.text.len()].partition_point(|b| (*b as usize) < at);
        find(original.start)..find(original.end)
    }
}

/// Whether a character belongs to a script written without spaces.
pub(crate) fn is_unspaced(c: char) -> bool {
    matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}' | '\u{ff66}'..='\u{ff9f}')
}

/// Whether a character can be part of a word with edges.
pub(crate) fn is_word(c: char) -> bool {
    c.is_alphanumeric() && !is_unspaced(c)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folds_and_finds_the_way_back() {
        let original = "Prüfung  L’été\u{a0}ＡＢ４月 Straße";
        let folded = Folded::new(original);
        assert_eq!(folded.text, "prufung l'ete ab4月 strasse");
        let at = folded.text.find("ete").unwrap();
        assert_eq!(&original[folded.original(at..at + 3)], "été");
        let all = folded.original(0..folded.text.len());
        assert_eq!(all, 0..original.len());
        let there = original.find("４月").unwrap();
        let back = folded.folded(there..there + "４月".len());
        assert_eq!(&folded.text[back], "4月");
    }

    proptest::proptest! {
        #[test]
        fn every_folded_range_is_a_range_of_the_original(text in "\\PC{0,60}") {
            let folded = Folded::new(&text);
            for (at, c) in folded.text.char_indices() {
                let range = folded.original(at..at + c.len_utf8());
                proptest::prop_assert!(text.is_char_boundary(range.start) && text.is_char_boundary(range.end));
            }
        }
    }
}
