//! The source text of an engagement: every word HubSpot has of it, quoted and hidden ones included.
//!
//! Styles are not applied and nothing is left out but scripts, styles and heads: what an operator excludes must not get
//! through because a mail client hides it. What is learned is cut by `text`, not here.

use crate::domain::engagement::{Kind, RawEngagement};
use crate::text::html;

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
        let mut out = self.html.map(html::words).unwrap_or_default();
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
        assert_eq!(text("<head><style>x</style><body>secret"), "secret", "a head that is never closed");
        assert_eq!(text("<noscript>secret</noscript>"), "secret", "mail clients show it");
    }

    #[test]
    fn no_markup_is_too_much() {
        let again = format!("<a {}>words</a>", "x=\"y\" ".repeat(50_000));
        assert_eq!(text(&again), "words", "an attribute that is written again and again");
        assert_eq!(text(&format!("{}words", "<div>".repeat(100_000))), "words");
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
