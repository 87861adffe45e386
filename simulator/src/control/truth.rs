//! What a perfect copy of the portal would contain: counts, id sets and single records, computed
//! from the portal itself and not from what its endpoints answered.

use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use crate::clock::iso;
use crate::content::facts::Fact;
use crate::hash::unique_word;
use crate::http::{Reply, Request};
use crate::kind::{Kind, SUBMISSION_STREAM};
use crate::portal::Portal;
use crate::state::State;
use crate::view::{Record, View};

const SUBMISSIONS: &str = "form_submissions";

/// `GET /__sim/truth`.
pub(super) fn summary(state: &State) -> Reply {
    let overlay = state.overlay();
    let view = state.view(&overlay);
    let mut types = Map::new();
    let mut linked = Map::new();
    for kind in Kind::ALL {
        let mut hash = Sha256::new();
        let (mut count, mut tied) = (0_u64, 0_u64);
        for record in view.from(kind, 0, false) {
            hash.update(format!("{}\n", view.id(&record)));
            count += 1;
            if kind.is_engagement() {
                tied += u64::from(!view.targets(&record, Kind::Contact).is_empty());
            }
        }
        let archived = view.from(kind, 0, true).count();
        types.insert(
            kind.plural().to_owned(),
            json!({"count": count, "ids_sha256": hex(&hash.finalize()), "archived": archived}),
        );
        if kind.is_engagement() {
            linked.insert(kind.plural().to_owned(), json!(tied));
        }
    }
    let (ids, tied) = submissions(&view);
    let mut hash = Sha256::new();
    ids.iter().for_each(|id| hash.update(format!("{id}\n")));
    types.insert(
        SUBMISSIONS.to_owned(),
        json!({"count": ids.len(), "ids_sha256": hex(&hash.finalize()), "archived": 0}),
    );
    linked.insert(SUBMISSIONS.to_owned(), json!(tied));
    Reply::ok(&json!({
        "portal_id": state.portal.id, "now": iso(view.now), "now_ms": view.now, "types": types, "linked": linked,
    }))
}

