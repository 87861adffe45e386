//! Companies.

use super::push_number;
use crate::hash::pick;
use crate::kind::Kind;
use crate::portal::Portal;

pub(super) fn value(p: &Portal, i: u64, name: &str, out: &mut String) -> bool {
    let draw = |salt| p.draw(Kind::Company, i, salt);
    let lexicon = || p.language_of_company(i);
    match name {
        "name" => out.push_str(&p.company_name(i)),
        "domain" => out.push_str(&p.company_domain(i)),
        "website" => {
            out.push_str("https://www.");
            out.push_str(&p.company_domain(i));
        }
        "industry" if draw(60) % 4 != 0 => out.push_str(p.company_industry(i)),
        "numberofemployees" if draw(61) % 3 != 0 => push_number(5 + draw(62) % 4_000, out),
        "lifecyclestage" => out.push_str(if draw(63) % 2 == 0 { "customer" } else { "opportunity" }),
        "phone" if draw(64) % 2 == 0 => {
            out.push_str("+1 555 0177 ");
            push_number(1_000 + draw(65) % 9_000, out);
        }
        "city" => out.push_str(pick(lexicon().cities, draw(66))),
        "country" => out.push_str(match lexicon().code {
            "de" => "Germany",
            "fr" => "France",
            "es" => "Spain",
            "pt" => "Portugal",
            "ja" => "Japan",
            _ => "United Kingdom",
        }),
        "description" if draw(67) % 2 == 0 => {
            out.push_str(&p.company_name(i));
            out.push_str(": ");
            out.push_str(pick(lexicon().sentences, draw(68)));
        }
        "hubspot_owner_id" if draw(69) % 4 != 0 => push_number(p.owner_id(draw(70) % 12), out),
        "num_associated_contacts" => push_number(p.primary_contacts_of_company(i).len() as u64, out),
        "hs_object_source" | "hs_object_source_label" => out.push_str("CRM_UI"),
        _ => return false,
    }
    true
}
