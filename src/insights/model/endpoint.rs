//! One chat endpoint: puts a question, finds the dialect it speaks, tells failures apart.
//!
//! A question is asked once in each dialect at most; waiting and asking again is the queue's business. The key
//! travels in a header and nowhere else.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use reqwest::StatusCode;
use reqwest::header::{CONTENT_TYPE, RETRY_AFTER};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use url::Url;

use super::answer::{self, Failure};
use super::dialect::Dialect;
use super::page::tokens;

/// Largest answer taken in.
const MOST_BYTES: usize = 4 << 20;

/// A question, however it is put.
#[derive(Debug, Clone)]
pub struct Question {
    /// Name of the answer's form.
    pub name: &'static str,
    /// Name of the list in the answer.
    pub list: &'static str,
    /// What the model is to do; never a customer's words.
    pub system: String,
    /// What it is to read, as data.
    pub data: Value,
    /// The form of the answer.
    pub schema: Value,
    /// Tokens the answer may take.
    pub most_tokens: u64,
}

impl Question {
    /// Tokens it takes to ask and to answer, estimated.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        tokens(&self.system)
            + tokens(&self.data.to_string())
            + tokens(&self.schema.to_string())
            + self.most_tokens / 4
    }
}

/// An answer that was understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Answered<T> {
    /// What it says.
    pub said: T,
    /// Tokens it cost, failed tries included; estimated where the endpoint does not count.
    pub tokens: u64,
}

/// A chat endpoint with its model. Cheap to clone; clones share what was found out.
#[derive(Debug, Clone)]
pub struct Endpoint {
    http: reqwest::Client,
    url: Url,
    key: Option<SecretString>,
    model: String,
    dialect: Arc<Mutex<Option<Dialect>>>,
}

impl Endpoint {
    /// The endpoint below `base` (its path ends before `chat/completions`), asked for `model` and waited for at most
    /// `timeout`; a query of `base` (an API version) is kept.
    ///
    /// # Errors
    /// No HTTP client can be made on this machine.
    pub fn new(
        base: &Url,
        key: Option<SecretString>,
        model: String,
        timeout: Duration,
    ) -> Result<Self, reqwest::Error> {
        let http = crate::http::patient_client(timeout)?;
        let mut url = base.clone();
        url.set_path(&format!("{}/chat/completions", base.path().trim_end_matches('/')));
        Ok(Self { http, url, key, model, dialect: Arc::default() })
    }

    /// What it is known by: address and model, without the key.
    #[must_use]
    pub fn name(&self) -> String {
        let host = self.url.host_str().unwrap_or_default();
        format!("{}@{host}{}", self.model, self.url.port().map_or(String::new(), |port| format!(":{port}")))
    }

    /// The model it is asked for.
    #[must_use]
    pub fn model(&self) -> &str {
        &self.model
    }

    /// The dialect it was found to speak.
    #[must_use]
    pub fn dialect(&self) -> Option<Dialect> {
        *self.dialect.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes a dialect as found.
    pub fn remember(&self, dialect: Dialect) {
        *self.dialect.lock().unwrap_or_else(PoisonError::into_inner) = Some(dialect);
    }

    /// Asks, and reads the content with `read`.
    ///
    /// # Errors
    /// The failure, and the tokens that were spent on it.
    pub async fn ask<T>(
        &self,
        question: &Question,
        read: impl Fn(&Value) -> Result<T, Failure>,
    ) -> Result<Answered<T>, (Failure, u64)> {
        let proven = self.dialect();
        let others = Dialect::ALL.into_iter().filter(|one| Some(*one) != proven);
        let mut spent = 0;
        let mut first = None;
        for dialect in proven.into_iter().chain(others) {
            let (failure, tokens) = match self.once(dialect, question).await {
                Ok(completion) => {
                    let tokens = completion.tokens.unwrap_or_else(|| question.tokens());
                    match read(&completion.content) {
                        Ok(said) => {
                            self.remember(dialect);
                            return Ok(Answered { said, tokens: spent + tokens });
                        }
                        Err(failure) => (failure, tokens),
                    }
                }
                Err((failure, sent)) => (failure, if sent { question.tokens() } else { 0 }),
            };
            spent += tokens;
            // What a dialect that works says badly, it says badly; what it refuses, another may take.
            let known = proven == Some(dialect) && !matches!(failure, Failure::Rejected(_));
            if known || !failure.may_be_dialect() {
                return Err((failure, spent));
            }
            first.get_or_insert(failure);
        }
        Err((first.unwrap_or(Failure::WrongShape), spent))
    }

    /// Asks once; a failure says whether a model may have worked on it.
    async fn once(
        &self,
        dialect: Dialect,
        question: &Question,
    ) -> Result<answer::Completion, (Failure, bool)> {
        let body = dialect.body(&self.model, question).to_string();
        let mut request =
            self.http.post(self.url.clone()).header(CONTENT_TYPE, "application/json").body(body);
        if let Some(key) = &self.key {
            request = request.bearer_auth(key.expose_secret());
            // Azure names the version of its API in the address and wants the key in a header of its own.
            if self.url.query().is_some_and(|query| query.contains("api-version")) {
                request = request.header("api-key", key.expose_secret());
            }
        }
        let response = request.send().await.map_err(|error| (lost(&error), error.is_timeout()))?;
        let status = response.status();
        if !status.is_success() {
            return Err((refused(status, retry_after(&response)), status.is_server_error()));
        }
        let bytes = whole(response).await.map_err(|failure| (failure, true))?;
        answer::read(&bytes).map_err(|failure| (failure, true))
    }
}

fn lost(error: &reqwest::Error) -> Failure {
    if error.is_timeout() { Failure::TimedOut } else { Failure::Unreachable }
}

fn refused(status: StatusCode, after: Option<Duration>) -> Failure {
    match status.as_u16() {
        429 => Failure::RateLimited(after),
        401 | 403 => Failure::Unauthorized,
        404 => Failure::NotFound,
        408 => Failure::TimedOut,
        413 => Failure::TooLarge,
        code @ 400..=499 => Failure::Rejected(code),
        503 if after.is_some() => Failure::RateLimited(after),
        code @ 500..=599 => Failure::Server(code),
        code => Failure::Status(code),
    }
}

/// Seconds to wait; a date would need a clock and is left to the queue's own pause.
fn retry_after(response: &reqwest::Response) -> Option<Duration> {
    let seconds: u64 = response.headers().get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.min(86_400)))
}

async fn whole(mut response: reqwest::Response) -> Result<Vec<u8>, Failure> {
    let mut bytes = Vec::new();
    // An answer that breaks off is not an endpoint that cannot be reached: it is read as far as it came.
    while let Some(chunk) = response.chunk().await.map_err(|error| match error.is_timeout() {
        true => Failure::TimedOut,
        false => Failure::NotJson,
    })? {
        if bytes.len() + chunk.len() > MOST_BYTES {
            return Err(Failure::TooLong);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}
