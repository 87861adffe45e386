//! The seam to a database: one text per query, `$1`-style parameters, rows read by position.
//!
//! A second driver (Postgres) implements [`Conn`]; nothing above this folder sees a driver. To add one,
//! implement the trait, rewrite `$n` if the engine needs it, and give it migrations under `schemas/`.

use super::StoreError;

/// One parameter of a statement.
#[derive(Debug, Clone, Copy)]
pub enum Param<'a> {
    /// SQL null.
    Null,
    /// BIGINT.
    Int(i64),
    /// DOUBLE PRECISION.
    Real(f64),
    /// TEXT.
    Text(&'a str),
    /// BLOB or BYTEA.
    Blob(&'a [u8]),
}

impl From<i64> for Param<'_> {
    fn from(value: i64) -> Self {
        Self::Int(value)
    }
}

impl From<bool> for Param<'_> {
    fn from(value: bool) -> Self {
        Self::Int(i64::from(value))
    }
}

impl From<f64> for Param<'_> {
    fn from(value: f64) -> Self {
        Self::Real(value)
    }
}

impl<'a> From<&'a str> for Param<'a> {
    fn from(value: &'a str) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a String> for Param<'a> {
    fn from(value: &'a String) -> Self {
        Self::Text(value)
    }
}

impl<'a> From<&'a [u8]> for Param<'a> {
    fn from(value: &'a [u8]) -> Self {
        Self::Blob(value)
    }
}

impl<'a, const N: usize> From<&'a [u8; N]> for Param<'a> {
    fn from(value: &'a [u8; N]) -> Self {
        Self::Blob(value)
    }
}

impl<'a> From<&'a Vec<u8>> for Param<'a> {
    fn from(value: &'a Vec<u8>) -> Self {
        Self::Blob(value)
    }
}

impl From<crate::domain::clock::Millis> for Param<'_> {
    fn from(value: crate::domain::clock::Millis) -> Self {
        Self::Int(value.0)
    }
}

impl From<crate::domain::ids::PortalId> for Param<'_> {
    fn from(value: crate::domain::ids::PortalId) -> Self {
        Self::Int(value.as_i64())
    }
}

impl<'a> From<&'a crate::domain::ids::OrgId> for Param<'a> {
    fn from(value: &'a crate::domain::ids::OrgId) -> Self {
        Self::Text(value.as_str())
    }
}

impl<'a> From<&'a Option<String>> for Param<'a> {
    fn from(value: &'a Option<String>) -> Self {
        value.as_deref().map_or(Self::Null, Self::Text)
    }
}

impl<'a> From<&'a Option<Vec<u8>>> for Param<'a> {
    fn from(value: &'a Option<Vec<u8>>) -> Self {
        value.as_deref().map_or(Self::Null, Self::Blob)
    }
}

impl From<Option<i64>> for Param<'_> {
    fn from(value: Option<i64>) -> Self {
        value.map_or(Self::Null, Self::Int)
    }
}

impl<'a> From<Option<&'a str>> for Param<'a> {
    fn from(value: Option<&'a str>) -> Self {
        value.map_or(Self::Null, Self::Text)
    }
}

impl From<Option<crate::domain::clock::Millis>> for Param<'_> {
    fn from(value: Option<crate::domain::clock::Millis>) -> Self {
        value.map_or(Self::Null, |at| Self::Int(at.0))
    }
}

/// A list of parameters from anything that is one.
#[macro_export]
macro_rules! params {
    ($($value:expr),* $(,)?) => { &[$($crate::store::conn::Param::from($value)),*] };
}

/// One row of an answer; columns count from 0. Asking for the wrong type is [`StoreError::Shape`].
pub trait Row {
    /// A BIGINT that may be null.
    fn opt_int(&self, column: usize) -> Result<Option<i64>, StoreError>;
    /// A DOUBLE that is not null.
    fn real(&self, column: usize) -> Result<f64, StoreError>;
    /// A TEXT that may be null.
    fn opt_text(&self, column: usize) -> Result<Option<&str>, StoreError>;
    /// A BLOB that may be null.
    fn opt_blob(&self, column: usize) -> Result<Option<&[u8]>, StoreError>;

    /// A BIGINT that is not null.
    fn int(&self, column: usize) -> Result<i64, StoreError> {
        self.opt_int(column)?.ok_or(StoreError::Shape { column })
    }

    /// A TEXT that is not null.
    fn text(&self, column: usize) -> Result<&str, StoreError> {
        self.opt_text(column)?.ok_or(StoreError::Shape { column })
    }

    /// An owned TEXT that is not null.
    fn string(&self, column: usize) -> Result<String, StoreError> {
        self.text(column).map(str::to_owned)
    }

    /// An owned TEXT that may be null.
    fn opt_string(&self, column: usize) -> Result<Option<String>, StoreError> {
        Ok(self.opt_text(column)?.map(str::to_owned))
    }

    /// A BLOB that is not null.
    fn blob(&self, column: usize) -> Result<&[u8], StoreError> {
        self.opt_blob(column)?.ok_or(StoreError::Shape { column })
    }
}

/// What is done with each row.
pub type EachRow<'f> = &'f mut dyn FnMut(&dyn Row) -> Result<(), StoreError>;

/// A connection, inside or outside a transaction.
pub trait Conn {
    /// Runs a statement; answers the number of rows it changed.
    fn execute(&mut self, sql: &'static str, params: &[Param<'_>]) -> Result<u64, StoreError>;

    /// Runs a query and hands over its rows one by one; an error of `each` ends it.
    fn query(&mut self, sql: &'static str, params: &[Param<'_>], each: EachRow<'_>)
    -> Result<(), StoreError>;
}

/// The first row of a query, turned into a value.
pub fn first<T>(
    conn: &mut dyn Conn,
    sql: &'static str,
    params: &[Param<'_>],
    mut read: impl FnMut(&dyn Row) -> Result<T, StoreError>,
) -> Result<Option<T>, StoreError> {
    let mut found = None;
    conn.query(sql, params, &mut |row| {
        if found.is_none() {
            found = Some(read(row)?);
        }
        Ok(())
    })?;
    Ok(found)
}

/// Every row of a query, turned into values. For answers of bounded size only.
pub fn all<T>(
    conn: &mut dyn Conn,
    sql: &'static str,
    params: &[Param<'_>],
    mut read: impl FnMut(&dyn Row) -> Result<T, StoreError>,
) -> Result<Vec<T>, StoreError> {
    let mut found = Vec::new();
    conn.query(sql, params, &mut |row| {
        found.push(read(row)?);
        Ok(())
    })?;
    Ok(found)
}
