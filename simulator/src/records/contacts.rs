//! Contacts. Lean portals fill the same short properties and leave the rest unset.

use super::push_number;
use crate::hash::pick;
use crate::kind::Kind;
use crate::portal::Portal;

const STAGES: [&str; 5] = ["lead", "marketingqualifiedlead", "opportunity", "customer", "subscriber"];
const STATUSES: [&str; 4] = ["NEW", "OPEN", "IN_PROGRESS", "CONNECTED"];

pub(super) fn value(p: &Portal, i: u64, name: &str, out: &mut String) -> bool {
    let draw = |salt| p.draw(Kind::Contact, i, salt);
    match name {
        "email" => out.push_str(&p.contact_mail(i)),
        "firstname" => out.push_str(p.contact_names(i).0),
        "lastname" => out.push_str(p.contact_names(i).1),
        "lifecyclestage" => out.push_str(pick(&STAGES, draw(60))),
        "company" => match p.claimed_company(i) {
            Some(company) => out.push_str(&p.company_name(company)),
            None => return false,
        },
        "jobtitle" if draw(61) % 3 != 0 => out.push_str(p.contact_job(i)),
        "phone" if draw(62) % 2 == 0 => out.push_str(&p.contact_phone(i)),
        "city" if draw(63) % 2 == 0 => out.push_str(pick(p.language_of_contact(i).cities, draw(64))),
        "hs_email_domain" => {
            let mail = p.contact_mail(i);
            out.push_str(mail.rsplit('@').next().unwrap_or_default());
        }
        "hs_lead_status" if draw(65) % 4 == 0 => out.push_str(pick(&STATUSES, draw(66))),
        "hs_language" if draw(67) % 2 == 0 => out.push_str(p.language_of_contact(i).code),
        "hubspot_owner_id" if draw(68) % 5 != 0 => push_number(p.owner_id(p.owner_of_contact(i)), out),
        "associatedcompanyid" => match p.company_of_contact(i) {
            Some(company) => push_number(p.id(Kind::Company, company), out),
            None => return false,
        },
        "hs_additional_emails" if i % 19 == 6 => {
            out.push_str("alt");
            push_number(i, out);
            out.push_str("@mailbox.example");
        }
        "num_associated_deals" => push_number(p.deals_of_contact(i).len() as u64, out),
        "hs_object_source" => out.push_str(if i.is_multiple_of(3) { "IMPORT" } else { "CRM_UI" }),
        "hs_object_source_label" => out.push_str(if i.is_multiple_of(3) { "IMPORT" } else { "CRM_UI" }),
        "hs_marketable_status" => out.push_str(if i.is_multiple_of(2) { "true" } else { "false" }),
        _ => return false,
    }
    true
}
