//! Finding what a search matches. Windows of modification time and ranges of ids, which is what
//! synchronisers ask for, are arithmetic; everything else is evaluated record by record.
//!
//! Search sees the portal as its index does: a recent change may not have reached it yet, and then
//! a record stands at its old time although its values are already the new ones.

use std::cmp::Ordering;

use serde::Deserialize;

use crate::catalog;
use crate::clock::parse_instant;
use crate::kind::Kind;
use crate::overlay::{Life, Touched};
use crate::view::{Record, View};

/// What a filter asks of a property.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
pub(crate) enum Operator {
    Eq,
    Neq,
    Lt,
    Lte,
    Gt,
    Gte,
    Between,
    In,
    NotIn,
    HasProperty,
    NotHasProperty,
    ContainsToken,
    NotContainsToken,
}

/// One condition.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Filter {
    pub(crate) property_name: String,
    pub(crate) operator: Operator,
    #[serde(default)]
    value: Option<serde_json::Value>,
    #[serde(default)]
    high_value: Option<serde_json::Value>,
    #[serde(default)]
    values: Vec<serde_json::Value>,
}

/// The order of the results.
#[derive(Debug, Clone)]
pub(crate) struct Sort {
    pub(crate) name: String,
    pub(crate) descending: bool,
}

/// A whole search: any group whose filters all hold, and the words of the free text.
#[derive(Debug)]
pub(crate) struct Query {
    pub(crate) groups: Vec<Vec<Filter>>,
    pub(crate) sort: Option<Sort>,
    pub(crate) text: Option<String>,
}

/// One page of matches and how many there are in all.
#[derive(Debug)]
pub(crate) struct Found<'a> {
    pub(crate) total: u64,
    pub(crate) page: Vec<Record<'a>>,
}

fn plain(value: &serde_json::Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

impl Filter {
    fn value(&self) -> String {
        self.value.as_ref().map(plain).unwrap_or_default()
    }

    fn high(&self) -> String {
        self.high_value.as_ref().map(plain).unwrap_or_default()
    }

    pub(crate) fn is_complete(&self) -> bool {
        match self.operator {
            Operator::HasProperty | Operator::NotHasProperty => true,
            Operator::In | Operator::NotIn => !self.values.is_empty(),
            Operator::Between => self.value.is_some() && self.high_value.is_some(),
            _ => self.value.is_some(),
        }
    }

    /// The closed range of numbers a filter allows, if it is a range at all.
    fn range(&self) -> Option<(i64, i64)> {
        let value = parse_instant(&self.value());
        Some(match self.operator {
            Operator::Eq => (value?, value?),
            Operator::Gt => (value?.saturating_add(1), i64::MAX),
            Operator::Gte => (value?, i64::MAX),
            Operator::Lt => (i64::MIN, value?.saturating_sub(1)),
            Operator::Lte => (i64::MIN, value?),
            Operator::Between => (value?, parse_instant(&self.high())?),
            _ => return None,
        })
    }
}

impl Query {
    /// Everything changed since an instant, in an order.
    pub(crate) fn since(kind: Kind, ms: u64, sort: Sort) -> Self {
        let filter = Filter {
            property_name: kind.modified_property().to_owned(),
            operator: Operator::Gte,
            value: Some(ms.to_string().into()),
            high_value: None,
            values: Vec::new(),
        };
        Self { groups: vec![vec![filter]], sort: Some(sort), text: None }
    }

    /// HubSpot fails on comparisons with the very first instant.
    pub(crate) fn touches_the_epoch(&self) -> bool {
        let dated = |f: &&Filter| f.property_name.ends_with("date") || f.property_name == "hs_timestamp";
        self.groups
            .iter()
            .flatten()
            .filter(dated)
            .any(|f| matches!(f.value().as_str(), "0" | "1970-01-01" | "1970-01-01T00:00:00Z"))
    }
}

/// The part of a query that is a window of time and a range of ids, and the rest of it.
#[derive(Debug)]
struct Plan<'q> {
    modified: (i64, i64),
    ids: (i64, i64),
    rest: Vec<&'q Filter>,
    alternatives: &'q [Vec<Filter>],
    words: Vec<String>,
}

