//! Segments as an operator handles them: saved by name, looked at with count, sums and a page of members.
//!
//! The filter's words are in `domain::segment`, the questions to the database in `store::segments`.

mod doubts;

use serde::Serialize;

use crate::domain::clock::Millis;
use crate::domain::ids::{OrgId, PortalId};
use crate::domain::segment::{NotAFilter, SegmentFilter};
use crate::store::segments::{self, Member, Segment, Summary};
use crate::store::{Store, StoreError};

/// Members of a page at most.
pub const MAX_PAGE: usize = 1000;

/// Why a segment cannot be saved or shown.
#[derive(Debug, thiserror::Error)]
pub enum SegmentError {
    /// The name is empty or too long.
    #[error("a segment needs a name of 1 to 100 characters")]
    Name,
    /// The name is another segment's.
    #[error("there is a segment named `{0}` already")]
    Taken(String),
    /// No record can meet the filter.
    #[error(transparent)]
    Filter(#[from] NotAFilter),
    /// The cursor was not made here.
    #[error("`{0}` is not a cursor of a members page")]
    Cursor(String),
    /// There is no such segment.
    #[error("no segment `{0}` here")]
    Unknown(String),
    /// The database.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A segment as it was saved.
#[derive(Debug, Clone, Serialize)]
pub struct Saved {
    /// The segment.
    #[serde(flatten)]
    pub segment: Segment,
    /// What its filter names that nothing here is called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// A segment with who is in it now.
#[derive(Debug, Clone, Serialize)]
pub struct Seen {
    /// The segment.
    #[serde(flatten)]
    pub segment: Segment,
    /// Count and sums.
    pub summary: Summary,
    /// One page of members, in the order of portal and id.
    pub members: Vec<Member>,
    /// Cursor of the next page; absent on the last.
    pub next_cursor: Option<String>,
    /// What its filter names that nothing here is called.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// Saves a filter under a name; the segment of that name is changed.
pub fn save(
    store: &Store,
    org: &OrgId,
    name: &str,
    filter: SegmentFilter,
    now: Millis,
) -> Result<Saved, SegmentError> {
    let name = name.trim().to_owned();
    if name.is_empty() || name.chars().count() > 100 || name.chars().any(char::is_control) {
        return Err(SegmentError::Name);
    }
    filter.check()?;
    let warnings = store.read(|conn| doubts::of(conn, org, &filter))?;
    let org = org.clone();
    let saved: Result<Segment, StoreError> = store.write(move |conn| {
        let known = segments::find(conn, &org, &name)?.filter(|known| known.name == name);
        let (id, created_at) = match known {
            Some(known) => (known.id, known.created_at),
            None => (format!("segment_{}", uuid::Uuid::now_v7().simple()), now),
        };
        let segment = Segment { id, name, filter, created_at, updated_at: now };
        segments::put(conn, &org, &segment)?;
        Ok(segment)
    });
    Ok(Saved { segment: saved?, warnings })
}

/// The segment of that id or name with a page of its members.
pub fn look(
    store: &Store,
    org: &OrgId,
    id_or_name: &str,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Seen, SegmentError> {
    let after = cursor.map(position).transpose()?;
    let limit = limit.clamp(1, MAX_PAGE);
    store.read(|conn| {
        let unknown = || SegmentError::Unknown(id_or_name.to_owned());
        let segment = segments::find(conn, org, id_or_name)?.ok_or_else(unknown)?;
        let summary = segments::summary(conn, org, &segment.filter)?;
        // One more than asked for tells whether there is a next page.
        let ask = i64::try_from(limit + 1).unwrap_or(i64::MAX);
        let mut members = segments::members(conn, org, &segment.filter, after, ask)?;
        let more = members.len() > limit;
        members.truncate(limit);
        let next = members.last().filter(|_| more).map(|last| format!("{}:{}", last.portal_id, last.id));
        let warnings = doubts::of(conn, org, &segment.filter)?;
        Ok(Seen { segment, summary, members, next_cursor: next, warnings })
    })
}

/// Forgets the segment of that id or name.
pub fn remove(store: &Store, org: &OrgId, id_or_name: &str) -> Result<Segment, SegmentError> {
    let (org, name) = (org.clone(), id_or_name.to_owned());
    let removed: Result<Option<Segment>, StoreError> = store.write(move |conn| {
        let Some(segment) = segments::find(conn, &org, &name)? else { return Ok(None) };
        segments::remove(conn, &org, &segment.id)?;
        Ok(Some(segment))
    });
    removed?.ok_or_else(|| SegmentError::Unknown(id_or_name.to_owned()))
}

fn position(cursor: &str) -> Result<(PortalId, &str), SegmentError> {
    let bad = || SegmentError::Cursor(cursor.to_owned());
    let (portal, id) = cursor.split_once(':').ok_or_else(bad)?;
    Ok((PortalId(portal.parse().map_err(|_| bad())?), id))
}
