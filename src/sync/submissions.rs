//! Comparing form submissions with HubSpot, which neither counts them nor finds one by id.
//!
//! Each form is read from its newest submission on, once a day a bounded number of pages, on request all of them.
//! What is not stored is stored; what is stored and not in the list is looked for a second time, because a list may
//! move while it is read, and then removed. Older submissions than were read are not judged.

use std::collections::BTreeSet;

use super::SyncError;
use super::reconcile::{Comparison, SEARCH_LAG_MS};
use super::run::Running;
use crate::domain::clock::Millis;
use crate::domain::crm::RecordType;
use crate::domain::engagement::{Kind, RawEngagement};
use crate::hubspot::forms::{self, Form};
use crate::pipeline::fetch::{Fetched, Records};
use crate::store::conn::Conn;
use crate::store::times::{self, Of};
use crate::store::{StoreError, due, engagements};

const TYPE: RecordType = RecordType::Engagement(Kind::FormSubmission);
/// Pages of 50 submissions that a daily comparison reads at most, all forms together, but one of each at least.
const DAILY_PAGES: usize = 200;
/// Submissions that are looked up and stored at once.
const AT_ONCE: usize = 1_000;

/// What the list of one form holds, newest first, as far as it was read.
#[derive(Debug, Default)]
struct Listed {
    /// Ids of those that are old enough to be compared.
    ids: BTreeSet<String>,
    /// Everything since this moment was read.
    since: Millis,
    missing: Vec<RawEngagement>,
}

impl Running<'_> {
    /// Compares the submissions of every form and repairs what differs.
    pub(super) async fn compare_submissions(&self) -> Result<Comparison, SyncError> {
        let forms = forms::all(&self.client).await?;
        let pages = if self.wish.reconcile { usize::MAX } else { (DAILY_PAGES / forms.len().max(1)).max(1) };
        let mut comparison = Comparison::default();
        for form in &forms {
            self.compare_form(form, pages, &mut comparison).await?;
        }
        self.tie_late()?;
        Ok(comparison)
    }

    /// A contact may come, or get an address, long after somebody filled in a form with that address.
    fn tie_late(&self) -> Result<(), StoreError> {
        let owner = self.owner.clone();
        let queue = move |conn: &mut dyn Conn| due::add_tieable(conn, &owner.org, owner.portal);
        self.syncer.store.write(queue)
    }

    async fn compare_form(&self, form: &Form, pages: usize, into: &mut Comparison) -> Result<(), SyncError> {
        let through = self.stamp.started_at.plus(-SEARCH_LAG_MS);
        let listed = self.list(form, pages, through, into).await?;
        let (org, portal) = (&self.owner.org, self.owner.portal);
        let range = (listed.since, through);
        let ours: Vec<(String, Millis)> =
            self.syncer.store.read(|conn| engagements::submissions(conn, org, portal, form.id(), range))?;
        into.hubspot += listed.ids.len() as u64;
        into.here += ours.len() as u64;
        for (_, at) in &ours {
            into.month(*at).here += 1;
        }
        let missing: Vec<String> = listed.missing.iter().map(|one| one.id.clone()).collect();
        into.missing.add(missing.iter());
        self.store_submissions(listed.missing).await?;
        let mut surplus: Vec<String> =
            ours.into_iter().map(|(id, _)| id).filter(|id| !listed.ids.contains(id)).collect();
        if !surplus.is_empty() {
            let again = self.list(form, pages, through, &mut Comparison::default()).await?;
            surplus.retain(|id| !again.ids.contains(id));
        }
        into.surplus.add(surplus.iter());
        let removed = self.deletions().remove(TYPE, surplus, self.syncer.clock.now())?;
        self.count_removed(TYPE, removed);
        Ok(())
    }

    /// Reads the list of a form from its newest submission on.
    async fn list(
        &self,
        form: &Form,
        pages: usize,
        through: Millis,
        into: &mut Comparison,
    ) -> Result<Listed, SyncError> {
        let one = std::slice::from_ref(form);
        let (mut listed, mut after) = (Listed::default(), None::<String>);
        for _ in 0..pages {
            let page = forms::page(&self.client, one, None, after.as_deref()).await?;
            let oldest = page.records.iter().map(|one| one.created_at).min();
            let old_enough = page.records.into_iter().filter(|one| one.created_at <= through);
            for one in old_enough.collect::<Vec<_>>() {
                if listed.ids.insert(one.id.clone()) {
                    into.month(one.created_at).hubspot += 1;
                    self.note_if_missing(one, &mut listed)?;
                }
            }
            after = page.next;
            if after.is_none() {
                listed.since = Millis(0);
                return Ok(listed);
            }
            // Of the oldest moment some may be on the page that is not read.
            listed.since = oldest.map_or(listed.since, |at| at.plus(1));
        }
        Ok(listed)
    }

    fn note_if_missing(&self, one: RawEngagement, listed: &mut Listed) -> Result<(), StoreError> {
        let of = Of { org: &self.owner.org, portal: self.owner.portal, record_type: TYPE };
        let known: Option<Millis> = self.syncer.store.read(|conn| times::last_change(conn, of, &one.id))?;
        if known.is_none() {
            listed.missing.push(one);
        }
        Ok(())
    }

    async fn store_submissions(&self, mut missing: Vec<RawEngagement>) -> Result<(), SyncError> {
        if missing.is_empty() {
            return Ok(());
        }
        let street = self.street();
        let entrance = street.entrance();
        while !missing.is_empty() {
            let rest = missing.split_off(missing.len().min(AT_ONCE));
            let records = Records::Engagements(std::mem::replace(&mut missing, rest));
            let page = Fetched { records, malformed: Vec::new(), next: None, gone: Vec::new() };
            if entrance.send(TYPE, page, self.origin(TYPE)).await.is_err() {
                break;
            }
        }
        drop(entrance);
        Ok(street.finish().await?)
    }
}
