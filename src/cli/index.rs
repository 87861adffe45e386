//! `hublore index`

use std::sync::Arc;
use std::time::Duration;

use clap::{Args, Subcommand};
use hublore_index::KnowledgeIndex;
use serde_json::{Value, json};

use super::remote::Remote;
use super::{Failure, Global, output, runtime};
use crate::app::{App, StartError};
use crate::knowledge::{KnowledgeError, verify};
use crate::server::admin::stats_json;

#[derive(Debug, Args)]
pub(super) struct Index {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Verb {
    /// Build a new index beside the live one from the database, then swap
    Rebuild,
    /// Compare the index with the database, document by document
    Verify,
    /// Sizes of the index
    Stats,
    /// Swap back to the index before the last rebuild
    Rollback,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Rebuild => "rebuild",
            Self::Verify => "verify",
            Self::Stats => "stats",
            Self::Rollback => "rollback",
        }
    }
}

pub(super) fn run(global: &Global, index: &Index) -> Result<(), Failure> {
    let config = global.config()?;
    let clock = Arc::new(crate::domain::clock::SystemClock);
    let answer = match App::open(config, global.folder()?, global.org.as_deref(), clock) {
        Ok(app) => here(&app, index.verb)?,
        Err(StartError::InUse(folder)) => runtime()?.block_on(async {
            match Remote::find(&global.folder()?).await {
                Some(remote) => remote.post(&format!("index/{}", index.verb.name()), &json!({})).await,
                None => Err(StartError::InUse(folder).into()),
            }
        })?,
        Err(error) => return Err(error.into()),
    };
    show(global, index.verb, &answer)
}

fn here(app: &App, verb: Verb) -> Result<Value, Failure> {
    let reading = &app.reading;
    app.follower.catch_up(Duration::from_secs(600))?;
    Ok(match verb {
        Verb::Rebuild => json!({ "documents": app.follower.rebuild(&|_| {})? }),
        Verb::Rollback => {
            app.follower.rollback()?;
            json!({ "rolled_back": true })
        }
        Verb::Verify => json!(verify::run(&reading.store, &*reading.index)?),
        Verb::Stats => stats_json(&reading.index.stats().map_err(KnowledgeError::from)?),
    })
}

fn show(global: &Global, verb: Verb, answer: &Value) -> Result<(), Failure> {
    if global.json {
        output::json(answer)?;
    } else if let Some(fields) = answer.as_object() {
        for (name, value) in fields {
            output::line(&format!("{name:>18}  {value}"))?;
        }
    }
    let differences: u64 =
        ["missing", "doubled", "outdated", "surplus"].iter().filter_map(|name| answer[*name].as_u64()).sum();
    if matches!(verb, Verb::Verify) && (differences > 0 || answer["stored"] != answer["indexed"]) {
        return Err(Failure::Failed(
            "index and database differ; `hublore index rebuild` repairs it".to_owned(),
        ));
    }
    Ok(())
}