/// All submission ids ascending, and how many carry the address of a live contact.
fn submissions(view: &View<'_>) -> (Vec<String>, usize) {
    let portal = view.portal;
    let late = &view.overlay.submissions;
    let mut ids: Vec<String> = (0..portal.submissions()).map(|s| portal.conversion_id(s)).collect();
    ids.extend(late.iter().map(|s| s.id.clone()));
    ids.sort_unstable();
    let known = |mail: &str| view.contact_by_mail(mail).is_some();
    let made = (0..portal.submissions()).filter(|s| known(&portal.submission_mail(*s))).count();
    let came =
        late.iter().filter(|s| s.values.iter().any(|(name, value)| name == "email" && known(value))).count();
    (ids, made + came)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// `GET /__sim/truth/ids?type=emails[&archived=true]`.
pub(super) fn ids(state: &State, request: &Request) -> Reply {
    let overlay = state.overlay();
    let view = state.view(&overlay);
    let asked = request.parameter("type").unwrap_or_default();
    let mut out = String::new();
    if asked == SUBMISSIONS {
        submissions(&view).0.iter().for_each(|id| out.push_str(&format!("{id}\n")));
    } else {
        let Some(kind) = Kind::parse(asked) else {
            return Reply::bad_request("type is none of the portal's");
        };
        for record in view.from(kind, 0, request.flag("archived")) {
            crate::records::push_number(view.id(&record), &mut out);
            out.push('\n');
        }
    }
    Reply::new(200, "text/plain; charset=utf-8", out)
}

/// `GET /__sim/truth/record?type=notes&id=501`.
pub(super) fn record(state: &State, request: &Request) -> Reply {
    let overlay = state.overlay();
    let view = state.view(&overlay);
    let asked = request.parameter("type").unwrap_or_default();
    let id = request.parameter("id").unwrap_or_default();
    if asked == SUBMISSIONS {
        return submission(&view, id);
    }
    let found = Kind::parse(asked).and_then(|kind| view.find(kind, id.parse().ok()?));
    found.map_or_else(Reply::not_found, |record| Reply::ok(&record_json(&view, &record)))
}

/// `GET /__sim/truth/properties?type=contacts[&archived=true]`: every definition of a type.
pub(super) fn properties(state: &State, request: &Request) -> Reply {
    let Some(kind) = Kind::parse(request.parameter("type").unwrap_or_default()) else {
        return Reply::bad_request("type is none of the portal's");
    };
    let all = crate::api::account::all_definitions(&state.portal, kind, request.flag("archived"));
    Reply::ok(&json!({"results": all}))
}

/// What a record has of the properties that the account made itself.
fn custom(view: &View<'_>, record: &Record<'_>) -> Map<String, Value> {
    let made = crate::custom::first(view.portal.made.count(record.kind));
    let set = made.iter().filter_map(|p| Some((p.name.to_owned(), json!(view.text(record, p.name)?))));
    set.collect()
}

fn record_json(view: &View<'_>, record: &Record<'_>) -> Value {
    let portal = view.portal;
    let ids =
        |to| view.targets(record, to).iter().map(|t| portal.id(to, t.index).to_string()).collect::<Vec<_>>();
    let subject = match record.kind {
        Kind::Contact => "email",
        Kind::Company => "name",
        Kind::Deal => "dealname",
        Kind::Email => "hs_email_subject",
        Kind::Call => "hs_call_title",
        Kind::Meeting => "hs_meeting_title",
        Kind::Task => "hs_task_subject",
        Kind::Note => "hs_body_preview",
    };
    json!({
        "id": view.id(record).to_string(), "type": record.kind.plural(), "unique_word": word(view, record),
        "contacts": ids(Kind::Contact), "companies": ids(Kind::Company), "deals": ids(Kind::Deal),
        "archived": record.is_archived(), "subject": view.text(record, subject),
        "created": iso(view.created(record)), "modified": iso(view.modified(record)),
        "custom": custom(view, record),
        "facts": facts(view, record).into_iter().map(fact_json).collect::<Vec<_>>(),
    })
}

/// The word the body contains, if the body is the one the portal made.
fn word(view: &View<'_>, record: &Record<'_>) -> Option<String> {
    let portal = view.portal;
    let made =
        record.index < portal.count(record.kind) && (record.kind != Kind::Email || portal.corpus.is_empty());
    let edited = |name: &str| record.touched.is_some_and(|t| t.properties.contains_key(name));
    let body_edited = ["hs_note_body", "hs_call_body", "hs_meeting_body", "hs_task_body", "hs_email_html"]
        .into_iter()
        .any(edited);
    let given = record.touched.and_then(|t| t.word.clone());
    given.or_else(|| {
        (record.kind.is_engagement() && made && !body_edited)
            .then(|| unique_word(portal.seed, record.kind.stream(), record.index))
    })
}

/// The facts an engagement's visible new text states.
fn facts(view: &View<'_>, record: &Record<'_>) -> Vec<Fact> {
    let (portal, kind, index) = (view.portal, record.kind, record.index);
    if !kind.is_engagement() || index >= portal.count(kind) || portal.lean {
        return Vec::new();
    }
    let thread =
        portal.email_sort(index) == crate::content::email::Sort::Thread && portal.email_is_incoming(index);
    if kind == Kind::Email && (!thread || !portal.corpus.is_empty()) {
        return Vec::new();
    }
    portal.facts_in(kind, index, portal.turn(kind, index).contact, portal.happened(kind, index))
}

fn fact_json(fact: Fact) -> Value {
    json!({"attribute": fact.attribute.name(), "value": fact.value, "sentence": fact.sentence})
}

fn submission(view: &View<'_>, id: &str) -> Reply {
    let portal = view.portal;
    let contact = |mail: &str| view.contact_by_mail(mail).map(|r| view.id(&r).to_string());
    if let Some(late) = view.overlay.submissions.iter().find(|s| s.id == id) {
        let mail = late.values.iter().find(|(name, _)| name == "email").map_or("", |(_, value)| value);
        let contacts: Vec<String> = contact(mail).into_iter().collect();
        return Reply::ok(
            &json!({"id": id, "type": SUBMISSIONS, "unique_word": late.word, "contacts": contacts, "companies": [], "archived": false, "email": mail}),
        );
    }
    let Some(found) = (0..portal.submissions()).find(|s| portal.conversion_id(*s) == id) else {
        return Reply::not_found();
    };
    let mail = portal.submission_mail(found);
    Reply::ok(&json!({
        "id": id, "type": SUBMISSIONS, "unique_word": unique_word(portal.seed, SUBMISSION_STREAM, found),
        "contacts": contact(&mail).into_iter().collect::<Vec<_>>(), "companies": [], "archived": false,
        "email": mail, "form": portal.form_guid(Portal::form_of_submission(found)),
    }))
}
