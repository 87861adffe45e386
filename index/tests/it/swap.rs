//! A new generation takes over without a moment in which a search fails, is
//! empty or sees two at once, and crashes on the way leave the live one alone.

use super::support::{at, contents, document, found, puts};
use hublore_index::{Change, Document, Embedded, Error, KnowledgeIndex, Options, Request, Scope};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

const DOCUMENTS: usize = 20;

/// All thousand with `HUBLORE_LONG=1`; each is a new index on disk.
fn swaps() -> u64 {
    if std::env::var_os("HUBLORE_LONG").is_some() { 1_000 } else { 100 }
}

fn documents_of(generation: u64) -> Vec<Change> {
    let make = |i| document(&format!("doc:{generation}:{i}"), "A title", "the word");
    puts((0..DOCUMENTS).map(make).collect())
}

#[test]
fn readers_see_one_generation_through_many_swaps() {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    index.apply(&documents_of(0), &at(0)).unwrap();
    let done = AtomicBool::new(false);
    let searches = AtomicU64::new(0);
    std::thread::scope(|scope| {
        let reader = || {
            let other_process = Embedded::open_read_only(dir.path(), Options::default()).unwrap();
            while !done.load(Ordering::Relaxed) {
                check_one_generation(&index);
                if searches.fetch_add(1, Ordering::Relaxed).is_multiple_of(16) {
                    check_one_generation(&other_process);
                }
            }
        };
        let readers = [scope.spawn(reader), scope.spawn(reader), scope.spawn(reader)];
        for generation in 1..=swaps() {
            let next = index.begin_rebuild().unwrap();
            next.add(&documents_of(generation)).unwrap();
            next.commit(&at(generation)).unwrap();
            assert_eq!(next.count("o1").unwrap(), DOCUMENTS as u64);
            index.swap(next).unwrap();
            assert_eq!(index.position(), Some(at(generation)));
        }
        done.store(true, Ordering::Relaxed);
        for reader in readers {
            reader.join().unwrap();
        }
    });
    assert!(searches.load(Ordering::Relaxed) > swaps());
    let generations = std::fs::read_dir(dir.path()).unwrap();
    let left = generations.filter(|e| e.as_ref().unwrap().path().is_dir()).count();
    assert_eq!(left, 2, "the live one and the one before");
}

fn check_one_generation(index: &Embedded) {
    let request = Request { limit: 100, ..Request::new("word") };
    let answer = index.search(&request, &Scope::org("o1")).unwrap();
    assert_eq!((answer.hits.len(), answer.total), (DOCUMENTS, DOCUMENTS as u64));
    let generation = |id: &str| id.split(':').nth(1).map(str::to_owned);
    let first = generation(&answer.hits[0].document);
    assert!(answer.hits.iter().all(|hit| generation(&hit.document) == first));
}

#[test]
fn rollback_goes_back_and_forth() {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    assert!(matches!(index.rollback(), Err(Error::NoGeneration(_))));
    index.apply(&documents_of(1), &at(1)).unwrap();
    let next = index.begin_rebuild().unwrap();
    next.add(&documents_of(2)).unwrap();
    next.commit(&at(2)).unwrap();
    index.swap(next).unwrap();
    index.rollback().unwrap();
    assert_eq!(index.position(), Some(at(1)));
    // The one rolled back to can be written and is what the next start finds.
    index.apply(&puts(vec![document("doc:late", "", "late")]), &at(3)).unwrap();
    drop(index);
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    assert_eq!(index.position(), Some(at(3)));
    assert_eq!(index.count("o1").unwrap(), DOCUMENTS as u64 + 1);
    index.rollback().unwrap();
    assert_eq!(index.position(), Some(at(2)));
    assert!(found(&index, "late").is_empty());
}

#[test]
fn an_unfinished_generation_changes_nothing_and_is_removed() {
    let dir = tempfile::tempdir().unwrap();
    {
        let index = Embedded::open(dir.path(), Options::default()).unwrap();
        index.apply(&documents_of(1), &at(1)).unwrap();
        let next = index.begin_rebuild().unwrap();
        next.add(&documents_of(2)).unwrap();
        next.commit(&at(2)).unwrap();
        // The live one goes on meanwhile.
        let extra = Document { version: 9, ..document("doc:extra", "", "word") };
        index.apply(&puts(vec![extra]), &at(3)).unwrap();
        std::mem::forget(next);
        // As after a crash while CURRENT was being written.
        std::fs::write(dir.path().join("CURRENT.new"), b"half a poin").unwrap();
    }
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    assert_eq!(index.position(), Some(at(3)));
    assert_eq!(contents(&index, "o1").len(), DOCUMENTS + 1);
    assert!(!dir.path().join("gen-0002").exists());
}
