//! Call transcripts.

use serde_json::{Value, json};

use super::Call;
use crate::clock::iso;
use crate::content::persons::owner_name;
use crate::http::Reply;
use crate::kind::Kind;

/// `GET /crm/extensions/calling/transcripts/{id}`.
pub(super) fn get(call: &Call<'_>, id: &str) -> Result<Reply, Reply> {
    call.need(&["crm.extensions_calling_transcripts.read"])?;
    let portal = &call.state.portal;
    let of_call = id.parse().ok().and_then(|id| portal.call_of_transcript(id));
    let of_call = of_call.filter(|c| portal.transcript_is_served(*c)).ok_or_else(Reply::not_found)?;
    let contact = portal.turn(Kind::Call, of_call).contact;
    let (customer, owner) = (portal.contact_person(contact), portal.owner_of_contact(contact));
    let speaker = |by_customer: bool| {
        if by_customer {
            return json!({"id": "2", "name": customer.name(), "email": customer.mail});
        }
        let (first, last) = owner_name(owner);
        json!({"id": "1", "name": format!("{first} {last}")})
    };
    let lines: Vec<Value> = portal
        .utterances(of_call)
        .into_iter()
        .enumerate()
        .map(|(n, line)| {
            json!({
                "id": (n + 1).to_string(), "speaker": speaker(line.by_customer), "text": line.text,
                "languageCode": portal.language_of_contact(contact).code,
                "startTimeMillis": line.start_ms, "endTimeMillis": line.end_ms,
            })
        })
        .collect();
    let at = iso(portal.created(Kind::Call, of_call));
    Ok(Reply::ok(&json!({
        "id": id, "engagementId": portal.id(Kind::Call, of_call), "createdAt": at, "updatedAt": at,
        "transcriptSource": "INTEGRATOR_GENERATED", "transcriptUtterances": lines,
    })))
}
