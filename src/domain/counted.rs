//! How many of something, as people read it: "1 contact", "2 companies".

use std::fmt::Display;

/// A number with the name of what is counted, which is given in the singular.
#[must_use]
pub fn counted(number: impl Display, one: &str) -> String {
    let number = number.to_string();
    match (number.as_str(), one.strip_suffix('y')) {
        ("1", _) => format!("1 {one}"),
        (_, Some(stem)) if !stem.ends_with(['a', 'e', 'i', 'o', 'u']) => format!("{number} {stem}ies"),
        _ => format!("{number} {one}s"),
    }
}

#[cfg(test)]
mod tests {
    use super::counted;

    #[test]
    fn one_is_not_many_and_none_is() {
        assert_eq!(counted(1, "engagement"), "1 engagement");
        assert_eq!(counted(0, "engagement"), "0 engagements");
        assert_eq!(counted(21, "company"), "21 companies");
        assert_eq!(counted(2, "day"), "2 days");
    }
}
