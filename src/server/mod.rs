//! The HTTP skin: routes, authentication, errors. It holds no logic of its own.
//!
//! Connections are accepted by our own loop, because `axum::serve` waits for slow headers without limit.

pub mod actions;
pub mod admin;
pub mod api;
mod body;
mod border;
pub mod consent;
mod door;
pub mod health;
pub mod modes;
pub mod other_portal;
pub mod problem;
mod routes;
pub mod rules;
pub mod segments;
pub mod slack;
pub mod webhook;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};

use self::admin::AdminKey;
use self::consent::{ConsentEnd, Tickets};
use self::health::Metrics;
use self::other_portal::Questions;
use crate::app::App;
use crate::jobs::Jobs;

/// The key in an `Authorization` header; the scheme's name is the same in any case (RFC 9110, 11.1).
fn bearer(value: &str) -> Option<&str> {
    let (scheme, key) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then(|| key.trim())
}

/// Connections served at once.
const MAX_CONNECTIONS: usize = 1024;
/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a message on its way to Slack is waited for when the server stops.
const LAST_MESSAGE: Duration = Duration::from_secs(5);
/// What handlers share.
#[derive(Debug, Clone)]
pub struct Served {
    /// The application.
    pub app: Arc<App>,
    /// Background runs.
    pub jobs: Jobs,
    /// One-time links to the connect page.
    pub tickets: Arc<Tickets>,
    /// Consents of another portal that wait for a decision.
    pub questions: Arc<Questions>,
    /// How the last consent ended, where it brought no first sync here.
    pub consents: Arc<watch::Sender<Option<ConsentEnd>>>,
    /// Key of the operator's command line.
    pub admin: Arc<AdminKey>,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// Memory for deliveries that are being received.
    room: Arc<body::Room>,
}

impl Served {
    /// Everything a server of `app` needs.
    #[must_use]
    pub fn new(app: Arc<App>, admin: AdminKey) -> Self {
        Self {
            jobs: Jobs::new(Arc::clone(&app)),
            app,
            tickets: Arc::default(),
            questions: Arc::default(),
            consents: Arc::new(watch::Sender::new(None)),
            admin: Arc::new(admin),
            metrics: Arc::default(),
            room: Arc::default(),
        }
    }

    /// Serves until `stop` turns true, then lets running requests end.
    pub async fn serve(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let router = routes::all(&self);
        let every = self.app.reading.config.sync_every;
        let scheduled = tokio::spawn(crate::jobs::schedule::run(self.jobs.clone(), every));
        // An older distiller's insights, or judgements left open, are done again beside serving.
        let app = Arc::clone(&self.app);
        drop(tokio::task::spawn_blocking(move || {
            if let Err(error) = app.catch_up() {
                tracing::warn!(%error, "what was due could not be done");
            }
        }));
        let asking = tokio::spawn(crate::jobs::asking::run(Arc::clone(&self.app), stop.clone()));
        let notifying = tokio::spawn(crate::jobs::notifying::run(Arc::clone(&self.app), stop.clone()));
        let looking = tokio::spawn(crate::jobs::webhooks::run(self.jobs.clone()));
        let settling = tokio::spawn(crate::jobs::settling::run(Arc::clone(&self.app)));
        self.accept(&router, &listener, &mut stop).await;
        // A run in progress stops at its next page and is resumed by the next start.
        scheduled.abort();
        asking.abort();
        looking.abort();
        settling.abort();
        self.jobs.stop();
        // A message on its way is waited for: its outcome would not be known after the next start.
        let finishing = notifying.abort_handle();
        if tokio::time::timeout(LAST_MESSAGE, notifying).await.is_err() {
            finishing.abort();
        }
    }

    async fn accept(&self, router: &Router, listener: &TcpListener, stop: &mut watch::Receiver<bool>) {
        let room = Arc::new(Semaphore::new(MAX_CONNECTIONS));
        loop {
            let Ok(place) = Arc::clone(&room).acquire_owned().await else { return };
            let accepted = tokio::select! {
                accepted = listener.accept() => accepted,
                _ = stop.wait_for(|stop| *stop) => return,
            };
            let Ok((stream, _peer)) = accepted else {
                // Out of file descriptors: give some time to come back.
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            };
            let service = TowerToHyperService::new(router.clone());
            tokio::spawn(async move {
                let mut builder = auto::Builder::new(TokioExecutor::new()).http1_only();
                builder.http1().timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT);
                // A broken connection is the client's business.
                let _ = builder.serve_connection(TokioIo::new(stream), service).await;
                drop(place);
            });
        }
    }
}

/// Binds the listening address.
pub async fn bind(address: SocketAddr) -> Result<TcpListener, String> {
    TcpListener::bind(address).await.map_err(|error| format!("cannot listen on {address}: {error}"))
}
