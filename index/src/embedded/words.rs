//! The words of a search as one query: any of them finds, all of them rank.
//!
//! The engine's union of term scorers fills a window of 4,096 passages wherever it
//! is asked to go, which is most of the work where a customer's few passages lead.
//! This one goes to single passages where they are far apart and fills windows where
//! they follow each other. It scores as the engine does and decides nothing else.

use std::sync::Arc;
use tantivy::fieldnorm::FieldNormReader;
use tantivy::postings::BlockSegmentPostings;
use tantivy::query::{Bm25Weight, EmptyScorer, EnableScoring, Explanation, Query, Scorer, Weight};
use tantivy::schema::IndexRecordOption;
use tantivy::{DocId, DocSet, Score, SegmentReader, TERMINATED, TantivyError, Term};

/// Passages of a window.
pub(crate) const WINDOW: usize = 4096;

const BUCKETS: usize = WINDOW / 64;

/// From this far on a passage is gone to alone.
const FAR: DocId = 128;

/// Words that can be told apart where passages with all of them come first.
pub(crate) const MAX_TOLD_APART: usize = 8;

/// One term to look up.
#[derive(Debug, Clone)]
pub(crate) struct Lookup {
    pub(crate) term: Term,
    /// Share in the score.
    pub(crate) boost: Score,
    /// The bit of its word, where passages with every word come first; 0 otherwise.
    pub(crate) bit: u8,
    /// Whether it finds, or only ranks what others find.
    pub(crate) finds: bool,
}

/// Passages that hold any of the words.
#[derive(Debug, Clone)]
pub(crate) struct Words {
    lookups: Arc<[Lookup]>,
    all: u8,
    bonus: Score,
}

impl Words {
    /// `bonus` is added where the words of all these bits are found, unless there are none.
    pub(crate) fn new(lookups: Vec<Lookup>, all: u8, bonus: Score) -> Words {
        Words { lookups: lookups.into(), all, bonus }
    }
}

impl Query for Words {
    fn weight(&self, scoring: EnableScoring<'_>) -> tantivy::Result<Box<dyn Weight>> {
        let mut weighted = Vec::with_capacity(self.lookups.len());
        for lookup in self.lookups.iter() {
            let bm25 = match scoring {
                EnableScoring::Enabled { statistics_provider: numbers, .. } => {
                    let passages = numbers.total_num_docs()?;
                    #[expect(clippy::cast_precision_loss, reason = "an average, as the engine takes it")]
                    let average = numbers.total_num_tokens(lookup.term.field())? as Score / passages as Score;
                    let frequency = numbers.doc_freq(&lookup.term)?;
                    Bm25Weight::for_one_term_without_explain(frequency, passages, average)
                        .boost_by(lookup.boost)
                }
                EnableScoring::Disabled { .. } => Bm25Weight::for_one_term_without_explain(1, 1, 1.0),
            };
            weighted.push((lookup.clone(), bm25));
        }
        Ok(Box::new(WordsWeight { weighted, all: self.all, bonus: self.bonus }))
    }

    fn query_terms<'a>(&'a self, visitor: &mut dyn FnMut(&'a Term, bool)) {
        for lookup in self.lookups.iter() {
            visitor(&lookup.term, false);
        }
    }
}

struct WordsWeight {
    weighted: Vec<(Lookup, Bm25Weight)>,
    all: u8,
    bonus: Score,
}

impl Weight for WordsWeight {
    fn scorer(&self, reader: &SegmentReader, boost: Score) -> tantivy::Result<Box<dyn Scorer>> {
        let (mut finding, mut ranking) = (Vec::new(), Vec::new());
        for (lookup, bm25) in &self.weighted {
            let field = lookup.term.field();
            let inverted = reader.inverted_index(field)?;
            let Some(info) = inverted.get_term_info(&lookup.term)? else { continue };
            let blocks = inverted.read_block_postings_from_terminfo(&info, IndexRecordOption::WithFreqs)?;
            let lengths = reader.get_fieldnorms_reader(field)?;
            let part = Part { blocks, at: 0, lengths, bm25: bm25.boost_by(boost), bit: lookup.bit };
            if lookup.finds { finding.push(part) } else { ranking.push(part) }
        }
        if finding.is_empty() {
            return Ok(Box::new(EmptyScorer));
        }
        let here = finding.iter().fold(0, |here, part| here | part.bit);
        let possible = self.all > 0 && here == self.all;
        let bonus = if possible { self.bonus * boost } else { 0.0 };
        Ok(Box::new(WordsScorer::new(finding, ranking, self.all, bonus)))
    }

