//! What HubSpot can answer instead of what was asked, by what the caller has to do about it.
//!
//! Classes come from status codes and machine-readable fields; message texts are only passed on to people.

use std::time::Duration;

use serde::Deserialize;

use crate::domain::counted::counted;

/// A call that did not succeed, after the retries its class deserves.
#[derive(Debug, Clone, thiserror::Error)]
pub enum HubspotError {
    /// No answer: no route, no name, refused, broken off, too slow.
    #[error(
        "HubSpot cannot be reached at {host} ({reason}); check the network and `hubspot.api_base`, then run it again"
    )]
    Unreachable {
        /// Host that was asked.
        host: String,
        /// What the network said.
        reason: String,
    },
    /// Consent was withdrawn or the app uninstalled.
    #[error("HubSpot does not accept this connection ({0}); connect again with `hublore connect`")]
    Revoked(String),
    /// Client id, secret or redirect address are wrong on our side; the portal is not to blame.
    #[error(
        "HubSpot refuses this app ({0}); check hubspot.client_id, hubspot.client_secret and the redirect address"
    )]
    Misconfigured(String),
    /// The consent code was refused.
    #[error("the consent could not be completed ({0}); open the connect address again")]
    ConsentFailed(String),
    /// The app was not granted a scope this call needs.
    #[error("the connection lacks a permission ({scopes}); grant it in HubSpot and connect again")]
    MissingScope {
        /// Scopes HubSpot named, separated by commas; empty where it named none.
        scopes: String,
    },
    /// No such record.
    #[error("HubSpot has no such record")]
    NotFound,
    /// The request was refused for a reason a retry cannot change.
    #[error("HubSpot refused the request with {status}: {message}")]
    Refused {
        /// HTTP status.
        status: u16,
        /// HubSpot's words.
        message: String,
    },
    /// HubSpot kept failing.
    #[error("HubSpot keeps failing with {status}; try again later")]
    Unavailable {
        /// Last HTTP status.
        status: u16,
    },
    /// The daily limit of the account is used up.
    #[error(
        "HubSpot's daily request limit of this account is used up; it starts again at midnight of the portal's time zone"
    )]
    DailyLimit,
    /// HubSpot asks to be left alone for longer than a run should wait, for instance while it moves the account.
    #[error("HubSpot asks to wait for {} (status {status}); the sync goes on by itself then", counted(.wait.as_secs().div_ceil(60), "minute"))]
    AskedToWait {
        /// HTTP status.
        status: u16,
        /// How long.
        wait: Duration,
    },
    /// The time that the caller waits was over before HubSpot was asked.
    #[error("HubSpot could not be asked in time; try again")]
    OutOfTime,
    /// The run that asked is to stop.
    #[error("HubSpot was not asked again, since the run is to stop")]
    Stopped,
    /// Answers kept arriving damaged.
    #[error("HubSpot's answers cannot be read ({0}); try again later")]
    Unreadable(String),
    /// The new tokens could not be stored.
    #[error("new tokens could not be stored: {0}")]
    TokensNotStored(String),
}

/// Why a write did not come back with an answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum WriteError {
    /// HubSpot did not carry it out.
    #[error(transparent)]
    NotDone(HubspotError),
    /// It may have been carried out: the answer got lost, came too late or cannot be read.
    #[error("whether HubSpot did it is not known: {0}")]
    Unknown(HubspotError),
}

impl WriteError {
    /// Of an answer that is final: a server that failed, or whose words cannot be read, may have done it all the same.
    pub(super) fn of(error: HubspotError) -> Self {
        match error {
            HubspotError::Unreadable(_) | HubspotError::AskedToWait { status: 408 | 500..=599, .. } => {
                Self::Unknown(error)
            }
            other => Self::NotDone(other),
        }
    }
}

/// What to do after one attempt that failed.
#[derive(Debug)]
pub(super) enum Failure {
    /// Try again after a pause.
    Retry {
        /// How long HubSpot asks us to wait, if it does.
        after: Option<Duration>,
        /// It was a rate limit.
        rate_limited: bool,
        /// HubSpot may have carried the call out all the same.
        maybe_done: bool,
        /// What to report when the tries are used up.
        error: HubspotError,
    },
    /// The access token is not accepted: refresh once and repeat.
    Unauthorized(String),
    /// The account lives in another region: ask there.
    WrongRegion(String),
    /// Give up now.
    Fatal(HubspotError),
}

impl Failure {
    pub(super) fn transient(error: HubspotError) -> Self {
        Self::Retry { after: None, rate_limited: false, maybe_done: true, error }
    }
}

