//! The properties the portal defines per type: what `/crm/properties` lists, what a write is
//! checked against, and what makes an unset property `null` rather than unknown.

use crate::custom;
use crate::kind::Kind;

/// One property definition.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Property {
    pub(crate) name: &'static str,
    pub(crate) label: &'static str,
    pub(crate) value_type: &'static str,
    pub(crate) field_type: &'static str,
    pub(crate) read_only: bool,
    /// Values of an enumeration; empty for other types.
    pub(crate) options: &'static [&'static str],
}

pub(crate) const fn text(name: &'static str, label: &'static str) -> Property {
    Property { name, label, value_type: "string", field_type: "text", read_only: false, options: &[] }
}

const fn html(name: &'static str, label: &'static str) -> Property {
    Property { field_type: "html", ..text(name, label) }
}

pub(crate) const fn number(name: &'static str, label: &'static str) -> Property {
    Property { value_type: "number", field_type: "number", ..text(name, label) }
}

pub(crate) const fn instant(name: &'static str, label: &'static str) -> Property {
    Property { value_type: "datetime", field_type: "date", ..text(name, label) }
}

pub(crate) const fn choice(
    name: &'static str,
    label: &'static str,
    options: &'static [&'static str],
) -> Property {
    Property { value_type: "enumeration", field_type: "select", options, ..text(name, label) }
}

pub(crate) const fn flag(name: &'static str, label: &'static str) -> Property {
    Property {
        value_type: "bool",
        field_type: "booleancheckbox",
        options: &["true", "false"],
        ..text(name, label)
    }
}

pub(crate) const fn fixed(property: Property) -> Property {
    Property { read_only: true, ..property }
}

const COMMON: &[Property] = &[
    // A type few clients know.
    fixed(Property { value_type: "object_coordinates", ..text("hs_obj_coords", "Object coordinates") }),
    fixed(number("hs_object_id", "Record ID")),
    text("hubspot_owner_id", "Owner"),
    fixed(text("hs_object_source", "Record source")),
    fixed(text("hs_object_source_label", "Record source label")),
    fixed(text("hs_merged_object_ids", "Merged record IDs")),
    fixed(number("hs_created_by_user_id", "Created by user ID")),
    fixed(number("hs_updated_by_user_id", "Updated by user ID")),
    fixed(text("hs_unique_creation_key", "Unique creation key")),
    fixed(instant("hubspot_owner_assigneddate", "Owner assigned date")),
];

const ENGAGEMENT: &[Property] = &[
    instant("hs_timestamp", "Activity date"),
    fixed(instant("hs_createdate", "Create date")),
    fixed(instant("hs_lastmodifieddate", "Last modified date")),
    text("hs_attachment_ids", "Attached file IDs"),
    fixed(text("hs_body_preview", "Body preview")),
    fixed(text("hs_body_preview_html", "HTML body preview")),
    fixed(flag("hs_body_preview_is_truncated", "Body preview truncated")),
    fixed(text("hs_engagement_source", "Engagement source")),
    fixed(flag("hs_gdpr_deleted", "GDPR deleted")),
];

