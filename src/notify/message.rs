//! A message as Slack takes it: Block Kit, the words of customers in plain text blocks, the only markup our own links.

use serde_json::{Value, json};

use super::entry::Entry;
use super::plain;
use crate::domain::counted::counted;
use crate::domain::engagement::Kind;

/// Engagements in one message: two blocks each and a heading stay below Slack's limit of 50 blocks.
pub const MOST_ENTRIES: usize = 20;

/// A message.
#[derive(Debug, Clone, PartialEq)]
pub struct Message {
    /// What is shown where blocks are not.
    pub text: String,
    /// The message.
    pub blocks: Vec<Value>,
}

impl Message {
    /// Tells of engagements: alone, or as a group with a heading.
    #[must_use]
    pub fn of(entries: &[Entry]) -> Self {
        match entries {
            [one] => Self { text: plain::escaped(&heading(one)), blocks: blocks(one, true) },
            many => {
                let text = group_heading(many);
                let mut all = vec![section(&text)];
                all.extend(many.iter().flat_map(|one| blocks(one, false)));
                Self { text, blocks: all }
            }
        }
    }

    /// What an operator sends to see whether messages arrive.
    #[must_use]
    pub fn test() -> Self {
        let text = "hublore can post here.".to_owned();
        Self { blocks: vec![section(&text)], text }
    }
}

/// "New email: Nina Berg (Harbor Pet)".
fn heading(one: &Entry) -> String {
    let company = one.company.as_deref().map(|name| format!(" ({name})")).unwrap_or_default();
    format!("New {}: {}{company}", name(one.kind), one.who)
}

fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::FormSubmission => "form submission",
        other => other.as_str(),
    }
}

/// "12 new engagements: 8 emails, 4 notes".
fn group_heading(entries: &[Entry]) -> String {
    let counts =
        Kind::ALL.into_iter().map(|kind| (kind, entries.iter().filter(|one| one.kind == kind).count()));
    let counts = counts.filter(|(_, count)| *count > 0).map(|(kind, count)| counted(count, name(kind)));
    format!("{}: {}", counted(entries.len(), "new engagement"), counts.collect::<Vec<_>>().join(", "))
}

fn blocks(one: &Entry, alone: bool) -> Vec<Value> {
    let snippet = if alone { &one.snippet } else { &one.short };
    let lines = [Some(heading(one)), one.title.clone(), snippet.clone()];
    let text = lines.into_iter().flatten().map(|line| plain::escaped(&line)).collect::<Vec<_>>().join("\n");
    let mut blocks = vec![section(&text)];
    // The address is ours and percent-encoded; one that could end its own markup is left out.
    if let Some(link) = one.link.as_ref().filter(|link| !link.as_str().contains(['|', '<', '>'])) {
        let text = format!("<{}|Open in HubSpot>", plain::escaped(link.as_str()));
        blocks.push(
            json!({"type": "context", "elements": [{"type": "mrkdwn", "text": text, "verbatim": true}]}),
        );
    }
    blocks
}

fn section(escaped: &str) -> Value {
    json!({"type": "section", "text": {"type": "plain_text", "text": escaped, "emoji": false}})
}

#[cfg(test)]
mod tests {
    use super::*;
    use url::Url;

    fn entry(kind: Kind) -> Entry {
        Entry {
            kind,
            who: "Nina <!channel> Berg".to_owned(),
            company: Some("Harbor & Pet".to_owned()),
            title: Some("Renewal".to_owned()),
            snippet: Some("x".repeat(300)),
            short: Some("x".to_owned()),
            link: Url::parse("https://app.hubspot.com/contacts/1/record/0-1/7?engagement=5&x=1").ok(),
        }
    }

    #[test]
    fn not_3_to_6_everything_is_in_the_message_and_nothing_is_markup_but_the_link() {
        let message = Message::of(&[entry(Kind::Email)]);
        assert_eq!(message.text, "New email: Nina &lt;!channel&gt; Berg (Harbor &amp; Pet)");
        let words = message.blocks[0]["text"].clone();
        assert_eq!((words["type"].as_str(), words["emoji"].as_bool()), (Some("plain_text"), Some(false)));
        let text = words["text"].as_str().unwrap();
        assert!(text.contains("Renewal") && text.contains(&"x".repeat(300)) && !text.contains('<'));
        let link = message.blocks[1]["elements"][0]["text"].as_str().unwrap();
        assert_eq!(
            link,
            "<https://app.hubspot.com/contacts/1/record/0-1/7?engagement=5&amp;x=1|Open in HubSpot>"
        );
    }

    #[test]
    fn a_full_group_stays_within_slacks_limits() {
        let all: Vec<Entry> = (0..MOST_ENTRIES).map(|n| entry(Kind::ALL[n % 3])).collect();
        let message = Message::of(&all);
        assert_eq!(message.text, "20 new engagements: 7 emails, 7 notes, 6 calls");
        assert!(message.blocks.len() <= 50);
        let longest =
            message.blocks.iter().filter_map(|one| one["text"]["text"].as_str()).map(str::len).max();
        assert!(longest.unwrap() < 3_000);
    }
}
