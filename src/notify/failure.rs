//! Why a message was not sent, by what has to be done about it.

use std::time::Duration;

/// A failure of Slack's, or of the way there.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// Slack asks to wait; nothing was posted.
    #[error("Slack asks to wait")]
    RateLimited(Option<Duration>),
    /// No connection: nothing was posted.
    #[error("Slack cannot be reached")]
    Unreachable,
    /// The message went out and no answer came: it may have been posted.
    #[error("Slack did not answer")]
    Lost,
    /// Slack is in trouble; the message may have been posted.
    #[error("Slack answered with status {0}")]
    Server(u16),
    /// Nothing will be posted until a person does something.
    #[error("{0}")]
    Refused(Cause),
    /// This one message is not accepted, others may be.
    #[error("Slack does not accept the message: {0}")]
    Unacceptable(Code),
}

/// An error code as Slack writes them, with nothing else in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Code(String);

impl Code {
    /// Reads a code; what does not look like one is named after the status of the answer.
    #[must_use]
    pub fn parse(text: &str, status: u16) -> Self {
        let text = text.trim();
        let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
        let is_code = !text.is_empty() && text.len() <= 64 && text.chars().all(plain);
        Self(if is_code { text.to_owned() } else { format!("http_{status}") })
    }

    /// As Slack writes it.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl std::fmt::Display for Code {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Why Slack refuses everything, and what helps.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cause {
    /// Slack's code.
    pub code: Code,
}

/// Codes of refusals with what helps.
const CURES: [(&[&str], &str); 7] = [
    (
        &[
            "invalid_auth",
            "not_authed",
            "token_revoked",
            "token_expired",
            "account_inactive",
            "stored_secret_unusable",
        ],
        "run `hublore slack connect` with a token that works",
    ),
    (
        &["channel_not_found"],
        "name another channel, or invite the app to the private channel, then `hublore slack test`",
    ),
    (&["not_in_channel"], "invite the app to the channel, then `hublore slack test`"),
    (
        &["is_archived", "channel_is_archived"],
        "unarchive the channel or name another one, then `hublore slack test`",
    ),
    (
        &[
            "no_service",
            "no_service_id",
            "no_team",
            "no_active_hooks",
            "invalid_token",
            "team_disabled",
            "user_not_found",
        ],
        "the incoming webhook is gone: make a new one and run `hublore slack connect`",
    ),
    (
        &["missing_scope", "no_permission"],
        "give the app the scope chat:write, install it again, then `hublore slack test`",
    ),
    (
        &[
            "action_prohibited",
            "restricted_action",
            "posting_to_general_channel_denied",
            "org_login_required",
        ],
        "an admin of the workspace has to allow it, then `hublore slack test`",
    ),
];

impl Cause {
    /// What a person can do.
    #[must_use]
    pub fn cure(&self) -> &'static str {
        cure(self.code.as_str())
    }
}

/// What a person can do about a code.
#[must_use]
pub fn cure(code: &str) -> &'static str {
    let known = CURES.iter().find(|(codes, _)| codes.contains(&code));
    known.map_or("look the code up at docs.slack.dev, then `hublore slack test`", |(_, cure)| cure)
}

impl std::fmt::Display for Cause {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Slack refuses ({}): {}", self.code, self.cure())
    }
}

/// Codes that concern the one message.
const OF_THE_MESSAGE: [&str; 9] = [
    "invalid_payload",
    "invalid_blocks",
    "invalid_blocks_format",
    "msg_too_long",
    "msg_blocks_too_long",
    "no_text",
    "invalid_metadata_format",
    "invalid_metadata_schema",
    "metadata_too_large",
];
/// Codes that pass by themselves.
const PASSING: [&str; 6] = [
    "internal_error",
    "fatal_error",
    "service_unavailable",
    "request_timeout",
    "rollup_error",
    "accesslimited",
];

impl Failure {
    /// What an error code means. One that is not known stops everything: nothing is lost that way.
    #[must_use]
    pub fn of_code(code: Code) -> Self {
        match code.as_str() {
            "ratelimited" | "rate_limited" | "message_limit_exceeded" => Self::RateLimited(None),
            known if PASSING.contains(&known) => Self::Server(500),
            known if OF_THE_MESSAGE.contains(&known) => Self::Unacceptable(code),
            _ => Self::Refused(Cause { code }),
        }
    }

    /// What an answer without success means.
    #[must_use]
    pub fn of_status(status: u16, body: &str, after: Option<Duration>) -> Self {
        match status {
            429 => Self::RateLimited(after),
            408 => Self::Lost,
            500..=599 => Self::Server(status),
            _ => Self::of_code(Code::parse(body, status)),
        }
    }

    /// The name in the log of deliveries.
    #[must_use]
    pub fn name(&self) -> String {
        match self {
            Self::RateLimited(_) => "rate_limited".to_owned(),
            Self::Unreachable => "unreachable".to_owned(),
            Self::Lost => "no_answer".to_owned(),
            Self::Server(status) => format!("http_{status}"),
            Self::Refused(cause) => cause.code.to_string(),
            Self::Unacceptable(code) => code.to_string(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_and_statuses_are_told_apart() {
        let refused = |code: &str| Failure::Refused(Cause { code: Code(code.to_owned()) });
        assert_eq!(Failure::of_status(404, "no_service", None), refused("no_service"));
        assert_eq!(Failure::of_status(404, "<html>nginx</html>", None), refused("http_404"));
        assert_eq!(Failure::of_status(302, "", None), refused("http_302"));
        assert_eq!(Failure::of_status(503, "", None), Failure::Server(503));
        let wait = Some(Duration::from_secs(3));
        assert_eq!(Failure::of_status(429, "rate_limited", wait), Failure::RateLimited(wait));
        assert_eq!(
            Failure::of_status(400, "invalid_blocks", None),
            Failure::Unacceptable(Code("invalid_blocks".to_owned()))
        );
        assert_eq!(Failure::of_code(Code::parse("something_new", 200)), refused("something_new"));
        assert!(Failure::of_code(Code::parse("invalid_auth", 200)).to_string().contains("slack connect"));
    }
}
