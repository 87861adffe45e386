//! E-mail threads: which mails came before another one.

use super::StoreError;
use super::conn::{Conn, all};
use crate::domain::clock::Millis;
use crate::domain::engagement::Body;
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// Where a mail stands in its thread: by time, then by id.
pub type Place = (Millis, String);

/// Earlier mails of a thread that are looked at: a mail usually quotes the whole thread, so few hold all that was said.
pub const PARENTS: usize = 3;

/// The newest stored mails of a thread that happened before `place`, as HubSpot sent them, newest first.
pub fn mails_before(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    thread: &str,
    place: &Place,
) -> Result<Vec<(Place, Body)>, StoreError> {
    let sql = "select occurred_at, id, body_html, body_plain from hubspot_engagements \
               where org = $1 and portal = $2 and thread = $3 and kind = 'email' \
               and (occurred_at, id) < ($4, $5) order by occurred_at desc, id desc limit $6";
    all(conn, sql, params![org, portal, thread, place.0, &place.1, PARENTS as i64], |row| {
        let place = (Millis(row.int(0)?), row.string(1)?);
        Ok((place, Body { html: row.opt_string(2)?, plain: row.opt_string(3)? }))
    })
}
