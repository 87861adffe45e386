//! Two neighbours of the portal on the same port: a Slack that takes messages and a model endpoint
//! that gives a scripted answer. Both only keep what they were sent.
//!
//! A script says what is answered before the usual: status, body (a string is sent as plain text), `retry_after`,
//! `delay_ms`, and `cut` to take the message and close without an answer.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::delivery::Manner;
use crate::http::{Reply, Request};
use crate::state::State;

/// Calls kept per neighbour.
const KEPT: usize = 10_000;

/// What the neighbours have been sent, and what they answer next.
#[derive(Debug, Default)]
pub(crate) struct Beside(Mutex<Neighbours>);

#[derive(Debug, Default)]
struct Neighbours {
    slack: Vec<Value>,
    model: Vec<Value>,
    /// Messages in channels, with their metadata.
    posted: Vec<Value>,
    /// The bot joined the channel `ops`; it is in `sales` from the start.
    joined: bool,
    /// Replies to give before the usual ones.
    slack_script: Vec<Scripted>,
    model_script: Vec<Scripted>,
}

/// A reply that is given once.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct Scripted {
    /// The usual reply, where neither a status nor a body is given.
    status: Option<u16>,
    body: Option<Value>,
    retry_after: Option<u64>,
    #[serde(default)]
    delay_ms: u64,
    /// The message is taken and nothing is answered.
    #[serde(default)]
    cut: bool,
}

impl Scripted {
    fn reply(&self) -> Option<Reply> {
        if self.status.is_none() && self.body.is_none() {
            return None;
        }
        let status = self.status.unwrap_or(200);
        let said = match &self.body {
            Some(Value::String(text)) => Reply::new(status, "text/plain", text.as_bytes()),
            Some(body) => Reply::json(status, body),
            None => Reply::json(status, &Value::Null),
        };
        Some(match self.retry_after {
            Some(seconds) => said.with("retry-after", seconds.to_string()),
            None => said,
        })
    }
}

/// Answers a call below `/__slack` or `/__model`, after the pause of its script.
pub(crate) async fn answer(state: &State, request: &Request) -> (Reply, Manner) {
    let (reply, scripted) = reply(state, request);
    let Some(scripted) = scripted else { return (reply, Manner::Whole) };
    tokio::time::sleep(Duration::from_millis(scripted.delay_ms)).await;
    (reply, if scripted.cut { Manner::Nothing } else { Manner::Whole })
}

fn reply(state: &State, request: &Request) -> (Reply, Option<Scripted>) {
    let path: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let mut neighbours = state.beside.0.lock().unwrap_or_else(PoisonError::into_inner);
    let neighbours = &mut *neighbours;
    let (journal, script) = match path.first() {
        Some(&"__slack") => (&mut neighbours.slack, &mut neighbours.slack_script),
        _ => (&mut neighbours.model, &mut neighbours.model_script),
    };
    match (request.method.as_str(), &path[1..]) {
        ("GET", ["journal"]) => return (Reply::ok(&json!({"calls": journal})), None),
        ("POST", ["journal", "reset"]) => {
            journal.clear();
            return (Reply::ok(&json!({})), None);
        }
        ("POST", ["script"]) => return (set_script(script, request), None),
        _ => {}
    }
    let body = if request.is_form() {
        request.form().into_iter().map(|(name, value)| (name, Value::String(value))).collect()
    } else {
        serde_json::from_slice(&request.body).unwrap_or(Value::Null)
    };
    if journal.len() < KEPT {
        journal.push(
            json!({"method": request.method, "path": request.path, "bearer": request.bearer, "body": body}),
        );
    }
    let number = journal.len();
    let scripted = (!script.is_empty()).then(|| script.remove(0));
    if let Some(said) = scripted.as_ref().and_then(Scripted::reply) {
        return (said, scripted);
    }
    let usual = match path[0] {
        "__slack" => slack(&path[1..], number, &body, (&mut neighbours.posted, &mut neighbours.joined)),
        _ => model(number),
    };
    (usual, scripted)
}

fn set_script(script: &mut Vec<Scripted>, request: &Request) -> Reply {
    match request.json() {
        Ok(replies) => *script = replies,
        Err(reply) => return reply,
    }
    Reply::ok(&json!({"scripted": script.len()}))
}

/// What the simulated bot may do.
const SCOPES: &str = "chat:write,channels:read,channels:join,channels:history";

fn slack(
    path: &[&str],
    number: usize,
    body: &Value,
    (posted, joined): (&mut Vec<Value>, &mut bool),
) -> Reply {
    match path.last() {
        Some(&"auth.test") => Reply::ok(
            &json!({"ok": true, "team": "Vendor Example", "team_id": "T0SIM", "user_id": "U0SIM", "url": "https://vendor.slack.example/"}),
        )
        .with("x-oauth-scopes", SCOPES.to_owned()),
        Some(&"conversations.list") => Reply::ok(
            &json!({"ok": true, "channels": [{"id": "C0SALES", "name": "sales", "is_member": true}, {"id": "C0OPS", "name": "ops", "is_member": *joined}], "response_metadata": {"next_cursor": ""}}),
        ),
        Some(&"oauth.v2.access") => Reply::ok(
            &json!({"ok": true, "access_token": "xoxb-simulated", "token_type": "bot", "scope": "chat:write,channels:read,channels:join", "team": {"id": "T0SIM", "name": "Vendor Example"}}),
        ),
        Some(&"conversations.info") => match body["channel"].as_str() {
            Some("C0SALES") => Reply::ok(
                &json!({"ok": true, "channel": {"id": "C0SALES", "name": "sales", "is_member": true}}),
            ),
            _ => Reply::ok(&json!({"ok": false, "error": "channel_not_found"})),
        },
        Some(&"conversations.join") => {
            *joined |= body["channel"] == "C0OPS";
            Reply::ok(&json!({"ok": true, "channel": {"id": body["channel"]}}))
        }
        Some(&"chat.postMessage") => post(number, body, posted, *joined),
        Some(&"conversations.history") => {
            let here = |one: &&Value| one["channel"] == body["channel"];
            let mut messages: Vec<&Value> = posted.iter().filter(here).collect();
            messages.reverse();
            Reply::ok(&json!({"ok": true, "messages": messages, "has_more": false}))
        }
        // An incoming webhook.
        _ if body["text"] == "" => Reply::new(400, "text/plain", "no_text"),
        _ => Reply::new(200, "text/plain", "ok"),
    }
}

fn post(number: usize, body: &Value, posted: &mut Vec<Value>, joined: bool) -> Reply {
    let channel = match body["channel"].as_str() {
        Some("C0SALES" | "sales" | "#sales") => "C0SALES",
        Some("C0OPS" | "ops" | "#ops") if joined => "C0OPS",
        Some("C0OPS" | "ops" | "#ops") => return Reply::ok(&json!({"ok": false, "error": "not_in_channel"})),
        _ => return Reply::ok(&json!({"ok": false, "error": "channel_not_found"})),
    };
    let ts = format!("1795424400.{number:06}");
    posted.push(json!({
        "type": "message", "channel": channel, "ts": ts, "text": body["text"], "blocks": body["blocks"],
        "metadata": body["metadata"],
    }));
    if posted.len() > KEPT {
        posted.remove(0);
    }
    Reply::ok(&json!({"ok": true, "channel": channel, "ts": ts}))
}

fn model(number: usize) -> Reply {
    Reply::ok(&json!({
        "id": format!("chatcmpl-{number}"), "object": "chat.completion", "model": "simulated",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "{\"insights\":[]}"}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }))
}
