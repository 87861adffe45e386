//! `hublore demo`: the whole product at work on a simulated portal, in an empty temporary data folder.
//!
//! Nothing is skipped: the demo walks through the portal's real consent page like a person with a browser.

use std::net::SocketAddr;
use std::sync::Arc;

use clap::Args;
use hubspot_simulator::Options;
use serde::Serialize;
use tokio::net::TcpListener;

use super::connect::until_done;
use super::serve::{served, stop_on_signal};
use super::{Failure, Global, listen_address, output, runtime, search};
use crate::app::{App, DataFolder};
use crate::domain::clock::SystemClock;
use crate::domain::counted::counted;
use crate::jobs::JobState;
use crate::knowledge::context::{self, Context, ContextRequest};
use crate::knowledge::scope::Caller;
use crate::knowledge::search::{SearchAnswer, SearchRequest};
use crate::server::consent;
use crate::sync::report::Report;

/// What the demo asks where nothing else is asked for.
const QUESTIONS: [&str; 3] = ["renewal in March", "who is the account manager", "prefers monthly invoices"];

/// What is told about a customer best shows these.
const SAMPLE_FACTS: [&str; 3] = ["billing.frequency", "account_owner.owner", "renewal.end"];

#[derive(Debug, Args)]
pub(super) struct Demo {
    /// Contacts in the simulated portal; engagements are ten times as many
    #[arg(long, value_name = "N", default_value_t = 1000)]
    contacts: u64,
    /// Address of the server
    #[arg(long, value_name = "ADDR", default_value = "127.0.0.1:0", value_parser = listen_address)]
    listen: SocketAddr,
    /// Exit after the sync with one JSON report
    #[arg(long)]
    once: bool,
    /// Ask this instead of the three questions of the demo
    #[arg(long, value_name = "Q")]
    query: Option<String>,
}

/// The report of `demo --once`.
#[derive(Debug, Serialize)]
struct DemoReport {
    sync: Report,
    searches: Vec<Asked>,
    context: Option<Context>,
}

/// A question and its answer.
#[derive(Debug, Serialize)]
struct Asked {
    query: String,
    #[serde(flatten)]
    answer: SearchAnswer,
}

pub(super) fn run(global: &Global, demo: &Demo, folder_named: bool) -> Result<(), Failure> {
    if folder_named || global.org.is_some() {
        return Err(Failure::Usage(
            "the demo works in a temporary data folder with one organisation, and removes it at the end: leave out \
             --data-dir and --org; `hublore connect` reads a portal into a folder that stays"
                .to_owned(),
        ));
    }
    let folder = tempfile::Builder::new().prefix("hublore-demo-").tempdir().map_err(Failure::failed)?;
    let portal = Options { contacts: demo.contacts, ..Options::default() };
    let (client_id, client_secret) = (portal.client_id.clone(), portal.client_secret.clone());
    let portal = hubspot_simulator::start(portal).map_err(Failure::failed)?;
    runtime()?.block_on(async {
        let listener = crate::server::bind(demo.listen).await.map_err(Failure::Failed)?;
        let address = listener.local_addr().map_err(Failure::failed)?;
        let fixed = [
            ("server.public_url", format!("http://{address}")),
            ("hubspot.api_base", portal.base_url()),
            ("hubspot.app_base", portal.base_url()),
            ("hubspot.client_id", client_id),
            ("hubspot.client_secret", client_secret),
            // The portal is ours and has no limit.
            ("hubspot.requests_per_10s", "1000000".to_owned()),
        ];
        let config = global.config_with(&fixed)?;
        let data = DataFolder::at(folder.path().join("data"));
        let app = Arc::new(App::begin(config, data, None, Arc::new(SystemClock))?);
        show_it(global, demo, &app, listener, address).await
    })
}

async fn show_it(
    global: &Global,
    demo: &Demo,
    app: &Arc<App>,
    listener: TcpListener,
    address: SocketAddr,
) -> Result<(), Failure> {
    let talks = !(global.json || demo.once);
    let mut stop = stop_on_signal();
    let served = served(app, address)?;
    let link =
        consent::link(&served, None).map_err(|_| Failure::Failed("no link could be made".to_owned()))?;
    let jobs = served.jobs.clone();
    let serving = tokio::spawn(served.serve(listener, stop.clone()));
    if talks {
        output::line(&format!(
            "A simulated HubSpot portal with {} is running.",
            counted(demo.contacts, "contact")
        ))?;
        output::line("Connecting through its consent page, then reading everything:\n")?;
    }
    walker::consent(&link).await?;
    let state = tokio::select! {
        state = until_done(global, &jobs) => state?,
        _ = stop.wait_for(|stop| *stop) => return Err(Failure::Interrupted),
    };
    let report = match state {
        JobState::Done { report } => *report,
        JobState::Failed { error } => return Err(Failure::Failed(error)),
        JobState::Idle | JobState::Running { .. } => {
            return Err(Failure::Failed("the sync did not start".to_owned()));
        }
    };
    let outcome = report.outcome.clone();
    let asked = ask(app, demo)?;
    let context = context_of_first(app, &asked)?;
    if !talks {
        output::json(&DemoReport { sync: report, searches: asked, context })?;
    } else {
        tell(&report, &asked, context.as_ref())?;
    }
    if outcome != "complete" {
        return Err(Failure::Failed(format!("the sync is {outcome}")));
    }
    if !demo.once {
        keep_open(app, address, stop).await?;
    }
    serving.abort();
    Ok(())
}

