//! Which insights hold, which were replaced and by what: a pure function of the stored insights.
//!
//! Ordered by when things are true and were said, never by when they arrived, so that a backfill and live traffic
//! end in the same chains. It neither reads nor writes anything.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};

use super::dates::Day;
use super::kinds::is_single_valued;

/// A stored insight, as far as its place in a chain depends on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    /// Id of the insight.
    pub id: String,
    /// Contact or company it is about.
    pub subject: String,
    /// Slot, as `kind.facet`.
    pub slot: String,
    /// Value in normal form.
    pub value: Option<String>,
    /// From when on it holds.
    pub valid_from: Day,
    /// When it was said, in milliseconds since 1970.
    pub said_at_ms: i64,
    /// Where in its engagement it stands; later words of one message win.
    pub position: u64,
    /// When it was stored, in milliseconds since 1970.
    pub recorded_at_ms: i64,
    /// Only claimed by the customer: never takes the place of a fact.
    pub claim: bool,
    /// Who said it: two values of two people within some weeks are a conflict, not a change.
    pub said_by: String,
}

/// Within this time two people who say different things may both mean the present.
const SAME_TIME_MS: i64 = 30 * 86_400_000;

/// The place of an insight among the others.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Place {
    /// It says the same as this earlier insight and supports it.
    pub supports: Option<String>,
    /// It was replaced by this one.
    pub superseded_by: Option<String>,
    /// The first day it no longer holds.
    pub valid_to: Option<Day>,
    /// When that became known, in milliseconds since 1970.
    pub superseded_at_ms: Option<i64>,
    /// Insights that say the same.
    pub support: u32,
}

/// Two values of one slot said for the same day: a person should look.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Conflict {
    /// Contact or company.
    pub subject: String,
    /// Slot.
    pub slot: String,
    /// The insights, in the order of their chain.
    pub ids: Vec<String>,
}

/// The place of every insight, by id.
#[must_use]
pub fn resolve(insights: &[Stored]) -> BTreeMap<String, Place> {
    let mut out: BTreeMap<String, Place> =
        insights.iter().map(|i| (i.id.clone(), Place::default())).collect();
    for group in groups(insights).into_values() {
        if is_single_valued(&group[0].slot) {
            chain(&group, &mut out);
        } else {
            gather(&group, &mut out);
        }
    }
    out
}

/// Insights that held on `day`, of those said until `said_until_ms`; supporting ones are not repeated.
///
/// What counts is when it was said and not when it was stored: a backfill answers like live traffic.
#[must_use]
pub fn as_of(insights: &[Stored], day: Day, said_until_ms: i64) -> Vec<Stored> {
    let known: Vec<Stored> = insights.iter().filter(|i| i.said_at_ms <= said_until_ms).cloned().collect();
    let places = resolve(&known);
    let holds = |i: &Stored| {
        let place = places.get(&i.id);
        let open = place.and_then(|p| p.valid_to).is_none_or(|end| day < end);
        i.valid_from <= day && open && place.is_none_or(|p| p.supports.is_none())
    };
    let mut out: Vec<Stored> = known.iter().filter(|i| holds(i)).cloned().collect();
    out.sort_by(|a, b| order(a).cmp(&order(b)));
    out
}

/// Slots of one value where it is not plain which one holds: different values said for the same day, or by different
/// people within a month.
#[must_use]
pub fn conflicts(insights: &[Stored]) -> Vec<Conflict> {
    let mut out = Vec::new();
    for mut group in groups(insights).into_values().filter(|g| is_single_valued(&g[0].slot)) {
        group.retain(|i| i.value.is_some());
        for disputed in group.chunk_by(|a, b| same_value(a, b) || disputes(a, b)) {
            if disputed.windows(2).any(|pair| !same_value(pair[0], pair[1])) {
                out.push(Conflict {
                    subject: disputed[0].subject.clone(),
                    slot: disputed[0].slot.clone(),
                    ids: disputed.iter().map(|i| i.id.clone()).collect(),
                });
            }
        }
    }
    out.sort();
    out
}

/// Whether two different values of a slot, one after the other in its chain, may both mean the present.
fn disputes(a: &Stored, b: &Stored) -> bool {
    let same_day = a.valid_from == b.valid_from && said_on(a) == said_on(b);
    same_day || a.said_by != b.said_by && (a.said_at_ms - b.said_at_ms).abs() <= SAME_TIME_MS
}

fn said_on(insight: &Stored) -> Day {
    Day::of_ms(insight.said_at_ms)
}

