//! Cuts text into pieces: words, single characters of scripts without spaces,
//! and exact things that the words alone would tear apart (addresses, domains,
//! phone numbers, references).
//!
//! It decides where pieces are, not what they are looked up as, and knows no
//! language.

use super::phone;
use unicode_normalization::char::is_combining_mark;

/// What a piece is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A run of letters and digits.
    Word,
    /// One character of a script written without spaces.
    Single,
    /// Two neighbouring characters of such a script.
    Pair,
    /// An address, domain or reference, looked up as typed.
    Exact,
    /// A phone number, looked up by its last nine digits.
    Phone,
    /// The same by fewer of its last digits.
    Tail(u8),
}

/// A piece of text: its bytes, kind and place in the order of words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) from: usize,
    pub(crate) to: usize,
    pub(crate) kind: Kind,
    /// Exact pieces share the position of their first word.
    pub(crate) position: usize,
}

/// Walks over a text. Give the same `queue` again to avoid allocations.
#[derive(Debug)]
pub(crate) struct Scanner<'a> {
    text: &'a str,
    at: usize,
    position: usize,
}

impl<'a> Scanner<'a> {
    pub(crate) fn new(text: &'a str, start: usize) -> Scanner<'a> {
        Scanner { text, at: start, position: 0 }
    }

    /// Appends the next pieces in order, or returns false at the end of the text.
    pub(crate) fn next_into(&mut self, queue: &mut Vec<Piece>) -> bool {
        let bytes = self.text.as_bytes();
        while let Some(&byte) = bytes.get(self.at) {
            if byte.is_ascii_alphabetic() {
                self.chunk(queue);
                return true;
            }
            if byte.is_ascii_digit() || byte == b'+' || byte == b'(' {
                let ends = phone::ends(self.text, self.at);
                if let Some((end, shorter)) = ends.all().split_last() {
                    self.phone(*end, shorter, queue);
                    return true;
                }
                if byte.is_ascii_digit() {
                    self.chunk(queue);
                    return true;
                }
                self.at += 1;
            } else if byte.is_ascii() {
                self.at += self.separator(byte);
            } else if self.wide(queue) {
                return true;
            }
        }
        false
    }

    /// Width of a separator; a possessive 's goes with its apostrophe.
    fn separator(&self, byte: u8) -> usize {
        if byte == b'\'' && self.at > 0 {
            return 1 + self.possessive(self.at + 1);
        }
        1
    }

    fn possessive(&self, at: usize) -> usize {
        let bytes = self.text.as_bytes();
        let s = matches!(bytes.get(at), Some(b's' | b'S'));
        usize::from(s && !bytes.get(at + 1).is_some_and(|b| b.is_ascii_alphanumeric() || *b >= 0x80))
    }

    /// Handles a character outside ASCII. Returns whether pieces were added.
    fn wide(&mut self, queue: &mut Vec<Piece>) -> bool {
        let Some(c) = self.text[self.at..].chars().next() else {
            return false;
        };
        if is_unspaced(c) {
            self.unspaced(queue);
            return true;
        }
        if c.is_alphanumeric() {
            self.chunk(queue);
            return true;
        }
        self.at += c.len_utf8();
        if c == '’' {
            self.at += self.possessive(self.at);
        }
        false
    }

    /// A run of a script without spaces: every character, and every pair of neighbours.
    fn unspaced(&mut self, queue: &mut Vec<Piece>) {
        let run = self.text[self.at..].char_indices().take_while(|(_, c)| is_unspaced(*c));
        let mut last = None;
        let mut end = self.at;
        for (offset, c) in run {
            let from = self.at + offset;
            end = from + c.len_utf8();
            if let Some(before) = last {
                queue.push(self.piece(before, end, Kind::Pair));
                self.position += 1;
            }
            queue.push(self.piece(from, end, Kind::Single));
            last = Some(from);
        }
        self.position += 1;
        self.at = end;
    }

    fn piece(&self, from: usize, to: usize, kind: Kind) -> Piece {
        Piece { from, to, kind, position: self.position }
    }

    /// Words joined by single marks; adds the whole as well if it is an exact thing.
    fn chunk(&mut self, queue: &mut Vec<Piece>) {
        let start = self.at;
        let first = queue.len();
        let mut shape = Shape::default();
        loop {
            let word = self.at;
            shape.digits |= self.word();
            queue.push(self.piece(word, self.at, Kind::Word));
            self.position += 1;
            let Some(mark) = self.joint() else { break };
            shape.note(mark, self.at);
            self.at += 1;
        }
        if shape.joints > 0 {
            self.exact(start, first, shape, queue);
        }
    }

    /// Steps over letters and digits; returns whether there was a digit.
    fn word(&mut self) -> bool {
        let bytes = self.text.as_bytes();
        let mut digits = false;
        while let Some(&byte) = bytes.get(self.at) {
            if byte.is_ascii_alphanumeric() {
                digits |= byte.is_ascii_digit();
                self.at += 1;
            } else if byte.is_ascii() {
                break;
            } else {
                match self.text[self.at..].chars().next() {
                    Some(c) if is_wordlike(c) => self.at += c.len_utf8(),
                    _ => break,
                }
            }
        }
        digits
    }

    /// The mark at the cursor, if it joins the words on its two sides.
    fn joint(&self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        let mark = *bytes.get(self.at)?;
        if !matches!(mark, b'.' | b'@' | b'-' | b'_' | b'+' | b'/' | b',') {
            return None;
        }
        let next = *bytes.get(self.at + 1)?;
        let joins = match mark {
            b'/' => next.is_ascii_digit(),
            b',' => next.is_ascii_digit() && bytes[self.at - 1].is_ascii_digit(),
            _ if next.is_ascii() => next.is_ascii_alphanumeric(),
            _ => self.text[self.at + 1..].chars().next().is_some_and(is_wordlike),
        };
        joins.then_some(mark)
    }

    /// Puts the whole chunk before its words if it is worth finding as typed.
    fn exact(&self, start: usize, first: usize, shape: Shape, queue: &mut Vec<Piece>) {
        let position = queue[first].position;
        let whole = |from: usize| Piece { from, to: self.at, kind: Kind::Exact, position };
        if self.at - start > super::MAX_EXACT_BYTES {
            return;
        }
        if let Some(at) = shape.at_sign {
            queue.insert(first, whole(start));
            if shape.dots > 0 {
                queue.insert(first + 1, whole(at + 1));
            }
        } else if shape.digits {
            queue.insert(first, whole(start));
        } else if shape.dots == shape.plain_joints() && self.ends_like_domain() {
            queue.insert(first, whole(start));
            let text = &self.text.as_bytes()[start..self.at];
            if text.len() > 4 && text[..4].eq_ignore_ascii_case(b"www.") {
                queue.insert(first + 1, whole(start + 4));
            }
        }
    }

    fn ends_like_domain(&self) -> bool {
        let label = self.text[..self.at].rsplit('.').next().unwrap_or("");
        (2..=24).contains(&label.len()) && label.bytes().all(|b| b.is_ascii_alphabetic())
    }

    fn phone(&mut self, end: usize, shorter: &[usize], queue: &mut Vec<Piece>) {
        for end in std::iter::once(&end).chain(shorter) {
            queue.push(self.piece(self.at, *end, Kind::Phone));
            let digits = phone::count(&self.text[self.at..*end]);
            for last in [8, 7] {
                if digits > usize::from(last) {
                    queue.push(self.piece(self.at, *end, Kind::Tail(last)));
                }
            }
        }
        let bytes = self.text.as_bytes();
        while self.at < end {
            if bytes[self.at].is_ascii_digit() {
                let from = self.at;
                self.word();
                queue.push(self.piece(from, self.at, Kind::Word));
                self.position += 1;
            } else {
                self.at += 1;
            }
        }
    }
}

/// What is known of a chunk while walking over it.
#[derive(Debug, Default, Clone, Copy)]
struct Shape {
    joints: usize,
    dots: usize,
    hyphens: usize,
    at_sign: Option<usize>,
    digits: bool,
}

impl Shape {
    fn note(&mut self, mark: u8, at: usize) {
        self.joints += 1;
        match mark {
            b'.' => self.dots += 1,
            b'-' => self.hyphens += 1,
            b'@' => self.at_sign = Some(at),
            _ => {}
        }
    }

