//! Asks about a batch, and about smaller ones where that may help: an answer that ran out of tokens, a question that was
//! too large, a refusal that may be about one engagement only.
//!
//! It neither waits nor asks the same twice; what stays unanswered says why.

use std::ops::Range;

use super::answer::Failure;
use super::endpoint::{Endpoint, Question};

/// What came of a batch.
#[derive(Debug)]
pub struct Outcome<T> {
    /// One for each part of the batch, in its order: what was said, why nothing was, or `None` where the budget did not
    /// allow to ask.
    pub parts: Vec<Option<Result<T, Failure>>>,
    /// Tokens spent.
    pub tokens: u64,
}

/// Asks about a batch of `size` parts: `question` makes the question about some of them, `read` reads the answer into
/// one result for each, `allows` says whether a question of so many tokens may still be asked.
pub async fn ask<T>(
    endpoint: &Endpoint,
    size: usize,
    question: impl Fn(Range<usize>) -> Question,
    read: impl Fn(&serde_json::Value, Range<usize>) -> Result<Vec<Result<T, Failure>>, Failure>,
    allows: impl Fn(u64) -> bool,
) -> Outcome<T> {
    let mut out = Outcome { parts: (0..size).map(|_| None).collect(), tokens: 0 };
    let mut open: Vec<Range<usize>> = std::iter::once(0..size).collect();
    while let Some(range) = open.pop().filter(|range| !range.is_empty()) {
        let question = question(range.clone());
        if !allows(out.tokens + question.tokens()) {
            continue;
        }
        let failure = match endpoint.ask(&question, |content| read(content, range.clone())).await {
            Ok(answered) => {
                out.tokens += answered.tokens;
                for (at, said) in range.zip(answered.said) {
                    out.parts[at] = Some(said);
                }
                continue;
            }
            Err((failure, tokens)) => {
                out.tokens += tokens;
                failure
            }
        };
        if range.len() > 1 && failure.calls_for_less() {
            let middle = range.start + range.len() / 2;
            open.push(middle..range.end);
            open.push(range.start..middle);
            continue;
        }
        range.for_each(|at| out.parts[at] = Some(Err(failure.clone())));
        if failure.stops_everything() {
            // The rest would only hear the same.
            for at in open.drain(..).flatten() {
                out.parts[at] = Some(Err(failure.clone()));
            }
        }
    }
    out
}
