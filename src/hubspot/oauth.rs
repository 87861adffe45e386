//! The OAuth flow with HubSpot: consent address, code exchange, refresh, introspection, revocation.
//!
//! The `oauth2` crate builds and reads the standard parts; HubSpot's additions (status names, loose token
//! answers) are read here. Storing states and tokens is the caller's.

use std::fmt;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use oauth2::basic::{BasicTokenIntrospectionResponse, BasicTokenType};
use oauth2::{
    AccessToken, AuthType, AuthUrl, AuthorizationCode, ClientId, ClientSecret, CsrfToken, EndpointNotSet,
    EndpointSet, HttpRequest, HttpResponse, RedirectUrl, RefreshToken, RequestTokenError, Scope,
    StandardRevocableToken, TokenResponse, TokenUrl,
};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use url::Url;

use super::error::HubspotError;
use super::exchange::network_reason;
use super::paths::ApiVersion;
use super::tokens::Tokens;
use crate::config;
use crate::domain::clock::Millis;

/// Scopes without which nothing works (the specification's seven and `oauth`).
pub const REQUIRED_SCOPES: [&str; 8] = [
    "oauth",
    "crm.objects.contacts.read",
    "crm.objects.contacts.write",
    "crm.objects.companies.read",
    "crm.objects.deals.read",
    "crm.objects.deals.write",
    "sales-email-read",
    "forms",
];
/// Scopes that add a feature each: names of owners, transcripts of calls.
pub const OPTIONAL_SCOPES: [&str; 2] = ["crm.objects.owners.read", "crm.extensions_calling_transcripts.read"];

/// What is not there without a scope, in words for people.
#[must_use]
pub fn cost_of_missing(scope: &str) -> &'static str {
    match scope {
        "crm.objects.contacts.read" => "no contacts, notes, calls and meetings",
        "crm.objects.contacts.write" => "agents cannot change contacts, write notes or log tasks",
        "crm.objects.companies.read" => "no companies",
        "crm.objects.deals.read" => "no deals",
        "crm.objects.deals.write" => "agents cannot create deals",
        "sales-email-read" => "bodies of e-mails are hidden",
        "forms" => "no form submissions",
        "crm.objects.owners.read" => "owners have no names",
        "crm.extensions_calling_transcripts.read" => "no transcripts of calls",
        _ => "the connection cannot be kept",
    }
}

/// Life of an access token where HubSpot does not say (contract, section 2.2).
const USUAL_LIFE_S: u64 = 1800;

type Endpoint = oauth2::Client<
    Refusal,
    Grant,
    BasicTokenIntrospectionResponse,
    StandardRevocableToken,
    Refusal,
    EndpointSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointNotSet,
    EndpointSet,
>;

/// Our app as HubSpot knows it.
#[derive(Clone)]
pub struct OauthApp {
    endpoint: Endpoint,
    http: reqwest::Client,
    base: Url,
    version: ApiVersion,
    secret: SecretString,
}

impl fmt::Debug for OauthApp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OauthApp").field("client_id", self.endpoint.client_id()).finish_non_exhaustive()
    }
}

/// What HubSpot says about an access token.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub struct TokenFacts {
    /// Portal.
    pub hub_id: u64,
    /// The customer's web domain.
    pub hub_domain: Option<String>,
    /// Who consented.
    pub user: Option<String>,
    /// Granted scopes.
    pub scopes: Vec<String>,
}

