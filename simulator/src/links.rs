//! Who belongs to whom in the untouched portal, in both directions and without a table.
//!
//! The rules make the cases an ingester must survive: companies with hundreds of contacts,
//! contacts with hundreds of e-mails, contacts without a company or with two, e-mails linked to
//! nobody and e-mails linked to two contacts of two companies.

use crate::kind::Kind;
use crate::portal::Portal;

/// Engagements of the sixteenfold lanes: one goes to very busy contacts, three to busy ones.
const COLD: [u64; 12] = [0, 2, 3, 4, 6, 7, 8, 10, 11, 12, 14, 15];
const WARM: [u64; 3] = [5, 9, 13];
const HOT: u64 = 1;

/// Where an engagement stands in its contact's history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Turn {
    pub(crate) contact: u64,
    /// How many of the same lane came before it.
    pub(crate) number: u64,
    pub(crate) previous: Option<u64>,
}

struct Lanes {
    contacts: u64,
    hot: u64,
    warm: u64,
}

impl Lanes {
    fn of(portal: &Portal, kind: Kind) -> Self {
        let contacts = portal.count(Kind::Contact).max(1);
        let hot = (portal.count(kind) / 16 / 300).clamp(1, contacts);
        Self { contacts, hot, warm: (contacts / 40).max(1) }
    }

    fn hot_step(&self) -> u64 {
        self.contacts / self.hot
    }

    fn warm_step(&self) -> u64 {
        self.contacts / self.warm
    }
}

fn cold_index(queue: u64) -> u64 {
    queue / 12 * 16 + COLD[(queue % 12) as usize]
}

fn warm_index(queue: u64) -> u64 {
    queue / 3 * 16 + WARM[(queue % 3) as usize]
}

impl Portal {
    /// The contact an engagement is mainly about, before orphans are taken out.
    pub(crate) fn turn(&self, kind: Kind, engagement: u64) -> Turn {
        let lanes = Lanes::of(self, kind);
        let (block, lane) = (engagement / 16, engagement % 16);
        let turn = |queue: u64, round: u64, contact: u64, back: &dyn Fn(u64) -> u64| Turn {
            contact: contact % lanes.contacts,
            number: queue / round,
            previous: queue.checked_sub(round).map(back),
        };
        if lane == HOT {
            let contact = block % lanes.hot * lanes.hot_step() + lanes.hot_step() / 2;
            return turn(block, lanes.hot, contact, &|queue| queue * 16 + HOT);
        }
        if let Some(at) = WARM.iter().position(|l| *l == lane) {
            let queue = block * 3 + at as u64;
            return turn(queue, lanes.warm, queue % lanes.warm * lanes.warm_step(), &warm_index);
        }
        let at = COLD.iter().position(|l| *l == lane).unwrap_or_default() as u64;
        let queue = block * 12 + at;
        turn(queue, lanes.contacts, queue % lanes.contacts, &cold_index)
    }

    /// Every engagement whose turn is this contact's, ascending.
    fn turns_of(&self, kind: Kind, contact: u64) -> Vec<u64> {
        let lanes = Lanes::of(self, kind);
        let count = self.count(kind);
        let mut all = Vec::new();
        let mut walk = |first: u64, round: u64, index: &dyn Fn(u64) -> u64| {
            let mut queue = first;
            while index(queue) < count {
                all.push(index(queue));
                queue += round;
            }
        };
        walk(contact, lanes.contacts, &cold_index);
        let warm = contact / lanes.warm_step();
        if contact.is_multiple_of(lanes.warm_step()) && warm < lanes.warm {
            walk(warm, lanes.warm, &warm_index);
        }
        let hot = contact / lanes.hot_step();
        if contact % lanes.hot_step() == lanes.hot_step() / 2 && hot < lanes.hot {
            walk(hot, lanes.hot, &|queue| queue * 16 + HOT);
        }
        all.sort_unstable();
        all
    }

