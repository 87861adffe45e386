//! Notifications: what can be posted to people, and how often.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::engagement::{Decision, SkipReason};

/// What is posted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum NotificationType {
    /// An engagement that was seen for the first time.
    NewHubspotEngagement,
}

impl NotificationType {
    /// Every type.
    pub const ALL: [Self; 1] = [Self::NewHubspotEngagement];

    /// The name used everywhere outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::NewHubspotEngagement => "new_hubspot_engagement",
        }
    }

    /// The type of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

impl fmt::Display for NotificationType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How often messages go out.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cadence {
    /// As soon as there is something to tell.
    #[default]
    AtOnce,
    /// A digest at every full hour.
    Hourly,
    /// A digest once a day.
    Daily,
}

impl Cadence {
    /// Every cadence.
    pub const ALL: [Self; 3] = [Self::AtOnce, Self::Hourly, Self::Daily];

    /// The name used everywhere outside.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AtOnce => "at_once",
            Self::Hourly => "hourly",
            Self::Daily => "daily",
        }
    }

    /// The cadence of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// The longest a notification waits for its digest, milliseconds.
    #[must_use]
    pub fn period_ms(self) -> i64 {
        const HOUR_MS: i64 = 60 * 60 * 1000;
        match self {
            Self::AtOnce => 0,
            Self::Hourly => HOUR_MS,
            Self::Daily => 25 * HOUR_MS,
        }
    }
}

/// What a decision means for people who are told of new engagements.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// They are told.
    Told,
    /// They are told once it is learned.
    Waits,
    /// They are not: a rule keeps it out, it is noise, or nobody could read what the rules would say about it.
    Kept,
}

impl Telling {
    /// What follows from a decision and its reason.
    #[must_use]
    pub fn of(decision: &str, reason: Option<SkipReason>) -> Self {
        match (decision, reason) {
            ("learned", _) => Self::Told,
            ("held", _) => Self::Waits,
            // The rules let a copy through, and have nothing to say about an engagement without words.
            (_, Some(SkipReason::NearCopy | SkipReason::EmptyBody)) => Self::Told,
            _ => Self::Kept,
        }
    }

    /// The same of a decision just made.
    #[must_use]
    pub fn of_decision(decision: &Decision) -> Self {
        Self::of(decision.as_str(), decision.cause().0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_no_rule_keeps_out_and_what_is_no_noise_is_told() {
        let told: Vec<&str> = SkipReason::ALL
            .into_iter()
            .filter(|reason| Telling::of("skipped", Some(*reason)) == Telling::Told)
            .map(SkipReason::as_str)
            .collect();
        assert_eq!(told, ["empty_body", "near_copy"]);
        assert_eq!(Telling::of_decision(&Decision::Learned), Telling::Told);
        let held = Decision::Held { reason: SkipReason::Unsure, rule: None };
        assert_eq!(Telling::of_decision(&held), Telling::Waits);
    }
}
