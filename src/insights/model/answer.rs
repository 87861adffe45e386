//! Reads what an endpoint sends back, and says what went wrong in types.
//!
//! Tolerant where nothing can be misunderstood (think blocks, fences, prose around the JSON, numbers as text), strict
//! where something could. What an entry means is `facts` and `topics`.

use std::time::Duration;

use serde_json::Value;

/// Why there is no answer. Every one leaves the engagement queued.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Failure {
    /// Nobody answers at this address.
    Unreachable,
    /// It took too long.
    TimedOut,
    /// Too many requests; ask again after this long, where it was said.
    RateLimited(Option<Duration>),
    /// The key is missing or wrong.
    Unauthorized,
    /// There is no such path or model.
    NotFound,
    /// The question itself is refused, in this dialect or in all.
    Rejected(u16),
    /// The question is larger than the endpoint takes.
    TooLarge,
    /// The endpoint has a problem of its own.
    Server(u16),
    /// It answers with something else: a redirection, no content.
    Status(u16),
    /// The answer is longer than anything that was asked for.
    TooLong,
    /// The answer is no text.
    NotUtf8,
    /// The answer is no JSON, or stops in the middle.
    NotJson,
    /// The answer is JSON without a choice in it.
    NoChoice,
    /// The endpoint says it failed, in an answer that looks well.
    ErrorObject,
    /// The model refuses, or a filter does.
    Refused,
    /// The model says nothing.
    Empty,
    /// The model ran out of tokens before it was done.
    Incomplete,
    /// What the model says is not in the form that was asked for.
    WrongShape,
    /// It is, but names nothing that was shown.
    Unusable,
}

impl Failure {
    /// The name used in rows and counters.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Unreachable => "unreachable",
            Self::TimedOut => "timed_out",
            Self::RateLimited(_) => "rate_limited",
            Self::Unauthorized => "unauthorized",
            Self::NotFound => "not_found",
            Self::Rejected(_) => "rejected",
            Self::TooLarge => "too_large",
            Self::Server(_) => "server_error",
            Self::Status(_) => "unexpected_status",
            Self::TooLong => "too_long",
            Self::NotUtf8 => "not_utf8",
            Self::NotJson => "not_json",
            Self::NoChoice => "no_choice",
            Self::ErrorObject => "error_object",
            Self::Refused => "refused",
            Self::Empty => "empty",
            Self::Incomplete => "incomplete",
            Self::WrongShape => "wrong_shape",
            Self::Unusable => "unusable",
        }
    }

    /// Another dialect may be understood where this one was not.
    #[must_use]
    pub fn may_be_dialect(&self) -> bool {
        match self {
            // Some servers answer 500 or 501 to a response format they do not know.
            Self::Rejected(_) | Self::Server(500 | 501) => true,
            Self::Empty | Self::WrongShape | Self::NotJson | Self::NoChoice | Self::ErrorObject => true,
            _ => false,
        }
    }

    /// Fewer engagements at once may help.
    #[must_use]
    pub fn calls_for_less(&self) -> bool {
        matches!(self, Self::Incomplete | Self::TooLarge | Self::WrongShape | Self::Refused | Self::Unusable)
    }

    /// It says something about the endpoint, not about what was asked: nothing else need be tried now.
    #[must_use]
    pub fn stops_everything(&self) -> bool {
        matches!(
            self,
            Self::Unreachable
                | Self::TimedOut
                | Self::RateLimited(_)
                | Self::Unauthorized
                | Self::NotFound
                | Self::Server(_)
                | Self::Status(_)
        )
    }
}

/// What a model said, and what it cost.
#[derive(Debug, Clone, PartialEq)]
pub struct Completion {
    /// The JSON in its words.
    pub content: Value,
    /// Tokens used, where the endpoint counts them.
    pub tokens: Option<u64>,
}

