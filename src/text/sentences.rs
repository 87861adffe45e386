//! Sentence and clause bounds as byte ranges.
//!
//! UAX 29 gives candidates; abbreviations, ordinals, initials and line ends correct them. It does not parse grammar.

use std::ops::Range;

use unicode_segmentation::UnicodeSegmentation as _;

/// The sentences of a text as byte ranges without surrounding white space.
#[must_use]
pub fn sentences(text: &str) -> Vec<Range<usize>> {
    let mut out: Vec<Range<usize>> = Vec::new();
    for (start, part) in text.split_sentence_bound_indices() {
        let end = start + part.len();
        let trimmed = part.trim();
        if trimmed.is_empty() {
            continue;
        }
        let begin = start + (part.len() - part.trim_start().len());
        let finish = end - (part.len() - part.trim_end().len());
        match out.last_mut() {
            Some(last) if joins(&text[last.clone()], &text[last.end..begin]) => last.end = finish,
            _ => out.push(begin..finish),
        }
    }
    out
}

const ABBREVIATIONS: &[&str] = &[
    "mr", "mrs", "ms", "dr", "prof", "st", "vs", "z.b", "e.g", "i.e", "no", "nr", "inc",
];

/// Whether the break after `before` is false: an abbreviation or an initial ends there.
fn joins(before: &str, gap: &str) -> bool {
    if gap.contains('\n') {
        return false;
    }
    let Some(stem) = before.strip_suffix('.') else {
        return false;
    };
    let word = stem
        .rsplit(|c: char| c.is_whitespace() || c == '(')
        .next()
        .unwrap_or_default()
        .to_lowercase();
    ABBREVIATIONS.contains(&word.as_str())
        || word.chars().count() == 1 && word.chars().all(char::is_alphabetic)
}

/// The clauses of a sentence: cut at semicolons, dashes and commas that leave enough words on both sides.
#[must_use]
pub fn clauses(text: &str) -> Vec<Range<usize>> {
    let mut out = Vec::new();
    for sentence in sentences(text) {
        let mut start = sentence.start;
        for (at, c) in text[sentence.clone()].char_indices() {
            let at = sentence.start + at;
            let strong = matches!(c, ';' | '；' | '–' | '—');
            let weak = matches!(c, ',' | '，' | '、' | ':' | '：');
            let next = at + c.len_utf8();
            if !(strong || weak) || c.is_ascii() && !text[next..].starts_with(char::is_whitespace) {
                continue;
            }
            let need = if strong { 2 } else { 3 };
            let ahead = words(&text[next..sentence.end], need);
            if words(&text[start..at], need) >= need && ahead >= need {
                out.push(start..at);
                start = next + (text[next..].len() - text[next..].trim_start().len());
            }
        }
        if start < sentence.end {
            out.push(start..sentence.end);
        }
    }
    out
}

/// Words of a text, counted up to `most` so that long tails cost nothing.
fn words(text: &str, most: usize) -> usize {
    text.split_whitespace().take(most).count()
}

#[cfg(test)]
mod tests {
    use super::{clauses, sentences};

    #[test]
    fn titles_do_not_end_sentences() {
        let text = "Dr. Smith called. He waits.";
        let got: Vec<&str> = sentences(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(got, ["Dr. Smith called.", "He waits."]);
    }

    #[test]
    fn clauses_need_words_on_both_sides() {
        let text = "We like the price, but the term is too long. Yes, fine.";
        let got: Vec<&str> = clauses(text).into_iter().map(|r| &text[r]).collect();
        assert_eq!(
            got,
            [
                "We like the price",
                "but the term is too long.",
                "Yes, fine."
            ]
        );
    }
}
