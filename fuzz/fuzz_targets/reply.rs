//! A mail with the mail before it: classes of its lines.
#![no_main]

use hublore::text::{Body, BodyKind, normalize};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &str, &str)| {
    let (mail, parent, sender) = input;
    let names = [sender];
    let mut body = Body::new(BodyKind::Email).with_plain(mail);
    body.parent = Some(parent);
    body.sender_names = &names;
    let got = normalize(&body);
    assert_eq!(got.text.trim().is_empty(), got.new_text().trim().is_empty(), "a mail keeps some text");
});