impl OauthApp {
    /// An app with the settings of `hubspot` whose consent comes back to `redirect`.
    pub fn new(
        hubspot: &config::Hubspot,
        redirect: &Url,
        http: reqwest::Client,
    ) -> Result<Self, HubspotError> {
        let wrong = |what: &str| HubspotError::Misconfigured(format!("{what} is not a usable address"));
        let authorize = format!("{}/oauth/authorize", hubspot.app_base.as_str().trim_end_matches('/'));
        let token = format!(
            "{}{}",
            hubspot.api_base.as_str().trim_end_matches('/'),
            hubspot.api_version.oauth("token")
        );
        let endpoint = oauth2::Client::new(ClientId::new(hubspot.client_id.clone()))
            .set_client_secret(ClientSecret::new(hubspot.client_secret.expose_secret().to_owned()))
            .set_auth_uri(AuthUrl::new(authorize).map_err(|_| wrong("hubspot.app_base"))?)
            .set_token_uri(TokenUrl::new(token).map_err(|_| wrong("hubspot.api_base"))?)
            .set_redirect_uri(RedirectUrl::from_url(redirect.clone()))
            // HubSpot reads client id and secret from the form only.
            .set_auth_type(AuthType::RequestBody);
        Ok(Self {
            endpoint,
            http,
            base: hubspot.api_base.clone(),
            version: hubspot.api_version,
            secret: hubspot.client_secret.clone(),
        })
    }

    /// The operator has not told us who we are at HubSpot.
    #[must_use]
    pub fn is_unconfigured(&self) -> bool {
        self.endpoint.client_id().is_empty() || self.secret.expose_secret().is_empty()
    }

    /// Where a person gives consent; HubSpot sends `state` back.
    #[must_use]
    pub fn consent_address(&self, state: &str) -> Url {
        let state = CsrfToken::new(state.to_owned());
        let (mut url, _) = self
            .endpoint
            .authorize_url(|| state)
            .add_scopes(REQUIRED_SCOPES.map(|scope| Scope::new(scope.to_owned())))
            .add_extra_param("optional_scope", OPTIONAL_SCOPES.join(" "))
            .url();
        // Form encoding writes a space as `+`; HubSpot's own clients send %20. A real plus is %2B already.
        let query = url.query().unwrap_or_default().replace('+', "%20");
        url.set_query(Some(&query));
        url
    }

    /// Turns the code of a consent into tokens.
    pub async fn exchange(&self, code: &str, now: Millis) -> Result<Tokens, HubspotError> {
        let request = self.endpoint.exchange_code(AuthorizationCode::new(code.to_owned()));
        let send = self.sender();
        let grant = request.request_async(&send).await.map_err(|error| refused(error, Asked::Exchange))?;
        Ok(grant.into_tokens(None, now))
    }

    /// Turns a refresh token into new tokens, keeping the old refresh token unless HubSpot sent another.
    pub async fn refresh(&self, refresh: &SecretString, now: Millis) -> Result<Tokens, HubspotError> {
        let token = RefreshToken::new(refresh.expose_secret().to_owned());
        let send = self.sender();
        let request = self.endpoint.exchange_refresh_token(&token);
        let grant = request.request_async(&send).await.map_err(|error| refused(error, Asked::Refresh))?;
        Ok(grant.into_tokens(Some(refresh), now))
    }

    /// Portal, user and granted scopes of an access token; the token answer itself may omit them.
    pub async fn introspect(&self, access: &SecretString) -> Result<TokenFacts, HubspotError> {
        let form = self.token_form(access, "access_token");
        let body = self.post_form("introspect", &form).await?;
        serde_json::from_slice(&body).map_err(|error| HubspotError::Unreadable(error.to_string()))
    }

    /// Withdraws a refresh token.
    pub async fn revoke(&self, refresh: &SecretString) -> Result<(), HubspotError> {
        self.post_form("revoke", &self.token_form(refresh, "refresh_token")).await.map(drop)
    }

