//! Near-copies: a mail that went to many is one document; what one customer's copy says beyond it is indexed alone.
//!
//! Fingerprints are made beside normalizing, memberships are settled in the transaction that stores the page.
//! Only mails that staff sent, that are long enough and that answer nobody are looked at. How alike two texts are is decided by
//! `text::near_copies`.

use std::collections::BTreeSet;

use super::normalize::NormalizedEngagement;
use crate::domain::engagement::{Decision, Kind, Passage, ProcessedEngagement, SkipReason};
use crate::domain::ids::DocumentId;
use crate::store::StoreError;
use crate::store::conn::Conn;
use crate::store::crm::Tenant;
use crate::store::near_copies::{self, Template};
use crate::store::passages;
use crate::text::near_copies::{COPY_FROM, Fingerprint, remainder};

/// Words from which a mail may be a template.
const LEAST_WORDS: usize = 20;
/// Bands that are stored of each fingerprint. Eight find 98 of 100 copies that are four fifths alike.
const STORED_BANDS: usize = 8;
/// Similarity from which a mail may hold a whole template and more words of its own than usual.
const HOLDS_FROM: f32 = 0.5;
/// Contacts of a mail whose names are looked up.
const MOST_CONTACTS: usize = 3;
/// Words a salutation has at most.
const SALUTATION: usize = 6;

/// The fingerprint of a mail that may be a template.
#[must_use]
pub fn fingerprint(engagement: &NormalizedEngagement) -> Option<Box<Fingerprint>> {
    let raw = &engagement.raw;
    if raw.kind != Kind::Email || !raw.outgoing {
        return None;
    }
    let text = joined(&engagement.passages);
    text.split_whitespace().nth(LEAST_WORDS - 1)?;
    Fingerprint::of(&text, &[salutation(&text)]).map(Box::new)
}

/// "Hi Ann," at the head of a mail; empty where there is none.
fn salutation(text: &str) -> &str {
    let first = text.lines().next().unwrap_or_default();
    let ends = first.trim_end().ends_with([',', '!', ':', '，', '：', '.']);
    if ends && first.split_whitespace().count() <= SALUTATION { first } else { "" }
}

fn joined(passages: &[Passage]) -> String {
    passages.iter().map(|passage| passage.text.as_str()).collect::<Vec<_>>().join("\n")
}

/// Documents whose recipients changed while pages were stored.
#[derive(Debug, Default)]
pub struct Changed(BTreeSet<String>);

impl Changed {
    /// The copy `engagement` was stored anew: the document that stands for it has to know.
    pub fn note(
        &mut self,
        conn: &mut dyn Conn,
        tenant: Tenant<'_>,
        engagement: &ProcessedEngagement,
    ) -> Result<(), StoreError> {
        if engagement.template.is_none() {
            return Ok(());
        }
        let document = document_of(tenant, engagement);
        if let Some(template) = near_copies::of(conn, tenant.org, &document)?
            && template.canonical != document.id
        {
            self.0.insert(template.canonical);
        }
        Ok(())
    }

    /// Tells the index about each of them once.
    pub fn publish(self, conn: &mut dyn Conn, tenant: Tenant<'_>) -> Result<(), StoreError> {
        self.0.into_iter().try_for_each(|id| {
            let document = DocumentId { portal: tenant.portal, kind: Kind::Email, id };
            near_copies::touch(conn, tenant.org, &document)
        })
    }
}

/// Finds the template of a mail, or makes it one; a copy is represented by the document of its template.
///
/// A mail keeps its template as long as it is alike, so reading it again changes nothing.
pub fn settle(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    engagement: &mut ProcessedEngagement,
    print: Option<&Fingerprint>,
) -> Result<(), StoreError> {
    if engagement.raw.kind != Kind::Email {
        return Ok(());
    }
    let document = document_of(tenant, engagement);
    let print = print.filter(|_| engagement.decision == Decision::Learned);
    let before = near_copies::of(conn, tenant.org, &document)?;
    let stays = match (&before, print) {
        (Some(template), Some(print)) => share_of(conn, tenant, engagement, print, template)?.is_some(),
        _ => false,
    };
    let template = match before {
        Some(template) if stays => template,
        before => {
            if let Some(template) = before {
                near_copies::leave(conn, tenant.org, &document, &template)?;
            }
            let Some(print) = print else { return Ok(()) };
            enter(conn, tenant, engagement, print)?
        }
    };
    engagement.template = Some(template.id);
    if template.canonical != document.id {
        as_copy(conn, tenant, engagement, &template)?;
    }
    Ok(())
}

fn document_of(tenant: Tenant<'_>, engagement: &ProcessedEngagement) -> DocumentId {
    DocumentId { portal: tenant.portal, kind: engagement.raw.kind, id: engagement.raw.id.clone() }
}

