//! `hublore rules`: learning rules, here or in the running server.

use clap::{Args, Subcommand};
use serde_json::{Value, json};

use super::remote::{Remote, here_or_there};
use super::{Failure, Global, output};
use crate::app::App;
use crate::domain::counted::counted;
use crate::domain::engagement::Kind;
use crate::domain::rule::RuleType;
use crate::learning::{self, Edit, NewRule, Proposal, RuleError};

#[derive(Debug, Args)]
pub(super) struct Rules {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the rules in the order they are applied
    List,
    /// Add a rule; what is stored changes only with `apply`
    Add(Add),
    /// Edit a rule; what is not said stays
    Edit(Change),
    /// Remove a rule
    Remove {
        /// Id of the rule
        id: String,
    },
    /// Try the rules, or the rules with one more, on everything stored; nothing is changed
    Test(Try),
    /// Apply the rules to everything stored, without asking HubSpot
    Apply,
}

#[derive(Debug, Args)]
struct Add {
    /// keyword excludes what holds the phrase, topic lets through only what is about one of the topics,
    /// instruction shapes insights
    #[arg(value_name = "TYPE", value_parser = rule_type)]
    rule_type: RuleType,
    /// The phrase, the topic or the instruction
    text: String,
    /// A keyword also counts inside longer words
    #[arg(long)]
    substring: bool,
    /// Only for this kind of engagement; may be repeated
    #[arg(long = "kind", value_name = "K", value_parser = kind)]
    kinds: Vec<Kind>,
    /// Place among the rules of its type
    #[arg(long, value_name = "N")]
    position: Option<i64>,
    /// Keep it, but let it decide nothing yet
    #[arg(long)]
    disabled: bool,
}

#[derive(Debug, Args)]
struct Change {
    /// Id of the rule
    id: String,
    /// Other words
    #[arg(long)]
    text: Option<String>,
    /// Whether a keyword also counts inside longer words
    #[arg(long, value_name = "BOOL")]
    substring: Option<bool>,
    /// Only for this kind of engagement; may be repeated
    #[arg(long = "kind", value_name = "K", value_parser = kind, conflicts_with = "all_kinds")]
    kinds: Vec<Kind>,
    /// For every kind of engagement
    #[arg(long)]
    all_kinds: bool,
    /// Place among the rules of its type
    #[arg(long, value_name = "N")]
    position: Option<i64>,
    /// Whether it decides anything
    #[arg(long, value_name = "BOOL")]
    enabled: Option<bool>,
}

#[derive(Debug, Args)]
struct Try {
    /// Type of a rule to try beside the stored ones
    #[arg(value_name = "TYPE", value_parser = rule_type, requires = "text")]
    rule_type: Option<RuleType>,
    /// Its text
    text: Option<String>,
    /// Its phrase also counts inside longer words
    #[arg(long)]
    substring: bool,
    /// Only for this kind of engagement; may be repeated
    #[arg(long = "kind", value_name = "K", value_parser = kind)]
    kinds: Vec<Kind>,
    /// Try without this stored rule; may be repeated
    #[arg(long, value_name = "ID")]
    without: Vec<String>,
}

fn rule_type(text: &str) -> Result<RuleType, String> {
    RuleType::parse(text).ok_or_else(|| "the types are keyword, topic and instruction".to_owned())
}

fn kind(text: &str) -> Result<Kind, String> {
    Kind::parse(text).ok_or_else(|| format!("the kinds are {}", Kind::ALL.map(Kind::as_str).join(", ")))
}

/// What is asked of whoever owns the data folder.
enum Asked {
    List,
    Add(NewRule),
    Edit(String, Edit),
    Remove(String),
    Test(Proposal),
    Apply,
}

impl From<RuleError> for Failure {
    fn from(error: RuleError) -> Self {
        match error {
            RuleError::Text(_) | RuleError::Unknown(_) => Self::Usage(error.to_string()),
            RuleError::Busy => Self::Refused(error.to_string()),
            RuleError::Random(_) | RuleError::Store(_) => Self::failed(error),
        }
    }
}

pub(super) fn run(global: &Global, rules: &Rules) -> Result<(), Failure> {
    let asked = asked(&rules.verb);
    let answer = answer(global, &asked)?;
    if global.json {
        return output::json(&answer);
    }
    match asked {
        Asked::List => show_list(&answer),
        Asked::Add(_) | Asked::Edit(..) => {
            show_rule(&answer)?;
            output::line("`hublore rules test` shows what it changes, `hublore rules apply` changes it")
        }
        Asked::Remove(_) => output::line("removed; `hublore rules apply` brings back what it kept out"),
        Asked::Test(proposal) => {
            show_review(&answer, ["would be", "would be"])?;
            let shapes = proposal.add.iter().any(|new| new.rule_type == RuleType::Instruction);
            if shapes {
                output::line(
                    "an instruction never changes what is learned: with `hublore rules apply` insights are distilled \
                     again by it",
                )?;
            }
            Ok(())
        }
        Asked::Apply => show_review(&answer, ["was", "were"]),
    }
}

