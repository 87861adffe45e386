//! Reading associations: of one record, of many, and the types that exist. Writing is in `ties`.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, limit};
use crate::associations::{Tie, types};
use crate::http::Reply;
use crate::kind::Kind;
use crate::records::push_number;
use crate::view::{Target, View};

/// Targets of one record on a page of the single call.
const PAGE: usize = 500;
/// Targets of one input in a batch reply; the rest follows with `after`.
const BATCH_TARGETS: usize = 1_000;
const BATCH_INPUTS: usize = 1_000;
const ANY_SCOPE: [&str; 3] =
    ["crm.objects.contacts.read", "crm.objects.companies.read", "crm.objects.deals.read"];

/// `GET /crm/objects/{type}/{id}/associations/{to}`.
pub(super) fn of_one(call: &Call<'_>, from: Kind, id: &str, to: Kind) -> Result<Reply, Reply> {
    call.need(&ANY_SCOPE)?;
    let limit = limit(call.request, PAGE, PAGE)?;
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let record = id
        .parse()
        .ok()
        .and_then(|id| view.find(from, id))
        .filter(|r| r.is_live())
        .ok_or_else(Reply::not_found)?;
    let targets = view.targets(&record, to);
    let after = call.request.parameter("after");
    let mut out = String::from("{\"results\":[");
    let page = Page { after, limit, old: call.version == "v3" };
    let next = push_targets(&view, (from, to), &targets, &page, &mut out);
    out.push(']');
    if let Some(next) = next {
        crate::json::push_paging(
            &next,
            Some(&format!(
                "https://api.hubapi.com/crm/v4/objects/{}/{id}/associations/{}?after={next}",
                from.plural(),
                to.plural()
            )),
            &mut out,
        );
    }
    out.push('}');
    Ok(Reply::text(out))
}

#[derive(Debug, Deserialize)]
struct Batch {
    inputs: Vec<Input>,
}

#[derive(Debug, Deserialize)]
struct Input {
    id: Value,
    #[serde(default)]
    after: Option<String>,
}

/// `POST /crm/associations/{from}/{to}/batch/read`.
pub(super) fn batch_read(call: &Call<'_>, from: Kind, to: Kind) -> Result<Reply, Reply> {
    call.need(&ANY_SCOPE)?;
    let batch: Batch = call.request.json()?;
    if batch.inputs.len() > BATCH_INPUTS {
        return Err(Reply::bad_request(&format!("Maximum {BATCH_INPUTS} inputs are allowed in a batch")));
    }
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let mut out = String::with_capacity(batch.inputs.len() * 200);
    out.push_str("{\"status\":\"COMPLETE\",\"results\":[");
    let (mut errors, mut written) = (Vec::new(), false);
    for input in &batch.inputs {
        let id = input.id.as_str().map_or_else(|| input.id.to_string(), str::to_owned);
        let record = id.parse().ok().and_then(|id| view.find(from, id)).filter(|r| r.is_live());
        let targets = record.map(|record| view.targets(&record, to)).unwrap_or_default();
        if targets.is_empty() {
            errors.push(no_associations(from, to, &id));
            continue;
        }
        out.push_str(if written { ",{\"from\":{\"id\":\"" } else { "{\"from\":{\"id\":\"" });
        written = true;
        out.push_str(&id);
        out.push_str("\"},\"to\":[");
        let page = Page { after: input.after.as_deref(), limit: BATCH_TARGETS, old: call.version == "v3" };
        let next = push_targets(&view, (from, to), &targets, &page, &mut out);
        out.push(']');
        if let Some(next) = next {
            crate::json::push_paging(&next, None, &mut out);
        }
        out.push('}');
    }
    let now = crate::clock::iso(view.now);
    out.push_str(&format!("],\"startedAt\":\"{now}\",\"completedAt\":\"{now}\""));
    let status = if errors.is_empty() { 200 } else { 207 };
    if !errors.is_empty() {
        out.push_str(&format!(",\"numErrors\":{},\"errors\":{}", errors.len(), Value::Array(errors)));
    }
    out.push('}');
    Ok(Reply { status, ..Reply::text(out) })
}

