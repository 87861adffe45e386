//! Text made of cues, numbers, wide characters and torn punctuation: whatever comes, nothing panics, and what is
//! found is proved by a span of the text.

use proptest::prelude::*;

use super::*;

/// What such a text is made of: every phrase of a lexicon, or a piece between two phrases.
fn piece(language: Language) -> impl Strategy<Value = String> {
    let phrases = lexicon::phrases(language);
    let between =
        "[ \\n,.;:!?()\\[\\]{}|<>=\"'%/\\-–—、。，：；！？…「」ー々〇①㎡％￥０-９年月日週曜期半末初旬¿¡·•]";
    prop_oneof![
        4 => proptest::sample::select(phrases),
        3 => between,
        2 => "[0-9]{1,24}([.,:/-][0-9]{1,4}){0,3}",
        1 => "\\PC{1,3}",
        1 => Just("\u{301}\u{200d}\u{feff}\u{2028}".to_owned()),
        1 => "[\u{1f468}\u{1f3fd}\u{e9}\u{df}\u{130}\u{fb01}\u{ff21}\u{3000}月火水木金土日年]{1,4}",
    ]
}

fn text() -> impl Strategy<Value = (Language, String)> {
    (0..Language::ALL.len()).prop_flat_map(|n| {
        // The language of the text and the one it is taken for may differ.
        let pieces = proptest::collection::vec((piece(Language::ALL[n]), any::<bool>()), 0..20);
        let glue = |(piece, spaced): (String, bool)| if spaced { piece + " " } else { piece };
        let text = pieces.prop_map(move |pieces| pieces.into_iter().map(glue).collect::<String>());
        (0..Language::ALL.len(), text).prop_map(|(read_as, text)| (Language::ALL[read_as], text))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_500))]

    #[test]
    fn dst_no_text_and_no_day_makes_the_distiller_panic(
        (language, text) in text(),
        known in any::<bool>(),
        at in prop_oneof![3 => -8_000_000_000_000_i64..8_000_000_000_000, 1 => any::<i64>()],
        direction in 0_usize..3,
        form in any::<bool>(),
    ) {
        let parts = [text.as_str(), "月末、", ""];
        let contacts = [Contact { name: "Ö 田中", email: "a@b.example", company: "ß月", domain: "b.example" }];
        let source = Source {
            parts: &parts,
            title: Some(&text),
            language: known.then_some(language),
            direction: [Direction::Incoming, Direction::Outgoing, Direction::Internal][direction],
            form,
            occurred_at_ms: at,
            sender: None,
            owners: &["佐藤 É"],
            contacts: &contacts,
        };
        let drafts = distill(&source);
        prop_assert_eq!(&drafts, &distill(&source), "the same input, the same output");
        for draft in &drafts {
            let part = parts[draft.part];
            prop_assert!(part.get(draft.evidence.clone()).is_some_and(|q| q.chars().any(char::is_alphanumeric)));
            // Whether it holds is another matter; that it is answered is this one.
            let proof = verify::Proof::of(part, language, Day::of_ms(at), &[]);
            let _ = proof.check(&draft.evidence, &draft.statement, draft.value.as_deref());
        }
        let proof = verify::Proof::of(&text, language, Day::of_ms(at), &["É"]);
        let _ = proof.check(&(0..text.len()), &text, Some(&text));
        let whole = verify::injections(&text);
        prop_assert!(whole.iter().all(|r| text.get(r.clone()).is_some()));
    }
}
