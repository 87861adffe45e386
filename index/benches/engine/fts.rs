//! The same mails in SQLite's full text search, as someone would set it up first: Porter's stemmer, a table of
//! contents beside it, customers by an index of their own.

use super::made_up::Text;
use super::{BATCH, CUSTOMERS, Stage, document, print_row, timed};
use cpu_time::ThreadTime;
use rusqlite::{Connection, params};
use std::path::Path;

const SCHEMA: &str = "pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -100000;
    create table mails (id integer primary key, key text, kind text, customer text, at integer, title text, body text, names text);
    create index by_key on mails (key);
    create index by_customer on mails (customer);
    create virtual table words using fts5 (title, body, names, content = mails, content_rowid = id, tokenize = 'porter unicode61')";

fn open(dir: &Path) -> Connection {
    let db = Connection::open(dir.join("mails.db")).unwrap();
    db.execute_batch(SCHEMA).unwrap();
    db
}

fn fill(db: &mut Connection, text: &Text, documents: u64) {
    for from in (0..documents).step_by(BATCH) {
        let page = db.transaction().unwrap();
        for n in from..(from + BATCH as u64).min(documents) {
            let made = document(text, n);
            let mut row =
                page.prepare_cached("insert into mails values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)").unwrap();
            let (body, names) = (&made.passages[0].text, made.names.join(" "));
            row.execute(params![
                n as i64,
                made.id,
                made.kind,
                made.customers[0],
                made.occurred_at,
                made.title,
                body,
                names
            ])
            .unwrap();
            let mut words = page
                .prepare_cached("insert into words (rowid, title, body, names) values (?1, ?2, ?3, ?4)")
                .unwrap();
            words.execute(params![n as i64, made.title, body, names]).unwrap();
        }
        page.commit().unwrap();
    }
    db.execute_batch("pragma wal_checkpoint(truncate)").unwrap();
}

/// Documents per CPU second, and size on disk.
pub(crate) fn stage(text: &Text, documents: u64) -> Stage {
    let dir = tempfile::tempdir().unwrap();
    let mut db = open(dir.path());
    timed(text, documents, dir.path(), || fill(&mut db, text, documents))
}

/// The questions the index is asked.
pub(crate) fn queries(text: &Text, documents: u64) {
    const ROUNDS: u64 = 60;
    let dir = tempfile::tempdir().unwrap();
    let mut db = open(dir.path());
    fill(&mut db, text, documents);
    let any = |n: u64, count: u64| (0..count).map(|i| text.word(n * 31 + i)).collect::<Vec<_>>().join(" OR ");
    let whole = "select key from words join mails on mails.id = words.rowid where words match ?1 and ?2 = ?2 order by bm25(words) limit 10";
    let of_one = "select key from words join mails on mails.id = words.rowid where words match ?1 and customer = ?2 order by bm25(words) limit 10";
    for (name, sql, count) in
        [("FTS5: five words", whole, 5), ("FTS5: three words of one customer", of_one, 3)]
    {
        let mut times: Vec<_> = (0..ROUNDS)
            .map(|n| {
                let (words, customer) = (any(n, count), format!("c{}", n % CUSTOMERS));
                let start = ThreadTime::now();
                let mut found = db.prepare_cached(sql).unwrap();
                let rows = found.query_map(params![words, customer], |row| row.get::<_, String>(0)).unwrap();
                std::hint::black_box(rows.count());
                start.elapsed()
            })
            .collect();
        print_row(name, &mut times);
    }
}
