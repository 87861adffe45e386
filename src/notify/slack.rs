//! Slack over HTTP: an incoming webhook, or a bot's calls.
//!
//! Address and token are secrets: they are in no error, no log line and no `Debug`. Slack's words are read for error
//! codes and names only.

use std::time::Duration;

use reqwest::header::{AUTHORIZATION, HeaderValue, RETRY_AFTER};
use reqwest::{RequestBuilder, Response};
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::failure::{Cause, Code, Failure};
use super::message::Message;
use super::{Envelope, Notifier};
use crate::domain::clock::Millis;

/// Limit of one call.
pub const TIMEOUT: Duration = Duration::from_secs(10);
/// Largest answer taken in.
const MOST_BYTES: usize = 2 << 20;
/// Pages of channels or messages read.
const MOST_PAGES: usize = 20;
/// Slack's clock and ours may differ by so much.
const CLOCKS_MS: i64 = 60_000;
/// Name of the metadata that marks a message as ours.
const EVENT: &str = "hublore_delivery";

/// How messages get there.
#[derive(Debug, Clone)]
pub enum Way {
    /// To the address of an incoming webhook.
    Webhook(SecretString),
    /// As a bot with this token.
    Bot {
        /// Token.
        token: SecretString,
        /// It may read channels back.
        reads_back: bool,
    },
}

/// A way into a workspace.
#[derive(Debug, Clone)]
pub struct Slack {
    http: reqwest::Client,
    api_base: Url,
    way: Way,
}

/// Who a bot is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// Workspace.
    pub team: Option<String>,
    /// Scopes, where Slack tells.
    pub scopes: Vec<String>,
}

/// A channel that the bot can see.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize, serde::Serialize)]
pub struct ChannelFacts {
    /// Slack's id.
    pub id: String,
    /// Name, without the `#`.
    pub name: String,
    /// The bot is in it, where Slack tells.
    #[serde(default)]
    pub is_member: Option<bool>,
}

/// What a bot was shown of a workspace's channels.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// The channels.
    pub channels: Vec<ChannelFacts>,
    /// There is no other one that the bot could post into.
    pub all: bool,
}

#[derive(Debug, Deserialize)]
struct Answer<T> {
    ok: bool,
    #[serde(default)]
    error: String,
    #[serde(flatten)]
    said: T,
    response_metadata: Option<Next>,
}

#[derive(Debug, Deserialize)]
struct Next {
    #[serde(default)]
    next_cursor: String,
}

#[derive(Debug, Deserialize)]
struct Nothing {}

#[derive(Debug, Deserialize)]
struct Team {
    team: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Channels {
    #[serde(default)]
    channels: Vec<ChannelFacts>,
}

#[derive(Debug, Deserialize)]
struct OneChannel {
    channel: Option<ChannelFacts>,
}

#[derive(Debug, Deserialize)]
struct Messages {
    #[serde(default)]
    messages: Vec<Marked>,
}

#[derive(Debug, Deserialize)]
struct Marked {
    metadata: Option<Value>,
}

impl Slack {
    /// A way over the one HTTP client.
    #[must_use]
    pub fn new(http: reqwest::Client, api_base: Url, way: Way) -> Self {
        Self { http, api_base, way }
    }

    /// Checks a credential without posting anything.
    pub async fn identify(&self) -> Result<Identity, Failure> {
        match &self.way {
            Way::Webhook(address) => self.probe(address).await,
            Way::Bot { token, .. } => {
                let response = send(self.call("auth.test", token)?).await?;
                let scopes = response.headers().get("x-oauth-scopes").and_then(|value| value.to_str().ok());
                let scopes =
                    scopes.unwrap_or_default().split(',').map(str::trim).filter(|one| !one.is_empty());
                let scopes = scopes.map(str::to_owned).collect();
                let (said, _) = read::<Team>(response).await?;
                Ok(Identity { team: said.team, scopes })
            }
        }
    }

