//! Webhook deliveries: events become HubSpot's payloads, are signed as HubSpot signs, and are
//! posted when a test says so. Retries happen at once instead of over a day.

use std::sync::PoisonError;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use futures_util::StreamExt;
use hmac::{Hmac, KeyInit, Mac};
use serde::Deserialize;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use url::Url;

use crate::associations::{Tie, types};
use crate::events::{Event, What};
use crate::hash::draw;
use crate::http::{Reply, Request};
use crate::kind::Kind;
use crate::state::State;

/// Events in one delivery, at most.
const BATCH: usize = 100;
/// How long HubSpot waits for an answer.
const PATIENCE: Duration = Duration::from_secs(5);
const ATTEMPTS: u32 = 11;

/// Where deliveries go and how they are signed.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Target {
    url: String,
    client_secret: String,
    /// `v1`, `v2`, `v3`; v1 with v3 is what HubSpot sends to apps.
    #[serde(default = "usual_versions")]
    versions: Vec<String>,
    /// The address that is signed when the delivery takes another way, as behind a proxy.
    #[serde(default)]
    signed_url: Option<String>,
    /// `real` (default) stamps with the machine's time, which is what receivers compare with;
    /// `simulated` with the portal's.
    #[serde(default)]
    clock: Option<String>,
    /// Sends everything as `object.*` with a type id.
    #[serde(default)]
    generic: bool,
    /// Announces new engagements by the names specifications have for it, like `email.creation`,
    /// which HubSpot does not send.
    #[serde(default)]
    specification_names: bool,
    /// Statuses that end the attempts; HubSpot's guide knows none, older reports some.
    #[serde(default)]
    final_statuses: Vec<u16>,
}

impl Target {
    /// Deliveries as HubSpot makes them.
    fn usual(url: String, client_secret: String) -> Self {
        Self {
            url,
            client_secret,
            versions: usual_versions(),
            signed_url: None,
            clock: None,
            generic: false,
            specification_names: false,
            final_statuses: Vec::new(),
        }
    }
}

/// The app all deliveries are for.
const APP_ID: u64 = 4_100_200;

fn usual_versions() -> Vec<String> {
    vec!["v1".to_owned(), "v3".to_owned()]
}

/// `POST /__sim/webhooks/target`.
pub(super) fn target(state: &State, request: &Request) -> Result<Reply, Reply> {
    let target: Target = request.json()?;
    check_url(&target.url)?;
    *state.target.lock().unwrap_or_else(PoisonError::into_inner) = Some(target);
    Ok(Reply::ok(&json!({})))
}

/// Refuses an address that deliveries may not go to.
pub(crate) fn check_url(url: &str) -> Result<(), Reply> {
    let url = Url::parse(url).map_err(|_| Reply::bad_request("url is not a URL"))?;
    let loopback = matches!(url.host_str(), Some("127.0.0.1" | "localhost" | "[::1]"));
    if url.scheme() == "http" && loopback {
        return Ok(());
    }
    Err(Reply::bad_request("deliveries go to http on loopback only; use signed_url for the public address"))
}

/// How a flush bends the rules.
#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Flush {
    /// Every batch is sent twice.
    duplicate: bool,
    /// The newest event goes first.
    reverse: bool,
    /// Events go in an order drawn from this number.
    shuffle: Option<u64>,
    /// So many of a hundred events are never delivered.
    lost_percent: u64,
    /// Signs with a wrong secret.
    bad_signature: bool,
    /// Stamps the deliveries with this instant.
    timestamp_ms: Option<i64>,
    /// Attempts per batch; HubSpot makes eleven in a day.
    attempts: Option<u32>,
    batch: Option<usize>,
    /// Deliveries under way at once, up to what the app's settings allow.
    in_flight: Option<usize>,
    /// Adds the announcement of a record that was never there.
    unknown_object: bool,
}

/// `POST /__sim/webhooks/flush`: delivers what has queued up.
pub(crate) async fn flush(state: &State, request: &Request) -> Reply {
    let flush: Flush = match request.json() {
        Ok(flush) => flush,
        Err(reply) => return reply,
    };
    let Some(target) = chosen_target(state) else {
        return Reply::bad_request("no webhook target is set");
    };
    let mut payloads: Vec<Value> = {
        let events = state.events.take();
        events.iter().enumerate().map(|(n, event)| payload(state, event, n as u64, &target)).collect()
    };
    if flush.unknown_object {
        payloads.push(of_nobody(state));
    }
    payloads.retain(|payload| state.subscriptions().want(payload));
    if flush.reverse {
        payloads.reverse();
    }
    if let Some(number) = flush.shuffle {
        let mut drawn: Vec<(u64, Value)> =
            (0..).map(|n| draw(state.portal.seed, 64, number, n)).zip(payloads).collect();
        drawn.sort_by_key(|(order, _)| *order);
        payloads = drawn.into_iter().map(|(_, payload)| payload).collect();
    }
    payloads.retain(|payload| {
        let event = payload["eventId"].as_u64().unwrap_or_default();
        draw(state.portal.seed, 65, event, 0) % 100 >= flush.lost_percent
    });
    let batch = flush.batch.unwrap_or(BATCH).clamp(1, BATCH);
    let copies = 1 + usize::from(flush.duplicate);
    let batches = payloads.chunks(batch).flat_map(|events| vec![events.to_vec(); copies]);
    let calls: Vec<_> = batches.map(|events| deliver(state, &target, events, &flush)).collect();
    let in_flight = state.subscriptions().most_in_flight(flush.in_flight.unwrap_or(1));
    let deliveries: Vec<Value> = futures_util::stream::iter(calls).buffered(in_flight).collect().await;
    Reply::ok(&json!({"events": payloads.len(), "deliveries": deliveries}))
}

