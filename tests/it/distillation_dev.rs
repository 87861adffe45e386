//! The development set of distillation, scored by its own script: what the extractive distiller, the keyword rules and
//! the embedded topic judge reach on whole engagements, taken the way of the pipeline.
//!
//! The floors are those this project promises. Without the set beside this folder, or without python3, it says so and
//! ends.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::Command;
use std::sync::Arc;

use hublore::domain::clock::Millis;
use hublore::domain::engagement::{Body, Kind, Links, RawEngagement};
use hublore::domain::ids::{DocumentId, PortalId};
use hublore::domain::insight::supersede::{self, Stored};
use hublore::domain::insight::{Insight, Subject};
use hublore::domain::rule::{LearningRule, RuleType, Unsure};
use hublore::insights::instructions::Instructions;
use hublore::insights::{Distillation, Learned, Party};
use hublore::pipeline::normalize::{self, NormalizedEngagement};
use hublore::rules::Rules;
use hublore::rules::concepts::Concepts;
use hublore::rules::source::Source;
use serde_json::{Value, json};

fn folder() -> Option<PathBuf> {
    let shared = std::env::var_os("HUBLORE_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    Some(shared.join("distillation-dev")).filter(|folder| folder.join("score.py").exists())
}

fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn raw(row: &Value) -> RawEngagement {
    let kind = match row["type"].as_str().unwrap() {
        "form" => Kind::FormSubmission,
        other => Kind::parse(other).unwrap(),
    };
    let html = row["body_format"] == "html";
    let body = Some(text(&row["body"]));
    RawEngagement {
        kind,
        id: text(&row["id"]),
        title: row["subject"].as_str().map(str::to_owned),
        body: if html { Body { html: body, plain: None } } else { Body { html: None, plain: body } },
        transcript: None,
        created_at: Millis(0),
        occurred_at: Millis::parse(row["timestamp"].as_str().unwrap()).unwrap(),
        updated_at: Millis(0),
        owner: row["owner"].as_str().map(str::to_owned),
        thread: None,
        from_address: row["from"].as_str().map(str::to_owned),
        from_name: None,
        outgoing: row["direction"] == "outgoing",
        out_of_office: false,
        erased: false,
        url: None,
        links: Links::default(),
        properties: "{}".to_owned(),
        reread: None,
    }
}

fn parties(row: &Value) -> Vec<Party> {
    let party = |contact: &Value| Party {
        contact: Some(text(&contact["email"])),
        name: text(&contact["name"]),
        email: Some(text(&contact["email"])),
        company: Some(text(&contact["company_domain"])),
        company_name: text(&contact["company"]),
    };
    row["contacts"].as_array().unwrap().iter().map(party).collect()
}

/// "sarah.lund@..." as the CRM calls her.
fn name_of(address: &str) -> String {
    let capital = |word: &str| {
        let mut letters = word.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect::<String>())
            .unwrap_or_default()
    };
    let local = address.split('@').next().unwrap_or_default();
    local.split('.').map(capital).collect::<Vec<_>>().join(" ")
}

fn rule(row: &Value) -> LearningRule {
    LearningRule {
        id: text(&row["rid"]),
        version: 1,
        rule_type: RuleType::parse(row["type"].as_str().unwrap()).unwrap(),
        text: text(&row["text"]),
        substring: false,
        kinds: Vec::new(),
        position: 0,
        enabled: true,
    }
}

/// One engagement as the pipeline sees it.
struct Read {
    id: String,
    document: DocumentId,
    normalized: NormalizedEngagement,
    parties: Vec<Party>,
    rules: Vec<LearningRule>,
}

impl Read {
    fn new(row: &Value) -> Self {
        let normalized = normalize::engagement(raw(row), &normalize::Around::default(), true);
        let document = DocumentId { portal: PortalId(1), kind: normalized.raw.kind, id: text(&row["id"]) };
        let rules = row["rules"].as_array().unwrap().iter().map(rule).collect();
        Self { id: text(&row["id"]), document, normalized, parties: parties(row), rules }
    }

    fn insights(&self, distillation: &Distillation) -> Vec<Insight> {
        let raw = &self.normalized.raw;
        if self.normalized.noise.is_some() {
            return Vec::new();
        }
        distillation.of(&Learned {
            document: &self.document,
            title: raw.title.as_deref(),
            passages: &self.normalized.passages,
            language: self.normalized.language.as_deref(),
            outgoing: raw.outgoing,
            occurred_at: raw.occurred_at,
            from_address: raw.from_address.as_deref(),
            owner: raw.owner.as_deref(),
            parties: &self.parties,
        })
    }

    fn shown(&self, insight: &Insight, superseded: bool) -> Value {
        let evidence = &insight.evidence;
        let quote = &self.normalized.passages[evidence.passage].text[evidence.start..evidence.end];
        let (Subject::Contact(subject) | Subject::Company(subject)) = &insight.subject;
        json!({
            "kind": insight.kind.as_str(), "statement": insight.statement, "evidence": quote, "subject": subject,
            "value": insight.value, "valid_from": insight.valid_from.to_string(), "superseded": superseded,
        })
    }

