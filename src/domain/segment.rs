//! Segments: saved filters over contacts and companies, also by the deals they take part in.
//!
//! Not here: who is in a segment (`store::segments` computes it on read) and how it is saved (`segments`).

use serde::{Deserialize, Serialize};

use super::clock::Millis;

/// Whom a segment holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Members {
    /// People.
    Contacts,
    /// Organisations.
    Companies,
}

/// How a deal stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DealState {
    /// In a stage that is not closed.
    Open,
    /// In a closed stage with a chance of winning.
    Won,
    /// In a closed stage without one.
    Lost,
}

impl DealState {
    /// The name used in filters.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Won => "won",
            Self::Lost => "lost",
        }
    }
}

/// What a deal must be like; every condition given must hold for the same deal.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct DealFilter {
    /// Id or label of the pipeline.
    pub pipeline: Option<String>,
    /// Id or label of the stage.
    pub stage: Option<String>,
    /// Open, won or lost.
    pub state: Option<DealState>,
    /// At least this amount, in the deal's own currency.
    pub amount_min: Option<f64>,
    /// At most this amount, in the deal's own currency.
    pub amount_max: Option<f64>,
    /// Closes on or after this moment.
    pub close_after: Option<Millis>,
    /// Closes before this moment.
    pub close_before: Option<Millis>,
    /// Created on or after this moment.
    pub created_after: Option<Millis>,
    /// Created before this moment.
    pub created_before: Option<Millis>,
    /// Id, address or name of the deal's owner.
    pub owner: Option<String>,
}

/// Who belongs to a segment; every condition given must hold.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SegmentFilter {
    /// Contacts or companies.
    pub members: Members,
    /// Takes part in a deal like this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub has_deal: Option<DealFilter>,
    /// Lifecycle stage.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lifecycle_stage: Option<String>,
    /// Id, address or name of the owner.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub owner: Option<String>,
    /// One further property, by HubSpot's internal name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub property: Option<PropertyFilter>,
}

/// A property and the value it must have, compared without regard to ASCII case.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PropertyFilter {
    /// HubSpot's internal name.
    pub name: String,
    /// Value.
    pub value: String,
}

/// A filter that can hold nobody; the text says why.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NotAFilter(String);

impl SegmentFilter {
    /// Refuses filters that no record can meet.
    ///
    /// # Errors
    /// The first condition that cannot hold, in words.
    pub fn check(&self) -> Result<(), NotAFilter> {
        let texts = [&self.lifecycle_stage, &self.owner];
        let deal = self.has_deal.as_ref();
        let of_deal = deal.map(|deal| [&deal.pipeline, &deal.stage, &deal.owner]);
        let mut all = texts.into_iter().chain(of_deal.into_iter().flatten()).flatten();
        if all.any(|text| text.trim().is_empty()) {
            return refuse("a condition is empty; leave it out instead");
        }
        if self.property.as_ref().is_some_and(|one| one.name.trim().is_empty()) {
            return refuse("a property needs a name, like `industry`");
        }
        deal.map_or(Ok(()), DealFilter::check)
    }
}

impl DealFilter {
    fn check(&self) -> Result<(), NotAFilter> {
        let amounts = [self.amount_min, self.amount_max];
        if amounts.iter().flatten().any(|amount| !amount.is_finite()) {
            return refuse("an amount is a number like 5000");
        }
        if matches!(amounts, [Some(least), Some(most)] if least > most) {
            return refuse("the least amount is above the greatest");
        }
        let spans = [(self.close_after, self.close_before), (self.created_after, self.created_before)];
        if spans.iter().any(|span| matches!(span, (Some(from), Some(to)) if from >= to)) {
            return refuse("a span of time ends before it starts");
        }
        Ok(())
    }
}

fn refuse(text: &str) -> Result<(), NotAFilter> {
    Err(NotAFilter(text.to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn filter(json: &str) -> Result<SegmentFilter, String> {
        let filter: SegmentFilter = serde_json::from_str(json).map_err(|error| error.to_string())?;
        filter.check().map(|()| filter).map_err(|error| error.to_string())
    }

    #[test]
    fn filters_that_hold_nobody_are_refused_by_name() {
        assert!(filter(r#"{"members":"contacts","has_deal":{"state":"open","amount_min":5}}"#).is_ok());
        for (json, said) in [
            (r#"{"members":"contacts","owner":" "}"#, "empty"),
            (r#"{"members":"contacts","has_deal":{"amount_min":9,"amount_max":1}}"#, "least"),
            (
                r#"{"members":"companies","has_deal":{"close_after":"2026-02-01","close_before":"2026-01-01"}}"#,
                "ends before",
            ),
            (r#"{"members":"companies","property":{"name":"","value":"x"}}"#, "name"),
            (r#"{"members":"deals"}"#, "unknown variant"),
            (r#"{"members":"contacts","has_deal":{"colour":"red"}}"#, "unknown field"),
        ] {
            let refused = filter(json).unwrap_err();
            assert!(refused.contains(said), "{json}: {refused}");
        }
    }
}
