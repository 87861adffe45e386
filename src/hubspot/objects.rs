//! Lists of CRM objects page by page, and their translation into records of `domain`.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use serde::Deserialize;
use serde_json::json;

use super::associations;
use super::call::Call;
use super::client::Client;
use super::error::HubspotError;
use super::paths::type_name;
use super::wire::{BatchError, Malformed, Object, Page, Properties, list_or_null};
use crate::domain::clock::Millis;
use crate::domain::crm::{Company, Contact, Deal, Record, RecordType};

/// Largest page of a list (contract, section 3.1).
const PAGE: &str = "100";

const CONTACT: &str = "email,hs_additional_emails,firstname,lastname,jobtitle,phone,mobilephone,company,lifecyclestage,\
    hs_lead_status,associatedcompanyid,hubspot_owner_id,hs_merged_object_ids,createdate,lastmodifieddate";
const COMPANY: &str = "name,domain,industry,numberofemployees,lifecyclestage,phone,website,city,country,description,\
    hubspot_owner_id,hs_merged_object_ids,createdate,hs_lastmodifieddate";
const DEAL: &str = "dealname,amount,deal_currency_code,dealstage,pipeline,closedate,dealtype,hubspot_owner_id,\
    hs_is_closed,hs_is_closed_won,createdate,hs_lastmodifieddate";

/// Properties of a type that this product has a place for.
pub(super) fn placed(record_type: RecordType) -> impl Iterator<Item = &'static str> {
    let names = match record_type {
        RecordType::Contacts => CONTACT,
        RecordType::Companies => COMPANY,
        RecordType::Deals => DEAL,
        RecordType::Engagement(_) => "",
    };
    names.split(',').map(str::trim)
}

/// Characters of property names that a list may be asked for: HubSpot's edge refuses longer addresses (414).
const IN_ADDRESS: usize = 8_000;

/// Properties to read of a type: its own, and further ones by name. What does not fit into the address of a list is
/// read by id afterwards.
struct Names<'a> {
    fixed: &'a str,
    in_list: &'a [String],
    by_id: &'a [String],
}

impl<'a> Names<'a> {
    fn new(fixed: &'a str, further: &'a [String]) -> Self {
        let mut room = IN_ADDRESS.saturating_sub(fixed.len() * 3 / 2);
        // A comma takes three characters in an address.
        let fits = |name: &&String| {
            let left = room.checked_sub(name.len() + 3);
            room = left.unwrap_or(0);
            left.is_some()
        };
        let at = further.iter().take_while(fits).count();
        let (in_list, by_id) = further.split_at(at);
        Self { fixed, in_list, by_id }
    }

    fn listed(&self) -> String {
        joined(self.fixed, self.in_list)
    }

    fn all(&self) -> String {
        joined(&self.listed(), self.by_id)
    }
}

fn joined(names: &str, further: &[String]) -> String {
    let mut all: Vec<&str> = names.split(',').map(str::trim).collect();
    all.extend(further.iter().map(String::as_str));
    all.join(",")
}

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

/// Objects by id, up to 1,000, in batches of at most `batch`. What HubSpot could not answer at the moment is
/// malformed, never gone.
pub(super) async fn by_id(
    client: &Client,
    record_type: &str,
    properties: &str,
    ids: &[String],
    batch: usize,
) -> Result<Page<Object>, HubspotError> {
    let properties: Vec<&str> = properties.split(',').map(str::trim).collect();
    let mut all = Page { records: Vec::with_capacity(ids.len()), ..Page::default() };
    for batch in ids.chunks(batch.clamp(1, MOST_IN_BATCH)) {
        let mut left = batch.to_vec();
        for attempt in 1..=PATIENCE {
            let mut page = one_batch(client, record_type, &properties, &left).await?;
            // A batch that failed as a whole was tried often enough.
            let whole = page.malformed.len() == left.len();
            all.records.append(&mut page.records);
            all.gone.append(&mut page.gone);
            if whole || attempt == PATIENCE || page.malformed.iter().any(|bad| bad.id.is_none()) {
                all.malformed.append(&mut page.malformed);
            }
            left = page.malformed.into_iter().filter_map(|bad| bad.id).collect();
            if left.is_empty() {
                break;
            }
        }
    }
    Ok(all)
}

/// Most objects of one batch (contract, section 3.1).
const MOST_IN_BATCH: usize = 100;
/// How often objects that HubSpot could not answer are asked for again at once.
const PATIENCE: usize = 3;