    fn explain(&self, reader: &SegmentReader, doc: DocId) -> tantivy::Result<Explanation> {
        let mut scorer = self.scorer(reader, 1.0)?;
        if scorer.doc() > doc || scorer.seek(doc) != doc {
            return Err(TantivyError::InvalidArgument(format!("passage {doc} does not match")));
        }
        Ok(Explanation::new_with_string("words".to_owned(), scorer.score()))
    }
}

/// One term in one segment.
struct Part {
    blocks: BlockSegmentPostings,
    /// Place within the block.
    at: usize,
    lengths: FieldNormReader,
    bm25: Bm25Weight,
    bit: u8,
}

impl Part {
    fn doc(&self) -> DocId {
        self.blocks.doc(self.at)
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc() < target {
            self.at = self.blocks.seek(target);
        }
        self.doc()
    }

    fn score(&self) -> Score {
        self.bm25.score(self.lengths.fieldnorm_id(self.doc()), self.blocks.freq(self.at))
    }

    /// Hands over every passage before `end` with its score, and goes to the one behind.
    #[inline]
    fn each_before(&mut self, end: DocId, mut each: impl FnMut(DocId, Score)) {
        while self.doc() < end {
            let (docs, freqs) = (self.blocks.docs(), self.blocks.freqs());
            let left = docs.iter().zip(freqs).skip(self.at);
            let mut passed = 0;
            for (doc, freq) in left.take_while(|(doc, _)| **doc < end) {
                each(*doc, self.bm25.score(self.lengths.fieldnorm_id(*doc), *freq));
                passed += 1;
            }
            self.at += passed;
            if self.at >= docs.len() {
                self.blocks.advance();
                self.at = 0;
            }
        }
    }
}

/// The passages from `start` on that match, with their scores.
pub(crate) struct Window {
    pub(crate) start: DocId,
    /// The bucket that is being walked through.
    bucket: usize,
    bits: [u64; BUCKETS],
    scores: [Score; WINDOW],
    seen: [u8; WINDOW],
}

impl Window {
    fn empty() -> Box<Window> {
        Box::new(Window {
            start: 0,
            bucket: BUCKETS,
            bits: [0; BUCKETS],
            scores: [0.0; WINDOW],
            seen: [0; WINDOW],
        })
    }

    /// Takes the next passage out; its place in the window.
    #[inline]
    pub(crate) fn pop(&mut self) -> Option<(DocId, Score)> {
        while let Some(bits) = self.bits.get_mut(self.bucket) {
            if *bits == 0 {
                self.bucket += 1;
                continue;
            }
            let at = self.bucket * 64 + bits.trailing_zeros() as usize;
            *bits &= *bits - 1;
            #[expect(clippy::cast_possible_truncation, reason = "a place in a window of 4,096")]
            return Some((self.start + at as DocId, std::mem::take(&mut self.scores[at])));
        }
        None
    }

    fn clear(&mut self) {
        while self.pop().is_some() {}
    }
}

/// Where the scorer takes its passages from.
enum Way {
    /// Every part stands at the passage or behind it.
    Single,
    /// The window holds the passages behind this one; its score was taken out.
    Windows(Score),
}

/// Walks over the passages of a segment that hold any of the words.
pub(crate) struct WordsScorer {
    finding: Vec<Part>,
    ranking: Vec<Part>,
    all: u8,
    bonus: Score,
    doc: DocId,
    way: Way,
    window: Option<Box<Window>>,
}

impl WordsScorer {
    fn new(finding: Vec<Part>, ranking: Vec<Part>, all: u8, bonus: Score) -> WordsScorer {
        let mut scorer = WordsScorer { finding, ranking, all, bonus, doc: 0, way: Way::Single, window: None };
        scorer.doc = scorer.nearest();
        scorer
    }

    fn nearest(&self) -> DocId {
        self.finding.iter().map(Part::doc).min().unwrap_or(TERMINATED)
    }

    /// The next window that holds anything, before any passage of this scorer was looked at.
    pub(crate) fn next_window(&mut self) -> Option<&mut Window> {
        let start = self.nearest();
        if start == TERMINATED {
            return None;
        }
        self.fill(start);
        self.window.as_deref_mut()
    }

    fn fill(&mut self, start: DocId) {
        let window = self.window.get_or_insert_with(Window::empty);
        window.start = start;
        window.bucket = 0;
        let end = start + WINDOW as DocId;
        let Window { bits, scores, seen, .. } = &mut **window;
        for part in &mut self.finding {
            let bit = part.bit;
            part.each_before(end, |doc, score| {
                let at = (doc - start) as usize % WINDOW;
                bits[at / 64] |= 1 << (at % 64);
                scores[at] += score;
                seen[at] |= bit;
            });
        }
        for part in &mut self.ranking {
            part.seek(start);
            part.each_before(end, |doc, score| {
                let at = (doc - start) as usize % WINDOW;
                if bits[at / 64] & 1 << (at % 64) != 0 {
                    scores[at] += score;
                }
            });
        }
        if self.bonus > 0.0 {
            for (score, seen) in scores.iter_mut().zip(seen.iter()) {
                if *seen == self.all {
                    *score += self.bonus;
                }
            }
        }
        seen.fill(0);
    }

