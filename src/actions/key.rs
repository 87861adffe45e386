//! The caller's key for one attempt: the same key twice has one effect and one answer.

use crate::actions::Refusal;

/// Longest key.
const LONGEST: usize = 255;

/// A key that can be one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Checks a key.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let fits =
            !text.is_empty() && text.len() <= LONGEST && text.bytes().all(|byte| byte.is_ascii_graphic());
        match fits {
            true => Ok(Self(text.to_owned())),
            false => Err(Refusal::bad_request(
                "Idempotency-Key must be 1 to 255 visible ASCII characters, for example a UUID",
            )),
        }
    }

    pub(super) fn into_text(self) -> String {
        self.0
    }
}
