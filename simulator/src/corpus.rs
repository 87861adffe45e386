//! Message bodies from a file instead of the portal's own: e-mail *i* takes line *i* mod *n*.
//! The whole file is held in memory; corpora for tests are small. Nothing is checked about the
//! texts, their unique word is whatever they contain.

use std::path::Path;

use serde::Deserialize;

use crate::options::Error;

/// The fields of a corpus line this crate uses; others are ignored.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Body {
    #[serde(default)]
    pub(crate) html: Option<String>,
    #[serde(default)]
    pub(crate) subject: Option<String>,
    #[serde(default)]
    text: Option<String>,
    #[serde(default)]
    vendor_text: Option<String>,
    #[serde(default)]
    input: Option<String>,
    #[serde(default)]
    body: Option<String>,
}

impl Body {
    /// The plain text, under whichever name the corpus keeps it.
    pub(crate) fn text(&self) -> Option<&str> {
        let names = [&self.text, &self.vendor_text, &self.input, &self.body];
        names.into_iter().find_map(Option::as_deref)
    }
}

/// All bodies of a corpus file, or none.
#[derive(Debug, Default)]
pub(crate) struct Corpus(Vec<Body>);

impl Corpus {
    pub(crate) fn read(path: &Path) -> Result<Self, Error> {
        let fail = |reason: String| Error::File { path: path.to_owned(), reason };
        let text = std::fs::read_to_string(path).map_err(|e| fail(e.to_string()))?;
        let mut bodies = Vec::new();
        for (at, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
            let body: Body = serde_json::from_str(line).map_err(|e| fail(format!("line {}: {e}", at + 1)))?;
            bodies.push(body);
        }
        if bodies.is_empty() {
            return Err(fail("no lines".to_owned()));
        }
        Ok(Self(bodies))
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn len(&self) -> u64 {
        self.0.len() as u64
    }

    pub(crate) fn body(&self, index: u64) -> Option<&Body> {
        let at = index.checked_rem(self.len())?;
        self.0.get(at as usize)
    }
}
