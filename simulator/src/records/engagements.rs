//! E-mails, notes, calls, meetings and tasks.

use super::{push_number, push_optional};
use crate::clock::{DAY_MS, push_iso};
use crate::content::email::Sort;
use crate::content::persons::owner_name;
use crate::hash::pick;
use crate::kind::Kind;
use crate::portal::Portal;
use crate::submissions::uuid;

const DISPOSITIONS: [&str; 4] = [
    "f240bbac-87c9-4f6e-bf70-924b57d47db7",
    "b2cf5968-551e-4856-9783-52b3da59a7d0",
    "73a0d17f-1163-4015-bdd5-ec830791da20",
    "9d9162e7-6cf3-4944-bf63-4dff82258764",
];

pub(super) fn value(p: &Portal, kind: Kind, i: u64, name: &str, out: &mut String) -> bool {
    match name {
        "hs_timestamp" => push_iso(timestamp(p, kind, i), out),
        "hubspot_owner_id" => push_number(p.owner_id(owner(p, kind, i)), out),
        "hs_object_source" => out.push_str(if kind == Kind::Email { "EMAIL_INTEGRATION" } else { "CRM_UI" }),
        "hs_object_source_label" => {
            out.push_str(if kind == Kind::Email { "EMAIL_INTEGRATION" } else { "CRM_UI" })
        }
        "hs_engagement_source" => out.push_str(if kind == Kind::Email { "EMAIL" } else { "CRM_UI" }),
        "hs_created_by_user_id" => push_number(9_100_000 + owner(p, kind, i), out),
        "hs_body_preview" => {
            let body = if kind == Kind::Email {
                p.email_text(i).unwrap_or_default()
            } else {
                p.logged_title(kind, i)
            };
            out.extend(body.chars().take(160));
        }
        _ => {
            return match kind {
                Kind::Email => email(p, i, name, out),
                Kind::Note => name == "hs_note_body" && push_optional(Some(p.logged_body(kind, i)), out),
                Kind::Call => call(p, i, name, out),
                Kind::Meeting => meeting(p, i, name, out),
                _ => task(p, i, name, out),
            };
        }
    }
    true
}

fn timestamp(p: &Portal, kind: Kind, i: u64) -> i64 {
    if kind == Kind::Task {
        return p.created(kind, i) / 1_000 * 1_000 + (p.draw(kind, i, 50) % 14) as i64 * DAY_MS;
    }
    p.happened(kind, i)
}

fn owner(p: &Portal, kind: Kind, i: u64) -> u64 {
    p.owner_of_contact(p.turn(kind, i).contact)
}

fn email(p: &Portal, i: u64, name: &str, out: &mut String) -> bool {
    let sender = || p.email_people(i).0;
    let receiver = || p.email_people(i).1;
    match name {
        "hs_email_subject" => out.push_str(&p.email_subject(i)),
        "hs_email_html" => return push_optional(p.email_html(i), out),
        "hs_email_text" => return push_optional(p.email_text(i), out),
        "hs_email_direction" => {
            out.push_str(if p.email_is_incoming(i) { "INCOMING_EMAIL" } else { "EMAIL" });
        }
        "hs_email_status" => {
            out.push_str(if p.draw(Kind::Email, i, 51).is_multiple_of(200) { "BOUNCED" } else { "SENT" })
        }
        "hs_email_from_email" | "hs_email_sender_email" => out.push_str(&sender().mail),
        "hs_email_from_firstname" => out.push_str(sender().first),
        "hs_email_from_lastname" => out.push_str(sender().last),
        "hs_email_to_email" => out.push_str(&receiver().mail),
        "hs_email_to_firstname" => out.push_str(receiver().first),
        "hs_email_to_lastname" => out.push_str(receiver().last),
        "hs_email_cc_email" if i % 41 == 7 => {
            out.push_str(
                &p.contact_mail((p.turn(Kind::Email, i).contact + 1) % p.count(Kind::Contact).max(1)),
            );
        }
        "hs_email_headers" => push_headers(p, i, out),
        "hs_email_thread_id" => out.push_str(&uuid(p.draw(Kind::Email, p.email_thread(i).0, 52), 7)),
        "hs_email_message_id" => {
            out.push('<');
            out.push_str(&uuid(p.draw(Kind::Email, i, 53), i));
            out.push_str("@mail.example>");
        }
        "hs_incoming_email_is_out_of_office" => {
            out.push_str(if p.email_sort(i) == Sort::AutoReply { "true" } else { "false" });
        }
        _ => return false,
    }
    true
}

