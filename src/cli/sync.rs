//! `hublore sync`: runs here, or hands the run to the server that owns the data folder.

use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use serde_json::json;

use super::bars::Bars;
use super::remote::Remote;
use super::serve::stop_on_signal;
use super::{Failure, Global, output, runtime};
use crate::app::{App, StartError};
use crate::domain::counted::counted;
use crate::sync::mode::Mode;
use crate::sync::progress::Progress;
use crate::sync::reconcile::Comparison;
use crate::sync::report::Report;
use crate::sync::run::Wish;

#[derive(Debug, Args)]
pub(super) struct Sync {
    /// full_resync reads everything again, catch_up what changed since the last run, email_catch_up the
    /// e-mails of the last 30 days, backfill_transcripts what was said in stored calls; an unfinished run
    /// of the mode goes on where it stopped
    #[arg(default_value = "full_resync", value_parser = mode)]
    mode: Mode,
    /// Also compare with HubSpot month by month, name what differs and repair it; catch_up does so once a day
    #[arg(long)]
    reconcile: bool,
}

fn mode(name: &str) -> Result<Mode, String> {
    Mode::parse(name).ok_or_else(|| format!("the modes are {}", Mode::ALL.map(Mode::as_str).join(", ")))
}

pub(super) fn run(global: &Global, sync: &Sync) -> Result<(), Failure> {
    let config = global.config()?;
    runtime()?.block_on(async {
        let opened = App::open(
            config,
            global.folder()?,
            global.org.as_deref(),
            Arc::new(crate::domain::clock::SystemClock),
        );
        match opened {
            Ok(app) => run_here(global, &Arc::new(app), sync.mode, sync.wish()).await,
            Err(StartError::InUse(folder)) => match Remote::find(global).await? {
                Some(remote) => run_there(global, &remote, sync).await,
                None => Err(StartError::InUse(folder).into()),
            },
            Err(error) => Err(error.into()),
        }
    })
}

/// The first sync after connecting.
pub(super) async fn here(global: &Global, app: &Arc<App>) -> Result<(), Failure> {
    run_here(global, app, Mode::FullResync, Wish::default()).await
}

impl Sync {
    fn wish(&self) -> Wish {
        Wish { reconcile: self.reconcile }
    }
}

async fn run_here(global: &Global, app: &Arc<App>, mode: Mode, wish: Wish) -> Result<(), Failure> {
    let progress = Arc::<Progress>::default();
    let report = {
        let _bars = Bars::show(Arc::clone(&progress), global.quiet);
        app.sync(mode, wish, progress, stop_on_signal()).await?
    };
    show(global, &report)?;
    ask_model(global, app).await
}

/// Asks the model about what was read, where one is set; a server does that by itself.
async fn ask_model(global: &Global, app: &Arc<App>) -> Result<(), Failure> {
    if app.reading.config.model.is_none() {
        return Ok(());
    }
    let round = app.ask_model(&stop_on_signal()).await.map_err(Failure::failed)?;
    let this = Arc::clone(app);
    let followed = tokio::task::spawn_blocking(move || this.follow()).await;
    followed.map_err(Failure::failed)?.map_err(Failure::failed)?;
    if !global.quiet {
        eprintln!(
            "hublore: the model answered about {}, failed on {}; {} left for the budget; {}",
            counted(round.answered, "engagement"),
            round.failed,
            round.over_budget,
            counted(round.tokens, "token")
        );
    }
    Ok(())
}

async fn run_there(global: &Global, remote: &Remote, sync: &Sync) -> Result<(), Failure> {
    let asked = json!({ "mode": sync.mode.as_str(), "reconcile": sync.reconcile });
    let begun = remote.post("sync", &asked).await?;
    if let Some(running) = begun["mode"].as_str().filter(|mode| *mode != sync.mode.as_str()) {
        output::warning(&format!(
            "a {running} is running already: this is its report; run it again afterwards"
        ));
    }
    let mut stop = stop_on_signal();
    loop {
        let state = remote.get("sync").await?;
        match state["state"].as_str() {
            Some("running") => tokio::select! {
                () = tokio::time::sleep(Duration::from_millis(200)) => {}
                _ = stop.wait_for(|stop| *stop) => {
                    eprintln!("hublore: the sync goes on in the server; `hublore status` shows how it ends");
                    return Err(Failure::Interrupted);
                }
            },
            Some("done") => {
                let report: Report =
                    serde_json::from_value(state["report"].clone()).map_err(Failure::failed)?;
                return show(global, &report);
            }
            _ => {
                return Err(Failure::Failed(
                    state["error"].as_str().unwrap_or("the run was lost").to_owned(),
                ));
            }
        }
    }
}

/// Prints a report; a run that did not read everything is a failure, with what is missing named.
pub(super) fn show(global: &Global, report: &Report) -> Result<(), Failure> {
    if global.json {
        output::json(report)?;
    } else {
        for line in lines(report) {
            output::line(&line)?;
        }
    }
    match report.outcome.as_str() {
        "complete" => Ok(()),
        "interrupted" => Err(Failure::Interrupted),
        outcome => {
            let causes: Vec<String> =
                report.errors.iter().map(|(name, cause)| format!("{name}: {cause}")).collect();
            let text = format!("the sync is {outcome}; {}", causes.join("; "));
            // What lacks a permission was refused; everything else failed.
            if outcome.starts_with("skipped") {
                Err(Failure::Refused(text))
            } else {
                Err(Failure::Failed(text))
            }
        }
    }
}

fn lines(report: &Report) -> Vec<String> {
    let mut lines = Vec::new();
    for (name, counts) in &report.types {
        lines.push(format!(
            "{name:>16}: {} read, {} stored, {} unchanged, {} failed",
            counts.fetched, counts.stored, counts.unchanged, counts.failed
        ));
    }
    for (name, counts) in &report.engagements {
        let skipped: Vec<String> =
            counts.skipped.iter().map(|(why, count)| format!("{count} {why}")).collect();
        let skipped = if skipped.is_empty() { "none".to_owned() } else { skipped.join(", ") };
        lines.push(format!(
            "{name:>16}: {} read, {} learned, skipped: {skipped}, {} tied to customers",
            counts.fetched, counts.indexed, counts.linked
        ));
    }
    lines.push(format!(
        "{:>16}: {}, {}, {} retried",
        report.outcome,
        counted(report.documents, "document"),
        counted(report.requests.total, "request"),
        report.requests.retried
    ));
    if let Some(compared) = &report.reconciliation {
        lines.extend(compared.types.iter().map(|(name, one)| comparison(name, one)));
    }
    lines.extend(report.errors.iter().map(|(name, cause)| format!("{name:>16}: not read: {cause}")));
    lines
}

/// One line per type: whether it is equal to HubSpot, and the ids where it was not.
fn comparison(name: &str, compared: &Comparison) -> String {
    let differences = [
        ("were missing", &compared.missing),
        ("were deleted there", &compared.surplus),
        ("were outdated", &compared.outdated),
    ];
    let said: Vec<String> = differences
        .into_iter()
        .filter(|(_, difference)| difference.count > 0)
        .map(|(what, difference)| {
            let ids = difference.ids.iter().take(10).map(String::as_str).collect::<Vec<_>>().join(", ");
            format!("; {} {what} ({ids}) and are repaired", difference.count)
        })
        .collect();
    format!("{name:>16}: HubSpot {}, here {}{}", compared.hubspot, compared.here, said.concat())
}
