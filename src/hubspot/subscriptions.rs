//! What an app has to subscribe to, and how webhooks name the types of records.
//!
//! The list is the one of `hubspot-app/src/app/webhooks/webhooks-hsmeta.json`; a test compares them.

use serde::Serialize;

use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;

/// One subscription, as it is ticked in HubSpot.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Subscription {
    /// Subscription type.
    pub event: &'static str,
    /// Object type, where the event is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub object: Option<&'static str>,
    /// Property, where the event is of one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub property: Option<&'static str>,
}

/// Types as subscriptions name them, with their ids and the names that classic events begin with.
const TYPES: [(RecordType, &str, &str, &str); 7] = [
    (RecordType::Contacts, "0-1", "contact", "contact"),
    (RecordType::Companies, "0-2", "company", "company"),
    (RecordType::Deals, "0-3", "deal", "deal"),
    (RecordType::Engagement(Kind::Email), "0-49", "email", "email"),
    (RecordType::Engagement(Kind::Note), "0-46", "note", "note"),
    (RecordType::Engagement(Kind::Call), "0-48", "call", "call"),
    (RecordType::Engagement(Kind::Meeting), "0-47", "meeting_event", "meeting"),
];

/// What happens to a record and has to be known at once. Changes of a body are told of by property, those of an
/// e-mail not at all (contract, section 8.1): the hourly run sees them.
const EVENTS: [&str; 4] =
    ["object.creation", "object.deletion", "object.restore", "object.associationChange"];
const MERGED: [&str; 3] = ["contact", "company", "deal"];
const PROPERTIES: [(&str, &[&str]); 6] = [
    ("contact", &["email", "firstname", "lastname", "company", "jobtitle", "phone", "lifecyclestage"]),
    ("company", &["name", "domain", "industry", "numberofemployees", "lifecyclestage"]),
    ("deal", &["dealname", "dealstage", "pipeline", "amount", "closedate", "hubspot_owner_id"]),
    ("note", &["hs_note_body"]),
    ("call", &["hs_call_body", "hs_call_title", "hs_call_transcription_id"]),
    ("meeting_event", &["hs_meeting_body", "hs_meeting_title", "hs_internal_meeting_notes"]),
];

/// Everything to tick.
pub fn wanted() -> impl Iterator<Item = Subscription> {
    let of = |event, object, property| Subscription { event, object: Some(object), property };
    let events = TYPES
        .iter()
        .flat_map(move |(_, _, object, _)| EVENTS.into_iter().map(move |event| of(event, *object, None)));
    let merges = MERGED.into_iter().map(move |object| of("object.merge", object, None));
    let changes = PROPERTIES.into_iter().flat_map(move |(object, names)| {
        names.iter().map(move |name| of("object.propertyChange", object, Some(*name)))
    });
    let forgotten = Subscription { event: "contact.privacyDeletion", object: None, property: None };
    events.chain(merges).chain(changes).chain([forgotten])
}

/// The type behind an id like `0-46`, or a name like `note` or `NOTE`.
#[must_use]
pub fn type_of(name: &str) -> Option<RecordType> {
    let named = |(_, id, object, family): &&(RecordType, &str, &str, &str)| {
        *id == name || object.eq_ignore_ascii_case(name) || family.eq_ignore_ascii_case(name)
    };
    TYPES.iter().find(named).map(|(record_type, ..)| *record_type)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::Path;

    use serde_json::Value;

    use super::*;

    #[test]
    fn the_app_that_is_uploaded_subscribes_to_exactly_this() {
        let file =
            Path::new(env!("CARGO_MANIFEST_DIR")).join("hubspot-app/src/app/webhooks/webhooks-hsmeta.json");
        let app: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let lists = &app["config"]["subscriptions"];
        let all =
            lists["crmObjects"].as_array().unwrap().iter().chain(lists["hubEvents"].as_array().unwrap());
        let text = |one: &Value, name: &str| one[name].as_str().unwrap_or_default().to_owned();
        let shipped: BTreeSet<[String; 3]> = all
            .inspect(|one| assert_eq!(one["active"], true))
            .map(|one| ["subscriptionType", "objectType", "propertyName"].map(|name| text(one, name)))
            .collect();
        let ours: BTreeSet<[String; 3]> = wanted()
            .map(|one| [one.event, one.object.unwrap_or_default(), one.property.unwrap_or_default()])
            .map(|one| one.map(str::to_owned))
            .collect();
        assert_eq!(shipped, ours);
        assert!(app["config"]["settings"]["maxConcurrentRequests"].as_u64() > Some(5));
    }
}
