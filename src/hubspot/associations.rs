//! Associations beyond what a list carries inline: batch reads with paging.
//!
//! Records without associations are absent from an answer or named as errors of a 207 that say so; both mean
//! "none". Any other error of a 207 means "not told", which is never taken for none.

use std::collections::{BTreeMap, HashMap};

use serde::Deserialize;
use serde_json::{Value, json};

use super::call::Call;
use super::client::Client;
use super::error::HubspotError;
use super::wire::{self, BatchError, Paging, WireId, list_or_null};

/// Association type ids of the primary company, of a contact and of a deal (contract, section 4).
const PRIMARY: [u64; 2] = [1, 5];

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "list_or_null")]
    results: Vec<Associated>,
    #[serde(default, deserialize_with = "list_or_null")]
    errors: Vec<BatchError>,
}

#[derive(Debug, Deserialize)]
struct Associated {
    from: Source,
    #[serde(default, deserialize_with = "list_or_null")]
    to: Vec<Target>,
    paging: Option<Paging>,
}

#[derive(Debug, Deserialize)]
struct Source {
    id: WireId,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Target {
    to_object_id: WireId,
    #[serde(default, deserialize_with = "list_or_null")]
    association_types: Vec<AssociationType>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct AssociationType {
    type_id: u64,
}

/// Records asked about in one call at most (contract, section 4).
const BATCH: usize = 1_000;

/// Associated ids of one record, the primary ones apart.
#[derive(Debug, Default)]
struct Found {
    primary: Vec<String>,
    others: Vec<String>,
}

/// How often records whose associations could not be told are asked for again.
const PATIENCE: usize = 3;

/// Associations of many records.
#[derive(Debug, Default)]
pub struct Told {
    /// Associated ids by record, the primary one first. A record without any is absent.
    pub found: HashMap<String, Vec<String>>,
    /// Records whose associations HubSpot could not tell, with its words. Not the same as having none.
    pub failed: BTreeMap<String, String>,
}

/// Every record of type `to` associated with each of `ids`.
pub async fn of_many(client: &Client, from: &str, ids: &[String], to: &str) -> Result<Told, HubspotError> {
    let mut told = Told::default();
    for batch in ids.chunks(BATCH) {
        let (mut left, mut failures) = (batch.to_vec(), BTreeMap::new());
        for _ in 0..PATIENCE {
            let (found, failed) = one_batch(client, from, &left, to).await?;
            told.found.extend(found);
            left = failed.keys().cloned().collect();
            if left.is_empty() {
                break;
            }
            failures = failed;
        }
        told.failed.extend(failures.into_iter().filter(|(id, _)| left.contains(id)));
    }
    Ok(told)
}

type Batch = (HashMap<String, Vec<String>>, BTreeMap<String, String>);

/// Reads the associations of up to [`BATCH`] records to their ends.
async fn one_batch(client: &Client, from: &str, ids: &[String], to: &str) -> Result<Batch, HubspotError> {
    let path = client.version().associations(from, to);
    let mut found: HashMap<String, Found> = HashMap::new();
    let mut failed = BTreeMap::new();
    let mut inputs: Vec<Value> = ids.iter().map(|id| json!({"id": id})).collect();
    while !inputs.is_empty() {
        let call = Call::post(path.clone(), &json!({"inputs": inputs}));
        let answer: Answer = client.fetch(&call, wire::json).await?;
        inputs.clear();
        for error in answer.errors.iter().filter(|error| !error.says_nothing_there()) {
            let named: Vec<&str> = error.ids().collect();
            let all = ids.iter().map(String::as_str).filter(|_| named.is_empty());
            failed.extend(named.iter().copied().chain(all).map(|id| (id.to_owned(), error.reason())));
        }
        for associated in answer.results {
            let id = associated.from.id.0;
            let next = associated.paging.and_then(|paging| paging.next).map(|next| next.after.0);
            inputs.extend(next.map(|after| json!({"id": id, "after": after})));
            let entry = found.entry(id).or_default();
            for target in associated.to {
                let is_primary = target.association_types.iter().any(|kind| PRIMARY.contains(&kind.type_id));
                if is_primary { &mut entry.primary } else { &mut entry.others }.push(target.to_object_id.0);
            }
        }
    }
    // Half of a list is not a list.
    found.retain(|id, _| !failed.contains_key(id));
    let joined = found.into_iter().map(|(id, mut one)| {
        one.primary.append(&mut one.others);
        (id, one.primary)
    });
    Ok((joined.collect(), failed))
}

/// Every record of type `to` associated with one record, the primary one first.
pub async fn all_of(client: &Client, from: &str, id: &str, to: &str) -> Result<Vec<String>, HubspotError> {
    let mut told = of_many(client, from, &[id.to_owned()], to).await?;
    match told.failed.remove(id) {
        Some(reason) => Err(HubspotError::Unreadable(reason)),
        None => Ok(told.found.remove(id).unwrap_or_default()),
    }
}
