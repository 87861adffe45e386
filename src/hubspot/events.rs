//! The payload of a webhook, read into events.
//!
//! The whole body has to be JSON; a single event that cannot be understood is one that this product does not act on. Both
//! sorts of names are understood: HubSpot's `object.creation` with a type id, and `note.creation`.

use serde_json::value::RawValue;
use serde_json::{Map, Value};
use sha2::{Digest, Sha256};

use super::subscriptions::type_of;
use crate::domain::crm::RecordType;
use crate::domain::event::{Announced, Event, Reason};
use crate::domain::ids::PortalId;

/// HubSpot's word for an import.
const IMPORT: &str = "IMPORT";

/// The body is no list of events. Where, but nothing of what it says: that may be anything.
#[derive(Debug, Clone, Copy, thiserror::Error)]
#[error("the body is no list of events (line {line}, column {column})")]
pub struct Unreadable {
    line: usize,
    column: usize,
}

impl From<serde_json::Error> for Unreadable {
    fn from(error: serde_json::Error) -> Self {
        Self { line: error.line(), column: error.column() }
    }
}

/// The fields of an event by name; numbers and texts are taken alike, and what is missing is missing.
struct Wire(Map<String, Value>);

/// Fields that tell one event from another. The number of the attempt is not among them, and the id of an event alone does
/// not tell (contract, section 8.2).
const TELLING: [&str; 19] = [
    "eventId",
    "portalId",
    "occurredAt",
    "subscriptionType",
    "eventType",
    "objectTypeId",
    "objectType",
    "objectId",
    "contactId",
    "companyId",
    "dealId",
    "propertyName",
    "primaryObjectId",
    "newObjectId",
    "fromObjectId",
    "toObjectId",
    "associationType",
    "associationTypeId",
    "associationRemoved",
];

/// Reads a delivery: a list of events, or one by itself.
pub fn parse(body: &[u8]) -> Result<Vec<Event>, Unreadable> {
    // A string that is no UTF-8 inside an event must not pass as an event that is merely unknown.
    let text =
        std::str::from_utf8(body).map_err(|error| Unreadable { line: 1, column: error.valid_up_to() })?;
    let events: Vec<&RawValue> = match text.trim_start().starts_with('{') {
        true => vec![serde_json::from_str(text)?],
        false => serde_json::from_str(text)?,
    };
    Ok(events.into_iter().map(event).collect())
}

fn event(raw: &RawValue) -> Event {
    let wire = Wire(serde_json::from_str(raw.get()).unwrap_or_default());
    let told = !wire.0.is_empty();
    Event {
        fingerprint: if told { wire.fingerprint() } else { Sha256::digest(raw.get()).into() },
        portal: wire.text("portalId").and_then(|id| id.parse().ok()).map(PortalId),
        in_bulk: wire.text("changeSource").as_deref() == Some(IMPORT),
        about: wire.about(),
    }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(flag) => Some(flag.to_string()),
        _ => None,
    }
}

impl Wire {
    fn text(&self, name: &str) -> Option<String> {
        self.0.get(name).and_then(text)
    }

    /// The id in a field. Anything but digits is none: it becomes part of a request.
    fn id(&self, name: &str) -> Option<String> {
        self.text(name).filter(|id| is_id(id))
    }

    fn ids(&self, name: &str) -> Vec<String> {
        let all = self.0.get(name).and_then(Value::as_array).into_iter().flatten();
        all.filter_map(text).filter(|id| is_id(id)).collect()
    }

    fn fingerprint(&self) -> [u8; 32] {
        let mut hash = Sha256::new();
        for name in TELLING {
            let field = self.text(name);
            hash.update([u8::from(field.is_some())]);
            hash.update(field.unwrap_or_default());
            hash.update([0]);
        }
        hash.finalize().into()
    }

    fn about(&self) -> Vec<Announced> {
        // The guide's sample says `eventType`.
        let name = self.text("subscriptionType").or_else(|| self.text("eventType"));
        let Some((family, action)) = name.as_deref().and_then(|name| name.split_once('.')) else {
            return Vec::new();
        };
        if action == "associationChange" {
            return self.associated(family).into_iter().collect();
        }
        let named = self.text("objectTypeId").or_else(|| self.text("objectType"));
        let record_type =
            if family == "object" { named.as_deref().and_then(type_of) } else { type_of(family) };
        let Some(record_type) = record_type else { return Vec::new() };
        let of = |ids: Vec<String>, reason| -> Vec<Announced> {
            ids.into_iter().map(|id| Announced { record_type, id, reason }).collect()
        };
        // Old senders name the id after the type.
        let object =
            ["objectId", "contactId", "companyId", "dealId"].into_iter().find_map(|name| self.id(name));
        let object: Vec<String> = object.into_iter().collect();
        match action {
            "creation" | "propertyChange" | "restore" => of(object, Reason::Changed),
            "deletion" => of(object, Reason::Deleted),
            "privacyDeletion" if record_type == RecordType::Contacts => of(object, Reason::Forgotten),
            "merge" => {
                let result = self.id("newObjectId");
                let mut merged = self.ids("mergedObjectIds");
                merged.extend(self.id("primaryObjectId"));
                // The result may keep the id of one of them; then what it is comes last.
                merged.retain(|id| Some(id) != result.as_ref());
                [of(merged, Reason::Deleted), of(result.into_iter().chain(object).collect(), Reason::Changed)]
                    .concat()
            }
            _ => Vec::new(),
        }
    }

