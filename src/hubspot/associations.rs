//! Associations beyond what a list carries inline: batch reads with paging.
//!
//! Records without associations are absent from an answer or named as errors of a 207; both mean "none".

use std::collections::HashMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::client::{Call, Client};
use super::error::HubspotError;
use super::wire::{self, Paging, WireId, list_or_null};

/// Association type ids of the primary company, of a contact and of a deal (contract, section 4).
const PRIMARY: [u64; 2] = [1, 5];

#[derive(Debug, Deserialize)]
struct Answer {
    #[serde(default, deserialize_with = "list_or_null")]
    results: Vec<Associated>,
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

/// Every record of type `to` associated with each of `ids`, the primary one first.
pub async fn of_many(
    client: &Client,
    from: &str,
    ids: &[String],
    to: &str,
) -> Result<HashMap<String, Vec<String>>, HubspotError> {
    let path = client.version().associations(from, to);
    let mut found: HashMap<String, Found> = HashMap::new();
    for batch in ids.chunks(BATCH) {
        let mut inputs: Vec<Value> = batch.iter().map(|id| json!({"id": id})).collect();
        while !inputs.is_empty() {
            let call = Call::post(path.clone(), &json!({"inputs": inputs}));
            let answer: Answer = client.fetch(&call, wire::json).await?;
            inputs.clear();
            for associated in answer.results {
                let id = associated.from.id.0;
                let next = associated.paging.and_then(|paging| paging.next).map(|next| next.after.0);
                inputs.extend(next.map(|after| json!({"id": id, "after": after})));
                let entry = found.entry(id).or_default();
                for target in associated.to {
                    let is_primary =
                        target.association_types.iter().any(|kind| PRIMARY.contains(&kind.type_id));
                    if is_primary { &mut entry.primary } else { &mut entry.others }
                        .push(target.to_object_id.0);
                }
            }
        }
    }
    let joined = found.into_iter().map(|(id, mut one)| {
        one.primary.append(&mut one.others);
        (id, one.primary)
    });
    Ok(joined.collect())
}

/// Every record of type `to` associated with one record, the primary one first.
pub async fn all_of(client: &Client, from: &str, id: &str, to: &str) -> Result<Vec<String>, HubspotError> {
    let mut found = of_many(client, from, &[id.to_owned()], to).await?;
    Ok(found.remove(id).unwrap_or_default())
}
