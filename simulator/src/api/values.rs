//! Whether values of a write are acceptable: known properties, of their type, required ones given,
//! associations that exist. Nothing is changed here.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::associations::{Tie, accepts};
use crate::catalog;
use crate::content::persons::FIRST_ARCHIVED_OWNER;
use crate::http::Reply;
use crate::kind::Kind;
use crate::lifecycle::Values;
use crate::portal::Portal;
use crate::records::deals::PIPELINES;
use crate::view::{Record, View};

/// An association given with a new record.
#[derive(Debug, Deserialize)]
pub(super) struct Link {
    pub(super) to: To,
    pub(super) types: Vec<LinkType>,
}

/// A record meant by its id, as a string or a number.
#[derive(Debug, Deserialize)]
pub(super) struct To {
    id: Value,
}

impl To {
    pub(super) fn id(&self) -> String {
        id_text(&self.id)
    }
}

/// An id as text, whichever way it was sent.
pub(super) fn id_text(id: &Value) -> String {
    id.as_str().map_or_else(|| id.to_string(), str::to_owned)
}

/// An association type as writes name it.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct LinkType {
    pub(super) association_type_id: u32,
}

/// The properties of a write as text, every one of them acceptable.
pub(super) fn checked(
    portal: &Portal,
    kind: Kind,
    properties: &BTreeMap<String, Value>,
) -> Result<Values, Reply> {
    let mut values = Values::new();
    for (name, value) in properties {
        let text = match value {
            Value::Null => None,
            Value::String(text) => Some(text.clone()),
            other => Some(other.to_string()),
        };
        let text = text.filter(|text| !text.is_empty());
        check_value(portal, kind, name, text.as_deref())?;
        values.insert(name.clone(), text);
    }
    Ok(values)
}

fn check_value(portal: &Portal, kind: Kind, name: &str, value: Option<&str>) -> Result<(), Reply> {
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
    let chosen = |value: &str| match property.field_type {
        "checkbox" => value.split(';').all(|one| property.options.contains(&one)),
        _ => property.options.contains(&value),
    };
    if !property.options.is_empty() && !chosen(value) {
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
    if name == "hubspot_owner_id" && !is_owner(portal, value) {
        return Err(invalid("INVALID_OWNER_ID", name, &format!("Owner {value} does not exist")));
    }
    if name == "hs_note_body" && value.chars().count() > crate::content::logged::LONGEST_NOTE {
        return Err(invalid("INVALID_STRING", name, "Note body is longer than 65536 characters"));
    }
    Ok(())
}

/// Archived owners keep what they have and are given nothing new.
fn is_owner(portal: &Portal, id: &str) -> bool {
    (0..FIRST_ARCHIVED_OWNER).any(|owner| portal.owner_id(owner).to_string() == id)
}

fn invalid(code: &str, name: &str, message: &str) -> Reply {
    let told = json!([{"isValid": false, "message": message, "error": code, "name": name}]);
    Reply::error_with(
        400,
        "VALIDATION_ERROR",
        &format!("Property values were not valid: {told}"),
        json!({
            "errors": [{"message": message, "code": code, "context": {"propertyName": [name]}}],
        }),
    )
}

/// What a new record of a type must have.
pub(super) fn required(kind: Kind, values: &Values) -> Result<(), Reply> {
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

/// The records a new one is to be tied to, each with how.
pub(super) fn read_links(
    view: &View<'_>,
    kind: Kind,
    links: &[Link],
) -> Result<Vec<(Kind, u64, Tie)>, Reply> {
    let mut read = Vec::new();
    for link in links {
        let id = link.to.id();
        for kind_of_link in &link.types {
            let number = kind_of_link.association_type_id;
            let fitting = Kind::ALL.into_iter().find_map(|to| accepts(kind, to, number).map(|tie| (to, tie)));
            let Some((to, tie)) = fitting else {
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
            read.push((to, record.index, tie));
        }
    }
    Ok(read)
}

/// Refuses an address another contact has.
pub(super) fn refuse_duplicate(view: &View<'_>, mail: &str, own: Option<u64>) -> Result<(), Reply> {
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
pub(super) fn stage_may_move(view: &View<'_>, record: &Record<'_>, values: &Values) -> bool {
    let Some(Some(wanted)) = values.get("lifecyclestage") else {
        return true;
    };
    let options = catalog::find(Kind::Contact, "lifecyclestage").map_or(&[][..], |p| p.options);
    let place = |stage: &str| options.iter().position(|o| *o == stage);
    view.text(record, "lifecyclestage").is_none_or(|now| place(wanted) >= place(&now))
}
