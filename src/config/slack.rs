//! The section `slack`: as written, then as meant.
//!
//! Not here: the access to Slack and what is posted where; that is an organisation's and kept in the store.

use serde::Deserialize;
use url::Url;

use super::{ConfigError, bad, is_loopback, web_address};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct WrittenSlack {
    api_base: String,
    webhook_base: String,
    max_age_hours: f64,
    digest_hour: u32,
}

/// Settings of posting to Slack; whether anything is posted is an organisation's own business and lives in the store.
#[derive(Debug, Clone)]
pub struct Slack {
    /// Where a bot's calls go.
    pub api_base: Url,
    /// What the address of an incoming webhook begins with.
    pub webhook_base: Url,
    /// What is older when it is first seen is not posted, milliseconds.
    pub max_age_ms: i64,
    /// Hour of the daily digest, by the clock of the HubSpot account.
    pub digest_hour: u32,
}

impl WrittenSlack {
    /// As meant.
    pub(super) fn check(self) -> Result<Slack, ConfigError> {
        if !(0.01..=24.0 * 366.0).contains(&self.max_age_hours) {
            return bad(format!(
                "slack.max_age_hours: {} is not a number of hours above 0",
                self.max_age_hours
            ));
        }
        if self.digest_hour > 23 {
            return bad(format!("slack.digest_hour: {} is not an hour from 0 to 23", self.digest_hour));
        }
        #[expect(clippy::cast_possible_truncation, reason = "a year of milliseconds fits")]
        let max_age_ms = (self.max_age_hours * 3_600_000.0) as i64;
        Ok(Slack {
            api_base: slack_host("slack.api_base", &self.api_base)?,
            webhook_base: slack_host("slack.webhook_base", &self.webhook_base)?,
            max_age_ms,
            digest_hour: self.digest_hour,
        })
    }
}

/// An address of Slack's own, or a loopback one.
fn slack_host(setting: &str, text: &str) -> Result<Url, ConfigError> {
    const HOSTS: [&str; 4] = ["slack.com", "hooks.slack.com", "slack-gov.com", "hooks.slack-gov.com"];
    let url = web_address(setting, text.trim(), false)?;
    let bare = url.username().is_empty() && url.password().is_none() && url.query().is_none();
    let known =
        url.scheme() == "https" && url.port().is_none() && url.host_str().is_some_and(|h| HOSTS.contains(&h));
    if bare && (known || is_loopback(&url)) {
        return Ok(url);
    }
    bad(format!(
        "{setting}: `{}` is not one of Slack's hosts ({})",
        url.host_str().unwrap_or_default(),
        HOSTS.join(", ")
    ))
}
