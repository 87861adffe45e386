//! Connecting a portal: consent, exchange, encrypted storage, and a client made from what is stored.
//!
//! A consent is asked for with a random `state` of which only the hash is kept, works once and within ten
//! minutes, and, when asked for by a browser, only in that browser.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::SecretString;
use url::Url;

use super::SyncError;
use super::other_portal::{Candidate, OtherPortal};
use crate::config::Config;
use crate::domain::clock::{Clock, Millis};
use crate::domain::ids::{OrgId, PortalId};
use crate::hubspot::account;
use crate::hubspot::budget::Budget;
use crate::hubspot::client::{Client, Patience};
use crate::hubspot::exchange::http;
use crate::hubspot::host::{Host, KeepBase};
use crate::hubspot::oauth::OauthApp;
use crate::hubspot::properties::Wanted;
use crate::hubspot::tokens::{Keep, TokenSource, Tokens};
use crate::store::connections::{self, Connection, Facts, Method, PendingConsent, SealedTokens};
use crate::store::{Store, StoreError};
use crate::vault::{Vault, fingerprint, random};

/// Where HubSpot sends people back to, below the public address.
pub const CALLBACK_PATH: &str = "/api/integrations/hubspot/callback";
/// How long a consent may take.
const CONSENT_MS: i64 = 10 * 60 * 1000;

/// Everything needed to talk to HubSpot on behalf of an organisation.
#[derive(Debug, Clone)]
pub struct Connector {
    pub(super) store: Store,
    vault: Arc<Vault>,
    config: Arc<Config>,
    clock: Arc<dyn Clock>,
    clients: Arc<Mutex<BTreeMap<OrgId, Client>>>,
}

impl Connector {
    /// A connector over shared handles.
    #[must_use]
    pub fn new(store: Store, vault: Arc<Vault>, config: Arc<Config>, clock: Arc<dyn Clock>) -> Self {
        Self { store, vault, config, clock, clients: Arc::default() }
    }

    fn app(&self) -> Result<OauthApp, SyncError> {
        let hubspot = &self.config.hubspot;
        let app = OauthApp::new(hubspot, &self.redirect(), http(hubspot.timeout)?)?;
        if app.is_unconfigured() { Err(SyncError::AppNotConfigured) } else { Ok(app) }
    }

    /// The properties that the settings ask for.
    #[must_use]
    pub fn wanted_properties(&self) -> &Wanted {
        &self.config.properties
    }

    /// The redirect address registered in the HubSpot app.
    #[must_use]
    pub fn redirect(&self) -> Url {
        let mut url = self.config.server.public_url.clone();
        url.set_path(&format!("{}{CALLBACK_PATH}", url.path().trim_end_matches('/')));
        url
    }

    /// The address at which a person gives consent; `browser` is the cookie that ties it to one browser, `choice`
    /// what was decided beforehand for the case that it is another portal.
    pub fn begin_consent(
        &self,
        org: &OrgId,
        browser: Option<&str>,
        choice: Option<OtherPortal>,
    ) -> Result<Url, SyncError> {
        let app = self.app()?;
        let state = URL_SAFE_NO_PAD.encode(random::<32>()?);
        let now = self.clock.now();
        let pending = PendingConsent {
            state_hash: fingerprint(&state),
            org: org.clone(),
            browser_hash: browser.map(|cookie| fingerprint(cookie).to_vec()),
            expires_at: now.plus(CONSENT_MS),
            other_portal: choice.map(|choice| choice.as_str().to_owned()),
        };
        self.store.write(move |conn| connections::add_pending(conn, &pending, now))?;
        Ok(app.consent_address(&state))
    }

    /// Checks that an answer belongs to a question we asked; uses the question up. Answers whose consent it is and
    /// what was decided for another portal.
    pub fn accept_state(
        &self,
        state: &str,
        browser: Option<&str>,
    ) -> Result<(OrgId, Option<OtherPortal>), SyncError> {
        let (hash, now) = (fingerprint(state), self.clock.now());
        let taken = self.store.write(move |conn| connections::take_pending(conn, &hash, now))?;
        let pending = taken.ok_or(SyncError::ForeignConsent)?;
        let same_browser = match &pending.browser_hash {
            None => true,
            Some(hash) => browser.is_some_and(|cookie| fingerprint(cookie).as_slice() == hash.as_slice()),
        };
        let choice = pending.other_portal.as_deref().and_then(OtherPortal::parse);
        if same_browser { Ok((pending.org, choice)) } else { Err(SyncError::ForeignConsent) }
    }

