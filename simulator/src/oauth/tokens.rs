//! Codes, access tokens and refresh tokens the portal has issued. Token texts are long and look
//! opaque, but follow from the seed, so a run can be repeated.

use std::collections::{BTreeSet, HashMap};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use crate::hash::draw;
use crate::options::Options;

/// How long an access token works.
pub(crate) const ACCESS_LIFE_MS: i64 = 1_800_000;
/// How long a code can be exchanged.
const CODE_LIFE_MS: i64 = 60_000;

/// A consent a person gave.
#[derive(Debug, Clone)]
pub(crate) struct Code {
    pub(crate) redirect_uri: String,
    pub(crate) scopes: BTreeSet<String>,
    /// What the app must show it can answer: method and challenge.
    challenge: Option<Challenge>,
    until: i64,
}

/// A challenge sent along when a code was asked for, and how it is answered.
#[derive(Debug, Clone)]
pub(crate) struct Challenge {
    pub(crate) text: String,
    /// The verifier's SHA-256, or else the verifier itself.
    pub(crate) hashed: bool,
}

impl Code {
    /// Whether a verifier answers the challenge, if there was one.
    pub(crate) fn is_proven_by(&self, verifier: &str) -> bool {
        let Some(Challenge { text, hashed }) = &self.challenge else { return true };
        if *hashed { URL_SAFE_NO_PAD.encode(Sha256::digest(verifier)) == *text } else { verifier == text }
    }
}

#[derive(Debug, Clone)]
struct Access {
    scopes: BTreeSet<String>,
    until: i64,
    revoked: bool,
}

/// What became of a bearer token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Bearer {
    /// Usable, with these scopes; `None` allows everything.
    Valid(Option<BTreeSet<String>>),
    Expired,
    Unknown,
}

/// The pair a token request answers.
#[derive(Debug, Clone)]
pub(crate) struct Grant {
    pub(crate) access: String,
    pub(crate) refresh: String,
    pub(crate) scopes: BTreeSet<String>,
}

/// All tokens of the portal.
#[derive(Debug)]
pub(crate) struct Tokens {
    seed: u64,
    issued: u64,
    service_key: String,
    codes: HashMap<String, Code>,
    access: HashMap<String, Access>,
    refresh: HashMap<String, BTreeSet<String>>,
    /// Scopes taken away from every token.
    removed: BTreeSet<String>,
    /// Whether a refresh gives a new refresh token.
    pub(crate) rotate: bool,
    /// Life of access tokens issued from now on.
    pub(crate) life_ms: i64,
    pub(crate) hub: u64,
}

impl Tokens {
    pub(crate) fn new(options: &Options, hub: u64) -> Self {
        Self {
            seed: options.seed,
            issued: 0,
            service_key: options.service_key.clone(),
            codes: HashMap::new(),
            access: HashMap::new(),
            refresh: HashMap::new(),
            removed: BTreeSet::new(),
            rotate: false,
            life_ms: ACCESS_LIFE_MS,
            hub,
        }
    }

    fn secret(&mut self, prefix: &str, length: usize) -> String {
        const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        self.issued += 1;
        let mut text = prefix.to_owned();
        let mut at = 0;
        while text.len() < length {
            let bits = draw(self.seed, 60, self.issued, at);
            text.extend((0..10).map(|n| char::from(ALPHABET[(bits >> (n * 6) & 63) as usize])));
            at += 1;
        }
        text.truncate(length);
        text
    }

    pub(crate) fn issue_code(
        &mut self,
        redirect_uri: String,
        scopes: BTreeSet<String>,
        challenge: Option<Challenge>,
        now: i64,
    ) -> String {
        let text = self.secret("na1-", 40);
        let code = Code { redirect_uri, scopes, challenge, until: now + CODE_LIFE_MS };
        self.codes.insert(text.clone(), code);
        text
    }

    /// Takes a code out; it works once and not for long.
    pub(crate) fn redeem(&mut self, code: &str, now: i64) -> Option<Code> {
        self.codes.remove(code).filter(|code| code.until >= now)
    }

    /// A first pair for a consent.
    pub(crate) fn grant(&mut self, scopes: BTreeSet<String>, now: i64) -> Grant {
        let refresh = self.secret("na1-", 64);
        self.refresh.insert(refresh.clone(), scopes.clone());
        let access = self.issue_access(scopes.clone(), now);
        Grant { access, refresh, scopes }
    }

    fn issue_access(&mut self, scopes: BTreeSet<String>, now: i64) -> String {
        // Every other one is long enough that a client with a short column cuts it.
        let length = if self.issued.is_multiple_of(2) { 344 } else { 700 };
        let access = self.secret("CNSim", length);
        self.access.insert(access.clone(), Access { scopes, until: now + self.life_ms, revoked: false });
        access
    }

    /// A new access token for a refresh token; `None` when it is unknown or revoked.
    pub(crate) fn renew(&mut self, refresh: &str, now: i64) -> Option<Grant> {
        let scopes = self.refresh.get(refresh)?.clone();
        let scopes: BTreeSet<String> = scopes.difference(&self.removed).cloned().collect();
        let mut refresh = refresh.to_owned();
        if self.rotate {
            self.refresh.remove(&refresh);
            refresh = self.secret("na1-", 64);
            self.refresh.insert(refresh.clone(), scopes.clone());
        }
        let access = self.issue_access(scopes.clone(), now);
        Some(Grant { access, refresh, scopes })
    }

    pub(crate) fn check(&self, bearer: &str, now: i64) -> Bearer {
        if bearer == self.service_key {
            return Bearer::Valid(if self.removed.is_empty() { None } else { Some(self.all_but_removed()) });
        }
        match self.access.get(bearer) {
            None => Bearer::Unknown,
            Some(access) if access.revoked => Bearer::Unknown,
            Some(access) if access.until <= now => Bearer::Expired,
            Some(access) => Bearer::Valid(Some(access.scopes.difference(&self.removed).cloned().collect())),
        }
    }

    fn all_but_removed(&self) -> BTreeSet<String> {
        let all = super::consent::KNOWN_SCOPES.iter().map(|(scope, _)| (*scope).to_owned());
        all.filter(|scope| !self.removed.contains(scope)).collect()
    }

    /// Milliseconds a token has left and its scopes, for introspection.
    pub(crate) fn describe(&self, token: &str, now: i64) -> Option<(i64, BTreeSet<String>)> {
        match self.check(token, now) {
            Bearer::Valid(scopes) => {
                let until = self.access.get(token).map_or(now + self.life_ms, |a| a.until);
                Some((until - now, scopes.unwrap_or_default()))
            }
            _ => None,
        }
    }

    pub(crate) fn refresh_scopes(&self, refresh: &str) -> Option<&BTreeSet<String>> {
        self.refresh.get(refresh)
    }

    /// Revokes a refresh token; access tokens already issued live on.
    pub(crate) fn revoke(&mut self, refresh: &str) {
        self.refresh.remove(refresh);
    }

    /// Ends every access token now; refresh tokens still work.
    pub(crate) fn expire_all(&mut self, now: i64) {
        self.access.values_mut().for_each(|access| access.until = access.until.min(now));
    }

    /// The app was uninstalled: nothing works any more.
    pub(crate) fn revoke_all(&mut self) {
        self.refresh.clear();
        self.codes.clear();
        self.access.values_mut().for_each(|access| access.revoked = true);
    }

    pub(crate) fn remove_scope(&mut self, scope: &str) {
        self.removed.insert(scope.to_owned());
    }

    pub(crate) fn restore_scopes(&mut self) {
        self.removed.clear();
    }
}
