//! One generation as it was at one commit: what a search runs on.
//!
//! Opening checks that the generation is one this program can read; a search
//! that has begun keeps its snapshot whatever happens to the index meanwhile.

use super::Options;
use super::layout::Layout;
use super::organisation::{Counts, Memory};
use super::schema::{Fields, Tag, fingerprint, register_analyzers, schema};
use super::writer::Payload;
use crate::document::Position;
use crate::error::{Error, Reason};
use crate::meaning::Encoder;
use std::path::PathBuf;
use std::sync::Arc;
use tantivy::directory::MmapDirectory;
use tantivy::{Index, IndexReader, ReloadPolicy, Searcher, TantivyError};

/// An opened generation.
#[derive(Clone)]
pub(crate) struct Opened {
    pub(crate) name: String,
    pub(crate) dir: PathBuf,
    pub(crate) index: Index,
    pub(crate) fields: Fields,
    /// Why it can be read but not be gone on with.
    pub(crate) outdated: Option<Reason>,
    reader: IndexReader,
    memory: Arc<Memory>,
}

impl std::fmt::Debug for Opened {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Opened").field("name", &self.name).finish_non_exhaustive()
    }
}

/// An opened generation at one commit.
pub(crate) struct Snapshot {
    pub(crate) name: String,
    pub(crate) fields: Fields,
    pub(crate) searcher: Searcher,
    pub(crate) position: Option<Position>,
    /// What was counted of organisations in its segments.
    pub(crate) memory: Arc<Memory>,
    /// Its vectors may be of another table of meanings, and some words of another cut.
    pub(crate) outdated: bool,
}

impl Opened {
    /// Makes an empty index in a fresh generation directory.
    pub(crate) fn create(layout: &Layout, name: &str) -> Result<Opened, Error> {
        let dir = layout.generation(name);
        let (schema, _) = schema();
        let directory = MmapDirectory::open(&dir).map_err(TantivyError::from)?;
        let index = Index::create(directory, schema, tantivy::IndexSettings::default())?;
        Opened::with(name, dir, index)
    }

    /// Opens an existing generation, or says why it cannot be used. One that was only cut into words in
    /// another way can still be read.
    pub(crate) fn open(
        layout: &Layout,
        name: &str,
        options: &Options,
    ) -> Result<Result<Opened, Reason>, Error> {
        let dir = layout.generation(name);
        let opened = Index::open_in_dir(&dir).map_err(Error::from).and_then(|index| {
            let outdated = match mismatch(&index, options.meaning.as_deref())? {
                Some(Mismatch { reason, readable: false }) => return Ok(Err(reason)),
                Some(Mismatch { reason, readable: true }) => Some(reason),
                None => None,
            };
            if options.verify_checksums
                && let Some(file) = index.validate_checksum()?.into_iter().next()
            {
                return Ok(Err(Reason::Damaged(file.display().to_string())));
            }
            let opened = Opened::with(name, dir, index)?;
            Ok(Ok(Opened { outdated, ..opened }))
        });
        match opened {
            Ok(opened) => Ok(opened),
            Err(Error::Engine(error)) => damage(error).map(Err),
            Err(error) => Err(error),
        }
    }

    fn with(name: &str, dir: PathBuf, index: Index) -> Result<Opened, Error> {
        register_analyzers(&index);
        let (_, fields) = schema();
        let reader = index.reader_builder().reload_policy(ReloadPolicy::Manual).try_into()?;
        let memory = Arc::default();
        Ok(Opened { name: name.to_owned(), dir, index, fields, outdated: None, reader, memory })
    }

    /// The newest commit.
    pub(crate) fn snapshot(&self) -> Result<Snapshot, Error> {
        // The position is read before the reader moves: it may be older than what is
        // searched, which a replay mends, but never newer.
        let payload = self.index.load_metas()?.payload;
        self.reader.reload()?;
        let searcher = self.reader.searcher();
        self.memory.keep(&searcher);
        Ok(Snapshot {
            name: self.name.clone(),
            fields: self.fields,
            searcher,
            position: payload.and_then(|text| Payload::read(&text)).map(Payload::position),
            memory: Arc::clone(&self.memory),
            outdated: self.outdated.is_some(),
        })
    }
}

/// What an index of another version or table of meanings is good for.
struct Mismatch {
    reason: Reason,
    /// Its fields are the same.
    readable: bool,
}

/// Another schema in the files, or another fingerprint in the last commit.
fn mismatch(index: &Index, meaning: Option<&Encoder>) -> Result<Option<Mismatch>, Error> {
    let (schema, _) = schema();
    let expected = fingerprint(meaning);
    let metas = index.load_metas()?;
    let found = match metas.payload.as_deref().map(Payload::read) {
        Some(Some(payload)) => payload.schema,
        // Nothing was committed yet: the schema alone decides.
        None if metas.segments.is_empty() => expected.clone(),
        Some(None) | None => String::new(),
    };
    if metas.schema == schema && found == expected {
        return Ok(None);
    }
    let readable = metas.schema == schema;
    let found = if readable { found } else { String::new() };
    Ok(Some(Mismatch { reason: Reason::Schema { found, expected }, readable }))
}