    /// Exchanges the code of an accepted consent; nothing is stored yet.
    pub async fn complete_consent(&self, org: &OrgId, code: &str) -> Result<Candidate, SyncError> {
        let app = self.app()?;
        let tokens = app.exchange(code, self.clock.now()).await?;
        let facts = app.introspect(&tokens.access).await?;
        let fresh = Connection::fresh(org, Method::Oauth, self.seal(org, &tokens)?, self.clock.now());
        let connection = Connection {
            portal: PortalId(facts.hub_id),
            scopes: facts.scopes.join(" "),
            hub_domain: facts.hub_domain,
            user: facts.user,
            ..fresh
        };
        self.candidate(connection, tokens).await
    }

    /// Tries a static token instead of OAuth; nothing is stored yet.
    pub async fn try_key(&self, org: &OrgId, key: SecretString) -> Result<Candidate, SyncError> {
        let tokens = Tokens { access: key, refresh: None, expires_at: None };
        let connection =
            Connection::fresh(org, Method::ServiceKey, self.seal(org, &tokens)?, self.clock.now());
        self.candidate(connection, tokens).await
    }

    /// Asks the account who it is before anything is stored: a credential that does not work is not kept.
    async fn candidate(&self, mut connection: Connection, tokens: Tokens) -> Result<Candidate, SyncError> {
        // Nothing it learns is written into the connection that is stored.
        let keeps: (Keep, KeepBase) = (Arc::new(|_: &Tokens| Ok(())), Arc::new(|_: &Url| {}));
        let client = self.client_with(tokens.clone(), None, keeps)?;
        let account = account::account(&client).await?;
        connection.portal = PortalId(account.portal_id);
        connection.ui_domain = account.ui_domain;
        connection.time_zone = account.time_zone;
        connection.utc_offset_ms = account.utc_offset_milliseconds;
        connection.api_base = client.moved_to().map(String::from);
        connection.facts_at = Some(self.clock.now());
        Ok(Candidate { connection, tokens })
    }

    /// Ends the connection: uninstalls, revokes, forgets the tokens. What was read stays. The tokens are
    /// forgotten even where HubSpot cannot be told; the answer says whether it was.
    pub async fn disconnect(&self, org: &OrgId) -> Result<bool, SyncError> {
        let connection = self.connection(org)?;
        let told = self.tell_hubspot(&connection).await;
        let removed = org.clone();
        self.store.write(move |conn| connections::remove(conn, &removed))?;
        self.forget_client(org);
        if let Err(error) = &told {
            tracing::warn!(%error, "HubSpot could not be told of the disconnection");
        }
        Ok(told.is_ok())
    }

    async fn tell_hubspot(&self, connection: &Connection) -> Result<(), SyncError> {
        if connection.method == Method::ServiceKey {
            return Ok(());
        }
        let uninstalled = account::uninstall(&self.client(connection)?).await;
        if let Some(sealed) = &connection.tokens.refresh {
            let refresh = self.vault.open_sealed(&purpose(&connection.org, "refresh"), sealed)?;
            self.app()?.revoke(&refresh).await?;
        }
        Ok(uninstalled?)
    }

    /// The stored connection of an organisation.
    pub fn connection(&self, org: &OrgId) -> Result<Connection, SyncError> {
        let found: Option<Connection> = self.store.read(|conn| connections::get(conn, org))?;
        found.ok_or(SyncError::NotConnected)
    }

    /// A client for the stored connection. Clients of one organisation share tokens and budget, whoever asks
    /// for them, and count their requests apart.
    pub fn client(&self, connection: &Connection) -> Result<Client, SyncError> {
        if let Some(known) = self.clients().get(&connection.org) {
            return Ok(known.counting_anew());
        }
        let open =
            |column: &str, blob: &[u8]| self.vault.open_sealed(&purpose(&connection.org, column), blob);
        let tokens = Tokens {
            access: open("access", &connection.tokens.access)?,
            refresh: connection.tokens.refresh.as_deref().map(|blob| open("refresh", blob)).transpose()?,
            expires_at: connection.tokens.expires_at,
        };
        let keeps = (self.keeper(&connection.org), self.base_keeper(&connection.org));
        let client = self.client_with(tokens, connection.api_base.as_deref(), keeps)?;
        self.clients().insert(connection.org.clone(), client.clone());
        Ok(client)
    }

