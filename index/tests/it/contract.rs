//! What any search engine behind the seam must do. Another engine runs
//! [`suite`] with a function that makes an empty index of its own; nothing here knows the embedded one but
//! the two tests that name it.

use super::support::{at, contents, document, ids, passage, puts};
use hublore_index::{Change, Document, Embedded, KnowledgeIndex, Options, Request, Scope};
use std::collections::BTreeSet;

/// Runs every point of the contract, each on a fresh index.
pub(crate) fn suite<I: KnowledgeIndex>(mut fresh: impl FnMut() -> I) {
    let points: [fn(&dyn KnowledgeIndex); 14] = [
        an_empty_index_answers,
        putting_twice_is_putting_once,
        a_put_replaces_every_passage,
        the_last_change_in_a_batch_wins,
        older_never_replaces_newer,
        removing_by_id_and_by_organisation,
        removing_by_customer,
        nothing_is_visible_before_commit_and_everything_after,
        position_is_the_last_commit,
        organisations_share_nothing,
        scope_narrows_and_never_widens,
        a_document_is_one_hit_with_its_best_passage,
        pages_are_stable_under_writes,
        ties_are_broken_by_date_then_id,
    ];
    for point in points {
        let index = fresh();
        point(&index);
    }
}

#[test]
fn the_embedded_index_keeps_the_contract() {
    let mut dirs = Vec::new();
    suite(|| {
        let dir = tempfile::tempdir().unwrap();
        let index = Embedded::open(dir.path(), Options::default()).unwrap();
        dirs.push(dir);
        index
    });
}

#[test]
fn with_two_threads_too() {
    let mut dirs = Vec::new();
    suite(|| {
        let dir = tempfile::tempdir().unwrap();
        let options = Options { threads: 2, ..Options::default() };
        let index = Embedded::open(dir.path(), options).unwrap();
        dirs.push(dir);
        index
    });
}

fn of(org: &str, id: &str, body: &str) -> Document {
    Document { org: org.to_owned(), ..document(id, "", body) }
}

fn search(index: &dyn KnowledgeIndex, query: &str, scope: &Scope) -> Vec<String> {
    let answer = index.search(&Request::new(query), scope).unwrap();
    answer.hits.into_iter().map(|hit| hit.document).collect()
}

fn an_empty_index_answers(index: &dyn KnowledgeIndex) {
    assert_eq!(index.position(), None);
    assert_eq!(index.count("o1").unwrap(), 0);
    assert!(search(index, "anything", &Scope::org("o1")).is_empty());
    assert!(search(index, "", &Scope::org("o1")).is_empty());
}

fn putting_twice_is_putting_once(index: &dyn KnowledgeIndex) {
    let changes = puts(vec![document("doc:1", "Title", "some words"), document("doc:2", "", "other words")]);
    index.apply(&changes, &at(2)).unwrap();
    let once = contents(index, "o1");
    index.apply(&changes, &at(2)).unwrap();
    let twice = [changes.clone(), changes].concat();
    index.apply(&twice, &at(2)).unwrap();
    assert_eq!(contents(index, "o1"), once);
    assert_eq!(index.count("o1").unwrap(), 2);
    assert_eq!(index.stats().unwrap().documents, 2);
    assert_eq!(search(index, "words", &Scope::org("o1")).len(), 2);
}

fn a_put_replaces_every_passage(index: &dyn KnowledgeIndex) {
    let mut old = document("doc:1", "", "first zebra");
    old.passages.push(passage("second giraffe"));
    index.apply(&puts(vec![old]), &at(1)).unwrap();
    let mut new = document("doc:1", "", "only antelope");
    new.version = 2;
    index.apply(&puts(vec![new]), &at(2)).unwrap();
    for gone in ["zebra", "giraffe"] {
        assert!(search(index, gone, &Scope::org("o1")).is_empty(), "{gone}");
    }
    assert_eq!(search(index, "antelope", &Scope::org("o1")), ["doc:1"]);
    assert_eq!(index.version_of("o1", "doc:1").unwrap(), Some(2));
}

