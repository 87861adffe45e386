//! The parent mail of a thread as a set of lines and word sequences, to tell quotes with certainty.
//!
//! It compares words only: folds, quote marks and punctuation differ between clients.

use std::collections::HashSet;

/// Words that are compared as one sequence.
const GRAM: usize = 4;

/// What a parent mail holds.
#[derive(Debug)]
pub(super) struct Parent {
    lines: HashSet<u64>,
    grams: HashSet<u64>,
}

impl Parent {
    /// Read the visible text of a parent mail.
    pub(super) fn read(text: &str) -> Self {
        let lines = text.lines().map(words).filter(|w| !w.is_empty()).map(|w| fold(&w)).collect();
        // Sequences run over line ends: clients fold quoted lines anew.
        let all: Vec<u64> = text.lines().flat_map(words).collect();
        Self { lines, grams: all.windows(GRAM).map(fold).collect() }
    }

    /// Whether the parent holds a line; `beside` says that the line stands right below a quoted one.
    pub(super) fn holds(&self, line: &str, beside: bool) -> bool {
        let words = words(line);
        if words.len() >= GRAM {
            let known = words.windows(GRAM).filter(|g| self.grams.contains(&fold(g))).count();
            return known * 5 >= (words.len() + 1 - GRAM) * 4;
        }
        // A short line such as "Yes" may be said twice; only beside a quote it is the parent's.
        let long = words.len() == GRAM - 1 || line.trim().chars().count() >= 12;
        !words.is_empty() && (long || beside) && self.lines.contains(&fold(&words))
    }
}

/// Hashes of a line's words, without marks, lower case; each character of a script without spaces is a word.
fn words(line: &str) -> Vec<u64> {
    let mut out = Vec::new();
    let mut word = 0;
    for c in line.chars() {
        let wide = matches!(c as u32, 0x0e00..=0x0e7f | 0x3040..=0x9fff);
        if c.is_alphanumeric() && !wide {
            for lower in c.to_lowercase() {
                word = mix(word, u64::from(lower));
            }
            continue;
        }
        if word != 0 {
            out.push(word);
            word = 0;
        }
        if wide && c.is_alphanumeric() {
            out.push(mix(1, u64::from(c)));
        }
    }
    if word != 0 {
        out.push(word);
    }
    out
}

fn fold(words: &[u64]) -> u64 {
    words.iter().fold(words.len() as u64, |h, w| mix(h, *w))
}

fn mix(h: u64, value: u64) -> u64 {
    (h.rotate_left(5) ^ value).wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

#[cfg(test)]
mod tests {
    use super::Parent;

    #[test]
    fn folded_lines_are_known_and_answers_are_not() {
        let parent = Parent::read("Could you send the signed contract\nback by Friday, please?\nYes\nAnn");
        assert!(parent.holds("> contract back by Friday, please?", false));
        assert!(!parent.holds("I send the contract on Monday", true));
        assert!(!parent.holds("Yes", false) && parent.holds("Yes", true));
    }
}
