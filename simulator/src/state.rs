//! Everything a running portal holds, in one struct that all endpoints share. Readers of records
//! take a shared lock that only a write excludes, for the microseconds the write takes.

use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use crate::beside::Beside;
use crate::clock::Clock;
use crate::control::webhooks::Target;
use crate::events::Events;
use crate::faults::{Faults, Rules};
use crate::journal::Journal;
use crate::limits::Limits;
use crate::oauth::tokens::Tokens;
use crate::options::Options;
use crate::overlay::Overlay;
use crate::portal::Portal;
use crate::subscriptions::Subscriptions;
use crate::view::View;

/// A running portal.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) options: Options,
    pub(crate) portal: Portal,
    pub(crate) clock: Clock,
    pub(crate) journal: Journal,
    pub(crate) events: Events,
    pub(crate) faults: Faults,
    pub(crate) limits: Limits,
    pub(crate) target: Mutex<Option<Target>>,
    pub(crate) beside: Beside,
    overlay: RwLock<Overlay>,
    subscriptions: Mutex<Subscriptions>,
    tokens: Mutex<Tokens>,
}

impl State {
    pub(crate) fn new(options: Options, portal: Portal, rules: Rules) -> Self {
        Self {
            clock: Clock::starting_at(options.now),
            journal: Journal::default(),
            events: Events::default(),
            faults: Faults::new(rules),
            limits: Limits::new(options.rate_limit),
            target: Mutex::new(None),
            beside: Beside::default(),
            overlay: RwLock::new(Overlay::new(&portal)),
            subscriptions: Mutex::default(),
            tokens: Mutex::new(Tokens::new(&options, portal.id)),
            options,
            portal,
        }
    }

    // A panic while holding a lock is a defect of one request; the others go on with what is there.

    pub(crate) fn overlay(&self) -> RwLockReadGuard<'_, Overlay> {
        self.overlay.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn overlay_mut(&self) -> RwLockWriteGuard<'_, Overlay> {
        self.overlay.write().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn tokens(&self) -> MutexGuard<'_, Tokens> {
        self.tokens.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn subscriptions(&self) -> MutexGuard<'_, Subscriptions> {
        self.subscriptions.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The portal as it is now, through a lock the caller holds.
    pub(crate) fn view<'a>(&'a self, overlay: &'a Overlay) -> View<'a> {
        View { portal: &self.portal, overlay, now: self.clock.now() }
    }
}
