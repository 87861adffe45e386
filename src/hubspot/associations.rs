//! Associations beyond what a list carries inline: batch reads with paging.

use serde::Deserialize;
use serde_json::json;

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
    #[serde(default, deserialize_with = "list_or_null")]
    to: Vec<Target>,
    paging: Option<Paging>,
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

/// Every record of type `to` associated with one record, the primary one first.
pub async fn all_of(client: &Client, from: &str, id: &str, to: &str) -> Result<Vec<String>, HubspotError> {
    let path = client.version().associations(from, to);
    let (mut primary, mut others) = (Vec::new(), Vec::new());
    let mut after: Option<String> = None;
    loop {
        let input =
            after.as_ref().map_or_else(|| json!({"id": id}), |after| json!({"id": id, "after": after}));
        let call = Call::post(path.clone(), &json!({"inputs": [input]}));
        let answer: Answer = client.fetch(&call, wire::json).await?;
        after = None;
        for associated in answer.results {
            for target in associated.to {
                let is_primary = target.association_types.iter().any(|kind| PRIMARY.contains(&kind.type_id));
                if is_primary { &mut primary } else { &mut others }.push(target.to_object_id.0);
            }
            after = associated.paging.and_then(|paging| paging.next).map(|next| next.after.0);
        }
        if after.is_none() {
            primary.append(&mut others);
            return Ok(primary);
        }
    }
}
