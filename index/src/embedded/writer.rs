//! The only way anything is written: one long-lived engine writer whose every
//! commit carries the position and is made durable.
//!
//! The engine's plain `commit` erases the payload and its rename may be lost
//! in a power cut; neither can happen here because the engine's writer is
//! never handed out.

use super::Options;
use super::layout::{LOCK_PAUSE, LOCK_TRIES, sync_dir};
use super::schema::{Fields, Tag, fingerprint};
use crate::document::{Change, Position};
use crate::error::Error;
use serde::{Deserialize, Serialize};
use std::path::{Path, PathBuf};
use tantivy::indexer::{LogMergePolicy, UserOperation};
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
    engine: IndexWriter<TantivyDocument>,
    fields: Fields,
    dir: PathBuf,
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
        engine.set_merge_policy(Box::new(merge_policy()));
        engine.garbage_collect_files().wait()?;
        Ok(Writer { engine, fields, dir: dir.to_owned() })
    }

    /// Takes changes in; passages of one document stay together in one segment.
    pub(crate) fn add(&self, changes: &[Change]) -> Result<(), Error> {
        for change in changes {
            match change {
                Change::Put(document) => {
                    let old = self.fields.key_term(&document.org, &document.id);
                    let passages = self.fields.documents(document);
                    let mut operations = Vec::with_capacity(passages.len() + 1);
                    operations.push(UserOperation::Delete(old));
                    operations.extend(passages.into_iter().map(UserOperation::Add));
                    self.engine.run(operations)?;
                }
                Change::Remove { org, id } => {
                    self.engine.delete_term(self.fields.key_term(org, id));
                }
                Change::RemoveOrg { org } => {
                    self.engine.delete_term(self.fields.tag(org, Tag::Org));
                }
            }
        }
        Ok(())
    }

    /// Makes everything added durable together with the position.
    pub(crate) fn commit(&mut self, position: &Position) -> Result<(), Error> {
        let payload = Payload { epoch: position.epoch.clone(), seq: position.seq, schema: fingerprint() };
        let text = serde_json::to_string(&payload).unwrap_or_default();
        let mut commit = self.engine.prepare_commit()?;
        commit.set_payload(&text);
        commit.commit()?;
        sync_dir(&self.dir)
    }

    /// Rewrites segments with deleted passages.
    pub(crate) fn rewrite_segments(&mut self) -> Result<(), Error> {
        for segment in self.engine.index().searchable_segment_metas()? {
            if segment.num_deleted_docs() == 0 {
                continue;
            }
            match self.engine.merge(&[segment.id()]).wait() {
                // An invalid argument: another merge has the segment, and rewrites it as well.
                Ok(_) | Err(TantivyError::InvalidArgument(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Ok(())
    }

    /// Removes files of segments that were rewritten.
    pub(crate) fn remove_unused_files(&self) -> Result<(), Error> {
        self.engine.garbage_collect_files().wait()?;
        sync_dir(&self.dir)
    }

    /// Lets running merges end and closes.
    pub(crate) fn close(self) -> Result<(), Error> {
        Ok(self.engine.wait_merging_threads()?)
    }
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

/// Few segments, and space of deleted passages taken back.
fn merge_policy() -> LogMergePolicy {
    let mut policy = LogMergePolicy::default();
    policy.set_min_num_segments(6);
    policy.set_del_docs_ratio_before_merge(0.2);
    policy
}
