//! Who is let in, settled before a byte of a body is read: agents by their key, the operator by that of the data folder.
//!
//! What an agent may see or do is not decided here.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, header};
use axum::middleware::Next;
use axum::response::Response;
use tokio::time::Instant;

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
    /// When the request came.
    pub since: Instant,
}

/// Lets agents in; handlers find who calls as `Extension<Known>`.
pub(super) async fn agent(
    State(served): State<Served>,
    mut request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let since = Instant::now();
    let hash = key_hash(request.headers()).ok_or_else(Problem::unauthorized)?;
    let found = blocking(move || {
        let found = served.app.reading.store.read(|conn| agents::by_key(conn, &hash));
        found.map_err(|error: StoreError| Problem::internal(&error))
    });
    let agent = found.await?.ok_or_else(Problem::unauthorized)?;
    let narrowed_to = narrowed_to(request.headers())?;
    request.extensions_mut().insert(Known { agent, narrowed_to, since });
    Ok(next.run(request).await)
}

/// The customer of the header. Two of them leave open which one is meant.
fn narrowed_to(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let mut named = headers.get_all(CUSTOMER_HEADER).iter();
    let (first, second) = (named.next(), named.next());
    if second.is_some() {
        return Err(Problem::bad_request("X-Hublore-Customer is there more than once; send one"));
    }
    let text = first.map(|value| value.to_str().map(str::to_owned));
    text.transpose().map_err(|_| Problem::bad_request("X-Hublore-Customer is not an address"))
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
    if let Err(refused) = served.admin.check(request.headers()) {
        return Err(named_to_an_agent(served, request.headers()).await?.unwrap_or(refused));
    }
    Ok(next.run(request).await)
}

/// An agent that comes to an address of the operator's is not asked for a valid key: it has one.
async fn named_to_an_agent(served: Served, headers: &HeaderMap) -> Result<Option<Problem>, Problem> {
    let Some(hash) = key_hash(headers) else { return Ok(None) };
    let found = blocking(move || {
        let found = served.app.reading.store.read(|conn| agents::by_key(conn, &hash));
        found.map_err(|error: StoreError| Problem::internal(&error))
    });
    Ok(found.await?.map(|_| Problem::operators_only()))
}
