//! What the rows keep of a call's words: secrets masked, and no more than a person would read.
//!
//! A value that a change needs (before, after) is no part of this: it is masked when it is shown.

use serde_json::{Map, Value};

use crate::text::secrets;

/// Bytes kept of the arguments of a call.
const MOST: usize = 8 << 10;
/// Bytes kept of a sentence.
const SENTENCE: usize = 2 << 10;
/// Where the rest was left out.
const CUT: &str = "[cut]";
/// What a value is masked as of which only its name says that it is a secret.
const BY_NAME: &str = "[secret]";
/// Looks like a password behind a label, and like nothing without one.
const PROBE: &str = "Kd7-pLq2x";

/// Arguments as they are kept.
pub(super) fn arguments(value: &Value) -> Value {
    Kept { left: MOST }.value(value)
}

/// A sentence as it is kept.
pub(super) fn sentence(text: &str) -> String {
    Kept { left: SENTENCE }.text(text)
}

struct Kept {
    left: usize,
}

impl Kept {
    fn value(&mut self, value: &Value) -> Value {
        match value {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => Value::Array(self.items(items)),
            Value::Object(fields) => Value::Object(self.fields(fields)),
            Value::Number(number) => {
                let text = number.to_string();
                let masked = self.text(&text);
                if masked == text { value.clone() } else { Value::String(masked) }
            }
            Value::Bool(_) | Value::Null => {
                self.takes(4);
                value.clone()
            }
        }
    }

    fn items(&mut self, items: &[Value]) -> Vec<Value> {
        let mut kept = Vec::new();
        for item in items {
            if self.left == 0 {
                kept.push(Value::String(CUT.to_owned()));
                break;
            }
            self.takes(1);
            kept.push(self.value(item));
        }
        kept
    }

    fn fields(&mut self, fields: &Map<String, Value>) -> Map<String, Value> {
        let mut kept = Map::new();
        for (name, value) in fields {
            if self.left == 0 {
                kept.insert(CUT.to_owned(), Value::Null);
                break;
            }
            let value = match value {
                Value::Null | Value::Bool(_) => self.value(value),
                _ if names_a_secret(name) => Value::String(BY_NAME.to_owned()),
                _ => self.value(value),
            };
            kept.insert(self.text(name), value);
        }
        kept
    }

    /// A text masked, and cut where there is no more room. Only its beginning is looked at: looking takes time.
    fn text(&mut self, text: &str) -> String {
        let room = self.left;
        let looked_at = &text[..text.floor_char_boundary(2 * room)];
        let masked = secrets::mask(looked_at);
        self.takes(masked.len() + 2);
        if looked_at.len() == text.len() && masked.len() <= room {
            return masked;
        }
        // A secret across the end of what was looked at may be there in part.
        let whole = masked.len().saturating_sub(if looked_at.len() < text.len() { room / 4 } else { 0 });
        let end = masked.floor_char_boundary(whole.min(room));
        format!("{}{CUT}", &masked[..end])
    }

    fn takes(&mut self, bytes: usize) {
        self.left = self.left.saturating_sub(bytes);
    }
}

/// Behind this name anything would be taken for a secret: `password`, `api_key`, `cardPin`.
fn names_a_secret(name: &str) -> bool {
    let mut label = String::new();
    for c in name.chars().take(100) {
        if c.is_uppercase() && label.ends_with(char::is_lowercase) {
            label.push(' ');
        }
        label.push(if matches!(c, '_' | '-' | '.') { ' ' } else { c });
    }
    let found = |value: &str| {
        let line = format!("{}: {value}", label.to_lowercase());
        secrets::find(&line).iter().any(|secret| secret.range.end > line.len() - value.len())
    };
    found(PROBE) || found("4821")
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_in_names_numbers_and_behind_names_are_masked() {
        assert_eq!(secrets::mask(PROBE), PROBE, "it is one only behind a label");
        let kept = arguments(&json!({
            "password": "correct horse", "api_key": 12, "cardPin": 4821, "pin": [1, 2],
            "card": 4_111_111_111_111_111_u64, "password is hunter2xyz": 1,
            "text": "my password is hunter2xyz", "amount": 1200, "contact": "nina@x.example", "subject": "Call 4821",
        }));
        let text = kept.to_string();
        for secret in ["correct horse", "12,", "4821,", "4111111111111111", "hunter2xyz"] {
            assert!(!text.contains(secret), "{secret}: {text}");
        }
        assert_eq!(kept["amount"], 1200);
        assert_eq!(kept["contact"], "nina@x.example");
        assert_eq!(kept["subject"], "Call 4821");
        assert_eq!(
            sentence("due: `password is hunter2xyz` is not a time"),
            "due: `password is [password]` is not a time"
        );
    }

    #[test]
    fn no_more_is_kept_than_a_person_would_read() {
        let much = "word ".repeat(200_000);
        for value in
            [json!({"text": much}), json!(vec![0; 300_000]), json!({"a": much, "b": much}), json!(much)]
        {
            let text = arguments(&value).to_string();
            assert!(text.len() < 2 * MOST, "{}", text.len());
            assert!(text.contains(CUT), "it is said");
        }
        assert!(sentence(&much).len() <= SENTENCE + CUT.len());
        assert_eq!(arguments(&json!({"text": "short"})), json!({"text": "short"}));
    }
}
