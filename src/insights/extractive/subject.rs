//! Whose fact it is, who says so, and whether saying so is enough.
//!
//! A fact goes to one contact or one company of the engagement, never to anybody else; where two companies are
//! associated and nothing tells which is meant, there is no fact.

use std::ops::Range;

use super::clauses::Sentence;
use super::entities::Entity;
use super::filters::within;
use super::fold::Folded;
use super::lexicon::{Class, Hit, known};
use super::names::People;
use super::{Asserted, Contact, Direction, Source};
use crate::insights::kinds::Kind;

/// Addresses no person writes from.
pub(crate) fn is_machine(sender: &str) -> bool {
    let local = sender.split('@').next().unwrap_or_default().to_ascii_lowercase();
    let word = local.split(['+', '.', '_']).next().unwrap_or_default();
    matches!(
        word,
        "mailer-daemon"
            | "postmaster"
            | "noreply"
            | "no-reply"
            | "donotreply"
            | "do-not-reply"
            | "newsletter"
            | "news"
            | "notifications"
            | "notification"
            | "bounce"
            | "bounces"
            | "marketing"
            | "alerts"
            | "digest"
    )
}

/// The people around one sentence.
pub(crate) struct Who<'a> {
    pub source: &'a Source<'a>,
    pub people: &'a People,
    pub text: &'a str,
    pub hits: &'a [Hit],
    pub sentence: &'a Sentence,
}

impl Who<'_> {
    /// Who stands behind what the sentence says.
    pub(crate) fn asserted_by(&self) -> Asserted {
        match self.source.direction {
            Direction::Incoming => Asserted::Customer,
            Direction::Outgoing => Asserted::Us,
            Direction::Internal => match self.speaker_is_ours() {
                Some(true) => Asserted::Us,
                Some(false) => Asserted::Customer,
                None => Asserted::Note,
            },
        }
    }

    /// Whether the speaker of a transcript is one of our own, where there is a speaker.
    fn speaker_is_ours(&self) -> Option<bool> {
        let name = &self.text[self.sentence.speaker.clone()?];
        let ours = self.source.owners.iter().any(|o| {
            let owner = Folded::phrase(o);
            name.split(' ').any(|w| w.chars().count() >= 2 && owner.split(' ').any(|o| o == w))
        });
        Some(ours)
    }

    /// Whether the customer asserts what only our side can grant.
    pub(crate) fn is_claim(&self, by: Asserted, kind: Kind, slot: &str, inside: &[&Entity]) -> bool {
        if by != Asserted::Customer {
            return false;
        }
        let whole = self.sentence.body.start..self.sentence.body.end;
        let says = |class: Class| within(self.hits, &whole).any(|h| h.class == class);
        let percent = inside.iter().any(|e| e.class == const { known("@PERCENT") });
        let gift = percent || says(const { known("grant") }) || self.text[whole.clone()].contains('%');
        let granted = gift || says(const { known("claim") });
        if kind == Kind::AccountOwner {
            // Anybody can name anybody: only a name the CRM knows as an owner's is believed.
            let named = inside
                .iter()
                .filter(|e| e.class == const { known("@PERSON") } || e.class == const { known("@NAME") });
            return !named.into_iter().any(|e| self.is_owner(&e.value));
        }
        let ours = matches!(
            kind,
            Kind::Billing
                | Kind::Renewal
                | Kind::Budget
                | Kind::ProductUse
                | Kind::Preference
                | Kind::Commitment
        );
        // Dates and plans are the customer's own, unless they are about a gift.
        let dated = matches!(kind, Kind::Milestone | Kind::Plan) && gift;
        slot == "billing.credit" || ours && granted || dated
    }

    fn is_owner(&self, name: &str) -> bool {
        let name = Folded::phrase(name);
        self.source
            .owners
            .iter()
            .any(|o| Folded::phrase(o).split([' ', '.']).any(|w| name.split(' ').any(|n| n == w)))
    }

    /// Address of the contact or domain of the company the fact is about.
    pub(crate) fn subject(&self, kind: Kind, slot: &str, range: &Range<usize>) -> Option<String> {
        let contacts = self.source.contacts;
        let named = self.named(range).or_else(|| self.named(&self.sentence.body));
        let sender =
            self.source.sender.and_then(|s| contacts.iter().find(|c| c.email.eq_ignore_ascii_case(s)));
        let contact = match named.or(sender) {
            Some(contact) => contact,
            None if one_company(contacts) => contacts.first()?,
            None => return None,
        };
        let personal = kind.is_personal()
            || slot == "preference.address"
            || kind == Kind::FeatureRequest && named.is_some();
        let own_promise = kind == Kind::Commitment
            && self.source.direction == Direction::Incoming
            && within(self.hits, range).any(|h| h.class == const { known("we") });
        let to = if personal || own_promise { contact.email } else { contact.domain };
        Some(if to.is_empty() { contact.email } else { to }.to_owned())
    }

    /// The one contact, or the contact of the one company, a range speaks of by name.
    fn named(&self, range: &Range<usize>) -> Option<&Contact<'_>> {
        let text = self.text.get(range.clone())?;
        let speaks_of = |name: &str| {
            Folded::phrase(name).split([' ', '\u{3000}']).any(|w| {
                w.chars().count() >= 2
                    && self.people.knows(w)
                    && text.match_indices(w).any(|(at, _)| {
                        let edge = |c: Option<char>| !c.is_some_and(super::fold::is_word);
                        edge(text[..at].chars().next_back()) && edge(text[at + w.len()..].chars().next())
                    })
            })
        };
        let mut named = self.source.contacts.iter().filter(|c| {
            speaks_of(c.name) || !c.company.is_empty() && text.contains(&Folded::phrase(c.company))
        });
        let first = named.next()?;
        named.all(|c| c.domain == first.domain).then_some(first)
    }
}

fn one_company(contacts: &[Contact<'_>]) -> bool {
    contacts.windows(2).all(|pair| pair[0].domain == pair[1].domain)
}