fn the_last_change_in_a_batch_wins(index: &dyn KnowledgeIndex) {
    let version = |v: u64| Change::Put(Document { version: v, ..document("doc:1", "", "word") });
    let remove = Change::Remove { org: "o1".to_owned(), id: "doc:1".to_owned() };
    index.apply(&[version(1), remove.clone(), version(3)], &at(3)).unwrap();
    assert_eq!(contents(index, "o1"), [("doc:1".to_owned(), 3)]);
    index.apply(&[version(4), remove], &at(5)).unwrap();
    assert!(contents(index, "o1").is_empty());
    assert_eq!(index.version_of("o1", "doc:1").unwrap(), None);
}

/// Late and repeated changes are harmless, whether the newer one was committed or not.
fn older_never_replaces_newer(index: &dyn KnowledgeIndex) {
    let put = |order: u64, word: &str| {
        Change::Put(Document { order, version: order, ..document("doc:1", "", word) })
    };
    index.apply(&[put(5, "heron")], &at(5)).unwrap();
    index.apply(&[put(3, "zebra")], &at(5)).unwrap();
    index.apply(&[put(7, "stork"), put(6, "zebra"), put(4, "zebra")], &at(7)).unwrap();
    assert_eq!(contents(index, "o1"), [("doc:1".to_owned(), 7)]);
    assert!(search(index, "zebra", &Scope::org("o1")).is_empty());
    assert_eq!(search(index, "stork", &Scope::org("o1")), ["doc:1"]);
    // The same once more is taken; another organisation's document of that id is another one.
    index.apply(&[put(7, "crane")], &at(7)).unwrap();
    assert_eq!(search(index, "crane", &Scope::org("o1")), ["doc:1"]);
    index.apply(&puts(vec![Document { order: 1, ..of("o2", "doc:1", "crane") }]), &at(7)).unwrap();
    assert_eq!(search(index, "crane", &Scope::org("o2")), ["doc:1"]);
    // What was removed is not there, so anything may come after it.
    let remove = Change::Remove { org: "o1".to_owned(), id: "doc:1".to_owned() };
    index.apply(&[remove, put(2, "egret")], &at(9)).unwrap();
    index.apply(&[Change::RemoveOrg { org: "o2".to_owned() }, put(1, "zebra")], &at(10)).unwrap();
    assert_eq!(contents(index, "o1"), [("doc:1".to_owned(), 2)]);
    assert_eq!(index.count("o2").unwrap(), 0);
}

fn removing_by_customer(index: &dyn KnowledgeIndex) {
    let tied = |org: &str, id: &str, order: u64, customers: &[&str]| Document {
        customers: customers.iter().map(|c| (*c).to_owned()).collect(),
        linked: !customers.is_empty(),
        order,
        ..of(org, id, "word")
    };
    let all = vec![
        tied("o1", "doc:a", 1, &["a"]),
        tied("o1", "doc:ab", 1, &["a", "b"]),
        tied("o1", "doc:b", 9, &["b"]),
        tied("o1", "doc:none", 1, &[]),
        tied("o2", "doc:a", 1, &["a"]),
    ];
    index.apply(&puts(all), &at(1)).unwrap();
    let remove = Change::RemoveCustomer { org: "o1".to_owned(), customer: "a".to_owned() };
    // One that comes after the removal in the same commit stays, and one before it does not.
    let before = Change::Put(tied("o1", "doc:before", 2, &["a"]));
    let after = Change::Put(tied("o1", "doc:ab", 0, &["b"]));
    let older = Change::Put(tied("o1", "doc:b", 8, &["a"]));
    index.apply(&[before, remove, after, older], &at(3)).unwrap();
    let left: BTreeSet<String> = contents(index, "o1").into_iter().map(|(id, _)| id).collect();
    assert_eq!(left, ["doc:ab", "doc:b", "doc:none"].map(str::to_owned).into());
    assert_eq!(index.count("o2").unwrap(), 1, "a customer of another organisation is somebody else");
    for query in ["word", ""] {
        let request = Request { customers: Some(vec!["a".to_owned()]), ..Request::new(query) };
        assert_eq!(index.search(&request, &Scope::org("o1")).unwrap().total, 0);
    }
}

