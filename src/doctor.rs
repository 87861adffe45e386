//! `hublore doctor`: what is wrong with an installation, and what to do about it.
//!
//! It looks and tells; it repairs nothing. Parts that a running server holds are judged by what it stored.

use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use hublore_index::KnowledgeIndex;
use serde::Serialize;

use crate::app::{self, App, DataFolder, StartError};
use crate::config::Config;
use crate::domain::clock::{Clock, Millis};
use crate::domain::counted::counted;
use crate::hubspot::oauth::{OPTIONAL_SCOPES, REQUIRED_SCOPES, cost_of_missing};
use crate::hubspot::{account, reach};
use crate::notify::Notifications;
use crate::notify::state::{self, SlackState};
use crate::status::{self, Status};
use crate::store::connections::{Connection, Method};
use crate::store::properties::Reading;
use crate::store::{StoreError, connections};
use crate::sync::connection::{CALLBACK_PATH, Connector};
use crate::webhooks::overview::Overview;

/// Free space below which the disk counts as nearly full.
const LITTLE_SPACE: u64 = 2 << 30;
/// HubSpot refuses signatures older than five minutes; warn well before (contract, section 8.3).
const CLOCK_TOLERANCE_MS: i64 = 60_000;
/// How long before the end of support a version is worth a warning.
const NOTICE_MS: i64 = 180 * 24 * 60 * 60 * 1000;

/// How a check ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// As it should be.
    Ok,
    /// Works, but costs something or will not last.
    Warning,
    /// Does not work.
    Failed,
    /// Could not be looked at.
    Skipped,
}

/// One thing that was looked at.
#[derive(Debug, Clone, Serialize)]
pub struct Check {
    /// What.
    pub name: &'static str,
    /// How it ended.
    pub verdict: Verdict,
    /// What was seen.
    pub found: String,
    /// What to do, where something is to be done.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cure: Option<String>,
}

impl Check {
    fn new(name: &'static str, verdict: Verdict, found: impl Into<String>) -> Self {
        Self { name, verdict, found: found.into(), cure: None }
    }

    fn ok(name: &'static str, found: impl Into<String>) -> Self {
        Self::new(name, Verdict::Ok, found)
    }

    fn cure(mut self, cure: impl Into<String>) -> Self {
        self.cure = Some(cure.into());
        self
    }
}

/// Looks at everything, from the settings to HubSpot itself.
pub async fn examine(
    config: Arc<Config>,
    folder: DataFolder,
    org: Option<&str>,
    clock: Arc<dyn Clock>,
) -> Vec<Check> {
    let now = clock.now();
    let mut checks = vec![
        Check::ok("version", concat!("hublore ", env!("CARGO_PKG_VERSION"))),
        hubspot_app(&config),
        api_version(&config, now),
        hubspot_clock(&config, clock.as_ref()).await,
    ];
    checks.extend(data_folder(&folder));
    if !folder.has_data() {
        let start = "give the folder that has the data with --data-dir, or begin with `hublore connect`";
        checks.push(Check::new("database", Verdict::Skipped, "nothing has been read yet").cure(start));
        return checks;
    }
    if let Err(error) = folder.check() {
        let cure = "restore a backup of the data folder, or move it away and connect again";
        checks.push(Check::new("database", Verdict::Failed, error.to_string()).cure(cure));
        return checks;
    }
    match App::open(Arc::clone(&config), folder.clone(), org, clock) {
        Ok(app) => {
            checks.extend(knowledge(&app.reading));
            checks.extend(connection(&app.reading, Some(&app.connector)).await);
            checks.push(slack(&app.reading, Some(&app.notifications)).await);
        }
        // The server holds the folder: read beside it.
        Err(StartError::InUse(_)) => match app::Reading::open(config, &folder, org) {
            Ok(reading) => {
                checks.extend(knowledge(&reading));
                checks.extend(connection(&reading, None).await);
                checks.push(slack(&reading, None).await);
            }
            Err(error) => checks.push(Check::new("database", Verdict::Failed, error.to_string())),
        },
        Err(error) => checks.push(unopened(&error)),
    }
    checks
}

