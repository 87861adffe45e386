//! The command line: what can be typed, and how failures become exit codes. One verb per file.
//!
//! Exit codes: 0 done, 1 failed, 2 wrong usage, 3 refused (not connected, mode off, missing scope),
//! 130 interrupted cleanly. With `--json` stdout holds the answer and nothing else; logs go to stderr.

mod actions;
mod agents;
mod bars;
mod connect;
mod context;
mod demo;
mod disconnect;
mod doctor;
mod explain;
mod index;
mod modes;
mod output;
mod remote;
mod rules;
mod search;
mod segments;
mod serve;
mod show;
mod slack;
mod status;
mod sync;
mod webhooks;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use clap::parser::ValueSource;
use clap::{ArgMatches, Args, CommandFactory, FromArgMatches, Parser, Subcommand};
use etcetera::{BaseStrategy, choose_base_strategy};
use tracing_subscriber::EnvFilter;

use crate::app::{App, DataFolder, Reading, StartError};
use crate::config::{Config, ConfigError};
use crate::domain::clock::SystemClock;
use crate::hubspot::error::HubspotError;
use crate::knowledge::KnowledgeError;
use crate::sync::SyncError;

/// HubSpot turned into knowledge that AI agents can search, cite and act on.
#[derive(Debug, Parser)]
#[command(name = "hublore", version, max_term_width = 100, after_help = exit_codes())]
struct Cli {
    #[command(flatten)]
    global: Global,
    #[command(subcommand)]
    verb: Verb,
}

/// Options of every verb.
#[derive(Debug, Clone, Args)]
struct Global {
    /// Settings file; see the defaults for what can be set
    #[arg(long, global = true, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for database, index and keys
    #[arg(long, global = true, value_name = "DIR", env = "HUBLORE_DATA_DIR")]
    data_dir: Option<PathBuf>,
    /// Organisation to work on, where there are several
    #[arg(long, global = true, value_name = "ORG")]
    org: Option<String>,
    /// Machine-readable answer on stdout, nothing else there
    #[arg(long, global = true)]
    json: bool,
    /// More on stderr; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    verbose: u8,
    /// Only errors on stderr
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    quiet: bool,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Show everything at work on a simulated HubSpot portal, in a temporary data folder of its own
    Demo(demo::Demo),
    /// Run the server: API for agents, OAuth pages, background sync
    Serve(serve::Serve),
    /// Connect a HubSpot portal
    Connect(connect::Connect),
    /// The three modes: ingest, actions, notifications
    Modes(modes::ModesVerb),
    /// Remove access to the portal; what was read stays
    Disconnect,
    /// Read from HubSpot, here or in the running server
    Sync(sync::Sync),
    /// Connection, totals, freshness, last run
    Status,
    /// Search the knowledge base
    Search(search::Search),
    /// A customer's context as an agent gets it
    Context(context::CustomerContext),
    /// Read one engagement, its body laid out for people and secrets masked, or one insight with its proof
    Show(show::Show),
    /// Why an engagement or an insight is, or is not, found
    Explain(explain::Explain),
    /// Saved filters over contacts and companies by their deals: who is in them, how much is at stake
    Segments(segments::Segments),
    /// Rebuild, verify, measure or roll back the index
    Index(index::Index),
    /// Learning rules: what becomes knowledge
    Rules(rules::Rules),
    /// Post new engagements to Slack
    Slack(slack::Slack),
    /// Webhooks: what to enter in HubSpot, what came, and looking at it again
    Webhooks(webhooks::Webhooks),
    /// Agents and their keys
    Agents(agents::Agents),
    /// Check settings, data, index, clock, HubSpot and permissions; say what to do
    Doctor(doctor::Doctor),
}

/// What the exit codes mean; `docs/operations.md` says the same.
const EXIT_CODES: [(u8, &str); 5] = [
    (0, "done"),
    (1, "failed"),
    (2, "wrong usage: an argument, a setting or a name that does not exist"),
    (3, "refused: no data or connection, a mode that is off, a missing scope"),
    (130, "interrupted cleanly; run it again to go on"),
];

fn exit_codes() -> String {
    let lines: Vec<String> =
        EXIT_CODES.iter().map(|(code, meaning)| format!("  {code:>3}  {meaning}")).collect();
    format!("Exit codes:\n{}", lines.join("\n"))
}

/// A failure on its way to the exit code.
#[derive(Debug)]
enum Failure {
    /// Code 1.
    Failed(String),
    /// Code 2.
    Usage(String),
    /// Code 3.
    Refused(String),
    /// Code 130.
    Interrupted,
    /// Code 0: who read the output has enough of it (`| head`).
    Unread,
}

impl Failure {
    fn failed(error: impl std::fmt::Display) -> Self {
        Self::Failed(error.to_string())
    }

    fn code(&self) -> u8 {
        match self {
            Self::Failed(_) => 1,
            Self::Usage(_) => 2,
            Self::Refused(_) => 3,
            Self::Interrupted => 130,
            Self::Unread => 0,
        }
    }

    fn text(&self) -> &str {
        match self {
            Self::Failed(text) | Self::Usage(text) | Self::Refused(text) => text,
            Self::Interrupted => "interrupted; run it again to go on from here",
            Self::Unread => "",
        }
    }
}

impl From<ConfigError> for Failure {
    fn from(error: ConfigError) -> Self {
        Self::Usage(error.to_string())
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        match error {
            StartError::NoSuchOrg(_) => Self::Usage(error.to_string()),
            StartError::Empty(_) => Self::Refused(error.to_string()),
            other => Self::failed(other),
        }
    }
}

