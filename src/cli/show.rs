//! `hublore show`

use clap::Args;

use super::{Failure, Global, output};
use crate::domain::ids::InsightId;
use crate::knowledge::engagement::{self, Ask, Engagement};
use crate::knowledge::explain;
use crate::knowledge::insight::{self, Read};
use crate::knowledge::scope::Caller;

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Id of the engagement, as a search names it or as HubSpot does, or of an insight
    id: String,
    /// Show what each part of the body was taken for: new text, quote, signature, ...
    #[arg(long)]
    parts: bool,
}

pub(super) fn run(global: &Global, asked: &Show) -> Result<(), Failure> {
    let reading = global.reading()?;
    let caller = Caller::operator(reading.org.clone());
    if let Ok(id) = asked.id.parse::<InsightId>() {
        return show_insight(global, asked, insight::read(&reading.store, &caller, &id)?);
    }
    let document = explain::document(&reading.store, &caller, &asked.id)?;
    let mask_secrets = reading.config.mask_secrets;
    let ask = Ask { body: !asked.parts || global.json, parts: asked.parts, mask_secrets, skipped: true };
    let found = engagement::read(&reading.store, &caller, &document, ask)?;
    let found = found.ok_or_else(|| {
        Failure::Usage(format!("there is no engagement `{}` here: `hublore search` names ids", asked.id))
    })?;
    if global.json {
        return output::json(&found);
    }
    output::line(&head(&found))?;
    for part in found.parts.iter().flatten() {
        let name = part.class.as_str();
        output::line(&format!("\n[{name}]\n{}", output::plain_lines(&part.text)))?;
    }
    match &found.body {
        Some(body) => output::line(&format!("\n{}", output::plain_lines(body))),
        None if asked.parts => Ok(()),
        None => output::line("\nHubSpot withheld the body; `hublore explain` says why"),
    }
}

fn show_insight(global: &Global, asked: &Show, found: Option<Read>) -> Result<(), Failure> {
    let found = found.ok_or_else(|| {
        Failure::Usage(format!("there is no insight `{0}` to read; `hublore explain {0}` says why", asked.id))
    })?;
    if asked.parts {
        let proof = &found.insight.evidence.engagement_id;
        return Err(Failure::Usage(format!(
            "an insight has no parts; `hublore show --parts {proof}` shows its proof"
        )));
    }
    if global.json {
        return output::json(&found);
    }
    output::line(&insight_lines(&found))
}

/// An insight: what it says, about whom, what proves it, and whether it holds.
fn insight_lines(found: &Read) -> String {
    let one = &found.insight;
    let person = found.customer.as_ref().and_then(|who| who.name.as_deref().or(who.email.as_deref()));
    let company = found.company.as_ref().and_then(|company| company.name.as_deref());
    let about: Vec<&str> = person.into_iter().chain(company).collect();
    let mut lines = vec![one.statement.clone(), format!("{} · {} · {}", one.slot, one.valid_from, one.id)];
    lines.extend((!about.is_empty()).then(|| format!("about {}", about.join(", "))));
    lines.extend(one.value.as_ref().map(|value| format!("value: {value}")));
    lines.push(format!("\"{}\"", one.evidence.quote));
    let said = one.evidence.said_at.day();
    let by = match one.asserted_by {
        "customer" => "said by the customer",
        "us" => "said by us",
        _ => "noted by us",
    };
    lines.push(format!("{by} on {said} in {}", one.evidence.engagement_id));
    lines.extend(one.claim.then(|| "claimed by the customer, not confirmed".to_owned()));
    lines.push(match (&one.superseded_by, one.holds) {
        (Some(by), _) => format!("no longer holds: {by} took its place"),
        (None, true) => "holds".to_owned(),
        (None, false) => "says the same as an earlier one, which stands for both".to_owned(),
    });
    lines.iter().map(|line| output::plain_lines(line)).collect::<Vec<_>>().join("\n")
}

/// Title, date, people and what else is known, one line each.
fn head(found: &Engagement) -> String {
    let who: Vec<&str> =
        found.customers.iter().filter_map(|one| one.name.as_deref().or(one.email.as_deref())).collect();
    let mut lines = vec![found.title.clone().unwrap_or_else(|| "(no title)".to_owned())];
    lines.push(format!("{} · {} · {}", found.occurred_at.day(), found.kind.as_str(), found.id));
    lines.extend((!who.is_empty()).then(|| format!("with {}", who.join(", "))));
    lines.extend((!found.links.is_empty()).then(|| format!("links to {}", found.links.join(", "))));
    if !found.secrets.is_empty() {
        let kinds: Vec<String> = found.secrets.iter().map(|(kind, n)| format!("{n} {kind}")).collect();
        lines.push(format!("secrets in the body: {}", kinds.join(", ")));
    }
    lines.extend(found.url.clone());
    lines.iter().map(|line| output::plain_lines(line)).collect::<Vec<_>>().join("\n")
}
