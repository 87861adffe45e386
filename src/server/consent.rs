//! The two pages of the OAuth flow: where a person is sent off from, and where HubSpot sends them back.
//!
//! The connect page opens by a one-time link that only the operator's command line hands out; it ties the
//! consent to the browser with a cookie, so an answer smuggled into another browser is refused.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::Served;
use super::problem::Problem;
use crate::sync::SyncError;
use crate::sync::mode::Mode;
use crate::sync::run::Wish;
use crate::vault::{VaultError, random};

const COOKIE: &str = "hublore_consent";
const TICKET_LIFE: Duration = Duration::from_secs(600);

/// One-time links to the connect page.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<HashMap<String, Instant>>);

impl Tickets {
    /// Makes a ticket that opens the connect page once within ten minutes.
    pub fn issue(&self) -> Result<String, VaultError> {
        let ticket = URL_SAFE_NO_PAD.encode(random::<24>()?);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, issued| issued.elapsed() < TICKET_LIFE);
        open.insert(ticket.clone(), Instant::now());
        Ok(ticket)
    }

    fn redeem(&self, ticket: &str) -> bool {
        let issued = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(ticket);
        issued.is_some_and(|issued| issued.elapsed() < TICKET_LIFE)
    }
}

/// Query string of the connect page.
#[derive(Debug, Deserialize)]
pub struct ConnectQuery {
    #[serde(default)]
    ticket: String,
}

/// `GET /integrations/hubspot/connect`: sends the browser to HubSpot's consent page.
pub async fn connect(State(served): State<Served>, Query(query): Query<ConnectQuery>) -> Response {
    if !served.tickets.redeem(&query.ticket) {
        let text = "This link was used already or is too old. Run `hublore connect` for a new one.";
        return page(StatusCode::FORBIDDEN, "Not opened", text);
    }
    match redirect(served).await {
        Ok(response) => response,
        Err(error) => page(StatusCode::BAD_GATEWAY, "Not connected", &error.to_string()),
    }
}

async fn redirect(served: Served) -> Result<Response, SyncError> {
    let cookie = URL_SAFE_NO_PAD.encode(random::<24>()?);
    let url = {
        let (app, cookie) = (served.app.clone(), cookie.clone());
        let begun = move || app.connector.begin_consent(&app.reading.org, Some(&cookie));
        blocking(begun).await?
    };
    let mut response = Redirect::to(url.as_str()).into_response();
    *response.status_mut() = StatusCode::FOUND;
    let secure = if served.app.connector.redirect().scheme() == "https" { "; Secure" } else { "" };
    let cookie =
        format!("{COOKIE}={cookie}; HttpOnly; SameSite=Lax; Path=/api/integrations; Max-Age=600{secure}");
    if let Ok(value) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, value);
    }
    Ok(response)
}

async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, SyncError> + Send + 'static,
) -> Result<T, SyncError> {
    let done = tokio::task::spawn_blocking(work).await;
    done.unwrap_or_else(|error| Err(SyncError::Vault(error.to_string())))
}

/// What HubSpot appends to the redirect address.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Callback {
    code: Option<String>,
    state: Option<String>,
    error: Option<String>,
    error_description: Option<String>,
}

/// `GET /api/integrations/hubspot/callback`: completes or refuses the connection, then starts the first sync.
pub async fn callback(
    State(served): State<Served>,
    headers: HeaderMap,
    Query(answer): Query<Callback>,
) -> Response {
    match complete(&served, &headers, answer).await {
        Ok(portal) => {
            let text = format!(
                "HubSpot portal {portal} is connected. The first sync is running; you can close this page."
            );
            page(StatusCode::OK, "Connected", &text)
        }
        Err(error @ (SyncError::ForeignConsent | SyncError::ConsentRefused(_))) => {
            page(StatusCode::BAD_REQUEST, "Not connected", &error.to_string())
        }
        Err(error @ (SyncError::Store(_) | SyncError::Vault(_))) => {
            tracing::error!(%error, "a connection could not be stored");
            page(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Not connected",
                "The server could not store the connection; its log says why.",
            )
        }
        Err(error) => page(StatusCode::BAD_GATEWAY, "Not connected", &error.to_string()),
    }
}

async fn complete(served: &Served, headers: &HeaderMap, answer: Callback) -> Result<u64, SyncError> {
    let state = answer.state.unwrap_or_default();
    let cookie = cookie(headers);
    let connector = served.app.connector.clone();
    let org = blocking(move || connector.accept_state(&state, cookie.as_deref())).await?;
    if let Some(error) = answer.error {
        return Err(SyncError::ConsentRefused(answer.error_description.unwrap_or(error)));
    }
    let code = answer.code.ok_or(SyncError::ForeignConsent)?;
    let connection = served.app.connector.complete_consent(&org, &code).await?;
    served.jobs.start(Mode::FullResync, Wish::default())?;
    Ok(connection.portal.0)
}

fn cookie(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}

/// A page of one sentence. Words that came from outside are escaped.
fn page(status: StatusCode, title: &str, text: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title} - hublore</title><style>body{{font:1.1rem/1.5 system-ui;\
         max-width:36rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}}</style><h1>{title}</h1><p>{}</p>",
        escaped(text)
    );
    let mut response = (status, Html(html)).into_response();
    let policy =
        HeaderValue::from_static("default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'");
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            other => out.push(other),
        }
    }
    out
}

/// For the command line: a link that opens the connect page once.
pub fn link(served: &Served) -> Result<String, Problem> {
    let ticket = served.tickets.issue().map_err(|error| Problem::internal(&error))?;
    let base = served.app.reading.config.server.public_url.as_str().trim_end_matches('/').to_owned();
    Ok(format!("{base}/integrations/hubspot/connect?ticket={ticket}"))
}