    /// The contacts an engagement is associated with: none, one or two.
    pub(crate) fn contacts_of_engagement(&self, kind: Kind, engagement: u64) -> Vec<u64> {
        let contacts = self.count(Kind::Contact);
        if contacts == 0 || is_orphan(kind, engagement) {
            return Vec::new();
        }
        let main = self.turn(kind, engagement).contact;
        let second = (main + 1) % contacts;
        if has_second_contact(engagement) && second != main {
            return vec![main, second];
        }
        vec![main]
    }

    pub(crate) fn companies_of_engagement(&self, kind: Kind, engagement: u64) -> Vec<u64> {
        if engagement % 10 == 9 {
            return Vec::new();
        }
        let contacts = self.contacts_of_engagement(kind, engagement);
        sorted(contacts.into_iter().filter_map(|c| self.company_of_contact(c)).collect())
    }

    pub(crate) fn deals_of_engagement(&self, kind: Kind, engagement: u64) -> Vec<u64> {
        if !engagement.is_multiple_of(5) {
            return Vec::new();
        }
        let contacts = self.contacts_of_engagement(kind, engagement);
        sorted(contacts.into_iter().flat_map(|c| self.deals_of_contact(c)).collect())
    }

    pub(crate) fn engagements_of_contact(&self, kind: Kind, contact: u64) -> Vec<u64> {
        let contacts = self.count(Kind::Contact);
        let mut all = self.turns_of(kind, contact);
        all.retain(|e| !is_orphan(kind, *e));
        if contacts > 1 {
            let before = self.turns_of(kind, (contact + contacts - 1) % contacts);
            all.extend(before.into_iter().filter(|e| has_second_contact(*e) && !is_orphan(kind, *e)));
        }
        sorted(all)
    }

    pub(crate) fn engagements_of_company(&self, kind: Kind, company: u64) -> Vec<u64> {
        let contacts = self.primary_contacts_of_company(company).into_iter();
        let mut all: Vec<u64> = contacts.flat_map(|c| self.engagements_of_contact(kind, c)).collect();
        all.retain(|e| e % 10 != 9);
        sorted(all)
    }

    pub(crate) fn engagements_of_deal(&self, kind: Kind, deal: u64) -> Vec<u64> {
        let contacts = self.contacts_of_deal(deal).into_iter();
        let mut all: Vec<u64> = contacts.flat_map(|c| self.engagements_of_contact(kind, c)).collect();
        all.retain(|e| e % 5 == 0);
        sorted(all)
    }

    /// The primary company. One contact in ten has none, one in six works at a large one.
    pub(crate) fn company_of_contact(&self, contact: u64) -> Option<u64> {
        let companies = self.count(Kind::Company);
        if companies == 0 || contact % 10 == 3 {
            return None;
        }
        if contact % 6 == 1 {
            let large = self.large_companies();
            return Some(contact / 6 % large * (companies / large));
        }
        Some(contact % companies)
    }

    /// A second company, never marked primary.
    pub(crate) fn second_company_of_contact(&self, contact: u64) -> Option<u64> {
        let companies = self.count(Kind::Company);
        let second = (contact + 1).checked_rem(companies)?;
        (contact % 13 == 4 && self.company_of_contact(contact) != Some(second)).then_some(second)
    }

    fn large_companies(&self) -> u64 {
        (self.count(Kind::Contact) / 6 / 250).clamp(1, self.count(Kind::Company).max(1))
    }

    pub(crate) fn primary_contacts_of_company(&self, company: u64) -> Vec<u64> {
        let (contacts, companies) = (self.count(Kind::Contact), self.count(Kind::Company).max(1));
        let mut all: Vec<u64> = stepped(company, companies, contacts).collect();
        let (large, step) = (self.large_companies(), companies / self.large_companies());
        if company.is_multiple_of(step) && company / step < large {
            let queues = stepped(company / step, large, contacts / 6 + 1);
            all.extend(queues.map(|q| q * 6 + 1).filter(|c| *c < contacts));
        }
        all.retain(|c| self.company_of_contact(*c) == Some(company));
        sorted(all)
    }

