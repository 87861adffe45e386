//! One engagement, read: its new text as agents get it, its body laid out for people, and what each part of it is.
//!
//! What was said is shown, not judged: why it is found or not is `explain`'s business.

use std::collections::BTreeMap;

use serde::Serialize;

use super::KnowledgeError;
use super::explain::seen;
use super::scope::Caller;
use super::search::{CustomerName, trust};
use crate::domain::clock::Millis;
use crate::domain::engagement::{Kind, Passage};
use crate::domain::ids::DocumentId;
use crate::store::senders::{self, Sender};
use crate::store::{Store, engagements, executions, threads};
use crate::text::{self, Body, BodyKind, SpanClass};

/// What is read beside the new text.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Ask {
    /// The whole body, laid out for people.
    pub body: bool,
    /// The parts of the body with their classes.
    pub parts: bool,
    /// Secrets are masked.
    pub mask_secrets: bool,
    /// Also what is neither knowledge nor a copy of it: an operator's view.
    pub skipped: bool,
}

/// An engagement as it is read.
#[derive(Debug, Clone, Serialize)]
pub struct Engagement {
    /// Document id.
    pub id: String,
    /// Kind.
    pub kind: Kind,
    /// Subject or title.
    pub title: Option<String>,
    /// New text, passage by passage, secrets masked.
    pub passages: Vec<Shown>,
    /// When it happened.
    pub occurred_at: Millis,
    /// Address in HubSpot's app.
    pub url: Option<String>,
    /// Customers it is tied to.
    pub customers: Vec<CustomerName>,
    /// How many secrets of each kind its body holds.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub secrets: BTreeMap<String, usize>,
    /// Hosts its new text links to, click-tracking unwrapped, in the order they are named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub links: Vec<String>,
    /// How reading the body went, where not everything was read: `capped`, `fallback`, `plain` or `empty`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub text_status: Option<String>,
    /// The whole body laid out for people, where it was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// The parts of the whole body, where they were asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parts: Option<Vec<Part>>,
    /// How far the text may be trusted.
    pub trust: &'static str,
    /// `agent` where an agent of ours wrote it, else `hubspot`.
    pub origin: &'static str,
}

/// A passage with its neighbours.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Shown {
    /// Its id within the engagement; the same as long as its words are.
    pub id: String,
    /// Id of the passage before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub previous: Option<String>,
    /// Id of the passage behind it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next: Option<String>,
    /// The passage.
    #[serde(flatten)]
    pub passage: Passage,
}

fn shown(passages: Vec<Passage>, ids: &[String]) -> Vec<Shown> {
    let at = |n: Option<usize>| n.and_then(|n| ids.get(n)).cloned();
    let shown = |(n, passage): (usize, Passage)| Shown {
        id: at(Some(n)).unwrap_or_default(),
        previous: at(n.checked_sub(1)),
        next: at(n.checked_add(1)),
        passage,
    };
    passages.into_iter().enumerate().map(shown).collect()
}

/// A part of a body.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    /// What it is.
    pub class: SpanClass,
    /// Its words.
    pub text: String,
}

/// Reads one engagement; `None` where there is none that the caller may see.
pub fn read(
    store: &Store,
    caller: &Caller,
    document: &DocumentId,
    ask: Ask,
) -> Result<Option<Engagement>, KnowledgeError> {
    let found = store.read(|conn| {
        let found = seen(conn, caller, document)?.filter(|(row, _)| ask.skipped || row.is_shown());
        let Some((row, people)) = found else { return Ok(None) };
        let Some(stored) = engagements::body(conn, &caller.org, document)? else { return Ok(None) };
        let parents = match &stored.thread {
            Some(thread) if document.kind == Kind::Email => {
                let place = (row.occurred_at, document.id.clone());
                threads::mails_before(conn, &caller.org, document.portal, thread, &place)?
            }
            _ => Vec::new(),
        };
        let sender = match &stored.from_address {
            Some(address) if document.kind == Kind::Email => {
                senders::with_address(conn, &caller.org, document.portal, address)?
            }
            _ => Sender::default(),
        };
        let by_agent = executions::made_by_agent(conn, &caller.org, document, row.occurred_at)?;
        Ok::<_, KnowledgeError>(Some((row, people, stored, parents, sender, by_agent)))
    })?;
    // The body is read outside of the store's turn: laying it out may take a quarter of a second.
    Ok(found.map(|(row, people, stored, parents, sender, by_agent)| {
        let parents =
            parents.iter().map(|(_, one)| text::visible_text(one.html.as_deref(), one.plain.as_deref()));
        let parents = parents.collect::<Vec<_>>().join("\n\n");
        let names: Vec<&str> = sender.names.iter().chain(&stored.from_address).map(String::as_str).collect();
        let facts: Vec<&str> = sender.facts.iter().map(String::as_str).collect();
        let body = Body {
            html: stored.body.html.as_deref(),
            plain: stored.body.plain.as_deref(),
            subject: row.title.as_deref(),
            parent: Some(parents.as_str()).filter(|text| !text.is_empty()),
            sender_names: &names,
            sender_facts: &facts,
            mask_secrets: ask.mask_secrets,
            ..Body::new(BodyKind::of_engagement(document.kind.as_str()))
        };
        let withheld = stored.body.is_withheld();
        Engagement {
            id: row.document.to_string(),
            kind: row.document.kind,
            title: row.title.clone(),
            passages: shown(row.passages, &row.passage_ids),
            occurred_at: row.occurred_at,
            url: row.url,
            secrets: stored.secrets.iter().fold(BTreeMap::new(), |mut kinds, secret| {
                *kinds.entry(secret.kind.clone()).or_default() += 1;
                kinds
            }),
            links: row.link_hosts,
            text_status: row.text_status,
            body: (ask.body && !withheld).then(|| text::readable(&body)),
            parts: (ask.parts && !withheld).then(|| parts(&body)),
            trust: trust(row.document.kind),
            origin: if by_agent { "agent" } else { "hubspot" },
            customers: people
                .into_iter()
                .map(|one| CustomerName { email: one.email, name: one.name })
                .collect(),
        }
    }))
}

fn parts(body: &Body) -> Vec<Part> {
    let (text, spans) = text::spans(body);
    let secrets = if body.mask_secrets { text::secrets::find(&text) } else { Vec::new() };
    let part = |span: &text::Span| Part {
        class: span.class,
        text: text::secrets::mask_range(&text, &span.range, &secrets).trim().to_owned(),
    };
    spans.iter().map(part).filter(|part| !part.text.is_empty()).collect()
}
