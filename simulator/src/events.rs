//! What happened, as HubSpot would announce it by webhook. Events queue up here until
//! `POST /__sim/webhooks/flush` delivers them; nothing is sent by itself.

use std::sync::{Mutex, PoisonError};

use crate::kind::Kind;

/// One announcement, in the portal's own terms.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum What {
    Created,
    Deleted,
    Restored,
    Changed {
        name: String,
        value: Option<String>,
    },
    /// Indices of the records that became this one.
    Merged {
        primary: u64,
        merged: Vec<u64>,
    },
    Associated {
        to: Kind,
        target: u64,
        removed: bool,
    },
    PrivacyDeleted,
}

/// An announcement about a record.
#[derive(Debug, Clone)]
pub(crate) struct Event {
    pub(crate) kind: Kind,
    pub(crate) index: u64,
    pub(crate) what: What,
    /// Who did it, in HubSpot's word for it.
    pub(crate) source: &'static str,
}

/// Events nobody has been told of yet. Beyond a hundred thousand the oldest are dropped.
#[derive(Debug, Default)]
pub(crate) struct Events(Mutex<Vec<Event>>);

const KEPT: usize = 100_000;

impl Events {
    /// Something a person did in HubSpot.
    pub(crate) fn push(&self, kind: Kind, index: u64, what: What) {
        self.push_from(kind, index, what, "CRM_UI");
    }

    pub(crate) fn push_from(&self, kind: Kind, index: u64, what: What, source: &'static str) {
        let mut queue = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if queue.len() >= KEPT {
            queue.drain(..KEPT / 2);
        }
        queue.push(Event { kind, index, what, source });
    }

    pub(crate) fn created(&self, kind: Kind, index: u64, source: &'static str) {
        self.push_from(kind, index, What::Created, source);
    }

    pub(crate) fn changed(
        &self,
        (kind, index): (Kind, u64),
        name: &str,
        value: Option<&str>,
        source: &'static str,
    ) {
        let what = What::Changed { name: name.to_owned(), value: value.map(str::to_owned) };
        self.push_from(kind, index, what, source);
    }

    pub(crate) fn deleted(&self, kind: Kind, index: u64) {
        self.push(kind, index, What::Deleted);
    }

    pub(crate) fn take(&self) -> Vec<Event> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
