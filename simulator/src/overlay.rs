//! What happened to records after the portal was made: edits, creations, deletions, merges and
//! associations, keyed by (type, index). Untouched records have no entry and cost nothing.
//!
//! It holds state and no rules: who may write what is decided in `api` and `control`.

use std::collections::{BTreeMap, BTreeSet};

use crate::associations::Tie;
use crate::kind::Kind;
use crate::portal::Portal;

/// Whether and how a record still exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Life {
    Live,
    /// In the recycle bin since that instant.
    Archived(i64),
    /// Deleted for good; nothing finds it.
    Gone,
    /// Became part of the record at that index.
    Merged(u64),
}

/// What search knew about a record before its last change reached the index.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Pending {
    /// The modification instant in the index; `None` if it was not there.
    pub(crate) indexed: Option<i64>,
    /// When the index will have caught up.
    pub(crate) until: i64,
}

/// A value somebody gave a property.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) name: String,
    pub(crate) value: Option<String>,
    pub(crate) at: i64,
    /// Who wrote, in HubSpot's word for it: `CRM_UI`, `INTEGRATION`, ...
    pub(crate) source: &'static str,
}

/// Values a record's history keeps; the oldest go first.
const HISTORY_KEPT: usize = 200;

/// A record that is no longer as it was made.
#[derive(Debug, Clone)]
pub(crate) struct Touched {
    pub(crate) created: i64,
    pub(crate) modified: i64,
    pub(crate) properties: BTreeMap<String, Option<String>>,
    pub(crate) life: Life,
    pub(crate) pending: Option<Pending>,
    /// Indices of the records merged into this one.
    pub(crate) merged_from: Vec<u64>,
    /// The unique word of a body made later.
    pub(crate) word: Option<String>,
    /// Before that instant nobody can read the record, though it has been announced.
    pub(crate) readable_from: i64,
    /// What was written since the record was made, oldest first.
    pub(crate) history: Vec<Written>,
}

impl Touched {
    fn at(created: i64, modified: i64) -> Self {
        Self {
            created,
            modified,
            properties: BTreeMap::new(),
            life: Life::Live,
            pending: None,
            merged_from: Vec::new(),
            word: None,
            readable_from: i64::MIN,
            history: Vec::new(),
        }
    }

    /// Gives properties values and keeps in mind that it did.
    pub(crate) fn write(&mut self, values: BTreeMap<String, Option<String>>, at: i64, source: &'static str) {
        for (name, value) in values {
            if self.history.len() >= HISTORY_KEPT {
                self.history.remove(0);
            }
            self.history.push(Written { name: name.clone(), value: value.clone(), at, source });
            self.properties.insert(name, value);
        }
    }

    /// Empties a property and forgets what it ever held.
    pub(crate) fn erase(&mut self, name: &str) {
        self.history.retain(|written| written.name != name);
        self.properties.insert(name.to_owned(), None);
    }
}

/// An association somebody made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) to: u64,
    pub(crate) tie: Tie,
    pub(crate) visible_from: i64,
}

/// A form submission that came in later.
#[derive(Debug, Clone)]
pub(crate) struct LateSubmission {
    pub(crate) id: String,
    pub(crate) form: usize,
    pub(crate) at: i64,
    pub(crate) values: Vec<(String, String)>,
    pub(crate) word: String,
}

/// All changes so far.
#[derive(Debug)]
pub(crate) struct Overlay {
    records: [BTreeMap<u64, Touched>; 8],
    next: [u64; 8],
    edges: BTreeMap<(Kind, u64, Kind), Vec<Edge>>,
    removed: BTreeSet<(Kind, u64, Kind, u64)>,
    /// The primary company somebody chose for a record.
    primaries: BTreeMap<(Kind, u64), u64>,
    mails: BTreeMap<String, u64>,
    pub(crate) submissions: Vec<LateSubmission>,
    /// How long search lags behind a write, at least.
    pub(crate) lag_ms: i64,
    /// How much longer it may take, drawn per write.
    pub(crate) lag_jitter_ms: i64,
    seed: u64,
    /// Whether search orders ids by their digits as text.
    pub(crate) ids_sort_as_text: bool,
    /// Whether filters compare ids by their digits as text.
    pub(crate) ids_compare_as_text: bool,
    /// Search shows nothing written after this instant.
    pub(crate) frozen_at: Option<i64>,
}

impl Overlay {
    pub(crate) fn new(portal: &Portal) -> Self {
        Self {
            records: std::array::from_fn(|_| BTreeMap::new()),
            next: std::array::from_fn(|n| portal.count(Kind::ALL[n])),
            edges: BTreeMap::new(),
            removed: BTreeSet::new(),
            primaries: BTreeMap::new(),
            mails: BTreeMap::new(),
            submissions: Vec::new(),
            lag_ms: 0,
            lag_jitter_ms: 0,
            seed: portal.seed,
            ids_sort_as_text: false,
            ids_compare_as_text: false,
            frozen_at: None,
        }
    }

