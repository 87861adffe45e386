//! What ranking needs to know of one organisation as a whole: how many passages
//! of which lengths it has, and in which languages.
//!
//! Counted from its own passages alone, so that nothing others write shows in
//! its scores. Counting walks over every passage, so it is done once for each
//! segment, which never changes, and remembered as long as the segment lives. So are
//! the segment's columns.

use super::columns::Columns;
use super::schema::{Fields, Tag};
use crate::document::Language;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};
use tantivy::index::SegmentId;
use tantivy::schema::{Field, IndexRecordOption};
use tantivy::{DocSet, Searcher, SegmentReader, TERMINATED};

/// Counts kept at most; beyond, all are forgotten and counted anew where needed.
const MOST_REMEMBERED: usize = 200_000;

/// An organisation in a segment, or in all of them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Counts {
    /// Passages, deleted ones included as in the engine's own counts.
    pub(crate) passages: u64,
    /// Words in title, text and names.
    pub(crate) tokens: [u64; 3],
    /// Languages at least one passage is written in.
    pub(crate) languages: Vec<Language>,
}

impl Counts {
    fn add(&mut self, other: &Counts) {
        self.passages += other.passages;
        for (sum, tokens) in self.tokens.iter_mut().zip(other.tokens) {
            *sum += tokens;
        }
        for language in &other.languages {
            if !self.languages.contains(language) {
                self.languages.push(*language);
            }
        }
    }
}

/// What is remembered of living segments; shared by the snapshots of a generation.
#[derive(Debug, Default)]
pub(crate) struct Memory(Mutex<HashMap<SegmentId, Remembered>>);

/// What is remembered of one segment.
#[derive(Debug, Default)]
struct Remembered {
    columns: Option<Arc<Columns>>,
    organisations: HashMap<String, Arc<Counts>>,
}

impl Memory {
    /// The organisation in all segments; at least one language.
    pub(crate) fn of(&self, searcher: &Searcher, fields: &Fields, org: &str) -> tantivy::Result<Counts> {
        let mut sum = Counts::default();
        for reader in searcher.segment_readers() {
            sum.add(&*self.in_segment(reader, fields, org)?);
        }
        if sum.languages.is_empty() {
            sum.languages.push(Language::Unknown);
        }
        sum.languages.sort_unstable();
        Ok(sum)
    }

    /// The organisation in one segment.
    pub(crate) fn in_segment(
        &self,
        reader: &SegmentReader,
        fields: &Fields,
        org: &str,
    ) -> tantivy::Result<Arc<Counts>> {
        let id = reader.segment_id();
        if let Some(known) = self.remembered().get(&id).and_then(|known| known.organisations.get(org)) {
            return Ok(Arc::clone(known));
        }
        let counts = Arc::new(count(reader, fields, org)?);
        let mut remembered = self.remembered();
        remembered.entry(id).or_default().organisations.insert(org.to_owned(), Arc::clone(&counts));
        Ok(counts)
    }

    /// The columns of one segment.
    pub(crate) fn columns(&self, reader: &SegmentReader) -> tantivy::Result<Arc<Columns>> {
        let id = reader.segment_id();
        if let Some(known) = self.remembered().get(&id).and_then(|known| known.columns.as_ref()) {
            return Ok(Arc::clone(known));
        }
        let columns = Arc::new(Columns::open(reader)?);
        self.remembered().entry(id).or_default().columns = Some(Arc::clone(&columns));
        Ok(columns)
    }

    /// Forgets segments that are no more.
    pub(crate) fn keep(&self, searcher: &Searcher) {
        let mut remembered = self.remembered();
        let living = |id: &SegmentId| searcher.segment_readers().iter().any(|r| r.segment_id() == *id);
        remembered.retain(|id, _| living(id));
        if remembered.values().map(|known| known.organisations.len()).sum::<usize>() > MOST_REMEMBERED {
            remembered.clear();
        }
    }

    fn remembered(&self) -> std::sync::MutexGuard<'_, HashMap<SegmentId, Remembered>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn count(reader: &SegmentReader, fields: &Fields, org: &str) -> tantivy::Result<Counts> {
    let tags = reader.inverted_index(fields.tags)?;
    let own = tags.read_postings(&fields.tag(org, Tag::Org), IndexRecordOption::Basic)?;
    let Some(mut own) = own else {
        return Ok(Counts::default());
    };
    let lengths: Vec<_> = text_fields(fields)
        .iter()
        .map(|field| reader.get_fieldnorms_reader(*field))
        .collect::<tantivy::Result<_>>()?;
    let mut counts = Counts::default();
    while own.doc() != TERMINATED {
        counts.passages += 1;
        for (sum, lengths) in counts.tokens.iter_mut().zip(&lengths) {
            *sum += u64::from(lengths.fieldnorm(own.doc()));
        }
        own.advance();
    }
    for language in Language::ALL {
        if tags.doc_freq(&fields.language_tag(org, *language))? > 0 {
            counts.languages.push(*language);
        }
    }
    Ok(counts)
}

/// Title, text and names, in the order counts are given in.
pub(crate) fn text_fields(fields: &Fields) -> [Field; 3] {
    [fields.title, fields.text, fields.names]
}
