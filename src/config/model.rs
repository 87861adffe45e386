//! The section `model`: as written, then as meant; without an address there is no model.

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use url::Url;

use super::{ConfigError, bad, secret, web_address};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenModel {
    base_url: String,
    name: String,
    api_key: SecretString,
    api_key_file: String,
    timeout_s: u64,
    judge_topics: bool,
    tokens_per_day: u64,
    tokens_per_customer: u64,
    tokens_per_sync: u64,
}

/// Settings of the model path.
#[derive(Debug, Clone)]
pub struct Model {
    /// Address of the endpoint, up to but without `chat/completions`.
    pub base_url: Url,
    /// Name of the model.
    pub name: String,
    /// Key, where the endpoint wants one.
    pub api_key: Option<SecretString>,
    /// Limit of one request.
    pub timeout: Duration,
    /// It also judges topics.
    pub judge_topics: bool,
    /// Tokens per day; 0 is no limit.
    pub tokens_per_day: u64,
    /// Tokens per customer and day; 0 is no limit.
    pub tokens_per_customer: u64,
    /// Tokens between the starts of two syncs; 0 is no limit.
    pub tokens_per_sync: u64,
}

impl WrittenModel {
    /// As meant.
    pub(super) fn check(self) -> Result<Option<Model>, ConfigError> {
        if self.base_url.trim().is_empty() {
            return Ok(None);
        }
        if self.name.trim().is_empty() {
            return bad("model.name: say which model of model.base_url is to be asked");
        }
        let key = secret("model.api_key_file", self.api_key, &self.api_key_file)?;
        Ok(Some(Model {
            base_url: web_address("model.base_url", self.base_url.trim(), false)?,
            name: self.name.trim().to_owned(),
            api_key: Some(key).filter(|key| !key.expose_secret().trim().is_empty()),
            timeout: Duration::from_secs(self.timeout_s.clamp(1, 3_600)),
            judge_topics: self.judge_topics,
            tokens_per_day: self.tokens_per_day,
            tokens_per_customer: self.tokens_per_customer,
            tokens_per_sync: self.tokens_per_sync,
        }))
    }
}
