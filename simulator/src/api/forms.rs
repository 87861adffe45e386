//! Forms and what was submitted through them. Submissions carry no contact id.

use serde_json::{Value, json};

use super::{Call, limit};
use crate::clock::iso;
use crate::http::Reply;
use crate::kind::Kind;
use crate::portal::Portal;
use crate::submissions::FORMS;

const TYPES: [&str; 3] = ["hubspot", "captured", "flow"];

fn form_json(portal: &Portal, form: usize) -> Value {
    let at = iso(portal.created(Kind::Contact, 0));
    let fields = [
        form_field("email", "Email", "email"),
        form_field("firstname", "First name", "single_line_text"),
        form_field("message", "Message", "multi_line_text"),
    ];
    json!({
        "id": portal.form_guid(form), "name": FORMS[form].name, "formType": FORMS[form].form_type,
        "createdAt": at, "updatedAt": at, "archived": false,
        "fieldGroups": [{"groupType": "default_group", "richTextType": "text", "fields": fields}],
        "configuration": {
            "language": "en", "cloneable": true, "editable": true, "archivable": true, "recaptchaEnabled": false,
            "createNewContactForNewEmail": true, "allowLinkToResetKnownValues": false, "prePopulateKnownValues": true,
            "notifyContactOwner": false, "notifyRecipients": [], "lifecycleStages": [],
            "postSubmitAction": {"type": "thank_you", "value": "Thank you"},
        },
        "displayOptions": {
            "renderRawHtml": false, "theme": "default_style", "submitButtonText": "Send",
            "style": {
                "fontFamily": "arial, sans-serif", "backgroundWidth": "100%", "labelTextColor": "#33475b",
                "labelTextSize": "14px", "helpTextColor": "#7c98b6", "helpTextSize": "11px",
                "legalConsentTextColor": "#33475b", "legalConsentTextSize": "14px", "submitColor": "#ff7a59",
                "submitAlignment": "left", "submitFontColor": "#ffffff", "submitSize": "12px",
            },
        },
        "legalConsentOptions": {"type": "none"},
    })
}

fn form_field(name: &str, label: &str, field_type: &str) -> Value {
    let mut field = json!({
        "objectTypeId": "0-1", "name": name, "label": label, "fieldType": field_type,
        "required": field_type == "email", "hidden": false, "dependentFields": [],
    });
    if field_type == "email" {
        field["validation"] = json!({"blockedEmailDomains": [], "useDefaultBlockList": false});
    }
    field
}

/// `GET /marketing/forms`. Without `formTypes` only forms of type `hubspot` appear.
pub(super) fn list(call: &Call<'_>) -> Result<Reply, Reply> {
    call.need(&["forms"])?;
    let limit = limit(call.request, 20, 500)?;
    let mut wanted = call.request.list("formTypes");
    if wanted.is_empty() {
        wanted.push("hubspot");
    }
    if let Some(other) = wanted.iter().find(|t| !TYPES.contains(*t) && **t != "all") {
        return Err(Reply::error_with(
            400,
            "VALIDATION_ERROR",
            &format!("Form type {other} is not allowed"),
            json!({"subCategory": "FormsError.FORM_TYPE_NOT_ALLOWED"}),
        ));
    }
    let first: usize = call.request.parameter("after").and_then(|a| a.parse().ok()).unwrap_or_default();
    let listed = |form: &usize| wanted.contains(&"all") || wanted.contains(&FORMS[*form].form_type);
    let all: Vec<usize> = (0..FORMS.len()).filter(listed).collect();
    let results: Vec<Value> =
        all.iter().skip(first).take(limit).map(|f| form_json(&call.state.portal, *f)).collect();
    let mut body = json!({"results": results});
    if first.saturating_add(limit) < all.len() {
        body["paging"] = json!({"next": {"after": (first + limit).to_string(), "link": "https://api.hubapi.com/marketing/v3/forms"}});
    }
    Ok(Reply::ok(&body))
}

