//! Property definitions: which properties of a type the account has, and which of them are read.
//!
//! Read are the ones this product has a place for (`objects`), the ones the account made itself, up to a limit,
//! and those an operator names. Values are no business of this file.

use std::collections::BTreeSet;

use serde::Deserialize;
use serde_json::json;

use super::call::Call;
use super::client::Client;
use super::error::HubspotError;
use super::objects;
use super::paths::type_name;
use super::wire::{Object, Page, WirePage, json as parse, list_or_null};
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::property::{Choice, Property, ValueType};

/// Names longer than this are none of HubSpot's and would not fit into a request.
const LONGEST_NAME: usize = 500;
/// A search takes so many groups of conditions (contract, section 3.2), and a body of 3,000 characters.
const MOST_AT_ONCE: usize = 5;
const MOST_CHARACTERS: usize = 800;

/// Which properties to read besides the ones this product has a place for: the section `properties` of the settings.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Wanted {
    /// How many of the account's own are read per type, oldest first.
    pub custom: usize,
    /// Names of contact properties, whatever they are.
    pub contacts: Vec<String>,
    /// Names of company properties.
    pub companies: Vec<String>,
    /// Names of deal properties.
    pub deals: Vec<String>,
}

impl Wanted {
    fn named(&self, record_type: RecordType) -> &[String] {
        match record_type {
            RecordType::Contacts => &self.contacts,
            RecordType::Companies => &self.companies,
            RecordType::Deals => &self.deals,
            RecordType::Engagement(_) => &[],
        }
    }
}

/// What is read of a type.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// The properties, in the order they are shown.
    pub properties: Vec<Property>,
    /// How many of the account's own the limit leaves out.
    pub left_out: u64,
    /// Names in the settings that the account does not have.
    pub unknown: Vec<String>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Definition {
    name: String,
    #[serde(default)]
    label: Option<String>,
    #[serde(default)]
    r#type: Option<String>,
    #[serde(default, deserialize_with = "list_or_null")]
    options: Vec<WireOption>,
    #[serde(default)]
    hubspot_defined: Option<bool>,
    #[serde(default)]
    hidden: Option<bool>,
    #[serde(default)]
    calculated: Option<bool>,
    #[serde(default)]
    archived: Option<bool>,
    #[serde(default)]
    created_at: Option<String>,
}

#[derive(Debug, Deserialize)]
struct WireOption {
    value: String,
    #[serde(default)]
    label: Option<String>,
}

impl Definition {
    /// Made by the account, for people to see and fill in.
    fn is_own(&self) -> bool {
        let yes = |flag: Option<bool>| flag == Some(true);
        self.hubspot_defined == Some(false) && !yes(self.hidden) && !yes(self.calculated)
    }

    fn is_usable(&self) -> bool {
        let name = &self.name;
        let plain = name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b',');
        !name.is_empty() && name.len() <= LONGEST_NAME && plain && self.archived != Some(true)
    }

    fn age(&self) -> (Option<Millis>, &str) {
        (self.created_at.as_deref().and_then(Millis::parse), &self.name)
    }

    fn property(self) -> Property {
        let Self { name, label, r#type, options, .. } = self;
        let option = |one: WireOption| Choice {
            label: one.label.filter(|label| !label.trim().is_empty()).unwrap_or_else(|| one.value.clone()),
            value: one.value,
        };
        Property {
            label: label.filter(|label| !label.trim().is_empty()).unwrap_or_else(|| name.clone()),
            name,
            value_type: ValueType::of(r#type.as_deref().unwrap_or_default()),
            options: options.into_iter().map(option).collect(),
        }
    }
}

/// Asks which properties a type has and answers which of them are to be read: one request.
pub async fn selection(
    client: &Client,
    record_type: RecordType,
    wanted: &Wanted,
) -> Result<Selection, HubspotError> {
    let path = client.version().properties(type_name(record_type));
    let mut all: Vec<Definition> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let call = Call::get(path.clone()).with_some("after", after.as_deref());
        // A definition of another shape only costs that property.
        let page: Page<Definition> = client.fetch(&call, Page::parse).await?;
        all.extend(page.records);
        after = page.next;
        if after.is_none() {
            return Ok(choose(all, record_type, wanted));
        }
    }
}

