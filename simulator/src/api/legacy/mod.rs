//! The older interfaces that clients in the field still call: versions 1 and 2 of companies, deals,
//! engagements, property definitions and forms, and lists of things this portal has none of.

mod crm;
mod engagements;

use serde_json::{Value, json};

use super::{Call, account, forms};
use crate::clock::parse_instant;
use crate::http::Reply;
use crate::kind::Kind;
use crate::portal::Portal;
use crate::records::deals::PIPELINES;
use crate::view::{Record, View};

/// Answers a call to one of them; `None` when the path is none of theirs.
pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<Result<Reply, Reply>> {
    let method = call.request.method.as_str();
    Some(match (method, path) {
        ("GET", ["integrations", "me"]) => account::me(call),
        ("GET", ["settings", "users"]) => account::users(call),
        ("GET", ["crm" | "crm-object-schemas", "schemas"]) => Ok(Reply::ok(&json!({"results": []}))),
        ("GET", ["properties", kind, "properties"]) => definitions(call, kind),
        ("GET", ["companies", "properties"]) => definitions(call, "companies"),
        ("GET", ["companies", "companies", rest @ ..]) => crm::answer(call, Kind::Company, rest)?,
        ("GET", ["deals", "pipelines"]) => pipelines(call),
        ("GET", ["deals", "deal", rest @ ..]) => crm::answer(call, Kind::Deal, rest)?,
        ("GET", ["engagements", "engagements", rest @ ..]) => engagements::answer(call, rest)?,
        ("GET", ["forms", "forms"]) => forms::old_list(call),
        _ => return nothing_there(method, path).map(|reply| Ok(Reply::ok(&reply))),
    })
}

/// What an account without lists, workflows or marketing e-mails answers.
fn nothing_there(method: &str, path: &[&str]) -> Option<Value> {
    Some(match (method, path) {
        ("POST", ["crm", "lists", "search"]) => {
            json!({"lists": [], "hasMore": false, "offset": 0, "total": 0})
        }
        ("GET", ["automation", "workflows"]) => json!({"workflows": []}),
        ("GET", ["email", "public", "campaigns", "by-id"]) => {
            json!({"campaigns": [], "hasMore": false, "offset": ""})
        }
        ("GET", ["email", "public", "subscriptions", "timeline"]) => {
            json!({"timeline": [], "hasMore": false, "offset": ""})
        }
        ("GET", ["email", "public", "events"]) => json!({"events": [], "hasMore": false, "offset": ""}),
        _ => return None,
    })
}

/// Property definitions as a bare list.
fn definitions(call: &Call<'_>, name: &str) -> Result<Reply, Reply> {
    if super::empty::is_type(name) {
        return Ok(Reply::ok(&Value::Array(account::shared_definitions(call))));
    }
    let kind = super::kind(name)?;
    Ok(Reply::ok(&Value::Array(account::definitions(call, kind, false)?)))
}

/// `GET /deals/v1/pipelines`, a bare list.
fn pipelines(call: &Call<'_>) -> Result<Reply, Reply> {
    call.need(&["crm.objects.contacts.read", "crm.objects.deals.read"])?;
    let stage = |(n, (id, label, probability, closed)): (usize, &crate::records::deals::Stage)| {
        json!({
            "stageId": id, "label": label, "displayOrder": n, "active": true,
            "probability": probability.parse::<f64>().unwrap_or_default(), "closedWon": *closed && *probability == "1.0",
        })
    };
    let all = PIPELINES.iter().enumerate().map(|(n, (id, label, stages))| {
        let stages: Vec<Value> = stages.iter().enumerate().map(stage).collect();
        json!({"pipelineId": id, "label": label, "displayOrder": n, "active": true, "stages": stages})
    });
    Ok(Reply::ok(&all.collect()))
}

/// A property as the old interfaces show it: its value and when it was given. Instants are numbers.
fn dated(view: &View<'_>, record: &Record<'_>, name: &str) -> Option<Value> {
    let text = view.text(record, name)?;
    let is_instant = crate::catalog::find(record.kind, name).is_some_and(|p| p.value_type == "datetime");
    let value = match parse_instant(&text).filter(|_| is_instant) {
        Some(ms) => ms.to_string(),
        None => text,
    };
    let (_, at, source) = view
        .history(record, name)
        .into_iter()
        .next()
        .unwrap_or_else(|| (String::new(), view.created(record), "CRM_UI"));
    let at = if name == record.kind.modified_property() { view.modified(record) } else { at };
    let version = json!({"name": name, "value": value, "timestamp": at, "source": source, "sourceVid": []});
    Some(json!({"value": value, "timestamp": at, "source": source, "sourceId": null, "versions": [version]}))
}

/// The ids of what a record is tied to.
fn ids(view: &View<'_>, record: &Record<'_>, to: Kind) -> Vec<u64> {
    let portal: &Portal = view.portal;
    view.targets(record, to).iter().map(|t| portal.id(to, t.index)).collect()
}
