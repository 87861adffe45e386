//! Learning rules: what an operator allows to become knowledge, and what was decided by them.
//!
//! Not here: how a rule is matched (`rules`) and rows (`store`).

use serde::{Deserialize, Serialize};

use super::engagement::Kind;

/// The three types of rule, in the order they are applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RuleType {
    /// Excludes what holds a word or phrase.
    Keyword,
    /// Lets through what is about a topic; several are alternatives.
    Topic,
    /// Shapes insights, filters nothing.
    Instruction,
}

impl RuleType {
    /// Every type, in the order they are applied.
    pub const ALL: [Self; 3] = [Self::Keyword, Self::Topic, Self::Instruction];

    /// The name used in rows, on the command line and in answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Keyword => "keyword",
            Self::Topic => "topic",
            Self::Instruction => "instruction",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// A stored learning rule.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct LearningRule {
    /// Id, unique within the organisation.
    pub id: String,
    /// Grows with every edit.
    pub version: i64,
    /// Type.
    #[serde(rename = "type")]
    pub rule_type: RuleType,
    /// The phrase, the topic or the instruction.
    pub text: String,
    /// A keyword also counts inside longer words.
    pub substring: bool,
    /// Kinds of engagement it applies to; empty is all.
    pub kinds: Vec<Kind>,
    /// Place among the rules of its type.
    pub position: i64,
    /// A rule that is not enabled decides nothing.
    pub enabled: bool,
}

impl LearningRule {
    /// Whether it looks at engagements of this kind.
    #[must_use]
    pub fn applies_to(&self, kind: Kind) -> bool {
        self.enabled && (self.kinds.is_empty() || self.kinds.contains(&kind))
    }

    /// `id@version`, as stored with what it shaped.
    #[must_use]
    pub fn stamp(&self) -> String {
        format!("{}@{}", self.id, self.version)
    }
}

/// What a rule decided about one engagement.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Ruling {
    /// The rule.
    pub rule: String,
    /// Its version then.
    pub version: i64,
    /// Why, in words for the operator.
    pub reason: String,
    /// Who judged: `keyword`, or the name of a topic judge; empty where none could be asked.
    pub judge: String,
}

/// What an engagement is held as when no judge can tell.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Unsure {
    /// Neither learned nor dropped; asked again.
    #[default]
    Hold,
    /// Learned.
    Learn,
    /// Skipped.
    Skip,
}

impl Unsure {
    /// The value of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "hold" => Some(Self::Hold),
            "learn" => Some(Self::Learn),
            "skip" => Some(Self::Skip),
            _ => None,
        }
    }
}
