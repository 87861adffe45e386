//! Rules and distillation applied to what is stored, without HubSpot: dry runs, re-application, and what is due.
//!
//! A dry run and an application read and judge the same rows by the same code, so their numbers are equal. What changes
//! goes down the same street as what is fetched. Rows that somebody else writes meanwhile are left to him and queued.

use std::sync::Arc;
use std::sync::mpsc::sync_channel;

use rayon::prelude::*;
use serde::Serialize;

use super::associate::{self, LinkedEngagement};
use super::distill::{self, Distilled};
use super::normalize::Around;
use super::parties::Parties;
use super::policy::InForce;
use super::publish::{self, Owner};
use super::threads::Threads;
use super::{Settings, filter, normalize, spoken};
use crate::domain::clock::Clock;
use crate::domain::engagement::{Decision, RawEngagement};
use crate::domain::ids::DocumentId;
use crate::domain::insight::Insight;
use crate::domain::rule::Ruling;
use crate::hubspot::engagements::complete;
use crate::insights::{Distillation, Learned, Party};
use crate::rules::source::Source;
use crate::store::crm::Tenant;
use crate::store::due::{self, Task};
use crate::store::insights::{self, StoredInsight};
use crate::store::reread::{self, Fetched, Key, Readable};
use crate::store::{Store, StoreError, boilerplate, meta, rules};
use crate::text;

/// Rows read at once.
const PAGE: i64 = 1_000;
/// Rows distilled at once: reading, distilling and writing overlap.
const DISTILLED_AT_ONCE: i64 = 4_000;
/// Samples shown of each sort of change.
const SAMPLES: usize = 5;
/// Rounds over the queue: what somebody writes meanwhile comes back, but not for ever.
const ROUNDS: usize = 10_000;

/// What applying rules to stored engagements does, or would do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Review {
    /// Engagements that rules have a say about: not noise, not empty.
    pub judged: u64,
    /// Engagements that stop being knowledge.
    pub learned_to_skipped: u64,
    /// Engagements that become knowledge.
    pub skipped_to_learned: u64,
    /// Engagements that are knowledge and would be held.
    pub learned_to_held: u64,
    /// Engagements whose open decision is made: learned.
    pub held_to_learned: u64,
    /// Engagements whose open decision is made: skipped.
    pub held_to_skipped: u64,
    /// Engagements that were skipped and would be held.
    pub skipped_to_held: u64,
    /// Engagements held afterwards.
    pub held: u64,
    /// Some engagements of each sort of change.
    pub samples: Vec<Sample>,
}

/// One engagement that changes sides.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Sample {
    /// Document id.
    pub engagement: String,
    /// Subject or title.
    pub title: Option<String>,
    /// `learned`, `skipped` or `held`.
    pub from: &'static str,
    /// The same, afterwards.
    pub to: &'static str,
    /// The rule that decides.
    pub rule: Option<String>,
    /// Why.
    pub reason: Option<String>,
}

impl Review {
    fn count(&mut self, document: &DocumentId, before: &Fetched, after: &Decision, ruling: Option<&Ruling>) {
        self.judged += 1;
        let (from, to) = (side(&before.decision), side(after));
        self.held += u64::from(to == "held");
        let counter = match (from, to) {
            ("learned", "skipped") => &mut self.learned_to_skipped,
            ("skipped", "learned") => &mut self.skipped_to_learned,
            ("learned", "held") => &mut self.learned_to_held,
            ("held", "learned") => &mut self.held_to_learned,
            ("held", "skipped") => &mut self.held_to_skipped,
            ("skipped", "held") => &mut self.skipped_to_held,
            _ => return,
        };
        *counter += 1;
        if self.samples.iter().filter(|one| one.from == from && one.to == to).count() < SAMPLES {
            self.samples.push(Sample {
                engagement: document.to_string(),
                title: before.raw.title.clone(),
                from,
                to,
                rule: ruling.map(|ruling| ruling.rule.clone()),
                reason: ruling.map(|ruling| ruling.reason.clone()),
            });
        }
    }
}

/// What the rules say of a decision: a copy of a mail that is learned is learned.
fn side(decision: &Decision) -> &'static str {
    match decision {
        Decision::Skipped { reason, .. } if filter::is_copy(*reason) => "learned",
        other => other.as_str(),
    }
}

