//! A new generation beside the live one, and the step by which it takes over.
//!
//! Until the swap nothing the live index does is touched; a crash before it
//! leaves an unfinished directory that the next start removes, a crash after
//! it leaves the new one live. Whether there is room on the disk is for the
//! caller to ask first.

use super::layout::{Pointer, size_of_dir, sync_dir};
use super::snapshot::{Opened, Snapshot};
use super::writer::Writer;
use super::{Embedded, Inner, Options};
use crate::document::{Change, Position};
use crate::error::Error;
use std::sync::{Arc, Mutex, PoisonError};

/// A generation being built. Dropping it leaves its directory to be removed at the next
/// opening.
pub struct Generation {
    opened: Opened,
    writer: Mutex<Writer>,
    /// The last commit, once there is one.
    committed: Mutex<Option<Snapshot>>,
    /// How the live generation is written.
    steady: Options,
}

impl std::fmt::Debug for Generation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Generation").field("opened", &self.opened).finish_non_exhaustive()
    }
}

impl Generation {
    /// Its name, also that of its directory.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.opened.name
    }

    /// Takes changes in; see [`KnowledgeIndex::add`](crate::KnowledgeIndex::add). Before the first commit
    /// every document may come once only.
    ///
    /// # Errors
    /// Engine errors, after which the generation must be begun anew.
    pub fn add(&self, changes: &[Change]) -> Result<(), Error> {
        let mut writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner);
        match &*self.committed.lock().unwrap_or_else(PoisonError::into_inner) {
            Some(committed) => writer.add(changes, committed),
            None => writer.fill(changes),
        }
    }

    /// Makes everything added durable together with the position.
    ///
    /// # Errors
    /// Engine errors, after which the generation must be begun anew.
    pub fn commit(&self, position: &Position) -> Result<(), Error> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner).commit(position)?;
        let committed = self.opened.snapshot()?;
        *self.committed.lock().unwrap_or_else(PoisonError::into_inner) = Some(committed);
        Ok(())
    }

    /// Up to where it was committed.
    ///
    /// # Errors
    /// Engine errors.
    pub fn position(&self) -> Result<Option<Position>, Error> {
        Ok(self.opened.snapshot()?.position)
    }

    /// Documents of an organisation in the last commit.
    ///
    /// # Errors
    /// Engine errors.
    pub fn count(&self, org: &str) -> Result<u64, Error> {
        self.opened.snapshot()?.count(org)
    }

    /// Calls `f` with id and version of every document of the last commit.
    ///
    /// # Errors
    /// Engine errors.
    pub fn for_each(&self, org: &str, f: &mut dyn FnMut(&str, u64)) -> Result<(), Error> {
        self.opened.snapshot()?.for_each(org, f)
    }

    /// Waits for merges and goes on as the live writer does, with its memory and threads.
    ///
    /// # Errors
    /// Engine errors, after which the generation must be begun anew.
    pub fn settle(self) -> Result<Generation, Error> {
        let Generation { opened, writer, committed, steady } = self;
        writer.into_inner().unwrap_or_else(PoisonError::into_inner).close()?;
        let writer = Writer::open(&opened.index, opened.fields, &opened.dir, &steady)?;
        Ok(Generation { opened, writer: Mutex::new(writer), committed, steady })
    }

    /// Bytes on disk.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        size_of_dir(&self.opened.dir)
    }
}

impl Embedded {
    /// Begins a new generation beside the live one. One at a time: a swap removes any other.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; I/O and engine errors.
    pub fn begin_rebuild(&self) -> Result<Generation, Error> {
        if self.lock.is_none() {
            return Err(Error::ReadOnly);
        }
        let name = self.layout.new_generation()?;
        let opened = Opened::create(&self.layout, &name)?;
        sync_dir(&opened.dir)?;
        let writer = Writer::open(&opened.index, opened.fields, &opened.dir, &self.options.for_rebuild())?;
        let (writer, committed) = (Mutex::new(writer), Mutex::new(None));
        Ok(Generation { opened, writer, committed, steady: self.options.clone() })
    }

