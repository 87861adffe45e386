//! Decodes character references such as `&amp;` and `&#8217;` as section 13.2.5.72 of the HTML standard says.
//!
//! The names are `web_atoms`' list, which is the standard's; nothing is encoded here.

use std::borrow::Cow;

use memchr::memchr;

/// The characters of a reference; most are one.
pub(super) type Decoded = (char, Option<char>);

/// Letters the longest name has, its semicolon aside.
const LONGEST: usize = 31;
/// Letters the longest name that needs no semicolon has.
const LONGEST_BARE: usize = 6;

/// The reference a text begins with and its length in bytes; `None` where the ampersand is only itself.
pub(super) fn read(text: &str, attribute: bool) -> Option<(Decoded, usize)> {
    let bytes = text.as_bytes();
    if bytes.get(1) == Some(&b'#') {
        return number(bytes);
    }
    for (name, c) in [("&nbsp;", '\u{a0}'), ("&amp;", '&'), ("&lt;", '<'), ("&gt;", '>'), ("&quot;", '"')] {
        if text.starts_with(name) {
            return Some(((c, None), name.len()));
        }
    }
    let run = bytes[1..].iter().take(LONGEST + 1).take_while(|b| b.is_ascii_alphanumeric()).count();
    if bytes.get(1 + run) == Some(&b';')
        && let Some(found) = named(&text[1..run + 2])
    {
        return Some((found, run + 2));
    }
    let (len, found) =
        (2..=run.min(LONGEST_BARE)).rev().find_map(|len| named(&text[1..=len]).map(|found| (len, found)))?;
    // In an address `&copy=1` is a parameter.
    let goes_on = bytes.get(1 + len).is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'=');
    (!(attribute && goes_on)).then_some((found, 1 + len))
}

fn named(name: &str) -> Option<Decoded> {
    let (first, second) = *web_atoms::NAMED_ENTITIES.get(name)?;
    // The list also holds the beginnings of names, with nothing behind them.
    let first = char::from_u32(first).filter(|c| *c != '\0')?;
    Some((first, char::from_u32(second).filter(|c| *c != '\0')))
}

fn number(bytes: &[u8]) -> Option<(Decoded, usize)> {
    let hex = matches!(bytes.get(2), Some(b'x' | b'X'));
    let (from, radix) = if hex { (3, 16) } else { (2, 10) };
    let digits = bytes.get(from..)?.iter().map_while(|b| char::from(*b).to_digit(radix));
    let (len, value) = digits
        .fold((0, 0_u32), |(len, value), digit| (len + 1, value.saturating_mul(radix).saturating_add(digit)));
    if len == 0 {
        return None;
    }
    let c = match value {
        0 => char::REPLACEMENT_CHARACTER,
        0x80..=0x9f => web_atoms::C1_REPLACEMENTS[value as usize - 0x80]
            .or(char::from_u32(value))
            .unwrap_or(char::REPLACEMENT_CHARACTER),
        _ => char::from_u32(value).unwrap_or(char::REPLACEMENT_CHARACTER),
    };
    let end = from + len;
    Some(((c, None), end + usize::from(bytes.get(end) == Some(&b';'))))
}

/// A text with its references decoded.
pub(super) fn decode(text: &str, attribute: bool) -> Cow<'_, str> {
    let mut rest = text;
    let mut out = String::new();
    while let Some(at) = memchr(b'&', rest.as_bytes()) {
        out.push_str(&rest[..at]);
        rest = &rest[at..];
        match read(rest, attribute) {
            Some(((first, second), len)) => {
                out.push(first);
                out.extend(second);
                rest = &rest[len..];
            }
            None => {
                out.push('&');
                rest = &rest[1..];
            }
        }
    }
    if rest.len() == text.len() {
        return Cow::Borrowed(text);
    }
    out.push_str(rest);
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::decode;

    #[test]
    fn names_numbers_and_what_is_none() {
        assert_eq!(
            decode("a &amp; b &lt;c&gt; &eacute;&#8217;&#x1F389; &notit;", false),
            "a & b <c> é’🎉 ¬it;"
        );
        assert_eq!(decode("&bogus; & &# &#x;", false), "&bogus; & &# &#x;");
        assert_eq!(decode("?a=1&copy=2&lt;", true), "?a=1&copy=2<");
        assert_eq!(decode("&#150;&#0;&#xd800;", false), "–\u{fffd}\u{fffd}");
    }
}
