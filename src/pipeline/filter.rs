//! Stage 4, filter: noise guards, then the operator's learning rules. Nothing is lost here: what is not
//! learned keeps its row with the reason, and comes back when the reason goes.

use std::collections::BTreeSet;

use super::associate::LinkedEngagement;
use crate::domain::engagement::{Decision, SkipReason};
use crate::rules::{Candidate, Rules};
use crate::text::Noise;

/// An engagement with its decision.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The engagement.
    pub engagement: LinkedEngagement,
    /// Whether it becomes knowledge.
    pub decision: Decision,
}

/// Judges one engagement.
#[must_use]
pub fn engagement(engagement: LinkedEngagement, rules: &Rules, skip_noise: &BTreeSet<SkipReason>) -> Judged {
    let decision = decide(&engagement, rules, skip_noise);
    Judged { engagement, decision }
}

fn decide(
    LinkedEngagement(normalized): &LinkedEngagement,
    rules: &Rules,
    skip: &BTreeSet<SkipReason>,
) -> Decision {
    let skipped = |reason| Decision::Skipped { reason, rule: None };
    let noise = normalized.noise.and_then(reason_of).filter(|reason| skip.contains(reason));
    if normalized.redacted {
        return skipped(SkipReason::Redacted);
    }
    if normalized.passages.is_empty() && normalized.raw.title.is_none() {
        return skipped(SkipReason::EmptyBody);
    }
    if let Some(reason) = noise {
        return skipped(reason);
    }
    rules.decide(Candidate {
        title: normalized.raw.title.as_deref(),
        source_text: &normalized.source_text,
        language: normalized.language.as_deref(),
    })
}

fn reason_of(noise: Noise) -> Option<SkipReason> {
    match noise {
        Noise::AutoReply => Some(SkipReason::AutoReply),
        Noise::Bounce => Some(SkipReason::Bounce),
        Noise::Calendar => Some(SkipReason::Calendar),
        Noise::Newsletter => Some(SkipReason::Newsletter),
    }
}
