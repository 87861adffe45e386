//! The columns of a segment that every search reads, opened once: a segment never changes,
//! and opening them costs more than reading them for a page.

use super::factors::Factors;
use super::schema::LIKENESS;
use std::sync::Arc;
use tantivy::columnar::{Column, ColumnValues, StrColumn};
use tantivy::{DocId, SegmentReader};

/// Columns of one segment.
pub(crate) struct Columns {
    pub(crate) keys: StrColumn,
    pub(crate) key_ords: Column<u64>,
    /// Number of a passage within its document.
    pub(crate) passages: Arc<dyn ColumnValues<u64>>,
    pub(crate) dates: Arc<dyn ColumnValues<i64>>,
    /// Number of the change that wrote a passage.
    pub(crate) orders: Arc<dyn ColumnValues<u64>>,
    likeness: [Arc<dyn ColumnValues<u64>>; 2],
    /// Kinds of the segment, by their order.
    kinds: Vec<String>,
    kind_ords: Column<u64>,
}

impl std::fmt::Debug for Columns {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Columns").finish_non_exhaustive()
    }
}

impl Columns {
    pub(crate) fn open(reader: &SegmentReader) -> tantivy::Result<Columns> {
        let columns = reader.fast_fields();
        let missing = || tantivy::TantivyError::FieldNotFound("key".to_owned());
        let keys = columns.str("key")?.ok_or_else(missing)?;
        let (kinds, kind_ords) = match columns.str("kind")? {
            Some(kinds) => (names(&kinds)?, kinds.ords().clone()),
            None => (Vec::new(), Column::build_empty_column(reader.max_doc())),
        };
        Ok(Columns {
            key_ords: keys.ords().clone(),
            keys,
            passages: columns.column_first_or_default("passage")?,
            dates: columns.column_first_or_default("occurred_at")?,
            orders: columns.column_first_or_default("order")?,
            likeness: [
                columns.column_first_or_default(LIKENESS[0])?,
                columns.column_first_or_default(LIKENESS[1])?,
            ],
            kinds,
            kind_ords,
        })
    }

    /// First passage of the document that a passage belongs to.
    pub(crate) fn first_passage(&self, doc: DocId) -> DocId {
        before(doc, self.passages.get_val(doc))
    }

    pub(crate) fn likeness(&self, doc: DocId) -> u128 {
        let [high, low] = &self.likeness;
        u128::from(high.get_val(doc)) << 64 | u128::from(low.get_val(doc))
    }

    /// For each kind of the segment its factor; empty where no kind has one.
    pub(crate) fn factors(&self, factors: &Factors) -> Vec<f32> {
        if factors.kinds.is_empty() {
            return Vec::new();
        }
        self.kinds.iter().map(|kind| factors.kind(kind)).collect()
    }

    /// For each kind of the segment whether it is one of those; empty where none is.
    pub(crate) fn marked(&self, kinds: &[String]) -> Vec<bool> {
        let marked: Vec<bool> = self.kinds.iter().map(|kind| kinds.contains(kind)).collect();
        if marked.contains(&true) { marked } else { Vec::new() }
    }

    /// What a list by kinds says of a passage.
    pub(crate) fn by_kind<T: Copy>(&self, doc: DocId, of_kinds: &[T]) -> Option<T> {
        if of_kinds.is_empty() {
            return None;
        }
        let ord = self.kind_ords.first(doc).and_then(|ord| usize::try_from(ord).ok())?;
        of_kinds.get(ord).copied()
    }
}

/// The passage that stands so many before another.
pub(crate) fn before(doc: DocId, number: u64) -> DocId {
    doc.saturating_sub(u32::try_from(number).unwrap_or(0))
}

fn names(kinds: &StrColumn) -> tantivy::Result<Vec<String>> {
    let mut names = Vec::with_capacity(kinds.num_terms());
    for ord in 0..kinds.num_terms() as u64 {
        let mut name = String::new();
        kinds.ord_to_str(ord, &mut name)?;
        names.push(name);
    }
    Ok(names)
}
