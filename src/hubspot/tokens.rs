//! The access token of a connection: refreshed by the clock, once for all callers, stored before use.
//!
//! A 401 in the middle of a run also refreshes, once. Rotated refresh tokens are always kept. Where tokens
//! are stored is the caller's business: it hands in a function.

use std::fmt;
use std::sync::Arc;

use secrecy::SecretString;
use tokio::sync::Mutex;

use super::error::HubspotError;
use super::oauth::{OauthApp, TokenFacts};
use crate::domain::clock::{Clock, Millis};

/// A refreshed token is asked for when this share of its life is left (HubSpot advises 20 to 25 percent).
const REFRESH_AT_REMAINING: f64 = 0.22;

/// Tokens in clear, as HubSpot gave them.
#[derive(Debug, Clone)]
pub struct Tokens {
    /// Bearer token.
    pub access: SecretString,
    /// For OAuth: gets the next access token.
    pub refresh: Option<SecretString>,
    /// End of the access token; `None` for a static one.
    pub expires_at: Option<Millis>,
}

/// Stores new tokens durably before they are used.
pub type Keep = Arc<dyn Fn(&Tokens) -> Result<(), String> + Send + Sync>;

/// An access token and which of its line it is.
#[derive(Debug, Clone)]
pub struct Bearer {
    pub(super) secret: SecretString,
    generation: u64,
}

struct State {
    tokens: Tokens,
    obtained_at: Millis,
    generation: u64,
}

/// The tokens of one connection, shared by every call.
pub struct TokenSource {
    state: Mutex<State>,
    app: OauthApp,
    clock: Arc<dyn Clock>,
    keep: Keep,
}

impl fmt::Debug for TokenSource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TokenSource").finish_non_exhaustive()
    }
}

impl TokenSource {
    /// Takes over stored tokens.
    #[must_use]
    pub fn new(tokens: Tokens, app: OauthApp, clock: Arc<dyn Clock>, keep: Keep) -> Self {
        let obtained_at = clock.now();
        Self { state: Mutex::new(State { tokens, obtained_at, generation: 0 }), app, clock, keep }
    }

    /// A token that is good for a while yet.
    pub(super) async fn bearer(&self) -> Result<Bearer, HubspotError> {
        let mut state = self.state.lock().await;
        if self.is_due(&state) {
            let refreshed = self.refresh(&mut state).await;
            // A hiccup of the token endpoint does not matter while the old token still works.
            let usable = state.tokens.expires_at.is_some_and(|end| self.clock.now() < end);
            if refreshed.is_err() && !(usable && is_transient(&refreshed)) {
                refreshed?;
            }
        }
        Ok(Bearer { secret: state.tokens.access.clone(), generation: state.generation })
    }

    /// HubSpot refused `used`: gets a new token, unless another caller already did.
    pub(super) async fn refresh_after(&self, used: &Bearer, message: &str) -> Result<(), HubspotError> {
        let mut state = self.state.lock().await;
        if state.generation > used.generation {
            return Ok(());
        }
        if state.tokens.refresh.is_none() {
            return Err(HubspotError::Revoked(message.to_owned()));
        }
        self.refresh(&mut state).await
    }

    /// What HubSpot says about the token.
    pub(super) async fn facts(&self) -> Result<TokenFacts, HubspotError> {
        let bearer = self.bearer().await?;
        self.app.introspect(&bearer.secret).await
    }

    fn is_due(&self, state: &State) -> bool {
        let Some(end) = state.tokens.expires_at.filter(|_| state.tokens.refresh.is_some()) else {
            return false;
        };
        let life = (end.0 - state.obtained_at.0).clamp(0, 1_800_000);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_precision_loss,
            reason = "at most half an hour in ms"
        )]
        let reserve = ((life as f64) * REFRESH_AT_REMAINING) as i64;
        self.clock.now().plus(reserve) >= end
    }

    async fn refresh(&self, state: &mut State) -> Result<(), HubspotError> {
        let Some(refresh) = state.tokens.refresh.clone() else {
            return Ok(());
        };
        let fresh = self.app.refresh(&refresh, self.clock.now()).await?;
        (self.keep)(&fresh).map_err(HubspotError::TokensNotStored)?;
        *state = State { tokens: fresh, obtained_at: self.clock.now(), generation: state.generation + 1 };
        Ok(())
    }
}

fn is_transient(outcome: &Result<(), HubspotError>) -> bool {
    matches!(
        outcome,
        Err(HubspotError::Unreachable { .. }
            | HubspotError::Unavailable { .. }
            | HubspotError::Unreadable(_))
    )
}
