//! What agents write: objects created, changed, archived; and the looks at HubSpot around a write: the contact of an
//! address, a record as it is now, the definition of a property.
//!
//! Bodies are the same in every version of the API. What may be written is decided by `actions`; nothing here repeats
//! a write (see [`Client::send`]).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::client::Client;
use super::error::{HubspotError, WriteError};
use super::wire::{self, BatchError, Object, Page, list_or_null};
use super::{associations, objects};
use crate::domain::property::Choice;

/// Associations of a new record, by HubSpot's type ids (contract, section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// A deal.
    Deal,
    /// A task.
    Task,
    /// A note.
    Note,
}

impl Written {
    /// As paths and rows name the type.
    #[must_use]
    pub fn type_name(self) -> &'static str {
        match self {
            Self::Deal => "deals",
            Self::Task => "tasks",
            Self::Note => "notes",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Deal, Self::Task, Self::Note].into_iter().find(|one| one.type_name() == name)
    }

    fn to_contact(self) -> u32 {
        match self {
            Self::Deal => 3,
            Self::Task => 204,
            Self::Note => 202,
        }
    }

    /// To the primary company, which only deals have.
    fn to_company(self) -> Option<u32> {
        match self {
            Self::Deal => Some(5),
            Self::Task | Self::Note => None,
        }
    }
}

/// Ids of what a new record is tied to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tied<'a> {
    /// Contact.
    pub contact: Option<&'a str>,
    /// Primary company; only deals have one.
    pub company: Option<&'a str>,
}

/// Values by property name.
pub type Values = BTreeMap<String, String>;

/// A record as HubSpot has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// Its id.
    pub id: String,
    /// Address in HubSpot's app.
    pub url: Option<String>,
    /// The values asked for; what is not set is absent.
    pub values: Values,
}

fn found(mut object: Object, names: &[&str]) -> Found {
    let value = |name: &&str| object.properties.take(name).map(|value| ((*name).to_owned(), value));
    let values = names.iter().filter_map(value).collect();
    Found { id: object.id.0, url: object.url, values }
}

/// Creates a record together with what it is tied to.
pub async fn create(
    client: &Client,
    what: Written,
    values: &Values,
    tied: Tied<'_>,
) -> Result<Found, WriteError> {
    let tie = |(id, kind): (&str, u32)| {
        json!({
            "to": { "id": id },
            "types": [{ "associationCategory": "HUBSPOT_DEFINED", "associationTypeId": kind }],
        })
    };
    let contact = tied.contact.map(|id| (id, what.to_contact()));
    let company = tied.company.zip(what.to_company());
    let ties: Vec<Value> = contact.into_iter().chain(company).map(tie).collect();
    let body = json!({ "properties": values, "associations": ties });
    let call = Call::post(client.version().objects(what.type_name()), &body);
    let names: Vec<&str> = values.keys().map(String::as_str).collect();
    client.send(&call, |body| Ok(found(wire::json(body)?, &names))).await
}

/// Gives one property of a contact a value; an empty one clears it.
pub async fn update_contact(
    client: &Client,
    id: &str,
    property: &str,
    value: &str,
) -> Result<(), WriteError> {
    let body = json!({ "properties": { property: value } });
    let call = Call::patch(client.version().object("contacts", id), &body);
    client.send(&call, |_| Ok(())).await
}

/// Puts a record into the recycle bin; one that is there already stays there.
pub async fn archive(client: &Client, what: Written, id: &str) -> Result<(), WriteError> {
    let call = Call::delete(client.version().object(what.type_name(), id));
    match client.send(&call, |_| Ok(())).await {
        Err(WriteError::NotDone(HubspotError::NotFound)) => Ok(()),
        other => other,
    }
}

