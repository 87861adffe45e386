//! Learning rules: what the operator allows to become knowledge.
//!
//! The filter stage asks [`Rules::decide`] for every engagement that is not noise. No stored rules means
//! everything is learned. Pure apart from the judge; rows and dry runs are elsewhere.

pub mod concepts;
pub mod keyword;

use std::sync::Arc;

use crate::domain::engagement::{Decision, SkipReason};

/// What a judge says about one topic and one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The text is about the topic.
    Matches,
    /// It is not.
    Differs,
    /// The judge cannot tell, or could not be asked; the engagement is held.
    Unsure,
}

/// What a rule looks at.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Subject or title.
    pub title: Option<&'a str>,
    /// All text of the source, quoted parts included.
    pub source_text: &'a str,
    /// ISO 639-1 code, where known.
    pub language: Option<&'a str>,
}

/// Decides whether a text is about a topic. Implementations: concepts (embedded), a configured model.
pub trait TopicJudge: Send + Sync + std::fmt::Debug {
    /// Judges one text against one topic, as the operator worded it.
    fn judge(&self, topic: &str, candidate: Candidate<'_>) -> Verdict;
}

/// A topic rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TopicRule {
    /// Id of the rule.
    pub id: String,
    /// The topic in the operator's words.
    pub topic: String,
}

/// The rules of one organisation, ready to decide.
#[derive(Debug, Clone, Default)]
pub struct Rules {
    topics: Vec<TopicRule>,
    judge: Option<Arc<dyn TopicJudge>>,
}

impl Rules {
    /// Rules with topics that `judge` decides.
    #[must_use]
    pub fn new(topics: Vec<TopicRule>, judge: Option<Arc<dyn TopicJudge>>) -> Self {
        Self { topics, judge }
    }

    /// How the report describes what these rules do.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        if self.topics.is_empty() {
            "no learning rules: everything is learned"
        } else {
            "learning rules apply"
        }
    }

    /// Learned if any topic matches or there is none; held if none matches and one is unsure.
    #[must_use]
    pub fn decide(&self, candidate: Candidate<'_>) -> Decision {
        let mut unsure = None;
        for rule in &self.topics {
            let verdict =
                self.judge.as_ref().map_or(Verdict::Unsure, |judge| judge.judge(&rule.topic, candidate));
            match verdict {
                Verdict::Matches => return Decision::Learned,
                Verdict::Unsure => unsure = Some(rule.id.clone()),
                Verdict::Differs => {}
            }
        }
        match (unsure, self.topics.first()) {
            (_, None) => Decision::Learned,
            (Some(rule), _) => Decision::Held { reason: SkipReason::Unsure, rule: Some(rule) },
            (None, Some(rule)) => {
                Decision::Skipped { reason: SkipReason::TopicRule, rule: Some(rule.id.clone()) }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct ByWord;

    impl TopicJudge for ByWord {
        fn judge(&self, topic: &str, candidate: Candidate<'_>) -> Verdict {
            match candidate.source_text {
                "?" => Verdict::Unsure,
                text if text.contains(topic) => Verdict::Matches,
                _ => Verdict::Differs,
            }
        }
    }

    fn decide(topics: &[&str], text: &str) -> Decision {
        let topics =
            topics.iter().map(|topic| TopicRule { id: format!("r-{topic}"), topic: (*topic).to_owned() });
        let rules = Rules::new(topics.collect(), Some(Arc::new(ByWord)));
        rules.decide(Candidate { title: None, source_text: text, language: None })
    }

    #[test]
    fn rul_2_topics_are_ored_and_none_means_all() {
        assert_eq!(decide(&[], "anything"), Decision::Learned);
        assert_eq!(decide(&["billing", "renewal"], "the renewal"), Decision::Learned);
        let skipped = Decision::Skipped { reason: SkipReason::TopicRule, rule: Some("r-billing".into()) };
        assert_eq!(decide(&["billing", "renewal"], "lunch"), skipped);
        let held = Decision::Held { reason: SkipReason::Unsure, rule: Some("r-billing".into()) };
        assert_eq!(decide(&["billing"], "?"), held);
    }
}
