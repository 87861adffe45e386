//! Stage 6, publish: rows, links, ledger and checkpoint of a page in one durable transaction.
//!
//! The index is not written here: it follows the ledger (`knowledge`), which is why nothing can be in the
//! index that is not in the store. Pages that wait together share a transaction.

use super::announce::{self, News};
use super::copies::{self, Changed};
use super::distill::Distilled;
use super::fetch::Records;
use super::threads::domain_of;
use crate::domain::clock::Millis;
use crate::domain::crm::{Contact, Record, RecordType};
use crate::domain::engagement::{Decision, Kind};
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::domain::insight::Insight;
use crate::hubspot::wire::Malformed;
use crate::store::checkpoints::{self, Checkpoint};
use crate::store::conn::Conn;
use crate::store::crm::{self, Stored, Tenant};
use crate::store::due::{self, Task};
use crate::store::insights::{self, Chains, Retired};
use crate::store::{Store, StoreError, boilerplate, connections, engagements, erasure, rules, runs};

/// What is to be stored of one page.
#[derive(Debug)]
pub enum Content {
    /// Contacts, companies or deals, straight from fetch: they have no body to work on.
    Crm(Records),
    /// Engagements that went through every stage.
    Engagements(Vec<Distilled>),
}

impl Content {
    /// A record with that id is among them.
    fn holds(&self, id: &str) -> bool {
        match self {
            Self::Crm(Records::Contacts(records)) => records.iter().any(|one| one.id == id),
            Self::Crm(Records::Companies(records)) => records.iter().any(|one| one.id == id),
            Self::Crm(Records::Deals(records)) => records.iter().any(|one| one.id == id),
            Self::Crm(Records::Engagements(records)) => records.iter().any(|one| one.id == id),
            Self::Engagements(records) => records.iter().any(|one| one.engagement.raw.id == id),
        }
    }
}

/// One page on its way into the store.
#[derive(Debug)]
pub struct PageToStore {
    /// Its type.
    pub record_type: RecordType,
    /// Its records.
    pub content: Content,
    /// Records that could not be read.
    pub malformed: Vec<Malformed>,
    /// Cursor of the page after it.
    pub next: Option<String>,
    /// What brought it here.
    pub origin: Origin,
    /// Number of the rules its engagements were judged by.
    pub revision: Option<i64>,
}

/// What brought a page here.
#[derive(Debug, Clone)]
pub enum Origin {
    /// A run, which keeps a checkpoint of every type.
    Run(RunStamp),
    /// Webhooks told of its records. What runs have read is not touched by it.
    Webhook,
}

impl Origin {
    /// What it stores for the first time is new in HubSpot, not only here: a person may want to be told.
    #[must_use]
    pub fn brings_news(&self) -> bool {
        match self {
            Self::Run(run) => run.follows_news,
            Self::Webhook => true,
        }
    }
}

/// The run a page belongs to.
#[derive(Debug, Clone)]
pub struct RunStamp {
    /// Run id.
    pub id: String,
    /// Mode of the run.
    pub mode: &'static str,
    /// Start of the run: what is known to be complete once it ends.
    pub started_at: Millis,
    /// The end of a type means that every change up to the start of the run is stored.
    pub covers_changes: bool,
    /// It only asks HubSpot for what is new or changed since the run before.
    pub follows_news: bool,
}

/// What happened to the records of a page.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    /// Records read.
    pub fetched: u64,
    /// New or changed rows.
    pub stored: u64,
    /// Rows that were as before.
    pub unchanged: u64,
    /// Records parked with a reason.
    pub failed: u64,
}

impl Tally {
    fn count(&mut self, stored: Stored) {
        self.fetched += 1;
        match stored {
            Stored::New | Stored::Changed => self.stored += 1,
            Stored::Unchanged => self.unchanged += 1,
        }
    }
}

/// Whose pages are stored.
#[derive(Debug, Clone)]
pub struct Owner {
    /// Organisation.
    pub org: OrgId,
    /// Portal.
    pub portal: PortalId,
}

/// Stores pages in the order given, all or none; answers the checkpoint of each that belongs to a run. What is new and
/// not older than `news_age_ms` may be told to people.
pub fn pages(
    store: &Store,
    owner: &Owner,
    now: Millis,
    news_age_ms: i64,
    pages: Vec<PageToStore>,
) -> Result<Vec<Checkpoint>, StoreError> {
    let owner = owner.clone();
    store.write(move |conn| {
        let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
        connections::refuse_other(conn, &owner.org, owner.portal)?;
        let mut points = checkpoints::list(conn, &owner.org, owner.portal)?;
        let mut effects = Effects { news_age_ms, ..Effects::at(rules::revision(conn, &owner.org)?) };
        let points = pages.into_iter().map(|page| one_page(conn, tenant, &mut points, page, &mut effects));
        let points = points.collect::<Result<Vec<_>, _>>()?;
        effects.settle(conn, tenant)?;
        Ok(points.into_iter().flatten().collect())
    })
}

