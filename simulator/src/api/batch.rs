//! Writing many records in one call. A batch is all or nothing, unless every input carries an
//! `objectWriteTraceId`: then what can be done is done and the rest is told by trace id, with 207.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::{Value, json};

use super::values::id_text;
use super::writes::{self, Prepared, Write};
use super::{Call, objects, write_scope};
use crate::clock::iso;
use crate::http::Reply;
use crate::kind::Kind;
use crate::lifecycle;
use crate::view::{Record, View};

/// Inputs of one batch.
pub(super) const BATCH_MAX: usize = 100;

/// What a batch does to its inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Action {
    Create,
    Update,
    /// Updates what exists, creates the rest.
    Upsert,
}

#[derive(Debug, Deserialize)]
struct Batch {
    inputs: Vec<Input>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Input {
    #[serde(default)]
    id: Option<Value>,
    #[serde(default)]
    id_property: Option<String>,
    #[serde(default)]
    object_write_trace_id: Option<String>,
    #[serde(flatten)]
    write: Write,
}

impl Input {
    fn id(&self) -> Result<String, Reply> {
        let id = self.id.as_ref().map(id_text);
        id.ok_or_else(|| Reply::bad_request("Invalid input: some inputs have no id"))
    }

    fn record<'a>(&self, view: &View<'a>, kind: Kind) -> Result<Option<Record<'a>>, Reply> {
        let found = objects::find(view, kind, &self.id()?, self.id_property.as_deref());
        Ok(found.filter(Record::is_live))
    }
}

fn read(call: &Call<'_>) -> Result<Batch, Reply> {
    let batch: Batch = call.request.json()?;
    refuse_long(batch.inputs.len())?;
    Ok(batch)
}

/// Refuses more inputs than a batch takes.
pub(super) fn refuse_long(inputs: usize) -> Result<(), Reply> {
    if inputs <= BATCH_MAX {
        return Ok(());
    }
    Err(Reply::bad_request(&format!("Maximum {BATCH_MAX} inputs are allowed in a batch, {inputs} were sent")))
}

/// `POST /crm/objects/{type}/batch/create`, `/update` and `/upsert`.
pub(super) fn write(call: &Call<'_>, kind: Kind, action: Action) -> Result<Reply, Reply> {
    call.need(&[write_scope(kind)])?;
    let batch = read(call)?;
    let traced = !batch.inputs.is_empty() && batch.inputs.iter().all(|i| i.object_write_trace_id.is_some());
    let mut overlay = call.state.overlay_mut();
    let mut errors = Vec::new();
    let mut ready = Vec::new();
    {
        let view = call.state.view(&overlay);
        let mut taken = Taken::default();
        for input in &batch.inputs {
            match prepare(&view, kind, action, input).and_then(|(p, new)| taken.take(p, new)) {
                Ok(prepared) => ready.push(prepared),
                Err(reply) if traced => errors.push(told(&reply, input)),
                Err(reply) if reply.status == 404 => errors.push(told(&reply, input)),
                Err(reply) => return Err(reply),
            }
        }
    }
    let started = iso(call.state.clock.now());
    let mut out = String::from("{\"status\":\"COMPLETE\",\"results\":[");
    for (at, (prepared, new)) in ready.into_iter().enumerate() {
        let index = writes::carry_out(call, &mut overlay, kind, prepared);
        out.push_str(if at > 0 { "," } else { "" });
        writes::push_written(&call.state.view(&overlay), kind, index, &mut out);
        if action == Action::Upsert {
            out.pop();
            out.push_str(&format!(",\"new\":{new}}}"));
        }
    }
    out.push_str(&format!("],\"startedAt\":\"{started}\",\"completedAt\":\"{started}\""));
    let done = if action == Action::Create { 201 } else { 200 };
    let status = if errors.is_empty() { done } else { 207 };
    if !errors.is_empty() {
        out.push_str(&format!(",\"numErrors\":{},\"errors\":{}", errors.len(), Value::Array(errors)));
    }
    out.push('}');
    Ok(Reply { status, ..Reply::text(out) })
}

fn prepare(view: &View<'_>, kind: Kind, action: Action, input: &Input) -> Result<(Prepared, bool), Reply> {
    if action == Action::Create {
        return Ok((writes::prepare_create(view, kind, &input.write)?, true));
    }
    if let Some(record) = input.record(view, kind)? {
        return Ok((writes::prepare_update(view, &record, &input.write.properties)?, false));
    }
    match (action, kind, input.id_property.as_deref()) {
        (Action::Upsert, Kind::Contact, Some("email")) => {
            let mut properties = BTreeMap::from([("email".to_owned(), json!(input.id()?))]);
            properties.extend(input.write.properties.iter().map(|(n, v)| (n.clone(), v.clone())));
            let write = Write { properties, associations: None };
            Ok((writes::prepare_create(view, kind, &write)?, true))
        }
        (Action::Upsert, _, property) if !matches!(property, None | Some("hs_object_id")) => {
            let name = property.unwrap_or_default();
            Err(Reply::bad_request(&format!("{name} is not a unique property of {}", kind.plural())))
        }
        _ => Err(Reply::not_found()),
    }
}

/// What inputs before have claimed: a record is changed once, an address is given once.
#[derive(Debug, Default)]
struct Taken {
    records: BTreeSet<u64>,
    mails: BTreeSet<String>,
}

impl Taken {
    fn take(&mut self, prepared: Prepared, new: bool) -> Result<(Prepared, bool), Reply> {
        if let Prepared::Update { index, .. } = &prepared
            && !self.records.insert(*index)
        {
            return Err(Reply::bad_request("Duplicate IDs found in batch input"));
        }
        if let Some(mail) = prepared.mail().map(str::to_lowercase)
            && !self.mails.insert(mail.clone())
        {
            let message = format!("Contact already exists. Duplicate address in batch input: {mail}");
            return Err(Reply::error(409, "CONFLICT", &message));
        }
        Ok((prepared, new))
    }
}

/// An input's refusal as an entry of the reply's errors.
fn told(reply: &Reply, input: &Input) -> Value {
    let mut error: Value = serde_json::from_slice(&reply.body).unwrap_or_default();
    let mut context = json!({"ids": input.id.iter().map(id_text).collect::<Vec<_>>()});
    if let Some(trace) = &input.object_write_trace_id {
        context["objectWriteTraceId"] = json!([trace]);
    }
    error["context"] = context;
    error["links"] = json!({});
    if error["errors"].is_null() {
        error["errors"] = json!([]);
    }
    error
}

/// `POST /crm/objects/{type}/batch/archive`: unknown ids are passed over.
pub(super) fn archive(call: &Call<'_>, kind: Kind) -> Result<Reply, Reply> {
    call.need(&[write_scope(kind)])?;
    let batch = read(call)?;
    let mut overlay = call.state.overlay_mut();
    for input in &batch.inputs {
        let found = input.record(&call.state.view(&overlay), kind)?.map(|r| r.index);
        if let Some(index) = found {
            lifecycle::remove(call.state, &mut overlay, kind, index);
        }
    }
    Ok(Reply::empty(204))
}
