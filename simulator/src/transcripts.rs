//! Call transcripts of the untouched portal: two calls in five have one, and of those HubSpot's own
//! answer 404 although the call claims to have one, as on real portals.

use crate::hash::pick;
use crate::kind::Kind;
use crate::portal::Portal;

const FIRST_TRANSCRIPT: u64 = 880_000_000;

/// One thing somebody said.
#[derive(Debug)]
pub(crate) struct Utterance {
    pub(crate) by_customer: bool,
    pub(crate) text: String,
    pub(crate) start_ms: u64,
    pub(crate) end_ms: u64,
}

impl Portal {
    pub(crate) fn has_transcript(&self, call: u64) -> bool {
        self.draw(Kind::Call, call, 70) % 5 < 2
    }

    /// Whether the transcript endpoint answers: only for those an integration pushed.
    pub(crate) fn transcript_is_served(&self, call: u64) -> bool {
        self.has_transcript(call) && !self.draw(Kind::Call, call, 71).is_multiple_of(3)
    }

    pub(crate) fn transcript_id(&self, call: u64) -> u64 {
        FIRST_TRANSCRIPT + call * 3
    }

    pub(crate) fn call_of_transcript(&self, id: u64) -> Option<u64> {
        let distance = id.checked_sub(FIRST_TRANSCRIPT)?;
        (distance % 3 == 0 && distance / 3 < self.count(Kind::Call)).then_some(distance / 3)
    }

    pub(crate) fn utterances(&self, call: u64) -> Vec<Utterance> {
        let contact = self.turn(Kind::Call, call).contact;
        let lexicon = self.language_of_contact(contact);
        let facts = self.facts_in(Kind::Call, call, contact, self.happened(Kind::Call, call));
        let mut said = facts.into_iter().map(|fact| fact.sentence);
        let count = 4 + self.draw(Kind::Call, call, 72) % 9;
        let line = |n: u64| {
            let text = pick(lexicon.sentences, self.draw(Kind::Call, call, 200 + n)).to_owned();
            Utterance { by_customer: n % 2 == 1, text, start_ms: n * 8_000, end_ms: n * 8_000 + 7_200 }
        };
        let mut lines: Vec<Utterance> = (0..count).map(line).collect();
        for spoken in lines.iter_mut().filter(|l| l.by_customer) {
            let Some(fact) = said.next() else { break };
            spoken.text = fact;
        }
        lines
    }
}
