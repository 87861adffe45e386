//! What comes first, beside the words: copies make room, newer and weightier
//! documents are preferred a little, and both can be turned off.

use super::support::{ORG, at, document, ids, index_of, puts};
use hublore_index::{Answer, Document, Embedded, Factors, KnowledgeIndex, Options, Request, Scope};

const DAY: i64 = 86_400_000;

fn distinct(query: &str, limit: usize) -> Request {
    Request { distinct: true, limit, ..Request::new(query) }
}

fn ask(index: &dyn KnowledgeIndex, request: &Request) -> Answer {
    index.search(request, &Scope::org(ORG)).unwrap()
}

/// A mail that went to many, with the name of the one it went to.
fn offer(n: usize) -> Document {
    let name = ["Ludmila", "Tariq", "Søren", "Ifeoma", "Gwendolyn"][n % 5];
    let body = format!(
        "Dear {name}, our autumn service for heat pumps begins in October. A mechanic checks pressure, filters and \
         the control unit, cleans the outdoor fan and notes what should be replaced before the cold season. The \
         visit takes about ninety minutes and nobody has to be at home if the unit stands outside. Please choose \
         a day on our page or call the office; weekends are free of extra charge until the end of September. \
         We look forward to seeing you again and thank you for your trust in the past year. Kind regards, number {n}"
    );
    Document {
        occurred_at: n as i64,
        ..document(&format!("offer:{n:03}"), "Autumn service for heat pumps", &body)
    }
}

#[test]
fn near_copies_do_not_crowd_out_others() {
    let mut documents: Vec<Document> = (0..60).map(offer).collect();
    documents.push(document(
        "visit",
        "Heat pump visit",
        "The heat pump of the Brandts was serviced, all filters new.",
    ));
    documents.push(document(
        "doubt",
        "",
        "Mr Brandt asked whether the heat pump service is worth it at all.",
    ));
    let (_dir, index) = index_of(documents);
    let everything = ask(&index, &Request { limit: 100, ..Request::new("heat pump service") });
    assert_eq!(everything.hits.len(), 62, "without the wish for it nothing is left out");
    let answer = ask(&index, &distinct("heat pump service", 10));
    let found = ids(&answer);
    assert!(found.contains(&"visit") && found.contains(&"doubt"), "{found:?}");
    assert_eq!(found.iter().filter(|id| id.starts_with("offer")).count(), 1, "{found:?}");
    assert_eq!(answer.total, 62, "all are counted");
    assert!(answer.next_cursor.is_none(), "copies make no further page");
}

#[test]
fn the_copy_that_answers_best_is_the_one_that_stays() {
    let (_dir, index) = index_of((0..40).map(offer).collect());
    for n in [7, 23] {
        let answer = ask(&index, &distinct(&format!("autumn service number {n}"), 10));
        assert_eq!(ids(&answer), [format!("offer:{n:03}")]);
    }
}

#[test]
fn copies_stay_away_on_later_pages_and_across_segments() {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    let note = |n: usize, m: usize| {
        let text = format!("Talk {n} about the lighthouse restoration fund");
        Document { occurred_at: (n * 10 + m) as i64, ..document(&format!("talk:{n:02}:{m}"), "", &text) }
    };
    // Every commit brings a copy of each talk.
    for m in 0..5 {
        index.apply(&puts((0..30).map(|n| note(n, m)).collect()), &at(m as u64)).unwrap();
    }
    let mut seen = Vec::new();
    let mut request = distinct("lighthouse restoration", 7);
    loop {
        let answer = ask(&index, &request);
        seen.extend(answer.hits.iter().map(|hit| hit.document[..7].to_owned()));
        let Some(next) = answer.next_cursor else { break };
        request.cursor = Some(next);
        assert!(seen.len() <= 30, "{seen:?}");
    }
    seen.sort();
    assert_eq!(seen, (0..30).map(|n| format!("talk:{n:02}")).collect::<Vec<_>>());
}

