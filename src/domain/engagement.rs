//! Engagements: what happened with a customer, before any of our processing.
//!
//! Not here: HubSpot's property names (`hubspot`), text work (`text`), rows (`store`).

use serde::{Deserialize, Serialize};

use super::clock::Millis;
use super::rule::Ruling;

/// The five kinds of engagement that become knowledge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A one-to-one e-mail logged in the CRM.
    Email,
    /// A note written by staff.
    Note,
    /// A call with its notes or summary.
    Call,
    /// A meeting with its notes.
    Meeting,
    /// One submission of a form.
    FormSubmission,
}

impl Kind {
    /// Every kind, in the order they are shown.
    pub const ALL: [Self; 5] = [Self::Email, Self::Note, Self::Call, Self::Meeting, Self::FormSubmission];

    /// The name used in ids, filters, reports and rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Email => "email",
            Self::Note => "note",
            Self::Call => "call",
            Self::Meeting => "meeting",
            Self::FormSubmission => "form_submission",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How HubSpot's notice begins.
const WITHHELD: &str = "The content of this email has been redacted";

/// The body as HubSpot sent it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Body {
    /// HTML, where HubSpot has it.
    pub html: Option<String>,
    /// Plain text, where HubSpot has it.
    pub plain: Option<String>,
}

impl Body {
    /// A notice stands in place of what was written: the scopes do not allow to read it (contract, section 2.5).
    #[must_use]
    pub fn is_withheld(&self) -> bool {
        let starts = |part: &Option<String>| {
            part.as_deref().is_some_and(|text| text.trim_start().starts_with(WITHHELD))
        };
        starts(&self.html) || starts(&self.plain)
    }

    /// Nothing was written at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        let blank = |part: &Option<String>| part.as_deref().is_none_or(|text| text.trim().is_empty());
        blank(&self.html) && blank(&self.plain)
    }
}

/// Ids of the records an engagement is associated with.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Links {
    /// Contacts.
    pub contacts: Vec<String>,
    /// Companies.
    pub companies: Vec<String>,
    /// Deals.
    pub deals: Vec<String>,
}

/// An engagement as fetched: typed, complete, untouched. Input of the normalize stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawEngagement {
    /// Kind.
    pub kind: Kind,
    /// HubSpot's id.
    pub id: String,
    /// Subject or title, where the kind has one.
    pub title: Option<String>,
    /// Body.
    pub body: Body,
    /// What was said in a call, a line per turn, where its transcript was fetched.
    pub transcript: Option<String>,
    /// When the record was created.
    pub created_at: Millis,
    /// When it happened (the timeline's date).
    pub occurred_at: Millis,
    /// When HubSpot last changed the record.
    pub updated_at: Millis,
    /// HubSpot's owner id.
    pub owner: Option<String>,
    /// E-mail thread, where there is one.
    pub thread: Option<String>,
    /// E-mail address of a person this came from, where the kind has one (sender, form value).
    pub from_address: Option<String>,
    /// Name of that person, where HubSpot has one.
    pub from_name: Option<String>,
    /// A mail that staff sent, as HubSpot says.
    pub outgoing: bool,
    /// HubSpot itself says this mail is an out-of-office reply.
    pub out_of_office: bool,
    /// HubSpot erased a person it was about, and with them its words.
    pub erased: bool,
    /// Address of the record in HubSpot's app, where HubSpot gave one.
    pub url: Option<String>,
    /// Associations HubSpot reported.
    pub links: Links,
    /// All other properties as a JSON object, for people and later stages.
    pub properties: String,
    /// The version of the stored row this was read from, where it comes from the store and not from HubSpot: it is
    /// stored again only if nobody wrote the row meanwhile, and it does not count as seen in HubSpot.
    pub reread: Option<u64>,
}

/// One piece of a document's text, small enough to read as an answer.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Passage {
    /// The text, secrets masked.
    pub text: String,
    /// ISO 639-1 code, where the language is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
    /// Not written by the sender of this message: only there because nothing else is. No fact is read from it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quoted: bool,
    /// When and by whom it was said, where it is a part of a transcript.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub spoken: Option<Spoken>,
}

