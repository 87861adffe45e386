//! Why an engagement is, or is not, found: one reason code and one sentence.
//!
//! The code is for programs, see [`code`]; what a caller may not see is `unknown` to it.

use hublore_index::KnowledgeIndex;
use serde::Serialize;

use super::KnowledgeError;
use super::scope::{Caller, visible};
use crate::domain::engagement::SkipReason;
use crate::domain::ids::{DocumentId, customer_key};
use crate::domain::rule::Ruling;
use crate::store::Store;
use crate::store::conn::Conn;
use crate::store::engagements::{self, StoredEngagement};
use crate::store::near_copies;
use crate::store::people::{self, Person};
use crate::store::rules;

/// Why an engagement is, or is not, found.
#[derive(Debug, Clone, Serialize)]
pub struct Finding {
    /// Document id.
    pub id: String,
    /// The reason code.
    pub code: &'static str,
    /// Why it is not knowledge, where that is the cause.
    pub reason: Option<String>,
    /// The rule that decided, where one did.
    pub rule: Option<String>,
    /// What a learning rule said of it last, that it may be learned too. Only for callers who see every customer: the
    /// words of rules are the operator's.
    pub ruling: Option<Ruling>,
    /// It is tied to a known customer; if not, customer-scoped searches do not show it.
    pub linked: bool,
    /// The same as a sentence.
    pub text: String,
}

/// The engagement, if it exists and the caller may see it.
pub(super) fn seen(
    conn: &mut dyn Conn,
    caller: &Caller,
    document: &DocumentId,
) -> Result<Option<(StoredEngagement, Vec<Person>)>, KnowledgeError> {
    let Some(row) = engagements::get(conn, &caller.org, document)? else {
        return Ok(None);
    };
    let people = people::of_engagement(conn, &caller.org, document)?;
    let customers = visible(conn, caller, None, false)?.customers;
    let allowed = customers.is_none_or(|keys| {
        people.iter().any(|person| keys.contains(&customer_key(person.portal, &person.id)))
    });
    Ok(allowed.then_some((row, people)))
}

/// Explains one engagement; with `customer`, why a search for that address does not show it.
pub fn finding(
    store: &Store,
    index: &dyn KnowledgeIndex,
    caller: &Caller,
    document: &DocumentId,
    customer: Option<&str>,
) -> Result<Finding, KnowledgeError> {
    let id = document.to_string();
    let read = store.read(|conn| {
        let Some((row, people)) = seen(conn, caller, document)? else {
            // Whoever is limited to a customer may not learn that somebody else's was there.
            let gone = !caller.is_limited() && engagements::was_removed(conn, &caller.org, document)?;
            return Ok::<_, KnowledgeError>(Err(gone));
        };
        let tied = match customer {
            Some(address) => is_tied(conn, caller, document, &people, address)?,
            None => true,
        };
        let ruling = match caller.is_limited() {
            true => None,
            false => rules::decision(conn, &caller.org, document)?,
        };
        Ok(Ok((row, people, tied, ruling)))
    })?;
    let (row, people, tied, ruling) = match read {
        Ok(found) => found,
        Err(gone) => return Ok(absent(id, gone)),
    };
    let indexed = match index.version_of(caller.org.as_str(), &id) {
        // Nothing is, until it is built.
        Err(hublore_index::Error::NeedsRebuild(_)) => None,
        version => version?,
    };
    let code = code(&row, indexed, tied);
    let text = sentence(code, &row, people.is_empty(), customer);
    Ok(Finding { id, code, reason: row.reason, rule: row.rule, ruling, linked: !people.is_empty(), text })
}

fn absent(id: String, gone: bool) -> Finding {
    let (code, text) = match gone {
        true => ("deleted", "it was deleted in HubSpot, and its text is gone from here too"),
        false => {
            ("unknown", "there is no such engagement here: it was never read, or HubSpot no longer has it")
        }
    };
    Finding { id, code, reason: None, rule: None, ruling: None, linked: false, text: text.to_owned() }
}

/// Whether a search for that customer may show it: it is tied to one of that address, or stands for a copy that is.
fn is_tied(
    conn: &mut dyn Conn,
    caller: &Caller,
    document: &DocumentId,
    people: &[Person],
    address: &str,
) -> Result<bool, KnowledgeError> {
    let wanted = visible(conn, caller, Some(address), false)?.customers.unwrap_or_default();
    let recipients = near_copies::recipients(conn, &caller.org, document)?;
    let keys = people.iter().map(|person| customer_key(person.portal, &person.id));
    let mut keys = keys.chain(recipients.iter().map(|id| customer_key(document.portal, id)));
    Ok(keys.any(|key| wanted.contains(&key)))
}

