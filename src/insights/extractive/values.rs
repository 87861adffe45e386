//! The value, the sentence and the first valid day of a fact, from its slot and the typed values in its evidence.
//!
//! Sentences are templates around a value, or a label before the quote: nothing is said that the quote does not hold.

use super::entities::Entity;
use super::lexicon::known;
use super::when::Found;
use crate::insights::dates::Day;
use crate::insights::kinds::Kind;

/// What a fact was read from.
pub(crate) struct Facts<'a> {
    pub kind: Kind,
    pub slot: &'a str,
    pub quote: &'a str,
    /// The folded evidence.
    pub folded: &'a str,
    pub entities: &'a [&'a Entity],
    pub dates: &'a [Found],
    pub today: Day,
}

/// Words for how often, by their beginnings, and their name.
const OFTEN: [(&str, &str); 34] = [
    ("monthly", "monthly"),
    ("per month", "monthly"),
    ("every month", "monthly"),
    ("each month", "monthly"),
    ("month", "monthly"),
    ("monatlich", "monthly"),
    ("mensuel", "monthly"),
    ("mensual", "monthly"),
    ("mensal", "monthly"),
    ("毎月", "monthly"),
    ("月次", "monthly"),
    ("月払", "monthly"),
    ("cada mes", "monthly"),
    ("por mes", "monthly"),
    ("par mois", "monthly"),
    ("quarter", "quarterly"),
    ("quartal", "quarterly"),
    ("vierteljahr", "quarterly"),
    ("trimest", "quarterly"),
    ("四半期", "quarterly"),
    ("3か月", "quarterly"),
    ("half-year", "half-yearly"),
    ("halbjahr", "half-yearly"),
    ("semest", "half-yearly"),
    ("半年", "half-yearly"),
    ("weekly", "weekly"),
    ("wochentlich", "weekly"),
    ("semanal", "weekly"),
    ("hebdomadaire", "weekly"),
    ("year", "yearly"),
    ("annual", "annual"),
    ("jahrlich", "yearly"),
    ("年", "yearly"),
    ("anual", "annual"),
];

/// The value of a fact.
pub(crate) fn value(f: &Facts<'_>) -> Option<String> {
    if f.slot == "billing.frequency" {
        return frequency(f.folded);
    }
    let date = || f.dates.iter().rev().find(|d| !d.since).map(|d| d.value.to_string());
    let one = |class: &str| f.entities.iter().find(|e| e.class == known(class)).map(|e| e.value.clone());
    let last =
        |class: &str| f.entities.iter().rev().find(|e| e.class == known(class)).map(|e| e.value.clone());
    match f.kind {
        Kind::Billing => one("@EMAIL").or_else(|| one("@TERM")).or_else(date).or_else(|| one("@MONEY")),
        Kind::Renewal if f.slot == "renewal.term" => one("@TERM").or_else(date),
        Kind::Renewal => date().or_else(|| one("@TERM")),
        Kind::Budget => one("@MONEY"),
        Kind::DecisionMaker => one("@PERSON").or_else(|| one("@NAME")).or_else(|| one("@MONEY")),
        Kind::ContactRole | Kind::AccountOwner => one("@PERSON").or_else(|| one("@NAME")),
        Kind::ContactChannel => {
            one("@TIME").or_else(|| one("@PHONE")).or_else(|| one("@EMAIL")).or_else(|| channel(f.folded))
        }
        Kind::ProductUse => one("@COUNT"),
        Kind::Competitor => one("@NAME"),
        Kind::Environment if f.slot == "environment.switch" => last("@NAME"),
        Kind::Environment => one("@NAME"),
        Kind::Commitment | Kind::Milestone => date(),
        Kind::Plan => date().or_else(|| one("@COUNT")),
        Kind::Compliance => one("@TERM"),
        Kind::Objection => one("@MONEY").or_else(|| one("@PERSON")),
        Kind::Preference => one("@EMAIL"),
        Kind::Sentiment | Kind::Escalation | Kind::PainPoint | Kind::FeatureRequest => None,
    }
}

