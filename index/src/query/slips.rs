//! The words that a mistyped word may have been meant as: one letter left out, doubled, hit wrongly or swapped.
//!
//! Words, not terms: an ending that is mistyped makes another stem, often two letters and more away from the right one.

use std::collections::BTreeSet;

/// Words one slip away from a folded word. New letters are those of English, or of the word where it is written in other
/// ones.
pub(crate) fn slips(word: &str) -> BTreeSet<String> {
    let typed: Vec<char> = word.chars().collect();
    let letters: BTreeSet<char> =
        if word.is_ascii() { ('a'..='z').collect() } else { typed.iter().copied().collect() };
    let mut out = BTreeSet::new();
    for at in 0..=typed.len() {
        let (before, behind) = typed.split_at(at);
        let mut add = |middle: &[char], rest: &[char]| {
            out.insert(before.iter().chain(middle).chain(rest).collect::<String>());
        };
        for letter in &letters {
            add(&[*letter], behind);
            if let [_, rest @ ..] = behind {
                add(&[*letter], rest);
            }
        }
        if let [first, rest @ ..] = behind {
            add(&[], rest);
            if let [second, rest @ ..] = rest {
                add(&[*second, *first], rest);
            }
        }
    }
    out.remove(word);
    out
}

#[cfg(test)]
mod tests {
    use super::slips;

    #[test]
    fn every_slip_leads_back_to_the_word() {
        for typed in ["traning", "trainingg", "trainimg", "trianing", "raining", "trainin"] {
            assert!(slips(typed).contains("training"), "{typed}");
        }
        assert!(!slips("training").contains("training"));
        assert!(slips("договр").contains("договор"));
    }
}
