//! Lists of CRM objects page by page, and their translation into records of `domain`.

use std::collections::HashMap;

use serde_json::json;

use super::associations;
use super::client::{Call, Client};
use super::error::HubspotError;
use super::paths::type_name;
use super::wire::{Object, Page, Properties};
use crate::domain::clock::Millis;
use crate::domain::crm::{Company, Contact, Deal, Record, RecordType};

/// Largest page of a list (contract, section 3.1).
const PAGE: &str = "100";

const CONTACT: &str = "email,hs_additional_emails,firstname,lastname,jobtitle,phone,company,lifecyclestage,\
    hs_lead_status,associatedcompanyid,hubspot_owner_id,hs_merged_object_ids,createdate,lastmodifieddate";
const COMPANY: &str = "name,domain,industry,numberofemployees,lifecyclestage,phone,website,city,country,description,\
    hubspot_owner_id,hs_merged_object_ids,createdate,hs_lastmodifieddate";
const DEAL: &str = "dealname,amount,deal_currency_code,dealstage,pipeline,closedate,dealtype,hubspot_owner_id,\
    hs_is_closed,hs_is_closed_won,createdate,hs_lastmodifieddate";

/// One page of the list of a type, with the associations `with` inline.
pub(super) async fn list(
    client: &Client,
    record_type: &str,
    properties: &str,
    with: &str,
    after: Option<&str>,
) -> Result<Page<Object>, HubspotError> {
    let call = Call::get(client.version().objects(record_type))
        .with("limit", PAGE)
        .with("properties", properties)
        .with_some("associations", Some(with).filter(|with| !with.is_empty()))
        .with_some("after", after);
    client.fetch(&call, Page::parse).await
}

/// Objects by id, up to 1,000, in batches; ids HubSpot no longer has are absent from the answer.
pub(super) async fn by_id(
    client: &Client,
    record_type: &str,
    properties: &str,
    ids: &[String],
) -> Result<Page<Object>, HubspotError> {
    const BATCH: usize = 100;
    let path = format!("{}/batch/read", client.version().objects(record_type));
    let properties: Vec<&str> = properties.split(',').map(str::trim).collect();
    let mut all = Page { records: Vec::with_capacity(ids.len()), malformed: Vec::new(), next: None };
    for batch in ids.chunks(BATCH) {
        let inputs: Vec<_> = batch.iter().map(|id| json!({"id": id})).collect();
        let call = Call::post(path.clone(), &json!({"properties": properties, "inputs": inputs}));
        let page: Page<Object> = client.fetch(&call, Page::parse).await?;
        all.records.extend(page.records);
        all.malformed.extend(page.malformed);
    }
    Ok(all)
}