fn asked(verb: &Verb) -> Asked {
    match verb {
        Verb::List => Asked::List,
        Verb::Add(add) => Asked::Add(NewRule {
            rule_type: add.rule_type,
            text: add.text.clone(),
            substring: add.substring,
            kinds: add.kinds.clone(),
            position: add.position,
            enabled: !add.disabled,
        }),
        Verb::Edit(change) => {
            let named = (!change.kinds.is_empty()).then(|| change.kinds.clone());
            let edit = Edit {
                text: change.text.clone(),
                substring: change.substring,
                kinds: named.or_else(|| change.all_kinds.then(Vec::new)),
                position: change.position,
                enabled: change.enabled,
            };
            Asked::Edit(change.id.clone(), edit)
        }
        Verb::Remove { id } => Asked::Remove(id.clone()),
        Verb::Test(tried) => {
            let new = tried.rule_type.zip(tried.text.clone()).map(|(rule_type, text)| NewRule {
                rule_type,
                text,
                substring: tried.substring,
                kinds: tried.kinds.clone(),
                position: None,
                enabled: true,
            });
            Asked::Test(Proposal {
                add: new.into_iter().collect(),
                remove: tried.without.clone(),
                ..Proposal::default()
            })
        }
        Verb::Apply => Asked::Apply,
    }
}

fn answer(global: &Global, asked: &Asked) -> Result<Value, Failure> {
    here_or_there(global, |app| here(app, asked), async |remote| there(remote, asked).await)
}

fn here(app: &App, asked: &Asked) -> Result<Value, Failure> {
    let (store, org) = (&app.reading.store, &app.reading.org);
    Ok(match asked {
        Asked::List => json!({ "rules": learning::list(store, org).map_err(Failure::failed)? }),
        Asked::Add(new) => json!(learning::create(store, org, new)?),
        Asked::Edit(id, edit) => json!(learning::edit(store, org, id, edit)?),
        Asked::Remove(id) => {
            learning::remove(store, org, id)?;
            json!({ "removed": id })
        }
        Asked::Test(proposal) => json!(app.test_rules(proposal)?),
        Asked::Apply => {
            let review = app.apply_rules()?;
            app.follow()?;
            json!(review)
        }
    })
}

async fn there(remote: &Remote, asked: &Asked) -> Result<Value, Failure> {
    match asked {
        Asked::List => remote.get("rules").await,
        Asked::Add(new) => remote.post("rules", &json!(new)).await,
        Asked::Edit(id, edit) => remote.patch(&["rules", id], &json!(edit)).await,
        Asked::Remove(id) => remote.delete(&["rules", id]).await,
        Asked::Test(proposal) => remote.post("rules/test", &json!(proposal)).await,
        Asked::Apply => remote.post("rules/apply", &json!({})).await,
    }
}

fn show_list(answer: &Value) -> Result<(), Failure> {
    let rules = answer["rules"].as_array().map(Vec::as_slice).unwrap_or_default();
    if rules.is_empty() {
        return output::line("no rules: everything is learned");
    }
    rules.iter().try_for_each(show_rule)
}

fn show_rule(rule: &Value) -> Result<(), Failure> {
    let text = |name: &str| output::plain(rule[name].as_str().unwrap_or_default());
    let mut marks = vec![format!("version {}", rule["version"])];
    marks.extend((rule["enabled"] == false).then(|| "disabled".to_owned()));
    marks.extend((rule["substring"] == true).then(|| "also inside words".to_owned()));
    let kinds: Vec<&str> =
        rule["kinds"].as_array().into_iter().flatten().filter_map(|kind| kind.as_str()).collect();
    marks.extend((!kinds.is_empty()).then(|| format!("only {}", kinds.join(", "))));
    output::line(&format!("{}  {:<11} {}  ({})", text("id"), text("type"), text("text"), marks.join(", ")))?;
    for meaning in rule["meaning"].as_array().into_iter().flatten().filter_map(|one| one.as_str()) {
        output::line(&format!("    {meaning}"))?;
    }
    match rule["note"].as_str() {
        Some(note) => output::line(&format!("    {note}")),
        None => Ok(()),
    }
}

/// What judging did or would do; the verb for one engagement and for many.
fn show_review(review: &Value, [one, many]: [&str; 2]) -> Result<(), Failure> {
    let judged = review["judged"].as_u64().unwrap_or(0);
    let verb = if judged == 1 { one } else { many };
    output::line(&format!("{} {verb} judged", counted(judged, "engagement")))?;
    for (name, words) in [
        ("learned_to_skipped", "learned, now skipped"),
        ("skipped_to_learned", "skipped, now learned"),
        ("learned_to_held", "learned, now held"),
        ("skipped_to_held", "skipped, now held"),
        ("held_to_learned", "held, now learned"),
        ("held_to_skipped", "held, now skipped"),
        ("held", "held in all"),
    ] {
        if review[name] != 0 {
            output::line(&format!("{:>8}  {words}", review[name].to_string()))?;
        }
    }
    for sample in review["samples"].as_array().into_iter().flatten() {
        let text = |name: &str| output::plain(sample[name].as_str().unwrap_or_default());
        let title = text("title");
        output::line(&format!(
            "  {} {} -> {}  {}  {}",
            text("engagement"),
            text("from"),
            text("to"),
            text("reason"),
            title
        ))?;
    }
    Ok(())
}
