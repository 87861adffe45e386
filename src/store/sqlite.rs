//! The SQLite driver: how a connection is opened and how statements run on it.
//!
//! Durability is chosen here (WAL, `synchronous=FULL`: an acknowledged row survives a power cut; with
//! NORMAL the index can end up ahead of the database). Not here: any query of the product.

use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use rusqlite::types::{ToSqlOutput, ValueRef};
use rusqlite::{Connection, ErrorCode, OpenFlags, ToSql};

use super::StoreError;
use super::conn::{Conn, EachRow, Param, Row};

/// First release without the WAL-reset corruption (sqlite.org, release notes of 3.51.3).
const OLDEST_SAFE_SQLITE: i32 = 3_051_003;

/// A connection that rewrites `$n` to `?n` (SQLite reads `$2` as a name, not a position).
#[derive(Debug)]
pub(super) struct Sqlite {
    connection: Connection,
    rewritten: HashMap<(usize, usize), String>,
}

impl Sqlite {
    /// Opens the file for writing, creating it if need be.
    pub(super) fn open(file: &Path) -> Result<Self, StoreError> {
        if rusqlite::version_number() < OLDEST_SAFE_SQLITE {
            return Err(StoreError::UnsafeEngine(rusqlite::version().to_owned()));
        }
        let connection = Connection::open(file)?;
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "full")?;
        connection.pragma_update(None, "secure_delete", "on")?;
        connection.pragma_update(None, "wal_autocheckpoint", 4000)?;
        // A large transaction may push the log far beyond its checkpoint size; give the space back.
        connection.pragma_update(None, "journal_size_limit", 64 << 20)?;
        Self::tuned(connection, 8_192)
    }

    /// Opens the file for reading only.
    pub(super) fn open_reader(file: &Path) -> Result<Self, StoreError> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(file, flags)?;
        connection.pragma_update(None, "query_only", "on")?;
        // There are several readers and the system caches the file anyway.
        Self::tuned(connection, 2_048)
    }

    fn tuned(connection: Connection, cache_kib: i64) -> Result<Self, StoreError> {
        connection.busy_timeout(Duration::from_secs(10))?;
        connection.pragma_update(None, "trusted_schema", "off")?;
        connection.pragma_update(None, "foreign_keys", "on")?;
        connection.pragma_update(None, "mmap_size", 0)?;
        connection.pragma_update(None, "cache_size", -cache_kib)?;
        connection.set_prepared_statement_cache_capacity(128);
        Ok(Self { connection, rewritten: HashMap::new() })
    }

    /// The raw connection, for migrations and backups.
    pub(super) fn raw(&mut self) -> &mut Connection {
        &mut self.connection
    }

    /// Carries the log into the file and empties it; `false` while somebody reads from it.
    pub(super) fn empty_log(&self) -> Result<bool, StoreError> {
        let busy: i64 = self.connection.query_row("pragma wal_checkpoint(truncate)", [], |row| row.get(0))?;
        Ok(busy == 0)
    }

    /// The cheap part of an integrity check; `Err` names what is damaged.
    pub(super) fn quick_check(&self) -> Result<(), StoreError> {
        let verdict: String = self.connection.query_row("pragma quick_check(1)", [], |row| row.get(0))?;
        if verdict == "ok" { Ok(()) } else { Err(StoreError::Damaged(verdict)) }
    }

    /// Number of the newest migration that was applied.
    pub(super) fn schema_version(&self) -> Result<i64, StoreError> {
        let sql = "select coalesce(max(version), 0) from refinery_schema_history";
        Ok(self.connection.query_row(sql, [], |row| row.get(0))?)
    }

    /// The tables of the database.
    pub(super) fn tables(&self) -> Result<Vec<String>, StoreError> {
        let mut names = self.connection.prepare("select name from sqlite_master where type = 'table'")?;
        let names = names.query_map([], |row| row.get(0))?;
        Ok(names.collect::<Result<_, _>>()?)
    }

    /// The same for one table with its indexes.
    pub(super) fn quick_check_table(&self, table: &str) -> Result<(), StoreError> {
        let sql = format!("pragma quick_check('{}')", table.replace('\'', "''"));
        let verdict: String = self.connection.query_row(&sql, [], |row| row.get(0))?;
        if verdict == "ok" { Ok(()) } else { Err(StoreError::Damaged(verdict)) }
    }

    /// From now on statements of this connection end with an error once `stop` is true.
    pub(super) fn stop_when(&mut self, stop: Arc<AtomicBool>) -> Result<(), StoreError> {
        self.connection.progress_handler(10_000, Some(move || stop.load(Ordering::Relaxed)))?;
        Ok(())
    }

    fn statement(&mut self, sql: &'static str) -> Cow<'static, str> {
        if !sql.contains('$') {
            return Cow::Borrowed(sql);
        }
        let key = (sql.as_ptr() as usize, sql.len());
        Cow::Owned(self.rewritten.entry(key).or_insert_with(|| sql.replace('$', "?")).clone())
    }
}

