//! One request to HubSpot and its answer, read to a limit and told by class where it is a failure. Whether it is made
//! again is decided in `client`.

use std::time::Duration;

use super::budget::{Daily, Lane};
use super::call::Call;
use super::client::Client;
use super::error::{Failure, HubspotError, classify};

/// Largest answer taken in, after decompression; a page of 100 notes of the largest size is a tenth of it.
const MAX_ANSWER_BYTES: usize = 64 << 20;

/// The HTTP client for calls that take at most `timeout`.
pub fn http(timeout: Duration) -> Result<reqwest::Client, HubspotError> {
    crate::http::client(timeout).map_err(|error| HubspotError::Unreachable {
        host: "this machine".to_owned(),
        reason: error.to_string(),
    })
}

impl Client {
    /// Sends the call once and reads its answer.
    pub(super) async fn attempt<T>(
        &self,
        call: &Call,
        token: &str,
        parse: impl Fn(&[u8]) -> Result<T, serde_json::Error>,
        timeout: Option<Duration>,
    ) -> Result<T, Failure> {
        let permit = self.permit(call.lane).await.map_err(Failure::Fatal)?;
        self.requests.count();
        let mut request = self.http.request(call.method.clone(), self.host.address(&call.path));
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
