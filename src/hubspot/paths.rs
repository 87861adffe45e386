//! One table of paths per API version; the bodies behind them are the same.
//!
//! The version moves behind the family name in dated paths, so a table is safer than substitution.
//! Forms and submissions have no dated path (November 2026) and stay on v3 and v1.

use crate::domain::crm::RecordType;
use crate::domain::engagement::Kind;

/// A version of HubSpot's API.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ApiVersion {
    /// Current since 2026-09-08.
    V2026_09,
    /// The one before.
    V2026_03,
    /// The numbered versions v3 and v4.
    Legacy,
}

/// An object type as paths name it.
#[must_use]
pub fn type_name(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::Contacts => "contacts",
        RecordType::Companies => "companies",
        RecordType::Deals => "deals",
        RecordType::Engagement(Kind::Email) => "emails",
        RecordType::Engagement(Kind::Note) => "notes",
        RecordType::Engagement(Kind::Call) => "calls",
        RecordType::Engagement(Kind::Meeting) => "meetings",
        RecordType::Engagement(Kind::FormSubmission) => "form_submissions",
    }
}

impl ApiVersion {
    /// The version a setting names.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        match name {
            "2026-09" => Some(Self::V2026_09),
            "2026-03" => Some(Self::V2026_03),
            "legacy" => Some(Self::Legacy),
            _ => None,
        }
    }

    /// The name a setting uses.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        self.date().unwrap_or("legacy")
    }

    /// The day on which HubSpot stops supporting the first of the paths used, as announced (contract,
    /// section 1: dated versions for 18 months, v4 until 2027-03-30).
    #[must_use]
    pub fn supported_until(self) -> &'static str {
        match self {
            Self::V2026_09 => "2028-03-01",
            Self::V2026_03 => "2027-09-01",
            Self::Legacy => "2027-03-30",
        }
    }

    fn date(self) -> Option<&'static str> {
        match self {
            Self::V2026_09 => Some("2026-09"),
            Self::V2026_03 => Some("2026-03"),
            Self::Legacy => None,
        }
    }

    /// List of objects of a type.
    #[must_use]
    pub fn objects(self, record_type: &str) -> String {
        match self.date() {
            Some(date) => format!("/crm/objects/{date}/{record_type}"),
            None => format!("/crm/v3/objects/{record_type}"),
        }
    }

    /// Search over objects of a type.
    #[must_use]
    pub fn search(self, record_type: &str) -> String {
        format!("{}/search", self.objects(record_type))
    }

    /// One object of a type. The id is HubSpot's own, never a text somebody wrote.
    #[must_use]
    pub fn object(self, record_type: &str, id: &str) -> String {
        format!("{}/{id}", self.objects(record_type))
    }

    /// Associations of many records at once.
    #[must_use]
    pub fn associations(self, from: &str, to: &str) -> String {
        match self.date() {
            Some(date) => format!("/crm/associations/{date}/{from}/{to}/batch/read"),
            None => format!("/crm/v4/associations/{from}/{to}/batch/read"),
        }
    }

    /// Owners.
    #[must_use]
    pub fn owners(self) -> String {
        match self.date() {
            Some(date) => format!("/crm/owners/{date}"),
            None => "/crm/v3/owners".to_owned(),
        }
    }

    /// Property definitions of a type.
    #[must_use]
    pub fn properties(self, record_type: &str) -> String {
        match self.date() {
            Some(date) => format!("/crm/properties/{date}/{record_type}"),
            None => format!("/crm/v3/properties/{record_type}"),
        }
    }

    /// Definition of one property; the name has been checked to be one.
    #[must_use]
    pub fn property(self, record_type: &str, name: &str) -> String {
        format!("{}/{name}", self.properties(record_type))
    }

    /// Deal pipelines with their stages.
    #[must_use]
    pub fn deal_pipelines(self) -> String {
        match self.date() {
            Some(date) => format!("/crm/pipelines/{date}/deals"),
            None => "/crm/v3/pipelines/deals".to_owned(),
        }
    }

    /// The token endpoint, or one of its neighbours `introspect` and `revoke`.
    #[must_use]
    pub fn oauth(self, endpoint: &str) -> String {
        let version = self.date().unwrap_or("v3");
        match endpoint {
            "token" => format!("/oauth/{version}/token"),
            other => format!("/oauth/{version}/token/{other}"),
        }
    }

    /// Facts about the account.
    #[must_use]
    pub fn account(self) -> String {
        format!("/account-info/{}/details", self.date().unwrap_or("v3"))
    }

    /// Removes our app from the portal.
    #[must_use]
    pub fn uninstall(self) -> String {
        format!("/appinstalls/{}/external-install", self.date().unwrap_or("v3"))
    }

    /// What was said in a call; the id is the transcript's, not the call's.
    #[must_use]
    pub fn transcript(self, id: &str) -> String {
        match self.date() {
            Some(date) => format!("/crm/extensions/calling/{date}/transcripts/{id}"),
            None => format!("/crm/v3/extensions/calling/transcripts/{id}"),
        }
    }

    /// Forms.
    #[must_use]
    pub fn forms(self) -> String {
        "/marketing/v3/forms".to_owned()
    }

    /// Submissions of one form.
    #[must_use]
    pub fn submissions(self, form: &str) -> String {
        format!("/form-integrations/v1/submissions/forms/{form}")
    }
}
