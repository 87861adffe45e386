//! What goes wrong in a run, by type or step, and whether going on makes sense.

use std::collections::BTreeMap;

use super::SyncError;
use crate::hubspot::error::HubspotError;
use crate::pipeline::fetch::FetchError;
use crate::store::StoreError;

/// Why reading a type ended before its end.
#[derive(Debug, Clone)]
pub(super) enum Ended {
    /// HubSpot.
    Hubspot(HubspotError),
    /// Somebody asked the run to stop.
    Stopped,
    /// A later stage failed; the street knows why.
    Closed,
    /// The database.
    Store(StoreError),
}

impl From<FetchError> for Ended {
    fn from(error: FetchError) -> Self {
        match error {
            FetchError::Hubspot(error) => Self::Hubspot(error),
            FetchError::Store(error) => Self::Store(error),
        }
    }
}

impl From<HubspotError> for Ended {
    fn from(error: HubspotError) -> Self {
        Self::Hubspot(error)
    }
}

impl From<StoreError> for Ended {
    fn from(error: StoreError) -> Self {
        Self::Store(error)
    }
}

/// What went wrong, by type or step.
#[derive(Debug, Default)]
pub(super) struct Errors {
    pub(super) by_type: BTreeMap<String, HubspotError>,
    pub(super) stopped: bool,
    pub(super) store: Option<StoreError>,
    other_portal: bool,
}

impl Errors {
    pub(super) fn note(&mut self, name: &str, outcome: Result<(), Ended>) {
        match outcome {
            Ok(()) | Err(Ended::Closed) => {}
            Err(Ended::Stopped | Ended::Hubspot(HubspotError::Stopped)) => self.stopped = true,
            Err(Ended::Store(error)) => self.store = Some(error),
            Err(Ended::Hubspot(error)) => drop(self.by_type.insert(name.to_owned(), error)),
        }
    }

    /// Notes what a step that is not the reading of one type ran into; answers what it brought, if anything.
    pub(super) fn step<T>(&mut self, name: &str, outcome: Result<T, SyncError>) -> Option<T> {
        match outcome {
            Ok(value) => return Some(value),
            Err(SyncError::Store(error)) => self.store = Some(error),
            Err(SyncError::Hubspot(HubspotError::Stopped)) => self.stopped = true,
            Err(SyncError::Hubspot(error)) => drop(self.by_type.insert(name.to_owned(), error)),
            Err(other) => {
                // Going on would mix what belongs to two portals.
                self.other_portal |= matches!(other, SyncError::OtherPortal { .. });
                let error = HubspotError::Refused { status: 0, message: other.to_string() };
                drop(self.by_type.insert(name.to_owned(), error));
            }
        }
        None
    }

    /// Asking for more is pointless: the connection is dead, HubSpot wants to be left alone, or we are to stop.
    pub(super) fn is_fatal(&self) -> bool {
        self.stopped
            || self.other_portal
            || self.store.is_some()
            || self.by_type.values().any(ends_everything)
    }
}

/// After this, HubSpot need not be asked for anything else.
pub(super) fn ends_everything(error: &HubspotError) -> bool {
    matches!(
        error,
        HubspotError::Revoked(_)
            | HubspotError::Misconfigured(_)
            | HubspotError::TokensNotStored(_)
            | HubspotError::DailyLimit
            | HubspotError::AskedToWait { .. }
    )
}
