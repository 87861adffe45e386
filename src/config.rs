//! Settings: as written (files and environment), then as meant (checked types).
//!
//! `default.toml` is the manual and is compiled in. Not here: mode toggles and rules, which belong to an
//! organisation and live in the store.

mod actions;
mod log;
mod model;
mod search;
mod slack;
mod webhooks;

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use serde::Deserialize;
use url::{Host, Url};

use crate::domain::engagement::{Kind, SkipReason};
use crate::domain::rule::Unsure;
use crate::hubspot::paths::ApiVersion;
use crate::hubspot::properties::Wanted;

pub use actions::Actions;
pub use log::Log;
pub use model::Model;
pub use search::Search;
pub use slack::Slack;
pub use webhooks::Webhooks;

use actions::WrittenActions;
use log::WrittenLog;
use model::WrittenModel;
use search::WrittenSearch;
use slack::WrittenSlack;
use webhooks::WrittenWebhooks;

/// The default file, as the manual and as the lowest layer.
pub const DEFAULTS: &str = include_str!("default.toml");

/// A setting that cannot be used; the text says which one and what to do.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

fn bad<T>(text: impl Into<String>) -> Result<T, ConfigError> {
    Err(ConfigError(text.into()))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    server: WrittenServer,
    hubspot: WrittenHubspot,
    sync: WrittenSync,
    actions: WrittenActions,
    properties: Wanted,
    noise: WrittenNoise,
    rules: WrittenRules,
    distillation: WrittenDistillation,
    model: WrittenModel,
    slack: WrittenSlack,
    privacy: WrittenPrivacy,
    index: WrittenIndex,
    search: WrittenSearch,
    log: WrittenLog,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenServer {
    listen: String,
    public_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenHubspot {
    client_id: String,
    client_secret: SecretString,
    client_secret_file: String,
    api_version: String,
    api_base: String,
    regional_base: String,
    app_base: String,
    requests_per_10s: u32,
    timeout_s: u64,
    attempts: u32,
    retry_pause_ms: u64,
    webhooks: WrittenWebhooks,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenSync {
    every_minutes: f64,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenNoise {
    skip: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenRules {
    unsure: String,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenDistillation {
    enabled: bool,
    kinds: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenPrivacy {
    mask_secrets: bool,
    include_unlinked: bool,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenIndex {
    writer_memory_mb: usize,
    commit_ms: u64,
}

/// All settings, checked.
#[derive(Debug, Clone)]
pub struct Config {
    /// The server.
    pub server: Server,
    /// HubSpot.
    pub hubspot: Hubspot,
    /// Time between the runs a server starts by itself.
    pub sync_every: Duration,
    /// What limits agents' actions.
    pub actions: Actions,
    /// Properties to read besides those that have a place of their own.
    pub properties: Wanted,
    /// Reasons for which mail is stored but not learned.
    pub skip_noise: BTreeSet<SkipReason>,
    /// What is done where no topic judge can tell.
    pub unsure: Unsure,
    /// Kinds of engagement that insights are distilled from; none is off.
    pub distilled_kinds: BTreeSet<Kind>,
    /// The model that reads engagements too, where there is one.
    pub model: Option<Model>,
    /// Posting to Slack.
    pub slack: Slack,
    /// Mask secrets before indexing.
    pub mask_secrets: bool,
    /// Customer-scoped searches also see unlinked engagements.
    pub include_unlinked: bool,
    /// The index.
    pub index: Index,
    /// What counts in a search beside the words.
    pub search: Search,
    /// What is logged.
    pub log: Log,
}

/// Settings of the server.
#[derive(Debug, Clone)]
pub struct Server {
    /// Listening address.
    pub listen: SocketAddr,
    /// How others reach us.
    pub public_url: Url,
}

/// Settings of the connection to HubSpot.
#[derive(Debug, Clone)]
pub struct Hubspot {
    /// OAuth client id; empty until the operator sets it.
    pub client_id: String,
    /// OAuth client secret.
    pub client_secret: SecretString,
    /// Version of the API.
    pub api_version: ApiVersion,
    /// Host of the API.
    pub api_base: Url,
    /// Host of the API for one region, with `{hublet}` in the place of its name.
    pub regional_base: String,
    /// Host of the app, for consent and links.
    pub app_base: Url,
    /// Fixed request rate, or `None` to follow HubSpot's headers.
    pub requests_per_10s: Option<u32>,
    /// Limit of one request.
    pub timeout: Duration,
    /// Tries per request.
    pub attempts: u32,
    /// Pause before the second try; it doubles.
    pub retry_pause: Duration,
    /// Webhooks.
    pub webhooks: Webhooks,
}

/// Settings of the index.
#[derive(Debug, Clone)]
pub struct Index {
    /// Memory for building, bytes.
    pub writer_budget_bytes: usize,
    /// How long a change may wait for the next commit.
    pub commit_after: Duration,
}

impl Config {
    /// Reads defaults, then `file`, then the environment.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        Self::load_with(file, &[])
    }

    /// Like [`Self::load`], with settings (`section.key`) that override everything.
    pub fn load_with(file: Option<&Path>, fixed: &[(&str, String)]) -> Result<Self, ConfigError> {
        use config::{Environment, File, FileFormat};
        let mut layers = config::Config::builder().add_source(File::from_str(DEFAULTS, FileFormat::Toml));
        if let Some(file) = file {
            layers = layers.add_source(File::from(file).format(FileFormat::Toml).required(true));
        }
        // Other variables of ours (HUBLORE_DATA_DIR) have no section and are no settings.
        let settings =
            std::env::vars().filter(|(name, _)| name.starts_with("HUBLORE_") && name.contains("__"));
        let environment = Environment::with_prefix("HUBLORE")
            .prefix_separator("_")
            .separator("__")
            .try_parsing(true)
            .list_separator(",")
            .with_list_parse_key("noise.skip")
            .with_list_parse_key("distillation.kinds")
            .with_list_parse_key("properties.contacts")
            .with_list_parse_key("properties.companies")
            .with_list_parse_key("properties.deals")
            .source(Some(settings.collect()));
        let mut layers = layers.add_source(environment);
        for (setting, value) in fixed {
            layers = layers
                .set_override(*setting, value.as_str())
                .map_err(|error| ConfigError(error.to_string()))?;
        }
        let written = layers.build().and_then(config::Config::try_deserialize::<Written>);
        match written {
            Ok(written) => written.check(),
            Err(error) => bad(format!(
                "settings: {error}; `hublore doctor --settings` lists every setting with its default"
            )),
        }
    }
}

impl Written {
    fn check(self) -> Result<Config, ConfigError> {
        let h = self.hubspot;
        Ok(Config {
            server: Server {
                listen: self.server.listen.parse().map_err(|_| {
                    ConfigError(format!(
                        "server.listen: `{}` is not an address like 127.0.0.1:8787",
                        self.server.listen
                    ))
                })?,
                public_url: web_address("server.public_url", &self.server.public_url, true)?,
            },
            hubspot: Hubspot {
                client_id: h.client_id,
                client_secret: secret("hubspot.client_secret_file", h.client_secret, &h.client_secret_file)?,
                api_version: ApiVersion::parse(&h.api_version).ok_or_else(|| {
                    ConfigError(format!(
                        "hubspot.api_version: `{}` is not 2026-09, 2026-03 or legacy",
                        h.api_version
                    ))
                })?,
                api_base: web_address("hubspot.api_base", &h.api_base, false)?,
                regional_base: regional("hubspot.regional_base", &h.regional_base)?,
                app_base: web_address("hubspot.app_base", &h.app_base, false)?,
                requests_per_10s: (h.requests_per_10s > 0).then_some(h.requests_per_10s),
                timeout: Duration::from_secs(h.timeout_s.clamp(1, 600)),
                attempts: h.attempts.clamp(1, 20),
                retry_pause: Duration::from_millis(h.retry_pause_ms.clamp(1, 60_000)),
                webhooks: h.webhooks.check(),
            },
            sync_every: every(self.sync.every_minutes)?,
            actions: self.actions.check()?,
            properties: self.properties,
            skip_noise: self.noise.skip.iter().map(|name| noise(name)).collect::<Result<_, _>>()?,
            unsure: Unsure::parse(self.rules.unsure.trim()).ok_or_else(|| {
                ConfigError(format!("rules.unsure: `{}` is not hold, learn or skip", self.rules.unsure))
            })?,
            distilled_kinds: distilled_kinds(&self.distillation)?,
            model: self.model.check()?,
            slack: self.slack.check()?,
            mask_secrets: self.privacy.mask_secrets,
            include_unlinked: self.privacy.include_unlinked,
            index: Index {
                writer_budget_bytes: self.index.writer_memory_mb.clamp(15, 4000) << 20,
                commit_after: Duration::from_millis(self.index.commit_ms.clamp(10, 60_000)),
            },
            search: self.search.check()?,
            log: self.log.check()?,
        })
    }
}

fn secret(setting: &str, written: SecretString, file: &str) -> Result<SecretString, ConfigError> {
    if file.is_empty() {
        return Ok(written);
    }
    match std::fs::read_to_string(PathBuf::from(file)) {
        Ok(text) => Ok(SecretString::from(text.trim().to_owned())),
        Err(error) => bad(format!("{setting}: cannot read `{file}`: {error}")),
    }
}

fn every(minutes: f64) -> Result<Duration, ConfigError> {
    if !(0.01..=1_000_000.0).contains(&minutes) {
        return bad(format!("sync.every_minutes: {minutes} is not a number of minutes above 0"));
    }
    Ok(Duration::from_secs_f64(minutes * 60.0))
}

fn distilled_kinds(written: &WrittenDistillation) -> Result<BTreeSet<Kind>, ConfigError> {
    let kinds = written.kinds.iter().map(|name| {
        Kind::parse(name.trim()).ok_or_else(|| {
            let names = Kind::ALL.map(Kind::as_str).join(", ");
            ConfigError(format!("distillation.kinds: `{name}` is not one of {names}"))
        })
    });
    let kinds = kinds.collect::<Result<BTreeSet<_>, _>>()?;
    Ok(if written.enabled { kinds } else { BTreeSet::new() })
}

fn noise(name: &str) -> Result<SkipReason, ConfigError> {
    let known = [SkipReason::AutoReply, SkipReason::Bounce, SkipReason::Calendar, SkipReason::Newsletter];
    let found = known.into_iter().find(|reason| reason.as_str() == name.trim());
    found.ok_or_else(|| {
        ConfigError(format!("noise.skip: `{name}` is not auto_reply, bounce, calendar or newsletter"))
    })
}

fn web_address(setting: &str, text: &str, plain_allowed: bool) -> Result<Url, ConfigError> {
    let Ok(mut url) = Url::parse(text) else {
        return bad(format!("{setting}: `{text}` is not an address like https://example.com"));
    };
    let encrypted = url.scheme() == "https";
    if !encrypted && !(url.scheme() == "http" && (plain_allowed || is_loopback(&url))) {
        return bad(format!(
            "{setting}: `{text}` must start with https:// (tokens would travel unprotected)"
        ));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    url.set_path(&path);
    Ok(url)
}

/// An address that holds the name of a region.
fn regional(setting: &str, text: &str) -> Result<String, ConfigError> {
    web_address(setting, &text.replace("{hublet}", "eu1"), false)?;
    Ok(text.trim_end_matches('/').to_owned())
}

fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn written(text: &str) -> Result<Config, ConfigError> {
        let file = tempfile::NamedTempFile::with_suffix(".toml").unwrap();
        std::fs::write(file.path(), text).unwrap();
        Config::load(Some(file.path()))
    }

    #[test]
    fn the_manual_is_a_valid_configuration() {
        let config = Config::load(None).unwrap();
        assert_eq!(config.server.listen.port(), 8787);
        assert_eq!(config.skip_noise.len(), 4);
    }

    #[test]
    fn what_cannot_be_used_is_refused_by_name() {
        for (text, named) in [
            ("[hubspot]\nclient_idd = \"x\"", "client_idd"),
            ("[hubspots]\nx = 1", "hubspots"),
            ("[hubspot]\napi_base = \"http://example.com\"", "hubspot.api_base"),
            ("[hubspot]\napi_version = \"v3\"", "hubspot.api_version"),
            ("[server]\nlisten = \"here\"", "server.listen"),
            ("[noise]\nskip = [\"spam\"]", "noise.skip"),
            ("[actions]\ntime_zone = \"Mars/Olympus\"", "actions.time_zone"),
            ("[rules]\nunsure = \"maybe\"", "rules.unsure"),
            ("[model]\nbase_url = \"http://example.com/v1\"\nname = \"m\"", "model.base_url"),
            ("[model]\nbase_url = \"https://example.com/v1\"", "model.name"),
            ("[distillation]\nkinds = [\"fax\"]", "distillation.kinds"),
            ("[slack]\nwebhook_base = \"https://hooks.slack.example\"", "slack.webhook_base"),
            ("[slack]\napi_base = \"http://slack.com/api\"", "slack.api_base"),
            ("[slack]\ndigest_hour = 24", "slack.digest_hour"),
            ("[search]\nrecency_weight = 2", "search.recency_weight"),
            ("[search]\nkinds = { fax = 1.1 }", "search.kinds"),
            ("[log]\nlevel = \"bogus\"", "log.level"),
            ("[log]\nlevel = \"warn,hublore=loud\"", "log.level"),
            ("[log]\nlevel = \"\"", "log.level"),
        ] {
            let error = written(text).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}
