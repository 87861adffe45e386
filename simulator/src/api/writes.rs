//! Changing records as an app does: create, update, archive, merge, forget. Every write is first
//! prepared, which checks it and changes nothing, and then carried out; batches do the same.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::values::{self, Link, id_text};
use super::{Call, objects, write_scope};
use crate::associations::Tie;
use crate::http::Reply;
use crate::json::Shape;
use crate::kind::Kind;
use crate::lifecycle::{self, Values};
use crate::overlay::Overlay;
use crate::view::{Record, View};

/// What an app wants a record to be.
#[derive(Debug, Deserialize)]
pub(super) struct Write {
    #[serde(default)]
    pub(super) properties: BTreeMap<String, Value>,
    #[serde(default)]
    pub(super) associations: Option<Vec<Link>>,
}

/// A write that will succeed.
#[derive(Debug)]
pub(super) enum Prepared {
    Create { values: Values, links: Vec<(Kind, u64, Tie)> },
    Update { index: u64, values: Values },
}

impl Prepared {
    /// The contact address it gives away, for batches that must not give one twice.
    pub(super) fn mail(&self) -> Option<&str> {
        let (Self::Create { values, .. } | Self::Update { values, .. }) = self;
        values.get("email").and_then(Option::as_deref)
    }
}

fn mail_of(kind: Kind, values: &Values) -> Option<&str> {
    values.get("email").and_then(Option::as_deref).filter(|_| kind == Kind::Contact)
}

/// Checks a new record.
pub(super) fn prepare_create(view: &View<'_>, kind: Kind, write: &Write) -> Result<Prepared, Reply> {
    let values = values::checked(view.portal, kind, &write.properties)?;
    values::required(kind, &values)?;
    let links = values::read_links(view, kind, write.associations.as_deref().unwrap_or_default())?;
    if let Some(mail) = mail_of(kind, &values) {
        values::refuse_duplicate(view, mail, None)?;
    }
    Ok(Prepared::Create { values, links })
}

/// Checks a change of a record.
pub(super) fn prepare_update(
    view: &View<'_>,
    record: &Record<'_>,
    properties: &BTreeMap<String, Value>,
) -> Result<Prepared, Reply> {
    let kind = record.kind;
    let mut values = values::checked(view.portal, kind, properties)?;
    if let Some(mail) = mail_of(kind, &values) {
        values::refuse_duplicate(view, mail, Some(record.index))?;
    }
    if kind == Kind::Contact && !values::stage_may_move(view, record, &values) {
        // HubSpot answers 200 and leaves the stage as it was.
        values.remove("lifecyclestage");
    }
    Ok(Prepared::Update { index: record.index, values })
}

/// Carries out what was prepared; returns the record's index.
pub(super) fn carry_out(call: &Call<'_>, overlay: &mut Overlay, kind: Kind, prepared: Prepared) -> u64 {
    let state = call.state;
    match prepared {
        Prepared::Update { index, values } => {
            lifecycle::change(state, overlay, (kind, index), values, "INTEGRATION");
            index
        }
        Prepared::Create { mut values, links } => {
            let now = state.clock.now();
            let index = overlay.create(&state.portal, kind, now);
            if let Some(mail) = mail_of(kind, &values) {
                overlay.remember_mail(mail, index);
            }
            let source = [("hs_object_source", "INTEGRATION"), ("hs_object_source_label", "INTEGRATION")];
            values.extend(source.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))));
            overlay.touch(&state.portal, kind, index).write(values, now, "INTEGRATION");
            for (to, target, tie) in links {
                overlay.associate((kind, index), (to, target), tie, now);
            }
            state.events.created(kind, index, "INTEGRATION");
            index
        }
    }
}

/// `POST /crm/objects/{type}`.
pub(super) fn create(call: &Call<'_>, kind: Kind) -> Result<Reply, Reply> {
    call.need(&[write_scope(kind)])?;
    let write: Write = call.request.json()?;
    let mut overlay = call.state.overlay_mut();
    let prepared = prepare_create(&call.state.view(&overlay), kind, &write)?;
    let index = carry_out(call, &mut overlay, kind, prepared);
    Ok(shown(call, kind, index, 201, &overlay))
}

