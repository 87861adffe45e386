//! Facts about customers and when they change. A statement always says what was true when it was
//! written: before a contact's turning point the first value, afterwards, for some facts, another.

use super::lexicon::{Attribute, Lexicon};
use super::markup::amount;
use super::persons::{OWNERS, owner_name};
use crate::hash::pick;
use crate::kind::Kind;
use crate::portal::Portal;

/// One statement about a customer, as an engagement makes it.
#[derive(Debug, Clone)]
pub(crate) struct Fact {
    pub(crate) attribute: Attribute,
    pub(crate) value: String,
    pub(crate) sentence: String,
}

impl Portal {
    /// What an engagement of this contact, written at `at`, says about the customer: in two of five
    /// one fact, in one of five two, otherwise nothing.
    pub(crate) fn facts_in(&self, kind: Kind, engagement: u64, contact: u64, at: i64) -> Vec<Fact> {
        let choice = self.draw(kind, engagement, 30);
        let lexicon = self.language_of_contact(contact);
        let number = [1, 1, 2, 0, 0][(choice % 5) as usize];
        let first = choice / 5;
        (0..number).map(|n| self.fact(contact, lexicon, first + n * 5, at)).collect()
    }

    fn fact(&self, contact: u64, lexicon: &'static Lexicon, choice: u64, at: i64) -> Fact {
        let wording = &lexicon.facts[(choice % lexicon.facts.len() as u64) as usize];
        let salt = 100 + wording.attribute as u64 * 2;
        let changes = self.draw(Kind::Contact, contact, salt) % 5 < 2;
        let changed = changes && at >= self.turning_point(contact);
        let value = self.fact_value(contact, lexicon, wording.attribute, changed);
        let template = if changed { wording.changed } else { wording.first };
        Fact { attribute: wording.attribute, sentence: template.replace("{}", &value), value }
    }

    fn fact_value(&self, contact: u64, lexicon: &Lexicon, what: Attribute, changed: bool) -> String {
        let base = self.draw(Kind::Contact, contact, 101 + what as u64 * 2) >> 9;
        // One step on is always another value, since every list has at least two entries.
        let at = base % 997 + u64::from(changed);
        let of = |list: &'static [&'static str]| list[(at % list.len() as u64) as usize].to_owned();
        match what {
            Attribute::AccountManager => {
                let (first, last) = owner_name(at % OWNERS);
                format!("{first} {last}")
            }
            Attribute::RenewalMonth => of(lexicon.months),
            Attribute::Billing => of(lexicon.billing),
            Attribute::Budget => amount(12 + at % 180, lexicon),
            Attribute::DecisionMaker => {
                let first = of(lexicon.first_names);
                format!("{first} {}", pick(lexicon.last_names, base << 8))
            }
            Attribute::Seats => (5 + at % 120).to_string(),
        }
    }
}