    fn token_form<'a>(&'a self, token: &'a SecretString, hint: &'a str) -> [(&'static str, &'a str); 4] {
        [
            ("client_id", self.endpoint.client_id().as_str()),
            ("client_secret", self.secret.expose_secret()),
            ("token", token.expose_secret()),
            ("token_type_hint", hint),
        ]
    }

    async fn post_form(&self, endpoint: &str, form: &[(&str, &str)]) -> Result<Vec<u8>, HubspotError> {
        let url = format!("{}{}", self.base.as_str().trim_end_matches('/'), self.version.oauth(endpoint));
        let answer = self.http.post(url).form(form).send().await.map_err(|error| self.unreachable(&error))?;
        let status = answer.status().as_u16();
        let body = answer.bytes().await.map_err(|error| self.unreachable(&error))?;
        match status {
            200..=299 => Ok(body.to_vec()),
            429 | 423 | 477 | 500.. => Err(HubspotError::Unavailable { status }),
            _ => {
                let refusal: Refusal = serde_json::from_slice(&body).unwrap_or_default();
                Err(refusal.classify(Asked::Refresh))
            }
        }
    }

    /// Carries requests of the `oauth2` crate over our HTTP client.
    fn sender(
        &self,
    ) -> impl Fn(HttpRequest) -> BoxFuture<'static, Result<HttpResponse, SendError>> + Send + Sync + 'static
    {
        let (http, host) = (self.http.clone(), self.host());
        move |request| send(http.clone(), host.clone(), request).boxed()
    }

    fn host(&self) -> String {
        self.base.host_str().unwrap_or_default().to_owned()
    }

    fn unreachable(&self, error: &reqwest::Error) -> HubspotError {
        HubspotError::Unreachable { host: self.host(), reason: network_reason(error) }
    }
}

/// Sends one request, sorting out failures that are not answers of the token endpoint.
async fn send(http: reqwest::Client, host: String, request: HttpRequest) -> Result<HttpResponse, SendError> {
    let broken = |error: reqwest::Error| {
        SendError(HubspotError::Unreachable { host: host.clone(), reason: network_reason(&error) })
    };
    let (parts, body) = request.into_parts();
    let request =
        http.post(parts.uri.to_string()).headers(parts.headers).body(body).timeout(Duration::from_secs(30));
    let answer = request.send().await.map_err(broken)?;
    let status = answer.status();
    if matches!(status.as_u16(), 429 | 423 | 477 | 500..) {
        return Err(SendError(HubspotError::Unavailable { status: status.as_u16() }));
    }
    let body = answer.bytes().await.map_err(broken)?;
    let mut response = HttpResponse::new(body.to_vec());
    *response.status_mut() = status;
    Ok(response)
}

#[derive(Debug, thiserror::Error)]
#[error(transparent)]
struct SendError(HubspotError);

#[derive(Debug, Clone, Copy)]
enum Asked {
    Exchange,
    Refresh,
}

fn refused(error: RequestTokenError<SendError, Refusal>, asked: Asked) -> HubspotError {
    match error {
        RequestTokenError::ServerResponse(refusal) => refusal.classify(asked),
        RequestTokenError::Request(SendError(error)) => error,
        RequestTokenError::Parse(error, _) => HubspotError::Unreadable(error.to_string()),
        RequestTokenError::Other(reason) => HubspotError::Unreadable(reason),
    }
}

/// A token answer. HubSpot promises only the first two fields.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct Grant {
    access_token: AccessToken,
    expires_in: Option<u64>,
    #[serde(default)]
    refresh_token: Option<RefreshToken>,
}

impl TokenResponse for Grant {
    type TokenType = BasicTokenType;

    fn access_token(&self) -> &AccessToken {
        &self.access_token
    }

    fn token_type(&self) -> &BasicTokenType {
        &BasicTokenType::Bearer
    }

    fn expires_in(&self) -> Option<Duration> {
        self.expires_in.map(Duration::from_secs)
    }

    fn refresh_token(&self) -> Option<&RefreshToken> {
        self.refresh_token.as_ref()
    }

    fn scopes(&self) -> Option<&Vec<Scope>> {
        None
    }
}

impl Grant {
    fn into_tokens(self, old: Option<&SecretString>, now: Millis) -> Tokens {
        let life_s = i64::try_from(self.expires_in.unwrap_or(USUAL_LIFE_S)).unwrap_or(1800);
        let rotated = self.refresh_token.map(|token| SecretString::from(token.into_secret()));
        Tokens {
            access: SecretString::from(self.access_token.into_secret()),
            refresh: rotated.or_else(|| old.cloned()),
            expires_at: Some(now.plus(life_s.saturating_mul(1000))),
        }
    }
}