const CONTACT: &[Property] = &[
    fixed(instant("createdate", "Create Date")),
    fixed(instant("lastmodifieddate", "Last Modified Date")),
    text("email", "Email"),
    text("hs_additional_emails", "Additional email addresses"),
    text("firstname", "First Name"),
    text("lastname", "Last Name"),
    text("jobtitle", "Job Title"),
    text("phone", "Phone Number"),
    text("mobilephone", "Mobile Phone Number"),
    text("fax", "Fax Number"),
    text("company", "Company Name"),
    text("website", "Website URL"),
    text("address", "Street Address"),
    text("city", "City"),
    text("state", "State/Region"),
    text("zip", "Postal Code"),
    text("country", "Country/Region"),
    text("salutation", "Salutation"),
    text("industry", "Industry"),
    number("annualrevenue", "Annual Revenue"),
    choice(
        "lifecyclestage",
        "Lifecycle Stage",
        &[
            "subscriber",
            "lead",
            "marketingqualifiedlead",
            "salesqualifiedlead",
            "opportunity",
            "customer",
            "evangelist",
            "other",
        ],
    ),
    choice(
        "hs_lead_status",
        "Lead Status",
        &[
            "NEW",
            "OPEN",
            "IN_PROGRESS",
            "OPEN_DEAL",
            "UNQUALIFIED",
            "ATTEMPTED_TO_CONTACT",
            "CONNECTED",
            "BAD_TIMING",
        ],
    ),
    choice("hs_language", "Preferred language", &["en", "de", "fr", "es", "pt", "ja"]),
    fixed(number("associatedcompanyid", "Primary Associated Company ID")),
    fixed(text("hs_email_domain", "Email Domain")),
    fixed(text("hs_calculated_merged_vids", "Merged vids with timestamps")),
    fixed(flag("hs_marketable_status", "Marketing contact status")),
    fixed(number("num_associated_deals", "Number of Associated Deals")),
    fixed(instant("notes_last_updated", "Last Activity Date")),
    fixed(instant("hs_latest_source_timestamp", "Latest Traffic Source Date")),
    fixed(text("hs_analytics_source", "Original Traffic Source")),
];

const COMPANY: &[Property] = &[
    fixed(instant("createdate", "Create Date")),
    fixed(instant("hs_lastmodifieddate", "Last Modified Date")),
    text("name", "Company name"),
    text("domain", "Company Domain Name"),
    text("website", "Website URL"),
    text("phone", "Phone Number"),
    text("industry", "Industry"),
    number("numberofemployees", "Number of Employees"),
    number("annualrevenue", "Annual Revenue"),
    choice("lifecyclestage", "Lifecycle Stage", &["subscriber", "lead", "opportunity", "customer", "other"]),
    text("address", "Street Address"),
    text("city", "City"),
    text("state", "State/Region"),
    text("zip", "Postal Code"),
    text("country", "Country/Region"),
    text("description", "Description"),
    text("timezone", "Time Zone"),
    fixed(number("num_associated_contacts", "Number of Associated Contacts")),
];

const DEAL: &[Property] = &[
    fixed(instant("createdate", "Create Date")),
    fixed(instant("hs_lastmodifieddate", "Last Modified Date")),
    text("dealname", "Deal Name"),
    number("amount", "Amount"),
    choice("pipeline", "Pipeline", &["default", "81230001"]),
    choice(
        "dealstage",
        "Deal Stage",
        &[
            "appointmentscheduled",
            "qualifiedtobuy",
            "presentationscheduled",
            "contractsent",
            "closedwon",
            "closedlost",
            "155020001",
            "155020002",
            "155020003",
        ],
    ),
    instant("closedate", "Close Date"),
    choice("dealtype", "Deal Type", &["newbusiness", "existingbusiness"]),
    text("deal_currency_code", "Currency"),
    text("description", "Deal Description"),
    fixed(flag("hs_is_closed", "Is Deal Closed?")),
    fixed(flag("hs_is_closed_won", "Is Closed Won")),
    fixed(number("hs_deal_stage_probability", "Deal probability")),
];

const EMAIL: &[Property] = &[
    text("hs_email_subject", "Email subject"),
    html("hs_email_html", "Email body"),
    text("hs_email_text", "Text body"),
    choice("hs_email_direction", "Email direction", &["EMAIL", "INCOMING_EMAIL", "FORWARDED_EMAIL"]),
    choice("hs_email_status", "Email send status", &["SENT", "SENDING", "SCHEDULED", "BOUNCED", "FAILED"]),
    fixed(text("hs_email_from_email", "Email from address")),
    fixed(text("hs_email_from_firstname", "Email from first name")),
    fixed(text("hs_email_from_lastname", "Email from last name")),
    fixed(text("hs_email_sender_email", "Email sender address")),
    fixed(text("hs_email_to_email", "Email to address")),
    fixed(text("hs_email_to_firstname", "Email to first name")),
    fixed(text("hs_email_to_lastname", "Email to last name")),
    fixed(text("hs_email_cc_email", "Email cc address")),
    fixed(text("hs_email_bcc_email", "Email bcc address")),
    text("hs_email_headers", "Email headers"),
    fixed(text("hs_email_thread_id", "Email thread ID")),
    fixed(text("hs_email_message_id", "Email message ID")),
    fixed(text("hs_email_thread_summary", "Email thread summary")),
    fixed(flag("hs_incoming_email_is_out_of_office", "Email is out of office")),
    fixed(number("hs_email_stripped_attachment_count", "Stripped attachments")),
];

