//! The everyday behaviour of the embedded index: what is put in is found, in
//! the words people use.

use super::support::{ask, at, document, found, ids, index_of, passage, puts};
use hublore_index::{Document, KnowledgeIndex, Language, Passage, Request, Scope};

#[test]
fn a_document_is_found_by_its_words_names_and_numbers() {
    let (_dir, index) = index_of(vec![
        named("doc:1", "Invoice question", "Please find invoice INV-429308 attached, call (415) 555-0123."),
        named("doc:2", "Lunch", "Shall we have lunch on Friday?"),
    ]);
    for query in
        ["invoices", "INV-429308", "inv-429308", "429308", "415-555-0123", "4155550123", "attached invoice"]
    {
        assert_eq!(found(&index, query), ["doc:1"], "{query}");
    }
    for query in [
        "harbor pet",
        "nina@harborpet.example",
        "harborpet.example",
        "nina",
        "030 1234567",
        "+49 30 1234567",
        "harb*",
    ] {
        assert_eq!(found(&index, query).len(), 2, "{query}");
    }
    assert_eq!(found(&index, "invoixe"), ["doc:1"]);
    assert_eq!(found(&index, "\"find invoice\""), ["doc:1"]);
    assert!(found(&index, "\"invoice find\"").is_empty());
    assert_eq!(found(&index, "harbor -lunch"), ["doc:1"]);
    assert_eq!(found(&index, "").len(), 2);
    assert_eq!(found(&index, "zzzzqqq"), Vec::<String>::new());
}

fn named(id: &str, title: &str, body: &str) -> Document {
    let names = ["Harbor Pet", "nina@harborpet.example", "+49 30 1234567"];
    Document { names: names.map(str::to_owned).to_vec(), ..document(id, title, body) }
}

fn written_in(language: Language, id: &str, text: &str) -> Document {
    Document { passages: vec![Passage { text: text.to_owned(), language }], ..document(id, "", "") }
}

#[test]
fn each_language_has_its_stems_and_accents_are_optional() {
    use Language::{
        Chinese, Dutch, English, French, German, Italian, Japanese, Korean, Portuguese, Spanish, Unknown,
    };
    let (_dir, index) = index_of(vec![
        written_in(English, "en", "The invoices were renewed"),
        written_in(German, "de", "Alle Verträge, Kündigungen, Straße"),
        written_in(French, "fr", "Les facturations annulées, cœur"),
        written_in(Spanish, "es", "Los pedidos de la compañía"),
        written_in(Portuguese, "pt", "As renovações dos contratos"),
        written_in(Italian, "it", "Le città dei clienti"),
        written_in(Dutch, "nl", "De rekeningen werden betaald"),
        written_in(Chinese, "zh", "我们收到了您的发票"),
        written_in(Japanese, "ja", "契約を更新しました"),
        written_in(Korean, "ko", "계약을 갱신했습니다"),
        written_in(Unknown, "und", "quick replies"),
    ]);
    for (query, id) in [
        ("invoice", "en"),
        ("Vertrag", "de"),
        ("Kündigung", "de"),
        ("kundigung", "de"),
        ("strasse", "de"),
        ("facturation", "fr"),
        ("annulee", "fr"),
        ("coeur", "fr"),
        ("pedido", "es"),
        ("compania", "es"),
        ("contrato", "pt"),
        ("renovacoes", "pt"),
        ("citta", "it"),
        ("rekening", "nl"),
        ("发票", "zh"),
        ("票", "zh"),
        ("更新", "ja"),
        ("계약", "ko"),
        ("reply", "und"),
    ] {
        assert_eq!(found(&index, query), [id], "{query}");
    }
}

#[test]
fn all_words_come_first_in_short_queries() {
    let (_dir, index) = index_of(vec![
        document("doc:one", "", "renewal renewal renewal renewal"),
        document(
            "doc:both",
            "",
            "a march plan with a long text in which the renewal is named once among many things",
        ),
        document("doc:other", "", "march march march"),
    ]);
    assert_eq!(found(&index, "march renewal")[0], "doc:both");
    assert_eq!(found(&index, "march renewal").len(), 3);
}

#[test]
fn typing_errors_are_forgiven_only_when_nothing_matches() {
    let (_dir, index) = index_of(vec![
        document("doc:1", "", "the renewal of the contract"),
        document("doc:2", "", "a renewel, spelt wrong"),
        document("doc:3", "", "the cat sat"),
    ]);
    assert_eq!(found(&index, "renewal"), ["doc:1"]);
    assert_eq!(found(&index, "contrakt"), ["doc:1"]);
    assert!(found(&index, "cot").is_empty(), "short words are taken as typed");
    assert!(found(&index, "\"contrakt\"").is_empty(), "what is quoted is meant as it is written");
    assert_eq!(found(&index, "\"contract\""), ["doc:1"]);
    let answer = ask(&index, "contrakt");
    let marks = answer.highlighter.ranges("the renewal of the contract", Language::English);
    assert_eq!(marks, [(19, 27)]);
}

