//! Every word of some markup, hidden ones too: what rules look for words in.
//!
//! Styles are not applied; scripts, styles and heads are left out. It marks and classes nothing ([`super::walk`] does).

use super::references;
use super::tags;
use super::tokens::{Token, Tokens};

/// Elements whose content nobody wrote to anybody. What stands in `noscript` is shown by mail clients.
const SILENT: [&[u8]; 5] = [b"script", b"style", b"head", b"title", b"template"];

/// Elements that run on within a line; every other one parts words.
const INLINE: [&[u8]; 24] = [
    b"a", b"abbr", b"b", b"bdi", b"bdo", b"cite", b"code", b"del", b"em", b"font", b"i", b"ins", b"kbd",
    b"mark", b"q", b"s", b"small", b"span", b"strong", b"sub", b"sup", b"u", b"var", b"wbr",
];

/// The words of `markup`.
pub(super) fn words(markup: &str) -> String {
    let mut tokens = Tokens::new(markup);
    let mut out = String::with_capacity(markup.len() / 2);
    let mut silent = None;
    while let Some(token) = tokens.next() {
        match (token, silent) {
            (Token::Text(text), None) => out.push_str(&references::decode(text, false)),
            (Token::Raw(text), None) => out.push_str(text),
            (Token::Start(tag), None) if SILENT.contains(&tags::name(&tag)) => silent = Some(tag),
            (Token::End(tag), Some(open)) if tag == open => silent = None,
            // A head that is never closed ends where the body begins.
            (Token::Start(tag), Some(_)) if tags::name(&tag) == b"body" => silent = None,
            (Token::Start(tag) | Token::End(tag), None) if !INLINE.contains(&tags::name(&tag)) => {
                out.push('\n')
            }
            _ => {}
        }
    }
    out
}
