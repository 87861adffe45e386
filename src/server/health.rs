//! Whether the server lives, whether it can answer, and how it is doing in numbers.

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use hublore_index::KnowledgeIndex;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::registry::{Registry, Unit};
use serde_json::{Value, json};

use super::Served;
use super::problem::Problem;
use crate::knowledge::KnowledgeError;
use crate::store::{StoreError, announced, totals};

/// Numbers for an operator's monitoring.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    searches: Counter,
    search_time: Histogram,
    documents: Gauge,
    lag: Gauge,
    engagements: Gauge,
    contacts: Gauge,
    deliveries: Counter,
    refused: Counter,
    announced: Gauge,
}

impl Default for Metrics {
    fn default() -> Self {
        let mut registry = Registry::with_prefix("hublore");
        let bounds = [0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 1.0, 5.0];
        let metrics = (Counter::default(), Histogram::new(bounds));
        registry.register("searches", "Searches answered", metrics.0.clone());
        registry.register_with_unit("search_time", "Time of a search", Unit::Seconds, metrics.1.clone());
        let (deliveries, refused) = (Counter::default(), Counter::default());
        registry.register("webhooks", "Deliveries of webhooks taken in", deliveries.clone());
        registry.register("webhooks_refused", "Deliveries whose signature did not hold", refused.clone());
        let mut gauge = |name: &str, help: &str| {
            let gauge = Gauge::default();
            registry.register(name, help, gauge.clone());
            gauge
        };
        let documents = gauge("documents", "Documents in the index");
        let lag = gauge("index_lag_changes", "Stored changes that are not searchable yet");
        let engagements = gauge("engagements", "Engagements stored");
        let contacts = gauge("contacts", "Contacts stored");
        let announced = gauge("announced_records", "Records that webhooks told of and that wait for a look");
        let (searches, search_time) = metrics;
        Self {
            registry,
            searches,
            search_time,
            documents,
            lag,
            engagements,
            contacts,
            deliveries,
            refused,
            announced,
        }
    }
}

impl Metrics {
    /// A search was answered.
    pub fn searched(&self, took_ms: f64) {
        self.searches.inc();
        self.search_time.observe(took_ms / 1000.0);
    }

    /// A delivery of webhooks was taken in.
    pub fn delivered(&self) {
        self.deliveries.inc();
    }

    /// A delivery was not believed.
    pub fn refused(&self) {
        self.refused.inc();
    }

    fn read(&self, served: &Served) -> Result<(), Problem> {
        let reading = &served.app.reading;
        let read = reading
            .store
            .read(|conn| Ok((totals::of(conn, &reading.org)?, announced::queue(conn, &reading.org)?)));
        let (totals, queue) = read.map_err(|error: StoreError| Problem::internal(&error))?;
        let signed = |value: u64| i64::try_from(value).unwrap_or(i64::MAX);
        self.engagements.set(signed(totals.engagements));
        self.contacts.set(signed(totals.contacts));
        self.documents.set(signed(reading.index.count(reading.org.as_str()).unwrap_or(0)));
        self.announced.set(signed(queue.waiting));
        self.lag.set(signed(served.app.follower.lag()?));
        Ok(())
    }
}

/// `GET /healthz`: the process runs.
pub async fn alive() -> &'static str {
    "ok\n"
}

/// `GET /readyz`: searches can be answered.
pub async fn ready(State(served): State<Served>) -> Result<Json<Value>, Problem> {
    let checked = tokio::task::spawn_blocking(move || {
        let follower = &served.app.follower;
        let lag = follower.lag()?;
        let stats = served.app.reading.index.stats().map_err(KnowledgeError::from);
        stats.map_err(|error| Problem::index_not_ready(&error.to_string(), follower.rebuilding()))?;
        Ok::<_, Problem>(json!({"ready": true, "index_lag_changes": lag}))
    });
    checked.await.unwrap_or_else(|error| Err(Problem::internal(&error))).map(Json)
}

/// `GET /metrics`, in the OpenMetrics text format.
pub async fn metrics(State(served): State<Served>) -> Result<impl IntoResponse, Problem> {
    let text = tokio::task::spawn_blocking(move || {
        served.metrics.read(&served)?;
        let mut text = String::new();
        encode(&mut text, &served.metrics.registry).map_err(|error| Problem::internal(&error))?;
        Ok::<_, Problem>(text)
    });
    let text = text.await.unwrap_or_else(|error| Err(Problem::internal(&error)))?;
    Ok(([(header::CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text))
}