/// Where a test wants deliveries, or else where the app's settings say.
fn chosen_target(state: &State) -> Option<Target> {
    let chosen = state.target.lock().unwrap_or_else(PoisonError::into_inner).clone();
    chosen.or_else(|| {
        let url = state.subscriptions().target_url()?;
        Some(Target::usual(url, state.options.client_secret.clone()))
    })
}

/// The announcement of a record that was never there.
fn of_nobody(state: &State) -> Value {
    json!({
        "eventId": 1, "subscriptionId": 3_700_001, "portalId": state.portal.id, "appId": APP_ID,
        "occurredAt": state.clock.now(), "objectId": 7, "changeSource": "CRM_UI", "sourceId": "userId:9100000",
        "attemptNumber": 0, "changeFlag": "CREATED", "subscriptionType": "contact.creation",
    })
}

async fn deliver(state: &State, target: &Target, events: Vec<Value>, flush: &Flush) -> Value {
    let mut statuses = Vec::new();
    for attempt in 0..flush.attempts.unwrap_or(ATTEMPTS).max(1) {
        let numbered: Vec<Value> = events
            .iter()
            .map(|event| {
                let mut event = event.clone();
                event["attemptNumber"] = json!(attempt);
                event
            })
            .collect();
        let body = Value::Array(numbered).to_string();
        let status = tokio::time::timeout(PATIENCE, post(state, target, &body, flush)).await;
        let status = status.ok().and_then(Result::ok).unwrap_or(0);
        statuses.push(status);
        if (200..300).contains(&status) || target.final_statuses.contains(&status) {
            break;
        }
    }
    json!({"events": events.len(), "statuses": statuses})
}

/// Milliseconds a delivery is stamped with.
fn timestamp(state: &State, target: &Target, flush: &Flush) -> i64 {
    if let Some(ms) = flush.timestamp_ms {
        return ms;
    }
    if target.clock.as_deref() == Some("simulated") {
        return state.clock.now();
    }
    crate::clock::real_now_ms()
}

/// One HTTP/1.1 exchange on a fresh connection; returns the status.
async fn post(state: &State, target: &Target, body: &str, flush: &Flush) -> std::io::Result<u16> {
    let invalid = |_| std::io::Error::from(std::io::ErrorKind::InvalidInput);
    let url = Url::parse(&target.url).map_err(invalid)?;
    let host = url.host_str().unwrap_or("127.0.0.1").trim_matches(['[', ']']);
    let port = url.port_or_known_default().unwrap_or(80);
    let path = &url[url::Position::BeforePath..url::Position::AfterQuery];
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: {host}:{port}\r\ncontent-type: application/json\r\nuser-agent: HubSpot Webhooks\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    let secret = if flush.bad_signature { "wrong" } else { target.client_secret.as_str() };
    let signed = target.signed_url.as_deref().unwrap_or(&target.url);
    let stamp = timestamp(state, target, flush);
    for (name, value) in signatures(&target.versions, secret, signed, body, stamp) {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    head.push_str("\r\n");
    let mut stream = TcpStream::connect((host, port)).await?;
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await?;
    let mut answer = Vec::new();
    let mut buffer = [0_u8; 1_024];
    while !answer.windows(2).any(|pair| pair == b"\r\n") {
        let read = stream.read(&mut buffer).await?;
        if read == 0 {
            break;
        }
        answer.extend_from_slice(&buffer[..read]);
    }
    let line = String::from_utf8_lossy(&answer);
    Ok(line.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0))
}

fn signatures(
    versions: &[String],
    secret: &str,
    url: &str,
    body: &str,
    stamp: i64,
) -> Vec<(&'static str, String)> {
    let mut headers = Vec::new();
    let has = |version: &str| versions.iter().any(|v| v == version);
    if has("v3") {
        headers.push(("X-HubSpot-Signature-v3", signature_v3(secret, "POST", url, body, stamp)));
        headers.push(("X-HubSpot-Request-Timestamp", stamp.to_string()));
    }
    if has("v2") {
        headers.push(("X-HubSpot-Signature", sha_hex(&[secret, "POST", url, body])));
        headers.push(("X-HubSpot-Signature-Version", "v2".to_owned()));
    } else if has("v1") {
        headers.push(("X-HubSpot-Signature", sha_hex(&[secret, body])));
        headers.push(("X-HubSpot-Signature-Version", "v1".to_owned()));
    }
    headers
}

