//! `hublore search`

use clap::Args;

use super::{Failure, Global, output};
use crate::domain::clock::Millis;
use crate::knowledge::scope::Caller;
use crate::knowledge::search::{SearchAnswer, SearchRequest, WordMatch};

#[derive(Debug, Args)]
pub(super) struct Search {
    /// Words, "phrases", -excluded, prefix*, kind:, company:, customer:, owner:, after:, before:
    query: Vec<String>,
    /// Only this customer
    #[arg(long, value_name = "EMAIL")]
    customer: Option<String>,
    /// Only this company, by name or domain
    #[arg(long, value_name = "NAME")]
    company: Option<String>,
    /// Only this kind: email, note, call, meeting, form_submission; may be repeated
    #[arg(long = "kind", value_name = "K")]
    kinds: Vec<String>,
    /// Not before this day
    #[arg(long, value_name = "D", value_parser = moment)]
    since: Option<Millis>,
    /// Before this day
    #[arg(long, value_name = "D", value_parser = moment)]
    until: Option<Millis>,
    /// Number of hits, at most 100
    #[arg(long, value_name = "N", default_value_t = 10)]
    limit: usize,
    /// Say why each hit was found
    #[arg(long)]
    explain: bool,
    /// Also list documents of nearly the same words as a better hit
    #[arg(long)]
    copies: bool,
}

/// A day or moment, checked while parsing.
pub(super) fn moment(text: &str) -> Result<Millis, String> {
    Millis::of_date(text).ok_or_else(|| format!("`{text}` is not a date like 2026-03-01"))
}

pub(super) fn run(global: &Global, search: &Search) -> Result<(), Failure> {
    let reading = global.reading()?;
    let request = SearchRequest {
        query: search.query.join(" "),
        customer: search.customer.clone(),
        company: search.company.clone(),
        kinds: search.kinds.clone(),
        since: search.since,
        until: search.until,
        limit: Some(search.limit),
        cursor: None,
        explain: search.explain,
        copies: search.copies,
    };
    let answer = reading.search().run(&Caller::operator(reading.org.clone()), &request)?;
    for warning in &answer.warnings {
        output::warning(warning);
    }
    if global.json { output::json(&answer) } else { show(&answer) }
}

/// Which word was found as what, and where.
fn matched(found: &WordMatch) -> String {
    let name = found.name.as_deref().map(|name| format!(" ({})", output::plain(name))).unwrap_or_default();
    let written = found.written.as_deref().unwrap_or(&found.term);
    let error = match found.corrected {
        true => format!(", taken for a typing error: there it is {}", output::plain(written)),
        false => String::new(),
    };
    format!("{} as {} in {}{name}{error}", found.word, found.term, found.field)
}

pub(super) fn show(answer: &SearchAnswer) -> Result<(), Failure> {
    for (number, hit) in answer.hits.iter().enumerate() {
        output::line(&format!("{}. {}", number + 1, output::hit(hit)))?;
        if let Some(explain) = &hit.explain {
            for found in &explain.matches {
                output::line(&format!("     {:.2}  {}", found.score, matched(found)))?;
            }
            if let Some(cosine) = explain.meaning {
                output::line(&format!("     {cosine:.2}  nearness in meaning"))?;
            }
            for (name, factor) in &explain.factors {
                output::line(&format!("    x{factor:.3}  {name}"))?;
            }
        }
    }
    output::line(&format!("{} found in {} ms", answer.total, answer.took_ms))
}
