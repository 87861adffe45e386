//! How many tokens may be spent: per day, per customer and day, per sync. Nought is no limit.

/// Limits, in tokens.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Budget {
    /// Per day, all customers together.
    pub day: u64,
    /// Per customer and day.
    pub customer: u64,
    /// Between the start of one sync and that of the next.
    pub sync: u64,
}

/// What was spent so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Spent {
    /// Today.
    pub day: u64,
    /// Today, on the customer in question.
    pub customer: u64,
    /// Since the last sync began.
    pub sync: u64,
}

impl Budget {
    /// Whether a question of about `tokens` may still be asked.
    #[must_use]
    pub fn allows(self, spent: Spent, tokens: u64) -> bool {
        let within = |limit: u64, spent: u64| limit == 0 || spent.saturating_add(tokens) <= limit;
        within(self.day, spent.day) && within(self.customer, spent.customer) && within(self.sync, spent.sync)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_limit_holds_by_itself() {
        let budget = Budget { day: 100, customer: 50, sync: 80 };
        let spent = Spent { day: 40, customer: 10, sync: 40 };
        assert!(budget.allows(spent, 40));
        assert!(!budget.allows(spent, 41), "sync and customer");
        assert!(!budget.allows(Spent { day: 90, ..Spent::default() }, 11));
        assert!(Budget::default().allows(Spent { day: u64::MAX, ..spent }, u64::MAX), "no limit");
    }
}
