//! The source text of an engagement: every word HubSpot has of it, quoted and hidden ones included.
//!
//! Styles are not applied and nothing is left out but scripts, styles and heads: what an operator excludes must not get
//! through because a mail client hides it. What is learned is cut by `text`, not here.

use html5gum::{Token, Tokenizer};

use crate::domain::engagement::{Kind, RawEngagement};

/// What rules look at.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Kind of the engagement.
    pub kind: Kind,
    /// Subject or title.
    pub title: Option<&'a str>,
    /// HTML body.
    pub html: Option<&'a str>,
    /// Plain body.
    pub plain: Option<&'a str>,
    /// What was said in a call.
    pub transcript: Option<&'a str>,
}

impl<'a> Source<'a> {
    /// The source of an engagement.
    #[must_use]
    pub fn of(raw: &'a RawEngagement) -> Self {
        Self {
            kind: raw.kind,
            title: raw.title.as_deref(),
            html: raw.body.html.as_deref(),
            plain: raw.body.plain.as_deref(),
            transcript: raw.transcript.as_deref(),
        }
    }

    /// All of its text but the title; parts are lines of their own.
    #[must_use]
    pub fn text(&self) -> String {
        let mut out = self.html.map(words).unwrap_or_default();
        // A plain body beside HTML says the same again, or more; neither may hide a word.
        for part in [self.plain, self.transcript].into_iter().flatten() {
            if !out.is_empty() {
                out.push('\n');
            }
            out.push_str(part);
        }
        out
    }
}

/// Tags whose content nobody wrote to anybody.
const SILENT: [&[u8]; 6] = [b"script", b"style", b"head", b"title", b"template", b"noscript"];

/// Tags that run on within a line; every other one parts words.
const INLINE: [&[u8]; 24] = [
    b"a", b"abbr", b"b", b"bdi", b"bdo", b"cite", b"code", b"del", b"em", b"font", b"i", b"ins", b"kbd",
    b"mark", b"q", b"s", b"small", b"span", b"strong", b"sub", b"sup", b"u", b"var", b"wbr",
];

/// The words of a markup, hidden ones too.
fn words(markup: &str) -> String {
    let mut out = String::with_capacity(markup.len() / 2);
    let mut silent: Option<Vec<u8>> = None;
    for token in Tokenizer::new(markup).flatten() {
        match token {
            Token::String(text) if silent.is_none() => out.push_str(&String::from_utf8_lossy(&text)),
            Token::StartTag(tag) if silent.is_none() => {
                if SILENT.contains(&tag.name.as_slice()) && !tag.self_closing {
                    silent = Some(tag.name.to_vec());
                } else if !INLINE.contains(&tag.name.as_slice()) {
                    out.push('\n');
                }
            }
            Token::EndTag(tag) => match &silent {
                Some(name) if *name == tag.name.to_vec() => silent = None,
                None if !INLINE.contains(&tag.name.as_slice()) => out.push('\n'),
                _ => {}
            },
            _ => {}
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(html: &str) -> String {
        let source =
            Source { kind: Kind::Email, title: None, html: Some(html), plain: None, transcript: None };
        source.text().split_whitespace().collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn hidden_and_quoted_words_are_there_and_scripts_are_not() {
        let html = "<head><title>no</title><style>p{no}</style></head><p>one <b>t</b>wo<br>three</p>\
                    <div style=\"display:none\">hidden</div><blockquote>quoted</blockquote><script>no()</script>\
                    <td>a</td><td>b</td> caf&eacute;";
        assert_eq!(text(html), "one two three hidden quoted a b café");
        assert_eq!(text("<style>never closed"), "");
        assert_eq!(text("plain &amp; simple"), "plain & simple");
    }

    #[test]
    fn every_part_counts() {
        let source = Source {
            kind: Kind::Call,
            title: Some("not here"),
            html: Some("<p>notes</p>"),
            plain: Some("plain"),
            transcript: Some("[00:01] Ann: said"),
        };
        let text = source.text();
        assert!(
            ["notes", "plain", "said"].iter().all(|word| text.contains(word)) && !text.contains("not here")
        );
    }
}
