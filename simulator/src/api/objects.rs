//! Reading CRM objects: list, one, batch.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, limit, read_scope};
use crate::clock::iso;
use crate::faults::Twist;
use crate::http::Reply;
use crate::json::{Shape, push_paging};
use crate::kind::Kind;
use crate::view::{Record, View};

const LIST_DEFAULT: usize = 10;
const LIST_MAX: usize = 100;
/// Reading history costs HubSpot more, so pages are shorter.
const LIST_MAX_WITH_HISTORY: usize = 50;

/// Refuses what the granted scopes do not allow to read; tells whether e-mail bodies are hidden.
pub(crate) fn may_read(call: &Call<'_>, kind: Kind) -> Result<bool, Reply> {
    call.need(&[read_scope(kind)])?;
    if kind != Kind::Email || call.has_scope("sales-email-read") {
        return Ok(false);
    }
    // The newest version refuses; older ones answer with the bodies blotted out.
    if call.version.starts_with("2026-09") {
        call.need(&["sales-email-read"]).map(|()| false)
    } else {
        Ok(true)
    }
}

fn shape(call: &Call<'_>, kind: Kind, asked: &[&str], past: &[&str]) -> Result<Shape, Reply> {
    let redact_mail = may_read(call, kind)?;
    let mut shape = Shape::with_history(kind, asked, past);
    shape.redact_mail = redact_mail;
    for name in call.request.list("associations") {
        if super::empty::is_type(name) {
            continue;
        }
        let to = Kind::parse(name)
            .ok_or_else(|| Reply::bad_request(&format!("Unable to infer object type from: {name}")))?;
        if !shape.associations.contains(&to) {
            shape.associations.push(to);
        }
    }
    Ok(shape)
}

/// `GET /crm/objects/{type}`.
pub(super) fn list(call: &Call<'_>, kind: Kind) -> Result<Reply, Reply> {
    let request = call.request;
    let past = request.list("propertiesWithHistory");
    let shape = shape(call, kind, &request.list("properties"), &past)?;
    let most = if past.is_empty() { LIST_MAX } else { LIST_MAX_WITH_HISTORY };
    let mut limit = limit(request, LIST_DEFAULT, most)?;
    if let Some(Twist::Underfilled(keep)) = call.twist {
        limit = limit.min(keep);
    }
    let archived = request.flag("archived");
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let first = match request.parameter("after").filter(|after| !after.is_empty()) {
        Some(after) => {
            let after: u64 = after
                .parse()
                .map_err(|_| Reply::bad_request("Invalid input: after is not a cursor of this list"))?;
            view.portal.index_at_or_after(kind, after)
        }
        None => 0,
    };
    let repeats = call.twist == Some(Twist::Duplicate) && first > 0;
    let first = if repeats { first - 1 } else { first };
    let mut records = view.from(kind, first, archived);
    let mut out = String::with_capacity(limit * 600);
    out.push_str("{\"results\":[");
    for (at, record) in records.by_ref().take(limit).enumerate() {
        if at > 0 {
            out.push(',');
        }
        view.push_object(&record, &shape, &mut out);
    }
    out.push(']');
    if let Some(next) = records.next() {
        let after = view.id(&next).to_string();
        push_paging(&after, Some(&stale_link(call, kind, &after)), &mut out);
    }
    out.push('}');
    Ok(Reply::text(out))
}

/// A link as HubSpot gives it: to another version than the one asked, with some parameters lost.
fn stale_link(call: &Call<'_>, kind: Kind, after: &str) -> String {
    let path = if call.version == "v3" { "crm/objects/2025-09" } else { "crm/v3/objects" };
    format!("https://api.hubapi.com/{path}/{}?after={after}", kind.plural())
}

/// `GET /crm/objects/{type}/{id}`.
pub(super) fn get(call: &Call<'_>, kind: Kind, id: &str) -> Result<Reply, Reply> {
    let (asked, past) = (call.request.list("properties"), call.request.list("propertiesWithHistory"));
    let shape = shape(call, kind, &asked, &past)?;
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let record = find(&view, kind, id, call.request.parameter("idProperty"));
    let record =
        record.filter(|r| r.is_archived() == call.request.flag("archived")).ok_or_else(Reply::not_found)?;
    let mut out = String::with_capacity(1_024);
    view.push_object(&record, &shape, &mut out);
    Ok(Reply::text(out))
}

/// A record by id or, for contacts, by e-mail address.
pub(crate) fn find<'a>(view: &View<'a>, kind: Kind, id: &str, property: Option<&str>) -> Option<Record<'a>> {
    match property {
        Some("email") if kind == Kind::Contact => view.contact_by_mail(id),
        None | Some("hs_object_id") => view.find(kind, id.parse().ok()?),
        Some(_) => None,
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct BatchRead {
    #[serde(default)]
    properties: Vec<String>,
    #[serde(default)]
    properties_with_history: Vec<String>,
    #[serde(default)]
    id_property: Option<String>,
    inputs: Vec<Input>,
}

#[derive(Debug, Deserialize)]
struct Input {
    id: String,
}

/// `POST /crm/objects/{type}/batch/read`.
pub(super) fn batch_read(call: &Call<'_>, kind: Kind) -> Result<Reply, Reply> {
    let asked: BatchRead = call.request.json()?;
    let names: Vec<&str> = asked.properties.iter().map(String::as_str).collect();
    let past: Vec<&str> = asked.properties_with_history.iter().map(String::as_str).collect();
    let shape = shape(call, kind, &names, &past)?;
    super::batch::refuse_long(asked.inputs.len())?;
    let archived = call.request.flag("archived");
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let started = iso(view.now);
    let mut out = String::with_capacity(asked.inputs.len() * 600);
    out.push_str("{\"status\":\"COMPLETE\",\"results\":[");
    let (mut missing, mut failed, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for (number, input) in asked.inputs.iter().enumerate() {
        if call.twist == Some(Twist::Partial) && number % 2 == 1 {
            failed.push(input.id.as_str());
            continue;
        }
        let found = find(&view, kind, &input.id, asked.id_property.as_deref());
        let Some(record) = found.filter(|r| r.is_archived() == archived) else {
            missing.push(input.id.as_str());
            continue;
        };
        if seen.contains(&record.index) {
            continue;
        }
        if !seen.is_empty() {
            out.push(',');
        }
        seen.push(record.index);
        view.push_object(&record, &shape, &mut out);
    }
    out.push_str(&format!("],\"startedAt\":\"{started}\",\"completedAt\":\"{started}\""));
    let errors = batch_errors(kind, &missing, &failed);
    let status = if errors.is_empty() { 200 } else { 207 };
    if !errors.is_empty() {
        out.push_str(&format!(",\"numErrors\":{},\"errors\":{}", errors.len(), Value::Array(errors)));
    }
    out.push('}');
    Ok(Reply { status, ..Reply::text(out) })
}

fn batch_errors(kind: Kind, missing: &[&str], failed: &[&str]) -> Vec<Value> {
    let mut errors = Vec::new();
    if !missing.is_empty() {
        let name = kind.in_associations().to_uppercase();
        errors.push(json!({
            "status": "error", "category": "OBJECT_NOT_FOUND",
            "message": format!("Could not get some {name} objects, they may be deleted or not exist. Check that ids are valid."),
            "context": {"ids": missing}, "errors": [], "links": {},
        }));
    }
    if !failed.is_empty() {
        errors.push(json!({
            "status": "error", "category": "INTERNAL_ERROR",
            "message": "Some objects could not be read at the moment.", "context": {"ids": failed}, "errors": [], "links": {},
        }));
    }
    errors
}
