//! Stage 5, distill: insights of what was learned. Skipped and held engagements yield none.

use rayon::prelude::*;

use super::associate::LinkedEngagement;
use super::filter::Judged;
use super::parties::Parties;
use super::publish::Owner;
use crate::domain::engagement::{Decision, ProcessedEngagement};
use crate::domain::ids::DocumentId;
use crate::domain::insight::Insight;
use crate::insights::{Distillation, Learned, Party};
use crate::store::{Store, StoreError};
use crate::text::near_copies::Fingerprint;

/// An engagement ready to be published, with its insights.
#[derive(Debug, Clone)]
pub struct Distilled {
    /// The engagement.
    pub engagement: ProcessedEngagement,
    /// Facts found in it.
    pub insights: Vec<Insight>,
    /// What copies of the same mail are found by.
    pub fingerprint: Option<Box<Fingerprint>>,
    /// The last lines of a mail: what boilerplate is learned from.
    pub tail: Vec<u64>,
}

/// Distils a page on all cores, keeping its order.
pub fn page(
    store: &Store,
    owner: &Owner,
    page: Vec<Judged>,
    distillation: &Distillation,
) -> Result<Vec<Distilled>, StoreError> {
    let parties = parties(store, owner, &page)?;
    let work = |(judged, parties): (Judged, Vec<Party>)| engagement(judged, &parties, owner, distillation);
    Ok(page.into_par_iter().zip(parties).map(work).collect())
}

/// The customers of each engagement of a page; one read of the store for the whole page.
fn parties(store: &Store, owner: &Owner, page: &[Judged]) -> Result<Vec<Vec<Party>>, StoreError> {
    let mut known = Parties::new(&owner.org, owner.portal);
    store.read(|conn| {
        page.iter()
            .map(|judged| match judged.decision {
                Decision::Learned => {
                    let raw = &judged.engagement.0.raw;
                    known.of(conn, (raw.kind, &raw.id, raw.occurred_at), &raw.links)
                }
                Decision::Skipped { .. } | Decision::Held { .. } => Ok(Vec::new()),
            })
            .collect()
    })
}

/// Distils one engagement.
fn engagement(judged: Judged, parties: &[Party], owner: &Owner, distillation: &Distillation) -> Distilled {
    let LinkedEngagement(normalized) = judged.engagement;
    let engagement = ProcessedEngagement {
        raw: normalized.raw,
        passages: normalized.passages,
        language: normalized.language,
        decision: judged.decision,
        template: None,
        own_passages: None,
        secrets: normalized.secrets,
        link_hosts: normalized.link_hosts,
        text_status: normalized.text_status,
        ruling: judged.ruling,
    };
    let (fingerprint, tail) = (normalized.fingerprint, normalized.tail);
    let insights = match engagement.decision {
        Decision::Learned => insights(&engagement, parties, owner, distillation),
        Decision::Skipped { .. } | Decision::Held { .. } => Vec::new(),
    };
    Distilled { engagement, insights, fingerprint, tail }
}

fn insights(
    engagement: &ProcessedEngagement,
    parties: &[Party],
    owner: &Owner,
    distillation: &Distillation,
) -> Vec<Insight> {
    let raw = &engagement.raw;
    let document = DocumentId { portal: owner.portal, kind: raw.kind, id: raw.id.clone() };
    distillation.of(&Learned {
        document: &document,
        title: raw.title.as_deref(),
        passages: &engagement.passages,
        language: engagement.language.as_deref(),
        outgoing: raw.outgoing,
        occurred_at: raw.occurred_at,
        from_address: raw.from_address.as_deref(),
        owner: raw.owner.as_deref(),
        parties,
    })
}
