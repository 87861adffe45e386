//! The engine inside this process: generations of a tantivy index in a
//! directory, one writer, any number of readers.
//!
//! `layout` knows the directory, `schema` the fields, `writer` the one way to
//! write, `snapshot` what a search runs on, `plan`, `expand`, `statistics`, `words`,
//! `collect` and `search` how it runs, `rebuild` how a new generation takes over.
//! Nothing here decides what is indexed or who may ask.

mod candidate;
mod collect;
mod columns;
mod common_phrase;
mod expand;
mod explain;
mod factors;
mod filter;
mod fusion;
mod layout;
mod merging;
mod nearness;
mod organisation;
mod pending;
mod plan;
mod ranking;
mod rebuild;
mod schema;
mod search;
mod snapshot;
mod statistics;
mod words;
mod writer;

pub use factors::Factors;
pub use ranking::Ranking;
pub use rebuild::Generation;

use crate::document::{Change, Position};
use crate::error::{Error, Reason};
use crate::knowledge_index::{KnowledgeIndex, Stats};
use crate::meaning::Encoder;
use crate::request::{Answer, Request, Scope};
use arc_swap::ArcSwapOption;
use layout::{Layout, Pointer, Stamp};
use search::Search;
use snapshot::{Opened, Snapshot};
use std::fs::File;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use writer::Writer;

/// How an index is opened for writing.
#[derive(Debug, Clone)]
pub struct Options {
    /// Memory for words not yet written, for all threads together, in bytes.
    pub writer_budget_bytes: usize,
    /// Threads that cut words and write segments, 1 to 8.
    pub threads: usize,
    /// Whether to compare every file with its checksum when opening.
    pub verify_checksums: bool,
    /// Whether to start an empty index where there is none.
    pub create: bool,
    /// How hits are ranked by their words.
    pub ranking: Ranking,
    /// What else counts.
    pub factors: Factors,
    /// A table of meanings; without one the words alone decide. Another table makes another
    /// index, which asks to be rebuilt.
    pub meaning: Option<Arc<Encoder>>,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            writer_budget_bytes: 64 << 20,
            threads: 1,
            verify_checksums: false,
            create: true,
            ranking: Ranking::default(),
            factors: Factors::default(),
            meaning: None,
        }
    }
}

impl Options {
    /// A rebuild has much to write at once: all processors, up to four.
    fn for_rebuild(&self) -> Options {
        let processors = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        let threads = self.threads.max(processors.min(4));
        Options { threads, writer_budget_bytes: self.writer_budget_bytes * threads, ..self.clone() }
    }

    /// Within what the engine accepts.
    fn budget(&self) -> usize {
        const MIN_PER_THREAD: usize = 15_000_000;
        const MAX: usize = 2 << 30;
        self.writer_budget_bytes.clamp(MIN_PER_THREAD * self.threads.max(1), MAX)
    }
}

/// Whether an index can be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// It can be searched and, if opened for writing, written.
    Ready,
    /// It must be rebuilt from the source; `begin_rebuild` works. Searches are answered meanwhile where it
    /// was only cut into words in another way; all else refuses.
    NeedsRebuild(Reason),
}

/// The embedded index.
pub struct Embedded {
    layout: Layout,
    options: Options,
    live: ArcSwapOption<Snapshot>,
    /// Why there is nothing live.
    reason: Mutex<Option<Reason>>,
    inner: Mutex<Inner>,
    /// Held for writing until dropped; none when opened for reading only.
    lock: Option<File>,
}

/// What changes together.
#[derive(Default)]
struct Inner {
    opened: Option<Opened>,
    writer: Option<Writer>,
    previous: Option<String>,
    /// The generation of another version that answers, or waits, until a new one is built.
    set_aside: Option<String>,
    /// What a reader saw last, to tell whether anything has changed.
    stamp: Stamp,
}

/// How long a purge waits for merges and searches that hold old files.
const PURGE_TRIES: u32 = 200;
const PURGE_PAUSE: Duration = Duration::from_millis(50);

/// How often a reader tries to catch up with a generation that vanishes under it.
const FOLLOW_TRIES: u32 = 5;

