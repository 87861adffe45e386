//! What colleagues log themselves: notes, calls, meetings, tasks, and what customers type into
//! forms. Bodies are the rich text HubSpot's editor produces.

use super::lexicon::Lexicon;
use super::markup::{push_element, push_escaped};
use crate::hash::{pick, unique_word};
use crate::kind::{Kind, SUBMISSION_STREAM};
use crate::portal::Portal;

/// One note in so many is as long as HubSpot allows.
const LONG_NOTE_EVERY: u64 = 5_000;
/// HubSpot's limit for a note body, in characters.
pub(crate) const LONGEST_NOTE: usize = 65_536;

impl Portal {
    fn lexicon_of(&self, kind: Kind, engagement: u64) -> &'static Lexicon {
        self.language_of_contact(self.turn(kind, engagement).contact)
    }

    fn reference(&self, kind: Kind, engagement: u64, lexicon: &Lexicon) -> String {
        lexicon.reference.replace("{}", &unique_word(self.seed, kind.stream(), engagement))
    }

    pub(crate) fn logged_title(&self, kind: Kind, engagement: u64) -> String {
        let lexicon = self.lexicon_of(kind, engagement);
        let title = match kind {
            Kind::Call => lexicon.titles[0],
            Kind::Meeting => lexicon.titles[1],
            Kind::Task => pick(lexicon.next_steps, self.draw(kind, engagement, 40)),
            _ => lexicon.titles[2],
        };
        let (first, last) = self.contact_names(self.turn(kind, engagement).contact);
        format!("{title}: {first} {last}")
    }

    /// The body of a note, call, meeting or task, with its unique word.
    pub(crate) fn logged_body(&self, kind: Kind, engagement: u64) -> String {
        let lexicon = self.lexicon_of(kind, engagement);
        let reference = self.reference(kind, engagement, lexicon);
        let mut out = String::with_capacity(1_024);
        if self.lean {
            push_element("p", &reference, &mut out);
            return out;
        }
        out.push_str("<div style=\"\" dir=\"auto\" data-top-level=\"true\">");
        if kind == Kind::Note && engagement % LONG_NOTE_EVERY == 1_234 {
            push_padding(lexicon, &mut out);
        }
        self.push_narrative(kind, engagement, lexicon, &mut out);
        push_element("p style=\"margin:0;\"", &reference, &mut out);
        out.push_str("</div>");
        if out.len() > 60_000 {
            let missing = LONGEST_NOTE.saturating_sub(out.chars().count());
            out.truncate(out.len() - "</div>".len());
            out.extend(std::iter::repeat_n('.', missing));
            out.push_str("</div>");
        }
        out
    }

    fn push_narrative(&self, kind: Kind, engagement: u64, lexicon: &'static Lexicon, out: &mut String) {
        let contact = self.turn(kind, engagement).contact;
        let draw = self.draw(kind, engagement, 41);
        let sentences = lexicon.sentences.len() as u64;
        if draw.is_multiple_of(3) {
            push_element("p style=\"margin:0;\"", &format!("{}:", lexicon.titles[2]), out);
        }
        for n in 0..1 + draw % 3 {
            let sentence = lexicon.sentences[((draw / 3 + n) % sentences) as usize];
            push_element("p style=\"margin:0;\"", sentence, out);
        }
        for fact in self.facts_in(kind, engagement, contact, self.happened(kind, engagement)) {
            out.push_str("<p style=\"margin:0;\"><strong>");
            push_escaped(&fact.sentence, out);
            out.push_str("</strong></p>");
        }
        if draw.is_multiple_of(2) {
            out.push_str("<ul>");
            for step in lexicon.next_steps {
                push_element("li", step, out);
            }
            out.push_str("</ul>");
        }
    }

    /// HubSpot's own summary of a recorded call: one call in three has one.
    pub(crate) fn call_summary(&self, call: u64) -> Option<String> {
        let draw = self.draw(Kind::Call, call, 42);
        let lexicon = self.lexicon_of(Kind::Call, call);
        (draw.is_multiple_of(3) && !self.lean).then(|| {
            let first = pick(lexicon.sentences, draw);
            format!("{first} {}: {}.", lexicon.titles[3], pick(lexicon.next_steps, draw / 7))
        })
    }

    /// Notes colleagues keep from the customer: half of the meetings.
    pub(crate) fn meeting_internal_notes(&self, meeting: u64) -> Option<String> {
        let draw = self.draw(Kind::Meeting, meeting, 43);
        let lexicon = self.lexicon_of(Kind::Meeting, meeting);
        (draw.is_multiple_of(2) && !self.lean).then(|| {
            let mut out = String::new();
            push_element("p", pick(lexicon.sentences, draw), &mut out);
            push_element("p", pick(lexicon.next_steps, draw / 5), &mut out);
            out
        })
    }

    /// What the customer typed into the message field of a form.
    pub(crate) fn submission_message(&self, submission: u64) -> String {
        let contact = self.contact_of_submission(submission);
        let lexicon = contact.map_or_else(|| super::language(submission), |c| self.language_of_contact(c));
        let draw = self.draw_submission(submission, 44);
        let word = unique_word(self.seed, SUBMISSION_STREAM, submission);
        format!("{} {}", pick(lexicon.sentences, draw), lexicon.reference.replace("{}", &word))
    }
}

fn push_padding(lexicon: &Lexicon, out: &mut String) {
    let mut at = 0;
    // Both limits hold for every language: bytes past 60,000, characters below the maximum.
    while out.len() < 60_100 {
        push_element("p style=\"margin:0;\"", lexicon.sentences[at % lexicon.sentences.len()], out);
        at += 1;
    }
}