    pub(crate) fn second_contacts_of_company(&self, company: u64) -> Vec<u64> {
        let (contacts, companies) = (self.count(Kind::Contact), self.count(Kind::Company).max(1));
        let mut all: Vec<u64> = stepped((company + companies - 1) % companies, companies, contacts).collect();
        all.retain(|c| self.second_company_of_contact(*c) == Some(company));
        all
    }

    pub(crate) fn contacts_of_deal(&self, deal: u64) -> Vec<u64> {
        let contacts = self.count(Kind::Contact);
        let both = [Some(deal * 3), deal.is_multiple_of(4).then_some(deal * 3 + 1)];
        both.into_iter().flatten().filter(|c| *c < contacts).collect()
    }

    pub(crate) fn company_of_deal(&self, deal: u64) -> Option<u64> {
        self.company_of_contact(deal * 3)
    }

    pub(crate) fn deals_of_contact(&self, contact: u64) -> Vec<u64> {
        let deal = contact / 3;
        let linked = contact.is_multiple_of(3) || (contact % 3 == 1 && deal.is_multiple_of(4));
        if linked && deal < self.count(Kind::Deal) { vec![deal] } else { Vec::new() }
    }

    pub(crate) fn deals_of_company(&self, company: u64) -> Vec<u64> {
        let contacts = self.primary_contacts_of_company(company).into_iter();
        let deals = contacts.filter(|c| c % 3 == 0).map(|c| c / 3);
        deals.filter(|d| *d < self.count(Kind::Deal)).collect()
    }
}

fn is_orphan(kind: Kind, engagement: u64) -> bool {
    kind == Kind::Email && engagement % 97 == 13
}

fn has_second_contact(engagement: u64) -> bool {
    engagement % 41 == 7
}

fn stepped(first: u64, step: u64, end: u64) -> impl Iterator<Item = u64> {
    (first..end.max(first)).step_by(usize::try_from(step.max(1)).unwrap_or(usize::MAX))
}

fn sorted(mut list: Vec<u64>) -> Vec<u64> {
    list.sort_unstable();
    list.dedup();
    list
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::portal::of_size;

    #[test]
    fn both_directions_tell_the_same() {
        for contacts in [1, 2, 7, 60, 700] {
            let p = of_size(5, contacts);
            for kind in Kind::ALL.into_iter().filter(|k| k.is_engagement()) {
                for e in 0..p.count(kind) {
                    for c in p.contacts_of_engagement(kind, e) {
                        assert!(p.engagements_of_contact(kind, c).contains(&e), "{kind:?} {e} {c}");
                    }
                    for c in p.companies_of_engagement(kind, e) {
                        assert!(p.engagements_of_company(kind, c).contains(&e));
                    }
                    for d in p.deals_of_engagement(kind, e) {
                        assert!(p.engagements_of_deal(kind, d).contains(&e));
                    }
                }
                for c in 0..contacts {
                    for e in p.engagements_of_contact(kind, c) {
                        assert!(p.contacts_of_engagement(kind, e).contains(&c));
                    }
                }
                for c in 0..p.count(Kind::Company) {
                    for e in p.engagements_of_company(kind, c) {
                        assert!(p.companies_of_engagement(kind, e).contains(&c));
                    }
                }
                for d in 0..p.count(Kind::Deal) {
                    for e in p.engagements_of_deal(kind, d) {
                        assert!(p.deals_of_engagement(kind, e).contains(&d), "{kind:?} {e} {d}");
                    }
                }
            }
            for c in 0..contacts {
                if let Some(company) = p.company_of_contact(c) {
                    assert!(p.primary_contacts_of_company(company).contains(&c));
                }
                if let Some(company) = p.second_company_of_contact(c) {
                    assert!(p.second_contacts_of_company(company).contains(&c));
                }
                for d in p.deals_of_contact(c) {
                    assert!(p.contacts_of_deal(d).contains(&c));
                }
            }
        }
    }

    #[test]
    fn some_are_linked_beyond_a_hundred() {
        let p = of_size(1, 1_000);
        assert!(p.primary_contacts_of_company(0).len() > 100);
        let busiest = (0..1_000).map(|c| p.engagements_of_contact(Kind::Email, c).len()).max();
        assert!(busiest > Some(250), "{busiest:?}");
    }
}
