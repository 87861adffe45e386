//! Asking for topics: the texts of held engagements, all topics of their kind in one question.

use tokio::sync::watch;

use super::{Asker, Job, Ready, Results, Round, blocking};
use crate::insights::model::answer::Failure;
use crate::insights::model::asking;
use crate::insights::model::batch::{self, Waiting};
use crate::insights::model::topics::{self, Said, Text};
use crate::pipeline::spoken;
use crate::rules::source::Source;
use crate::store::model::{self as queue, Ended, Task};
use crate::store::{StoreError, reread};

/// What tokens are counted for where topics are judged: no one customer.
const TOPICS: &str = "topics";

/// A held engagement's text with the topics it is judged by, and what the verdicts are kept under.
#[derive(Debug, Clone)]
struct Judged {
    text: Text,
    topics: Vec<String>,
    keys: Vec<[u8; 32]>,
}

impl Asker {
    /// Asks for topics; says whether the endpoint is up.
    pub(super) async fn topics(
        &self,
        stop: &watch::Receiver<bool>,
        round: &mut Round,
    ) -> Result<bool, StoreError> {
        while !*stop.borrow() {
            let this = self.clone();
            let Some(ready) = blocking(move || this.texts()).await? else { return Ok(true) };
            round.answered += ready.known;
            for jobs in batch::plan(ready.open) {
                let Some(topics) = jobs.first().map(|one| one.what.what.topics.clone()) else { continue };
                let topics: Vec<&str> = topics.iter().map(String::as_str).collect();
                let spent = self.left(TOPICS).await?;
                let texts: Vec<&Text> = jobs.iter().map(|one| &one.what.what.text).collect();
                let outcome = asking::ask(
                    &self.asking.endpoint,
                    texts.len(),
                    |range| topics::question(&texts[range], &topics),
                    |content, range| {
                        let said = topics::read(content, range.len(), topics.len())?;
                        Ok(said.into_iter().map(|one| one.ok_or(Failure::Unusable)).collect())
                    },
                    |tokens| self.asking.budget.allows(spent, tokens),
                )
                .await;
                let results = Results::of(Task::Topics, TOPICS.to_owned());
                let (results, down) =
                    self.settle(results, jobs, outcome, spent, round, |results, job, said: Vec<Said>| {
                        let document = &job.waiting.document;
                        let pairs = job.what.keys.iter().zip(said);
                        results.verdicts.extend(pairs.map(|(key, said)| (document.clone(), *key, said)));
                    });
                self.written(results).await?;
                if down || *stop.borrow() {
                    return Ok(!down);
                }
            }
        }
        Ok(true)
    }

    /// The texts of the held engagements whose turn it is, with the topics of their kind.
    fn texts(&self) -> Result<Option<Ready<Judged>>, StoreError> {
        let waiting = self.next(Task::Topics)?;
        if waiting.is_empty() {
            return Ok(None);
        }
        let in_force = self.in_force()?;
        let model = self.asking.endpoint.name();
        let mut ready = Ready::default();
        let mut known = Results::of(Task::Topics, TOPICS.to_owned());
        for one in waiting {
            let found = self.store.read(|conn| reread::one(conn, &self.owner.org, &one.document))?;
            let topics: Vec<String> =
                in_force.rules.topics_of(one.document.kind).into_iter().map(str::to_owned).collect();
            let Some(found) = found.filter(|_| !topics.is_empty()) else {
                known.ended.push((one, Ended::Done(None)));
                continue;
            };
            let mut raws = [found.raw];
            spoken::attach(&self.store, &self.owner, &mut raws)?;
            let (title, text) = (raws[0].title.as_deref(), Source::of(&raws[0]).text());
            let keys: Vec<[u8; 32]> =
                topics.iter().map(|topic| topics::key(&model, topic, title, &text)).collect();
            let said = self.store.read(|conn| {
                let all = keys.iter().map(|key| queue::verdict(conn, &self.owner.org, key));
                all.collect::<Result<Option<Vec<i64>>, StoreError>>()
            })?;
            if said.is_some() {
                known.ended.push((one, Ended::Done(keys.first().copied())));
                ready.known += 1;
                continue;
            }
            let text = Text::new(title, &text);
            let customer = format!("{} {}", one.document.kind.as_str(), topics.len());
            let key = keys.first().copied().unwrap_or_default();
            let tokens = text.tokens();
            let what = Judged { text, topics, keys };
            ready.open.push(Waiting { customer, tokens, what: Job { waiting: one, key, what } });
        }
        if !known.ended.is_empty() {
            self.write(known)?;
        }
        Ok(Some(ready))
    }
}