impl Conn for Sqlite {
    fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError> {
        let text = self.statement(sql);
        let mut statement = self.connection.prepare_cached(&text)?;
        let changed = statement.execute(rusqlite::params_from_iter(params))?;
        Ok(changed as u64)
    }

    fn query(
        &mut self,
        sql: &'static str,
        params: &[Param<'_>],
        each: EachRow<'_>,
    ) -> Result<(), StoreError> {
        let text = self.statement(sql);
        let mut statement = self.connection.prepare_cached(&text)?;
        let mut rows = statement.query(rusqlite::params_from_iter(params))?;
        while let Some(row) = rows.next()? {
            each(&SqliteRow(row))?;
        }
        Ok(())
    }
}

impl ToSql for Param<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(match *self {
            Param::Null => ValueRef::Null,
            Param::Int(value) => ValueRef::Integer(value),
            Param::Real(value) => ValueRef::Real(value),
            Param::Text(value) => ValueRef::Text(value.as_bytes()),
            Param::Blob(value) => ValueRef::Blob(value),
        }))
    }
}

struct SqliteRow<'r>(&'r rusqlite::Row<'r>);

impl SqliteRow<'_> {
    fn value(&self, column: usize) -> Result<ValueRef<'_>, StoreError> {
        self.0.get_ref(column).map_err(|_| StoreError::Shape { column })
    }
}

impl Row for SqliteRow<'_> {
    fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Integer(value) => Ok(Some(value)),
            _ => Err(StoreError::Shape { column }),
        }
    }

    fn real(&self, column: usize) -> Result<f64, StoreError> {
        match self.value(column)? {
            ValueRef::Real(value) => Ok(value),
            _ => Err(StoreError::Shape { column }),
        }
    }

    fn opt_text(&self, column: usize) -> Result<Option<&str>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Text(bytes) => {
                std::str::from_utf8(bytes).map(Some).map_err(|_| StoreError::Shape { column })
            }
            _ => Err(StoreError::Shape { column }),
        }
    }

    fn opt_blob(&self, column: usize) -> Result<Option<&[u8]>, StoreError> {
        match self.value(column)? {
            ValueRef::Null => Ok(None),
            ValueRef::Blob(bytes) => Ok(Some(bytes)),
            _ => Err(StoreError::Shape { column }),
        }
    }
}

impl From<rusqlite::Error> for StoreError {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error_code() {
            Some(ErrorCode::DiskFull | ErrorCode::SystemIoFailure) => Self::DiskFull(error.to_string()),
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => Self::Damaged(error.to_string()),
            Some(ErrorCode::CannotOpen | ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
                Self::NotWritable(error.to_string())
            }
            Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => Self::Busy,
            _ => Self::Engine(error.to_string()),
        }
    }
}
