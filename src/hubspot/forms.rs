//! Form submissions: read form by form from a v1 endpoint that has no dated successor, hence apart.
//!
//! Submissions carry no contact id; the address a person typed is what ties them to a customer.

use serde::Deserialize;

use super::call::Call;
use super::client::Client;
use super::error::HubspotError;
use super::wire::{Malformed, Page, WireId, list_or_null};
use crate::domain::clock::Millis;
use crate::domain::engagement::{Body, Kind, Links, RawEngagement};

/// The default would silently leave out captured and flow forms (contract, section 5.5).
const FORM_TYPES: &str = "hubspot,captured,flow";
/// Largest page of submissions.
const PAGE: &str = "50";

/// A form.
#[derive(Debug, Clone, Deserialize)]
pub struct Form {
    id: WireId,
    #[serde(default)]
    name: String,
}

impl Form {
    /// HubSpot's id of it.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id.0
    }
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Submission {
    conversion_id: WireId,
    submitted_at: i64,
    page_url: Option<String>,
    #[serde(default, deserialize_with = "list_or_null")]
    values: Vec<FieldValue>,
}

#[derive(Debug, Deserialize)]
struct FieldValue {
    #[serde(default)]
    name: String,
    #[serde(default)]
    value: serde_json::Value,
}

/// Where the reading of all submissions stands: a form and a cursor within it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Place {
    form: String,
    after: Option<String>,
}

impl Place {
    fn parse(cursor: &str) -> Self {
        match cursor.split_once('|') {
            Some((form, after)) => Self { form: form.to_owned(), after: Some(after.to_owned()) },
            None => Self { form: cursor.to_owned(), after: None },
        }
    }

    fn to_cursor(&self) -> String {
        match &self.after {
            Some(after) => format!("{}|{after}", self.form),
            None => self.form.clone(),
        }
    }
}

/// One page of submissions; forms are read one after the other in the order of their ids.
pub async fn page(
    client: &Client,
    forms: &[Form],
    since: Option<Millis>,
    after: Option<&str>,
) -> Result<Page<RawEngagement>, HubspotError> {
    let place = after.map(Place::parse);
    // A form that was deleted since the cursor was written is passed over.
    let from = place.as_ref().map_or(0, |place| forms.partition_point(|form| form.id.0 < place.form));
    let Some(form) = forms.get(from) else {
        return Ok(Page::default());
    };
    let within = place.filter(|place| place.form == form.id.0).and_then(|place| place.after);
    let call = Call::get(client.version().submissions(&form.id.0))
        .with("limit", PAGE)
        .with_some("after", within.as_deref());
    let page: Page<Submission> = client.fetch(&call, Page::parse).await?;
    // Submissions come newest first: behind the first one that is old enough there is nothing new.
    let reached = since.is_some_and(|since| page.records.iter().any(|one| one.submitted_at < since.0));
    let next = match page.next.filter(|_| !reached) {
        Some(after) => Some(Place { form: form.id.0.clone(), after: Some(after) }),
        None => forms.get(from + 1).map(|next| Place { form: next.id.0.clone(), after: None }),
    };
    let malformed = page.malformed.into_iter().map(|bad| Malformed { id: None, ..bad }).collect();
    let records = page.records.into_iter().map(|submission| raw(form, submission)).collect();
    Ok(Page { records, malformed, next: next.map(|place| place.to_cursor()), gone: Vec::new() })
}

/// Every form of the three types that collect submissions, ordered by id.
pub async fn all(client: &Client) -> Result<Vec<Form>, HubspotError> {
    let mut forms: Vec<Form> = Vec::new();
    let mut after: Option<String> = None;
    loop {
        let call = Call::get(client.version().forms())
            .with("limit", "100")
            .with("formTypes", FORM_TYPES)
            .with_some("after", after.as_deref());
        let page: Page<Form> = client.fetch(&call, Page::parse).await?;
        forms.extend(page.records);
        after = page.next;
        if after.is_none() {
            forms.sort_by(|a, b| a.id.cmp(&b.id));
            return Ok(forms);
        }
    }
}

fn raw(form: &Form, submission: Submission) -> RawEngagement {
    let lines: Vec<(String, String)> =
        submission.values.into_iter().map(|field| (field.name, plain(&field.value))).collect();
    let email = lines.iter().find(|(name, _)| name == "email").map(|(_, value)| value.trim().to_lowercase());
    let text: Vec<String> = lines.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    let properties = serde_json::json!({ "form_id": form.id.0, "page_url": submission.page_url });
    RawEngagement {
        kind: Kind::FormSubmission,
        id: submission.conversion_id.0,
        title: Some(form.name.clone()).filter(|name| !name.is_empty()),
        body: Body { html: None, plain: Some(text.join("\n")) },
        transcript: None,
        created_at: Millis(submission.submitted_at),
        occurred_at: Millis(submission.submitted_at),
        updated_at: Millis(submission.submitted_at),
        owner: None,
        thread: None,
        from_address: email.filter(|address| address.contains('@')),
        from_name: None,
        outgoing: false,
        out_of_office: false,
        erased: false,
        url: None,
        links: Links::default(),
        properties: properties.to_string(),
        reread: None,
    }
}

fn plain(value: &serde_json::Value) -> String {
    match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Null => String::new(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_survives_the_cursor() {
        for place in [
            Place { form: "a-1".into(), after: None },
            Place { form: "a-1".into(), after: Some("x|y".into()) },
        ] {
            assert_eq!(Place::parse(&place.to_cursor()), place);
        }
    }
}
