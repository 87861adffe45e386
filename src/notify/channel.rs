//! The channel that a person names: looked for in Slack, so that a mistyped one is told while somebody is there to mend it.

use super::NotifyError;
use super::failure::Failure;
use super::slack::{ChannelFacts, Slack};
use crate::store::slack::Channel;

/// Characters of a channel's name.
const LONGEST_CHANNEL: usize = 80;
/// Names shown of the channels that there are.
const MOST_SHOWN: usize = 20;

/// The channel that was meant.
#[derive(Debug)]
pub(super) enum Choice {
    /// Slack knows it.
    Known(Channel),
    /// As it was typed, and why Slack did not say whether there is such a channel.
    Unchecked(Channel, String),
}

impl Choice {
    /// The channel, and what to tell about it.
    pub(super) fn split(self) -> (Option<Channel>, Option<String>) {
        match self {
            Self::Known(channel) => (Some(channel), None),
            Self::Unchecked(channel, why) => (Some(channel), Some(why)),
        }
    }
}

/// The name of a channel as typed, or its id.
fn named(text: &str) -> Result<String, NotifyError> {
    let name = text.trim().trim_start_matches('#');
    let fits = !name.is_empty() && name.chars().count() <= LONGEST_CHANNEL;
    if fits && !name.chars().any(|c| c.is_whitespace() || c.is_control() || "<>&,@\"'".contains(c)) {
        return Ok(name.to_owned());
    }
    Err(NotifyError::Invalid(format!("`{}` is not the name or id of a channel", text.escape_debug())))
}

/// The channel of that name or id, joined where that is allowed; as typed where Slack does not say.
///
/// # Errors
/// Slack says that there is none.
pub(super) async fn resolved(slack: &Slack, text: &str) -> Result<Choice, NotifyError> {
    let name = named(text)?;
    let seen = match slack.channels().await {
        Ok(seen) => seen,
        Err(failure) => return Ok(unchecked(name, &failure)),
    };
    let mut found = seen.channels.iter().find(|one| one.id == name || one.name == name).cloned();
    if found.is_none() && !seen.all {
        found = match slack.channel(&name).await {
            Ok(found) => found,
            Err(failure) => return Ok(unchecked(name, &failure)),
        };
    }
    let Some(one) = found else { return Err(absent(&name, &seen.channels)) };
    if one.is_member == Some(false) {
        match slack.join(&one.id).await {
            // Without the permission somebody has to invite it; the first message says so.
            Ok(()) | Err(Failure::Refused(_)) => {}
            Err(failure) => return Err(failure.into()),
        }
    }
    Ok(Choice::Known(Channel { id: one.id, name: one.name }))
}

fn unchecked(name: String, failure: &Failure) -> Choice {
    let why = match failure {
        Failure::Refused(cause) => format!("Slack does not tell the app of its channels ({})", cause.code),
        other => other.to_string(),
    };
    let text =
        format!("the channel `{name}` was not checked: {why}; `hublore slack test` shows whether it works");
    Choice::Unchecked(Channel { id: name.clone(), name }, text)
}

fn absent(name: &str, seen: &[ChannelFacts]) -> NotifyError {
    let mut names: Vec<String> =
        seen.iter().take(MOST_SHOWN).map(|one| format!("#{}", one.name.escape_debug())).collect();
    if seen.len() > MOST_SHOWN {
        names.push("… (`hublore slack channels` lists all)".to_owned());
    }
    let known = if names.is_empty() { "none".to_owned() } else { names.join(", ") };
    NotifyError::Invalid(format!(
        "Slack shows the app no channel `{name}`; it sees {known}. Correct the name, or invite the app to the private \
         channel and give the channel's id"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn channels_are_named_with_or_without_their_mark() {
        assert_eq!(named("#sales").unwrap(), "sales");
        assert_eq!(named("C0SALES").unwrap(), "C0SALES");
        assert!(["", "#", "a b", "<!channel>", "@here"].iter().all(|bad| named(bad).is_err()));
    }
}
