//! What was asked becomes a request to the index: filters resolved to keys, within what the caller may see.
//!
//! A part of the query that makes no sense is left out and told in a warning; it is never an error.

use hublore_index::{Cursor, Filter, FilterField, MAX_LIMIT, Query, Request, Scope};

use super::SearchRequest;
use crate::domain::clock::Millis;
use crate::domain::engagement::Kind;
use crate::domain::ids::{OrgId, company_key};
use crate::knowledge::scope::{Caller, visible};
use crate::knowledge::{KnowledgeError, insight_documents};
use crate::store::conn::Conn;
use crate::store::{StoreError, people};

/// A request for the index.
pub(super) struct Asked {
    pub(super) request: Request,
    pub(super) scope: Scope,
    /// Nothing can match: a filter names somebody unknown.
    pub(super) impossible: bool,
    pub(super) warnings: Vec<String>,
}

/// Resolves what was asked.
pub(super) fn resolve(
    conn: &mut dyn Conn,
    caller: &Caller,
    asked: &SearchRequest,
    include_unlinked: bool,
) -> Result<Asked, KnowledgeError> {
    let visible = visible(conn, caller, asked.customer.as_deref(), include_unlinked)?;
    let request = Request {
        query: Query::parse(&asked.query),
        kinds: asked.kinds.iter().map(|kind| known_kind(kind)).collect::<Result<_, _>>()?,
        // What was distilled says again what engagements say: it is found where it is asked for.
        without_kinds: vec![insight_documents::KIND.to_owned()],
        customers: visible.customers,
        since: asked.since.map(|at| at.0),
        until: asked.until.map(|at| at.0),
        limit: limit(asked.limit)?,
        cursor: asked.cursor.clone().map(Cursor),
        explain: asked.explain,
        distinct: !asked.copies,
        ..Request::default()
    };
    let mut out = Asked { request, scope: visible.scope, impossible: false, warnings: Vec::new() };
    if let Some(customer) = &asked.customer
        && out.request.customers.as_ref().is_some_and(Vec::is_empty)
    {
        out.warnings.push(nobody("customer with the address", customer));
    }
    if let Some(company) = &asked.company {
        out.company(conn, &caller.org, company)?;
    }
    let (kinds, others): (Vec<Filter>, Vec<Filter>) =
        out.request.query.filters.iter().cloned().partition(|filter| filter.field == FilterField::Kind);
    out.kinds(&kinds);
    for filter in others {
        out.filter(conn, caller, &filter)?;
    }
    out.impossible |= out.request.customers.as_ref().is_some_and(Vec::is_empty);
    Ok(out)
}

impl Asked {
    /// Applies a `field:value` of the query.
    fn filter(
        &mut self,
        conn: &mut dyn Conn,
        caller: &Caller,
        filter: &Filter,
    ) -> Result<(), KnowledgeError> {
        let value = filter.value.as_str();
        if filter.negated {
            self.leave_out(filter, "only a kind can be left out with a minus");
            return Ok(());
        }
        match filter.field {
            // Kinds belong together: `kinds` has seen them.
            FilterField::Kind => {}
            FilterField::Customer => {
                let keys = visible(conn, caller, Some(value), false)?.customers.unwrap_or_default();
                self.warn_if(keys.is_empty(), "customer with the address", value);
                self.impossible |= !narrow(&mut self.request.customers, keys);
            }
            FilterField::Company => self.company(conn, &caller.org, value)?,
            FilterField::Owner => {
                let keys = people::owners_named(conn, &caller.org, value)?;
                self.warn_if(keys.is_empty(), "owner", value);
                self.impossible |= !narrow(&mut self.request.owners, keys);
            }
            FilterField::After | FilterField::Before => match Millis::of_date(value) {
                Some(at) => self.moment(filter.field, at.0),
                None => self.leave_out(filter, "write a date like 2026-03-01"),
            },
        }
        Ok(())
    }

    fn company(&mut self, conn: &mut dyn Conn, org: &OrgId, name: &str) -> Result<(), StoreError> {
        let found = people::companies_named(conn, org, name)?;
        self.warn_if(found.is_empty(), "company", name);
        let keys = found.into_iter().map(|(portal, id)| company_key(portal, &id)).collect();
        self.impossible |= !narrow(&mut self.request.companies, keys);
        Ok(())
    }

    fn moment(&mut self, field: FilterField, at: i64) {
        let request = &mut self.request;
        match field {
            FilterField::After => request.since = request.since.max(Some(at)),
            _ => request.until = [request.until, Some(at)].into_iter().flatten().min(),
        }
    }

    /// Keeps engagements of any of the kinds named, without those with a minus. An empty list means all of them.
    fn kinds(&mut self, filters: &[Filter]) {
        let (mut named, mut left_out) = (Vec::new(), Vec::new());
        for filter in filters {
            match parse_kind(&filter.value) {
                Some(kind) if filter.negated => left_out.push(kind),
                Some(kind) => named.push(kind),
                None => self.leave_out(filter, &format!("there is no such kind; the kinds are {}", kinds())),
            }
        }
        if named.is_empty() && left_out.is_empty() {
            return;
        }
        let kinds = &mut self.request.kinds;
        if kinds.is_empty() {
            kinds.extend(Kind::ALL.map(|kind| kind.as_str().to_owned()));
            // Leaving a kind out does not ask for insights.
            kinds.extend((!named.is_empty()).then(|| insight_documents::KIND.to_owned()));
        }
        let wanted = |kind: &str| named.is_empty() || named.contains(&kind);
        kinds.retain(|kind| wanted(kind) && !left_out.contains(&kind.as_str()));
        if kinds.is_empty() {
            self.impossible = true;
            self.warnings.push("no kind is left of those asked for, so nothing can match".to_owned());
        }
    }

    fn leave_out(&mut self, filter: &Filter, why: &str) {
        let sign = if filter.negated { "-" } else { "" };
        let (field, value) = (filter.field.name(), &filter.value);
        self.warnings.push(format!("`{sign}{field}:{value}` is left out: {why}"));
    }

    fn warn_if(&mut self, unknown: bool, what: &str, value: &str) {
        self.warnings.extend(unknown.then(|| nobody(what, value)));
    }
}

fn nobody(what: &str, value: &str) -> String {
    format!("no {what} `{value}` is known, so nothing can match")
}

/// Intersects a filter with `keys`; says whether anything is left.
fn narrow(filter: &mut Option<Vec<String>>, keys: Vec<String>) -> bool {
    let left: Vec<String> = match filter.take() {
        None => keys,
        Some(before) => before.into_iter().filter(|key| keys.contains(key)).collect(),
    };
    let possible = !left.is_empty();
    *filter = Some(left);
    possible
}

fn parse_kind(name: &str) -> Option<&'static str> {
    let name = name.to_lowercase();
    let known = Kind::parse(&name).map(Kind::as_str);
    known.or((name == insight_documents::KIND).then_some(insight_documents::KIND))
}

fn kinds() -> String {
    format!("{} and {}", Kind::ALL.map(Kind::as_str).join(", "), insight_documents::KIND)
}

fn known_kind(name: &str) -> Result<String, KnowledgeError> {
    let unknown = || KnowledgeError::BadRequest(format!("`{name}` is not a kind; the kinds are {}", kinds()));
    parse_kind(name).map(str::to_owned).ok_or_else(unknown)
}

fn limit(asked: Option<usize>) -> Result<usize, KnowledgeError> {
    match asked.unwrap_or(10) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        other => Err(KnowledgeError::BadRequest(format!("limit {other} is not between 1 and {MAX_LIMIT}"))),
    }
}
