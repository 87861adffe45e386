//! Learning rules as an operator handles them: made, edited, removed, tried on what is stored, applied to it.
//!
//! What a rule means is `rules` and `insights::instructions`; what trying and applying do is `pipeline::apply`.

use serde::{Deserialize, Serialize};

use crate::domain::engagement::Kind;
use crate::domain::ids::OrgId;
use crate::domain::rule::{LearningRule, RuleType};
use crate::insights::instructions;
use crate::rules::{concepts, keyword};
use crate::store::{Store, StoreError, rules};
use crate::vault::{VaultError, random};

/// Characters of a rule.
const LONGEST: usize = 2_000;
/// Rules of one organisation.
const MOST: usize = 2_000;

/// Why a rule cannot be kept.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// The rule says nothing, or too much.
    #[error("{0}")]
    Text(String),
    /// No such rule.
    #[error("no rule `{0}` here; `hublore rules list` shows them")]
    Unknown(String),
    /// Rules are being tried or applied already.
    #[error("rules are being tried or applied already; try again when that is done")]
    Busy,
    /// No random numbers.
    #[error(transparent)]
    Random(#[from] VaultError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A rule as it is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct NewRule {
    /// Type.
    #[serde(rename = "type")]
    pub rule_type: RuleType,
    /// The phrase, the topic or the instruction.
    pub text: String,
    /// A keyword also counts inside longer words.
    #[serde(default)]
    pub substring: bool,
    /// Kinds of engagement it applies to; empty is all.
    #[serde(default)]
    pub kinds: Vec<Kind>,
    /// Place among the rules of its type; last where nothing is said.
    #[serde(default)]
    pub position: Option<i64>,
    /// Whether it decides anything.
    #[serde(default = "yes")]
    pub enabled: bool,
}

fn yes() -> bool {
    true
}

/// What is to be changed of a rule; what is not said stays.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Edit {
    /// The phrase, the topic or the instruction.
    pub text: Option<String>,
    /// A keyword also counts inside longer words.
    pub substring: Option<bool>,
    /// Kinds of engagement it applies to; empty is all.
    pub kinds: Option<Vec<Kind>>,
    /// Place among the rules of its type.
    pub position: Option<i64>,
    /// Whether it decides anything.
    pub enabled: Option<bool>,
}

/// Changes that are tried together, beside the rules that are stored.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields)]
pub struct Proposal {
    /// Rules to be added.
    pub add: Vec<NewRule>,
    /// Rules to be edited, by id.
    pub edit: std::collections::BTreeMap<String, Edit>,
    /// Ids of rules to be removed.
    pub remove: Vec<String>,
}

/// A rule as it is shown.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct RuleView {
    /// The rule.
    #[serde(flatten)]
    pub rule: LearningRule,
    /// What is understood without a model: of an instruction by the embedded distiller, of a topic by the embedded
    /// judge.
    pub meaning: Vec<String>,
    /// What the operator should know about it.
    pub note: Option<&'static str>,
}

/// How a rule is shown.
#[must_use]
pub fn view(rule: LearningRule) -> RuleView {
    let (meaning, unknown) = match rule.rule_type {
        RuleType::Keyword => return RuleView { rule, meaning: Vec::new(), note: None },
        RuleType::Topic => (
            concepts::concepts_of(&rule.text).into_iter().map(|concept| format!("about {concept}")).collect(),
            "is no topic the embedded judge knows: it finds the topic's own words and holds the rest \
             (`[rules] unsure`); a model judges it as it is written (`[model] judge_topics`)",
        ),
        RuleType::Instruction => (
            instructions::meaning(&rule.text),
            "names none of the kinds of insight, so the embedded distiller does nothing with it; a model reads it as \
             it is written",
        ),
    };
    let negative = rule.rule_type == RuleType::Topic && says_what_not(&rule.text);
    let note = negative.then_some(NEGATIVE).or(meaning.is_empty().then_some(unknown));
    RuleView { rule, meaning, note }
}

const NEGATIVE: &str = "says what not to learn, but a topic lets through what it matches; say what is to be learned, and \
                        leave something out with a keyword rule";

/// Words that turn a topic into its opposite, in the languages the embedded distiller reads.
const NOT: [&str; 22] = [
    "not",
    "no",
    "nothing",
    "without",
    "except",
    "excluding",
    "exclude",
    "ignore",
    "never",
    "nicht",
    "nichts",
    "kein",
    "keine",
    "ohne",
    "außer",
    "pas",
    "sans",
    "sauf",
    "sin",
    "excepto",
    "não",
    "sem",
];

fn says_what_not(topic: &str) -> bool {
    let topic = topic.to_lowercase();
    let mut words = topic.split(|c: char| !c.is_alphanumeric());
    words.any(|word| NOT.contains(&word)) || topic.contains("以外") || topic.contains("除く")
}

/// The rules of an organisation in the order they are applied.
pub fn list(store: &Store, org: &OrgId) -> Result<Vec<RuleView>, StoreError> {
    let stored: Vec<LearningRule> = store.read(|conn| rules::list(conn, org))?;
    Ok(stored.into_iter().map(view).collect())
}