    /// The record whose row holds the association that changed.
    fn associated(&self, family: &str) -> Option<Announced> {
        let classic = self.text("associationType");
        let classic = classic.as_deref().and_then(|name| name.split_once("_TO_"));
        let (from, to) = match (self.text("fromObjectTypeId"), self.text("toObjectTypeId"), classic) {
            (Some(from), Some(to), _) => (type_of(&from)?, type_of(&to)?),
            (_, _, Some((from, to))) => (type_of(from).or_else(|| type_of(family))?, type_of(to)?),
            _ => return None,
        };
        let (from_id, to_id) = (self.id("fromObjectId")?, self.id("toObjectId")?);
        let (record_type, id) = match (holds(from, to), holds(to, from)) {
            (true, _) => (from, from_id),
            (false, true) => (to, to_id),
            (false, false) => return None,
        };
        Some(Announced { record_type, id, reason: Reason::Changed })
    }
}

fn is_id(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Associations are stored with the record that is read with them.
fn holds(from: RecordType, to: RecordType) -> bool {
    match (from, to) {
        (RecordType::Engagement(_), to) => !matches!(to, RecordType::Engagement(_)),
        (RecordType::Contacts, RecordType::Companies) => true,
        (RecordType::Deals, RecordType::Contacts | RecordType::Companies) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::domain::engagement::Kind;

    fn one(event: &serde_json::Value) -> Event {
        parse(json!([event]).to_string().as_bytes()).unwrap().remove(0)
    }

    fn about(event: &serde_json::Value) -> Vec<(RecordType, String, Reason)> {
        one(event).about.into_iter().map(|one| (one.record_type, one.id, one.reason)).collect()
    }

    #[test]
    fn t1_both_sorts_of_names_mean_the_same() {
        for (kind, id, name) in [
            (Kind::Email, "0-49", "email"),
            (Kind::Note, "0-46", "note"),
            (Kind::Call, "0-48", "call"),
            (Kind::Meeting, "0-47", "meeting"),
        ] {
            let meant = vec![(RecordType::Engagement(kind), "51".to_owned(), Reason::Changed)];
            let generic = json!({"subscriptionType": "object.creation", "objectTypeId": id, "objectId": 51});
            let named = json!({"eventType": format!("{name}.creation"), "objectId": "51"});
            assert_eq!((about(&generic), about(&named)), (meant.clone(), meant));
        }
        let old = json!({"subscriptionType": "contact.deletion", "contactId": 7});
        assert_eq!(about(&old), [(RecordType::Contacts, "7".to_owned(), Reason::Deleted)]);
    }

    #[test]
    fn what_happened_decides_which_records_are_looked_at() {
        let forgotten = json!({"subscriptionType": "contact.privacyDeletion", "objectId": 7});
        assert_eq!(about(&forgotten), [(RecordType::Contacts, "7".to_owned(), Reason::Forgotten)]);
        let merge = json!({"subscriptionType": "object.merge", "objectTypeId": "0-1", "objectId": 9, "newObjectId": 9,
            "primaryObjectId": 7, "mergedObjectIds": [7, 8]});
        let ids: Vec<(String, Reason)> = about(&merge).into_iter().map(|(_, id, why)| (id, why)).collect();
        let gone = |id: &str| (id.to_owned(), Reason::Deleted);
        let here = ("9".to_owned(), Reason::Changed);
        assert_eq!(ids, [gone("7"), gone("8"), gone("7"), here.clone(), here]);
        let tied = json!({"subscriptionType": "object.associationChange", "objectId": null, "fromObjectId": 3,
            "toObjectId": 51, "fromObjectTypeId": "0-1", "toObjectTypeId": "0-46"});
        assert_eq!(about(&tied), [(RecordType::Engagement(Kind::Note), "51".to_owned(), Reason::Changed)]);
        let classic = json!({"subscriptionType": "company.associationChange", "fromObjectId": 3, "toObjectId": 51,
            "associationType": "COMPANY_TO_CONTACT"});
        assert_eq!(about(&classic), [(RecordType::Contacts, "51".to_owned(), Reason::Changed)]);
        for unknown in
            [json!({"subscriptionType": "ticket.creation", "objectId": 1}), json!({}), json!(5), json!("x")]
        {
            assert_eq!(about(&unknown), [], "{unknown}");
        }
    }

    #[test]
    fn a_redelivery_is_the_same_event_and_another_one_with_the_same_id_is_not() {
        let event = json!({"eventId": 5, "subscriptionType": "object.creation", "objectTypeId": "0-46", "objectId": 51,
            "portalId": 1, "occurredAt": 1_790_000_000_000_i64, "attemptNumber": 0});
        let with = |name: &str, value: serde_json::Value| {
            let mut changed = event.clone();
            changed[name] = value;
            one(&changed).fingerprint
        };
        assert_eq!(one(&event).fingerprint, with("attemptNumber", json!(3)));
        for (name, value) in
            [("objectId", json!(52)), ("subscriptionType", json!("object.deletion")), ("portalId", json!(2))]
        {
            assert_ne!(one(&event).fingerprint, with(name, value), "{name}");
        }
    }

    #[test]
    fn a_body_is_json_to_its_last_byte() {
        for body in [&b"[]x"[..], b"[{}]\x80", b"[{\"a\":\"\x80\"}]", b"", b"nonsense", b"[", b"{}{}", b"5"] {
            assert!(parse(body).is_err(), "{}", String::from_utf8_lossy(body));
        }
        assert_eq!(parse(b" [] \n").unwrap().len(), 0);
        assert_eq!(
            parse(b"{\"subscriptionType\":\"note.creation\",\"objectId\":1}").unwrap()[0].about.len(),
            1
        );
    }

    proptest::proptest! {
        #[test]
        fn no_bytes_break_it(body in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..200)) {
            drop(parse(&body));
        }
    }
}