const EVERYTHING: (i64, i64) = (i64::MIN, i64::MAX);

impl<'q> Plan<'q> {
    fn of(view: &View<'_>, kind: Kind, query: &'q Query) -> Self {
        let words = query.text.as_deref().unwrap_or_default().to_lowercase();
        let words = words.split_whitespace().map(str::to_owned).collect();
        let mut plan =
            Plan { modified: EVERYTHING, ids: EVERYTHING, rest: Vec::new(), alternatives: &[], words };
        let [only] = query.groups.as_slice() else {
            plan.alternatives = &query.groups;
            return plan;
        };
        for filter in only {
            if view.overlay.ids_compare_as_text && filter.property_name == "hs_object_id" {
                plan.rest.push(filter);
                continue;
            }
            let bounds = match filter.property_name.as_str() {
                name if name == kind.modified_property() => Some(&mut plan.modified),
                "hs_object_id" => Some(&mut plan.ids),
                _ => None,
            };
            match (bounds, filter.range()) {
                (Some(bounds), Some(range)) => *bounds = (bounds.0.max(range.0), bounds.1.min(range.1)),
                _ => plan.rest.push(filter),
            }
        }
        plan
    }

    fn is_exact(&self) -> bool {
        self.rest.is_empty() && self.alternatives.is_empty() && self.words.is_empty()
    }

    fn admits(&self, view: &View<'_>, record: &Record<'_>, modified: i64) -> bool {
        let id = view.id(record) as i64;
        let within = |bounds: (i64, i64), value: i64| bounds.0 <= value && value <= bounds.1;
        within(self.modified, modified)
            && within(self.ids, id)
            && self.rest.iter().all(|f| holds(view, record, modified, f))
            && (self.alternatives.is_empty()
                || self.alternatives.iter().any(|g| g.iter().all(|f| holds(view, record, modified, f))))
            && (self.words.is_empty() || mentions(view, record, &self.words))
    }
}

/// Runs a search.
pub(crate) fn run<'a>(view: &View<'a>, kind: Kind, query: &Query, after: u64, limit: u64) -> Found<'a> {
    let plan = Plan::of(view, kind, query);
    let ranks = rank_range(view, kind, plan.modified);
    let indices = index_range(view, kind, plan.ids);
    let sort = query.sort.as_ref();
    let descending = sort.is_some_and(|s| s.descending);
    let by_modified = sort.map_or(plan.modified != EVERYTHING, |s| s.name == kind.modified_property());
    let by_id = sort.map_or(!by_modified, |s| s.name == "hs_object_id" || s.name == kind.created_property());
    let straight =
        plan.is_exact() && sort.is_none_or(|s| s.name != "hs_object_id" || !view.overlay.ids_sort_as_text);
    if straight && by_modified && plan.ids == EVERYTHING {
        let order = Order { view, kind, by_modified: true, range: ranks, descending };
        return order.page(&plan, after, limit);
    }
    if straight && by_id && plan.modified == EVERYTHING {
        let order = Order { view, kind, by_modified: false, range: indices, descending };
        return order.page(&plan, after, limit);
    }
    sorted_page(view, kind, &plan, sort, (ranks, indices), (after, limit))
}

fn rank_range(view: &View<'_>, kind: Kind, (low, high): (i64, i64)) -> (u64, u64) {
    let start = view.portal.ranks_before(kind, low);
    let end =
        if high == i64::MAX { view.portal.count(kind) } else { view.portal.ranks_before(kind, high + 1) };
    (start, end.max(start))
}

fn index_range(view: &View<'_>, kind: Kind, (low, high): (i64, i64)) -> (u64, u64) {
    let count = view.portal.count(kind);
    let at = |id: i64| view.portal.index_at_or_after(kind, id.max(0) as u64).min(count);
    let end = if high == i64::MAX { count } else { at(high.saturating_add(1)) };
    (at(low), end.max(at(low)))
}

