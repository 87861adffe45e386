//! Deals in the two pipelines of the portal.

use super::push_number;
use crate::clock::{DAY_MS, push_iso};
use crate::hash::pick;
use crate::kind::Kind;
use crate::portal::Portal;

/// Id, label, probability, closed.
pub(crate) type Stage = (&'static str, &'static str, &'static str, bool);
/// Id, label, stages.
pub(crate) type Pipeline = (&'static str, &'static str, &'static [Stage]);

/// The pipelines of the portal.
pub(crate) const PIPELINES: [Pipeline; 2] = [
    (
        "default",
        "Sales Pipeline",
        &[
            ("appointmentscheduled", "Appointment Scheduled", "0.2", false),
            ("qualifiedtobuy", "Qualified To Buy", "0.4", false),
            ("presentationscheduled", "Presentation Scheduled", "0.6", false),
            ("contractsent", "Contract Sent", "0.9", false),
            ("closedwon", "Closed Won", "1.0", true),
            ("closedlost", "Closed Lost", "0.0", true),
        ],
    ),
    (
        "81230001",
        "Renewals",
        &[
            ("155020001", "Renewal open", "0.5", false),
            ("155020002", "Renewed", "1.0", true),
            ("155020003", "Cancelled", "0.0", true),
        ],
    ),
];

pub(super) fn value(p: &Portal, i: u64, name: &str, out: &mut String) -> bool {
    let draw = |salt| p.draw(Kind::Deal, i, salt);
    let (pipeline, _, stages) = &PIPELINES[usize::from(draw(60) % 4 == 0)];
    let (stage, _, probability, closed) = &stages[(draw(61) % stages.len() as u64) as usize];
    match name {
        "dealname" => match p.company_of_deal(i) {
            Some(company) => {
                out.push_str(&p.company_name(company));
                out.push_str(" - ");
                out.push_str(pick(&["renewal", "expansion", "first order", "pilot"], draw(62)));
            }
            None => {
                out.push_str(p.contact_names(i * 3).1);
                out.push_str(" - first order");
            }
        },
        "pipeline" => out.push_str(pipeline),
        "dealstage" => out.push_str(stage),
        "amount" if draw(63) % 8 != 0 => push_number(500 + draw(64) % 90_000, out),
        "closedate" => push_iso(p.created(Kind::Deal, i) + (draw(65) % 120) as i64 * DAY_MS, out),
        "dealtype" if draw(66) % 2 == 0 => {
            out.push_str(if i.is_multiple_of(2) { "newbusiness" } else { "existingbusiness" })
        }
        "deal_currency_code" => out.push_str("EUR"),
        "hs_is_closed" => out.push_str(if *closed { "true" } else { "false" }),
        "hs_is_closed_won" => out.push_str(if *probability == "1.0" { "true" } else { "false" }),
        "hs_deal_stage_probability" => out.push_str(probability),
        "hubspot_owner_id" => push_number(p.owner_id(draw(67) % 12), out),
        "hs_object_source" | "hs_object_source_label" => out.push_str("CRM_UI"),
        _ => return false,
    }
    true
}
