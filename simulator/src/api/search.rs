//! The search call: its limits, its request and its reply. How matches are found is in `query`.

use serde::Deserialize;
use serde_json::Value;

use super::{Call, objects};
use crate::catalog;
use crate::faults::Twist;
use crate::http::Reply;
use crate::json::{Shape, push_paging};
use crate::kind::Kind;
use crate::query::{self, Filter, Query, Sort};

/// No query can be paged beyond this many results.
pub(crate) const RESULT_CAP: u64 = 10_000;
const PAGE_DEFAULT: u64 = 10;
const PAGE_MAX: u64 = 200;
const GROUPS_MAX: usize = 5;
const FILTERS_PER_GROUP: usize = 6;
const FILTERS_MAX: usize = 18;
/// HubSpot refuses longer request bodies.
const BODY_MAX: usize = 3_000;

#[derive(Debug, Deserialize, Default)]
#[serde(rename_all = "camelCase", default)]
struct Body {
    filter_groups: Vec<Group>,
    /// The short form: one group's filters.
    filters: Vec<Filter>,
    sorts: Vec<Value>,
    properties: Vec<String>,
    query: Option<String>,
    limit: Option<Value>,
    after: Option<Value>,
}

#[derive(Debug, Deserialize)]
struct Group {
    #[serde(default)]
    filters: Vec<Filter>,
}

/// `POST /crm/objects/{type}/search`.
pub(super) fn search(call: &Call<'_>, kind: Kind) -> Result<Reply, Reply> {
    let redact_mail = objects::may_read(call, kind)?;
    if call.request.body.len() > BODY_MAX {
        return Err(Reply::bad_request(&format!("The request body is longer than {BODY_MAX} characters")));
    }
    let body: Body = call.request.json()?;
    let limit = number(body.limit.as_ref(), "limit")?.unwrap_or(PAGE_DEFAULT);
    let limit_asked = limit;
    if limit > PAGE_MAX {
        return Err(Reply::bad_request(&format!(
            "Invalid input: limit must be at most {PAGE_MAX}, was {limit}"
        )));
    }
    let after = number(body.after.as_ref(), "after")?.unwrap_or_default();
    if after.saturating_add(limit) > RESULT_CAP {
        return Err(Reply::bad_request(&format!(
            "Query will return more than {RESULT_CAP} results; paging goes no further"
        )));
    }
    let query = read_query(kind, &body)?;
    if query.touches_the_epoch() {
        return Err(Reply::error(500, "INTERNAL_ERROR", "internal error"));
    }
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let limit = match call.twist {
        Some(Twist::Underfilled(keep)) => limit.min(keep as u64),
        _ => limit,
    };
    let after = if call.twist == Some(Twist::Duplicate) { after.saturating_sub(1) } else { after };
    let found = query::run(&view, kind, &query, after, limit);
    let names: Vec<&str> = body.properties.iter().map(String::as_str).collect();
    let mut shape = Shape::of(kind, &names);
    shape.redact_mail = redact_mail;
    let mut out = String::with_capacity(found.page.len() * 400 + 64);
    out.push_str(&format!("{{\"total\":{},\"results\":[", found.total));
    for (at, record) in found.page.iter().enumerate() {
        if at > 0 {
            out.push(',');
        }
        view.push_object(record, &shape, &mut out);
    }
    out.push(']');
    let next = after + found.page.len() as u64;
    if next < found.total && limit_asked > 0 {
        push_paging(&next.to_string(), None, &mut out);
    }
    out.push('}');
    Ok(Reply::text(out))
}

fn number(value: Option<&Value>, name: &str) -> Result<Option<u64>, Reply> {
    let parsed = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) if text.is_empty() => return Ok(None),
        Some(Value::String(text)) => text.parse().ok(),
        Some(other) => other.as_u64(),
    };
    parsed.map(Some).ok_or_else(|| Reply::bad_request(&format!("Invalid input: {name} is not a number")))
}

fn read_query(kind: Kind, body: &Body) -> Result<Query, Reply> {
    let mut groups: Vec<Vec<Filter>> = body.filter_groups.iter().map(|g| g.filters.clone()).collect();
    if !body.filters.is_empty() {
        groups.push(body.filters.clone());
    }
    groups.retain(|group| !group.is_empty());
    let all = groups.iter().map(Vec::len).sum::<usize>();
    if groups.len() > GROUPS_MAX || all > FILTERS_MAX || groups.iter().any(|g| g.len() > FILTERS_PER_GROUP) {
        return Err(Reply::bad_request(&format!(
            "At most {GROUPS_MAX} filterGroups with {FILTERS_PER_GROUP} filters each and {FILTERS_MAX} filters in all are allowed"
        )));
    }
    for filter in groups.iter().flatten() {
        check(kind, filter)?;
    }
    if body.sorts.len() > 1 {
        return Err(Reply::bad_request("Only one sort is allowed"));
    }
    let sort = body.sorts.first().map(|sort| read_sort(kind, sort)).transpose()?;
    Ok(Query { groups, sort, text: body.query.clone().filter(|q| !q.trim().is_empty()) })
}

fn check(kind: Kind, filter: &Filter) -> Result<(), Reply> {
    let name = filter.property_name.as_str();
    if let Some(to) = name.strip_prefix("associations.") {
        return Kind::parse(to)
            .map(|_| ())
            .ok_or_else(|| Reply::bad_request(&format!("There is no object type {to}")));
    }
    let hidden = match kind {
        Kind::Email => matches!(name, "hs_email_html" | "hs_body_preview" | "hs_body_preview_html"),
        _ => name == "hs_body_preview_html",
    };
    if hidden || catalog::find(kind, name).is_none() {
        return Err(Reply::bad_request(&format!(
            "There was a problem with the request. Property \"{name}\" does not exist or cannot be filtered"
        )));
    }
    if filter.is_complete() {
        return Ok(());
    }
    Err(Reply::bad_request(&format!(
        "There was a problem with the request. The filter on \"{name}\" lacks its value"
    )))
}

fn read_sort(kind: Kind, sort: &Value) -> Result<Sort, Reply> {
    let (name, descending) = match sort {
        Value::String(name) => match name.strip_prefix('-') {
            Some(name) => (name.to_owned(), true),
            None => (name.clone(), false),
        },
        other => {
            let name = other["propertyName"].as_str().unwrap_or_default().to_owned();
            (name, other["direction"].as_str() == Some("DESCENDING"))
        }
    };
    if catalog::find(kind, &name).is_none() {
        return Err(Reply::bad_request(&format!(
            "There was a problem with the request. Cannot sort by \"{name}\""
        )));
    }
    Ok(Sort { name, descending })
}