fn removing_by_id_and_by_organisation(index: &dyn KnowledgeIndex) {
    let all = vec![of("o1", "doc:1", "w"), of("o1", "doc:2", "w"), of("o2", "doc:1", "w")];
    index.apply(&puts(all), &at(3)).unwrap();
    let remove = Change::Remove { org: "o1".to_owned(), id: "doc:1".to_owned() };
    index.apply(&[remove], &at(4)).unwrap();
    assert_eq!(search(index, "w", &Scope::org("o1")), ["doc:2"]);
    assert_eq!(search(index, "w", &Scope::org("o2")), ["doc:1"]);
    index.apply(&[Change::RemoveOrg { org: "o1".to_owned() }], &at(5)).unwrap();
    assert_eq!((index.count("o1").unwrap(), index.count("o2").unwrap()), (0, 1));
}

fn nothing_is_visible_before_commit_and_everything_after(index: &dyn KnowledgeIndex) {
    index.add(&puts(vec![document("doc:1", "", "word")])).unwrap();
    assert!(search(index, "word", &Scope::org("o1")).is_empty());
    index.add(&puts(vec![document("doc:2", "", "word")])).unwrap();
    index.commit(&at(2)).unwrap();
    assert_eq!(search(index, "word", &Scope::org("o1")).len(), 2);
}

fn position_is_the_last_commit(index: &dyn KnowledgeIndex) {
    index.apply(&puts(vec![document("doc:1", "", "word")]), &at(7)).unwrap();
    assert_eq!(index.position(), Some(at(7)));
    index.commit(&at(9)).unwrap();
    assert_eq!(index.position(), Some(at(9)));
}

fn organisations_share_nothing(index: &dyn KnowledgeIndex) {
    // Names that would meet if they were only put one after the other.
    let orgs = ["o1", "o1\u{1f}", "o1\u{1f}doc", "o", "o1\u{1e}s", ""];
    for org in orgs {
        let mut doc = of(org, "doc:1", "shared words");
        doc.names.push("nina@harborpet.example".to_owned());
        index.add(&puts(vec![doc])).unwrap();
    }
    index.commit(&at(1)).unwrap();
    for org in orgs {
        assert_eq!(contents(index, org).len(), 1, "{org:?}");
        assert_eq!(search(index, "shared", &Scope::org(org)).len(), 1, "{org:?}");
    }
    index.apply(&[Change::RemoveOrg { org: "o1".to_owned() }], &at(2)).unwrap();
    for org in &orgs[1..] {
        assert_eq!(index.count(org).unwrap(), 1, "{org:?}");
    }
}

fn scope_narrows_and_never_widens(index: &dyn KnowledgeIndex) {
    let tied = |id: &str, customers: &[&str]| Document {
        customers: customers.iter().map(|c| (*c).to_owned()).collect(),
        linked: !customers.is_empty(),
        ..document(id, "", "word")
    };
    let all = vec![
        tied("doc:a", &["a"]),
        tied("doc:ab", &["a", "b"]),
        tied("doc:b", &["b"]),
        tied("doc:none", &[]),
    ];
    index.apply(&puts(all), &at(1)).unwrap();
    let ask = |bound: Option<&str>, wanted: Option<&[&str]>, unlinked: bool| -> BTreeSet<String> {
        let scope =
            Scope { org: "o1".to_owned(), customer: bound.map(str::to_owned), include_unlinked: unlinked };
        let customers = wanted.map(|keys| keys.iter().map(|k| (*k).to_owned()).collect());
        let mut by_word = None;
        for query in ["word", ""] {
            let request = Request { customers: wanted.and(customers.clone()), ..Request::new(query) };
            let answer = index.search(&request, &scope).unwrap();
            assert_eq!(answer.total as usize, answer.hits.len());
            let found: BTreeSet<String> = answer.hits.into_iter().map(|h| h.document).collect();
            assert!(by_word.get_or_insert_with(|| found.clone()) == &found);
        }
        by_word.unwrap()
    };
    let set = |ids: &[&str]| ids.iter().map(|id| (*id).to_owned()).collect::<BTreeSet<String>>();
    assert_eq!(ask(None, None, false), set(&["doc:a", "doc:ab", "doc:b", "doc:none"]));
    assert_eq!(ask(Some("a"), None, false), set(&["doc:a", "doc:ab"]));
    assert_eq!(ask(Some("a"), None, true), set(&["doc:a", "doc:ab", "doc:none"]));
    assert_eq!(ask(None, Some(&["b"]), false), set(&["doc:ab", "doc:b"]));
    assert_eq!(ask(Some("a"), Some(&["b"]), false), set(&["doc:ab"]));
    assert_eq!(ask(Some("a"), Some(&["b", "a"]), false), set(&["doc:a", "doc:ab"]));
    assert_eq!(ask(None, Some(&[]), false), set(&[]));
    assert_eq!(ask(None, Some(&[]), true), set(&[]));
    assert_eq!(ask(Some("nobody"), None, false), set(&[]));
}

