//! `hublore explain`

use clap::Args;

use super::{Failure, Global, output};
use crate::knowledge::explain;
use crate::knowledge::scope::Caller;

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Id of the engagement, as a search names it or as HubSpot does
    engagement: String,
    /// Say why a search for this customer does not show it
    #[arg(long, value_name = "EMAIL")]
    customer: Option<String>,
}

pub(super) fn run(global: &Global, asked: &Explain) -> Result<(), Failure> {
    let reading = global.reading()?;
    let caller = Caller::operator(reading.org.clone());
    let document = explain::document(&reading.store, &caller, &asked.engagement)?;
    let customer = asked.customer.as_deref();
    let finding = explain::finding(&reading.store, &*reading.index, &caller, &document, customer)?;
    if global.json {
        return output::json(&finding);
    }
    output::line(&format!("{}  {}", finding.id, finding.code))?;
    output::line(&finding.text)?;
    let Some(ruling) = &finding.ruling else { return Ok(()) };
    let judge = if ruling.judge.is_empty() { "nobody" } else { ruling.judge.as_str() };
    output::line(&format!(
        "rule {} version {}, judged by {judge}: {}",
        ruling.rule, ruling.version, ruling.reason
    ))
}
