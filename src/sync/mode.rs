//! The modes of a sync run.

use std::fmt;

/// What a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything; also the first run after connecting.
    FullResync,
}

impl Mode {
    /// Every mode, in the order they are offered.
    pub const ALL: [Self; 1] = [Self::FullResync];

    /// The name used everywhere outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FullResync => "full_resync",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
