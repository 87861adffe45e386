//! What goes into the index: documents cut into passages, the changes made to
//! them, and the place in the caller's ledger up to which changes are in.
//!
//! Nothing here knows how a document is stored or searched; both backends take
//! these types as they are.

use serde::{Deserialize, Serialize};

/// One searchable thing of an organisation.
///
/// The pair (`org`, `id`) names it; putting the same pair again replaces every
/// passage of the earlier version, unless that one's `order` is greater.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Document {
    /// Unique within the organisation, opaque to the index.
    pub id: String,
    /// The organisation the document belongs to; searches never cross it.
    pub org: String,
    /// Hash of the content, so that a comparison with the source needs no text.
    pub version: u64,
    /// Number of the change that wrote it, in the caller's ledger: it never replaces a document with
    /// a greater one.
    pub order: u64,
    /// What kind of thing it is, for filters; opaque to the index.
    pub kind: String,
    /// Subject or heading; may be empty.
    pub title: String,
    /// The text in pieces; a document without passages is found by its title and names.
    pub passages: Vec<Passage>,
    /// Opaque keys of the customers it is tied to.
    pub customers: Vec<String>,
    /// Opaque keys of the companies it is tied to.
    pub companies: Vec<String>,
    /// Opaque key of the owner.
    pub owner: Option<String>,
    /// Searchable names: e-mail addresses, phone numbers, domains, company and deal names.
    pub names: Vec<String>,
    /// When it happened, in milliseconds since 1970.
    pub occurred_at: i64,
    /// Whether it is tied to at least one customer.
    pub linked: bool,
}

/// A piece of a document's text, short enough to be shown as a hit.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Passage {
    /// The text; it is indexed, not stored.
    pub text: String,
    /// The language it is written in, which chooses the stemmer.
    pub language: Language,
}

/// A change to the index. Applying the same change twice has the effect of once.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Change {
    /// Add the document or replace the one of the same organisation and id.
    Put(Document),
    /// Remove one document.
    Remove {
        /// Organisation of the document.
        org: String,
        /// Its id.
        id: String,
    },
    /// Remove every document tied to a customer, to others as well or not.
    RemoveCustomer {
        /// Organisation of the customer.
        org: String,
        /// The customer's key.
        customer: String,
    },
    /// Remove every document of an organisation.
    RemoveOrg {
        /// The organisation.
        org: String,
    },
}

/// How far the index has followed the caller's ledger of changes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// Names one life of the ledger; another epoch means the numbers are not comparable.
    pub epoch: String,
    /// The last change that is in the index.
    pub seq: u64,
}

macro_rules! languages {
    ($($name:ident $code:literal),+ $(,)?) => {
        /// The language of a passage.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
        #[expect(missing_docs, reason = "the names are the documentation")]
        pub enum Language {
            #[default]
            Unknown,
            $($name),+
        }

        impl Language {
            /// Every language, `Unknown` first.
            pub const ALL: &'static [Language] = &[Language::Unknown, $(Language::$name),+];

            /// The language of a two-letter code such as `de`; `Unknown` for any other text.
            #[must_use]
            pub fn from_code(code: &str) -> Language {
                match code.to_ascii_lowercase().as_str() {
                    $($code => Language::$name,)+
                    _ => Language::Unknown,
                }
            }

            /// The two-letter code, `und` for `Unknown`.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self {
                    Language::Unknown => "und",
                    $(Language::$name => $code),+
                }
            }
        }
    };
}

languages! {
    English "en", German "de", French "fr", Spanish "es", Portuguese "pt", Italian "it", Dutch "nl",
    Danish "da", Swedish "sv", Norwegian "no", Finnish "fi", Polish "pl", Czech "cs", Hungarian "hu",
    Romanian "ro", Russian "ru", Greek "el", Turkish "tr", Arabic "ar", Hindi "hi", Vietnamese "vi",
    Chinese "zh", Japanese "ja", Korean "ko",
}
