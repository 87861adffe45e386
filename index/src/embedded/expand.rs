//! Finds the terms of the index that a prefix or a mistyped word may stand for.
//!
//! Bounded: at most [`MAX_TERMS`] terms a word, the most frequent ones.

use super::ranking::Ranking;
use super::schema::Tag;
use super::search::Forgiveness;
use super::snapshot::Snapshot;
use super::statistics::frequency;
use crate::error::Error;
use crate::query::{Lowered, Word};
use std::collections::BTreeSet;
use tantivy::Term;
use tantivy::query::{BooleanQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

/// Most terms one word is looked up as.
const MAX_TERMS: usize = 48;

/// Most terms of a dictionary that are looked at for one prefix.
const MAX_LOOKED_AT: usize = 4096;

/// Shortest word in which a typing error is forgiven.
const MIN_LETTERS: usize = 5;

/// Shortest word in which two are, where one finds nothing.
const MIN_LETTERS_FOR_TWO: usize = 9;

/// Share of a corrected word in the score, beside words found as typed.
const CORRECTED_WEIGHT: f32 = 0.7;

/// Adds the terms of the organisation that begin like each prefix.
pub(crate) fn prefixes(snapshot: &Snapshot, lowered: &mut Lowered, org: &str) -> Result<(), Error> {
    for word in lowered.words.iter_mut().chain(&mut lowered.not_words) {
        if !word.prefix {
            continue;
        }
        let typed = word.typed.clone();
        let in_text = beginning(snapshot, snapshot.fields.text, &typed, org)?;
        let in_names = beginning(snapshot, snapshot.fields.names, &typed, org)?;
        extend(&mut word.forms, in_text);
        extend(&mut word.name_forms, in_names);
    }
    Ok(())
}

/// Leaves out the parts of exact things that are in the organisation as typed: who types
/// a whole reference wants that one, not all that begin like it.
pub(crate) fn exact_things(snapshot: &Snapshot, lowered: &mut Lowered, org: &str) -> Result<(), Error> {
    let mut found = Vec::new();
    for word in &lowered.words {
        let whole = lowered.words.iter().any(|part| part.part_of.as_ref() == Some(&word.typed));
        if whole && word.part_of.is_none() && occurs(snapshot, word, org)? {
            found.push(word.typed.clone());
        }
    }
    lowered.words.retain(|word| word.part_of.as_ref().is_none_or(|whole| !found.contains(whole)));
    Ok(())
}

fn extend(forms: &mut Vec<String>, more: Vec<String>) {
    for form in more {
        if !forms.contains(&form) {
            forms.push(form);
        }
    }
}

fn beginning(snapshot: &Snapshot, field: Field, prefix: &str, org: &str) -> Result<Vec<String>, Error> {
    let mut terms: BTreeSet<String> = BTreeSet::new();
    let mut end = prefix.to_owned();
    end.push(char::MAX);
    for reader in snapshot.searcher.segment_readers() {
        let inverted = reader.inverted_index(field)?;
        let range = inverted.terms().range().ge(prefix).lt(&end).into_stream();
        let mut stream = range.map_err(tantivy::TantivyError::from)?;
        let mut left = MAX_LOOKED_AT;
        while left > 0 && stream.advance() {
            left -= 1;
            if let Ok(term) = std::str::from_utf8(stream.key()) {
                terms.insert(term.to_owned());
            }
        }
    }
    most_frequent(snapshot, field, terms, org)
}

/// The terms that the organisation uses most. What others use must not show here, so every
/// term is counted within the organisation.
fn most_frequent(
    snapshot: &Snapshot,
    field: Field,
    terms: BTreeSet<String>,
    org: &str,
) -> Result<Vec<String>, Error> {
    let mut counted = Vec::new();
    for term in terms {
        let frequency = frequency(snapshot, org, &Term::from_field_text(field, &term))?;
        if frequency > 0 {
            counted.push((term, frequency));
        }
    }
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counted.truncate(MAX_TERMS);
    Ok(counted.into_iter().map(|(term, _)| term).collect())
}

/// Whether a word that may be mistyped is nowhere in the organisation.
pub(crate) fn missing_words(snapshot: &Snapshot, lowered: &Lowered, org: &str) -> Result<bool, Error> {
    for word in lowered.words.iter().filter(|word| correctable(word)) {
        if !occurs(snapshot, word, org)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Looks up words that are nowhere in the organisation as terms a letter or two away, and
/// returns those.
pub(crate) fn corrections(
    snapshot: &Snapshot,
    lowered: &mut Lowered,
    org: &str,
    forgiveness: Forgiveness,
) -> Result<Vec<String>, Error> {
    let mut all = Vec::new();
    for word in lowered.words.iter_mut().filter(|word| correctable(word)) {
        if forgiveness == Forgiveness::Missing && occurs(snapshot, word, org)? {
            continue;
        }
        let fields = &snapshot.fields;
        let (mut in_text, mut in_names) = (Vec::new(), Vec::new());
        for errors in 1..=forgiven(&word.typed) {
            let forms: BTreeSet<&String> = std::iter::once(&word.typed).chain(&word.forms).collect();
            for form in forms {
                extend(&mut in_text, near(snapshot, fields.text, form, errors, org)?);
            }
            in_names = near(snapshot, fields.names, &word.typed, errors, org)?;
            if !in_text.is_empty() || !in_names.is_empty() {
                break;
            }
        }
        if in_text.is_empty() && in_names.is_empty() {
            continue;
        }
        word.weight *= CORRECTED_WEIGHT;
        all.extend(in_text.iter().chain(&in_names).cloned());
        extend(&mut word.forms, in_text);
        extend(&mut word.name_forms, in_names);
    }
    all.sort();
    all.dedup();
    Ok(all)
}

/// Whether any word could be looked up with a typing error forgiven.
pub(crate) fn any_correctable(lowered: &Lowered) -> bool {
    lowered.words.iter().any(correctable)
}

fn correctable(word: &Word) -> bool {
    word.plain
        && word.counts
        && word.typed.chars().count() >= MIN_LETTERS
        && word.typed.chars().all(char::is_alphabetic)
}

fn occurs(snapshot: &Snapshot, word: &Word, org: &str) -> Result<bool, Error> {
    let any = super::plan::term_queries(&snapshot.fields, word, &Ranking::default());
    in_org(snapshot, Box::new(BooleanQuery::union(any)), org)
}

fn in_org(snapshot: &Snapshot, query: Box<dyn Query>, org: &str) -> Result<bool, Error> {
    let own = TermQuery::new(snapshot.fields.tag(org, Tag::Org), IndexRecordOption::Basic);
    let both = BooleanQuery::new(vec![(Occur::Must, Box::new(own)), (Occur::Must, query)]);
    let weight = both.weight(tantivy::query::EnableScoring::disabled_from_searcher(&snapshot.searcher))?;
    for reader in snapshot.searcher.segment_readers() {
        let mut scorer = weight.scorer(reader, 1.0)?;
        let alive = reader.alive_bitset();
        let mut doc = scorer.doc();
        while doc != tantivy::TERMINATED {
            if alive.is_none_or(|alive| alive.is_alive(doc)) {
                return Ok(true);
            }
            doc = scorer.advance();
        }
    }
    Ok(false)
}

/// Typing errors forgiven in a word.
fn forgiven(word: &str) -> u8 {
    if word.chars().count() >= MIN_LETTERS_FOR_TWO { 2 } else { 1 }
}

/// The terms of a field so many letters away that occur in the organisation.
fn near(snapshot: &Snapshot, field: Field, form: &str, errors: u8, org: &str) -> Result<Vec<String>, Error> {
    if form.chars().count() < MIN_LETTERS - 1 {
        return Ok(Vec::new());
    }
    let query = FuzzyTermQuery::new(Term::from_field_text(field, form), errors, true);
    let automaton = query.automaton()?;
    let mut found = BTreeSet::new();
    for reader in snapshot.searcher.segment_readers() {
        let inverted = reader.inverted_index(field)?;
        let mut terms =
            inverted.terms().search(&automaton).into_stream().map_err(tantivy::TantivyError::from)?;
        let mut left = MAX_LOOKED_AT;
        while left > 0 && terms.advance() {
            left -= 1;
            if let Ok(term) = std::str::from_utf8(terms.key()) {
                found.insert(term.to_owned());
            }
        }
    }
    let mut alive = Vec::new();
    for term in most_frequent(snapshot, field, found, org)? {
        let query = TermQuery::new(Term::from_field_text(field, &term), IndexRecordOption::Basic);
        if in_org(snapshot, Box::new(query), org)? {
            alive.push(term);
        }
    }
    Ok(alive)
}
