//! The HTTP skin: routes, authentication, errors. It holds no logic of its own.
//!
//! Connections are accepted by our own loop, because `axum::serve` waits for slow headers without limit.

pub mod actions;
pub mod admin;
pub mod api;
mod border;
pub mod consent;
pub mod health;
pub mod modes;
pub mod other_portal;
pub mod problem;
pub mod rules;
pub mod segments;
pub mod slack;
pub mod webhook;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::routing::{delete, get, patch, post};
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use hyper_util::server::conn::auto;
use hyper_util::service::TowerToHyperService;
use tokio::net::TcpListener;
use tokio::sync::{Semaphore, watch};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use self::admin::AdminKey;
use self::consent::Tickets;
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
/// Bytes of a request body.
const MAX_BODY: usize = 1 << 20;
/// How long a client may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a message on its way to Slack is waited for when the server stops.
const LAST_MESSAGE: Duration = Duration::from_secs(5);
/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

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
    /// Told once a portal was connected as an organisation of its own.
    pub kept_apart: Arc<watch::Sender<Option<String>>>,
    /// Key of the operator's command line.
    pub admin: Arc<AdminKey>,
    /// Counters.
    pub metrics: Arc<Metrics>,
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
            kept_apart: Arc::new(watch::Sender::new(None)),
            admin: Arc::new(admin),
            metrics: Arc::default(),
        }
    }

    fn router(&self) -> Router {
        Router::new()
            .route("/healthz", get(health::alive))
            .route("/readyz", get(health::ready))
            .route("/metrics", get(health::metrics))
            .route("/integrations/hubspot/connect", get(consent::connect))
            .route("/api/integrations/hubspot/callback", get(consent::callback))
            .route("/api/integrations/hubspot/other-portal", post(other_portal::decide))
            .route("/api/integrations/hubspot/webhook/{org}", post(webhook::receive))
            .route("/api/v1/search", post(api::search))
            .route("/api/v1/customers/{email}/context", get(api::context))
            .route("/api/v1/engagements/{id}", get(api::engagement))
            .route("/api/v1/engagements/{id}/explain", get(api::explain))
            .route("/api/v1/insights/{id}/verify", get(api::verify_insight))
            .route("/api/v1/actions", get(actions::list))
            .route("/api/v1/actions/{name}", post(actions::call))
            .route("/api/v1/actions/{name}/confirm", post(actions::confirm))
            .route("/api/v1/executions/{id}/undo", post(actions::undo))
            .route("/api/v1/admin/agents/{id}/actions", get(actions::of_agent))
            .route("/api/v1/admin/agents/{id}/actions/{name}", post(actions::set))
            .route("/api/v1/admin/executions", get(actions::executions))
            .route("/api/v1/admin/executions/{id}/undo", post(actions::undo_any))
            .route("/api/v1/admin/status", get(admin::status))
            .route("/api/v1/admin/connect", post(admin::connect))
            .route("/api/v1/admin/sync", post(admin::sync).get(admin::sync_state))
            .route("/api/v1/admin/index/{verb}", post(admin::index))
            .route("/api/v1/admin/modes", get(modes::list))
            .route("/api/v1/admin/modes/{mode}", post(modes::switch))
            .route("/api/v1/admin/disconnect", post(admin::disconnect))
            .route("/api/v1/admin/agents", post(admin::create_agent))
            .route("/api/v1/admin/agents/{id}", delete(admin::revoke_agent))
            .route("/api/v1/admin/rules", get(rules::list).post(rules::create))
            .route("/api/v1/admin/rules/{id}", patch(rules::edit).delete(rules::remove))
            .route("/api/v1/admin/segments", get(segments::list).post(segments::save))
            .route("/api/v1/admin/segments/{name}", get(segments::show).delete(segments::remove))
            .route("/api/v1/admin/slack", get(slack::state).post(slack::connect).delete(slack::disconnect))
            .route("/api/v1/admin/slack/types/{type}", patch(slack::set_type))
            .route("/api/v1/admin/slack/types/{type}/test", post(slack::test))
            .route("/api/v1/admin/slack/channels", get(slack::channels))
            .route("/api/v1/admin/slack/deliveries", get(slack::deliveries))
            .route("/api/v1/admin/webhooks", get(webhook::show))
            .route("/api/v1/admin/webhooks/deliveries", get(webhook::deliveries))
            .fallback(problem::no_such_route)
            .layer(RequestBodyLimitLayer::new(MAX_BODY))
            .layer(TimeoutLayer::with_status_code(axum::http::StatusCode::GATEWAY_TIMEOUT, REQUEST_TIMEOUT))
            .merge(self.slow_routes())
            .layer(axum::middleware::from_fn(border::finish))
            .with_state(self.clone())
    }

    /// Work over everything stored, which may take longer than a request should; the operator's key only.
    fn slow_routes(&self) -> Router<Self> {
        Router::new()
            .route("/api/v1/admin/rules/test", post(rules::test))
            .route("/api/v1/admin/rules/apply", post(rules::apply))
            .route("/api/v1/admin/webhooks/replay", post(webhook::replay))
            .layer(RequestBodyLimitLayer::new(MAX_BODY))
    }

    /// Serves until `stop` turns true, then lets running requests end.
    pub async fn serve(self, listener: TcpListener, mut stop: watch::Receiver<bool>) {
        let router = self.router();
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