/// How often; of "monthly instead of quarterly" the first, of 「四半期から毎月に」 the last.
fn frequency(folded: &str) -> Option<String> {
    let mut found: Vec<(usize, &str)> =
        OFTEN.iter().filter_map(|(word, name)| Some((folded.find(word)?, *name))).collect();
    found.sort_unstable();
    let last = folded.contains("から") || folded.contains(" to ") && !folded.contains("instead");
    let pick = if last { found.last() } else { found.first() };
    pick.map(|(_, name)| (*name).to_owned())
}

fn channel(folded: &str) -> Option<String> {
    const CHANNELS: [(&str, &str); 22] = [
        ("whatsapp", "WhatsApp"),
        ("slack", "Slack"),
        ("teams", "Teams"),
        ("signal", "Signal"),
        ("telegram", "Telegram"),
        ("zoom", "Zoom"),
        ("sms", "text message"),
        ("text", "text message"),
        ("e-mail", "email"),
        ("email", "email"),
        ("mail", "email"),
        ("メール", "email"),
        ("correo", "email"),
        ("courriel", "email"),
        ("電話", "phone"),
        ("phone", "phone"),
        ("telefon", "phone"),
        ("call", "phone"),
        ("anruf", "phone"),
        ("appel", "phone"),
        ("llam", "phone"),
        ("チャット", "chat"),
    ];
    CHANNELS.iter().filter_map(|(w, n)| Some((folded.find(w)?, *n))).min().map(|(_, name)| name.to_owned())
}

/// The day from which a fact holds: a day it says it begins, else that of the engagement.
pub(crate) fn valid_from(f: &Facts<'_>) -> Day {
    let begins = matches!(f.kind, Kind::ContactRole | Kind::AccountOwner) || f.slot == "environment.switch";
    let date = f.dates.iter().find(|d| (begins || d.begins) && !d.since);
    let moved = matches!(
        f.kind,
        Kind::Billing
            | Kind::ContactRole
            | Kind::AccountOwner
            | Kind::Environment
            | Kind::ContactChannel
            | Kind::Plan
            | Kind::ProductUse
            | Kind::Preference
    );
    match date {
        Some(date) if moved => date.value.first,
        _ => f.today,
    }
}

/// The fact as an English sentence.
pub(crate) fn statement(f: &Facts<'_>, value: Option<&str>) -> String {
    let label = match (f.slot, value) {
        ("billing.frequency", Some(v)) => return format!("Invoices: {v}"),
        ("renewal.end", Some(v)) => return format!("Contract ends or renews: {v}"),
        ("renewal.notice", Some(v)) => return format!("Notice to be given: {v}"),
        ("renewal.term", Some(v)) => return format!("Contract term: {v}"),
        ("budget.cap", Some(v)) => return format!("Budget: {v}"),
        ("account_owner.owner", Some(v)) => return format!("Account owner on our side: {v}"),
        ("contact_channel.hours", Some(v)) => return format!("Best reached: {v}"),
        _ => label(f.kind),
    };
    format!("{label}: \"{}\"", f.quote.split_whitespace().collect::<Vec<_>>().join(" "))
}

fn label(kind: Kind) -> &'static str {
    match kind {
        Kind::Billing => "Billing",
        Kind::Renewal => "Renewal",
        Kind::Budget => "Budget",
        Kind::DecisionMaker => "Decides",
        Kind::ContactRole => "Role",
        Kind::AccountOwner => "Account owner on our side",
        Kind::ContactChannel => "How to reach",
        Kind::Preference => "Preference",
        Kind::ProductUse => "Use of the product",
        Kind::Environment => "Their environment",
        Kind::Competitor => "Other product",
        Kind::PainPoint => "Problem",
        Kind::FeatureRequest => "Wish",
        Kind::Objection => "Objection",
        Kind::Commitment => "Promise",
        Kind::Milestone => "Date",
        Kind::Plan => "Plan",
        Kind::Sentiment => "Mood",
        Kind::Escalation => "Escalation",
        Kind::Compliance => "Requirement",
    }
}
