//! What happened to records after the portal was made: edits, creations, deletions, merges and
//! associations, keyed by (type, index). Untouched records have no entry and cost nothing.
//!
//! It holds state and no rules: who may write what is decided in `api` and `control`.

use std::collections::{BTreeMap, BTreeSet};

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
}

/// An association somebody made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edge {
    pub(crate) to: u64,
    pub(crate) primary: bool,
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
    mails: BTreeMap<String, u64>,
    pub(crate) submissions: Vec<LateSubmission>,
    /// How long search lags behind a write.
    pub(crate) lag_ms: i64,
    /// Whether search orders ids by their digits as text.
    pub(crate) ids_sort_as_text: bool,
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
            mails: BTreeMap::new(),
            submissions: Vec::new(),
            lag_ms: 0,
            ids_sort_as_text: false,
            frozen_at: None,
        }
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
        self.records[kind.number()].entry(index).or_insert_with(|| Touched {
            created: portal.created(kind, index),
            modified: portal.modified(kind, index),
            properties: BTreeMap::new(),
            life: Life::Live,
            pending: None,
            merged_from: Vec::new(),
            word: None,
        })
    }

    /// Marks a record changed at `now`: its modification instant, and what search still believes.
    pub(crate) fn change(&mut self, portal: &Portal, kind: Kind, index: u64, now: i64) -> &mut Touched {
        let (lag, frozen) = (self.lag_ms, self.frozen_at);
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
        let fresh = Touched {
            created: now,
            modified: now,
            properties: BTreeMap::new(),
            life: Life::Live,
            pending: Some(Pending { indexed: None, until: now + self.lag_ms }),
            merged_from: Vec::new(),
            word: None,
        };
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
    pub(crate) fn associate(&mut self, a: (Kind, u64), b: (Kind, u64), primary: bool, visible_from: i64) {
        for ((from, index), (to, target)) in [(a, b), (b, a)] {
            self.removed.remove(&(from, index, to, target));
            let edges = self.edges.entry((from, index, to)).or_default();
            edges.retain(|edge| edge.to != target);
            edges.push(Edge { to: target, primary, visible_from });
        }
    }

    pub(crate) fn dissociate(&mut self, a: (Kind, u64), b: (Kind, u64)) {
        for ((from, index), (to, target)) in [(a, b), (b, a)] {
            self.removed.insert((from, index, to, target));
            if let Some(edges) = self.edges.get_mut(&(from, index, to)) {
                edges.retain(|edge| edge.to != target);
            }
        }
    }

    pub(crate) fn edges(&self, from: Kind, index: u64, to: Kind) -> &[Edge] {
        self.edges.get(&(from, index, to)).map_or(&[], Vec::as_slice)
    }

    pub(crate) fn is_removed(&self, from: Kind, index: u64, to: Kind, target: u64) -> bool {
        !self.removed.is_empty() && self.removed.contains(&(from, index, to, target))
    }
}
