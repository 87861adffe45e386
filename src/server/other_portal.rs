//! The page that asks what to do when another portal consented than the one whose data is here, and its answer.
//!
//! Until somebody answers, the credential is held in memory only; it works once, within ten minutes, and in the
//! browser that gave the consent.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{Form, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::Deserialize;
use subtle::ConstantTimeEq;

use super::Served;
use super::consent::{ConsentEnd, cookie, escaped, page, page_of, settle};
use crate::sync::SyncError;
use crate::sync::other_portal::{Candidate, OtherPortal};
use crate::vault::{VaultError, fingerprint, random};

const LIFE: Duration = Duration::from_secs(600);

#[derive(Debug)]
struct Waiting {
    candidate: Arc<Candidate>,
    browser: Option<[u8; 32]>,
    since: Instant,
}

/// Credentials that wait for an answer.
#[derive(Debug, Default)]
pub struct Questions(Mutex<HashMap<String, Waiting>>);

impl Questions {
    /// Holds a credential; answers the name under which it can be decided about.
    pub(super) fn ask(&self, candidate: Candidate, browser: Option<&str>) -> Result<String, VaultError> {
        let name = URL_SAFE_NO_PAD.encode(random::<24>()?);
        let browser = browser.map(fingerprint);
        let waiting = Waiting { candidate: Arc::new(candidate), browser, since: Instant::now() };
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        open.retain(|_, waiting| waiting.since.elapsed() < LIFE);
        open.insert(name.clone(), waiting);
        Ok(name)
    }

    fn answer(&self, name: &str, browser: Option<&str>) -> Option<Arc<Candidate>> {
        let mut open = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let waiting = open.get(name).filter(|waiting| waiting.since.elapsed() < LIFE)?;
        let same = match (&waiting.browser, browser.map(fingerprint)) {
            (Some(asked), Some(answers)) => bool::from(asked.ct_eq(&answers)),
            (asked, answers) => asked.is_none() && answers.is_none(),
        };
        if !same {
            return None;
        }
        open.remove(name).map(|waiting| waiting.candidate)
    }
}

/// The question, with a button for each answer.
pub(super) fn question(name: &str, found: u64, stored: u64) -> Response {
    let button = |choice: OtherPortal, label: &str| {
        let value = choice.as_str();
        format!("<p><button name=\"choice\" value=\"{value}\">{}</button></p>", escaped(label))
    };
    let body = format!(
        "<p>This is portal {found}, but the data here comes from portal {stored}. Nothing was stored yet.</p>\
         <form method=\"post\" action=\"/api/integrations/hubspot/other-portal\">\
         <input type=\"hidden\" name=\"question\" value=\"{}\">{}{}{}</form>",
        escaped(name),
        button(OtherPortal::KeepApart, &format!("Keep portal {found} apart, in an organisation of its own")),
        button(
            OtherPortal::Purge,
            &format!("Remove everything read from portal {stored}, then read {found}")
        ),
        button(OtherPortal::Refuse, "Cancel"),
    );
    page_of(StatusCode::CONFLICT, "Another portal", &body)
}

/// The answer to the question.
#[derive(Debug, Deserialize)]
pub struct Decision {
    question: String,
    choice: String,
}

/// `POST /api/integrations/hubspot/other-portal`
pub async fn decide(
    State(served): State<Served>,
    headers: HeaderMap,
    Form(decision): Form<Decision>,
) -> Response {
    let Some(choice) = OtherPortal::parse(&decision.choice) else {
        return page(StatusCode::BAD_REQUEST, "Not connected", "This is none of the choices.");
    };
    let Some(candidate) = served.questions.answer(&decision.question, cookie(&headers).as_deref()) else {
        let text = "This question was answered already, is too old, or was asked in another browser.";
        return page(StatusCode::FORBIDDEN, "Not connected", text);
    };
    if choice == OtherPortal::Refuse {
        let text = "Nothing was stored, and nothing was removed.";
        served
            .consents
            .send_replace(Some(ConsentEnd::Refused(format!("the connection was cancelled. {text}"))));
        return page(StatusCode::OK, "Cancelled", text);
    }
    settle(&served, candidate, choice).await
}

/// What to do next with a portal that is kept apart.
pub(super) fn kept_apart(portal: u64, org: &str) -> String {
    format!(
        "HubSpot portal {portal} is connected as organisation {org}, apart from what was here. \
         Read it with `hublore --org {org} sync`, and give --org {org} to every command about it."
    )
}

/// A purge needs the street for itself: a run that goes on is asked to stop and waited for, and nothing that was
/// announced is looked at meanwhile.
pub(super) async fn keep(
    served: &Served,
    candidate: Arc<Candidate>,
    choice: OtherPortal,
) -> Result<crate::store::connections::Connection, SyncError> {
    let mut _still = None;
    if choice == OtherPortal::Purge {
        served.jobs.halt().await?;
        _still = Some(served.app.webhooks.stand_still().await);
    }
    let connector = served.app.connector.clone();
    let kept = tokio::task::spawn_blocking(move || connector.keep(&candidate, choice)).await;
    kept.unwrap_or_else(|panic| Err(SyncError::Vault(panic.to_string())))
}
