//! A damaged or foreign index says so in a type, and a rebuild cures it.

use super::support::{at, document, found, puts};
use hublore_index::{Embedded, Error, KnowledgeIndex, Options, Reason, Request, Scope, State};
use std::fs;
use std::path::{Path, PathBuf};

fn checked() -> Options {
    Options { verify_checksums: true, ..Options::default() }
}

/// An index with a few documents, closed.
fn closed_index() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    let documents =
        (0..50).map(|i| document(&format!("doc:{i}"), "A title", "some words in a body")).collect();
    index.apply(&puts(documents), &at(50)).unwrap();
    index.close().unwrap();
    dir
}

fn files(dir: &Path, extension: &str) -> Vec<PathBuf> {
    let generation = dir.join("gen-0001");
    let all = fs::read_dir(generation).unwrap().map(|entry| entry.unwrap().path());
    all.filter(|path| path.extension().is_some_and(|e| e == extension)).collect()
}

fn flip(path: &Path, at: usize) {
    let mut bytes = fs::read(path).unwrap();
    let at = at.min(bytes.len() - 1);
    bytes[at] ^= 0x55;
    fs::write(path, bytes).unwrap();
}

/// The index refuses to serve, says why, and works again after a rebuild.
fn needs_rebuild(dir: &Path, expected: impl Fn(&Reason) -> bool) {
    let index = Embedded::open(dir, checked()).unwrap();
    let State::NeedsRebuild(reason) = index.state() else { panic!("opened as if nothing had happened") };
    assert!(expected(&reason), "{reason:?}");
    assert!(index.position().is_none());
    let refused = index.search(&Request::new("words"), &Scope::org("o1"));
    assert!(matches!(refused, Err(Error::NeedsRebuild(_))));
    assert!(matches!(index.add(&[]), Err(Error::NeedsRebuild(_))));
    let generation = index.begin_rebuild().unwrap();
    generation.add(&puts(vec![document("doc:1", "", "new words")])).unwrap();
    generation.commit(&at(60)).unwrap();
    index.swap(generation).unwrap();
    assert_eq!(index.state(), State::Ready);
    assert_eq!(found(&index, "words"), ["doc:1"]);
    drop(index);
    let index = Embedded::open(dir, checked()).unwrap();
    assert_eq!((index.state(), index.position()), (State::Ready, Some(at(60))));
}

#[test]
fn a_missing_index_is_made_or_reported() {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options { create: false, ..Options::default() }).unwrap();
    assert_eq!(index.state(), State::NeedsRebuild(Reason::Missing));
    drop(index);
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    assert_eq!((index.state(), index.position()), (State::Ready, None));
}

#[test]
fn a_damaged_pointer_is_told_from_a_missing_index() {
    for damage in [&b""[..], b"{}", b"{\"current\":\"gen-0001\",\"previous\":null}\nwrong\n", b"\xff\xfe"] {
        let dir = closed_index();
        fs::write(dir.path().join("CURRENT"), damage).unwrap();
        needs_rebuild(dir.path(), |reason| *reason == Reason::Pointer);
    }
    let dir = closed_index();
    fs::remove_file(dir.path().join("CURRENT")).unwrap();
    needs_rebuild(dir.path(), |reason| *reason == Reason::Pointer);
}

#[test]
fn a_damaged_meta_file_is_reported() {
    for bytes in [&b""[..], b"{", b"\0\0\0\0"] {
        let dir = closed_index();
        fs::write(dir.path().join("gen-0001/meta.json"), bytes).unwrap();
        needs_rebuild(dir.path(), |reason| matches!(reason, Reason::Damaged(_)));
    }
    let dir = closed_index();
    fs::remove_dir_all(dir.path().join("gen-0001")).unwrap();
    needs_rebuild(dir.path(), |reason| matches!(reason, Reason::Damaged(_)));
}

#[test]
fn a_flipped_bit_in_any_segment_file_is_reported() {
    for extension in ["term", "idx", "pos", "fast", "fieldnorm", "store"] {
        for place in [0, 40, usize::MAX] {
            let dir = closed_index();
            for file in files(dir.path(), extension) {
                flip(&file, place);
            }
            needs_rebuild(dir.path(), |reason| matches!(reason, Reason::Damaged(_)));
        }
    }
}