/// The reason code. Why it is no knowledge comes before where it would be shown.
///
/// `missing_scope`: HubSpot withheld the body. `empty_body`: nothing is written in it. `near_copy`: another
/// document stands for it. `skipped_by_rule`, `held`: a learning rule decided, or could not yet. `skipped`: automatic mail
/// and the like. `not_yet_indexed`: the next commit brings it. `no_link`: found, but not by a search for the
/// customer asked about. `indexed`: found. Without a row: `deleted`, `unknown`.
fn code(row: &StoredEngagement, indexed: Option<u64>, tied: bool) -> &'static str {
    let reason = row.reason.as_deref().and_then(SkipReason::parse);
    match (row.decision.as_str(), reason) {
        ("held", _) => "held",
        ("learned", _) if indexed != Some(row.seq) => "not_yet_indexed",
        ("learned", _) if !tied => "no_link",
        ("learned", _) => "indexed",
        (_, Some(SkipReason::Redacted)) => "missing_scope",
        (_, Some(SkipReason::EmptyBody)) => "empty_body",
        (_, Some(SkipReason::NearCopy)) => "near_copy",
        (_, Some(SkipReason::KeywordRule | SkipReason::TopicRule)) => "skipped_by_rule",
        _ if row.rule.is_some() => "skipped_by_rule",
        _ => "skipped",
    }
}

fn sentence(code: &str, row: &StoredEngagement, unlinked: bool, customer: Option<&str>) -> String {
    let reason = row.reason.as_deref().unwrap_or("no reason");
    let rule = row.rule.as_ref().map(|rule| format!(" by rule {rule}")).unwrap_or_default();
    match code {
        "indexed" if unlinked => {
            "it is indexed, but tied to no known customer: customer-scoped searches leave it out"
        }
        "indexed" => "it is indexed; searches find it by its new text, title and customers",
        "not_yet_indexed" => "it is stored and waits for the next commit of the index",
        "no_link" => {
            let customer = customer.unwrap_or("this customer");
            return format!(
                "it is indexed, but HubSpot associates it with no contact of the address {customer}; \
                 associate it there, and the next run links it"
            );
        }
        "missing_scope" => {
            "HubSpot withheld the body because the scope sales-email-read is missing; add it to the app and connect \
             again"
        }
        "empty_body" => "it has neither a title nor text, so there is nothing to find",
        "near_copy" => "it is one of many copies, which one document stands for",
        "held" => return format!("it is held{rule}: the judge could not decide and is asked again"),
        "skipped_by_rule" => return format!("it is stored but not learned: skipped{rule} ({reason})"),
        _ => return format!("it is stored but not learned: {reason}"),
    }
    .to_owned()
}

/// The document id that was typed; an id as HubSpot writes it is looked for in every kind.
pub fn document(store: &Store, caller: &Caller, text: &str) -> Result<DocumentId, KnowledgeError> {
    // A hit is named by its passage.
    let text = text.split_once('#').map_or(text, |(document, _)| document);
    if let Ok(document) = text.parse() {
        return Ok(document);
    }
    // Looking an id up in every kind would tell a limited caller what exists beyond its limits.
    let found: Vec<DocumentId> = match caller.is_limited() {
        true => Vec::new(),
        false => store.read(|conn| engagements::with_id(conn, &caller.org, text))?,
    };
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(KnowledgeError::BadRequest(format!(
            "no engagement has the id `{text}`; full ids look like hubspot:PORTAL:KIND:ID"
        ))),
        several => {
            let names: Vec<String> = several.iter().map(ToString::to_string).collect();
            Err(KnowledgeError::BadRequest(format!("`{text}` is several engagements: {}", names.join(", "))))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::clock::Millis;
    use crate::domain::engagement::Kind;
    use crate::domain::ids::{OrgId, PortalId};

    fn row(decision: &str, reason: Option<SkipReason>, rule: Option<&str>) -> StoredEngagement {
        StoredEngagement {
            org: OrgId::new("o"),
            document: DocumentId { portal: PortalId(1), kind: Kind::Note, id: "7".to_owned() },
            title: None,
            passages: Vec::new(),
            passage_ids: Vec::new(),
            link_hosts: Vec::new(),
            text_status: None,
            occurred_at: Millis(0),
            owner: None,
            url: None,
            decision: decision.to_owned(),
            reason: reason.map(|reason| reason.as_str().to_owned()),
            rule: rule.map(str::to_owned),
            seq: 5,
        }
    }

    #[test]
    fn f5_every_reason_has_its_own_code_and_sentence() {
        use SkipReason::{AutoReply, EmptyBody, KeywordRule, NearCopy, Redacted, TopicRule, Unsure};
        let cases = [
            ("learned", None, None, Some(5), true, "indexed"),
            ("learned", None, None, Some(4), true, "not_yet_indexed"),
            ("learned", None, None, None, false, "not_yet_indexed"),
            ("learned", None, None, Some(5), false, "no_link"),
            ("held", Some(Unsure), Some("3"), None, true, "held"),
            ("skipped", Some(KeywordRule), Some("12"), None, true, "skipped_by_rule"),
            ("skipped", Some(TopicRule), None, None, true, "skipped_by_rule"),
            ("skipped", Some(Redacted), None, None, true, "missing_scope"),
            ("skipped", Some(EmptyBody), None, None, true, "empty_body"),
            ("skipped", Some(NearCopy), None, None, true, "near_copy"),
            ("skipped", Some(AutoReply), None, None, false, "skipped"),
        ];
        for (decision, reason, rule, indexed, tied, expected) in cases {
            let row = row(decision, reason, rule);
            assert_eq!(code(&row, indexed, tied), expected);
            let text = sentence(expected, &row, false, Some("mia@kranich.example"));
            assert!(rule.is_none_or(|rule| text.contains(&format!("by rule {rule}"))), "{text}");
            assert!(expected != "no_link" || text.contains("mia@kranich.example"), "{text}");
        }
    }
}
