//! The extractive distiller: facts about a customer, read from cues in the text itself. No network, no model.
//!
//! Sentences -> clauses -> cues of the language's lexicon -> rules -> filters -> value, subject, confidence. The same
//! input always gives the same output: no clock, no random order. It does not store, compare with what is known, or
//! fetch anything; what is hidden, quoted or part of a signature must be left out by the caller.

mod choose;
mod clauses;
mod entities;
mod filters;
pub(crate) mod fold;
mod lexicon;
mod names;
mod numbers;
pub mod proposal;
mod rules;
mod subject;
mod values;
mod when;
mod when_ja;

use std::ops::Range;
use std::sync::LazyLock;

use sha2::{Digest, Sha256};

pub use super::{Asserted, Contact, Direction, Draft, Source};

use super::dates::{DateValue, Day};
use super::instructions::Instructions;
use super::kinds::Kind;
use super::{Distiller, Outcome, verify};
use entities::Entity;
use filters::{Memory, Verdict};
use fold::Folded;
use lexicon::{Hit, LEXICONS, known};
use names::People;

/// The languages there is a lexicon for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[expect(missing_docs, reason = "the variants are ISO 639-1 codes")]
pub enum Language {
    En,
    De,
    Fr,
    Es,
    Pt,
    Ja,
}

impl Language {
    /// Every language there is a lexicon for.
    pub const ALL: [Self; 6] = [Self::En, Self::De, Self::Fr, Self::Es, Self::Pt, Self::Ja];

    /// The language of an ISO 639-1 code.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        lexicon::LANGUAGES.iter().position(|c| *c == code).map(|n| Self::ALL[n])
    }

    /// The ISO 639-1 code.
    #[must_use]
    pub fn code(self) -> &'static str {
        lexicon::LANGUAGES[self as usize]
    }
}

/// Code and lexicons of this distiller; what was found by another fingerprint is found again.
static FINGERPRINT: LazyLock<String> = LazyLock::new(|| {
    let mut hasher = Sha256::new();
    lexicon::files().for_each(|file| hasher.update(file.as_bytes()));
    let hash: String = hasher.finalize().iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("extractive-{CODE_VERSION}-{hash}")
});

/// Grows with every change of the code that may change what is found, as `versions.txt` asks; the lexicons count by
/// themselves.
const CODE_VERSION: u32 = 3;

/// The embedded distiller behind the seam.
#[derive(Debug, Clone, Copy, Default)]
pub struct Extractive;

impl Distiller for Extractive {
    fn fingerprint(&self) -> &str {
        &FINGERPRINT
    }

    fn distill(&self, batch: &[Source<'_>], instructions: &Instructions) -> Vec<Outcome> {
        let one = |source: &Source<'_>| {
            let mut drafts = distill(source);
            drafts.retain(|draft| instructions.allow(draft));
            Outcome::Found(drafts)
        };
        batch.iter().map(one).collect()
    }
}

/// The facts of one engagement, in the order they are written.
#[must_use]
pub fn distill(source: &Source<'_>) -> Vec<Draft> {
    if source.sender.is_some_and(subject::is_machine) || is_test(source) {
        return Vec::new();
    }
    let people = People::new(
        source.contacts.iter().map(|c| c.name).chain(source.owners.iter().copied()),
        source.contacts.iter().map(|c| c.company),
    );
    let mut out = Vec::new();
    for (part, text) in source.parts.iter().enumerate() {
        Reader::new(source, part, text, &people).read(&mut out);
    }
    without_repeats(out)
}

/// A message somebody sent to see whether it arrives.
fn is_test(source: &Source<'_>) -> bool {
    let title = source.title.unwrap_or_default();
    let language = source.language.unwrap_or(Language::En);
    let hits = LEXICONS.by_language[language as usize].scan(&Folded::new(title).text);
    hits.iter().any(|h| h.class == const { known("test") })
}

/// One part being read.
struct Reader<'a> {
    source: &'a Source<'a>,
    part: usize,
    text: &'a str,
    folded: Folded,
    language: Language,
    hits: Vec<Hit>,
    people: &'a People,
    today: Day,
}