async fn one_batch(
    client: &Client,
    record_type: &str,
    properties: &[&str],
    ids: &[String],
) -> Result<Page<Object>, HubspotError> {
    let path = format!("{}/batch/read", client.version().objects(record_type));
    let inputs: Vec<_> = ids.iter().map(|id| json!({"id": id})).collect();
    let call = Call::post(path, &json!({"properties": properties, "inputs": inputs}));
    let parse = |body: &[u8]| {
        let page = Page::<Object>::parse(body)?;
        let errors: BatchErrors = serde_json::from_slice(body)?;
        Ok((page, errors.errors))
    };
    match client.fetch(&call, parse).await {
        Ok((page, errors)) => Ok(sorted_out(page, &errors, ids)),
        // One batch that HubSpot cannot answer does not hold up the others; it is read again later.
        Err(error @ (HubspotError::Unavailable { .. } | HubspotError::Unreadable(_))) => {
            let bad = |id: &String| Malformed { id: Some(id.clone()), reason: error.to_string() };
            Ok(Page { malformed: ids.iter().map(bad).collect(), ..Page::default() })
        }
        Err(error) => Err(error),
    }
}

#[derive(Debug, Deserialize)]
struct BatchErrors {
    #[serde(default, deserialize_with = "list_or_null")]
    errors: Vec<BatchError>,
}

/// Parts what was not answered into failures and records that do not exist.
fn sorted_out(mut page: Page<Object>, errors: &[BatchError], ids: &[String]) -> Page<Object> {
    let answered: BTreeSet<&str> = page.records.iter().map(|object| object.id.0.as_str()).collect();
    let malformed: BTreeSet<&str> = page.malformed.iter().filter_map(|bad| bad.id.as_deref()).collect();
    let open = ids.iter().filter(|id| !answered.contains(id.as_str()) && !malformed.contains(id.as_str()));
    let (mut gone, mut failed) = (Vec::new(), Vec::new());
    for id in open {
        let failure = errors.iter().filter(|error| !error.says_nothing_there()).find(|error| {
            let mut named = error.ids().peekable();
            named.peek().is_none() || named.any(|one| one == id)
        });
        match failure {
            Some(error) => failed.push(Malformed { id: Some(id.clone()), reason: error.reason() }),
            None => gone.push(id.clone()),
        }
    }
    page.malformed.append(&mut failed);
    page.gone = gone;
    page
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

    /// Reads them all from HubSpot, a thousand objects a call. Objects whose associations HubSpot could not
    /// tell are set apart: without them they would look as if they belonged to nobody.
    pub(super) async fn fetched(
        client: &Client,
        from: &str,
        page: &mut Page<Object>,
        targets: &[&'static str],
    ) -> Result<Self, HubspotError> {
        let ids: Vec<String> = page.records.iter().map(|object| object.id.0.clone()).collect();
        let (mut links, mut failed) = (Self::default(), BTreeMap::new());
        for to in targets.iter().filter(|_| !ids.is_empty()) {
            let told = associations::of_many(client, from, &ids, to).await?;
            links.0.extend(told.found.into_iter().map(|(id, targets)| ((*to, id), targets)));
            failed.extend(told.failed);
        }
        page.records.retain(|object| !failed.contains_key(&object.id.0));
        let bad = |(id, reason)| Malformed { id: Some(id), reason };
        page.malformed.extend(failed.into_iter().map(bad));
        Ok(links)
    }

    /// Takes out what one object is associated with.
    pub(super) fn take(&mut self, to: &'static str, id: &str) -> Vec<String> {
        self.0.remove(&(to, id.to_owned())).unwrap_or_default()
    }
}

/// How far a type extends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extent {
    /// Records HubSpot has now.
    pub total: u64,
    /// Id that HubSpot sorts last; the highest, unless it sorts ids as text.
    pub highest_id: Option<u64>,
}

/// How many records of a type there are, and up to which id: one search.
pub async fn extent(client: &Client, record_type: RecordType) -> Result<Extent, HubspotError> {
    let sorts = json!([{"propertyName": "hs_object_id", "direction": "DESCENDING"}]);
    let body = json!({"filterGroups": [], "sorts": sorts, "limit": 1, "properties": ["hs_object_id"]});
    let call = Call::post(client.version().search(type_name(record_type)), &body).in_search_lane();
    let parse = |body: &[u8]| serde_json::from_slice::<super::wire::WirePage<Object>>(body);
    let page = client.fetch(&call, parse).await?;
    let highest_id = page.results.first().and_then(|object| object.id.0.parse().ok());
    Ok(Extent { total: page.total.unwrap_or(0), highest_id })
}

