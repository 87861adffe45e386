//! What each permission is for: without it one feature is missing, and the rest works.

/// A feature and the scope it needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Feature {
    /// The scope, as HubSpot names it.
    pub scope: &'static str,
    /// The feature.
    pub name: &'static str,
    /// What is missing without it.
    pub without: &'static str,
}

/// Every feature that a scope makes possible, in the order of the consent page.
pub const FEATURES: [Feature; 10] = [
    Feature {
        scope: "oauth",
        name: "account facts",
        without: "the account's time zone and the host of its links are unknown",
    },
    Feature {
        scope: "crm.objects.contacts.read",
        name: "contacts, notes, calls and meetings",
        without: "no customers and none of their notes, calls, meetings and e-mails are read",
    },
    Feature {
        scope: "crm.objects.contacts.write",
        name: "agents update contacts, log tasks and write notes",
        without: "agents cannot write to contacts",
    },
    Feature {
        scope: "crm.objects.companies.read",
        name: "companies",
        without: "no companies are read; customers have none",
    },
    Feature {
        scope: "crm.objects.deals.read",
        name: "deals, pipelines and segments",
        without: "no deals are read; segments are empty",
    },
    Feature {
        scope: "crm.objects.deals.write",
        name: "agents create deals",
        without: "agents cannot create deals",
    },
    Feature {
        scope: "sales-email-read",
        name: "bodies of e-mails",
        without: "e-mails have no text and cannot be found by what they say",
    },
    Feature { scope: "forms", name: "form submissions", without: "no form submissions are read" },
    Feature {
        scope: "crm.objects.owners.read",
        name: "names of owners",
        without: "owners are shown without names",
    },
    Feature {
        scope: "crm.extensions_calling_transcripts.read",
        name: "transcripts of calls",
        without: "backfill_transcripts is skipped",
    },
];

#[cfg(test)]
mod tests {
    use super::super::oauth::{OPTIONAL_SCOPES, REQUIRED_SCOPES};
    use super::*;

    #[test]
    fn every_scope_that_is_asked_for_has_its_feature() {
        let named: Vec<&str> = FEATURES.iter().map(|feature| feature.scope).collect();
        let asked: Vec<&str> = REQUIRED_SCOPES.into_iter().chain(OPTIONAL_SCOPES).collect();
        assert_eq!(named, asked);
    }
}
