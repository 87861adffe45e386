//! Looking for damage in the database, beside everything else.
//!
//! Reading every page takes as long as the disk needs, so no start waits for it. It is done in the background when
//! the last process was not closed, and once a month; what it found is kept. A start after damage was found looks
//! first, and refuses. Tables are read one by one, so that the log can be emptied in between.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::JoinHandle;

use serde::Serialize;

use super::conn::Conn;
use super::sqlite::Sqlite;
use super::{Store, StoreError, meta};
use crate::domain::clock::{Clock, Millis};

const DUE: &str = "check_due";
const AT: &str = "checked_at";
const DAMAGE: &str = "damage";
/// Without any reason, a database is looked at so often.
const EVERY_MS: i64 = 30 * 24 * 60 * 60 * 1000;

/// What is known about damage.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// When every page was last looked at.
    pub checked_at: Option<Millis>,
    /// The last process was not closed, and not every page was looked at since.
    pub due: bool,
    /// What is damaged.
    pub damage: Option<String>,
}

/// Reads what is known.
pub fn known(conn: &mut dyn Conn) -> Result<Checked, StoreError> {
    let at = meta::get(conn, AT)?.and_then(|text| text.parse().ok()).map(Millis);
    let damage = meta::get(conn, DAMAGE)?.filter(|damage| !damage.is_empty());
    Ok(Checked { checked_at: at, due: meta::get(conn, DUE)?.as_deref() == Some("1"), damage })
}

/// At the start: notes that the last process was not closed, and looks at everything where damage was found before.
pub(super) fn at_start(sqlite: &mut Sqlite, unclean: bool) -> Result<(), StoreError> {
    if unclean {
        meta::set(sqlite, DUE, "1")?;
    }
    if known(sqlite)?.damage.is_some() {
        sqlite.quick_check()?;
        // Somebody repaired it.
        meta::set(sqlite, DAMAGE, "")?;
    }
    Ok(())
}

/// A look at every page that is under way; ends with the value.
#[derive(Debug)]
pub struct Checking {
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Drop for Checking {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Store {
    /// Starts to look at every page, if that is due.
    pub fn check_beside(&self, clock: Arc<dyn Clock>) -> Result<Option<Checking>, StoreError> {
        let known = self.read(|conn| known(conn))?;
        let recent = known.checked_at.is_some_and(|at| clock.now().0 - at.0 < EVERY_MS);
        if recent && !known.due {
            return Ok(None);
        }
        let stop = Arc::new(AtomicBool::new(false));
        let (store, stopped) = (self.clone(), Arc::clone(&stop));
        let work = move || {
            let found = store.look_at_every_table(&stopped);
            if let Err(error) = found.and_then(|found| store.remember(found, clock.now())) {
                tracing::warn!(%error, "the database could not be looked at for damage");
            }
        };
        let thread = std::thread::Builder::new().name("store-check".to_owned()).spawn(work);
        let thread = thread.map_err(|error| StoreError::Engine(format!("cannot start a thread: {error}")))?;
        Ok(Some(Checking { stop, thread: Some(thread) }))
    }

    /// `None`: it was stopped. Otherwise what is damaged, empty where nothing is.
    fn look_at_every_table(&self, stop: &Arc<AtomicBool>) -> Result<Option<String>, StoreError> {
        let mut reader = self.reader()?;
        reader.stop_when(Arc::clone(stop))?;
        let tables = reader.tables();
        let tables = match tables {
            Ok(tables) => tables,
            Err(StoreError::Damaged(what)) => return Ok(Some(what)),
            Err(error) => return Err(error),
        };
        for table in tables {
            let looked = reader.quick_check_table(&table);
            if stop.load(Ordering::Relaxed) {
                return Ok(None);
            }
            match looked {
                Ok(()) => {}
                Err(StoreError::Damaged(what)) => return Ok(Some(format!("table {table}: {what}"))),
                Err(error) => return Err(error),
            }
        }
        Ok(Some(String::new()))
    }

    fn remember(&self, found: Option<String>, now: Millis) -> Result<(), StoreError> {
        let Some(damage) = found else { return Ok(()) };
        if !damage.is_empty() {
            tracing::error!(%damage, "the database is damaged: stop, and restore a backup of the data folder");
        }
        self.write(move |conn| {
            meta::set(conn, DAMAGE, &damage)?;
            meta::set(conn, DUE, "0")?;
            meta::set(conn, AT, &now.0.to_string())
        })
    }
}
