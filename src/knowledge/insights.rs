//! What is known about a customer, as of now or of a day. A single insight is `insight`'s business.
//!
//! Chains are read as they are stored; an as-of reading resolves them anew from what had been said by then.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::KnowledgeError;
use super::insight_documents::{Proof, proof, witnesses};
use super::scope::{Caller, visible};
use crate::domain::clock::Millis;
use crate::domain::ids::customer_key;
use crate::domain::insight::Subject;
use crate::domain::insight::dates::Day;
use crate::domain::insight::supersede::{self, Place, Stored};
use crate::store::StoreError;
use crate::store::conn::Conn;
use crate::store::insights::{self, StoredInsight};
use crate::store::people::{self, Person};

/// Insights shown of one customer.
const MOST: usize = 200;

/// An insight as answers show it.
#[derive(Debug, Clone, Serialize)]
pub struct InsightView {
    /// Id.
    pub id: String,
    /// What it is about: one of the twenty kinds.
    pub kind: &'static str,
    /// The facet.
    pub slot: String,
    /// `contact` or `company`.
    pub about: &'static str,
    /// The fact as a sentence.
    pub statement: String,
    /// Its value in normal form.
    pub value: Option<String>,
    /// The words that prove it.
    pub evidence: Proof,
    /// It holds: now, or on the day asked about.
    pub holds: bool,
    /// First day it holds.
    pub valid_from: String,
    /// First day it no longer holds.
    pub valid_to: Option<String>,
    /// When it was stored.
    pub recorded_at: Millis,
    /// When another one took its place.
    pub superseded_at: Option<Millis>,
    /// The one that took its place.
    pub superseded_by: Option<String>,
    /// `customer`, `us` or `note`.
    pub asserted_by: &'static str,
    /// The customer claims what only our side can grant: a request, not a fact.
    pub claim: bool,
    /// How sure, 0 to 1.
    pub confidence: f32,
    /// Other places that say the same.
    pub support: u32,
    /// What found it.
    pub distiller: String,
    /// Instruction rules in force, as `id@version`.
    pub rules: String,
}

/// Insights of one slot that cannot all be true now, said by different people or on one day. Nobody guesses.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct ConflictView {
    /// The slot.
    pub slot: String,
    /// Ids of the insights; all of them are in the answer, with their evidence.
    pub insights: Vec<String>,
}

/// What is known about a customer.
#[derive(Debug, Clone, Default)]
pub struct Known {
    /// What holds first, newest first, then what was superseded.
    pub insights: Vec<InsightView>,
    /// Where they contradict each other.
    pub conflicts: Vec<ConflictView>,
}

/// What is known about a contact and its company, as far as the caller may read what proves it.
pub fn of_customer(
    conn: &mut dyn Conn,
    caller: &Caller,
    person: &Person,
    as_of: Option<Millis>,
) -> Result<Known, StoreError> {
    let (org, portal) = (&caller.org, person.portal);
    let mut rows = insights::of_subject(conn, org, portal, &Subject::Contact(person.id.clone()))?;
    if let Some(company) = &person.company {
        for row in insights::of_subject(conn, org, portal, &Subject::Company(company.clone()))? {
            if caller.bound_to.is_none() || witnessed(conn, &row, company, std::slice::from_ref(person))? {
                rows.push(row);
            }
        }
    }
    let chains: Vec<Stored> = rows.iter().map(StoredInsight::for_chain).collect();
    let known: Vec<Stored> = match as_of {
        Some(at) => chains.into_iter().filter(|one| one.said_at_ms <= at.0).collect(),
        None => chains,
    };
    // What a bound caller may not read takes no place from what it may.
    let bound = caller.bound_to.is_some();
    let places = if as_of.is_some() || bound { supersede::resolve(&known) } else { BTreeMap::new() };
    if bound {
        rows.iter_mut().for_each(|row| place_among(row, &places));
    }
    let holding = holding(&rows, &known, as_of);
    let disputed = supersede::conflicts(&known).into_iter();
    let disputed = disputed.filter(|one| one.ids.iter().any(|id| holding.contains(id)));
    let conflicts: Vec<ConflictView> = disputed.map(|one| conflict(one, &known)).collect();
    let shown: BTreeSet<&String> = conflicts.iter().flat_map(|one| &one.insights).collect();
    rows.retain(|row| {
        let id = row.insight.id.to_string();
        // The chain of what is superseded belongs to the present answer; a past one shows what was believed then.
        holding.contains(&id) || shown.contains(&id) || as_of.is_none() && row.superseded_by.is_some()
    });
    let order = |row: &StoredInsight| {
        let superseded = !holding.contains(&row.insight.id.to_string());
        (superseded, std::cmp::Reverse(row.insight.said_at), row.insight.position, row.insight.id.clone())
    };
    // Both sides of a conflict have their place, however much else is known.
    rows.sort_by_key(|row| (!shown.contains(&row.insight.id.to_string()), order(row)));
    rows.truncate(MOST);
    rows.sort_by_key(order);
    let mut views = Vec::new();
    for mut row in rows {
        if as_of.is_some() {
            place_among(&mut row, &places);
        }
        let holds = holding.contains(&row.insight.id.to_string());
        views.extend(view(conn, &row, holds)?);
    }
    let conflicts = conflicts.into_iter().filter_map(|one| told(one, &views)).collect();
    Ok(Known { insights: views, conflicts })
}