    /// Drops everything added since the last commit.
    ///
    /// # Errors
    /// [`Error::ReadOnly`]; engine errors.
    pub fn discard(&self) -> Result<(), Error> {
        if self.lock.is_none() {
            return Err(Error::ReadOnly);
        }
        let mut inner = self.inner();
        let Inner { opened, writer, .. } = &mut *inner;
        // The old one holds the engine's lock until it is dropped.
        *writer = None;
        if let Some(opened) = opened {
            *writer = Some(Writer::open(&opened.index, opened.fields, &opened.dir, &self.options)?);
        }
        Ok(())
    }

    /// Makes a generation the live one in one step. Searches that run see the old or the new
    /// one, never both; the old one is kept for [`rollback`](Self::rollback), also one that only another version
    /// of this program can use. Changes added
    /// and not committed before the swap are dropped on both sides: follow the ledger from
    /// the new `position()`.
    ///
    /// # Errors
    /// [`Error::NoGeneration`] if its directory is gone; I/O and engine errors. The live one
    /// stays live then.
    pub fn swap(&self, generation: Generation) -> Result<(), Error> {
        let Generation { opened, writer, .. } = generation;
        if !opened.dir.is_dir() {
            return Err(Error::NoGeneration(opened.name));
        }
        let snapshot = Arc::new(opened.snapshot()?);
        let mut inner = self.inner();
        let replaced = inner.opened.as_ref().map(|o| o.name.clone());
        let previous = replaced.or_else(|| inner.set_aside.clone());
        let name = opened.name.clone();
        self.layout.write_pointer(&Pointer { current: name.clone(), previous: previous.clone() })?;
        let old = std::mem::replace(
            &mut *inner,
            Inner {
                opened: Some(opened),
                writer: Some(writer.into_inner().unwrap_or_else(PoisonError::into_inner)),
                previous: previous.clone(),
                ..Inner::default()
            },
        );
        self.live.store(Some(snapshot));
        self.set_reason(None);
        drop(old);
        let mut keep = vec![name.as_str()];
        keep.extend(previous.as_deref());
        // Space is taken back late rather than an answered swap reported as failed.
        if let Err(error) = self.layout.remove_all_but(&keep) {
            tracing::warn!(%error, "could not remove an old generation of the index");
        }
        Ok(())
    }

    /// Makes the previous generation live again. Its `position()` is older: follow the ledger
    /// from there. A second rollback undoes the first.
    ///
    /// # Errors
    /// [`Error::NoGeneration`] if there is none; [`Error::NeedsRebuild`] if it cannot be used.
    pub fn rollback(&self) -> Result<(), Error> {
        if self.lock.is_none() {
            return Err(Error::ReadOnly);
        }
        let mut inner = self.inner();
        let Some(previous) = inner.previous.clone() else {
            return Err(Error::NoGeneration("previous".to_owned()));
        };
        let opened =
            Opened::open(&self.layout, &previous, &self.following())?.map_err(Error::NeedsRebuild)?;
        if let Some(reason) = opened.outdated {
            return Err(Error::NeedsRebuild(reason));
        }
        let writer = Writer::open(&opened.index, opened.fields, &opened.dir, &self.options)?;
        let snapshot = Arc::new(opened.snapshot()?);
        let replaced = inner.opened.as_ref().map(|o| o.name.clone());
        self.layout.write_pointer(&Pointer { current: previous, previous: replaced.clone() })?;
        *inner = Inner { opened: Some(opened), writer: Some(writer), previous: replaced, ..Inner::default() };
        self.live.store(Some(snapshot));
        self.set_reason(None);
        Ok(())
    }

    /// Why the index cannot be used, as an error.
    ///
    /// # Errors
    /// [`Error::NeedsRebuild`] unless it is ready.
    pub fn ensure_ready(&self) -> Result<(), Error> {
        match self.state() {
            super::State::Ready => Ok(()),
            super::State::NeedsRebuild(reason) => Err(Error::NeedsRebuild(reason)),
        }
    }
}
