//! One HTTP call to HubSpot, with everything that has to be right about it: token, budget, limits, retries.
//!
//! A body that does not parse is a fault like any other and is asked for again; a short page is not.
//! Reads go through [`Client::fetch`]. Writes go through [`Client::send`], which repeats only what HubSpot certainly did
//! not do, and says so where nobody knows.

use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use secrecy::ExposeSecret;
use serde::Serialize;
use tokio::time::Instant;
use url::Url;

use super::budget::{Budget, Daily, DayIsOver, Lane, Permit, Priority};
use super::call::Call;
use super::error::{Failure, HubspotError, WriteError, classify};
use super::oauth::TokenFacts;
use super::paths::ApiVersion;
use super::tokens::TokenSource;

/// Largest answer taken in, after decompression; a page of 100 notes of the largest size is a tenth of it.
const MAX_ANSWER_BYTES: usize = 64 << 20;
/// The pause before a repeated try doubles up to this.
const LONGEST_PAUSE: Duration = Duration::from_secs(15);
/// Rate limits are waited out without counting as failed tries, but not for ever.
const MAX_RATE_LIMITED: u32 = 60;
/// An agent waits for its answer: fewer tries and rate limits than a sync has.
const AGENT_ATTEMPTS: u32 = 3;
const AGENT_RATE_LIMITED: u32 = 2;
/// A look at what was announced is repeated later anyway, and others wait behind it.
const LOOK_ATTEMPTS: u32 = 2;
const LOOK_RATE_LIMITED: u32 = 5;
const LOOK_TIMEOUT: Duration = Duration::from_secs(10);
/// Where HubSpot asks for a longer pause, an agent is told so instead of being kept waiting.
const AGENT_PAUSE: Duration = Duration::from_secs(5);

/// The HTTP client for calls that take at most `timeout`.
pub fn http(timeout: Duration) -> Result<reqwest::Client, HubspotError> {
    crate::http::client(timeout).map_err(|error| HubspotError::Unreachable {
        host: "this machine".to_owned(),
        reason: error.to_string(),
    })
}

/// What was asked of HubSpot so far.
#[derive(Debug, Default)]
pub struct Requests {
    total: AtomicU64,
    retried: AtomicU64,
    rate_limited: AtomicU64,
}

/// A reading of [`Requests`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
pub struct RequestCounts {
    /// Requests sent.
    pub total: u64,
    /// Of these, repeated ones.
    pub retried: u64,
    /// Answers that were a rate limit.
    pub rate_limited: u64,
}

impl Requests {
    /// The numbers now.
    #[must_use]
    pub fn counts(&self) -> RequestCounts {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        RequestCounts {
            total: read(&self.total),
            retried: read(&self.retried),
            rate_limited: read(&self.rate_limited),
        }
    }
}

/// How calls are repeated.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Tries per call.
    pub attempts: u32,
    /// Pause before the second try; it doubles.
    pub first_pause: Duration,
}

/// Stores the address of the region that HubSpot sent us to.
pub type KeepBase = Arc<dyn Fn(&Url) + Send + Sync>;

/// Where HubSpot is asked. Accounts of some regions answer only at an address of their own.
pub struct Host {
    base: RwLock<Url>,
    /// The address of a region, with `{hublet}` in the place of its name.
    regional: String,
    first: Url,
    keep: KeepBase,
}

impl fmt::Debug for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Host").field("base", &self.base).finish_non_exhaustive()
    }
}

impl Host {
    /// Starts at `base`.
    #[must_use]
    pub fn new(base: Url, regional: String, keep: KeepBase) -> Self {
        Self { first: base.clone(), base: RwLock::new(base), regional, keep }
    }

