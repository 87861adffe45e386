//! Whether a webhook comes from HubSpot: its signature, checked over the raw bytes in constant time.
//!
//! A v3 signature that is there has to hold; nothing weaker is tried in its place. Only v3 carries a time. v1 and v2 are
//! plain hashes that anybody can lengthen, and no version signs the borders between its fields, so a signature counts
//! only where the whole body can be read (`webhooks::inbox`). What a delivery says is read in `events`.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit, Mac};
use reqwest::header::HeaderMap;
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};
use subtle::ConstantTimeEq;

use crate::domain::clock::Millis;

const SIGNATURE_V3: &str = "x-hubspot-signature-v3";
const TIMESTAMP: &str = "x-hubspot-request-timestamp";
const SIGNATURE: &str = "x-hubspot-signature";
const VERSION: &str = "x-hubspot-signature-version";

/// How far a delivery's time may be from ours (contract, section 8.3).
const WINDOW_MS: u64 = 300_000;
/// Digits of a time in milliseconds, from 2001 to 2286.
const TIMESTAMP_DIGITS: usize = 13;

/// What v3 decodes in the address before it signs: these and nothing else (contract, section 8.3).
const DECODED: [(&str, char); 12] = [
    ("3A", ':'),
    ("2F", '/'),
    ("3F", '?'),
    ("40", '@'),
    ("21", '!'),
    ("24", '$'),
    ("27", '\''),
    ("28", '('),
    ("29", ')'),
    ("2A", '*'),
    ("2C", ','),
    ("3B", ';'),
];

/// A version of HubSpot's signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Version {
    /// Secret and body.
    V1,
    /// Secret, method, address and body.
    V2,
    /// The same with a time, as an HMAC.
    V3,
}

impl Version {
    /// HubSpot's name of it.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V1 => "v1",
            Self::V2 => "v2",
            Self::V3 => "v3",
        }
    }
}

/// Why a delivery is not believed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Refusal {
    /// The app's client secret is not set here, so nothing can be believed.
    NoClientSecret,
    /// No signature, one without its time or version, or one of a version that does not exist.
    NotSigned,
    /// A header of the signature is there twice.
    SignedTwice,
    /// Its time is more than five minutes from ours, or is no time.
    OutOfTime,
    /// The signature is not the one of this delivery.
    BadSignature,
    /// Only v3 is accepted here.
    OnlyV3,
    /// The signature holds, but the body is no list of events, and somebody else than HubSpot could have made it so.
    Unreadable,
}

impl Refusal {
    /// The name used in counts.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NoClientSecret => "no_client_secret",
            Self::NotSigned => "not_signed",
            Self::SignedTwice => "signed_twice",
            Self::OutOfTime => "out_of_time",
            Self::BadSignature => "bad_signature",
            Self::OnlyV3 => "only_v3",
            Self::Unreadable => "unreadable",
        }
    }
}

/// A request as HubSpot signed it.
#[derive(Debug, Clone, Copy)]
pub struct Signed<'a> {
    /// HTTP method, upper case.
    pub method: &'a str,
    /// The whole address as HubSpot knows it.
    pub url: &'a str,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// Raw bytes.
    pub body: &'a [u8],
}

impl Signed<'_> {
    /// Checks the strongest signature that is there; says which one held.
    pub fn verify(&self, secret: &SecretString, now: Millis, require_v3: bool) -> Result<Version, Refusal> {
        let secret = secret.expose_secret().as_bytes();
        if secret.is_empty() {
            return Err(Refusal::NoClientSecret);
        }
        if self.headers.contains_key(SIGNATURE_V3) {
            return self.verify_v3(secret, now).map(|()| Version::V3);
        }
        if require_v3 {
            return Err(Refusal::OnlyV3);
        }
        let version = match self.header(VERSION)? {
            "v1" => Version::V1,
            "v2" => Version::V2,
            _ => return Err(Refusal::NotSigned),
        };
        self.verify_hash(secret, version).map(|()| version)
    }

    /// The one value of a header.
    fn header(&self, name: &str) -> Result<&str, Refusal> {
        let mut values = self.headers.get_all(name).iter();
        let value = values.next().and_then(|value| value.to_str().ok()).ok_or(Refusal::NotSigned)?;
        if values.next().is_some() { Err(Refusal::SignedTwice) } else { Ok(value) }
    }

    fn verify_v3(&self, secret: &[u8], now: Millis) -> Result<(), Refusal> {
        let (signature, timestamp) = (self.header(SIGNATURE_V3)?, self.header(TIMESTAMP)?);
        let digits =
            timestamp.len() == TIMESTAMP_DIGITS && timestamp.bytes().all(|byte| byte.is_ascii_digit());
        let at: i64 = timestamp.parse().ok().filter(|_| digits).ok_or(Refusal::OutOfTime)?;
        if now.0.abs_diff(at) > WINDOW_MS {
            return Err(Refusal::OutOfTime);
        }
        let signature = STANDARD.decode(signature).map_err(|_| Refusal::BadSignature)?;
        let mut mac = Hmac::<Sha256>::new_from_slice(secret).map_err(|_| Refusal::NoClientSecret)?;
        for part in [self.method.as_bytes(), decoded(self.url).as_bytes(), self.body, timestamp.as_bytes()] {
            mac.update(part);
        }
        mac.verify_slice(&signature).map_err(|_| Refusal::BadSignature)
    }

    fn verify_hash(&self, secret: &[u8], version: Version) -> Result<(), Refusal> {
        let signature = self.header(SIGNATURE)?;
        let mut hash = Sha256::new();
        hash.update(secret);
        if version == Version::V2 {
            hash.update(self.method);
            hash.update(self.url);
        }
        hash.update(self.body);
        let expected: String = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        let same = expected.as_bytes().ct_eq(signature.as_bytes());
        if bool::from(same) { Ok(()) } else { Err(Refusal::BadSignature) }
    }
}

/// An address with the codes of [`DECODED`] in clear.
fn decoded(url: &str) -> String {
    let mut parts = url.split('%');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let code = part.get(..2).unwrap_or_default();
        match DECODED.iter().find(|(known, _)| known.eq_ignore_ascii_case(code)) {
            Some((_, character)) => {
                out.push(*character);
                out.push_str(&part[2..]);
            }
            None => {
                out.push('%');
                out.push_str(part);
            }
        }
    }
    out
}

#[cfg(test)]
mod tests;
