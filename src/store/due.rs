//! Engagements to be looked at again from what is stored, without HubSpot: a queue that survives a crash.

use super::StoreError;
use super::associations::RecordKey;
use super::conn::{Conn, all};
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::params;

/// What has to be done again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Task {
    /// It was judged by rules that changed meanwhile, or no judge could tell.
    Judge,
    /// Its insights depend on something else that changed: names, companies.
    Distil,
}

impl Task {
    fn as_str(self) -> &'static str {
        match self {
            Self::Judge => "judge",
            Self::Distil => "distil",
        }
    }
}

/// Queues one engagement.
pub fn add(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId, task: Task) -> Result<(), StoreError> {
    conn.execute(
        "insert into engagements_due (org, portal, kind, id, task) values ($1, $2, $3, $4, $5) \
         on conflict do nothing",
        params![org, document.portal, document.kind.as_str(), &document.id, task.as_str()],
    )
    .map(drop)
}

/// Queues every learned engagement tied to a contact or company whose names or company changed.
pub fn add_engagements_of(conn: &mut dyn Conn, record: RecordKey<'_>) -> Result<(), StoreError> {
    conn.execute(
        "insert into engagements_due (org, portal, kind, id, task) \
         select a.org, a.portal, a.from_type, a.from_id, 'distil' from associations a \
         cross join hubspot_engagements e \
         where e.org = a.org and e.portal = a.portal and e.kind = a.from_type and e.id = a.from_id and a.org = $1 and a.portal = $2 and a.to_type = $3 and a.to_id = $4 \
         on conflict do nothing",
        params![record.org, record.portal, record.kind, record.id],
    )
    .map(drop)
}

/// Queues every held engagement that this judge has not seen.
pub fn add_held(conn: &mut dyn Conn, org: &OrgId, portal: PortalId, judge: &str) -> Result<(), StoreError> {
    conn.execute(
        "insert into engagements_due (org, portal, kind, id, task) \
         select org, portal, kind, id, 'judge' from rule_decisions \
         where org = $1 and portal = $2 and outcome = 'held' and judge <> $3 on conflict do nothing",
        params![org, portal, judge],
    )
    .map(drop)
}

/// Queues form submissions that are tied to nobody, but whose address somebody has by now.
pub fn add_tieable(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<(), StoreError> {
    conn.execute(
        "insert into engagements_due (org, portal, kind, id, task) \
         select e.org, e.portal, e.kind, e.id, 'judge' from hubspot_engagements e \
         where e.org = $1 and e.portal = $2 and e.kind = 'form_submission' \
         and exists (select 1 from contact_emails m where m.org = e.org and m.portal = e.portal \
         and m.email = e.from_address) \
         and not exists (select 1 from associations a cross join end_users u where a.org = e.org \
         and a.portal = e.portal and a.from_type = e.kind and a.from_id = e.id and a.to_type = 'contacts' \
         and u.org = a.org and u.portal = a.portal and u.id = a.to_id) on conflict do nothing",
        params![org, portal],
    )
    .map(drop)
}

/// Queues every engagement of a portal.
pub fn add_all(conn: &mut dyn Conn, org: &OrgId, portal: PortalId, task: Task) -> Result<(), StoreError> {
    conn.execute(
        "insert into engagements_due (org, portal, kind, id, task) \
         select org, portal, kind, id, $3 from hubspot_engagements where org = $1 and portal = $2 \
         on conflict do nothing",
        params![org, portal, task.as_str()],
    )
    .map(drop)
}

/// Up to `limit` queued engagements, in the order of their ids.
pub fn next(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    task: Task,
    limit: i64,
) -> Result<Vec<DocumentId>, StoreError> {
    let sql = "select kind, id from engagements_due where org = $1 and portal = $2 and task = $3 \
               order by kind, id limit $4";
    all(conn, sql, params![org, portal, task.as_str(), limit], |row| {
        let kind = Kind::parse(row.text(0)?).ok_or(StoreError::Shape { column: 0 })?;
        Ok(DocumentId { portal, kind, id: row.string(1)? })
    })
}

/// Takes one engagement off the queue.
pub fn done(conn: &mut dyn Conn, org: &OrgId, document: &DocumentId, task: Task) -> Result<(), StoreError> {
    let sql =
        "delete from engagements_due where org = $1 and portal = $2 and kind = $3 and id = $4 and task = $5";
    let key = params![org, document.portal, document.kind.as_str(), &document.id, task.as_str()];
    conn.execute(sql, key).map(drop)
}
