//! Stage 4, filter: noise guards, then the operator's learning rules. Nothing is lost here: what is not
//! learned keeps its row with the reason, and comes back when the reason goes.

use std::collections::BTreeSet;

use super::associate::LinkedEngagement;
use crate::domain::engagement::{Decision, SkipReason};
use crate::domain::rule::Ruling;
use crate::rules::Rules;
use crate::rules::source::Source;
use crate::text::Noise;

/// An engagement with its decision.
#[derive(Debug, Clone)]
pub struct Judged {
    /// The engagement.
    pub engagement: LinkedEngagement,
    /// Whether it becomes knowledge.
    pub decision: Decision,
    /// The rule that decided, where one did.
    pub ruling: Option<Ruling>,
}

/// Judges one engagement.
#[must_use]
pub fn engagement(engagement: LinkedEngagement, rules: &Rules, skip_noise: &BTreeSet<SkipReason>) -> Judged {
    let (decision, ruling) = decide(&engagement, rules, skip_noise);
    Judged { engagement, decision, ruling }
}

fn decide(
    LinkedEngagement(normalized): &LinkedEngagement,
    rules: &Rules,
    skip: &BTreeSet<SkipReason>,
) -> (Decision, Option<Ruling>) {
    let skipped = |reason| (Decision::Skipped { reason, rule: None }, None);
    let noise = normalized.noise.and_then(reason_of).filter(|reason| skip.contains(reason));
    if normalized.redacted {
        return skipped(SkipReason::Redacted);
    }
    if normalized.passages.is_empty() && normalized.raw.title.is_none() {
        return skipped(SkipReason::EmptyBody);
    }
    match noise {
        Some(reason) => skipped(reason),
        None => rules.decide(&Source::of(&normalized.raw)),
    }
}

/// Whether learning rules have a say about what was decided for this reason; noise and empty bodies they do not touch.
#[must_use]
pub fn is_ruled(reason: Option<SkipReason>) -> bool {
    matches!(
        reason,
        None | Some(
            SkipReason::KeywordRule | SkipReason::TopicRule | SkipReason::Unsure | SkipReason::NearCopy
        )
    )
}

/// A copy of a mail that is learned: the rules let it through.
#[must_use]
pub fn is_copy(reason: SkipReason) -> bool {
    reason == SkipReason::NearCopy
}

fn reason_of(noise: Noise) -> Option<SkipReason> {
    match noise {
        Noise::AutoReply => Some(SkipReason::AutoReply),
        Noise::Bounce => Some(SkipReason::Bounce),
        Noise::Calendar => Some(SkipReason::Calendar),
        Noise::Newsletter => Some(SkipReason::Newsletter),
    }
}
