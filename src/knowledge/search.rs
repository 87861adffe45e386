//! A search: what an agent asks becomes hits with passages, highlights and provenance.
//!
//! The index finds; the words shown are read from the store, so an answer never shows what is gone.

use std::collections::BTreeMap;
use std::time::Instant;

use hublore_index::{
    Answer, Cursor, Filter, FilterField, Highlighter, Hit, KnowledgeIndex, MAX_LIMIT, Query, Request,
};
use serde::{Deserialize, Serialize};

use super::KnowledgeError;
use super::insight_documents;
use super::scope::{Caller, visible};
use crate::domain::clock::Millis;
use crate::domain::engagement::Kind;
use crate::domain::ids::{DocumentId, InsightId, OrgId, company_key, contact_of_key, customer_key};
use crate::domain::insight::Subject;
use crate::store::conn::Conn;
use crate::store::engagements::{self, StoredEngagement};
use crate::store::insights::{self, StoredInsight};
use crate::store::people::{self, Person};
use crate::store::{Store, StoreError, checkpoints, near_copies};

/// A search as asked over HTTP, MCP or the command line.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SearchRequest {
    /// What is looked for, in the query language.
    pub query: String,
    /// Only this customer (address).
    pub customer: Option<String>,
    /// Only this company (name or domain).
    pub company: Option<String>,
    /// Only these kinds of engagement, or `insight`; engagements where nothing is said.
    pub kinds: Vec<String>,
    /// Not before this moment or day.
    pub since: Option<Millis>,
    /// Before this moment or day.
    pub until: Option<Millis>,
    /// Hits on a page, 1 to 100; 10 where nothing is said.
    pub limit: Option<usize>,
    /// Where the previous page ended.
    pub cursor: Option<String>,
    /// Say of each hit why it was found.
    pub explain: bool,
    /// Also list documents of nearly the same words as a better hit, which are left out otherwise.
    pub copies: bool,
}

/// The answer to a search.
#[derive(Debug, Clone, Serialize)]
pub struct SearchAnswer {
    /// Best first.
    pub hits: Vec<SearchHit>,
    /// Documents that match.
    pub total: u64,
    /// Time spent, milliseconds.
    pub took_ms: f64,
    /// Where to go on.
    pub next_cursor: Option<String>,
    /// Per record type: changes up to here are known.
    pub synced_through: BTreeMap<String, Millis>,
}

/// One hit.
#[derive(Debug, Clone, Serialize)]
pub struct SearchHit {
    /// Id of the passage.
    pub id: String,
    /// Where it comes from.
    pub source: Provenance,
    /// Subject or title; empty where there is none.
    pub title: String,
    /// The passage that matches best.
    pub passage: String,
    /// Ranges of matching words in `passage`, counted in characters (Unicode scalar values).
    pub highlights: Vec<[usize; 2]>,
    /// Comparable within one answer only.
    pub score: f32,
    /// When it happened.
    pub occurred_at: Millis,
    /// Customers it is tied to.
    pub customers: Vec<CustomerName>,
    /// Their company, where there is one.
    pub company: Option<CompanyName>,
    /// How far the text may be trusted.
    pub trust: &'static str,
    /// The same mail went to many: how many were sent, this one included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub copies: Option<u64>,
    /// Why it was found, if asked.
    pub explain: Option<Explanation>,
}

/// Where a passage comes from.
#[derive(Debug, Clone, Serialize)]
pub struct Provenance {
    /// Kind of the engagement, or `insight`.
    pub kind: &'static str,
    /// HubSpot's id of it.
    pub engagement_id: String,
    /// Address in HubSpot's app.
    pub url: Option<String>,
    /// Portal.
    pub portal_id: u64,
}

/// A customer as a hit names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CustomerName {
    /// Primary address.
    pub email: Option<String>,
    /// First and last name.
    pub name: Option<String>,
}

/// A company as a hit names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CompanyName {
    /// Name.
    pub name: Option<String>,
}

/// Why a hit was found.
#[derive(Debug, Clone, Serialize)]
pub struct Explanation {
    /// Words that matched, where, and their share of the score.
    pub matches: Vec<WordMatch>,
    /// Every word of the query is in the passage.
    pub all_words: bool,
    /// Filters it passed.
    pub filters: Vec<String>,
    /// What the score of the words was multiplied by: `recency`, `kind`; only those other than 1.
    pub factors: BTreeMap<&'static str, f32>,
    /// How near in meaning it is, -1 to 1, where a table of meanings is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub meaning: Option<f32>,
}

/// One word that matched.
#[derive(Debug, Clone, Serialize)]
pub struct WordMatch {
    /// As typed.
    pub word: String,
    /// `title`, `body` or `names`.
    pub field: &'static str,
    /// The indexed form it matched.
    pub term: String,
    /// Its share of the score.
    pub score: f32,
}