/// `PATCH /crm/objects/{type}/{id}`.
pub(super) fn update(call: &Call<'_>, kind: Kind, id: &str) -> Result<Reply, Reply> {
    call.need(&[write_scope(kind)])?;
    let write: Write = call.request.json()?;
    let mut overlay = call.state.overlay_mut();
    let prepared = {
        let view = call.state.view(&overlay);
        let record = objects::find(&view, kind, id, call.request.parameter("idProperty"));
        let record = record.filter(Record::is_live).ok_or_else(Reply::not_found)?;
        prepare_update(&view, &record, &write.properties)?
    };
    let index = carry_out(call, &mut overlay, kind, prepared);
    Ok(shown(call, kind, index, 200, &overlay))
}

/// `DELETE /crm/objects/{type}/{id}`: into the recycle bin; e-mails are gone at once.
pub(super) fn archive(call: &Call<'_>, kind: Kind, id: &str) -> Result<Reply, Reply> {
    call.need(&[write_scope(kind)])?;
    let mut overlay = call.state.overlay_mut();
    let view = call.state.view(&overlay);
    let index = objects::find(&view, kind, id, None).filter(Record::is_live).map(|r| r.index);
    if let Some(index) = index {
        lifecycle::remove(call.state, &mut overlay, kind, index);
    }
    Ok(Reply::empty(204))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Merge {
    primary_object_id: Value,
    object_id_to_merge: Value,
}

/// `POST /crm/objects/{type}/merge`: two records become a new one.
pub(super) fn merge(call: &Call<'_>, kind: Kind) -> Result<Reply, Reply> {
    call.need(&[write_scope(kind)])?;
    if kind.is_engagement() {
        return Err(Reply::bad_request(&format!("{} cannot be merged", kind.plural())));
    }
    let merge: Merge = call.request.json()?;
    let mut overlay = call.state.overlay_mut();
    let view = call.state.view(&overlay);
    let live = |id: &Value| {
        let found = objects::find(&view, kind, &id_text(id), None);
        found.filter(Record::is_live).map(|r| r.index).ok_or_else(Reply::not_found)
    };
    let (primary, other) = (live(&merge.primary_object_id)?, live(&merge.object_id_to_merge)?);
    if primary == other {
        return Err(Reply::bad_request("A record cannot be merged with itself"));
    }
    let index = lifecycle::merge(call.state, &mut overlay, kind, (primary, other));
    Ok(shown(call, kind, index, 200, &overlay))
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Forget {
    object_id: Value,
    #[serde(default)]
    id_property: Option<String>,
}

/// `POST /crm/objects/contacts/gdpr-delete`: by id or by address; nothing to forget is fine too.
pub(super) fn forget(call: &Call<'_>) -> Result<Reply, Reply> {
    call.need(&[write_scope(Kind::Contact)])?;
    let forget: Forget = call.request.json()?;
    let mut overlay = call.state.overlay_mut();
    let view = call.state.view(&overlay);
    let id = id_text(&forget.object_id);
    let found = objects::find(&view, Kind::Contact, &id, forget.id_property.as_deref());
    if let Some(index) = found.filter(Record::is_live).map(|r| r.index) {
        lifecycle::forget(call.state, &mut overlay, index);
    }
    Ok(Reply::empty(204))
}

fn shown(call: &Call<'_>, kind: Kind, index: u64, status: u16, overlay: &Overlay) -> Reply {
    let mut out = String::new();
    push_written(&call.state.view(overlay), kind, index, &mut out);
    Reply { status, ..Reply::text(out) }
}

/// Appends a record with all that was ever written into it.
pub(super) fn push_written(view: &View<'_>, kind: Kind, index: u64, out: &mut String) {
    let record = Record { kind, index, touched: view.overlay.get(kind, index) };
    let written: Vec<&str> =
        record.touched.map(|t| t.properties.keys().map(String::as_str).collect()).unwrap_or_default();
    view.push_object(&record, &Shape::of(kind, &written), out);
}
