//! Runs one search on a snapshot: terms, filters, statistics, one pass over
//! the matches, and the cursor to the next page.
//!
//! Typing errors are considered only after the words as typed found nothing.

use super::candidate::{Candidate, Place};
use super::collect::{Found, Page};
use super::expand;
use super::factors::Factors;
use super::fusion::{Fused, Stage};
use super::plan::{self, ALL_WORDS};
use super::ranking::Ranking;
use super::schema::id_of;
use super::snapshot::Snapshot;
use super::statistics::{Frozen, Own, Statistics};
use crate::error::Error;
use crate::highlight::Highlighter;
use crate::meaning::{Encoder, Vector};
use crate::query::Lowered;
use crate::request::{Answer, Corrected, Cursor, Hit, MAX_LIMIT, Request, Scope};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::sync::Arc;
use std::time::{Duration, Instant};
use tantivy::query::{BooleanQuery, EnableScoring, Occur, Query};

/// How long a search may run.
const BUDGET: Duration = Duration::from_secs(2);

/// What a cursor holds.
#[derive(Debug, Serialize, Deserialize)]
struct Bookmark {
    /// Hash of the search it belongs to.
    search: String,
    steps: i64,
    occurred_at: i64,
    key: String,
    forgiveness: Forgiveness,
    statistics: Frozen,
    now: Option<i64>,
    stage: Stage,
    /// Likeness of the hits so far, the newest [`MAX_SHOWN`].
    shown: Vec<u128>,
}

/// Hits of earlier pages that later ones are compared with.
const MAX_SHOWN: usize = 200;

/// Whose typing errors are considered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Forgiveness {
    /// None: the words as typed.
    None,
    /// Of words that are nowhere in the organisation.
    Missing,
    /// Of every word, because nothing was found.
    All,
}

/// One search on one snapshot.
pub(crate) struct Search<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) request: &'a Request,
    pub(crate) scope: &'a Scope,
    pub(crate) ranking: Ranking,
    pub(crate) factors: &'a Factors,
    pub(crate) meaning: Option<&'a Encoder>,
}

/// The words of a search as they were run.
struct Run {
    lowered: Lowered,
    frozen: Frozen,
    found: Found,
    corrections: Vec<String>,
    forgiveness: Forgiveness,
    now: Option<i64>,
    shown: Vec<u128>,
    stage: Stage,
    rest: Option<Place>,
}

