//! Form submissions: fields become `label: value` lines.
//!
//! It does not know HubSpot's wire format; the caller hands over labels and values.

use super::body::{Span, SpanClass};

/// One `label: value` line per field; line ends inside a value stay, indented, so a value never looks like a label.
#[must_use]
pub fn lines<'a>(fields: impl IntoIterator<Item = (&'a str, &'a str)>) -> String {
    let mut out = String::new();
    for (label, value) in fields {
        let value = value.trim();
        if value.is_empty() {
            continue;
        }
        out.push_str(label.trim().trim_end_matches(':'));
        out.push_str(": ");
        for (n, line) in value.lines().enumerate() {
            if n > 0 {
                out.push_str("\n  ");
            }
            out.push_str(line.trim_end());
        }
        out.push('\n');
    }
    out
}

/// A submission is new text throughout.
pub(super) fn classify(text: &str) -> Vec<Span> {
    if text.is_empty() {
        return Vec::new();
    }
    vec![Span { range: 0..text.len(), class: SpanClass::New }]
}

#[cfg(test)]
mod tests {
    use super::lines;

    #[test]
    fn fields_become_lines_and_empty_ones_go() {
        let text = lines([("Name:", "Ann"), ("Fax", "  "), ("Message", "one\ntwo")]);
        assert_eq!(text, "Name: Ann\nMessage: one\n  two\n");
    }
}
