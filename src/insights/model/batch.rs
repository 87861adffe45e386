//! What is asked together: engagements of one customer, at most eight or six thousand tokens at a time.
//!
//! Only the order and the grouping; what a batch may cost is `budget`.

/// Most engagements of one question.
pub const MOST_ENGAGEMENTS: usize = 8;
/// Most tokens of what one question shows.
pub const MOST_TOKENS: u64 = 6_000;

/// What is waiting, as far as grouping depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting<T> {
    /// The customer it belongs to.
    pub customer: String,
    /// Tokens it takes to show.
    pub tokens: u64,
    /// Whatever is to be asked about.
    pub what: T,
}

/// Groups what is waiting into batches, each of one customer; within a batch and between batches the order in which
/// things came is kept.
#[must_use]
pub fn plan<T>(waiting: Vec<Waiting<T>>) -> Vec<Vec<Waiting<T>>> {
    let mut batches: Vec<(u64, Vec<Waiting<T>>)> = Vec::new();
    for one in waiting {
        let fits = |(tokens, batch): &&mut (u64, Vec<Waiting<T>>)| {
            batch.first().is_some_and(|first| first.customer == one.customer)
                && batch.len() < MOST_ENGAGEMENTS
                && *tokens + one.tokens <= MOST_TOKENS
        };
        match batches.iter_mut().find(fits) {
            Some((tokens, batch)) => {
                *tokens += one.tokens;
                batch.push(one);
            }
            None => batches.push((one.tokens, vec![one])),
        }
    }
    batches.into_iter().map(|(_, batch)| batch).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    proptest::proptest! {
        #[test]
        fn nothing_is_lost_nothing_mixed_nothing_too_large(
            sizes in proptest::collection::vec((0_u8..4, 1_u64..7_000), 0..60),
        ) {
            let waiting = sizes.iter().enumerate().map(|(what, (customer, tokens))| Waiting {
                customer: customer.to_string(), tokens: *tokens, what,
            });
            let batches = plan(waiting.collect());
            let mut seen: Vec<usize> = batches.iter().flatten().map(|one| one.what).collect();
            seen.sort_unstable();
            proptest::prop_assert_eq!(seen, (0..sizes.len()).collect::<Vec<_>>());
            for batch in batches {
                let tokens: u64 = batch.iter().map(|one| one.tokens).sum();
                proptest::prop_assert!(batch.len() <= MOST_ENGAGEMENTS);
                proptest::prop_assert!(tokens <= MOST_TOKENS || batch.len() == 1);
                proptest::prop_assert!(batch.iter().all(|one| one.customer == batch[0].customer));
                proptest::prop_assert!(batch.is_sorted_by_key(|one| one.what));
            }
        }
    }
}
