//! The command `hubspot-simulator`: reads options, starts a portal, says where, and waits.

use std::io::Write;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use hubspot_simulator::{DEFAULT_NOW_MS, Options, RateLimit, start};

/// A HubSpot portal on loopback, for demo and tests
#[derive(Debug, Parser)]
#[command(version, about)]
struct Arguments {
    /// Address to listen on; loopback only, port 0 picks one
    #[arg(long, default_value = "127.0.0.1:0")]
    listen: SocketAddr,
    /// The number all content follows from
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// How many contacts
    #[arg(long, default_value_t = 1_000)]
    contacts: u64,
    /// Engagements per contact
    #[arg(long, default_value_t = 10.0)]
    engagements_per_contact: f64,
    /// The portal's present: milliseconds or RFC 3339
    #[arg(long, value_parser = instant)]
    now: Option<i64>,
    /// Records of each type that share one modification millisecond
    #[arg(long, default_value_t = 0)]
    burst: u64,
    /// Short properties and one-line bodies, for measuring clients
    #[arg(long)]
    lean: bool,
    /// JSON file of fault rules
    #[arg(long)]
    faults: Option<PathBuf>,
    /// JSON lines whose bodies the e-mails take
    #[arg(long)]
    corpus: Option<PathBuf>,
    /// The OAuth app's id
    #[arg(long, default_value = "sim-client-id")]
    client_id: String,
    /// The OAuth app's secret
    #[arg(long, default_value = "sim-client-secret")]
    client_secret: String,
    /// A redirect address the app has configured; may be repeated, none accepts any
    #[arg(long)]
    redirect_uri: Vec<String>,
    /// A static bearer that is accepted too
    #[arg(long)]
    service_key: Option<String>,
    /// Where the portal's data lives
    #[arg(long, default_value = "na1")]
    hublet: String,
    /// Properties the account has made itself for contacts, companies and deals each, 500 at most
    #[arg(long, default_value_t = 0)]
    extra_properties: usize,
    /// Calls allowed in ten seconds, or `off`
    #[arg(long, default_value = "off", value_parser = rate_limit)]
    rate_limit: Limit,
    /// Milliseconds every reply waits: `A-B`
    #[arg(long, value_parser = latency)]
    latency_ms: Option<(Duration, Duration)>,
}

#[derive(Debug, Clone, Copy)]
struct Limit(Option<RateLimit>);

fn rate_limit(text: &str) -> Result<Limit, String> {
    if text == "off" {
        return Ok(Limit(None));
    }
    text.parse().map(|n| Limit(Some(RateLimit::burst(n)))).map_err(|_| "a number or off".to_owned())
}

fn latency(text: &str) -> Result<(Duration, Duration), String> {
    let (low, high) = text.split_once('-').unwrap_or((text, text));
    let ms =
        |part: &str| part.parse().map(Duration::from_millis).map_err(|_| "two numbers: 50-500".to_owned());
    let (low, high) = (ms(low)?, ms(high)?);
    if low <= high { Ok((low, high)) } else { Err("the smaller number comes first".to_owned()) }
}

fn instant(text: &str) -> Result<i64, String> {
    if let Ok(ms) = text.parse() {
        return Ok(ms);
    }
    use time::format_description::well_known::Rfc3339;
    let at = time::OffsetDateTime::parse(text, &Rfc3339).map_err(|e| e.to_string())?;
    i64::try_from(at.unix_timestamp_nanos() / 1_000_000).map_err(|e| e.to_string())
}

impl Arguments {
    fn into_options(self) -> Options {
        let defaults = Options::default();
        Options {
            listen: self.listen,
            seed: self.seed,
            contacts: self.contacts,
            engagements_per_contact: self.engagements_per_contact,
            now: self.now.unwrap_or(DEFAULT_NOW_MS),
            lean: self.lean,
            burst: self.burst,
            latency: self.latency_ms,
            rate_limit: self.rate_limit.0,
            corpus: self.corpus,
            client_id: self.client_id,
            client_secret: self.client_secret,
            redirect_uris: self.redirect_uri,
            service_key: self.service_key.unwrap_or(defaults.service_key),
            faults: self.faults,
            hublet: self.hublet,
            extra_properties: self.extra_properties,
        }
    }
}

fn main() -> ExitCode {
    match start(Arguments::parse().into_options()) {
        Ok(running) => {
            let mut out = std::io::stdout();
            // Whoever started us may have closed its end; the portal runs all the same.
            drop(writeln!(out, "listening on {}", running.base_url()).and_then(|()| out.flush()));
            loop {
                std::thread::park();
            }
        }
        Err(error) => {
            eprintln!("hubspot-simulator: {error}");
            ExitCode::FAILURE
        }
    }
}
