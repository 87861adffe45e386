//! Stage 1, fetch: pages of one record type from HubSpot, in order, from a checkpoint to the end.
//!
//! Either the whole list or what changed in a span of time. The end is the absence of a next cursor, never a
//! short page. Nothing is interpreted here.

use std::collections::{BTreeSet, VecDeque};

use crate::domain::clock::Millis;
use crate::domain::crm::{Company, Contact, Deal, Record, RecordType};
use crate::domain::engagement::{Kind, RawEngagement};
use crate::hubspot::changes::Changes;
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::hubspot::forms::Form;
use crate::hubspot::objects::Which;
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

/// What to read of a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Span {
    /// Every record.
    Everything,
    /// Only the records named besides.
    Named,
    /// Records that changed from `since` to `until`, both included.
    Changes {
        /// Start.
        since: Millis,
        /// End.
        until: Millis,
    },
}

/// Records read at once when only some are wanted: the most that one call for associations takes.
const IDS_AT_ONCE: usize = 1_000;

/// Reads the pages of one record type.
#[derive(Debug)]
pub struct Reader {
    client: Client,
    record_type: RecordType,
    source: Source,
}

#[derive(Debug)]
enum Source {
    List,
    Forms { forms: Vec<Form>, since: Option<Millis> },
    Named(VecDeque<String>),
    Changes { changes: Changes, ids: VecDeque<String>, next: Option<Millis>, now_at: Millis },
}

impl Reader {
    /// Prepares to read a type; `after` is the cursor of a checkpoint to go on from, `again` names records to
    /// read besides the ones that changed.
    pub async fn open(
        client: Client,
        record_type: RecordType,
        span: Span,
        after: Option<&str>,
        again: Vec<String>,
    ) -> Result<Self, HubspotError> {
        let source = match (record_type, span) {
            (RecordType::Engagement(Kind::FormSubmission), span) => {
                let since = match span {
                    Span::Everything | Span::Named => None,
                    Span::Changes { since, .. } => Some(since),
                };
                Source::Forms { forms: forms::all(&client).await?, since }
            }
            (_, Span::Named) => Source::Named(VecDeque::from(again)),
            (_, Span::Everything) => Source::List,
            (_, Span::Changes { since, until }) => {
                let from = after.and_then(Millis::parse).unwrap_or(since);
                let changes = Changes::between(client.clone(), record_type, from, until);
                Source::Changes { changes, ids: VecDeque::from(again), next: Some(from), now_at: from }
            }
        };
        Ok(Self { client, record_type, source })
    }

    /// How many records there will be, as far as HubSpot can say.
    pub async fn expected(&self) -> Option<u64> {
        match &self.source {
            Source::List => objects::count(&self.client, self.record_type).await.ok(),
            Source::Forms { .. } => None,
            Source::Named(ids) => Some(ids.len() as u64),
            Source::Changes { changes, .. } => changes.total().await.ok(),
        }
    }

    /// The page behind `after`, or the first one.
    pub async fn page(&mut self, after: Option<&str>) -> Result<Fetched, HubspotError> {
        match &mut self.source {
            Source::List => read(&self.client, self.record_type, Which::After(after)).await,
            Source::Forms { forms, since } => {
                let page = forms::page(&self.client, forms, *since, after).await?;
                Ok(Fetched::new(page, Records::Engagements))
            }
            Source::Named(ids) => {
                let taken: Vec<String> = ids.drain(..ids.len().min(IDS_AT_ONCE)).collect();
                let mut fetched = read(&self.client, self.record_type, Which::Ids(&taken)).await?;
                fetched.next = ids.front().cloned();
                Ok(fetched)
            }
            Source::Changes { .. } => self.changed().await,
        }
    }

    /// The next changed records. The cursor of a checkpoint is the moment before which everything is stored:
    /// windows are read oldest first, so reading on from there repeats little and misses nothing.
    async fn changed(&mut self) -> Result<Fetched, HubspotError> {
        let Source::Changes { changes, ids, next, now_at } = &mut self.source else {
            return Ok(Fetched {
                records: Records::Engagements(Vec::new()),
                malformed: Vec::new(),
                next: None,
            });
        };
        while ids.len() < IDS_AT_ONCE && next.is_some() {
            let Some(window) = changes.next().await? else {
                *next = None;
                break;
            };
            if ids.is_empty() {
                *now_at = next.unwrap_or(*now_at);
            }
            ids.extend(window.ids);
            *next = window.next;
        }
        // Windows may overlap where HubSpot orders ids in a way of its own.
        let taken: BTreeSet<String> = ids.drain(..ids.len().min(IDS_AT_ONCE)).collect();
        let taken: Vec<String> = taken.into_iter().collect();
        let resume = if ids.is_empty() { *next } else { Some(*now_at) };
        let mut fetched = read(&self.client, self.record_type, Which::Ids(&taken)).await?;
        fetched.next = resume.map(|at| at.0.to_string());
        Ok(fetched)
    }
}

async fn read(client: &Client, record_type: RecordType, which: Which<'_>) -> Result<Fetched, HubspotError> {
    Ok(match record_type {
        RecordType::Contacts => Fetched::new(objects::contacts(client, which).await?, Records::Contacts),
        RecordType::Companies => Fetched::new(objects::companies(client, which).await?, Records::Companies),
        RecordType::Deals => Fetched::new(objects::deals(client, which).await?, Records::Deals),
        RecordType::Engagement(kind) => {
            Fetched::new(engagements::page(client, kind, which).await?, Records::Engagements)
        }
    })
}
