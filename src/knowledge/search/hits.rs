//! What the index found becomes what is shown: words, names and provenance from the store as it is now.
//!
//! Two or three lookups a hit: this is where most of the time of a search narrowed to a customer goes.

use std::collections::{BTreeMap, BTreeSet};

use hublore_index::{Answer, Hit};

use super::answer::{CompanyName, CustomerName, Provenance, SearchHit, Words, explanation, in_characters};
use super::trust;
use crate::domain::ids::{DocumentId, InsightId, OrgId, contact_of_key, customer_key};
use crate::domain::insight::Subject;
use crate::knowledge::{KnowledgeError, LONGEST_TITLE, documents, insight_documents, shortened};
use crate::store::conn::Conn;
use crate::store::engagements::{self, StoredEngagement};
use crate::store::insights::{self, StoredInsight};
use crate::store::people::{self, Person};
use crate::store::{StoreError, near_copies};

/// Words that were taken for typing errors, each with what stands in the hits instead.
pub(super) type Instead = BTreeMap<String, BTreeSet<String>>;

/// What is shown of an answer; `customers` are the keys of those the search is about.
pub(super) fn of(
    conn: &mut dyn Conn,
    org: &OrgId,
    answer: &Answer,
    customers: Option<&[String]>,
) -> Result<(Vec<SearchHit>, Instead), KnowledgeError> {
    let mut shown = Shown { conn, org, answer, customers, instead: Instead::new() };
    let mut hits = Vec::with_capacity(answer.hits.len());
    for hit in &answer.hits {
        if let Ok(insight) = hit.document.parse::<InsightId>() {
            hits.extend(shown.insight(hit, &insight)?);
        } else if let Ok(document) = hit.document.parse::<DocumentId>() {
            hits.extend(shown.engagement(hit, &document)?);
        }
    }
    Ok((hits, shown.instead))
}

struct Shown<'a> {
    conn: &'a mut dyn Conn,
    org: &'a OrgId,
    answer: &'a Answer,
    customers: Option<&'a [String]>,
    instead: Instead,
}

/// A contact and the name of its company.
type Named = (Person, Option<String>);