/// A conflict by the newest insight of each value: who said the same again and again is one side.
fn conflict(disputed: supersede::Conflict, known: &[Stored]) -> ConflictView {
    let value = |id: &String| {
        let one = known.iter().find(|one| one.id == *id);
        one.and_then(|one| one.value.as_deref()).map(|value| value.trim().to_lowercase())
    };
    let mut values = BTreeSet::new();
    let mut insights: Vec<String> =
        disputed.ids.into_iter().rev().filter(|id| values.insert(value(id))).collect();
    insights.reverse();
    ConflictView { slot: disputed.slot, insights }
}

/// The conflict with what the answer shows of it; none where only one side is left.
fn told(mut conflict: ConflictView, views: &[InsightView]) -> Option<ConflictView> {
    conflict.insights.retain(|id| views.iter().any(|view| view.id == *id));
    (conflict.insights.len() > 1).then_some(conflict)
}

/// Ids of what holds: now by the stored chains, on a day by those that had been said.
fn holding(rows: &[StoredInsight], known: &[Stored], as_of: Option<Millis>) -> BTreeSet<String> {
    match as_of {
        Some(at) => supersede::as_of(known, Day::of_ms(at.0), at.0).into_iter().map(|one| one.id).collect(),
        None => rows.iter().filter(|row| row.is_current()).map(|row| row.insight.id.to_string()).collect(),
    }
}

/// Puts an insight into the place it has among those that had been said by then, or may be read.
pub(super) fn place_among(row: &mut StoredInsight, places: &BTreeMap<String, Place>) {
    let then = places.get(&row.insight.id.to_string()).cloned().unwrap_or_default();
    row.superseded_at = then.superseded_by.as_ref().and(row.superseded_at);
    row.superseded_by = then.superseded_by;
    row.supports = then.supports;
    row.valid_to = then.valid_to;
    row.support = then.support;
}

/// An insight with its proof; none where the proof is gone.
pub(super) fn view(
    conn: &mut dyn Conn,
    row: &StoredInsight,
    holds: bool,
) -> Result<Option<InsightView>, StoreError> {
    let Some(evidence) = proof(conn, row)? else { return Ok(None) };
    let insight = &row.insight;
    Ok(Some(InsightView {
        id: insight.id.to_string(),
        kind: insight.kind.as_str(),
        slot: insight.slot.clone(),
        about: match insight.subject {
            Subject::Contact(_) => "contact",
            Subject::Company(_) => "company",
        },
        statement: insight.statement.clone(),
        value: insight.value.clone(),
        evidence,
        holds,
        valid_from: insight.valid_from.to_string(),
        valid_to: row.valid_to.map(|day| day.to_string()),
        recorded_at: row.recorded_at,
        superseded_at: row.superseded_at,
        superseded_by: row.superseded_by.clone(),
        asserted_by: insight.asserted_by.as_str(),
        claim: insight.claim,
        confidence: insight.confidence,
        support: row.support,
        distiller: insight.distiller.clone(),
        rules: insight.rules.clone(),
    }))
}

pub(super) fn may_see(
    conn: &mut dyn Conn,
    caller: &Caller,
    row: &StoredInsight,
) -> Result<bool, KnowledgeError> {
    let Some(keys) = visible(conn, caller, None, false)?.customers else { return Ok(true) };
    let portal = row.insight.evidence.document.portal;
    match &row.insight.subject {
        Subject::Contact(contact) => Ok(keys.contains(&customer_key(portal, contact))),
        Subject::Company(company) => {
            let limits = [&caller.bound_to, &caller.narrowed_to].into_iter().flatten();
            let mut people = Vec::new();
            for address in limits {
                people.extend(people::by_email(conn, &caller.org, address)?);
            }
            people.retain(|one| {
                keys.contains(&customer_key(portal, &one.id)) && one.company.as_ref() == Some(company)
            });
            Ok(!people.is_empty() && (caller.bound_to.is_none() || witnessed(conn, row, company, &people)?))
        }
    }
}

/// Whether the engagement that proves an insight is one of these people's own.
fn witnessed(
    conn: &mut dyn Conn,
    row: &StoredInsight,
    company: &str,
    people: &[Person],
) -> Result<bool, StoreError> {
    let own = witnesses(conn, &row.org, &row.insight.evidence.document, company)?;
    Ok(people.iter().any(|person| own.contains(&person.id)))
}
