//! Is HubSpot there, and what time is it there? Asked without a token, for diagnosis only.

use std::time::Duration;

use reqwest::header::DATE;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc2822;
use url::Url;

use super::error::HubspotError;
use crate::domain::clock::Millis;

/// How long a diagnosis waits.
const PATIENCE: Duration = Duration::from_secs(10);

/// HubSpot's time as its answer is dated, to the second; `None` where the answer has no date.
pub async fn time_there(api_base: &Url) -> Result<Option<Millis>, HubspotError> {
    let host = api_base.host_str().unwrap_or_default().to_owned();
    let unreachable =
        |error: reqwest::Error| HubspotError::Unreachable { host: host.clone(), reason: plainly(&error) };
    let http = crate::http::client(PATIENCE).map_err(unreachable)?;
    let answer = http.get(api_base.clone()).send().await.map_err(unreachable)?;
    let date = answer.headers().get(DATE).and_then(|value| value.to_str().ok());
    let read = date.and_then(|text| OffsetDateTime::parse(text, &Rfc2822).ok());
    Ok(read.map(|at| Millis(at.unix_timestamp().saturating_mul(1000))))
}

/// The innermost cause: the outer ones only repeat the address.
fn plainly(error: &reqwest::Error) -> String {
    let mut cause: &dyn std::error::Error = error;
    while let Some(inner) = cause.source() {
        cause = inner;
    }
    cause.to_string()
}