impl std::fmt::Debug for Embedded {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Embedded").field("layout", &self.layout).finish_non_exhaustive()
    }
}

impl Embedded {
    /// Opens the index for the one process that writes it. Damage and a foreign schema are
    /// not errors but a [`State`].
    ///
    /// # Errors
    /// [`Error::Locked`] if another process writes; I/O errors.
    pub fn open(dir: impl AsRef<Path>, options: Options) -> Result<Embedded, Error> {
        let layout = Layout::new(dir.as_ref());
        layout.create()?;
        let lock = layout.lock()?;
        let embedded = Embedded::new(layout, options, Some(lock));
        embedded.open_live()?;
        Ok(embedded)
    }

    /// Opens the index for reading beside the process that writes it; every search sees
    /// the newest commit.
    ///
    /// # Errors
    /// I/O errors.
    pub fn open_read_only(dir: impl AsRef<Path>, options: Options) -> Result<Embedded, Error> {
        let layout = Layout::new(dir.as_ref());
        let embedded = Embedded::new(layout, options, None);
        embedded.open_live()?;
        Ok(embedded)
    }

    fn new(layout: Layout, options: Options, lock: Option<File>) -> Embedded {
        Embedded {
            layout,
            options,
            live: ArcSwapOption::empty(),
            reason: Mutex::new(None),
            inner: Mutex::new(Inner::default()),
            lock,
        }
    }

    fn open_live(&self) -> Result<(), Error> {
        let writing = self.lock.is_some();
        let pointer = match self.layout.read_pointer()? {
            Ok(pointer) => pointer,
            Err(Reason::Missing) if writing && self.options.create => return self.create(),
            Err(reason) => {
                self.set_reason(Some(reason));
                return Ok(());
            }
        };
        if writing {
            self.remove_leftovers(&pointer)?;
        }
        match Opened::open(&self.layout, &pointer.current, &self.options)? {
            Ok(opened) if opened.outdated.is_none() => self.install(opened, pointer.previous),
            other => self.open_other_version(other, pointer),
        }
    }

    /// Where the live generation belongs to another version or is damaged: the one before may be of
    /// this version, as after going back to an older program. Else the live one answers as far as it can be read.
    fn open_other_version(&self, opened: Result<Opened, Reason>, pointer: Pointer) -> Result<(), Error> {
        let damaged = matches!(&opened, Err(Reason::Damaged(_)));
        if self.lock.is_some()
            && !damaged
            && let Some(previous) = &pointer.previous
            && let Ok(before) = Opened::open(&self.layout, previous, &self.options)?
            && before.outdated.is_none()
        {
            self.layout.write_pointer(&Pointer {
                current: previous.clone(),
                previous: Some(pointer.current.clone()),
            })?;
            return self.install(before, Some(pointer.current));
        }
        let mut inner = self.inner();
        inner.previous = pointer.previous;
        inner.set_aside = (!damaged).then_some(pointer.current);
        match opened {
            Err(reason) => self.set_reason(Some(reason)),
            Ok(opened) => {
                self.live.store(Some(Arc::new(opened.snapshot()?)));
                self.set_reason(opened.outdated.clone());
                // Only a reader goes on with it.
                inner.opened = self.lock.is_none().then_some(opened);
            }
        }
        Ok(())
    }

    fn create(&self) -> Result<(), Error> {
        let name = self.layout.new_generation()?;
        let opened = Opened::create(&self.layout, &name)?;
        layout::sync_dir(&opened.dir)?;
        self.layout.write_pointer(&Pointer { current: name, previous: None })?;
        self.install(opened, None)
    }

    /// Generations that never went live, or were replaced twice.
    fn remove_leftovers(&self, pointer: &Pointer) -> Result<(), Error> {
        let mut keep = vec![pointer.current.as_str()];
        keep.extend(pointer.previous.as_deref());
        self.layout.remove_all_but(&keep)
    }