/// What the search index believes about a touched record: its modification instant, or absence.
fn indexed(view: &View<'_>, touched: &Touched) -> Option<i64> {
    let horizon = view.overlay.frozen_at.unwrap_or(view.now).min(view.now);
    match touched.pending {
        // Withdrawn records never come back from search, whatever its index still holds.
        _ if touched.life != Life::Live => None,
        Some(pending) if pending.until > horizon => pending.indexed,
        _ => Some(touched.modified),
    }
}

/// Records in the order of modification or of ids, read lazily from both sides.
struct Order<'v, 'a> {
    view: &'v View<'a>,
    kind: Kind,
    by_modified: bool,
    range: (u64, u64),
    descending: bool,
}

impl<'a> Order<'_, 'a> {
    fn index(&self, position: u64) -> u64 {
        let position = if self.descending { self.range.1 - 1 - (position - self.range.0) } else { position };
        if self.by_modified { self.view.portal.at_rank(self.kind, position) } else { position }
    }

    fn key(&self, index: u64, modified: i64) -> i64 {
        if self.by_modified { modified } else { index as i64 }
    }

    fn page(&self, plan: &Plan<'_>, after: u64, limit: u64) -> Found<'a> {
        let (view, kind) = (self.view, self.kind);
        let touched = view.overlay.touched(kind);
        let mut changed: Vec<(i64, u64)> = Vec::new();
        let mut displaced = 0;
        for (index, entry) in touched {
            let position = if self.by_modified { view.portal.rank(kind, *index) } else { *index };
            if *index < view.portal.count(kind) && (self.range.0..self.range.1).contains(&position) {
                displaced += 1;
            }
            let record = Record { kind, index: *index, touched: Some(entry) };
            if let Some(modified) = indexed(view, entry).filter(|m| plan.admits(view, &record, *m)) {
                changed.push((self.key(*index, modified), *index));
            }
        }
        changed.sort_unstable();
        if self.descending {
            changed.reverse();
        }
        let total = self.range.1 - self.range.0 - displaced + changed.len() as u64;
        let page = if touched.is_empty() {
            let start = self.range.0 + after;
            (start..self.range.1.min(start + limit)).map(|p| self.index(p)).collect()
        } else {
            self.merged(&changed, after, limit)
        };
        let record = |index| Record { kind, index, touched: view.overlay.get(kind, index) };
        Found { total, page: page.into_iter().map(record).collect() }
    }

    /// Untouched records and changed ones, merged by key; `after` is at most the result cap.
    fn merged(&self, changed: &[(i64, u64)], after: u64, limit: u64) -> Vec<u64> {
        let (view, kind) = (self.view, self.kind);
        let untouched = (self.range.0..self.range.1).map(|p| self.index(p));
        let mut untouched = untouched.filter(|i| view.overlay.get(kind, *i).is_none()).peekable();
        let mut changed = changed.iter().peekable();
        let next = || {
            let Some(base) = untouched.peek().copied() else {
                return changed.next().map(|(_, i)| *i);
            };
            let base_key = self.key(base, view.portal.modified(kind, base));
            let first = |key: i64| {
                if self.descending { key > base_key } else { key < base_key }
            };
            if changed.peek().is_some_and(|(key, _)| first(*key)) {
                return changed.next().map(|(_, i)| *i);
            }
            untouched.next()
        };
        std::iter::from_fn(next).skip(after as usize).take(limit as usize).collect()
    }
}

