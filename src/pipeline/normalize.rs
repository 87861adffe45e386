//! Stage 2, normalize: a body becomes text, new parts apart from quotes and signatures, cut into passages.
//!
//! Pure and parallel; all knowledge of text is in `text`. The parent of a mail is handed in (`threads`).

use std::collections::HashSet;
use std::sync::Arc;

use super::copies;
use crate::domain::engagement::{self, Kind, Passage, RawEngagement, SecretPlace, Spoken};
use crate::store::senders::Sender;
use crate::text::near_copies::Fingerprint;
use crate::text::{
    Body, BodyKind, Noise, Normalized, Secret, Span, SpanClass, normalize, secrets, visible_text,
};

/// What is known around a record before it is read.
#[derive(Debug, Clone, Default)]
pub struct Around {
    /// What was said before in its thread, as one plain body.
    pub parent: Option<Arc<engagement::Body>>,
    /// Boilerplate of its sender's domain.
    pub boilerplate: Option<Arc<HashSet<u64>>>,
    /// Its sender as the CRM knows it.
    pub sender: Option<Arc<Sender>>,
}

/// An engagement with its text.
#[derive(Debug, Clone)]
pub struct NormalizedEngagement {
    /// As fetched.
    pub raw: RawEngagement,
    /// New text, cut into passages, secrets masked.
    pub passages: Vec<Passage>,
    /// Language of the whole, ISO 639-1.
    pub language: Option<String>,
    /// What kind of noise it is, if it is.
    pub noise: Option<Noise>,
    /// HubSpot withheld the body.
    pub redacted: bool,
    /// Secrets that were masked: kinds and places.
    pub secrets: Vec<SecretPlace>,
    /// Hosts its new text links to.
    pub link_hosts: Vec<String>,
    /// How reading the body went, where not everything was read.
    pub text_status: Option<&'static str>,
    /// What copies of the same mail are found by.
    pub fingerprint: Option<Box<Fingerprint>>,
    /// The last lines of a mail: what boilerplate is learned from.
    pub tail: Vec<u64>,
}

/// Normalizes one engagement.
#[must_use]
pub fn engagement(mut raw: RawEngagement, around: &Around, mask_secrets: bool) -> NormalizedEngagement {
    let redacted = raw.kind == Kind::Email && raw.body.is_withheld();
    let normalized = text_of(&raw, around, mask_secrets);
    // An answer is written for one person, however often its sentences were used before.
    let answers =
        around.parent.is_some() || normalized.spans.iter().any(|span| span.class == SpanClass::Quote);
    let noise = if raw.out_of_office { Some(Noise::AutoReply) } else { normalized.noise };
    // Without new text the passages are what was quoted or forwarded: findable, but not said by this sender.
    let says = |span: &Span| span.class.is_new() && !normalized.text[span.range.clone()].trim().is_empty();
    let quoted = !normalized.spans.iter().any(says);
    let passages =
        normalized.passages.into_iter().filter(|_| !redacted).map(|one| passage(one, quoted)).collect();
    let secrets = if mask_secrets { normalized.secrets.iter().map(place).collect() } else { Vec::new() };
    if mask_secrets {
        raw.title = raw.title.map(|title| secrets::mask(&title));
    }
    let mut engagement = NormalizedEngagement {
        passages,
        language: normalized.language.map(|language| language.code().to_owned()),
        noise: noise.filter(|_| raw.kind == Kind::Email),
        redacted,
        raw,
        secrets,
        link_hosts: if redacted { Vec::new() } else { normalized.link_hosts },
        text_status: normalized.status.fell_short(),
        fingerprint: None,
        tail: normalized.tail,
    };
    if !answers {
        engagement.fingerprint = copies::fingerprint(&engagement);
    }
    engagement
}

fn place(secret: &Secret) -> SecretPlace {
    let kind = secret.kind.as_str().to_owned();
    SecretPlace { kind, start: secret.range.start, end: secret.range.end }
}

fn text_of(raw: &RawEngagement, around: &Around, mask_secrets: bool) -> Normalized {
    let parent = around.parent.as_ref().map(|body| visible_text(body.html.as_deref(), body.plain.as_deref()));
    if let Some(transcript) = &raw.transcript {
        let words = with_notes(raw, transcript);
        let body = Body::new(BodyKind::Transcript).with_plain(&words);
        return normalize(&Body { mask_secrets, ..body });
    }
    let sender = around.sender.as_deref();
    let known = sender.into_iter().flat_map(|sender| &sender.names);
    let names = raw.from_name.iter().chain(&raw.from_address).chain(known);
    let names: Vec<&str> = names.map(String::as_str).collect();
    let facts = sender.into_iter().flat_map(|sender| &sender.facts);
    let facts: Vec<&str> = facts.map(String::as_str).collect();
    let body = Body {
        html: raw.body.html.as_deref(),
        plain: raw.body.plain.as_deref(),
        subject: raw.title.as_deref(),
        sender_names: &names,
        sender_facts: &facts,
        parent: parent.as_deref(),
        boilerplate: around.boilerplate.as_deref(),
        mask_secrets,
        ..Body::new(BodyKind::of_engagement(raw.kind.as_str()))
    };
    normalize(&body)
}

/// A call with its transcript: the notes first, then what was said.
fn with_notes(raw: &RawEngagement, transcript: &str) -> String {
    let notes = visible_text(raw.body.html.as_deref(), raw.body.plain.as_deref());
    match notes.trim() {
        "" => transcript.to_owned(),
        notes => format!("{notes}\n\n{transcript}"),
    }
}

fn passage(passage: crate::text::Passage, quoted: bool) -> Passage {
    let language = passage.language.map(|language| language.code().to_owned());
    let spoken = passage.spoken.map(|spoken| Spoken {
        start_s: spoken.start_s,
        end_s: spoken.end_s,
        speakers: spoken.speakers,
    });
    Passage { text: passage.text, language, quoted, spoken }
}
