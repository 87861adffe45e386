//! Facts about the portal: account, owners, deal pipelines.

use serde::Deserialize;

use super::call::Call;
use super::client::Client;
use super::error::HubspotError;
use super::wire::{Page, WireId, json, list_or_null};
use crate::domain::crm::{Owner, Stage};

/// The account behind a connection.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Account {
    /// Portal id.
    pub portal_id: u64,
    /// Host of HubSpot's app for this portal.
    pub ui_domain: Option<String>,
    /// IANA name or HubSpot's own.
    pub time_zone: Option<String>,
    /// How far the account's clock is ahead of UTC.
    pub utc_offset_milliseconds: Option<i64>,
}

/// Reads the account's facts.
pub async fn account(client: &Client) -> Result<Account, HubspotError> {
    client.fetch(&Call::get(client.version().account()), json).await
}

/// Removes our app from the portal; HubSpot tells its administrators by e-mail.
pub async fn uninstall(client: &Client) -> Result<(), HubspotError> {
    client.fetch(&Call::delete(client.version().uninstall()), |_| Ok(())).await
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireOwner {
    id: WireId,
    email: Option<String>,
    first_name: Option<String>,
    last_name: Option<String>,
    #[serde(default)]
    archived: bool,
}

/// Every owner, former ones included: records keep naming them.
pub async fn owners(client: &Client) -> Result<Vec<Owner>, HubspotError> {
    let (present, former) =
        futures_util::future::try_join(owners_of(client, "false"), owners_of(client, "true")).await?;
    Ok([present, former].concat())
}

async fn owners_of(client: &Client, archived: &str) -> Result<Vec<Owner>, HubspotError> {
    let (mut owners, mut after) = (Vec::new(), None::<String>);
    loop {
        let call = Call::get(client.version().owners())
            .with("limit", "100")
            .with("archived", archived)
            .with_some("after", after.as_deref());
        let page: Page<WireOwner> = client.fetch(&call, Page::parse).await?;
        owners.extend(page.records.into_iter().map(owner));
        after = page.next;
        if after.is_none() {
            return Ok(owners);
        }
    }
}

fn owner(wire: WireOwner) -> Owner {
    let names: Vec<String> =
        [wire.first_name, wire.last_name].into_iter().flatten().filter(|n| !n.is_empty()).collect();
    let name = (!names.is_empty()).then(|| names.join(" "));
    Owner { id: wire.id.0, email: wire.email, name, archived: wire.archived }
}

#[derive(Debug, Deserialize)]
struct WirePipeline {
    id: WireId,
    #[serde(default)]
    label: String,
    #[serde(default, deserialize_with = "list_or_null")]
    stages: Vec<WireStage>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireStage {
    id: WireId,
    #[serde(default)]
    label: String,
    #[serde(default)]
    display_order: i64,
    #[serde(default)]
    metadata: StageMetadata,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
struct StageMetadata {
    probability: Option<String>,
    is_closed: Option<String>,
}

/// The stages of every deal pipeline.
pub async fn deal_stages(client: &Client) -> Result<Vec<Stage>, HubspotError> {
    let call = Call::get(client.version().deal_pipelines());
    let page: Page<WirePipeline> = client.fetch(&call, Page::parse).await?;
    Ok(page.records.into_iter().flat_map(stages).collect())
}

fn stages(pipeline: WirePipeline) -> Vec<Stage> {
    let stage = |wire: WireStage| Stage {
        pipeline: pipeline.id.0.clone(),
        pipeline_label: pipeline.label.clone(),
        id: wire.id.0,
        label: wire.label,
        position: wire.display_order,
        closed: wire.metadata.is_closed.as_deref() == Some("true"),
        probability: wire.metadata.probability.and_then(|text| text.parse().ok()).unwrap_or(0.0),
    };
    pipeline.stages.into_iter().map(stage).collect()
}
