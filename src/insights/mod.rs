//! Insights: facts about a customer, each with verbatim evidence.
//!
//! The distill stage hands every learned engagement to [`Distillation`]: a [`Distiller`] proposes [`Draft`]s, and what
//! both implementations (extractive, model) must never get around is done here for both: no part that is quoted, no
//! evidence that is not an exact span, no number or name that is not in it, no order to machines, no subject but a
//! contact or company of that very engagement. Places in chains are `domain::insight::supersede`; rows are `store`.

pub mod extractive;
pub mod instructions;
pub mod model;
pub mod verify;

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;

use sha2::{Digest, Sha256};

pub use crate::domain::insight::{Asserted, dates, kinds, supersede};

use self::dates::{DateValue, Day};
use self::extractive::{Extractive, Language};
use self::instructions::Instructions;
use self::kinds::Kind;
use self::verify::Proof;
use crate::domain::clock::Millis;
use crate::domain::engagement::{self, Passage};
use crate::domain::ids::{DocumentId, InsightId};
use crate::domain::insight::{Evidence, Insight, Subject};

/// Who wrote an engagement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Direction {
    /// The customer.
    Incoming,
    /// Our side, to the customer.
    Outgoing,
    /// Our side, for itself: notes, summaries.
    Internal,
}

/// A person of the customer's side an engagement is associated with.
#[derive(Debug, Clone, Copy, Default)]
pub struct Contact<'a> {
    /// Full name.
    pub name: &'a str,
    /// E-mail address, or whatever names the contact where there is none.
    pub email: &'a str,
    /// Name of the company.
    pub company: &'a str,
    /// What names the company: a domain, or a key of the caller's. Equal means the same company.
    pub domain: &'a str,
}

/// What is read: one learned engagement.
#[derive(Debug, Clone, Copy)]
pub struct Source<'a> {
    /// Visible new text, in parts; evidence is a span of one part. A part that must not be learned from is empty.
    pub parts: &'a [&'a str],
    /// Subject or title: read for context, never quoted.
    pub title: Option<&'a str>,
    /// Language, where it is known.
    pub language: Option<Language>,
    /// Who wrote it.
    pub direction: Direction,
    /// A form: every line is a label and a value.
    pub form: bool,
    /// When it happened, in milliseconds since 1970; relative dates count from here.
    pub occurred_at_ms: i64,
    /// Address it came from.
    pub sender: Option<&'a str>,
    /// Names of those on our side who look after customers.
    pub owners: &'a [&'a str],
    /// The customer's people, the first is the main one.
    pub contacts: &'a [Contact<'a>],
}

/// A fact with its proof.
#[derive(Debug, Clone, PartialEq)]
pub struct Draft {
    /// What it is about.
    pub kind: Kind,
    /// The facet, as `kind.facet`.
    pub slot: &'static str,
    /// The fact as an English sentence.
    pub statement: String,
    /// Its value in normal form.
    pub value: Option<String>,
    /// The date in the evidence, with its precision.
    pub date: Option<DateValue>,
    /// Number of the part that proves it.
    pub part: usize,
    /// Bytes of the proof in that part.
    pub evidence: Range<usize>,
    /// `email` or `domain` of one of the source's contacts.
    pub subject: String,
    /// Who stands behind it.
    pub asserted_by: Asserted,
    /// Said by the customer about what only our side can grant: to be shown as a request, never as a fact.
    pub claim: bool,
    /// From when on it holds.
    pub valid_from: Day,
    /// How sure, 0 to 1.
    pub confidence: f32,
}

/// What came of one engagement.
#[derive(Debug, Clone, PartialEq)]
pub enum Outcome {
    /// The proposed facts, in the order they are written.
    Found(Vec<Draft>),
    /// Nothing can be said yet, for this reason: the engagement has to be read again.
    Failed(String),
}

