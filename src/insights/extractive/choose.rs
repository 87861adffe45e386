//! From cues to facts: which rule a clause meets, which clauses belong together, where the evidence ends.
//!
//! Filters that need more than one sentence (other people, retractions) are in `filters`; values in `values`.

use std::ops::Range;

use super::clauses::{Sentence, tokens};
use super::entities::Entity;
use super::filters::Verdict;
use super::lexicon::{Hit, Mask, known};
use super::rules::Rule;
use crate::insights::kinds::Kind;

/// A fact before it has a value: a rule and the clauses it was met in.
#[derive(Debug, Clone)]
pub(crate) struct Pick<'a> {
    pub rule: &'a Rule,
    /// Evidence in the folded text.
    pub range: Range<usize>,
    /// The label of the sentence helped.
    pub labelled: bool,
    /// Tokens of the clauses that met the rule.
    core: usize,
    first: usize,
    last: usize,
}

impl<'a> Pick<'a> {
    /// A fact that somebody else chose.
    pub(crate) fn chosen(rule: &'a Rule, range: Range<usize>) -> Self {
        Self { rule, range, labelled: false, core: 0, first: 0, last: 0 }
    }
}

/// One sentence with everything read from it.
pub(crate) struct Scene<'a> {
    pub text: &'a str,
    pub sentence: &'a Sentence,
    pub hits: &'a [Hit],
    pub entities: &'a [Entity],
    pub rules: &'a [Rule],
    /// What the sentence allows.
    pub verdict: Verdict,
    /// Negation may stand behind what it negates.
    pub neg_behind: bool,
}