fn sha_hex(parts: &[&str]) -> String {
    let mut hash = Sha256::new();
    parts.iter().for_each(|part| hash.update(part));
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn signature_v3(secret: &str, method: &str, url: &str, body: &str, stamp: i64) -> String {
    const DECODED: [(&str, &str); 12] = [
        ("%3A", ":"),
        ("%2F", "/"),
        ("%3F", "?"),
        ("%40", "@"),
        ("%21", "!"),
        ("%24", "$"),
        ("%27", "'"),
        ("%28", "("),
        ("%29", ")"),
        ("%2A", "*"),
        ("%2C", ","),
        ("%3B", ";"),
    ];
    let mut url = url.to_owned();
    for (code, plain) in DECODED {
        url = url.replace(code, plain).replace(&code.to_lowercase(), plain);
    }
    #[expect(clippy::expect_used, reason = "HMAC takes keys of every length")]
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("any key");
    mac.update(format!("{method}{url}{body}{stamp}").as_bytes());
    STANDARD.encode(mac.finalize().into_bytes())
}

/// The payload HubSpot sends for an event.
fn payload(state: &State, event: &Event, number: u64, target: &Target) -> Value {
    let portal = &state.portal;
    let named = target.specification_names && event.what == What::Created;
    let classic = named || !target.generic && !event.kind.is_engagement();
    let family = if classic { event.kind.in_associations().trim_end_matches("_event") } else { "object" };
    let id = portal.id(event.kind, event.index);
    let now = state.clock.now();
    let mut body = json!({
        "eventId": draw(portal.seed, 63, number, now as u64) % 4_000_000_000, "subscriptionId": 3_700_001,
        "portalId": portal.id, "appId": APP_ID, "occurredAt": now, "objectId": id,
        "changeSource": event.source, "sourceId": source_id(event.source), "attemptNumber": 0,
    });
    let action = match &event.what {
        What::Created => {
            body["changeFlag"] = json!("CREATED");
            "creation"
        }
        What::Deleted => {
            body["changeFlag"] = json!("DELETED");
            "deletion"
        }
        What::Restored => "restore",
        What::PrivacyDeleted => "privacyDeletion",
        What::Changed { name, value } => {
            body["propertyName"] = json!(name);
            body["propertyValue"] = json!(value.as_deref().unwrap_or_default());
            "propertyChange"
        }
        What::Merged { primary, merged } => {
            body["primaryObjectId"] = json!(portal.id(event.kind, *primary));
            body["mergedObjectIds"] = merged.iter().map(|i| portal.id(event.kind, *i)).collect();
            body["newObjectId"] = json!(id);
            body["numberOfPropertiesMoved"] = json!(7);
            "merge"
        }
        What::Associated { to, target, removed } => {
            associated(&mut body, event.kind, *to, portal.id(*to, *target), *removed, classic);
            "associationChange"
        }
    };
    // Privacy deletion exists for contacts only and never as a generic event.
    let family = if event.what == What::PrivacyDeleted { "contact" } else { family };
    body["subscriptionType"] = json!(format!("{family}.{action}"));
    if family == "object" {
        body["objectTypeId"] = json!(event.kind.type_id());
    }
    body
}

/// Which person or app it was.
fn source_id(source: &str) -> String {
    match source {
        "INTEGRATION" | "API" => APP_ID.to_string(),
        "IMPORT" => "importId:5100".to_owned(),
        _ => "userId:9100000".to_owned(),
    }
}

fn associated(body: &mut Value, from: Kind, to: Kind, target: u64, removed: bool, classic: bool) {
    body["fromObjectId"] = body["objectId"].take();
    body["toObjectId"] = json!(target);
    body["associationRemoved"] = json!(removed);
    body["isPrimaryAssociation"] = json!(false);
    if classic {
        let name = |kind: Kind| kind.in_associations().to_uppercase();
        body["associationType"] = json!(format!("{}_TO_{}", name(from), name(to)));
    } else {
        body["fromObjectTypeId"] = json!(from.type_id());
        body["toObjectTypeId"] = json!(to.type_id());
        body["associationCategory"] = json!("HUBSPOT_DEFINED");
        body["associationTypeId"] = json!(types(from, to, Tie::PLAIN).first().map(|t| t.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_match_known_answers() {
        let secret = "c1ient-5ecret-0000-1111-222233334444";
        let url = "https://kb.example.org/api/integrations/hubspot/webhook/org_7f3a";
        assert_eq!(
            signature_v3(secret, "POST", url, "[]", 1_790_000_007_000),
            "oux+bUsmCnCGWp8LLdDOiY3T9gcPVth6lZDv3VuCayU="
        );
        assert_eq!(
            sha_hex(&[secret, "GET", url, ""]),
            "39f2b565e336b841a09503eb6e3417bf7ec9d6d29a899f9120f01070f898f15d"
        );
    }
}
