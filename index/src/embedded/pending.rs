//! What was added since the last commit, as far as it decides whether a document may still come:
//! an older one never replaces a newer one.
//!
//! Bounded by the changes of one commit; what is committed is looked up in the index.

use super::snapshot::Snapshot;
use crate::document::{Change, Document};
use crate::error::Error;
use std::collections::HashMap;

/// By organisation.
#[derive(Debug, Default)]
pub(crate) struct Pending(HashMap<String, Added>);

/// Added to one organisation.
#[derive(Debug, Default)]
struct Added {
    /// Everything committed of it is removed.
    emptied: bool,
    /// By id.
    documents: HashMap<String, State>,
}

#[derive(Debug)]
enum State {
    Removed,
    Put { order: u64, customers: Vec<String> },
}

impl Pending {
    /// Notes a change; whether it is to be made.
    pub(crate) fn admits(&mut self, change: &Change, committed: &Snapshot) -> Result<bool, Error> {
        match change {
            Change::Put(document) => return self.put(document, committed),
            Change::Remove { org, id } => {
                self.of(org).documents.insert(id.clone(), State::Removed);
            }
            Change::RemoveCustomer { org, customer } => {
                let added = self.of(org);
                for state in added.documents.values_mut() {
                    if matches!(state, State::Put { customers, .. } if customers.contains(customer)) {
                        *state = State::Removed;
                    }
                }
                for id in committed.of_customer(org, customer)? {
                    added.documents.entry(id).or_insert(State::Removed);
                }
            }
            Change::RemoveOrg { org } => {
                *self.of(org) = Added { emptied: true, ..Added::default() };
            }
        }
        Ok(true)
    }

    fn put(&mut self, document: &Document, committed: &Snapshot) -> Result<bool, Error> {
        let added = self.of(&document.org);
        let there = match added.documents.get(&document.id) {
            Some(State::Put { order, .. }) => Some(*order),
            Some(State::Removed) => None,
            None if added.emptied => None,
            None => committed.order_of(&committed.fields.key_term(&document.org, &document.id))?,
        };
        if there.is_some_and(|order| document.order < order) {
            return Ok(false);
        }
        let state = State::Put { order: document.order, customers: document.customers.clone() };
        added.documents.insert(document.id.clone(), state);
        Ok(true)
    }

    fn of(&mut self, org: &str) -> &mut Added {
        self.0.entry(org.to_owned()).or_default()
    }
}
