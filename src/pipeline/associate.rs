//! Stage 3, associate: which customers an engagement belongs to.
//!
//! HubSpot's associations decide. A form submission carries none, so the address typed into it does.
//! An engagement that belongs to nobody known stays, counted as unlinked.

use super::normalize::NormalizedEngagement;
use crate::domain::engagement::Kind;
use crate::domain::ids::{OrgId, PortalId};
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
                let address = engagement.raw.from_address.as_deref().unwrap_or_default();
                let found = people::by_email(conn, org, address)?;
                let here = found.into_iter().filter(|person| person.portal == portal);
                engagement.raw.links.contacts = here.map(|person| person.id).collect();
            }
            Ok::<_, StoreError>(())
        })?;
    }
    Ok(page.into_iter().map(LinkedEngagement).collect())
}

fn needs_lookup(engagement: &NormalizedEngagement) -> bool {
    let raw = &engagement.raw;
    raw.kind == Kind::FormSubmission && raw.links.contacts.is_empty() && raw.from_address.is_some()
}
