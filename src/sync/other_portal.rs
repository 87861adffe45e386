//! Another portal consents than the one whose data is here. HubSpot's ids are unique within a portal only, so the two
//! are never mixed: the operator has it refused, kept apart in an organisation of its own, or the old data purged.

use super::SyncError;
use super::connection::Connector;
use crate::domain::ids::{OrgId, PortalId};
use crate::hubspot::tokens::Tokens;
use crate::store::connections::{self, Connection};
use crate::store::{StoreError, orgs, purge};

/// What is done with another portal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum OtherPortal {
    /// Nothing is stored.
    #[default]
    Refuse,
    /// It gets an organisation of its own; the data that is here stays as it is.
    KeepApart,
    /// Everything read from the former portal is removed, then it takes its place.
    Purge,
}

impl OtherPortal {
    /// Every choice, in the order they are offered.
    pub const ALL: [Self; 3] = [Self::Refuse, Self::KeepApart, Self::Purge];

    /// The name used everywhere outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Refuse => "refuse",
            Self::KeepApart => "keep-apart",
            Self::Purge => "purge",
        }
    }

    /// The choice of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// A credential that HubSpot accepts, and whose it is; nothing of it is stored yet.
#[derive(Debug)]
pub struct Candidate {
    pub(super) connection: Connection,
    pub(super) tokens: Tokens,
}

impl Candidate {
    /// Whose credential it is.
    #[must_use]
    pub fn portal(&self) -> PortalId {
        self.connection.portal
    }
}

impl Connector {
    /// Stores the connection of a candidate, as `choice` says where the organisation holds data of another portal.
    /// Blocks; a purge for as long as removing everything takes.
    pub fn keep(&self, candidate: &Candidate, choice: OtherPortal) -> Result<Connection, SyncError> {
        let (org, found) = (&candidate.connection.org, candidate.portal());
        let known = self.store.read(|conn| known_portal(conn, org))?;
        match (known.filter(|known| *known != found), choice) {
            (None, _) => self.put(candidate.connection.clone(), None),
            (Some(stored), OtherPortal::Refuse) => {
                Err(SyncError::OtherPortal { found: found.0, stored: stored.0 })
            }
            (Some(_), OtherPortal::KeepApart) => self.keep_apart(candidate),
            (Some(stored), OtherPortal::Purge) => {
                self.purge(org, stored)?;
                self.put(candidate.connection.clone(), Some(stored))
            }
        }
    }

    /// Removes all but the last of what was read from a portal, in portions.
    fn purge(&self, org: &OrgId, portal: PortalId) -> Result<(), StoreError> {
        loop {
            let of = org.clone();
            let more: bool = self.store.erase(move |conn| purge::portion(conn, &of, portal))?;
            if !more {
                return Ok(());
            }
        }
    }

    /// The connection replaces the one before; with it goes what was left of a portal that was purged.
    fn put(&self, connection: Connection, purged: Option<PortalId>) -> Result<Connection, SyncError> {
        let stored = connection.clone();
        self.store.write(move |conn| {
            if let Some(purged) = purged {
                purge::last(conn, &stored.org, purged)?;
            }
            // Whoever connected meanwhile was first.
            if let Some(known) = known_portal(conn, &stored.org)?.filter(|known| *known != stored.portal) {
                return Err(SyncError::OtherPortal { found: stored.portal.0, stored: known.0 });
            }
            connections::put(conn, &stored).map_err(SyncError::from)
        })?;
        self.forget_client(&connection.org);
        Ok(connection)
    }

    /// A portal that has an organisation already gets that one.
    fn keep_apart(&self, candidate: &Candidate) -> Result<Connection, SyncError> {
        let portal = candidate.portal();
        let known: Option<OrgId> = self.store.read(|conn| connections::org_of_portal(conn, portal))?;
        let org = match known {
            Some(org) => org,
            None => {
                let org = OrgId::new(format!("org_{}", uuid::Uuid::now_v7().simple()));
                let (added, now) = (org.clone(), self.now());
                let name = format!("portal {portal}");
                let stored: Result<(), StoreError> =
                    self.store.write(move |conn| orgs::add(conn, &added, &name, now));
                stored?;
                org
            }
        };
        // Tokens are sealed for the organisation they belong to.
        let tokens = self.seal(&org, &candidate.tokens)?;
        self.put(Connection { org, tokens, ..candidate.connection.clone() }, None)
    }
}

/// The portal that an organisation is connected to, or whose data it holds.
fn known_portal(
    conn: &mut dyn crate::store::conn::Conn,
    org: &OrgId,
) -> Result<Option<PortalId>, StoreError> {
    match connections::get(conn, org)? {
        Some(connection) => Ok(Some(connection.portal)),
        None => connections::portal_of_data(conn, org),
    }
}
