//! `backfill_transcripts`, first half: what was said in stored calls is fetched and kept.
//!
//! The second half is an ordinary reading of those calls, which picks the words up on its way. HubSpot is
//! asked again for transcripts it did not have: they arrive up to a day after the call.

use futures_util::{StreamExt, stream};

use super::SyncError;
use crate::domain::clock::Clock;
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::hubspot::transcripts;
use crate::pipeline::publish::Owner;
use crate::store::crm::Tenant;
use crate::store::transcripts::{self as stored, Wanted};
use crate::store::{Store, StoreError};

/// Calls per transaction.
const BATCH: i64 = 200;
/// Transcripts asked for at once; each is a request of its own.
const AT_ONCE: usize = 8;

/// Fetches every transcript that stored calls name and the store does not have.
pub(super) async fn fetch(
    store: &Store,
    client: &Client,
    owner: &Owner,
    clock: &dyn Clock,
) -> Result<(), SyncError> {
    let mut past = String::new();
    loop {
        let (org, portal) = (&owner.org, owner.portal);
        let wanted: Vec<Wanted> =
            store.read(|conn| stored::wanted(conn, org, portal, &past, BATCH)).map_err(SyncError::Store)?;
        let Some(last) = wanted.last() else {
            return Ok(());
        };
        past.clone_from(&last.call);
        let answers = stream::iter(wanted)
            .map(|one| async move { Ok((one.call, transcripts::words(client, &one.transcript).await?)) })
            .buffered(AT_ONCE)
            .collect::<Vec<Result<(String, Option<String>), HubspotError>>>()
            .await;
        let answers = answers.into_iter().collect::<Result<Vec<_>, _>>()?;
        let (owner, now) = (owner.clone(), clock.now());
        let written: Result<(), StoreError> = store.write(move |conn| {
            let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
            answers.iter().try_for_each(|(call, words)| stored::put(conn, tenant, call, words.as_deref()))
        });
        written?;
    }
}
