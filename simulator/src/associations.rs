//! The fixed association types of HubSpot between the types this portal has: number, name in the
//! list endpoints and label.

use crate::kind::Kind;

/// One way two records are tied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AssociationType {
    pub(crate) id: u32,
    pub(crate) label: Option<&'static str>,
    /// Suffix of the type's name in list endpoints.
    suffix: &'static str,
    pub(crate) category: &'static str,
}

const DEFINED: &str = "HUBSPOT_DEFINED";
/// Labels an account has made itself.
pub(crate) const CUSTOM: &str = "USER_DEFINED";

impl AssociationType {
    const fn plain(id: u32) -> Self {
        Self { id, label: None, suffix: "", category: DEFINED }
    }

    const fn unlabelled(id: u32) -> Self {
        Self { id, label: None, suffix: "_unlabeled", category: DEFINED }
    }

    const fn primary(id: u32) -> Self {
        Self { id, label: Some("Primary"), suffix: "", category: DEFINED }
    }

    /// Appends the type's name in the list endpoints.
    pub(crate) fn push_name(&self, from: Kind, to: Kind, out: &mut String) {
        out.push_str(from.in_associations());
        out.push_str("_to_");
        out.push_str(to.in_associations());
        out.push_str(self.suffix);
    }

    const fn custom(id: u32, label: &'static str, suffix: &'static str) -> Self {
        Self { id, label: Some(label), suffix, category: CUSTOM }
    }
}

/// What marks an association beyond its being there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Tie {
    pub(crate) primary: bool,
    /// Carries the label this account has made for the pair.
    pub(crate) labelled: bool,
}

impl Tie {
    pub(crate) const PLAIN: Self = Self { primary: false, labelled: false };
    pub(crate) const PRIMARY: Self = Self { primary: true, labelled: false };
    pub(crate) const LABELLED: Self = Self { primary: false, labelled: true };
    pub(crate) const EVERY: Self = Self { primary: true, labelled: true };

    pub(crate) const fn and(self, other: Self) -> Self {
        Self { primary: self.primary || other.primary, labelled: self.labelled || other.labelled }
    }

    pub(crate) const fn without(self, other: Self) -> Self {
        Self { primary: self.primary && !other.primary, labelled: self.labelled && !other.labelled }
    }
}

/// All types of a pair that a tie has. Empty when HubSpot knows no association between the two.
pub(crate) fn types(from: Kind, to: Kind, tie: Tie) -> Vec<AssociationType> {
    use Kind::{Company, Contact, Deal};
    let (labelled, plain) = match (from, to) {
        (Contact, Company) => (1, 279),
        (Company, Contact) => (2, 280),
        (Deal, Company) => (5, 341),
        (Company, Deal) => (6, 342),
        (Deal, Contact) => return vec![AssociationType::plain(3)],
        (Contact, Deal) => return vec![AssociationType::plain(4)],
        _ => {
            return engagement_type(from, to).map(AssociationType::plain).into_iter().collect();
        }
    };
    let custom = match (from, to) {
        (Contact, Company) => Some(AssociationType::custom(91, "Consultant", "_consultant")),
        (Company, Contact) => Some(AssociationType::custom(92, "Consultant", "_consultant")),
        _ => None,
    };
    let mut all = Vec::new();
    all.extend(tie.primary.then_some(AssociationType::primary(labelled)));
    all.push(AssociationType::unlabelled(plain));
    all.extend(custom.filter(|_| tie.labelled));
    all
}

/// Engagement → record is an even number, the way back is one less.
fn engagement_type(from: Kind, to: Kind) -> Option<u32> {
    let (engagement, record, back) = if from.is_engagement() { (from, to, 0) } else { (to, from, 1) };
    let base = match record {
        Kind::Company => 182,
        Kind::Contact => 194,
        Kind::Deal => 206,
        _ => return None,
    };
    let offset = match engagement {
        Kind::Call => 0,
        Kind::Email => 4,
        Kind::Meeting => 6,
        Kind::Note => 8,
        Kind::Task => 10,
        _ => return None,
    };
    Some(base + offset - back)
}

/// What a type number given in a write means for the pair, if it fits it.
pub(crate) fn accepts(from: Kind, to: Kind, id: u32) -> Option<Tie> {
    let all = types(from, to, Tie::EVERY);
    all.iter()
        .find(|t| t.id == id)
        .map(|t| Tie { primary: t.label.is_some() && t.category == DEFINED, labelled: t.category == CUSTOM })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_guide() {
        let id = |from, to| types(from, to, Tie::PLAIN)[0].id;
        assert_eq!(id(Kind::Note, Kind::Contact), 202);
        assert_eq!(id(Kind::Note, Kind::Company), 190);
        assert_eq!(id(Kind::Note, Kind::Deal), 214);
        assert_eq!(id(Kind::Task, Kind::Contact), 204);
        assert_eq!(id(Kind::Call, Kind::Deal), 206);
        assert_eq!(id(Kind::Email, Kind::Contact), 198);
        assert_eq!(id(Kind::Meeting, Kind::Company), 188);
        assert_eq!(id(Kind::Contact, Kind::Email), 197);
        assert_eq!(id(Kind::Deal, Kind::Task), 215);
        assert!(types(Kind::Note, Kind::Call, Tie::PLAIN).is_empty());
    }
}
