//! Who asks, and what they may see. The only place that turns a caller into a search scope.
//!
//! No caller names an organisation: it comes from the credential. A binding to a customer can be narrowed by
//! a request, never widened.

use hublore_index::Scope;

use super::KnowledgeError;
use crate::domain::ids::{OrgId, colleagues_key, customer_key};
use crate::store::conn::Conn;
use crate::store::people::{self, Person};

/// An authenticated caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Caller {
    /// Organisation of the credential.
    pub org: OrgId,
    /// The one customer the credential is bound to (address), if it is.
    pub bound_to: Option<String>,
    /// Further narrowing for this request (address).
    pub narrowed_to: Option<String>,
}

impl Caller {
    /// A person at the command line of the installation: sees one whole organisation.
    #[must_use]
    pub fn operator(org: OrgId) -> Self {
        Self { org, bound_to: None, narrowed_to: None }
    }

    /// The caller sees a part of the organisation only.
    #[must_use]
    pub fn is_limited(&self) -> bool {
        self.limits().next().is_some()
    }

    /// Addresses every answer must be tied to.
    fn limits(&self) -> impl Iterator<Item = &str> {
        [&self.bound_to, &self.narrowed_to].into_iter().filter_map(|limit| limit.as_deref())
    }
}

/// What a caller may see.
#[derive(Debug, Clone)]
pub struct Visible {
    /// For the index.
    pub scope: Scope,
    /// Keys of the customers answers must be tied to; `None` is the whole organisation.
    pub customers: Option<Vec<String>>,
}

/// The part of an organisation a request may see: the caller's limits and the customer it asks for.
pub fn visible(
    conn: &mut dyn Conn,
    caller: &Caller,
    asked: Option<&str>,
    include_unlinked: bool,
) -> Result<Visible, KnowledgeError> {
    let mut customers: Option<Vec<String>> = None;
    for address in caller.limits().chain(asked) {
        let keys = keys_of(caller, &people::by_email(conn, &caller.org, address)?);
        customers = Some(match customers {
            None => keys,
            Some(before) => before.into_iter().filter(|key| keys.contains(key)).collect(),
        });
    }
    let scope = Scope {
        org: caller.org.as_str().to_owned(),
        customer: None,
        // A caller that is bound to a customer never sees what belongs to nobody.
        include_unlinked: include_unlinked && caller.limits().next().is_none(),
    };
    Ok(Visible { scope, customers })
}

/// The contacts with an address, as far as the caller may know them.
pub fn visible_people(
    conn: &mut dyn Conn,
    caller: &Caller,
    address: &str,
) -> Result<Vec<Person>, KnowledgeError> {
    let visible = visible(conn, caller, Some(address), false)?;
    let mut found = people::by_email(conn, &caller.org, address)?;
    found.retain(|person| {
        let key = customer_key(person.portal, &person.id);
        visible.customers.as_ref().is_some_and(|keys| keys.contains(&key))
    });
    Ok(found)
}

/// What people are found by: themselves, and what is known about their companies. A caller that is bound to one of them
/// gets of a company only what this person's own engagements prove: colleagues' words are not its to read.
fn keys_of(caller: &Caller, people: &[Person]) -> Vec<String> {
    let own = people.iter().map(|person| customer_key(person.portal, &person.id));
    let companies = people.iter().filter(|_| caller.bound_to.is_none());
    let shared = companies.filter_map(|one| Some(colleagues_key(one.portal, one.company.as_deref()?)));
    own.chain(shared).collect()
}
