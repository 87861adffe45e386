//! What must not become a fact although it sounds like one: questions, imagined cases, other people's affairs, private
//! matters, things taken back, internal errands, tests.
//!
//! Works sentence by sentence with a small memory; it never looks at the meaning of a fact itself.

use std::ops::Range;

use super::clauses::Sentence;
use super::lexicon::{Hit, known};
use crate::insights::kinds::Kind;

/// What is remembered from sentence to sentence.
#[derive(Debug, Default)]
pub(crate) struct Memory {
    /// The text is about somebody else until the writer speaks of "we" again.
    other: bool,
    /// Bytes of the original up to which the writer talks to colleagues.
    internal_until: usize,
}

/// What a sentence allows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    /// Facts may be read.
    Read,
    /// Only facts of the kinds people politely ask for.
    Asked,
    /// An imagined case: only what is wished for, minded or threatened in it.
    Imagined,
    /// No fact.
    Drop,
    /// No fact, and the facts of the sentence before are void.
    TakeBack,
}

impl Verdict {
    /// Whether a fact of this kind may be read.
    pub(crate) fn allows(self, kind: Kind) -> bool {
        match self {
            Self::Read => true,
            Self::Asked => {
                matches!(kind, Kind::FeatureRequest | Kind::Billing | Kind::ContactChannel | Kind::Preference)
            }
            Self::Imagined => {
                matches!(kind, Kind::FeatureRequest | Kind::Preference | Kind::Objection | Kind::Escalation)
            }
            Self::Drop | Self::TakeBack => false,
        }
    }
}

/// The hits within a range.
pub(crate) fn within<'a>(hits: &'a [Hit], range: &Range<usize>) -> impl Iterator<Item = &'a Hit> {
    let (from, end) = (hits.partition_point(|h| h.start < range.start), range.end);
    hits[from..].iter().take_while(move |h| h.start < end).filter(move |h| h.end <= end)
}

impl Memory {
    /// Judges a sentence; sentences are given in order.
    pub(crate) fn judge(&mut self, original: &str, sentence: &Sentence, hits: &[Hit]) -> Verdict {
        let whole = sentence.label.as_ref().map_or(sentence.body.start, |l| l.start)..sentence.body.end;
        let has = |class: &str| {
            let class = known(class);
            within(hits, &whole).any(|h| h.class == class)
        };
        if within(hits, &whole).any(|h| h.class == const { known("internal") } && h.start <= whole.start + 1)
        {
            let rest = &original[sentence.original.start..];
            self.internal_until = sentence.original.start + rest.find('\n').unwrap_or(rest.len());
        }
        if sentence.original.start < self.internal_until || has("test") {
            return Verdict::Drop;
        }
        if has("retract") {
            return Verdict::TakeBack;
        }
        if has("other") {
            self.other = true;
            return Verdict::Drop;
        }
        self.other &= !has("we");
        // A relative is nobody's business, unless the business is in the family.
        let at_work = ["role", "DECIDES", "APPROVES", "SIGNS", "TAKES_OVER"].into_iter().any(has);
        let private = has("sensitive") || has("relative") && !at_work;
        if self.other || private || has("hypo") {
            return Verdict::Drop;
        }
        match (sentence.question || has("ask"), has("polite")) {
            (true, true) => Verdict::Asked,
            (true, false) => Verdict::Drop,
            _ if has("unreal") => Verdict::Imagined,
            _ => Verdict::Read,
        }
    }
}