fn unopened(error: &StartError) -> Check {
    let check = Check::new("database", Verdict::Failed, error.to_string());
    match error {
        StartError::Store(StoreError::Damaged(_)) => {
            check.cure("restore a backup of the data folder, or move it away and connect again")
        }
        StartError::Knowledge(_) => {
            check.cure("delete the folder `index` in the data folder; it is built again from the database")
        }
        _ => check,
    }
}

fn hubspot_app(config: &Config) -> Check {
    let redirect = format!("{}{CALLBACK_PATH}", config.server.public_url.as_str().trim_end_matches('/'));
    let found = format!("redirect address {redirect}");
    if config.hubspot.client_id.is_empty() {
        return Check::new("hubspot app", Verdict::Warning, format!("no client id is set; {found}")).cure(
            "upload hubspot-app/ to HubSpot, then set hubspot.client_id and hubspot.client_secret; \
             not needed with a service key",
        );
    }
    let public = &config.server.public_url;
    if public.scheme() == "http" && public.host_str() != Some("localhost") {
        return Check::new("hubspot app", Verdict::Warning, found)
            .cure("HubSpot accepts plain http only for localhost: give server.public_url an https address");
    }
    Check::ok("hubspot app", found)
}

fn api_version(config: &Config, now: Millis) -> Check {
    let version = config.hubspot.api_version;
    let until = version.supported_until();
    let found = format!("{}, supported by HubSpot until about {until}", version.as_str());
    let end = Millis::parse(until).unwrap_or(now);
    if now.plus(NOTICE_MS) < end {
        return Check::ok("api version", found);
    }
    Check::new("api version", Verdict::Warning, found)
        .cure("set hubspot.api_version to the newest version this hublore knows, or update hublore")
}

async fn hubspot_clock(config: &Config, clock: &dyn Clock) -> Check {
    let name = "hubspot";
    match reach::time_there(&config.hubspot.api_base).await {
        Err(error) => Check::new(name, Verdict::Failed, error.to_string())
            .cure("check the network, a proxy in between, and hubspot.api_base"),
        Ok(None) => Check::ok(name, "answers; its answer has no date to compare our clock with"),
        Ok(Some(there)) => {
            let apart = clock.now().0.saturating_sub(there.0);
            if apart.abs() < CLOCK_TOLERANCE_MS {
                return Check::ok(name, "answers; clocks agree");
            }
            let found = format!("answers; our clock is {} off", counted(apart / 1000, "second"));
            Check::new(name, Verdict::Failed, found)
                .cure("set this machine's clock (NTP): tokens and signatures depend on it")
        }
    }
}

fn data_folder(folder: &DataFolder) -> Vec<Check> {
    let path = folder.path();
    let Ok(facts) = std::fs::metadata(path) else {
        return vec![Check::ok("data folder", format!("{} will be made", path.display()))];
    };
    if !facts.is_dir() {
        let cure = "give a folder with --data-dir";
        return vec![
            Check::new("data folder", Verdict::Failed, format!("{} is no folder", path.display())).cure(cure),
        ];
    }
    let open = facts.permissions().mode() & 0o077 != 0;
    let rights = if open {
        Check::new("data folder", Verdict::Warning, format!("{} can be read by others", path.display()))
            .cure(format!("chmod 700 {}", path.display()))
    } else {
        Check::ok("data folder", path.display().to_string())
    };
    vec![rights, space(path)]
}

fn space(path: &std::path::Path) -> Check {
    let Ok(disk) = rustix::fs::statvfs(path) else {
        return Check::new("disk", Verdict::Skipped, "the system does not tell how much is free");
    };
    let free = disk.f_bavail.saturating_mul(disk.f_frsize);
    let found = format!("{} MB free", free >> 20);
    if free >= LITTLE_SPACE {
        return Check::ok("disk", found);
    }
    Check::new("disk", Verdict::Warning, found)
        .cure("free some space: a rebuild of the index needs as much again as the index has")
}