/// Searches store and index together.
#[derive(Clone)]
pub struct Search<'a> {
    /// Where the words are.
    pub store: &'a Store,
    /// Where they are found.
    pub index: &'a dyn KnowledgeIndex,
    /// Customer-scoped searches also see unlinked engagements (an admin's choice).
    pub include_unlinked: bool,
}

impl std::fmt::Debug for Search<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Search").field("include_unlinked", &self.include_unlinked).finish_non_exhaustive()
    }
}

impl Search<'_> {
    /// Answers one search.
    pub fn run(&self, caller: &Caller, asked: &SearchRequest) -> Result<SearchAnswer, KnowledgeError> {
        let started = Instant::now();
        self.store.read(|conn| {
            let (request, scope) = self.request(conn, caller, asked)?;
            let Some(request) = request else {
                return Ok(self.nothing(synced_through(conn, &caller.org)?, started));
            };
            let customers = request.customers.clone();
            let synced_through = synced_through(conn, &caller.org)?;
            // Age is counted from the newest that is known, so the same store gives the same answer.
            let newest = synced_through.values().map(|at| at.0).max();
            let now = [newest, request.until].into_iter().flatten().min();
            let answer = self.index.search(&Request { now, ..request }, &scope)?;
            let hits = hits(conn, &caller.org, &answer, customers.as_deref())?;
            Ok(SearchAnswer {
                hits,
                total: answer.total,
                took_ms: took_ms(started),
                next_cursor: answer.next_cursor.map(|cursor| cursor.0),
                synced_through,
            })
        })
    }

    fn nothing(&self, synced_through: BTreeMap<String, Millis>, started: Instant) -> SearchAnswer {
        SearchAnswer {
            hits: Vec::new(),
            total: 0,
            took_ms: took_ms(started),
            next_cursor: None,
            synced_through,
        }
    }

    /// The request for the index; `None` where a filter names somebody unknown, so nothing can match.
    fn request(
        &self,
        conn: &mut dyn Conn,
        caller: &Caller,
        asked: &SearchRequest,
    ) -> Result<(Option<Request>, hublore_index::Scope), KnowledgeError> {
        let visible = visible(conn, caller, asked.customer.as_deref(), self.include_unlinked)?;
        let mut request = Request {
            query: Query::parse(&asked.query),
            kinds: asked.kinds.iter().map(|kind| known_kind(kind)).collect::<Result<_, _>>()?,
            customers: visible.customers,
            since: asked.since.map(|at| at.0),
            until: asked.until.map(|at| at.0),
            limit: limit(asked.limit)?,
            cursor: asked.cursor.clone().map(Cursor),
            explain: asked.explain,
            distinct: !asked.copies,
            ..Request::default()
        };
        let mut possible = true;
        if let Some(company) = &asked.company {
            let keys = company_keys(conn, &caller.org, company)?;
            possible &= narrow(&mut request.companies, keys);
        }
        // What was distilled says again what engagements say: it is found where it is asked for.
        request.without_kinds = vec![insight_documents::KIND.to_owned()];
        let filters = request.query.filters.clone();
        for filter in &filters {
            possible &= apply(conn, caller, &mut request, filter)?;
        }
        possible &= request.customers.as_ref().is_none_or(|keys| !keys.is_empty());
        Ok((possible.then_some(request), visible.scope))
    }
}

/// Applies a `field:value` of the query; says whether anything can still match.
fn apply(
    conn: &mut dyn Conn,
    caller: &Caller,
    request: &mut Request,
    filter: &Filter,
) -> Result<bool, KnowledgeError> {
    let value = filter.value.as_str();
    match filter.field {
        FilterField::Kind => Ok(narrow_kinds(&mut request.kinds, value, filter.negated)),
        FilterField::Customer => {
            let keys = visible(conn, caller, Some(value), false)?.customers.unwrap_or_default();
            Ok(narrow(&mut request.customers, keys))
        }
        FilterField::Company => {
            let keys = company_keys(conn, &caller.org, value)?;
            Ok(narrow(&mut request.companies, keys))
        }
        FilterField::Owner => {
            let keys = people::owners_named(conn, &caller.org, value)?;
            Ok(narrow(&mut request.owners, keys))
        }
        FilterField::After => {
            let at = Millis::parse(value).map(|at| at.0);
            request.since = request.since.max(at);
            Ok(true)
        }
        FilterField::Before => {
            let at = Millis::parse(value).map(|at| at.0);
            request.until = [request.until, at].into_iter().flatten().min();
            Ok(true)
        }
    }
}