/// The engagements of one portal, as they are stored, and what is needed to look at them again.
#[derive(Debug, Clone)]
pub struct Stored {
    /// Database.
    pub store: Store,
    /// Whose they are.
    pub owner: Owner,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// What the stages need.
    pub settings: Settings,
}

impl Stored {
    /// The rules in force.
    pub fn in_force(&self) -> Result<InForce, StoreError> {
        self.store.read(|conn| self.settings.policy.read(conn, &self.owner))
    }

    /// What `rules` would do to every stored engagement. Nothing is written.
    pub fn dry_run(&self, in_force: &InForce) -> Result<Review, StoreError> {
        self.review(in_force, &mut |_| Ok(()))
    }

    /// Applies the rules in force to every stored engagement, and does what is due.
    pub fn apply(&self) -> Result<Review, StoreError> {
        let in_force = self.in_force()?;
        let mut threads = Threads::new(self.store.clone(), self.owner.clone());
        let review = self.review(&in_force, &mut |changed| self.again(&in_force, &mut threads, changed))?;
        self.catch_up()?;
        Ok(review)
    }

    /// Judges every engagement that rules have a say about; `changed` gets those that are decided otherwise now.
    fn review(
        &self,
        in_force: &InForce,
        changed: &mut dyn FnMut(Vec<RawEngagement>) -> Result<(), StoreError>,
    ) -> Result<Review, StoreError> {
        let (mut key, mut review) = (Key::default(), Review::default());
        loop {
            let page = self
                .store
                .read(|conn| reread::page(conn, &self.owner.org, self.owner.portal, &mut key, PAGE))?;
            if page.is_empty() {
                return Ok(review);
            }
            let page = self.judged(in_force, page)?;
            let mut differing = Vec::new();
            for (before, after, ruling) in page {
                let document = self.document(&before.raw);
                review.count(&document, &before, &after, ruling.as_ref());
                if self.differs(&document, &before.decision, &after, ruling.as_ref())? {
                    differing.push(before.raw);
                }
            }
            if !differing.is_empty() {
                changed(differing)?;
            }
        }
    }

    fn judged(
        &self,
        in_force: &InForce,
        page: Vec<Fetched>,
    ) -> Result<Vec<(Fetched, Decision, Option<Ruling>)>, StoreError> {
        let ruled = page.into_iter().filter(|one| filter::is_ruled(one.decision.cause().0));
        let (mut raws, decisions): (Vec<RawEngagement>, Vec<Decision>) =
            ruled.map(|one| (one.raw, one.decision)).unzip();
        spoken::attach(&self.store, &self.owner, &mut raws)?;
        let judge = |(raw, decision): (RawEngagement, Decision)| {
            let (after, ruling) = in_force.rules.decide(&Source::of(&raw));
            (Fetched { raw, decision }, after, ruling)
        };
        Ok(raws.into_par_iter().zip(decisions).map(judge).collect())
    }

    /// Whether anything that is stored of a decision would be another: its side, reason, rule, or the version and words
    /// of the ruling.
    fn differs(
        &self,
        document: &DocumentId,
        before: &Decision,
        after: &Decision,
        ruling: Option<&Ruling>,
    ) -> Result<bool, StoreError> {
        if side(before) != side(after) || side(before) != "learned" && before != after {
            return Ok(true);
        }
        let stored = self.store.read(|conn| rules::decision(conn, &self.owner.org, document))?;
        Ok(stored.as_ref() != ruling)
    }

    fn document(&self, raw: &RawEngagement) -> DocumentId {
        DocumentId { portal: self.owner.portal, kind: raw.kind, id: raw.id.clone() }
    }

    /// Sends engagements that were read from the store down the street once more.
    fn again(
        &self,
        in_force: &InForce,
        threads: &mut Threads,
        mut raws: Vec<RawEngagement>,
    ) -> Result<(), StoreError> {
        self.store.read(|conn| {
            for raw in &mut raws {
                raw.links = reread::links(conn, &self.owner.org, &self.document(raw))?;
                complete(raw);
            }
            Ok::<_, StoreError>(())
        })?;
        spoken::attach(&self.store, &self.owner, &mut raws)?;
        let around = threads.around(&raws)?;
        let mask = self.settings.mask_secrets;
        let work = |(raw, around): (RawEngagement, Around)| normalize::engagement(raw, &around, mask);
        let normalized = raws.into_par_iter().zip(around).map(work).collect();
        let linked = associate::page(&self.store, &self.owner.org, self.owner.portal, normalized)?;
        let skip = &self.settings.skip_noise;
        let judge = |one: LinkedEngagement| filter::engagement(one, &in_force.rules, skip);
        let judged = linked.into_par_iter().map(judge).collect();
        let distilled: Vec<Distilled> =
            distill::page(&self.store, &self.owner, judged, &in_force.distillation)?;
        publish::again(&self.store, &self.owner, self.clock.now(), in_force.revision, distilled)
    }
}

