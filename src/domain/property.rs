//! Properties of contacts, companies and deals: what they are called, and how a value is told to people.
//!
//! Values stay as HubSpot wrote them; telling is done here, when somebody looks. A type that is not known is text.

use serde::{Deserialize, Serialize};

use super::clock::Millis;

/// What kind of value a property holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ValueType {
    /// Text, and every type that is not known.
    Text,
    /// A decimal number.
    Number,
    /// A day.
    Date,
    /// A moment.
    DateTime,
    /// True or false.
    Flag,
    /// One or more of the property's options, separated by `;`.
    Choice,
}

impl ValueType {
    /// The type HubSpot names so.
    #[must_use]
    pub fn of(name: &str) -> Self {
        match name {
            "number" => Self::Number,
            "date" => Self::Date,
            "datetime" => Self::DateTime,
            "bool" => Self::Flag,
            "enumeration" => Self::Choice,
            _ => Self::Text,
        }
    }

    /// The stored name.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Number => "number",
            Self::Date => "date",
            Self::DateTime => "datetime",
            Self::Flag => "flag",
            Self::Choice => "choice",
        }
    }

    /// The type stored under that name; text where it is none.
    #[must_use]
    pub fn stored(name: &str) -> Self {
        let all = [Self::Number, Self::Date, Self::DateTime, Self::Flag, Self::Choice];
        all.into_iter().find(|one| one.as_str() == name).unwrap_or(Self::Text)
    }
}

/// One value of a choice, as stored and as people see it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Choice {
    /// As records hold it.
    pub value: String,
    /// As people see it.
    pub label: String,
}

/// The definition of a property.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Property {
    /// Internal name, unique within its type.
    pub name: String,
    /// What people call it.
    pub label: String,
    /// What it holds.
    pub value_type: ValueType,
    /// Options of a choice.
    pub options: Vec<Choice>,
}

impl Property {
    /// The value as people would say it. What does not fit the property's type is told as it is.
    #[must_use]
    pub fn told(&self, value: &str) -> String {
        match self.value_type {
            ValueType::Choice => {
                value.split(';').map(|one| self.label_of(one)).collect::<Vec<_>>().join(", ")
            }
            ValueType::Flag => match value {
                "true" => "yes".to_owned(),
                "false" => "no".to_owned(),
                other => other.to_owned(),
            },
            ValueType::Date => moment(value).map_or_else(|| value.to_owned(), |at| at.day()),
            ValueType::DateTime => moment(value).map_or_else(|| value.to_owned(), |at| at.to_string()),
            ValueType::Text | ValueType::Number => value.to_owned(),
        }
    }

    fn label_of(&self, value: &str) -> String {
        let value = value.trim();
        let known = self.options.iter().find(|option| option.value == value);
        known.map_or(value, |option| option.label.as_str()).to_owned()
    }
}

/// Days come as `2026-11-25` or as their midnight, moments as RFC 3339 or milliseconds.
fn moment(value: &str) -> Option<Millis> {
    Millis::parse(value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn property(name: &str, options: &[(&str, &str)]) -> Property {
        let option =
            |(value, label): &(&str, &str)| Choice { value: (*value).into(), label: (*label).into() };
        Property {
            name: "p".to_owned(),
            label: "P".to_owned(),
            value_type: ValueType::of(name),
            options: options.iter().map(option).collect(),
        }
    }

    #[test]
    fn values_are_told_by_their_type() {
        let choice = property("enumeration", &[("a", "First"), ("b", "Second")]);
        for (property, value, told) in [
            (&choice, "a", "First"),
            (&choice, "b;a;gone", "Second, First, gone"),
            (&property("bool", &[]), "true", "yes"),
            (&property("bool", &[]), "maybe", "maybe"),
            (&property("date", &[]), "2026-11-25", "2026-11-25"),
            (&property("date", &[]), "1795564800000", "2026-11-25"),
            (&property("datetime", &[]), "2026-11-25T10:00:00Z", "2026-11-25T10:00:00Z"),
            (&property("datetime", &[]), "soon", "soon"),
            (&property("number", &[]), "007.50", "007.50"),
            (&property("object_coordinates", &[]), "0-1-5", "0-1-5"),
        ] {
            assert_eq!(property.told(value), told);
        }
    }

    #[test]
    fn stored_names_lead_back() {
        for name in ["string", "number", "date", "datetime", "bool", "enumeration", "json"] {
            let value_type = ValueType::of(name);
            assert_eq!(ValueType::stored(value_type.as_str()), value_type);
        }
    }
}