fn choose(mut all: Vec<Definition>, record_type: RecordType, wanted: &Wanted) -> Selection {
    let named: BTreeSet<&str> = wanted.named(record_type).iter().map(|name| name.trim()).collect();
    let known: BTreeSet<String> = all.iter().map(|one| one.name.clone()).collect();
    let unknown =
        named.iter().filter(|name| !known.contains(**name)).map(|name| (*name).to_owned()).collect();
    let placed: BTreeSet<&str> = objects::placed(record_type).collect();
    all.retain(|one| one.is_usable() && !placed.contains(one.name.as_str()));
    // The oldest first: a property that is new must not push out one that is read already.
    all.sort_by(|a, b| a.age().cmp(&b.age()));
    let (mut properties, mut own) = (Vec::new(), 0_usize);
    for one in all {
        if named.contains(one.name.as_str()) {
            properties.push(one.property());
        } else if one.is_own() {
            own += 1;
            if own <= wanted.custom {
                properties.push(one.property());
            }
        }
    }
    Selection { properties, left_out: own.saturating_sub(wanted.custom) as u64, unknown }
}

/// A page of records that have a value of one of `names`.
#[derive(Debug)]
pub struct Holders {
    /// All there are.
    pub total: u64,
    /// Id and the values of the names, those that are set.
    pub records: Vec<(String, Vec<(String, String)>)>,
    /// Cursor of the next page.
    pub next: Option<String>,
}

/// Whether so many names can be searched for at once.
#[must_use]
pub fn searchable(names: &[String]) -> bool {
    names.len() <= MOST_AT_ONCE && names.iter().map(String::len).sum::<usize>() <= MOST_CHARACTERS
}

/// Records that have a value of one of `names` (see [`searchable`]), 200 a page, 10,000 in all.
pub async fn holders(
    client: &Client,
    record_type: RecordType,
    names: &[String],
    after: Option<&str>,
) -> Result<Holders, HubspotError> {
    let has = |name: &String| json!({"filters": [{"propertyName": name, "operator": "HAS_PROPERTY"}]});
    let mut body = json!({
        "filterGroups": names.iter().map(has).collect::<Vec<_>>(), "properties": names, "limit": 200,
        "sorts": [{"propertyName": "hs_object_id", "direction": "ASCENDING"}],
    });
    if let Some(after) = after {
        body["after"] = json!(after);
    }
    let call = Call::post(client.version().search(type_name(record_type)), &body).in_search_lane();
    let page: WirePage<Object> = client.fetch(&call, parse).await?;
    let values = |object: Object| {
        let set = |name: &String| Some((name.clone(), object.properties.get(name)?.to_owned()));
        (object.id.0.clone(), names.iter().filter_map(set).collect())
    };
    let next = page.paging.and_then(|paging| paging.next).map(|next| next.after.0);
    Ok(Holders {
        total: page.total.unwrap_or(0),
        records: page.results.into_iter().map(values).collect(),
        next,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn definition(name: &str, more: &str) -> Definition {
        let json = format!(r#"{{"name":"{name}","label":"L {name}","type":"string"{more}}}"#);
        serde_json::from_str(&json).unwrap()
    }

    fn wanted(custom: usize, contacts: &[&str]) -> Wanted {
        let contacts = contacts.iter().map(|name| (*name).to_owned()).collect();
        Wanted { custom, contacts, companies: Vec::new(), deals: Vec::new() }
    }

    fn names(selection: &Selection) -> Vec<&str> {
        selection.properties.iter().map(|one| one.name.as_str()).collect()
    }

    #[test]
    fn the_accounts_own_are_read_oldest_first_and_named_ones_whatever_they_are() {
        let own = r#","hubspotDefined":false"#;
        let all = || {
            vec![
                definition("new", &format!(r#"{own},"createdAt":"2026-01-02T00:00:00Z""#)),
                definition("old", &format!(r#"{own},"createdAt":"2025-01-02T00:00:00Z""#)),
                definition("hidden", &format!(r#"{own},"hidden":true"#)),
                definition("sum", &format!(r#"{own},"calculated":true"#)),
                definition("bin", &format!(r#"{own},"archived":true"#)),
                definition("email", ""),
                definition("city", r#","hubspotDefined":true"#),
                definition("with,comma", own),
            ]
        };
        let some = choose(all(), RecordType::Contacts, &wanted(1, &["city", "sum", "email", "nope"]));
        assert_eq!(names(&some), ["city", "sum", "old"]);
        assert_eq!((some.left_out, some.unknown), (1, vec!["nope".to_owned()]));
        assert_eq!(names(&choose(all(), RecordType::Contacts, &wanted(9, &[]))), ["old", "new"]);
        assert_eq!(names(&choose(all(), RecordType::Contacts, &wanted(0, &[]))), [""; 0]);
    }

    #[test]
    fn a_definition_may_lack_everything_but_its_name() {
        let page = Page::<Definition>::parse(
            br#"{"results":[{"name":"a","options":null,"hubspotDefined":false},{"label":"nameless"}]}"#,
        );
        let page = page.unwrap();
        assert_eq!((page.records.len(), page.malformed.len()), (1, 1));
        let property = page.records.into_iter().next().unwrap().property();
        assert_eq!((property.label.as_str(), property.value_type), ("a", ValueType::Text));
    }
}
