//! A record to be created: its values, how it is found again when the answer to its creation gets lost, and how it is
//! told whether somebody changed it since.

use std::collections::BTreeMap;

use sha2::{Digest, Sha256};

use super::customer::Address;
use crate::domain::clock::Millis;
use crate::hubspot::writes::{Values, Written};
use crate::store::executions::Execution;

/// A record to be created.
#[derive(Debug, Clone)]
pub(super) struct Draft {
    pub(super) what: Written,
    /// Whom it is tied to.
    pub(super) contact: Option<Address>,
    /// Without the contact it would be tied to nobody and shown nowhere.
    pub(super) contact_needed: bool,
    pub(super) values: Values,
    /// Its own time, where that tells it from all others.
    pub(super) stamp: Option<Millis>,
    /// It belongs to whoever owns the contact.
    pub(super) owner_of_contact: bool,
    /// It is tied to the primary company of the contact, too.
    pub(super) company_of_contact: bool,
}

/// The property that carries the reference to the execution; a note needs none, its time is its own.
fn marked(what: Written) -> Option<&'static str> {
    match what {
        Written::Deal => Some("description"),
        Written::Task => Some("hs_task_body"),
        Written::Note => None,
    }
}

impl Draft {
    /// Adds who made it, with the execution to ask about: people see where a record comes from, and so do we.
    pub(super) fn sign(&mut self, agent: &str, execution: &str) {
        let Some(name) = marked(self.what) else { return };
        let agent: String = agent.chars().filter(|c| !c.is_control()).collect();
        let line = format!("Created by the agent {agent} through hublore ({execution})");
        let value = self.values.entry(name.to_owned()).or_default();
        match self.what {
            Written::Task => {
                let gap = if value.is_empty() { "" } else { "<br><br>" };
                *value = format!("{value}{gap}{}", super::markup::of(&line, 1_000));
            }
            _ => *value = line,
        }
    }
}

/// Properties that tell whether a record is the one an execution sent.
pub(super) fn names(what: Written) -> &'static [&'static str] {
    match what {
        Written::Deal => &["description"],
        Written::Task => &["hs_task_body"],
        Written::Note => &["hs_timestamp"],
    }
}

/// This record is the one that an execution sent.
pub(super) fn is_of(what: Written, values: &Values, execution: &Execution) -> bool {
    match marked(what) {
        Some(name) => values.get(name).is_some_and(|value| value.contains(&execution.id)),
        None => {
            let at = values.get("hs_timestamp").and_then(|text| Millis::parse(text));
            at.is_some() && at == execution.stamp
        }
    }
}

/// A value in the one form in which it is compared: HubSpot writes times in several.
fn canonical(name: &str, value: &str) -> String {
    match name {
        "hs_timestamp" | "closedate" => {
            Millis::parse(value).map_or_else(|| value.to_owned(), |at| at.0.to_string())
        }
        "amount" => {
            value.trim().parse::<f64>().map_or_else(|_| value.to_owned(), |number| number.to_string())
        }
        _ => value.to_owned(),
    }
}

fn hash(name: &str, value: &str) -> String {
    let digest = Sha256::digest(canonical(name, value).as_bytes());
    digest.iter().take(16).map(|byte| format!("{byte:02x}")).collect()
}

/// What was written as hashes: enough to see a change, nothing to read. What HubSpot echoed counts before what was sent.
pub(super) fn hashes(sent: &Values, echoed: &Values) -> String {
    let one = |(name, value): (&String, &String)| {
        let kept = echoed.get(name).unwrap_or(value);
        (name.clone(), hash(name, kept))
    };
    let all: BTreeMap<String, String> = sent.iter().map(one).collect();
    serde_json::to_string(&all).unwrap_or_default()
}

/// The names in stored hashes.
pub(super) fn hashed(written: &str) -> BTreeMap<String, String> {
    serde_json::from_str(written).unwrap_or_default()
}

/// The first property that is not as it was written.
pub(super) fn changed(written: &BTreeMap<String, String>, now: &Values) -> Option<String> {
    let differs = |(name, before): &(&String, &String)| {
        now.get(*name).is_none_or(|value| hash(name, value) != **before)
    };
    written.iter().find(differs).map(|(name, _)| name.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_is_seen_and_another_way_of_writing_is_none() {
        let values = |amount: &str, at: &str| -> Values {
            [("amount".to_owned(), amount.to_owned()), ("closedate".to_owned(), at.to_owned())].into()
        };
        let sent = values("1200", "2026-12-01T00:00:00Z");
        let written = hashed(&hashes(&sent, &Values::new()));
        assert_eq!(changed(&written, &values("1200.00", "2026-12-01T00:00:00.000Z")), None);
        assert_eq!(changed(&written, &values("1300", "2026-12-01T00:00:00Z")), Some("amount".to_owned()));
        assert_eq!(changed(&written, &Values::new()), Some("amount".to_owned()));
        let echoed = values("1250", "2026-12-01T00:00:00Z");
        assert_eq!(changed(&hashed(&hashes(&sent, &echoed)), &echoed), None, "what HubSpot made of it");
    }
}
