//! Finds the terms of the index that a prefix or a mistyped word may stand for.
//!
//! Bounded: at most [`MAX_TERMS`] terms a word, the most frequent ones.

use super::filter::Filter;
use super::ranking::Ranking;
use super::schema::Tag;
use super::search::Forgiveness;
use super::snapshot::Snapshot;
use super::statistics::{Frozen, Own};
use crate::analysis::{Forms, Kind, Piece, is_stop_word};
use crate::error::Error;
use crate::query::{Lowered, Word, slips};
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

/// Letters of the longest word whose slips are tried: they grow with its length, and no language's words are longer often.
const MAX_LETTERS_FOR_SLIPS: usize = 24;

/// Words of a query whose slips are tried; the others are compared by their terms alone.
const MAX_SLIPPED_WORDS: usize = 8;

/// Share of a corrected word in the score, beside words found as typed.
const CORRECTED_WEIGHT: f32 = 0.7;

/// Adds the terms of the organisation that begin like each prefix.
pub(crate) fn prefixes(own: &Own<'_>, lowered: &mut Lowered) -> Result<(), Error> {
    let fields = &own.snapshot.fields;
    for word in lowered.words.iter_mut().chain(&mut lowered.not_words) {
        if !word.prefix {
            continue;
        }
        let typed = word.typed.clone();
        let in_text = beginning(own, fields.text, &typed)?;
        let in_names = beginning(own, fields.names, &typed)?;
        extend(&mut word.forms, in_text);
        extend(&mut word.name_forms, in_names);
    }
    Ok(())
}

