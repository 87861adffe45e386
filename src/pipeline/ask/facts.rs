//! Asking for facts: pages of learned engagements, those of one customer together.

use tokio::sync::watch;

use super::{Asker, Job, Ready, Results, Round, blocking};
use crate::insights::Party;
use crate::insights::instructions::Instructions;
use crate::insights::model::Answers;
use crate::insights::model::asking;
use crate::insights::model::batch::{self, Waiting};
use crate::insights::model::facts::{self, Item};
use crate::insights::model::page::Page;
use crate::pipeline::answers::StoredAnswers;
use crate::pipeline::apply::learned;
use crate::pipeline::parties::Parties;
use crate::store::model::{Ended, Task};
use crate::store::{StoreError, reread};

impl Asker {
    /// Asks for facts; says whether the endpoint is up.
    pub(super) async fn facts(
        &self,
        stop: &watch::Receiver<bool>,
        round: &mut Round,
    ) -> Result<bool, StoreError> {
        while !*stop.borrow() {
            let this = self.clone();
            let Some((ready, instructions)) = blocking(move || this.pages()).await? else { return Ok(true) };
            round.answered += ready.known;
            for jobs in batch::plan(ready.open) {
                let Some(customer) = jobs.first().map(|one| one.customer.clone()) else { continue };
                let spent = self.left(&customer).await?;
                let pages: Vec<&Page> = jobs.iter().map(|one| &one.what.what).collect();
                let outcome = asking::ask(
                    &self.asking.endpoint,
                    pages.len(),
                    |range| facts::question(&pages[range], &instructions),
                    |content, range| facts::read(content, &pages[range]),
                    |tokens| self.asking.budget.allows(spent, tokens),
                )
                .await;
                let results = Results::of(Task::Facts, customer);
                let (results, down) =
                    self.settle(results, jobs, outcome, spent, round, |results, job, items: Vec<Item>| {
                        results.answers.push((job.key, serde_json::to_string(&items).unwrap_or_default()));
                    });
                self.written(results).await?;
                if down || *stop.borrow() {
                    return Ok(!down);
                }
            }
        }
        Ok(true)
    }

    /// The pages of the engagements whose turn it is; what was answered before is settled at once. `None` where it is
    /// nobody's turn.
    fn pages(&self) -> Result<Option<(Ready<Page>, Instructions)>, StoreError> {
        let waiting = self.next(Task::Facts)?;
        if waiting.is_empty() {
            return Ok(None);
        }
        let in_force = self.in_force()?;
        let distillation = &in_force.distillation;
        let answers = StoredAnswers { store: self.store.clone(), org: self.owner.org.clone() };
        let model = self.asking.endpoint.name();
        let mut ready = Ready::default();
        let mut known = Results::of(Task::Facts, String::new());
        for one in waiting {
            let found = self.store.read(|conn| {
                let found = reread::readable_one(conn, &self.owner.org, &one.document)?;
                let Some(found) = found.filter(|found| found.learned) else { return Ok(None) };
                let parties = Parties::new(&self.owner.org, self.owner.portal).of(
                    conn,
                    found.identity(),
                    &found.links,
                )?;
                Ok::<_, StoreError>(Some((found, parties)))
            })?;
            let page = found
                .as_ref()
                .filter(|(found, parties)| distillation.reads(found.document.kind) && !parties.is_empty());
            let page = page
                .map(|(found, parties)| learned(found, parties).with_source(distillation.owners(), Page::of));
            let Some(page) = page.filter(|page| !page.is_empty()) else {
                known.ended.push((one, Ended::Done(None)));
                continue;
            };
            let key = page.key(&model, distillation.instructions());
            if answers.of(&key).is_some() {
                known.ended.push((one, Ended::Done(Some(key))));
                ready.known += 1;
                continue;
            }
            let customer = found.map(|(_, parties)| customer(&parties)).unwrap_or_default();
            let tokens = page.tokens();
            ready.open.push(Waiting { customer, tokens, what: Job { waiting: one, key, what: page } });
        }
        if !known.ended.is_empty() {
            self.write(known)?;
        }
        Ok(Some((ready, distillation.instructions().clone())))
    }
}

/// What names the customer an engagement is first of all about.
fn customer(parties: &[Party]) -> String {
    let first = parties.first();
    let company = first.and_then(|party| party.company.as_ref()).map(|id| format!("companies:{id}"));
    let contact = first.and_then(|party| party.contact.as_ref()).map(|id| format!("contacts:{id}"));
    company.or(contact).unwrap_or_default()
}