#[test]
fn a_slip_in_an_ending_is_forgiven_although_it_makes_another_stem() {
    let (_dir, index) = index_of(vec![
        document("doc:1", "", "the training at both locations closed in February, a liability"),
        document("doc:2", "", "quarterly invoices, said the manager"),
    ]);
    for typed in ["traning", "trainig", "trianing", "locatins", "clsed", "februay", "liabilty"] {
        assert_eq!(found(&index, typed), ["doc:1"], "{typed}");
    }
    for typed in ["quarterlly", "quarterley", "quartely", "mangaer"] {
        assert_eq!(found(&index, typed), ["doc:2"], "{typed}");
    }
    assert_eq!(found(&index, "traning mangaer").len(), 2);
    assert!(found(&index, "sayed").is_empty());
    // Bounded: however many and long the words are, a few are tried letter by letter.
    let many =
        |word: &str| (0..40u8).map(|n| format!("{}{word}", char::from(b'a' + n % 26))).collect::<Vec<_>>();
    assert!(found(&index, &many("zzqqxxwwzzqqxxwwzzqqxxwwzzqqxxww").join(" ")).is_empty());
    assert_eq!(found(&index, &format!("traning {}", many("zzqqxxww").join(" "))), ["doc:1"]);
}

#[test]
fn exclusions_hold_for_the_whole_document() {
    let mut two = document("doc:1", "", "the renewal");
    two.passages.push(passage("a trial"));
    let (_dir, index) = index_of(vec![two, document("doc:2", "", "another renewal")]);
    assert_eq!(found(&index, "renewal -trial"), ["doc:2"]);
    assert_eq!(found(&index, "-trial"), ["doc:2"]);
    assert_eq!(found(&index, "-\"a trial\""), ["doc:2"]);
    assert_eq!(found(&index, "renewal -tri*"), ["doc:2"]);
}

#[test]
fn stop_words_find_only_where_there_are_no_others() {
    let (_dir, index) =
        index_of(vec![document("doc:1", "", "to be or not to be"), document("doc:2", "", "the question")]);
    assert_eq!(found(&index, "the question"), ["doc:2"]);
    assert_eq!(found(&index, "to be or not to be"), ["doc:1"]);
    assert_eq!(found(&index, "\"or not to be\""), ["doc:1"]);
}

#[test]
fn explanations_name_word_field_and_share() {
    let (_dir, index) = index_of(vec![named("doc:1", "Invoice", "two invoices for nina")]);
    let request = Request { explain: true, kinds: vec!["email".to_owned()], ..Request::new("invoice nina") };
    let answer = index.search(&request, &Scope::org("o1")).unwrap();
    let hit = &answer.hits[0];
    let explain = hit.explain.clone().unwrap();
    let fields: Vec<(&str, &str)> = explain.matches.iter().map(|m| (m.word.as_str(), m.field)).collect();
    assert_eq!(fields, [("invoice", "title"), ("invoice", "text"), ("nina", "text"), ("nina", "names")]);
    let sum: f32 = explain.matches.iter().map(|m| m.score).sum();
    assert!((sum - hit.score).abs() < 0.01, "{sum} is not {}", hit.score);
    assert!(explain.all_words);
    assert_eq!(explain.filters, ["own organisation", "kind: email"]);
}

#[test]
fn a_document_without_passages_is_found_by_title_and_name() {
    let bare = Document { passages: Vec::new(), ..named("doc:1", "Only a title", "") };
    let (_dir, index) = index_of(vec![bare]);
    assert_eq!(found(&index, "title"), ["doc:1"]);
    assert_eq!(found(&index, "harbor"), ["doc:1"]);
    assert_eq!(index.count("o1").unwrap(), 1);
}

#[test]
fn many_small_commits_leave_few_segments() {
    let (_dir, index) = index_of(Vec::new());
    for n in 0..300 {
        let doc = document(&format!("doc:{}", n % 120), "title", "some words of a body");
        index.apply(&puts(vec![doc]), &at(n)).unwrap();
        let segments = index.stats().unwrap().segments;
        assert!(segments <= 20, "{segments} segments after {n} commits");
    }
    assert_eq!(ids(&ask(&index, "words")).len(), 10);
    assert_eq!(index.count("o1").unwrap(), 120);
}

#[test]
fn a_prefix_finds_words_whose_stem_is_shorter() {
    let (_dir, index) = index_of(vec![
        document("doc:1", "", "the renewal"),
        document("doc:2", "", "invoices"),
        document("doc:3", "", "something else"),
    ]);
    for (query, id) in [
        ("ren*", "doc:1"),
        ("renewa*", "doc:1"),
        ("renewal*", "doc:1"),
        ("invoice*", "doc:2"),
        ("invoices*", "doc:2"),
    ] {
        assert_eq!(found(&index, query), [id], "{query}");
    }
}