impl<'a> Reader<'a> {
    fn new(source: &'a Source<'a>, part: usize, text: &'a str, people: &'a People) -> Self {
        let folded = Folded::new(text);
        let (language, hits) = match source.language {
            Some(language) => (language, LEXICONS.by_language[language as usize].scan(&folded.text)),
            None => likeliest(&folded.text),
        };
        Self { source, part, text, folded, language, hits, people, today: Day::of_ms(source.occurred_at_ms) }
    }

    fn read(&self, out: &mut Vec<Draft>) {
        let cue = |h: &Hit| h.class >= lexicon::FIRST_CUE || h.class == const { known("unit") };
        if !self.hits.iter().any(cue) {
            return;
        }
        let quarantine = verify::injections_in(self.text, &self.folded);
        let mut memory = Memory::default();
        let mut earlier = out.len();
        for sentence in clauses::read(self.text, &self.folded, &self.hits) {
            let verdict = memory.judge(self.text, &sentence, &self.hits);
            let before = out.len();
            match verdict {
                Verdict::TakeBack => out.truncate(earlier),
                Verdict::Drop => {}
                _ if quarantine
                    .iter()
                    .any(|q| q.start < sentence.original.end && sentence.original.start < q.end) => {}
                verdict => self.sentence(&sentence, verdict, out),
            }
            earlier = before.min(out.len());
        }
    }

    /// The values in a sentence: dates, and everything a fact may take its value from.
    fn values(&self, sentence: &clauses::Sentence) -> (Vec<Entity>, Vec<when::Found>) {
        let (start, end) = (sentence.body.start, sentence.body.end);
        let numbers = numbers::find(&self.folded.text, start, end, &self.hits);
        let dates =
            find_dates(&self.folded.text, start, end, &self.hits, &numbers, self.language, self.today);
        let mut entities = entities::find(&self.folded.text, start, end, &self.hits, &numbers);
        entities.retain(|e| {
            e.class != const { known("@TERM") } || !dates.iter().any(|d| d.start <= e.start && e.end <= d.end)
        });
        entities.retain(|e| {
            e.class == const { known("@EMAIL") } || !dates.iter().any(|d| d.start < e.end && e.start < d.end)
        });
        for date in &dates {
            entities.push(Entity {
                start: date.start,
                end: date.end,
                class: const { known("@DATE") },
                value: date.value.to_string(),
            });
        }
        let body = self.folded.original(start..end);
        let names = names::Sentence {
            original: self.text,
            range: body,
            folded: &self.folded,
            hits: &self.hits,
            people: self.people,
            german: self.language == Language::De,
        };
        entities.extend(names.find());
        entities.sort_by_key(|e| e.start);
        (entities, dates)
    }

    fn sentence(&self, sentence: &clauses::Sentence, verdict: Verdict, out: &mut Vec<Draft>) {
        let (entities, dates) = self.values(sentence);
        let scene = choose::Scene {
            text: &self.folded.text,
            sentence,
            hits: &self.hits,
            entities: &entities,
            rules: &LEXICONS.rules,
            verdict,
            neg_behind: matches!(self.language, Language::De | Language::Ja),
        };
        for pick in scene.picks() {
            out.extend(self.draft(sentence, &pick, &entities, &dates));
        }
    }

    fn draft(
        &self,
        sentence: &clauses::Sentence,
        pick: &choose::Pick<'_>,
        entities: &[Entity],
        dates: &[when::Found],
    ) -> Option<Draft> {
        let range = &pick.range;
        let inside: Vec<&Entity> =
            entities.iter().filter(|e| e.start >= range.start && e.end <= range.end).collect();
        let dates: Vec<when::Found> =
            dates.iter().filter(|d| d.start >= range.start && d.end <= range.end).copied().collect();
        let evidence = self.evidence(sentence, pick);
        let quote = self.text.get(evidence.clone())?;
        let facts = values::Facts {
            kind: pick.rule.kind,
            slot: pick.rule.slot,
            quote,
            folded: &self.folded.text[range.clone()],
            entities: &inside,
            dates: &dates,
            today: self.today,
        };
        let value = values::value(&facts);
        let who = subject::Who {
            source: self.source,
            people: self.people,
            text: &self.folded.text,
            hits: &self.hits,
            sentence,
        };
        let asserted_by = who.asserted_by();
        let claim = who.is_claim(asserted_by, pick.rule.kind, pick.rule.slot, &inside);
        let sure = f32::from(pick.rule.score) / 100.0 - if pick.labelled { 0.05 } else { 0.0 };
        Some(Draft {
            kind: pick.rule.kind,
            slot: pick.rule.slot,
            statement: values::statement(&facts, value.as_deref()),
            value,
            date: dates.iter().rev().find(|d| !d.since).map(|d| d.value),
            part: self.part,
            subject: who.subject(pick.rule.kind, pick.rule.slot, range)?,
            asserted_by,
            claim,
            valid_from: values::valid_from(&facts),
            confidence: if claim { sure.min(0.5) } else { sure },
            evidence,
        })
    }

