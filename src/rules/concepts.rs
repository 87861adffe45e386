//! The embedded topic judge: compares what a topic is about with what a text is about, not their words.
//!
//! A topic is compiled to concepts (billing, renewal, problem, ...) by how operators word topics; a text to concepts
//! by what people say about them, in six languages. A topic of no known concept falls back to its own words and is
//! never refused with certainty. No model, no network.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::keyword::fold;
use super::{Candidate, Judgement, TopicJudge, Verdict};

/// The embedded judge.
#[derive(Debug, Clone, Copy, Default)]
pub struct Concepts;

/// Points from which a text is about a concept; a phrase that is enough by itself has all of them.
const ENOUGH: u32 = 2;

/// Phrases, each with the concept it stands for and its points.
struct Table {
    automaton: AhoCorasick,
    phrases: Vec<(&'static str, String, u32)>,
}

static TOPICS: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("concepts/topics.txt")));
static CUES: LazyLock<Table> = LazyLock::new(|| Table::read(include_str!("concepts/cues.txt")));

/// The concept of mass and machine mail, which is about nothing.
const NONE: &str = "none";

impl Table {
    fn read(file: &'static str) -> Self {
        let mut phrases = Vec::new();
        for (concept, list) in file.lines().filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once(": "))
        {
            for phrase in list.split('|').map(str::trim).filter(|p| !p.is_empty()) {
                let bare = phrase.trim_start_matches("++");
                phrases.push((concept, fold(bare), if bare.len() < phrase.len() { ENOUGH } else { 1 }));
            }
        }
        #[expect(clippy::expect_used, reason = "the phrases are compiled in; a test builds both tables")]
        let automaton = AhoCorasick::new(phrases.iter().map(|(_, phrase, _)| phrase))
            .expect("some hundred short phrases");
        Self { automaton, phrases }
    }

    /// Points of each concept in a folded text, and the phrase that gave most; every phrase counts once.
    fn weigh(&self, text: &str) -> BTreeMap<&'static str, (u32, &str)> {
        let mut seen = vec![false; self.phrases.len()];
        let mut out: BTreeMap<&'static str, (u32, &str)> = BTreeMap::new();
        for found in self.automaton.find_overlapping_iter(text) {
            let n = found.pattern().as_usize();
            if std::mem::replace(&mut seen[n], true) {
                continue;
            }
            if !on_edges(text, found.start(), found.end()) {
                seen[n] = false;
                continue;
            }
            let (concept, phrase, points) = &self.phrases[n];
            let entry = out.entry(concept).or_insert((0, phrase));
            if *points > entry.0 {
                entry.1 = phrase;
            }
            entry.0 += points;
        }
        out
    }
}

/// Words count whole, except beside scripts without spaces.
fn on_edges(text: &str, start: usize, end: usize) -> bool {
    let word =
        |c: char| c.is_alphanumeric() && !matches!(c, '\u{2e80}'..='\u{9fff}' | '\u{f900}'..='\u{faff}');
    let joined = |l: Option<char>, r: Option<char>| l.is_some_and(word) && r.is_some_and(word);
    let part = &text[start..end];
    !joined(text[..start].chars().next_back(), part.chars().next())
        && !joined(part.chars().next_back(), text[end..].chars().next())
}

impl Concepts {
    /// Judges a text against a topic.
    #[must_use]
    pub fn judge(topic: &str, title: Option<&str>, source_text: &str) -> Judgement {
        let text = fold(&format!("{}\n{source_text}", title.unwrap_or_default()));
        let about = CUES.weigh(&text);
        if let Some((points, phrase)) = about.get(NONE)
            && *points >= 1
        {
            return judged(Verdict::Differs, format!("mass or machine mail: \"{phrase}\""));
        }
        let topic = fold(topic);
        let asked = TOPICS.weigh(&topic);
        if asked.is_empty() {
            return by_words(&topic, &text);
        }
        let hit = |concept: &&str| about.get(*concept).copied();
        let best = asked.keys().filter_map(|c| Some((hit(c)?, *c))).max_by_key(|((points, _), _)| *points);
        match best {
            Some(((points, phrase), concept)) if points >= ENOUGH => {
                judged(Verdict::Matches, format!("{concept}: \"{phrase}\""))
            }
            Some(((_, phrase), concept)) if text.chars().count() < 80 => {
                judged(Verdict::Unsure, format!("{concept} only touched: \"{phrase}\""))
            }
            _ => judged(
                Verdict::Differs,
                format!("nothing about {}", asked.into_keys().collect::<Vec<_>>().join(", ")),
            ),
        }
    }
}

