//! The model path: any OpenAI-compatible chat endpoint reads the clauses the extractive distiller read and may add to
//! what it found.
//!
//! Numbered clauses go out as JSON data; clause numbers and names of a closed list come back, so that a quote, a
//! number or a name cannot be invented. [`page`] makes an engagement ready to be asked about, [`facts`] and [`topics`]
//! are the two questions, [`endpoint`] puts them ([`dialect`] knows how), [`answer`] reads what comes, [`asking`] halves
//! what was too much, [`batch`] and [`budget`] say what is asked together and how much. [`Model`] is the distiller over answers that have been given.
//! This is the only part of `insights` that talks to the network; it stores nothing and decides nothing by time.

pub mod answer;
pub mod asking;
pub mod batch;
pub mod budget;
pub mod dialect;
pub mod endpoint;
pub mod facts;
pub mod page;
pub mod topics;

use std::sync::Arc;

use self::facts::Item;
use self::page::Page;
use super::extractive::Extractive;
use super::instructions::Instructions;
use super::{Distiller, Draft, Outcome, Source};

/// Grows with every change of prompt, schema or reading that may change what a model is asked or how it is understood.
const VERSION: u32 = 1;

/// Answers that were given before.
pub trait Answers: Send + Sync + std::fmt::Debug {
    /// What the model said about the page with this key, if it was asked.
    fn of(&self, key: &[u8; 32]) -> Option<Vec<Item>>;
}

/// The distiller over a model's answers: what the extractive distiller finds, and what the model chose besides.
///
/// Never calls the endpoint: an engagement the model was not asked about yet gets the extractive result.
#[derive(Debug, Clone)]
pub struct Model {
    name: String,
    fingerprint: String,
    answers: Arc<dyn Answers>,
}

impl Model {
    /// The distiller over the answers of the model known by this name.
    #[must_use]
    pub fn new(model: &str, answers: Arc<dyn Answers>) -> Self {
        let fingerprint = format!("model-{VERSION}-{model}+{}", Extractive.fingerprint());
        Self { name: model.to_owned(), fingerprint, answers }
    }

    fn read(&self, source: &Source<'_>, instructions: &Instructions) -> Vec<Draft> {
        let floor = Extractive.distill(std::slice::from_ref(source), instructions).into_iter().next();
        let Some(Outcome::Found(floor)) = floor else {
            return Vec::new();
        };
        let page = Page::of(source);
        let items = if page.is_empty() { None } else { self.answers.of(&page.key(&self.name, instructions)) };
        let Some(items) = items else {
            return floor;
        };
        let (mut added, unfit) = page.drafts(source, &items);
        if !unfit.is_empty() {
            tracing::debug!(?unfit, "choices of the model that make no fact");
        }
        added.retain(|draft| instructions.allow(draft));
        with_added(floor, added)
    }
}

impl Distiller for Model {
    fn fingerprint(&self) -> &str {
        &self.fingerprint
    }

    fn distill(&self, batch: &[Source<'_>], instructions: &Instructions) -> Vec<Outcome> {
        batch.iter().map(|source| Outcome::Found(self.read(source, instructions))).collect()
    }
}

/// The floor with what a model adds: never a second fact from the same words, never a repeated value.
fn with_added(floor: Vec<Draft>, added: Vec<Draft>) -> Vec<Draft> {
    let mut out = floor;
    for draft in added {
        let taken = |known: &Draft| {
            let (a, b) = (&known.evidence, &draft.evidence);
            let overlap = known.part == draft.part && a.start < b.end && b.start < a.end;
            let said = known.slot == draft.slot
                && known.subject == draft.subject
                && known.value.is_some()
                && known.value == draft.value;
            overlap || said
        };
        if !out.iter().any(taken) {
            out.push(draft);
        }
    }
    out.sort_by_key(|draft| (draft.part, draft.evidence.start));
    out
}

#[cfg(test)]
mod scripted;

#[cfg(test)]
mod tests;