/// The contact that has this address now. The address travels in the body, not in the path.
pub async fn contact_of(
    client: &Client,
    address: &str,
    names: &[&str],
) -> Result<Option<Found>, HubspotError> {
    let path = format!("{}/batch/read", client.version().objects("contacts"));
    let body = json!({ "idProperty": "email", "properties": names, "inputs": [{ "id": address }] });
    let parse = |body: &[u8]| Ok((Page::<Object>::parse(body)?, wire::json::<Untold>(body)?));
    let (page, untold) = client.fetch(&Call::post(path, &body), parse).await?;
    if let Some(object) = page.records.into_iter().next() {
        return Ok(Some(found(object, names)));
    }
    // Not told is not the same as nobody.
    let failures = untold.errors.iter().filter(|error| !error.says_nothing_there()).map(BatchError::reason);
    match failures.chain(page.malformed.into_iter().map(|bad| bad.reason)).next() {
        Some(reason) => Err(HubspotError::Unreadable(reason)),
        None => Ok(None),
    }
}

#[derive(Debug, Deserialize)]
struct Untold {
    #[serde(default, deserialize_with = "list_or_null")]
    errors: Vec<BatchError>,
}

/// A record as it is now; `None` where HubSpot has none under that id.
pub async fn read(
    client: &Client,
    record_type: &str,
    id: &str,
    names: &[&str],
) -> Result<Option<Found>, HubspotError> {
    let call = Call::get(client.version().object(record_type, id)).with("properties", names.join(","));
    match client.fetch(&call, wire::json).await {
        Ok(object) => Ok(Some(found(object, names))),
        Err(HubspotError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Records looked at when the outcome of a create is not known.
const LOOKED_AT: usize = 300;

/// The newest records of a type that are tied to a contact.
pub async fn newest_of_contact(
    client: &Client,
    contact: &str,
    what: Written,
    names: &[&str],
) -> Result<Vec<Found>, HubspotError> {
    let mut ids = associations::all_of(client, "contacts", contact, what.type_name()).await?;
    // HubSpot gives ids in ascending order, and they grow in length.
    ids.sort_by(|a, b| (b.len(), b).cmp(&(a.len(), a)));
    ids.truncate(LOOKED_AT);
    let page = objects::by_id(client, what.type_name(), &names.join(","), &ids, 100).await?;
    match page.malformed.into_iter().next() {
        Some(bad) => Err(HubspotError::Unreadable(bad.reason)),
        None => Ok(page.records.into_iter().map(|object| found(object, names)).collect()),
    }
}

/// The newest deals; HubSpot's search lags behind its writes.
pub async fn newest_deals(client: &Client, names: &[&str]) -> Result<Vec<Found>, HubspotError> {
    let body = json!({
        "filterGroups": [],
        "sorts": [{ "propertyName": "createdate", "direction": "DESCENDING" }],
        "properties": names,
        "limit": 100,
    });
    let call = Call::post(client.version().search("deals"), &body).in_search_lane();
    let page: Page<Object> = client.fetch(&call, Page::parse).await?;
    Ok(page.records.into_iter().map(|object| found(object, names)).collect())
}

/// What a property takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// People see it under this name.
    pub label: String,
    /// Nobody can write it.
    pub read_only: bool,
    /// The values it takes, where they are given.
    pub choices: Vec<Choice>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireDefinition {
    name: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    calculated: Option<bool>,
    #[serde(default, deserialize_with = "list_or_null")]
    options: Vec<WireChoice>,
    #[serde(default)]
    modification_metadata: Option<Modification>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Modification {
    #[serde(default)]
    read_only_value: bool,
}

#[derive(Debug, Deserialize)]
struct WireChoice {
    value: String,
    #[serde(default)]
    label: Option<String>,
}

/// The definition of a contact property; `None` where the account has none of that name.
pub async fn contact_property(client: &Client, name: &str) -> Result<Option<Definition>, HubspotError> {
    let call = Call::get(client.version().property("contacts", name));
    let wire: WireDefinition = match client.fetch(&call, wire::json).await {
        Ok(wire) => wire,
        Err(HubspotError::NotFound) => return Ok(None),
        Err(error) => return Err(error),
    };
    let choice = |one: WireChoice| Choice {
        label: one.label.filter(|label| !label.trim().is_empty()).unwrap_or_else(|| one.value.clone()),
        value: one.value,
    };
    Ok(Some(Definition {
        label: wire.label.filter(|label| !label.trim().is_empty()).unwrap_or(wire.name),
        read_only: wire.calculated == Some(true)
            || wire.modification_metadata.is_some_and(|one| one.read_only_value),
        choices: wire.options.into_iter().map(choice).collect(),
    }))
}