/// Insights of one subject and slot, facts and claims apart, in the order of their chain.
fn groups(insights: &[Stored]) -> BTreeMap<(&str, &str, bool), Vec<&Stored>> {
    let mut out: BTreeMap<(&str, &str, bool), Vec<&Stored>> = BTreeMap::new();
    for insight in insights {
        out.entry((&insight.subject, &insight.slot, insight.claim)).or_default().push(insight);
    }
    for group in out.values_mut() {
        group.sort_by(|a, b| order(a).cmp(&order(b)));
    }
    out
}

/// What was true later, then said later, then stands later wins; the id only makes it total.
fn order(insight: &Stored) -> (Day, i64, u64, &str) {
    (insight.valid_from, insight.said_at_ms, insight.position, &insight.id)
}

fn same_value(a: &Stored, b: &Stored) -> bool {
    let plain = plain_value(a);
    plain.is_some() && plain == plain_value(b)
}

fn plain_value(insight: &Stored) -> Option<String> {
    insight.value.as_deref().map(|value| value.trim().to_lowercase())
}

/// One value at a time: equal neighbours support the first of them, another value takes its place.
fn chain(group: &[&Stored], out: &mut BTreeMap<String, Place>) {
    let mut head: Option<&Stored> = None;
    // What has no value says nothing that could replace or be replaced.
    for insight in group.iter().filter(|i| i.value.is_some()) {
        if let Some(before) = head {
            if same_value(before, insight) {
                support(before, insight, out);
                continue;
            }
            if let Some(place) = out.get_mut(&before.id) {
                place.superseded_by = Some(insight.id.clone());
                place.valid_to = Some(insight.valid_from);
                place.superseded_at_ms = Some(before.recorded_at_ms.max(insight.recorded_at_ms));
            }
        }
        head = Some(insight);
    }
}

/// Many values side by side: equal ones support the earliest.
fn gather(group: &[&Stored], out: &mut BTreeMap<String, Place>) {
    let mut first_of: HashMap<String, &Stored> = HashMap::new();
    for insight in group {
        let Some(value) = plain_value(insight) else { continue };
        match first_of.entry(value) {
            Entry::Occupied(first) => support(first.get(), insight, out),
            Entry::Vacant(free) => drop(free.insert(insight)),
        }
    }
}