fn a_document_is_one_hit_with_its_best_passage(index: &dyn KnowledgeIndex) {
    let mut long = document("doc:1", "", "nothing here but a mention of renewal among very many other words");
    long.passages.push(passage("renewal renewal"));
    long.passages.push(passage("a closing line"));
    index.apply(&puts(vec![long, document("doc:2", "", "the renewal")]), &at(1)).unwrap();
    let answer = index.search(&Request::new("renewal"), &Scope::org("o1")).unwrap();
    assert_eq!(answer.total, 2);
    let hit = answer.hits.iter().find(|hit| hit.document == "doc:1").unwrap();
    assert_eq!(hit.passage, 1);
}

/// Walks through an answer while documents come and go: what was there all the time
/// is seen exactly once.
fn pages_are_stable_under_writes(index: &dyn KnowledgeIndex) {
    let body = |i: u64| format!("renewal {}", "filler ".repeat((i % 7) as usize));
    let make =
        |i: u64| Document { occurred_at: (i % 5) as i64, ..document(&format!("doc:{i:03}"), "", &body(i)) };
    index.apply(&puts((0..60).map(make).collect()), &at(1)).unwrap();
    for query in ["renewal", "renewal filler", "renew*", ""] {
        let mut seen = Vec::new();
        let mut cursor = None;
        for round in 0u64.. {
            let request = Request { limit: 7, cursor: cursor.take(), ..Request::new(query) };
            let answer = index.search(&request, &Scope::org("o1")).unwrap();
            seen.extend(answer.hits.iter().map(|h| h.document.clone()));
            let Some(next) = answer.next_cursor else {
                break;
            };
            cursor = Some(next);
            let passing = Document { id: format!("passing:{round}"), ..make(round) };
            index.apply(&puts(vec![passing]), &at(round + 2)).unwrap();
        }
        seen.retain(|id| id.starts_with("doc:"));
        let distinct: BTreeSet<&String> = seen.iter().collect();
        assert_eq!(distinct.len(), 60, "{query:?}: every document is seen");
        assert_eq!(seen.len(), 60, "{query:?}: none is seen twice");
    }
    let request = Request { limit: 7, ..Request::new("renewal") };
    let next = index.search(&request, &Scope::org("o1")).unwrap().next_cursor;
    let other = Request { cursor: next, ..Request::new("other") };
    assert!(index.search(&other, &Scope::org("o1")).is_err(), "a cursor fits its own search only");
}

fn ties_are_broken_by_date_then_id(index: &dyn KnowledgeIndex) {
    let dated = |id: &str, occurred_at: i64| Document { occurred_at, ..document(id, "", "same words") };
    for doc in [dated("doc:c", 1), dated("doc:a", 1), dated("doc:b", 2), dated("doc:d", 3)] {
        index.apply(&puts(vec![doc]), &at(1)).unwrap();
    }
    for query in ["same", ""] {
        let answer = index.search(&Request::new(query), &Scope::org("o1")).unwrap();
        assert_eq!(ids(&answer), ["doc:d", "doc:b", "doc:a", "doc:c"], "{query:?}");
    }
    let request = Request { since: Some(1), until: Some(3), ..Request::new("same") };
    let answer = index.search(&request, &Scope::org("o1")).unwrap();
    assert_eq!((ids(&answer), answer.total), (vec!["doc:b", "doc:a", "doc:c"], 3));
}
