//! What the operator's command line asks of a running server, with a key from the data folder.

use std::fs::OpenOptions;
use std::io::Write;
use std::net::SocketAddr;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use axum::Json;
use axum::extract::{Path as UrlPath, State};
use axum::http::{HeaderMap, StatusCode, header};
use hublore_index::KnowledgeIndex;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use subtle::ConstantTimeEq;

use super::Served;
use super::problem::Problem;
use crate::domain::ids::OrgId;
use crate::jobs::{JobState, Requested};
use crate::knowledge::{KnowledgeError, verify};
use crate::status;
use crate::store::StoreError;
use crate::sync::mode::Mode;
use crate::sync::other_portal::OtherPortal;
use crate::sync::run::Wish;
use crate::vault::{VaultError, fingerprint, random};

/// How long a disconnection waits for records that are being read.
const LAST_LOOK: Duration = Duration::from_secs(10);

/// How the command line reaches the server that owns the data folder.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct ServerFile {
    /// Where it listens.
    pub address: SocketAddr,
    /// Organisation it works on.
    pub org: String,
    /// Proves that the caller can read the data folder.
    pub key: String,
}

/// The key of this run of the server, and the file that holds it for the command line.
#[derive(Debug)]
pub struct AdminKey {
    hash: [u8; 32],
    file: PathBuf,
}

impl AdminKey {
    /// Makes a fresh key and leaves it, with the address, in `file`, readable by the owner only.
    pub fn publish(file: &Path, address: SocketAddr, org: &OrgId) -> Result<Self, VaultError> {
        let failed = |error: std::io::Error| VaultError::KeyFile {
            file: file.display().to_string(),
            reason: error.to_string(),
        };
        let key: String = random::<32>()?.iter().map(|byte| format!("{byte:02x}")).collect();
        let hash = fingerprint(&key);
        let text = serde_json::to_vec(&ServerFile { address, org: org.as_str().to_owned(), key })
            .unwrap_or_default();
        // A file left by a killed server may have other rights: never write a key into it.
        let _ = std::fs::remove_file(file);
        let mut written =
            OpenOptions::new().create_new(true).write(true).mode(0o600).open(file).map_err(failed)?;
        written.write_all(&text).map_err(failed)?;
        Ok(Self { hash, file: file.to_owned() })
    }

    pub(super) fn check(&self, headers: &HeaderMap) -> Result<(), Problem> {
        let value = headers.get(header::AUTHORIZATION).and_then(|value| value.to_str().ok());
        let key = value.and_then(super::bearer).unwrap_or_default();
        let same = fingerprint(key).ct_eq(&self.hash);
        if bool::from(same) { Ok(()) } else { Err(Problem::unauthorized()) }
    }
}

impl Drop for AdminKey {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.file);
    }
}

/// Runs work on the database off the runtime.
pub(super) async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, Problem> + Send + 'static,
) -> Result<T, Problem> {
    tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| Err(Problem::internal(&error)))
}

/// `GET /api/v1/admin/status`
pub async fn status(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    let status = blocking(move || {
        let status = status::read(&served.app.reading)?;
        serde_json::to_value(status).map_err(|error| Problem::internal(&error))
    });
    Ok(Json(status.await?))
}

/// What is decided before a consent.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ConnectRequest {
    /// `refuse`, `keep-apart` or `purge`: what is done if it is another portal. Without it the browser asks.
    other_portal: Option<String>,
}

/// `POST /api/v1/admin/connect`: a link that opens the connect page once.
pub async fn connect(State(served): State<Served>, body: axum::body::Bytes) -> Result<Json<Value>, Problem> {
    let asked: ConnectRequest = match body.is_empty() {
        true => ConnectRequest::default(),
        false => serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?,
    };
    let choice = asked.other_portal.as_deref().map(|name| {
        OtherPortal::parse(name).ok_or_else(|| {
            let names = OtherPortal::ALL.map(OtherPortal::as_str).join(", ");
            Problem::bad_request(format!("other_portal: `{name}` is not one of {names}"))
        })
    });
    Ok(Json(json!({ "link": super::consent::link(&served, choice.transpose()?)? })))
}

/// A request for a run.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SyncRequest {
    mode: String,
    #[serde(default)]
    reconcile: bool,
}

/// `POST /api/v1/admin/sync`: starts a run, or answers that one goes on.
pub async fn sync(
    State(served): State<Served>,
    body: axum::body::Bytes,
) -> Result<(StatusCode, Json<Value>), Problem> {
    let request: SyncRequest =
        serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?;
    let mode = Mode::parse(&request.mode).ok_or_else(|| {
        let names = Mode::ALL.map(Mode::as_str).join(", ");
        Problem::bad_request(format!("`{}` is not a sync mode; the modes are {names}", request.mode))
    })?;
    let requested = served.jobs.start(mode, Wish { reconcile: request.reconcile })?;
    let started = requested == Requested::Started;
    Ok((StatusCode::ACCEPTED, Json(json!({ "started": started, "mode": mode.as_str() }))))
}