/// Associations of the objects of one page, by target type and id.
#[derive(Debug, Default)]
pub(super) struct PageLinks(HashMap<(&'static str, String), Vec<String>>);

impl PageLinks {
    /// Takes what HubSpot sent inline; a list that it cut is read to its end.
    pub(super) async fn inline(
        client: &Client,
        from: &str,
        objects: &[Object],
        targets: &[&'static str],
    ) -> Result<Self, HubspotError> {
        let mut links = Self::default();
        for object in objects {
            for to in targets {
                let ids = match object.associations.get(*to) {
                    None => continue,
                    Some(inline) if inline.is_cut() => {
                        associations::all_of(client, from, &object.id.0, to).await?
                    }
                    Some(inline) => inline.ids(),
                };
                links.0.insert((to, object.id.0.clone()), ids);
            }
        }
        Ok(links)
    }

    /// Reads them all from HubSpot, a thousand objects a call.
    pub(super) async fn fetched(
        client: &Client,
        from: &str,
        objects: &[Object],
        targets: &[&'static str],
    ) -> Result<Self, HubspotError> {
        let ids: Vec<String> = objects.iter().map(|object| object.id.0.clone()).collect();
        let mut links = Self::default();
        for to in targets.iter().filter(|_| !ids.is_empty()) {
            let found = associations::of_many(client, from, &ids, to).await?;
            links.0.extend(found.into_iter().map(|(id, targets)| ((*to, id), targets)));
        }
        Ok(links)
    }

    /// Takes out what one object is associated with.
    pub(super) fn take(&mut self, to: &'static str, id: &str) -> Vec<String> {
        self.0.remove(&(to, id.to_owned())).unwrap_or_default()
    }
}

/// How many records of a type HubSpot has now, for progress; searches count them exactly.
pub async fn count(client: &Client, record_type: RecordType) -> Result<u64, HubspotError> {
    let body = json!({"filterGroups": [], "limit": 1, "properties": ["hs_object_id"]});
    let call = Call::post(client.version().search(type_name(record_type)), &body).in_search_lane();
    let parse = |body: &[u8]| serde_json::from_slice::<super::wire::WirePage<Object>>(body);
    Ok(client.fetch(&call, parse).await?.total.unwrap_or(0))
}

/// A page of objects with their associations: the next of the list, or the ones with certain ids.
async fn with_links(
    client: &Client,
    record_type: &'static str,
    properties: &str,
    targets: &[&'static str],
    which: Which<'_>,
) -> Result<(Page<Object>, PageLinks), HubspotError> {
    match which {
        Which::After(after) => {
            let page = list(client, record_type, properties, &targets.join(","), after).await?;
            let links = PageLinks::inline(client, record_type, &page.records, targets).await?;
            Ok((page, links))
        }
        Which::Ids(ids) => {
            let page = by_id(client, record_type, properties, ids).await?;
            let links = PageLinks::fetched(client, record_type, &page.records, targets).await?;
            Ok((page, links))
        }
    }
}

/// Which records to read.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// The page of the list behind this cursor; the first one without.
    After(Option<&'a str>),
    /// These ids, at most 1,000.
    Ids(&'a [String]),
}

/// Contacts with their companies.
pub async fn contacts(client: &Client, which: Which<'_>) -> Result<Page<Record<Contact>>, HubspotError> {
    let (page, mut links) = with_links(client, "contacts", CONTACT, &["companies"], which).await?;
    Ok(page.map(|object| {
        let companies = links.take("companies", &object.id.0);
        record(object, |object| contact(object, companies))
    }))
}

/// Companies.
pub async fn companies(client: &Client, which: Which<'_>) -> Result<Page<Record<Company>>, HubspotError> {
    let (page, _) = with_links(client, "companies", COMPANY, &[], which).await?;
    Ok(page.map(|object| record(object, company)))
}

/// Deals with their contacts and companies.
pub async fn deals(client: &Client, which: Which<'_>) -> Result<Page<Record<Deal>>, HubspotError> {
    let (page, mut links) = with_links(client, "deals", DEAL, &["contacts", "companies"], which).await?;
    Ok(page.map(|object| {
        let (contacts, companies) =
            (links.take("contacts", &object.id.0), links.take("companies", &object.id.0));
        record(object, |object| deal(object, contacts, companies))
    }))
}

/// Engagements of a kind that HubSpot keeps as objects, as objects with their links.
pub(super) async fn engagements(
    client: &Client,
    record_type: &'static str,
    properties: &str,
    which: Which<'_>,
) -> Result<(Page<Object>, PageLinks), HubspotError> {
    with_links(client, record_type, properties, &["contacts", "companies", "deals"], which).await
}

/// Which of `ids` HubSpot still has, under that id.
pub async fn existing(
    client: &Client,
    record_type: RecordType,
    ids: &[String],
) -> Result<Vec<String>, HubspotError> {
    let page = by_id(client, type_name(record_type), "hs_object_id", ids).await?;
    Ok(page.records.into_iter().map(|object| object.id.0).collect())
}

/// One page of the recycle bin: ids of deleted records.
pub async fn archived(
    client: &Client,
    record_type: RecordType,
    after: Option<&str>,
) -> Result<(Vec<String>, Option<String>), HubspotError> {
    let call = Call::get(client.version().objects(type_name(record_type)))
        .with("limit", PAGE)
        .with("properties", "hs_object_id")
        .with("archived", "true")
        .with_some("after", after);
    let page: Page<Object> = client.fetch(&call, Page::parse).await?;
    Ok((page.records.into_iter().map(|object| object.id.0).collect(), page.next))
}

fn record<T>(mut object: Object, fields: impl FnOnce(&mut Object) -> T) -> Record<T> {
    let properties = object.properties.to_json();
    Record {
        created_at: object.created(),
        updated_at: object.updated(),
        fields: fields(&mut object),
        id: object.id.0,
        properties,
    }
}

fn contact(object: &mut Object, mut companies: Vec<String>) -> Contact {
    let properties = &mut object.properties;
    let address = |text: &str| Some(text.trim().to_lowercase()).filter(|text| text.contains('@'));
    let primary = properties.get("associatedcompanyid");
    if let Some(at) = companies.iter().position(|id| Some(id.as_str()) == primary) {
        companies[..=at].rotate_right(1);
    }
    let others = properties.take("hs_additional_emails").unwrap_or_default();
    Contact {
        email: properties.take("email").as_deref().and_then(address),
        other_emails: others.split(';').filter_map(address).collect(),
        first_name: properties.take("firstname"),
        last_name: properties.take("lastname"),
        job_title: properties.take("jobtitle"),
        phone: properties.take("phone"),
        lifecycle_stage: properties.take("lifecyclestage"),
        owner: properties.take("hubspot_owner_id"),
        merged: merged(properties),
        companies,
    }
}

/// Ids in the `;` list that HubSpot keeps of records merged into this one.
fn merged(properties: &mut Properties) -> Vec<String> {
    let list = properties.take("hs_merged_object_ids").unwrap_or_default();
    list.split(';').map(str::trim).filter(|id| !id.is_empty()).map(str::to_owned).collect()
}

fn company(object: &mut Object) -> Company {
    let properties = &mut object.properties;
    Company {
        name: properties.take("name"),
        domain: properties.take("domain").map(|domain| domain.trim().to_lowercase()),
        industry: properties.take("industry"),
        employees: properties.take("numberofemployees").and_then(|number| number.trim().parse().ok()),
        lifecycle_stage: properties.take("lifecyclestage"),
        phone: properties.take("phone"),
        owner: properties.take("hubspot_owner_id"),
        merged: merged(properties),
    }
}

fn deal(object: &mut Object, contacts: Vec<String>, companies: Vec<String>) -> Deal {
    let properties = &mut object.properties;
    Deal {
        name: properties.take("dealname"),
        amount: properties.take("amount"),
        currency: properties.take("deal_currency_code"),
        pipeline: properties.take("pipeline"),
        stage: properties.take("dealstage"),
        close_date: properties.take("closedate").as_deref().and_then(Millis::parse),
        deal_type: properties.take("dealtype"),
        owner: properties.take("hubspot_owner_id"),
        contacts,
        companies,
    }
}