/// Where the fingerprint is kept that the insights of a portal were distilled with.
fn distilled_with(owner: &Owner) -> String {
    format!("distilled_with:{}:{}", owner.org, owner.portal)
}

/// Where the number of the rules is kept that the bodies of a portal were read with.
fn read_with(owner: &Owner) -> String {
    format!("read_with:{}:{}", owner.org, owner.portal)
}

impl Stored {
    /// Notes what bodies are read and insights are distilled with, where nothing is stored yet: a first sync does nothing
    /// twice.
    pub fn begin(&self) -> Result<(), StoreError> {
        let fingerprint = self.in_force()?.distillation.fingerprint();
        let owner = self.owner.clone();
        let facts =
            [(distilled_with(&self.owner), fingerprint), (read_with(&self.owner), text::VERSION.to_string())];
        self.store.write(move |conn| {
            if !reread::page(conn, &owner.org, owner.portal, &mut Key::default(), 1)?.is_empty() {
                return Ok(());
            }
            facts.iter().try_for_each(|(key, value)| meta::set(conn, key, value))
        })
    }

    /// Queues everything that was read with other rules of text than these.
    fn outdated(&self) -> Result<(), StoreError> {
        let (owner, key, version) = (self.owner.clone(), read_with(&self.owner), text::VERSION.to_string());
        if self.store.read(|conn| meta::get(conn, &key))?.as_ref() == Some(&version) {
            return Ok(());
        }
        self.store.write(move |conn| {
            due::add_all(conn, &owner.org, owner.portal, Task::Judge)?;
            meta::set(conn, &key, &version)
        })
    }

    /// Counts anew which lines are boilerplate of whose mail; what they stand in becomes due.
    pub fn learn_boilerplate(&self) -> Result<(), StoreError> {
        let (owner, now) = (self.owner.clone(), self.clock.now());
        self.store.write(move |conn| {
            boilerplate::learn(conn, Tenant { org: &owner.org, portal: owner.portal, now })
        })
    }

    /// Reads, judges and distils again what is due: everything where the rules of text, the distiller or its instructions
    /// changed.
    pub fn catch_up(&self) -> Result<(), StoreError> {
        self.outdated()?;
        self.judge_due()?;
        let in_force = self.in_force()?;
        self.distil_due(&in_force.distillation)?;
        let (key, fingerprint) = (distilled_with(&self.owner), in_force.distillation.fingerprint());
        if self.store.read(|conn| meta::get(conn, &key))?.as_ref() == Some(&fingerprint) {
            return Ok(());
        }
        self.distil_all(&in_force.distillation)?;
        self.store.write(move |conn| meta::set(conn, &key, &fingerprint))
    }

    fn next_due(&self, task: Task) -> Result<Vec<DocumentId>, StoreError> {
        self.store.read(|conn| due::next(conn, &self.owner.org, self.owner.portal, task, PAGE))
    }

    fn forget(&self, documents: Vec<DocumentId>, task: Task) -> Result<(), StoreError> {
        let org = self.owner.org.clone();
        self.store.write(move |conn| documents.iter().try_for_each(|one| due::done(conn, &org, one, task)))
    }

    fn judge_due(&self) -> Result<(), StoreError> {
        let judge = self.in_force()?.rules.judge_name().to_owned();
        let owner = self.owner.clone();
        self.store.write(move |conn| due::add_held(conn, &owner.org, owner.portal, &judge))?;
        let mut threads = Threads::new(self.store.clone(), self.owner.clone());
        for _ in 0..ROUNDS {
            let documents = self.next_due(Task::Judge)?;
            if documents.is_empty() {
                break;
            }
            let in_force = self.in_force()?;
            let found = self.store.read(|conn| {
                let read = |one| reread::one(conn, &self.owner.org, one).map(|found| (one.clone(), found));
                documents.iter().map(read).collect::<Result<Vec<_>, StoreError>>()
            })?;
            let (mut raws, mut gone) = (Vec::new(), Vec::new());
            for (document, fetched) in found {
                match fetched {
                    Some(fetched) => raws.push(fetched.raw),
                    None => gone.push(document),
                }
            }
            self.forget(gone, Task::Judge)?;
            self.again(&in_force, &mut threads, raws)?;
        }
        Ok(())
    }