/// Leaves out the parts of exact things that are in the organisation as typed: who types
/// a whole reference wants that one, not all that begin like it.
pub(crate) fn exact_things(own: &Own<'_>, lowered: &mut Lowered) -> Result<(), Error> {
    let mut found = Vec::new();
    for word in &lowered.words {
        let whole = lowered.words.iter().any(|part| part.part_of.as_ref() == Some(&word.typed));
        if whole && word.part_of.is_none() && occurs(own, word)? {
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

fn beginning(own: &Own<'_>, field: Field, prefix: &str) -> Result<Vec<String>, Error> {
    let mut terms: BTreeSet<String> = BTreeSet::new();
    let mut end = prefix.to_owned();
    end.push(char::MAX);
    for reader in own.snapshot.searcher.segment_readers() {
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
    most_frequent(own, field, terms)
}

/// The terms that the organisation uses most. What others use must not show here, so every
/// term is counted within the organisation.
fn most_frequent(own: &Own<'_>, field: Field, terms: BTreeSet<String>) -> Result<Vec<String>, Error> {
    let mut counted = Vec::new();
    for term in terms {
        let frequency = own.frequency(&Term::from_field_text(field, &term))?;
        if frequency > 0 {
            counted.push((term, frequency));
        }
    }
    counted.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    counted.truncate(MAX_TERMS);
    Ok(counted.into_iter().map(|(term, _)| term).collect())
}

/// Whether a word that may be mistyped is nowhere in the organisation.
pub(crate) fn missing_words(own: &Own<'_>, lowered: &Lowered, frozen: &Frozen) -> Result<bool, Error> {
    for (number, word) in lowered.words.iter().enumerate().filter(|(_, word)| correctable(word)) {
        if !is_there(own, word, frozen.most_often(number))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a word is in a passage that is not deleted. With more passages than are deleted in all
/// it must be; else they are looked at.
fn is_there(own: &Own<'_>, word: &Word, frequency: u64) -> Result<bool, Error> {
    Ok(frequency > 0 && (frequency > own.deleted() || occurs(own, word)?))
}

/// Looks up words that are nowhere in the organisation as terms a letter or two away, and
/// returns those.
pub(crate) fn corrections(
    own: &Own<'_>,
    lowered: &mut Lowered,
    forgiveness: Forgiveness,
) -> Result<Vec<String>, Error> {
    let fields = &own.snapshot.fields;
    let mut all = Vec::new();
    let mut slips_left = MAX_SLIPPED_WORDS;
    for word in lowered.words.iter_mut().filter(|word| correctable(word)) {
        if forgiveness == Forgiveness::Missing && occurs(own, word)? {
            continue;
        }
        let (mut in_text, mut in_names) = (Vec::new(), Vec::new());
        for errors in 1..=forgiven(&word.typed) {
            if errors == 1 && slips_left > 0 && word.typed.chars().count() <= MAX_LETTERS_FOR_SLIPS {
                slips_left -= 1;
                in_text = slipped(own, &word.typed)?;
            }
            if in_text.is_empty() {
                let forms: BTreeSet<&String> = std::iter::once(&word.typed).chain(&word.forms).collect();
                for form in forms {
                    extend(&mut in_text, near(own, fields.text, form, errors)?);
                }
            }
            in_names = near(own, fields.names, &word.typed, errors)?;
            if !in_text.is_empty() || !in_names.is_empty() {
                break;
            }
        }
        if in_text.is_empty() && in_names.is_empty() {
            continue;
        }
        word.weight *= CORRECTED_WEIGHT;
        all.extend(in_text.iter().chain(&in_names).cloned());
        let is_new = |term: &&String| !word.forms.contains(term) && !word.name_forms.contains(term);
        word.corrections = in_text.iter().chain(&in_names).filter(is_new).cloned().collect();
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

fn occurs(own: &Own<'_>, word: &Word) -> Result<bool, Error> {
    let any = super::plan::term_queries(&own.snapshot.fields, word, &Ranking::default());
    in_org(own.snapshot, Box::new(BooleanQuery::union(any)), own.org)
}

fn in_org(snapshot: &Snapshot, query: Box<dyn Query>, org: &str) -> Result<bool, Error> {
    let own = Filter(snapshot.fields.tag(org, Tag::Org));
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
fn near(own: &Own<'_>, field: Field, form: &str, errors: u8) -> Result<Vec<String>, Error> {
    if form.chars().count() < MIN_LETTERS - 1 {
        return Ok(Vec::new());
    }
    let query = FuzzyTermQuery::new(Term::from_field_text(field, form), errors, true);
    let automaton = query.automaton()?;
    let mut found = BTreeSet::new();
    for reader in own.snapshot.searcher.segment_readers() {
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
    alive(own, field, found)
}

/// The terms in texts of the words one slip away from a typed one, in any language of the organisation. Words without
/// meaning are not what anybody looks for.
fn slipped(own: &Own<'_>, typed: &str) -> Result<Vec<String>, Error> {
    let words = slips(typed);
    let mut terms = BTreeSet::new();
    let (mut first, mut second) = (String::new(), String::new());
    for language in &own.counts.languages {
        let mut forms = Forms::direct(*language);
        for word in words.iter().filter(|word| !is_stop_word(*language, word)) {
            let piece = Piece { from: 0, to: word.len(), kind: Kind::Word, position: 0 };
            forms.of(word, piece, &mut first, &mut second);
            terms.extend([&first, &second].into_iter().filter(|term| !term.is_empty()).cloned());
        }
    }
    let field = own.snapshot.fields.text;
    let mut found = BTreeSet::new();
    for reader in own.snapshot.searcher.segment_readers() {
        let inverted = reader.inverted_index(field)?;
        for term in &terms {
            if inverted.terms().get(term).map_err(tantivy::TantivyError::from)?.is_some() {
                found.insert(term.clone());
            }
        }
    }
    alive(own, field, found)
}

/// Those of some terms that are in passages of the organisation which are not deleted.
fn alive(own: &Own<'_>, field: Field, found: BTreeSet<String>) -> Result<Vec<String>, Error> {
    let mut alive = Vec::new();
    for term in most_frequent(own, field, found)? {
        let query = TermQuery::new(Term::from_field_text(field, &term), IndexRecordOption::Basic);
        if in_org(own.snapshot, Box::new(query), own.org)? {
            alive.push(term);
        }
    }
    Ok(alive)
}