fn push_headers(p: &Portal, i: u64, out: &mut String) {
    let (from, to) = p.email_people(i);
    let from = serde_json::json!({"email": from.mail, "firstName": from.first, "lastName": from.last});
    let to = serde_json::json!([{"email": to.mail, "firstName": to.first, "lastName": to.last}]);
    out.push_str(&serde_json::json!({"from": from, "to": to, "cc": [], "bcc": []}).to_string());
}

fn call(p: &Portal, i: u64, name: &str, out: &mut String) -> bool {
    let draw = |salt| p.draw(Kind::Call, i, salt);
    match name {
        "hs_call_title" => out.push_str(&p.logged_title(Kind::Call, i)),
        "hs_call_body" => out.push_str(&p.logged_body(Kind::Call, i)),
        "hs_call_summary" => return push_optional(p.call_summary(i), out),
        "hs_call_direction" => out.push_str(if draw(51) % 2 == 0 { "OUTBOUND" } else { "INBOUND" }),
        "hs_call_status" => out.push_str("COMPLETED"),
        "hs_call_disposition" => out.push_str(pick(&DISPOSITIONS, draw(52))),
        "hs_call_duration" => push_number(20_000 + draw(53) % 2_400_000, out),
        "hs_call_from_number" => out.push_str("+1 555 0100 10"),
        "hs_call_to_number" => out.push_str(&p.contact_phone(p.turn(Kind::Call, i).contact)),
        "hs_call_has_transcript" => out.push_str(if p.has_transcript(i) { "true" } else { "false" }),
        "hs_call_transcription_id" if p.has_transcript(i) => push_number(p.transcript_id(i), out),
        "hs_call_source" => out.push_str("INTEGRATIONS_PLATFORM"),
        _ => return false,
    }
    true
}

fn meeting(p: &Portal, i: u64, name: &str, out: &mut String) -> bool {
    let start = p.happened(Kind::Meeting, i) - 3_600_000;
    match name {
        "hs_meeting_title" => out.push_str(&p.logged_title(Kind::Meeting, i)),
        "hs_meeting_body" => out.push_str(&p.logged_body(Kind::Meeting, i)),
        "hs_internal_meeting_notes" => return push_optional(p.meeting_internal_notes(i), out),
        "hs_meeting_start_time" => push_iso(start, out),
        "hs_meeting_end_time" => push_iso(start + 2_700_000, out),
        "hs_meeting_outcome" => {
            out.push_str(pick(&["COMPLETED", "SCHEDULED", "NO_SHOW"], p.draw(Kind::Meeting, i, 51)))
        }
        "hs_meeting_location" if i.is_multiple_of(2) => {
            out.push_str(owner_name(owner(p, Kind::Meeting, i)).1);
            out.push_str(" room");
        }
        "hs_meeting_external_url" if i % 2 == 1 => {
            out.push_str("https://meet.example/");
            push_number(i, out);
        }
        _ => return false,
    }
    true
}

fn task(p: &Portal, i: u64, name: &str, out: &mut String) -> bool {
    let draw = |salt| p.draw(Kind::Task, i, salt);
    match name {
        "hs_task_subject" => out.push_str(&p.logged_title(Kind::Task, i)),
        "hs_task_body" => out.push_str(&p.logged_body(Kind::Task, i)),
        "hs_task_status" => out.push_str(pick(&["NOT_STARTED", "COMPLETED", "WAITING"], draw(51))),
        "hs_task_priority" => out.push_str(pick(&["LOW", "MEDIUM", "HIGH"], draw(52))),
        "hs_task_type" => out.push_str(pick(&["TODO", "CALL", "EMAIL"], draw(53))),
        _ => return false,
    }
    true
}
