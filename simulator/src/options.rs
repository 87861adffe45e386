//! What a portal can be told at its start. Values are as meant, already parsed; the command line
//! that writes them stands in `main.rs`.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

/// 2026-11-23T09:00:00Z, the default present of the portal.
pub const DEFAULT_NOW_MS: i64 = 1_795_424_400_000;

/// Which rate limit HubSpot would enforce on this app.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RateLimit {
    /// Calls allowed in ten seconds, search not counted.
    pub per_ten_seconds: u32,
    /// Calls allowed in one second, search not counted.
    pub per_second: Option<u32>,
    /// Searches allowed in one second.
    pub search_per_second: u32,
    /// Calls allowed per day; OAuth apps have no such limit.
    pub per_day: Option<u32>,
    /// Whether a refusal says when to come back.
    pub retry_after: RetryAfter,
}

/// The `Retry-After` header of refusals. HubSpot's own come without, its edge's with seconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RetryAfter {
    /// No header.
    #[default]
    Absent,
    /// Whole seconds.
    Seconds,
    /// An HTTP date.
    Date,
}

impl RateLimit {
    /// The limits of an app with `per_ten_seconds` calls in its burst window.
    #[must_use]
    pub const fn burst(per_ten_seconds: u32) -> Self {
        Self {
            per_ten_seconds,
            per_second: None,
            search_per_second: 5,
            per_day: None,
            retry_after: RetryAfter::Absent,
        }
    }
}

/// How the portal starts. `Default` is a small portal on a free loopback port.
#[derive(Debug, Clone)]
pub struct Options {
    /// Where to listen; must be loopback. Port 0 picks one.
    pub listen: SocketAddr,
    /// The one number all content follows from.
    pub seed: u64,
    /// How many contacts the portal has.
    pub contacts: u64,
    /// Engagements per contact, form submissions included, tasks on top.
    pub engagements_per_contact: f64,
    /// The portal's present at start, in milliseconds since 1970.
    pub now: i64,
    /// Few short properties and one-line bodies: for measuring clients, not content.
    pub lean: bool,
    /// How many records of each type share one modification millisecond.
    pub burst: u64,
    /// Every reply waits this long, drawn between the two.
    pub latency: Option<(Duration, Duration)>,
    /// Enforced limits; `None` only sends the headers.
    pub rate_limit: Option<RateLimit>,
    /// JSON lines whose bodies the e-mails take.
    pub corpus: Option<PathBuf>,
    /// The OAuth app's id.
    pub client_id: String,
    /// The OAuth app's secret.
    pub client_secret: String,
    /// Redirect addresses the app has configured; empty accepts any.
    pub redirect_uris: Vec<String>,
    /// A static bearer that is accepted beside OAuth tokens.
    pub service_key: String,
    /// Where the portal's data lives: `na1`, `eu1` and so on.
    pub hublet: String,
    /// Properties the account has made itself for contacts, companies and deals each, 500 at most; seven in
    /// eight values are unset.
    pub extra_properties: usize,
    /// A JSON file of fault rules, as `POST /__sim/faults` takes it.
    pub faults: Option<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            listen: SocketAddr::from(([127, 0, 0, 1], 0)),
            seed: 1,
            contacts: 1_000,
            engagements_per_contact: 10.0,
            now: DEFAULT_NOW_MS,
            lean: false,
            burst: 0,
            latency: None,
            rate_limit: None,
            corpus: None,
            client_id: "sim-client-id".to_owned(),
            client_secret: "sim-client-secret".to_owned(),
            redirect_uris: Vec::new(),
            service_key: "pat-na1-51300000-0000-4000-8000-000000000001".to_owned(),
            hublet: "na1".to_owned(),
            extra_properties: 0,
            faults: None,
        }
    }
}

/// Why a portal did not start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// Anything but loopback would put made-up customers on a network.
    #[error("the simulator listens on loopback only, not on {0}")]
    NotLoopback(SocketAddr),
    /// The address is taken or not ours.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// What was asked for.
        address: SocketAddr,
        /// What the system said.
        source: std::io::Error,
    },
    /// Threads could not be started.
    #[error("cannot start the simulator's threads: {0}")]
    Runtime(std::io::Error),
    /// A file given as corpus or faults cannot be read or understood.
    #[error("cannot use {path}: {reason}")]
    File {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
}
