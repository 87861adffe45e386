//! How much looking at lines one body is worth: counted, not timed, so that a body is always classed alike.
//!
//! Every stage looks at each line a few times, whatever is in it; that is not counted. What is counted are the looks at
//! many lines for the sake of one, which a body can be made to ask for over and over.

/// Looks at lines that one body may cost beyond the usual.
const MOST_LOOKS: usize = 1_000_000;

/// What is left to spend on one body.
#[derive(Debug)]
pub(super) struct Effort {
    left: usize,
    exceeded: bool,
}

impl Effort {
    pub(super) fn new() -> Self {
        Self { left: MOST_LOOKS, exceeded: false }
    }

    /// Takes so many looks; `false` where that is more than is left.
    pub(super) fn spend(&mut self, looks: usize) -> bool {
        self.exceeded |= looks > self.left;
        self.left = self.left.saturating_sub(looks);
        !self.exceeded
    }

    /// Whether more was asked for than there was.
    pub(super) fn is_exceeded(&self) -> bool {
        self.exceeded
    }
}

#[cfg(test)]
mod tests {
    use super::{Effort, MOST_LOOKS};

    #[test]
    fn what_is_exceeded_stays_so() {
        let mut effort = Effort::new();
        assert!(effort.spend(MOST_LOOKS) && !effort.is_exceeded());
        assert!(!effort.spend(1) && !effort.spend(0) && effort.is_exceeded());
    }
}
