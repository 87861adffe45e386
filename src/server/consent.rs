//! The two pages of the OAuth flow: where a person is sent off from, and where HubSpot sends them back.
//!
//! The connect page opens by a one-time link that only the operator's command line hands out; it ties the
//! consent to the browser with a cookie, so an answer smuggled into another browser is refused.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;

use super::problem::Problem;
use super::{Served, other_portal};
use crate::store::connections::Connection;
use crate::sync::SyncError;
use crate::sync::mode::Mode;
use crate::sync::other_portal::{Candidate, OtherPortal};
use crate::sync::run::Wish;
use crate::vault::{VaultError, random};

const COOKIE: &str = "hublore_consent";
const TICKET_LIFE: Duration = Duration::from_secs(600);

/// One-time links to the connect page.
#[derive(Debug, Default)]
pub struct Tickets(Mutex<HashMap<String, (Instant, Option<OtherPortal>)>>);

impl Tickets {
    /// Makes a ticket that opens the connect page once within ten minutes, for a consent with that choice; none asks the
    /// person when it comes to it.
    pub fn issue(&self, choice: Option<OtherPortal>) -> Result<String, VaultError> {
        let ticket = URL_SAFE_NO_PAD.encode(random::<24>()?);
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, (issued, _)| issued.elapsed() < TICKET_LIFE);
        open.insert(ticket.clone(), (Instant::now(), choice));
        Ok(ticket)
    }

    fn redeem(&self, ticket: &str) -> Option<Option<OtherPortal>> {
        let (issued, choice) = self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(ticket)?;
        (issued.elapsed() < TICKET_LIFE).then_some(choice)
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
    let Some(choice) = served.tickets.redeem(&query.ticket) else {
        let text = "This link was used already or is too old. Run `hublore connect` for a new one.";
        return page(StatusCode::FORBIDDEN, "Not opened", text);
    };
    match redirect(served, choice).await {
        Ok(response) => response,
        Err(error) => page(StatusCode::BAD_GATEWAY, "Not connected", &error.to_string()),
    }
}

