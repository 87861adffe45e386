//! Transcripts of calls, one by one: HubSpot has no list of them.
//!
//! HubSpot's own recordings often answer 404 although the app shows them (contract, section 5.3); the caller
//! remembers that there is none to have.

use serde::Deserialize;

use super::call::Call;
use super::client::Client;
use super::error::HubspotError;
use super::wire::{json, list_or_null};

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Transcript {
    #[serde(default, deserialize_with = "list_or_null")]
    transcript_utterances: Vec<Utterance>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Utterance {
    speaker: Option<Speaker>,
    #[serde(default)]
    text: String,
    start_time_millis: Option<u64>,
    end_time_millis: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct Speaker {
    name: Option<String>,
    email: Option<String>,
}

/// The transcript with that id, a line per turn (`[01:05-01:12] Ann Lee: Good morning.`); `None` where HubSpot has none.
pub async fn words(client: &Client, id: &str) -> Result<Option<String>, HubspotError> {
    let call = Call::get(client.version().transcript(id));
    match client.fetch(&call, json::<Transcript>).await {
        Ok(transcript) => Ok(Some(lines(&transcript)).filter(|lines| !lines.is_empty())),
        Err(HubspotError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

fn lines(transcript: &Transcript) -> String {
    let spoken = transcript.transcript_utterances.iter().filter(|one| !one.text.trim().is_empty());
    spoken.map(line).collect::<Vec<_>>().join("\n")
}

fn line(utterance: &Utterance) -> String {
    let start = utterance.start_time_millis.unwrap_or(0);
    // A turn that ends before it begins has no end.
    let end = utterance.end_time_millis.filter(|end| *end > start);
    let end = end.map(|end| format!("-{}", clock(end.div_ceil(1000)))).unwrap_or_default();
    let speaker = utterance.speaker.as_ref();
    let name = speaker.and_then(|speaker| speaker.name.as_deref().or(speaker.email.as_deref()));
    let name = name.map(str::trim).filter(|name| !name.is_empty()).unwrap_or("Speaker");
    // A turn is one line, whatever white space the recorder wrote.
    let words = utterance.text.split_whitespace().collect::<Vec<_>>().join(" ");
    format!("[{}{end}] {name}: {words}", clock(start / 1000))
}

/// Minutes and seconds.
fn clock(seconds: u64) -> String {
    format!("{:02}:{:02}", seconds / 60, seconds % 60)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn turns_become_lines_with_time_and_speaker() {
        let json = r#"{"id":"1","transcriptUtterances":[
            {"id":"1","speaker":{"id":"1","name":"Ann Lee"},"text":"Good\nmorning.","startTimeMillis":65200,
             "endTimeMillis":69001},
            {"id":"2","speaker":null,"text":"Hello.","startTimeMillis":70000,"endTimeMillis":0},{"id":"3","text":"  "}]}"#;
        let transcript: Transcript = serde_json::from_str(json).unwrap();
        assert_eq!(lines(&transcript), "[01:05-01:10] Ann Lee: Good morning.\n[01:10] Speaker: Hello.");
        let empty: Transcript = serde_json::from_str(r#"{"transcriptUtterances":null}"#).unwrap();
        assert_eq!(lines(&empty), "");
    }
}
