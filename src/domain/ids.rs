//! Ids, and the only place that writes the document prefixes.
//!
//! Ids of HubSpot are unique only within a type and a portal, so a document id always carries both.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::engagement::Kind;

/// Prefix of every document made from a HubSpot record.
const PREFIX: &str = "hubspot:";
/// Prefix of every document distilled from engagements.
const DISTILLED: &str = "distilled:hubspot:";

/// An organisation served by this installation; chosen by us, unguessable.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OrgId(String);

impl OrgId {
    /// Wraps an id read from the store or the command line.
    #[must_use]
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for OrgId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A HubSpot account (`hub_id`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PortalId(pub u64);

impl PortalId {
    /// For the store, which has signed integers only; HubSpot's ids stay far below the limit.
    #[must_use]
    pub fn as_i64(self) -> i64 {
        i64::try_from(self.0).unwrap_or(i64::MAX)
    }

    /// Back from the store.
    #[must_use]
    pub fn from_i64(id: i64) -> Self {
        Self(u64::try_from(id).unwrap_or(0))
    }
}

impl fmt::Display for PortalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0)
    }
}

/// One engagement as a document: `hubspot:PORTAL:KIND:ID`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DocumentId {
    /// Portal the record lives in.
    pub portal: PortalId,
    /// Kind of the engagement.
    pub kind: Kind,
    /// HubSpot's id (digits, or a UUID for form submissions).
    pub id: String,
}

/// The text is not a document id.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is not an engagement id; it looks like {PREFIX}PORTAL:KIND:ID, for example {PREFIX}8675309:note:501"
)]
pub struct NotADocumentId(String);

impl DocumentId {
    /// Id of passage `number` of this document, as search answers name it.
    #[must_use]
    pub fn passage(&self, number: u32) -> String {
        format!("{self}#{number}")
    }
}

impl fmt::Display for DocumentId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{PREFIX}{}:{}:{}", self.portal, self.kind.as_str(), self.id)
    }
}

impl FromStr for DocumentId {
    type Err = NotADocumentId;

    /// Accepts a document id, with or without the number of a passage.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || NotADocumentId(text.to_owned());
        let rest = text.strip_prefix(PREFIX).ok_or_else(bad)?;
        let rest = rest.split('#').next().unwrap_or(rest);
        let mut parts = rest.splitn(3, ':');
        let portal = parts.next().and_then(|p| p.parse().ok()).ok_or_else(bad)?;
        let kind = parts.next().and_then(Kind::parse).ok_or_else(bad)?;
        let id = parts.next().filter(|id| !id.is_empty()).ok_or_else(bad)?;
        Ok(Self { portal: PortalId(portal), kind, id: id.to_owned() })
    }
}

/// One insight as a document: `distilled:hubspot:PORTAL:KIND.ENGAGEMENT.HASH`.
///
/// The engagement is part of the id, so that rows of one engagement lie together and nobody has to look up where an
/// insight comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct InsightId {
    /// The engagement that proves it.
    pub engagement: DocumentId,
    /// Hash of what it says, about whom, and where; hexadecimal.
    pub hash: String,
}

/// The text is not the id of an insight.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not the id of an insight; it looks like {DISTILLED}PORTAL:KIND.ENGAGEMENT.HASH")]
pub struct NotAnInsightId(String);

impl fmt::Display for InsightId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let DocumentId { portal, kind, id } = &self.engagement;
        write!(f, "{DISTILLED}{portal}:{}.{id}.{}", kind.as_str(), self.hash)
    }
}

impl FromStr for InsightId {
    type Err = NotAnInsightId;

    /// Accepts an id, with or without the number of a passage.
    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let bad = || NotAnInsightId(text.to_owned());
        let rest = text.strip_prefix(DISTILLED).ok_or_else(bad)?;
        let rest = rest.split('#').next().unwrap_or(rest);
        let (portal, rest) = rest.split_once(':').ok_or_else(bad)?;
        let portal = PortalId(portal.parse().map_err(|_| bad())?);
        let (kind, rest) = rest.split_once('.').ok_or_else(bad)?;
        let kind = Kind::parse(kind).ok_or_else(bad)?;
        let (id, hash) = rest.rsplit_once('.').ok_or_else(bad)?;
        if id.is_empty() || hash.is_empty() {
            return Err(bad());
        }
        Ok(Self { engagement: DocumentId { portal, kind, id: id.to_owned() }, hash: hash.to_owned() })
    }
}

/// How the index names a customer: portal and contact id.
#[must_use]
pub fn customer_key(portal: PortalId, contact: &str) -> String {
    format!("{portal}:{contact}")
}

/// The contact id in a key of [`customer_key`], where it is of that portal.
#[must_use]
pub fn contact_of_key(portal: PortalId, key: &str) -> Option<&str> {
    key.strip_prefix(&portal.to_string())?.strip_prefix(':').filter(|id| !id.contains(':'))
}

/// How the index names everybody who belongs to a company, where it names customers.
#[must_use]
pub fn colleagues_key(portal: PortalId, company: &str) -> String {
    format!("{portal}:company:{company}")
}

/// How the index names a company: portal and company id.
#[must_use]
pub fn company_key(portal: PortalId, company: &str) -> String {
    format!("{portal}:{company}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_id_survives_the_round_trip() {
        for text in ["hubspot:8675309:note:501", "hubspot:1:form_submission:1b2c-77"] {
            let id: DocumentId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            assert_eq!(id.passage(3).parse::<DocumentId>().unwrap(), id);
        }
        for text in ["", "hubspot:", "hubspot:x:note:1", "hubspot:1:fax:1", "hubspot:1:note:", "note:1"] {
            assert!(text.parse::<DocumentId>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_insight_id_survives_the_round_trip_and_is_no_engagement() {
        for text in
            ["distilled:hubspot:8675309:note.501.9f2c", "distilled:hubspot:1:form_submission.1b2c-77.a0"]
        {
            let id: InsightId = text.parse().unwrap();
            assert_eq!(id.to_string(), text);
            assert_eq!(format!("{text}#0").parse::<InsightId>().unwrap(), id);
            assert!(text.parse::<DocumentId>().is_err());
        }
        for text in ["", "distilled:hubspot:1:note.5", "hubspot:1:note:5", "distilled:hubspot:1:fax.5.aa"] {
            assert!(text.parse::<InsightId>().is_err(), "{text}");
        }
    }
}