/// The slow way: collect every match, sort, cut the page out.
fn sorted_page<'a>(
    view: &View<'a>,
    kind: Kind,
    plan: &Plan<'_>,
    sort: Option<&Sort>,
    (ranks, indices): ((u64, u64), (u64, u64)),
    (after, limit): (u64, u64),
) -> Found<'a> {
    let mut matches: Vec<(Key, u64)> = Vec::new();
    let mut consider = |index: u64, touched: Option<&Touched>| {
        let record = Record { kind, index, touched };
        let modified = match touched {
            Some(touched) => indexed(view, touched),
            None => Some(view.portal.modified(kind, index)),
        };
        let Some(modified) = modified.filter(|m| plan.admits(view, &record, *m)) else {
            return;
        };
        matches.push((key(view, &record, modified, sort), index));
    };
    let untouched = |index: &u64| view.overlay.get(kind, *index).is_none();
    if ranks.1 - ranks.0 < indices.1 - indices.0 {
        (ranks.0..ranks.1)
            .map(|r| view.portal.at_rank(kind, r))
            .filter(untouched)
            .for_each(|i| consider(i, None));
    } else {
        (indices.0..indices.1).filter(untouched).for_each(|i| consider(i, None));
    }
    for (index, entry) in view.overlay.touched(kind) {
        consider(*index, Some(entry));
    }
    matches.sort_unstable();
    if sort.is_some_and(|s| s.descending) {
        matches.reverse();
    }
    let page = matches.iter().skip(after as usize).take(limit as usize);
    let record =
        |(_, index): &(Key, u64)| Record { kind, index: *index, touched: view.overlay.get(kind, *index) };
    Found { total: matches.len() as u64, page: page.map(record).collect() }
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Key {
    Number(i64),
    Text(String),
    Unset,
}

fn key(view: &View<'_>, record: &Record<'_>, modified: i64, sort: Option<&Sort>) -> Key {
    let id = view.id(record);
    let Some(sort) = sort else {
        return Key::Number(id as i64);
    };
    if sort.name == "hs_object_id" {
        return if view.overlay.ids_sort_as_text {
            Key::Text(id.to_string())
        } else {
            Key::Number(id as i64)
        };
    }
    if sort.name == record.kind.modified_property() {
        return Key::Number(modified);
    }
    let Some(text) = view.text(record, &sort.name) else {
        return Key::Unset;
    };
    match catalog::find(record.kind, &sort.name).map(|p| p.value_type) {
        Some("datetime") => parse_instant(&text).map_or(Key::Unset, Key::Number),
        Some("number") => text.parse::<f64>().map_or(Key::Unset, |n| Key::Number((n * 1_000.0) as i64)),
        _ => Key::Text(text.to_lowercase()),
    }
}

fn holds(view: &View<'_>, record: &Record<'_>, modified: i64, filter: &Filter) -> bool {
    if let Some(to) = filter.property_name.strip_prefix("associations.") {
        return Kind::parse(to).is_some_and(|to| is_associated(view, record, to, filter));
    }
    let value = if filter.property_name == record.kind.modified_property() {
        Some(modified.to_string())
    } else {
        view.text(record, &filter.property_name)
    };
    match (filter.operator, value) {
        (Operator::HasProperty, value) => value.is_some_and(|v| !v.is_empty()),
        (Operator::NotHasProperty, value) => value.is_none_or(|v| v.is_empty()),
        (Operator::Neq | Operator::NotIn | Operator::NotContainsToken, None) => true,
        (_, None) => false,
        (operator, Some(value)) => compare(view, record.kind, operator, &value, filter),
    }
}

