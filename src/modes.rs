//! Switching the modes of the integration, for the command line and the server.
//!
//! What a mode that is off means is decided where it matters: `sync` for ingest, `actions`, and what posts.

use crate::domain::ids::OrgId;
use crate::domain::mode::{IntegrationMode, Modes};
use crate::store::{Store, StoreError, notifications, orgs};

/// The three modes of an organisation.
pub fn read(store: &Store, org: &OrgId) -> Result<Modes, StoreError> {
    store.read(|conn| orgs::modes(conn, org)).map(Modes::from)
}

/// Switches a mode on or off, or back to its default; takes effect at once.
pub fn switch(
    store: &Store,
    org: &OrgId,
    mode: IntegrationMode,
    on: Option<bool>,
) -> Result<Modes, StoreError> {
    let org = org.clone();
    let switched: Result<_, StoreError> = store.write(move |conn| {
        if mode == IntegrationMode::Notifications && on == Some(false) {
            // Nothing is kept for the day it is switched on again.
            notifications::cancel(conn, &org, None, "turned_off")?;
        }
        orgs::set_mode(conn, &org, mode, on)
    });
    switched.map(Modes::from)
}