    fn decisions(&self) -> BTreeMap<String, bool> {
        let rules = self.rules.iter().filter(|rule| rule.rule_type != RuleType::Instruction);
        let decide = |rule: &LearningRule| {
            let alone = Rules::new(std::slice::from_ref(rule), Arc::new(Concepts), Unsure::Hold).unwrap();
            let learned = alone.decide(&Source::of(&self.normalized.raw)).0.as_str() == "learned";
            (rule.id.clone(), learned == (rule.rule_type == RuleType::Topic))
        };
        rules.map(decide).collect()
    }

    fn instructed(&self, distillation: &Distillation) -> BTreeMap<String, Vec<Value>> {
        let rules = self.rules.iter().filter(|rule| rule.rule_type == RuleType::Instruction);
        let shape = |rule: &LearningRule| {
            let instructions = Instructions::new(std::slice::from_ref(rule));
            let shaped = distillation.within(instructions, distillation.owners().to_vec());
            let found = self.insights(&shaped).iter().map(|one| self.shown(one, false)).collect();
            (rule.id.clone(), found)
        };
        rules.map(shape).collect()
    }
}

fn stored(insight: &Insight) -> Stored {
    let (Subject::Contact(subject) | Subject::Company(subject)) = &insight.subject;
    Stored {
        id: insight.id.to_string(),
        subject: subject.clone(),
        slot: insight.slot.clone(),
        value: insight.value.clone(),
        valid_from: insight.valid_from,
        said_at_ms: insight.said_at.0,
        position: insight.position,
        recorded_at_ms: 0,
        claim: insight.claim,
        said_by: String::new(),
    }
}

#[test]
fn dst_2_rul_1_rul_2_the_development_set_is_met_with_its_floors() {
    let Some(folder) = folder() else {
        println!("skipped: the development set of distillation is not beside this folder");
        return;
    };
    if Command::new("python3").arg("--version").output().is_err() {
        println!("skipped: the script that scores needs python3");
        return;
    }
    let rows = std::fs::read_to_string(folder.join("data.jsonl")).unwrap();
    let rows: Vec<Value> = rows.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let owners: Vec<String> = rows.iter().filter_map(|row| row["owner"].as_str()).map(name_of).collect();
    let distillation =
        Distillation::of_kinds(Kind::ALL.into_iter().collect()).within(Instructions::default(), owners);
    let read: Vec<Read> = rows.iter().map(Read::new).collect();
    let found: Vec<Vec<Insight>> = read.iter().map(|one| one.insights(&distillation)).collect();
    let places = supersede::resolve(&found.iter().flatten().map(stored).collect::<Vec<_>>());
    let mut predictions = String::new();
    for (one, insights) in read.iter().zip(&found) {
        let replaced = |insight: &Insight| places[&insight.id.to_string()].superseded_by.is_some();
        let shown: Vec<Value> =
            insights.iter().map(|insight| one.shown(insight, replaced(insight))).collect();
        let line = json!({
            "id": one.id, "insights": shown, "rules": one.decisions(), "instructed": one.instructed(&distillation),
        });
        predictions.push_str(&format!("{line}\n"));
    }
    let file = tempfile::NamedTempFile::with_suffix(".jsonl").unwrap();
    std::fs::write(file.path(), predictions).unwrap();
    let run = |extra: &str| {
        let scored = Command::new("python3")
            .arg(folder.join("score.py"))
            .args([&folder.join("data.jsonl"), file.path()])
            .arg(extra)
            .output()
            .unwrap();
        assert!(scored.status.success(), "{}", String::from_utf8_lossy(&scored.stderr));
        String::from_utf8(scored.stdout).unwrap()
    };
    println!("{}", run("--errors"));
    let score: Value = serde_json::from_str(&run("--json")).unwrap();
    floors(&score);
}

fn floors(score: &Value) {
    let number = |value: &Value| value.as_f64().unwrap_or_else(|| panic!("{score:#}"));
    let at_least = |name: &str, value: &Value, floor: f64| {
        assert!(number(value) >= floor, "{name} is {value}, the floor is {floor}\n{score:#}");
    };
    at_least("F1", &score["f1"], 0.72);
    at_least("precision", &score["precision"], 0.85);
    at_least("macro-F1", &score["macro_f1"], 0.65);
    at_least("keyword rules", &score["rules"]["keyword"]["accuracy"], 1.0);
    at_least("topic rules", &score["rules"]["topic"]["accuracy"], 0.88);
    assert_eq!(score["evidence_not_in_source"], 0.0, "{score:#}");
    assert!(number(&score["false_alarm_engagements"]) <= 1.0 / 6.0 + 1e-9, "{score:#}");
    let forbidden = &score["forbidden"];
    assert!(number(&forbidden["evidence_hits"]) + number(&forbidden["term_hits"]) <= 1.0, "{score:#}");
    for reason in ["injection", "sensitive"] {
        let hits = &forbidden["by_reason"][reason][0];
        assert!(hits.is_null() || *hits == 0, "{reason}: {score:#}");
    }
}
