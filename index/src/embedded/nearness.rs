//! How near the passages of a segment are to a meaning, read from the column of vectors.

use crate::meaning::Vector;
use std::sync::Arc;
use tantivy::columnar::BytesColumn;
use tantivy::{DocId, Score};

/// Compares the passages of a segment with a meaning.
pub(crate) struct Nearness {
    toward: Arc<Vector>,
    kept: BytesColumn,
    bytes: Vec<u8>,
}

impl Nearness {
    pub(crate) fn new(toward: &Arc<Vector>, kept: BytesColumn) -> Nearness {
        Nearness { toward: Arc::clone(toward), kept, bytes: Vec::new() }
    }

    /// The cosine; 0 for a passage without a vector.
    pub(crate) fn of(&mut self, doc: DocId) -> Score {
        self.bytes.clear();
        let ord = self.kept.ords().first(doc);
        match ord.map(|ord| self.kept.ord_to_bytes(ord, &mut self.bytes)) {
            Some(Ok(true)) => self.toward.cosine(&self.bytes),
            _ => 0.0,
        }
    }
}
