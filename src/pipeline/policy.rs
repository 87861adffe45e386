//! What the operator wants done with what is read: learning rules, instructions, distillation, as they are now.
//!
//! Rules live in the store and may change while a run goes on: every page is judged by those in force when it is judged,
//! and the number of their revision travels with it, so that publishing notices a change made meanwhile.

use std::sync::{Arc, Mutex, PoisonError};

use super::publish::Owner;
use crate::domain::rule::Unsure;
use crate::insights::Distillation;
use crate::insights::instructions::Instructions;
use crate::rules::{Rules, TopicJudge};
use crate::store::conn::Conn;
use crate::store::{Store, StoreError, people, rules};

/// The rules in force, and their number.
#[derive(Debug, Clone)]
pub struct InForce {
    /// Grows with every change of the rules.
    pub revision: i64,
    /// Keyword and topic rules.
    pub rules: Arc<Rules>,
    /// What distils, with the instructions.
    pub distillation: Distillation,
}

/// Settings the rules of the store are combined with.
#[derive(Debug, Clone)]
pub struct Policy {
    /// Judges topics.
    pub judge: Arc<dyn TopicJudge>,
    /// What is done where it cannot tell.
    pub unsure: Unsure,
    /// What distils.
    pub distillation: Distillation,
}

impl Policy {
    /// The rules in force as the store has them.
    pub fn read(&self, conn: &mut dyn Conn, owner: &Owner) -> Result<InForce, StoreError> {
        let revision = rules::revision(conn, &owner.org)?;
        let stored = rules::list(conn, &owner.org)?;
        let owners = people::owner_names(conn, &owner.org, owner.portal)?;
        self.of(revision, &stored, owners)
    }

    /// These rules, as if they were in force.
    pub fn of(
        &self,
        revision: i64,
        stored: &[crate::domain::rule::LearningRule],
        owners: Vec<String>,
    ) -> Result<InForce, StoreError> {
        let rules = Rules::new(stored, Arc::clone(&self.judge), self.unsure);
        let rules = rules.map_err(|error| StoreError::Engine(error.to_string()))?;
        let distillation = self.distillation.within(Instructions::new(stored), owners);
        Ok(InForce { revision, rules: Arc::new(rules), distillation })
    }
}

/// Hands out the rules in force; compiled again only when they changed.
#[derive(Debug)]
pub struct Gate {
    store: Store,
    owner: Owner,
    policy: Policy,
    known: Mutex<Option<InForce>>,
}

impl Gate {
    /// A gate for one portal.
    #[must_use]
    pub fn new(store: Store, owner: Owner, policy: Policy) -> Self {
        Self { store, owner, policy, known: Mutex::default() }
    }

    /// The rules in force now.
    pub fn in_force(&self) -> Result<InForce, StoreError> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        self.store.read(|conn| {
            let revision = rules::revision(conn, &self.owner.org)?;
            if let Some(known) = known.as_ref().filter(|known| known.revision == revision) {
                return Ok(known.clone());
            }
            let fresh = self.policy.read(conn, &self.owner)?;
            *known = Some(fresh.clone());
            Ok(fresh)
        })
    }
}