impl From<SyncError> for Failure {
    fn from(error: SyncError) -> Self {
        match error {
            SyncError::NotConnected
            | SyncError::AppNotConfigured
            | SyncError::IngestOff
            | SyncError::Paused { .. }
            | SyncError::ForeignConsent
            | SyncError::ConsentRefused(_)
            | SyncError::OtherPortal { .. }
            | SyncError::Hubspot(HubspotError::MissingScope { .. } | HubspotError::Revoked(_)) => {
                Self::Refused(error.to_string())
            }
            other => Self::failed(other),
        }
    }
}

impl From<KnowledgeError> for Failure {
    fn from(error: KnowledgeError) -> Self {
        match error {
            KnowledgeError::BadRequest(text) => Self::Usage(text),
            other => Self::failed(other),
        }
    }
}

/// Parses the command line, runs the verb, answers its exit code.
#[must_use]
pub fn main() -> ExitCode {
    let typed = Cli::command().get_matches();
    let cli = match Cli::from_arg_matches(&typed) {
        Ok(cli) => cli,
        Err(error) => error.exit(),
    };
    let quiet = cli.global.quiet;
    match run(cli, &typed) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            let silent = match failure {
                Failure::Unread => true,
                Failure::Interrupted => quiet,
                _ => false,
            };
            if !silent {
                eprintln!("hublore: {}", failure.text());
            }
            ExitCode::from(failure.code())
        }
    }
}

fn run(cli: Cli, typed: &ArgMatches) -> Result<(), Failure> {
    let global = cli.global;
    match cli.verb {
        Verb::Demo(demo) => {
            // The folder of the environment is for the other verbs.
            let named = typed.value_source("data_dir") == Some(ValueSource::CommandLine);
            demo::run(&global, &demo, named)
        }
        Verb::Serve(serve) => serve::run(&global, &serve),
        Verb::Connect(connect) => connect::run(&global, &connect),
        Verb::Modes(modes) => modes::run(&global, &modes),
        Verb::Disconnect => disconnect::run(&global),
        Verb::Sync(sync) => sync::run(&global, &sync),
        Verb::Status => status::run(&global),
        Verb::Search(search) => search::run(&global, &search),
        Verb::Context(context) => context::run(&global, &context),
        Verb::Show(show) => show::run(&global, &show),
        Verb::Explain(explain) => explain::run(&global, &explain),
        Verb::Segments(segments) => segments::run(&global, &segments),
        Verb::Index(index) => index::run(&global, &index),
        Verb::Rules(rules) => rules::run(&global, &rules),
        Verb::Slack(slack) => slack::run(&global, &slack),
        Verb::Webhooks(webhooks) => webhooks::run(&global, &webhooks),
        Verb::Agents(agents) => agents::run(&global, &agents),
        Verb::Doctor(doctor) => doctor::run(&global, &doctor),
    }
}

impl Global {
    /// Settings of files and environment; starts the log.
    fn config(&self) -> Result<Arc<Config>, Failure> {
        self.config_with(&[])
    }

    fn config_with(&self, fixed: &[(&str, String)]) -> Result<Arc<Config>, Failure> {
        let config = Config::load_with(self.config.as_deref(), fixed)?;
        self.start_log(&config)?;
        Ok(Arc::new(config))
    }

    fn start_log(&self, config: &Config) -> Result<(), Failure> {
        let level = match (self.quiet, self.verbose) {
            (true, _) => "error",
            (_, 0) => config.log.filter.as_str(),
            (_, 1) => "warn,hublore=info",
            _ => "info,hublore=debug",
        };
        let filter = EnvFilter::try_new(level)
            .map_err(|error| Failure::Usage(format!("log.level: `{level}` is not a log filter ({error})")))?;
        let log = tracing_subscriber::fmt()
            .with_env_filter(filter)
            .with_writer(std::io::stderr)
            .with_ansi(output::coloured(&std::io::stderr()));
        // A second start in one process (tests) keeps the first log.
        let _ = if config.log.json { log.json().try_init() } else { log.try_init() };
        Ok(())
    }

    /// The data folder: as told, or the platform's.
    fn folder(&self) -> Result<DataFolder, Failure> {
        let platform = || choose_base_strategy().ok().map(|platform| platform.data_dir().join("hublore"));
        let path = self.data_dir.clone().or_else(platform);
        path.map(DataFolder::at)
            .ok_or_else(|| Failure::Usage("say where the data is with --data-dir DIR".to_owned()))
    }

    /// Opens the data folder for this process alone, beginning it where there is none.
    fn app(&self, config: Arc<Config>) -> Result<Arc<App>, Failure> {
        Ok(Arc::new(App::begin(config, self.folder()?, self.org.as_deref(), Arc::new(SystemClock))?))
    }

    /// The same for a server, which answers while an index of another version is rebuilt.
    fn app_to_serve(&self, config: Arc<Config>) -> Result<Arc<App>, Failure> {
        let (folder, org) = (self.folder()?, self.org.as_deref());
        Ok(Arc::new(App::open_to_serve(config, folder, org, Arc::new(SystemClock))?))
    }

    /// Opens the data folder for reading, whoever owns it.
    fn reading(&self) -> Result<Reading, Failure> {
        Ok(Reading::open(self.config()?, &self.folder()?, self.org.as_deref())?)
    }
}

/// A runtime for the verbs that talk to a network.
fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    tokio::runtime::Builder::new_multi_thread().enable_all().build().map_err(Failure::failed)
}

/// An address to listen on, checked while parsing.
fn listen_address(text: &str) -> Result<SocketAddr, String> {
    text.parse().map_err(|_| format!("`{text}` is not an address like 127.0.0.1:8787"))
}
