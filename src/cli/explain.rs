//! `hublore explain`

use clap::Args;

use super::{Failure, Global, output};
use crate::domain::ids::InsightId;
use crate::knowledge::scope::Caller;
use crate::knowledge::{explain, insight};

#[derive(Debug, Args)]
pub(super) struct Explain {
    /// Id of the engagement, as a search names it or as HubSpot does, or of an insight
    id: String,
    /// Say why a search for this customer does not show it
    #[arg(long, value_name = "EMAIL")]
    customer: Option<String>,
}

pub(super) fn run(global: &Global, asked: &Explain) -> Result<(), Failure> {
    let reading = global.reading()?;
    let caller = Caller::operator(reading.org.clone());
    let (store, index, customer) = (&reading.store, &*reading.index, asked.customer.as_deref());
    let finding = match asked.id.parse::<InsightId>() {
        Ok(id) => insight::finding(store, index, &caller, &id, customer)?,
        Err(_) => {
            let document = explain::document(store, &caller, &asked.id)?;
            explain::finding(store, index, &caller, &document, customer)?
        }
    };
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
