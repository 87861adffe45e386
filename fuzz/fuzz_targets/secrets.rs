//! Secrets: places lie in the text, in order, and no mask is masked again.
#![no_main]

use hublore::text::secrets::{find, mask};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let found = find(text);
    assert!(found.iter().all(|secret| text.get(secret.range.clone()).is_some()));
    assert!(found.windows(2).all(|two| two[0].range.end <= two[1].range.start));
    // Beside a mask a glued token may come to light, but no mask is taken for a secret.
    let once = mask(text);
    assert!(find(&once).iter().all(|secret| !once[secret.range.clone()].starts_with('[')));
});
