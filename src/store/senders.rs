//! Senders of mails as the CRM knows them: what the signature under a mail is told by.

use super::StoreError;
use super::conn::{Conn, all};
use crate::domain::ids::{OrgId, PortalId};
use crate::params;

/// What is known of whoever writes from one address.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Sender {
    /// Names of the contacts and owners with that address.
    pub names: Vec<String>,
    /// Phones, titles and companies of the contacts.
    pub facts: Vec<String>,
}

/// The contacts and owners of a portal with that address, primary or additional.
pub fn with_address(
    conn: &mut dyn Conn,
    org: &OrgId,
    portal: PortalId,
    address: &str,
) -> Result<Sender, StoreError> {
    let address = address.trim().to_lowercase();
    let contacts = "select u.first_name, u.last_name, u.phone, u.properties ->> 'mobilephone', u.job_title, \
        u.properties ->> 'company', c.name, c.phone \
        from contact_emails m cross join end_users u left join companies c on c.org = u.org \
        and c.portal = u.portal and c.id = u.company where m.org = $1 and m.email = $2 and m.portal = $3 \
        and u.org = m.org and u.portal = m.portal and u.id = m.contact order by m.contact";
    let mut sender = Sender::default();
    conn.query(contacts, params![org, &address, portal], &mut |row| {
        let names: Vec<&str> = [row.opt_text(0)?, row.opt_text(1)?].into_iter().flatten().collect();
        sender.names.extend((!names.is_empty()).then(|| names.join(" ")));
        for column in 2..8 {
            sender.facts.extend(row.opt_string(column)?.filter(|fact| !fact.trim().is_empty()));
        }
        Ok(())
    })?;
    let owners = "select name from owners where org = $1 and portal = $2 and lower(email) = $3 \
                  and name is not null order by id";
    sender.names.extend(all(conn, owners, params![org, portal, &address], |row| row.string(0))?);
    Ok(sender)
}
