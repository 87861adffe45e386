//! No query, however written, returns a document of another organisation or
//! of a customer out of scope.

use super::support::{at, document, puts};
use hublore_index::{Document, Embedded, KnowledgeIndex, Language, Options, Passage, Query, Request, Scope};
use proptest::prelude::*;
use std::sync::OnceLock;

const ORGS: [&str; 3] = ["north", "south", "nor"];
const CUSTOMERS: [&str; 3] = ["a", "b", "ab"];
const WORDS: [&str; 8] = [
    "invoice",
    "renewal",
    "nina@harborpet.example",
    "INV-429308",
    "Überweisung",
    "発票",
    "the",
    "+49 30 1234567",
];

/// Every organisation has the same words, ids apart.
fn index() -> &'static Embedded {
    static INDEX: OnceLock<(tempfile::TempDir, Embedded)> = OnceLock::new();
    let (_, index) = INDEX.get_or_init(|| {
        let dir = tempfile::tempdir().unwrap();
        let index = Embedded::open(dir.path(), Options::default()).unwrap();
        for org in ORGS {
            for n in 0..24 {
                index.add(&puts(vec![made(org, n)])).unwrap();
            }
        }
        index.commit(&at(1)).unwrap();
        (dir, index)
    });
    index
}

fn made(org: &str, n: usize) -> Document {
    let customer = CUSTOMERS.get(n % 4);
    let id = format!("{org}/{}/{n}", customer.copied().unwrap_or("none"));
    Document {
        org: org.to_owned(),
        customers: customer.iter().map(|c| (**c).to_owned()).collect(),
        linked: customer.is_some(),
        companies: vec![WORDS[n % 8].to_owned()],
        names: vec![WORDS[(n + 3) % 8].to_owned()],
        occurred_at: n as i64,
        ..document(&id, WORDS[(n + 1) % 8], &format!("{} and {}", WORDS[n % 8], WORDS[(n + 5) % 8]))
    }
}

/// Text between plausible and hostile.
fn texts() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        4 => prop::sample::select(&WORDS[..]).prop_map(str::to_owned),
        2 => prop::sample::select(&["org:south", "tags:osouth", "*", "-", "\"", "(", ")", "OR", "AND NOT", "key:*", "\u{1f}", "kind:", "[* TO *]", "^9", "~2", "\\"][..]).prop_map(str::to_owned),
        1 => ".{0,12}",
    ];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.join(" "))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_query_leaves_its_organisation(
        text in texts(),
        org in prop::sample::select(&ORGS[..]),
        bound in prop::option::of(prop::sample::select(&CUSTOMERS[..])),
        wanted in prop::option::of(prop::collection::vec(prop::sample::select(&CUSTOMERS[..]), 0..3)),
        include_unlinked: bool,
        limit in 0usize..200,
    ) {
        let scope = Scope { org: org.to_owned(), customer: bound.map(str::to_owned), include_unlinked };
        let customers = wanted.as_ref().map(|keys| keys.iter().map(|k| (*k).to_owned()).collect());
        let mut request = Request { query: Query::parse(&text), customers, limit, ..Request::default() };
        for _page in 0..4 {
            let answer = index().search(&request, &scope).unwrap();
            prop_assert!(answer.total <= 24);
            for hit in &answer.hits {
                let parts: Vec<&str> = hit.document.split('/').collect();
                prop_assert_eq!(parts[0], org);
                let linked = parts[1] != "none";
                let narrowed = bound.is_some() || wanted.is_some();
                prop_assert!(linked || !narrowed || include_unlinked);
                if linked {
                    prop_assert!(bound.is_none_or(|bound| bound == parts[1]));
                    prop_assert!(wanted.as_ref().is_none_or(|wanted| wanted.contains(&parts[1])));
                }
            }
            match answer.next_cursor {
                Some(cursor) => request.cursor = Some(cursor),
                None => break,
            }
        }
    }
}

/// What others write shows in no score of ours (and so in no order).
#[test]
fn scores_say_nothing_about_other_organisations() {
    let scores_beside = |others: usize| -> Vec<(String, u32)> {
        let dir = tempfile::tempdir().unwrap();
        let index = Embedded::open(dir.path(), Options::default()).unwrap();
        for n in 0..24 {
            index.add(&puts(vec![made("north", n)])).unwrap();
        }
        for n in 0..others {
            let secret = document(&format!("doc:{n}"), "invoice", "invoice invoice renewal and much else");
            let secret = Document { org: "south".to_owned(), ..secret };
            index.add(&puts(vec![secret])).unwrap();
        }
        index.commit(&at(1)).unwrap();
        let request = Request { limit: 50, ..Request::new("invoice renewal the") };
        let answer = index.search(&request, &Scope::org("north")).unwrap();
        answer.hits.into_iter().map(|hit| (hit.document, hit.score.to_bits())).collect()
    };
    assert_eq!(scores_beside(1), scores_beside(40));
}

/// Document, passage, bits of the score.
type FoundAs = (String, u32, u32);

/// Neither the languages others write in, nor their words, nor that they are there at all shows in
/// what is found here: stems, prefixes, corrections and scores are those of one's own words.
#[test]
fn an_answer_is_the_same_whoever_shares_the_index() {
    let mine = || {
        let mut all = vec![
            document("m:1", "Mooring rates", "The rates for the mooring of barges rose in spring"),
            document("m:2", "", "A rat was seen near the barge of Mr Kowalczyk"),
            document("m:3", "Dredging", "Dredgers work at night, the harbour master agreed"),
        ];
        all[1].names.push("Katarzyna Kowalczyk".to_owned());
        all
    };
    let answers = |others: Vec<Document>| -> Vec<(u64, Vec<FoundAs>)> {
        let dir = tempfile::tempdir().unwrap();
        let index = Embedded::open(dir.path(), Options::default()).unwrap();
        index.add(&puts(mine())).unwrap();
        index.add(&puts(others)).unwrap();
        index.commit(&at(1)).unwrap();
        let queries =
            ["rates", "rat*", "dre*", "kowalczik", "dredgerz", "mooring barges rat", "\"of the\"", "harbour"];
        let of = |query: &str| {
            let answer = index.search(&Request::new(query), &Scope::org("o1")).unwrap();
            let hits = answer.hits.iter().map(|hit| (hit.document.clone(), hit.passage, hit.score.to_bits()));
            (answer.total, hits.collect())
        };
        queries.iter().map(|query| of(query)).collect()
    };
    let other = |n: usize| {
        let word = |k: usize| format!("dre{}{}", (b'a' + (n % 26) as u8) as char, k);
        let words: Vec<String> = (0..150).map(word).collect();
        let passages = vec![Passage {
            text: format!("Raten und Ratten kowalczig dredgern {}", words.join(" ")),
            language: Language::German,
        }];
        Document { org: "o2".to_owned(), passages, ..document(&format!("x:{n}"), "Raten", "") }
    };
    let alone = answers(Vec::new());
    assert_eq!(answers((0..1).map(other).collect()), alone);
    assert_eq!(answers((0..60).map(other).collect()), alone);
}
