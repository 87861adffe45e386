//! Whom a call is about: the address it names, within what the caller is bound to.
//!
//! An agent that is bound to a customer acts for nobody else, whatever it is told to.

use super::{Caller, Refusal};
use crate::domain::action::Reason;

/// Longest address (RFC 5321).
const LONGEST: usize = 254;

/// An e-mail address in lower case, fit to be looked up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Address(String);

impl Address {
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        let address = text.trim().to_lowercase();
        let plain = !address.contains(|c: char| c.is_whitespace() || c.is_control());
        let parts = address
            .split_once('@')
            .is_some_and(|(name, host)| !name.is_empty() && host.contains('.') && !host.contains('@'));
        match plain && parts && address.len() <= LONGEST {
            true => Ok(Self(address)),
            false => Err(Refusal::bad_request("contact: this is not an e-mail address")),
        }
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The customer of a call: the one it names, or the one its caller is bound to.
pub(super) fn of(caller: &Caller, asked: Option<&str>) -> Result<Option<Address>, Refusal> {
    let bound = caller.agent.as_ref().and_then(|agent| agent.customer.as_deref());
    let mut found = asked.map(Address::parse).transpose()?;
    for limit in [bound, caller.narrowed_to.as_deref()].into_iter().flatten() {
        let limit = Address::parse(limit)?;
        match &found {
            Some(address) if *address != limit => {
                return Err(Refusal::new(
                    Reason::OtherCustomer,
                    "this call may act for its own customer only; leave `contact` out",
                ));
            }
            _ => found = Some(limit),
        }
    }
    Ok(found)
}

/// The same where there must be one.
pub(super) fn required(caller: &Caller, asked: Option<&str>) -> Result<Address, Refusal> {
    of(caller, asked)?.ok_or_else(|| {
        Refusal::bad_request("contact: say which contact is meant, by the e-mail address of the conversation")
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::ids::OrgId;

    #[test]
    fn what_is_no_address_is_refused() {
        for text in ["", "nina", "@x.example", "a@b@c.example", "a b@x.example", "a@x", "a@x.example\r\nb"] {
            assert!(Address::parse(text).is_err(), "{text:?}");
        }
        assert_eq!(Address::parse(" Nina@X.example ").unwrap().as_str(), "nina@x.example");
    }

    #[test]
    fn a_narrowed_call_names_nobody_else() {
        let caller = |narrowed: Option<&str>| Caller {
            org: OrgId::new("o"),
            agent: None,
            narrowed_to: narrowed.map(str::to_owned),
            since: tokio::time::Instant::now(),
        };
        assert!(of(&caller(None), None).unwrap().is_none());
        assert_eq!(required(&caller(Some("a@x.example")), None).unwrap().as_str(), "a@x.example");
        assert!(of(&caller(Some("a@x.example")), Some("A@x.example")).is_ok());
        let refused = of(&caller(Some("a@x.example")), Some("b@x.example")).unwrap_err();
        assert_eq!(refused.reason, Reason::OtherCustomer);
    }
}