/// HubSpot's error body; every field is optional and the body may not be JSON at all.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(super) struct ErrorBody {
    pub(super) message: Option<String>,
    pub(super) category: Option<String>,
    #[serde(rename = "policyName")]
    policy_name: Option<String>,
    errors: Vec<ErrorDetail>,
    context: Option<ErrorContext>,
    #[serde(rename = "correctHublet")]
    correct_hublet: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorDetail {
    context: Option<ErrorContext>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct ErrorContext {
    #[serde(rename = "requiredGranularScopes", alias = "requiredScopes")]
    required_scopes: Vec<String>,
}

impl ErrorBody {
    fn scopes(&self) -> String {
        let details = self.errors.iter().filter_map(|detail| detail.context.as_ref());
        let named = details.chain(self.context.as_ref()).flat_map(|context| &context.required_scopes);
        named.map(String::as_str).collect::<Vec<_>>().join(", ")
    }
}

/// Classifies an answer that is not a success (contract, section 7).
pub(super) fn classify(status: u16, retry_after: Option<Duration>, body: &[u8]) -> Failure {
    let parsed: ErrorBody = serde_json::from_slice(body).unwrap_or_default();
    let message = parsed.message.clone().unwrap_or_else(|| format!("status {status}"));
    let unavailable = HubspotError::Unavailable { status };
    if let Some(region) = parsed.correct_hublet.clone().filter(|region| is_region(region)) {
        return Failure::WrongRegion(region);
    }
    // A locked record and an account on the move were not touched.
    let maybe_done = !matches!(status, 423 | 477);
    let retry = |after| Failure::Retry { after, rate_limited: false, maybe_done, error: unavailable };
    match status {
        401 => Failure::Unauthorized(message),
        403 => Failure::Fatal(HubspotError::MissingScope { scopes: parsed.scopes() }),
        404 => Failure::Fatal(HubspotError::NotFound),
        429 => rate_limited(&parsed, retry_after),
        // The account of a 477 is being moved to another data centre, which may take a day.
        423 | 477 => match retry_after.unwrap_or(if status == 477 { MOVING } else { LOCKED }).max(LOCKED) {
            wait if wait > LONGEST_WAIT => Failure::Fatal(HubspotError::AskedToWait { status, wait }),
            wait => retry(Some(wait)),
        },
        408 | 500..=599 => match retry_after {
            Some(wait) if wait > LONGEST_WAIT => Failure::Fatal(HubspotError::AskedToWait { status, wait }),
            wait => retry(wait),
        },
        _ => Failure::Fatal(HubspotError::Refused { status, message }),
    }
}

/// A record is locked for a moment (contract, section 7).
const LOCKED: Duration = Duration::from_secs(2);
/// How long to leave an account alone that is being moved, where HubSpot does not say.
const MOVING: Duration = Duration::from_secs(600);
/// A run waits no longer than this for one answer; what takes longer is a reason to pause.
const LONGEST_WAIT: Duration = Duration::from_secs(120);

/// HubSpot's names of regions are like `na1` and `eu1`; anything else must not become part of an address.
fn is_region(name: &str) -> bool {
    (2..=8).contains(&name.len())
        && name.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit())
}

fn rate_limited(body: &ErrorBody, retry_after: Option<Duration>) -> Failure {
    let pause = match body.policy_name.as_deref() {
        Some("DAILY") => return Failure::Fatal(HubspotError::DailyLimit),
        Some("SECONDLY") => Duration::from_secs(1),
        _ => Duration::from_secs(10),
    };
    let wait = retry_after.unwrap_or(pause);
    if wait > LONGEST_WAIT {
        return Failure::Fatal(HubspotError::AskedToWait { status: 429, wait });
    }
    Failure::Retry {
        after: Some(wait),
        rate_limited: true,
        maybe_done: false,
        error: HubspotError::Unavailable { status: 429 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_status_has_its_class() {
        let daily = br#"{"status":"error","policyName":"DAILY","errorType":"RATE_LIMIT"}"#;
        assert!(matches!(classify(429, None, daily), Failure::Fatal(HubspotError::DailyLimit)));
        let burst = br#"{"policyName":"TEN_SECONDLY_ROLLING"}"#;
        assert!(matches!(classify(429, None, burst), Failure::Retry { rate_limited: true, .. }));
        assert!(matches!(classify(401, None, b"{}"), Failure::Unauthorized(_)));
        for edge in [502, 520, 530] {
            assert!(matches!(classify(edge, None, b"<html>"), Failure::Retry { .. }));
        }
        let Failure::Retry { after, .. } = classify(423, None, b"{}") else { panic!("a lock is waited for") };
        assert_eq!(after, Some(Duration::from_secs(2)));
        let day = Some(Duration::from_secs(86_400));
        for status in [423, 429, 477, 503] {
            let Failure::Fatal(HubspotError::AskedToWait { status: said, .. }) = classify(status, day, b"{}")
            else {
                panic!("nobody waits a day for an answer of {status}")
            };
            assert_eq!(said, status);
        }
        let region = br#"{"category":"WRONG_HUBLET","correctHublet":"eu1"}"#;
        assert!(matches!(classify(488, None, region), Failure::WrongRegion(name) if name == "eu1"));
        let evil = br#"{"correctHublet":"eu1.example.com/"}"#;
        assert!(matches!(classify(488, None, evil), Failure::Fatal(HubspotError::Refused { .. })));
        assert!(matches!(classify(400, None, b"<html>"), Failure::Fatal(HubspotError::Refused { .. })));
        let scopes =
            br#"{"category":"MISSING_SCOPES","errors":[{"context":{"requiredGranularScopes":["forms"]}}]}"#;
        let Failure::Fatal(HubspotError::MissingScope { scopes }) = classify(403, None, scopes) else {
            panic!("a 403 is a missing scope");
        };
        assert_eq!(scopes, "forms");
    }
}
