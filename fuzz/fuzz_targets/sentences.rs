//! Sentences and clauses: in order, and no word lost.
#![no_main]

use hublore::text::{clauses, sentences};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    for ranges in [sentences(text), clauses(text)] {
        assert!(ranges.iter().all(|range| text.get(range.clone()).is_some()));
        assert!(ranges.windows(2).all(|two| two[0].end <= two[1].start));
    }
    let dense = |part: &str| part.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let joined: String = sentences(text).into_iter().map(|range| dense(&text[range])).collect();
    assert_eq!(joined, dense(text));
});
