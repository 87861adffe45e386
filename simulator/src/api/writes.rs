//! Changing records as an app does: create, update, archive. Values are checked against the
//! property catalogue, as HubSpot does since its writes are validated.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::{Call, objects, write_scope};
use crate::associations::accepts;
use crate::catalog;
use crate::http::Reply;
use crate::json::Shape;
use crate::kind::Kind;
use crate::overlay::Life;
use crate::records::deals::PIPELINES;
use crate::view::{Record, View};

#[derive(Debug, Deserialize)]
struct Write {
    #[serde(default)]
    properties: BTreeMap<String, Value>,
    #[serde(default)]
    associations: Vec<Link>,
}

#[derive(Debug, Deserialize)]
struct Link {
    to: To,
    types: Vec<LinkType>,
}

#[derive(Debug, Deserialize)]
struct To {
    id: Value,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct LinkType {
    association_type_id: u32,
}

type Values = BTreeMap<String, Option<String>>;

/// `POST /crm/objects/{type}`.
pub(super) fn create(call: &Call<'_>, kind: Kind) -> Result<Reply, Reply> {
    call.need(&[write_scope(kind)])?;
    let write: Write = call.request.json()?;
    let values = checked(kind, &write.properties)?;
    required(kind, &values)?;
    let state = call.state;
    let mut overlay = state.overlay_mut();
    let view = View { portal: &state.portal, overlay: &overlay, now: state.clock.now() };
    let links = read_links(&view, kind, &write.associations)?;
    if let Some(mail) = values.get("email").and_then(Option::as_deref).filter(|_| kind == Kind::Contact) {
        refuse_duplicate(&view, mail, None)?;
    }
    let now = view.now;
    let index = overlay.create(&state.portal, kind, now);
    if let Some(Some(mail)) = values.get("email").filter(|_| kind == Kind::Contact) {
        overlay.remember_mail(mail, index);
    }
    let touched = overlay.touch(&state.portal, kind, index);
    touched.properties = values;
    let source = [("hs_object_source", "INTEGRATION"), ("hs_object_source_label", "INTEGRATION")];
    touched.properties.extend(source.map(|(name, value)| (name.to_owned(), Some(value.to_owned()))));
    for (to, target, primary) in links {
        overlay.associate((kind, index), (to, target), primary, now);
    }
    state.events.created(kind, index);
    Ok(shown(call, kind, index, 201, &overlay))
}

/// `PATCH /crm/objects/{type}/{id}`.
pub(super) fn update(call: &Call<'_>, kind: Kind, id: &str) -> Result<Reply, Reply> {
    call.need(&[write_scope(kind)])?;
    let write: Write = call.request.json()?;
    let mut values = checked(kind, &write.properties)?;
    let state = call.state;
    let mut overlay = state.overlay_mut();
    let view = View { portal: &state.portal, overlay: &overlay, now: state.clock.now() };
    let record = objects::find(&view, kind, id, call.request.parameter("idProperty"));
    let record = record.filter(Record::is_live).ok_or_else(Reply::not_found)?;
    if let Some(mail) = values.get("email").and_then(Option::as_deref).filter(|_| kind == Kind::Contact) {
        refuse_duplicate(&view, mail, Some(record.index))?;
    }
    if kind == Kind::Contact && !stage_may_move(&view, &record, &values) {
        // HubSpot answers 200 and leaves the stage as it was.
        values.remove("lifecyclestage");
    }
    let (index, now) = (record.index, view.now);
    apply(state, &mut overlay, kind, index, values, now);
    Ok(shown(call, kind, index, 200, &overlay))
}

/// Writes values into a record and notes who has to be told.
pub(crate) fn apply(
    state: &crate::state::State,
    overlay: &mut crate::overlay::Overlay,
    kind: Kind,
    index: u64,
    values: Values,
    now: i64,
) {
    if let Some(Some(mail)) = values.get("email").filter(|_| kind == Kind::Contact) {
        overlay.remember_mail(mail, index);
    }
    let touched = overlay.change(&state.portal, kind, index, now);
    for (name, value) in values {
        state.events.changed(kind, index, &name, value.as_deref());
        touched.properties.insert(name, value);
    }
}

/// `DELETE /crm/objects/{type}/{id}`: into the recycle bin; e-mails are gone at once.
pub(super) fn archive(call: &Call<'_>, kind: Kind, id: &str) -> Result<Reply, Reply> {
    call.need(&[write_scope(kind)])?;
    let state = call.state;
    let mut overlay = state.overlay_mut();
    let view = View { portal: &state.portal, overlay: &overlay, now: state.clock.now() };
    let index = objects::find(&view, kind, id, None).filter(Record::is_live).map(|r| r.index);
    if let Some(index) = index {
        let now = view.now;
        remove(state, &mut overlay, kind, index, now);
    }
    Ok(Reply::empty(204))
}

/// Deletes a record as HubSpot does for its type. Its modification instant stays as it was.
pub(crate) fn remove(
    state: &crate::state::State,
    overlay: &mut crate::overlay::Overlay,
    kind: Kind,
    index: u64,
    now: i64,
) {
    let life = if kind == Kind::Email { Life::Gone } else { Life::Archived(now) };
    overlay.touch(&state.portal, kind, index).life = life;
    state.events.deleted(kind, index);
}

fn shown(call: &Call<'_>, kind: Kind, index: u64, status: u16, overlay: &crate::overlay::Overlay) -> Reply {
    let view = call.state.view(overlay);
    let record = Record { kind, index, touched: overlay.get(kind, index) };
    let written: Vec<&str> =
        record.touched.map(|t| t.properties.keys().map(String::as_str).collect()).unwrap_or_default();
    let mut out = String::new();
    view.push_object(&record, &Shape::of(kind, &written), &mut out);
    Reply { status, ..Reply::text(out) }
}

fn checked(kind: Kind, properties: &BTreeMap<String, Value>) -> Result<Values, Reply> {
    let mut values = Values::new();
    for (name, value) in properties {
        let text = match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let text = text.filter(|text| !text.is_empty());
        check_value(kind, name, text.as_deref())?;
        values.insert(name.clone(), text);
    }
    Ok(values)
}

fn check_value(kind: Kind, name: &str, value: Option<&str>) -> Result<(), Reply> {
    let Some(property) = catalog::find(kind, name) else {
        return Err(invalid("PROPERTY_DOESNT_EXIST", name, &format!("Property \"{name}\" does not exist")));
    };
    if property.read_only {
        return Err(invalid(
            "READ_ONLY_VALUE",
            name,
            &format!("\"{name}\" is a read only property; its value cannot be set."),
        ));
    }
    let Some(value) = value else { return Ok(()) };
    if !property.options.is_empty() && !property.options.contains(&value) {
        let message =
            format!("{value} was not one of the allowed options: [{}]", property.options.join(", "));
        return Err(invalid("INVALID_OPTION", name, &message));
    }
    if property.value_type == "number" && value.parse::<f64>().is_err() {
        return Err(invalid("INVALID_LONG", name, &format!("{value} was not a valid number.")));
    }
    if property.value_type == "datetime" && crate::clock::parse_instant(value).is_none() {
        return Err(invalid("INVALID_DATE", name, &format!("{value} was not a valid date.")));
    }
    if name == "email" && (value.matches('@').count() != 1 || value.contains(' ') || !value.contains('.')) {
        return Err(invalid("INVALID_EMAIL", name, &format!("Email address {value} is invalid")));
    }
    if name == "hs_note_body" && value.chars().count() > crate::content::logged::LONGEST_NOTE {
        return Err(invalid("INVALID_STRING", name, "Note body is longer than 65536 characters"));
    }
    Ok(())
}

fn invalid(code: &str, name: &str, message: &str) -> Reply {
    Reply::error_with(
        400,
        "VALIDATION_ERROR",
        &format!("Property values were not valid: {message}"),
        json!({
            "errors": [{"message": message, "code": code, "context": {"propertyName": [name]}}],
        }),
    )
}

fn required(kind: Kind, values: &Values) -> Result<(), Reply> {
    let names: &[&str] = match kind {
        Kind::Deal => &["dealname", "dealstage"],
        kind if kind.is_engagement() => &["hs_timestamp"],
        _ => &[],
    };
    for name in names {
        if values.get(*name).is_none_or(Option::is_none) {
            return Err(invalid("REQUIRED_FIELD", name, &format!("Required property {name} is missing")));
        }
    }
    let chosen = |name: &str| values.get(name).and_then(Option::as_deref);
    let pipeline = PIPELINES.iter().find(|(id, ..)| chosen("pipeline").unwrap_or("default") == *id);
    let fits =
        |stage: &str| pipeline.is_some_and(|(_, _, stages)| stages.iter().any(|(id, ..)| *id == stage));
    match chosen("dealstage") {
        Some(stage) if kind == Kind::Deal && !fits(stage) => {
            Err(invalid("INVALID_OPTION", "dealstage", &format!("{stage} is not a stage of the pipeline")))
        }
        _ => Ok(()),
    }
}

fn read_links(view: &View<'_>, kind: Kind, links: &[Link]) -> Result<Vec<(Kind, u64, bool)>, Reply> {
    let mut read = Vec::new();
    for link in links {
        let id = link.to.id.as_str().map_or_else(|| link.to.id.to_string(), str::to_owned);
        for kind_of_link in &link.types {
            let number = kind_of_link.association_type_id;
            let fitting =
                Kind::ALL.into_iter().find_map(|to| accepts(kind, to, number).map(|primary| (to, primary)));
            let Some((to, primary)) = fitting else {
                return Err(Reply::bad_request(&format!(
                    "{number} is not an association type from {}",
                    kind.in_associations()
                )));
            };
            let record = id.parse().ok().and_then(|id| view.find(to, id)).filter(Record::is_live);
            let Some(record) = record else {
                return Err(Reply::bad_request(&format!(
                    "The {} with id {id} to associate does not exist",
                    to.in_associations()
                )));
            };
            read.push((to, record.index, primary));
        }
    }
    Ok(read)
}

fn refuse_duplicate(view: &View<'_>, mail: &str, own: Option<u64>) -> Result<(), Reply> {
    match view.contact_by_mail(mail) {
        Some(other) if Some(other.index) != own => Err(Reply::error(
            409,
            "CONFLICT",
            &format!("Contact already exists. Existing ID: {}", view.id(&other)),
        )),
        _ => Ok(()),
    }
}

/// The lifecycle stage only moves forward unless it was cleared before.
fn stage_may_move(view: &View<'_>, record: &Record<'_>, values: &Values) -> bool {
    let Some(Some(wanted)) = values.get("lifecyclestage") else {
        return true;
    };
    let options = catalog::find(Kind::Contact, "lifecyclestage").map_or(&[][..], |p| p.options);
    let place = |stage: &str| options.iter().position(|o| *o == stage);
    view.text(record, "lifecyclestage").is_none_or(|now| place(wanted) >= place(&now))
}
