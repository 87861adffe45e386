//! Who is let in, settled before a byte of a body is read: agents by their key, the operator by that of the data folder.
//!
//! What an agent may see or do is not decided here.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;

use super::Served;
use super::admin::blocking;
use super::problem::Problem;
use crate::store::StoreError;
use crate::store::agents::{self, Agent};
use crate::vault::fingerprint;

/// Header that narrows a request to one customer.
const CUSTOMER_HEADER: &str = "x-hublore-customer";

/// The agent that calls, and the customer that the request is narrowed to.
#[derive(Debug, Clone)]
pub struct Known {
    /// Whose key it is.
    pub agent: Agent,
    /// Address from the header.
    pub narrowed_to: Option<String>,
}

/// Lets agents in; handlers find who calls as `Extension<Known>`.
pub(super) async fn agent(
    State(served): State<Served>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let hash = key_hash(request.headers()).ok_or_else(Problem::unauthorized)?;
    let found = blocking(move || {
        let found = served.app.reading.store.read(|conn| agents::by_key(conn, &hash));
        found.map_err(|error: StoreError| Problem::internal(&error))
    });
    let agent = found.await?.ok_or_else(Problem::unauthorized)?;
    let narrowed = request.headers().get(CUSTOMER_HEADER).map(|value| value.to_str().map(str::to_owned));
    let narrowed_to =
        narrowed.transpose().map_err(|_| Problem::bad_request("X-Hublore-Customer is not an address"))?;
    request.extensions_mut().insert(Known { agent, narrowed_to });
    Ok(next.run(request).await)
}

fn key_hash(headers: &HeaderMap) -> Option<[u8; 32]> {
    let value = headers.get(header::AUTHORIZATION)?.to_str().ok()?;
    super::bearer(value).filter(|key| key.starts_with("hl_")).map(fingerprint)
}

/// Lets the operator in.
pub(super) async fn operator(
    State(served): State<Served>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    served.admin.check(request.headers())?;
    Ok(next.run(request).await)
}
