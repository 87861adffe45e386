//! What describes the portal itself: account, owners, pipelines, property definitions.

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, limit};
use crate::catalog::{self, Property};
use crate::clock::iso;
use crate::content::persons::{FIRST_ARCHIVED_OWNER, OWNERS, owner_name};
use crate::custom;
use crate::http::Reply;
use crate::kind::Kind;
use crate::portal::Portal;
use crate::records::deals::{PIPELINES, Pipeline, Stage};

/// `GET /account-info/details`.
pub(super) fn details(call: &Call<'_>) -> Result<Reply, Reply> {
    call.need(&["oauth"])?;
    Ok(Reply::ok(&json!({
        "portalId": call.state.portal.id, "accountType": "STANDARD", "timeZone": "Europe/Berlin",
        "companyCurrency": "EUR", "additionalCurrencies": ["USD"], "utcOffset": "+01:00",
        "utcOffsetMilliseconds": 3_600_000, "uiDomain": call.state.portal.ui_domain(),
        "dataHostingLocation": call.state.portal.hublet,
    })))
}

/// `GET /integrations/v1/me`.
pub(super) fn me(call: &Call<'_>) -> Result<Reply, Reply> {
    call.need(&["oauth"])?;
    Ok(Reply::ok(&json!({
        "portalId": call.state.portal.id, "timeZone": "Europe/Berlin", "accountType": "STANDARD", "currency": "EUR",
        "utcOffset": "+01:00", "utcOffsetMilliseconds": 3_600_000,
    })))
}

/// `GET /settings/v3/users`: one for each owner who is still there.
pub(super) fn users(call: &Call<'_>) -> Result<Reply, Reply> {
    call.need(&["settings.users.read", "oauth"])?;
    let one = |owner| {
        let (first, last) = owner_name(owner);
        json!({
            "id": (9_100_000 + owner).to_string(), "email": Portal::owner_mail(owner), "firstName": first,
            "lastName": last, "roleIds": [], "superAdmin": owner == 0,
        })
    };
    Ok(Reply::ok(&json!({"results": (0..FIRST_ARCHIVED_OWNER).map(one).collect::<Vec<_>>()})))
}

const OWNER_SCOPES: [&str; 3] = ["crm.objects.owners.read", "automation", "crm.objects.contacts.read"];

