//! Faults by rule: which calls they hit (route, call number, probability, time span) and what they
//! do. Draws follow from the seed and the call number, so a failing run can be repeated.
//!
//! Faults of the wire are carried out in `server`, faults of meaning (`Twist`) in `api`.

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};
use serde_json::json;
use tokio::sync::Notify;

use crate::hash::draw;
use crate::http::Reply;

/// What a hit call suffers.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
pub(crate) enum Fault {
    /// The connection closes and nothing was executed.
    DropBefore,
    /// The call is executed, then the connection closes without a reply.
    DropAfter,
    /// Headers and half of the body, then the connection closes.
    DropHalf,
    /// The reply waits.
    SlowFirstByte { ms: u64 },
    /// The call is executed at once and its reply waits: a client that gives up does not know.
    SlowReply { ms: u64 },
    /// The call is not executed before somebody releases it (`POST /__sim/faults/release`).
    Hold,
    /// The body comes in small pieces.
    Drip { ms: u64, bytes: usize },
    /// A complete reply whose JSON ends early.
    Truncated,
    /// The length in the header is larger than the body.
    WrongContentLength,
    /// A page of an intermediary, with status 200.
    Html200,
    /// A complete reply that is no JSON.
    Malformed,
    /// Another status with the body HubSpot sends with it; the call is not executed.
    Status {
        status: u16,
        #[serde(default)]
        policy: Option<String>,
        #[serde(default)]
        retry_after: Option<String>,
        #[serde(default)]
        hublet: Option<String>,
    },
    /// A token endpoint refuses with one of its errors, by HubSpot's name for it.
    OauthError {
        name: String,
        #[serde(default = "bad_request")]
        status: u16,
    },
    /// A list page starts with the last record of the page before it.
    Duplicate,
    /// At most so many results on the page, with the cursor where they end.
    Underfilled { keep: usize },
    /// That many records of the type are changed just before the call is answered.
    Move { count: u64 },
    /// A batch read fails for every second input, with 207.
    Partial,
}

const fn bad_request() -> u16 {
    400
}

/// What a fault changes in the meaning of a reply.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Twist {
    Duplicate,
    Underfilled(usize),
    Partial,
}

/// One rule. All conditions given must hold.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Rule {
    /// Part of the route's name as the journal shows it; empty hits every route.
    #[serde(default)]
    route: String,
    /// Part of the call's body; empty hits every body.
    #[serde(default)]
    body: String,
    /// Which calls of the route, counted from 1; empty means all.
    #[serde(default)]
    calls: Vec<u64>,
    #[serde(default)]
    from_call: Option<u64>,
    #[serde(default)]
    to_call: Option<u64>,
    #[serde(default)]
    probability: Option<f64>,
    /// Simulated instants between which the rule holds.
    #[serde(default)]
    from_ms: Option<i64>,
    #[serde(default)]
    to_ms: Option<i64>,
    /// How often it strikes at most.
    #[serde(default)]
    times: Option<u64>,
    #[serde(flatten)]
    pub(crate) fault: Fault,
    #[serde(skip_deserializing, default)]
    struck: u64,
}

/// A rule file, or the body of `POST /__sim/faults`: replaces all rules there were.
#[derive(Debug, Clone, Serialize, Deserialize, Default)]
pub(crate) struct Rules {
    #[serde(default)]
    seed: u64,
    #[serde(default)]
    rules: Vec<Rule>,
}

/// The rules in force, and the calls that they hold.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Rules>,
    held: Notify,
}

impl Faults {
    pub(crate) fn new(rules: Rules) -> Self {
        Self { rules: Mutex::new(rules), held: Notify::new() }
    }

    pub(crate) fn replace(&self, rules: Rules) {
        *self.rules.lock().unwrap_or_else(PoisonError::into_inner) = rules;
    }

    /// Waits until held calls are released.
    pub(crate) async fn hold(&self) {
        self.held.notified().await;
    }

    /// Lets every call go on that is held now.
    pub(crate) fn release(&self) {
        self.held.notify_waiters();
    }

    /// The rules with how often each has struck.
    pub(crate) fn report(&self) -> serde_json::Value {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        serde_json::to_value(&*rules).unwrap_or_default()
    }

    /// The first rule that hits the `call`th call of a route.
    pub(crate) fn strike(&self, route: &str, call: u64, body: &[u8], now: i64) -> Option<Fault> {
        let mut guard = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let Rules { seed, rules } = &mut *guard;
        for (number, rule) in rules.iter_mut().enumerate() {
            let draw = draw(*seed, number as u64, call, fingerprint(route));
            if rule.hits(route, call, now, draw) && rule.hits_body(body) {
                rule.struck += 1;
                return Some(rule.fault.clone());
            }
        }
        None
    }
}

