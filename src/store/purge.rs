//! Removing everything that was read from one portal, so that another one can take its place.
//!
//! What the organisation itself made stays: agents, rules, segments. The checkpoints go last, together with whatever
//! follows (`last`): until then the organisation holds data of that portal, whatever happens in between.

use super::StoreError;
use super::conn::{Conn, all};
use super::engagements;
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, OrgId, PortalId};
use crate::params;

/// Rows removed in one transaction.
const BATCH: i64 = 500;

/// Tables that may hold a row for every record, in portions.
const LARGE: [&str; 4] = [
    "delete from end_users where org = $1 and portal = $2 and id in \
     (select id from end_users where org = $1 and portal = $2 limit 5000)",
    "delete from companies where org = $1 and portal = $2 and id in \
     (select id from companies where org = $1 and portal = $2 limit 5000)",
    "delete from deals where org = $1 and portal = $2 and id in \
     (select id from deals where org = $1 and portal = $2 limit 5000)",
    "delete from tombstones where org = $1 and portal = $2 and (kind, id) in \
     (select kind, id from tombstones where org = $1 and portal = $2 limit 5000)",
];

const WHOLE: [&str; 27] = [
    "delete from webhook_deliveries where org = $1 and portal = $2",
    "delete from webhook_events where org = $1 and portal = $2",
    "delete from webhook_records where org = $1 and portal = $2",
    "delete from action_executions where org = $1 and (portal = $2 or portal is null)",
    "delete from contact_emails where org = $1 and portal = $2",
    "delete from associations where org = $1 and portal = $2",
    "delete from owners where org = $1 and portal = $2",
    "delete from pipeline_stages where org = $1 and portal = $2",
    "delete from aliases where org = $1 and portal = $2",
    "delete from parked where org = $1 and portal = $2",
    "delete from transcripts where org = $1 and portal = $2",
    "delete from insights where org = $1 and portal = $2",
    "delete from retired_insights where org = $1 and portal = $2",
    "delete from engagements_due where org = $1 and portal = $2",
    "delete from rule_decisions where org = $1 and portal = $2",
    "delete from upkeep where org = $1 and portal = $2",
    "delete from reconciliations where org = $1 and portal = $2",
    "delete from erased where org = $1 and portal = $2",
    "delete from mail_tails where org = $1 and portal = $2",
    "delete from boilerplate where org = $1 and portal = $2",
    "delete from model_queue where org = $1 and portal = $2",
    "delete from model_verdicts where org = $1 and portal = $2",
    "delete from notifications where org = $1 and portal = $2",
    "delete from properties where org = $1 and portal = $2",
    "delete from properties_left where org = $1 and portal = $2",
    "delete from template_bands where template in (select id from templates where org = $1 and portal = $2)",
    "delete from templates where org = $1 and portal = $2",
];

/// Removes a portion of a portal's data; `false` when only the last step is left. Each call is one transaction.
pub fn portion(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<bool, StoreError> {
    let sql = "select kind, id from hubspot_engagements where org = $1 and portal = $2 limit $3";
    let some =
        all(conn, sql, params![org, portal, BATCH], |row| Ok((Kind::parse(row.text(0)?), row.string(1)?)))?;
    if !some.is_empty() {
        for (kind, id) in some {
            let Some(kind) = kind else { return Err(StoreError::Shape { column: 0 }) };
            // The ledger tells the index.
            engagements::remove(conn, org, &DocumentId { portal, kind, id })?;
        }
        return Ok(true);
    }
    for sql in LARGE {
        if conn.execute(sql, params![org, portal])? > 0 {
            return Ok(true);
        }
    }
    for sql in WHOLE {
        conn.execute(sql, params![org, portal])?;
    }
    Ok(false)
}

/// Removes what is left: the connection, the runs, and with the checkpoints what says whose data this is.
pub fn last(conn: &mut dyn Conn, org: &OrgId, portal: PortalId) -> Result<(), StoreError> {
    for sql in [
        "delete from connections where org = $1 and portal = $2",
        "delete from watermarks where org = $1 and portal = $2",
        "delete from checkpoints where org = $1 and portal = $2",
    ] {
        conn.execute(sql, params![org, portal])?;
    }
    for sql in ["delete from sync_runs where org = $1", "delete from model_answers where org = $1"] {
        conn.execute(sql, params![org])?;
    }
    Ok(())
}
