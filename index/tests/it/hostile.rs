//! Queries nobody means well: each is answered within its bounds, pages included, and marks fit the text.

use super::support::{ORG, at, document, puts};
use hublore_index::{
    Cursor, Document, Embedded, Error, KnowledgeIndex, Language, Options, Query, Request, Scope,
};

const TEXT: &str = "Règlement de la facture RE-2026/00417: +49 30 23125 817, 東京の契約, \u{202e}evil\u{202c}, to be or not to be";

fn index() -> (tempfile::TempDir, Embedded) {
    let dir = tempfile::tempdir().unwrap();
    let index = Embedded::open(dir.path(), Options::default()).unwrap();
    let made = |n: usize| Document {
        names: vec![format!("Zoë Nightingale-{n}")],
        ..document(&format!("d:{n}"), TEXT, TEXT)
    };
    index.apply(&puts((0..40).map(made).collect()), &at(1)).unwrap();
    (dir, index)
}

fn queries() -> Vec<String> {
    let mut all: Vec<String> = [
        "",
        " ",
        "\0",
        "\u{feff}",
        "\u{200b}\u{200d}",
        "\u{202e}facture",
        "'",
        "\"",
        "\"\"",
        "\"\"\"\"",
        "-",
        "--",
        "-\"\"",
        "-*",
        "*",
        "**",
        "a*",
        "-a*",
        "to* be* or*",
        "\"to be or not to be\"",
        "\"to be\" -\"to be\"",
        "to be or not to be",
        "-to -be",
        "kind:",
        "kind:kind:kind",
        "-kind:-kind:",
        "after:9999999-99-99",
        "before:-1",
        "org:o1",
        "tags:o\u{1f}",
        "key:\u{1e}",
        "(((((((((((((((((((((((((((((((",
        "[* TO *]",
        "a AND NOT (b OR c)^9~2",
        "\\\"\\\\",
        "{!lucene}x",
        "<script>alert(1)</script>",
        "' OR 1=1 --",
        "$(rm -rf)",
        "%00%ff",
        "+49 30 23125 817 +49 30 23125 817",
        "0000000000000000000000000000000",
        "1 2 3 4 5 6 7 8 9 10 11 12",
        "RE-2026/00417/RE-2026/00417",
        "@",
        "a@",
        "@b.example",
        "a@b@c@d",
        "........",
        "a.b.c.d.e.f.g.h",
        "東京の契約東京の契約",
        "京",
        "ﷺ ﷺ",
        "👩‍👩‍👧‍👦",
        "e\u{301}\u{301}\u{301}\u{301}",
        "ΑΒΓ ß ẞ İ ı",
        "\u{1}\u{2}\u{3}",
    ]
    .map(str::to_owned)
    .to_vec();
    for piece in [
        "facture ",
        "\"a b\" ",
        "-x ",
        "pre* ",
        "kind:email ",
        "(",
        "\u{301}",
        "東",
        "+49 30 1",
        "x@y.example ",
        "9",
    ] {
        all.push(piece.repeat(20_000));
    }
    all.push((0..5_000).map(|n| format!("word{n} ")).collect());
    all.push((0..5_000).map(|n| format!("w{n}* ")).collect());
    all
}

#[test]
fn every_query_is_answered_within_its_bounds() {
    let (_dir, index) = index();
    for query in queries() {
        let name: String = query.chars().take(40).collect();
        let mut request =
            Request { limit: 7, explain: true, distinct: query.len() % 2 == 0, ..Request::new(&query) };
        for _page in 0..8 {
            let answer =
                index.search(&request, &Scope::org(ORG)).unwrap_or_else(|error| panic!("{name}: {error}"));
            assert!(answer.hits.len() <= 7 && answer.total <= 40 && !answer.partial, "{name}");
            assert!(answer.hits.iter().all(|hit| hit.score.is_finite()), "{name}");
            for language in [Language::French, Language::Japanese, Language::Unknown] {
                for (from, to) in answer.highlighter.ranges(TEXT, language) {
                    assert!(TEXT.get(from..to).is_some_and(|part| !part.is_empty()), "{name}");
                }
            }
            let Some(next) = answer.next_cursor else { break };
            assert!(next.0.len() < 64 * 1024, "{name}: a cursor of {} bytes", next.0.len());
            request.cursor = Some(next);
        }
        assert_eq!(Query::parse(&query), Query::parse(&query));
    }
}

#[test]
fn a_cursor_nobody_gave_out_is_refused() {
    let (_dir, index) = index();
    for cursor in ["", "zz", "7b7d", "00", "é", &"7b".repeat(100_000)] {
        let request = Request { cursor: Some(Cursor(cursor.to_owned())), ..Request::new("facture") };
        assert!(matches!(index.search(&request, &Scope::org(ORG)), Err(Error::Cursor)), "{cursor:.20}");
    }
}