    fn distil_due(&self, distillation: &Distillation) -> Result<(), StoreError> {
        for _ in 0..ROUNDS {
            let documents = self.next_due(Task::Distil)?;
            if documents.is_empty() {
                break;
            }
            let found = self.store.read(|conn| {
                let read = |one| reread::readable_one(conn, &self.owner.org, one);
                let rows = documents.iter().map(read).collect::<Result<Vec<_>, StoreError>>()?;
                self.with_parties(conn, rows.into_iter().flatten().collect())
            })?;
            self.keep(distilled(distillation, found))?;
            self.forget(documents, Task::Distil)?;
        }
        Ok(())
    }

    /// Distils everything again: one thread reads, all cores distil, the writer writes.
    fn distil_all(&self, distillation: &Distillation) -> Result<(), StoreError> {
        let (pages, waiting) = sync_channel::<Result<Vec<Again>, StoreError>>(2);
        std::thread::scope(|scope| {
            scope.spawn(move || {
                let mut key = Key::default();
                loop {
                    let page = self.store.read(|conn| {
                        let (org, portal) = (&self.owner.org, self.owner.portal);
                        let rows = reread::readable_page(conn, org, portal, &mut key, DISTILLED_AT_ONCE)?;
                        let documents: Vec<&DocumentId> = rows.iter().map(|one| &one.document).collect();
                        let known = insights::of_page(conn, org, &documents)?;
                        let rows = self.with_parties(conn, rows)?.into_iter().zip(known);
                        Ok(rows.map(|((one, parties), known)| Again { one, parties, known }).collect())
                    });
                    let last = page.as_ref().map_or(true, Vec::is_empty);
                    // The other end is gone only after an error of its own.
                    if pages.send(page).is_err() || last {
                        return;
                    }
                }
            });
            waiting.into_iter().try_for_each(|page| self.keep(differing(distillation, page?)))
        })
    }

    fn with_parties(
        &self,
        conn: &mut dyn crate::store::conn::Conn,
        rows: Vec<Readable>,
    ) -> Result<Vec<(Readable, Vec<Party>)>, StoreError> {
        let mut known = Parties::new(&self.owner.org, self.owner.portal);
        let party = |one: Readable| known.of(conn, one.identity(), &one.links).map(|parties| (one, parties));
        rows.into_iter().map(party).collect()
    }

    fn keep(&self, distilled: Vec<(DocumentId, u64, Vec<Insight>)>) -> Result<(), StoreError> {
        publish::insights_again(&self.store, &self.owner, self.clock.now(), distilled)
    }
}

/// An engagement to be distilled again, and what it said so far.
struct Again {
    one: Readable,
    parties: Vec<Party>,
    known: Vec<StoredInsight>,
}

type Found = (DocumentId, u64, Vec<Insight>);

fn distilled(distillation: &Distillation, page: Vec<(Readable, Vec<Party>)>) -> Vec<Found> {
    page.into_par_iter().map(|(one, parties)| found(distillation, one, &parties)).collect()
}

/// Only what says anything else than before: the writer need not look at the rest.
fn differing(distillation: &Distillation, page: Vec<Again>) -> Vec<Found> {
    let work = |again: Again| {
        let found = found(distillation, again.one, &again.parties);
        (!insights::is_same(&again.known, &found.2)).then_some(found)
    };
    page.into_par_iter().filter_map(work).collect()
}

fn found(distillation: &Distillation, one: Readable, parties: &[Party]) -> Found {
    let insights = if one.learned { distillation.of(&learned(&one, parties)) } else { Vec::new() };
    (one.document, one.seq, insights)
}

/// A stored engagement as distillers read it.
pub(super) fn learned<'a>(one: &'a Readable, parties: &'a [Party]) -> Learned<'a> {
    Learned {
        document: &one.document,
        title: one.title.as_deref(),
        passages: &one.passages,
        language: one.language.as_deref(),
        outgoing: one.outgoing,
        occurred_at: one.occurred_at,
        from_address: one.from_address.as_deref(),
        owner: one.owner.as_deref(),
        parties,
    }
}