fn fingerprint(route: &str) -> u64 {
    route.bytes().fold(7, |hash, byte| crate::hash::mix(hash ^ u64::from(byte)))
}

impl Rule {
    fn hits_body(&self, body: &[u8]) -> bool {
        let part = self.body.as_bytes();
        part.is_empty() || body.windows(part.len()).any(|window| window == part)
    }

    fn hits(&self, route: &str, call: u64, now: i64, draw: u64) -> bool {
        let chance = (draw >> 11) as f64 / (1_u64 << 53) as f64;
        route.contains(&self.route)
            && (self.calls.is_empty() || self.calls.contains(&call))
            && self.from_call.is_none_or(|from| call >= from)
            && self.to_call.is_none_or(|to| call <= to)
            && self.from_ms.is_none_or(|from| now >= from)
            && self.to_ms.is_none_or(|to| now <= to)
            && self.times.is_none_or(|times| self.struck < times)
            && self.probability.is_none_or(|probability| chance < probability)
    }
}

impl Fault {
    pub(crate) fn twist(&self) -> Option<Twist> {
        match self {
            Self::Duplicate => Some(Twist::Duplicate),
            Self::Underfilled { keep } => Some(Twist::Underfilled(*keep)),
            Self::Partial => Some(Twist::Partial),
            _ => None,
        }
    }

    /// The reply that stands in for the call's own, for faults that answer instead of it.
    pub(crate) fn instead(&self) -> Option<Reply> {
        if let Self::OauthError { name, status } = self {
            return Some(crate::oauth::endpoint::error_reply(*status, name));
        }
        let Self::Status { status, policy, retry_after, hublet } = self else { return None };
        let reply = status_reply(*status, policy.as_deref(), hublet.as_deref());
        Some(match retry_after {
            Some(value) => reply.with("retry-after", value.clone()),
            None => reply,
        })
    }
}

/// What HubSpot or its edge sends with a status.
pub(crate) fn status_reply(status: u16, policy: Option<&str>, hublet: Option<&str>) -> Reply {
    match status {
        401 => Reply::error(
            401,
            "EXPIRED_AUTHENTICATION",
            "The OAuth token used to make this call expired 1 second(s) ago.",
        ),
        403 => Reply::error_with(
            403,
            "MISSING_SCOPES",
            "This app hasn't been granted all required scopes to make this call.",
            json!({"errors": [{"message": "One or more of the following scopes are required.", "context": {"requiredGranularScopes": []}}]}),
        ),
        423 => Reply::error(423, "LOCKED", "The resource is locked by another request."),
        429 => rate_limited(policy.unwrap_or("TEN_SECONDLY_ROLLING")),
        477 => {
            Reply::error(477, "MIGRATION_IN_PROGRESS", "This account is being moved to another data centre.")
                .with("retry-after", "30".to_owned())
        }
        488 => Reply::error_with(
            488,
            "WRONG_HUBLET",
            "This hub is unknown to this hublet.",
            json!({"correctHublet": hublet.unwrap_or("eu1")}),
        ),
        502 | 504 | 520..=527 => Reply::html(status, edge_page(status)),
        530 => Reply::html(530, edge_page(530)),
        503 => Reply::error(503, "SERVICE_UNAVAILABLE", "The service is temporarily unavailable."),
        500 => Reply::error(500, "INTERNAL_ERROR", "internal error"),
        other => Reply::error(other, "VALIDATION_ERROR", "a fault rule asked for this status"),
    }
}

/// A 429 of one of HubSpot's three policies, in its exact words.
pub(crate) fn rate_limited(policy: &str) -> Reply {
    Reply::json(
        429,
        &json!({
            "status": "error", "message": format!("You have reached your {} limit.", policy.to_lowercase()),
            "errorType": "RATE_LIMIT", "correlationId": crate::http::CORRELATION_ID, "policyName": policy,
            "groupName": "publicapi:simulated",
        }),
    )
}

/// The page an intermediary shows when it cannot reach HubSpot.
pub(crate) fn edge_page(status: u16) -> String {
    format!(
        "<!DOCTYPE html><html lang=\"en-US\"><head><title>api.hubapi.com | {status}</title></head><body><h1>Error {status}</h1><p>The web server reported an unexpected condition.</p></body></html>"
    )
}
