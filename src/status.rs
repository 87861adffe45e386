//! The state of an installation at a glance, for the command line and the server.

use std::collections::BTreeMap;

use hublore_index::KnowledgeIndex;
use serde::Serialize;

use crate::app::Reading;
use crate::domain::clock::Millis;
use crate::domain::ids::PortalId;
use crate::knowledge::KnowledgeError;
use crate::store::connections::Connection;
use crate::store::orgs::StoredModes;
use crate::store::totals::Totals;
use crate::store::{StoreError, checkpoints, connections, ledger, meta, model, orgs, runs, totals};

/// One mode: what was set, and what that means.
#[derive(Debug, Clone, Serialize)]
pub struct ModeState {
    /// As set; null where nothing was.
    pub stored: Option<bool>,
    /// As it works.
    pub effective: bool,
}

/// The three modes of the integration.
#[derive(Debug, Clone, Serialize)]
pub struct Modes {
    /// Reading from HubSpot; on unless switched off.
    pub ingest: ModeState,
    /// Writing by agents; on unless switched off, and then agent by agent.
    pub actions: ModeState,
    /// Posting to Slack; on unless switched off, and then type by type.
    pub notifications: ModeState,
}

impl From<StoredModes> for Modes {
    fn from(stored: StoredModes) -> Self {
        let mode = |stored: Option<bool>| ModeState { stored, effective: stored.unwrap_or(true) };
        Self {
            ingest: mode(stored.ingest),
            actions: mode(stored.actions),
            notifications: mode(stored.notifications),
        }
    }
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
    /// When.
    pub connected_at: Millis,
    /// End of the last complete run.
    pub last_synced: Option<Millis>,
    /// Why HubSpot refuses us, if it does.
    pub auth_error: Option<String>,
}

impl From<Connection> for ConnectionState {
    fn from(connection: Connection) -> Self {
        Self {
            portal_id: connection.portal,
            method: connection.method.as_str(),
            user: connection.user,
            scopes: connection.scopes.split_whitespace().map(str::to_owned).collect(),
            connected_at: connection.connected_at,
            last_synced: connection.last_synced,
            auth_error: connection.auth_error,
        }
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
    /// The connection, if there is one.
    pub connection: Option<ConnectionState>,
    /// Counts.
    pub totals: Totals,
    /// The model path.
    pub model: ModelState,
    /// Documents in the index.
    pub documents: u64,
    /// Stored changes that the index has not committed yet.
    pub index_lag_changes: u64,
    /// Per record type: changes up to here are known.
    pub synced_through: BTreeMap<String, Millis>,
    /// The last run.
    pub last_run: Option<RunState>,
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
                totals: totals::of(conn, org)?,
                model: ModelState {
                    configured: reading.config.model.is_some(),
                    queue: model::counts(conn, org)?,
                    failures: model::failures(conn, org)?,
                    tokens: model::tokens(conn, org)?,
                },
                documents,
                index_lag_changes: ledger::highest(conn)?.saturating_sub(meta::indexed_seq(conn)?),
                synced_through: checkpoints::watermarks(conn, org)?,
                connection: connection.map(ConnectionState::from),
                last_run,
            })
        })
        .map_err(KnowledgeError::from)
}