    /// The quote: the clauses, with the label where the label is what makes a short answer a fact.
    fn evidence(&self, sentence: &clauses::Sentence, pick: &choose::Pick<'_>) -> Range<usize> {
        let mut range = pick.range.clone();
        let short = clauses::tokens(&self.folded.text[range.clone()]) <= 4;
        if let Some(label) = sentence
            .label
            .clone()
            .filter(|_| pick.labelled && (short && sentence.clauses.len() == 1 || self.source.form))
        {
            range.start = label.start;
        }
        let mut original = self.folded.original(range);
        let kept = self.text[original.clone()].trim_end().len();
        original.end = original.start + kept;
        original
    }
}

/// The language whose lexicon finds most, for texts whose language is not known.
fn likeliest(folded: &str) -> (Language, Vec<Hit>) {
    let scans =
        Language::ALL.map(|language| (language, LEXICONS.by_language[language as usize].scan(folded)));
    let weight = |hits: &[Hit]| hits.iter().map(|h| h.end - h.start).sum::<usize>();
    let best = scans.into_iter().rev().max_by_key(|(_, hits)| weight(hits));
    best.unwrap_or((Language::En, Vec::new()))
}

fn find_dates(
    text: &str,
    start: usize,
    end: usize,
    hits: &[Hit],
    numbers: &[numbers::Number],
    language: Language,
    today: Day,
) -> Vec<when::Found> {
    if language == Language::Ja {
        return when_ja::find(text, start, end, numbers, today);
    }
    let frame = when::Frame { today, day_first: language != Language::En };
    when::find(text, start, end, hits, numbers, frame)
}

/// The cues of a folded text, for those who read numbers and dates in parts of it.
#[derive(Debug)]
pub(crate) struct Cues(Vec<Hit>);

impl Cues {
    pub(crate) fn scan(folded: &str, language: Language) -> Self {
        Self(LEXICONS.by_language[language as usize].scan(folded))
    }

    /// The numbers in a part of that text.
    pub(crate) fn numbers(&self, folded: &str, part: &Range<usize>) -> Vec<numbers::Number> {
        numbers::find(folded, part.start, part.end, &self.0)
    }

    /// The dates in the same part.
    pub(crate) fn dates(
        &self,
        folded: &str,
        part: &Range<usize>,
        numbers: &[numbers::Number],
        language: Language,
        today: Day,
    ) -> Vec<DateValue> {
        let found = find_dates(folded, part.start, part.end, &self.0, numbers, language, today);
        found.into_iter().map(|date| date.value).collect()
    }
}

/// One fact per slot, value and subject, and per quote: the surer one stays.
fn without_repeats(drafts: Vec<Draft>) -> Vec<Draft> {
    let mut out: Vec<Draft> = Vec::new();
    for draft in drafts {
        let same = |d: &Draft| {
            let quoted = d.part == draft.part && d.evidence == draft.evidence;
            let said = d.slot == draft.slot
                && d.value.is_some()
                && d.value == draft.value
                && d.subject == draft.subject;
            quoted || said && !matches!(d.kind, Kind::Commitment | Kind::Milestone | Kind::Plan)
        };
        match out.iter_mut().find(|d| same(d)) {
            Some(kept) if kept.confidence < draft.confidence => *kept = draft,
            Some(_) => {}
            None => out.push(draft),
        }
    }
    out
}

#[cfg(test)]
mod tests;

#[cfg(test)]
mod heldout;

#[cfg(test)]
mod hostile;

#[cfg(test)]
mod injected;

#[cfg(test)]
mod versions;
