//! The part of some markup that a reader sees, as bare tags and text: what a layout engine may be given.
//!
//! Attributes, comments, scripts and hidden elements are gone, so nothing is left that tells a reader less than it
//! does a program. It lays nothing out.

use super::Visibility;
use super::tags;
use super::tokens::{Token, Tokens};
use super::walk::Walk;

/// The visible elements of `markup`.
pub(super) fn shown(markup: &str) -> String {
    let mut walk = Walk::informed(markup, Visibility::Reader);
    let mut tokens = Tokens::new(markup);
    let mut out = String::with_capacity(markup.len() / 2);
    while let Some(token) = tokens.next() {
        let before = walk.is_hidden();
        match token {
            // A bare bracket may come to stand before the letters of what followed a hidden element.
            Token::Text(text) if !before => out.push_str(&text.replace('<', "&lt;")),
            Token::Raw(text) if !before => out.push_str(&text.replace('&', "&amp;").replace('<', "&lt;")),
            Token::Raw(text) => walk.raw(text),
            Token::Text(_) => {}
            Token::End(name) => {
                if !before {
                    write(&mut out, "</", tags::name(&name));
                }
                walk.close(&name);
            }
            Token::Start(name) => {
                walk.start(name, tokens.attributes());
                if !before && !walk.is_hidden() {
                    write(&mut out, "<", tags::name(&name));
                }
            }
        }
    }
    out
}

/// Elements whose content is never markup: their text is escaped here, so they become the element that keeps lines.
fn laid_out_as(name: &[u8]) -> &[u8] {
    if matches!(name, b"xmp" | b"plaintext" | b"listing") { b"pre" } else { name }
}

/// A bare tag; names that are not plain letters and digits belong to no element that is laid out.
fn write(out: &mut String, open: &str, name: &[u8]) {
    if let Ok(name) = std::str::from_utf8(laid_out_as(name))
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric())
    {
        out.push_str(open);
        out.push_str(name);
        out.push('>');
    }
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn only_what_is_seen_is_left() {
        let markup = "<p class=x>a &amp; <b onclick=y>b</b><span style='display:none'>c<i>d</i></span></p><!-- e -->\
                      <script>f</script><xmp>1 < 2</xmp>";
        assert_eq!(shown(markup), "<p>a &amp; <b>b</b></p><pre>1 &lt; 2</pre>");
    }
}
