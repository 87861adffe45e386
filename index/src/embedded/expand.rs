//! Finds the terms of the index that a prefix or a mistyped word may stand for.
//!
//! Bounded: at most [`MAX_TERMS`] terms a word, the most frequent ones.

use super::ranking::Ranking;
use super::schema::Tag;
use super::search::Forgiveness;
use super::snapshot::Snapshot;
use crate::error::Error;
use crate::query::{Lowered, Word};
use std::collections::HashMap;
use tantivy::Term;
use tantivy::query::{BooleanQuery, FuzzyTermQuery, Occur, Query, TermQuery};
use tantivy::schema::{Field, IndexRecordOption};

/// Most terms one word is looked up as.
const MAX_TERMS: usize = 48;

/// Most terms of a dictionary that are looked at for one prefix.
const MAX_LOOKED_AT: usize = 4096;

/// Shortest word in which a typing error is forgiven.
const MIN_LETTERS: usize = 5;

/// Share of a corrected word in the score, beside words found as typed.
const CORRECTED_WEIGHT: f32 = 0.7;

/// Adds the terms that begin like each prefix.
pub(crate) fn prefixes(snapshot: &Snapshot, lowered: &mut Lowered) -> Result<(), Error> {
    for word in lowered.words.iter_mut().chain(&mut lowered.not_words) {
        if !word.prefix {
            continue;
        }
        let typed = word.typed.clone();
        let in_text = beginning(snapshot, &[snapshot.fields.text], &typed)?;
        let in_names = beginning(snapshot, &[snapshot.fields.names], &typed)?;
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

fn beginning(snapshot: &Snapshot, fields: &[Field], prefix: &str) -> Result<Vec<String>, Error> {
    let mut counts: HashMap<String, u64> = HashMap::new();
    let mut end = prefix.to_owned();
    end.push(char::MAX);
    for reader in snapshot.searcher.segment_readers() {
        for field in fields {
            let inverted = reader.inverted_index(*field)?;
            let mut terms = inverted
                .terms()
                .range()
                .ge(prefix)
                .lt(&end)
                .into_stream()
                .map_err(tantivy::TantivyError::from)?;
            let mut left = MAX_LOOKED_AT;
            while left > 0 && terms.advance() {
                left -= 1;
                if let Ok(term) = std::str::from_utf8(terms.key()) {
                    *counts.entry(term.to_owned()).or_default() += u64::from(terms.value().doc_freq);
                }
            }
        }
    }
    Ok(most_frequent(counts))
}

fn most_frequent(counts: HashMap<String, u64>) -> Vec<String> {
    let mut terms: Vec<(String, u64)> = counts.into_iter().collect();
    terms.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    terms.truncate(MAX_TERMS);
    terms.into_iter().map(|(term, _)| term).collect()
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

/// Looks up words that are nowhere in the organisation as terms one letter away, and
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
        let mut in_text = HashMap::new();
        for form in std::iter::once(&word.typed).chain(&word.forms) {
            near(snapshot, fields.text, form, org, &mut in_text)?;
        }
        let mut in_names = HashMap::new();
        near(snapshot, fields.names, &word.typed, org, &mut in_names)?;
        let (in_text, in_names) = (most_frequent(in_text), most_frequent(in_names));
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

/// Adds the terms of a field at most one letter away that occur in the organisation.
fn near(
    snapshot: &Snapshot,
    field: Field,
    form: &str,
    org: &str,
    counts: &mut HashMap<String, u64>,
) -> Result<(), Error> {
    if form.chars().count() < MIN_LETTERS - 1 {
        return Ok(());
    }
    let query = FuzzyTermQuery::new(Term::from_field_text(field, form), 1, true);
    let automaton = query.automaton()?;
    let mut found: HashMap<String, u64> = HashMap::new();
    for reader in snapshot.searcher.segment_readers() {
        let inverted = reader.inverted_index(field)?;
        let mut terms =
            inverted.terms().search(&automaton).into_stream().map_err(tantivy::TantivyError::from)?;
        while terms.advance() {
            if let Ok(term) = std::str::from_utf8(terms.key()) {
                *found.entry(term.to_owned()).or_default() += u64::from(terms.value().doc_freq);
            }
        }
    }
    for term in most_frequent(found.clone()) {
        let query = TermQuery::new(Term::from_field_text(field, &term), IndexRecordOption::Basic);
        if in_org(snapshot, Box::new(query), org)? {
            let frequency = found.get(&term).copied().unwrap_or(0);
            counts.entry(term).and_modify(|c| *c = (*c).max(frequency)).or_insert(frequency);
        }
    }
    Ok(())
}