async fn redirect(served: Served, choice: Option<OtherPortal>) -> Result<Response, SyncError> {
    let cookie = URL_SAFE_NO_PAD.encode(random::<24>()?);
    let url = {
        let (app, cookie) = (served.app.clone(), cookie.clone());
        let begun = move || app.connector.begin_consent(&app.reading.org, Some(&cookie), choice);
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
    match exchanged(&served, &headers, answer).await {
        Ok((candidate, choice)) => decided(&served, &headers, candidate, choice).await,
        Err(error) => refusal(&served, &error),
    }
}

/// How a consent ended that brings no first sync here: who waits for it at the command line is told.
#[derive(Debug, Clone)]
pub enum ConsentEnd {
    /// The portal is connected as an organisation of its own; what to do next.
    KeptApart(String),
    /// A person or HubSpot said no.
    Refused(String),
    /// Something went wrong.
    Failed(String),
}

/// What a person is told when a connection did not come about. A forged answer is nobody's consent: it ends nothing.
fn refusal(served: &Served, error: &SyncError) -> Response {
    let end = match error {
        SyncError::ForeignConsent => None,
        SyncError::ConsentRefused(_) | SyncError::OtherPortal { .. } => {
            Some(ConsentEnd::Refused(error.to_string()))
        }
        error => Some(ConsentEnd::Failed(error.to_string())),
    };
    if end.is_some() {
        served.consents.send_replace(end);
    }
    match error {
        SyncError::ForeignConsent | SyncError::ConsentRefused(_) => {
            page(StatusCode::BAD_REQUEST, "Not connected", &error.to_string())
        }
        SyncError::Store(_) | SyncError::Vault(_) => {
            tracing::error!(%error, "a connection could not be stored");
            page(
                StatusCode::INTERNAL_SERVER_ERROR,
                "Not connected",
                "The server could not store the connection; its log says why.",
            )
        }
        error => page(StatusCode::BAD_GATEWAY, "Not connected", &error.to_string()),
    }
}

async fn exchanged(
    served: &Served,
    headers: &HeaderMap,
    answer: Callback,
) -> Result<(Candidate, Option<OtherPortal>), SyncError> {
    let state = answer.state.unwrap_or_default();
    let cookie = cookie(headers);
    let connector = served.app.connector.clone();
    let (org, choice) = blocking(move || connector.accept_state(&state, cookie.as_deref())).await?;
    if let Some(error) = answer.error {
        return Err(SyncError::ConsentRefused(answer.error_description.unwrap_or(error)));
    }
    let code = answer.code.ok_or(SyncError::ForeignConsent)?;
    Ok((served.app.connector.complete_consent(&org, &code).await?, choice))
}

/// Stores the connection, or asks what is to become of it.
async fn decided(
    served: &Served,
    headers: &HeaderMap,
    candidate: Candidate,
    choice: Option<OtherPortal>,
) -> Response {
    if let Some(choice) = choice {
        return settle(served, Arc::new(candidate), choice).await;
    }
    let connector = served.app.connector.clone();
    let kept = tokio::task::spawn_blocking(move || {
        let kept = connector.keep(&candidate, OtherPortal::Refuse);
        (candidate, kept)
    });
    match kept.await {
        Ok((_, Ok(connection))) => connected(served, &connection),
        Ok((candidate, Err(SyncError::OtherPortal { found, stored }))) => {
            match served.questions.ask(candidate, cookie(headers).as_deref()) {
                Ok(name) => other_portal::question(&name, found, stored),
                Err(error) => refusal(served, &error.into()),
            }
        }
        Ok((_, Err(error))) => refusal(served, &error),
        Err(panic) => refusal(served, &SyncError::Vault(panic.to_string())),
    }
}

/// Stores the connection of a candidate about which somebody decided. It goes on when the browser goes away.
pub(super) async fn settle(served: &Served, candidate: Arc<Candidate>, choice: OtherPortal) -> Response {
    let owned = served.clone();
    let settled = tokio::spawn(async move {
        match other_portal::keep(&owned, candidate, choice).await {
            Ok(connection) => connected(&owned, &connection),
            Err(error) => refusal(&owned, &error),
        }
    });
    settled.await.unwrap_or_else(|panic| refusal(served, &SyncError::Vault(panic.to_string())))
}

/// The first sync starts, where this server reads the organisation.
fn connected(served: &Served, connection: &Connection) -> Response {
    let portal = connection.portal;
    if connection.org != served.app.reading.org {
        let text = other_portal::kept_apart(portal.0, connection.org.as_str());
        served.consents.send_replace(Some(ConsentEnd::KeptApart(text.clone())));
        return page(StatusCode::OK, "Connected", &text);
    }
    if let Err(error) = served.jobs.start(Mode::FullResync, Wish::default()) {
        return refusal(served, &error);
    }
    let text =
        format!("HubSpot portal {portal} is connected. The first sync is running; you can close this page.");
    page(StatusCode::OK, "Connected", &text)
}

pub(super) fn cookie(headers: &HeaderMap) -> Option<String> {
    let all = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs = all.flat_map(|line| line.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.find(|(name, _)| *name == COOKIE).map(|(_, value)| value.to_owned())
}

/// A page of one sentence. Words that came from outside are escaped.
pub(super) fn page(status: StatusCode, title: &str, text: &str) -> Response {
    page_of(status, title, &format!("<p>{}</p>", escaped(text)))
}

/// A page; `body` is markup.
pub(super) fn page_of(status: StatusCode, title: &str, body: &str) -> Response {
    let html = format!(
        "<!doctype html><html lang=\"en\"><meta charset=\"utf-8\"><meta name=\"viewport\" \
         content=\"width=device-width\"><title>{title} - hublore</title><style>body{{font:1.1rem/1.5 system-ui;\
         max-width:36rem;margin:4rem auto;padding:0 1rem;color-scheme:light dark}}button{{font:inherit}}</style>\
         <h1>{title}</h1>{body}"
    );
    let mut response = (status, Html(html)).into_response();
    let policy = HeaderValue::from_static(
        "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; form-action 'self'",
    );
    response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
    response
}

pub(super) fn escaped(text: &str) -> String {
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
pub fn link(served: &Served, choice: Option<OtherPortal>) -> Result<String, Problem> {
    let ticket = served.tickets.issue(choice).map_err(|error| Problem::internal(&error))?;
    let base = served.app.reading.config.server.public_url.as_str().trim_end_matches('/').to_owned();
    Ok(format!("{base}/integrations/hubspot/connect?ticket={ticket}"))
}