    /// Makes a generation the live one of this process.
    fn install(&self, opened: Opened, previous: Option<String>) -> Result<(), Error> {
        let writer = match self.lock {
            Some(_) => Some(Writer::open(&opened.index, opened.fields, &opened.dir, &self.options)?),
            None => None,
        };
        let snapshot = opened.snapshot()?;
        let mut inner = self.inner();
        inner.writer = writer;
        inner.opened = Some(opened);
        inner.previous = previous;
        self.live.store(Some(Arc::new(snapshot)));
        self.set_reason(None);
        Ok(())
    }

    /// Whether it can be used, and if not, why.
    #[must_use]
    pub fn state(&self) -> State {
        match self.reason.lock().unwrap_or_else(PoisonError::into_inner).clone() {
            Some(reason) => State::NeedsRebuild(reason),
            None => State::Ready,
        }
    }

    /// Bytes on disk, all generations together. A rebuild needs about as much again.
    #[must_use]
    pub fn size_bytes(&self) -> u64 {
        self.layout.size_bytes()
    }

    /// Versions of every copy of a document: empty if it is not in, one if all is well.
    ///
    /// # Errors
    /// [`Error::NeedsRebuild`]; engine errors.
    pub fn copies_of(&self, org: &str, id: &str) -> Result<Vec<u64>, Error> {
        self.snapshot()?.versions(org, id)
    }

    /// Lets running merges end, then closes. Changes not committed are dropped.
    ///
    /// # Errors
    /// Engine errors.
    pub fn close(self) -> Result<(), Error> {
        let writer = self.inner().writer.take();
        writer.map_or(Ok(()), Writer::close)
    }

    /// Makes what was removed or replaced vanish from the disk: segments that still hold it
    /// are rewritten and the previous generation, which holds it too, is given up (no rollback
    /// afterwards). Call after the commit that removed it; takes time in proportion to the
    /// segments touched. Searches go on meanwhile.
    ///
    /// # Errors
    /// [`Error::NotPurged`] if merges or searches held on to old files for too long: call again.
    /// As [`commit`](KnowledgeIndex::commit); I/O errors.
    pub fn purge_removed(&self) -> Result<(), Error> {
        self.forget_previous()?;
        for _ in 0..PURGE_TRIES {
            self.write(Writer::rewrite_segments)?;
            // The snapshot before the rewrite keeps its files alive, and so does a running search.
            self.publish()?;
            let left = self.write(|writer| {
                writer.remove_unused_files()?;
                writer.files_to_remove()
            })?;
            if left == 0 {
                return Ok(());
            }
            std::thread::sleep(PURGE_PAUSE);
        }
        Err(Error::NotPurged)
    }

    fn forget_previous(&self) -> Result<(), Error> {
        let mut inner = self.inner();
        let (Some(opened), Some(previous)) = (&inner.opened, inner.previous.clone()) else {
            return Ok(());
        };
        self.layout.write_pointer(&Pointer { current: opened.name.clone(), previous: None })?;
        self.layout.remove(&previous)?;
        inner.previous = None;
        Ok(())
    }

    /// Lets searches see the newest commit.
    fn publish(&self) -> Result<(), Error> {
        let inner = self.inner();
        if let Some(opened) = &inner.opened {
            self.live.store(Some(Arc::new(opened.snapshot()?)));
        }
        Ok(())
    }

