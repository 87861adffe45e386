//! Two neighbours of the portal on the same port: a Slack that takes messages and a model endpoint
//! that gives a scripted answer. Both only keep what they were sent.

use std::sync::{Mutex, PoisonError};

use serde_json::{Value, json};

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
    /// Replies to give before the usual ones: status and body.
    slack_script: Vec<(u16, Value)>,
    model_script: Vec<(u16, Value)>,
}

/// Answers a call below `/__slack` or `/__model`.
pub(crate) fn answer(state: &State, request: &Request) -> Reply {
    let path: Vec<&str> = request.segments.iter().map(String::as_str).collect();
    let mut neighbours = state.beside.0.lock().unwrap_or_else(PoisonError::into_inner);
    let neighbours = &mut *neighbours;
    let (journal, script) = match path.first() {
        Some(&"__slack") => (&mut neighbours.slack, &mut neighbours.slack_script),
        _ => (&mut neighbours.model, &mut neighbours.model_script),
    };
    match (request.method.as_str(), &path[1..]) {
        ("GET", ["journal"]) => return Reply::ok(&json!({"calls": journal})),
        ("POST", ["journal", "reset"]) => {
            journal.clear();
            return Reply::ok(&json!({}));
        }
        ("POST", ["script"]) => return set_script(script, request),
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
    if !script.is_empty() {
        let (status, body) = script.remove(0);
        return Reply::json(status, &body);
    }
    if path[0] == "__slack" { slack(&path[1..], number) } else { model(number) }
}

fn set_script(script: &mut Vec<(u16, Value)>, request: &Request) -> Reply {
    let replies: Vec<Value> = match request.json() {
        Ok(replies) => replies,
        Err(reply) => return reply,
    };
    let one = |reply: Value| {
        (reply["status"].as_u64().and_then(|s| u16::try_from(s).ok()).unwrap_or(200), reply["body"].clone())
    };
    *script = replies.into_iter().map(one).collect();
    Reply::ok(&json!({"scripted": script.len()}))
}

fn slack(path: &[&str], number: usize) -> Reply {
    match path.last() {
        Some(&"auth.test") => Reply::ok(
            &json!({"ok": true, "team": "Vendor Example", "team_id": "T0SIM", "user_id": "U0SIM", "url": "https://vendor.slack.example/"}),
        ),
        Some(&"conversations.list") => Reply::ok(
            &json!({"ok": true, "channels": [{"id": "C0SALES", "name": "sales"}, {"id": "C0OPS", "name": "ops"}], "response_metadata": {"next_cursor": ""}}),
        ),
        Some(&"oauth.v2.access") => Reply::ok(
            &json!({"ok": true, "access_token": "xoxb-simulated", "token_type": "bot", "scope": "chat:write,channels:read,channels:join", "team": {"id": "T0SIM", "name": "Vendor Example"}}),
        ),
        Some(&"chat.postMessage") => {
            Reply::ok(&json!({"ok": true, "channel": "C0SALES", "ts": format!("1795424400.{number:06}")}))
        }
        _ => Reply::new(200, "text/plain", "ok"),
    }
}

fn model(number: usize) -> Reply {
    Reply::ok(&json!({
        "id": format!("chatcmpl-{number}"), "object": "chat.completion", "model": "simulated",
        "choices": [{"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": "{\"insights\":[]}"}}],
        "usage": {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15},
    }))
}