    fn base(&self) -> Url {
        self.base.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Goes over to a region; says whether that is somewhere else than before.
    fn move_to(&self, region: &str) -> bool {
        let Ok(url) = Url::parse(&self.regional.replace("{hublet}", region)) else { return false };
        let moved = {
            let mut base = self.base.write().unwrap_or_else(PoisonError::into_inner);
            std::mem::replace(&mut *base, url.clone()) != url
        };
        if moved {
            (self.keep)(&url);
        }
        moved
    }
}

/// A portal that can be asked. Cheap to clone; clones share tokens, budget and counters.
#[derive(Debug, Clone)]
pub struct Client {
    http: reqwest::Client,
    host: Arc<Host>,
    version: ApiVersion,
    tokens: Arc<TokenSource>,
    budget: Arc<Budget>,
    requests: Arc<Requests>,
    patience: Patience,
    priority: Priority,
    /// Rate limits that are waited out in one call.
    most_rate_limited: u32,
    /// The longest one call, and a pause within it, may take, where that is less than usual.
    timeout: Option<Duration>,
    /// After this nothing is sent any more.
    until: Option<Instant>,
}

impl Client {
    /// A client for the portal behind `tokens`.
    #[must_use]
    pub fn new(
        http: reqwest::Client,
        host: Host,
        version: ApiVersion,
        tokens: Arc<TokenSource>,
        budget: Arc<Budget>,
        patience: Patience,
    ) -> Self {
        let (requests, priority) = (Arc::default(), Priority::Background);
        Self {
            http,
            host: Arc::new(host),
            version,
            tokens,
            budget,
            requests,
            patience,
            priority,
            most_rate_limited: MAX_RATE_LIMITED,
            timeout: None,
            until: None,
        }
    }

    /// The same portal asked on behalf of an agent that waits: before everything a sync asks, from the part of the
    /// budget that is kept for agents, each call within `timeout`, none begun after `until`.
    #[must_use]
    pub fn for_agent(&self, timeout: Duration, until: Instant) -> Self {
        let attempts = self.patience.attempts.min(AGENT_ATTEMPTS);
        Self {
            requests: Arc::default(),
            patience: Patience { attempts, ..self.patience },
            priority: Priority::Agent,
            most_rate_limited: AGENT_RATE_LIMITED,
            timeout: Some(timeout),
            until: Some(until),
            ..self.clone()
        }
    }

    /// The same portal asked about what was announced: what it does not answer soon is asked for later.
    #[must_use]
    pub fn for_looks(&self) -> Self {
        let attempts = self.patience.attempts.min(LOOK_ATTEMPTS);
        Self {
            patience: Patience { attempts, ..self.patience },
            most_rate_limited: LOOK_RATE_LIMITED,
            timeout: Some(LOOK_TIMEOUT),
            ..self.clone()
        }
    }

    /// One more try is not worth it: enough failed, or HubSpot asks for a longer pause than the call may take.
    fn is_over(&self, failed: u32, limited: u32, asked: Option<Duration>) -> bool {
        let too_long = asked.zip(self.timeout).is_some_and(|(asked, most)| asked > most);
        failed >= self.patience.attempts || limited >= self.most_rate_limited || (failed > 0 && too_long)
    }

    /// How long a read may take: what nobody waits for any more is not waited for. A write is: its answer counts.
    fn time_left(&self) -> Option<Duration> {
        let left = self.until.map(|until| until.saturating_duration_since(Instant::now()));
        self.timeout.into_iter().chain(left).min()
    }

    /// Why a call is not tried again after so long a pause, where somebody waits for its answer.
    fn too_long(&self, asked: Option<Duration>, error: &HubspotError) -> Option<HubspotError> {
        let wait = asked.filter(|wait| self.priority == Priority::Agent && *wait > AGENT_PAUSE)?;
        let HubspotError::Unavailable { status } = error else { return None };
        Some(HubspotError::AskedToWait { status: *status, wait })
    }

    /// The same portal with counters that start at zero: tokens and budget stay shared.
    #[must_use]
    pub fn counting_anew(&self) -> Self {
        Self { requests: Arc::default(), ..self.clone() }
    }

    /// The address of the account's region, where HubSpot sent us to another one than we started at.
    #[must_use]
    pub fn moved_to(&self) -> Option<Url> {
        Some(self.host.base()).filter(|base| *base != self.host.first)
    }

    /// What HubSpot says about our token now: whose it is and what it may do.
    pub async fn token_facts(&self) -> Result<TokenFacts, HubspotError> {
        self.tokens.facts().await
    }

    /// The portal's budget.
    #[must_use]
    pub fn budget(&self) -> &Budget {
        &self.budget
    }

    /// The API version calls are made in.
    #[must_use]
    pub fn version(&self) -> ApiVersion {
        self.version
    }

    /// Share of HubSpot's permitted rate that was used, 0 to 1.
    #[must_use]
    pub fn permitted_rate_used(&self) -> f64 {
        self.budget.permitted_rate_used()
    }

    /// The counters.
    #[must_use]
    pub fn requests(&self) -> RequestCounts {
        self.requests.counts()
    }

