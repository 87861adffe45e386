//! Insights: facts about a customer, each proved by an exact span of what was written.
//!
//! The words of a stored insight and its place among others ([`supersede`]). Not here: how facts are found
//! (`insights`) and rows (`store`).

pub mod dates;
pub mod kinds;
pub mod supersede;

use super::clock::Millis;
use super::ids::{DocumentId, InsightId};
use dates::Day;
use kinds::Kind;

/// Who stands behind a fact.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Asserted {
    /// The customer says so.
    Customer,
    /// Our side says so to the customer.
    Us,
    /// A colleague noted it.
    Note,
}

impl Asserted {
    const ALL: [Self; 3] = [Self::Customer, Self::Us, Self::Note];

    /// The name used in rows and answers.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Us => "us",
            Self::Note => "note",
        }
    }

    /// The value of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }
}

/// Whom an insight is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A contact, by HubSpot's id.
    Contact(String),
    /// A company, by HubSpot's id.
    Company(String),
}

impl Subject {
    /// The record type, as associations name it.
    #[must_use]
    pub fn record_type(&self) -> &'static str {
        match self {
            Self::Contact(_) => "contacts",
            Self::Company(_) => "companies",
        }
    }

    /// HubSpot's id.
    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Contact(id) | Self::Company(id) => id,
        }
    }

    /// The subject of that record type.
    #[must_use]
    pub fn of(record_type: &str, id: String) -> Option<Self> {
        match record_type {
            "contacts" => Some(Self::Contact(id)),
            "companies" => Some(Self::Company(id)),
            _ => None,
        }
    }
}

/// Where the proof of an insight stands: bytes of one passage of an engagement's new text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Evidence {
    /// The engagement.
    pub document: DocumentId,
    /// Number of the passage.
    pub passage: usize,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
    /// SHA-256 of the quoted bytes: tells later whether the words are still there.
    pub quote_hash: [u8; 32],
}

/// A verified fact, ready to be stored. Its place in a chain is not part of it: that follows from the others.
#[derive(Debug, Clone, PartialEq)]
pub struct Insight {
    /// Id: the engagement and a hash of subject, slot, value and place.
    pub id: InsightId,
    /// Whom it is about.
    pub subject: Subject,
    /// What it is about.
    pub kind: Kind,
    /// The facet, as `kind.facet`.
    pub slot: String,
    /// The fact as an English sentence.
    pub statement: String,
    /// Language of the evidence, ISO 639-1, where known.
    pub language: Option<String>,
    /// Its value in normal form; dates carry their precision (`2026`, `2026-Q3`, `2026-03`, `2026-W13`, `2026-03-17`).
    pub value: Option<String>,
    /// Its proof.
    pub evidence: Evidence,
    /// Who stands behind it.
    pub asserted_by: Asserted,
    /// Who said it, as far as known: the sender's address, or the id of an owner on our side.
    pub said_by: Option<String>,
    /// Said by the customer about what only our side can grant: a request, never a fact.
    pub claim: bool,
    /// When it was said: the time of the engagement.
    pub said_at: Millis,
    /// Where in its engagement it stands; later words of one message win.
    pub position: u64,
    /// From when on it holds.
    pub valid_from: Day,
    /// How sure, 0 to 1.
    pub confidence: f32,
    /// What found it: name and fingerprint of the distiller.
    pub distiller: String,
    /// Instruction rules that were in force, as `id@version`, joined by commas.
    pub rules: String,
}
