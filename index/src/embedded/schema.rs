//! The fields of the embedded index, how a document becomes them, and the
//! fingerprint that tells an index of another make.
//!
//! One engine document per passage. Bodies are not stored: the words of a hit
//! are fetched from where they are kept, and erasing has one place less to clean.

use crate::analysis::{Analyzer, VERSION, likeness, marked};
use crate::document::{Document, Language};
use crate::meaning::Encoder;
use sha2::{Digest, Sha256};
use tantivy::TantivyDocument;
use tantivy::schema::{
    BytesOptions, Field, IndexRecordOption, NumericOptions, Schema, TextFieldIndexing, TextOptions,
};
use tantivy::tokenizer::TextAnalyzer;
use tantivy::{Index, Term};

/// Separates the parts of a key; ids cannot reach across it.
const SEPARATOR: char = '\u{1f}';
const ESCAPE: char = '\u{1e}';

/// Handles of the fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Fields {
    /// Organisation and id, one term: what an upsert deletes, and how a hit is named.
    pub(crate) key: Field,
    /// Everything a search filters by, as prefixed terms in one field.
    pub(crate) tags: Field,
    pub(crate) title: Field,
    /// Title and body in one, which ranks better than the two added up.
    pub(crate) text: Field,
    pub(crate) names: Field,
    pub(crate) passage: Field,
    pub(crate) version: Field,
    /// Number of the change that wrote it.
    pub(crate) order: Field,
    pub(crate) occurred_at: Field,
    /// As in [`Tag::Kind`], for its weight in the ranking.
    pub(crate) kind: Field,
    /// Tells near-copies, in two halves because the engine has no wider numbers.
    pub(crate) likeness: [Field; 2],
    /// What a passage means, where there is a table of meanings.
    pub(crate) vector: Field,
}

/// Columns of both halves of the likeness.
pub(crate) const LIKENESS: [&str; 2] = ["likeness", "likeness_more"];

const STEMMED: &str = "stemmed";
const UNSTEMMED: &str = "unstemmed";

/// The schema and its fields.
pub(crate) fn schema() -> (Schema, Fields) {
    let mut builder = Schema::builder();
    let raw = TextFieldIndexing::default()
        .set_tokenizer("raw")
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::Basic);
    let text = |analyzer: &str, option: IndexRecordOption| {
        let indexing = TextFieldIndexing::default().set_tokenizer(analyzer).set_index_option(option);
        TextOptions::default().set_indexing_options(indexing)
    };
    let raw = TextOptions::default().set_indexing_options(raw);
    let column = NumericOptions::default().set_fast();
    let fields = Fields {
        key: builder.add_text_field("key", raw.clone().set_fast("raw")),
        tags: builder.add_text_field("tags", raw),
        title: builder.add_text_field("title", text(STEMMED, IndexRecordOption::WithFreqs)),
        text: builder.add_text_field("text", text(STEMMED, IndexRecordOption::WithFreqsAndPositions)),
        names: builder.add_text_field("names", text(UNSTEMMED, IndexRecordOption::WithFreqsAndPositions)),
        passage: builder.add_u64_field("passage", column.clone()),
        version: builder.add_u64_field("version", column.clone()),
        order: builder.add_u64_field("order", column.clone()),
        occurred_at: builder.add_i64_field("occurred_at", column.clone()),
        kind: builder.add_text_field("kind", TextOptions::default().set_fast("raw")),
        likeness: LIKENESS.map(|name| builder.add_u64_field(name, column.clone())),
        vector: builder.add_bytes_field("vector", BytesOptions::default().set_fast()),
    };
    (builder.build(), fields)
}

/// Gives an opened index the analysers its fields name.
pub(crate) fn register_analyzers(index: &Index) {
    let stemmed = TextAnalyzer::builder(Analyzer::new(true)).build();
    let unstemmed = TextAnalyzer::builder(Analyzer::new(false)).build();
    index.tokenizers().register(STEMMED, stemmed);
    index.tokenizers().register(UNSTEMMED, unstemmed);
}

/// Changes when the schema, the way of cutting words or the table of meanings changes.
pub(crate) fn fingerprint(meaning: Option<&Encoder>) -> String {
    let (schema, _) = schema();
    let text = serde_json::to_string(&schema).unwrap_or_default();
    let mut hash = Sha256::new();
    hash.update(text.as_bytes());
    hash.update(VERSION.to_le_bytes());
    if let Some(encoder) = meaning {
        hash.update(encoder.id().as_bytes());
    }
    let digest = hash.finalize();
    digest[..8].iter().fold(String::new(), |out, byte| format!("{out}{byte:02x}"))
}

