//! Insights: facts about a customer, each with verbatim evidence.
//!
//! The distill stage hands every learned engagement to a [`Distiller`]. An insight without an exact span of
//! new text does not exist. Until a distiller is configured none are made and the report says so.

pub mod dates;
pub mod extractive;
pub mod kinds;
pub mod supersede;
pub mod verify;

use std::sync::Arc;

use crate::domain::clock::Millis;
use crate::domain::engagement::Passage;

/// What a distiller reads: one learned engagement.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Subject or title.
    pub title: Option<&'a str>,
    /// New text.
    pub passages: &'a [Passage],
    /// When it happened; relative dates count from here.
    pub occurred_at: Millis,
}

/// A proposed fact.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Insight {
    /// One of the kinds of the distillation contract.
    pub kind: String,
    /// The fact as a sentence.
    pub statement: String,
    /// Its value.
    pub value: String,
    /// Number of the passage that proves it.
    pub passage: usize,
    /// Byte range of the proof within the passage.
    pub span: std::ops::Range<usize>,
}

/// Finds insights. Implementations: extractive (embedded), a configured model.
pub trait Distiller: Send + Sync + std::fmt::Debug {
    /// The facts of one engagement, in the order they are written there.
    fn distill(&self, source: Source<'_>) -> Vec<Insight>;
}

/// What distils, if anything does.
#[derive(Debug, Clone, Default)]
pub struct Distillation(Option<Arc<dyn Distiller>>);

impl Distillation {
    /// Distils with `distiller`.
    #[must_use]
    pub fn with(distiller: Arc<dyn Distiller>) -> Self {
        Self(Some(distiller))
    }

    /// How the report describes it.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        if self.0.is_some() { "on" } else { "off: no distiller is configured, so there are no insights" }
    }

    /// The facts of one engagement; those whose proof is not in the text are dropped.
    #[must_use]
    pub fn of(&self, source: Source<'_>) -> Vec<Insight> {
        let Some(distiller) = &self.0 else {
            return Vec::new();
        };
        let mut insights = distiller.distill(source);
        insights.retain(|insight| proven(source, insight));
        insights
    }
}

fn proven(source: Source<'_>, insight: &Insight) -> bool {
    let passage = source.passages.get(insight.passage);
    passage
        .and_then(|passage| passage.text.get(insight.span.clone()))
        .is_some_and(|proof| !proof.trim().is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Careless;

    impl Distiller for Careless {
        fn distill(&self, _: Source<'_>) -> Vec<Insight> {
            let insight = |passage, span| Insight {
                kind: "renewal".into(),
                statement: "Renewal in March".into(),
                value: "March".into(),
                passage,
                span,
            };
            vec![insight(0, 0..7), insight(0, 0..900), insight(1, 0..1), insight(0, 3..3)]
        }
    }

    #[test]
    fn an_insight_without_its_proof_is_dropped() {
        let passages = [Passage { text: "Renewal in March".into(), language: None }];
        let source = Source { title: None, passages: &passages, occurred_at: Millis(0) };
        assert_eq!(Distillation::with(Arc::new(Careless)).of(source).len(), 1);
        assert!(Distillation::default().of(source).is_empty());
    }
}