/// When and by whom a part of a transcript was said. It begins and ends with turns; only a
/// turn of more than 2,000 words is parted, and each part has its speaker and times.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Spoken {
    /// Seconds into the call when its first turn begins, where the transcript says so.
    pub start_s: Option<u32>,
    /// Seconds into the call when its last turn ends; where that is not told, when the turn behind it begins, else when its
    /// last turn begins.
    pub end_s: Option<u32>,
    /// Who speaks, in the order they begin.
    pub speakers: Vec<String>,
}

/// Why an engagement is not (or not yet) knowledge. The names are part of the report and of `explain`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SkipReason {
    /// A keyword rule excludes it.
    KeywordRule,
    /// No topic rule matches it.
    TopicRule,
    /// There is nothing to learn from: no title and no text.
    EmptyBody,
    /// HubSpot redacted the body because the scope `sales-email-read` is missing.
    Redacted,
    /// Out-of-office and other automatic replies.
    AutoReply,
    /// Delivery reports.
    Bounce,
    /// Invitations, acceptances and reminders of a calendar.
    Calendar,
    /// Newsletters and other mass mail.
    Newsletter,
    /// The same mail was sent to others; one document stands for all of them.
    NearCopy,
    /// The judge could not decide; it is asked again later.
    Unsure,
}

impl SkipReason {
    /// Every reason.
    pub const ALL: [Self; 10] = [
        Self::KeywordRule,
        Self::TopicRule,
        Self::EmptyBody,
        Self::Redacted,
        Self::AutoReply,
        Self::Bounce,
        Self::Calendar,
        Self::Newsletter,
        Self::NearCopy,
        Self::Unsure,
    ];

    /// The name used in reports and rows.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::KeywordRule => "keyword_rule",
            Self::TopicRule => "topic_rule",
            Self::EmptyBody => "empty_body",
            Self::Redacted => "redacted",
            Self::AutoReply => "auto_reply",
            Self::Bounce => "bounce",
            Self::Calendar => "calendar",
            Self::Newsletter => "newsletter",
            Self::NearCopy => "near_copy",
            Self::Unsure => "unsure",
        }
    }

    /// The reason of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|reason| reason.as_str() == name)
    }
}

/// What the learning rules and the noise guards say about an engagement.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision {
    /// It becomes knowledge.
    Learned,
    /// It stays a row and nothing more.
    Skipped {
        /// Why.
        reason: SkipReason,
        /// The rule that decided, where one did.
        rule: Option<String>,
    },
    /// Not decided yet; treated like skipped until it is.
    Held {
        /// Why.
        reason: SkipReason,
        /// The rule that could not be judged.
        rule: Option<String>,
    },
}

impl Decision {
    /// The name used in rows.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Learned => "learned",
            Self::Skipped { .. } => "skipped",
            Self::Held { .. } => "held",
        }
    }

    /// Reason and rule, where there are any.
    #[must_use]
    pub fn cause(&self) -> (Option<SkipReason>, Option<&str>) {
        match self {
            Self::Learned => (None, None),
            Self::Skipped { reason, rule } | Self::Held { reason, rule } => (Some(*reason), rule.as_deref()),
        }
    }
}

/// An engagement that went through the whole street, ready to be a row and a document.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProcessedEngagement {
    /// As fetched.
    pub raw: RawEngagement,
    /// New text, cut into passages.
    pub passages: Vec<Passage>,
    /// Language of the whole, ISO 639-1.
    pub language: Option<String>,
    /// Whether it is knowledge.
    pub decision: Decision,
    /// The template it is a copy of, where it may be one.
    pub template: Option<i64>,
    /// What only this copy of a template says; indexed instead of `passages`.
    pub own_passages: Option<Vec<Passage>>,
    /// Secrets in the body.
    pub secrets: Vec<SecretPlace>,
    /// Hosts its new text links to.
    pub link_hosts: Vec<String>,
    /// How reading the body went, where not everything was read: `capped`, `fallback`, `plain` or `empty`.
    pub text_status: Option<&'static str>,
    /// The rule that decided, where one did.
    pub ruling: Option<Ruling>,
}

/// A secret found in a body: what it is and where it stands in the visible text, never its value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SecretPlace {
    /// `card`, `iban`, `password`, `token`, `private_key`, `one_time_code` or `card_code`.
    pub kind: String,
    /// First byte.
    pub start: usize,
    /// Byte after the last.
    pub end: usize,
}
