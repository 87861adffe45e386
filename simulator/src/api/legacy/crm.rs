//! Companies of version 2 and deals of version 1: paged by id, one, and the recently changed.

use serde_json::{Map, Value, json};

use super::{dated, ids};
use crate::api::{Call, limit, read_scope};
use crate::http::Reply;
use crate::kind::Kind;
use crate::query::{self, Query, Sort};
use crate::view::{Record, View};

const PAGE_DEFAULT: usize = 100;
const PAGE_MAX: usize = 250;
/// The recently changed are shown no further back than this many.
const RECENT_MAX: u64 = 10_000;

/// Answers what follows `/companies/v2/companies` or `/deals/v1/deal`.
pub(super) fn answer(call: &Call<'_>, kind: Kind, path: &[&str]) -> Option<Result<Reply, Reply>> {
    Some(match path {
        ["paged"] => paged(call, kind),
        ["recent", "modified"] => recent(call, kind),
        [id] => one(call, kind, id),
        _ => return None,
    })
}

/// What is shown of a record.
struct Wanted<'a> {
    names: Vec<&'a str>,
    associations: bool,
}

impl<'a> Wanted<'a> {
    fn of(call: &Call<'a>, kind: Kind) -> Self {
        let mut names = call.request.list("properties");
        if call.request.flag("includeAllProperties") {
            names = crate::catalog::of(kind).map(|p| p.name).collect();
        }
        Self { names, associations: call.request.flag("includeAssociations") }
    }

    fn everything(kind: Kind) -> Self {
        Self { names: crate::catalog::of(kind).map(|p| p.name).collect(), associations: true }
    }

    fn json(&self, view: &View<'_>, record: &Record<'_>) -> Value {
        let mut properties = Map::new();
        for name in &self.names {
            if let Some(value) = dated(view, record, name) {
                properties.insert((*name).to_owned(), value);
            }
        }
        let mut body = json!({
            "portalId": view.portal.id, "isDeleted": !record.is_live(), "properties": properties,
        });
        let id = view.id(record);
        if record.kind == Kind::Company {
            body["companyId"] = json!(id);
            return body;
        }
        body["dealId"] = json!(id);
        let tied = |to| if self.associations { ids(view, record, to) } else { Vec::new() };
        body["associations"] = json!({
            "associatedVids": tied(Kind::Contact), "associatedCompanyIds": tied(Kind::Company),
            "associatedDealIds": [], "associatedTicketIds": [],
        });
        body
    }
}

fn paged(call: &Call<'_>, kind: Kind) -> Result<Reply, Reply> {
    call.need(&[read_scope(kind)])?;
    let limit = limit(call.request, PAGE_DEFAULT, PAGE_MAX)?;
    let wanted = Wanted::of(call, kind);
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let first = number(call, "offset")?.map_or(0, |id| view.portal.index_at_or_after(kind, id));
    let mut records = view.from(kind, first, false);
    let page: Vec<Value> = records.by_ref().take(limit).map(|r| wanted.json(&view, &r)).collect();
    let next = records.next().map(|r| view.id(&r));
    Ok(Reply::ok(&match kind {
        Kind::Company => json!({"companies": page, "has-more": next.is_some(), "offset": next.unwrap_or(0)}),
        _ => json!({"deals": page, "hasMore": next.is_some(), "offset": next.unwrap_or(0)}),
    }))
}

fn recent(call: &Call<'_>, kind: Kind) -> Result<Reply, Reply> {
    call.need(&[read_scope(kind)])?;
    let count = number(call, "count")?.unwrap_or(20).clamp(1, 100);
    let offset = number(call, "offset")?.unwrap_or_default();
    if offset.saturating_add(count) > RECENT_MAX {
        return Err(Reply::bad_request(&format!("The recently modified end after {RECENT_MAX} records")));
    }
    let since = number(call, "since")?.unwrap_or(1);
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let query =
        Query::since(kind, since, Sort { name: kind.modified_property().to_owned(), descending: true });
    let found = query::run(&view, kind, &query, offset, count);
    let wanted = Wanted::everything(kind);
    let results: Vec<Value> = found.page.iter().map(|r| wanted.json(&view, r)).collect();
    let next = offset + results.len() as u64;
    let more = next < found.total.min(RECENT_MAX);
    Ok(Reply::ok(&json!({"results": results, "hasMore": more, "offset": next, "total": found.total})))
}

fn one(call: &Call<'_>, kind: Kind, id: &str) -> Result<Reply, Reply> {
    call.need(&[read_scope(kind)])?;
    let overlay = call.state.overlay();
    let view = call.state.view(&overlay);
    let record = id.parse().ok().and_then(|id| view.find(kind, id)).filter(Record::is_live);
    let record = record.ok_or_else(Reply::not_found)?;
    Ok(Reply::ok(&Wanted::everything(kind).json(&view, &record)))
}

/// A parameter that has to be a number.
pub(super) fn number(call: &Call<'_>, name: &str) -> Result<Option<u64>, Reply> {
    let Some(text) = call.request.parameter(name).filter(|t| !t.is_empty()) else { return Ok(None) };
    let parsed = text.parse().map(Some);
    parsed.map_err(|_| Reply::bad_request(&format!("Invalid input: {name} is not a number: {text}")))
}
