//! Builds the engine's query: the words of the search beside the clauses that
//! say what may be seen.
//!
//! The scope is never part of what was typed. It is a set of required clauses
//! around it, so no text, however written, can leave the organisation.

use super::common_phrase::CommonPhrase;
use super::filter::Filter;
use super::organisation::text_fields;
use super::ranking::Ranking;
use super::schema::{Fields, Tag};
use super::statistics::Frozen;
use super::words::{Lookup, MAX_TOLD_APART, Words};
use crate::query::{Lowered, Phrase, Word};
use crate::request::{Request, Scope};
use tantivy::Term;
use tantivy::query::{
    BooleanQuery, BoostQuery, ConstScoreQuery, EmptyQuery, Occur, PhraseQuery, Query, TermQuery,
};
use tantivy::schema::{Field, IndexRecordOption};

/// Added to the score of passages that hold every word of a short query.
pub(crate) const ALL_WORDS: f32 = 1024.0;

pub(crate) type Clauses = Vec<(Occur, Box<dyn Query>)>;

/// The clauses that decide what may be seen at all.
pub(crate) fn scope_clauses(
    fields: &Fields,
    request: &Request,
    scope: &Scope,
    per_document: bool,
) -> Clauses {
    let org = scope.org.as_str();
    let whole = if per_document { Tag::First } else { Tag::Org };
    let mut clauses = vec![(Occur::Must, tag(fields, org, whole))];
    if let Some(customer) = &scope.customer {
        let own = tag(fields, org, Tag::Customer(customer));
        let seen = if scope.include_unlinked { any(vec![own, unlinked(fields, org)]) } else { own };
        clauses.push((Occur::Must, seen));
    }
    if let Some(customers) = &request.customers {
        let mut wanted = tags(fields, org, customers, Tag::Customer);
        if scope.include_unlinked && !customers.is_empty() {
            wanted.push(unlinked(fields, org));
        }
        clauses.push((Occur::Must, any(wanted)));
    }
    if let Some(companies) = &request.companies {
        clauses.push((Occur::Must, any(tags(fields, org, companies, Tag::Company))));
    }
    if let Some(owners) = &request.owners {
        clauses.push((Occur::Must, any(tags(fields, org, owners, Tag::Owner))));
    }
    if !request.kinds.is_empty() {
        clauses.push((Occur::Must, any(tags(fields, org, &request.kinds, Tag::Kind))));
    }
    clauses
}

fn tag(fields: &Fields, org: &str, tag: Tag<'_>) -> Box<dyn Query> {
    Box::new(Filter(fields.tag(org, tag)))
}

fn tags<'a>(
    fields: &Fields,
    org: &str,
    keys: &'a [String],
    of: impl Fn(&'a str) -> Tag<'a>,
) -> Vec<Box<dyn Query>> {
    keys.iter().map(|key| tag(fields, org, of(key))).collect()
}

/// Documents of the organisation tied to no customer.
fn unlinked(fields: &Fields, org: &str) -> Box<dyn Query> {
    Box::new(BooleanQuery::new(vec![
        (Occur::Must, tag(fields, org, Tag::Org)),
        (Occur::MustNot, tag(fields, org, Tag::Linked)),
    ]))
}

/// One of several clauses, none scoring; nothing if there are none.
fn any(mut clauses: Vec<Box<dyn Query>>) -> Box<dyn Query> {
    match clauses.len() {
        0 => Box::new(EmptyQuery),
        1 => clauses.remove(0),
        _ => Box::new(ConstScoreQuery::new(Box::new(BooleanQuery::union(clauses)), 0.0)),
    }
}

