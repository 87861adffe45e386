//! The query language: what it means, and that no text breaks it.

use hublore_index::{FilterField, Language, Query, highlight};
use proptest::prelude::*;

fn filters(text: &str) -> Vec<(FilterField, String, bool)> {
    let parsed = Query::parse(text);
    parsed.filters.into_iter().map(|f| (f.field, f.value, f.negated)).collect()
}

#[test]
fn parts_are_told_apart() {
    let same = |text: &str, expected: &str| assert_eq!(Query::parse(text).to_string(), expected, "{text}");
    same("renewal \"march offer\" -trial pri*", "renewal \"march offer\" -trial pri*");
    same("“smart quotes” and -\"not this\"", "\"smart quotes\" and -\"not this\"");
    same("an open \"quote", "an open \"quote");
    same("a - dash and follow-up", "a - dash and follow-up");
    same("* a* c++ (x OR y) [1 TO 2] ^9", "* a* c++ (x OR y) [1 TO 2] ^9");
    same("re: unknown:field http://a.example", "re: unknown:field http://a.example");
    same("kind:email renewal", "renewal");
}

#[test]
fn filters_are_taken_out() {
    use FilterField::{After, Before, Company, Customer, Kind, Owner};
    assert_eq!(
        filters(
            "kind:email company:\"Harbor Pet\" Customer:nina@harborpet.example owner:7 after:2026-01-01 before:2026-02-01"
        ),
        [
            (Kind, "email".to_owned(), false),
            (Company, "Harbor Pet".to_owned(), false),
            (Customer, "nina@harborpet.example".to_owned(), false),
            (Owner, "7".to_owned(), false),
            (After, "2026-01-01".to_owned(), false),
            (Before, "2026-02-01".to_owned(), false),
        ]
    );
    assert_eq!(filters("-kind:note x"), [(Kind, "note".to_owned(), true)]);
    assert!(filters("kind: email").is_empty());
    assert!(Query::parse("kind:email").is_empty());
    assert!(Query::parse("  ").is_empty());
    assert!(!Query::parse("x").is_empty());
}

#[test]
fn length_is_bounded() {
    let long = "word ".repeat(100_000);
    assert!(Query::parse(&long).to_string().len() <= 4096);
    let many = "-a \"b c\" ".repeat(10_000);
    assert!(Query::parse(&many).to_string().matches('"').count() <= 128);
    assert!(!Query::parse(&"ü".repeat(5_000)).is_empty());
}

#[test]
fn highlights_are_the_words_that_match() {
    let marks = |query: &str, text: &str, language| -> Vec<String> {
        highlight(&Query::parse(query), text, language)
            .into_iter()
            .map(|(a, b)| text[a..b].to_owned())
            .collect()
    };
    let text = "The invoices were paid; invoice INV-429308 by nina@harborpet.example.";
    assert_eq!(marks("invoice", text, Language::English), ["invoices", "invoice"]);
    assert_eq!(marks("inv-429308 nina", text, Language::English), ["INV-429308", "nina"]);
    assert_eq!(marks("\"were paid\"", text, Language::English), ["were paid"]);
    assert_eq!(marks("pai*", text, Language::English), ["paid"]);
    assert_eq!(marks("vertrage", "Alle Verträge sind da", Language::German), ["Verträge"]);
    assert_eq!(marks("東京", "私は東京に住む", Language::Japanese), ["東京"]);
    assert!(marks("-invoice", text, Language::English).is_empty());
}

#[test]
fn a_window_holds_the_matches() {
    let text =
        format!("{}the renewal offer is here {}", "filler words ".repeat(80), "more filler ".repeat(80));
    let window =
        hublore_index::Highlighter::of(&Query::parse("renewal offer")).window(&text, Language::English, 200);
    assert!(window.len() <= 200);
    assert!(text[window].contains("renewal offer"));
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn every_text_is_a_query_and_every_highlight_fits(
        query in "(\\PC|[\"*: -]){0,60}",
        text in "(\\PC|[ .@\\-]){0,120}",
        language in prop::sample::select(Language::ALL),
        bytes in 1usize..80,
    ) {
        let parsed = Query::parse(&query);
        prop_assert_eq!(Query::parse(&query), parsed.clone());
        let mut end = 0;
        for (from, to) in highlight(&parsed, &text, language) {
            prop_assert!(from >= end && from < to && to <= text.len());
            prop_assert!(text.is_char_boundary(from) && text.is_char_boundary(to));
            end = to;
        }
        let window = hublore_index::Highlighter::of(&parsed).window(&text, language, bytes);
        prop_assert!(text.get(window.clone()).is_some() && window.len() <= bytes.max(text.len().min(bytes)));
    }

    #[test]
    fn a_text_finds_itself(text in "[a-zA-ZäöüéñçßÀ-Öà-ö0-9]{1,30}", language in prop::sample::select(Language::ALL)) {
        let marks = highlight(&Query::parse(&text), &text, language);
        prop_assert_eq!(marks, vec![(0, text.len())]);
    }
}
