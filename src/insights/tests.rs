//! What no distiller can get around.

use super::*;

#[derive(Debug)]
struct Careless;

impl Distiller for Careless {
    fn fingerprint(&self) -> &str {
        "careless"
    }

    fn distill(&self, batch: &[Source<'_>], _: &Instructions) -> Vec<Outcome> {
        let draft = |part, evidence: Range<usize>, subject: &str, statement: &str| Draft {
            kind: Kind::Renewal,
            slot: "renewal.end",
            statement: statement.to_owned(),
            value: None,
            date: None,
            part,
            evidence,
            subject: subject.to_owned(),
            asserted_by: Asserted::Note,
            claim: false,
            valid_from: Day(0),
            confidence: 0.9,
        };
        let drafts = vec![
            draft(0, 0..16, "nina@a.example", "Renewal in March"),
            draft(0, 0..16, "nina@a.example", "Renewal in March"),
            draft(0, 0..900, "nina@a.example", "outside"),
            draft(0, 3..3, "nina@a.example", "empty"),
            draft(1, 0..16, "nina@a.example", "quoted"),
            draft(2, 0..1, "nina@a.example", "no such part"),
            draft(0, 0..16, "somebody@else.example", "another customer"),
            draft(0, 0..16, "nina@a.example", "They get 90% off"),
        ];
        batch.iter().map(|_| Outcome::Found(drafts.clone())).collect()
    }
}

fn passage(text: &str, quoted: bool) -> Passage {
    Passage { text: text.to_owned(), language: Some("en".to_owned()), quoted, spoken: None }
}

fn nina() -> Party {
    Party {
        contact: Some("7".to_owned()),
        name: "Nina Kowalczyk".to_owned(),
        email: Some("nina@a.example".to_owned()),
        company: Some("70".to_owned()),
        company_name: "Alder Ltd".to_owned(),
    }
}

fn read(distillation: &Distillation, passages: &[Passage], parties: &[Party]) -> Vec<Insight> {
    let document: DocumentId = "hubspot:1:note:5".parse().unwrap();
    distillation.of(&Learned {
        document: &document,
        title: None,
        passages,
        language: Some("en"),
        outgoing: false,
        occurred_at: Millis(1_773_750_000_000),
        from_address: None,
        owner: Some("3"),
        parties,
    })
}

fn on() -> Distillation {
    Distillation::of_kinds(engagement::Kind::ALL.into_iter().collect())
}

#[test]
fn dst_3_only_a_proven_fact_about_a_customer_of_this_engagement_passes() {
    let passages = [passage("Renewal in March", false), passage("Renewal in March", true)];
    let found = read(&on().by(Arc::new(Careless)), &passages, &[nina()]);
    assert_eq!(found.len(), 1, "{found:#?}");
    assert_eq!(found[0].subject, Subject::Contact("7".to_owned()));
    assert_eq!(found[0].said_by.as_deref(), Some("3"));
    assert!(found[0].id.to_string().starts_with("distilled:hubspot:1:note.5."));
}

#[test]
fn dst_1_no_kinds_no_insights_and_nobody_no_insights() {
    let text = [passage("The contract renews in May.", false)];
    assert_eq!(read(&on(), &text, &[nina()]).len(), 1);
    assert!(read(&Distillation::off(), &text, &[nina()]).is_empty());
    assert!(read(&on(), &text, &[]).is_empty());
    let calls_only = Distillation::of_kinds([engagement::Kind::Call].into());
    assert!(read(&calls_only, &text, &[nina()]).is_empty(), "the kind of the engagement decides");
    assert_ne!(on().fingerprint(), calls_only.fingerprint());
}

#[test]
fn dst_3_people_without_a_company_are_not_colleagues() {
    let alone = |id: &str| Party { contact: Some(id.to_owned()), ..Party::default() };
    let text = [passage("The contract renews in May.", false)];
    assert_eq!(
        read(&on(), &text, &[alone("1")])[0].subject,
        Subject::Contact("1".to_owned()),
        "without a company it is the person's"
    );
    assert!(read(&on(), &text, &[alone("1"), alone("2")]).is_empty(), "nobody can tell whose");
}

#[test]
fn a_company_alone_is_a_customer_too() {
    let company =
        Party { company: Some("70".to_owned()), company_name: "Alder Ltd".to_owned(), ..Party::default() };
    let text = [passage("The contract renews in May.", false)];
    assert_eq!(read(&on(), &text, &[company])[0].subject, Subject::Company("70".to_owned()));
}
