//! The only way anything is written: one long-lived engine writer whose every
//! commit carries the position and is made durable.
//!
//! The engine's plain `commit` erases the payload and its rename may be lost
//! in a power cut; neither can happen here because the engine's writer is
//! never handed out.

use super::Options;
use super::layout::{LOCK_PAUSE, LOCK_TRIES, sync_dir};
use super::merging::Levels;
use super::pending::Pending;
use super::schema::{Fields, Tag, fingerprint};
use super::snapshot::Snapshot;
use crate::document::{Change, Position};
use crate::error::Error;
use crate::meaning::Encoder;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use tantivy::indexer::UserOperation;
use tantivy::{Index, IndexWriter, TantivyDocument, TantivyError};

/// What every commit carries.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Payload {
    pub(crate) epoch: String,
    pub(crate) seq: u64,
    pub(crate) schema: String,
}

impl Payload {
    pub(crate) fn read(text: &str) -> Option<Payload> {
        serde_json::from_str(text).ok()
    }

    pub(crate) fn position(self) -> Position {
        Position { epoch: self.epoch, seq: self.seq }
    }
}

/// Writes one generation.
pub(crate) struct Writer {
    /// There until it is closed.
    engine: Option<IndexWriter<TantivyDocument>>,
    fields: Fields,
    dir: PathBuf,
    meaning: Option<Arc<Encoder>>,
    /// What was added since the last commit.
    pending: Pending,
}

impl std::fmt::Debug for Writer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Writer").field("dir", &self.dir).finish_non_exhaustive()
    }
}

impl Writer {
    /// Opens the writer and removes what a killed predecessor left: its files would
    /// otherwise collide with those of the replay.
    pub(crate) fn open(
        index: &Index,
        fields: Fields,
        dir: &Path,
        options: &Options,
    ) -> Result<Writer, Error> {
        let engine =
            lock_patiently(|| index.writer_with_num_threads(options.threads.clamp(1, 8), options.budget()))?;
        engine.set_merge_policy(Box::new(Levels));
        engine.garbage_collect_files().wait()?;
        skip_used_stamp(&engine)?;
        Ok(Writer {
            engine: Some(engine),
            fields,
            dir: dir.to_owned(),
            meaning: options.meaning.clone(),
            pending: Pending::default(),
        })
    }

    /// Takes in documents of which none is there yet and none comes twice.
    pub(crate) fn fill(&mut self, changes: &[Change]) -> Result<(), Error> {
        self.take(changes.iter())
    }

    /// Takes changes in, but no document older than the one that is there: in the last commit, which
    /// `committed` shows, or added since.
    pub(crate) fn add(&mut self, changes: &[Change], committed: &Snapshot) -> Result<(), Error> {
        let mut wanted = Vec::with_capacity(changes.len());
        for change in changes {
            if self.pending.admits(change, committed)? {
                wanted.push(change);
            }
        }
        self.take(wanted.into_iter())
    }

    /// Passages of one document stay together in one segment.
    fn take<'a>(&mut self, changes: impl Iterator<Item = &'a Change>) -> Result<(), Error> {
        let fields = self.fields;
        let meaning = self.meaning.clone();
        let engine = self.engine()?;
        for change in changes {
            match change {
                Change::Put(document) => {
                    let old = fields.key_term(&document.org, &document.id);
                    let passages = fields.documents(document, meaning.as_deref());
                    let mut operations = Vec::with_capacity(passages.len() + 1);
                    operations.push(UserOperation::Delete(old));
                    operations.extend(passages.into_iter().map(UserOperation::Add));
                    engine.run(operations)?;
                }
                Change::Remove { org, id } => {
                    engine.delete_term(fields.key_term(org, id));
                }
                Change::RemoveCustomer { org, customer } => {
                    engine.delete_term(fields.tag(org, Tag::Customer(customer)));
                }
                Change::RemoveOrg { org } => {
                    engine.delete_term(fields.tag(org, Tag::Org));
                }
            }
        }
        Ok(())
    }

    /// Makes everything added durable together with the position.
    pub(crate) fn commit(&mut self, position: &Position) -> Result<(), Error> {
        let schema = fingerprint(self.meaning.as_deref());
        let payload = Payload { epoch: position.epoch.clone(), seq: position.seq, schema };
        let text = serde_json::to_string(&payload).unwrap_or_default();
        let mut commit = self.engine()?.prepare_commit()?;
        commit.set_payload(&text);
        commit.commit()?;
        self.pending = Pending::default();
        sync_dir(&self.dir)
    }

    /// Rewrites segments with deleted passages. Those another merge has at the moment are
    /// rewritten by that one.
    pub(crate) fn rewrite_segments(&mut self) -> Result<(), Error> {
        let engine = self.engine()?;
        for segment in engine.index().searchable_segment_metas()? {
            if segment.num_deleted_docs() == 0 {
                continue;
            }
            match engine.merge(&[segment.id()]).wait() {
                Ok(_) | Err(TantivyError::InvalidArgument(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Removes files of segments that were rewritten.
    pub(crate) fn remove_unused_files(&mut self) -> Result<(), Error> {
        self.engine()?.garbage_collect_files().wait()?;
        sync_dir(&self.dir)
    }

    /// How many files belong to no living segment, or to one with deleted passages.
    pub(crate) fn files_to_remove(&mut self) -> Result<usize, Error> {
        let metas = self.engine()?.index().searchable_segment_metas()?;
        let clean: Vec<String> = metas
            .iter()
            .filter(|segment| segment.num_deleted_docs() == 0)
            .map(|segment| segment.id().uuid_string())
            .collect();
        let files = std::fs::read_dir(&self.dir).map_err(Error::io(&self.dir))?;
        let names = files.flatten().filter_map(|file| file.file_name().into_string().ok());
        let of_segments = names.filter(|name| !name.starts_with('.') && !name.ends_with(".json"));
        Ok(of_segments.filter(|name| !clean.iter().any(|id| name.starts_with(id.as_str()))).count())
    }

    /// Lets running merges end and closes.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        match self.engine.take() {
            Some(engine) => Ok(engine.wait_merging_threads()?),
            None => Ok(()),
        }
    }

    fn engine(&mut self) -> Result<&mut IndexWriter<TantivyDocument>, Error> {
        let closed = || TantivyError::SystemError("the writer is closed".to_owned());
        Ok(self.engine.as_mut().ok_or_else(closed)?)
    }
}

/// A dropped engine writer leaves merges behind that would clean up among the files of the
/// next writer of this process; so every way out waits for them.
impl Drop for Writer {
    fn drop(&mut self) {
        if let Some(engine) = self.engine.take()
            && let Err(error) = engine.wait_merging_threads()
        {
            tracing::warn!(%error, "the index writer did not close cleanly");
        }
    }
}

/// The engine numbers operations from the number of the last commit, so the first one
/// after opening would carry a number that is taken. If that is a deletion, a merge that
/// runs before the next commit can count it as done without doing it, and the document
/// is there twice from then on. An empty batch uses the number up.
fn skip_used_stamp(engine: &IndexWriter<TantivyDocument>) -> Result<(), Error> {
    engine.run(Vec::new())?;
    Ok(())
}

/// Tries again while the engine's lock is held, see [`LOCK_TRIES`].
fn lock_patiently<T>(mut open: impl FnMut() -> tantivy::Result<T>) -> Result<T, Error> {
    for _ in 1..LOCK_TRIES {
        match open() {
            Err(TantivyError::LockFailure(..)) => std::thread::sleep(LOCK_PAUSE),
            other => return Ok(other?),
        }
    }
    Ok(open()?)
}
