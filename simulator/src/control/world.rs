//! What a person does in HubSpot, or what befalls the portal, as one call each. Unlike the API,
//! nothing is validated here beyond being understood: people can do more than apps.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use crate::api::objects;
use crate::associations::Tie;
use crate::events::What;
use crate::hash::unique_word;
use crate::http::{Reply, Request};
use crate::kind::{Kind, SUBMISSION_STREAM};
use crate::lifecycle;
use crate::options::{RateLimit, RetryAfter};
use crate::overlay::{LateSubmission, Life, Overlay};
use crate::state::State;
use crate::submissions::FORMS;
use crate::view::{Record, View};

type Done = Result<Reply, Reply>;

/// Records one call creates, at most.
const MOST_AT_ONCE: u64 = 1_000_000;

#[derive(Debug, Deserialize)]
struct Advance {
    ms: i64,
}

pub(super) fn advance(state: &State, request: &Request) -> Done {
    let Advance { ms } = request.json()?;
    state.clock.advance(ms);
    let now = state.clock.now();
    Ok(Reply::ok(&json!({"now": crate::clock::iso(now), "now_ms": now})))
}

#[derive(Debug, Deserialize)]
struct TokenSettings {
    rotate: Option<bool>,
    life_ms: Option<i64>,
}

pub(super) fn token_settings(state: &State, request: &Request) -> Done {
    let settings: TokenSettings = request.json()?;
    let mut tokens = state.tokens();
    tokens.rotate = settings.rotate.unwrap_or(tokens.rotate);
    tokens.life_ms = settings.life_ms.map_or(tokens.life_ms, |ms| ms.clamp(0, 36_525 * crate::clock::DAY_MS));
    Ok(Reply::ok(&json!({"rotate": tokens.rotate, "life_ms": tokens.life_ms})))
}

#[derive(Debug, Deserialize)]
struct LimitSettings {
    per_ten_seconds: Option<u32>,
    per_second: Option<u32>,
    search_per_second: Option<u32>,
    per_day: Option<u32>,
    /// `seconds` or `date`: whether refusals say when to come back.
    retry_after: Option<String>,
}

/// `POST /__sim/rate-limit`; without `per_ten_seconds` nothing is enforced.
pub(super) fn rate_limit(state: &State, request: &Request) -> Done {
    let settings: LimitSettings = request.json()?;
    let retry_after = match settings.retry_after.as_deref() {
        None | Some("absent") => RetryAfter::Absent,
        Some("seconds") => RetryAfter::Seconds,
        Some("date") => RetryAfter::Date,
        Some(_) => return Err(Reply::bad_request("retry_after is absent, seconds or date")),
    };
    let limit = settings.per_ten_seconds.map(|burst| RateLimit {
        per_second: settings.per_second,
        search_per_second: settings.search_per_second.unwrap_or(5),
        per_day: settings.per_day,
        retry_after,
        ..RateLimit::burst(burst)
    });
    state.limits.set(limit);
    Ok(Reply::ok(&json!({"enforced": limit.is_some()})))
}

#[derive(Debug, Deserialize)]
struct ScopeName {
    scope: String,
}

pub(super) fn remove_scope(state: &State, request: &Request) -> Done {
    let ScopeName { scope } = request.json()?;
    state.tokens().remove_scope(&scope);
    Ok(Reply::ok(&json!({"removed": scope})))
}

pub(super) fn freeze(state: &State, frozen: bool) -> Done {
    let now = state.clock.now();
    state.overlay_mut().frozen_at = frozen.then_some(now);
    Ok(Reply::ok(&json!({"frozen": frozen})))
}

#[derive(Debug, Deserialize)]
struct IndexSettings {
    lag_ms: Option<i64>,
    lag_jitter_ms: Option<i64>,
    ids_sort_as_text: Option<bool>,
    ids_compare_as_text: Option<bool>,
}

