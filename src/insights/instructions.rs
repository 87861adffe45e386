//! Instruction rules: what an operator asks insights to look like. They shape what is kept, never what is learned.
//!
//! A model reads them as they are written. The embedded distiller understands what names a kind or slot: "always
//! record the payroll system", "leave out mood", "only record commitments with a date". What maps to nothing is told
//! to the operator ([`Instructions::not_understood`]) instead of being ignored in silence.

use sha2::{Digest, Sha256};

use super::Draft;
use super::extractive::fold::{Folded, is_unspaced, is_word};
use super::kinds::Kind;
use crate::domain::rule::{LearningRule, RuleType};

/// How operators word kinds: `kind: word|word`; `-` leaves out, `only` restricts, `dated` asks for a date.
const WORDS: &str = include_str!("instructions.txt");

/// What one sentence of an instruction asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Directive {
    /// These are wanted, whatever an earlier one said.
    Record(Vec<Target>),
    /// These are not.
    LeaveOut(Vec<Target>),
    /// Nothing but these.
    Only { targets: Vec<Target>, dated: bool },
}

/// A kind, or one slot of it.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Kind(Kind),
    Slot(String),
}

impl Target {
    fn holds(&self, draft: &Draft) -> bool {
        match self {
            Self::Kind(kind) => draft.kind == *kind,
            Self::Slot(slot) => draft.slot == slot,
        }
    }
}

/// The instruction rules in force, in the operator's order.
#[derive(Debug, Clone, Default)]
pub struct Instructions {
    texts: Vec<String>,
    stamp: String,
    directives: Vec<Directive>,
    not_understood: Vec<String>,
}

impl Instructions {
    /// The enabled instructions among these rules.
    #[must_use]
    pub fn new(rules: &[LearningRule]) -> Self {
        let mut out = Self::default();
        let mut stamps = Vec::new();
        for rule in rules.iter().filter(|rule| rule.enabled && rule.rule_type == RuleType::Instruction) {
            let understood = understand(&rule.text);
            if understood.is_empty() {
                out.not_understood.push(rule.id.clone());
            }
            out.directives.extend(understood);
            out.texts.push(rule.text.clone());
            stamps.push(rule.stamp());
        }
        out.stamp = stamps.join(",");
        out
    }

    /// What the operator wrote, for a model.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.texts.iter().map(String::as_str)
    }

    /// `id@version` of each, joined by commas: stored with every insight.
    #[must_use]
    pub fn stamp(&self) -> &str {
        &self.stamp
    }

    /// Ids of the rules that name no kind or slot: only a model can follow them.
    #[must_use]
    pub fn not_understood(&self) -> &[String] {
        &self.not_understood
    }

    /// Changes with every instruction.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        hasher.update(self.stamp.as_bytes());
        self.texts.iter().for_each(|text| hasher.update(text.as_bytes()));
        super::hex(&hasher.finalize()[..8])
    }

    /// Whether a fact is wanted; the last instruction that speaks of it decides.
    #[must_use]
    pub fn allow(&self, draft: &Draft) -> bool {
        let mut wanted = true;
        for directive in &self.directives {
            let named = |targets: &[Target]| targets.iter().any(|target| target.holds(draft));
            match directive {
                Directive::Record(targets) if named(targets) => wanted = true,
                Directive::LeaveOut(targets) if named(targets) => wanted = false,
                Directive::Only { targets, dated } => {
                    wanted = named(targets) && (!dated || draft.date.is_some());
                }
                Directive::Record(_) | Directive::LeaveOut(_) => {}
            }
        }
        wanted
    }
}

