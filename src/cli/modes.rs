//! `hublore modes`

use clap::{Args, ValueEnum};
use serde_json::{Value, json};

use super::remote::here_or_there;
use super::{Failure, Global, output};
use crate::domain::mode::{IntegrationMode, ModeState, Modes};
use crate::modes;

#[derive(Debug, Args)]
pub(super) struct ModesVerb {
    /// Mode to switch; without it all three are shown
    #[arg(requires = "state")]
    mode: Option<Named>,
    /// What it becomes; default is on
    state: Option<State>,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Named {
    /// Reading from HubSpot; while it is off webhooks are only counted, and when it is switched on again a running
    /// server starts a catch_up that reads what they told of
    Ingest,
    /// Writing to HubSpot by agents, each of them allowed on its own
    Actions,
    /// Posting to Slack, each type enabled on its own
    Notifications,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    On,
    Off,
    Default,
}

impl From<Named> for IntegrationMode {
    fn from(named: Named) -> Self {
        match named {
            Named::Ingest => Self::Ingest,
            Named::Actions => Self::Actions,
            Named::Notifications => Self::Notifications,
        }
    }
}

impl State {
    fn stored(self) -> Option<bool> {
        match self {
            Self::On => Some(true),
            Self::Off => Some(false),
            Self::Default => None,
        }
    }
}

pub(super) fn run(global: &Global, asked: &ModesVerb) -> Result<(), Failure> {
    match (asked.mode, asked.state) {
        (Some(mode), Some(state)) => switch(global, mode.into(), state.stored()),
        _ => show(global),
    }
}

fn show(global: &Global) -> Result<(), Failure> {
    let reading = global.reading()?;
    let modes = modes::read(&reading.store, &reading.org).map_err(Failure::failed)?;
    if global.json {
        return output::json(&modes);
    }
    IntegrationMode::ALL.into_iter().try_for_each(|mode| output::line(&line(modes, mode)))
}

fn line(modes: Modes, mode: IntegrationMode) -> String {
    let ModeState { stored, effective } = modes.of(mode);
    let state = if effective { "on" } else { "off" };
    let how = if stored.is_none() { "  (default)" } else { "" };
    format!("{:<14}{state}{how}", mode.as_str())
}

fn switch(global: &Global, mode: IntegrationMode, on: Option<bool>) -> Result<(), Failure> {
    let switched: Value = here_or_there(
        global,
        |app| {
            let modes = modes::switch(&app.reading.store, &app.reading.org, mode, on);
            modes.map(|modes| json!(modes)).map_err(Failure::failed)
        },
        async |remote| remote.post(&format!("modes/{}", mode.as_str()), &json!({ "on": on })).await,
    )?;
    if global.json {
        return output::json(&switched);
    }
    let on = switched[mode.as_str()]["effective"] == true;
    output::line(&format!("{} {}", mode.as_str(), if on { "on" } else { "off" }))?;
    match (mode, on, switched["catching_up"].as_bool()) {
        (IntegrationMode::Ingest, true, Some(true)) => {
            output::line("a catch_up reads what was missed meanwhile; `hublore status` shows it")
        }
        (IntegrationMode::Ingest, true, None) => {
            output::line("what was missed meanwhile is read by the next sync: `hublore sync catch_up`")
        }
        _ => Ok(()),
    }
}
