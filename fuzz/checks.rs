//! What the parsers promise of any input: the bodies of the fuzz targets.
//!
//! They depend on no fuzzer: `cargo fuzz` calls them with what it breeds, `tests/it/text_fuzz.rs` with spoiled mails.

use std::ops::Range;

use hublore::text::html::{Visibility, extract, is_tame, shown};
use hublore::text::secrets::{find, mask};
use hublore::text::{Body, BodyKind, Status, clauses, normalize, sentences};
use hublore_index::{Highlighter, Language, Query};

/// Any body of any kind: what `normalize` promises of every one of them.
pub(crate) fn body(kind: u8, html: bool, text: &str, parent: &str) {
    let mut body = Body::new(BodyKind::ALL[usize::from(kind) % BodyKind::ALL.len()]);
    if html {
        body.html = Some(text);
    } else {
        body.plain = Some(text);
    }
    body.parent = (!parent.is_empty()).then_some(parent);
    let got = normalize(&body);
    let mut end = 0;
    for span in &got.spans {
        assert!(span.range.start == end && span.range.end > end, "spans cover the text");
        end = span.range.end;
    }
    assert_eq!(end, got.text.len());
    let inside = |range: &Range<usize>| got.text.get(range.clone()).is_some();
    assert!(got.passages.iter().flat_map(|passage| &passage.ranges).all(inside));
    assert!(got.secrets.iter().all(|secret| inside(&secret.range)));
    assert_eq!(got.text.trim().is_empty(), got.passages.is_empty());
    assert_eq!(got.text.trim().is_empty(), got.status == Status::Empty);
}

/// Markup: tokens, the walk over them, and the bare markup a layout engine is given.
pub(crate) fn html(markup: &str) {
    for visibility in [Visibility::Browser, Visibility::Reader] {
        let got = extract(markup, visibility);
        let inside = |range: &Range<usize>| got.text.get(range.clone()).is_some();
        assert!(got.marks.iter().all(|mark| inside(&mark.range)));
        assert!(got.links.iter().all(|link| inside(&link.range)));
    }
    let bare = shown(markup);
    let _ = is_tame(&bare);
    assert_eq!(shown(&bare), bare, "what is shown is shown whole");
}

/// A mail with the mail before it and what is known of its sender: classes of its lines.
pub(crate) fn reply(mail: &str, parent: &str, sender: &str) {
    let known = [sender];
    let mut body = Body::new(BodyKind::Email).with_plain(mail);
    body.parent = Some(parent);
    body.sender_names = &known;
    body.sender_facts = &known;
    let got = normalize(&body);
    assert_eq!(got.text.trim().is_empty(), got.new_text().trim().is_empty(), "a mail keeps some text");
}

/// Sentences and clauses: in order, and no word lost.
pub(crate) fn sentence(text: &str) {
    for ranges in [sentences(text), clauses(text)] {
        assert!(ranges.iter().all(|range| text.get(range.clone()).is_some()));
        assert!(ranges.windows(2).all(|two| two[0].end <= two[1].start));
    }
    let dense = |part: &str| part.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    let joined: String = sentences(text).into_iter().map(|range| dense(&text[range])).collect();
    assert_eq!(joined, dense(text));
}

/// Secrets: places lie in the text, in order, and no mask is masked again.
pub(crate) fn secret(text: &str) {
    let found = find(text);
    assert!(found.iter().all(|secret| text.get(secret.range.clone()).is_some()));
    assert!(found.windows(2).all(|two| two[0].range.end <= two[1].range.start));
    // Beside a mask a glued token may come to light, but no mask is taken for a secret.
    let once = mask(text);
    assert!(find(&once).iter().all(|secret| !once[secret.range.clone()].starts_with('[')));
}

/// A query and a text: parsed, marked and cut to a window.
pub(crate) fn query(query: &str, text: &str, language: u8, bytes: u16) {
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
}
