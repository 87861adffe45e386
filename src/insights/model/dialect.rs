//! How a question is put so that an endpoint understands it: from the strictest form to the plainest.
//!
//! Which one an endpoint speaks is found out once and remembered (`endpoint`). Sources: the chat completions
//! reference of OpenAI; the documentation of vLLM, llama.cpp and Ollama for `response_format`.

use serde_json::{Map, Value, json};

use super::endpoint::Question;

/// A way to ask, the strictest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dialect {
    /// `response_format` with a strict JSON schema.
    Schema,
    /// The same for models that take neither a temperature nor `max_tokens`.
    SchemaOnly,
    /// `response_format` of any JSON object, with the schema beside it and in words.
    Object,
    /// A tool whose arguments have the schema.
    Tool,
    /// The schema in words.
    Plain,
    /// The schema in words, and nothing else that could be refused.
    Bare,
}

impl Dialect {
    /// All of them, the strictest first.
    pub const ALL: [Self; 6] =
        [Self::Schema, Self::SchemaOnly, Self::Object, Self::Tool, Self::Plain, Self::Bare];

    /// The name it is remembered by.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Schema => "json_schema",
            Self::SchemaOnly => "json_schema_only",
            Self::Object => "json_object",
            Self::Tool => "tool",
            Self::Plain => "plain",
            Self::Bare => "bare",
        }
    }

    /// The dialect of that name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.as_str() == name)
    }

    /// The body of the request.
    #[must_use]
    pub fn body(self, model: &str, question: &Question) -> Value {
        let worded = matches!(self, Self::Object | Self::Plain | Self::Bare);
        let mut system = question.system.clone();
        if worded {
            system.push_str(&format!(
                "\nAnswer with one JSON object of this JSON schema and nothing else:\n{}",
                question.schema
            ));
        }
        let mut body = Map::new();
        body.insert("model".to_owned(), json!(model));
        body.insert(
            "messages".to_owned(),
            json!([{"role": "system", "content": system}, {"role": "user", "content": question.data.to_string()}]),
        );
        let mut with = |name: &str, value: Value| drop(body.insert(name.to_owned(), value));
        if !matches!(self, Self::SchemaOnly | Self::Bare) {
            with("temperature", json!(0));
            with("seed", json!(1));
            with("max_tokens", json!(question.most_tokens));
        }
        let strict = json!({"name": question.name, "strict": true, "schema": question.schema});
        match self {
            Self::Schema => with("response_format", json!({"type": "json_schema", "json_schema": strict})),
            Self::SchemaOnly => {
                with("response_format", json!({"type": "json_schema", "json_schema": strict}));
                with("max_completion_tokens", json!(question.most_tokens.saturating_mul(4)));
            }
            Self::Object => {
                with("response_format", json!({"type": "json_object", "schema": question.schema}))
            }
            Self::Tool => {
                let function = json!({"name": question.name, "parameters": question.schema, "strict": true});
                with("tools", json!([{"type": "function", "function": function}]));
                with("tool_choice", json!({"type": "function", "function": {"name": question.name}}));
            }
            Self::Plain | Self::Bare => {}
        }
        Value::Object(body)
    }
}
