//! The CRM object types the portal holds, with every name HubSpot gives them. Form submissions are
//! not among them: they are no CRM objects and have their own endpoint.

/// One CRM object type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Kind {
    Contact,
    Company,
    Deal,
    Email,
    Note,
    Call,
    Meeting,
    Task,
}

/// The stream number of form submissions, beside the kinds' own numbers.
pub(crate) const SUBMISSION_STREAM: u64 = 8;

impl Kind {
    pub(crate) const ALL: [Self; 8] = [
        Self::Contact,
        Self::Company,
        Self::Deal,
        Self::Email,
        Self::Note,
        Self::Call,
        Self::Meeting,
        Self::Task,
    ];

    pub(crate) const fn number(self) -> usize {
        self as usize
    }

    /// The number that keeps this kind's draws apart from other kinds'.
    pub(crate) const fn stream(self) -> u64 {
        self as u64
    }

    pub(crate) const fn plural(self) -> &'static str {
        match self {
            Self::Contact => "contacts",
            Self::Company => "companies",
            Self::Deal => "deals",
            Self::Email => "emails",
            Self::Note => "notes",
            Self::Call => "calls",
            Self::Meeting => "meetings",
            Self::Task => "tasks",
        }
    }

    /// The name used inside association type names; meetings are `meeting_event` there.
    pub(crate) const fn in_associations(self) -> &'static str {
        match self {
            Self::Contact => "contact",
            Self::Company => "company",
            Self::Deal => "deal",
            Self::Email => "email",
            Self::Note => "note",
            Self::Call => "call",
            Self::Meeting => "meeting_event",
            Self::Task => "task",
        }
    }

    pub(crate) const fn type_id(self) -> &'static str {
        match self {
            Self::Contact => "0-1",
            Self::Company => "0-2",
            Self::Deal => "0-3",
            Self::Email => "0-49",
            Self::Note => "0-46",
            Self::Call => "0-48",
            Self::Meeting => "0-47",
            Self::Task => "0-27",
        }
    }

    /// Reads a plural name, a singular name or a type id, as HubSpot's paths accept all three.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| {
            name == kind.plural()
                || name == kind.type_id()
                || name == kind.in_associations()
                || (*kind == Self::Meeting && name == "meeting")
        })
    }

    pub(crate) const fn is_engagement(self) -> bool {
        !matches!(self, Self::Contact | Self::Company | Self::Deal)
    }

    pub(crate) const fn created_property(self) -> &'static str {
        if self.is_engagement() { "hs_createdate" } else { "createdate" }
    }

    pub(crate) const fn modified_property(self) -> &'static str {
        if matches!(self, Self::Contact) { "lastmodifieddate" } else { "hs_lastmodifieddate" }
    }

    /// What a reader gets who names no property.
    pub(crate) const fn default_properties(self) -> &'static [&'static str] {
        match self {
            Self::Contact => &["email", "firstname", "lastname"],
            Self::Company => &["domain", "name"],
            Self::Deal => &["amount", "closedate", "dealname", "dealstage", "pipeline"],
            _ => &[],
        }
    }
}