/// `GET /api/v1/admin/sync`: how the current or last run stands.
pub async fn sync_state(State(served): State<Served>) -> Result<Json<JobState>, Problem> {
    Ok(Json(served.jobs.state()))
}

/// What a verb of the index is about.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct IndexRequest {
    /// Only this organisation; a rebuild understands it.
    org: Option<String>,
}

/// `POST /api/v1/admin/index/{rebuild|progress|verify|repair|stats|rollback}`
pub async fn index(
    State(served): State<Served>,
    UrlPath(verb): UrlPath<String>,
    body: axum::body::Bytes,
) -> Result<Json<Value>, Problem> {
    let asked: IndexRequest = match body.is_empty() {
        true => IndexRequest::default(),
        false => serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?,
    };
    let done = blocking(move || {
        let (app, reading) = (&served.app, &served.app.reading);
        let value = match verb.as_str() {
            "rebuild" => {
                let documents = match asked.org {
                    None => app.follower.rebuild(&|_| {})?,
                    Some(org) if org == reading.org.as_str() => {
                        app.follower.rebuild_org(&reading.org, &|_| {})?
                    }
                    Some(org) => return Err(Problem::not_found(format!("no organisation `{org}` here"))),
                };
                json!({ "documents": documents })
            }
            "progress" => json!(app.follower.rebuilding()),
            "repair" => json!(app.follower.repair(Duration::from_secs(60))?),
            "rollback" => {
                app.follower.rollback()?;
                json!({ "rolled_back": true })
            }
            "verify" => {
                app.follower.catch_up(Duration::from_secs(60))?;
                json!(verify::run(&reading.store, &*reading.index)?)
            }
            "stats" => stats_json(&reading.index.stats().map_err(KnowledgeError::from)?),
            _ => {
                return Err(Problem::not_found(
                    "the verbs are rebuild, progress, verify, repair, stats and rollback",
                ));
            }
        };
        Ok(value)
    });
    Ok(Json(done.await?))
}

/// The sizes of the index as JSON.
#[must_use]
pub fn stats_json(stats: &hublore_index::Stats) -> Value {
    json!({
        "documents": stats.documents,
        "passages": stats.passages,
        "segments": stats.segments,
        "deleted_passages": stats.deleted_passages,
        "size_bytes": stats.size_bytes,
        "generation": stats.generation,
    })
}

/// A request for a new agent.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct NewAgent {
    name: String,
    #[serde(default)]
    customer: Option<String>,
}

/// `POST /api/v1/admin/agents`: makes an agent; the key is shown once.
pub async fn create_agent(
    State(served): State<Served>,
    body: axum::body::Bytes,
) -> Result<Json<Value>, Problem> {
    let asked: NewAgent =
        serde_json::from_slice(&body).map_err(|error| Problem::bad_request(error.to_string()))?;
    let made = blocking(move || {
        let app = &served.app;
        let made = crate::agents::create(
            &app.reading.store,
            &app.reading.org,
            &asked.name,
            asked.customer,
            app.clock.now(),
        );
        let made =
            made.map_err(|error: crate::agents::AgentError| Problem::bad_request(error.to_string()))?;
        Ok(json!(made))
    });
    Ok(Json(made.await?))
}

/// `DELETE /api/v1/admin/agents/{id}`: the key stops working with this answer.
pub async fn revoke_agent(
    State(served): State<Served>,
    UrlPath(id): UrlPath<String>,
) -> Result<Json<Value>, Problem> {
    let revoked = blocking(move || {
        let (app, reading) = (&served.app, &served.app.reading);
        match crate::agents::revoke(&reading.store, &reading.org, &id, app.clock.now())? {
            true => Ok(json!({ "revoked": id })),
            false => {
                Err(Problem::not_found(format!("no agent `{id}` here; `hublore agents list` shows them")))
            }
        }
    });
    Ok(Json(revoked.await?))
}

/// `POST /api/v1/admin/disconnect`: a run in progress ends, the tokens are gone, what was read stays.
pub async fn disconnect(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    // A run ends at its next page and what is being looked at is stored before the connection ends, where that does not
    // take long: after the answer HubSpot is not asked any more.
    let _ = tokio::time::timeout(LAST_LOOK, served.jobs.halt()).await;
    let _still = tokio::time::timeout(LAST_LOOK, served.app.webhooks.stand_still()).await;
    let told = served.app.connector.disconnect(&served.app.reading.org).await?;
    Ok(Json(json!({ "disconnected": true, "hubspot_told": told })))
}

impl From<StoreError> for Problem {
    fn from(error: StoreError) -> Self {
        Self::internal(&error)
    }
}