/// The concepts that the judge reads in a topic; none where it knows nothing but the topic's own words.
#[must_use]
pub fn concepts_of(topic: &str) -> Vec<&'static str> {
    TOPICS.weigh(&fold(topic)).into_keys().collect()
}

fn judged(verdict: Verdict, reason: String) -> Judgement {
    Judgement { verdict, reason }
}

/// A topic nobody foresaw: all its longer words in the text are a match, some are unsure; none is unsure too where
/// the text may be in another language than the topic.
fn by_words(topic: &str, text: &str) -> Judgement {
    let words: Vec<&str> =
        topic.split(|c: char| !c.is_alphanumeric()).filter(|w| w.chars().count() >= 4).collect();
    let stem = |w: &str| w.chars().take(w.chars().count().saturating_sub(1).max(4)).collect::<String>();
    let found: Vec<&str> = words.iter().copied().filter(|w| text.contains(&stem(w))).collect();
    if !words.is_empty() && found.len() * 2 > words.len() {
        return judged(Verdict::Matches, format!("words of the topic: {}", found.join(", ")));
    }
    judged(Verdict::Unsure, "the topic names no concept the embedded judge knows".to_owned())
}

impl TopicJudge for Concepts {
    fn name(&self) -> &str {
        "concepts-1"
    }

    fn judge(&self, topic: &str, candidate: Candidate<'_>) -> Judgement {
        Self::judge(topic, candidate.title, candidate.source_text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(topic: &str, text: &str) -> Verdict {
        Concepts::judge(topic, None, text).verdict
    }

    #[test]
    fn every_asked_concept_can_be_found() {
        let known: Vec<&str> = CUES.phrases.iter().map(|p| p.0).collect();
        assert!(TOPICS.phrases.iter().all(|p| known.contains(&p.0)));
    }

    #[test]
    fn topics_meet_texts_of_any_language_without_sharing_a_word() {
        for (topic, text) in [
            ("Problems customers report", "Die App stürzt seit gestern beim Ausstempeln ab, sie stürzt ab."),
            ("Kündigungen", "We want to cancel our contract at the end of the year."),
            ("Retours produit", "Estaría bien poder ver los turnos de otra sede."),
            ("Payments", "La factura de mayo no ha llegado."),
            ("競合", "We had a demo from another vendor; the competitor was cheaper."),
            ("Decision makers", "O diretor aprova tudo acima de dez mil."),
            ("Segurança", "Our works council asks where data is stored."),
        ] {
            assert_eq!(verdict(topic, text), Verdict::Matches, "{topic}: {text}");
        }
    }

    #[test]
    fn texts_about_something_else_differ() {
        for (topic, text) in [
            (
                "Billing",
                "The new office in Leeds opens in May and we look forward to seeing you there for the party.",
            ),
            (
                "Bug reports",
                "Thank you for the lovely lunch yesterday, the fish was great and so was the company.",
            ),
            ("Renewals", "Read our newsletter about contract renewal. Unsubscribe"),
            (
                "Vertrag",
                "Bitte rufen Sie mich am Nachmittag zurück, ich habe eine Frage zur Schichtplanung im Lager.",
            ),
        ] {
            assert_eq!(verdict(topic, text), Verdict::Differs, "{topic}: {text}");
        }
    }

    #[test]
    fn an_unknown_topic_is_held_rather_than_refused() {
        assert_eq!(verdict("Beekeeping and honey", "The bees are fine."), Verdict::Unsure);
        assert_eq!(
            verdict("Beekeeping and honey", "Beekeeping went well, the honey is in jars."),
            Verdict::Matches
        );
    }
}