/// What kinds and slots an instruction maps to, in words for the operator; empty where it maps to nothing.
#[must_use]
pub fn meaning(text: &str) -> Vec<String> {
    let name = |targets: &[Target]| {
        let names: Vec<&str> = targets
            .iter()
            .map(|target| match target {
                Target::Kind(kind) => kind.as_str(),
                Target::Slot(slot) => slot,
            })
            .collect();
        names.join(", ")
    };
    let say = |directive: Directive| match directive {
        Directive::Record(targets) => format!("records {}", name(&targets)),
        Directive::LeaveOut(targets) => format!("leaves out {}", name(&targets)),
        Directive::Only { targets, dated: true } => format!("records only {} with a date", name(&targets)),
        Directive::Only { targets, dated: false } => format!("records only {}", name(&targets)),
    };
    understand(text).into_iter().map(say).collect()
}

fn understand(text: &str) -> Vec<Directive> {
    crate::text::sentences(text).into_iter().filter_map(|range| sentence(&text[range])).collect()
}

fn sentence(text: &str) -> Option<Directive> {
    let folded = Folded::new(text).text;
    let (mut targets, mut leaves_out, mut only, mut dated) = (Vec::new(), false, false, false);
    for line in WORDS.lines().filter(|line| !line.starts_with('#')) {
        let Some((name, words)) = line.split_once(": ") else { continue };
        if !words.split('|').any(|word| holds(&folded, word)) {
            continue;
        }
        match name {
            "-" => leaves_out = true,
            "only" => only = true,
            "dated" => dated = true,
            name => targets.extend(Kind::parse(name).map(Target::Kind)),
        }
    }
    targets.extend(
        super::kinds::single_valued()
            .filter(|slot| folded.contains(slot))
            .map(|slot| Target::Slot(slot.to_owned())),
    );
    match () {
        () if targets.is_empty() => None,
        () if only => Some(Directive::Only { targets, dated }),
        () if leaves_out => Some(Directive::LeaveOut(targets)),
        () => Some(Directive::Record(targets)),
    }
}

/// Words begin at an edge and may go on ("commitments"), but for those written with a space behind them.
fn holds(folded: &str, word: &str) -> bool {
    let whole = word.ends_with(' ');
    let word = Folded::phrase(word);
    let free = word.chars().next().is_some_and(is_unspaced);
    let edge = |c: Option<char>| !c.is_some_and(is_word);
    folded.match_indices(&word).any(|(at, _)| {
        let (before, behind) = (&folded[..at], &folded[at + word.len()..]);
        free || edge(before.chars().next_back()) && (!whole || edge(behind.chars().next()))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rul_3_instructions_name_kinds_in_six_languages() {
        for (text, expected) in [
            ("Always record the payroll system.", "records environment"),
            ("Leave out mood.", "leaves out sentiment"),
            ("Only record commitments with a date.", "records only commitment with a date"),
            ("Bitte keine Stimmung festhalten.", "leaves out sentiment"),
            ("Nur Zusagen mit Datum.", "records only commitment with a date"),
            ("Toujours noter les concurrents.", "records competitor"),
            ("No registrar el estado de ánimo.", "leaves out sentiment"),
            ("Registrar sempre a concorrência.", "records competitor"),
            ("競合は必ず記録する。", "records competitor"),
            ("Keep billing.frequency.", "records billing, billing.frequency"),
        ] {
            assert_eq!(meaning(text), [expected], "{text}");
        }
        assert!(meaning("Write like a poet.").is_empty());
    }

    #[test]
    fn rul_3_what_maps_to_nothing_is_told() {
        let rule = |id: &str, text: &str, enabled| LearningRule {
            id: id.to_owned(),
            version: 2,
            rule_type: RuleType::Instruction,
            text: text.to_owned(),
            substring: false,
            kinds: Vec::new(),
            position: 0,
            enabled,
        };
        let rules = [
            rule("a", "Write like a poet.", true),
            rule("b", "Leave out mood.", true),
            rule("c", "No more bugs.", false),
        ];
        let instructions = Instructions::new(&rules);
        assert_eq!(instructions.not_understood(), ["a"]);
        assert_eq!(instructions.stamp(), "a@2,b@2");
        assert_eq!(instructions.texts().count(), 2);
        assert_ne!(instructions.fingerprint(), Instructions::default().fingerprint());
    }
}
