//! Any body of any kind: what `normalize` promises of every one of them.
#![no_main]

use hublore::text::{Body, BodyKind, Status, normalize};
use libfuzzer_sys::fuzz_target;

const KINDS: [BodyKind; 6] = [
    BodyKind::Email,
    BodyKind::Note,
    BodyKind::Call,
    BodyKind::Meeting,
    BodyKind::FormSubmission,
    BodyKind::Transcript,
];

fuzz_target!(|input: (u8, bool, &str, &str)| {
    let (kind, html, text, parent) = input;
    let mut body = Body::new(KINDS[usize::from(kind) % KINDS.len()]);
    if html {
        body.html = Some(text)
    } else {
        body.plain = Some(text)
    }
    body.parent = (!parent.is_empty()).then_some(parent);
    let got = normalize(&body);
    let mut end = 0;
    for span in &got.spans {
        assert!(span.range.start == end && span.range.end > end, "spans cover the text");
        end = span.range.end;
    }
    assert_eq!(end, got.text.len());
    for range in got.passages.iter().flat_map(|passage| &passage.ranges) {
        assert!(got.text.get(range.clone()).is_some());
    }
    for secret in &got.secrets {
        assert!(got.text.get(secret.range.clone()).is_some());
    }
    assert_eq!(got.text.trim().is_empty(), got.passages.is_empty());
    assert_eq!(got.text.trim().is_empty(), got.status == Status::Empty);
});
