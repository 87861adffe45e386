//! Measures markup before a tree builder may see it, in one pass and without building anything.
//!
//! It only counts; [`super::is_tame`] holds the limits.

use super::tags::{self, Facts};
use super::tokens::{Token, Tokens};

/// How large a tree some markup would build.
#[derive(Debug, Default)]
pub(super) struct Measure {
    pub(super) tags: usize,
    pub(super) depth: usize,
    /// Formatting elements left open: a tree builder opens all of them again in every block.
    pub(super) formatting: usize,
    pub(super) cells: usize,
    open: usize,
    opened: usize,
}

impl Measure {
    fn start(&mut self, element: Facts) {
        self.tags += 1;
        self.cells += usize::from(element.is_cell());
        if element.is_formatting {
            self.opened += 1;
            self.formatting = self.formatting.max(self.opened);
        }
        if !element.is_void {
            self.open += 1;
            self.depth = self.depth.max(self.open);
        }
    }

    fn end(&mut self, element: Facts) {
        self.open = self.open.saturating_sub(1);
        if element.is_formatting {
            self.opened = self.opened.saturating_sub(1);
        }
    }
}

/// Measure markup without building anything; `None` where it holds what no tree builder should see.
pub(super) fn measure(markup: &str) -> Option<Measure> {
    let mut measure = Measure::default();
    let mut tokens = Tokens::new(markup);
    while let Some(token) = tokens.next() {
        match token {
            Token::Text(_) | Token::Raw(_) => {}
            Token::End(name) => measure.end(tags::facts(&name)),
            Token::Start(name) => {
                let (attributes, excess) = tokens.attributes();
                // Spans over rows and columns are what the renderer miscounts.
                if excess || attributes.iter().any(|one| one.name.eq_ignore_ascii_case("rowspan")) {
                    return None;
                }
                measure.start(tags::facts(&name));
            }
        }
    }
    Some(measure)
}
