//! Encryption of stored secrets: XChaCha20-Poly1305 under a key ring kept outside the database.
//!
//! A sealed value is `1 ‖ key id length ‖ key id ‖ nonce (24) ‖ ciphertext`; the purpose (organisation and
//! column) is associated data, so a value copied into another row does not open. Random 192-bit nonces need
//! no counter that a restored backup could rewind. There is no mode without encryption.

use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use chacha20poly1305::aead::{Aead, KeyInit, Payload};
use chacha20poly1305::{Key, XChaCha20Poly1305, XNonce};
use secrecy::{ExposeSecret, SecretString};
use sha2::{Digest, Sha256};

const FORMAT: u8 = 1;
const NONCE: usize = 24;

/// Why a secret cannot be sealed or opened.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// The key file cannot be read or made.
    #[error("cannot use the key file {file}: {reason}")]
    KeyFile {
        /// Its path.
        file: String,
        /// What is wrong.
        reason: String,
    },
    /// The value was sealed with a key that is not in the ring.
    #[error(
        "a stored secret needs key `{0}`, which is not in the key file; put the old key back or connect again"
    )]
    UnknownKey(String),
    /// The value was changed, moved to another row, or is not a sealed value.
    #[error("a stored secret does not open; connect again")]
    Damaged,
    /// The machine gives no random numbers.
    #[error("the machine gives no random numbers: {0}")]
    Random(String),
}

/// Fills an array with random bytes of the operating system.
pub fn random<const N: usize>() -> Result<[u8; N], VaultError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(|error| VaultError::Random(error.to_string()))?;
    Ok(bytes)
}

/// SHA-256 of a secret, for looking it up without storing it.
#[must_use]
pub fn fingerprint(secret: &str) -> [u8; 32] {
    Sha256::digest(secret.as_bytes()).into()
}

struct NamedKey {
    id: String,
    cipher: XChaCha20Poly1305,
}

/// The key ring; the newest key seals, every key opens.
pub struct Vault {
    keys: Vec<NamedKey>,
}

impl std::fmt::Debug for Vault {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Vault").field("keys", &self.keys.len()).finish()
    }
}

impl Vault {
    /// Opens the ring in `file`, making one with a fresh key where there is none.
    ///
    /// The file holds lines `id:base64`, newest first, and is readable by its owner only.
    pub fn open(file: &Path) -> Result<Self, VaultError> {
        let failed = |reason: String| VaultError::KeyFile { file: file.display().to_string(), reason };
        if !file.exists() {
            let line = format!("k1:{}\n", STANDARD.encode(random::<32>()?));
            let mut made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file);
            let written = made.as_mut().map_err(|e| e.to_string()).and_then(|made| {
                made.write_all(line.as_bytes()).and_then(|()| made.sync_all()).map_err(|e| e.to_string())
            });
            written.map_err(failed)?;
        }
        let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
        Self::from_lines(&text)
            .ok_or_else(|| failed("it must hold lines like `k1:` and 32 bytes in base64".to_owned()))
    }

    fn from_lines(text: &str) -> Option<Self> {
        let keys: Option<Vec<_>> =
            text.lines().filter(|line| !line.trim().is_empty()).map(named_key).collect();
        keys.filter(|keys| !keys.is_empty()).map(|keys| Self { keys })
    }

    /// Encrypts `secret` for `purpose`.
    pub fn seal(&self, purpose: &str, secret: &SecretString) -> Result<Vec<u8>, VaultError> {
        let newest = self.keys.first().ok_or(VaultError::Damaged)?;
        let nonce = random::<NONCE>()?;
        let payload = Payload { msg: secret.expose_secret().as_bytes(), aad: purpose.as_bytes() };
        let sealed = newest.cipher.encrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Damaged)?;
        let id_length = u8::try_from(newest.id.len()).map_err(|_| VaultError::Damaged)?;
        let mut blob = vec![FORMAT, id_length];
        blob.extend_from_slice(newest.id.as_bytes());
        blob.extend_from_slice(&nonce);
        blob.extend_from_slice(&sealed);
        Ok(blob)
    }

    /// Decrypts what [`Self::seal`] made for the same purpose.
    pub fn open_sealed(&self, purpose: &str, blob: &[u8]) -> Result<SecretString, VaultError> {
        let (id, nonce, sealed) = split(blob).ok_or(VaultError::Damaged)?;
        let key =
            self.keys.iter().find(|key| key.id == id).ok_or_else(|| VaultError::UnknownKey(id.to_owned()))?;
        let payload = Payload { msg: sealed, aad: purpose.as_bytes() };
        let clear = key.cipher.decrypt(&XNonce::from(nonce), payload).map_err(|_| VaultError::Damaged)?;
        String::from_utf8(clear).map(SecretString::from).map_err(|_| VaultError::Damaged)
    }
}

fn named_key(line: &str) -> Option<NamedKey> {
    let (id, key) = line.trim().split_once(':')?;
    let key: [u8; 32] = STANDARD.decode(key).ok()?.try_into().ok()?;
    let usable = !id.is_empty() && id.len() <= 64;
    usable.then(|| NamedKey { id: id.to_owned(), cipher: XChaCha20Poly1305::new(&Key::from(key)) })
}

fn split(blob: &[u8]) -> Option<(&str, [u8; NONCE], &[u8])> {
    let (&format, rest) = blob.split_first()?;
    let (&id_length, rest) = rest.split_first()?;
    let (id, rest) = rest.split_at_checked(usize::from(id_length))?;
    let (nonce, sealed) = rest.split_at_checked(NONCE)?;
    let id = std::str::from_utf8(id).ok().filter(|_| format == FORMAT)?;
    Some((id, nonce.try_into().ok()?, sealed))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ring(ids: &[(&str, u8)]) -> Vault {
        let lines: Vec<String> =
            ids.iter().map(|(id, fill)| format!("{id}:{}", STANDARD.encode([*fill; 32]))).collect();
        Vault::from_lines(&lines.join("\n")).unwrap()
    }

    #[test]
    fn con_3_two_writes_of_one_token_differ_and_both_open() {
        let vault = ring(&[("k1", 7)]);
        let token = SecretString::from("access-token");
        let (one, two) =
            (vault.seal("org1/access", &token).unwrap(), vault.seal("org1/access", &token).unwrap());
        assert_ne!(one, two);
        for blob in [&one, &two] {
            assert_eq!(vault.open_sealed("org1/access", blob).unwrap().expose_secret(), "access-token");
            assert!(!blob.windows(6).any(|part| part == b"access"));
        }
    }

    #[test]
    fn a_value_opens_only_in_its_own_row_unchanged_and_with_its_key() {
        let vault = ring(&[("k2", 8), ("k1", 7)]);
        let old = ring(&[("k1", 7)]).seal("org1/refresh", &SecretString::from("t")).unwrap();
        assert!(vault.open_sealed("org1/refresh", &old).is_ok());
        assert!(matches!(vault.open_sealed("org2/refresh", &old), Err(VaultError::Damaged)));
        assert!(matches!(
            ring(&[("k2", 8)]).open_sealed("org1/refresh", &old),
            Err(VaultError::UnknownKey(_))
        ));
        for at in 0..old.len() {
            let mut changed = old.clone();
            changed[at] ^= 1;
            assert!(vault.open_sealed("org1/refresh", &changed).is_err());
        }
        for end in 0..old.len() {
            assert!(vault.open_sealed("org1/refresh", &old[..end]).is_err());
        }
    }
}
