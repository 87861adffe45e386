//! Contacts, companies and owners as persons and names: what a signature, an address line or a
//! property needs to know about them.

use super::lexicon::Lexicon;
use super::markup::folded;
use crate::hash::{draw, pick};
use crate::kind::Kind;
use crate::portal::Portal;

const FIRST_HALVES: [&str; 24] = [
    "Harbor", "North", "Copper", "Willow", "Amber", "Granite", "Silver", "Meadow", "Falcon", "Cedar",
    "Bright", "Quarry", "Linden", "Tidal", "Orchard", "Summit", "Beacon", "Juniper", "Cobalt", "Marble",
    "Heron", "Saffron", "Alder", "Vesper",
];
const SECOND_HALVES: [&str; 24] = [
    "pet", "wind", "works", "field", "line", "bridge", "forge", "mill", "cargo", "foods", "labs", "print",
    "tools", "optics", "dental", "textil", "marine", "bakery", "systems", "gardens", "motors", "travel",
    "paper", "clinic",
];
const FORMS: [&str; 8] = ["Ltd", "Inc", "GmbH", "SARL", "S.A.", "Lda", "KK", "Group"];
const INDUSTRIES: [&str; 8] = [
    "RETAIL",
    "MACHINERY",
    "FOOD_PRODUCTION",
    "HOSPITAL_HEALTH_CARE",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "COMPUTER_SOFTWARE",
    "TEXTILES",
    "LEISURE_TRAVEL_TOURISM",
];

/// How many owners the portal has; the last three are archived.
pub(crate) const OWNERS: u64 = 12;
/// From this number on owners are archived.
pub(crate) const FIRST_ARCHIVED_OWNER: u64 = 9;
const OWNER_NAMES: [(&str, &str); OWNERS as usize] = [
    ("Mara", "Feldmann"),
    ("Jonas", "Whitfield"),
    ("Aiko", "Tanabe"),
    ("Pedro", "Salgado"),
    ("Claire", "Dumont"),
    ("Rashid", "Nasser"),
    ("Ingrid", "Solberg"),
    ("Tomás", "Quiroga"),
    ("Bea", "Lockwood"),
    ("Karl", "Ostermann"),
    ("Wren", "Halloran"),
    ("Noor", "Vahidi"),
];

/// Someone who writes or is written to.
#[derive(Debug, Clone)]
pub(crate) struct Person {
    pub(crate) first: &'static str,
    pub(crate) last: &'static str,
    pub(crate) mail: String,
    pub(crate) job: &'static str,
    pub(crate) organisation: String,
    pub(crate) phone: String,
}

impl Person {
    pub(crate) fn name(&self) -> String {
        format!("{} {}", self.first, self.last)
    }
}

/// The owner's name, whether archived or not.
pub(crate) fn owner_name(owner: u64) -> (&'static str, &'static str) {
    OWNER_NAMES[(owner % OWNERS) as usize]
}

impl Portal {
    pub(crate) fn owner_id(&self, owner: u64) -> u64 {
        71_000_000 + owner * 4_241 + draw(self.seed, 51, owner, 0) % 4_000
    }

    pub(crate) fn owner_mail(owner: u64) -> String {
        let (first, last) = owner_name(owner);
        format!("{}.{}@vendor.example", folded(first), folded(last))
    }

    pub(crate) fn owner_person(owner: u64) -> Person {
        let (first, last) = owner_name(owner);
        Person {
            first,
            last,
            mail: Self::owner_mail(owner),
            job: "Account Executive",
            organisation: "Vendor Example Ltd".to_owned(),
            phone: format!("+1 555 0100 {:02}", owner + 10),
        }
    }

    pub(crate) fn owner_of_contact(&self, contact: u64) -> u64 {
        self.draw(Kind::Contact, contact, 20) % OWNERS
    }

    pub(crate) fn language_of_company(&self, company: u64) -> &'static Lexicon {
        super::language(self.draw(Kind::Company, company, 3))
    }

    pub(crate) fn language_of_contact(&self, contact: u64) -> &'static Lexicon {
        match self.company_of_contact(contact) {
            Some(company) => self.language_of_company(company),
            None => super::language(self.draw(Kind::Contact, contact, 3)),
        }
    }

    fn company_halves(&self, company: u64) -> (&'static str, &'static str, u64) {
        let shifted = company + draw(self.seed, 52, 0, 0) % 576;
        let first = FIRST_HALVES[(shifted % 24) as usize];
        let second = SECOND_HALVES[(shifted / 24 % 24) as usize];
        (first, second, company / 576)
    }

    pub(crate) fn company_name(&self, company: u64) -> String {
        let (first, second, round) = self.company_halves(company);
        let form = pick(&FORMS, self.draw(Kind::Company, company, 4));
        if round == 0 { format!("{first}{second} {form}") } else { format!("{first}{second} {round} {form}") }
    }

    pub(crate) fn company_domain(&self, company: u64) -> String {
        let (first, second, round) = self.company_halves(company);
        let mut domain = format!("{}{second}", first.to_lowercase());
        if round > 0 {
            domain.push_str(&round.to_string());
        }
        domain.push_str(".example");
        domain
    }

    pub(crate) fn company_industry(&self, company: u64) -> &'static str {
        pick(&INDUSTRIES, self.draw(Kind::Company, company, 5))
    }

    /// The company a contact's address and `company` text name. For one in seventeen it is not the
    /// one the contact is associated with; for one in eleven the address is at a mail provider.
    pub(crate) fn claimed_company(&self, contact: u64) -> Option<u64> {
        let companies = self.count(Kind::Company);
        match self.company_of_contact(contact) {
            Some(company) if contact % 17 == 5 => Some((company + 7) % companies),
            other => other,
        }
    }

    pub(crate) fn contact_names(&self, contact: u64) -> (&'static str, &'static str) {
        let lexicon = self.language_of_contact(contact);
        let first = pick(lexicon.first_names, self.draw(Kind::Contact, contact, 5));
        let last = pick(lexicon.last_names, self.draw(Kind::Contact, contact, 6));
        (first, last)
    }

    pub(crate) fn contact_mail(&self, contact: u64) -> String {
        let (first, last) = self.contact_names(contact);
        let (first, last) = (folded(first), folded(last));
        let mut mail = match (first.is_empty(), contact % 3) {
            (true, _) => "user".to_owned(),
            (false, 0) => format!("{first}.{last}"),
            (false, 1) => first,
            (false, _) => format!("{}{last}", &first[..1]),
        };
        mail.push_str(&contact.to_string());
        mail.push('@');
        match self.claimed_company(contact).filter(|_| contact % 11 != 2) {
            Some(company) => mail.push_str(&self.company_domain(company)),
            None => mail.push_str("mailbox.example"),
        }
        mail
    }

    pub(crate) fn contact_job(&self, contact: u64) -> &'static str {
        pick(self.language_of_contact(contact).jobs, self.draw(Kind::Contact, contact, 7))
    }

    pub(crate) fn contact_phone(&self, contact: u64) -> String {
        let number = self.draw(Kind::Contact, contact, 8);
        format!("+1 555 01{:02} {:04}", number % 100, number / 100 % 10_000)
    }

    pub(crate) fn contact_person(&self, contact: u64) -> Person {
        let (first, last) = self.contact_names(contact);
        let organisation = self.claimed_company(contact).map_or_else(String::new, |c| self.company_name(c));
        Person {
            first,
            last,
            mail: self.contact_mail(contact),
            job: self.contact_job(contact),
            organisation,
            phone: self.contact_phone(contact),
        }
    }
}