#[test]
fn a_listing_without_words_leaves_nothing_out() {
    let (_dir, index) = index_of((0..15).map(offer).collect());
    assert_eq!(ask(&index, &distinct("", 100)).hits.len(), 15);
    assert_eq!(ask(&index, &distinct("-zebra", 100)).hits.len(), 15);
}

fn with(factors: Factors, documents: Vec<Document>) -> (tempfile::TempDir, Embedded) {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options { factors, ..Options::default() }).unwrap();
    index.apply(&puts(documents), &at(1)).unwrap();
    (dir, index)
}

fn aged() -> Vec<Document> {
    let of = |id: &str, kind: &str, days: i64, body: &str| Document {
        kind: kind.to_owned(),
        occurred_at: 1_000 * DAY - days * DAY,
        ..document(id, "", body)
    };
    vec![
        of("old", "email", 900, "the quay wall needs new sheet piles this spring"),
        of("new", "email", 1, "the quay wall needs new sheet piles this summer"),
        of("note", "note", 900, "the quay wall needs new sheet piles this autumn"),
        of("strong", "email", 999, "quay wall quay wall"),
    ]
}

#[test]
fn recency_and_kind_decide_between_equals_and_are_explained() {
    let factors = Factors {
        recency_weight: 0.15,
        recency_half_life_days: 180.0,
        kinds: vec![("note".to_owned(), 1.05)].into(),
    };
    let (_dir, index) = with(factors, aged());
    let request = Request { explain: true, now: Some(1_000 * DAY), ..Request::new("quay wall") };
    let answer = ask(&index, &request);
    assert_eq!(ids(&answer), ["strong", "new", "note", "old"], "better words win over age");
    for hit in &answer.hits {
        let explain = hit.explain.as_ref().unwrap();
        let words: f32 = explain.matches.iter().map(|one| one.score).sum();
        let product: f32 = explain.factors.iter().map(|factor| factor.value).product();
        assert!((words * product - hit.score).abs() < 0.01, "{explain:?} {}", hit.score);
        assert!(explain.factors.iter().all(|factor| (0.85..=1.05).contains(&factor.value)));
    }
    let note = answer.hits.iter().find(|hit| hit.document == "note").unwrap();
    let names: Vec<&str> = note.explain.as_ref().unwrap().factors.iter().map(|f| f.name).collect();
    assert_eq!(names, ["recency", "kind"]);
}

#[test]
fn factors_turned_off_change_nothing() {
    let (_dir, plain) = with(Factors::default(), aged());
    let scores = |now| {
        let request = Request { explain: true, now, ..Request::new("quay wall") };
        let answer = ask(&plain, &request);
        assert!(answer.hits.iter().all(|hit| hit.explain.as_ref().unwrap().factors.is_empty()));
        answer.hits.into_iter().map(|hit| (hit.document, hit.score.to_bits())).collect::<Vec<_>>()
    };
    assert_eq!(scores(None), scores(Some(1_000 * DAY)));
}

/// Time goes on between two pages; the second still begins where the first ended.
#[test]
fn pages_with_recency_are_those_of_the_first_moment() {
    let factors = Factors { recency_weight: 0.5, recency_half_life_days: 3.0, ..Factors::default() };
    let of = |n: i64| Document {
        occurred_at: n * DAY,
        ..document(&format!("d:{n:02}"), "", &format!("gull {}", "sea ".repeat((n % 5) as usize)))
    };
    let (_dir, index) = with(factors, (0..40).map(of).collect());
    let mut seen = Vec::new();
    let mut request = Request { limit: 6, now: Some(40 * DAY), ..Request::new("gull") };
    loop {
        let answer = ask(&index, &request);
        seen.extend(answer.hits.into_iter().map(|hit| hit.document));
        let Some(next) = answer.next_cursor else { break };
        request = Request { cursor: Some(next), now: Some(400 * DAY), ..request };
    }
    let all: std::collections::BTreeSet<&String> = seen.iter().collect();
    assert_eq!((seen.len(), all.len()), (40, 40));
}
