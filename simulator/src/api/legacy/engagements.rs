//! Engagements of version 1: e-mails, notes, calls, meetings and tasks in one list, by id, by
//! change, or from a cursor on. The cursor says how far a reader is, not where a page starts, so a
//! record that changes meanwhile comes again and none is passed over.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use super::crm::number;
use super::ids;
use crate::api::{Call, objects};
use crate::clock::parse_instant;
use crate::http::Reply;
use crate::json::REDACTED;
use crate::kind::Kind;
use crate::query::{self, Query, Sort};
use crate::view::{Record, View};

const KINDS: [Kind; 5] = [Kind::Email, Kind::Note, Kind::Call, Kind::Meeting, Kind::Task];
const PAGE_DEFAULT: u64 = 100;
const PAGE_MAX: u64 = 250;
/// The recently changed are shown no further back than this many.
const RECENT_MAX: u64 = 10_000;

/// Answers what follows `/engagements/v1/engagements`.
pub(super) fn answer(call: &Call<'_>, path: &[&str]) -> Option<Result<Reply, Reply>> {
    Some(match path {
        ["paged"] => paged(call),
        ["recent", "modified"] => recent(call),
        ["modified", "after"] => after(call),
        [id] => one(call, id),
        _ => return None,
    })
}

fn page_size(call: &Call<'_>, name: &str) -> Result<u64, Reply> {
    Ok(number(call, name)?.unwrap_or(PAGE_DEFAULT).clamp(1, PAGE_MAX))
}

/// `paged`: everything, type by type. The offset is the type and the index in it.
fn paged(call: &Call<'_>) -> Result<Reply, Reply> {
    const INDEX: u64 = 1 << 44;
    let redact = objects::may_read(call, Kind::Email)?;
    let limit = page_size(call, "limit")? as usize;
    let offset = number(call, "offset")?.unwrap_or_default();
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let first = (offset / INDEX) as usize;
    let from = |at: usize| view.from(KINDS[at], if at == first { offset % INDEX } else { 0 }, false);
    let mut records = (first..KINDS.len()).flat_map(from);
    let results: Vec<Value> = records.by_ref().take(limit).map(|r| whole(&view, &r, redact)).collect();
    let place = |r: &Record<'_>| KINDS.iter().position(|k| *k == r.kind).unwrap_or_default() as u64;
    let next = records.next().map(|r| place(&r) * INDEX + r.index);
    Ok(Reply::ok(&json!({"results": results, "hasMore": next.is_some(), "offset": next.unwrap_or(offset)})))
}

/// `recent/modified`: the latest first, not far back.
fn recent(call: &Call<'_>) -> Result<Reply, Reply> {
    let redact = objects::may_read(call, Kind::Email)?;
    let count = page_size(call, "count")?;
    let offset = number(call, "offset")?.unwrap_or_default();
    if offset.saturating_add(count) > RECENT_MAX {
        return Err(Reply::bad_request(&format!("The recently modified end after {RECENT_MAX} records")));
    }
    let since = number(call, "since")?.unwrap_or(1);
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let (mut all, mut total) = (Vec::new(), 0);
    for kind in KINDS {
        let found = changed(&view, kind, since, 0, offset + count, true);
        total += found.total;
        all.extend(found.page);
    }
    all.sort_by_key(|r| std::cmp::Reverse(view.modified(r)));
    let page = all.iter().skip(offset as usize).take(count as usize);
    let results: Vec<Value> = page.map(|r| whole(&view, r, redact)).collect();
    let next = offset + results.len() as u64;
    let more = next < total.min(RECENT_MAX);
    Ok(Reply::ok(&json!({"results": results, "hasMore": more, "offset": next, "total": total})))
}

fn changed<'a>(
    view: &View<'a>,
    kind: Kind,
    since: u64,
    skip: u64,
    count: u64,
    descending: bool,
) -> query::Found<'a> {
    let sort = Sort { name: kind.modified_property().to_owned(), descending };
    query::run(view, kind, &Query::since(kind, since, sort), skip, count)
}

/// How far a reader has come: an instant, and how many of each type at that instant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cursor {
    ms: u64,
    seen: [u64; KINDS.len()],
}

impl Cursor {
    /// Reads what `text` wrote, or a plain number of milliseconds to begin at.
    fn read(text: &str) -> Option<Self> {
        if let Ok(ms) = text.parse() {
            return Some(Self { ms, seen: [0; KINDS.len()] });
        }
        let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
        let mut parts = std::str::from_utf8(&bytes).ok()?.split('.').map(str::parse);
        let mut next = || parts.next()?.ok();
        let ms = next()?;
        let mut seen = [0; KINDS.len()];
        for count in &mut seen {
            *count = next()?;
        }
        Some(Self { ms, seen })
    }

    fn text(&self) -> String {
        let seen: Vec<String> = self.seen.iter().map(u64::to_string).collect();
        URL_SAFE_NO_PAD.encode(format!("{}.{}", self.ms, seen.join(".")))
    }