fn no_associations(from: Kind, to: Kind, id: &str) -> Value {
    json!({
        "status": "error", "category": "OBJECT_NOT_FOUND",
        "subCategory": "crm.associations.NO_ASSOCIATIONS_FOUND",
        "message": format!("No {} is associated with {} {id}.", to.in_associations(), from.in_associations()),
        "errors": [], "links": {},
        "context": {"fromObjectId": [id], "fromObjectType": [from.type_id()], "toObjectType": [to.type_id()]},
    })
}

/// Which targets are shown, and in which version's words.
struct Page<'a> {
    after: Option<&'a str>,
    limit: usize,
    /// Version 3 shows an entry per type, with the type's name.
    old: bool,
}

/// Appends one page of targets; returns the cursor of the next page. The cursor is the id of the
/// first target not shown, so an association added or removed meanwhile shifts nothing.
fn push_targets(
    view: &View<'_>,
    (from, to): (Kind, Kind),
    targets: &[Target],
    page: &Page<'_>,
    out: &mut String,
) -> Option<String> {
    let first: u64 = page.after.and_then(|after| after.parse().ok()).unwrap_or_default();
    let mut rest = targets.iter().map(|t| (view.portal.id(to, t.index), t)).skip_while(|(id, _)| *id < first);
    for (at, (id, target)) in rest.by_ref().take(page.limit).enumerate() {
        out.push_str(if at > 0 { "," } else { "" });
        if page.old {
            push_by_name((from, to), id, target, out);
        } else {
            push_by_number((from, to), id, target, out);
        }
    }
    rest.next().map(|(id, _)| id.to_string())
}

fn push_by_name((from, to): (Kind, Kind), id: u64, target: &Target, out: &mut String) {
    for (n, kind) in types(from, to, target.tie).into_iter().enumerate() {
        out.push_str(if n > 0 { ",{\"id\":\"" } else { "{\"id\":\"" });
        push_number(id, out);
        out.push_str("\",\"type\":\"");
        kind.push_name(from, to, out);
        out.push_str("\"}");
    }
}

fn push_by_number((from, to): (Kind, Kind), id: u64, target: &Target, out: &mut String) {
    out.push_str("{\"toObjectId\":");
    push_number(id, out);
    out.push_str(",\"associationTypes\":[");
    for (n, kind) in types(from, to, target.tie).into_iter().enumerate() {
        out.push_str(if n > 0 { ",{\"category\":\"" } else { "{\"category\":\"" });
        out.push_str(kind.category);
        out.push_str("\",\"typeId\":");
        push_number(u64::from(kind.id), out);
        match kind.label {
            Some(label) => out.push_str(&format!(",\"label\":\"{label}\"}}")),
            None => out.push_str(",\"label\":null}"),
        }
    }
    out.push_str("]}");
}

/// `GET /crm/v3/associations/{from}/{to}/types`.
pub(super) fn names(call: &Call<'_>, from: Kind, to: Kind) -> Result<Reply, Reply> {
    call.need(&ANY_SCOPE)?;
    let all = types(from, to, Tie::EVERY).into_iter().map(|kind| {
        let mut name = String::new();
        kind.push_name(from, to, &mut name);
        json!({"id": kind.id.to_string(), "name": name})
    });
    Ok(Reply::ok(&json!({"results": all.collect::<Vec<Value>>()})))
}

/// `GET /crm/associations/{from}/{to}/labels`.
pub(super) fn labels(call: &Call<'_>, from: Kind, to: Kind) -> Result<Reply, Reply> {
    call.need(&ANY_SCOPE)?;
    let all = types(from, to, Tie::EVERY).into_iter();
    let results: Vec<Value> =
        all.map(|t| json!({"category": t.category, "typeId": t.id, "label": t.label})).collect();
    Ok(Reply::ok(&json!({"results": results})))
}