/// An error answer: RFC 6749's fields and HubSpot's older ones.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
#[serde(default)]
struct Refusal {
    error: Option<String>,
    error_description: Option<String>,
    status: Option<String>,
    message: Option<String>,
}

impl oauth2::ErrorResponse for Refusal {}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = [&self.error_description, &self.message, &self.status, &self.error];
        f.write_str(words.into_iter().flatten().next().map_or("no reason given", String::as_str))
    }
}

impl Refusal {
    /// Contract, section 2.4: a wrong client must never look like a revoked connection.
    fn classify(&self, asked: Asked) -> HubspotError {
        let words = self.to_string();
        let status = self.status.as_deref().unwrap_or_default();
        let error = self.error.as_deref().unwrap_or_default();
        let ours = ["BAD_CLIENT_ID", "BAD_CLIENT_SECRET", "BAD_REDIRECT_URI"].contains(&status)
            || ["invalid_client", "unauthorized_client", "unsupported_grant_type"].contains(&error);
        let code = ["BAD_AUTH_CODE", "BAD_CODE_VERIFIER", "BAD_SCOPES"].contains(&status);
        let revoked = ["BAD_REFRESH_TOKEN", "BAD_HUB"].contains(&status)
            || ["invalid_grant", "access_denied"].contains(&error);
        match asked {
            _ if ours => HubspotError::Misconfigured(words),
            Asked::Exchange if code || revoked => HubspotError::ConsentFailed(words),
            Asked::Refresh if revoked => HubspotError::Revoked(words),
            _ => HubspotError::Misconfigured(words),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(json: &str, asked: Asked) -> HubspotError {
        serde_json::from_str::<Refusal>(json).unwrap().classify(asked)
    }

    #[test]
    fn a_wrong_client_is_never_taken_for_a_withdrawn_consent() {
        let secret = r#"{"status":"BAD_CLIENT_SECRET","message":"missing or unknown client secret","error":"invalid_client"}"#;
        assert!(matches!(class(secret, Asked::Refresh), HubspotError::Misconfigured(_)));
        let dead = r#"{"error":"invalid_grant","error_description":"refresh token is invalid","status":"BAD_REFRESH_TOKEN"}"#;
        assert!(matches!(class(dead, Asked::Refresh), HubspotError::Revoked(_)));
        let code = r#"{"status":"BAD_AUTH_CODE","message":"missing or unknown auth code"}"#;
        assert!(matches!(class(code, Asked::Exchange), HubspotError::ConsentFailed(_)));
        assert!(matches!(class("{}", Asked::Refresh), HubspotError::Misconfigured(_)));
    }

    #[test]
    fn con_1_and_con_2_the_consent_address_asks_for_exactly_the_ruled_scopes() {
        let config = config::Config::load(None).unwrap();
        let mut hubspot = config.hubspot;
        hubspot.client_id = "our-app".to_owned();
        let redirect = Url::parse("http://localhost:8787/api/integrations/hubspot/callback").unwrap();
        let app =
            OauthApp::new(&hubspot, &redirect, super::super::exchange::http(Duration::from_secs(1)).unwrap())
                .unwrap();
        let url = app.consent_address("the-state");
        assert!(url.as_str().starts_with("https://app.hubspot.com/oauth/authorize?"));
        assert!(!url.as_str().contains('+'));
        let pairs: std::collections::BTreeMap<_, _> = url.query_pairs().into_owned().collect();
        assert_eq!(pairs["client_id"], "our-app");
        assert_eq!(pairs["redirect_uri"], redirect.as_str());
        assert_eq!(pairs["state"], "the-state");
        assert_eq!(pairs["scope"].split(' ').collect::<Vec<_>>(), REQUIRED_SCOPES);
        assert_eq!(pairs["optional_scope"].split(' ').collect::<Vec<_>>(), OPTIONAL_SCOPES);
    }
}