fn support(first: &Stored, other: &Stored, out: &mut BTreeMap<String, Place>) {
    if let Some(place) = out.get_mut(&other.id) {
        place.supports = Some(first.id.clone());
    }
    if let Some(place) = out.get_mut(&first.id) {
        place.support += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn insight(id: &str, slot: &str, value: &str, day: i32) -> Stored {
        Stored {
            id: id.into(),
            subject: "harborpet.example".into(),
            slot: slot.into(),
            value: Some(value.into()),
            valid_from: Day(day),
            said_at_ms: i64::from(day) * 86_400_000,
            position: 0,
            recorded_at_ms: 1_000,
            claim: false,
            said_by: "nina".into(),
        }
    }

    #[test]
    fn a_later_value_takes_the_place_of_an_earlier_one() {
        let slot = "billing.frequency";
        let all = [
            insight("c", slot, "yearly", 30),
            insight("a", slot, "quarterly", 10),
            insight("b", slot, "Quarterly", 20),
        ];
        let places = resolve(&all);
        assert_eq!(places["a"].superseded_by.as_deref(), Some("c"));
        assert_eq!((places["a"].valid_to, places["a"].support), (Some(Day(30)), 1));
        assert_eq!(places["b"].supports.as_deref(), Some("a"));
        assert_eq!(places["c"], Place::default());
        let values =
            |day| as_of(&all, Day(day), i64::MAX).into_iter().filter_map(|i| i.value).collect::<Vec<_>>();
        assert_eq!(
            (values(5), values(29), values(30)),
            (vec![], vec!["quarterly".into()], vec!["yearly".into()])
        );
    }

    #[test]
    fn a_value_may_return() {
        let slot = "renewal.term";
        let all = [
            insight("a", slot, "1 year", 1),
            insight("b", slot, "2 years", 2),
            insight("c", slot, "1 year", 3),
        ];
        let places = resolve(&all);
        assert_eq!(places["a"].superseded_by.as_deref(), Some("b"));
        assert_eq!(places["b"].superseded_by.as_deref(), Some("c"));
        assert_eq!(places["c"].superseded_by, None);
    }

    #[test]
    fn many_valued_slots_only_add() {
        let slot = "environment.system";
        let all =
            [insight("a", slot, "SAP", 1), insight("b", slot, "DATEV", 2), insight("c", slot, "sap", 3)];
        let places = resolve(&all);
        assert!(places.values().all(|p| p.superseded_by.is_none()));
        assert_eq!(places["c"].supports.as_deref(), Some("a"));
    }

    #[test]
    fn a_claim_never_replaces_a_fact() {
        let mut claim = insight("b", "budget.cap", "USD 1", 9);
        claim.claim = true;
        let places = resolve(&[insight("a", "budget.cap", "USD 9", 1), claim]);
        assert_eq!(places["a"].superseded_by, None);
    }

    #[test]
    fn other_subjects_and_what_was_not_known_do_not_matter() {
        let slot = "product_use.plan";
        let mut other = insight("b", slot, "Pro", 5);
        other.subject = "else.example".into();
        let mut late = insight("c", slot, "Max", 6);
        late.said_at_ms = i64::MAX;
        late.recorded_at_ms = 0;
        let all = [insight("a", slot, "Basic", 1), other, late];
        assert_eq!(resolve(&all)["a"].superseded_by.as_deref(), Some("c"));
        let before: Vec<String> = as_of(&all, Day(10), i64::MAX - 1).into_iter().map(|i| i.id).collect();
        assert_eq!(before, ["a", "b"]);
    }

    #[test]
    fn two_values_of_one_day_are_shown_as_a_conflict() {
        let slot = "renewal.end";
        let all = [
            insight("a", slot, "2026-03", 1),
            insight("b", slot, "2026-04", 1),
            insight("c", slot, "2026-05", 2),
        ];
        let found = conflicts(&all);
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].ids, ["a", "b"]);
    }

    #[test]
    fn f16_two_people_within_a_month_are_a_conflict_and_one_person_changes_its_mind() {
        let slot = "renewal.end";
        let by = |id: &str, value: &str, day, who: &str| {
            let mut one = insight(id, slot, value, day);
            one.said_by = who.into();
            one
        };
        let ids = |all: &[Stored]| conflicts(all).into_iter().map(|c| c.ids).collect::<Vec<_>>();
        let (a, b) = (by("a", "2026-03", 1, "nina"), by("b", "2026-04", 9, "omar"));
        assert_eq!(ids(&[a.clone(), b]), [["a", "b"]]);
        assert!(ids(&[a.clone(), by("b", "2026-04", 9, "nina")]).is_empty(), "one person");
        assert!(ids(&[a.clone(), by("b", "2026-04", 99, "omar")]).is_empty(), "months later it is a change");
        assert!(ids(&[a, by("b", "2026-03", 9, "omar")]).is_empty(), "they agree");
    }

    fn any_insights() -> impl Strategy<Value = Vec<Stored>> {
        let one = (0_usize..3, 0_usize..3, 0_i32..6, 0_i64..4, any::<bool>(), 0_u64..3);
        proptest::collection::vec(one, 0..24).prop_map(|rows| {
            let slots = ["billing.frequency", "renewal.end", "environment.system"];
            let build = |(n, (slot, value, day, said, claim, position)): (
                usize,
                (usize, usize, i32, i64, bool, u64),
            )| Stored {
                id: format!("i{n}"),
                subject: "s".into(),
                slot: slots[slot].into(),
                value: (value > 0).then(|| value.to_string()),
                valid_from: Day(day),
                said_at_ms: said,
                position,
                recorded_at_ms: 7,
                claim,
                said_by: (position % 2).to_string(),
            };
            rows.into_iter().enumerate().map(build).collect()
        })
    }

    proptest! {
        #[test]
        fn arrival_order_changes_nothing(insights in any_insights(), seed in 0_usize..1000) {
            let mut shuffled = insights.clone();
            for n in (1..shuffled.len()).rev() {
                shuffled.swap(n, (seed * 31 + n * 7) % (n + 1));
            }
            prop_assert_eq!(resolve(&insights), resolve(&shuffled));
            prop_assert_eq!(conflicts(&insights), conflicts(&shuffled));
            prop_assert_eq!(as_of(&insights, Day(3), 9), as_of(&shuffled, Day(3), 9));
        }

        #[test]
        fn chains_end_and_one_value_holds_at_a_time(insights in any_insights(), day in 0_i32..8) {
            let places = resolve(&insights);
            for place in places.values() {
                let mut at = place.superseded_by.clone();
                let mut steps = 0;
                while let Some(id) = at {
                    steps += 1;
                    prop_assert!(steps <= insights.len(), "a chain without an end");
                    at = places[&id].superseded_by.clone();
                }
            }
            let facts: Vec<Stored> = insights.into_iter().filter(|i| !i.claim && i.value.is_some() && is_single_valued(&i.slot)).collect();
            let mut held: Vec<String> = as_of(&facts, Day(day), 9).into_iter().map(|i| i.slot).collect();
            let before = held.len();
            held.dedup();
            prop_assert_eq!(held.len(), before);
        }
    }
}
