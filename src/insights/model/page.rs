//! One engagement as it is shown to a model: numbered clauses with secrets masked, a date, who wrote it.
//!
//! What cannot become a fact (questions, imagined cases, other people, private matters, orders to machines) is not
//! shown at all. The numbers lead back to the words; the page itself is never stored.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::VERSION;
use super::facts::Item;
use crate::insights::dates::Day;
use crate::insights::extractive::proposal::{self, Clause};
use crate::insights::instructions::Instructions;
use crate::insights::{Direction, Draft, Source};
use crate::text::secrets;

/// Most tokens of one engagement that are shown; the extractive result stands for the rest.
const MOST_TOKENS: u64 = 6_000;

/// An engagement ready to be asked about.
#[derive(Debug, Clone)]
pub struct Page {
    subject: Option<String>,
    date: String,
    from: &'static str,
    texts: Vec<String>,
    places: Vec<Clause>,
    tokens: u64,
}

impl Page {
    /// What may be shown of an engagement.
    #[must_use]
    pub fn of(source: &Source<'_>) -> Self {
        let subject = source.title.map(secrets::mask).filter(|title| !title.trim().is_empty());
        let mut page = Self {
            tokens: 30 + subject.as_deref().map_or(0, tokens),
            subject,
            date: Day::of_ms(source.occurred_at_ms).to_string(),
            from: match source.direction {
                Direction::Incoming => "customer",
                Direction::Outgoing => "us, to the customer",
                Direction::Internal => "us, a note",
            },
            texts: Vec::new(),
            places: Vec::new(),
        };
        // A secret may reach over several clauses: it is masked where it stands in the whole part.
        let found: Vec<Vec<secrets::Secret>> = source.parts.iter().map(|part| secrets::find(part)).collect();
        for place in proposal::clauses(source) {
            let Some(part) = source.parts.get(place.part) else { continue };
            let text = masked(part, &place, &found[place.part]);
            let cost = tokens(&text) + 8;
            if page.tokens + cost > MOST_TOKENS {
                break;
            }
            page.tokens += cost;
            page.texts.push(text);
            page.places.push(place);
        }
        page
    }

    /// There is nothing to ask about.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.texts.is_empty()
    }

    /// How many clauses there are to choose from.
    #[must_use]
    pub fn clauses(&self) -> usize {
        self.texts.len()
    }

    /// Tokens it takes to show, estimated.
    #[must_use]
    pub fn tokens(&self) -> u64 {
        self.tokens
    }

    /// What the answer about this page depends on: the model, what is shown, and the instructions.
    #[must_use]
    pub fn key(&self, model: &str, instructions: &Instructions) -> [u8; 32] {
        let mut hasher = Sha256::new();
        let mut field = |text: &str| {
            hasher.update(text.len().to_le_bytes());
            hasher.update(text.as_bytes());
        };
        field(&VERSION.to_string());
        field(model);
        field(self.subject.as_deref().unwrap_or_default());
        field(&self.date);
        field(self.from);
        self.texts.iter().for_each(|text| field(text));
        field("|");
        instructions.texts().for_each(field);
        hasher.finalize().into()
    }

    /// The page as JSON data, as engagement number `e` of a question.
    #[must_use]
    pub fn shown(&self, e: usize) -> Value {
        let clause = |(n, text): (usize, &String)| json!({"n": n + 1, "text": text});
        let clauses: Vec<Value> = self.texts.iter().enumerate().map(clause).collect();
        json!({"e": e, "date": self.date, "from": self.from, "subject": self.subject, "clauses": clauses})
    }

    /// The drafts that a model's choices make, and how many make none, by reason.
    #[must_use]
    pub fn drafts(&self, source: &Source<'_>, items: &[Item]) -> (Vec<Draft>, BTreeMap<&'static str, u64>) {
        let (mut drafts, mut unfit) = (Vec::new(), BTreeMap::new());
        for item in items {
            let place = |n: usize| self.places.get(n.wrapping_sub(1));
            let (Some(first), Some(last), Some(slot)) =
                (place(item.first), place(item.last), proposal::slot(&item.slot))
            else {
                *unfit.entry("out_of_range").or_default() += 1;
                continue;
            };
            match proposal::propose(source, first, last, slot) {
                Ok(draft) => drafts.push(draft),
                Err(reason) => *unfit.entry(reason.as_str()).or_default() += 1,
            }
        }
        (drafts, unfit)
    }
}

fn masked(part: &str, place: &Clause, found: &[secrets::Secret]) -> String {
    let mut out = String::new();
    let mut at = place.range.start;
    for secret in found.iter().filter(|s| s.range.start < place.range.end && place.range.start < s.range.end)
    {
        let start = secret.range.start.max(place.range.start);
        out.push_str(part.get(at..start).unwrap_or_default());
        out.push_str(&format!("[{}]", secret.kind.as_str()));
        at = secret.range.end.min(place.range.end);
    }
    out.push_str(part.get(at..place.range.end).unwrap_or_default());
    // Once more on what is left: a secret that only shows without its neighbours.
    secrets::mask(&out)
}

/// Tokens of a text, estimated on the high side: four letters of Latin script, or one sign of any other.
#[must_use]
pub fn tokens(text: &str) -> u64 {
    let (mut ascii, mut wide) = (0_u64, 0_u64);
    for c in text.chars() {
        if c.is_ascii() { ascii += 1 } else { wide += 1 }
    }
    ascii.div_ceil(4) + wide
}
