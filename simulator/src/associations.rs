//! The fixed association types of HubSpot between the types this portal has: number, name in the
//! list endpoints and label.

use crate::kind::Kind;

/// One way two records are tied.
#[derive(Debug, Clone, Copy)]
pub(crate) struct AssociationType {
    pub(crate) id: u32,
    pub(crate) label: Option<&'static str>,
    /// Suffix of the type's name in list endpoints.
    pub(crate) suffix: &'static str,
}

impl AssociationType {
    const fn plain(id: u32) -> Self {
        Self { id, label: None, suffix: "" }
    }

    const fn unlabelled(id: u32) -> Self {
        Self { id, label: None, suffix: "_unlabeled" }
    }

    const fn primary(id: u32) -> Self {
        Self { id, label: Some("Primary"), suffix: "" }
    }
}

/// All types of a pair, the primary one only for those that are primary. Empty when HubSpot knows
/// no association between the two.
pub(crate) fn types(from: Kind, to: Kind, primary: bool) -> Vec<AssociationType> {
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
    let unlabelled = AssociationType::unlabelled(plain);
    if primary { vec![AssociationType::primary(labelled), unlabelled] } else { vec![unlabelled] }
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

/// Whether a type number given in a write fits the pair, and whether it marks the primary one.
pub(crate) fn accepts(from: Kind, to: Kind, id: u32) -> Option<bool> {
    let all = types(from, to, true);
    all.iter().find(|t| t.id == id).map(|t| t.label.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_those_of_the_guide() {
        let id = |from, to| types(from, to, false)[0].id;
        assert_eq!(id(Kind::Note, Kind::Contact), 202);
        assert_eq!(id(Kind::Note, Kind::Company), 190);
        assert_eq!(id(Kind::Note, Kind::Deal), 214);
        assert_eq!(id(Kind::Task, Kind::Contact), 204);
        assert_eq!(id(Kind::Call, Kind::Deal), 206);
        assert_eq!(id(Kind::Email, Kind::Contact), 198);
        assert_eq!(id(Kind::Meeting, Kind::Company), 188);
        assert_eq!(id(Kind::Contact, Kind::Email), 197);
        assert_eq!(id(Kind::Deal, Kind::Task), 215);
        assert!(types(Kind::Note, Kind::Call, false).is_empty());
    }
}
