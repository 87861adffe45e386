//! All SQL of the product: one file per aggregate, behind the [`conn::Conn`] seam.
//!
//! [`Store::read`] runs a closure on a read-only connection; [`Store::write`] hands it to the one writer
//! thread, which groups what is waiting into one durable transaction (see [`writer`]). Both block: async
//! callers go through a blocking thread. Nothing here awaits and nothing outside this folder writes SQL.
//!
//! To add an aggregate: a file with functions taking `&mut dyn Conn`, a migration under `schemas/`.

pub mod agent_actions;
pub mod agents;
pub mod announced;
pub mod associations;
pub mod boilerplate;
pub mod check;
pub mod checkpoints;
pub mod conn;
pub mod connections;
pub mod crm;
pub mod due;
pub mod engagements;
pub mod erasure;
pub mod executions;
mod in_step;
pub mod insights;
pub mod ledger;
pub mod meta;
pub mod model;
pub mod near_copies;
pub mod notifications;
pub mod orgs;
pub mod passages;
pub mod people;
pub mod properties;
pub mod purge;
pub mod removal;
pub mod reread;
pub mod rules;
pub mod runs;
pub mod segment_values;
pub mod segments;
pub mod senders;
mod shown;
pub mod slack;
mod sqlite;
pub mod threads;
pub mod times;
pub mod totals;
pub mod transcripts;
pub mod upkeep;
pub mod webhooks;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use self::conn::Conn;
use self::sqlite::Sqlite;
use self::writer::Writer;

pub use self::writer::Signal;

mod migrations {
    refinery::embed_migrations!("schemas/sqlite");
}

/// What can go wrong with the database, by what the caller has to do about it.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// No room, or the disk refuses to write.
    #[error(
        "the disk is full or refuses to write ({0}); free some space and run it again, nothing stored so far is lost"
    )]
    DiskFull(String),
    /// The file is damaged.
    #[error(
        "the database is damaged ({0}); put a backup of the data folder back, or move hublore.db away and connect and sync again"
    )]
    Damaged(String),
    /// The file cannot be opened for writing.
    #[error("the database cannot be opened ({0}); check that the data folder exists and belongs to you")]
    NotWritable(String),
    /// Somebody else holds the database for too long.
    #[error("the database is busy; is another program using the data folder?")]
    Busy,
    /// The file was written by an older hublore and was not brought up to date yet.
    #[error(
        "the database is one of an older hublore, which still has it open; stop that one and start this one in its place"
    )]
    Older,
    /// The file was written by a newer hublore.
    #[error(
        "the database was written by a newer hublore ({0}); install that version or restore an older backup"
    )]
    Newer(String),
    /// The linked SQLite has a known corruption defect.
    #[error("SQLite {0} can corrupt a database; 3.51.3 or later is needed")]
    UnsafeEngine(String),
    /// The organisation was given another portal while pages of the former one were on their way.
    #[error("another portal was connected meanwhile; nothing more is taken from portal {0}")]
    OtherPortal(u64),
    /// A column does not hold what the code expects.
    #[error("column {column} of an answer is not of the expected type")]
    Shape {
        /// Position in the query.
        column: usize,
    },
    /// The writer is gone: the process is shutting down or an earlier failure ended it.
    #[error("the database writer has stopped")]
    Stopped,
    /// Everything else the engine reports.
    #[error("database: {0}")]
    Engine(String),
}

/// Handle to the database; cheap to clone.
#[derive(Clone)]
pub struct Store {
    inner: Arc<Inner>,
}

struct Inner {
    file: PathBuf,
    readers: Mutex<Vec<Sqlite>>,
    writer: Option<Writer>,
}

impl std::fmt::Debug for Store {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Store").field("file", &self.inner.file).finish_non_exhaustive()
    }
}

/// Readers kept open between uses; more are opened on demand and closed afterwards.
const IDLE_READERS: usize = 8;

