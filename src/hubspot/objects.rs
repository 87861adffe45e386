//! Lists of CRM objects page by page, and their translation into records of `domain`.

use serde_json::json;

use super::associations;
use super::client::{Call, Client};
use super::error::HubspotError;
use super::paths::type_name;
use super::wire::{Object, Page};
use crate::domain::clock::Millis;
use crate::domain::crm::{Company, Contact, Deal, Record, RecordType};

/// Largest page of a list (contract, section 3.1).
const PAGE: &str = "100";

const CONTACT: &str = "email,hs_additional_emails,firstname,lastname,jobtitle,phone,company,lifecyclestage,\
    hs_lead_status,associatedcompanyid,hubspot_owner_id,hs_merged_object_ids,createdate,lastmodifieddate";
const COMPANY: &str = "name,domain,industry,numberofemployees,lifecyclestage,phone,website,city,country,description,\
    hubspot_owner_id,hs_merged_object_ids,createdate,hs_lastmodifieddate";
const DEAL: &str = "dealname,amount,deal_currency_code,dealstage,pipeline,closedate,dealtype,hubspot_owner_id,\
    hs_is_closed_won,createdate,hs_lastmodifieddate";

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

/// Ids associated with `object`: inline where HubSpot sent all of them, read to the end where it cut them.
pub(super) async fn associated(
    client: &Client,
    from: &str,
    object: &Object,
    to: &str,
) -> Result<Vec<String>, HubspotError> {
    match object.associations.get(to) {
        None => Ok(Vec::new()),
        Some(inline) if inline.is_cut() => associations::all_of(client, from, &object.id.0, to).await,
        Some(inline) => Ok(inline.ids()),
    }
}

/// How many records of a type HubSpot has now, for progress; searches count them exactly.
pub async fn count(client: &Client, record_type: RecordType) -> Result<u64, HubspotError> {
    let body = json!({"filterGroups": [], "limit": 1, "properties": ["hs_object_id"]});
    let call = Call::post(client.version().search(type_name(record_type)), &body).in_search_lane();
    let parse = |body: &[u8]| serde_json::from_slice::<super::wire::WirePage<Object>>(body);
    Ok(client.fetch(&call, parse).await?.total.unwrap_or(0))
}

/// One page of contacts with their companies.
pub async fn contacts(client: &Client, after: Option<&str>) -> Result<Page<Record<Contact>>, HubspotError> {
    let page = list(client, "contacts", CONTACT, "companies", after).await?;
    let mut records = Vec::with_capacity(page.records.len());
    for object in page.records {
        let companies = associated(client, "contacts", &object, "companies").await?;
        records.push(record(object, |object| contact(object, companies)));
    }
    Ok(Page { records, malformed: page.malformed, next: page.next })
}

/// One page of companies.
pub async fn companies(client: &Client, after: Option<&str>) -> Result<Page<Record<Company>>, HubspotError> {
    let page = list(client, "companies", COMPANY, "", after).await?;
    let records = page.records.into_iter().map(|object| record(object, company)).collect();
    Ok(Page { records, malformed: page.malformed, next: page.next })
}

/// One page of deals with their contacts and companies.
pub async fn deals(client: &Client, after: Option<&str>) -> Result<Page<Record<Deal>>, HubspotError> {
    let page = list(client, "deals", DEAL, "contacts,companies", after).await?;
    let mut records = Vec::with_capacity(page.records.len());
    for object in page.records {
        let contacts = associated(client, "deals", &object, "contacts").await?;
        let companies = associated(client, "deals", &object, "companies").await?;
        records.push(record(object, |object| deal(object, contacts, companies)));
    }
    Ok(Page { records, malformed: page.malformed, next: page.next })
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
        companies,
    }
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
