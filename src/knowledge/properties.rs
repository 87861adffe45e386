//! The account's own properties of a customer, a company or a deal, with their labels, as answers show them.

use serde::Serialize;

use crate::domain::crm::RecordType;
use crate::domain::ids::{OrgId, PortalId};
use crate::store::conn::Conn;
use crate::store::{StoreError, properties};

/// A property that has a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attribute {
    /// Internal name.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// As HubSpot keeps it.
    pub value: String,
    /// As people would say it: labels of options, days, yes and no.
    pub text: String,
}

/// The properties of one record that are set, in the order of the account's definitions.
pub(super) fn of(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    record_type: RecordType,
    id: &str,
) -> Result<Vec<Attribute>, StoreError> {
    let set = properties::of_record(conn, org, portal, record_type, id)?;
    let told = set.into_iter().map(|(property, value)| Attribute {
        text: property.told(&value),
        name: property.name,
        label: property.label,
        value,
    });
    Ok(told.collect())
}