/// Reads the body of a successful answer.
///
/// # Errors
/// Why there is no answer in it.
pub fn read(body: &[u8]) -> Result<Completion, Failure> {
    let text = std::str::from_utf8(body).map_err(|_| Failure::NotUtf8)?;
    let envelope: Value = serde_json::from_str(text).map_err(|_| Failure::NotJson)?;
    if envelope.get("error").is_some_and(|error| !error.is_null()) {
        return Err(Failure::ErrorObject);
    }
    let choice = envelope["choices"].get(0).ok_or(Failure::NoChoice)?;
    let message = choice.get("message").filter(|m| m.is_object()).ok_or(Failure::NoChoice)?;
    if message.get("refusal").is_some_and(|refusal| refusal.as_str().is_some_and(|r| !r.is_empty())) {
        return Err(Failure::Refused);
    }
    match choice["finish_reason"].as_str() {
        Some("length" | "max_tokens") => return Err(Failure::Incomplete),
        Some("content_filter") => return Err(Failure::Refused),
        _ => {}
    }
    let said = words(message).ok_or(Failure::Empty)?;
    let content = json_in(&said).ok_or(Failure::WrongShape)?;
    Ok(Completion { content, tokens: envelope["usage"]["total_tokens"].as_u64() })
}

/// The arguments of its tool call, or the content of a message, in one piece or in parts.
fn words(message: &Value) -> Option<String> {
    let arguments = match &message["tool_calls"][0]["function"]["arguments"] {
        Value::String(text) => Some(text.clone()),
        Value::Null => None,
        // Some servers send the arguments as they are instead of as text.
        whole => Some(whole.to_string()),
    };
    let content = match &message["content"] {
        Value::String(text) => Some(text.clone()),
        Value::Array(parts) => Some(parts.iter().filter_map(|part| part["text"].as_str()).collect()),
        whole @ Value::Object(_) => Some(whole.to_string()),
        _ => None,
    };
    [arguments, content].into_iter().flatten().find(|text| !text.trim().is_empty())
}

/// The JSON in what a model says: behind its thoughts, within fences, between words.
fn json_in(said: &str) -> Option<Value> {
    let said = match said.rfind("</think>") {
        Some(at) => &said[at + "</think>".len()..],
        None => said,
    };
    let trimmed = said.trim();
    if let Ok(whole) = serde_json::from_str::<Value>(trimmed) {
        // JSON within a JSON string is still one step away.
        return match whole {
            Value::String(inner) => serde_json::from_str(inner.trim()).ok(),
            whole => Some(whole),
        };
    }
    let starts = trimmed.char_indices().filter(|(_, c)| matches!(c, '{' | '[')).map(|(at, _)| at).take(16);
    starts.into_iter().find_map(|at| {
        let mut values = serde_json::Deserializer::from_str(&trimmed[at..]).into_iter::<Value>();
        values.next().and_then(Result::ok).filter(|value| value.is_object() || is_list_of_objects(value))
    })
}

fn is_list_of_objects(value: &Value) -> bool {
    value.as_array().is_some_and(|list| list.iter().all(Value::is_object))
}

/// The list of that name, or the content itself where it is a list.
///
/// # Errors
/// It is something else.
pub fn list<'a>(content: &'a Value, name: &str) -> Result<&'a [Value], Failure> {
    let list = content.get(name).and_then(Value::as_array).or_else(|| content.as_array());
    list.map(Vec::as_slice).ok_or(Failure::WrongShape)
}

/// A whole number, also written as text or with a point zero.
#[must_use]
pub fn number(value: &Value) -> Option<usize> {
    let whole = match value {
        Value::Number(number) => number.as_u64().or_else(|| whole(number.as_f64()?)),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    whole.and_then(|number| usize::try_from(number).ok())
}

fn whole(number: f64) -> Option<u64> {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "in range and without a fraction"
    )]
    (number.fract() == 0.0 && (0.0..1e9).contains(&number)).then_some(number as u64)
}