impl Store {
    /// Opens `file` for reading and writing: brings its schema up to date, starts the writer. Every page is only
    /// looked at where damage was found before; see [`Self::check_beside`]. The caller holds the lock on the data
    /// folder.
    pub fn open(file: &Path) -> Result<Self, StoreError> {
        let unclean = log_of(file).metadata().is_ok_and(|log| log.len() > 0);
        let mut sqlite = Sqlite::open(file)?;
        migrate(&mut sqlite)?;
        check::at_start(&mut sqlite, unclean)?;
        let writer = Some(Writer::start(sqlite)?);
        Ok(Self { inner: Arc::new(Inner { file: file.to_owned(), readers: Mutex::default(), writer }) })
    }

    /// Opens an existing `file` for reading beside the process that owns it. A file of another version is refused: its
    /// owner brings it up to date.
    pub fn open_read_only(file: &Path) -> Result<Self, StoreError> {
        let reader = Sqlite::open_reader(file)?;
        let known = migrations::migrations::runner();
        let ours = known.get_migrations().iter().map(refinery::Migration::version).max();
        let (ours, there) = (ours.map_or(0, i64::from), reader.schema_version()?);
        if there < ours {
            return Err(StoreError::Older);
        }
        if there > ours {
            return Err(StoreError::Newer(format!("schema {there}")));
        }
        let readers = Mutex::new(vec![reader]);
        Ok(Self { inner: Arc::new(Inner { file: file.to_owned(), readers, writer: None }) })
    }

    /// Looks for damage, page by page; takes as long as reading the whole file.
    pub fn check(&self) -> Result<(), StoreError> {
        self.reader()?.quick_check()
    }

    /// Runs `work` on a read-only connection that sees one consistent state of the database.
    pub fn read<T, E: From<StoreError>>(
        &self,
        work: impl FnOnce(&mut dyn Conn) -> Result<T, E>,
    ) -> Result<T, E> {
        let mut reader = self.reader()?;
        reader.raw().execute_batch("begin").map_err(StoreError::from)?;
        let result = work(&mut reader);
        let ended = reader.raw().execute_batch("rollback");
        if ended.is_ok() {
            let mut idle = self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner);
            if idle.len() < IDLE_READERS {
                idle.push(reader);
            }
        }
        result
    }

    /// Runs `work` in a write transaction and returns once it is durable. An error rolls `work` back alone.
    pub fn write<T, E>(
        &self,
        work: impl FnOnce(&mut dyn Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        self.writer()?.run(work)
    }

    /// Like [`Self::write`], and what it overwrote or deleted is gone from the log beside the database, too.
    pub fn erase<T, E>(
        &self,
        work: impl FnOnce(&mut dyn Conn) -> Result<T, E> + Send + 'static,
    ) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<StoreError> + Send + 'static,
    {
        let writer = self.writer()?;
        let log = writer.log();
        writer.run(move |conn| {
            log.empty_after_this_commit();
            work(conn)
        })
    }

    /// Rings after every durable write.
    pub fn signal(&self) -> Result<Arc<Signal>, StoreError> {
        Ok(self.writer()?.signal())
    }

    /// Folder the database lives in.
    #[must_use]
    pub fn file(&self) -> &Path {
        &self.inner.file
    }

    fn writer(&self) -> Result<&Writer, StoreError> {
        self.inner.writer.as_ref().ok_or(StoreError::Stopped)
    }

    fn reader(&self) -> Result<Sqlite, StoreError> {
        let idle = self.inner.readers.lock().unwrap_or_else(PoisonError::into_inner).pop();
        idle.map_or_else(|| Sqlite::open_reader(&self.inner.file), Ok)
    }
}

/// The log beside the database: a process that was closed leaves none.
fn log_of(file: &Path) -> PathBuf {
    let mut name = file.as_os_str().to_owned();
    name.push("-wal");
    PathBuf::from(name)
}

fn migrate(sqlite: &mut Sqlite) -> Result<(), StoreError> {
    let outcome =
        migrations::migrations::runner().set_abort_divergent(true).set_abort_missing(true).run(sqlite.raw());
    match outcome {
        Ok(_) => Ok(()),
        Err(error) => match error.kind() {
            refinery::error::Kind::MissingVersion(step) => Err(StoreError::Newer(step.to_string())),
            refinery::error::Kind::DivergentVersion(_, step) => Err(StoreError::Newer(step.to_string())),
            _ => Err(StoreError::Engine(error.to_string())),
        },
    }
}
