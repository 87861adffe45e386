//! The state of an installation at a glance, for the command line and the server.

use std::collections::BTreeMap;

use hublore_index::KnowledgeIndex;
use serde::Serialize;

use crate::app::Reading;
use crate::domain::clock::Millis;
use crate::domain::ids::PortalId;
use crate::domain::mode::Modes;
use crate::hubspot::scopes::{FEATURES, Feature};
use crate::knowledge::KnowledgeError;
use crate::notify::state::{self as slack, SlackState};
use crate::store::check::{self, Checked};
use crate::store::connections::Connection;
use crate::store::runs::Repairs;
use crate::store::totals::Totals;
use crate::store::{
    StoreError, checkpoints, connections, executions, ledger, meta, model, orgs, properties, runs, totals,
    upkeep,
};
use crate::webhooks::overview::{self, Overview};

/// A feature that depends on a permission.
#[derive(Debug, Clone, Serialize)]
pub struct FeatureState {
    /// The feature.
    pub feature: &'static str,
    /// The scope it needs.
    pub scope: &'static str,
    /// Whether it was granted; null where HubSpot does not tell (service keys).
    pub granted: Option<bool>,
    /// What is missing without it.
    pub without: &'static str,
}

/// HubSpot asked to be left alone.
#[derive(Debug, Clone, Serialize)]
pub struct PauseState {
    /// End of the pause.
    pub until: Millis,
    /// Why.
    pub reason: String,
}

/// The connection to the portal.
#[derive(Debug, Clone, Serialize)]
pub struct ConnectionState {
    /// Portal.
    pub portal_id: PortalId,
    /// `oauth` or `service_key`.
    pub method: &'static str,
    /// Who consented.
    pub user: Option<String>,
    /// Granted scopes.
    pub scopes: Vec<String>,
    /// What they make possible.
    pub features: Vec<FeatureState>,
    /// The last pause that HubSpot asked for and that no run followed yet.
    pub pause: Option<PauseState>,
    /// When.
    pub connected_at: Millis,
    /// End of the last complete run.
    pub last_synced: Option<Millis>,
    /// Why HubSpot refuses us, if it does.
    pub auth_error: Option<String>,
}

impl From<Connection> for ConnectionState {
    fn from(connection: Connection) -> Self {
        let scopes: Vec<String> = connection.scopes.split_whitespace().map(str::to_owned).collect();
        let pause = connection
            .paused_until
            .map(|until| PauseState { until, reason: connection.pause_reason.unwrap_or_default() });
        Self {
            features: FEATURES.iter().map(|feature| feature_state(feature, &scopes)).collect(),
            pause,
            portal_id: connection.portal,
            method: connection.method.as_str(),
            user: connection.user,
            scopes,
            connected_at: connection.connected_at,
            last_synced: connection.last_synced,
            auth_error: connection.auth_error,
        }
    }
}

fn feature_state(feature: &Feature, granted: &[String]) -> FeatureState {
    let known = !granted.is_empty();
    FeatureState {
        feature: feature.name,
        scope: feature.scope,
        granted: known.then(|| granted.iter().any(|scope| scope == feature.scope)),
        without: feature.without,
    }
}

/// The last run.
#[derive(Debug, Clone, Serialize)]
pub struct RunState {
    /// Mode.
    pub mode: String,
    /// Start.
    pub started_at: Millis,
    /// End.
    pub finished_at: Option<Millis>,
    /// How it ended; `running` also when its process died.
    pub outcome: &'static str,
    /// What went wrong.
    pub error: Option<String>,
}

/// What waits for the model, and what it cost.
#[derive(Debug, Clone, Serialize)]
pub struct ModelState {
    /// One is set.
    pub configured: bool,
    /// Engagements by task (`facts`, `topics`) and state (`pending`, `done`, `failed`, `skipped`).
    pub queue: BTreeMap<String, BTreeMap<String, u64>>,
    /// Engagements that failed, by reason.
    pub failures: BTreeMap<String, u64>,
    /// Tokens spent, by day (UTC).
    pub tokens: BTreeMap<String, u64>,
}

/// Everything at a glance.
#[derive(Debug, Clone, Serialize)]
pub struct Status {
    /// Organisation.
    pub org: String,
    /// The integration refreshes itself every hour.
    #[serde(rename = "cronSync")]
    pub cron_sync: bool,
    /// The three modes.
    pub modes: Modes,
    /// Attempts of agents to do something in HubSpot, by how they ended.
    pub actions: BTreeMap<String, u64>,
    /// The connection, if there is one.
    pub connection: Option<ConnectionState>,
    /// Counts.
    pub totals: Totals,
    /// The model path.
    pub model: ModelState,
    /// Posting to Slack.
    pub slack: SlackState,
    /// What is known about damage of the database.
    pub database: Checked,
    /// Documents in the index.
    pub documents: u64,
    /// Stored changes that the index has not committed yet.
    pub index_lag_changes: u64,
    /// Per record type: changes up to here are known.
    pub synced_through: BTreeMap<String, Millis>,
    /// Records that could not be taken in, by type: they are tried again by every run.
    pub repairs: BTreeMap<String, Repairs>,
    /// The account's own properties that are read, by type, and what is left out.
    pub properties: BTreeMap<String, properties::Reading>,
    /// The last comparison with HubSpot: counts by type and month, and what differed.
    pub reconciliation: Option<serde_json::Value>,
    /// The last run.
    pub last_run: Option<RunState>,
    /// Webhooks.
    pub webhooks: Overview,
}

/// Reads the state.
pub fn read(reading: &Reading) -> Result<Status, KnowledgeError> {
    let org = &reading.org;
    let documents = reading.index.count(org.as_str()).unwrap_or(0);
    reading
        .store
        .read(|conn| {
            let connection = connections::get(conn, org)?;
            let last_run = runs::newest(conn, org)?.map(|run| RunState {
                mode: run.mode,
                started_at: run.started_at,
                finished_at: run.finished_at,
                outcome: run.outcome.as_str(),
                error: run.error,
            });
            Ok::<_, StoreError>(Status {
                org: org.as_str().to_owned(),
                cron_sync: true,
                modes: orgs::modes(conn, org)?.into(),
                actions: executions::counts(conn, org)?,
                totals: totals::of(conn, org)?,
                model: ModelState {
                    configured: reading.config.model.is_some(),
                    queue: model::counts(conn, org)?,
                    failures: model::failures(conn, org)?,
                    tokens: model::tokens(conn, org)?,
                },
                slack: slack::read(conn, org)?,
                database: check::known(conn)?,
                documents,
                index_lag_changes: ledger::highest(conn)?.saturating_sub(meta::indexed_seq(conn)?),
                synced_through: checkpoints::watermarks(conn, org)?,
                repairs: runs::repairs(conn, org)?,
                properties: properties::readings(conn, org)?,
                reconciliation: upkeep::reconciliation(conn, org)?
                    .and_then(|report| serde_json::from_str(&report).ok()),
                connection: connection.map(ConnectionState::from),
                last_run,
                webhooks: overview::read(conn, org, &reading.config)?,
            })
        })
        .map_err(KnowledgeError::from)
}