/// `GET /forms/v2/forms`, a bare list. It knows the forms people make and neither captured nor
/// pop-up ones, unless `formTypes=ALL` asks for them.
pub(super) fn old_list(call: &Call<'_>) -> Result<Reply, Reply> {
    call.need(&["forms"])?;
    let portal = &call.state.portal;
    let all = call.request.list("formTypes").iter().any(|t| t.eq_ignore_ascii_case("all"));
    let at = portal.created(Kind::Contact, 0);
    let one = |form: usize| {
        json!({
            "portalId": portal.id, "guid": portal.form_guid(form), "name": FORMS[form].name,
            "formType": FORMS[form].form_type.to_uppercase(), "createdAt": at, "updatedAt": at, "deletedAt": 0,
            "method": "POST", "submitText": "Send", "formFieldGroups": [],
        })
    };
    let listed = |form: &usize| all || FORMS[*form].form_type == "hubspot";
    Ok(Reply::ok(&(0..FORMS.len()).filter(listed).map(one).collect()))
}

fn find(portal: &Portal, guid: &str) -> Result<usize, Reply> {
    (0..FORMS.len()).find(|f| portal.form_guid(*f) == guid).ok_or_else(Reply::not_found)
}

/// `GET /marketing/forms/{guid}`.
pub(super) fn get(call: &Call<'_>, guid: &str) -> Result<Reply, Reply> {
    call.need(&["forms"])?;
    let portal = &call.state.portal;
    Ok(Reply::ok(&form_json(portal, find(portal, guid)?)))
}

/// `GET /form-integrations/v1/submissions/forms/{guid}`, newest first. The cursor counts from the
/// oldest, so submissions that come in meanwhile move nothing.
pub(super) fn submissions(call: &Call<'_>, guid: &str) -> Result<Reply, Reply> {
    call.need(&["forms", "forms-uploaded-files"])?;
    let limit = limit(call.request, 20, 50)?;
    let portal = &call.state.portal;
    let form = find(portal, guid)?;
    let overlay = call.state.overlay();
    let late: Vec<_> = overlay.submissions.iter().filter(|s| s.form == form).collect();
    let made = portal.form_count(form);
    let total = made + late.len() as u64;
    let after = call.request.parameter("after").and_then(|a| a.parse::<u64>().ok());
    let end = after.unwrap_or(total).min(total);
    let start = end.saturating_sub(limit as u64);
    let one = |n: u64| match n.checked_sub(made) {
        Some(extra) => late.get(extra as usize).map_or(Value::Null, |s| {
            let values: Vec<Value> = s.values.iter().map(|(name, value)| field(name, value)).collect();
            json!({"conversionId": s.id, "submittedAt": s.at, "values": values, "pageUrl": PAGE_URL})
        }),
        None => made_json(portal, Portal::nth_of_form(form, n)),
    };
    let results: Vec<Value> = (start..end).rev().map(one).collect();
    let mut body = json!({"results": results});
    if start > 0 {
        body["paging"] = json!({"next": {"after": start.to_string()}});
    }
    Ok(Reply::ok(&body))
}

const PAGE_URL: &str = "https://www.vendor.example/contact";

fn field(name: &str, value: &str) -> Value {
    json!({"name": name, "value": value, "objectTypeId": "0-1"})
}

fn made_json(portal: &Portal, submission: u64) -> Value {
    let mut values = vec![field("email", &portal.submission_mail(submission))];
    if let Some(contact) = portal.contact_of_submission(submission) {
        let (first, last) = portal.contact_names(contact);
        values.push(field("firstname", first));
        values.push(field("lastname", last));
    }
    values.push(field("message", &portal.submission_message(submission)));
    json!({
        "conversionId": portal.conversion_id(submission), "submittedAt": portal.submitted(submission),
        "values": values, "pageUrl": PAGE_URL,
    })
}