    /// How long search will not know of a write.
    fn lag(&self, kind: Kind, index: u64, now: i64) -> i64 {
        let drawn = crate::hash::draw(self.seed, 64, index ^ (now as u64) << 20, kind.stream());
        self.lag_ms + (drawn % (self.lag_jitter_ms.max(0) as u64 + 1)) as i64
    }

    /// The first index nobody has used.
    pub(crate) fn end(&self, kind: Kind) -> u64 {
        self.next[kind.number()]
    }

    pub(crate) fn get(&self, kind: Kind, index: u64) -> Option<&Touched> {
        self.records[kind.number()].get(&index)
    }

    pub(crate) fn touched(&self, kind: Kind) -> &BTreeMap<u64, Touched> {
        &self.records[kind.number()]
    }

    /// The entry of a record, made from the untouched one if there is none yet.
    pub(crate) fn touch(&mut self, portal: &Portal, kind: Kind, index: u64) -> &mut Touched {
        let made = || Touched::at(portal.created(kind, index), portal.modified(kind, index));
        self.records[kind.number()].entry(index).or_insert_with(made)
    }

    /// Marks a record changed at `now`: its modification instant, and what search still believes.
    pub(crate) fn change(&mut self, portal: &Portal, kind: Kind, index: u64, now: i64) -> &mut Touched {
        let (lag, frozen) = (self.lag(kind, index, now), self.frozen_at);
        let existed = index < portal.count(kind) || self.get(kind, index).is_some();
        let touched = self.touch(portal, kind, index);
        let before = existed.then_some(touched.modified).filter(|_| touched.life == Life::Live);
        let still_pending = touched.pending.filter(|p| p.until > frozen.unwrap_or(now).min(now));
        let indexed = still_pending.map_or(before, |p| p.indexed);
        touched.pending = Some(Pending { indexed, until: now + lag });
        touched.modified = now;
        touched
    }

    /// Makes a new record and returns its index.
    pub(crate) fn create(&mut self, portal: &Portal, kind: Kind, now: i64) -> u64 {
        let index = self.end(kind);
        self.next[kind.number()] += 1;
        let pending = Some(Pending { indexed: None, until: now + self.lag(kind, index, now) });
        let fresh = Touched { pending, ..Touched::at(now, now) };
        debug_assert!(index >= portal.count(kind));
        self.records[kind.number()].insert(index, fresh);
        index
    }

    pub(crate) fn remember_mail(&mut self, mail: &str, contact: u64) {
        self.mails.insert(mail.to_lowercase(), contact);
    }

    pub(crate) fn contact_with_mail(&self, mail: &str) -> Option<u64> {
        self.mails.get(&mail.to_lowercase()).copied()
    }

    /// Ties two records in both directions, from an instant on.
    pub(crate) fn associate(&mut self, a: (Kind, u64), b: (Kind, u64), tie: Tie, visible_from: i64) {
        for ((from, index), (to, target)) in [(a, b), (b, a)] {
            let edges = self.edges.entry((from, index, to)).or_default();
            edges.retain(|edge| edge.to != target);
            edges.push(Edge { to: target, tie, visible_from });
            if tie.primary && to == Kind::Company {
                // A record has one primary company; the one before becomes a plain one.
                self.primaries.insert((from, index), target);
            }
        }
    }

    /// Unties two records, also what ties them since the portal was made.
    pub(crate) fn dissociate(&mut self, a: (Kind, u64), b: (Kind, u64)) {
        for ((from, index), (to, target)) in [(a, b), (b, a)] {
            self.removed.insert((from, index, to, target));
            if let Some(edges) = self.edges.get_mut(&(from, index, to)) {
                edges.retain(|edge| edge.to != target);
            }
            if self.primaries.get(&(from, index)) == Some(&target) && to == Kind::Company {
                self.primaries.remove(&(from, index));
            }
        }
    }

    /// The company chosen as primary since the portal was made.
    pub(crate) fn primary_company(&self, from: Kind, index: u64) -> Option<u64> {
        self.primaries.get(&(from, index)).copied()
    }

    /// Whether nobody's company has changed since the portal was made.
    pub(crate) fn companies_are_as_made(&self) -> bool {
        self.edges.is_empty() && self.removed.is_empty() && self.touched(Kind::Company).is_empty()
    }

    pub(crate) fn edges(&self, from: Kind, index: u64, to: Kind) -> &[Edge] {
        self.edges.get(&(from, index, to)).map_or(&[], Vec::as_slice)
    }

    /// Whether a tie of the untouched portal was cut.
    pub(crate) fn is_removed(&self, from: Kind, index: u64, to: Kind, target: u64) -> bool {
        !self.removed.is_empty() && self.removed.contains(&(from, index, to, target))
    }
}
