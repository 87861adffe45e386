//! `hublore segments`

use clap::{Args, Subcommand, ValueEnum};
use serde_json::{Value, json};

use super::remote::here_or_there;
use super::search::moment;
use super::{Failure, Global, output};
use crate::domain::clock::Millis;
use crate::domain::counted::counted;
use crate::domain::segment::{DealFilter, DealState, Members, PropertyFilter, SegmentFilter};
use crate::segments::{self as service, Seen, SegmentError};
use crate::store::{StoreError, segments as rows};

#[derive(Debug, Args)]
pub(super) struct Segments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// List the saved segments
    List,
    /// Save a segment; the one of that name is changed
    Save(Box<Save>),
    /// Count, sums and members as they are now
    Show {
        /// Name or id
        name: String,
        /// Members to show, at most 1000
        #[arg(long, value_name = "N", default_value_t = 20)]
        limit: usize,
        /// Go on behind an earlier page
        #[arg(long, value_name = "CURSOR")]
        cursor: Option<String>,
    },
    /// Forget a segment; nobody in it is touched
    Remove {
        /// Name or id
        name: String,
    },
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum Whom {
    Contacts,
    Companies,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
enum State {
    Open,
    Won,
    Lost,
}

#[derive(Debug, Args)]
struct Save {
    /// What the segment is called
    name: String,
    /// Whom it holds
    #[arg(long, value_enum)]
    members: Whom,
    /// Those with any deal; implied by every condition on deals
    #[arg(long)]
    with_deal: bool,
    /// The deal's pipeline, by label or id
    #[arg(long, value_name = "P")]
    pipeline: Option<String>,
    /// The deal's stage, by label or id
    #[arg(long, value_name = "S")]
    stage: Option<String>,
    /// How the deal stands
    #[arg(long, value_enum)]
    state: Option<State>,
    /// The deal's least amount, in its own currency
    #[arg(long, value_name = "AMOUNT")]
    amount_min: Option<f64>,
    /// The deal's greatest amount, in its own currency
    #[arg(long, value_name = "AMOUNT")]
    amount_max: Option<f64>,
    /// The deal closes on or after this day
    #[arg(long, value_name = "D", value_parser = moment)]
    close_after: Option<Millis>,
    /// The deal closes before this day
    #[arg(long, value_name = "D", value_parser = moment)]
    close_before: Option<Millis>,
    /// The deal was created on or after this day
    #[arg(long, value_name = "D", value_parser = moment)]
    created_after: Option<Millis>,
    /// The deal was created before this day
    #[arg(long, value_name = "D", value_parser = moment)]
    created_before: Option<Millis>,
    /// The deal's owner, by address, name or id
    #[arg(long, value_name = "OWNER")]
    deal_owner: Option<String>,
    /// Lifecycle stage of the contact or company
    #[arg(long, value_name = "STAGE")]
    lifecycle_stage: Option<String>,
    /// Owner of the contact or company, by address, name or id
    #[arg(long, value_name = "OWNER")]
    owner: Option<String>,
    /// One more property of the contact or company, by HubSpot's internal name
    #[arg(long, value_name = "NAME=VALUE", value_parser = property)]
    property: Option<PropertyFilter>,
}

fn property(text: &str) -> Result<PropertyFilter, String> {
    let (name, value) = text.split_once('=').ok_or("write it like industry=RETAIL")?;
    Ok(PropertyFilter { name: name.trim().to_owned(), value: value.trim().to_owned() })
}

impl Save {
    fn filter(&self) -> SegmentFilter {
        let deal = DealFilter {
            pipeline: self.pipeline.clone(),
            stage: self.stage.clone(),
            state: self.state.map(|state| match state {
                State::Open => DealState::Open,
                State::Won => DealState::Won,
                State::Lost => DealState::Lost,
            }),
            amount_min: self.amount_min,
            amount_max: self.amount_max,
            close_after: self.close_after,
            close_before: self.close_before,
            created_after: self.created_after,
            created_before: self.created_before,
            owner: self.deal_owner.clone(),
        };
        SegmentFilter {
            members: match self.members {
                Whom::Contacts => Members::Contacts,
                Whom::Companies => Members::Companies,
            },
            has_deal: (self.with_deal || deal != DealFilter::default()).then_some(deal),
            lifecycle_stage: self.lifecycle_stage.clone(),
            owner: self.owner.clone(),
            property: self.property.clone(),
        }
    }
}

impl From<SegmentError> for Failure {
    fn from(error: SegmentError) -> Self {
        match error {
            SegmentError::Store(error) => Self::failed(error),
            SegmentError::Unknown(_) => Self::Usage(format!("{error}; `hublore segments list` shows them")),
            other => Self::Usage(other.to_string()),
        }
    }
}

pub(super) fn run(global: &Global, segments: &Segments) -> Result<(), Failure> {
    match &segments.verb {
        Verb::List => list(global),
        Verb::Save(asked) => save(global, asked),
        Verb::Show { name, limit, cursor } => {
            let reading = global.reading()?;
            let seen = service::look(&reading.store, &reading.org, name, cursor.as_deref(), *limit)?;
            seen.warnings.iter().for_each(|doubt| output::warning(doubt));
            if global.json { output::json(&seen) } else { show(&seen) }
        }
        Verb::Remove { name } => remove(global, name),
    }
}

fn list(global: &Global) -> Result<(), Failure> {
    let reading = global.reading()?;
    let all: Result<_, StoreError> = reading.store.read(|conn| rows::list(conn, &reading.org));
    let all = all.map_err(Failure::failed)?;
    if global.json {
        return output::json(&json!({ "segments": all }));
    }
    for segment in all {
        output::line(&format!("{}  {}", segment.id, output::plain(&segment.name)))?;
    }
    Ok(())
}

fn save(global: &Global, asked: &Save) -> Result<(), Failure> {
    let filter = asked.filter();
    let body = json!({ "name": asked.name, "filter": filter });
    let saved = here_or_there(
        global,
        move |app| {
            let reading = &app.reading;
            let now = app.clock.now();
            Ok(json!(service::save(&reading.store, &reading.org, &asked.name, filter, now)?))
        },
        async |remote| remote.post("segments", &body).await,
    )?;
    let warnings = saved["warnings"].as_array().into_iter().flatten();
    warnings.filter_map(Value::as_str).for_each(output::warning);
    if global.json {
        return output::json(&saved);
    }
    // A stage nobody has, or a name typed wrong, shows at once.
    let reading = global.reading()?;
    let id = saved["id"].as_str().unwrap_or_default();
    let seen = service::look(&reading.store, &reading.org, id, None, 1)?;
    output::line(&format!(
        "saved as {id}; now in it: {}, with {}",
        members(&seen),
        counted(seen.summary.deals, "deal")
    ))
}

fn remove(global: &Global, name: &str) -> Result<(), Failure> {
    let removed = here_or_there(
        global,
        |app| {
            let gone = service::remove(&app.reading.store, &app.reading.org, name)?;
            Ok(json!({ "removed": gone.id }))
        },
        async |remote| remote.delete(&["segments", name]).await,
    )?;
    if global.json { output::json(&removed) } else { output::line("removed") }
}

/// "12 contacts", "1 company".
fn members(seen: &Seen) -> String {
    let one = match seen.segment.filter.members {
        Members::Contacts => "contact",
        Members::Companies => "company",
    };
    counted(seen.summary.members, one)
}

fn show(seen: &Seen) -> Result<(), Failure> {
    let summary = &seen.summary;
    let name = output::plain(&seen.segment.name);
    output::line(&format!("{name}: {}, {}", members(seen), counted(summary.deals, "deal")))?;
    for (currency, sum) in &summary.sums {
        output::line(&format!("  {sum} {currency}"))?;
    }
    if summary.deals_without_amount > 0 {
        output::line(&format!("  {} without an amount", counted(summary.deals_without_amount, "deal")))?;
    }
    for member in &seen.members {
        let parts = [Some(&member.id), member.name.as_ref(), member.address.as_ref()];
        let text: Vec<String> = parts.into_iter().flatten().map(|part| output::plain(part)).collect();
        output::line(&format!("  {}", text.join("  ")))?;
    }
    match &seen.next_cursor {
        Some(cursor) => output::line(&format!("  more with --cursor {cursor}")),
        None => Ok(()),
    }
}