/// Makes a rule.
pub fn create(store: &Store, org: &OrgId, new: &NewRule) -> Result<RuleView, RuleError> {
    check(new.rule_type, &new.text)?;
    let id: String = random::<5>()?.iter().map(|byte| format!("{byte:02x}")).collect();
    let (org, new) = (org.clone(), new.clone());
    let rule: Result<LearningRule, RuleError> = store.write(move |conn| {
        let stored = rules::list(conn, &org)?;
        if stored.len() >= MOST {
            return Err(RuleError::Text(format!("there are {MOST} rules already")));
        }
        let rule = made(&stored, format!("r_{id}"), &new);
        if let Some(same) = stored.iter().find(|one| says_the_same(one, &rule)) {
            let detail = format!("rule `{}` says the same already; edit or remove that one", same.id);
            return Err(RuleError::Text(detail));
        }
        rules::put(conn, &org, &rule)?;
        Ok(rule)
    });
    Ok(view(rule?))
}

fn says_the_same(one: &LearningRule, other: &LearningRule) -> bool {
    one.rule_type == other.rule_type
        && one.text.to_lowercase() == other.text.to_lowercase()
        && one.substring == other.substring
        && one.kinds == other.kinds
}

fn made(stored: &[LearningRule], id: String, new: &NewRule) -> LearningRule {
    let same = stored.iter().filter(|rule| rule.rule_type == new.rule_type);
    let last = same.map(|rule| rule.position).max().unwrap_or(0);
    LearningRule {
        id,
        version: 1,
        rule_type: new.rule_type,
        text: new.text.trim().to_owned(),
        substring: new.substring && new.rule_type == RuleType::Keyword,
        kinds: new.kinds.clone(),
        position: new.position.unwrap_or(last + 1),
        enabled: new.enabled,
    }
}

/// Edits a rule; its version grows where anything is another now.
pub fn edit(store: &Store, org: &OrgId, id: &str, edit: &Edit) -> Result<RuleView, RuleError> {
    let (org, id, edit) = (org.clone(), id.to_owned(), edit.clone());
    let rule: Result<LearningRule, RuleError> = store.write(move |conn| {
        let rule = rules::get(conn, &org, &id)?.ok_or(RuleError::Unknown(id))?;
        let after = edited(rule.clone(), &edit)?;
        if after != rule {
            rules::put(conn, &org, &after)?;
        }
        Ok(after)
    });
    Ok(view(rule?))
}

fn edited(before: LearningRule, edit: &Edit) -> Result<LearningRule, RuleError> {
    let mut rule = before.clone();
    if let Some(text) = &edit.text {
        check(rule.rule_type, text)?;
        text.trim().clone_into(&mut rule.text);
    }
    rule.substring = edit.substring.unwrap_or(rule.substring) && rule.rule_type == RuleType::Keyword;
    if let Some(kinds) = &edit.kinds {
        rule.kinds.clone_from(kinds);
    }
    rule.position = edit.position.unwrap_or(rule.position);
    rule.enabled = edit.enabled.unwrap_or(rule.enabled);
    // Each version is another rule to decisions and insights: the same words again are none.
    rule.version += i64::from(rule != before);
    Ok(rule)
}

/// Removes a rule.
pub fn remove(store: &Store, org: &OrgId, id: &str) -> Result<(), RuleError> {
    let (org, wanted) = (org.clone(), id.to_owned());
    let removed: Result<bool, StoreError> = store.write(move |conn| rules::remove(conn, &org, &wanted));
    if removed? { Ok(()) } else { Err(RuleError::Unknown(id.to_owned())) }
}

/// The rules as they would be with a proposal, in the order they would be applied.
pub fn proposed(store: &Store, org: &OrgId, proposal: &Proposal) -> Result<Vec<LearningRule>, RuleError> {
    let mut rules: Vec<LearningRule> = store.read(|conn| rules::list(conn, org))?;
    for id in &proposal.remove {
        let at = rules.iter().position(|rule| rule.id == *id);
        rules.remove(at.ok_or_else(|| RuleError::Unknown(id.clone()))?);
    }
    for (id, edit) in &proposal.edit {
        let rule = rules.iter_mut().find(|rule| rule.id == *id);
        let rule = rule.ok_or_else(|| RuleError::Unknown(id.clone()))?;
        *rule = edited(rule.clone(), edit)?;
    }
    for (number, new) in (1..).zip(&proposal.add) {
        check(new.rule_type, &new.text)?;
        let rule = made(&rules, format!("new_{number}"), new);
        rules.push(rule);
    }
    rules.sort_by(|a, b| (a.rule_type, a.position, &a.id).cmp(&(b.rule_type, b.position, &b.id)));
    Ok(rules)
}

fn check(rule_type: RuleType, text: &str) -> Result<(), RuleError> {
    if text.chars().count() > LONGEST {
        return Err(RuleError::Text(format!("a rule has at most {LONGEST} characters")));
    }
    let says_something = keyword::fold(text).chars().any(char::is_alphanumeric);
    match rule_type {
        _ if says_something => Ok(()),
        RuleType::Keyword => Err(RuleError::Text(
            "a keyword rule needs a word or phrase; one without a letter or digit would hit everything or nothing"
                .to_owned(),
        )),
        RuleType::Topic => Err(RuleError::Text("a topic rule needs a topic in words".to_owned())),
        RuleType::Instruction => Err(RuleError::Text("an instruction needs words".to_owned())),
    }
}
