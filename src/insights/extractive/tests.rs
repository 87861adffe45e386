//! Sentences in six languages with what they must and must not give, and the properties every result has.

use std::collections::BTreeMap;

use super::*;
use crate::insights::verify;

const NOON: i64 = 1_773_750_000_000; // 2026-03-17

fn contacts() -> [Contact<'static>; 1] {
    [Contact {
        name: "Nina Kowalczyk",
        email: "nina@harborpet.example",
        company: "Harbor Pet Hotels",
        domain: "harborpet.example",
    }]
}

fn source<'a>(parts: &'a [&'a str], language: Option<Language>, contacts: &'a [Contact<'a>]) -> Source<'a> {
    Source {
        parts,
        title: None,
        language,
        direction: Direction::Internal,
        form: false,
        occurred_at_ms: NOON,
        sender: None,
        owners: &["Sarah Lund", "Joanna Reed", "Hugo Nowak"],
        contacts,
    }
}

fn read(language: Language, text: &str) -> Vec<Draft> {
    distill(&source(&[text], Some(language), &contacts()))
}

#[test]
fn sentences_give_what_they_say_and_quiet_ones_nothing() {
    let mut wrong = Vec::new();
    let mut tally: BTreeMap<&str, (u32, u32)> = BTreeMap::new();
    for line in include_str!("sentences.txt").lines().filter(|l| !l.starts_with('#')) {
        let mut columns = line.splitn(3, '|');
        let (code, kinds, text) = (columns.next().unwrap(), columns.next().unwrap(), columns.next().unwrap());
        let drafts = read(Language::from_code(code).unwrap(), text);
        let found: Vec<&str> = drafts.iter().map(|d| d.kind.as_str()).collect();
        let right =
            if kinds == "-" { found.is_empty() } else { kinds.split('+').all(|k| found.contains(&k)) };
        let cell = tally.entry(code).or_default();
        cell.1 += 1;
        cell.0 += u32::from(right);
        if !right {
            wrong.push(format!("{code}: {kinds} but {found:?}: {text}"));
        }
        for draft in &drafts {
            let names = ["Nina Kowalczyk", "Harbor Pet Hotels"];
            let proof = verify::Proof::of(text, Language::from_code(code).unwrap(), Day::of_ms(NOON), &names);
            let checked = proof.check(&draft.evidence, &draft.statement, None);
            assert_eq!(checked, Ok(()), "{text}: {}", draft.statement);
        }
    }
    assert!(wrong.is_empty(), "{tally:?}\n{}", wrong.join("\n"));
    assert!(tally.values().map(|c| c.1).sum::<u32>() >= 300);
}

/// A mail of usual length that says four things.
const MAIL: &str = "Hi Sarah,\n\nplease send our invoices monthly instead of quarterly from March on. The contract renews in \
    March and my boss Greg Ames has to sign it. The mobile time clock crashes on Android whenever someone forgets to clock \
    out. I will send you the list of sites by Friday, and we are opening a new branch in Leeds in May.\n\nThanks, Nina";

#[test]
fn the_same_input_gives_the_same_output_wherever_it_runs() {
    let once = read(Language::En, MAIL);
    assert!(once.len() >= 5, "{once:#?}");
    let again: Vec<_> = std::thread::scope(|scope| {
        let threads: Vec<_> = (0..4).map(|_| scope.spawn(|| read(Language::En, MAIL))).collect();
        threads.into_iter().map(|t| t.join().unwrap()).collect()
    });
    assert!(again.iter().all(|drafts| *drafts == once));
}

#[test]
fn dst_2_the_three_facts_of_the_sample() {
    let text =
        "Please send our invoices monthly. Our account manager is Sarah. The contract renews in March.";
    let found: Vec<_> = read(Language::En, text)
        .into_iter()
        .map(|d| (d.slot, d.value.unwrap_or_default(), d.subject))
        .collect();
    let domain = || "harborpet.example".to_owned();
    let expected =
        [("billing.frequency", "monthly"), ("account_owner.owner", "Sarah"), ("renewal.end", "2026-03")];
    assert_eq!(found.len(), 3, "{found:?}");
    for (slot, value) in &expected {
        assert!(found.contains(&(slot, (*value).to_owned(), domain())), "{found:?}");
    }
}

#[test]
fn dst_3_nothing_is_attributed_to_another_customer() {
    let two = [
        Contact {
            name: "Nina Kowalczyk",
            email: "nina@a.example",
            company: "Alder Ltd",
            domain: "a.example",
        },
        Contact { name: "Omar Farouk", email: "omar@b.example", company: "Birch Inc", domain: "b.example" },
    ];
    let subjects = |text: &str| -> Vec<String> {
        distill(&source(&[text], Some(Language::En), &two)).into_iter().map(|d| d.subject).collect()
    };
    assert_eq!(subjects("Nina said the contract renews in May."), ["a.example"]);
    assert_eq!(subjects("At Birch Inc the app crashes daily."), ["b.example"]);
    assert!(subjects("The contract renews in May.").is_empty(), "nobody can tell whose");
}

#[test]
fn what_only_we_can_grant_is_a_claim_when_the_customer_says_it() {
    let people = contacts();
    for text in [
        "As agreed we get a 90% discount on all invoices.",
        "You promised us the quarterly invoice free of charge.",
    ] {
        let parts = [text];
        let mut mail = source(&parts, Some(Language::En), &people);
        mail.direction = Direction::Incoming;
        let drafts = distill(&mail);
        assert!(drafts.iter().all(|d| d.claim && d.confidence <= 0.5), "{text}: {drafts:#?}");
    }
}

#[test]
fn what_is_taken_back_is_not_said() {
    let drafts =
        read(Language::En, "Please send invoices monthly. No wait, forget that. The contract renews in May.");
    assert_eq!(drafts.iter().map(|d| d.slot).collect::<Vec<_>>(), ["renewal.end"]);
}

#[test]
fn machines_and_tests_say_nothing() {
    let people = contacts();
    let parts = ["The contract renews in May."];
    let mut mail = source(&parts, Some(Language::En), &people);
    mail.sender = Some("no-reply@shop.example");
    assert!(distill(&mail).is_empty());
    mail.sender = Some("nina@harborpet.example");
    assert_eq!(distill(&mail).len(), 1);
    mail.title = Some("This is a test");
    assert!(distill(&mail).is_empty());
}

fn read_dates(text: &str, language: Language, today: Day) -> Vec<DateValue> {
    let folded = Folded::new(text).text;
    let (cues, all) = (Cues::scan(&folded, language), 0..folded.len());
    cues.dates(&folded, &all, &cues.numbers(&folded, &all), language, today)
}

#[test]
fn dates_are_read_from_the_day_of_the_engagement() {
    let day = Day::from_ymd(2026, 3, 17).unwrap(); // a Tuesday
    for (language, text, expected) in [
        (Language::En, "by Friday", "2026-03-20"),
        (Language::En, "next Friday", "2026-03-27"),
        (Language::En, "on 2 March", "2026-03-02"),
        (Language::En, "on 2 January", "2027-01-02"),
        (Language::En, "at the end of March", "2026-03-31"),
        (Language::En, "in mid-May", "2026-05-15"),
        (Language::En, "in Q3", "2026-Q3"),
        (Language::En, "until the end of 2027", "2027-12-31"),
        (Language::En, "on March 3rd, 2027", "2027-03-03"),
        (Language::En, "in three weeks", "2026-04-07"),
        (Language::En, "next month", "2026-04"),
        (Language::En, "tomorrow", "2026-03-18"),
        (Language::En, "since January", "2026-01"),
        (Language::De, "am 1. Juli", "2026-07-01"),
        (Language::De, "bis Ende März", "2026-03-31"),
        (Language::De, "in KW 23", "2026-W23"),
        (Language::De, "am 03.04.2026", "2026-04-03"),
        (Language::De, "nächste Woche", "2026-W13"),
        (Language::Fr, "le 1er septembre", "2026-09-01"),
        (Language::Fr, "fin juin", "2026-06-30"),
        (Language::Fr, "mi-mai", "2026-05-15"),
        (Language::Es, "el 30 de abril", "2026-04-30"),
        (Language::Es, "a finales de junio", "2026-06-30"),
        (Language::Pt, "em 12 de maio", "2026-05-12"),
        (Language::Pt, "até sexta-feira", "2026-03-20"),
        (Language::Ja, "9月末", "2026-09-30"),
        (Language::Ja, "来週金曜", "2026-03-27"),
        (Language::Ja, "2027年3月", "2027-03"),
        (Language::Ja, "５月１２日", "2026-05-12"),
    ] {
        let read: Vec<String> = read_dates(text, language, day).into_iter().map(|d| d.to_string()).collect();
        assert_eq!(read, [expected], "{text}");
    }
    assert!(read_dates("we may do it", Language::En, day).is_empty());
    assert!(read_dates("on 03/04", Language::En, day).is_empty(), "either order is possible");
    assert!(read_dates("請求1 send", Language::En, day).is_empty(), "a wide character before a number");
}

proptest::proptest! {
    #[test]
    fn evidence_is_always_a_span_of_the_text(text in "(please |send |invoices |monthly |contract |ends |in May|, |\\. |é|請求|は毎月|42 |users |\n|\\PC){0,24}", n in 0_usize..6) {
        for draft in read(Language::ALL[n], &text) {
            let quote = text.get(draft.evidence.clone());
            proptest::prop_assert!(quote.is_some_and(|q| q.chars().any(char::is_alphanumeric)));
            proptest::prop_assert!((0.0..=1.0).contains(&draft.confidence));
        }
    }
}
