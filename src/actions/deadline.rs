//! How long a caller waits: until when something may still be sent, and what it is told when the work goes on without it.
//!
//! Both ends come before the end that the server puts to any request: its words know nothing of an effect.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout_at};

use super::{ActionError, Refusal};
use crate::domain::action::Reason;

/// Nothing is sent to HubSpot later than so long after the call came.
pub(super) const SENDS_FOR: Duration = Duration::from_secs(25);
/// And so long after it the caller has an answer.
const ANSWERS_WITHIN: Duration = Duration::from_secs(28);

/// The execution that a call became, once it is one.
#[derive(Debug, Clone, Default)]
pub(super) struct Began(Arc<OnceLock<String>>);

impl Began {
    pub(super) fn is(&self, id: &str) {
        self.0.get_or_init(|| id.to_owned());
    }
}

/// Runs work to its end even where nobody waits for it any more.
pub(super) async fn answered(
    since: Instant,
    began: Began,
    work: impl Future<Output = Result<Value, ActionError>> + Send + 'static,
) -> Result<Value, ActionError> {
    match timeout_at(since + ANSWERS_WITHIN, tokio::spawn(work)).await {
        Ok(done) => done.unwrap_or_else(|panic| Err(ActionError::Broken(panic.to_string()))),
        Err(_) => Err(goes_on(&began).into()),
    }
}

fn goes_on(began: &Began) -> Refusal {
    let execution = began.0.get().cloned();
    let place =
        execution.as_ref().map_or_else(String::new, |id| format!(", or look for {id} in the executions"));
    let detail = format!(
        "HubSpot takes long and this call still goes on: whether it is done is not known yet. Ask again with the same \
         Idempotency-Key{place}; a call without that key would be another one"
    );
    Refusal { execution, wait_s: Some(10), ..Refusal::new(Reason::UnderWay, detail) }
}