impl<'a> Scene<'a> {
    /// The facts of the sentence, in order.
    pub(crate) fn picks(&self) -> Vec<Pick<'a>> {
        let label = self.sentence.label.clone().map_or(Mask::default(), |l| self.mask(&l));
        let clauses = &self.sentence.clauses;
        let mut best: Vec<Option<Pick<'a>>> = Vec::with_capacity(clauses.len());
        let masks: Vec<Mask> = clauses.iter().map(|c| self.mask(c)).collect();
        // Few rules can be met by anything in the sentence; only those are tried on its clauses.
        let whole = masks.iter().fold(label, |all, mask| all.union(*mask));
        let may = |r: &&'a Rule| self.verdict.allows(r.kind) && r.possible(whole);
        let rules: Vec<&'a Rule> = self.rules.iter().filter(may).collect();
        if rules.is_empty() {
            return Vec::new();
        }
        for (n, clause) in clauses.iter().enumerate() {
            best.push(self.best(&rules, masks[n], label, clause, n, n));
        }
        for n in 1..clauses.len() {
            self.widen(&rules, &mut best, &masks, label, n);
        }
        self.join(best)
    }

    /// Classes of the cues and values in a range.
    fn mask(&self, range: &Range<usize>) -> Mask {
        let mut mask = Mask::default();
        let from = self.hits.partition_point(|h| h.start < range.start);
        for hit in self.hits[from..].iter().take_while(|h| h.start < range.end).filter(|h| h.end <= range.end)
        {
            mask.insert(hit.class);
        }
        for entity in self.entities.iter().filter(|e| e.start >= range.start && e.end <= range.end) {
            mask.insert(entity.class);
        }
        mask
    }

    fn best(
        &self,
        rules: &[&'a Rule],
        own: Mask,
        label: Mask,
        range: &Range<usize>,
        first: usize,
        last: usize,
    ) -> Option<Pick<'a>> {
        let mut found: Option<Pick<'a>> = None;
        for rule in rules.iter().copied().filter(|r| first == last || r.wide) {
            if found.as_ref().is_some_and(|f| f.rule.score >= rule.score) {
                continue;
            }
            let alone = rule.holds(own);
            if !(alone || rule.holds(own.union(label))) || self.negated(rule, range) {
                continue;
            }
            let core = tokens(&self.text[range.clone()]);
            found = Some(Pick { rule, range: range.clone(), labelled: !alone, core, first, last });
        }
        found
    }

    /// A rule met only by two neighbours together takes both, unless one alone says more.
    fn widen(
        &self,
        rules: &[&'a Rule],
        best: &mut [Option<Pick<'a>>],
        masks: &[Mask],
        label: Mask,
        n: usize,
    ) {
        let clauses = &self.sentence.clauses;
        let range = clauses[n - 1].start..clauses[n].end;
        let Some(pick) = self.best(rules, masks[n - 1].union(masks[n]), label, &range, n - 1, n) else {
            return;
        };
        let said = |p: &Option<Pick<'a>>| p.as_ref().map_or(0, |p| p.rule.score);
        let same = |p: &Option<Pick<'a>>| p.as_ref().is_none_or(|p| p.rule.kind == pick.rule.kind);
        if pick.rule.score > said(&best[n - 1]).max(said(&best[n])) && (same(&best[n - 1]) || same(&best[n]))
        {
            if same(&best[n - 1]) && same(&best[n]) {
                best[n - 1] = None;
                best[n] = Some(pick);
            } else {
                // The neighbour says something of its own: keep it, and quote only the clause that is free.
                let free = if same(&best[n]) { n } else { n - 1 };
                best[free] = Some(Pick { range: clauses[free].clone(), first: free, last: free, ..pick });
            }
        }
    }

    /// Whether a negation stands before (or, in some languages, behind) the cue of a rule that it would turn round.
    fn negated(&self, rule: &Rule, range: &Range<usize>) -> bool {
        use Kind::{
            AccountOwner, Budget, Competitor, ContactRole, Environment, Escalation, FeatureRequest,
            Objection, PainPoint, Plan, ProductUse,
        };
        let turned = matches!(
            rule.kind,
            Environment
                | Competitor
                | ProductUse
                | Plan
                | PainPoint
                | Objection
                | FeatureRequest
                | Escalation
                | AccountOwner
                | ContactRole
                | Budget
        );
        if !turned {
            return false;
        }
        let from = self.hits.partition_point(|h| h.start < range.start);
        let inside = || self.hits[from..].iter().take_while(|h| h.start < range.end);
        let cues: Vec<&Hit> = inside()
            .filter(|h| rule.all.iter().any(|any| any.has(h.class)) && h.class != const { known("neg") })
            .collect();
        let negs = || inside().filter(|h| h.class == const { known("neg") });
        // A cue that holds a negation ("not above") is not turned round by it.
        if negs().any(|neg| cues.iter().any(|c| c.start <= neg.start && neg.end <= c.end)) {
            return false;
        }
        negs().any(|neg| {
            let near = |c: &&Hit| {
                c.start >= neg.end && c.start - neg.end <= 22
                    || self.neg_behind && neg.start >= c.end && neg.start - c.end <= 24
            };
            cues.iter().any(near)
        })
    }

    /// Neighbouring clauses of one kind become one fact; a clause without a fact that carries one on is added.
    fn join(&self, best: Vec<Option<Pick<'a>>>) -> Vec<Pick<'a>> {
        let clauses = &self.sentence.clauses;
        let mut out: Vec<Pick<'a>> = Vec::new();
        for n in 0..best.len() {
            let pick = best[n].clone();
            let faint = |p: &Pick<'_>| {
                p.rule.score < 80 && self.opened(&clauses[n]) && out.last().is_some_and(|l| l.last + 1 == n)
            };
            let Some(pick) = pick.filter(|p| !faint(p)) else {
                let next = best.get(n + 1).and_then(Option::as_ref).map(|p| p.rule.kind);
                if let Some(last) =
                    out.last_mut().filter(|l| l.last + 1 == n && self.carries_on(l, next, &clauses[n]))
                {
                    last.range.end = clauses[n].end;
                    last.last = n;
                }
                continue;
            };
            // "I'll ring you, Thursday at the latest": the time of a promise is no event of its own.
            let by_when = |l: &Pick<'_>| {
                l.rule.kind == Kind::Commitment && pick.rule.slot == "milestone.deadline" && pick.core <= 5
            };
            let belongs = |l: &Pick<'a>| self.belongs(l, &pick) || by_when(l);
            match out.last_mut().filter(|l| l.last + 1 >= pick.first && belongs(l)) {
                Some(last) => {
                    last.range.end = pick.range.end;
                    last.last = pick.last;
                    last.core += pick.core;
                    if pick.rule.kind == last.rule.kind && pick.rule.score > last.rule.score {
                        last.rule = pick.rule;
                    }
                }
                None => out.push(pick),
            }
        }
        out
    }

    /// Two facts of one kind side by side are one, unless each has a slot and date of its own or stands in a list.
    fn belongs(&self, last: &Pick<'a>, next: &Pick<'a>) -> bool {
        let apart = last.rule.kind == Kind::ContactChannel && last.rule.slot != next.rule.slot;
        if last.rule.kind != next.rule.kind || last.labelled && next.labelled || apart {
            return false;
        }
        let dated = |r: &Range<usize>| {
            self.entities
                .iter()
                .any(|e| e.start >= r.start && e.end <= r.end && e.class == const { known("@DATE") })
        };
        !(last.rule.slot != next.rule.slot && dated(&last.range) && dated(&next.range))
    }

    /// A clause without a fact goes to the fact before it where it opens as a continuation, is short, or stands
    /// between two facts of one kind; what is added never outweighs the fact.
    fn carries_on(&self, last: &Pick<'a>, next: Option<Kind>, clause: &Range<usize>) -> bool {
        let more = tokens(&self.text[last.range.end..clause.end]);
        let before =
            tokens(&self.text[last.range.clone()]) - last.core.min(tokens(&self.text[last.range.clone()]));
        let fits = before + more <= last.core + 2;
        let opened = self.opened(clause) && before + more <= last.core * 3 / 2 + 2;
        opened || fits && (next == Some(last.rule.kind) || more <= 4 && more * 2 <= last.core.max(2))
    }

    /// Whether a clause opens with a word that carries the one before it on.
    fn opened(&self, clause: &Range<usize>) -> bool {
        let from = self.hits.partition_point(|h| h.start < clause.start);
        self.hits[from..]
            .iter()
            .take_while(|h| h.start == clause.start)
            .any(|h| h.class == const { known("cont") })
    }
}