/// What a search may filter by.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Tag<'a> {
    /// Every passage of an organisation.
    Org,
    /// The first passage of every document of an organisation: one per document.
    First,
    Kind(&'a str),
    Customer(&'a str),
    Company(&'a str),
    Owner(&'a str),
    /// Tied to a customer.
    Linked,
}

impl Tag<'_> {
    /// The term's text; every one begins with the organisation.
    pub(crate) fn text(self, org: &str) -> String {
        let (letter, value) = match self {
            Tag::Org => ('o', ""),
            Tag::First => ('f', ""),
            Tag::Kind(value) => ('k', value),
            Tag::Customer(value) => ('c', value),
            Tag::Company(value) => ('p', value),
            Tag::Owner(value) => ('w', value),
            Tag::Linked => ('l', ""),
        };
        let mut out = String::with_capacity(org.len() + value.len() + 3);
        out.push(letter);
        push_org(org, &mut out);
        out.push_str(value);
        out
    }
}

impl Fields {
    pub(crate) fn tag(&self, org: &str, tag: Tag<'_>) -> Term {
        Term::from_field_text(self.tags, &tag.text(org))
    }

    pub(crate) fn language_tag(&self, org: &str, language: Language) -> Term {
        Term::from_field_text(self.tags, &language_tag(org, language))
    }

    pub(crate) fn key_term(&self, org: &str, id: &str) -> Term {
        Term::from_field_text(self.key, &key(org, id))
    }

    /// The engine documents of a document, one per passage and at least one.
    pub(crate) fn documents(&self, document: &Document, meaning: Option<&Encoder>) -> Vec<TantivyDocument> {
        let org = &document.org;
        let shared = self.shared_tags(document);
        let names: Vec<String> = document
            .names
            .iter()
            .filter(|name| !name.is_empty())
            .map(|name| marked(Language::Unknown, name))
            .collect();
        let key = key(org, &document.id);
        let texts = document.passages.iter().map(|passage| passage.text.as_str());
        let likeness = likeness(std::iter::once(document.title.as_str()).chain(texts));
        let empty = [None];
        let passages: Vec<_> = document.passages.iter().map(Some).collect();
        let passages = if passages.is_empty() { &empty[..] } else { &passages[..] };
        let mut out = Vec::with_capacity(passages.len());
        for (number, passage) in (0u64..).zip(passages) {
            let language = passage.map_or(Language::Unknown, |p| p.language);
            let mut doc = TantivyDocument::with_capacity(512 + passage.map_or(0, |p| p.text.len()));
            doc.add_text(self.key, &key);
            for tag in &shared {
                doc.add_text(self.tags, tag);
            }
            if number == 0 {
                doc.add_text(self.tags, Tag::First.text(org));
            }
            doc.add_text(self.tags, language_tag(org, language));
            if !document.title.is_empty() {
                let title = marked(language, &document.title);
                doc.add_text(self.title, &title);
                doc.add_text(self.text, &title);
            }
            if let Some(passage) = passage {
                doc.add_text(self.text, marked(language, &passage.text));
            }
            for name in &names {
                doc.add_text(self.names, name);
            }
            doc.add_u64(self.passage, number);
            doc.add_u64(self.version, document.version);
            doc.add_u64(self.order, document.order);
            doc.add_i64(self.occurred_at, document.occurred_at);
            doc.add_text(self.kind, &document.kind);
            doc.add_u64(self.likeness[0], (likeness >> 64) as u64);
            doc.add_u64(self.likeness[1], likeness as u64);
            if let Some(encoder) = meaning {
                let texts = [document.title.as_str()].into_iter().chain(passage.map(|p| p.text.as_str()));
                if let Some(vector) = encoder.encode(texts) {
                    doc.add_bytes(self.vector, &vector.to_bytes());
                }
            }
            out.push(doc);
        }
        out
    }

    fn shared_tags(&self, document: &Document) -> Vec<String> {
        let org = &document.org;
        let mut tags = vec![Tag::Org.text(org), Tag::Kind(&document.kind).text(org)];
        tags.extend(document.customers.iter().map(|c| Tag::Customer(c).text(org)));
        tags.extend(document.companies.iter().map(|c| Tag::Company(c).text(org)));
        tags.extend(document.owner.iter().map(|o| Tag::Owner(o).text(org)));
        if document.linked {
            tags.push(Tag::Linked.text(org));
        }
        tags
    }
}

/// Languages belong to an organisation: those of others must not show in its answers.
fn language_tag(org: &str, language: Language) -> String {
    let mut out = String::from("g");
    push_org(org, &mut out);
    out.push_str(language.code());
    out
}

/// Organisation and id as one text; no two pairs share one.
pub(crate) fn key(org: &str, id: &str) -> String {
    let mut out = String::with_capacity(org.len() + id.len() + 1);
    push_org(org, &mut out);
    out.push_str(id);
    out
}

/// The id in a key.
pub(crate) fn id_of(key: &str) -> &str {
    key.split_once(SEPARATOR).map_or(key, |(_, id)| id)
}

/// The organisation and the separator; a separator inside its name is escaped.
fn push_org(org: &str, out: &mut String) {
    if org.contains([SEPARATOR, ESCAPE]) {
        for c in org.chars() {
            match c {
                SEPARATOR => out.extend([ESCAPE, 's']),
                ESCAPE => out.extend([ESCAPE, 'e']),
                c => out.push(c),
            }
        }
    } else {
        out.push_str(org);
    }
    out.push(SEPARATOR);
}
