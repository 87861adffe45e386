//! CRM records: contacts, companies, deals, owners.
//!
//! Not here: wire names (`hubspot`) and rows (`store`).

use serde::{Deserialize, Serialize};

use super::clock::Millis;
use super::engagement::Kind;

/// Everything that is read page by page, in the order of a first sync.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RecordType {
    /// People.
    Contacts,
    /// Organisations.
    Companies,
    /// Deals.
    Deals,
    /// One kind of engagement.
    #[serde(untagged)]
    Engagement(Kind),
}

impl RecordType {
    /// The record types that are not engagements, in the order they are read.
    pub const CRM: [Self; 3] = [Self::Contacts, Self::Companies, Self::Deals];

    /// Every type, in the order of a first sync.
    pub fn all() -> impl Iterator<Item = Self> {
        Self::CRM.into_iter().chain(Kind::ALL.into_iter().map(Self::Engagement))
    }

    /// The name used in reports, checkpoints and rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Contacts => "contacts",
            Self::Companies => "companies",
            Self::Deals => "deals",
            Self::Engagement(kind) => kind.as_str(),
        }
    }
}

/// What every CRM record has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record<T> {
    /// HubSpot's id, unique within type and portal.
    pub id: String,
    /// When HubSpot created it.
    pub created_at: Millis,
    /// When HubSpot last changed it.
    pub updated_at: Millis,
    /// All properties as one JSON object.
    pub properties: String,
    /// The typed part.
    pub fields: T,
}

/// A person; a row of `end_users`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Contact {
    /// Primary address, lower case.
    pub email: Option<String>,
    /// Further addresses, lower case.
    pub other_emails: Vec<String>,
    /// First name.
    pub first_name: Option<String>,
    /// Last name.
    pub last_name: Option<String>,
    /// Job title.
    pub job_title: Option<String>,
    /// Phone as typed.
    pub phone: Option<String>,
    /// Lifecycle stage.
    pub lifecycle_stage: Option<String>,
    /// HubSpot's owner id.
    pub owner: Option<String>,
    /// Primary company first.
    pub companies: Vec<String>,
    /// Ids of contacts that HubSpot merged into this one.
    pub merged: Vec<String>,
}

/// An organisation.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Company {
    /// Name.
    pub name: Option<String>,
    /// Web domain.
    pub domain: Option<String>,
    /// Industry.
    pub industry: Option<String>,
    /// Number of employees.
    pub employees: Option<i64>,
    /// Lifecycle stage.
    pub lifecycle_stage: Option<String>,
    /// Phone as typed.
    pub phone: Option<String>,
    /// HubSpot's owner id.
    pub owner: Option<String>,
    /// Ids of companies that HubSpot merged into this one.
    pub merged: Vec<String>,
}

/// A deal.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Deal {
    /// Name.
    pub name: Option<String>,
    /// Amount as HubSpot wrote it (a decimal number).
    pub amount: Option<String>,
    /// Currency code.
    pub currency: Option<String>,
    /// Pipeline id.
    pub pipeline: Option<String>,
    /// Stage id.
    pub stage: Option<String>,
    /// Close date.
    pub close_date: Option<Millis>,
    /// Deal type.
    pub deal_type: Option<String>,
    /// HubSpot's owner id.
    pub owner: Option<String>,
    /// Associated contacts.
    pub contacts: Vec<String>,
    /// Associated companies, primary first.
    pub companies: Vec<String>,
}

/// A HubSpot user who owns records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The id that `hubspot_owner_id` holds.
    pub id: String,
    /// Address.
    pub email: Option<String>,
    /// First and last name joined.
    pub name: Option<String>,
    /// Has left.
    pub archived: bool,
}

/// One stage of a deal pipeline.
#[derive(Debug, Clone, PartialEq)]
pub struct Stage {
    /// Pipeline id.
    pub pipeline: String,
    /// Pipeline's label.
    pub pipeline_label: String,
    /// Stage id.
    pub id: String,
    /// Stage's label.
    pub label: String,
    /// Position within the pipeline.
    pub position: i64,
    /// Deals here are closed.
    pub closed: bool,
    /// Probability of winning, 0 to 1.
    pub probability: f64,
}
