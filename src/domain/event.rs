//! What HubSpot announces by webhook, as far as this product acts on it: which records deserve a look, never what they
//! look like now.

use super::crm::RecordType;
use super::ids::PortalId;

/// Why a record deserves a look.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reason {
    /// It is new, changed, restored, or tied to others than before.
    Changed,
    /// It is said to be gone.
    Deleted,
    /// A person is to be forgotten.
    Forgotten,
}

/// A record that was announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Announced {
    /// Its type.
    pub record_type: RecordType,
    /// HubSpot's id.
    pub id: String,
    /// Why it deserves a look.
    pub reason: Reason,
}

/// One event of a delivery.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// The same in every redelivery of the event, another one for every other event.
    pub fingerprint: [u8; 32],
    /// Portal it comes from; `None` where it does not say.
    pub portal: Option<PortalId>,
    /// It is one of many: an import.
    pub in_bulk: bool,
    /// Records it is about; none where this product does not act on it.
    pub about: Vec<Announced>,
}