    fn past(mut self, modified: u64, kind: usize) -> Self {
        if modified > self.ms {
            self = Self { ms: modified, seen: [0; KINDS.len()] };
        }
        self.seen[kind] += 1;
        self
    }
}

/// `modified/after`: from a cursor on, the oldest change first.
fn after(call: &Call<'_>) -> Result<Reply, Reply> {
    let redact = objects::may_read(call, Kind::Email)?;
    let limit = page_size(call, "limit")?;
    let text = call.request.parameter("after").unwrap_or("0");
    let mut cursor =
        Cursor::read(text).ok_or_else(|| Reply::bad_request("Invalid input: after is not a cursor"))?;
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let mut all: Vec<(u64, usize, Record<'_>)> = Vec::new();
    for (at, kind) in KINDS.into_iter().enumerate() {
        let found = changed(&view, kind, cursor.ms, cursor.seen[at], limit + 1, false);
        all.extend(found.page.into_iter().map(|r| (view.modified(&r).max(0) as u64, at, r)));
    }
    all.sort_by_key(|(modified, at, _)| (*modified, *at));
    let more = all.len() as u64 > limit;
    all.truncate(limit as usize);
    let mut results = Vec::with_capacity(all.len());
    for (modified, at, record) in &all {
        cursor = cursor.past(*modified, *at);
        results.push(whole(&view, record, redact));
    }
    Ok(Reply::ok(&json!({"results": results, "hasMore": more, "after": cursor.text()})))
}

fn one(call: &Call<'_>, id: &str) -> Result<Reply, Reply> {
    let redact = objects::may_read(call, Kind::Email)?;
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let id: u64 = id.parse().map_err(|_| Reply::not_found())?;
    let found = KINDS.into_iter().find_map(|kind| view.find(kind, id)).filter(Record::is_live);
    Ok(Reply::ok(&whole(&view, &found.ok_or_else(Reply::not_found)?, redact)))
}

/// One engagement with everything about it.
fn whole(view: &View<'_>, record: &Record<'_>, redact: bool) -> Value {
    let happened = view.text(record, "hs_timestamp").and_then(|t| parse_instant(&t));
    let owner: Option<u64> = view.text(record, "hubspot_owner_id").and_then(|id| id.parse().ok());
    let name = record.kind.in_associations().trim_end_matches("_event").to_uppercase();
    json!({
        "engagement": {
            "id": view.id(record), "portalId": view.portal.id, "active": true, "type": name,
            "createdAt": view.created(record), "lastUpdated": view.modified(record),
            "timestamp": happened.unwrap_or_else(|| view.created(record)), "ownerId": owner,
        },
        "associations": {
            "contactIds": ids(view, record, Kind::Contact), "companyIds": ids(view, record, Kind::Company),
            "dealIds": ids(view, record, Kind::Deal), "ownerIds": [], "workflowIds": [], "ticketIds": [],
        },
        "attachments": [],
        "metadata": metadata(view, record, redact),
    })
}

fn metadata(view: &View<'_>, record: &Record<'_>, redact: bool) -> Value {
    let text = |name: &str| view.text(record, name);
    let hidden = |name: &str| if redact { Some(REDACTED.to_owned()) } else { text(name) };
    match record.kind {
        Kind::Email => json!({
            "from": {"email": text("hs_email_from_email"), "firstName": text("hs_email_from_firstname"), "lastName": text("hs_email_from_lastname")},
            "to": [{"email": text("hs_email_to_email")}], "cc": [], "bcc": [],
            "subject": hidden("hs_email_subject"), "html": hidden("hs_email_html"), "text": hidden("hs_email_text"),
        }),
        Kind::Note => json!({"body": text("hs_note_body")}),
        Kind::Call => json!({
            "title": text("hs_call_title"), "body": text("hs_call_body"), "status": text("hs_call_status"),
            "durationMilliseconds": text("hs_call_duration").and_then(|d| d.parse::<u64>().ok()),
            "toNumber": text("hs_call_to_number"), "fromNumber": text("hs_call_from_number"),
            "disposition": text("hs_call_disposition"),
        }),
        Kind::Meeting => json!({
            "title": text("hs_meeting_title"), "body": text("hs_meeting_body"),
            "startTime": text("hs_meeting_start_time").and_then(|t| parse_instant(&t)),
            "endTime": text("hs_meeting_end_time").and_then(|t| parse_instant(&t)),
            "internalMeetingNotes": text("hs_internal_meeting_notes"),
        }),
        _ => json!({
            "subject": text("hs_task_subject"), "body": text("hs_task_body"), "status": text("hs_task_status"),
            "taskType": text("hs_task_type"), "forObjectType": "CONTACT",
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_survives_writing_and_reading() {
        let cursor = Cursor { ms: 1_795_424_400_000, seen: [0, 1, 2, 3, 250] };
        assert_eq!(Cursor::read(&cursor.text()), Some(cursor));
        assert_eq!(Cursor::read("17").map(|c| c.ms), Some(17));
        assert_eq!(Cursor::read("x"), None);
    }
}
