//! What a language contributes to the portal: names, phrases and the wording of facts. One file per
//! language fills this struct; nothing here chooses or assembles.

/// A statement about a customer; `{}` takes the value.
#[derive(Debug)]
pub(crate) struct FactWording {
    pub(crate) attribute: Attribute,
    pub(crate) first: &'static str,
    /// How it is said after the value has changed.
    pub(crate) changed: &'static str,
}

/// What is known about a customer and may change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Attribute {
    AccountManager,
    RenewalMonth,
    Billing,
    Budget,
    DecisionMaker,
    Seats,
}

impl Attribute {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::AccountManager => "account_manager",
            Self::RenewalMonth => "renewal_month",
            Self::Billing => "billing",
            Self::Budget => "budget",
            Self::DecisionMaker => "decision_maker",
            Self::Seats => "seats",
        }
    }
}

/// Everything of one language.
#[derive(Debug)]
pub(crate) struct Lexicon {
    pub(crate) code: &'static str,
    pub(crate) first_names: &'static [&'static str],
    pub(crate) last_names: &'static [&'static str],
    pub(crate) cities: &'static [&'static str],
    pub(crate) jobs: &'static [&'static str],
    pub(crate) greetings: &'static [&'static str],
    pub(crate) closings: &'static [&'static str],
    pub(crate) subjects: &'static [&'static str],
    pub(crate) sentences: &'static [&'static str],
    pub(crate) facts: &'static [FactWording],
    pub(crate) months: &'static [&'static str],
    pub(crate) billing: &'static [&'static str],
    /// How the unique word is mentioned.
    pub(crate) reference: &'static str,
    /// `{date}`, `{name}`, `{mail}`.
    pub(crate) gmail_wrote: &'static str,
    pub(crate) apple_wrote: &'static str,
    /// From, Sent, To, Subject.
    pub(crate) outlook: [&'static str; 4],
    pub(crate) disclaimer: &'static str,
    pub(crate) sent_from: &'static str,
    /// Title, two paragraphs, unsubscribe line.
    pub(crate) newsletter: [&'static str; 4],
    /// Subject and text of an out-of-office answer.
    pub(crate) auto_reply: [&'static str; 2],
    /// Item, quantity, price.
    pub(crate) table: [&'static str; 3],
    /// Title words for calls, meetings, notes, tasks.
    pub(crate) titles: [&'static str; 4],
    pub(crate) next_steps: &'static [&'static str],
}
