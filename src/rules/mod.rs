//! Learning rules: what the operator allows to become knowledge.
//!
//! The filter stage asks [`Rules::decide`] for every engagement that is not noise: keyword rules exclude, topic rules
//! let through, instructions decide nothing (`insights::instructions`). No rules means everything is learned. Pure
//! apart from the judge; rows are `store`, dry runs and re-application are `pipeline::apply`.

pub mod concepts;
pub mod keyword;
pub mod source;

use std::sync::Arc;

use self::concepts::Concepts;
use self::keyword::{KeywordRule, KeywordRules, TooLarge};
use self::source::Source;
use crate::domain::engagement::{Decision, Kind, SkipReason};
use crate::domain::rule::{LearningRule, RuleType, Ruling, Unsure};

/// What a judge says about one topic and one text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// The text is about the topic.
    Matches,
    /// It is not.
    Differs,
    /// The judge cannot tell.
    Unsure,
    /// The judge could not be asked: the engagement is held and asked about again.
    Failed,
}

/// A verdict and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// Whether the text is about the topic.
    pub verdict: Verdict,
    /// What decided, in words for the operator.
    pub reason: String,
}

/// What a judge looks at.
#[derive(Debug, Clone, Copy)]
pub struct Candidate<'a> {
    /// Subject or title.
    pub title: Option<&'a str>,
    /// All text of the source, quoted and hidden parts included.
    pub source_text: &'a str,
}

/// Decides whether a text is about a topic. Implementations: concepts (embedded), a configured model.
pub trait TopicJudge: Send + Sync + std::fmt::Debug {
    /// Name and version, stored with each decision; what another judge left unsure is asked again.
    fn name(&self) -> &str;

    /// Judges one text against one topic, as the operator worded it.
    fn judge(&self, topic: &str, candidate: Candidate<'_>) -> Judgement;
}

/// The rules of one organisation, ready to decide.
#[derive(Debug, Clone)]
pub struct Rules {
    keywords: KeywordRules,
    keyword_rules: Vec<LearningRule>,
    topics: Vec<LearningRule>,
    judge: Arc<dyn TopicJudge>,
    unsure: Unsure,
}

impl Default for Rules {
    fn default() -> Self {
        Self {
            keywords: KeywordRules::default(),
            keyword_rules: Vec::new(),
            topics: Vec::new(),
            judge: Arc::new(Concepts),
            unsure: Unsure::default(),
        }
    }
}

impl Rules {
    /// The enabled ones of these rules, given in the operator's order.
    ///
    /// # Errors
    /// Phrases too large to be searched together.
    pub fn new(rules: &[LearningRule], judge: Arc<dyn TopicJudge>, unsure: Unsure) -> Result<Self, TooLarge> {
        let of = |wanted| {
            let chosen = rules.iter().filter(move |rule| rule.enabled && rule.rule_type == wanted);
            chosen.cloned().collect::<Vec<_>>()
        };
        let keyword_rules = of(RuleType::Keyword);
        let phrase = |rule: &LearningRule| KeywordRule {
            id: rule.id.clone(),
            phrase: rule.text.clone(),
            substring: rule.substring,
        };
        let keywords = KeywordRules::new(keyword_rules.iter().map(phrase).collect())?;
        Ok(Self { keywords, keyword_rules, topics: of(RuleType::Topic), judge, unsure })
    }

    /// How the report describes what these rules do.
    #[must_use]
    pub fn summary(&self) -> String {
        match (self.keyword_rules.len(), self.topics.len()) {
            (0, 0) => "no learning rules: everything is learned".to_owned(),
            (keywords, topics) => format!("learning rules apply: {keywords} keyword, {topics} topic"),
        }
    }

    /// Name of the topic judge.
    #[must_use]
    pub fn judge_name(&self) -> &str {
        self.judge.name()
    }

    /// The topics that engagements of this kind are judged by, as the operator worded them.
    #[must_use]
    pub fn topics_of(&self, kind: Kind) -> Vec<&str> {
        self.topics.iter().filter(|rule| rule.applies_to(kind)).map(|rule| rule.text.as_str()).collect()
    }

    /// Whether an engagement becomes knowledge, and the rule that decided, where one did.
    #[must_use]
    pub fn decide(&self, source: &Source<'_>) -> (Decision, Option<Ruling>) {
        let topics: Vec<&LearningRule> =
            self.topics.iter().filter(|rule| rule.applies_to(source.kind)).collect();
        if self.keywords.is_empty() && topics.is_empty() {
            return (Decision::Learned, None);
        }
        let text = source.text();
        if let Some(rule) = self.excluding(source, &text) {
            let decision = Decision::Skipped { reason: SkipReason::KeywordRule, rule: Some(rule.id.clone()) };
            let reason = format!("holds \"{}\"", rule.text);
            return (decision, Some(ruling(rule, reason, "keyword")));
        }
        self.by_topic(&topics, Candidate { title: source.title, source_text: &text })
    }

    /// The first keyword rule, in the operator's order, that hits and looks at this kind.
    fn excluding(&self, source: &Source<'_>, text: &str) -> Option<&LearningRule> {
        let hits = self.keywords.all(source.title, text);
        let rules = hits.iter().filter_map(|hit| self.keyword_rules.iter().find(|rule| rule.id == hit.id));
        rules.into_iter().find(|rule| rule.applies_to(source.kind))
    }

