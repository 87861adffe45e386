//! Kill -9 at any moment loses nothing that was acknowledged and doubles nothing.
//!
//! The test binary starts itself as the writing process and kills it, over and
//! over, on one directory. The ledger is a function of the sequence number, so
//! what must be in the index after any position can be computed.

use super::support::{at, contents, document, passage};
use hublore_index::{Change, Document, Embedded, KnowledgeIndex, Options, Position, State};
use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

const DIR: &str = "HUBLORE_CRASH_DIR";
const DOCUMENTS: &str = "HUBLORE_CRASH_DOCUMENTS";

/// Scatters a number; enough randomness for a test and the same on every machine.
fn scatter(n: u64) -> u64 {
    let mut x = n.wrapping_add(0x9e37_79b9_7f4a_7c15);
    x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    x = (x ^ (x >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    x ^ (x >> 31)
}

/// The change with this sequence number, to one of so many documents.
fn change(seq: u64, documents: u64) -> Change {
    let dice = scatter(seq);
    let id = format!("doc:{}", dice % documents);
    if dice.is_multiple_of(11) {
        return Change::Remove { org: "o1".to_owned(), id };
    }
    let passages =
        (0..=dice / 7 % 3).map(|n| passage(&format!("passage {n} of change {seq} word{}", dice % 97)));
    Change::Put(Document { version: seq, passages: passages.collect(), ..document(&id, "A title", "") })
}

/// What must be in the index when the ledger was followed up to `seq`.
fn expected(seq: u64, documents: u64) -> Vec<(String, u64)> {
    let mut out = BTreeMap::new();
    for change in (1..=seq).map(|seq| change(seq, documents)) {
        match change {
            Change::Put(document) => {
                out.insert(document.id, document.version);
            }
            Change::Remove { id, .. } => {
                out.remove(&id);
            }
            Change::RemoveCustomer { .. } | Change::RemoveOrg { .. } => out.clear(),
        }
    }
    out.into_iter().collect()
}

/// The writing process: follows the ledger for ever, saying what is committed.
#[test]
fn child_follows_the_ledger() {
    let Ok(dir) = std::env::var(DIR) else { return };
    let index = Embedded::open(Path::new(&dir), Options::default()).unwrap();
    let documents: u64 = std::env::var(DOCUMENTS).unwrap().parse().unwrap();
    let mut seq = index.position().map_or(0, |p| p.seq);
    loop {
        let batch = 1 + scatter(seq) % (documents / 3).min(40);
        let changes: Vec<Change> = (seq + 1..=seq + batch).map(|seq| change(seq, documents)).collect();
        index.add(&changes).unwrap();
        seq += batch;
        index.commit(&at(seq)).unwrap();
        let mut out = std::io::stdout();
        writeln!(out, "committed {seq}").unwrap();
        out.flush().unwrap();
    }
}

#[test]
fn kill_9_loses_nothing_and_doubles_nothing() {
    kill_cycles(60, 300);
}

fn kill_cycles(cycles: u64, documents: u64) {
    let dir = tempfile::tempdir().unwrap();
    let mut last = 0;
    for cycle in 0..cycles {
        let acknowledged = run_and_kill(dir.path(), cycle, documents).max(last);
        let index = Embedded::open_read_only(dir.path(), Options::default()).unwrap();
        assert_eq!(index.state(), State::Ready, "cycle {cycle}");
        let seq = index.position().map_or(0, |p: Position| p.seq);
        assert!(seq >= acknowledged, "cycle {cycle}: {acknowledged} was committed, {seq} is there");
        assert_eq!(contents(&index, "o1"), sorted(expected(seq, documents)), "cycle {cycle}");
        last = seq;
    }
    let checked = Options { verify_checksums: true, ..Options::default() };
    assert_eq!(Embedded::open(dir.path(), checked).unwrap().state(), State::Ready);
    assert!(last > cycles, "the child never got anywhere");
}

fn sorted(mut of: Vec<(String, u64)>) -> Vec<(String, u64)> {
    of.sort();
    of
}

/// Starts the child, kills it at a moment that differs each time, and returns the last
/// sequence number it said was committed.
fn run_and_kill(dir: &Path, cycle: u64, documents: u64) -> u64 {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::child_follows_the_ledger", "--nocapture"])
        .env(DIR, dir)
        .env(DOCUMENTS, documents.to_string())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let commits = scatter(cycle) % 6;
    let mut last = 0;
    for line in lines.by_ref().map_while(Result::ok) {
        last = committed(&line).unwrap_or(last);
        if last > 0 && commits == 0 || committed(&line).is_some_and(|seq| seq % 6 >= commits) {
            break;
        }
    }
    std::thread::sleep(Duration::from_micros(scatter(cycle ^ 0xabcd) % 25_000));
    child.kill().unwrap();
    child.wait().unwrap();
    lines.map_while(Result::ok).filter_map(|line| committed(&line)).last().unwrap_or(last)
}

fn committed(line: &str) -> Option<u64> {
    line.rsplit_once("committed ")?.1.trim().parse().ok()
}

#[test]
fn what_was_not_committed_is_gone_after_reopening() {
    let dir = tempfile::tempdir().unwrap();
    {
        let index = Embedded::open(dir.path(), Options::default()).unwrap();
        index.apply(&[change(1, 300)], &at(1)).unwrap();
        index.add(&(2..200).map(|seq| change(seq, 300)).collect::<Vec<_>>()).unwrap();
    }
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    assert_eq!(index.position(), Some(at(1)));
    assert_eq!(contents(&index, "o1"), sorted(expected(1, 300)));
}

/// Small commits on few documents, killed right after one. The first operation after opening
/// used to carry the number of the last commit; a merge that a killed process had left to do
/// could then lose a deletion, and the replaced version stayed beside the new one.
#[test]
fn kill_9_between_small_commits_never_doubles() {
    let long = std::env::var_os("HUBLORE_LONG").is_some();
    kill_cycles(if long { 1_000 } else { 60 }, 12);
}

/// Dropping a writer and opening another in the same process: merges of the first used to
/// clean up among the files of the second.
#[test]
fn reopening_in_one_process_is_safe() {
    let dir = tempfile::tempdir().unwrap();
    for round in 1..=100 {
        let index = Embedded::open(dir.path(), Options::default()).unwrap();
        assert_eq!(contents(&index, "o1"), sorted(expected(3 * (round - 1), 12)), "round {round}");
        let changes: Vec<Change> = (3 * round - 2..=3 * round).map(|seq| change(seq, 12)).collect();
        index.apply(&changes, &at(3 * round)).unwrap();
    }
}

#[test]
fn a_second_writer_is_refused_and_a_reader_is_not() {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    let second = Embedded::open(dir.path(), Options::default());
    assert!(matches!(second, Err(hublore_index::Error::Locked)));
    let reader = Embedded::open_read_only(dir.path(), Options::default()).unwrap();
    index.apply(&[Change::Put(document("doc:1", "", "word"))], &at(1)).unwrap();
    assert_eq!(reader.count("o1").unwrap(), 1, "a reader sees the newest commit");
    assert!(matches!(reader.commit(&at(2)), Err(hublore_index::Error::ReadOnly)));
    drop(index);
    assert!(Embedded::open(dir.path(), Options::default()).is_ok());
}

/// Erasing means the bytes: nothing of a removed document is in any file after a purge. The
/// id stands for all of it, because the engine keeps words in a form no search for bytes finds.
#[test]
fn a_purged_document_is_in_no_file() {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    let mut changes: Vec<Change> = (1..200).map(|seq| change(seq, 300)).collect();
    let secret = "xyzzy-5f3a";
    changes.push(Change::Put(document(secret, "A title", "word")));
    index.apply(&changes, &at(200)).unwrap();
    assert!(holds(dir.path(), secret));
    let remove = Change::Remove { org: "o1".to_owned(), id: secret.to_owned() };
    index.apply(&[remove], &at(201)).unwrap();
    index.purge_removed().unwrap();
    assert!(!holds(dir.path(), secret));
    assert_eq!(index.position(), Some(at(201)), "a purge keeps the position");
    assert_eq!(contents(&index, "o1"), sorted(expected(199, 300)));
    assert_eq!(index.stats().unwrap().deleted_passages, 0);
}

fn holds(dir: &Path, text: &str) -> bool {
    std::fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).any(|path| match path.is_dir() {
        true => holds(&path, text),
        false => std::fs::read(&path).unwrap().windows(text.len()).any(|w| w == text.as_bytes()),
    })
}