    /// The next passage of the windows, from the current one or new ones.
    fn walk(&mut self) -> DocId {
        loop {
            if let Some((doc, score)) = self.window.as_mut().and_then(|window| window.pop()) {
                self.doc = doc;
                self.way = Way::Windows(score);
                return doc;
            }
            let start = self.nearest();
            if start == TERMINATED {
                self.doc = TERMINATED;
                return TERMINATED;
            }
            self.fill(start);
        }
    }

    /// Leaves the windows: every part goes to the passage or behind it.
    fn go_to(&mut self, target: DocId) -> DocId {
        if matches!(self.way, Way::Windows(_)) {
            if let Some(window) = &mut self.window {
                window.clear();
            }
            self.way = Way::Single;
        }
        for part in &mut self.finding {
            part.seek(target);
        }
        self.doc = self.nearest();
        self.doc
    }

    fn score_alone(&mut self) -> Score {
        let (mut sum, mut seen) = (0.0, 0);
        for part in self.finding.iter().filter(|part| part.doc() == self.doc) {
            sum += part.score();
            seen |= part.bit;
        }
        for part in &mut self.ranking {
            if part.seek(self.doc) == self.doc {
                sum += part.score();
            }
        }
        if self.bonus > 0.0 && seen == self.all { sum + self.bonus } else { sum }
    }
}

impl DocSet for WordsScorer {
    fn advance(&mut self) -> DocId {
        match self.way {
            Way::Windows(_) => self.walk(),
            Way::Single => {
                // Nothing is behind the end.
                let next = self.doc.saturating_add(1).min(TERMINATED);
                self.go_to(next);
                self.walk()
            }
        }
    }

    fn seek(&mut self, target: DocId) -> DocId {
        if self.doc >= target {
            return self.doc;
        }
        let in_window = self.window.as_ref().is_some_and(|window| target < window.start + WINDOW as DocId);
        match self.way {
            Way::Windows(_) if in_window || target - self.doc < FAR => {
                while self.walk() < target {}
                self.doc
            }
            Way::Single if target - self.doc < FAR => {
                self.go_to(target);
                self.walk()
            }
            _ => self.go_to(target),
        }
    }

    fn doc(&self) -> DocId {
        self.doc
    }

    fn size_hint(&self) -> u32 {
        self.finding.iter().fold(0u32, |sum, part| sum.saturating_add(part.blocks.doc_freq()))
    }
}

