//! The modes of a sync run: which types it reads, and whether all of them or only what changed.

use std::fmt;

use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;

/// What a run reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Everything again, removing what HubSpot no longer has; also the first run after connecting.
    FullResync,
    /// What changed since the last run, for every type; what the hourly run does.
    CatchUp,
    /// E-mails only: what was created or changed, however old the message itself is.
    EmailCatchUp,
    /// What was said in stored calls; nothing else.
    BackfillTranscripts,
}

impl Mode {
    /// Every mode, in the order they are offered.
    pub const ALL: [Self; 4] =
        [Self::FullResync, Self::CatchUp, Self::EmailCatchUp, Self::BackfillTranscripts];

    /// The name used everywhere outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::FullResync => "full_resync",
            Self::CatchUp => "catch_up",
            Self::EmailCatchUp => "email_catch_up",
            Self::BackfillTranscripts => "backfill_transcripts",
        }
    }

    /// The mode of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.as_str() == name)
    }

    /// What a run of this mode does before it reads records, as errors name it.
    #[must_use]
    pub fn first_step(self) -> &'static str {
        match self {
            Self::BackfillTranscripts => "transcripts",
            _ => "reference_data",
        }
    }

    /// The run reads every record and may therefore tell what is gone.
    #[must_use]
    pub fn reads_everything(self) -> bool {
        self == Self::FullResync
    }

    /// The run reads this type.
    #[must_use]
    pub fn reads(self, record_type: RecordType) -> bool {
        match self {
            Self::FullResync | Self::CatchUp => true,
            Self::EmailCatchUp => record_type == RecordType::Engagement(Kind::Email),
            Self::BackfillTranscripts => record_type == RecordType::Engagement(Kind::Call),
        }
    }

    /// The run asks HubSpot for what changed or is gone, not only for records it knows of.
    #[must_use]
    pub fn follows_changes(self) -> bool {
        self != Self::BackfillTranscripts
    }

    /// The end of a complete run means everything up to its start is here.
    #[must_use]
    pub fn covers_all_types(self) -> bool {
        matches!(self, Self::FullResync | Self::CatchUp)
    }
}

impl fmt::Display for Mode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