/// Finds insights. Implementations: extractive (embedded), a configured model.
pub trait Distiller: Send + Sync + std::fmt::Debug {
    /// Name and fingerprint of everything its answers depend on beside the source; stored with each insight.
    fn fingerprint(&self) -> &str;

    /// Reads engagements, best those of one customer together; one outcome for each, in their order.
    fn distill(&self, batch: &[Source<'_>], instructions: &Instructions) -> Vec<Outcome>;
}

/// A customer an engagement is tied to: a contact with its company, or a company alone.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    /// HubSpot's id of the contact.
    pub contact: Option<String>,
    /// Full name.
    pub name: String,
    /// E-mail address.
    pub email: Option<String>,
    /// HubSpot's id of the company.
    pub company: Option<String>,
    /// Name of the company.
    pub company_name: String,
}

impl Party {
    /// What a distiller calls the person; a company alone stands for itself.
    fn person_key(&self) -> String {
        match (&self.email, &self.contact) {
            (Some(email), _) => email.clone(),
            (None, Some(contact)) => format!("contact:{contact}"),
            (None, None) => self.company_key(),
        }
    }

    /// What a distiller calls the company: never the domain, which two companies may share.
    fn company_key(&self) -> String {
        match (&self.company, &self.contact) {
            (Some(company), _) => format!("company:{company}"),
            // Two people without a company are not colleagues.
            (None, contact) => format!("contact:{}", contact.as_deref().unwrap_or_default()),
        }
    }

    fn subject_of_person(&self) -> Option<Subject> {
        self.contact.clone().map(Subject::Contact).or_else(|| self.company.clone().map(Subject::Company))
    }

    fn subject_of_company(&self) -> Option<Subject> {
        self.company.clone().map(Subject::Company).or_else(|| self.contact.clone().map(Subject::Contact))
    }
}

/// A learned engagement with whom it is about: what the street has at hand, and what the store gives back later.
#[derive(Debug, Clone, Copy)]
pub struct Learned<'a> {
    /// Its document id.
    pub document: &'a DocumentId,
    /// Subject or title.
    pub title: Option<&'a str>,
    /// All of its passages.
    pub passages: &'a [Passage],
    /// Language of the whole, ISO 639-1.
    pub language: Option<&'a str>,
    /// A mail that staff sent.
    pub outgoing: bool,
    /// When it happened.
    pub occurred_at: Millis,
    /// Address it came from.
    pub from_address: Option<&'a str>,
    /// Owner id on our side.
    pub owner: Option<&'a str>,
    /// The customers it is tied to, the main one first.
    pub parties: &'a [Party],
}

/// What distils, and what it is allowed to.
#[derive(Debug, Clone)]
pub struct Distillation {
    /// Kinds of engagement that are distilled; none is off.
    kinds: BTreeSet<engagement::Kind>,
    distiller: Arc<dyn Distiller>,
    instructions: Arc<Instructions>,
    /// Names of those on our side who look after customers.
    owners: Arc<[String]>,
}

impl Distillation {
    /// Distils these kinds of engagement with the embedded distiller; no kinds is off.
    #[must_use]
    pub fn of_kinds(kinds: BTreeSet<engagement::Kind>) -> Self {
        Self {
            kinds,
            distiller: Arc::new(Extractive),
            instructions: Arc::default(),
            owners: Arc::from(Vec::new()),
        }
    }

    /// No insights at all.
    #[must_use]
    pub fn off() -> Self {
        Self::of_kinds(BTreeSet::new())
    }

    /// The same with the rules and people of an organisation.
    #[must_use]
    pub fn within(&self, instructions: Instructions, owners: Vec<String>) -> Self {
        Self { instructions: Arc::new(instructions), owners: Arc::from(owners), ..self.clone() }
    }

    /// The same with another distiller.
    #[must_use]
    pub fn by(&self, distiller: Arc<dyn Distiller>) -> Self {
        Self { distiller, ..self.clone() }
    }

