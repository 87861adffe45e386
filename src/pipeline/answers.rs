//! What a model said before, as the seams want it: answers for the distiller, verdicts for the topic judge. Neither
//! calls anybody; what is not there yet is asked for by `ask`.

use crate::domain::ids::OrgId;
use crate::insights::model::Answers;
use crate::insights::model::facts::Item;
use crate::insights::model::topics::{self, Said};
use crate::rules::{Candidate, Judgement, TopicJudge, Verdict};
use crate::store::{Store, model};

/// Answers of one organisation in the store.
#[derive(Debug, Clone)]
pub struct StoredAnswers {
    /// Database.
    pub store: Store,
    /// Whose.
    pub org: OrgId,
}

impl Answers for StoredAnswers {
    fn of(&self, key: &[u8; 32]) -> Option<Vec<Item>> {
        let found = self.store.read(|conn| model::answer(conn, &self.org, key));
        match found {
            Ok(items) => items.and_then(|items| serde_json::from_str(&items).ok()),
            Err(error) => {
                // The extractive result stands; the next time it is read again.
                tracing::warn!(%error, "an answer of the model could not be read");
                None
            }
        }
    }
}

/// The topic judge over what a model said: it is held until the model was asked.
#[derive(Debug, Clone)]
pub struct ModelJudge {
    answers: StoredAnswers,
    model: String,
    name: String,
}

impl ModelJudge {
    /// The judge over the verdicts of the model known by this name.
    #[must_use]
    pub fn new(answers: StoredAnswers, model: &str) -> Self {
        Self { answers, model: model.to_owned(), name: format!("model {model}") }
    }
}

impl TopicJudge for ModelJudge {
    fn name(&self) -> &str {
        &self.name
    }

    fn judge(&self, topic: &str, candidate: Candidate<'_>) -> Judgement {
        let key = topics::key(&self.model, topic, candidate.title, candidate.source_text);
        let found = self.answers.store.read(|conn| model::verdict(conn, &self.answers.org, &key));
        let said = found.ok().flatten().and_then(Said::of_code);
        let (verdict, reason) = match said {
            Some(Said::Matches) => (Verdict::Matches, "the model says it is about it"),
            Some(Said::Differs) => (Verdict::Differs, "the model says it is not about it"),
            Some(Said::Unsure) => (Verdict::Unsure, "the model cannot tell"),
            None => (Verdict::Failed, "the model has not been asked yet, or did not answer"),
        };
        Judgement { verdict, reason: reason.to_owned() }
    }
}
