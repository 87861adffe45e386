//! A query and a text: parsed, marked and cut to a window.
#![no_main]

use hublore_index::{Highlighter, Language, Query};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, u8, u16)| {
    let (query, text, language, bytes) = input;
    let language = Language::ALL[usize::from(language) % Language::ALL.len()];
    let parsed = Query::parse(query);
    assert_eq!(Query::parse(query), parsed);
    let highlighter = Highlighter::of(&parsed);
    let mut end = 0;
    for (from, to) in highlighter.ranges(text, language) {
        assert!(from >= end && from < to && text.get(from..to).is_some(), "marks lie in the text in order");
        end = to;
    }
    let window = highlighter.window(text, language, usize::from(bytes).max(1));
    assert!(text.get(window).is_some(), "a window is a part of the text");
});