/// Database and index, compared by count; `hublore index verify` compares them document by document.
fn knowledge(reading: &app::Reading) -> Vec<Check> {
    let status = match status::read(reading) {
        Ok(status) => status,
        Err(error) => return vec![Check::new("database", Verdict::Failed, error.to_string())],
    };
    let totals = &status.totals;
    let mut checks = vec![Check::ok(
        "database",
        format!(
            "no damage; {}, {}",
            counted(totals.contacts, "contact"),
            counted(totals.engagements, "engagement")
        ),
    )];
    if totals.parked > 0 {
        let found = format!("{} could not be taken in", counted(totals.parked, "record"));
        checks.push(Check::new("records", Verdict::Warning, found).cure("the next sync tries them again"));
    }
    checks.extend(properties(&status));
    checks.push(webhooks(&status.webhooks));
    checks.push(match reading.index.count(reading.org.as_str()) {
        Err(error) => Check::new("index", Verdict::Failed, error.to_string())
            .cure("delete the folder `index` in the data folder; it is built again from the database"),
        Ok(documents) => {
            let waiting = status.index_lag_changes;
            Check::ok(
                "index",
                format!("{}, {} waiting", counted(documents, "document"), counted(waiting, "change")),
            )
        }
    });
    checks
}

/// Webhooks are optional; what comes and is not believed, or cannot be looked at, is worth a word.
fn webhooks(seen: &Overview) -> Check {
    let name = "webhooks";
    let refused: u64 = seen.refused.values().sum();
    let found = match (seen.deliveries, seen.newest_refused()) {
        (0, _) if refused > 0 => Some(format!("{refused} came and none was believed")),
        (_, Some(at)) => {
            let reasons: Vec<String> =
                seen.refused.iter().map(|(reason, count)| format!("{count} {reason}")).collect();
            Some(format!("the newest, at {at}, was not believed; refused so far: {}", reasons.join(", ")))
        }
        _ => None,
    };
    if let Some(found) = found {
        return Check::new(name, Verdict::Warning, found).cure(format!(
            "hubspot.client_secret has to be the secret of the app that sends them, and its target {}, which begins \
             with server.public_url",
            seen.address
        ));
    }
    if let Some(error) = &seen.queue.error {
        let found =
            format!("{} cannot be looked at: {error}", counted(seen.queue.failing, "announced record"));
        return Check::new(name, Verdict::Warning, found).cure("a running server goes on trying");
    }
    match seen.last_delivery {
        Some(at) => Check::ok(name, format!("{}, the last at {at}", counted(seen.deliveries, "delivery"))),
        None => Check::ok(name, "none came yet; they are optional, `hublore webhooks show` says how"),
    }
}

/// The account's own properties: what the limit leaves out, and names in the settings that it does not have.
fn properties(status: &Status) -> Option<Check> {
    let name = "properties";
    let each = |what: fn(&str, &Reading) -> Option<String>| -> Vec<String> {
        status.properties.iter().filter_map(|(of, reading)| what(of, reading)).collect()
    };
    let read = each(|of, reading| Some(format!("{} of {of}", reading.read)));
    let unknown = each(|of, reading| {
        (!reading.unknown.is_empty()).then(|| format!("{of} have no {}", reading.unknown.join(", ")))
    });
    let left = each(|of, reading| {
        (reading.left_out > 0).then(|| format!("{} of {of} are not read", reading.left_out))
    });
    if read.is_empty() {
        return None;
    }
    Some(match (unknown.is_empty(), left.is_empty()) {
        (false, _) => Check::new(name, Verdict::Warning, unknown.join("; "))
            .cure("correct the names in the section properties of the settings"),
        (true, false) => Check::new(name, Verdict::Warning, left.join("; ")).cure(
            "raise properties.custom, or name the ones you need in the section properties of the settings",
        ),
        (true, true) => Check::ok(name, format!("read besides the usual: {}", read.join(", "))),
    })
}

async fn connection(reading: &app::Reading, connector: Option<&Connector>) -> Vec<Check> {
    let stored: Result<Option<Connection>, StoreError> =
        reading.store.read(|conn| connections::get(conn, &reading.org));
    let connection = match stored {
        Ok(Some(connection)) => connection,
        Ok(None) => {
            let none = Check::new("connection", Verdict::Warning, "no HubSpot portal is connected");
            return vec![none.cure("hublore connect")];
        }
        Err(error) => return vec![Check::new("connection", Verdict::Failed, error.to_string())],
    };
    vec![token(&connection, connector).await, scopes(&connection)]
}

