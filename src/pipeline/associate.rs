//! Stage 3, associate: which customers an engagement belongs to.
//!
//! HubSpot's associations decide. A form submission carries none, so the address typed into it does, once: whoever had it
//! when the submission was first tied keeps it, also when addresses change later, as on HubSpot's timeline.
//! An engagement that belongs to nobody known stays, counted as unlinked.

use super::normalize::NormalizedEngagement;
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::store::conn::Conn;
use crate::store::{Store, StoreError, people};

/// An engagement with its final links.
#[derive(Debug, Clone)]
pub struct LinkedEngagement(pub NormalizedEngagement);

/// Links the engagements of one page.
pub fn page(
    store: &Store,
    org: &OrgId,
    portal: PortalId,
    mut page: Vec<NormalizedEngagement>,
) -> Result<Vec<LinkedEngagement>, StoreError> {
    if page.iter().any(needs_lookup) {
        store.read(|conn| {
            for engagement in page.iter_mut().filter(|engagement| needs_lookup(engagement)) {
                let found = contacts(conn, org, portal, engagement)?;
                if !found.is_empty() {
                    engagement.raw.links.contacts = found;
                }
            }
            Ok::<_, StoreError>(())
        })?;
    }
    Ok(page.into_iter().map(LinkedEngagement).collect())
}

/// Whom a submission is tied to already, else whoever has its address now.
fn contacts(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    engagement: &NormalizedEngagement,
) -> Result<Vec<String>, StoreError> {
    let raw = &engagement.raw;
    let document = DocumentId { portal, kind: raw.kind, id: raw.id.clone() };
    let mut found = people::of_engagement(conn, org, &document)?;
    if found.is_empty() {
        found = people::by_email(conn, org, raw.from_address.as_deref().unwrap_or_default())?;
    }
    Ok(found.into_iter().filter(|person| person.portal == portal).map(|person| person.id).collect())
}

fn needs_lookup(engagement: &NormalizedEngagement) -> bool {
    let raw = &engagement.raw;
    raw.kind == Kind::FormSubmission && raw.from_address.is_some()
}
