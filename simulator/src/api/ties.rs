//! Writing associations: one pair or many, with labels, by default, and taking them away. Both
//! directions always change together.

use serde::Deserialize;
use serde_json::{Value, json};

use super::values::{LinkType, To};
use super::{Call, objects, write_scope};
use crate::associations::{Tie, accepts, types};
use crate::clock::iso;
use crate::events::What;
use crate::http::Reply;
use crate::kind::Kind;
use crate::overlay::Overlay;
use crate::view::Record;

/// Inputs of one batch of writes.
const BATCH_MAX: usize = 2_000;

/// A pair of types, by the path.
type Types = (Kind, Kind);

#[derive(Debug, Deserialize)]
struct Batch<T> {
    inputs: Vec<T>,
}

impl<T: serde::de::DeserializeOwned> Batch<T> {
    fn read(call: &Call<'_>, types: Types) -> Result<Vec<T>, Reply> {
        call.need(&[write_scope(types.0), write_scope(types.1)])?;
        let Self { inputs } = call.request.json()?;
        if inputs.len() > BATCH_MAX {
            return Err(Reply::bad_request(&format!("Maximum {BATCH_MAX} inputs are allowed in a batch")));
        }
        Ok(inputs)
    }
}

#[derive(Debug, Deserialize)]
struct Pair {
    from: To,
    to: To,
    /// How they are tied; absent means by default.
    #[serde(default)]
    types: Option<Vec<LinkType>>,
    /// The same in the words of version 3.
    #[serde(default, rename = "type")]
    name: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Cut {
    from: To,
    to: Vec<To>,
}

fn live(call: &Call<'_>, overlay: &Overlay, kind: Kind, id: &str) -> Result<u64, Reply> {
    let view = call.state.view(overlay);
    let found = objects::find(&view, kind, id, None).filter(Record::is_live);
    found.map(|r| r.index).ok_or_else(Reply::not_found)
}

fn known(types_of: Types) -> Result<(), Reply> {
    if types(types_of.0, types_of.1, Tie::PLAIN).is_empty() {
        let (from, to) = (types_of.0.in_associations(), types_of.1.in_associations());
        return Err(Reply::bad_request(&format!("No association type exists between {from} and {to}")));
    }
    Ok(())
}

/// What type numbers mean together; a number of another pair is refused.
fn meaning((from, to): Types, given: &[LinkType]) -> Result<Tie, Reply> {
    let mut tie = Tie::PLAIN;
    for kind in given {
        let number = kind.association_type_id;
        let meant = accepts(from, to, number).ok_or_else(|| {
            let (from, to) = (from.in_associations(), to.in_associations());
            Reply::bad_request(&format!("{number} is not an association type from {from} to {to}"))
        })?;
        tie = tie.and(meant);
    }
    Ok(tie)
}

/// What the pair is tied by now, if it is.
fn present(call: &Call<'_>, overlay: &Overlay, types: Types, from: u64, to: u64) -> Option<Tie> {
    let view = call.state.view(overlay);
    let record = Record { kind: types.0, index: from, touched: overlay.get(types.0, from) };
    view.targets(&record, types.1).into_iter().find(|t| t.index == to).map(|t| t.tie)
}

fn tie(call: &Call<'_>, overlay: &mut Overlay, (from, to): Types, (a, b): (u64, u64), how: Tie) {
    let how = present(call, overlay, (from, to), a, b).map_or(how, |now| now.and(how));
    overlay.dissociate((from, a), (to, b));
    overlay.associate((from, a), (to, b), how, call.state.clock.now());
    let what = What::Associated { to, target: b, removed: false };
    call.state.events.push_from(from, a, what, "INTEGRATION");
}

fn untie(call: &Call<'_>, overlay: &mut Overlay, (from, to): Types, (a, b): (u64, u64)) {
    if present(call, overlay, (from, to), a, b).is_some() {
        overlay.dissociate((from, a), (to, b));
        let what = What::Associated { to, target: b, removed: true };
        call.state.events.push_from(from, a, what, "INTEGRATION");
    }
}

/// `PUT /crm/objects/{from}/{id}/associations/default/{to}/{id}`.
pub(super) fn put_default(call: &Call<'_>, types: Types, ids: (&str, &str)) -> Result<Reply, Reply> {
    call.need(&[write_scope(types.0), write_scope(types.1)])?;
    known(types)?;
    let mut overlay = call.state.overlay_mut();
    let pair = (live(call, &overlay, types.0, ids.0)?, live(call, &overlay, types.1, ids.1)?);
    tie(call, &mut overlay, types, pair, Tie::PLAIN);
    Ok(finished(call, 200, both_ways(types, ids), &[]))
}

/// One entry for each direction.
fn both_ways((from, to): Types, (a, b): (&str, &str)) -> Vec<Value> {
    let one = |(from, a): (Kind, &str), (to, b): (Kind, &str)| {
        let number = types(from, to, Tie::PLAIN).first().map(|t| t.id);
        json!({
            "from": {"id": a}, "to": {"id": b},
            "associationSpec": {"associationCategory": "HUBSPOT_DEFINED", "associationTypeId": number},
        })
    };
    vec![one((from, a), (to, b)), one((to, b), (from, a))]
}

/// `PUT /crm/objects/{from}/{id}/associations/{to}/{id}`, a list of types as body.
pub(super) fn put(call: &Call<'_>, types: Types, ids: (&str, &str)) -> Result<Reply, Reply> {
    call.need(&[write_scope(types.0), write_scope(types.1)])?;
    known(types)?;
    let given: Vec<LinkType> = call.request.json()?;
    if given.is_empty() {
        return Err(Reply::bad_request("At least one association type is needed"));
    }
    let how = meaning(types, &given)?;
    let mut overlay = call.state.overlay_mut();
    let pair = (live(call, &overlay, types.0, ids.0)?, live(call, &overlay, types.1, ids.1)?);
    tie(call, &mut overlay, types, pair, how);
    Ok(Reply::json(201, &labelled(types, pair, call, how)))
}

fn labelled((from, to): Types, (a, b): (u64, u64), call: &Call<'_>, how: Tie) -> Value {
    let portal = &call.state.portal;
    let labels: Vec<&str> = types(from, to, how).into_iter().filter_map(|t| t.label).collect();
    json!({
        "fromObjectTypeId": from.type_id(), "fromObjectId": portal.id(from, a).to_string(),
        "toObjectTypeId": to.type_id(), "toObjectId": portal.id(to, b).to_string(), "labels": labels,
    })
}

/// `PUT /crm/v3/objects/{from}/{id}/associations/{to}/{id}/{type}`: the type by name or number.
pub(super) fn put_by_name(
    call: &Call<'_>,
    pair: Types,
    ids: (&str, &str),
    name: &str,
) -> Result<Reply, Reply> {
    call.need(&[write_scope(pair.0), write_scope(pair.1)])?;
    let named = |t: &crate::associations::AssociationType| {
        let mut own = String::new();
        t.push_name(pair.0, pair.1, &mut own);
        own == name || t.id.to_string() == name
    };
    let found = types(pair.0, pair.1, Tie::EVERY).into_iter().find(named);
    let number = found.ok_or_else(|| Reply::bad_request(&format!("There is no association type {name}")))?.id;
    let how = accepts(pair.0, pair.1, number).unwrap_or_default();
    let mut overlay = call.state.overlay_mut();
    let indices = (live(call, &overlay, pair.0, ids.0)?, live(call, &overlay, pair.1, ids.1)?);
    tie(call, &mut overlay, pair, indices, how);
    drop(overlay);
    objects::get(call, pair.0, ids.0)
}

/// `DELETE /crm/objects/{from}/{id}/associations/{to}/{id}`: whatever tied them.
pub(super) fn delete(call: &Call<'_>, types: Types, ids: (&str, &str)) -> Result<Reply, Reply> {
    call.need(&[write_scope(types.0), write_scope(types.1)])?;
    let mut overlay = call.state.overlay_mut();
    let pair = (live(call, &overlay, types.0, ids.0)?, live(call, &overlay, types.1, ids.1)?);
    untie(call, &mut overlay, types, pair);
    Ok(Reply::empty(204))
}

/// `POST /crm/associations/{from}/{to}/batch/create` and `/associate/default`.
pub(super) fn batch_create(call: &Call<'_>, types: Types, default: bool) -> Result<Reply, Reply> {
    let inputs: Vec<Pair> = Batch::read(call, types)?;
    known(types)?;
    let (mut results, mut errors) = (Vec::new(), Vec::new());
    let mut overlay = call.state.overlay_mut();
    for input in &inputs {
        let given = input.types.as_deref().unwrap_or_default();
        if given.is_empty() && !default && input.name.is_none() {
            return Err(Reply::bad_request("Some inputs have no association types"));
        }
        let how = if default { Tie::PLAIN } else { meaning(types, given)? };
        let (a, b) = (input.from.id(), input.to.id());
        let found =
            live(call, &overlay, types.0, &a).and_then(|a| Ok((a, live(call, &overlay, types.1, &b)?)));
        let Ok(pair) = found else {
            errors.push(missing(types, &a, &b));
            continue;
        };
        tie(call, &mut overlay, types, pair, how);
        match &input.name {
            _ if default => results.extend(both_ways(types, (&a, &b))),
            Some(name) => results.push(json!({"from": {"id": a}, "to": {"id": b}, "type": name})),
            None => results.push(labelled(types, pair, call, how)),
        }
    }
    Ok(finished(call, if default { 200 } else { 201 }, results, &errors))
}

fn missing((from, to): Types, a: &str, b: &str) -> Value {
    json!({
        "status": "error", "category": "OBJECT_NOT_FOUND",
        "message": format!("One of {} {a} and {} {b} does not exist.", from.in_associations(), to.in_associations()),
        "context": {"fromObjectId": [a], "toObjectId": [b]}, "errors": [], "links": {},
    })
}

fn finished(call: &Call<'_>, done: u16, results: Vec<Value>, errors: &[Value]) -> Reply {
    let now = iso(call.state.clock.now());
    let mut body = json!({"status": "COMPLETE", "results": results, "startedAt": now, "completedAt": now});
    if errors.is_empty() {
        return Reply::json(done, &body);
    }
    body["numErrors"] = json!(errors.len());
    body["errors"] = json!(errors);
    Reply::json(207, &body)
}

/// `POST /crm/associations/{from}/{to}/batch/archive`; version 3 sends pairs.
pub(super) fn batch_archive(call: &Call<'_>, types: Types) -> Result<Reply, Reply> {
    let cuts: Vec<Cut> = if call.version == "v3" {
        let pairs: Vec<Pair> = Batch::read(call, types)?;
        pairs.into_iter().map(|pair| Cut { from: pair.from, to: vec![pair.to] }).collect()
    } else {
        Batch::read(call, types)?
    };
    let mut overlay = call.state.overlay_mut();
    for cut in &cuts {
        for to in &cut.to {
            let a = live(call, &overlay, types.0, &cut.from.id());
            if let (Ok(a), Ok(b)) = (a, live(call, &overlay, types.1, &to.id())) {
                untie(call, &mut overlay, types, (a, b));
            }
        }
    }
    Ok(Reply::empty(204))
}

/// `POST /crm/associations/{from}/{to}/batch/labels/archive`: the marks go, the rest stays.
pub(super) fn archive_labels(call: &Call<'_>, types: Types) -> Result<Reply, Reply> {
    let inputs: Vec<Pair> = Batch::read(call, types)?;
    let mut overlay = call.state.overlay_mut();
    for input in &inputs {
        let gone = meaning(types, input.types.as_deref().unwrap_or_default())?;
        let a = live(call, &overlay, types.0, &input.from.id());
        let (Ok(a), Ok(b)) = (a, live(call, &overlay, types.1, &input.to.id())) else { continue };
        if let Some(now) = present(call, &overlay, types, a, b) {
            overlay.dissociate((types.0, a), (types.1, b));
            let rest = now.without(gone);
            overlay.associate((types.0, a), (types.1, b), rest, call.state.clock.now());
        }
    }
    Ok(Reply::empty(204))
}
