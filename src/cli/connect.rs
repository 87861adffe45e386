//! `hublore connect`: prints the address where a person gives consent, waits for the answer, syncs.
//!
//! With a server running the address is the server's and the rest happens there.

use std::io::IsTerminal;
use std::sync::Arc;
use std::time::Duration;

use clap::Args;
use secrecy::SecretString;
use serde_json::json;

use super::remote::Remote;
use super::serve::{served, stop_on_signal};
use super::{Failure, Global, output, runtime, sync};
use crate::app::App;
use crate::jobs::JobState;
use crate::server::bind;
use crate::server::consent::{self, ConsentEnd};
use crate::sync::SyncError;
use crate::sync::other_portal::OtherPortal;

/// How long to wait for a person.
const PATIENCE: Duration = Duration::from_secs(600);

#[derive(Debug, Args)]
pub(super) struct Connect {
    /// Connect with a static service key read from this file (- for standard input) instead of OAuth
    #[arg(long, value_name = "FILE")]
    service_key: Option<String>,
    /// If it is another portal than the one whose data is here: refuse, keep it apart in an organisation of its own, or
    /// remove what was read from the former one first. Without it a browser is asked, a service key refused
    #[arg(long, value_name = "CHOICE", value_parser = other_portal)]
    other_portal: Option<OtherPortal>,
    /// Do not run the first sync afterwards
    #[arg(long, requires = "service_key")]
    no_sync: bool,
}

fn other_portal(text: &str) -> Result<OtherPortal, String> {
    let names = OtherPortal::ALL.map(OtherPortal::as_str).join(", ");
    OtherPortal::parse(text).ok_or_else(|| format!("the choices are {names}"))
}

pub(super) fn run(global: &Global, connect: &Connect) -> Result<(), Failure> {
    let config = global.config()?;
    let choice = connect.other_portal;
    runtime()?.block_on(async {
        if let Some(remote) = Remote::find(global).await? {
            if connect.service_key.is_some() {
                return Err(Failure::Refused(
                    "a server owns the data folder; stop it, connect with the key, start it again".to_owned(),
                ));
            }
            let answer =
                remote.post("connect", &json!({ "other_portal": choice.map(OtherPortal::as_str) })).await?;
            let link = answer["link"].as_str().unwrap_or_default();
            show(global, link)?;
            if !global.json && !global.quiet {
                eprintln!(
                    "the server goes on from there: `hublore status` shows the connection and the first sync"
                );
            }
            return Ok(());
        }
        let app = global.app(Arc::clone(&config))?;
        match &connect.service_key {
            Some(file) => with_key(global, &app, file, choice.unwrap_or_default(), connect.no_sync).await,
            None => with_consent(global, app, choice).await,
        }
    })
}

fn show(global: &Global, link: &str) -> Result<(), Failure> {
    if global.json {
        return output::json(&json!({ "link": link }));
    }
    output::line(&format!("Open this address in a browser and approve the connection:\n\n  {link}\n"))
}

async fn with_key(
    global: &Global,
    app: &Arc<App>,
    file: &str,
    choice: OtherPortal,
    no_sync: bool,
) -> Result<(), Failure> {
    let text =
        if file == "-" { std::io::read_to_string(std::io::stdin()) } else { std::fs::read_to_string(file) };
    let text =
        text.map_err(|error| Failure::Usage(format!("cannot read the service key from `{file}`: {error}")))?;
    if text.trim().is_empty() {
        return Err(Failure::Usage(format!("`{file}` holds no service key")));
    }
    let key = SecretString::from(text.trim().to_owned());
    let candidate = app.connector.try_key(&app.reading.org, key).await?;
    let connector = app.connector.clone();
    let kept = tokio::task::spawn_blocking(move || connector.keep(&candidate, choice)).await;
    let connection = kept.map_err(Failure::failed)??;
    let apart = connection.org != app.reading.org;
    if no_sync || apart && global.json {
        let org = connection.org.as_str();
        return output::json(&json!({ "portal_id": connection.portal, "org": org }));
    }
    if apart {
        let org = connection.org.as_str();
        return output::line(&format!(
            "portal {} is connected as organisation {org}, apart from what was here; read it with \
             `hublore --org {org} sync`",
            connection.portal
        ));
    }
    sync::here(global, app).await
}

/// Listens for HubSpot's answer until the connection stands and its first sync is done.
async fn with_consent(global: &Global, app: Arc<App>, choice: Option<OtherPortal>) -> Result<(), Failure> {
    // Asked for once here so that missing settings are told before anybody opens a browser.
    app.connector.begin_consent(&app.reading.org, None, choice)?;
    let listener = bind(app.reading.config.server.listen).await.map_err(Failure::Failed)?;
    let address = listener.local_addr().map_err(Failure::failed)?;
    let served = served(&app, address)?;
    let link =
        consent::link(&served, choice).map_err(|_| Failure::Failed("no link could be made".to_owned()))?;
    show(global, &link)?;
    if std::io::stderr().is_terminal() {
        eprintln!("waiting for the answer (Ctrl-C to give up)");
    }
    let mut stop = stop_on_signal();
    let jobs = served.jobs.clone();
    let mut consents = served.consents.subscribe();
    let serving = tokio::spawn(served.serve(listener, stop.clone()));
    let ended = tokio::select! {
        state = until_done(global, &jobs) => state,
        end = consents.wait_for(Option::is_some) => {
            let end = end.ok().and_then(|end| end.clone());
            // The browser is told the same; it gets its answer before the process ends.
            tokio::time::sleep(Duration::from_millis(300)).await;
            serving.abort();
            return without_sync(global, end);
        }
        _ = stop.wait_for(|stop| *stop) => Err(Failure::Interrupted),
    };
    serving.abort();
    match ended? {
        JobState::Done { report } => sync::show(global, &report),
        JobState::Failed { error } => Err(Failure::Failed(error)),
        JobState::Idle | JobState::Running { .. } => {
            Err(Failure::from(SyncError::ConsentRefused("no answer came within ten minutes".to_owned())))
        }
    }
}

/// Says how a consent ended that brings no first sync here.
fn without_sync(global: &Global, end: Option<ConsentEnd>) -> Result<(), Failure> {
    match end {
        Some(ConsentEnd::KeptApart(told)) if global.json => output::json(&json!({ "kept_apart": told })),
        Some(ConsentEnd::KeptApart(told)) => output::line(&told),
        Some(ConsentEnd::Refused(told)) => Err(Failure::Refused(told)),
        Some(ConsentEnd::Failed(told)) => Err(Failure::Failed(told)),
        None => Err(Failure::Interrupted),
    }
}

/// Waits for the run that a consent starts, showing its progress, or for patience to end.
pub(super) async fn until_done(global: &Global, jobs: &crate::jobs::Jobs) -> Result<JobState, Failure> {
    let started = std::time::Instant::now();
    while matches!(jobs.state(), JobState::Idle) {
        if started.elapsed() > PATIENCE {
            return Ok(JobState::Idle);
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let _bars = super::bars::Bars::show(jobs.progress(), global.quiet);
    while matches!(jobs.state(), JobState::Running { .. }) {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(jobs.state())
}
