//! One call from request to reply, in this order: journal, latency, faults, rate limits, endpoint.
//! Controls skip all but the endpoint.

use std::time::Duration;

use crate::clock::{http_date, real_now_ms};
use crate::control::webhooks;
use crate::delivery::{Manner, spoil};
use crate::faults::{Fault, rate_limited};
use crate::hash::draw;
use crate::http::{CORRELATION_ID, Reply, Request};
use crate::kind::Kind;
use crate::lifecycle;
use crate::limits::Verdict;
use crate::options::RetryAfter;
use crate::overlay::Life;
use crate::route::{self, Route};
use crate::state::State;
use crate::submissions::uuid;

/// Answers one request and tells how the reply is to be sent.
pub(crate) async fn handle(state: &State, request: &Request) -> (Reply, Manner) {
    match request.segments.first().map(String::as_str) {
        Some("__sim") => (control(state, request).await, Manner::Whole),
        Some("__slack" | "__model") => crate::beside::answer(state, request).await,
        _ => {
            state.journal.enter();
            let (reply, manner) = product(state, request).await;
            state.journal.answered(reply.status);
            state.journal.leave();
            (reply, manner)
        }
    }
}

async fn control(state: &State, request: &Request) -> Reply {
    let path: Vec<&str> = request.segments[1..].iter().map(String::as_str).collect();
    if request.method == "POST" && path == ["webhooks", "flush"] {
        return webhooks::flush(state, request).await;
    }
    crate::control::answer(state, request, &path)
}

async fn product(state: &State, request: &Request) -> (Reply, Manner) {
    let route = route::resolve(request);
    let name = route.as_ref().map_or("unknown", |route| route.name.as_str());
    let (call, number) = state.journal.count(name);
    if let Some((low, high)) = state.options.latency {
        let span = (high - low).as_micros().max(1) as u64;
        tokio::time::sleep(low + Duration::from_micros(draw(state.portal.seed, 61, number, 0) % span)).await;
    }
    let fault = state.faults.strike(name, call, &request.body, state.clock.now());
    if let Some(Fault::SlowFirstByte { ms }) = fault {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    if matches!(fault, Some(Fault::Hold)) {
        state.faults.hold().await;
    }
    let reply = reply(state, request, route.as_ref(), fault.as_ref());
    if let Some(Fault::SlowReply { ms }) = fault {
        tokio::time::sleep(Duration::from_millis(ms)).await;
    }
    let (reply, manner) = spoil(fault.as_ref(), reply);
    (stamped(state, reply, number), manner)
}

fn reply(state: &State, request: &Request, route: Option<&Route<'_>>, fault: Option<&Fault>) -> Reply {
    let Some(route) = route else { return route::unknown(request) };
    if route.path.first() == Some(&"oauth") {
        return fault.and_then(Fault::instead).unwrap_or_else(|| route::oauth(state, request, route));
    }
    let search = route.path.last() == Some(&"search");
    let verdict = state.limits.pass(search, state.clock.now());
    let answered = if let Some(policy) = verdict.refused {
        state.journal.violated(policy);
        refusal(policy, verdict.wait)
    } else if matches!(fault, Some(Fault::DropBefore)) {
        Reply::empty(200)
    } else if let Some(instead) = fault.and_then(Fault::instead) {
        instead
    } else {
        if let Some(Fault::Move { count }) = fault {
            move_records(state, route, *count);
        }
        crate::api::answer(state, request, route, fault.and_then(Fault::twist))
    };
    if search { answered } else { with_rate_headers(answered, &verdict) }
}

fn refusal(policy: &str, wait: Option<(u64, RetryAfter)>) -> Reply {
    let reply = rate_limited(policy);
    match wait {
        Some((seconds, RetryAfter::Seconds)) => reply.with("retry-after", seconds.to_string()),
        Some((seconds, RetryAfter::Date)) => {
            let at = real_now_ms().saturating_add(seconds as i64 * 1_000);
            reply.with("retry-after", http_date(at))
        }
        _ => reply,
    }
}

fn with_rate_headers(reply: Reply, verdict: &Verdict) -> Reply {
    let reply = reply
        .with("x-hubspot-ratelimit-max", verdict.max.to_string())
        .with("x-hubspot-ratelimit-remaining", verdict.remaining.to_string())
        .with("x-hubspot-ratelimit-interval-milliseconds", "10000".to_owned())
        .with("x-hubspot-ratelimit-secondly", verdict.per_second.to_string())
        .with("x-hubspot-ratelimit-secondly-remaining", verdict.second_remaining.to_string());
    match verdict.per_day {
        Some((most, left)) => reply
            .with("x-hubspot-ratelimit-daily", most.to_string())
            .with("x-hubspot-ratelimit-daily-remaining", left.to_string()),
        None => reply,
    }
}

/// Gives the reply its own correlation id, in the header and in an error body.
fn stamped(state: &State, mut reply: Reply, number: u64) -> Reply {
    let id = uuid(draw(state.portal.seed, 62, number, 0), draw(state.portal.seed, 62, number, 1));
    if reply.status >= 400
        && let Ok(text) = std::str::from_utf8(&reply.body)
    {
        reply.body = text.replace(CORRELATION_ID, &id).into_bytes();
    }
    reply.with("x-hubspot-correlation-id", id)
}

/// Changes the first records of the call's type, so that they move to the end of a search.
fn move_records(state: &State, route: &Route<'_>, count: u64) {
    let Some(kind) = route.path.get(2).and_then(|name| Kind::parse(name)) else { return };
    let mut overlay = state.overlay_mut();
    for rank in 0..count.min(state.portal.count(kind)) {
        let index = state.portal.at_rank(kind, rank);
        if overlay.get(kind, index).is_none_or(|t| t.life == Life::Live) {
            let values = [("hs_analytics_source".to_owned(), Some("OFFLINE".to_owned()))];
            lifecycle::change(state, &mut overlay, (kind, index), values.into_iter().collect(), "CRM_UI");
        }
    }
}
