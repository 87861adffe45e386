//! The twenty kinds of insight, their slots and whom they are about.
//!
//! Only names and fixed properties: how a kind is recognised is the distiller's business.

/// What an insight is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[expect(missing_docs, reason = "each variant is described by `Kind::describes`")]
pub enum Kind {
    Billing,
    Renewal,
    Budget,
    DecisionMaker,
    ContactRole,
    AccountOwner,
    ContactChannel,
    Preference,
    ProductUse,
    Environment,
    Competitor,
    PainPoint,
    FeatureRequest,
    Objection,
    Commitment,
    Milestone,
    Plan,
    Sentiment,
    Escalation,
    Compliance,
}

const TABLE: [(Kind, &str, &str); 20] = [
    (Kind::Billing, "billing", "invoice frequency, format, address, tax number, order number, payment"),
    (Kind::Renewal, "renewal", "end of the contract, notice, term, extension"),
    (Kind::Budget, "budget", "money available or agreed, limits"),
    (Kind::DecisionMaker, "decision_maker", "who decides, signs, approves or blocks"),
    (Kind::ContactRole, "contact_role", "a person's job, arrival, departure or replacement"),
    (Kind::AccountOwner, "account_owner", "who on our side looks after the customer"),
    (Kind::ContactChannel, "contact_channel", "how, when and whom to contact, and when not to"),
    (Kind::Preference, "preference", "how the customer wants something done"),
    (Kind::ProductUse, "product_use", "plan, seats, modules and usage of our product"),
    (Kind::Environment, "environment", "their other systems, devices, processes and sizes"),
    (Kind::Competitor, "competitor", "another product they use, compare or left"),
    (Kind::PainPoint, "pain_point", "a problem or complaint"),
    (Kind::FeatureRequest, "feature_request", "something they want the product to do"),
    (Kind::Objection, "objection", "a reason not to buy or sign"),
    (Kind::Commitment, "commitment", "a promise or next step with an owner"),
    (Kind::Milestone, "milestone", "a dated event, deadline or absence"),
    (Kind::Plan, "plan", "where the customer is going: sites, hires, mergers, goals"),
    (Kind::Sentiment, "sentiment", "stated satisfaction or annoyance"),
    (Kind::Escalation, "escalation", "a threat to leave, to escalate, to go public or to law"),
    (Kind::Compliance, "compliance", "a legal, security or certification requirement"),
];

/// Slots that hold one value at a time: a later value takes the place of an earlier one.
const SINGLE_VALUED: [&str; 18] = [
    "account_owner.owner",
    "billing.address",
    "billing.due_day",
    "billing.frequency",
    "billing.method",
    "billing.po",
    "billing.tax_id",
    "billing.terms",
    "budget.cap",
    "contact_channel.channel",
    "contact_channel.hours",
    "contact_channel.never",
    "decision_maker.final",
    "product_use.plan",
    "product_use.seats",
    "renewal.end",
    "renewal.notice",
    "renewal.term",
];

impl Kind {
    /// Every kind, in the order of the contract.
    pub const ALL: [Self; 20] = {
        let mut all = [Self::Billing; 20];
        let mut n = 0;
        while n < 20 {
            all[n] = TABLE[n].0;
            n += 1;
        }
        all
    };

    /// The name used in rows, filters and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        TABLE[self as usize].1
    }

    /// What it is used for, in half a sentence.
    #[must_use]
    pub fn describes(self) -> &'static str {
        TABLE[self as usize].2
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.1 == name).map(|row| row.0)
    }

    /// Whether an insight of this kind is about a person before it is about the company.
    #[must_use]
    pub fn is_personal(self) -> bool {
        matches!(self, Self::ContactChannel | Self::Sentiment | Self::Escalation)
    }
}

/// Whether a slot holds one value at a time.
#[must_use]
pub fn is_single_valued(slot: &str) -> bool {
    SINGLE_VALUED.binary_search(&slot).is_ok()
}

/// Every slot that holds one value at a time.
pub fn single_valued() -> impl Iterator<Item = &'static str> {
    SINGLE_VALUED.into_iter()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_in_the_order_of_the_enum() {
        for (n, kind) in Kind::ALL.into_iter().enumerate() {
            assert_eq!(kind as usize, n);
            assert_eq!(Kind::parse(kind.as_str()), Some(kind));
            assert!(!kind.describes().is_empty());
        }
        assert_eq!(Kind::parse("gossip"), None);
    }

    #[test]
    fn single_valued_slots_are_sorted_and_belong_to_kinds() {
        assert!(SINGLE_VALUED.is_sorted());
        assert!(SINGLE_VALUED.iter().all(|s| s.split('.').next().and_then(Kind::parse).is_some()));
        assert!(is_single_valued("renewal.end") && !is_single_valued("plan.event"));
    }
}