    /// A webhook that exists complains about a message without text; one that is gone says so.
    async fn probe(&self, address: &SecretString) -> Result<Identity, Failure> {
        match self.to_webhook(address, &json!({"text": ""})).await {
            Ok(()) | Err(Failure::Unacceptable(_)) => Ok(Identity { team: None, scopes: Vec::new() }),
            Err(failure) => Err(failure),
        }
    }

    /// Channels that the bot can see: private ones too, where it may list them.
    pub async fn channels(&self) -> Result<Seen, Failure> {
        match self.listed("public_channel,private_channel").await {
            Err(Failure::Refused(cause)) if cause.code.as_str() == "missing_scope" => {
                let seen = self.listed("public_channel").await?;
                Ok(Seen { all: false, ..seen })
            }
            other => other,
        }
    }

    async fn listed(&self, types: &str) -> Result<Seen, Failure> {
        let Way::Bot { token, .. } = &self.way else {
            return Ok(Seen { channels: Vec::new(), all: false });
        };
        let (mut channels, mut cursor) = (Vec::new(), String::new());
        for _ in 0..MOST_PAGES {
            let query =
                [("types", types), ("exclude_archived", "true"), ("limit", "1000"), ("cursor", &cursor)];
            let request = self.call("conversations.list", token)?.form(&query);
            let (said, next) = read::<Channels>(send(request).await?).await?;
            channels.extend(said.channels);
            match next {
                Some(next) => cursor = next,
                None => return Ok(Seen { channels, all: true }),
            }
        }
        Ok(Seen { channels, all: false })
    }

    /// The channel of that id, which may be a private one that lists do not show.
    pub async fn channel(&self, id: &str) -> Result<Option<ChannelFacts>, Failure> {
        let Way::Bot { token, .. } = &self.way else { return Ok(None) };
        let request = self.call("conversations.info", token)?.form(&[("channel", id)]);
        match read::<OneChannel>(send(request).await?).await {
            Ok((said, _)) => Ok(said.channel),
            Err(Failure::Refused(cause)) if cause.code.as_str() == "channel_not_found" => Ok(None),
            Err(failure) => Err(failure),
        }
    }

    /// Lets the bot into a public channel.
    pub async fn join(&self, channel: &str) -> Result<(), Failure> {
        let Way::Bot { token, .. } = &self.way else { return Ok(()) };
        let request = self.call("conversations.join", token)?.form(&[("channel", channel)]);
        read::<Nothing>(send(request).await?).await.map(drop)
    }

    async fn to_webhook(&self, address: &SecretString, body: &Value) -> Result<(), Failure> {
        let response = send(self.http.post(address.expose_secret()).json(body)).await?;
        let (status, after) = (response.status().as_u16(), retry_after(&response));
        if response.status().is_success() {
            // What else it says does not matter: the status is the answer.
            return Ok(());
        }
        let body = whole(response).await.unwrap_or_default();
        Err(Failure::of_status(status, &String::from_utf8_lossy(&body), after))
    }

    async fn as_bot(&self, token: &SecretString, to: Envelope<'_>, message: &Message) -> Result<(), Failure> {
        let body = json!({
            "channel": to.channel, "text": message.text, "blocks": message.blocks, "parse": "none",
            "link_names": false, "unfurl_links": false, "unfurl_media": false,
            "metadata": {"event_type": EVENT, "event_payload": {"delivery": to.marker}},
        });
        let request = self.call("chat.postMessage", token)?.json(&body);
        read::<Nothing>(send(request).await?).await.map(drop)
    }

    async fn find(
        &self,
        token: &SecretString,
        channel: &str,
        since: Millis,
        marker: &str,
    ) -> Result<bool, Failure> {
        let oldest = format!("{}.000000", since.plus(-CLOCKS_MS).0.div_euclid(1_000));
        let mut cursor = String::new();
        for _ in 0..MOST_PAGES {
            let query = [
                ("channel", channel),
                ("oldest", &oldest),
                ("limit", "200"),
                ("include_all_metadata", "true"),
                ("cursor", &cursor),
            ];
            let request = self.call("conversations.history", token)?.form(&query);
            let (said, next) = read::<Messages>(send(request).await?).await?;
            let ours = |one: &Marked| {
                let metadata = one.metadata.as_ref();
                metadata.is_some_and(|m| m["event_type"] == EVENT && m["event_payload"]["delivery"] == marker)
            };
            if said.messages.iter().any(ours) {
                return Ok(true);
            }
            match next {
                Some(next) => cursor = next,
                None => break,
            }
        }
        Ok(false)
    }

