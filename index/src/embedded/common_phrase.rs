//! A phrase made of words that are in nearly every passage, such as "to be or
//! not to be", within bounds.
//!
//! The engine's phrase query would compare positions in every passage of the
//! index; this one gives up after a fixed number of passages a segment and
//! returns what it has found. Other phrases hold a rarer word and need no bound.

use tantivy::postings::{Postings, SegmentPostings};
use tantivy::query::{ConstScorer, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, Term};

/// Passages of one segment whose positions are compared.
const MAX_COMPARED: usize = 5_000;

/// Terms of one field with their places in the phrase.
#[derive(Debug, Clone)]
pub(crate) struct CommonPhrase {
    terms: Vec<(usize, Term)>,
}

impl CommonPhrase {
    pub(crate) fn new(terms: Vec<(usize, Term)>) -> CommonPhrase {
        CommonPhrase { terms }
    }

    fn matches(&self, reader: &SegmentReader) -> tantivy::Result<Vec<DocId>> {
        let mut postings = Vec::with_capacity(self.terms.len());
        for (place, term) in &self.terms {
            let inverted = reader.inverted_index(term.field())?;
            match inverted.read_postings(term, IndexRecordOption::WithFreqsAndPositions)? {
                Some(found) => postings.push((*place, found)),
                None => return Ok(Vec::new()),
            }
        }
        Ok(walk(&mut postings))
    }
}

/// Walks over passages that hold every term.
fn walk(postings: &mut [(usize, SegmentPostings)]) -> Vec<DocId> {
    let mut out = Vec::new();
    let mut compared = 0;
    let mut candidate = postings.first().map_or(TERMINATED, |(_, first)| first.doc());
    while candidate != TERMINATED && compared < MAX_COMPARED {
        let furthest = postings.iter_mut().map(|(_, p)| reach(p, candidate)).max();
        match furthest {
            Some(doc) if doc == candidate => {
                compared += 1;
                if in_sequence(postings) {
                    out.push(candidate);
                }
                candidate += 1;
            }
            Some(doc) => candidate = doc,
            None => break,
        }
    }
    out
}

fn reach(postings: &mut SegmentPostings, doc: DocId) -> DocId {
    if postings.doc() < doc { postings.seek(doc) } else { postings.doc() }
}

/// Whether the terms stand in their places somewhere in the passage all are at.
fn in_sequence(postings: &mut [(usize, SegmentPostings)]) -> bool {
    let mut starts: Vec<u32> = Vec::new();
    let mut positions = Vec::new();
    for (i, (place, postings)) in postings.iter_mut().enumerate() {
        postings.positions(&mut positions);
        let place = u32::try_from(*place).unwrap_or(u32::MAX);
        if i == 0 {
            starts.extend(positions.iter().filter_map(|p| p.checked_sub(place)));
        } else {
            starts.retain(|start| positions.binary_search(&start.saturating_add(place)).is_ok());
        }
        if starts.is_empty() {
            return false;
        }
    }
    true
}

impl Query for CommonPhrase {
    fn weight(&self, _scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        Ok(Box::new(self.clone()))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        for (_, term) in &self.terms {
            visitor(term, true);
        }
    }
}

impl Weight for CommonPhrase {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let docs = self.matches(reader)?;
        if docs.is_empty() {
            return Ok(Box::new(EmptyScorer));
        }
        Ok(Box::new(ConstScorer::new(Listed { docs, at: 0 }, boost)))
    }

    fn explain(&self, _reader: &SegmentReader, _doc: DocId) -> tantivy::Result<Explanation> {
        Ok(Explanation::new_with_string("phrase of common words".to_owned(), 1.0))
    }
}

/// Passages in order.
struct Listed {
    docs: Vec<DocId>,
    at: usize,
}

impl DocSet for Listed {
    fn advance(&mut self) -> DocId {
        self.at += 1;
        self.doc()
    }

    fn doc(&self) -> DocId {
        self.docs.get(self.at).copied().unwrap_or(TERMINATED)
    }

    fn size_hint(&self) -> u32 {
        u32::try_from(self.docs.len()).unwrap_or(u32::MAX)
    }
}
