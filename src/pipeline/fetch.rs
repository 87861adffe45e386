//! Stage 1, fetch: pages of one record type from HubSpot, from a checkpoint to the end.
//!
//! Either the whole list (several places of it at once, see `listing`), what changed in a span of time, or
//! records named one by one. The end is the absence of a next cursor, never a short page. Of what a search
//! names, only records are read that are not stored as they are. Nothing is interpreted here.

use std::collections::{BTreeSet, VecDeque};
use std::sync::Arc;

use super::listing::{Listing, Places};
use super::publish::Owner;
use crate::domain::clock::Millis;
use crate::domain::crm::{Company, Contact, Deal, Record, RecordType};
use crate::domain::engagement::{Kind, RawEngagement};
use crate::hubspot::changes::{Axis, Changes, Named};
use crate::hubspot::client::Client;
use crate::hubspot::error::HubspotError;
use crate::hubspot::forms::Form;
use crate::hubspot::objects::Which;
use crate::hubspot::wire::{Malformed, Page};
use crate::hubspot::{engagements, forms, objects};
use crate::store::times::{self, Of};
use crate::store::{Store, StoreError};

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
    /// Ids that were asked for and do not exist.
    pub gone: Vec<String>,
}

impl Fetched {
    fn new<T>(page: Page<T>, records: impl FnOnce(Vec<T>) -> Records) -> Self {
        Self { records: records(page.records), malformed: page.malformed, next: page.next, gone: page.gone }
    }

    /// An empty page at the end.
    pub(super) fn nothing() -> Self {
        Self::new(Page::default(), Records::Engagements)
    }