    fn call(&self, method: &str, token: &SecretString) -> Result<RequestBuilder, Failure> {
        let mut url = self.api_base.clone();
        if let Ok(mut path) = url.path_segments_mut() {
            path.pop_if_empty().push(method);
        }
        // A token that cannot stand in a header is none of Slack's.
        let bearer = HeaderValue::from_str(&format!("Bearer {}", token.expose_secret()));
        let mut bearer =
            bearer.map_err(|_| Failure::Refused(Cause { code: Code::parse("invalid_auth", 400) }))?;
        bearer.set_sensitive(true);
        Ok(self.http.post(url).header(AUTHORIZATION, bearer))
    }
}

impl Notifier for Slack {
    async fn send(&self, to: Envelope<'_>, message: &Message) -> Result<(), Failure> {
        match &self.way {
            Way::Webhook(address) => {
                let body = json!({
                    "text": message.text, "blocks": message.blocks, "unfurl_links": false, "unfurl_media": false,
                });
                self.to_webhook(address, &body).await
            }
            Way::Bot { token, .. } => self.as_bot(token, to, message).await,
        }
    }

    async fn arrived(&self, to: Envelope<'_>, since: Millis) -> Result<Option<bool>, Failure> {
        match (&self.way, to.channel) {
            (Way::Bot { token, reads_back: true }, Some(channel)) => {
                match self.find(token, channel, since, to.marker).await {
                    Ok(found) => Ok(Some(found)),
                    // The permission went, or the channel is known by its name only: it cannot be told.
                    Err(Failure::Refused(_) | Failure::Unacceptable(_)) => Ok(None),
                    Err(failure) => Err(failure),
                }
            }
            _ => Ok(None),
        }
    }
}

async fn send(request: RequestBuilder) -> Result<Response, Failure> {
    request
        .send()
        .await
        .map_err(|error| if error.is_connect() { Failure::Unreachable } else { Failure::Lost })
}

/// What an answer of the API says, and where the next page begins.
async fn read<T: for<'a> Deserialize<'a>>(response: Response) -> Result<(T, Option<String>), Failure> {
    let (status, after) = (response.status().as_u16(), retry_after(&response));
    let is_success = response.status().is_success();
    let body = whole(response).await?;
    // The codes of an answer without success stand in JSON, too.
    #[derive(Deserialize)]
    struct Refusal {
        error: String,
    }
    let refusal = serde_json::from_slice::<Refusal>(&body).map(|one| one.error).unwrap_or_default();
    if !is_success {
        return Err(Failure::of_status(status, &refusal, after));
    }
    // An answer that is none of Slack's says nothing about what was done.
    let Ok(answer) = serde_json::from_slice::<Answer<T>>(&body) else {
        return Err(if refusal.is_empty() {
            Failure::Lost
        } else {
            Failure::of_code(Code::parse(&refusal, status))
        });
    };
    if !answer.ok {
        return Err(match Failure::of_code(Code::parse(&answer.error, status)) {
            Failure::RateLimited(_) => Failure::RateLimited(after),
            other => other,
        });
    }
    let next = answer.response_metadata.map(|next| next.next_cursor).filter(|cursor| !cursor.is_empty());
    Ok((answer.said, next))
}

/// Seconds to wait; Slack sends no dates.
fn retry_after(response: &Response) -> Option<Duration> {
    let seconds: u64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.clamp(1, 86_400)))
}

async fn whole(mut response: Response) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|_| Failure::Lost)? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err(Failure::Lost);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