    /// How the report describes it.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        match self.kinds.len() {
            0 => "off: there are no insights",
            n if n == engagement::Kind::ALL.len() => "on",
            _ => "on for some kinds of engagement",
        }
    }

    /// Whether engagements of this kind are distilled.
    #[must_use]
    pub fn reads(&self, kind: engagement::Kind) -> bool {
        self.kinds.contains(&kind)
    }

    /// The instruction rules in force.
    #[must_use]
    pub fn instructions(&self) -> &Instructions {
        &self.instructions
    }

    /// Names of those on our side who look after customers.
    #[must_use]
    pub fn owners(&self) -> &[String] {
        &self.owners
    }

    /// Everything the insights of an unchanged engagement depend on: where it differs from what was distilled with,
    /// all of them are distilled again.
    #[must_use]
    pub fn fingerprint(&self) -> String {
        let mut hasher = Sha256::new();
        let mut field = |text: &str| {
            hasher.update(text.as_bytes());
            hasher.update([0]);
        };
        field(self.distiller.fingerprint());
        self.kinds.iter().for_each(|kind| field(kind.as_str()));
        field(&self.instructions.fingerprint());
        self.owners.iter().for_each(|owner| field(owner));
        hex(&hasher.finalize()[..8])
    }

    /// The verified insights of one engagement.
    #[must_use]
    pub fn of(&self, learned: &Learned<'_>) -> Vec<Insight> {
        if !self.kinds.contains(&learned.document.kind) || learned.parties.is_empty() {
            return Vec::new();
        }
        let outcomes = learned
            .with_source(&self.owners, |source| self.distiller.distill(&[*source], &self.instructions));
        match outcomes.into_iter().next() {
            Some(Outcome::Found(drafts)) => self.verified(learned, drafts, self.distiller.fingerprint()),
            Some(Outcome::Failed(_)) | None => Vec::new(),
        }
    }

    /// What of the proposed facts may be stored, whoever proposed them.
    #[must_use]
    pub fn verified(&self, learned: &Learned<'_>, drafts: Vec<Draft>, distiller: &str) -> Vec<Insight> {
        let names: Vec<&str> = learned
            .parties
            .iter()
            .flat_map(|party| [party.name.as_str(), &party.company_name])
            .chain(self.owners.iter().map(String::as_str))
            .collect();
        let mut proofs: Vec<Option<Proof<'_>>> = learned.passages.iter().map(|_| None).collect();
        let mut out: Vec<Insight> = Vec::new();
        for (position, draft) in (0_u64..).zip(drafts) {
            let Some(passage) = learned.passages.get(draft.part).filter(|passage| !passage.quoted) else {
                continue;
            };
            let proof = proofs[draft.part].get_or_insert_with(|| learned.proof(passage, &names));
            if let Err(refusal) = proof.check(&draft.evidence, &draft.statement, draft.value.as_deref()) {
                tracing::debug!(document = %learned.document, slot = draft.slot, refusal = refusal.as_str(), "refused");
                continue;
            }
            let insight = self.insight(learned, passage, draft, position, distiller);
            out.extend(insight.filter(|one| out.iter().all(|known| known.id != one.id)));
        }
        out
    }

    /// The row of a fact that is proved.
    fn insight(
        &self,
        learned: &Learned<'_>,
        passage: &Passage,
        draft: Draft,
        position: u64,
        distiller: &str,
    ) -> Option<Insight> {
        let subject = learned.subject(&draft.subject)?;
        let quote = passage.text.get(draft.evidence.clone())?;
        let said_by = match draft.asserted_by {
            Asserted::Customer => learned.from_address,
            Asserted::Us | Asserted::Note => learned.owner,
        };
        Some(Insight {
            id: InsightId {
                engagement: learned.document.clone(),
                hash: identity(&subject, &draft, learned.document),
            },
            subject,
            kind: draft.kind,
            slot: draft.slot.to_owned(),
            statement: draft.statement,
            language: learned.language_of(passage).map(str::to_owned),
            value: draft.value,
            evidence: Evidence {
                document: learned.document.clone(),
                passage: draft.part,
                start: draft.evidence.start,
                end: draft.evidence.end,
                quote_hash: Sha256::digest(quote.as_bytes()).into(),
            },
            asserted_by: draft.asserted_by,
            said_by: said_by.map(str::to_owned),
            claim: draft.claim,
            said_at: learned.occurred_at,
            position,
            valid_from: draft.valid_from,
            confidence: draft.confidence,
            distiller: distiller.to_owned(),
            rules: self.instructions.stamp().to_owned(),
        })
    }
}

