//! Stage 5, distill: insights of what was learned. Skipped and held engagements yield none.

use super::associate::LinkedEngagement;
use super::filter::Judged;
use crate::domain::engagement::{Decision, ProcessedEngagement};
use crate::insights::{Distillation, Insight, Source};
use crate::text::near_copies::Fingerprint;

/// An engagement ready to be published, with its insights.
#[derive(Debug, Clone)]
pub struct Distilled {
    /// The engagement.
    pub engagement: ProcessedEngagement,
    /// Facts found in it.
    pub insights: Vec<Insight>,
    /// What copies of the same mail are found by.
    pub fingerprint: Option<Box<Fingerprint>>,
}

/// Distils one engagement.
#[must_use]
pub fn engagement(judged: Judged, distillation: &Distillation) -> Distilled {
    let LinkedEngagement(normalized) = judged.engagement;
    let engagement = ProcessedEngagement {
        raw: normalized.raw,
        passages: normalized.passages,
        language: normalized.language,
        decision: judged.decision,
        template: None,
        own_passages: None,
        secrets: normalized.secrets,
    };
    let fingerprint = normalized.fingerprint;
    let insights = match engagement.decision {
        Decision::Learned => distillation.of(Source {
            title: engagement.raw.title.as_deref(),
            passages: &engagement.passages,
            occurred_at: engagement.raw.occurred_at,
        }),
        Decision::Skipped { .. } | Decision::Held { .. } => Vec::new(),
    };
    Distilled { engagement, insights, fingerprint }
}