    /// Learned if any topic matches or there is none; held if none matches and one is unsure.
    fn by_topic(&self, topics: &[&LearningRule], candidate: Candidate<'_>) -> (Decision, Option<Ruling>) {
        let (mut open, mut differs) = (None, None);
        for rule in topics {
            let judged = self.judge.judge(&rule.text, candidate);
            let ruled = |judge: &str| ruling(rule, judged.reason.clone(), judge);
            match judged.verdict {
                Verdict::Matches => return (Decision::Learned, Some(ruled(self.judge.name()))),
                Verdict::Unsure => drop(open.get_or_insert_with(|| ruled(self.judge.name()))),
                Verdict::Failed => open = Some(ruled("")),
                Verdict::Differs => drop(differs.get_or_insert_with(|| ruled(self.judge.name()))),
            }
        }
        match (open, differs) {
            (Some(ruling), _) => (self.unsure(&ruling), Some(ruling)),
            (None, Some(ruling)) => {
                let decision =
                    Decision::Skipped { reason: SkipReason::TopicRule, rule: Some(ruling.rule.clone()) };
                (decision, Some(ruling))
            }
            (None, None) => (Decision::Learned, None),
        }
    }

    /// What the operator wants where nobody can tell. A judge that could not be asked is always waited for.
    fn unsure(&self, ruling: &Ruling) -> Decision {
        let (reason, rule) = (SkipReason::Unsure, Some(ruling.rule.clone()));
        match self.unsure {
            _ if ruling.judge.is_empty() => Decision::Held { reason, rule },
            Unsure::Hold => Decision::Held { reason, rule },
            Unsure::Learn => Decision::Learned,
            Unsure::Skip => Decision::Skipped { reason, rule },
        }
    }
}

fn ruling(rule: &LearningRule, reason: String, judge: &str) -> Ruling {
    Ruling { rule: rule.id.clone(), version: rule.version, reason, judge: judge.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct ByWord;

    impl TopicJudge for ByWord {
        fn name(&self) -> &str {
            "by word"
        }

        fn judge(&self, topic: &str, candidate: Candidate<'_>) -> Judgement {
            let verdict = match candidate.source_text {
                "?" => Verdict::Unsure,
                "!" => Verdict::Failed,
                text if text.contains(topic) => Verdict::Matches,
                _ => Verdict::Differs,
            };
            Judgement { verdict, reason: topic.to_owned() }
        }
    }

    fn rule(rule_type: RuleType, text: &str) -> LearningRule {
        LearningRule {
            id: format!("r-{text}"),
            version: 3,
            rule_type,
            text: text.to_owned(),
            substring: false,
            kinds: Vec::new(),
            position: 0,
            enabled: true,
        }
    }

    fn decide_with(rules: &[LearningRule], unsure: Unsure, text: &str) -> (Decision, Option<Ruling>) {
        let rules = Rules::new(rules, Arc::new(ByWord), unsure).unwrap();
        rules.decide(&Source {
            kind: Kind::Email,
            title: Some("a title"),
            html: None,
            plain: Some(text),
            transcript: None,
        })
    }

    fn decide(topics: &[&str], text: &str) -> Decision {
        let rules: Vec<LearningRule> = topics.iter().map(|topic| rule(RuleType::Topic, topic)).collect();
        decide_with(&rules, Unsure::Hold, text).0
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

    #[test]
    fn rul_1_a_keyword_excludes_before_any_topic_is_asked() {
        let rules = [
            rule(RuleType::Topic, "renewal"),
            rule(RuleType::Keyword, "confidential"),
            rule(RuleType::Instruction, "renewal"),
        ];
        let (decision, ruling) = decide_with(&rules, Unsure::Hold, "the renewal\nis CONFIDENTIAL");
        assert_eq!(decision.cause().0, Some(SkipReason::KeywordRule));
        let ruling = ruling.unwrap();
        assert_eq!(
            (ruling.rule.as_str(), ruling.version, ruling.judge.as_str()),
            ("r-confidential", 3, "keyword")
        );
        let titled = [rule(RuleType::Keyword, "a title")];
        assert_eq!(decide_with(&titled, Unsure::Hold, "x").0.as_str(), "skipped", "the subject counts");
    }

    #[test]
    fn what_unsure_means_is_a_setting_and_a_judge_that_fails_is_waited_for() {
        let rules = [rule(RuleType::Topic, "billing")];
        let said = |unsure, text| decide_with(&rules, unsure, text).0.as_str();
        assert_eq!(said(Unsure::Hold, "?"), "held");
        assert_eq!(said(Unsure::Learn, "?"), "learned");
        assert_eq!(said(Unsure::Skip, "?"), "skipped");
        for unsure in [Unsure::Hold, Unsure::Learn, Unsure::Skip] {
            assert_eq!(said(unsure, "!"), "held");
        }
        assert_eq!(decide_with(&rules, Unsure::Hold, "!").1.unwrap().judge, "", "nobody judged");
    }

    #[test]
    fn a_rule_of_other_kinds_or_not_enabled_decides_nothing() {
        let mut keyword = rule(RuleType::Keyword, "secret");
        keyword.kinds = vec![Kind::Call];
        assert_eq!(decide_with(&[keyword.clone()], Unsure::Hold, "secret").0, Decision::Learned);
        keyword.kinds = vec![Kind::Call, Kind::Email];
        assert_eq!(decide_with(&[keyword.clone()], Unsure::Hold, "secret").0.as_str(), "skipped");
        keyword.enabled = false;
        assert_eq!(decide_with(&[keyword], Unsure::Hold, "secret").0, Decision::Learned);
        let mut topic = rule(RuleType::Topic, "billing");
        topic.kinds = vec![Kind::Note];
        assert_eq!(decide_with(&[topic], Unsure::Hold, "lunch").0, Decision::Learned);
    }
}
