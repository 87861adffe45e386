//! Stage 1, fetch: pages of one record type from HubSpot, in order, from a checkpoint to the end.
//!
//! The end is the absence of a next cursor, never a short page. Nothing is interpreted here.

use crate::domain::crm::{Company, Contact, Deal, Record, RecordType};
use crate::domain::engagement::{Kind, RawEngagement};
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::hubspot::forms::Form;
use crate::hubspot::wire::{Malformed, Page};
use crate::hubspot::{engagements, forms, objects};

/// Records of one page, typed.
#[derive(Debug)]
pub enum Records {
    /// Contacts.
    Contacts(Vec<Record<Contact>>),
    /// Companies.
    Companies(Vec<Record<Company>>),
    /// Deals.
    Deals(Vec<Record<Deal>>),
    /// Engagements of one kind.
    Engagements(Vec<RawEngagement>),
}

/// One page as fetched.
#[derive(Debug)]
pub struct Fetched {
    /// Readable records.
    pub records: Records,
    /// Records that could not be read; they are parked, never lost.
    pub malformed: Vec<Malformed>,
    /// Cursor of the next page; `None` at the end.
    pub next: Option<String>,
}

impl Fetched {
    fn new<T>(page: Page<T>, records: impl FnOnce(Vec<T>) -> Records) -> Self {
        Self { records: records(page.records), malformed: page.malformed, next: page.next }
    }
}

/// Reads the pages of one record type.
#[derive(Debug)]
pub struct Reader {
    client: Client,
    record_type: RecordType,
    forms: Vec<Form>,
}

impl Reader {
    /// Prepares to read a type.
    pub async fn open(client: Client, record_type: RecordType) -> Result<Self, HubspotError> {
        let forms = match record_type {
            RecordType::Engagement(Kind::FormSubmission) => forms::all(&client).await?,
            _ => Vec::new(),
        };
        Ok(Self { client, record_type, forms })
    }

    /// The page behind `after`, or the first one.
    pub async fn page(&self, after: Option<&str>) -> Result<Fetched, HubspotError> {
        let client = &self.client;
        Ok(match self.record_type {
            RecordType::Contacts => Fetched::new(objects::contacts(client, after).await?, Records::Contacts),
            RecordType::Companies => {
                Fetched::new(objects::companies(client, after).await?, Records::Companies)
            }
            RecordType::Deals => Fetched::new(objects::deals(client, after).await?, Records::Deals),
            RecordType::Engagement(Kind::FormSubmission) => {
                Fetched::new(forms::page(client, &self.forms, after).await?, Records::Engagements)
            }
            RecordType::Engagement(kind) => {
                Fetched::new(engagements::page(client, kind, after).await?, Records::Engagements)
            }
        })
    }
}
