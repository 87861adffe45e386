//! Two tables in the same key order, walked in step: which row of the one a row of the other belongs to.
//!
//! A page and what hangs on it are read by two statements instead of one and one more for each row of the page.

/// Where the walk stands in the page.
#[derive(Debug, Default)]
pub(super) struct InStep {
    at: usize,
}

impl InStep {
    /// The row of `page` that `is` true of, looked for from where the last one was found; none where the page has none.
    pub(super) fn find<T>(&mut self, page: &[T], is: impl Fn(&T) -> bool) -> Option<usize> {
        let ahead = page.get(self.at..)?.iter().position(is)?;
        self.at += ahead;
        Some(self.at)
    }
}