fn ask(app: &Arc<App>, demo: &Demo) -> Result<Vec<Asked>, Failure> {
    let questions: Vec<String> = match &demo.query {
        Some(query) => vec![query.clone()],
        None => QUESTIONS.map(str::to_owned).to_vec(),
    };
    let caller = Caller::operator(app.reading.org.clone());
    let ask = |query: String| {
        let request = SearchRequest { query: query.clone(), limit: Some(3), ..SearchRequest::default() };
        let answer = app.reading.search().run(&caller, &request)?;
        Ok(Asked { query, answer })
    };
    questions.into_iter().map(ask).collect()
}

/// The context of that customer, of all the answers name, of whom most of the sample facts are known.
fn context_of_first(app: &Arc<App>, asked: &[Asked]) -> Result<Option<Context>, Failure> {
    let hits = asked.iter().flat_map(|asked| &asked.answer.hits);
    let mut emails: Vec<&String> = Vec::new();
    for email in hits.flat_map(|hit| &hit.customers).filter_map(|customer| customer.email.as_ref()) {
        if !emails.contains(&email) {
            emails.push(email);
        }
    }
    let reading = &app.reading;
    let request = ContextRequest { query: asked.first().map(|asked| asked.query.clone()), as_of: None };
    let caller = Caller::operator(reading.org.clone());
    let mut best: Option<(usize, Context)> = None;
    for email in emails {
        let context = context::of(&reading.store, &*reading.index, &caller, email, &request)?;
        let known = SAMPLE_FACTS.iter().filter(|slot| context.insights.iter().any(|one| one.slot == **slot));
        let known = known.count();
        if best.as_ref().is_none_or(|(most, _)| known > *most) {
            best = Some((known, context));
        }
    }
    Ok(best.map(|(_, context)| context))
}

fn tell(report: &Report, asked: &[Asked], context: Option<&Context>) -> Result<(), Failure> {
    let engagements: u64 = report.engagements.values().map(|kind| kind.fetched).sum();
    output::line(&format!(
        "\nRead {} and {} with {}; {} can be searched.",
        counted(report.types.get("contacts").map_or(0, |contacts| contacts.fetched), "contact"),
        counted(engagements, "engagement"),
        counted(report.requests.total, "request"),
        counted(report.documents, "document")
    ))?;
    for asked in asked {
        output::line(&format!("\n--- search: {}", asked.query))?;
        search::show(&asked.answer)?;
    }
    if let Some(context) = context {
        output::line("\n--- what an agent is told about one customer")?;
        output::line(context.text.trim_end())?;
    }
    Ok(())
}

async fn keep_open(
    app: &Arc<App>,
    address: SocketAddr,
    mut stop: tokio::sync::watch::Receiver<bool>,
) -> Result<(), Failure> {
    let reading = &app.reading;
    let made = crate::agents::create(&reading.store, &reading.org, "demo", None, app.clock.now());
    let key = made.map_err(Failure::failed)?.key;
    output::line(&format!(
        "\nThe server stays open at http://{address} until Ctrl-C. Ask it as an agent:\n\n  \
         curl -s http://{address}/api/v1/search -H 'Authorization: Bearer {key}' -d '{{\"query\":\"renewal\"}}'"
    ))?;
    let _ = stop.wait_for(|stop| *stop).await;
    Ok(())
}

/// A person with a browser, as far as a consent needs one.
mod walker {
    use std::time::Duration;

    use html5gum::{Token, Tokenizer};
    use url::Url;

    use super::Failure;

    /// Opens the connect page, approves on HubSpot's page and comes back.
    pub(super) async fn consent(link: &str) -> Result<(), Failure> {
        let http = crate::http::client(Duration::from_secs(60)).map_err(Failure::failed)?;
        let sent = http.get(link).send().await.map_err(Failure::failed)?;
        let cookies = sent.headers().get_all("set-cookie").iter().filter_map(|value| value.to_str().ok());
        let cookie: Vec<String> =
            cookies.filter_map(|cookie| cookie.split(';').next()).map(str::to_owned).collect();
        let consent = target(&sent, link)?;
        let page = http.get(consent.clone()).send().await.map_err(Failure::failed)?;
        let (action, mut fields) = form(&page.text().await.map_err(Failure::failed)?);
        fields.push(("decision".to_owned(), "approve".to_owned()));
        let action = consent.join(&action).map_err(Failure::failed)?;
        let answer = http.post(action.clone()).form(&fields).send().await.map_err(Failure::failed)?;
        let back = target(&answer, action.as_str())?;
        let done =
            http.get(back).header("cookie", cookie.join("; ")).send().await.map_err(Failure::failed)?;
        if done.status().is_success() {
            return Ok(());
        }
        Err(Failure::Failed(format!("the portal could not be connected ({})", done.status())))
    }

    fn target(response: &reqwest::Response, base: &str) -> Result<Url, Failure> {
        let location = response.headers().get("location").and_then(|value| value.to_str().ok());
        let location =
            location.ok_or_else(|| Failure::Failed(format!("{} did not redirect", response.url().path())))?;
        Url::parse(base).and_then(|base| base.join(location)).map_err(Failure::failed)
    }

    /// Address and hidden fields of the first form of a page.
    fn form(page: &str) -> (String, Vec<(String, String)>) {
        let (mut action, mut fields) = (String::new(), Vec::new());
        for token in Tokenizer::new(page).flatten() {
            let Token::StartTag(tag) = token else { continue };
            let attribute = |name: &[u8]| {
                let found = tag.attributes.iter().find(|(key, _)| key.as_slice() == name);
                found.map(|(_, value)| String::from_utf8_lossy(value).into_owned())
            };
            match tag.name.as_slice() {
                b"form" => action = attribute(b"action").unwrap_or_default(),
                b"input" if attribute(b"type").as_deref() == Some("hidden") => {
                    fields.extend(attribute(b"name").zip(attribute(b"value")));
                }
                _ => {}
            }
        }
        (action, fields)
    }
}
