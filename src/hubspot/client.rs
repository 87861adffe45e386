//! A portal that can be asked: token, budget, and when a call is made again. What travels is in `exchange`.
//!
//! A body that does not parse is a fault like any other and is asked for again; a short page is not.
//! Reads go through [`Client::fetch`]. Writes go through [`Client::send`], which repeats only what HubSpot certainly did
//! not do, and says so where nobody knows.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use tokio::sync::watch;
use tokio::time::Instant;
use url::Url;

use super::budget::{Budget, DayIsOver, Lane, Permit, Priority};
use super::call::Call;
use super::error::{Failure, HubspotError, WriteError};
use super::host::Host;
use super::oauth::TokenFacts;
use super::paths::ApiVersion;
use super::requests::{RequestCounts, Requests};
use super::tokens::TokenSource;

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

/// How calls are repeated.
#[derive(Debug, Clone, Copy)]
pub struct Patience {
    /// Tries per call.
    pub attempts: u32,
    /// Pause before the second try; it doubles.
    pub first_pause: Duration,
}

/// A portal that can be asked. Cheap to clone; clones share tokens, budget and counters.
#[derive(Debug, Clone)]
pub struct Client {
    pub(super) http: reqwest::Client,
    pub(super) host: Arc<Host>,
    version: ApiVersion,
    tokens: Arc<TokenSource>,
    pub(super) budget: Arc<Budget>,
    pub(super) requests: Arc<Requests>,
    patience: Patience,
    priority: Priority,
    /// Rate limits that are waited out in one call.
    most_rate_limited: u32,
    /// The longest one call, and a pause within it, may take, where that is less than usual.
    timeout: Option<Duration>,
    /// After this nothing is sent any more.
    until: Option<Instant>,
    /// Turns true when the run that asks is to stop.
    stop: Option<watch::Receiver<bool>>,
}

/// How long an answer is still waited for after a run was asked to stop: what is on its way arrives, and a HubSpot that
/// does not answer is not tried for another minute.
const LAST_WAIT: Duration = Duration::from_secs(3);

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
            stop: None,
        }
    }

    /// The same portal asked by a run that can be stopped.
    #[must_use]
    pub fn until_stopped(&self, stop: watch::Receiver<bool>) -> Self {
        Self { stop: Some(stop), ..self.clone() }
    }

    /// Ends some time after the run was asked to stop; never where it cannot be.
    async fn stopped(&self) {
        if let Some(mut stop) = self.stop.clone()
            && stop.wait_for(|stop| *stop).await.is_ok()
        {
            return tokio::time::sleep(LAST_WAIT).await;
        }
        std::future::pending().await
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
        self.host.moved_to()
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
        tokio::select! {
            biased;
            answer = self.fetch_patiently(call, parse) => answer,
            () = self.stopped() => Err(HubspotError::Stopped),
        }
    }

    async fn fetch_patiently<T>(
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
            self.requests.count_retried();
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
            self.requests.count_retried();
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
            self.requests.count_rate_limited();
            self.budget.block(lane, asked.unwrap_or(self.patience.first_pause));
        }
    }

    /// A place in the budget, while there is still time to use it.
    pub(super) async fn permit(&self, lane: Lane) -> Result<Permit, HubspotError> {
        let wait = self.budget.wait(lane, self.priority);
        let permit = match self.until {
            None => wait.await,
            Some(until) if until <= Instant::now() => return Err(HubspotError::OutOfTime),
            Some(until) => tokio::time::timeout_at(until, wait).await.map_err(|_| HubspotError::OutOfTime)?,
        };
        permit.map_err(|DayIsOver| HubspotError::DailyLimit)
    }
}

/// HubSpot's edge answers a malformed token with 530 (contract, section 7).
fn is_maybe_a_bad_token(error: &HubspotError) -> bool {
    matches!(error, HubspotError::Unavailable { status: 530 })
}
