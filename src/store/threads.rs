//! E-mail threads: which mail came before another one.

use super::StoreError;
use super::conn::{Conn, first};
use crate::domain::clock::Millis;
use crate::domain::engagement::Body;
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// Where a mail stands in its thread: by time, then by id.
pub type Place = (Millis, String);

/// The newest stored mail of a thread that happened before `place`, as HubSpot sent it.
pub fn mail_before(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    thread: &str,
    place: &Place,
) -> Result<Option<(Place, Body)>, StoreError> {
    let sql = "select occurred_at, id, body_html, body_plain from hubspot_engagements \
               where org = $1 and portal = $2 and thread = $3 and kind = 'email' \
               and (occurred_at, id) < ($4, $5) order by occurred_at desc, id desc limit 1";
    first(conn, sql, params![org, portal, thread, place.0, &place.1], |row| {
        let place = (Millis(row.int(0)?), row.string(1)?);
        Ok((place, Body { html: row.opt_string(2)?, plain: row.opt_string(3)? }))
    })
}