async fn token(connection: &Connection, connector: Option<&Connector>) -> Check {
    let name = "connection";
    let portal = format!("portal {}", connection.portal);
    let Some(connector) = connector else {
        return match &connection.auth_error {
            Some(error) => Check::new(name, Verdict::Failed, error.clone()).cure("hublore connect"),
            None => Check::ok(name, format!("{portal}; in use by the running server")),
        };
    };
    let asked = match connector.client(connection) {
        Ok(client) => tokio::time::timeout(Duration::from_secs(20), account::account(&client)).await,
        Err(error) => return Check::new(name, Verdict::Failed, error.to_string()).cure("hublore connect"),
    };
    match asked {
        Ok(Ok(_)) => Check::ok(name, format!("{portal}; HubSpot accepts our token")),
        Ok(Err(error)) => Check::new(name, Verdict::Failed, error.to_string()),
        Err(_) => Check::new(name, Verdict::Failed, format!("{portal}; HubSpot did not answer within 20 s")),
    }
}

fn scopes(connection: &Connection) -> Check {
    let name = "permissions";
    if connection.method == Method::ServiceKey {
        return Check::new(name, Verdict::Skipped, "a service key does not tell what it may do");
    }
    let granted: Vec<&str> = connection.scopes.split_whitespace().collect();
    let missing = |scope: &&&str| !granted.contains(*scope);
    let costs = |scope: &&str| format!("{scope} ({})", cost_of_missing(scope));
    let required: Vec<String> = REQUIRED_SCOPES.iter().filter(missing).map(costs).collect();
    let optional: Vec<String> = OPTIONAL_SCOPES.iter().filter(missing).map(costs).collect();
    let cure = "add them on the app's Auth tab in HubSpot, then `hublore connect`";
    match (required.is_empty(), optional.is_empty()) {
        (true, true) => Check::ok(name, "everything asked for was granted"),
        (false, _) => {
            let all = [required, optional].concat().join(", ");
            Check::new(name, Verdict::Failed, format!("missing: {all}")).cure(cure)
        }
        (true, false) => {
            Check::new(name, Verdict::Warning, format!("not granted: {}", optional.join(", "))).cure(cure)
        }
    }
}

/// Posting to Slack: connected, not stopped, and the credential is still good.
async fn slack(reading: &app::Reading, notifications: Option<&Notifications>) -> Check {
    let name = "slack";
    let seen: Result<SlackState, StoreError> = reading.store.read(|conn| state::read(conn, &reading.org));
    let seen = match seen {
        Ok(seen) => seen,
        Err(error) => return Check::new(name, Verdict::Failed, error.to_string()),
    };
    let enabled = seen.types.iter().filter(|one| one.enabled).map(|one| one.notification.as_str());
    let enabled: Vec<&str> = enabled.collect();
    let Some(connection) = seen.connection else {
        let found = "not connected; nothing is posted";
        return match enabled.is_empty() {
            true => Check::ok(name, found),
            false => Check::new(name, Verdict::Warning, found).cure("hublore slack connect"),
        };
    };
    if let (Some(code), Some(cure)) = (&connection.stopped, connection.cure) {
        return Check::new(name, Verdict::Failed, format!("stopped: {code}")).cure(cure);
    }
    if let Some(notifications) = notifications
        && let Err(error) = notifications.check().await
    {
        return Check::new(name, Verdict::Failed, error.to_string());
    }
    if !seen.mode_is_on {
        let found = "connected, but nothing is posted: the mode notifications is off";
        return Check::new(name, Verdict::Warning, found).cure("hublore modes notifications on");
    }
    if enabled.is_empty() {
        return Check::new(name, Verdict::Warning, "connected, but no type of notification is enabled")
            .cure("hublore slack enable");
    }
    let found = format!("connected ({}); posted: {}", connection.method, enabled.join(", "));
    if connection.method == "bot" && !connection.reads_back {
        return Check::new(name, Verdict::Warning, found).cure(
            "give the app the scope channels:history (groups:history for a private channel): without it a message \
             whose answer is lost is sent again and may stand there twice",
        );
    }
    Check::ok(name, found)
}