    /// Joints other than hyphens, which domains may hold.
    fn plain_joints(self) -> usize {
        self.joints - self.hyphens
    }
}

fn is_wordlike(c: char) -> bool {
    (c.is_alphanumeric() || is_combining_mark(c)) && !is_unspaced(c)
}

/// Scripts whose words are not set apart by spaces, and Korean, whose particles cling to them.
fn is_unspaced(c: char) -> bool {
    matches!(c as u32,
        0x0E00..=0x0EFF          // Thai, Lao
        | 0x1000..=0x109F        // Burmese
        | 0x1100..=0x11FF        // Hangul letters
        | 0x1780..=0x17FF        // Khmer
        | 0x3005..=0x3007 | 0x3040..=0x30FF | 0x3130..=0x318F | 0x31F0..=0x31FF
        | 0x3400..=0x4DBF | 0x4E00..=0x9FFF | 0xAC00..=0xD7AF | 0xF900..=0xFAFF
        | 0xFF66..=0xFF9F | 0x20000..=0x3FFFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn cut(text: &str) -> Vec<(&str, Kind)> {
        pieces(text).iter().map(|p| (&text[p.from..p.to], p.kind)).collect()
    }

    fn pieces(text: &str) -> Vec<Piece> {
        let mut scanner = Scanner::new(text, 0);
        let mut out = Vec::new();
        while scanner.next_into(&mut out) {}
        out
    }

    #[test]
    fn exact_things_are_kept_whole_beside_their_parts() {
        use Kind::{Exact, Phone, Tail, Word};
        assert_eq!(
            cut("to nina.b@harbor-pet.example!"),
            [
                ("to", Word),
                ("nina.b@harbor-pet.example", Exact),
                ("harbor-pet.example", Exact),
                ("nina", Word),
                ("b", Word),
                ("harbor", Word),
                ("pet", Word),
                ("example", Word),
            ]
        );
        assert_eq!(cut("PO/2026/45"), [("PO/2026/45", Exact), ("PO", Word), ("2026", Word), ("45", Word)]);
        assert_eq!(cut("follow-up"), [("follow", Word), ("up", Word)]);
        assert_eq!(cut("Nina's e.g. C++"), [("Nina", Word), ("e", Word), ("g", Word), ("C", Word)]);
        assert_eq!(
            cut("(415) 555-0123."),
            [
                ("(415) 555-0123", Phone),
                ("(415) 555-0123", Tail(8)),
                ("(415) 555-0123", Tail(7)),
                ("415", Word),
                ("555", Word),
                ("0123", Word)
            ]
        );
        assert_eq!(cut("www.a.example/x")[..2], [("www.a.example", Exact), ("a.example", Exact)]);
    }

    #[test]
    fn amounts_and_dates_are_no_phone_numbers() {
        for text in ["2026-11-24", "1.000.000", "12.50", "in 2026", "1,250,000.00", "10:30"] {
            assert!(cut(text).iter().all(|(_, kind)| *kind != Kind::Phone), "{text}");
        }
    }

    #[test]
    fn scripts_without_spaces_give_characters_and_pairs() {
        use Kind::{Pair, Single, Word};
        assert_eq!(
            cut("A社の票"),
            [("A", Word), ("社", Single), ("社の", Pair), ("の", Single), ("の票", Pair), ("票", Single)]
        );
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn pieces_lie_in_the_text_in_order(text in "((\\PC|[ .@'+/,()0-9-]|[a-z一-十]){0,80}|[0-9 +(./-]{0,60})") {
            let mut position = 0;
            for piece in pieces(&text) {
                prop_assert!(piece.from < piece.to);
                prop_assert!(text.get(piece.from..piece.to).is_some());
                prop_assert!(piece.position >= position && piece.position <= position + 1);
                position = piece.position;
            }
        }
    }
}