/// A page of objects with their associations: the next of the list, or the ones with certain ids.
async fn with_links(
    client: &Client,
    record_type: &'static str,
    names: Names<'_>,
    targets: &[&'static str],
    which: Which<'_>,
) -> Result<(Page<Object>, PageLinks), HubspotError> {
    match which {
        Which::After(after) => {
            let mut page = list(client, record_type, &names.listed(), &targets.join(","), after).await?;
            complete(client, record_type, &names, &mut page).await?;
            let links = PageLinks::inline(client, record_type, &page.records, targets).await?;
            Ok((page, links))
        }
        Which::Ids(ids) | Which::Repair(ids) => {
            // One record that spoils its batch must not keep the others from being repaired.
            let batch = if matches!(which, Which::Repair(_)) { ids.len() / 50 } else { MOST_IN_BATCH };
            let mut page = by_id(client, record_type, &names.all(), ids, batch).await?;
            let links = PageLinks::fetched(client, record_type, &mut page, targets).await?;
            Ok((page, links))
        }
    }
}

/// Adds the properties that did not fit into the address of the list. The time of the list stays: what changed
/// between the two requests is read again as a change. A record that cannot be completed is set apart.
async fn complete(
    client: &Client,
    record_type: &str,
    names: &Names<'_>,
    page: &mut Page<Object>,
) -> Result<(), HubspotError> {
    if names.by_id.is_empty() || page.records.is_empty() {
        return Ok(());
    }
    let ids: Vec<String> = page.records.iter().map(|object| object.id.0.clone()).collect();
    let rest = by_id(client, record_type, &names.by_id.join(","), &ids, MOST_IN_BATCH).await?;
    let mut found: HashMap<String, Properties> =
        rest.records.into_iter().map(|object| (object.id.0, object.properties)).collect();
    let failed: BTreeSet<&str> = rest.malformed.iter().filter_map(|bad| bad.id.as_deref()).collect();
    page.records.retain(|object| !failed.contains(object.id.0.as_str()));
    for object in &mut page.records {
        if let Some(further) = found.remove(&object.id.0) {
            object.properties.add(further, names.by_id);
        }
    }
    page.malformed.extend(rest.malformed);
    Ok(())
}

/// Which records to read.
#[derive(Debug, Clone, Copy)]
pub enum Which<'a> {
    /// The page of the list behind this cursor; the first one without.
    After(Option<&'a str>),
    /// These ids, at most 1,000.
    Ids(&'a [String]),
    /// These ids, at most 1,000, which could not be read before: in small batches.
    Repair(&'a [String]),
}

/// Contacts with their companies, and with `further` properties.
pub async fn contacts(
    client: &Client,
    further: &[String],
    which: Which<'_>,
) -> Result<Page<Record<Contact>>, HubspotError> {
    let (page, mut links) =
        with_links(client, "contacts", Names::new(CONTACT, further), &["companies"], which).await?;
    Ok(page.map(|object| {
        let companies = links.take("companies", &object.id.0);
        record(object, |object| contact(object, companies))
    }))
}

/// Companies, with `further` properties.
pub async fn companies(
    client: &Client,
    further: &[String],
    which: Which<'_>,
) -> Result<Page<Record<Company>>, HubspotError> {
    let (page, _) = with_links(client, "companies", Names::new(COMPANY, further), &[], which).await?;
    Ok(page.map(|object| record(object, company)))
}

/// Deals with their contacts and companies, and with `further` properties.
pub async fn deals(
    client: &Client,
    further: &[String],
    which: Which<'_>,
) -> Result<Page<Record<Deal>>, HubspotError> {
    let (page, mut links) =
        with_links(client, "deals", Names::new(DEAL, further), &["contacts", "companies"], which).await?;
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
    with_links(client, record_type, Names::new(properties, &[]), &["contacts", "companies", "deals"], which)
        .await
}

/// Which of `ids`, at most 1,000, HubSpot says it does not have under that id. What it cannot answer is not
/// among them, and each is asked for twice.
pub async fn gone(
    client: &Client,
    record_type: RecordType,
    ids: &[String],
) -> Result<Vec<String>, HubspotError> {
    let name = type_name(record_type);
    let first = by_id(client, name, "hs_object_id", ids, MOST_IN_BATCH).await?.gone;
    if first.is_empty() {
        return Ok(first);
    }
    Ok(by_id(client, name, "hs_object_id", &first, MOST_IN_BATCH).await?.gone)
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