/// Hash of what an insight says, about whom, and where.
fn identity(subject: &Subject, draft: &Draft, document: &DocumentId) -> String {
    let mut hasher = Sha256::new();
    let value = draft.value.as_deref().map(|value| value.trim().to_lowercase());
    for field in [
        subject.record_type(),
        subject.id(),
        draft.slot,
        value.as_deref().unwrap_or_default(),
        &document.to_string(),
        &format!("{} {} {}", draft.part, draft.evidence.start, draft.evidence.end),
    ] {
        hasher.update(field.as_bytes());
        hasher.update([0]);
    }
    hex(&hasher.finalize()[..8])
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

impl Learned<'_> {
    /// Shows the engagement as distillers read it. Quoted passages are empty there.
    pub fn with_source<T>(&self, owners: &[String], read: impl FnOnce(&Source<'_>) -> T) -> T {
        let parts: Vec<&str> =
            self.passages.iter().map(|one| if one.quoted { "" } else { one.text.as_str() }).collect();
        let keys: Vec<(String, String)> =
            self.parties.iter().map(|party| (party.person_key(), party.company_key())).collect();
        let contacts: Vec<Contact<'_>> = self
            .parties
            .iter()
            .zip(&keys)
            .map(|(party, (person, company))| Contact {
                name: &party.name,
                email: person,
                company: &party.company_name,
                domain: company,
            })
            .collect();
        let owners: Vec<&str> = owners.iter().map(String::as_str).collect();
        read(&Source {
            parts: &parts,
            title: self.title,
            language: self.language.and_then(Language::from_code),
            direction: self.direction(),
            form: self.document.kind == engagement::Kind::FormSubmission,
            occurred_at_ms: self.occurred_at.0,
            sender: self.from_address,
            owners: &owners,
            contacts: &contacts,
        })
    }

    fn language_of<'a>(&'a self, passage: &'a Passage) -> Option<&'a str> {
        passage.language.as_deref().or(self.language)
    }

    fn proof<'a>(&self, passage: &'a Passage, known_names: &'a [&'a str]) -> Proof<'a> {
        let language = self.language_of(passage).and_then(Language::from_code).unwrap_or(Language::En);
        Proof::of(&passage.text, language, Day::of_ms(self.occurred_at.0), known_names)
    }

    fn direction(&self) -> Direction {
        match self.document.kind {
            engagement::Kind::Email if self.outgoing => Direction::Outgoing,
            engagement::Kind::Email | engagement::Kind::FormSubmission => Direction::Incoming,
            engagement::Kind::Note | engagement::Kind::Call | engagement::Kind::Meeting => {
                Direction::Internal
            }
        }
    }

    /// The contact or company that a distiller's subject names; nobody else can be meant.
    fn subject(&self, key: &str) -> Option<Subject> {
        let person = |party: &&Party| party.person_key().eq_ignore_ascii_case(key);
        let company = |party: &&Party| party.company_key() == key;
        let of_person = self.parties.iter().find(person).and_then(Party::subject_of_person);
        of_person.or_else(|| self.parties.iter().find(company).and_then(Party::subject_of_company))
    }
}

#[cfg(test)]
mod tests;