fn owner_scopes(call: &Call<'_>) -> &'static [&'static str] {
    // Only the newest version lets the contact scope read owners.
    if call.version.starts_with("2026-09") { &OWNER_SCOPES } else { &OWNER_SCOPES[..2] }
}

fn owner_json(portal: &Portal, owner: u64) -> Value {
    let (first, last) = owner_name(owner);
    let archived = owner >= FIRST_ARCHIVED_OWNER;
    let user = 9_100_000 + owner;
    json!({
        "id": portal.owner_id(owner).to_string(), "email": Portal::owner_mail(owner), "type": "PERSON",
        "firstName": first, "lastName": last, "userId": if archived { Value::Null } else { json!(user) },
        "userIdIncludingInactive": user, "createdAt": iso(portal.created(Kind::Contact, 0)),
        "updatedAt": iso(portal.created(Kind::Contact, 0)), "archived": archived, "teams": [],
    })
}

/// `GET /crm/owners`.
pub(super) fn owners(call: &Call<'_>) -> Result<Reply, Reply> {
    call.need(owner_scopes(call))?;
    let request = call.request;
    let limit = limit(request, 100, 500)?;
    let range = if request.flag("archived") { FIRST_ARCHIVED_OWNER..OWNERS } else { 0..FIRST_ARCHIVED_OWNER };
    let mail = request.parameter("email");
    let after: u64 = request.parameter("after").and_then(|a| a.parse().ok()).unwrap_or_default();
    let portal = &call.state.portal;
    let mut all = range
        .filter(|o| mail.is_none_or(|m| m == Portal::owner_mail(*o)))
        .filter(|o| portal.owner_id(*o) > after);
    let page: Vec<u64> = all.by_ref().take(limit).collect();
    let results: Vec<Value> = page.iter().map(|o| owner_json(portal, *o)).collect();
    let mut body = json!({"results": results});
    if let (Some(_), Some(last)) = (all.next(), page.last()) {
        let after = portal.owner_id(*last).to_string();
        body["paging"] = json!({"next": {"after": after, "link": format!("https://api.hubapi.com/crm/v3/owners?after={after}")}});
    }
    Ok(Reply::ok(&body))
}

/// `GET /crm/owners/{id}`.
pub(super) fn owner(call: &Call<'_>, id: &str) -> Result<Reply, Reply> {
    call.need(owner_scopes(call))?;
    let portal = &call.state.portal;
    let found = (0..OWNERS).find(|o| portal.owner_id(*o).to_string() == id);
    found.map(|o| Reply::ok(&owner_json(portal, o))).ok_or_else(Reply::not_found)
}

fn all_pipelines(call: &Call<'_>, kind: Kind) -> Vec<Value> {
    let at = iso(call.state.portal.created(Kind::Deal, 0));
    let stage = |(n, (id, label, probability, closed)): (usize, &Stage)| {
        json!({
            "id": id, "label": label, "displayOrder": n, "archived": false, "createdAt": at, "updatedAt": at,
            "metadata": {"probability": probability, "isClosed": closed.to_string()},
            "writePermissions": "CRM_PERMISSIONS_ENFORCEMENT",
        })
    };
    let pipeline = |(n, (id, label, stages)): (usize, &Pipeline)| {
        let stages: Vec<Value> = stages.iter().enumerate().map(stage).collect();
        json!({"id": id, "label": label, "displayOrder": n, "archived": false, "createdAt": at, "updatedAt": at, "stages": stages})
    };
    let all = if kind == Kind::Deal { &PIPELINES[..] } else { &[] };
    all.iter().enumerate().map(pipeline).collect()
}

/// `GET /crm/pipelines/{type}` and below: `/{id}`, `/{id}/stages`, `/{id}/stages/{id}`. Only deals
/// have pipelines here.
pub(super) fn pipelines(call: &Call<'_>, kind: Kind, path: &[&str]) -> Result<Reply, Reply> {
    call.need(&["crm.objects.contacts.read", "crm.objects.deals.read"])?;
    let all = all_pipelines(call, kind);
    let by_id = |list: &[Value], id: &str| list.iter().find(|p| p["id"] == id).cloned();
    let [id, rest @ ..] = path else { return Ok(Reply::ok(&json!({"results": all}))) };
    let pipeline = by_id(&all, id).ok_or_else(Reply::not_found)?;
    let stages = pipeline["stages"].as_array().map_or(&[][..], Vec::as_slice);
    match rest {
        [] => Ok(Reply::ok(&pipeline)),
        ["stages"] => Ok(Reply::ok(&json!({"results": stages}))),
        ["stages", stage] => by_id(stages, stage).map(|s| Reply::ok(&s)).ok_or_else(Reply::not_found),
        _ => Err(Reply::not_found()),
    }
}

/// All definitions of a type, without or only the archived ones.
pub(super) fn definitions(call: &Call<'_>, kind: Kind, archived: bool) -> Result<Vec<Value>, Reply> {
    call.need(&["crm.objects.contacts.read", "crm.objects.companies.read", "crm.objects.deals.read"])?;
    Ok(all_definitions(&call.state.portal, kind, archived))
}

/// The same for anybody who asks.
pub(crate) fn all_definitions(portal: &Portal, kind: Kind, archived: bool) -> Vec<Value> {
    let at = portal.created(Kind::Contact, 0);
    let own = catalog::of(kind).filter(|_| !archived).map(|p| definition(p, &iso(at)));
    let made = custom::first(portal.made.count(kind)).iter().enumerate();
    let made = made.filter(|(number, _)| portal.made.is_archived(kind, *number) == archived);
    let made = made.map(|(number, property)| {
        let mut json = definition(property, &iso(at + number as i64 * 1_000));
        json["hubspotDefined"] = json!(false);
        json["calculated"] = json!(custom::is_calculated(number));
        json["hidden"] = json!(portal.made.is_hidden(kind, number));
        json["archived"] = json!(archived);
        json
    });
    own.chain(made).collect()
}

const GROUP: &str = "simulated";

/// `GET /crm/properties/{type}` and below: `/{name}`, `/groups`, `/groups/{name}`.
pub(super) fn properties(call: &Call<'_>, kind: Kind, path: &[&str]) -> Result<Reply, Reply> {
    let all = definitions(call, kind, call.request.flag("archived"))?;
    let group = json!({"name": GROUP, "label": "Simulated", "displayOrder": 0, "archived": false});
    let found = match path {
        [] => Some(json!({"results": all})),
        ["groups"] => Some(json!({"results": [group]})),
        ["groups", name] => (*name == GROUP).then_some(group),
        [name] => all.into_iter().find(|p| p["name"] == *name),
        _ => None,
    };
    found.map(|body| Reply::ok(&body)).ok_or_else(Reply::not_found)
}

#[derive(Debug, Deserialize)]
struct Names {
    inputs: Vec<Name>,
}

#[derive(Debug, Deserialize)]
struct Name {
    name: String,
}

/// `POST /crm/properties/{type}/batch/read`.
pub(super) fn batch_properties(call: &Call<'_>, kind: Kind) -> Result<Reply, Reply> {
    let all = definitions(call, kind, false)?;
    let Names { inputs } = call.request.json()?;
    super::batch::refuse_long(inputs.len())?;
    let find = |name: &Name| all.iter().find(|p| p["name"] == name.name.as_str()).cloned();
    let results: Vec<Value> = inputs.iter().filter_map(find).collect();
    let unknown: Vec<&str> = inputs.iter().filter(|n| find(n).is_none()).map(|n| n.name.as_str()).collect();
    let now = iso(call.state.clock.now());
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now});
    if unknown.is_empty() {
        return Ok(Reply::ok(&body));
    }
    body["numErrors"] = json!(1);
    body["errors"] = json!([{
        "status": "error", "category": "OBJECT_NOT_FOUND", "message": "Some properties do not exist.",
        "context": {"names": unknown}, "errors": [], "links": {},
    }]);
    Ok(Reply::json(207, &body))
}

/// The definitions of an engagement type, of which other types share the common ones.
pub(super) fn shared_definitions(call: &Call<'_>) -> Vec<Value> {
    let at = iso(call.state.portal.created(Kind::Contact, 0));
    catalog::of(Kind::Note).map(|p| definition(p, &at)).collect()
}

fn definition(property: &Property, at: &str) -> Value {
    let option = |(n, value): (usize, &&str)| json!({"label": custom::option_label(value), "value": value, "displayOrder": n, "hidden": false});
    let options: Vec<Value> = property.options.iter().enumerate().map(option).collect();
    json!({
        "name": property.name, "label": property.label, "type": property.value_type,
        "fieldType": property.field_type, "description": "", "groupName": GROUP,
        "options": options, "displayOrder": -1, "calculated": false, "externalOptions": false,
        "archived": false, "hasUniqueValue": property.name == "hs_object_id", "hidden": false,
        "hubspotDefined": true, "formField": !property.read_only, "createdAt": at, "updatedAt": at,
        "modificationMetadata": {"archivable": false, "readOnlyDefinition": true, "readOnlyValue": property.read_only},
    })
}