/// Stores engagements that were read from the store and went down the street again. What was written meanwhile by
/// somebody else is left as it is and queued.
pub fn again(
    store: &Store,
    owner: &Owner,
    now: Millis,
    revision: i64,
    mut engagements: Vec<Distilled>,
) -> Result<(), StoreError> {
    let owner = owner.clone();
    store.write(move |conn| {
        let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
        let mut effects = Effects::at(rules::revision(conn, &owner.org)?);
        for one in &mut engagements {
            let document = document_of(tenant, one);
            let known = engagements::get_seq(conn, tenant.org, &document)?;
            match (known, one.engagement.raw.reread) {
                (Some(known), Some(read)) if known == read => {
                    due::done(conn, tenant.org, &document, Task::Judge)?;
                    due::done(conn, tenant.org, &document, Task::Distil)?;
                    engagement(conn, tenant, one, Some(revision), &mut effects)?;
                }
                (Some(_), _) => due::add(conn, tenant.org, &document, Task::Judge)?,
                (None, _) => due::done(conn, tenant.org, &document, Task::Judge)?,
            }
        }
        effects.settle(conn, tenant)
    })
}

/// Stores insights that were distilled again from stored text. What was written meanwhile is queued.
pub fn insights_again(
    store: &Store,
    owner: &Owner,
    now: Millis,
    distilled: Vec<(DocumentId, u64, Vec<Insight>)>,
) -> Result<(), StoreError> {
    let owner = owner.clone();
    store.write(move |conn| {
        let tenant = Tenant { org: &owner.org, portal: owner.portal, now };
        let mut chains = Chains::default();
        for (document, read, insights) in &distilled {
            match engagements::get_seq(conn, tenant.org, document)? {
                Some(seq) if seq == *read => {
                    insights::replace(conn, tenant, document, insights, Retired::Changed, &mut chains)?;
                }
                Some(_) => due::add(conn, tenant.org, document, Task::Judge)?,
                None => {}
            }
        }
        chains.settle(conn, tenant.org, tenant.portal)
    })
}

/// What a transaction changes beyond the rows it stores; settled once at its end.
#[derive(Debug)]
struct Effects {
    /// Number of the rules in force.
    revision: i64,
    changed: Changed,
    chains: Chains,
    /// The age up to which what is new is news.
    news_age_ms: i64,
    /// What of the page that is being stored is news, if anything.
    news: Option<News>,
}

impl Effects {
    fn at(revision: i64) -> Self {
        Self { revision, changed: Changed::default(), chains: Chains::default(), news_age_ms: 0, news: None }
    }

    fn settle(self, conn: &mut dyn Conn, tenant: Tenant<'_>) -> Result<(), StoreError> {
        self.changed.publish(conn, tenant)?;
        self.chains.settle(conn, tenant.org, tenant.portal)
    }
}

fn document_of(tenant: Tenant<'_>, distilled: &Distilled) -> DocumentId {
    let raw = &distilled.engagement.raw;
    DocumentId { portal: tenant.portal, kind: raw.kind, id: raw.id.clone() }
}

fn one_page(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    points: &mut Vec<Checkpoint>,
    mut page: PageToStore,
    effects: &mut Effects,
) -> Result<Option<Checkpoint>, StoreError> {
    let mut tally = Tally::default();
    effects.news = News::of(conn, tenant, &page.origin, page.record_type, effects.news_age_ms)?;
    records(conn, tenant, &mut page.content, page.revision, &mut tally, effects)?;
    unpark(conn, tenant, &page)?;
    for bad in &page.malformed {
        let id = bad.id.as_deref().unwrap_or("unknown");
        runs::park(conn, tenant, page.record_type.as_str(), id, &bad.reason)?;
        tally.fetched += 1;
        tally.failed += 1;
    }
    let Origin::Run(run) = &page.origin else { return Ok(None) };
    let at = position(points, page.record_type, run);
    let point = &mut points[at];
    point.after.clone_from(&page.next);
    point.finished = page.next.is_none();
    point.fetched += tally.fetched;
    point.stored += tally.stored;
    point.unchanged += tally.unchanged;
    point.failed += tally.failed;
    checkpoints::put(conn, tenant.org, tenant.portal, point)?;
    if point.finished && run.covers_changes {
        checkpoints::set_watermark(conn, tenant.org, tenant.portal, &point.record_type, point.high_water)?;
    }
    Ok(Some(point.clone()))
}