pub(super) fn index_settings(state: &State, request: &Request) -> Done {
    let settings: IndexSettings = request.json()?;
    let mut overlay = state.overlay_mut();
    let span = |ms: i64| ms.clamp(0, 36_525 * crate::clock::DAY_MS);
    overlay.lag_ms = settings.lag_ms.map_or(overlay.lag_ms, span);
    overlay.lag_jitter_ms = settings.lag_jitter_ms.map_or(overlay.lag_jitter_ms, span);
    overlay.ids_sort_as_text = settings.ids_sort_as_text.unwrap_or(overlay.ids_sort_as_text);
    overlay.ids_compare_as_text = settings.ids_compare_as_text.unwrap_or(overlay.ids_compare_as_text);
    Ok(Reply::ok(&json!({
        "lag_ms": overlay.lag_ms, "lag_jitter_ms": overlay.lag_jitter_ms,
        "ids_sort_as_text": overlay.ids_sort_as_text, "ids_compare_as_text": overlay.ids_compare_as_text,
    })))
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct PropertySettings {
    r#type: String,
    /// How many the account has made.
    count: Option<usize>,
    /// Names of those that are hidden, beside those that always are.
    hidden: Option<Vec<String>>,
    /// Names of those in the archive.
    archived: Option<Vec<String>>,
}

/// `POST /__sim/properties`: what an administrator does to the properties of a type. The records keep
/// their values and their times.
pub(super) fn properties(state: &State, request: &Request) -> Done {
    let settings: PropertySettings = request.json()?;
    let (kind, made) = (kind_of(&settings.r#type)?, &state.portal.made);
    if let Some(count) = settings.count {
        made.set_count(kind, count);
    }
    let numbers = |names: Vec<String>| names.into_iter().filter_map(|name| crate::custom::number(&name));
    let mut aside = made.set_aside();
    if let Some(names) = settings.hidden {
        aside.hidden.retain(|(of, _)| *of != kind);
        aside.hidden.extend(numbers(names).map(|number| (kind, number)));
    }
    if let Some(names) = settings.archived {
        aside.archived.retain(|(of, _)| *of != kind);
        aside.archived.extend(numbers(names).map(|number| (kind, number)));
    }
    Ok(Reply::ok(&json!({"count": made.count(kind)})))
}

fn kind_of(name: &str) -> Result<Kind, Reply> {
    Kind::parse(name).ok_or_else(|| Reply::bad_request(&format!("{name} is no type of this portal")))
}

fn live<'a>(state: &'a State, overlay: &'a Overlay, kind: Kind, id: &str) -> Result<Record<'a>, Reply> {
    let view = View { portal: &state.portal, overlay, now: state.clock.now() };
    let property = id.contains('@').then_some("email");
    objects::find(&view, kind, id, property).filter(Record::is_live).ok_or_else(Reply::not_found)
}

#[derive(Debug, Deserialize, Default)]
#[serde(default)]
struct Creation {
    properties: BTreeMap<String, Value>,
    /// Associations by type: `{"contacts": ["151"]}`.
    associations: BTreeMap<String, Vec<Value>>,
    /// Associations appear only so much later.
    associate_after_ms: i64,
    /// Makes that many alike.
    count: Option<u64>,
    /// Given to every one of them, so that a burst can be made.
    modified_ms: Option<i64>,
    /// Readable only so much later; the announcement comes at once.
    readable_after_ms: i64,
    /// `CRM_UI` unless given: `IMPORT`, `INTEGRATION`, `FORM` ...
    source: Option<String>,
    /// For form submissions: which form, by number.
    form: usize,
}

/// `POST /__sim/objects/{type}`; type `form_submissions` too. Bodies without text get one with a
/// new unique word.
pub(super) fn create(state: &State, request: &Request, kind: &str) -> Done {
    let creation: Creation = request.json()?;
    if kind == "form_submissions" {
        return submit(state, &creation);
    }
    let kind = kind_of(kind)?;
    let count = creation.count.unwrap_or(1).min(MOST_AT_ONCE);
    let source = source_of(creation.source.as_deref())?;
    let mut overlay = state.overlay_mut();
    let now = state.clock.now();
    let mut links = Vec::new();
    for (to, ids) in &creation.associations {
        let to = kind_of(to)?;
        for id in ids {
            links.push((to, live(state, &overlay, to, &text(id))?.index));
        }
    }
    let mut ids = Vec::new();
    for _ in 0..count {
        let index = overlay.create(&state.portal, kind, now);
        fill(state, &mut overlay, kind, index, &creation, now);
        for (to, target) in &links {
            let primary =
                matches!((kind, to), (Kind::Contact | Kind::Deal, Kind::Company) | (Kind::Company, _));
            overlay.associate(
                (kind, index),
                (*to, *target),
                Tie { primary, labelled: false },
                now.saturating_add(creation.associate_after_ms),
            );
            let what = What::Associated { to: *to, target: *target, removed: false };
            state.events.push_from(kind, index, what, source);
        }
        state.events.created(kind, index, source);
        ids.push(state.portal.id(kind, index).to_string());
    }
    Ok(Reply::json(201, &json!({"id": ids.first(), "ids": ids})))
}

/// Where a change can come from, as webhooks tell it.
const SOURCES: [&str; 8] =
    ["CRM_UI", "IMPORT", "INTEGRATION", "API", "FORM", "AUTOMATION_PLATFORM", "MERGE_OBJECTS", "MIGRATION"];

fn source_of(name: Option<&str>) -> Result<&'static str, Reply> {
    let wanted = name.unwrap_or("CRM_UI");
    let found = SOURCES.into_iter().find(|source| *source == wanted);
    found.ok_or_else(|| Reply::bad_request(&format!("source is one of {}", SOURCES.join(", "))))
}

fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn values(properties: &BTreeMap<String, Value>) -> BTreeMap<String, Option<String>> {
    let one = |(name, value): (&String, &Value)| (name.clone(), (!value.is_null()).then(|| text(value)));
    properties.iter().map(one).collect()
}

fn fill(state: &State, overlay: &mut Overlay, kind: Kind, index: u64, creation: &Creation, now: i64) {
    let mut properties = values(&creation.properties);
    let word = unique_word(state.portal.seed, kind.stream(), index);
    let body = match kind {
        Kind::Email => Some("hs_email_html"),
        Kind::Note => Some("hs_note_body"),
        Kind::Call => Some("hs_call_body"),
        Kind::Meeting => Some("hs_meeting_body"),
        Kind::Task => Some("hs_task_body"),
        _ => None,
    };
    let written = body.filter(|name| !properties.contains_key(*name)).map(|name| {
        properties.insert(name.to_owned(), Some(format!("<p>Added later, ref {word}.</p>")));
    });
    if kind.is_engagement() {
        properties.entry("hs_timestamp".to_owned()).or_insert_with(|| Some(crate::clock::iso(now)));
    }
    if let Some(Some(mail)) = properties.get("email").filter(|_| kind == Kind::Contact) {
        overlay.remember_mail(mail, index);
    }
    let touched = overlay.touch(&state.portal, kind, index);
    touched.write(properties, now, "CRM_UI");
    touched.word = written.map(|()| word);
    touched.modified = creation.modified_ms.unwrap_or(touched.modified);
    if creation.readable_after_ms > 0 {
        let from = now.saturating_add(creation.readable_after_ms);
        touched.readable_from = from;
        if let Some(pending) = &mut touched.pending {
            pending.until = pending.until.max(from);
        }
    }
}

fn submit(state: &State, creation: &Creation) -> Done {
    if creation.form >= FORMS.len() {
        return Err(Reply::bad_request("there is no such form"));
    }
    let mut overlay = state.overlay_mut();
    let number = state.portal.submissions() + overlay.submissions.len() as u64;
    let (word, at) = (unique_word(state.portal.seed, SUBMISSION_STREAM, number), state.clock.now());
    let mut fields: Vec<(String, String)> =
        creation.properties.iter().map(|(n, v)| (n.clone(), text(v))).collect();
    fields.push(("message".to_owned(), format!("Please call me back, ref {word}.")));
    let id = crate::submissions::uuid((at as u64) << 16 | (number & 0xfff), crate::hash::mix(number));
    overlay.submissions.push(LateSubmission {
        id: id.clone(),
        form: creation.form,
        at,
        values: fields,
        word,
    });
    Ok(Reply::json(201, &json!({"id": id, "ids": [id]})))
}

#[derive(Debug, Deserialize)]
struct Edit {
    properties: BTreeMap<String, Value>,
}

pub(super) fn update(state: &State, request: &Request, kind: &str, id: &str) -> Done {
    let (kind, edit): (Kind, Edit) = (kind_of(kind)?, request.json()?);
    let mut overlay = state.overlay_mut();
    let index = live(state, &overlay, kind, id)?.index;
    lifecycle::change(state, &mut overlay, (kind, index), values(&edit.properties), "CRM_UI");
    Ok(Reply::ok(&json!({"id": state.portal.id(kind, index).to_string()})))
}

/// `DELETE /__sim/objects/{type}/{id}[?permanent=true]`.
pub(super) fn delete(state: &State, request: &Request, kind: &str, id: &str) -> Done {
    let kind = kind_of(kind)?;
    let mut overlay = state.overlay_mut();
    let index = live(state, &overlay, kind, id)?.index;
    lifecycle::remove(state, &mut overlay, kind, index);
    if request.flag("permanent") {
        overlay.touch(&state.portal, kind, index).life = Life::Gone;
    }
    Ok(Reply::empty(204))
}

/// `POST /__sim/objects/{type}/{id}/restore`: out of the recycle bin.
pub(super) fn restore(state: &State, kind: &str, id: &str) -> Done {
    let kind = kind_of(kind)?;
    let mut overlay = state.overlay_mut();
    let view = View { portal: &state.portal, overlay: &overlay, now: state.clock.now() };
    let record = id.parse().ok().and_then(|id| view.find(kind, id)).filter(Record::is_archived);
    let index = record.ok_or_else(Reply::not_found)?.index;
    lifecycle::restore(state, &mut overlay, kind, index);
    Ok(Reply::ok(&json!({"id": id})))
}

#[derive(Debug, Deserialize)]
struct Touch {
    #[serde(rename = "type")]
    kind: String,
    #[serde(default)]
    first: u64,
    count: u64,
    /// One instant for all, like HubSpot's own bulk updates; otherwise the present.
    modified_ms: Option<i64>,
    #[serde(default)]
    properties: BTreeMap<String, Value>,
    /// Tells webhooks of every written property, as an import does.
    #[serde(default)]
    announce: bool,
}

/// `POST /__sim/touch`: changes a run of records at once, as an import or a monthly job does.
pub(super) fn touch(state: &State, request: &Request) -> Done {
    let touch: Touch = request.json()?;
    let kind = kind_of(&touch.kind)?;
    let mut overlay = state.overlay_mut();
    let (now, end) = (state.clock.now(), overlay.end(kind));
    let mut changed = 0_u64;
    for index in touch.first..end.min(touch.first.saturating_add(touch.count)) {
        if overlay.get(kind, index).is_some_and(|t| t.life != Life::Live) {
            continue;
        }
        let record = overlay.change(&state.portal, kind, index, now);
        record.modified = touch.modified_ms.unwrap_or(now);
        let written = values(&touch.properties);
        for (name, value) in written.iter().filter(|_| touch.announce) {
            state.events.changed((kind, index), name, value.as_deref(), "IMPORT");
        }
        record.write(written, now, "IMPORT");
        changed += 1;
    }
    Ok(Reply::ok(&json!({"changed": changed, "modified_ms": touch.modified_ms.unwrap_or(now)})))
}

#[derive(Debug, Deserialize)]
struct Tying {
    from_type: String,
    from: Value,
    to_type: String,
    to: Value,
    #[serde(default)]
    remove: bool,
    #[serde(default)]
    primary: bool,
    /// With the label the account has made for contacts and companies.
    #[serde(default)]
    labelled: bool,
    #[serde(default)]
    after_ms: i64,
}

/// `POST /__sim/associations`: ties or unties two records, now or later.
pub(super) fn associate(state: &State, request: &Request) -> Done {
    let tie: Tying = request.json()?;
    let mut overlay = state.overlay_mut();
    let (from, to) = (kind_of(&tie.from_type)?, kind_of(&tie.to_type)?);
    let a = live(state, &overlay, from, &text(&tie.from))?.index;
    let b = live(state, &overlay, to, &text(&tie.to))?.index;
    if tie.remove {
        overlay.dissociate((from, a), (to, b));
    } else {
        let how = Tie { primary: tie.primary, labelled: tie.labelled };
        overlay.associate((from, a), (to, b), how, state.clock.now().saturating_add(tie.after_ms));
    }
    let what = What::Associated { to, target: b, removed: tie.remove };
    state.events.push(from, a, what);
    Ok(Reply::ok(&json!({})))
}

#[derive(Debug, Deserialize)]
struct Merge {
    #[serde(rename = "type", default = "contacts")]
    kind: String,
    primary: Value,
    merged: Value,
}

fn contacts() -> String {
    "contacts".to_owned()
}

/// `POST /__sim/merge`: two records become a new one; both old ids lead to it.
pub(super) fn merge(state: &State, request: &Request) -> Done {
    let merge: Merge = request.json()?;
    let kind = kind_of(&merge.kind)?;
    let mut overlay = state.overlay_mut();
    let primary = live(state, &overlay, kind, &text(&merge.primary))?.index;
    let other = live(state, &overlay, kind, &text(&merge.merged))?.index;
    if primary == other {
        return Err(Reply::bad_request("a record cannot be merged with itself"));
    }
    let index = lifecycle::merge(state, &mut overlay, kind, (primary, other));
    Ok(Reply::ok(&json!({"id": state.portal.id(kind, index).to_string()})))
}

#[derive(Debug, Deserialize)]
struct Privacy {
    id: Value,
}

/// `POST /__sim/privacy-delete {"id"}`: the contact is gone and its engagements are emptied.
pub(super) fn privacy_delete(state: &State, request: &Request) -> Done {
    let Privacy { id } = request.json()?;
    let mut overlay = state.overlay_mut();
    let contact = live(state, &overlay, Kind::Contact, &text(&id))?.index;
    let emptied = lifecycle::forget(state, &mut overlay, contact);
    Ok(Reply::ok(&json!({"emptied": emptied})))
}