    fn clients(&self) -> MutexGuard<'_, BTreeMap<OrgId, Client>> {
        self.clients.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn forget_client(&self, org: &OrgId) {
        self.clients().remove(org);
    }

    fn client_with(
        &self,
        tokens: Tokens,
        moved_to: Option<&str>,
        (keep, keep_base): (Keep, KeepBase),
    ) -> Result<Client, SyncError> {
        let hubspot = &self.config.hubspot;
        let http = http(hubspot.timeout)?;
        let app = OauthApp::new(hubspot, &self.redirect(), http.clone())?;
        let source = TokenSource::new(tokens, app, Arc::clone(&self.clock), keep);
        let budget = Arc::new(Budget::new(hubspot.requests_per_10s));
        let base = moved_to.and_then(|base| Url::parse(base).ok()).unwrap_or(hubspot.api_base.clone());
        let host = Host::new(base, hubspot.regional_base.clone(), keep_base);
        let patience = Patience { attempts: hubspot.attempts, first_pause: hubspot.retry_pause };
        Ok(Client::new(http, host, hubspot.api_version, Arc::new(source), budget, patience))
    }

    /// Remembers the region that HubSpot sent us to; a connection not stored yet takes it along later.
    fn base_keeper(&self, org: &OrgId) -> KeepBase {
        let (store, org) = (self.store.clone(), org.clone());
        Arc::new(move |base: &Url| {
            let (org, base) = (org.clone(), base.to_string());
            let stored: Result<(), StoreError> =
                store.write(move |conn| connections::set_api_base(conn, &org, &base));
            if let Err(error) = stored {
                tracing::warn!(%error, "the address of the account's region was not stored");
            }
        })
    }

    /// Asks the account once a day what it says of itself: its clock, its host, the scopes granted to us.
    pub async fn refresh_facts(&self, connection: &Connection, client: &Client) -> Result<(), SyncError> {
        const DAY_MS: i64 = 24 * 60 * 60 * 1000;
        let now = self.clock.now();
        if connection.facts_at.is_some_and(|at| now.0 - at.0 < DAY_MS) {
            return Ok(());
        }
        let account = account::account(client).await?;
        if account.portal_id != connection.portal.0 {
            return Err(SyncError::OtherPortal { found: account.portal_id, stored: connection.portal.0 });
        }
        let told = match connection.method {
            Method::Oauth => Some(client.token_facts().await?),
            Method::ServiceKey => None,
        };
        let facts = Facts {
            scopes: told.map(|told| told.scopes.join(" ")).filter(|scopes| !scopes.is_empty()),
            ui_domain: account.ui_domain,
            time_zone: account.time_zone,
            utc_offset_ms: account.utc_offset_milliseconds,
        };
        let org = connection.org.clone();
        Ok(self.store.write(move |conn| connections::set_facts(conn, &org, &facts, now))?)
    }

    /// Stores refreshed tokens, sealed, before the client uses them.
    fn keeper(&self, org: &OrgId) -> Keep {
        let (this, org) = (self.clone(), org.clone());
        Arc::new(move |tokens: &Tokens| {
            let sealed = this.seal(&org, tokens).map_err(|error| error.to_string())?;
            let owner = org.clone();
            let stored: Result<(), StoreError> =
                this.store.write(move |conn| connections::set_tokens(conn, &owner, &sealed));
            stored.map_err(|error| error.to_string())
        })
    }

    pub(super) fn seal(&self, org: &OrgId, tokens: &Tokens) -> Result<SealedTokens, SyncError> {
        let refresh = tokens.refresh.as_ref().map(|token| self.vault.seal(&purpose(org, "refresh"), token));
        Ok(SealedTokens {
            access: self.vault.seal(&purpose(org, "access"), &tokens.access)?,
            refresh: refresh.transpose()?,
            expires_at: tokens.expires_at,
        })
    }

    /// The present, for callers that stamp what they store.
    #[must_use]
    pub fn now(&self) -> Millis {
        self.clock.now()
    }
}

fn purpose(org: &OrgId, column: &str) -> String {
    format!("connection/{org}/{column}")
}
