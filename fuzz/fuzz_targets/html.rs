//! Markup: tokens, the walk over them, and the bare markup a layout engine is given.
#![no_main]

use hublore::text::html::{Visibility, extract, is_tame, shown};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|markup: &str| {
    for visibility in [Visibility::Browser, Visibility::Reader] {
        let got = extract(markup, visibility);
        let inside = |range: &std::ops::Range<usize>| got.text.get(range.clone()).is_some();
        assert!(got.marks.iter().all(|mark| inside(&mark.range)));
        assert!(got.links.iter().all(|link| inside(&link.range)));
    }
    let bare = shown(markup);
    let _ = is_tame(&bare);
    assert_eq!(shown(&bare), bare, "what is shown is shown whole");
});
