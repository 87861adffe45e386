//! `hublore status`

use super::{Failure, Global, output};
use crate::domain::counted::counted;
use crate::status::{self, Status};
use crate::store::totals::Totals;

pub(super) fn run(global: &Global) -> Result<(), Failure> {
    let status = status::read(&global.reading()?)?;
    if global.json {
        return output::json(&status);
    }
    for line in lines(&status) {
        output::line(&line)?;
    }
    Ok(())
}

fn lines(status: &Status) -> Vec<String> {
    let mut lines = vec![format!("organisation  {}", status.org)];
    match &status.connection {
        None => lines.push("connection    none; run `hublore connect`".to_owned()),
        Some(connection) => {
            lines.push(format!(
                "connection    portal {} since {}",
                connection.portal_id, connection.connected_at
            ));
            let last = connection.last_synced.map_or("never".to_owned(), |at| at.to_string());
            lines.push(format!("last synced   {last}"));
            lines.extend(connection.auth_error.iter().map(|error| format!("auth error    {error}")));
            let pause = connection.pause.iter();
            lines.extend(pause.map(|pause| format!("paused        until {}: {}", pause.until, pause.reason)));
            let missing = connection.features.iter().filter(|feature| feature.granted == Some(false));
            lines.extend(missing.map(|one| format!("not granted   {}: {}", one.scope, one.without)));
        }
    }
    let modes = &status.modes;
    let mode = |effective: bool| if effective { "on" } else { "off" };
    lines.push(format!(
        "modes         ingest {}, actions {}, notifications {}",
        mode(modes.ingest.effective),
        mode(modes.actions.effective),
        mode(modes.notifications.effective)
    ));
    lines.extend(totals(&status.totals));
    lines.push(format!(
        "index         {}, {} waiting",
        counted(status.documents, "document"),
        counted(status.index_lag_changes, "change")
    ));
    lines.extend(status.database.damage.iter().map(|damage| format!("DAMAGED       {damage}")));
    if status.model.configured {
        for (task, states) in &status.model.queue {
            let states: Vec<String> =
                states.iter().map(|(state, count)| format!("{count} {state}")).collect();
            lines.push(format!("model         {task}: {}", states.join(", ")));
        }
        for (reason, count) in &status.model.failures {
            lines.push(format!("              {count} failed: {reason}"));
        }
    }
    lines.extend(super::slack::lines(&status.slack).into_iter().map(|line| format!("slack         {line}")));
    for (name, reading) in &status.properties {
        let left = (reading.left_out > 0).then(|| format!(", {} more left out", reading.left_out));
        let left = left.unwrap_or_default();
        lines.push(format!("properties    {name}: {} of the account's own are read{left}", reading.read));
    }
    for (name, repairs) in &status.repairs {
        lines.push(format!(
            "to repair     {} of {name}, the oldest since {}: {}",
            repairs.waiting, repairs.since, repairs.reason
        ));
    }
    lines.extend(super::webhooks::lines(&status.webhooks));
    if !status.actions.is_empty() {
        let counts: Vec<String> =
            status.actions.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
        lines.push(format!("actions       {}", counts.join(", ")));
    }
    if let Some(run) = &status.last_run {
        let ended = run.finished_at.map_or_else(|| "not ended".to_owned(), |at| format!("ended {at}"));
        lines
            .push(format!("last run      {} {}, started {}, {ended}", run.mode, run.outcome, run.started_at));
        lines.extend(run.error.iter().map(|error| format!("              {error}")));
    }
    lines
}

/// What is stored, and of each kind of engagement how much is learned.
fn totals(totals: &Totals) -> Vec<String> {
    let mut lines = vec![format!(
        "totals        {}, {}, {}, {} ({} tied to customers)",
        counted(totals.contacts, "contact"),
        counted(totals.companies, "company"),
        counted(totals.deals, "deal"),
        counted(totals.engagements, "engagement"),
        totals.linked_engagements
    )];
    for (kind, counts) in &totals.by_kind {
        let skipped: u64 = counts.skipped.values().sum();
        let held = (counts.held > 0).then(|| format!(", {} held until a judge can tell", counts.held));
        lines.push(format!(
            "  {kind:<16}{} stored, {} learned, {skipped} skipped{}",
            counts.stored,
            counts.learned,
            held.unwrap_or_default()
        ));
    }
    lines
}
