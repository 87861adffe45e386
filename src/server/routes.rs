//! Which address is answered by which handler, behind which door, and within which limits.

use std::time::Duration;

use axum::Router;
use axum::http::StatusCode;
use axum::middleware::{from_fn, from_fn_with_state};
use axum::routing::{delete, get, patch, post};
use tower_http::limit::RequestBodyLimitLayer;
use tower_http::timeout::TimeoutLayer;

use super::{
    Served, actions, admin, api, body, border, consent, door, health, modes, other_portal, problem, rules,
    segments, slack, webhook,
};

/// Bytes of a request body.
const MAX_BODY: usize = 1 << 20;
/// How long a request may take.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// Everything the server answers.
pub(super) fn all(served: &Served) -> Router {
    let agents = for_agents().route_layer(from_fn_with_state(served.clone(), door::agent));
    let operator = from_fn_with_state(served.clone(), door::operator);
    open()
        .merge(agents)
        .merge(for_the_operator().route_layer(operator.clone()))
        .fallback(problem::no_such_route)
        .layer(RequestBodyLimitLayer::new(MAX_BODY))
        .layer(TimeoutLayer::with_status_code(StatusCode::GATEWAY_TIMEOUT, REQUEST_TIMEOUT))
        .merge(
            slow()
                .route_layer(from_fn(body::in_time))
                .route_layer(operator)
                .layer(RequestBodyLimitLayer::new(MAX_BODY)),
        )
        .layer(from_fn(border::finish))
        .with_state(served.clone())
}

/// For everybody; what is behind them asks for proofs of their own.
fn open() -> Router<Served> {
    Router::new()
        .route("/healthz", get(health::alive))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .route("/integrations/hubspot/connect", get(consent::connect))
        .route("/api/integrations/hubspot/callback", get(consent::callback))
        .route("/api/integrations/hubspot/other-portal", post(other_portal::decide))
        .route("/api/integrations/hubspot/webhook/{org}", post(webhook::receive))
}

fn for_agents() -> Router<Served> {
    Router::new()
        .route("/api/v1/search", post(api::search))
        .route("/api/v1/customers/{email}/context", get(api::context))
        .route("/api/v1/engagements/{id}", get(api::engagement))
        .route("/api/v1/engagements/{id}/explain", get(api::explain))
        .route("/api/v1/insights/{id}", get(api::insight))
        .route("/api/v1/insights/{id}/verify", get(api::verify_insight))
        .route("/api/v1/actions", get(actions::list))
        .route("/api/v1/actions/{name}", post(actions::call))
        .route("/api/v1/actions/{name}/confirm", post(actions::confirm))
        .route("/api/v1/executions/{id}/undo", post(actions::undo))
}

fn for_the_operator() -> Router<Served> {
    Router::new()
        .route("/api/v1/admin/status", get(admin::status))
        .route("/api/v1/admin/connect", post(admin::connect))
        .route("/api/v1/admin/disconnect", post(admin::disconnect))
        .route("/api/v1/admin/sync", post(admin::sync).get(admin::sync_state))
        .route("/api/v1/admin/index/{verb}", post(admin::index))
        .route("/api/v1/admin/modes", get(modes::list))
        .route("/api/v1/admin/modes/{mode}", post(modes::switch))
        .route("/api/v1/admin/agents", post(admin::create_agent))
        .route("/api/v1/admin/agents/{id}", delete(admin::revoke_agent))
        .route("/api/v1/admin/agents/{id}/actions", get(actions::of_agent))
        .route("/api/v1/admin/agents/{id}/actions/{name}", post(actions::set))
        .route("/api/v1/admin/executions", get(actions::executions))
        .route("/api/v1/admin/executions/{id}/undo", post(actions::undo_any))
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
}

/// Work over everything stored, which may take longer than a request should; the operator's too.
fn slow() -> Router<Served> {
    Router::new()
        .route("/api/v1/admin/rules/test", post(rules::test))
        .route("/api/v1/admin/rules/apply", post(rules::apply))
        .route("/api/v1/admin/webhooks/replay", post(webhook::replay))
}
