//! One engagement as people are told of it, read from the store when it is told: who, where, what was newly written.

use url::Url;

use super::plain;
use crate::domain::engagement::{Kind, SkipReason};
use crate::domain::ids::{DocumentId, OrgId};
use crate::domain::notification::Telling;
use crate::hubspot::links::{self, On};
use crate::store::conn::Conn;
use crate::store::engagements::{self, StoredEngagement};
use crate::store::people;
use crate::store::{StoreError, connections};

/// Characters of a snippet.
const SNIPPET: usize = 300;
/// Characters of a snippet in a group.
const SHORT: usize = 140;
/// Characters of a name.
const NAME: usize = 80;
/// Characters of a subject.
const TITLE: usize = 150;
/// Who it is about where nobody is known.
const UNKNOWN: &str = "unknown contact";

/// What is told of an engagement; secrets are masked and nothing invisible is left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Kind.
    pub kind: Kind,
    /// Its contact, and how many more there are.
    pub who: String,
    /// Company.
    pub company: Option<String>,
    /// Subject or title.
    pub title: Option<String>,
    /// What was newly written.
    pub snippet: Option<String>,
    /// The same for a group.
    pub short: Option<String>,
    /// Address in HubSpot's app.
    pub link: Option<Url>,
}

/// Reads an engagement.
///
/// # Errors
/// The inner one says why nobody is to be told, as the log of notifications names it.
pub fn read(
    conn: &mut dyn Conn,
    org: &OrgId,
    document: &DocumentId,
    app_base: &Url,
) -> Result<Result<Entry, &'static str>, StoreError> {
    let Some(row) = engagements::get(conn, org, document)? else { return Ok(Err("gone")) };
    let reason = row.reason.as_deref().and_then(SkipReason::parse);
    if Telling::of(&row.decision, reason) != Telling::Told {
        return Ok(Err("not_learned"));
    }
    let people = people::with_companies(conn, org, document)?;
    let own = people::companies_of_engagement(conn, org, document)?;
    let ui_domain = connections::get(conn, org)?
        .filter(|connection| connection.portal == document.portal)
        .and_then(|connection| connection.ui_domain);
    let app = links::app(ui_domain.as_deref(), app_base);
    let on = match (people.first(), own.first()) {
        (Some((person, _)), _) => On::Contact(&person.id),
        (None, Some(company)) => On::Company(&company.id),
        (None, None) => On::Itself,
    };
    let link = links::engagement(&app, row.url.as_deref(), document, on);
    let theirs = people.iter().find_map(|(_, company)| company.clone());
    let company = theirs.or_else(|| own.first().and_then(|company| company.name.clone()));
    let written = newly_written(&row);
    Ok(Ok(Entry {
        kind: document.kind,
        who: who(people
            .iter()
            .map(|(person, _)| person.name.as_deref().or(person.email.as_deref()))
            .collect()),
        company: company.and_then(|name| plain::line(&name, NAME)),
        title: row.title.as_deref().and_then(|title| plain::line(title, TITLE)),
        snippet: plain::line(&written, SNIPPET),
        short: plain::line(&written, SHORT),
        link,
    }))
}

/// "Nina Berg and 2 more".
fn who(names: Vec<Option<&str>>) -> String {
    let first = names.first().copied().flatten().and_then(|name| plain::line(name, NAME));
    let first = first.unwrap_or_else(|| UNKNOWN.to_owned());
    match names.len() {
        0 | 1 => first,
        all => format!("{first} and {} more", all - 1),
    }
}

/// What its sender wrote, without what is only quoted.
fn newly_written(row: &StoredEngagement) -> String {
    let own = row.passages.iter().filter(|passage| !passage.quoted);
    own.map(|passage| passage.text.as_str()).collect::<Vec<_>>().join("\n")
}

#[cfg(test)]
mod tests {
    use super::who;

    #[test]
    fn not_4_a_name_or_an_unknown_contact() {
        assert_eq!(who(vec![]), "unknown contact");
        assert_eq!(who(vec![None]), "unknown contact");
        assert_eq!(who(vec![Some("Nina Berg")]), "Nina Berg");
        assert_eq!(who(vec![Some("Nina"), Some("Bob"), None]), "Nina and 2 more");
    }
}
