//! What engagements show of the contacts, companies and deals they are tied to.
//!
//! A record may change in ways that none of its engagements tell (a score, a property of the account's own): then
//! nothing is written to the index and nothing is distilled again.

use super::StoreError;
use super::associations::RecordKey;
use super::conn::{Conn, first};
use crate::params;

/// Everything of a stored record that engagements may tell, as one text to compare; `None` where it is not stored.
pub(super) fn of(conn: &mut dyn Conn, key: RecordKey<'_>) -> Result<Option<String>, StoreError> {
    let sql = match key.kind {
        "contacts" => {
            "select json_array(email, first_name, last_name, job_title, phone, lifecycle_stage, owner, company, \
             (select group_concat(email) from (select email from contact_emails \
              where org = $1 and portal = $2 and contact = $3 order by email)), \
             (select group_concat(to_id) from (select to_id from associations where org = $1 and portal = $2 \
              and from_type = 'contacts' and from_id = $3 and to_type = 'companies' order by position))) \
             from end_users where org = $1 and portal = $2 and id = $3"
        }
        "companies" => {
            "select json_array(name, domain, industry, employees, lifecycle_stage, phone, owner) \
             from companies where org = $1 and portal = $2 and id = $3"
        }
        _ => {
            "select json_array(name, amount, currency, pipeline, stage, close_date, deal_type, owner, \
             (select group_concat(to_type || to_id) from (select to_type, to_id from associations \
              where org = $1 and portal = $2 and from_type = 'deals' and from_id = $3 order by to_type, position))) \
             from deals where org = $1 and portal = $2 and id = $3"
        }
    };
    first(conn, sql, params![key.org, key.portal, key.id], |row| row.string(0))
}