/// The clauses that rank: any word, every phrase, a bonus for all words.
pub(crate) fn ranking_clauses(
    fields: &Fields,
    lowered: &Lowered,
    frozen: &Frozen,
    ranking: &Ranking,
) -> Clauses {
    let mut clauses: Clauses = Vec::new();
    for phrase in &lowered.phrases {
        clauses.push((Occur::Must, phrase_query(fields, phrase)));
    }
    let words = lookups(fields, lowered, frozen, ranking);
    if words.iter().any(|lookup| lookup.finds) {
        // Beside a phrase, which must match, words only rank.
        let occur = if lowered.phrases.is_empty() { Occur::Must } else { Occur::Should };
        clauses.push((occur, Box::new(Words::new(words, told_apart(lowered, ranking), ALL_WORDS))));
        return clauses;
    }
    if lowered.phrases.is_empty() && !lowered.words.is_empty() {
        clauses.push((Occur::Must, Box::new(EmptyQuery)));
    }
    for lookup in words {
        let query = TermQuery::new(lookup.term, IndexRecordOption::WithFreqs);
        clauses.push((Occur::Should, weighted(Box::new(query), lookup.boost)));
    }
    clauses
}

/// A bit for each word that counts, where passages with all of them come first; 0 elsewhere.
fn told_apart(lowered: &Lowered, ranking: &Ranking) -> u8 {
    let counted = lowered.words.iter().filter(|word| word.counts).count();
    match (2..=ranking.all_words_up_to.min(MAX_TOLD_APART)).contains(&counted) {
        true => u8::MAX >> (MAX_TOLD_APART - counted),
        false => 0,
    }
}

/// Every word in each field and form in which the organisation has it.
fn lookups(fields: &Fields, lowered: &Lowered, frozen: &Frozen, ranking: &Ranking) -> Vec<Lookup> {
    let mut bits = (0..MAX_TOLD_APART).map(|place| told_apart(lowered, ranking) & 1 << place);
    let mut out = Vec::new();
    for (number, word) in lowered.words.iter().enumerate() {
        let bit = if word.counts { bits.next().unwrap_or(0) } else { 0 };
        if word.weight <= 0.0 {
            continue;
        }
        for (slot, field) in text_fields(fields).into_iter().enumerate() {
            if frozen.frequency(number, slot) == 0 {
                continue;
            }
            let boost = ranking.weight(fields, field, word);
            let finds = !word.stop;
            let forms = word.forms_in(field == fields.names).iter();
            let terms = forms.map(|form| Term::from_field_text(field, form));
            out.extend(terms.map(|term| Lookup { term, boost, bit, finds }));
        }
    }
    out
}

/// A word in each field and form.
pub(crate) fn term_queries(fields: &Fields, word: &Word, ranking: &Ranking) -> Vec<Box<dyn Query>> {
    let mut out: Vec<Box<dyn Query>> = Vec::new();
    for field in [fields.title, fields.text, fields.names] {
        for form in word.forms_in(field == fields.names) {
            let term = Term::from_field_text(field, form);
            let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
            out.push(weighted(Box::new(query), ranking.weight(fields, field, word)));
        }
    }
    out
}

fn weighted(query: Box<dyn Query>, weight: f32) -> Box<dyn Query> {
    if (weight - 1.0).abs() < f32::EPSILON {
        return query;
    }
    Box::new(BoostQuery::new(query, weight))
}

fn phrase_query(fields: &Fields, phrase: &Phrase) -> Box<dyn Query> {
    let mut variants: Vec<Box<dyn Query>> = Vec::new();
    for field in [fields.text, fields.names] {
        for terms in &phrase.variants {
            variants.push(phrase_in(field, terms, phrase.common));
        }
    }
    Box::new(BooleanQuery::union(variants))
}

fn phrase_in(field: Field, terms: &[(usize, String)], common: bool) -> Box<dyn Query> {
    let terms: Vec<(usize, Term)> =
        terms.iter().map(|(offset, term)| (*offset, Term::from_field_text(field, term))).collect();
    match common {
        true => Box::new(CommonPhrase::new(terms)),
        false => Box::new(PhraseQuery::new_with_offset(terms)),
    }
}

/// What must not be in any passage of a document, if anything.
pub(crate) fn excluded(fields: &Fields, lowered: &Lowered) -> Option<Box<dyn Query>> {
    let words = lowered.not_words.iter().flat_map(|word| term_queries(fields, word, &Ranking::default()));
    let phrases = lowered.not_phrases.iter().map(|phrase| phrase_query(fields, phrase));
    let all: Vec<Box<dyn Query>> = words.chain(phrases).collect();
    (!all.is_empty()).then(|| Box::new(BooleanQuery::union(all)) as Box<dyn Query>)
}
