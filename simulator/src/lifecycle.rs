//! What befalls a record, whoever asks for it: an app by the API or a person in HubSpot. Changes,
//! deletion, restoring, merging, privacy deletion. Who may do what is decided by the callers.

use std::collections::BTreeMap;

use crate::events::What;
use crate::kind::Kind;
use crate::overlay::{Life, Overlay};
use crate::state::State;
use crate::view::{Record, View};

/// Values to write, by property; `None` empties it.
pub(crate) type Values = BTreeMap<String, Option<String>>;

/// Writes values into a record and notes who has to be told.
pub(crate) fn change(
    state: &State,
    overlay: &mut Overlay,
    (kind, index): (Kind, u64),
    values: Values,
    source: &'static str,
) {
    let now = state.clock.now();
    if let Some(Some(mail)) = values.get("email").filter(|_| kind == Kind::Contact) {
        overlay.remember_mail(mail, index);
    }
    for (name, value) in &values {
        state.events.changed((kind, index), name, value.as_deref(), source);
    }
    overlay.change(&state.portal, kind, index, now).write(values, now, source);
}

/// Deletes a record as HubSpot does for its type: into the recycle bin, e-mails for good. Its
/// modification instant stays as it was.
pub(crate) fn remove(state: &State, overlay: &mut Overlay, kind: Kind, index: u64) {
    let life = if kind == Kind::Email { Life::Gone } else { Life::Archived(state.clock.now()) };
    overlay.touch(&state.portal, kind, index).life = life;
    state.events.deleted(kind, index);
}

/// Takes a record out of the recycle bin.
pub(crate) fn restore(state: &State, overlay: &mut Overlay, kind: Kind, index: u64) {
    let now = state.clock.now();
    overlay.change(&state.portal, kind, index, now).life = Life::Live;
    state.events.push(kind, index, What::Restored);
}

/// Two records become a new one, to which both old ids lead from now on; returns its index.
pub(crate) fn merge(state: &State, overlay: &mut Overlay, kind: Kind, (primary, other): (u64, u64)) -> u64 {
    let now = state.clock.now();
    let (mut properties, mails, times) = merged_properties(state, overlay, kind, (primary, other), now);
    let index = overlay.create(&state.portal, kind, now);
    for mail in &mails {
        overlay.remember_mail(mail, index);
    }
    if kind == Kind::Contact {
        properties.insert("hs_calculated_merged_vids".to_owned(), Some(times));
    }
    let touched = overlay.touch(&state.portal, kind, index);
    touched.write(properties, now, "MERGE_OBJECTS");
    touched.merged_from = vec![primary, other];
    for old in [primary, other] {
        overlay.touch(&state.portal, kind, old).life = Life::Merged(index);
    }
    state.events.push(kind, index, What::Merged { primary, merged: vec![primary, other] });
    index
}

/// The primary's values where it has one, else the other's; every address stays reachable.
fn merged_properties(
    state: &State,
    overlay: &Overlay,
    kind: Kind,
    (primary, other): (u64, u64),
    now: i64,
) -> (Values, Vec<String>, String) {
    let view = View { portal: &state.portal, overlay, now };
    let records: Vec<Record<'_>> =
        [primary, other].into_iter().filter_map(|i| view.record(kind, i)).collect();
    let mut properties = Values::new();
    for property in crate::catalog::of(kind).filter(|p| p.name != "hs_object_id") {
        let value = records.iter().find_map(|r| view.text(r, property.name));
        properties.insert(property.name.to_owned(), value);
    }
    let addresses = |name| {
        records
            .iter()
            .filter_map(|r| view.text(r, name))
            .flat_map(|m| m.split(';').map(str::to_owned).collect::<Vec<_>>())
            .collect::<Vec<_>>()
    };
    let mut mails = addresses("email");
    mails.extend(addresses("hs_additional_emails"));
    if kind == Kind::Contact && mails.len() > 1 {
        properties.insert("hs_additional_emails".to_owned(), Some(mails[1..].join(";")));
    }
    let times: Vec<String> = records.iter().map(|r| format!("{}:{now}", view.id(r))).collect();
    (properties, mails, times.join(";"))
}

/// Forgets a contact: it is gone, its engagements are emptied. Returns how many those were.
pub(crate) fn forget(state: &State, overlay: &mut Overlay, contact: u64) -> usize {
    let now = state.clock.now();
    let mut emptied = Vec::new();
    {
        let view = View { portal: &state.portal, overlay, now };
        let touched = overlay.get(Kind::Contact, contact);
        let record = Record { kind: Kind::Contact, index: contact, touched };
        for kind in Kind::ALL.into_iter().filter(|k| k.is_engagement()) {
            emptied.extend(view.targets(&record, kind).into_iter().map(|t| (kind, t.index)));
        }
    }
    for (kind, index) in &emptied {
        let touched = overlay.change(&state.portal, *kind, *index, now);
        for property in crate::catalog::of(*kind).filter(|p| is_personal(p)) {
            touched.erase(property.name);
        }
        touched.properties.insert("hs_gdpr_deleted".to_owned(), Some("true".to_owned()));
    }
    let touched = overlay.touch(&state.portal, Kind::Contact, contact);
    touched.life = Life::Gone;
    touched.properties.clear();
    touched.history.clear();
    state.events.push(Kind::Contact, contact, What::PrivacyDeleted);
    state.events.deleted(Kind::Contact, contact);
    emptied.len()
}

fn is_personal(property: &crate::catalog::Property) -> bool {
    property.field_type == "html"
        || property.name.contains("email")
        || property.name.contains("preview")
        || property.name.ends_with("summary")
}