/// Keeps or drops one kind; says whether any is left. An empty list means all of them.
fn narrow_kinds(kinds: &mut Vec<String>, value: &str, negated: bool) -> bool {
    if kinds.is_empty() {
        kinds.extend(Kind::ALL.map(|kind| kind.as_str().to_owned()));
        // Leaving a kind out does not ask for insights.
        kinds.extend((!negated).then(|| insight_documents::KIND.to_owned()));
    }
    kinds.retain(|kind| kind.eq_ignore_ascii_case(value) != negated);
    !kinds.is_empty()
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

fn company_keys(conn: &mut dyn Conn, org: &OrgId, name: &str) -> Result<Vec<String>, StoreError> {
    let found = people::companies_named(conn, org, name)?;
    Ok(found.into_iter().map(|(portal, id)| company_key(portal, &id)).collect())
}

fn known_kind(name: &str) -> Result<String, KnowledgeError> {
    let known = Kind::parse(name).map(Kind::as_str);
    let known = known.or((name == insight_documents::KIND).then_some(insight_documents::KIND));
    known.map(str::to_owned).ok_or_else(|| {
        let names = Kind::ALL.map(Kind::as_str).join(", ");
        KnowledgeError::BadRequest(format!("`{name}` is not a kind; the kinds are {names} and insight"))
    })
}

fn limit(asked: Option<usize>) -> Result<usize, KnowledgeError> {
    match asked.unwrap_or(10) {
        limit @ 1..=MAX_LIMIT => Ok(limit),
        other => Err(KnowledgeError::BadRequest(format!("limit {other} is not between 1 and {MAX_LIMIT}"))),
    }
}

fn took_ms(started: Instant) -> f64 {
    (started.elapsed().as_secs_f64() * 10_000.0).round() / 10.0
}

fn hits(
    conn: &mut dyn Conn,
    org: &OrgId,
    answer: &Answer,
    customers: Option<&[String]>,
) -> Result<Vec<SearchHit>, KnowledgeError> {
    let mut hits = Vec::with_capacity(answer.hits.len());
    for hit in &answer.hits {
        if let Ok(insight) = hit.document.parse::<InsightId>() {
            hits.extend(insight_hit(conn, org, hit, &insight, &answer.highlighter)?);
            continue;
        }
        let Ok(document) = hit.document.parse::<DocumentId>() else { continue };
        // Gone or no longer knowledge since the index was committed: not shown.
        let Some(row) = engagements::get(conn, org, &document)?.filter(StoredEngagement::is_learned) else {
            continue;
        };
        let Some(row) = as_seen_by(conn, org, row, customers)? else { continue };
        hits.push(search_hit(conn, org, hit, row, &answer.highlighter)?);
    }
    Ok(hits)
}

/// The row that may be shown: where the search is about certain customers, their own copy of a mail that went to
/// many, never somebody else's.
fn as_seen_by(
    conn: &mut dyn Conn,
    org: &OrgId,
    row: StoredEngagement,
    customers: Option<&[String]>,
) -> Result<Option<StoredEngagement>, StoreError> {
    let Some(customers) = customers else { return Ok(Some(row)) };
    let portal = row.document.portal;
    if near_copies::copies(conn, org, &row.document)?.is_none() {
        return Ok(Some(row));
    }
    let people = people::of_engagement(conn, org, &row.document)?;
    if people.iter().any(|person| customers.contains(&customer_key(portal, &person.id))) {
        return Ok(Some(row));
    }
    for contact in customers.iter().filter_map(|key| contact_of_key(portal, key)) {
        if let Some(copy) = near_copies::copy_for(conn, org, &row.document, contact)? {
            return engagements::get(conn, org, &copy);
        }
    }
    Ok(None)
}

fn search_hit(
    conn: &mut dyn Conn,
    org: &OrgId,
    hit: &Hit,
    row: StoredEngagement,
    highlighter: &Highlighter,
) -> Result<SearchHit, StoreError> {
    let people = people::of_engagement(conn, org, &row.document)?;
    let company = company_of(conn, org, &row.document, &people)?;
    let copies = near_copies::copies(conn, org, &row.document)?;
    // A customer's own copy of a template may be cut elsewhere.
    let passage = row.passages.get(hit.passage as usize).or(row.passages.first());
    let text = passage.map(|passage| passage.text.clone()).unwrap_or_default();
    let language = super::documents::language(passage.and_then(|passage| passage.language.as_deref()));
    let ranges = highlighter.ranges(&text, language);
    Ok(SearchHit {
        id: row.document.passage(hit.passage),
        source: Provenance {
            kind: row.document.kind.as_str(),
            engagement_id: row.document.id.clone(),
            url: row.url,
            portal_id: row.document.portal.0,
        },
        title: row.title.unwrap_or_default(),
        highlights: in_characters(&text, &ranges),
        passage: text,
        score: hit.score,
        occurred_at: row.occurred_at,
        customers: people
            .into_iter()
            .map(|person| CustomerName { email: person.email, name: person.name })
            .collect(),
        company: company.map(|name| CompanyName { name: Some(name) }),
        trust: trust(row.document.kind),
        copies,
        explain: hit.explain.as_ref().map(explanation),
    })
}

/// An insight that still holds and is still proved, as a hit.
fn insight_hit(
    conn: &mut dyn Conn,
    org: &OrgId,
    hit: &Hit,
    id: &InsightId,
    highlighter: &Highlighter,
) -> Result<Option<SearchHit>, StoreError> {
    let Some(row) = insights::get(conn, org, id)?.filter(StoredInsight::is_current) else { return Ok(None) };
    let insight = &row.insight;
    let document = &insight.evidence.document;
    let Some(quote) = insight_documents::quote(conn, org, &insight.evidence)? else { return Ok(None) };
    let url = engagements::get(conn, org, document)?.and_then(|row| row.url);
    let people = match &insight.subject {
        Subject::Contact(contact) => people::by_id(conn, org, document.portal, contact)?,
        Subject::Company(_) => None,
    };
    let company = match (&insight.subject, people.as_ref().and_then(|one| one.company.as_ref())) {
        (Subject::Company(id), _) | (Subject::Contact(_), Some(id)) => {
            people::company(conn, org, document.portal, id)?.and_then(|company| company.name)
        }
        (Subject::Contact(_), None) => None,
    };
    let text = insight_documents::words(&row, &quote);
    let language = super::documents::language(insight.language.as_deref());
    let ranges = highlighter.ranges(&text, language);
    Ok(Some(SearchHit {
        id: insight.id.to_string(),
        source: Provenance {
            kind: insight_documents::KIND,
            engagement_id: document.id.clone(),
            url,
            portal_id: document.portal.0,
        },
        title: insight.kind.as_str().replace('_', " "),
        highlights: in_characters(&text, &ranges),
        passage: text,
        score: hit.score,
        occurred_at: insight.said_at,
        customers: people.into_iter().map(|one| CustomerName { email: one.email, name: one.name }).collect(),
        company: company.map(|name| CompanyName { name: Some(name) }),
        trust: insight_documents::TRUST,
        copies: None,
        explain: hit.explain.as_ref().map(explanation),
    }))
}

/// Notes are written by staff; everything else may carry words of strangers.
pub(super) fn trust(kind: Kind) -> &'static str {
    match kind {
        Kind::Note => "staff_note",
        Kind::Email | Kind::Call | Kind::Meeting | Kind::FormSubmission => "crm_untrusted",
    }
}