/// How alike mail and template are, where the mail is a copy of it: much the same, or all of it and more.
fn share_of(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    engagement: &ProcessedEngagement,
    print: &Fingerprint,
    template: &Template,
) -> Result<Option<f32>, StoreError> {
    let share = Fingerprint::from_bytes(&template.mins).map_or(0.0, |other| print.similarity(&other));
    if !(HOLDS_FROM..COPY_FROM).contains(&share) {
        return Ok(Some(share).filter(|share| *share >= COPY_FROM));
    }
    let beside = Beside::read(conn, tenant, engagement, template)?;
    let lacks = remainder(&joined(&engagement.passages), &beside.template, &beside.own(&engagement.passages));
    Ok(lacks.is_empty().then_some(share))
}

/// What a mail is compared with: the text of the template and the names in both mails.
struct Beside {
    template: String,
    names: Vec<String>,
}

impl Beside {
    fn read(
        conn: &mut dyn Conn,
        tenant: Tenant<'_>,
        engagement: &ProcessedEngagement,
        template: &Template,
    ) -> Result<Self, StoreError> {
        let canonical = DocumentId { id: template.canonical.clone(), ..document_of(tenant, engagement) };
        let mut contacts = near_copies::contacts_of(conn, tenant.org, &canonical)?;
        contacts.truncate(MOST_CONTACTS);
        contacts.extend(engagement.raw.links.contacts.iter().take(MOST_CONTACTS).cloned());
        let mut names = Vec::new();
        for contact in &contacts {
            names.extend(near_copies::names_of_contact(conn, tenant.org, tenant.portal, contact)?);
        }
        let template = joined(&passages::of(conn, tenant.org, &canonical)?);
        Ok(Self { template, names })
    }

    /// Words that may differ: the names, and those of both salutations.
    fn own<'a>(&'a self, passages: &'a [Passage]) -> Vec<&'a str> {
        let mine = passages.first().map_or("", |first| salutation(&first.text));
        self.names.iter().map(String::as_str).chain([mine, salutation(&self.template)]).collect()
    }
}

/// The template most alike, or a new one.
fn enter(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    engagement: &ProcessedEngagement,
    print: &Fingerprint,
) -> Result<Template, StoreError> {
    let bands: Vec<i64> = print.bands().into_iter().take(STORED_BANDS).map(u64::cast_signed).collect();
    let mut best: Option<(f32, Template)> = None;
    for template in near_copies::candidates(conn, tenant, &bands)? {
        let share = share_of(conn, tenant, engagement, print, &template)?;
        if let Some(share) = share.filter(|share| best.as_ref().is_none_or(|(most, _)| share > most)) {
            best = Some((share, template));
        }
    }
    if let Some((_, template)) = best {
        near_copies::join(conn, template.id)?;
        return Ok(template);
    }
    let (document, mins) = (document_of(tenant, engagement), print.to_bytes());
    let id = near_copies::create(conn, tenant, &document, &mins, &bands)?;
    Ok(Template { id, canonical: document.id, mins })
}

/// A copy is not indexed but for what only it says.
fn as_copy(
    conn: &mut dyn Conn,
    tenant: Tenant<'_>,
    engagement: &mut ProcessedEngagement,
    template: &Template,
) -> Result<(), StoreError> {
    let beside = Beside::read(conn, tenant, engagement, template)?;
    engagement.own_passages = own_passages(&engagement.passages, &beside);
    if engagement.own_passages.is_none() {
        engagement.decision = Decision::Skipped { reason: SkipReason::NearCopy, rule: None };
    }
    Ok(())
}

/// Lines of the passages that the template does not hold; `None` where they are too few to matter.
fn own_passages(passages: &[Passage], beside: &Beside) -> Option<Vec<Passage>> {
    let text = joined(passages);
    let lines = remainder(&beside.template, &text, &beside.own(passages));
    let mut start = 0;
    let mut out = Vec::new();
    for passage in passages {
        let end = start + passage.text.len();
        let inside = lines.iter().filter(|line| line.start >= start && line.start < end);
        let kept: String = inside.map(|line| &text[line.clone()]).collect();
        if !kept.trim().is_empty() {
            out.push(Passage { text: kept.trim().to_owned(), ..passage.clone() });
        }
        start = end + 1;
    }
    (!out.is_empty()).then_some(out)
}

#[cfg(test)]
mod tests {
    use super::{Beside, own_passages};
    use crate::domain::engagement::Passage;

    #[test]
    fn a_copy_with_words_of_its_own_keeps_only_those() {
        let body = "here is the offer we talked about\nplease tell me whether the term fits for Acme Works";
        let template = format!("Hi Ann,\n{body}");
        let own = "PS: the older unit can go to your second site in June";
        let copy = |tail: &str| {
            let body = body.replace("Acme Works", "Borealis");
            vec![Passage { text: format!("Dear Bob Stone,\n{body}{tail}"), ..Passage::default() }]
        };
        let beside = Beside { template, names: vec!["Acme Works".to_owned(), "Borealis".to_owned()] };
        assert_eq!(own_passages(&copy(""), &beside), None);
        let kept = own_passages(&copy(&format!("\n{own}")), &beside);
        assert_eq!(kept, Some(vec![Passage { text: own.to_owned(), ..Passage::default() }]));
    }
}
