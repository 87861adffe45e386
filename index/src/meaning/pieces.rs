//! Cuts words into the pieces a table has vectors for.
//!
//! Read from the vocabulary of a `tokenizer.json`. A word is cut from its
//! beginning, the longest known piece first, which is how WordPiece does it; for
//! vocabularies made by merging pairs (BPE) or by likelihood (Unigram) it is
//! close, and the mean over a text hides the difference. The original
//! algorithms would be a large dependency for a part of a hundredth in quality.

use serde_json::Value;
use std::collections::HashMap;

/// Longest word that is cut, in bytes, and longest piece, in characters.
const MAX_WORD: usize = 200;
const MAX_PIECE: usize = 32;

/// Most pieces of a vocabulary.
const MAX_VOCABULARY: usize = 2_000_000;

/// How a vocabulary marks where in a word a piece stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marks {
    /// `##` before pieces that go on a word.
    Inner,
    /// This character before pieces that begin one.
    First(char),
}

/// A vocabulary.
pub(super) struct Pieces {
    numbers: HashMap<String, usize>,
    marks: Marks,
    /// Words are looked up in lower case.
    lower: bool,
    highest: usize,
}

impl Pieces {
    pub(super) fn read(bytes: &[u8]) -> Result<Pieces, String> {
        let all: Value = serde_json::from_slice(bytes).map_err(|error| format!("it is damaged ({error})"))?;
        let numbers = vocabulary(&all["model"]["vocab"])?;
        let highest = numbers.values().copied().max().ok_or("its vocabulary is empty")?;
        let marks = marks(&all, &numbers);
        // A vocabulary without capitals is asked in lower case, whatever it says about itself.
        let lower = !numbers.keys().any(|piece| {
            let mut letters = piece.chars().filter(|c| c.is_alphabetic());
            letters.next().is_some_and(char::is_uppercase) && letters.next().is_some_and(char::is_lowercase)
        });
        Ok(Pieces { numbers, marks, lower, highest })
    }

    /// The highest number given out.
    pub(super) fn highest(&self) -> usize {
        self.highest
    }

    /// Calls `tell` with the number of every known piece, while there are any `left`.
    pub(super) fn of(&self, text: &str, left: &mut usize, tell: &mut dyn FnMut(usize)) {
        for word in words(text) {
            if *left == 0 {
                return;
            }
            if word.len() <= MAX_WORD {
                self.word(word, left, tell);
            }
        }
    }

    fn word(&self, word: &str, left: &mut usize, tell: &mut dyn FnMut(usize)) {
        let lower;
        let word = if self.lower {
            lower = word.to_lowercase();
            &lower
        } else {
            word
        };
        let mut at = 0;
        let mut key = String::with_capacity(word.len() + 4);
        while at < word.len() && *left > 0 {
            match self.longest(word, at, &mut key) {
                Some((number, end)) => {
                    tell(number);
                    *left -= 1;
                    at = end;
                }
                // A character without a piece is left out.
                None => at += word[at..].chars().next().map_or(1, char::len_utf8),
            }
        }
    }

    /// The longest piece of a word from a place on, with its end.
    fn longest(&self, word: &str, at: usize, key: &mut String) -> Option<(usize, usize)> {
        let ends = word[at..].char_indices().map(|(offset, c)| at + offset + c.len_utf8());
        let ends: Vec<usize> = ends.take(MAX_PIECE).collect();
        let mut known = |before: &str| {
            ends.iter().rev().find_map(|end| {
                key.clear();
                key.push_str(before);
                key.push_str(&word[at..*end]);
                self.numbers.get(key.as_str()).map(|number| (*number, *end))
            })
        };
        match (self.marks, at) {
            (Marks::Inner, 0) => known(""),
            (Marks::Inner, _) => known("##"),
            // Scripts without spaces have pieces that begin no word.
            (Marks::First(mark), 0) => known(mark.encode_utf8(&mut [0; 4])).or_else(|| known("")),
            (Marks::First(_), _) => known(""),
        }
    }
}

/// Runs of letters and digits; every other visible character is a word by itself.
fn words(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = text;
    std::iter::from_fn(move || {
        rest = rest.trim_start();
        let first = rest.chars().next()?;
        let end = match first.is_alphanumeric() {
            true => rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len()),
            false => first.len_utf8(),
        };
        let (word, after) = rest.split_at(end);
        rest = after;
        Some(word)
    })
}

fn vocabulary(of: &Value) -> Result<HashMap<String, usize>, String> {
    let numbers: Option<HashMap<String, usize>> = match of {
        Value::Object(pieces) => pieces
            .iter()
            .map(|(piece, number)| Some((piece.clone(), usize::try_from(number.as_u64()?).ok()?)))
            .collect(),
        // Unigram: pieces with their likelihood, numbered in order.
        Value::Array(pieces) => {
            let pieces = pieces.iter().enumerate();
            pieces.map(|(number, piece)| Some((piece[0].as_str()?.to_owned(), number))).collect()
        }
        _ => return Err("it has no model.vocab".to_owned()),
    };
    let numbers = numbers.ok_or("its vocabulary is not pieces with numbers")?;
    if numbers.len() > MAX_VOCABULARY {
        return Err(format!("{} pieces are more than {MAX_VOCABULARY}", numbers.len()));
    }
    Ok(numbers)
}

fn marks(all: &Value, numbers: &HashMap<String, usize>) -> Marks {
    let with = |mark: char| numbers.keys().filter(|piece| piece.starts_with(mark)).count();
    let (metaspace, byte_level) = (with('\u{2581}'), with('\u{0120}'));
    if all["model"]["type"] == "WordPiece" || metaspace + byte_level == 0 {
        Marks::Inner
    } else if metaspace >= byte_level {
        Marks::First('\u{2581}')
    } else {
        Marks::First('\u{0120}')
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cut(tokenizer: &Value, text: &str) -> Vec<usize> {
        let pieces = Pieces::read(tokenizer.to_string().as_bytes()).unwrap();
        let mut out = Vec::new();
        pieces.of(text, &mut 100, &mut |piece| out.push(piece));
        out
    }

    #[test]
    fn words_are_cut_as_their_vocabulary_marks_them() {
        let wordpiece = serde_json::json!({"model": {"type": "WordPiece", "vocab": {"re": 0, "##new": 1, "##al": 2, "renew": 3, "!": 4}}});
        assert_eq!(cut(&wordpiece, "Renewal ren! xx"), [3, 2, 0, 4]);
        let bpe = serde_json::json!({"model": {"type": "BPE", "vocab": {"▁re": 0, "new": 1, "al": 2, "▁Re": 3, "▁": 4}}});
        assert_eq!(cut(&bpe, "renewal Renew"), [0, 1, 2, 3, 1]);
        let unigram = serde_json::json!({"model": {"type": "Unigram", "vocab": [["<unk>", 0.0], ["▁re", -1.0], ["new", -2.0]]}});
        assert_eq!(cut(&unigram, "renew"), [1, 2]);
    }

    #[test]
    fn what_is_no_vocabulary_is_refused() {
        for text in [
            "",
            "{",
            "{}",
            r#"{"model":{"vocab":{}}}"#,
            r#"{"model":{"vocab":{"a":-1}}}"#,
            r#"{"model":{"vocab":[1]}}"#,
        ] {
            assert!(Pieces::read(text.as_bytes()).is_err(), "{text}");
        }
    }
}