const CALL: &[Property] = &[
    text("hs_call_title", "Call title"),
    html("hs_call_body", "Call notes"),
    fixed(text("hs_call_summary", "Call summary")),
    choice("hs_call_direction", "Call direction", &["INBOUND", "OUTBOUND"]),
    choice(
        "hs_call_status",
        "Call status",
        &[
            "BUSY",
            "CALLING_CRM_USER",
            "CANCELED",
            "COMPLETED",
            "CONNECTING",
            "FAILED",
            "IN_PROGRESS",
            "MISSED",
            "NO_ANSWER",
            "QUEUED",
            "RINGING",
        ],
    ),
    text("hs_call_disposition", "Call outcome"),
    number("hs_call_duration", "Call duration"),
    text("hs_call_from_number", "From number"),
    text("hs_call_to_number", "To number"),
    text("hs_call_recording_url", "Recording URL"),
    text("hs_call_video_recording_url", "Video recording URL"),
    fixed(flag("hs_call_has_transcript", "Transcript available")),
    fixed(number("hs_call_transcription_id", "Call transcription ID")),
    fixed(flag("hs_call_has_voicemail", "Voicemail available")),
    text("hs_call_source", "Call source"),
];

const MEETING: &[Property] = &[
    text("hs_meeting_title", "Meeting name"),
    html("hs_meeting_body", "Meeting description"),
    html("hs_internal_meeting_notes", "Internal meeting notes"),
    instant("hs_meeting_start_time", "Meeting start time"),
    instant("hs_meeting_end_time", "Meeting end time"),
    choice(
        "hs_meeting_outcome",
        "Meeting outcome",
        &["SCHEDULED", "COMPLETED", "RESCHEDULED", "NO_SHOW", "CANCELED"],
    ),
    text("hs_meeting_location", "Meeting location"),
    text("hs_meeting_external_url", "Meeting link"),
];

const TASK: &[Property] = &[
    text("hs_task_subject", "Task title"),
    html("hs_task_body", "Task notes"),
    choice(
        "hs_task_status",
        "Task status",
        &["NOT_STARTED", "IN_PROGRESS", "WAITING", "COMPLETED", "DEFERRED"],
    ),
    choice("hs_task_priority", "Priority", &["NONE", "LOW", "MEDIUM", "HIGH"]),
    choice("hs_task_type", "Task type", &["TODO", "CALL", "EMAIL"]),
];

const NOTE: &[Property] = &[html("hs_note_body", "Note body")];

/// Every property of a type.
pub(crate) fn of(kind: Kind) -> impl Iterator<Item = &'static Property> {
    let (own, shared): (&[Property], &[Property]) = match kind {
        Kind::Contact => (CONTACT, &[]),
        Kind::Company => (COMPANY, &[]),
        Kind::Deal => (DEAL, &[]),
        Kind::Email => (EMAIL, ENGAGEMENT),
        Kind::Note => (NOTE, ENGAGEMENT),
        Kind::Call => (CALL, ENGAGEMENT),
        Kind::Meeting => (MEETING, ENGAGEMENT),
        Kind::Task => (TASK, ENGAGEMENT),
    };
    own.iter().chain(shared).chain(COMMON)
}

/// The definition of one property.
pub(crate) fn find(kind: Kind, name: &str) -> Option<&'static Property> {
    custom::find(kind, name).or_else(|| of(kind).find(|property| property.name == name))
}