    fn set_reason(&self, reason: Option<Reason>) {
        *self.reason.lock().unwrap_or_else(PoisonError::into_inner) = reason;
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn snapshot(&self) -> Result<Arc<Snapshot>, Error> {
        if self.lock.is_none() {
            self.follow()?;
        }
        match (self.live.load_full(), self.state()) {
            (Some(snapshot), _) => Ok(snapshot),
            (None, State::NeedsRebuild(reason)) => Err(Error::NeedsRebuild(reason)),
            (None, State::Ready) => Err(Error::NeedsRebuild(Reason::Missing)),
        }
    }

    /// Checksums are compared once, at the start.
    fn following(&self) -> Options {
        Options { verify_checksums: false, ..self.options.clone() }
    }

    /// A reader's look at what the writing process has done, if it has done anything.
    fn follow(&self) -> Result<(), Error> {
        let mut inner = self.inner();
        // A generation may be replaced twice and removed while it is being opened.
        for _ in 0..FOLLOW_TRIES {
            let Ok(pointer) = self.layout.read_pointer()? else {
                return Ok(());
            };
            let stamp = self.layout.stamp(&pointer.current);
            let same = inner.opened.as_ref().is_some_and(|opened| opened.name == pointer.current);
            if same && inner.stamp == stamp {
                return Ok(());
            }
            if !same {
                match Opened::open(&self.layout, &pointer.current, &self.following())? {
                    Ok(opened) => inner.opened = Some(opened),
                    Err(reason) => {
                        self.set_reason(Some(reason));
                        continue;
                    }
                }
            }
            if let Some(opened) = &inner.opened {
                self.live.store(Some(Arc::new(opened.snapshot()?)));
                self.set_reason(opened.outdated.clone());
                inner.stamp = stamp;
            }
            return Ok(());
        }
        Ok(())
    }

    /// Runs something on the writer. If it fails the writer is opened anew, because the
    /// engine's is unusable after an error, and everything since the last commit is gone.
    fn write<T>(&self, act: impl FnOnce(&mut Writer) -> Result<T, Error>) -> Result<T, Error> {
        if self.lock.is_none() {
            return Err(Error::ReadOnly);
        }
        let mut inner = self.inner();
        let Inner { opened, writer, .. } = &mut *inner;
        let Some(opened) = opened else {
            return match self.state() {
                State::NeedsRebuild(reason) => Err(Error::NeedsRebuild(reason)),
                State::Ready => Err(Error::NeedsRebuild(Reason::Missing)),
            };
        };
        let open = match writer {
            Some(open) => open,
            // Lost before and not opened again then; the caller has been told to replay.
            None => writer.insert(Writer::open(&opened.index, opened.fields, &opened.dir, &self.options)?),
        };
        let error = match act(open) {
            Ok(done) => return Ok(done),
            Err(error) => error,
        };
        tracing::warn!(%error, "index writer failed, opening it anew");
        // The old one holds the engine's lock until it is dropped.
        *writer = None;
        *writer = Writer::open(&opened.index, opened.fields, &opened.dir, &self.options).ok();
        Err(Error::Replay(Box::new(error)))
    }
}

impl KnowledgeIndex for Embedded {
    fn position(&self) -> Option<Position> {
        self.snapshot().ok()?.position.clone()
    }

    fn add(&self, changes: &[Change]) -> Result<(), Error> {
        let committed = self.snapshot()?;
        self.write(|writer| writer.add(changes, &committed))
    }

    fn commit(&self, position: &Position) -> Result<(), Error> {
        self.write(|writer| writer.commit(position))?;
        self.publish()
    }

    fn search(&self, request: &Request, scope: &Scope) -> Result<Answer, Error> {
        let snapshot = self.snapshot()?;
        let Options { ranking, factors, meaning, .. } = &self.options;
        let meaning = meaning.as_deref().filter(|_| !snapshot.outdated);
        let search = Search { snapshot: &snapshot, request, scope, ranking: *ranking, factors, meaning };
        search.run()
    }

    fn version_of(&self, org: &str, id: &str) -> Result<Option<u64>, Error> {
        let versions = self.copies_of(org, id)?;
        match versions.as_slice() {
            [] => Ok(None),
            [version] => Ok(Some(*version)),
            more => Err(Error::Doubled { id: id.to_owned(), copies: more.len() }),
        }
    }

    fn for_each(&self, org: &str, f: &mut dyn FnMut(&str, u64)) -> Result<(), Error> {
        self.snapshot()?.for_each(org, f)
    }

    fn count(&self, org: &str) -> Result<u64, Error> {
        self.snapshot()?.count(org)
    }

    fn stats(&self) -> Result<Stats, Error> {
        let snapshot = self.snapshot()?;
        let readers = snapshot.searcher.segment_readers();
        Ok(Stats {
            documents: snapshot.documents()?,
            passages: snapshot.searcher.num_docs(),
            segments: readers.len(),
            deleted_passages: readers.iter().map(|r| u64::from(r.num_deleted_docs())).sum(),
            size_bytes: self.size_bytes(),
            generation: snapshot.name.clone(),
        })
    }
}