impl Shown<'_> {
    /// An engagement, unless it is gone or no longer knowledge since the index was committed.
    fn engagement(&mut self, hit: &Hit, document: &DocumentId) -> Result<Option<SearchHit>, StoreError> {
        let found = engagements::with_copies(self.conn, self.org, document)?;
        let Some((row, copies)) = found.filter(|(row, _)| row.is_learned()) else { return Ok(None) };
        let people = people::with_companies(self.conn, self.org, document)?;
        if copies.is_none() || self.concerns(&row, &people) {
            return self.row(hit, row, people, copies).map(Some);
        }
        let Some(row) = self.own_copy(&row)? else { return Ok(None) };
        let people = people::with_companies(self.conn, self.org, &row.document)?;
        self.row(hit, row, people, None).map(Some)
    }

    /// Whether a mail that went to many is shown as it stands in the index: to everybody, where the search is
    /// about certain customers only to them.
    fn concerns(&self, row: &StoredEngagement, people: &[Named]) -> bool {
        let key = |named: &Named| customer_key(row.document.portal, &named.0.id);
        self.customers.is_none_or(|customers| people.iter().any(|named| customers.contains(&key(named))))
    }

    /// The customers' own copy of a mail that went to many, never somebody else's.
    fn own_copy(&mut self, row: &StoredEngagement) -> Result<Option<StoredEngagement>, StoreError> {
        let portal = row.document.portal;
        let contacts =
            self.customers.unwrap_or_default().iter().filter_map(|key| contact_of_key(portal, key));
        for contact in contacts {
            if let Some(copy) = near_copies::copy_for(self.conn, self.org, &row.document, contact)? {
                return engagements::get(self.conn, self.org, &copy);
            }
        }
        Ok(None)
    }

    fn row(
        &mut self,
        hit: &Hit,
        mut row: StoredEngagement,
        people: Vec<Named>,
        copies: Option<u64>,
    ) -> Result<SearchHit, StoreError> {
        let company = self.company(&row.document, &people)?;
        // A customer's own copy of a template may be cut elsewhere.
        let passage = engagements::passage(self.conn, &mut row, hit.passage as usize)?;
        let language = documents::language(passage.as_ref().and_then(|passage| passage.language.as_deref()));
        let passage = passage.unwrap_or_default();
        let (text, spoken) = (passage.text, passage.spoken);
        let ranges = self.answer.highlighter.ranges(&text, language);
        let name = |(person, _): Named| CustomerName { email: person.email, name: person.name };
        let customers: Vec<CustomerName> = people.into_iter().map(name).collect();
        let mut names = names(&customers, company.as_ref());
        names.extend(row.link_hosts.iter().map(String::as_str));
        let title = row.title.unwrap_or_default();
        let words = Words { marked: marked(&text, &ranges), title: &title, language, names };
        note(&mut self.instead, self.answer, &words);
        let explain = hit.explain.as_ref().map(|explain| explanation(explain, &words));
        Ok(SearchHit {
            id: row.document.passage(hit.passage),
            title: shortened(&title, LONGEST_TITLE),
            highlights: in_characters(&text, &ranges),
            passage: text,
            score: hit.score,
            occurred_at: row.occurred_at,
            customers,
            company: company.map(|name| CompanyName { name: Some(name) }),
            trust: trust(row.document.kind),
            copies,
            spoken,
            explain,
            source: Provenance {
                kind: row.document.kind.as_str(),
                engagement_id: row.document.id,
                url: row.url,
                portal_id: row.document.portal.0,
            },
        })
    }

    /// The company of the first customer who has one, else one the engagement itself is tied to.
    fn company(&mut self, document: &DocumentId, people: &[Named]) -> Result<Option<String>, StoreError> {
        if let Some((_, name)) = people.iter().find(|(person, _)| person.company.is_some()) {
            return Ok(name.clone());
        }
        let companies = people::companies_of_engagement(self.conn, self.org, document)?;
        Ok(companies.into_iter().find_map(|company| company.name))
    }

    /// An insight that still holds and is still proved.
    fn insight(&mut self, hit: &Hit, id: &InsightId) -> Result<Option<SearchHit>, StoreError> {
        let (conn, org) = (&mut *self.conn, self.org);
        let Some(row) = insights::get(conn, org, id)?.filter(StoredInsight::is_current) else {
            return Ok(None);
        };
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
        let language = documents::language(insight.language.as_deref());
        let ranges = self.answer.highlighter.ranges(&text, language);
        let name = |one: Person| CustomerName { email: one.email, name: one.name };
        let customers: Vec<CustomerName> = people.into_iter().map(name).collect();
        let title = insight.kind.as_str().replace('_', " ");
        let names = names(&customers, company.as_ref());
        let words = Words { marked: marked(&text, &ranges), title: &title, language, names };
        note(&mut self.instead, self.answer, &words);
        let explain = hit.explain.as_ref().map(|explain| explanation(explain, &words));
        Ok(Some(SearchHit {
            id: insight.id.to_string(),
            source: Provenance {
                kind: insight_documents::KIND,
                engagement_id: document.id.clone(),
                url,
                portal_id: document.portal.0,
            },
            title,
            highlights: in_characters(&text, &ranges),
            passage: text,
            score: hit.score,
            occurred_at: insight.said_at,
            customers,
            company: company.map(|name| CompanyName { name: Some(name) }),
            trust: insight_documents::TRUST,
            copies: None,
            spoken: None,
            explain,
        }))
    }
}

/// Names that a hit shows.
fn names<'a>(customers: &'a [CustomerName], company: Option<&'a String>) -> Vec<&'a str> {
    let customers = customers.iter().flat_map(|one| [&one.name, &one.email]).flatten();
    customers.chain(company).map(String::as_str).collect()
}

/// The parts of a text that match.
fn marked<'a>(text: &'a str, ranges: &[(usize, usize)]) -> Vec<&'a str> {
    ranges.iter().filter_map(|(from, to)| text.get(*from..*to)).collect()
}

/// Notes what stands in a hit instead of words that were taken for typing errors.
fn note(instead: &mut Instead, answer: &Answer, words: &Words<'_>) {
    for one in &answer.corrected {
        if let Some(there) = words.anywhere(one) {
            instead.entry(one.word.clone()).or_default().insert(there.to_owned());
        }
    }
}
