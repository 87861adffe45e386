//! `hublore index`

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use clap::{Args, Subcommand};
use hublore_index::KnowledgeIndex;
use serde_json::{Value, json};

use super::remote::Remote;
use super::{Failure, Global, output, runtime};
use crate::app::{App, StartError};
use crate::knowledge::rebuild::Progress;
use crate::knowledge::{KnowledgeError, verify};
use crate::server::admin::stats_json;

/// How long to wait for the index to catch up.
const CATCH_UP: Duration = Duration::from_secs(600);
/// How often a rebuild says how far it is.
const TELL_EVERY: Duration = Duration::from_secs(2);

#[derive(Debug, Args)]
pub(super) struct Index {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Clone, Copy, Subcommand)]
enum Verb {
    /// Build a new index beside the live one from the database, then swap
    ///
    /// With --org only that organisation's documents are written anew, in the live index.
    Rebuild,
    /// Compare the index with the database, document by document
    Verify {
        /// Write anew what differs, then compare again
        #[arg(long)]
        repair: bool,
    },
    /// How far a running rebuild is
    Progress,
    /// Sizes of the index
    Stats,
    /// Swap back to the index before the last rebuild
    Rollback,
}

impl Verb {
    fn name(self) -> &'static str {
        match self {
            Self::Rebuild => "rebuild",
            Self::Verify { repair: false } => "verify",
            Self::Verify { repair: true } => "repair",
            Self::Progress => "progress",
            Self::Stats => "stats",
            Self::Rollback => "rollback",
        }
    }
}

pub(super) fn run(global: &Global, index: &Index) -> Result<(), Failure> {
    let config = global.config()?;
    let clock = Arc::new(crate::domain::clock::SystemClock);
    let answer = match App::open(config, global.folder()?, global.org.as_deref(), clock) {
        Ok(app) => here(global, &app, index.verb)?,
        Err(StartError::InUse(folder)) => runtime()?.block_on(async {
            match Remote::find(global).await? {
                Some(remote) => there(global, &remote, index.verb).await,
                None => Err(StartError::InUse(folder).into()),
            }
        })?,
        Err(error) => return Err(error.into()),
    };
    show(global, index.verb, &answer)
}

fn here(global: &Global, app: &App, verb: Verb) -> Result<Value, Failure> {
    let reading = &app.reading;
    app.follower.catch_up(CATCH_UP)?;
    Ok(match verb {
        Verb::Rebuild => {
            let told = Told::new(global.quiet);
            let watch = |progress: Progress| told.tell(progress);
            let documents = match &global.org {
                Some(_) => app.follower.rebuild_org(&reading.org, &watch)?,
                None => app.follower.rebuild(&watch)?,
            };
            json!({ "documents": documents })
        }
        Verb::Rollback => {
            app.follower.rollback()?;
            json!({ "rolled_back": true })
        }
        Verb::Verify { repair: false } => json!(verify::run(&reading.store, &*reading.index)?),
        Verb::Verify { repair: true } => json!(app.follower.repair(CATCH_UP)?),
        Verb::Progress => json!(app.follower.rebuilding()),
        Verb::Stats => stats_json(&reading.index.stats().map_err(KnowledgeError::from)?),
    })
}

/// Asks the running server, and while it rebuilds how far it is.
async fn there(global: &Global, remote: &Remote, verb: Verb) -> Result<Value, Failure> {
    let body = match &global.org {
        Some(org) => json!({ "org": org }),
        None => json!({}),
    };
    let path = format!("index/{}", verb.name());
    let answer = remote.post(&path, &body);
    if !matches!(verb, Verb::Rebuild) {
        return answer.await;
    }
    let told = Told::new(global.quiet);
    let mut answer = std::pin::pin!(answer);
    loop {
        match tokio::time::timeout(TELL_EVERY, &mut answer).await {
            Ok(answer) => return answer,
            Err(_) => {
                let stands = remote.post("index/progress", &json!({})).await.unwrap_or_default();
                if let Ok(progress) = serde_json::from_value::<Progress>(stands) {
                    told.tell(progress);
                }
            }
        }
    }
}

/// Tells how a rebuild stands, a line now and then.
struct Told {
    quiet: bool,
    last: Mutex<Instant>,
}

impl Told {
    fn new(quiet: bool) -> Self {
        Self { quiet, last: Mutex::new(Instant::now()) }
    }

    fn tell(&self, progress: Progress) {
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        if self.quiet || (last.elapsed() < TELL_EVERY && progress.done < progress.total) {
            return;
        }
        *last = Instant::now();
        let Progress { done, total, per_second, seconds_left } = progress;
        eprintln!("{done} of {total} documents, {per_second:.0} a second, {seconds_left:.0} s left");
    }
}

fn show(global: &Global, verb: Verb, answer: &Value) -> Result<(), Failure> {
    if global.json {
        output::json(answer)?;
    } else if answer.is_null() {
        output::line("no index is being built; `hublore index rebuild` builds one")?;
    } else if let Some(fields) = answer.as_object() {
        for (name, value) in fields {
            output::line(&format!("{name:>18}  {value}"))?;
        }
    }
    let (verdict, cure) = match verb {
        Verb::Verify { repair: false } => (answer, "index verify --repair"),
        Verb::Verify { repair: true } => (&answer["left"], "index rebuild"),
        _ => return Ok(()),
    };
    let faults = ["missing", "doubled", "outdated", "surplus"];
    let differences: u64 = faults.iter().filter_map(|name| verdict[*name].as_u64()).sum();
    if differences > 0 || verdict["stored"] != verdict["indexed"] {
        return Err(Failure::Failed(format!("index and database differ; `hublore {cure}` mends it")));
    }
    Ok(())
}
