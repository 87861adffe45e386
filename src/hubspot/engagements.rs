//! E-mails, notes, calls and meetings page by page as raw engagements.

use std::collections::BTreeMap;

use super::client::Client;
use super::error::HubspotError;
use super::objects::{self, Which};
use super::paths::type_name;
use super::wire::{Object, Page, Properties};
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::engagement::{Body, Kind, Links, RawEngagement};

const COMMON: &str = "hs_timestamp,hs_createdate,hs_lastmodifieddate,hubspot_owner_id,hs_attachment_ids,\
    hs_object_source_label,hs_gdpr_deleted";
const EMAIL: &str = "hs_email_subject,hs_email_html,hs_email_text,hs_email_direction,hs_email_status,\
    hs_email_from_email,hs_email_from_firstname,hs_email_from_lastname,hs_email_to_email,hs_email_cc_email,\
    hs_email_thread_id,hs_email_message_id,hs_incoming_email_is_out_of_office";
const DIRECTION: &str = "hs_email_direction";
const OUT_OF_OFFICE: &str = "hs_incoming_email_is_out_of_office";
const NOTE: &str = "hs_note_body";
const CALL: &str = "hs_call_title,hs_call_body,hs_call_summary,hs_call_direction,hs_call_status,\
    hs_call_disposition,hs_call_duration,hs_call_has_transcript,hs_call_transcription_id";
const MEETING: &str = "hs_meeting_title,hs_meeting_body,hs_internal_meeting_notes,hs_meeting_start_time,\
    hs_meeting_end_time,hs_meeting_outcome,hs_meeting_location,hs_meeting_external_url";

/// Engagements of a kind that HubSpot keeps as CRM objects.
pub async fn page(
    client: &Client,
    kind: Kind,
    which: Which<'_>,
) -> Result<Page<RawEngagement>, HubspotError> {
    let name = type_name(RecordType::Engagement(kind));
    let properties = format!("{COMMON},{}", properties_of(kind));
    let (page, mut found) = objects::engagements(client, name, &properties, which).await?;
    Ok(page.map(|object| {
        let id = object.id.0.clone();
        let links = Links {
            contacts: found.take("contacts", &id),
            companies: found.take("companies", &id),
            deals: found.take("deals", &id),
        };
        raw(kind, object, links)
    }))
}

fn properties_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Email => EMAIL,
        Kind::Note => NOTE,
        Kind::Call => CALL,
        Kind::Meeting => MEETING,
        Kind::FormSubmission => "",
    }
}

fn raw(kind: Kind, object: Object, links: Links) -> RawEngagement {
    let (created_at, updated_at) = (object.created(), object.updated());
    let mut properties = object.properties;
    let erased = properties.get("hs_gdpr_deleted") == Some("true");
    if erased {
        properties.keep_only(&["hs_gdpr_deleted", "hs_timestamp", "hs_createdate"]);
    }
    let occurred = properties.take("hs_timestamp").as_deref().and_then(Millis::parse);
    let (title, body) = title_and_body(kind, &mut properties);
    let outgoing = properties.get(DIRECTION) == Some("EMAIL");
    let out_of_office = properties.get(OUT_OF_OFFICE) == Some("true");
    let from_name = from_name(|name| properties.get(name));
    RawEngagement {
        kind,
        id: object.id.0,
        title,
        body,
        transcript: None,
        created_at,
        occurred_at: occurred.unwrap_or(created_at),
        updated_at,
        owner: properties.take("hubspot_owner_id"),
        thread: properties.take("hs_email_thread_id"),
        from_address: properties.get("hs_email_from_email").map(|address| address.trim().to_lowercase()),
        from_name,
        outgoing,
        out_of_office,
        erased,
        url: object.url,
        links,
        properties: properties.to_json(),
        reread: None,
    }
}

/// Fills in what an engagement read back from the store has only among its other properties.
pub fn complete(raw: &mut RawEngagement) {
    let properties: BTreeMap<String, String> = serde_json::from_str(&raw.properties).unwrap_or_default();
    raw.erased = properties.get("hs_gdpr_deleted").is_some_and(|value| value == "true");
    if raw.kind != Kind::Email {
        return;
    }
    let get = |name: &str| properties.get(name).map(String::as_str).filter(|value| !value.trim().is_empty());
    raw.outgoing = get(DIRECTION) == Some("EMAIL");
    raw.out_of_office = get(OUT_OF_OFFICE) == Some("true");
    raw.from_name = from_name(get);
}

fn from_name<'a>(get: impl Fn(&str) -> Option<&'a str>) -> Option<String> {
    let names = [get("hs_email_from_firstname"), get("hs_email_from_lastname")];
    let name = names.into_iter().flatten().collect::<Vec<_>>().join(" ");
    Some(name).filter(|name| !name.is_empty())
}

/// HubSpot prefers no form of a body; ours is HTML first, since its text form is cut from it. A call whose
/// notes are empty has at least its summary, and internal meeting notes are notes too.
fn title_and_body(kind: Kind, properties: &mut Properties) -> (Option<String>, Body) {
    let mut take = |name| properties.take(name);
    match kind {
        Kind::Email => {
            (take("hs_email_subject"), Body { html: take("hs_email_html"), plain: take("hs_email_text") })
        }
        Kind::Note => (None, Body { html: take("hs_note_body"), plain: None }),
        Kind::Call => (
            take("hs_call_title"),
            Body { html: joined(take("hs_call_body"), take("hs_call_summary")), plain: None },
        ),
        Kind::Meeting => (
            take("hs_meeting_title"),
            Body { html: joined(take("hs_meeting_body"), take("hs_internal_meeting_notes")), plain: None },
        ),
        Kind::FormSubmission => (None, Body::default()),
    }
}

fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}\n<hr>\n{second}")),
        (one, other) => one.or(other),
    }
}