impl Scorer for WordsScorer {
    fn score(&mut self) -> Score {
        match self.way {
            Way::Windows(score) => score,
            Way::Single => self.score_alone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tantivy::query::{BooleanQuery, BoostQuery, ConstScoreQuery, Occur, TermQuery};
    use tantivy::schema::{Field, STORED, Schema, TEXT};
    use tantivy::{Index, Searcher, TantivyDocument};

    const BONUS: Score = 1024.0;

    fn mixed(n: u64) -> u64 {
        let x = n.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        (x ^ (x >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) >> 20
    }

    /// Several windows of passages; word `w` is in about every `(w + 1)²`th, sometimes twice, none in a long gap.
    fn passages() -> (Searcher, Field) {
        let mut builder = Schema::builder();
        let field = builder.add_text_field("text", TEXT | STORED);
        let index = Index::create_in_ram(builder.build());
        let mut writer = index.writer_with_num_threads(1, 50_000_000).unwrap();
        for n in 0..30_000u64 {
            let here =
                |w: u64| mixed(n * 31 + w).is_multiple_of((w + 1) * (w + 1)) && !(9_000..15_000).contains(&n);
            let text: Vec<String> = (0..12)
                .filter(|w| here(*w))
                .flat_map(|w| vec![format!("w{w}"); 1 + (mixed(n + w) % 3) as usize])
                .collect();
            let mut document = TantivyDocument::new();
            document.add_text(field, format!("filler {}", text.join(" ")));
            writer.add_document(document).unwrap();
        }
        writer.commit().unwrap();
        (index.reader().unwrap().searcher(), field)
    }

    fn term(field: Field, word: usize) -> Term {
        Term::from_field_text(field, &format!("w{word}"))
    }

    fn one(field: Field, word: usize, boost: Score) -> Box<dyn Query> {
        let query = TermQuery::new(term(field, word), IndexRecordOption::WithFreqs);
        Box::new(BoostQuery::new(Box::new(query), boost))
    }

    /// Ours and the engine's own query for the same: words that find, words that only rank, and whether passages with
    /// all of the first come first.
    fn both(field: Field, finds: &[usize], ranks: &[usize], all: bool) -> (Words, BooleanQuery) {
        let boost = |word: usize| 0.5 + word as Score / 10.0;
        let mut any: Vec<(Occur, Box<dyn Query>)> =
            finds.iter().map(|word| (Occur::Should, one(field, *word, boost(*word)))).collect();
        if all {
            let every = finds.iter().map(|word| one(field, *word, 1.0)).collect();
            let every = ConstScoreQuery::new(Box::new(BooleanQuery::intersection(every)), BONUS);
            any.push((Occur::Should, Box::new(every)));
        }
        let mut clauses: Vec<(Occur, Box<dyn Query>)> = vec![(Occur::Must, Box::new(BooleanQuery::new(any)))];
        clauses.extend(ranks.iter().map(|word| (Occur::Should, one(field, *word, boost(*word)))));
        let lookup = |finds: bool| {
            move |(place, word): (usize, &usize)| Lookup {
                term: term(field, *word),
                boost: boost(*word),
                bit: if all && finds { 1 << place } else { 0 },
                finds,
            }
        };
        let mut lookups: Vec<Lookup> = finds.iter().enumerate().map(lookup(true)).collect();
        lookups.extend(ranks.iter().enumerate().map(lookup(false)));
        let bits = if all { u8::MAX >> (MAX_TOLD_APART - finds.len()) } else { 0 };
        (Words::new(lookups, bits, BONUS), BooleanQuery::new(clauses))
    }

    fn scorer(query: &dyn Query, searcher: &Searcher) -> Box<dyn Scorer> {
        let weight = query.weight(EnableScoring::enabled_from_searcher(searcher)).unwrap();
        weight.scorer(searcher.segment_reader(0), 1.0).unwrap()
    }

    fn assert_same(ours: &mut dyn Scorer, theirs: &mut dyn Scorer, what: &str) {
        assert_eq!(ours.doc(), theirs.doc(), "{what}");
        if ours.doc() != TERMINATED {
            let (a, b) = (ours.score(), theirs.score());
            assert!((a - b).abs() < 1e-3, "{what}: passage {} scores {a}, not {b}", ours.doc());
        }
    }

    #[test]
    fn it_finds_and_scores_what_the_engine_does_however_it_is_walked_over() {
        let (searcher, field) = passages();
        assert_eq!(searcher.segment_readers().len(), 1);
        let cases: [(&[usize], &[usize], bool); 7] = [
            (&[3], &[], false),
            (&[0, 4, 11], &[], false),
            (&[2, 5], &[0, 1], true),
            (&[9, 10, 11], &[0], true),
            (&[7, 30], &[], true),
            (&[11], &[31], false),
            (&[30], &[0], false),
        ];
        for (finds, ranks, all) in cases {
            let (words, engine) = both(field, finds, ranks, all);
            let what = format!("{finds:?} {ranks:?} {all}");
            let (mut ours, mut theirs) = (scorer(&words, &searcher), scorer(&engine, &searcher));
            let mut listed = Vec::new();
            while theirs.doc() != TERMINATED {
                assert_same(&mut *ours, &mut *theirs, &what);
                listed.push((ours.doc(), ours.score()));
                ours.advance();
                theirs.advance();
            }
            assert_same(&mut *ours, &mut *theirs, &what);
            assert_eq!(ours.advance(), TERMINATED);

            // By windows, as one search of the whole organisation goes.
            if let Ok(mut ours) = scorer(&words, &searcher).downcast::<WordsScorer>() {
                let mut found = Vec::new();
                while let Some(window) = ours.next_window() {
                    found.extend(std::iter::from_fn(|| window.pop()));
                }
                assert_eq!(found, listed, "{what}");
            }

            // By leaps near and far with steps between, as under a filter.
            for longest in [2, 100, 1_000, 9_000] {
                let (mut ours, mut theirs) = (scorer(&words, &searcher), scorer(&engine, &searcher));
                for leap in 0.. {
                    assert_same(&mut *ours, &mut *theirs, &format!("{what}, leap {leap} of {longest}"));
                    if ours.doc() == TERMINATED {
                        break;
                    }
                    if leap % 3 == 2 {
                        ours.advance();
                        theirs.advance();
                        continue;
                    }
                    let target = ours.doc() + 1 + (mixed(leap) % longest) as DocId;
                    ours.seek(target);
                    theirs.seek(target);
                }
                assert_eq!(ours.seek(TERMINATED), TERMINATED);
            }
        }
    }
}