#[test]
fn a_reference_finds_itself_and_not_its_neighbours() {
    let (_dir, index) = index_of(vec![
        document("doc:1", "", "invoice INV-429308 was sent to nina@harborpet.example"),
        document("doc:2", "", "invoice INV-429309 was sent to otto@harborpet.example"),
    ]);
    assert_eq!(found(&index, "INV-429308"), ["doc:1"]);
    assert_eq!(found(&index, "otto@harborpet.example"), ["doc:2"]);
    assert_eq!(found(&index, "harborpet.example").len(), 2);
    assert_eq!(found(&index, "INV-000001").len(), 2, "its parts, where there is no such reference");
}

#[test]
fn phone_numbers_are_found_in_any_notation() {
    let written = [
        ("ca", "Call (604) 555-0182 or write"),
        ("ca-ext", "Office: +1 604-555-0147 ext. 12, mornings only"),
        ("ca-x", "Direct 604.555.0163x7"),
        ("uk", "My number is +44 (0)20 7946 0958."),
        ("de", "Tel. 030 23125 817, 10115 Berlin"),
        ("de-zip", "Fon +49 89 4111903 80331 München"),
        ("fr", "Joignable au 01 42 68 53 00"),
        ("no", "Ring meg på +47 22 85 51 10 i morgen"),
        ("dk", "Telefon 33 15 47 62 er åben"),
        ("us-date", "Call 2125550199 2026-03-04 before noon"),
        ("tel", "<tel:+12125550111>"),
    ];
    let (_dir, index) = index_of(written.iter().map(|(id, text)| document(id, "", text)).collect());
    for (query, id) in [
        ("604 555 0182", "ca"),
        ("+16045550182", "ca"),
        ("1-604-555-0182", "ca"),
        ("001 604 555 0182", "ca"),
        ("6045550147", "ca-ext"),
        ("(604) 555-0163", "ca-x"),
        ("020 7946 0958", "uk"),
        ("+442079460958", "uk"),
        ("0044 20 7946 0958", "uk"),
        ("+493023125817", "de"),
        ("0049 (30) 23125-817", "de"),
        ("089/4111903", "de-zip"),
        ("+33142685300", "fr"),
        ("0142685300", "fr"),
        ("+33 1 42.68.53.00", "fr"),
        ("22855110", "no"),
        ("22 85 51 10", "no"),
        ("+4722855110", "no"),
        ("+45 33 15 47 62", "dk"),
        ("33154762", "dk"),
        ("(212) 555-0199", "us-date"),
        ("212-555-0111", "tel"),
    ] {
        assert_eq!(found(&index, query).first().map(String::as_str), Some(id), "{query}");
    }
}

#[test]
fn exact_things_are_found_in_parts_and_names_with_typing_errors() {
    let person = |id: &str, names: &[&str], body: &str| Document {
        names: names.iter().map(|name| (*name).to_owned()).collect(),
        ..document(id, "", body)
    };
    let (_dir, index) = index_of(vec![
        person(
            "a",
            &[
                "Wolfgang Schwarzenberger",
                "Kirchhoff Logistik GmbH",
                "w.schwarzenberger@kirchhoff-logistik.example",
            ],
            "see you",
        ),
        person("b", &["Aoife O'Connor", "O'Connor & Sons", "aoife@oconnor-sons.co.example"], "hello there"),
        person("c", &["Nguyễn Thị Hạnh", "Sông Hồng Textiles"], "samples sent"),
        document("d", "", "Invoice RE-2026/00417 for order PO_88-1203, contract V2026.11.7"),
        document("e", "", "Deal D-7741: https://portal.kirchhoff-logistik.example/track?id=99"),
    ]);
    for (query, id) in [
        ("schwarzenberger", "a"),
        ("Schwarzenbreger", "a"),
        ("schwartzenburger", "a"),
        ("Kirchhof Logistic", "a"),
        ("kirchhoff-logistik", "a"),
        ("w.schwarzenberger@kirchhoff-logistik.example", "a"),
        ("w.schwarzenberger", "a"),
        ("oconnor", "b"),
        ("O'Connor", "b"),
        ("oconnor-sons.co.example", "b"),
        ("Aoiffe", "b"),
        ("nguyen thi hanh", "c"),
        ("song hong", "c"),
        ("Textilles", "c"),
        ("RE-2026/00417", "d"),
        ("00417", "d"),
        ("2026/00417", "d"),
        ("po_88-1203", "d"),
        ("88-1203", "d"),
        ("PO_88*", "d"),
        ("V2026.11.7", "d"),
        ("d-7741", "e"),
        ("7741", "e"),
        ("portal.kirchhoff-logistik.example", "e"),
    ] {
        assert_eq!(found(&index, query).first().map(String::as_str), Some(id), "{query}");
    }
}