    /// Makes the call and parses its answer, trying again as its failures deserve.
    pub async fn fetch<T>(
        &self,
        call: &Call,
        parse: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<T, HubspotError> {
        let (mut failed, mut limited, mut refreshed) = (0, 0, false);
        loop {
            let bearer = self.tokens.bearer().await?;
            match self.attempt(call, bearer.secret.expose_secret(), &parse, self.time_left()).await {
                Ok(value) => return Ok(value),
                Err(Failure::Fatal(error)) => return Err(error),
                Err(Failure::Unauthorized(message)) if refreshed => {
                    return Err(HubspotError::Revoked(message));
                }
                Err(Failure::Unauthorized(message)) => {
                    refreshed = true;
                    self.tokens.refresh_after(&bearer, &message).await?;
                }
                Err(Failure::WrongRegion(region)) => {
                    if !self.host.move_to(&region) {
                        let message = format!("the account is in region {region}, and so are we");
                        return Err(HubspotError::Refused { status: 488, message });
                    }
                }
                Err(Failure::Retry { after, rate_limited, error, .. }) => {
                    limited += u32::from(rate_limited);
                    failed += u32::from(!rate_limited);
                    if let Some(error) = self.too_long(after, &error) {
                        self.hold_back(call.lane, after, rate_limited);
                        return Err(error);
                    }
                    if self.is_over(failed, limited, after) {
                        return Err(error);
                    }
                    if is_maybe_a_bad_token(&error) && failed >= 2 && !refreshed {
                        refreshed = true;
                        // Only a guess: a token that cannot be refreshed may still be good.
                        let _ = self.tokens.refresh_after(&bearer, "status 530").await;
                    }
                    self.pause(call.lane, after, rate_limited, failed).await;
                }
            }
            self.requests.retried.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Makes a call that changes something. It is made again only where HubSpot certainly did not carry it out: a token
    /// that ran out, another region, a rate limit, a locked record, no connection.
    pub async fn send<T>(
        &self,
        call: &Call,
        parse: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
    ) -> Result<T, WriteError> {
        let (mut failed, mut limited, mut refreshed) = (0, 0, false);
        loop {
            let bearer = self.tokens.bearer().await.map_err(WriteError::NotDone)?;
            match self.attempt(call, bearer.secret.expose_secret(), &parse, self.timeout).await {
                Ok(value) => return Ok(value),
                Err(Failure::Fatal(error)) => return Err(WriteError::of(error)),
                Err(Failure::Unauthorized(message)) if refreshed => {
                    return Err(WriteError::NotDone(HubspotError::Revoked(message)));
                }
                Err(Failure::Unauthorized(message)) => {
                    refreshed = true;
                    let renewed = self.tokens.refresh_after(&bearer, &message).await;
                    renewed.map_err(WriteError::NotDone)?;
                }
                Err(Failure::WrongRegion(region)) => {
                    if !self.host.move_to(&region) {
                        let message = format!("the account is in region {region}, and so are we");
                        return Err(WriteError::NotDone(HubspotError::Refused { status: 488, message }));
                    }
                }
                Err(Failure::Retry { maybe_done: true, error, .. }) => {
                    return Err(WriteError::Unknown(error));
                }
                Err(Failure::Retry { after, rate_limited, error, .. }) => {
                    limited += u32::from(rate_limited);
                    failed += u32::from(!rate_limited);
                    if let Some(error) = self.too_long(after, &error) {
                        self.hold_back(call.lane, after, rate_limited);
                        return Err(WriteError::NotDone(error));
                    }
                    if self.is_over(failed, limited, after) {
                        return Err(WriteError::NotDone(error));
                    }
                    self.pause(call.lane, after, rate_limited, failed).await;
                }
            }
            self.requests.retried.fetch_add(1, Ordering::Relaxed);
        }
    }

    async fn pause(&self, lane: Lane, asked: Option<Duration>, rate_limited: bool, failed: u32) {
        let first = self.patience.first_pause;
        if rate_limited {
            return self.hold_back(lane, asked, rate_limited);
        }
        let doubled = first.saturating_mul(1 << failed.saturating_sub(1).min(10)).min(LONGEST_PAUSE);
        tokio::time::sleep(asked.unwrap_or(doubled)).await;
    }

    /// After a rate limit nobody asks before its pause is over.
    fn hold_back(&self, lane: Lane, asked: Option<Duration>, rate_limited: bool) {
        if rate_limited {
            self.requests.rate_limited.fetch_add(1, Ordering::Relaxed);
            self.budget.block(lane, asked.unwrap_or(self.patience.first_pause));
        }
    }

    /// A place in the budget, while there is still time to use it.
    async fn permit(&self, lane: Lane) -> Result<Permit, HubspotError> {
        let wait = self.budget.wait(lane, self.priority);
        let permit = match self.until {
            None => wait.await,
            Some(until) if until <= Instant::now() => return Err(HubspotError::OutOfTime),
            Some(until) => tokio::time::timeout_at(until, wait).await.map_err(|_| HubspotError::OutOfTime)?,
        };
        permit.map_err(|DayIsOver| HubspotError::DailyLimit)
    }

    async fn attempt<T>(
        &self,
        call: &Call,
        token: &str,
        parse: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
        timeout: Option<Duration>,
    ) -> Result<T, Failure> {
        let permit = self.permit(call.lane).await.map_err(Failure::Fatal)?;
        self.requests.total.fetch_add(1, Ordering::Relaxed);
        let mut request = self.http.request(call.method.clone(), self.address(&call.path));
        if let Some(body) = &call.body {
            request = request.header("content-type", "application/json").body(body.clone());
        }
        if !call.query.is_empty() {
            request = request.query(&call.query);
        }
        if let Some(timeout) = timeout {
            request = request.timeout(timeout);
        }
        let response = request.bearer_auth(token).send().await.map_err(|error| self.broken(&error))?;
        // HubSpot has counted it by now.
        drop(permit);
        self.learn_limits(call.lane, response.headers());
        let status = response.status().as_u16();
        let retry_after = retry_after(response.headers());
        let body = self.read(response).await?;
        if !(200..300).contains(&status) {
            return Err(classify(status, retry_after, &body));
        }
        parse(&body).map_err(|error| Failure::transient(HubspotError::Unreadable(error.to_string())))
    }

    async fn read(&self, mut response: reqwest::Response) -> Result<Vec<u8>, Failure> {
        let mut body = Vec::with_capacity(
            usize::try_from(response.content_length().unwrap_or(0)).unwrap_or(0).min(1 << 20),
        );
        while let Some(chunk) = response.chunk().await.map_err(|error| self.broken(&error))? {
            if body.len() + chunk.len() > MAX_ANSWER_BYTES {
                return Err(Failure::Fatal(HubspotError::Unreadable(
                    "an answer is larger than 64 MiB".to_owned(),
                )));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body)
    }

    fn learn_limits(&self, lane: Lane, headers: &reqwest::header::HeaderMap) {
        let number = |name: &str| headers.get(name)?.to_str().ok()?.parse::<u64>().ok();
        let count = |name: &str| number(name).and_then(|count| usize::try_from(count).ok());
        self.budget.learn(lane, count("x-hubspot-ratelimit-max"), count("x-hubspot-ratelimit-remaining"));
        let day = (number("x-hubspot-ratelimit-daily"), number("x-hubspot-ratelimit-daily-remaining"));
        if let (Some(limit), Some(remaining)) = day {
            self.budget.learn_day(Daily { limit, remaining });
        }
    }

    fn address(&self, path: &str) -> Url {
        let mut url = self.host.base();
        let whole = format!("{}{path}", url.path().trim_end_matches('/'));
        url.set_path(&whole);
        url
    }

    fn broken(&self, error: &reqwest::Error) -> Failure {
        let unreachable = HubspotError::Unreachable {
            host: self.host.base().host_str().unwrap_or_default().to_owned(),
            reason: network_reason(error),
        };
        // Without a connection nothing was sent.
        Failure::Retry {
            after: None,
            rate_limited: false,
            maybe_done: !error.is_connect(),
            error: unreachable,
        }
    }
}

/// HubSpot's edge answers a malformed token with 530 (contract, section 7).
fn is_maybe_a_bad_token(error: &HubspotError) -> bool {
    matches!(error, HubspotError::Unavailable { status: 530 })
}

/// The innermost cause of a network error: the sentence a person can act on, without addresses or tokens.
pub(super) fn network_reason(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return "it did not answer in time".to_owned();
    }
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}

fn retry_after(headers: &reqwest::header::HeaderMap) -> Option<Duration> {
    let seconds: f64 = headers.get("retry-after")?.to_str().ok()?.trim().parse().ok()?;
    (seconds.is_finite() && seconds >= 0.0).then(|| Duration::from_secs_f64(seconds.min(86_400.0)))
}
