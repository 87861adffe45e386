//! How well questions find what answers them, on two public collections.
//!
//! The collections are not part of the repository: put them where
//! `HUBLORE_RETRIEVAL` says or into `../shared/retrieval` beside the checkout,
//! else this prints why it is skipped. Run with
//! `cargo test -p hublore-index --release --test quality -- --nocapture`;
//! `HUBLORE_SWEEP=1` tries other parameters as well, `HUBLORE_TABLE=FOLDER` a
//! table of meanings.

#![expect(clippy::unwrap_used, reason = "a test stops at the first surprise")]

use hublore_index::{
    Change, Document, Embedded, Encoder, KnowledgeIndex, Language, Options, Passage, Position, Ranking,
    Request, Scope,
};
use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;

const ORG: &str = "quality";

struct Collection {
    documents: Vec<Change>,
    queries: Vec<(String, String)>,
    judged: HashMap<String, HashMap<String, f64>>,
}

fn folder(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/retrieval");
    let root = std::env::var_os("HUBLORE_RETRIEVAL").map_or(beside, PathBuf::from);
    let folder = root.join(name);
    if folder.join("corpus.jsonl").is_file() {
        return Some(folder);
    }
    println!("skipped: no collection {name} (set HUBLORE_RETRIEVAL to the folder that has it)");
    None
}

fn load(folder: &Path) -> Collection {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let document = |line: &str| {
        let value: serde_json::Value = serde_json::from_str(line).unwrap();
        let text = |key: &str| value[key].as_str().unwrap_or_default().to_owned();
        Change::Put(Document {
            id: text("_id"),
            org: ORG.to_owned(),
            version: 1,
            order: 0,
            kind: "note".to_owned(),
            title: text("title"),
            passages: vec![Passage { text: text("text"), language: Language::English }],
            customers: Vec::new(),
            companies: Vec::new(),
            owner: None,
            names: Vec::new(),
            occurred_at: 0,
            linked: false,
        })
    };
    let mut judged: HashMap<String, HashMap<String, f64>> = HashMap::new();
    for line in read("qrels.tsv").lines() {
        let columns: Vec<&str> = line.split_whitespace().collect();
        let grades = judged.entry(columns[0].to_owned()).or_default();
        grades.insert(columns[2].to_owned(), columns[3].parse().unwrap());
    }
    let query = |line: &str| line.split_once('\t').map(|(id, text)| (id.to_owned(), text.to_owned()));
    Collection {
        documents: read("corpus.jsonl").lines().map(document).collect(),
        queries: read("queries.tsv").lines().filter_map(query).collect(),
        judged,
    }
}

/// nDCG@10 and recall@100, averaged over the judged queries.
fn measure(collection: &Collection, ranking: Ranking, table: Option<&Path>) -> (f64, f64) {
    let dir = tempfile::tempdir().unwrap();
    let meaning = table.map(|folder| Arc::new(Encoder::open(folder).unwrap()));
    let index = Embedded::open(dir.path(), Options { ranking, meaning, ..Options::default() }).unwrap();
    let position = Position { epoch: "quality".to_owned(), seq: 1 };
    index.apply(&collection.documents, &position).unwrap();
    let (mut gain, mut recall, mut count) = (0.0, 0.0, 0.0);
    for (id, text) in &collection.queries {
        let Some(grades) = collection.judged.get(id) else {
            continue;
        };
        let request = Request { limit: 100, ..Request::new(text) };
        let answer = index.search(&request, &Scope::org(ORG)).unwrap();
        let found: Vec<f64> =
            answer.hits.iter().map(|h| grades.get(&h.document).copied().unwrap_or(0.0)).collect();
        let mut ideal: Vec<f64> = grades.values().copied().filter(|grade| *grade > 0.0).collect();
        ideal.sort_by(|a, b| b.total_cmp(a));
        gain += discounted(&found) / discounted(&ideal);
        recall += found.iter().filter(|grade| **grade > 0.0).count() as f64 / ideal.len() as f64;
        count += 1.0;
    }
    (gain / count, recall / count)
}

fn discounted(grades: &[f64]) -> f64 {
    grades.iter().take(10).enumerate().map(|(rank, grade)| grade / (rank as f64 + 2.0).log2()).sum()
}

#[test]
fn questions_find_their_answers() {
    let mut floors = BTreeMap::from([("cacm", 0.53), ("banking77", 0.70)]);
    floors.retain(|name, _| folder(name).is_some());
    println!("{:<10} {:>44} {:>8} {:>10}", "collection", "ranking", "nDCG@10", "recall@100");
    for (name, floor) in floors {
        let collection = load(&folder(name).unwrap());
        let report = |what: &str, ranking: Ranking| {
            let (gain, recall) = measure(&collection, ranking, None);
            println!("{name:<10} {what:>44} {gain:>8.4} {recall:>10.4}");
            gain
        };
        if std::env::var_os("HUBLORE_SWEEP").is_some() {
            for (what, ranking) in sweep() {
                report(&what, ranking);
            }
        }
        let gain = report("default", Ranking::default());
        if let Some(table) = std::env::var_os("HUBLORE_TABLE") {
            let (gain, recall) = measure(&collection, Ranking::default(), Some(Path::new(&table)));
            println!("{name:<10} {:>44} {gain:>8.4} {recall:>10.4}", "with meaning");
        }
        assert!(gain >= floor, "{name}: nDCG@10 {gain:.4} is below {floor}");
    }
}

fn sweep() -> Vec<(String, Ranking)> {
    let base = Ranking { all_words_up_to: 0, ..Ranking::default() };
    let mut out = Vec::new();
    for length_scale in [1.2, 1.0, 0.85, 0.7, 0.5] {
        out.push((format!("length scale {length_scale}"), Ranking { length_scale, ..base }));
    }
    for title_weight in [0.0, 0.2, 0.6, 1.0] {
        out.push((format!("title weight {title_weight}"), Ranking { title_weight, ..base }));
    }
    for stop_weight in [0.0, 0.1, 0.2, 0.3, 0.5] {
        out.push((format!("stop weight {stop_weight}"), Ranking { stop_weight, ..base }));
    }
    for stop_share in [1.0, 0.5, 0.3, 0.2, 0.1, 0.05] {
        for stop_weight in [0.15, 0.3, 0.5] {
            let ranking = Ranking { stop_share, stop_weight, ..base };
            out.push((format!("stop share {stop_share} weight {stop_weight}"), ranking));
        }
    }
    for all_words_up_to in [2, 3, 4, 5, 7] {
        out.push((format!("all words up to {all_words_up_to}"), Ranking { all_words_up_to, ..base }));
    }
    out
}