fn compare(view: &View<'_>, kind: Kind, operator: Operator, value: &str, filter: &Filter) -> bool {
    let is_date = catalog::find(kind, &filter.property_name).is_some_and(|p| p.value_type == "datetime");
    let as_text = view.overlay.ids_compare_as_text && filter.property_name == "hs_object_id";
    let order = |other: &str| -> Ordering {
        if as_text {
            return value.cmp(other);
        }
        if is_date {
            return parse_instant(value).cmp(&parse_instant(other));
        }
        match (value.parse::<f64>(), other.parse::<f64>()) {
            (Ok(a), Ok(b)) => a.total_cmp(&b),
            _ => value.to_lowercase().cmp(&other.to_lowercase()),
        }
    };
    let wanted = filter.value();
    // Choices are compared as they are; texts without regard to case, but a list of texts has to be
    // in lower case to match anything.
    let value_type = catalog::find(kind, &filter.property_name).map_or("string", |p| p.value_type);
    let is_listed = |listed: &str| match value_type {
        "enumeration" => value == listed,
        "string" => value.to_lowercase() == listed,
        _ => order(listed).is_eq(),
    };
    let any_of = || filter.values.iter().any(|v| is_listed(&plain(v)));
    let same = |other: &str| if value_type == "enumeration" { value == other } else { order(other).is_eq() };
    match operator {
        Operator::Eq => same(&wanted),
        Operator::Neq => !same(&wanted),
        Operator::Lt => order(&wanted).is_lt(),
        Operator::Lte => order(&wanted).is_le(),
        Operator::Gt => order(&wanted).is_gt(),
        Operator::Gte => order(&wanted).is_ge(),
        Operator::Between => order(&wanted).is_ge() && order(&filter.high()).is_le(),
        Operator::In => any_of(),
        Operator::NotIn => !any_of(),
        Operator::ContainsToken => contains_token(value, &wanted),
        Operator::NotContainsToken => !contains_token(value, &wanted),
        Operator::HasProperty | Operator::NotHasProperty => true,
    }
}

fn is_associated(view: &View<'_>, record: &Record<'_>, to: Kind, filter: &Filter) -> bool {
    let ids: Vec<u64> = view.targets(record, to).iter().map(|t| view.portal.id(to, t.index)).collect();
    let has = |value: &serde_json::Value| plain(value).parse().is_ok_and(|id: u64| ids.contains(&id));
    match filter.operator {
        Operator::Eq => filter.value.as_ref().is_some_and(has),
        Operator::Neq => !filter.value.as_ref().is_some_and(has),
        Operator::In => filter.values.iter().any(has),
        Operator::NotIn => !filter.values.iter().any(has),
        Operator::HasProperty => !ids.is_empty(),
        Operator::NotHasProperty => ids.is_empty(),
        _ => false,
    }
}

fn tokens(text: &str) -> Vec<String> {
    let lower = text.to_lowercase();
    lower.split(|c: char| !c.is_alphanumeric()).filter(|t| !t.is_empty()).map(str::to_owned).collect()
}

fn contains_token(value: &str, wanted: &str) -> bool {
    let have = tokens(value);
    let starred = (wanted.starts_with('*'), wanted.ends_with('*'));
    let fits = |have: &String, token: &str| match starred {
        (false, false) => have == token,
        (false, true) => have.starts_with(token),
        (true, false) => have.ends_with(token),
        (true, true) => have.contains(token),
    };
    let wanted = tokens(wanted);
    !wanted.is_empty() && wanted.iter().all(|token| have.iter().any(|h| fits(h, token)))
}

/// Whether every word of the free text starts a word of the record's searchable properties.
fn mentions(view: &View<'_>, record: &Record<'_>, words: &[String]) -> bool {
    let names: &[&str] = match record.kind {
        Kind::Contact => &["email", "firstname", "lastname", "phone", "company", "hs_additional_emails"],
        Kind::Company => &["name", "domain", "website", "phone"],
        Kind::Deal => &["dealname"],
        Kind::Email => &["hs_email_subject"],
        Kind::Note => &["hs_note_body"],
        Kind::Call => &["hs_call_title", "hs_call_body"],
        Kind::Meeting => &["hs_meeting_title", "hs_meeting_body"],
        Kind::Task => &["hs_task_subject", "hs_task_body"],
    };
    let have: Vec<String> =
        names.iter().filter_map(|n| view.text(record, n)).map(|v| v.to_lowercase()).collect();
    words.iter().all(|word| {
        have.iter().any(|value| value == word || tokens(value).iter().any(|t| t.starts_with(word.as_str())))
    })
}