#[test]
fn a_short_or_missing_segment_file_is_reported_without_checksums_too() {
    for cut in [0, 10] {
        let dir = closed_index();
        for file in files(dir.path(), "term") {
            let bytes = fs::read(&file).unwrap();
            fs::write(&file, &bytes[..cut]).unwrap();
        }
        let index = Embedded::open(dir.path(), Options::default()).unwrap();
        assert!(matches!(index.state(), State::NeedsRebuild(Reason::Damaged(_))));
    }
    let dir = closed_index();
    for file in files(dir.path(), "fast") {
        fs::remove_file(file).unwrap();
    }
    needs_rebuild(dir.path(), |reason| matches!(reason, Reason::Damaged(_)));
}

#[test]
fn an_index_of_another_version_is_reported() {
    let dir = closed_index();
    let meta = dir.path().join("gen-0001/meta.json");
    let text = fs::read_to_string(&meta).unwrap();
    fs::write(&meta, text.replace("\"likeness\"", "\"semblance\"")).unwrap();
    needs_rebuild(dir.path(), |reason| matches!(reason, Reason::Schema { found, .. } if found.is_empty()));
}

/// Another way of cutting words, or another table of meanings: the old index answers until a new one is built,
/// takes nothing in, and is kept for going back to the older program.
#[test]
fn an_index_of_another_version_answers_until_it_is_rebuilt() {
    let dir = closed_index();
    let meta = dir.path().join("gen-0001/meta.json");
    let text = fs::read_to_string(&meta).unwrap();
    let ours = text.split("\\\"schema\\\":\\\"").nth(1).unwrap()[..16].to_owned();
    fs::write(&meta, text.replace(&ours, "0123456789abcdef")).unwrap();
    for reading in [true, false] {
        let open = if reading { Embedded::open_read_only } else { Embedded::open };
        let index = open(dir.path(), Options::default()).unwrap();
        assert!(matches!(index.state(), State::NeedsRebuild(Reason::Schema { .. })));
        assert!(!found(&index, "words").is_empty(), "it can be read");
        assert!(index.apply(&puts(vec![document("doc:new", "", "word")]), &at(9)).is_err());
    }
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    let generation = index.begin_rebuild().unwrap();
    generation.add(&puts(vec![document("doc:new", "", "newest words")])).unwrap();
    generation.commit(&at(9)).unwrap();
    let old = found(&index, "words");
    index.swap(generation).unwrap();
    assert_eq!((index.state(), found(&index, "words")), (State::Ready, vec!["doc:new".to_owned()]));
    assert!(index.rollback().is_err(), "this version cannot go on with it");
    index.close().unwrap();

    // The older program comes back: for it the old generation is right and the new one is not.
    fs::write(&meta, &text).unwrap();
    let newer = dir.path().join("gen-0002/meta.json");
    let theirs = fs::read_to_string(&newer).unwrap().replace(&ours, "fedcba9876543210");
    fs::write(&newer, theirs).unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    assert_eq!((index.state(), found(&index, "words")), (State::Ready, old));
}

/// The directory goes away under a running writer: an error that says replay, and a rebuild
/// that cures it without a restart.
#[test]
fn losing_the_disk_under_the_writer_is_an_error_and_curable() {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    index.apply(&puts(vec![document("doc:1", "", "word")]), &at(1)).unwrap();
    fs::remove_dir_all(dir.path().join("gen-0001")).unwrap();
    for _ in 0..2 {
        let lost = index.apply(&puts(vec![document("doc:2", "", "word")]), &at(2));
        assert!(lost.is_err());
    }
    assert_eq!(found(&index, "word"), ["doc:1"], "searches go on with what is mapped");
    let generation = index.begin_rebuild().unwrap();
    generation.add(&puts(vec![document("doc:1", "", "word"), document("doc:2", "", "word")])).unwrap();
    generation.commit(&at(2)).unwrap();
    index.swap(generation).unwrap();
    assert_eq!(found(&index, "words"), ["doc:1", "doc:2"]);
    index.apply(&puts(vec![document("doc:3", "", "word")]), &at(3)).unwrap();
}