    /// The engagements on the page; none where it holds other records.
    #[must_use]
    pub fn engagements(&self) -> &[RawEngagement] {
        match &self.records {
            Records::Engagements(records) => records,
            _ => &[],
        }
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
/// Fewer changes than this are never read as a list.
const FEW: u64 = 1_000;

/// Records to read besides the ones that changed.
#[derive(Debug, Default)]
pub struct Besides {
    /// Could not be read before.
    pub repair: Vec<String>,
    /// Are known to differ, or to be missing here.
    pub named: Vec<String>,
}

impl Besides {
    /// Further records, each once.
    pub fn add(&mut self, ids: Vec<String>) {
        let known: BTreeSet<String> = self.repair.iter().chain(&self.named).cloned().collect();
        self.named.extend(ids.into_iter().filter(|id| !known.contains(id)));
    }
}

/// What reading a type needs.
#[derive(Debug, Clone)]
pub struct Source {
    /// The portal.
    pub client: Client,
    /// What is stored already.
    pub store: Store,
    /// Whose it is.
    pub owner: Owner,
    /// Type.
    pub record_type: RecordType,
    /// Names of further properties to read.
    pub properties: Arc<[String]>,
    /// Places for requests of lists that are under way at once, shared by all types.
    pub places: Arc<Places>,
}

impl Source {
    fn of(&self) -> Of<'_> {
        Of { org: &self.owner.org, portal: self.owner.portal, record_type: self.record_type }
    }

    /// Those of `named` that are not stored, or only as they were before their last change.
    fn outdated(&self, named: Vec<Named>) -> Result<Vec<String>, StoreError> {
        self.store.read(|conn| {
            let mut outdated = Vec::new();
            for one in named {
                if times::is_outdated(conn, self.of(), &one.id, one.changed_at)? {
                    outdated.push(one.id);
                }
            }
            Ok(outdated)
        })
    }
}

/// Why a page could not be had.
#[derive(Debug, Clone, thiserror::Error)]
pub enum FetchError {
    /// HubSpot.
    #[error(transparent)]
    Hubspot(#[from] HubspotError),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Reads the pages of one record type.
#[derive(Debug)]
pub struct Reader {
    source: Source,
    besides: Besides,
    way: Way,
}

#[derive(Debug)]
enum Way {
    List(Listing),
    Forms { forms: Vec<Form>, since: Option<Millis> },
    Named,
    Changes(Box<Walk>),
}

/// A walk through windows of changes, oldest first.
#[derive(Debug)]
struct Walk {
    changes: Changes,
    ids: VecDeque<String>,
    next: Option<Millis>,
    now_at: Millis,
}

impl Reader {
    /// Prepares to read a type; `after` is the cursor of a checkpoint to go on from.
    pub async fn open(
        source: Source,
        span: Span,
        after: Option<&str>,
        besides: Besides,
    ) -> Result<Self, FetchError> {
        let way = match (source.record_type, span) {
            (RecordType::Engagement(Kind::FormSubmission), span) => {
                let since = match span {
                    Span::Everything | Span::Named => None,
                    Span::Changes { since, .. } => Some(since),
                };
                Way::Forms { forms: forms::all(&source.client).await?, since }
            }
            (_, Span::Named) => Way::Named,
            (_, Span::Everything) => Way::List(Listing::open(&source, after).await),
            (_, Span::Changes { .. }) if after.is_some_and(Listing::is_cursor) => {
                Way::List(Listing::open(&source, after).await)
            }
            (_, Span::Changes { since, until }) => {
                let from = after.and_then(Millis::parse).unwrap_or(since);
                let changes =
                    Changes::between(source.client.clone(), source.record_type, Axis::Changed, from, until);
                Way::changes_or_list(&source, changes, from).await?
            }
        };
        // Submissions cannot be asked for by id.
        let besides = if matches!(way, Way::Forms { .. }) { Besides::default() } else { besides };
        Ok(Self { source, besides, way })
    }

    /// How many records there will be, as far as HubSpot can say.
    pub async fn expected(&mut self) -> Option<u64> {
        match &mut self.way {
            Way::List(listing) => listing.expected(),
            Way::Forms { .. } => None,
            Way::Named => Some((self.besides.named.len() + self.besides.repair.len()) as u64),
            Way::Changes(walk) => walk.changes.total().await.ok(),
        }
    }

    /// Every request of the rest is under way: what is read next may begin. Known of lists only.
    #[must_use]
    pub fn is_planned(&self) -> bool {
        matches!(&self.way, Way::List(listing) if listing.is_planned())
    }

    /// The page behind `after`, or the first one.
    pub async fn page(&mut self, after: Option<&str>) -> Result<Fetched, FetchError> {
        if let Some(page) = self.besides(after).await? {
            return Ok(page);
        }
        match &mut self.way {
            Way::List(listing) => Ok(listing.page(&self.source).await?),
            Way::Forms { forms, since } => {
                let page = forms::page(&self.source.client, forms, *since, after).await?;
                Ok(Fetched::new(page, Records::Engagements))
            }
            Way::Named => Ok(Fetched::nothing()),
            Way::Changes(walk) => walk.page(&self.source).await,
        }
    }

    /// Records named besides come first, while the cursor stays where it is.
    async fn besides(&mut self, after: Option<&str>) -> Result<Option<Fetched>, FetchError> {
        let Besides { repair, named } = &mut self.besides;
        let asked: Vec<String>;
        let which = if !repair.is_empty() {
            asked = repair.drain(..repair.len().min(IDS_AT_ONCE)).collect();
            Which::Repair(&asked)
        } else if !named.is_empty() {
            asked = named.drain(..named.len().min(IDS_AT_ONCE)).collect();
            Which::Ids(&asked)
        } else {
            return Ok(None);
        };
        let mut page = read(&self.source, which).await?;
        let ends = matches!(self.way, Way::Named) && repair.is_empty() && named.is_empty();
        page.next = (!ends).then(|| after.unwrap_or_default().to_owned());
        Ok(Some(page))
    }
}

impl Way {
    /// When most has changed, the list costs fewer requests than searching and reading by id.
    async fn changes_or_list(
        source: &Source,
        mut changes: Changes,
        from: Millis,
    ) -> Result<Self, FetchError> {
        let changed = changes.total().await?;
        if changed > FEW {
            let stored = source.store.read(|conn| times::stored(conn, source.of()))?;
            if by_id_costs(source.record_type, changed) > stored.max(changed).div_ceil(100) {
                return Ok(Self::List(Listing::open(source, None).await));
            }
        }
        Ok(Self::Changes(Box::new(Walk { changes, ids: VecDeque::new(), next: Some(from), now_at: from })))
    }
}

/// Requests for reading so many changed records: search pages, batches, associations.
fn by_id_costs(record_type: RecordType, changed: u64) -> u64 {
    let targets = match record_type {
        RecordType::Companies => 0,
        RecordType::Contacts => 1,
        RecordType::Deals => 2,
        RecordType::Engagement(_) => 3,
    };
    changed.div_ceil(200) + changed.div_ceil(100) + targets * changed.div_ceil(1_000)
}

impl Walk {
    /// The next changed records. The cursor of a checkpoint is the moment before which everything is stored:
    /// windows are read oldest first, so reading on from there repeats little and misses nothing.
    async fn page(&mut self, source: &Source) -> Result<Fetched, FetchError> {
        while self.ids.len() < IDS_AT_ONCE && self.next.is_some() {
            let Some(window) = self.changes.next().await? else {
                self.next = None;
                break;
            };
            if self.ids.is_empty() {
                self.now_at = self.next.unwrap_or(self.now_at);
            }
            self.ids.extend(source.outdated(window.records)?);
            self.next = window.next;
        }
        // Windows may overlap where HubSpot orders ids in a way of its own.
        let taken: BTreeSet<String> = self.ids.drain(..self.ids.len().min(IDS_AT_ONCE)).collect();
        let taken: Vec<String> = taken.into_iter().collect();
        let resume = if self.ids.is_empty() { self.next } else { Some(self.now_at) };
        let mut fetched = read(source, Which::Ids(&taken)).await?;
        fetched.next = resume.map(|at| at.0.to_string());
        Ok(fetched)
    }
}

/// Reads one page.
pub async fn read(source: &Source, which: Which<'_>) -> Result<Fetched, HubspotError> {
    let Source { client, properties: further, record_type, .. } = source;
    Ok(match record_type {
        RecordType::Contacts => {
            Fetched::new(objects::contacts(client, further, which).await?, Records::Contacts)
        }
        RecordType::Companies => {
            Fetched::new(objects::companies(client, further, which).await?, Records::Companies)
        }
        RecordType::Deals => Fetched::new(objects::deals(client, further, which).await?, Records::Deals),
        RecordType::Engagement(kind) => {
            Fetched::new(engagements::page(client, *kind, which).await?, Records::Engagements)
        }
    })
}