/// Records that could be read this time no longer wait for a repair.
fn unpark(conn: &mut dyn Conn, tenant: Tenant<'_>, page: &PageToStore) -> Result<(), StoreError> {
    let name = page.record_type.as_str();
    let parked = runs::parked(conn, tenant.org, tenant.portal, name)?;
    for id in parked.iter().filter(|id| page.content.holds(id)) {
        runs::unpark(conn, tenant, name, id)?;
    }
    Ok(())
}

/// The checkpoint of the page's type; a fresh one where the stored one belongs to an earlier run.
fn position(points: &mut Vec<Checkpoint>, record_type: RecordType, run: &RunStamp) -> usize {
    let name = record_type.as_str();
    let fresh = || Checkpoint {
        record_type: name.to_owned(),
        run: run.id.clone(),
        mode: run.mode.to_owned(),
        after: None,
        finished: false,
        high_water: run.started_at,
        fetched: 0,
        stored: 0,
        unchanged: 0,
        failed: 0,
    };
    let at = points.iter().position(|point| point.record_type == name).unwrap_or_else(|| {
        points.push(fresh());
        points.len() - 1
    });
    if points[at].run != run.id {
        points[at] = fresh();
    }
    at
}

/// Contacts that were not erased here: a page read before an erasure must not bring anybody back.
fn without_erased<'a>(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    contacts: &'a mut Vec<Record<Contact>>,
) -> Result<&'a [Record<Contact>], StoreError> {
    if erasure::any(conn, tenant.org, tenant.portal)? {
        let erased = |one: &Record<Contact>| erasure::is_erased(conn, tenant.org, tenant.portal, &one.id);
        let erased: Vec<bool> = contacts.iter().map(erased).collect::<Result<_, _>>()?;
        let mut erased = erased.into_iter();
        contacts.retain(|_| !erased.next().unwrap_or(false));
    }
    Ok(contacts)
}

fn records(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    content: &mut Content,
    revision: Option<i64>,
    tally: &mut Tally,
    effects: &mut Effects,
) -> Result<(), StoreError> {
    match content {
        Content::Crm(Records::Contacts(records)) => without_erased(conn, tenant, records)?
            .iter()
            .try_for_each(|one| crm::put_contact(conn, tenant, one).map(|stored| tally.count(stored))),
        Content::Crm(Records::Companies(records)) => records
            .iter()
            .try_for_each(|one| crm::put_company(conn, tenant, one).map(|stored| tally.count(stored))),
        Content::Crm(Records::Deals(records)) => records
            .iter()
            .try_for_each(|one| crm::put_deal(conn, tenant, one).map(|stored| tally.count(stored))),
        // Raw engagements never come here: `Content` is built by the run, which sends them down the street.
        Content::Crm(Records::Engagements(_)) => Ok(()),
        Content::Engagements(records) => records.iter_mut().try_for_each(|one| {
            tally.count(engagement(conn, tenant, one, revision, effects)?);
            Ok(())
        }),
    }
}

/// Stores one engagement with everything that hangs on it: copies, the decision, insights.
fn engagement(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    one: &mut Distilled,
    revision: Option<i64>,
    effects: &mut Effects,
) -> Result<Stored, StoreError> {
    let document = document_of(tenant, one);
    // HubSpot goes on listing what an erased person once typed in; it stays empty here.
    if document.kind == Kind::FormSubmission && erasure::keeps_empty(conn, tenant, &document)? {
        return Ok(Stored::Unchanged);
    }
    // What the rules say; a copy of a mail is not indexed, but its customer was told what it says.
    let ruled = one.engagement.decision.clone();
    let may_be_news = match effects.news {
        Some(news) => news.may_hold(conn, tenant, &document, one)?,
        None => false,
    };
    copies::settle(conn, tenant, &mut one.engagement, one.fingerprint.as_deref())?;
    let stored = engagements::put(conn, tenant, &one.engagement)?;
    if stored.is_written()
        && let Some(domain) = domain_of(&one.engagement.raw)
    {
        boilerplate::put_tail(conn, tenant, &one.engagement.raw.id, &domain, &one.tail)?;
    }
    if stored.is_written() || one.engagement.ruling.is_some() {
        rules::put_decision(conn, tenant, &document, &ruled, one.engagement.ruling.as_ref())?;
    }
    let why = if ruled == Decision::Learned { Retired::Changed } else { Retired::Skipped };
    let replace = if stored.is_written() { insights::replace_of_changed } else { insights::replace };
    replace(conn, tenant, &document, &one.insights, why, &mut effects.chains)?;
    if revision != Some(effects.revision) {
        // The rules changed after this was judged: once more, by the new ones.
        due::add(conn, tenant.org, &document, Task::Judge)?;
    }
    if stored.is_written() {
        effects.changed.note(conn, tenant, &one.engagement)?;
    }
    if may_be_news && stored == Stored::New {
        announce::queue(conn, tenant, &document, &ruled)?;
    }
    Ok(stored)
}
