//! `hublore context`

use clap::Args;

use super::search::moment;
use super::{Failure, Global, output};
use crate::domain::clock::Millis;
use crate::knowledge::KnowledgeError;
use crate::knowledge::context::{self, ContextRequest};
use crate::knowledge::scope::Caller;

#[derive(Debug, Args)]
pub(super) struct CustomerContext {
    /// Address of the customer
    email: String,
    /// A question; its best passages are added
    #[arg(long, value_name = "Q")]
    query: Option<String>,
    /// What was known at this moment
    #[arg(long, value_name = "D", value_parser = moment)]
    as_of: Option<Millis>,
}

pub(super) fn run(global: &Global, asked: &CustomerContext) -> Result<(), Failure> {
    let reading = global.reading()?;
    let request = ContextRequest { query: asked.query.clone(), as_of: asked.as_of };
    let caller = Caller::operator(reading.org.clone());
    let context = context::of(&reading.store, &*reading.index, &caller, &asked.email, &request);
    let context = context.map_err(|error| match error {
        KnowledgeError::NoSuchCustomer(_) => Failure::failed(error),
        other => other.into(),
    })?;
    if global.json { output::json(&context) } else { output::line(context.text.trim_end()) }
}
