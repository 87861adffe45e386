//! What a running sync has done so far, for whoever watches: a terminal, a page, a test.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use crate::domain::crm::RecordType;
use crate::store::checkpoints::Checkpoint;

/// Progress of one record type.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct TypeProgress {
    /// Records that HubSpot says there are; `None` where it cannot say.
    pub expected: Option<u64>,
    /// Records stored durably.
    pub fetched: u64,
    /// The last page is stored.
    pub finished: bool,
}

/// Live progress, shared between the run and its watchers.
#[derive(Debug, Default)]
pub struct Progress {
    types: Mutex<BTreeMap<&'static str, TypeProgress>>,
}

impl Progress {
    fn update(&self, name: &'static str, change: impl FnOnce(&mut TypeProgress)) {
        change(self.types.lock().unwrap_or_else(PoisonError::into_inner).entry(name).or_default());
    }

    /// A type is about to be read.
    pub fn start(&self, record_type: RecordType, expected: Option<u64>) {
        self.update(record_type.as_str(), |progress| progress.expected = expected);
    }

    /// A page became durable.
    pub fn stored(&self, point: &Checkpoint) {
        let record_type = RecordType::all().find(|record_type| record_type.as_str() == point.record_type);
        if let Some(record_type) = record_type {
            self.update(record_type.as_str(), |progress| {
                progress.fetched = point.fetched;
                progress.finished = point.finished;
            });
        }
    }

    /// The progress of one type now.
    #[must_use]
    pub fn of(&self, record_type: RecordType) -> Option<TypeProgress> {
        self.types.lock().unwrap_or_else(PoisonError::into_inner).get(record_type.as_str()).cloned()
    }
}