fn company_of(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
    people: &[Person],
) -> Result<Option<String>, StoreError> {
    if let Some(id) = people.iter().find_map(|person| person.company.as_deref()) {
        return Ok(people::company(conn, org, document.portal, id)?.and_then(|company| company.name));
    }
    let companies = people::companies_of_engagement(conn, org, document)?;
    Ok(companies.into_iter().find_map(|company| company.name))
}

fn explanation(explain: &hublore_index::Explain) -> Explanation {
    let word = |one: &hublore_index::Match| WordMatch {
        word: one.word.clone(),
        field: one.field,
        term: one.term.clone(),
        score: one.score,
    };
    Explanation {
        matches: explain.matches.iter().map(word).collect(),
        all_words: explain.all_words,
        filters: explain.filters.clone(),
        factors: explain.factors.iter().map(|factor| (factor.name, factor.value)).collect(),
        meaning: explain.meaning,
    }
}

/// Byte ranges as ranges of characters, which is what every language of a caller can use.
pub(super) fn in_characters(text: &str, ranges: &[(usize, usize)]) -> Vec<[usize; 2]> {
    let (mut at, mut characters) = (0, 0);
    let mut count_to = |end: usize| {
        characters += text.get(at..end).map_or(0, |part| part.chars().count());
        at = end.max(at);
        characters
    };
    ranges.iter().map(|(start, end)| [count_to(*start), count_to(*end)]).collect()
}

/// Up to when each record type is known.
pub(super) fn synced_through(
    conn: &mut dyn Conn,
    org: &OrgId,
) -> Result<BTreeMap<String, Millis>, StoreError> {
    checkpoints::watermarks(conn, org)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn highlights_count_characters_not_bytes() {
        let text = "für Größe";
        assert_eq!(in_characters(text, &[(0, 4), (5, 12)]), [[0, 3], [4, 9]]);
    }
}