impl Search<'_> {
    pub(crate) fn run(&self) -> Result<Answer, Error> {
        let bookmark = match &self.request.cursor {
            Some(cursor) => Some(self.open_cursor(cursor)?),
            None => None,
        };
        let own = Own::new(self.snapshot, &self.scope.org)?;
        let mut lowered = Lowered::new(&self.request.query, &own.counts.languages);
        expand::exact_things(&own, &mut lowered)?;
        expand::prefixes(&own, &mut lowered)?;
        let run = match &bookmark {
            Some(bookmark) => self.next_page(&own, lowered, bookmark)?,
            None => self.first_page(&own, lowered)?,
        };
        self.answer(run)
    }

    /// As typed; with typing errors forgiven where a word is nowhere in the organisation,
    /// and in every word where nothing was found at all.
    fn first_page(&self, own: &Own<'_>, lowered: Lowered) -> Result<Run, Error> {
        let frozen = Frozen::take(own, &lowered.words)?;
        let run = match expand::missing_words(own, &lowered, &frozen)? {
            false => self.once(lowered.clone(), frozen, None, Vec::new())?,
            true => self.forgiving(own, lowered.clone(), Forgiveness::Missing)?,
        };
        if run.found.total > 0 || !expand::any_correctable(&lowered) {
            return Ok(run);
        }
        self.forgiving(own, lowered, Forgiveness::All)
    }

    fn forgiving(&self, own: &Own<'_>, mut lowered: Lowered, forgiveness: Forgiveness) -> Result<Run, Error> {
        let corrections = expand::corrections(own, &mut lowered, forgiveness)?;
        let frozen = Frozen::take(own, &lowered.words)?;
        let run = self.once(lowered, frozen, None, corrections)?;
        Ok(Run { forgiveness, ..run })
    }

    /// With the errors that the first page forgave, and its numbers where they still fit.
    fn next_page(&self, own: &Own<'_>, mut lowered: Lowered, bookmark: &Bookmark) -> Result<Run, Error> {
        let forgiveness = bookmark.forgiveness;
        let corrections = match forgiveness {
            Forgiveness::None => Vec::new(),
            _ => expand::corrections(own, &mut lowered, forgiveness)?,
        };
        let frozen = match bookmark.statistics.fits(&lowered.words) {
            true => bookmark.statistics.clone(),
            false => Frozen::take(own, &lowered.words)?,
        };
        let run = self.once(lowered, frozen, Some(bookmark), corrections)?;
        Ok(Run { forgiveness, ..run })
    }

    fn once(
        &self,
        mut lowered: Lowered,
        frozen: Frozen,
        bookmark: Option<&Bookmark>,
        corrections: Vec<String>,
    ) -> Result<Run, Error> {
        let fields = &self.snapshot.fields;
        let searcher = &self.snapshot.searcher;
        drop_common_stop_words(&mut lowered, &frozen, self.ranking.stop_share);
        let browsing = lowered.is_empty();
        // A text of which no word can be looked up is not the same as no text.
        let hopeless = browsing && !self.request.query.is_empty();
        let mut clauses = self.scope_clauses(browsing);
        clauses.extend(plan::ranking_clauses(fields, &lowered, &frozen, &self.ranking));
        if hopeless {
            clauses.push((Occur::Must, Box::new(tantivy::query::EmptyQuery)));
        }
        let page = self.page(&lowered, bookmark)?;
        let query = BooleanQuery::new(clauses);
        let statistics =
            Statistics::new(searcher, fields, &frozen, &lowered.words, self.ranking.length_scale);
        let toward = self.toward(&lowered).map(Arc::new);
        let stage = bookmark.map(|b| b.stage);
        let fused = match (&toward, stage) {
            (Some(toward), None) => self.fused(toward, &query, &statistics, &page, None)?,
            (Some(toward), Some(Stage::Fused(scale))) => {
                self.fused(toward, &query, &statistics, &page, Some(scale))?
            }
            _ => {
                let mut found = searcher.search_with_statistics_provider(&query, &page, &statistics)?;
                if let (Some(toward), Some(Stage::Rest)) = (&toward, stage) {
                    let shown = self.shown_by_meaning(toward, &query, &statistics, &page)?;
                    found.candidates.retain(|one| !shown.contains(&one.place.key));
                }
                Fused { found, stage: stage.unwrap_or(Stage::Words), rest: None }
            }
        };
        let Fused { found, stage, rest } = fused;
        let (now, shown) = (page.now, page.shown);
        let forgiveness = Forgiveness::None;
        Ok(Run { lowered, frozen, found, corrections, forgiveness, now, shown, stage, rest })
    }

    /// The clauses that decide what may be seen.
    pub(crate) fn scope_clauses(&self, per_document: bool) -> plan::Clauses {
        plan::scope_clauses(&self.snapshot.fields, self.request, self.scope, per_document)
    }

    /// The meaning of a query of plain words. Who asks for a phrase, the beginning of a word or
    /// an exact thing wants that and nothing like it.
    fn toward(&self, lowered: &Lowered) -> Option<Vector> {
        let plain = lowered.phrases.is_empty() && lowered.words.iter().all(|word| word.plain);
        if !plain || lowered.is_empty() {
            return None;
        }
        self.meaning?.encode(self.request.query.words())
    }

    fn page(&self, lowered: &Lowered, bookmark: Option<&Bookmark>) -> Result<Page, Error> {
        let searcher = &self.snapshot.searcher;
        let excluded = match plan::excluded(&self.snapshot.fields, lowered) {
            Some(query) => Some(Arc::from(query.weight(EnableScoring::disabled_from_searcher(searcher))?)),
            None => None,
        };
        Ok(Page {
            limit: self.request.limit.clamp(1, MAX_LIMIT),
            since: self.request.since.unwrap_or(i64::MIN),
            until: self.request.until.unwrap_or(i64::MAX),
            after: bookmark.map(|b| Place { steps: b.steps, occurred_at: b.occurred_at, key: b.key.clone() }),
            excluded,
            without_kinds: match self.request.kinds.is_empty() {
                true => self.request.without_kinds.clone(),
                false => Vec::new(),
            },
            scored: !lowered.is_empty(),
            distinct: self.request.distinct && !lowered.is_empty(),
            shown: bookmark.map(|b| b.shown.clone()).unwrap_or_default(),
            factors: self.factors.clone(),
            now: bookmark.map_or(self.request.now, |b| b.now),
            toward: None,
            deadline: Instant::now().checked_add(BUDGET),
            memory: Arc::clone(&self.snapshot.memory),
        })
    }

    fn answer(&self, mut run: Run) -> Result<Answer, Error> {
        let limit = self.request.limit.clamp(1, MAX_LIMIT);
        let more = run.found.candidates.len() > limit;
        run.found.candidates.truncate(limit);
        let last = run.found.candidates.last().filter(|_| more);
        let next_cursor = match (last, &run.rest) {
            (Some(last), _) => Some(self.cursor(&run, &last.place, run.stage)),
            (None, Some(rest)) => Some(self.cursor(&run, rest, Stage::Rest)),
            (None, None) => None,
        };
        let mut hits = Vec::with_capacity(run.found.candidates.len());
        for candidate in &run.found.candidates {
            hits.push(self.hit(&run, candidate)?);
        }
        let words = run.lowered.words.into_iter().filter(|word| !word.corrections.is_empty());
        let corrected = words.map(|word| Corrected { word: word.typed, terms: word.corrections }).collect();
        Ok(Answer {
            hits,
            corrected,
            total: run.found.total,
            next_cursor,
            highlighter: Highlighter::new(&self.request.query, run.corrections),
            partial: run.found.partial,
        })
    }

    fn hit(&self, run: &Run, candidate: &Candidate) -> Result<Hit, Error> {
        let explain = match self.request.explain {
            true => Some(super::explain::explain(self, &run.lowered, &run.frozen, candidate, run.now)?),
            false => None,
        };
        Ok(Hit {
            document: id_of(&candidate.place.key).to_owned(),
            passage: candidate.passage,
            score: split(candidate.score).0,
            occurred_at: candidate.place.occurred_at,
            explain,
        })
    }

    fn cursor(&self, run: &Run, place: &Place, stage: Stage) -> Cursor {
        let bookmark = Bookmark {
            search: self.fingerprint(),
            steps: place.steps,
            occurred_at: place.occurred_at,
            key: place.key.clone(),
            forgiveness: run.forgiveness,
            statistics: run.frozen.clone(),
            now: run.now,
            stage,
            shown: self.shown(run),
        };
        let json = serde_json::to_vec(&bookmark).unwrap_or_default();
        Cursor(json.iter().fold(String::new(), |out, byte| format!("{out}{byte:02x}")))
    }

    fn shown(&self, run: &Run) -> Vec<u128> {
        if !self.request.distinct {
            return Vec::new();
        }
        let here = run.found.candidates.iter().map(|candidate| candidate.likeness);
        let all: Vec<u128> =
            run.shown.iter().copied().chain(here).filter(|likeness| *likeness != 0).collect();
        all[all.len().saturating_sub(MAX_SHOWN)..].to_vec()
    }

    fn open_cursor(&self, cursor: &Cursor) -> Result<Bookmark, Error> {
        let bytes: Option<Vec<u8>> = cursor
            .0
            .as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok())
            .collect();
        let bookmark: Option<Bookmark> = bytes.and_then(|bytes| serde_json::from_slice(&bytes).ok());
        bookmark.filter(|bookmark| bookmark.search == self.fingerprint()).ok_or(Error::Cursor)
    }

    /// Everything that decides what is found, so that a cursor fits no other search.
    fn fingerprint(&self) -> String {
        let r = self.request;
        let text = format!(
            "{:?}",
            (
                &r.query,
                &r.kinds,
                &r.customers,
                &r.companies,
                &r.owners,
                r.since,
                r.until,
                r.distinct,
                self.scope
            )
        );
        let digest = Sha256::digest(text.as_bytes());
        digest[..8].iter().fold(String::new(), |out, byte| format!("{out}{byte:02x}"))
    }
}

/// A score without the bonus for all words, and that bonus.
pub(crate) fn split(score: f32) -> (f32, f32) {
    if score >= ALL_WORDS { (score - ALL_WORDS, ALL_WORDS) } else { (score, 0.0) }
}

/// Words keep their place beside their statistics; without weight they are not looked up.
fn drop_common_stop_words(lowered: &mut Lowered, frozen: &Frozen, share: f64) {
    for (i, word) in lowered.words.iter_mut().enumerate() {
        if word.stop && frozen.is_common(i, share) {
            word.weight = 0.0;
        }
    }
}
