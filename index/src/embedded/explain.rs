//! Says of a hit which words matched where and what each added to its score.
//!
//! Computed for the hits of a page only, when asked for.

use super::candidate::Candidate;
use super::search::{Search, split};
use super::statistics::{Frozen, Statistics};
use crate::error::Error;
use crate::query::Lowered;
use crate::request::{Explain, Factor, Match};
use tantivy::Term;
use tantivy::query::{EnableScoring, Query, TermQuery};
use tantivy::schema::IndexRecordOption;

pub(crate) fn explain(
    search: &Search<'_>,
    lowered: &Lowered,
    frozen: &Frozen,
    candidate: &Candidate,
    now: Option<i64>,
) -> Result<Explain, Error> {
    let searcher = &search.snapshot.searcher;
    let fields = &search.snapshot.fields;
    let statistics = Statistics::new(searcher, fields, frozen, &lowered.words, search.ranking.length_scale);
    let reader = searcher.segment_reader(candidate.segment);
    let scoring = || EnableScoring::enabled_from_statistics_provider(&statistics, searcher);
    let mut matches = Vec::new();
    for word in lowered.words.iter().filter(|word| word.weight > 0.0) {
        for (field, name) in [(fields.title, "title"), (fields.text, "text"), (fields.names, "names")] {
            for form in word.forms_in(field == fields.names) {
                let term = Term::from_field_text(field, form);
                let query = TermQuery::new(term, IndexRecordOption::WithFreqs);
                let mut scorer =
                    query.weight(scoring())?.scorer(reader, search.ranking.weight(fields, field, word))?;
                if scorer.doc() <= candidate.doc && scorer.seek(candidate.doc) == candidate.doc {
                    matches.push(Match {
                        word: word.typed.clone(),
                        field: name,
                        term: form.clone(),
                        score: scorer.score(),
                        corrected: word.corrections.contains(form),
                    });
                }
            }
        }
    }
    matches.extend(lowered.phrases.iter().map(|phrase| Match {
        word: format!("\"{}\"", phrase.typed),
        field: "text",
        term: phrase.typed.clone(),
        score: 0.0,
        corrected: false,
    }));
    let all_words = split(candidate.score).1 > 0.0;
    let recency = search.factors.recency(candidate.place.occurred_at, now);
    let factors = [("recency", recency), ("kind", candidate.kind_factor)];
    let named = factors.into_iter().filter(|(_, value)| (value - 1.0).abs() > f32::EPSILON);
    let factors = named.map(|(name, value)| Factor { name, value }).collect();
    Ok(Explain { matches, all_words, filters: filters(search), factors, meaning: candidate.cosine })
}

fn filters(search: &Search<'_>) -> Vec<String> {
    let request = search.request;
    let mut out = vec!["own organisation".to_owned()];
    if search.scope.customer.is_some() {
        out.push("bound customer".to_owned());
    }
    if search.scope.include_unlinked {
        out.push("unlinked documents allowed".to_owned());
    }
    let mut list = |name: &str, keys: Option<&Vec<String>>| {
        if let Some(keys) = keys {
            out.push(format!("{name}: {}", keys.join(", ")));
        }
    };
    list("customer", request.customers.as_ref());
    list("company", request.companies.as_ref());
    list("owner", request.owners.as_ref());
    list("kind", Some(&request.kinds).filter(|kinds| !kinds.is_empty()));
    out.extend(request.since.map(|since| format!("since: {since}")));
    out.extend(request.until.map(|until| format!("until: {until}")));
    out
}
