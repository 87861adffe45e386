//! The payload of a webhook, read into events.
//!
//! The whole body has to be JSON; a single event that cannot be understood is one that this product does not act on. Both
//! sorts of names are understood: HubSpot's `object.creation` with a type id, and `note.creation`.

use serde::Deserialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};

use super::subscriptions::type_of;
use super::wire::WireId;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::event::{Announced, Event, Reason};
use crate::domain::ids::PortalId;

/// HubSpot's word for an import.
const IMPORT: &str = "IMPORT";

/// The body is no list of events.
#[derive(Debug, Clone, thiserror::Error)]
#[error("the body is no list of events: {0}")]
pub struct Unreadable(String);

/// Fields as HubSpot and its guide name them. Every one may be missing.
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct Wire {
    event_id: Option<WireId>,
    portal_id: Option<u64>,
    occurred_at: Option<i64>,
    #[serde(alias = "eventType")]
    subscription_type: Option<String>,
    object_type_id: Option<String>,
    object_type: Option<String>,
    #[serde(alias = "contactId", alias = "companyId", alias = "dealId")]
    object_id: Option<WireId>,
    property_name: Option<String>,
    change_source: Option<String>,
    primary_object_id: Option<WireId>,
    merged_object_ids: Vec<WireId>,
    new_object_id: Option<WireId>,
    from_object_id: Option<WireId>,
    to_object_id: Option<WireId>,
    from_object_type_id: Option<String>,
    to_object_type_id: Option<String>,
    association_type: Option<String>,
    association_type_id: Option<u64>,
    association_removed: Option<bool>,
}

/// Reads a delivery: a list of events, or one by itself.
pub fn parse(body: &[u8]) -> Result<Vec<Event>, Unreadable> {
    let unreadable = |error: serde_json::Error| Unreadable(error.to_string());
    // A string that is no UTF-8 inside an event must not pass as an event that is merely unknown.
    let text = std::str::from_utf8(body).map_err(|error| Unreadable(error.to_string()))?;
    let events: Vec<&RawValue> = match text.trim_start().starts_with('{') {
        true => vec![serde_json::from_str(text).map_err(unreadable)?],
        false => serde_json::from_str(text).map_err(unreadable)?,
    };
    Ok(events.into_iter().map(event).collect())
}

fn event(raw: &RawValue) -> Event {
    match serde_json::from_str::<Wire>(raw.get()) {
        Ok(wire) => Event {
            fingerprint: wire.fingerprint(),
            portal: wire.portal_id.map(PortalId),
            occurred_at: wire.occurred_at.map(Millis),
            in_bulk: wire.change_source.as_deref() == Some(IMPORT),
            about: wire.about(),
        },
        Err(_) => Event {
            fingerprint: Sha256::digest(raw.get()).into(),
            portal: None,
            occurred_at: None,
            in_bulk: false,
            about: Vec::new(),
        },
    }
}

impl Wire {
    /// Everything that tells one event from another; the number of the attempt is not part of it, and the id of an event
    /// alone does not tell (contract, section 8.2).
    fn fingerprint(&self) -> [u8; 32] {
        let id = |id: &Option<WireId>| id.as_ref().map(|id| id.0.clone());
        let fields = [
            id(&self.event_id),
            self.portal_id.map(|portal| portal.to_string()),
            self.occurred_at.map(|at| at.to_string()),
            self.subscription_type.clone(),
            self.object_type_id.clone(),
            self.object_type.clone(),
            id(&self.object_id),
            self.property_name.clone(),
            id(&self.primary_object_id),
            id(&self.new_object_id),
            id(&self.from_object_id),
            id(&self.to_object_id),
            self.association_type.clone(),
            self.association_type_id.map(|id| id.to_string()),
            self.association_removed.map(|removed| removed.to_string()),
        ];
        let mut hash = Sha256::new();
        for field in fields {
            hash.update([u8::from(field.is_some())]);
            hash.update(field.unwrap_or_default());
            hash.update([0]);
        }
        hash.finalize().into()
    }

    fn about(&self) -> Vec<Announced> {
        let Some((family, action)) = self.subscription_type.as_deref().and_then(|one| one.split_once('.'))
        else {
            return Vec::new();
        };
        if action == "associationChange" {
            return self.associated(family).into_iter().collect();
        }
        let named = self.object_type_id.as_deref().or(self.object_type.as_deref());
        let record_type = if family == "object" { named.and_then(type_of) } else { type_of(family) };
        let Some(record_type) = record_type else { return Vec::new() };
        let of = |ids: Vec<&WireId>, reason| -> Vec<Announced> {
            ids.into_iter().map(|id| Announced { record_type, id: id.0.clone(), reason }).collect()
        };
        let object: Vec<&WireId> = self.object_id.iter().collect();
        match action {
            "creation" | "propertyChange" | "restore" => of(object, Reason::Changed),
            "deletion" => of(object, Reason::Deleted),
            "privacyDeletion" if record_type == RecordType::Contacts => of(object, Reason::Forgotten),
            "merge" => {
                let result = self.new_object_id.iter().chain(&self.object_id).collect();
                let merged = self.merged_object_ids.iter().chain(&self.primary_object_id);
                // The result may keep the id of one of them; then what it is comes last.
                let merged = merged.filter(|id| Some(*id) != self.new_object_id.as_ref()).collect();
                [of(merged, Reason::Deleted), of(result, Reason::Changed)].concat()
            }
            _ => Vec::new(),
        }
    }

    /// The record whose row holds the association that changed.
    fn associated(&self, family: &str) -> Option<Announced> {
        let classic = self.association_type.as_deref().and_then(|name| name.split_once("_TO_"));
        let (from, to) = match (&self.from_object_type_id, &self.to_object_type_id, classic) {
            (Some(from), Some(to), _) => (type_of(from)?, type_of(to)?),
            (_, _, Some((from, to))) => (type_of(from).or_else(|| type_of(family))?, type_of(to)?),
            _ => return None,
        };
        let (from_id, to_id) = (self.from_object_id.as_ref()?, self.to_object_id.as_ref()?);
        let (record_type, id) = match (holds(from, to), holds(to, from)) {
            (true, _) => (from, from_id),
            (false, true) => (to, to_id),
            (false, false) => return None,
        };
        Some(Announced { record_type, id: id.0.clone(), reason: Reason::Changed })
    }
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