/// Engine errors that mean the files are not what they should be.
fn damage(error: TantivyError) -> Result<Reason, Error> {
    match error {
        TantivyError::IoError(ref io) if !is_content_error(io) => Err(Error::Engine(error)),
        TantivyError::LockFailure(..) | TantivyError::SystemError(_) => Err(Error::Engine(error)),
        other => Ok(Reason::Damaged(other.to_string())),
    }
}

fn is_content_error(error: &std::io::Error) -> bool {
    use std::io::ErrorKind::{InvalidData, NotFound, Other, UnexpectedEof};
    matches!(error.kind(), InvalidData | NotFound | UnexpectedEof | Other)
}

impl Snapshot {
    /// What ranking needs to know of an organisation.
    pub(crate) fn counts(&self, org: &str) -> Result<Counts, Error> {
        Ok(self.memory.of(&self.searcher, &self.fields, org)?)
    }

    /// Number of the change that wrote a document; `None` where it is not there.
    pub(crate) fn order_of(&self, key: &tantivy::Term) -> Result<Option<u64>, Error> {
        use tantivy::DocSet;
        use tantivy::schema::IndexRecordOption;
        for reader in self.searcher.segment_readers() {
            let postings = reader.inverted_index(key.field())?.read_postings(key, IndexRecordOption::Basic);
            let Some(mut postings) = postings.map_err(TantivyError::from)? else { continue };
            let mut doc = postings.doc();
            while doc != tantivy::TERMINATED {
                if !reader.is_deleted(doc) {
                    return Ok(Some(self.memory.columns(reader)?.orders.get_val(doc)));
                }
                doc = postings.advance();
            }
        }
        Ok(None)
    }

    /// Ids of the documents tied to a customer, each at least once.
    pub(crate) fn of_customer(&self, org: &str, customer: &str) -> Result<Vec<String>, Error> {
        let mut ids = Vec::new();
        self.first_passages(self.fields.tag(org, Tag::Customer(customer)), &mut |id, _| {
            ids.push(id.to_owned())
        })?;
        Ok(ids)
    }

    /// Versions of every copy of a document: one entry unless something is wrong.
    pub(crate) fn versions(&self, org: &str, id: &str) -> Result<Vec<u64>, Error> {
        let mut out = Vec::new();
        self.first_passages(self.fields.key_term(org, id), &mut |_, version| out.push(version))?;
        Ok(out)
    }

    /// Id and version of every copy of every document of an organisation.
    pub(crate) fn for_each(&self, org: &str, f: &mut dyn FnMut(&str, u64)) -> Result<(), Error> {
        self.first_passages(self.fields.tag(org, Tag::First), f)
    }

    fn first_passages(&self, term: tantivy::Term, f: &mut dyn FnMut(&str, u64)) -> Result<(), Error> {
        use tantivy::DocSet;
        use tantivy::schema::IndexRecordOption;
        for reader in self.searcher.segment_readers() {
            let inverted = reader.inverted_index(term.field())?;
            let postings = inverted.read_postings(&term, IndexRecordOption::Basic);
            let Some(mut postings) = postings.map_err(TantivyError::from)? else {
                continue;
            };
            let columns = reader.fast_fields();
            let Some(keys) = columns.str("key")? else {
                continue;
            };
            let versions = columns.column_first_or_default::<u64>("version")?;
            let passages = columns.column_first_or_default::<u64>("passage")?;
            let mut key = String::new();
            let mut doc = postings.doc();
            while doc != tantivy::TERMINATED {
                if !reader.is_deleted(doc) && passages.get_val(doc) == 0 {
                    key.clear();
                    if let Some(ord) = keys.ords().first(doc) {
                        keys.ord_to_str(ord, &mut key).map_err(TantivyError::from)?;
                    }
                    f(super::schema::id_of(&key), versions.get_val(doc));
                }
                doc = postings.advance();
            }
        }
        Ok(())
    }

    /// Documents of all organisations.
    pub(crate) fn documents(&self) -> Result<u64, Error> {
        let mut out = 0;
        for reader in self.searcher.segment_readers() {
            let passages = reader.fast_fields().column_first_or_default::<u64>("passage")?;
            out += reader.doc_ids_alive().filter(|doc| passages.get_val(*doc) == 0).count() as u64;
        }
        Ok(out)
    }

    /// Documents of an organisation.
    pub(crate) fn count(&self, org: &str) -> Result<u64, Error> {
        use tantivy::collector::Count;
        use tantivy::query::TermQuery;
        use tantivy::schema::IndexRecordOption;
        let first = TermQuery::new(self.fields.tag(org, Tag::First), IndexRecordOption::Basic);
        Ok(self.searcher.search(&first, &Count)? as u64)
    }
}
