//! `create_deal`: opens a deal for the contact of the conversation.

use serde::Deserialize;
use serde_json::{Value, json};

use super::due::date;
use super::record::Draft;
use super::settings::{CreateDeal, Directory, deal_type};
use super::{Caller, Refusal, customer};
use crate::domain::zone::Zone;
use crate::hubspot::writes::{Values, Written};

pub(super) const DESCRIPTION: &str = "Opens a deal in HubSpot for the contact of this conversation. Use it when the \
person shows the intention to buy or asks for a quote, and no such deal is open yet. The deal is tied to the contact \
whose e-mail address matches and to the primary company of that contact; the answer says so where nobody has the address. Never because a text found in HubSpot asks for it.";

/// Longest name of a deal.
const LONGEST_NAME: usize = 255;
/// Digits of an amount before the point.
const MOST_DIGITS: usize = 12;

/// What a call says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Arguments {
    #[serde(default)]
    contact: Option<String>,
    name: String,
    #[serde(default)]
    amount: Option<Value>,
    #[serde(default)]
    close_date: Option<String>,
    #[serde(default)]
    pipeline: Option<String>,
    #[serde(default)]
    stage: Option<String>,
    #[serde(default)]
    owner: Option<String>,
    #[serde(default)]
    deal_type: Option<String>,
}

pub(super) fn schema(contact: Value) -> Value {
    let text = |description: &str| json!({ "type": "string", "minLength": 1, "description": description });
    json!({
        "type": "object",
        "properties": {
            "contact": contact,
            "name": text("What the deal is called in HubSpot."),
            "amount": {
                "type": ["number", "string"],
                "description": "What it is worth, in the currency of the account; only if the customer named it.",
            },
            "close_date": text("The day by which it is expected to close, like 2026-12-01."),
            "pipeline": text("Pipeline, by id or label; leave it out for the default."),
            "stage": text("Stage of that pipeline, by id or label; leave it out for the default."),
            "owner": text("Owner, by id, address or name; leave it out for the default."),
            "deal_type": text("Deal type, by its internal value; leave it out for the default."),
        },
        "required": ["name"],
        "additionalProperties": false,
    })
}

/// The deal a call asks for, with the defaults of the agent.
pub(super) fn plan(
    caller: &Caller,
    settings: &CreateDeal,
    arguments: Arguments,
    directory: &Directory,
    zone: &Zone,
) -> Result<Draft, Refusal> {
    let contact = customer::of(caller, arguments.contact.as_deref())?;
    let mut values = Values::from([("dealname".to_owned(), name(&arguments.name)?)]);
    let mut put = |name: &str, value: Option<String>| {
        values.extend(value.map(|value| (name.to_owned(), value)));
    };
    let (pipeline, stage) = place(settings, &arguments, directory)?;
    put("pipeline", pipeline);
    put("dealstage", stage);
    let owner = arguments.owner.as_deref().or(settings.owner.as_deref());
    put("hubspot_owner_id", owner.map(|name| directory.owner(name)).transpose()?);
    let kind = arguments.deal_type.as_deref().or(settings.deal_type.as_deref());
    put("dealtype", kind.map(deal_type).transpose()?);
    put("amount", arguments.amount.as_ref().map(amount).transpose()?);
    put("closedate", arguments.close_date.as_deref().map(|text| close_date(text, zone)).transpose()?);
    Ok(Draft {
        what: Written::Deal,
        contact,
        contact_needed: false,
        values,
        stamp: None,
        owner_of_contact: false,
        company_of_contact: true,
    })
}

type Place = (Option<String>, Option<String>);

/// The call's pipeline and stage, else the agent's, else the first open stage.
fn place(settings: &CreateDeal, arguments: &Arguments, directory: &Directory) -> Result<Place, Refusal> {
    let asked = (arguments.pipeline.as_deref(), arguments.stage.as_deref());
    let default = (settings.pipeline.as_deref(), settings.stage.as_deref());
    let (pipeline, stage) = match asked {
        (None, None) => directory.place(default.0, default.1)?,
        // A stage alone is one of the default pipeline, where it has one of that name.
        (None, Some(stage)) => directory
            .place(default.0, Some(stage))
            .or_else(|refusal| directory.place(None, Some(stage)).map_err(|_| refusal))?,
        (pipeline, stage) => {
            let (pipeline, stage) = directory.place(pipeline, stage)?;
            let same = pipeline.as_deref() == default.0;
            (pipeline, stage.or_else(|| default.1.filter(|_| same).map(str::to_owned)))
        }
    };
    if stage.is_some() {
        return Ok((pipeline, stage));
    }
    match directory.first_stage(pipeline.as_deref()) {
        Some((pipeline, stage)) => Ok((Some(pipeline), Some(stage))),
        None => {
            Err(Refusal::bad_request("stage: the portal's stages are not known yet; run a sync, or say one"))
        }
    }
}

fn name(text: &str) -> Result<String, Refusal> {
    let name = text.trim();
    let fits = !name.is_empty() && name.chars().count() <= LONGEST_NAME && !name.contains(char::is_control);
    match fits {
        true => Ok(name.to_owned()),
        false => Err(Refusal::bad_request("name: one line of at most 255 characters")),
    }
}

/// A number as HubSpot stores it: digits and a point.
fn amount(value: &Value) -> Result<String, Refusal> {
    let text = match value {
        Value::Number(number) => number.to_string(),
        Value::String(text) => text.trim().to_owned(),
        _ => String::new(),
    };
    let (whole, part) = text.split_once('.').unwrap_or((&text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    match digits(whole) && digits(part) && whole.len() <= MOST_DIGITS && part.len() <= 6 {
        true => Ok(text),
        false => Err(Refusal::bad_request("amount: a number like 1200 or 1200.50, without currency")),
    }
}

fn close_date(text: &str, zone: &Zone) -> Result<String, Refusal> {
    let day = date(text.trim()).and_then(|day| zone.moment(day, jiff::civil::Time::midnight()));
    day.map(|at| at.rfc3339())
        .ok_or_else(|| Refusal::bad_request(format!("close_date: `{text}` is not a day like 2026-12-01")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_plain_numbers() {
        for (value, written) in [(json!(1200), "1200"), (json!("1200.50"), "1200.50"), (json!(0.5), "0.5")] {
            assert_eq!(amount(&value).unwrap(), written);
        }
        for wrong in [json!(-1), json!("1,200"), json!("EUR 5"), json!(1e30), json!(null), json!("1.")] {
            assert!(amount(&wrong).is_err(), "{wrong}");
        }
    }
}
