//! `hublore show`

use clap::Args;

use super::{Failure, Global, output};
use crate::knowledge::engagement::{self, Ask, Engagement};
use crate::knowledge::explain;
use crate::knowledge::scope::Caller;

#[derive(Debug, Args)]
pub(super) struct Show {
    /// Id of the engagement, as a search names it or as HubSpot does
    engagement: String,
    /// Show what each part of the body was taken for: new text, quote, signature, ...
    #[arg(long)]
    parts: bool,
}

pub(super) fn run(global: &Global, asked: &Show) -> Result<(), Failure> {
    let reading = global.reading()?;
    let caller = Caller::operator(reading.org.clone());
    let document = explain::document(&reading.store, &caller, &asked.engagement)?;
    let mask_secrets = reading.config.mask_secrets;
    let ask = Ask { body: !asked.parts || global.json, parts: asked.parts, mask_secrets, skipped: true };
    let found = engagement::read(&reading.store, &caller, &document, ask)?;
    let found = found.ok_or_else(|| {
        Failure::Usage(format!(
            "there is no engagement `{}` here: `hublore search` names ids",
            asked.engagement
        ))
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
