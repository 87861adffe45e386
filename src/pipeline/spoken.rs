//! What was said in calls, put beside their notes before normalizing.
//!
//! The words were fetched earlier (`sync::transcripts`): a call that is read again, for whatever reason, keeps them.

use super::publish::Owner;
use crate::domain::engagement::{Kind, RawEngagement};
use crate::store::{Store, StoreError, transcripts};

/// Gives the calls of a page their stored transcripts.
pub(super) fn attach(store: &Store, owner: &Owner, page: &mut [RawEngagement]) -> Result<(), StoreError> {
    let is_call = |raw: &RawEngagement| raw.kind == Kind::Call;
    if !page.iter().any(is_call) {
        return Ok(());
    }
    let (org, portal) = (&owner.org, owner.portal);
    let calls = page.iter().filter(|raw| is_call(raw)).map(|raw| raw.id.as_str());
    let mut words = store.read(|conn| transcripts::of_calls(conn, org, portal, calls))?;
    for raw in page.iter_mut().filter(|raw| is_call(raw)) {
        raw.transcript = words.remove(&raw.id);
    }
    Ok(())
}
